"""Copying through the terminal, through tmux and through GNU screen; suspended by ctrl-z and brought back."""

from __future__ import annotations

import base64
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.bad import Watched
from tests.ui.test_start import SHOW
from tui.ui.clipboard import copying

ROOT = Path(__file__).parents[2]
PLAIN = "\x1b]52;c;YQ==\a"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, PLAIN),
        ({"TERM": "screen-256color"}, PLAIN),  # over SSH it cannot be told whose it is
        ({"TERM": "screen-256color", "TMUX": "/tmp/x"}, f"{PLAIN}\x1bPtmux;\x1b{PLAIN}\x1b\\"),
        ({"TERM": "tmux-256color"}, f"{PLAIN}\x1bPtmux;\x1b{PLAIN}\x1b\\"),
        ({"TERM": "screen", "STY": "1.pts"}, f"\x1bP{PLAIN}\x1b\\"),
    ],
)
def test_what_is_sent_is_what_the_multiplexer_passes_on(environ: dict[str, str], expected: str) -> None:
    assert copying("a", environ) == expected


def test_gnu_screen_gets_a_long_text_in_parts() -> None:
    made = copying("é" * 2000, {"STY": "1.pts"})
    parts = re.findall("\x1bP(.*?)\x1b\\\\", made, re.S)
    assert max(map(len, parts)) <= 512
    whole = "".join(parts)
    assert base64.b64decode(whole.removeprefix("\x1b]52;c;").removesuffix("\a")).decode() == "é" * 2000


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
def test_in_tmux_the_screen_is_whole_and_a_copy_reaches_the_terminal_outside(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(
        "set -g default-terminal tmux-256color\nset -g allow-passthrough on\nset -g set-clipboard off\n"
        "set -g status off\n"
    )
    (tmp_path / "show.py").write_text(SHOW)
    argv = [
        "tmux",
        "-S",
        str(tmp_path / "s"),
        "-f",
        str(tmp_path / "conf"),
        "new",
        sys.executable,
        str(tmp_path / "show.py"),
    ]
    env = {"PYTHONPATH": str(ROOT), "TMUX": "", "HOME": str(tmp_path)}
    with Watched(argv, 120, 36, env, cwd=ROOT) as terminal:
        terminal.wait(lambda screen: "catalogue-dev" in screen and "enter Open" in screen)
        assert all(terminal.text().splitlines()[y].startswith("│") for y in range(3, 20))
        terminal.press("c")
        terminal.wait("Copy")
        terminal.press("enter")
        terminal.wait(lambda _: b"\x1b]52;c;" in terminal.all)
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0


def test_ctrl_z_leads_to_the_shell_and_fg_back_to_the_whole_screen(tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    env = {"PYTHONPATH": str(ROOT), "PS1": "ready> ", "ENV": "", "HISTFILE": "/dev/null"}
    with Watched(["bash", "--norc", "--noprofile", "-i"], 120, 36, env, cwd=ROOT) as terminal:
        terminal.wait("ready>")
        terminal.press(f"{sys.executable} {tmp_path / 'show.py'}", "enter")
        before = terminal.wait(lambda screen: "catalogue-dev" in screen and "enter Open" in screen)
        terminal.press("ctrl+z")
        terminal.wait("Stopped")
        assert terminal.all.rfind(b"\x1b[?1049l") > terminal.all.rfind(b"\x1b[?1049h")
        terminal.press("echo typed", "enter")
        terminal.wait(lambda screen: re.search(r"^typed", screen, re.M))
        terminal.press("fg", "enter")
        terminal.wait(lambda screen: screen.splitlines() == before.splitlines())
        terminal.press("j", "ctrl+q")
        terminal.wait("ready>")
