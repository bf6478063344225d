"""`fleet draft commit`, `push` and `pr` as a script and a person use them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tests.git.test_cli_draft import Shell
from tests.git.test_forge import Program
from tests.git.test_hooks import install
from tests.git.test_remote import hook
from tests.terminal import Terminal


@pytest.fixture
def fleet(world: World, home: Path) -> Shell:
    world.seal()
    return Shell(world, home)


def message_of(world: World, branch: str = "main") -> str:
    return git(world.origin, "log", "-1", "--format=%B", branch)


def test_messages_by_hand(fleet: Shell, world: World, tmp_path: Path) -> None:
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=2")
    fleet("commit", "x", "-m", "Two webs", "-m", "Because of Friday.", "-s")
    (tmp_path / "text").write_text("From a file\n\nBody\n")
    fleet("set", "x", "shop/web.yaml", "replicas=3")
    fleet("commit", "x", "-F", str(tmp_path / "text"))
    fleet("set", "x", "shop/web.yaml", "replicas=4")
    fleet("commit", "x", "-m", " ", code=2)
    fleet("commit", "x", "-m", "a", "-F", "-", code=2)
    fleet("commit", "x")
    fleet("push", "x", "--to-target", "--yes")
    messages = git(world.origin, "log", "-3", "--format=%B%x00", "main").split("\0")
    assert messages[0].startswith("shop: raise replicas 3 → 4") and messages[1] == "\nFrom a file\n\nBody\n"
    assert messages[2].endswith("Because of Friday.\n\nSigned-off-by: Ada Lovelace <ada@example.com>\n")


def test_the_configured_style(fleet: Shell, world: World) -> None:
    world.data.mkdir()
    config = world.data / "config.yaml"
    config.write_text("commit: {style: conventional, type: fix, sign_off: true}\n")
    argv = fleet.argv
    fleet.argv = [*argv[:-1], "--config", str(config), "draft"]
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=2")
    fleet("commit", "x")
    fleet("push", "x", "--to-target", "--yes")
    assert message_of(world).startswith("fix(shop): raise replicas 1 → 2")
    assert message_of(world).endswith("\n\nSigned-off-by: Ada Lovelace <ada@example.com>\n")
    config.write_text("commit: {template: '{nothing}'}\n")
    fleet("list", code=2)
    assert "template has no field {nothing}" in fleet.errors


def test_hooks_of_the_clone(fleet: Shell, world: World) -> None:
    world.sealed = None
    install(world, "commit-msg", 'grep -q OPS- "$1" && exit 0; echo "where is the ticket?"; exit 1\n')
    world.seal()
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=2")
    before = fleet("show", "x")
    fleet("commit", "x", "-m", "Two webs", code=1)
    assert "where is the ticket?\n" in fleet.errors and "your hook commit-msg refused" in fleet.errors
    assert "the message is kept" in fleet.errors
    assert fleet("show", "x") == before
    fleet("commit", "x", code=1)  # with the message that was kept
    fleet("commit", "x", "--no-verify")
    assert "your hooks are not run" in fleet.errors
    fleet("push", "x", "--to-target", "--yes")
    assert message_of(world) == "Two webs\n"
    fleet("set", "x", "shop/web.yaml", "replicas=3")
    fleet("commit", "x", "-m", "OPS-7 three")


def test_pre_push_tag_and_options(fleet: Shell, world: World, tmp_path: Path) -> None:
    world.sealed = None
    install(world, "pre-push", f"echo thinking; [ -e {tmp_path}/yes ] || exit 1\n")
    world.seal()
    git(world.origin, "config", "receive.advertisePushOptions", "true")
    hook(world, "post-receive", f'echo "$GIT_PUSH_OPTION_0" >{tmp_path}/option\n')
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=2")
    fleet("commit", "x")
    asked = ("push", "x", "--tag", "v1", "--push-option", "ci.skip", "--yes", "-o", "json")
    fleet(*asked, code=1)
    for words in ("with the tag v1", "push option ci.skip", "your hook pre-push runs first", "thinking", "refused"):
        assert words in fleet.errors
    assert git(world.origin, "tag") == ""
    (tmp_path / "yes").touch()
    result = json.loads(fleet(*asked))
    assert result["done"] and result["said"] == ["thinking"]
    assert git(world.origin, "tag") == "v1" and (tmp_path / "option").read_text() == "ci.skip\n"
    refused = json.loads(fleet(*asked, code=1))
    assert "the tag v1 exists already" in refused["message"] and not refused["done"]
    (tmp_path / "yes").unlink()
    fleet("push", "x", "--no-verify", "--yes")
    assert "your hook pre-push is not run" in fleet.errors


def test_pull_requests(fleet: Shell, world: World, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    gh = Program(folder, "gh")
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=2")
    fleet("commit", "x")
    fleet("pr", "x", code=1)
    assert "push it first" in fleet.errors
    page = "https://git.example/a/b/pull/new/x"
    hook(world, "post-receive", f"echo 'Create a pull request: {page}'\n")
    assert page in fleet("push", "x", "--yes")
    gh.says("https://github.com/a/b/pull/1")  # of another forge than the remote's: not asked
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    assert fleet("pr", "x", PATH=path) == page + "\n" and not gh.asked.exists()
    answer = json.loads(fleet("pr", "x", "-o", "json"))
    assert answer["url"] == page and answer["made"] is False


def test_a_locked_key_asks_on_the_terminal_and_says_so_without(fleet: Shell, world: World, home: Path) -> None:
    key = home / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True)
    for name, value in (("gpg.format", "ssh"), ("user.signingkey", str(key)), ("commit.gpgsign", "true")):
        git(home, "config", "--global", name, value)
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=2")
    fleet("commit", "x", "-m", "mine", code=3)
    assert "the key is locked" in fleet.errors
    with Terminal([*fleet.argv, "commit", "x"], env=fleet.env, cwd=world.clone) as terminal:
        terminal.wait("passphrase")
        terminal.press("secret", "enter")
        assert terminal.wait_end() == 0
    fleet("push", "x", "--to-target", "--yes")
    assert message_of(world) == "mine\n"
    assert "BEGIN SSH SIGNATURE" in git(world.origin, "cat-file", "commit", "main")
