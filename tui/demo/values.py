"""Plain JSON values."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def clone(value: T) -> T:
    """A copy that shares nothing, of a value made of JSON's types; many times quicker than `copy.deepcopy`."""
    return _decode(_encode(value))
