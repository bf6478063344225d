"""`fleet draft rebase` and `conflicts` as a script uses them, step by step, each in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tests.git.test_cli_draft import Shell

WEB = "shop/web.yaml"


@pytest.fixture
def fleet(world: World, home: Path) -> Shell:
    world.seal()
    return Shell(world, home)


def test_conflicts_are_decided_in_several_calls(fleet: Shell, world: World, tmp_path: Path) -> None:
    fleet("new", "mine")
    fleet("set", "mine", WEB, "replicas=5", "image=web:5")
    fleet("commit", "mine", "-m", "five")
    assert fleet("conflicts", "mine") == ""
    assert fleet("rebase", "mine") == "mine is on top of main already\n"
    world.upstream({WEB: "replicas: 4\nimage: web:4\n"})
    shown = fleet("rebase", "mine", "--fetch", code=1)
    assert f"{WEB}:replicas\n    upstream set replicas to 4, you set 5 (it was 1) (commit " in shown
    assert "--ours" in fleet.errors and "as it was" in fleet.errors
    fleet("rebase", "mine", "--ours", f"{WEB}:replicas", code=1)
    assert f"{WEB}:replicas  [ours]" in fleet("conflicts", "mine", code=1)
    left = json.loads(fleet("conflicts", "mine", "-o", "json", code=1))
    assert [(clash["key"], clash["choice"]) for clash in left[0]["clashes"]] == [
        (f"{WEB}:replicas", "ours"),
        (f"{WEB}:image", ""),
    ]
    fleet("rebase", "mine", "--ours", "nowhere", code=1)
    assert "no conflict nowhere" in fleet.errors
    fleet("rebase", "mine", "--take", "nothing", code=2)
    done = json.loads(fleet("rebase", "mine", "--take", f"{WEB}:image=web:9", "-o", "json"))
    assert done["done"] and done["clashes"] == [] and done["base"] == git(world.origin, "rev-parse", "main")
    assert "+replicas: 5\n+image: web:9\n" in fleet("diff", "mine")
    fleet("undo", "mine")
    fleet("rebase", "mine", "--abort")
    assert "[ours]" not in fleet("conflicts", "mine", code=1)
    text = tmp_path / "whole.yaml"
    text.write_text("replicas: 8\n")
    assert fleet("rebase", "mine", "--take", f"{WEB}=@{text}").startswith("mine is on top of main at ")
    assert "+replicas: 8\n" in fleet("diff", "mine")


def test_another_branch_becomes_the_target(fleet: Shell, world: World) -> None:
    git(world.origin, "branch", "release", "main")
    fleet("new", "mine")
    fleet("set", "mine", WEB, "replicas=5")
    fleet("commit", "mine", "-m", "five")
    fleet("rebase", "mine", "--onto", "nowhere", code=1)
    assert "nowhere is not a branch of the remote" in fleet.errors
    assert fleet("rebase", "mine", "--fetch", "--onto", "release").startswith("mine is on top of release at ")
    assert "target    release" in fleet("show", "mine")
