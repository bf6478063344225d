"""Drafts of a fleet that is read-only: whatever is not known to only look is refused."""

from __future__ import annotations

import inspect

import pytest

from tui.domain.ports import Refused
from tui.fleet.drafts import Drafts
from tui.fleet.drafts.readonly import LOOKING, ReadOnlyDrafts

ALL = {name for name, _ in inspect.getmembers(Drafts, inspect.iscoroutinefunction) if not name.startswith("_")}


def test_what_only_looks_is_there_and_as_it_was() -> None:
    assert LOOKING <= ALL, LOOKING - ALL
    assert all(getattr(ReadOnlyDrafts, name) is getattr(Drafts, name) for name in LOOKING)


@pytest.mark.parametrize("name", sorted(ALL - LOOKING))
async def test_everything_else_is_refused_before_anything_is_done(name: str) -> None:
    drafts = ReadOnlyDrafts(None)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="read-only"):
        await getattr(drafts, name)("draft", path="x")


def test_what_changes_drafts_is_among_what_is_refused() -> None:
    assert {
        "new",
        "edit",
        "edit_files",
        "commit",
        "push",
        "drop",
        "undo",
        "autosave",
        "carry_out",
        "rebase",
    } <= ALL - LOOKING
