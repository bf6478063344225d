"""events.k8s.io/v1 Events: the same objects as the core ones, with other field names."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.demo.apiserver.resource import View

# core field -> events.k8s.io field; what is listed on neither side has the same name in both
_RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}


def _convert(data: bytes) -> bytes:
    event: dict[str, Any] = msgspec.json.decode(data)
    converted = {_RENAMED.get(key, key): value for key, value in event.items()}
    converted["apiVersion"] = "events.k8s.io/v1"
    converted.setdefault("eventTime", None)
    return msgspec.json.encode(converted)


VIEW = View("events", _convert, (("regarding.", "involvedObject."), ("reportingController", "reportingComponent")))
