"""A small text that fleet keeps for itself from one run to the next."""

from __future__ import annotations

import os
from pathlib import Path

from tui.adapters.paths import private

MAX_BYTES = 1 << 12  # whatever is longer was not written by fleet


class Memory:
    """One file in the state folder: read whole, written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """The text; "" when there is none, or none that can be read: nothing depends on it."""
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_BYTES).decode("ascii", "replace")
        except OSError:
            return ""

    def write(self, text: str) -> None:
        """Keep a text. Raises OSError."""
        private(self._path.parent)
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        beside.write_text(text, encoding="ascii")
        beside.replace(self._path)
