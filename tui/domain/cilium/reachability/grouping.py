"""Endpoints as people see them: applications, namespaces, and what is outside."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tui.domain.cilium.engine.identity import Identity

By = Literal["application", "namespace"]
APPLICATION_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")


class Group(NamedTuple):
    """Endpoints that are one to people. `cluster` only of another one of the mesh."""

    kind: Literal["application", "others", "namespace", "outside"]  # others: of a namespace, without application label
    name: str = ""
    namespace: str = ""
    cluster: str = ""

    @property
    def words(self) -> str:
        """`web in shop`, `others in shop`, `shop`, `world`, `web in shop of cluster west`."""
        name = "others" if self.kind == "others" else self.name
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{name}{place}" + (f" of cluster {self.cluster}" if self.cluster else "")

    @property
    def order(self) -> tuple[bool, str, str, bool, str]:
        """By namespace, then by name; what is outside comes last."""
        return self.kind == "outside", self.cluster, self.namespace, self.kind == "others", self.name


def group_of(who: Identity, by: By, cluster: str, fallback: str) -> Group:
    """The group of an identity seen from a cluster; `fallback` names one that is in no namespace."""
    namespace = who.namespace
    if not namespace:
        reserved = sorted(key for source, key in who.labels if source == "reserved")
        return Group("outside", fallback or ", ".join(reserved))
    other = who.cluster if who.cluster != cluster else ""
    if by == "namespace":
        return Group("namespace", namespace, "", other)
    for key in APPLICATION_LABELS:
        if name := who.labels.get(("k8s", key)):
            return Group("application", name, namespace, other)
    return Group("others", "", namespace, other)
