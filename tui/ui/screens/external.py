"""A text in the user's own editor, while the screen waits."""

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
