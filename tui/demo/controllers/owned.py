"""What the workload controllers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.demo.controllers.cluster import SimulatedCluster

Obj = dict[str, Any]

STEP = 0.25  # demo seconds between two pods of one workload


def place(obj: Obj) -> tuple[str, str]:
    """Namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def owned(cluster: SimulatedCluster, owner: Obj, resource: str = "pods") -> list[Obj]:
    """Objects of the owner that are not on their way out."""
    uid = owner["metadata"]["uid"]
    return [
        obj
        for obj in cluster.storage.list(resource, owner["metadata"]["namespace"])
        if any(entry["uid"] == uid for entry in obj["metadata"].get("ownerReferences") or ())
        and not obj["metadata"].get("deletionTimestamp")
    ]
