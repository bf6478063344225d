"""The exact read rights fleet needs, as Kubernetes RBAC, derived from the kind table so that it cannot drift."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tui.domain.kinds import OWN
from tui.domain.kinds.kind import Kind

VERBS = ("get", "list", "watch")
ARGOCD = "argocd"  # the namespace that Argo CD is usually installed in
_FLOWS = (  # Hubble's flows in the agents' logs, and the Events of dropped packets; read only while flows are looked at
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]},
)


def rules(kinds: Iterable[Kind]) -> list[dict[str, Any]]:
    """`rules` of a ClusterRole that lets fleet read these kinds and nothing else; one rule per API group."""
    groups: dict[str, set[str]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, set()).add(kind.plural)
    return [
        {"apiGroups": [group], "resources": sorted(resources), "verbs": list(VERBS)}
        for group, resources in sorted(groups.items())
    ]


def manifests(kinds: Iterable[Kind], secrets: bool = False) -> list[dict[str, Any]]:
    """ClusterRoles for hubs (where Argo CD runs) and for every cluster, each with a binding to group `fleet-readers`.

    No `*`, no exec, port-forward, proxy, impersonation or token rights; Secrets only when asked for, as a Role in Argo
    CD's namespace (names and labels are read, never data). Discovery, /version and self-reviews come with
    `system:discovery` and `system:basic-user`, which every authenticated user has.
    """
    kinds = [kind for kind in kinds if kind.resource not in OWN | {"secrets"}]
    hub = [kind for kind in kinds if kind.watch == "hub"]
    everywhere = [*rules(kind for kind in kinds if kind.watch != "hub"), *_FLOWS]
    found = _granted("ClusterRole", {"name": "fleet-hub-reader"}, rules(hub))
    found += _granted("ClusterRole", {"name": "fleet-reader"}, everywhere)
    if secrets:
        listing = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
        found += _granted("Role", {"name": "fleet-cluster-secrets", "namespace": ARGOCD}, listing)
    return found


def _granted(kind: str, metadata: dict[str, str], rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A Role or ClusterRole and its binding to group `fleet-readers`."""
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {**metadata}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": f"{kind}Binding",
            "metadata": {**metadata},
            "roleRef": {"apiGroup": group, "kind": kind, "name": metadata["name"]},
            "subjects": [{"apiGroup": group, "kind": "Group", "name": "fleet-readers"}],
        },
    ]
