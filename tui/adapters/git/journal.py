"""Typed text that has no draft to live in yet: one file per text, replaced as a whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path

from tui.adapters.git.command import GitTrouble
from tui.adapters.paths import private


class FileJournal:
    """The port `Journal` over a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def keep(self, key: str, text: str | None) -> None:
        """Keep a text under a key (None forgets it); it is on the disk when this returns."""
        await asyncio.to_thread(self._keep, key, text)

    async def texts(self) -> dict[str, str]:
        """All that is kept, by key; a file that is not ours or half-written is passed over."""
        return {key: text for key, (text, _) in (await asyncio.to_thread(self._held)).items()}

    async def times(self) -> dict[str, float]:
        """When each text was kept last, seconds since the epoch."""
        return {key: at for key, (_, at) in (await asyncio.to_thread(self._held)).items()}

    def _keep(self, key: str, text: str | None) -> None:
        path = self.folder / (hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32] + ".json")
        try:
            if text is None:
                path.unlink(missing_ok=True)
                return
            private(self.folder)
            fresh = path.with_suffix(f".{os.getpid()}.tmp")
            with open(fresh, "w", encoding="utf-8", opener=_for_me) as file:  # JSON escapes what UTF-8 has no bytes for
                json.dump({"key": key, "text": text}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            self._sync_folder()
        except OSError as error:
            raise GitTrouble(f"the text cannot be kept in {self.folder}: {error.strerror}") from error

    def _sync_folder(self) -> None:
        if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folders
            return
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _held(self) -> dict[str, tuple[str, float]]:
        """Text and time of each key."""
        found: dict[str, tuple[str, float]] = {}
        for path in sorted(self.folder.glob("*.json")):
            try:
                held, at = json.loads(path.read_bytes()), path.stat().st_mtime
            except (OSError, ValueError):
                continue
            if isinstance(held, dict) and isinstance(held.get("key"), str) and isinstance(held.get("text"), str):
                found[held["key"]] = held["text"], at
        return found


def _for_me(name: str, flags: int) -> int:
    """Opens a file that only this user may read."""
    return os.open(name, flags, 0o600)
