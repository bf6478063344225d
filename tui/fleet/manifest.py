"""The whole object as a person reads it: without bookkeeping, and never with a secret value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MASK = "++++++++"  # what Argo CD shows instead of a secret value
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object and where it comes from: `fresh` from its cluster now, or as last seen, with the reason."""

    object: dict[str, Any]
    fresh: bool
    reason: str = ""


def cleaned(found: dict[str, Any]) -> dict[str, Any]:
    """The object without managedFields; of a Secret, the keys without their values."""
    metadata = dict(found.get("metadata") or {})
    metadata.pop("managedFields", None)
    result = {**found, "metadata": metadata}
    if found.get("kind") == "Secret" and found.get("apiVersion") == "v1":
        for part in ("data", "stringData"):
            if isinstance(found.get(part), dict):
                result[part] = dict.fromkeys(found[part], MASK)
        annotations = dict(metadata.get("annotations") or {})
        if _LAST_APPLIED in annotations:
            annotations[_LAST_APPLIED] = MASK
            metadata["annotations"] = annotations
    return result
