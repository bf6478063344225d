"""Kubernetes Events of a cluster: what scheduler, kubelets and controllers tell, counted as client-go counts them."""

from __future__ import annotations

import hashlib
from typing import Any

from tui.demo.apiserver.storage import Storage
from tui.demo.clock import Clock, stamp

Obj = dict[str, Any]

KEPT_SECONDS = 3600.0


class Happenings:
    """Records Events. The same thing about the same object raises the count of the Event that is there."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}  # (namespace, name) of an Event -> last time

    def tell(
        self,
        about: Obj,
        reason: str,
        message: str,
        component: str,
        warning: bool = False,
        when: float | None = None,
        count: int = 1,
        first: float | None = None,
    ) -> None:
        """Record one Event; `when`, `first` are seconds since the epoch, now by default."""
        moment = self._clock.now() if when is None else when
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        digest = hashlib.sha256(f"{meta.get('uid')}/{reason}/{message}".encode()).hexdigest()[:16]
        name = f"{meta['name']}.{digest}"
        self._last[namespace, name] = moment
        known = self._storage.find("events", namespace, name)
        if known is not None:

            def again(event: Obj) -> None:
                event["count"] = event.get("count", 1) + count
                event["lastTimestamp"] = stamp(moment)

            self._storage.patch("events", namespace, name, again)
            return
        reference = {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": meta["name"],
            "uid": meta.get("uid", ""),
            "resourceVersion": meta.get("resourceVersion", ""),
        }
        if meta.get("namespace"):
            reference["namespace"] = namespace
        self._storage.apply(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": namespace, "creationTimestamp": stamp(first or moment)},
                "involvedObject": reference,
                "reason": reason,
                "message": message,
                "type": "Warning" if warning else "Normal",
                "count": count,
                "firstTimestamp": stamp(first or moment),
                "lastTimestamp": stamp(moment),
                "eventTime": None,
                "source": {"component": component},
                "reportingComponent": component,
                "reportingInstance": "",
            }
        )

    def forget(self) -> None:
        """Remove Events that have outlived their hour."""
        limit = self._clock.now() - KEPT_SECONDS
        for (namespace, name), last in list(self._last.items()):
            if last < limit:
                del self._last[namespace, name]
                if self._storage.find("events", namespace, name):
                    self._storage.delete("events", namespace, name, cascade=False)
