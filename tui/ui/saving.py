"""What is shown, written to a file of the user's: asked for by name, made in a thread, never over another file."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.domain.kinds.kind import Tone
from tui.ui.prompt import ask

if TYPE_CHECKING:
    from tui.ui.app import FleetApp


def suggested(words: str, now: float, ending: str) -> str:
    """A file name of what is shown and the time: `pods-prod-eu-20261129-101500.csv`."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", words).strip("-").lower() or "fleet"
    return f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}{ending}"


def save(app: FleetApp, what: str, name: str, data: Callable[[str], bytes]) -> None:
    """Ask where to write `what` (such as `12 rows`) and write it. `data` makes it by the name's ending, in a thread.

    A ValueError of `data` and whatever the disk refuses is said.
    """

    def done(path: str | None) -> None:
        if path:
            app.do(_write(app, Path(path).expanduser().absolute(), data), f"writing {path}")

    ask(app.screen, f"write {what} to ", done, value=name)


async def _write(app: FleetApp, path: Path, data: Callable[[str], bytes]) -> None:
    try:
        await asyncio.to_thread(lambda: _create(path, data(path.suffix.lower())))
    except OSError as error:
        app.say(f"{path}: {error.strerror or error}", Tone.WARN)
    except ValueError as error:
        app.say(f"{path}: {error}", Tone.WARN)
    else:
        app.say(f"wrote {path}")


def _create(path: Path, data: bytes) -> None:
    """Write a new file that only its owner may read. Raises OSError; never overwrites."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
