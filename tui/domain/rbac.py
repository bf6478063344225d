"""The exact read rights fleet needs, as Kubernetes RBAC, derived from the kind table so that it cannot drift."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tui.domain.kinds import OWN
from tui.domain.kinds.kind import Kind

VERBS = ("get", "list", "watch")


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

    No `*`, no exec, port-forward, proxy, impersonation or token rights; Secrets only when asked for (their names and
    labels are read, never their data). Discovery, /version and self-reviews come with `system:discovery` and
    `system:basic-user`, which every authenticated user has.
    """
    left_out = OWN if secrets else OWN | {"secrets"}
    kinds = [kind for kind in kinds if kind.resource not in left_out]
    hub = [kind for kind in kinds if kind.watch == "hub"]
    found = []
    for name, members in (("fleet-hub-reader", hub), ("fleet-reader", [k for k in kinds if k.watch != "hub"])):
        found += [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": name},
                "rules": rules(members),
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "fleet-readers"}],
            },
        ]
    return found
