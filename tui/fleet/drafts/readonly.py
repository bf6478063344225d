"""Drafts that can be looked at, and nothing else: what a fleet has that was started read-only."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from tui.domain.ports import Refused
from tui.fleet.drafts import Drafts

SAYS = "fleet is read-only (--read-only, or read_only in the configuration): no draft is begun, changed or pushed"
LOOKING = frozenset({
    "close", "here", "find_repository", "repository", "parts", "find", "meant", "list", "show", "refresh", "fetch",
    "propose", "message", "read", "open", "diff", "diff_by", "look", "patch", "unpicked", "picked", "log",
    "commit_patch", "conflicts", "dropped", "states", "recovered", "given_up",
})  # fmt: skip
"""What only looks, or asks a remote what it has. Everything else is refused: so is what is added later."""


class ReadOnlyDrafts(Drafts):
    """All drafts of this machine, none of which can be changed: `Refused` is raised by whatever would."""


def _refusing(name: str) -> Callable[..., Awaitable[NoReturn]]:
    async def refused(self: ReadOnlyDrafts, *given: Any, **named: Any) -> NoReturn:
        raise Refused(SAYS)

    refused.__name__ = name
    return refused


for _name, _ in inspect.getmembers(Drafts, inspect.iscoroutinefunction):
    if not _name.startswith("_") and _name not in LOOKING:
        setattr(ReadOnlyDrafts, _name, _refusing(_name))
