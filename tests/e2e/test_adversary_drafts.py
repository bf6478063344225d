"""Drafts under fire: text typed before a kill, several fleets at once, clones that go, hostile sources."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demos import Demo, served
from tests.e2e.bad import FLEET, Watched, environment, fleet

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FILE = "shop/catalog/prod-eu-1/deployment.yaml"


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One demo for the whole module; nobody asks it to change anything."""
    with served("--speed", "5") as made:
        yield made
        assert made.mutations() == 0


def open_editor(terminal: Watched, shown: str = "replicas: 3") -> None:
    """From the first view to the editor on the Deployment `catalog` of prod-eu-1, until it shows a text."""
    terminal.wait("10/11")
    terminal.press(":", *"deploy", "enter")
    terminal.wait("Deployments")
    terminal.press("/", *"prod-eu-1", "enter")
    terminal.wait("Deployments · /prod-eu-1")
    terminal.wait("catalog")
    terminal.press("e")
    terminal.wait(shown)


def wait_kept(terminal: Watched, state: Path, text: str) -> None:
    """Wait until a text is on disk, which it is a moment after its last key and without another one."""
    end = time.monotonic() + 60
    while not any(text in file.read_text() for file in state.rglob("*.json")):
        assert time.monotonic() < end, f"{text!r} was never kept"
        terminal.pump(0.02)


def test_text_typed_before_kill_9_is_offered_again(demo: Demo, tmp_path: Path) -> None:
    env = environment(tmp_path, demo.kubeconfig)
    argv = [*FLEET, "--repo", str(demo.repository)]
    with Watched(argv, 140, 40, env) as terminal:
        open_editor(terminal)
        terminal.press(*"# typed just now ")
        terminal.wait("# typed just now")
        wait_kept(terminal, tmp_path / "state", "# typed just now ")
        terminal.kill()
        terminal.wait_end()
    with Watched(argv, 140, 40, env) as terminal:
        terminal.wait("unsaved text of shop/catalog/prod-eu-1/deployment.yaml was kept")
        open_editor(terminal, "Go on with the text typed last time?")
        terminal.press("y")
        terminal.wait("# typed just now")
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0


def draft(env: dict[str, str], demo: Demo, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `fleet draft …` on the demo's clone."""
    found: subprocess.CompletedProcess[str] = fleet(env, "--repo", str(demo.repository), "draft", *words, cwd=cwd)
    return found


def test_fleets_that_start_drafts_at_once_name_each_differently(demo: Demo, tmp_path: Path) -> None:
    env = environment(tmp_path, demo.kubeconfig)
    assert draft(env, demo, "new", "first", cwd=demo.repository).returncode == 0
    argv = [*FLEET, "--repo", str(demo.repository), "draft", "new", "same name"]
    full = {**os.environ, **env}
    several = [
        subprocess.Popen(argv, env=full, cwd=demo.repository, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    names = sorted(child.communicate(timeout=60)[0].strip() for child in several)
    assert names == ["same-name", "same-name-2", "same-name-3"]
