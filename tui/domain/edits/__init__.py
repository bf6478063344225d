"""EDITS: the edits people make most, each one class that the form, the command line and the commit message share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.domain.edits.applications import AutoSync, TargetRevision
from tui.domain.edits.base import KUSTOMIZATION, VALUES, Edit, Field, kind_of
from tui.domain.edits.images import ImageTag
from tui.domain.edits.metadata import Metadata
from tui.domain.edits.policies import PolicyRule
from tui.domain.edits.replicas import Replicas

EDITS: dict[str, Edit] = {
    edit.id: edit for edit in (ImageTag(), Replicas(), TargetRevision(), AutoSync(), PolicyRule(), Metadata())
}
"""Every form edit by its id, in the order in which they are offered."""

__all__ = ["EDITS", "KUSTOMIZATION", "VALUES", "Edit", "Field", "kind_of", "offered"]


def offered(document: Any, file: str = "") -> list[Edit]:
    """The edits that make sense for a document (plain values) of a file."""
    kind = kind_of(document, file)
    if not isinstance(document, Mapping):
        return []
    return [edit for edit in EDITS.values() if edit.applies(kind, document)]
