"""The virtual cluster's syncer: its pods exist once more in the host cluster, as vcluster makes them."""

from __future__ import annotations

import hashlib
from typing import Any

from tui.demo.world import World

Obj = dict[str, Any]

PREFIX = "vcluster.loft.sh/"


class Mirror:
    """Copies pods of a virtual cluster into a namespace of its host."""

    def __init__(self, world: World, virtual: str, release: str, namespace: str) -> None:
        self._virtual = world.clusters[virtual]
        self._host = world.clusters[self._virtual.spec.host]
        self._release = release
        self._namespace = namespace
        self._virtual.mirror = self.copy

    def copy_all(self) -> None:
        """Copy what is there already."""
        for pod in self._virtual.storage.list("pods"):
            self.copy("ADDED", pod)

    def copy(self, change: str, pod: Obj) -> None:
        """Follow one change of a virtual pod: ADDED, MODIFIED or DELETED."""
        meta = pod["metadata"]
        name = host_name(meta["name"], meta["namespace"], self._release)
        storage = self._host.storage
        if change == "DELETED":
            if storage.find("pods", self._namespace, name):
                storage.delete("pods", self._namespace, name)
            return
        labels = {
            **(meta.get("labels") or {}),
            PREFIX + "managed-by": self._release,
            PREFIX + "namespace": meta["namespace"],
        }
        copied = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": self._namespace,
                "labels": labels,
                "creationTimestamp": meta["creationTimestamp"],
                "annotations": {
                    PREFIX + "object-kind": "/v1, Kind=Pod",
                    PREFIX + "object-name": meta["name"],
                    PREFIX + "object-namespace": meta["namespace"],
                    PREFIX + "object-uid": meta["uid"],
                },
            },
            "spec": pod["spec"],
            "status": pod.get("status") or {},
        }
        known = storage.find("ciliumendpoints.cilium.io", self._namespace, name)
        made = storage.apply(copied)
        node = next((node for node in self._host.nodes if node.name == pod["spec"].get("nodeName")), None)
        if node and known is None and (made["status"].get("phase") == "Running"):
            self._host.agents.attach(made, node, self._host.clock.now())


def host_name(name: str, namespace: str, release: str) -> str:
    """`<name>-x-<namespace>-x-<vcluster>`; beyond 63 characters the first 52 and ten hexadecimal digits."""
    full = f"{name}-x-{namespace}-x-{release}"
    if len(full) <= 63:
        return full
    return f"{full[:52]}-{hashlib.sha256(full.encode()).hexdigest()[:10]}"
