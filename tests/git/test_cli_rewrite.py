"""`fleet draft stage`, `amend`, `move` … as a script uses them: a real process, real repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.git.conftest import World
from tests.git.test_cli_draft import Shell
from tui.cli.draft import draft
from tui.cli.options import Options

WEB, DB = "shop/web.yaml", "shop/db.yaml"


class Inside:
    """Runs `fleet draft …` in the user's clone as a process would, but in this one: there are many of them."""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(draft, arguments, obj=Options())
        assert done.exit_code == code, (arguments, done.exit_code, done.output, done.exception)
        self.errors = done.stderr
        return done.stdout


@pytest.fixture
def fleet(world: World, monkeypatch: pytest.MonkeyPatch) -> Inside:
    world.seal()
    monkeypatch.setenv("FLEET_STATE", str(world.data))
    monkeypatch.chdir(world.clone)
    inside = Inside()
    inside("new", "x")
    return inside


def said(log: str) -> list[str]:
    """The subjects that a log names, oldest first."""
    lines = [line.split(maxsplit=2) for line in log.splitlines()]
    return [words[2] for words in reversed(lines) if words[0].isdigit()]


def test_picked_lines_are_committed_and_the_rest_is_kept(fleet: Inside) -> None:
    fleet("set", "x", WEB, "replicas=5", "image=web:2")
    fleet("set", "x", DB, "size=2")
    picked = fleet("stage", "x", WEB, "--lines", "1")
    assert "-replicas: 1\n+replicas: 5\n image: web:1\n" in picked and DB not in picked
    assert fleet("diff", "x", "--picked") == picked
    fleet("stage", "x", WEB)
    picked = fleet("unstage", "x", WEB, "--lines", "1")
    assert "+image: web:2" in picked and "replicas: 5" not in picked
    fleet("stage", "x", WEB, "--lines", "7", code=1)
    assert f"no changed line of {WEB}" in fleet.errors
    fleet("commit", "x", "-m", "image")
    patch = fleet("diff", "x", "--open")
    assert "+replicas: 5" in patch and "+size: 2" in patch and "+image" not in patch
    assert fleet("unstage", "x", DB).count("diff --git") == 1
    assert fleet("unstage", "x") == "nothing is picked; the next commit takes all edits\n"
    assert "-size: 1\n+size: 2" in fleet("discard", "x", DB)
    assert json.loads(fleet("stage", "x", "-o", "json"))[0]["name"] == "x"


@pytest.mark.parametrize(
    "arguments",
    [
        ("stage", "x", WEB, DB, "--lines", "1"),
        ("stage", "x", WEB, "--lines", "2-1"),
        ("discard", "x"),
        ("diff", "x", "--picked", "--open"),
        ("move", "x", "1"),
        ("reword", "x", "1", "-m", " "),
    ],
)
def test_wrong_usage_is_told_before_anything_is_opened(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(draft, arguments, obj=Options())
    assert done.exit_code in (1, 2) and ("Usage" in done.output or "needs exactly" in done.output), done.output


def test_the_commits_of_a_draft_are_rewritten(fleet: Inside) -> None:
    for number, (file, value) in enumerate([(WEB, "replicas=5"), (DB, "size=2"), (WEB, "image=web:2")], 1):
        fleet("set", "x", file, value)
        fleet("commit", "x", "-m", f"commit {number}")
    lines = fleet("move", "x", "1", "--up").splitlines()
    assert [line.split(maxsplit=2)[::2] for line in lines] == [["3", "commit 3"], ["2", "commit 1"], ["1", "commit 2"]]
    fleet("move", "x", "3", "--up", code=1)
    assert "newest commit already" in fleet.errors
    fleet("reword", "x", "1", "-m", "database", "-m", "More of it.")
    assert said(fleet("fixup", "x", "3")) == ["database", "commit 1"]
    assert said(fleet("squash", "x", "2", "-m", "all")) == ["all"]
    assert said(fleet("split", "x", "1", WEB, "-m", "web", "--rest", "db")) == ["web", "db"]
    again = fleet("split", "x", "1", WEB, "--lines", "2", "-m", "image", "--rest", "replicas")
    assert said(again) == ["image", "replicas", "db"]
    assert "(edits not committed yet)" in fleet("uncommit", "x", "2")
    commit = json.loads(fleet("log", "x", "-o", "json"))[0]
    assert (commit["number"], commit["subject"], commit["files"]) == (1, "image", [WEB])
    assert said(fleet("amend", "x", "--commit", commit["id"][:8], "-m", "web again")) == ["web again", "db"]
    assert said(fleet("drop-commit", "x", "2")) == ["web again"]
    fleet("set", "x", WEB, "replicas=1", "image=web:1")
    assert said(fleet("amend", "x")) == []
    assert "“web again” has nothing left in it and is left out" in fleet.errors


def test_commits_that_do_not_go_together_are_named(fleet: Inside, world: World, home: Path) -> None:
    for value in ("5", "6"):
        fleet("set", "x", WEB, f"replicas={value}")
        fleet("commit", "x", "-m", f"to {value}")
    before = fleet("log", "x")
    process = Shell(world, home)
    process("move", "x", "1", "--up", code=1)
    assert "“to 6” and “to 5” change replicas" in process.errors and "nothing was changed" in process.errors
    assert fleet("log", "x") == before


def test_hooks_are_run_and_can_be_left_out(fleet: Inside, world: World) -> None:
    fleet("set", "x", WEB, "replicas=5")
    fleet("commit", "x", "-m", "one")
    world.sealed = None  # the hook is put into the user's clone
    hook = world.clone / ".git/hooks/commit-msg"
    hook.write_text("#!/bin/sh\necho not today; exit 1\n")
    hook.chmod(0o755)
    world.seal()
    fleet("reword", "x", "1", "-m", "two", code=1)
    assert "not today" in fleet.errors and said(fleet("log", "x")) == ["one"]
    assert said(fleet("reword", "x", "1", "-m", "two", "--no-verify")) == ["two"]
