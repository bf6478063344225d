"""What an edit did, said as operations: value by value where it is little and can be told."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from tui.domain import yamledit
from tui.domain.drafts.message import differences
from tui.domain.drafts.model import Operation
from tui.domain.yamledit.split import MAX_TEXT, chunks

MOST_TOLD = 8  # changed values that a commit message names


def operations(about: Operation, before: str, after: str) -> list[Operation]:
    """The changed values of a file, each an operation like `about`; `about` alone when the text was edited freely."""
    old, new = (
        [text[chunk.start : chunk.end] for chunk in chunks(text)] if len(text) <= MAX_TEXT else []
        for text in (before, after)
    )
    if len(old) != len(new):
        return [about]
    found: list[Operation] = []
    for number, (was, now) in enumerate(zip(old, new, strict=True)):
        if was == now:
            continue
        try:
            changed = list(differences(yamledit.get_value(was), yamledit.get_value(now)))
        except yamledit.Refused:
            return [about]
        for each in changed:
            path, one, other = yamledit.format_path(each.path), _short(each.old), _short(each.new)
            found.append(replace(about, op="set", doc=str(number), path=path, old=one, new=other))
            if len(found) > MOST_TOLD:
                return [about]
    return found or [about]


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
