"""What people call an endpoint: its namespace and the application it is part of, by the labels of its identity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tui.domain.cilium.policy import NAMESPACE_KEY

# The label that names the application, best first: Kubernetes' recommended ones, then what came before them.
_APPLICATION = ("app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/instance")
_RESERVED = "reserved:"
_TAIL = re.compile(r"(?:-[bcdfghjklmnpqrstvwxz2456789]{5,10})?-(?:[bcdfghjklmnpqrstvwxz2456789]{5}|\d+)$")


class Group(NamedTuple):
    """Endpoints that are spoken of together. `namespace` is "" for what is no pod: `world`, `host` …"""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace and self.name else self.namespace or self.name


def application(labels: Iterable[str], name: str = "") -> Group:
    """The application of an endpoint with these identity labels; `name` (`namespace/pod`) tells where no label does.

    A pod's name counts without what its controller has appended (Kubernetes' alphabet of generated names).
    """
    held, reserved = {}, []
    for label in labels:
        if label.startswith(_RESERVED):
            reserved.append(label[len(_RESERVED) :].rstrip("="))
        elif label.startswith("k8s:"):
            key, _, value = label[4:].partition("=")
            held[key] = value
    if reserved:
        best = next((each for each in ("kube-apiserver", "ingress") if each in reserved), sorted(reserved)[0])
        return Group("", best)
    space = held.get(NAMESPACE_KEY, "")
    found = next((held[key] for key in _APPLICATION if held.get(key)), "")
    if not found:
        pod = name.rpartition("/")[2]
        found = _TAIL.sub("", pod) or pod
    return Group(space, found)
