"""What the agents' image and the ConfigMap `cilium-config` say beside the settings that verdicts are worked out with.

Keys: Cilium `pkg/option/config.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui.domain.cilium.model import Settings
from tui.domain.cilium.reading import settings_of

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?=[.\-+]|$)")
_LOCAL = "policy-default-local-cluster"


def version_of(image: str) -> tuple[int, int] | None:
    """(major, minor) by the tag of an image such as `quay.io/cilium/cilium:v1.18.2@sha256:…`; None without one."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = _VERSION.match(tag)
    return (int(found[1]), int(found[2])) if found else None


def live_settings(config: Mapping[str, str], version: tuple[int, int] | None, cluster: str = "") -> Settings:
    """The settings of running agents. Without a version nothing is concluded from one: a peer is of any cluster.

    `cluster` is the name that the identities of its endpoints have, where it is known.
    """
    data = {**config, "cluster-name": cluster} if cluster else config
    return settings_of(data if version is not None else {_LOCAL: "false", **data}, version)


def caveats(config: Mapping[str, str]) -> list[str]:
    """What verdicts that are worked out from API objects cannot take into account, a sentence each."""
    found = []
    if path := config.get("static-cnp-path", "").strip():
        found.append(f"The agents also enforce policies from files in {path}, which no API shows.")
    if config.get("policy-audit-mode", "").strip().lower() == "true":
        found.append("Policies are only audited here (policy-audit-mode): what is denied passes nevertheless.")
    mode = config.get("enable-policy", "").strip().lower()
    if mode not in ("", "default", "always", "never"):
        found.append(f"enable-policy is {mode!r}, which no known Cilium has: default is assumed.")
    return found
