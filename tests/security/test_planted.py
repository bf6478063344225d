"""Secrets are planted wherever fleet may meet one; afterwards no byte that it has written or shown may have any."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bad import FLEET, ROOT, Servers, Watched, closed_port, kubeconfig
from tests.git.conftest import git
from tests.security import planted
from tests.security.gitserver import Remote, remote
from tests.security.planted import seen, seen_below
from tui.demo.apiserver.access import User

pytestmark = pytest.mark.slow

# A clone has what Git has: a secret in a file of the repository is in the copy of its objects, and in a diff of it.
IN_GIT = ("KUSTOMIZE",)
PLUGIN = """
import json, os, sys
how, token = sys.argv[1], open(sys.argv[2]).read()
if how == "good":
    status = {"token": token}
    json.dump({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status}, sys.stdout)
elif how == "leaks":
    print(json.dumps({"token": token}))
    sys.stderr.write(f"refresh of {token} failed for password {os.environ['LOGIN_PASSWORD']}\\n")
    sys.exit(1)
else:
    print(f"<html>{token}</html>")
"""
CRASH = """
import sys
from tui.ui.screens.base import FleetScreen

def broken(self):
    token, held = {token!r}, [row.manifest() for row in self.app.fleet.store.rows("applications.argoproj.io")]
    credentials = open({kubeconfig!r}).read()
    raise ValueError("cannot use " + token + credentials)

FleetScreen.action_help = broken
sys.argv[0] = "fleet"
from tui.cli import main
main()
"""
PICTURE = """
import asyncio, sys
from pathlib import Path
from tui.cli.options import Options
from tui.cli.wire import assemble, settings_of
from tui.domain.settings import Settings
from tui.ui.app import FleetApp

async def main():
    options = Options(repositories=(Path("."),))
    app = FleetApp(lambda: assemble(options, settings_of(options)), Settings())
    async with app.run_test(size=(160, 48)) as pilot:
        for number, (words, shown) in enumerate({views!r}):
            await pilot.press(*words)
            for _ in range(600):
                await pilot.pause(0.05)
                picture = app.export_screenshot()
                if shown in picture.replace("&#160;", " "):
                    break
            else:
                raise SystemExit(f"never showed {{shown}}: {{picture}}")
            Path(f"view-{{number}}.svg").write_text(picture)

asyncio.run(main())
"""


class Place:
    """A fleet of one good cluster and bad ones, a clone of a remote that wants a password, and how to start fleet."""

    def __init__(self, folder: Path, servers: Servers, git_remote: Remote) -> None:
        self.folder, self.remote = folder, git_remote
        self.state, self.clone, self.log = folder / "state", folder / "clone", folder / "fleet.log"
        self.hub = servers.start(
            planted.objects(git_remote.url.replace("ci:", "bot:")), name="hub", users=[User("a", (), planted.TOKEN)]
        )
        self.open = servers.start([planted.thing("Namespace", "kube-system")], name="open")
        plugin = folder / "plugin.py"
        plugin.write_text(PLUGIN)
        pem = f"-----BEGIN PRIVATE KEY-----\n{planted.KEY}\n-----END PRIVATE KEY-----\n".encode()

        def executed(how: str, token: str) -> dict[str, Any]:
            (folder / f"{how}.token").write_text(token)
            env = [{"name": "LOGIN_PASSWORD", "value": planted.GIVEN}]
            words = {"command": sys.executable, "args": [str(plugin), how, str(folder / f"{how}.token")], "env": env}
            return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **words}}

        certificate = {name: base64.b64encode(pem).decode() for name in ("client-certificate-data", "client-key-data")}
        dead = closed_port()
        self.config = kubeconfig(
            folder / "kubeconfig",
            {
                "hub": {"server": self.hub.url, "user": {"token": planted.TOKEN}},
                "basic": {"server": self.open.url, "user": {"username": "u", "password": planted.BASIC}},
                "good": {"server": dead, "user": executed("good", planted.EXEC)},
                "leaks": {"server": dead, "user": executed("leaks", planted.LEAKED)},
                "garbage": {"server": dead, "user": executed("garbage", planted.GARBAGE)},
                "key": {"server": dead, "user": certificate},
                "proxied": {"server": dead, "proxy-url": dead.replace("https://", f"http://p:{planted.PROXY}@")},
                "url": {"server": dead.replace("://", f"://u:{planted.SERVER}@")},
                "odd": {"server": f"ftp://u:{planted.SERVER}@host"},
            },
        )
        self.config.chmod(0o600)
        self.before = self.config.read_bytes()
        self.env = os.environ | {
            "HOME": str(folder / "home"), "FLEET_STATE": str(self.state), "KUBECONFIG": str(self.config),
            "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TMPDIR": str(folder / "tmp"),
        }  # fmt: skip
        (folder / "home").mkdir()
        (folder / "tmp").mkdir()
        self.said = b""

    def argv(self, *words: str) -> list[str]:
        return [*FLEET, "--log", str(self.log), "--log-level", "debug", *words]

    def run(self, *words: str, codes: tuple[int, ...] = (0, 1, 3)) -> str:
        """A command of fleet; everything that it says is kept."""
        done = subprocess.run(
            self.argv(*words), cwd=self.clone, env=self.env, capture_output=True, stdin=subprocess.DEVNULL, timeout=120
        )
        self.said += b"\n$ fleet " + " ".join(words).encode() + b"\n" + done.stdout + done.stderr
        assert done.returncode in codes, self.said.decode()[-3000:]
        return done.stdout.decode()

    def leaks(self, but: tuple[str, ...] = IN_GIT) -> list[str]:
        """Every planted secret in what fleet has written so far."""
        found = seen_below(self.state, but) + seen_below(self.folder / "tmp") + seen_below(self.folder / "home")
        for path in (self.log, Path(f"{self.log}.1")):
            found += seen(str(path), path.read_bytes()) if path.exists() else []
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    root, seed = tmp_path / "remotes", tmp_path / "seed"
    root.mkdir()
    git(tmp_path, "init", "-q", "--bare", str(root / "shop.git"))
    git(root / "shop.git", "config", "http.receivepack", "true")
    git(tmp_path, "clone", "-q", str(root / "shop.git"), str(seed))
    base = planted.url("ci", planted.KUSTOMIZE, "git.example.com/bases.git//web?ref=v1")
    (seed / "shop").mkdir()
    (seed / "shop" / "kustomization.yaml").write_text(f"resources:\n- web.yaml\n- {base}\n")
    (seed / "shop" / "web.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n"
    )
    git(seed, "add", "-A")
    git(seed, "commit", "-qm", "begin")
    git(seed, "push", "-q", "origin", "HEAD:main")
    servers = Servers()
    try:
        with remote(root, tmp_path / "pki", "ci", planted.GIT) as served:
            made = Place(tmp_path, servers, served)
            git(tmp_path, "clone", "-q", str(root / "shop.git"), str(made.clone))
            git(made.clone, "remote", "set-url", "origin", served.url)
            git(made.clone, "config", "http.sslCAInfo", str(served.ca))
            yield made
            assert made.config.read_bytes() == made.before
    finally:
        servers.close()


def test_commands(place: Place) -> None:
    for words in (
        "get applications -o yaml", "get secrets -o yaml", "get pods -o yaml", "events -o json", "doctor -o json",
        "get gadgets -o wide", "get gadgets -o yaml", "describe gadget gear", "describe secret db", "describe pod web",
    ):  # fmt: skip
        place.run(*words.split())
    shown = place.said.decode()
    assert "++++++++" in shown and "image.tag" in shown and "repo-a" in shown, shown
    assert "the exec plugin" in shown
    assert not seen("what commands print", place.said) + place.leaks()
    log = place.log.read_text()
    assert "GET /api" in log and "cluster hub: Live" in log
    assert "Authorization" not in log and "?" not in "".join(line for line in log.splitlines() if "GET /" in line)


def test_a_draft_with_a_remote_that_wants_a_password(place: Place) -> None:
    place.run("draft", "new", "more", codes=(0,))
    place.run("draft", "set", "more", "shop/web.yaml", "spec.replicas=3", codes=(0,))
    place.run("draft", "commit", "more", "-m", "three", codes=(0,))
    for words in ("show more -o json", "blast more", "recover"):
        place.run("draft", *words.split(), codes=(0, 1, 2, 3))
    place.run("draft", "push", "more", "--yes", codes=(0,))
    assert "fleet/" in git(place.folder / "remotes" / "shop.git", "for-each-ref")  # it has arrived
    assert any(place.remote.logins), "the remote never asked"
    assert not seen("arguments of programs", place.remote.arguments)
    assert not seen("what commands print", place.said) + place.leaks()
    git(place.clone, "remote", "set-url", "origin", place.remote.bare.replace("://", "://ci:wrong-4cdb9@"))
    done = place.run("draft", "rebase", "more", "--fetch", codes=(0, 1, 2, 3)) + place.said.decode()
    assert "wrong-4cdb9" not in done
    assert not place.leaks()
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in place.state.rglob("*") if not path.is_symlink()}
    assert not {path: oct(mode) for path, mode in modes.items() if path.is_file() and mode & 0o077}


def test_a_terminal_and_a_crash_in_it(place: Place) -> None:
    crash = CRASH.format(token=planted.TOKEN, kubeconfig=str(place.config))
    argv = [sys.executable, "-c", crash, *place.argv()[3:]]
    with Watched(argv, 150, 44, place.env, cwd=place.clone) as terminal:
        terminal.wait("hub")
        terminal.press(*":apps", "enter")
        terminal.wait("OutOfSync")
        terminal.press("enter")
        terminal.wait("Repository")
        terminal.press("y")
        terminal.wait(lambda screen: "repoURL" in screen and "++++++++" in screen)
        terminal.press("c", "escape", "escape", *":secrets", "enter")
        terminal.wait("repo-a")
        terminal.press(*"/db", "enter", "y")
        terminal.wait("openshift.io")
        terminal.press("escape")
        terminal.wait(lambda screen: "openshift.io" not in screen)
        terminal.press("?")
        assert terminal.wait_end() == 1
        shown = bytes(terminal.all)
    assert b"ValueError" in shown and b"broken" in shown  # where and what, without its words
    assert not seen("the terminal", shown) + place.leaks()
    assert "ValueError" in place.log.read_text()


def test_pictures(place: Place) -> None:
    views = [
        ((), "garbage"),
        (("colon", *"apps", "enter"), "OutOfSync"),
        (("y",), "valuesObject"),
        (("escape", "colon", *"secrets", "enter"), "repo-a"),
        (("colon", *"clusters", "enter"), "leaks"),
    ]
    code = PICTURE.format(views=views)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place.clone, env=place.env, capture_output=True, timeout=200,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    pictures = sorted(place.clone.glob("view-*.svg"))
    assert len(pictures) == len(views)
    assert not [line for path in pictures for line in seen(path.name, path.read_bytes())] + place.leaks()


def test_the_search_finds_what_it_is_for(place: Place) -> None:
    for form in (
        f"x{planted.DATA}", json.dumps({"a": planted.DATA}), base64.b64encode(b"ab" + planted.DATA.encode()).decode(),
    ):  # fmt: skip
        assert seen("here", form.encode()), form
    git(place.clone, "hash-object", "-w", "--stdin", data=planted.BASIC.encode())
    assert seen_below(place.clone / ".git" / "objects")
