"""What a program of the user's prints, while it runs and after: foreign text, shown as nothing but text."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.kinds.kind import Tone
from tui.ui import keys
from tui.ui.bars import Footer, Header
from tui.ui.prompt import ask
from tui.ui.screens.base import FleetScreen
from tui.ui.text import safe
from tui.ui.widgets.viewer import Viewer

MOST = 1 << 20  # bytes that are shown; what comes after them is read and left out
EVERY = 0.2  # seconds between two paintings of a program that prints and prints
_COLOURS = re.compile(rb"\x1b\[[0-9;:]*[mK]")


class OutputScreen(FleetScreen):
    """Runs a program without a terminal. Leaving the screen ends it, with all that it started."""

    PLACES = ("output",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("output")]

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        super().__init__()
        self._argv = list(argv)
        self._env = dict(env)
        self._child: asyncio.subprocess.Process | None = None

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="output", classes="pane"):
            yield Viewer("", "plain")
        yield Footer()

    def on_mount(self) -> None:
        """Start it."""
        self.query_one("#output").border_title = Content(safe(shlex.join(self._argv)))
        self.query_one(Viewer).focus()
        self._start()

    def _start(self) -> None:
        self.run_worker(self._run(), group="output", exclusive=True, exit_on_error=False)

    async def _run(self) -> None:
        box, viewer = self.query_one("#output"), self.query_one(Viewer)
        viewer.set_text("")
        box.border_subtitle = "running · esc ends it"
        try:
            child = self._child = await asyncio.create_subprocess_exec(
                *self._argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, env=self._env, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            box.border_subtitle = "did not start"
            why = getattr(error, "strerror", None) or str(error)
            viewer.set_text(f"{self._argv[0]} could not be started: {why}\n")
            return
        try:
            await self._read(child, viewer)
            code = await child.wait()
        finally:
            self._end()
        box.border_subtitle = "ended" if code == 0 else f"ended with {code}"

    async def _read(self, child: asyncio.subprocess.Process, viewer: Viewer) -> None:
        assert child.stdout is not None
        loop = asyncio.get_running_loop()
        got, left_out, shown_at = bytearray(), 0, 0.0
        while data := await child.stdout.read(1 << 16):
            room = MOST - len(got)
            got += data[:room]
            left_out += len(data[room:])
            if loop.time() - shown_at >= EVERY and room > 0:
                viewer.set_text(_text(got), keep=True)
                shown_at = loop.time()
        more = f"\n… {left_out:,} more bytes are not shown\n" if left_out else ""
        viewer.set_text(_text(got) + more if got else "(it printed nothing)\n", keep=True)

    def _end(self) -> None:
        """End the program and what it has started, if it still runs."""
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with suppress(ProcessLookupError):
                if hasattr(os, "killpg"):
                    os.killpg(child.pid, signal.SIGTERM)
                else:  # Windows has no groups
                    child.terminate()

    def on_unmount(self) -> None:
        """Nobody reads it any more."""
        self._end()

    def action_output_again(self) -> None:
        """Run it again."""
        self._start()

    def action_output_copy(self) -> None:
        """Copy all of it."""
        self.app.copy_to_clipboard(self.query_one(Viewer).text)
        self.fleet_app.say("copied what it printed")

    def action_output_search(self) -> None:
        """Search the text."""
        viewer = self.query_one(Viewer)

        def done(text: str | None) -> None:
            if text and not viewer.search(text):
                self.fleet_app.say(f"{text}: not found", Tone.WARN)

        ask(self, "/", done)


def _text(data: bytes | bytearray) -> str:
    return _COLOURS.sub(b"", bytes(data)).decode("utf-8", "replace").replace("\r\n", "\n")
