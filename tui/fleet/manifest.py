"""The whole object as a person reads it: without bookkeeping, and never with a secret value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui.domain import redact


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object and where it comes from: `fresh` from its cluster now, or as last seen, with the reason."""

    object: dict[str, Any]
    fresh: bool
    reason: str = ""


def cleaned(found: dict[str, Any]) -> dict[str, Any]:
    """The object without managedFields, and with a mask for what is secret in it."""
    metadata = dict(found.get("metadata") or {})
    metadata.pop("managedFields", None)
    return redact.plain({**found, "metadata": metadata})
