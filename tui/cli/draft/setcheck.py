"""What speaks against an edit made from the command line, where no cluster is asked for its schema."""

from __future__ import annotations

import json
from typing import Any

from tui.domain import schema, yamledit


def held(text: str, place: str, doc: int | None) -> Any:
    """The value that a path has; None when it has none."""
    try:
        return yamledit.get_value(text, place, doc)
    except yamledit.Missing:
        return None


def one_line(value: Any) -> str:
    """A value as one line; "" when there is none."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def retyped(place: str, old: Any, new: Any) -> str:
    """Why a new value is most likely a slip: it makes another thing of a number or a boolean. "" = it is not.

    A value that was not there, a text, a list or a mapping says nothing about what may follow.
    """
    kind = _kind(old)
    if kind and _kind(new) != kind:
        return f"{place} is the {kind} {json.dumps(old)}, and {json.dumps(new, default=str)} is no {kind}"
    return ""


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else ""


def introduced(before: str, after: str, file: str) -> list[str]:
    """Errors that a file has now and did not have before, one line each: its form, as the editor checks it."""

    def errors(text: str) -> dict[tuple[int, str, str], str]:
        found = [problem for problem in schema.check(text, file=file) if problem.severity == "error"]
        return {(problem.doc, problem.path, problem.message): str(problem) for problem in found}

    had = errors(before)
    return [words for key, words in errors(after).items() if key not in had]
