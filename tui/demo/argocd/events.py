"""Kubernetes Events as Argo CD writes them (`util/argo/audit_logger.go`): one object each, never aggregated."""

from __future__ import annotations

from typing import Any

from tui.demo.apiserver.storage import Storage
from tui.demo.clock import Clock, stamp

Obj = dict[str, Any]

KEPT_SECONDS = 3600.0  # the API server's usual --event-ttl
CONTROLLER = "argocd-application-controller"
APPSET = "applicationset-controller"
SERVER = "argocd-server"


class Recorder:
    """Writes Events about objects of the hub and forgets those older than an hour."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._written: list[tuple[float, str, str]] = []  # oldest first
        self._last = 0

    def write(
        self,
        about: Obj,
        reason: str,
        message: str,
        warning: bool = False,
        component: str = CONTROLLER,
        user: str = "",
        when: float | None = None,
    ) -> None:
        """Record one Event about an Application or ApplicationSet; `when` is seconds since the epoch, default now."""
        moment = self._clock.now() if when is None else when
        meta = about["metadata"]
        nanos = max(int(moment * 1e9), self._last + 1) if when is None else int(moment * 1e9)
        self._last = max(self._last, nanos)
        name = f"{meta['name']}.{nanos:x}"
        destination = (about.get("spec") or {}).get("destination") or {}
        annotations = {}
        if destination:
            annotations = {
                "dest-namespace": destination.get("namespace", ""),
                "dest-server": destination.get("server", ""),
            }
        if user:
            annotations["user"] = user
        event: Obj = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": name,
                "namespace": meta["namespace"],
                "creationTimestamp": stamp(moment),
                "annotations": annotations,
            },
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
                "resourceVersion": meta.get("resourceVersion", ""),
            },
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
            "count": 1,
            "firstTimestamp": stamp(moment),
            "lastTimestamp": stamp(moment),
            "eventTime": None,
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
        }
        self._storage.apply(event)
        self._written.append((moment, meta["namespace"], name))

    def forget(self) -> None:
        """Remove Events that have outlived their hour."""
        limit = self._clock.now() - KEPT_SECONDS
        old = [entry for entry in self._written if entry[0] < limit]
        for _, namespace, name in old:
            if self._storage.find("events", namespace, name):
                self._storage.delete("events", namespace, name, cascade=False)
        if old:
            self._written = [entry for entry in self._written if entry[0] >= limit]
