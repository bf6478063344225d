"""`fleet draft stage`, `amend`, `move` … as a script uses them: a real process, real repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tests.git.test_cli_draft import Shell

WEB, DB = "shop/web.yaml", "shop/db.yaml"


@pytest.fixture
def fleet(world: World, home: Path) -> Shell:
    world.seal()
    shell = Shell(world, home)
    shell("new", "x")
    return shell


def subjects(fleet: Shell) -> list[str]:
    """Oldest first."""
    return [commit["subject"] for commit in json.loads(fleet("log", "x", "-o", "json"))]


def test_picked_lines_are_committed_and_the_rest_is_kept(fleet: Shell) -> None:
    fleet("set", "x", WEB, "replicas=5", "image=web:2")
    fleet("set", "x", DB, "size=2")
    picked = fleet("stage", "x", WEB, "--lines", "1")
    assert "-replicas: 1\n+replicas: 5\n image: web:1\n" in picked and DB not in picked
    assert "image: web:2" in fleet("stage", "x", WEB, "--lines", "2")
    picked = fleet("unstage", "x", WEB, "--lines", "1")
    assert "+image: web:2" in picked and "replicas: 5" not in picked
    fleet("stage", "x", WEB, "--lines", "7", code=1)
    assert f"no changed line of {WEB}" in fleet.errors
    fleet("stage", "x", WEB, DB, "--lines", "1", code=2)
    fleet("stage", "x", WEB, "--lines", "2-1", code=2)
    fleet("stage", "x", "README.md", code=1)
    assert "README.md has no edit" in fleet.errors
    fleet("commit", "x", "-m", "image")
    patch = fleet("diff", "x", "--open")
    assert "+replicas: 5" in patch and "+size: 2" in patch and "+image" not in patch
    assert fleet("unstage", "x", DB).count("diff --git") == 1
    assert "-size: 1\n+size: 2" in fleet("discard", "x", DB)
    assert DB not in fleet("diff", "x", "--open")
    fleet("undo", "x")
    assert DB in fleet("diff", "x", "--open")
    assert fleet("unstage", "x") == "nothing is picked; the next commit takes all edits\n"
    assert json.loads(fleet("stage", "x", "-o", "json"))[0]["name"] == "x"


def test_the_commits_of_a_draft_are_rewritten(fleet: Shell) -> None:
    for number, (file, value) in enumerate([(WEB, "replicas=5"), (DB, "size=2"), (WEB, "image=web:2")], 1):
        fleet("set", "x", file, value)
        fleet("commit", "x", "-m", f"commit {number}")
    lines = fleet("log", "x").splitlines()
    assert [line.split(maxsplit=2)[::2] for line in lines] == [["3", "commit 3"], ["2", "commit 2"], ["1", "commit 1"]]
    assert "commit 1" in fleet("move", "x", "1", "--up").splitlines()[1]
    fleet("move", "x", "3", "--up", code=1)
    assert "newest commit already" in fleet.errors
    fleet("move", "x", "3", code=2)
    fleet("reword", "x", "1", "-m", "database", "-m", "More of it.")
    assert subjects(fleet) == ["database", "commit 1", "commit 3"]
    fleet("reword", "x", "1", "-m", " ", code=2)
    fleet("fixup", "x", "3")
    assert subjects(fleet) == ["database", "commit 1"]
    fleet("squash", "x", "2", "-m", "all")
    assert subjects(fleet) == ["all"]
    fleet("split", "x", "1", WEB, "-m", "web", "--rest", "db")
    assert subjects(fleet) == ["web", "db"]
    fleet("split", "x", "1", WEB, "--lines", "2", "-m", "image", "--rest", "replicas")
    assert subjects(fleet) == ["image", "replicas", "db"]
    fleet("uncommit", "x", "2")
    assert "(edits not committed yet)" in fleet("log", "x") and "+replicas: 5" in fleet("diff", "x", "--open")
    commit = json.loads(fleet("log", "x", "-o", "json"))[0]
    fleet("amend", "x", "--commit", commit["id"][:8], "-m", "web again")
    assert subjects(fleet) == ["web again", "db"] and fleet("diff", "x", "--open") == ""
    fleet("drop-commit", "x", "2")
    assert subjects(fleet) == ["web again"] and DB not in fleet("diff", "x")
    fleet("set", "x", WEB, "replicas=1", "image=web:1")
    fleet("amend", "x")
    assert "“web again” has nothing left in it and is left out" in fleet.errors and subjects(fleet) == []
    for _ in range(3):
        fleet("undo", "x")
    assert subjects(fleet) == ["web again", "db"]
    fleet("amend", "nothing", code=1)


def test_commits_that_do_not_go_together_are_named(fleet: Shell) -> None:
    for value in ("5", "6"):
        fleet("set", "x", WEB, f"replicas={value}")
        fleet("commit", "x", "-m", f"to {value}")
    before = fleet("log", "x")
    fleet("move", "x", "1", "--up", code=1)
    assert "“to 6” and “to 5” change replicas" in fleet.errors and "nothing was changed" in fleet.errors
    assert fleet("log", "x") == before


def test_hooks_are_run_and_can_be_left_out(fleet: Shell, world: World) -> None:
    world.sealed = None  # the hook is put into the user's clone
    hook = world.clone / ".git/hooks/commit-msg"
    hook.write_text("#!/bin/sh\necho not today; exit 1\n")
    hook.chmod(0o755)
    world.seal()
    fleet("set", "x", WEB, "replicas=5")
    git(world.clone, "config", "--get", "user.name")
    fleet("commit", "x", "-m", "one", code=1)
    hook_off = hook.read_text()
    world.sealed = None
    hook.unlink()
    world.seal()
    fleet("commit", "x", "-m", "one")
    world.sealed = None
    hook.write_text(hook_off)
    hook.chmod(0o755)
    world.seal()
    fleet("reword", "x", "1", "-m", "two", code=1)
    assert "not today" in fleet.errors and subjects(fleet) == ["one"]
    fleet("reword", "x", "1", "-m", "two", "--no-verify")
    assert subjects(fleet) == ["two"]
