"""Odd surroundings: no current folder, no home, no git, an output that takes nothing, terminals of every sort."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bad import FLEET, Servers, Watched, environment, kubeconfig
from tests.support import thing

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a fleet with one small cluster."""
    servers = Servers()
    server = servers.start([thing("Namespace", "kube-system"), thing("Node", "n1")], "c1")
    yield environment(tmp_path, kubeconfig(tmp_path / "config", {"c1": {"server": server.url}}))
    assert server.mutations.count == 0
    servers.close()


def run(env: Mapping[str, str], line: str, cwd: Path | None = None, more: Mapping[str, str] | None = None) -> Any:
    """A shell line; `fleet` is the program."""
    full = {**os.environ, **env, "PYTHON": sys.executable, **(more or {})}
    line = 'fleet() { "$PYTHON" -m tui "$@"; }; ' + line
    return subprocess.run(["sh", "-c", line], env=full, cwd=cwd, capture_output=True, text=True, timeout=60)


def test_a_current_folder_that_is_gone_costs_nothing(env: dict[str, str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    ran = run(env, f"rmdir {gone}; fleet get nodes -o name; fleet draft new title", gone)
    assert ran.stdout.split() == ["c1/nodes/n1"]
    assert "this folder is in no clone" in ran.stderr and "Traceback" not in ran.stderr


def test_output_that_cannot_be_written_is_one_line(env: dict[str, str]) -> None:
    ran = run(env, "fleet get nodes > /dev/full")
    assert (ran.returncode, ran.stderr.count("\n")) == (3, 1)
    assert "No space left" in ran.stderr
    assert run(env, "fleet get nodes >&-").stderr == ""
    assert run(env, "fleet get nodes | true").stderr == ""


def test_a_locale_without_the_characters_gets_escapes(env: dict[str, str]) -> None:
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    ran = run(env, "fleet get clusters", more=plain)
    assert ran.returncode == 0 and "\\u25cf Live" in ran.stdout


def test_without_git_clusters_are_read_and_drafts_say_why(env: dict[str, str], tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "clone")], check=True)
    line = "PATH=/nonexistent; fleet get nodes -o name; fleet draft new title"
    ran = run(env, line, tmp_path / "clone")
    assert ran.stdout.split() == ["c1/nodes/n1"]
    assert "cannot run git" in ran.stderr and ran.returncode == 3


def test_a_terminal_that_cannot_place_text_is_told_what_to_do(env: dict[str, str]) -> None:
    with Watched(FLEET, 80, 24, {**env, "TERM": "dumb"}) as terminal:
        assert terminal.wait_end() == 2
    assert b"TERM=dumb" in terminal.all and b"fleet get" in terminal.all and b"\x1b" not in terminal.all


@pytest.mark.parametrize(
    ("columns", "lines", "term"),
    [
        (20, 5, "xterm-256color"),
        (1, 1, "xterm"),
        (300, 100, "xterm-256color"),
        (80, 24, "xterm-kitty"),
        (80, 24, "linux"),
    ],
)
def test_every_terminal_is_painted_resized_and_left(env: dict[str, str], columns: int, lines: int, term: str) -> None:
    more = {"TERM": term, "COLORTERM": "", "LC_ALL": "C", **({"NO_COLOR": "1"} if term == "linux" else {})}
    with Watched(FLEET, columns, lines, {**env, **more}) as terminal:
        terminal.wait(lambda _: b"\x1b[?1049h" in terminal.all)
        terminal.settle(0.4, 5)
        for width, height in ((3, 2), (200, 60), (7, 50), (120, 3), (100, 30)):
            terminal.resize(width, height)
            terminal.pump(0.02)
        terminal.wait("1/1")
        terminal.press(":", *"nodes", "enter")
        terminal.wait("n1")
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
    assert b"Traceback" not in terminal.all
