"""A text in the user's own editor or pager, while the screen waits."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tui.domain.kinds.kind import Tone

if TYPE_CHECKING:
    from tui.ui.app import FleetApp

_TAKE_LINES = ("vi", "vim", "nvim", "nano", "emacs")  # `+LINE` says where to begin


def edited(app: FleetApp, text: str, name: str, line: int = 0) -> str | None:
    """The text as the editor of the configuration, VISUAL or EDITOR left it; None, and said, when that failed.

    `name` is the file's, by which editors choose their colours; `line` counts from 1, 0 = from the start.
    """
    command = app.settings.editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8"))
        place = [f"+{line}"] if line and Path(shlex.split(command)[0]).name in _TAKE_LINES else []
        with app.suspend():
            failed = subprocess.run([*shlex.split(command), *place, str(path)], check=False).returncode
        if failed:
            app.say(f"{command} ended with {failed}; its text was not taken", Tone.WARN)
            return None
        return path.read_bytes().decode("utf-8", "replace")


def paged(app: FleetApp, text: str) -> None:
    """Show a text in PAGER, which gets it on its standard input: less, bat, delta."""
    if app.is_web:
        app.say("there is no terminal behind this screen for $PAGER: it is shown in a browser", Tone.WARN)
        return
    command = os.environ.get("PAGER") or "less -R"
    try:
        with app.suspend():
            subprocess.run(shlex.split(command), input=text.encode("utf-8", "replace"), check=False)
    except (OSError, ValueError) as error:
        app.say(f"{command}: {getattr(error, 'strerror', None) or error}", Tone.WARN)
