"""How a setting says what it means."""

from __future__ import annotations

from typing import Any

import msgspec


def doc(text: str, example: Any = None) -> msgspec.Meta:
    """What a setting means, in Markdown, and what it may look like where its default is empty."""
    return msgspec.Meta(description=text, examples=None if example is None else [example])
