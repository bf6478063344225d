"""`fleet draft` as a script and a person use it, on real repositories."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.git.conftest import World, git
from tests.support import kubeconfig, serving, thing
from tests.terminal import Terminal
from tui.cli import commands

ROOT = Path(__file__).parents[2]


class Shell:
    """Runs `fleet draft …` in the user's clone: in this process, for there are many of them, or in one of its own."""

    own_process = False

    def __init__(self, world: World, home: Path) -> None:
        self.world = world
        self.env = os.environ | {
            "FLEET_STATE": str(world.data),
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "EDITOR": "false",
        }
        self.argv = [sys.executable, "-m", "tui", "draft"]

    def __call__(self, *arguments: str, code: int = 0, cwd: Path | None = None, **env: str) -> str:
        if not self.own_process and not _in_a_loop():
            return self._inside([*self.argv[3:], *arguments], code, cwd or self.world.clone, self.env | env)
        done = subprocess.run(
            [*self.argv, *arguments],
            cwd=cwd or self.world.clone,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        self.errors = done.stderr
        return done.stdout

    def _inside(self, words: list[str], code: int, place: Path, env: dict[str, str]) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(place)
            for name in set(os.environ) - set(env):
                patch.delenv(name)
            for name, value in env.items():
                patch.setenv(name, value)
            done = CliRunner().invoke(commands.fleet, words, prog_name="fleet")
        assert done.exit_code == code, (words, done.exit_code, done.output, done.exception)
        self.errors = done.stderr
        return done.stdout


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.fixture
def fleet(world: World, home: Path) -> Shell:
    world.seal()
    return Shell(world, home)


def test_the_whole_way(fleet: Shell, world: World) -> None:
    fleet.own_process = True
    assert fleet("new", "More web") == "more-web\n"
    shown = fleet("set", "more-web", "shop/web.yaml", "replicas=5", "image=web:2")
    assert "-replicas: 1\n-image: web:1\n+replicas: 5\n+image: web:2\n" in shown
    assert "state     local: 2 edits not committed" in fleet("show", "more-web")
    assert fleet("commit", "more-web").startswith("more-web ")
    assert "shop/web.yaml" in fleet("diff", "more-web") and fleet("diff", "more-web", "--open") == ""
    fleet("push", "more-web", code=2)
    assert "add --yes" in fleet.errors
    assert git(world.origin, "branch", "--list", "fleet/*") == ""
    assert "pushed" in fleet("push", "more-web", "--yes")
    assert "more web" in git(world.origin, "for-each-ref", "--format=%(refname)").replace("-", " ")
    pushed = json.loads(fleet("push", "more-web", "--to-target", "--yes", "-o", "json"))
    assert pushed["done"] and pushed["branch"] == "main"
    assert world.at_origin("shop/web.yaml") == "replicas: 5\nimage: web:2\n"
    listed = json.loads(fleet("list", "-o", "json"))
    assert [(entry["kind"], entry["name"], entry["state"]) for entry in listed] == [("Draft", "more-web", "merged")]
    document = json.loads(fleet("show", "more-web", "-o", "json"))
    assert document["status"]["standing"]["landed"] == pushed["commit"]
    message = git(world.origin, "log", "-1", "--format=%B", "main")
    assert message.startswith("shop: ") and "replicas 1 → 5" in message


def test_get_prints_drafts_without_asking_a_cluster(fleet: Shell) -> None:
    fleet("new", "x")
    env = fleet.env | {"KUBECONFIG": "/nonexistent"}
    argv = [sys.executable, "-m", "tui", "get", "drafts", "-o", "json"]
    done = subprocess.run(argv, cwd=fleet.world.clone, env=env, capture_output=True, text=True, check=True)
    assert [entry["name"] for entry in json.loads(done.stdout)] == ["x"]


async def test_get_tells_which_applications_have_what_has_landed(fleet: Shell, tmp_path: Path) -> None:
    def entry() -> dict[str, Any]:
        env = fleet.env | {"KUBECONFIG": str(tmp_path / "kubeconfig")}
        argv = [sys.executable, "-m", "tui", "get", "drafts", "-o", "json"]
        done = subprocess.run(argv, cwd=fleet.world.clone, env=env, capture_output=True, text=True, check=True)
        (found,) = json.loads(done.stdout)
        return {key: found[key] for key in ("state", "detail")} | {"applications": found["applications"].split(", ")}

    def app(name: str, path: str, revision: str) -> dict[str, Any]:
        source = {"repoURL": fleet.world.origin.as_uri(), "path": path, "targetRevision": "main"}
        status = {"sync": {"status": "Synced", "revision": revision}, "health": {"status": "Healthy"}}
        spec = {"source": source, "destination": {"name": "in-cluster", "namespace": "shop"}, "project": "shop"}
        return thing("Application", name, "argocd", "argoproj.io/v1alpha1", spec=spec, status=status)

    git(fleet.world.clone, "remote", "set-url", "origin", fleet.world.origin.as_uri())
    fleet.world.seal()
    base = git(fleet.world.clone, "rev-parse", "HEAD")
    objects = [app("web-1", "shop", base), app("web-2", "shop", base), app("other", "docs", base)]
    async with serving(objects, name="hub") as server:
        kubeconfig(tmp_path / "kubeconfig", server)
        fleet("new", "x")
        fleet("set", "x", "shop/web.yaml", "replicas=5")
        found = await asyncio.to_thread(entry)
        assert (found["state"], len(found["applications"])) == ("local", 2)
        assert {name.rpartition("/")[2] for name in found["applications"]} == {"web-1", "web-2"}
        fleet("commit", "x")
        landed = json.loads(fleet("push", "x", "--to-target", "--yes", "-o", "json"))["commit"]
        server.storage.apply(app("web-2", "shop", landed))
        found = await asyncio.to_thread(entry)
        assert (found["state"], found["detail"][:6]) == ("arriving 1/2", "1 of 2")


def test_drop_restore_undo_redo(fleet: Shell) -> None:
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=5")
    assert fleet("undo", "x") == "x\n" and fleet("diff", "x") == ""
    assert fleet("redo", "x") == "x\n" and "replicas: 5" in fleet("diff", "x")
    fleet("drop", "x")
    assert "x" not in fleet("list") and "dropped" in fleet("list", "--dropped")
    fleet("restore", "x")
    assert "replicas: 5" in fleet("diff", "x")


def test_exit_codes(fleet: Shell, world: World, tmp_path: Path) -> None:
    fleet("show", "nothing", code=1)
    fleet("new", "x", cwd=tmp_path, code=2)
    fleet("new", "x", "--repository", "ext::sh -c id", code=1)
    fleet("new", "x", "--repository", "https://git.example/a/b", code=1)
    assert "fleet can make one of its own" in fleet.errors
    fleet("new", "x", "--target", "nope", code=1)
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "no-equals-sign", code=2)
    fleet("set", "x", "shop/web.yaml", "image=", code=2)
    assert "image=: no YAML value" in fleet.errors
    fleet("set", "x", "shop/none.yaml", "a=1", code=1)
    fleet("set", "x", "shop/web.yaml", "replicas.deeper=1", code=1)
    assert "shop/web.yaml" in fleet.errors
    fleet("commit", "x", "-m", "nothing", code=1)
    fleet("push", "x", "--yes", code=1)
    fleet("list", "-o", "nonsense", code=2)
    fleet("set", "x", "shop/web.yaml", "replicas=5")
    fleet("commit", "x")
    world.origin.rename(world.origin.with_name("away"))
    fleet("push", "x", "--yes", code=3)
    assert "not there" in fleet.errors


def test_a_rejected_push_says_why_and_keeps_all(fleet: Shell, world: World) -> None:
    hook = world.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'ask \033[31mthe owners' >&2\nexit 1\n")
    hook.chmod(0o755)
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=5")
    fleet("commit", "x")
    fleet("push", "x", "--yes", code=1)
    assert "ask" in fleet.errors and "\033" not in fleet.errors
    assert "COMMITS" in fleet("list")


@pytest.mark.parametrize(
    ("assignment", "why"),
    [
        ("spec.replicas=abc", 'spec.replicas is the number 3, and "abc" is no number'),
        ("spec.replicas='4'", 'spec.replicas is the number 3, and "4" is no number'),
        ("spec.replicas=true", "spec.replicas is the number 3, and true is no number"),
        ("spec.paused=1", "spec.paused is the boolean false, and 1 is no boolean"),
        ("spec.paused=null", "spec.paused is the boolean false, and null is no boolean"),
        ("kind=null", "kind"),
        ("metadata=5", "metadata"),
    ],
)
def test_a_slip_is_refused_unless_forced(fleet: Shell, world: World, assignment: str, why: str) -> None:
    head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
    world.upstream({"shop/deploy.yaml": head + "spec:\n  replicas: 3\n  paused: false\n  note: a\n"})
    fleet("new", "x")
    assert fleet("set", "x", "shop/deploy.yaml", "spec.note=b", assignment, code=1) == ""
    assert f": {why}" in fleet.errors and "shop/deploy.yaml: " in fleet.errors
    assert "--force" in fleet.errors and "Traceback" not in fleet.errors
    assert fleet("diff", "x") == ""
    assert "\n+" in fleet("set", "x", "shop/deploy.yaml", assignment, "--force")


def test_what_is_no_slip_is_set(fleet: Shell, world: World) -> None:
    """Another number, a text that looks like a number, a value that was not there; and a file that was never good."""
    world.upstream({"v.yaml": "n: 1\nf: true\nt: text\n"})
    fleet("new", "x")
    shown = fleet("set", "x", "v.yaml", "n=2.5", "f=false", "t=5", "more=abc")
    assert "+n: 2.5\n+f: false\n+t: 5\n+more: abc\n" in shown


@pytest.mark.parametrize("title", ["", "  ", "\n\t"])
def test_a_draft_needs_a_title(fleet: Shell, title: str) -> None:
    fleet("new", title, code=2)
    assert "a draft needs a title" in fleet.errors
    assert json.loads(fleet("list", "-o", "json")) == []


def test_every_step_as_json(fleet: Shell) -> None:
    def one(*arguments: str) -> dict[str, object]:
        (entry,) = json.loads(fleet(*arguments, "-o", "json"))
        return {key: entry[key] for key in ("kind", "name", "state", "open", "commits")}

    assert one("new", "x") == {"kind": "Draft", "name": "x", "state": "local", "open": 0, "commits": 0}
    refused = json.loads(fleet("push", "x", "--yes", "-o", "json", code=1))
    assert (refused["done"], refused["message"] in fleet.errors) == (False, True)
    assert one("set", "x", "shop/web.yaml", "replicas=5")["open"] == 1
    assert one("commit", "x") == {"kind": "Draft", "name": "x", "state": "local", "open": 0, "commits": 1}
    assert json.loads(fleet("diff", "x", "-o", "json"))["files"][0]["path"] == "shop/web.yaml"
    assert json.loads(fleet("show", "x", "-o", "json"))["metadata"]["name"] == "x"
    pushed = json.loads(fleet("push", "x", "--yes", "-o", "json"))
    assert pushed["done"] and pushed["branch"].startswith("fleet/")
    assert one("list")["state"] == "pushed"
    assert (one("undo", "x")["open"], one("redo", "x")["open"]) == (1, 0)
    assert (one("drop", "x")["state"], one("restore", "x")["state"]) == ("dropped", "pushed")


def editor(place: Path, script: str) -> str:
    path = place / "editor"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return str(path)


def test_the_editor_of_the_user(fleet: Shell, tmp_path: Path) -> None:
    fleet("new", "x")
    change = editor(tmp_path, 'sed -i "s/replicas: 1/replicas: 8/" "$1"\n')
    assert "+replicas: 8" in fleet("edit", "x", "shop/web.yaml", EDITOR=change)
    create = editor(tmp_path, 'printf "a: 1\\n" > "$1"\n')
    assert "+a: 1" in fleet("edit", "x", "shop/new.yaml", VISUAL=create)
    fleet("edit", "x", "shop/web.yaml", EDITOR="false", code=1)
    broken = editor(tmp_path, 'printf "a: [1\\n" > "$1"\n')
    fleet("edit", "x", "shop/web.yaml", EDITOR=broken, code=1)
    assert "shop/web.yaml" in fleet.errors and "the text is kept" in fleet.errors
    assert "1 text not saved" in fleet("show", "x")


def test_a_document_is_chosen_by_name(fleet: Shell, world: World) -> None:
    documents = "kind: A\nmetadata: {name: one}\nn: 1\n---\nkind: A\nmetadata: {name: two}\nn: 1\n"
    world.upstream({"many.yaml": documents})
    fleet("new", "x")
    fleet("set", "x", "many.yaml", "n=2", code=1)
    fleet("set", "x", "many.yaml#A/two", "n=2")
    fleet("set", "x", "many.yaml#0", 'metadata.labels={"a": "b"}')
    shown = fleet("diff", "x")
    assert shown.count("+n: 2") == 1 and "labels" in shown


def test_push_asks_on_a_terminal(fleet: Shell, world: World) -> None:
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=5")
    fleet("commit", "x")
    for answer, branches in (("n", 0), ("y", 1)):
        with Terminal([*fleet.argv, "push", "x"], env=fleet.env, cwd=world.clone) as terminal:
            terminal.wait("Push?")
            terminal.press(answer, "enter")
            terminal.wait_end()
        assert len(git(world.origin, "branch", "--list", "fleet/*").splitlines()) == branches


def test_git_and_textual_are_not_imported_to_list(fleet: Shell) -> None:
    code = (
        "import sys; sys.argv = ['fleet', 'draft', '--help']\n"
        "try:\n    from tui.cli import main; main()\nexcept SystemExit: pass\n"
        "print({'git', 'textual', 'kubernetes', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=fleet.env, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("set()")


def test_what_was_dropped_or_overwritten_is_listed_and_comes_back(fleet: Shell, world: World) -> None:
    assert fleet("recover") == "nothing was dropped, and nothing that was typed is unsaved\n"
    fleet("new", "More web")
    fleet("set", "more-web", "shop/web.yaml", "replicas=5")
    fleet("undo", "more-web")
    states = json.loads(fleet("recover", "more-web", "-o", "json"))
    assert [state["words"] for state in states[:2]] == ["undo", "edit shop/web.yaml: replicas 1 → 5"]
    assert fleet("recover", "more-web").splitlines()[0].endswith("  undo")
    fleet("drop", "more-web")
    assert [one["name"] for one in json.loads(fleet("recover", "-o", "json"))["dropped"]] == ["more-web"]
    assert "dropped  more-web" in fleet("recover")
    assert "is as in" in fleet("recover", "more-web", states[1]["state"][:10])
    assert "+replicas: 5" in fleet("diff", "more-web")
    assert "has had no state" in (fleet("recover", "more-web", "012345678", code=1), fleet.errors)[1]


def test_text_that_was_typed_and_never_saved_is_printed(fleet: Shell, world: World) -> None:
    fleet("new", "More web")
    writes = "printf 'a: [\\n' > "
    editor = world.data.parent / "editor"
    editor.write_text(f'#!/bin/sh\n{writes}"$1"\n')
    editor.chmod(0o755)
    fleet("edit", "more-web", "shop/web.yaml", code=1, EDITOR=str(editor))
    assert "text     shop/web.yaml" in fleet("recover")
    assert fleet("recover", "--text", "shop/web.yaml") == "a: [\n"
    fleet("recover", "--text", "shop/db.yaml", code=1)


def test_a_draft_joins_another_repository(fleet: Shell, world: World, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    other = World(tmp_path / "second")
    fleet("new", "Both places")
    fleet("set", "both-places", "shop/web.yaml", "replicas=7")
    assert "+replicas: 8" in fleet(
        "set", "both-places", "shop/web.yaml", "replicas=8", "--repository", str(other.clone)
    )
    fleet("set", "both-places", "shop/web.yaml", "replicas=9", code=1)
    assert "say which" in fleet.errors
    fleet("commit", "both-places")
    shown = json.loads(fleet("show", "both-places", "-o", "json"))
    assert len(shown["status"]["commits"]) == len(shown["status"]["more"][0]["status"]["commits"]) == 1
    assert [line.split()[:3] for line in fleet("show", "both-places").splitlines() if line.startswith("file")] == [
        ["file", "M", "shop/web.yaml"]
    ] * 2
    assert str(other.origin) in fleet("show", "both-places")
    fleet("push", "both-places", "--yes")
    assert "Counting objects" not in fleet.errors, "progress is for people"
    for place in (world, other):
        assert "both-places" in git(place.origin, "branch", "--list", "fleet/*/*")
    hook = other.origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no way; exit 1\n")
    hook.chmod(0o755)
    fleet("push", "both-places", "--yes", "--to-target", code=1)
    assert fleet.errors.count("no way") == 1
    hook.unlink()
    fleet("push", "both-places", "--yes", "--to-target")  # goes on where it stopped
    assert [git(place.origin, "cat-file", "-p", "main:shop/web.yaml").split()[1] for place in (world, other)] == [
        "7", "8",
    ]  # fmt: skip
    fleet("push", "both-places", "--yes", "--to-target", code=1)
    assert fleet.errors.count("has these changes already") == 2
