"""SIGKILL at every git command, write, rename, fsync, link and unlink of each thing that is done to a draft.

Each action starts from a prepared state and is done by a program of its own, which is killed at one point. Then the
next fleet must find the state before or the state after, whole, with the text either way; and doing the action again
must lead to the state after.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from tests.git import actions
from tests.git.conftest import World, fingerprint, git

ROOT = Path(__file__).parents[2]
THOROUGH = settings.default is settings.get_profile("thorough")
CALLS = ("write", "pwrite64", "rename", "renameat2", "fsync", "link", "unlink", "ftruncate")
EVERY = 127  # a quick run tries one of so many points

# Counts the git commands and kills at one of them: the caller before it, the caller after it, or both in the middle.
WRAPPER = """#!/bin/sh
echo x >> "$COUNT"
number=0
while read -r _; do number=$((number + 1)); done < "$COUNT"
if [ "$number" -eq "$KILL_AT" ]; then
    case "$KILL_MODE" in
    before) kill -9 $PPID; exit 1 ;;
    after) {git} "$@"; kill -9 $PPID; exit 1 ;;
    both) {git} "$@" & sleep 0.00$((KILL_AT % 10)); kill -9 $! $PPID; exit 1 ;;
    esac
fi
exec {git} "$@"
"""


class Lab:
    """One action, its prepared world, and ways to be killed in the middle of it."""

    def __init__(self, world: World, place: Path, action: str) -> None:
        self.world, self.place, self.action = world, place, action
        place.mkdir()
        self.bin = place / "bin"
        self.bin.mkdir()
        wrapper = self.bin / "git"
        wrapper.write_text(WRAPPER.replace("{git}", str(shutil.which("git"))))
        wrapper.chmod(0o755)
        asyncio.run(actions.prepare(action, world))
        for name in ("data", "origin.git"):
            shutil.copytree(world.data.parent / name, place / name, symlinks=True)
        self.clone = fingerprint(world.clone)
        self.before = self.look()
        log = place / "calls"
        assert self.run(strace("-e", f"trace={','.join(CALLS)}", log=str(log)) if traced() else ()) == 0
        self.calls = log.read_text(errors="replace").splitlines() if traced() else []
        self.after = self.look()
        assert self.before != self.after, "the action does something"

    def reset(self) -> None:
        """The world as it was prepared."""
        for name in ("data", "origin.git"):
            shutil.rmtree(self.world.data.parent / name, ignore_errors=True)
            shutil.copytree(self.place / name, self.world.data.parent / name, symlinks=True)

    def run(self, prefix: tuple[str, ...] = (), at: int = 0, mode: str = "never") -> int:
        """Do the action in a program of its own; its exit code."""
        count = self.place / "count"
        count.write_text("")
        env = os.environ | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "COUNT": str(count),
            "KILL_AT": str(at),
            "KILL_MODE": mode,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv = [*prefix, sys.executable, "-m", "tests.git.actions", self.action, str(self.world.data.parent)]
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        self.said = done.stdout + done.stderr
        self.commands = count.read_text().count("x")
        return done.returncode

    def look(self) -> str:
        """What the next fleet finds; it must be whole."""
        seen = asyncio.run(actions.look(self.world))
        for repository in (self.world.data / "git").glob("*.git"):
            git(repository, "fsck", "--strict", "--no-dangling")
        return json.dumps(seen, indent=1, sort_keys=True)

    def check(self, point: object) -> None:
        """The state is that before or that after, and the same way leads to the end."""
        found = self.look()
        if self.action in actions.REMOTE:
            found = ""  # the remote may have taken what is not recorded yet: only the end counts
        assert found in (self.before, self.after, ""), (point, found, self.said)
        if found != self.after:
            assert self.run() == 0, (point, self.said)
            assert self.look() == self.after, point
        assert fingerprint(self.world.clone) == self.clone, point


@pytest.fixture
def lab(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Lab:
    return Lab(world, tmp_path / "lab", request.param)


@cache
def traced() -> bool:
    """Whether system calls can be made to kill here."""
    strace = shutil.which("strace")
    return strace is not None and not subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], check=False).returncode


def strace(*arguments: str, log: str = "/dev/null") -> tuple[str, ...]:
    return ("strace", "-f", "-qq", "--seccomp-bpf", "-o", log, *arguments)


def points(lab: Lab) -> Iterator[tuple[str, str, int]]:
    """Where the action can be interrupted: (how, what, number).

    A git command by its number; a system call that changes something by the number it has in the process or thread
    that makes it; or all calls of one kind fail, as on a full or a read-only disk.
    """
    for at in range(1, lab.commands + 1):
        for mode in ("before", "after", "both"):
            yield "command", mode, at
    made: dict[tuple[str, str], int] = {}
    for line in lab.calls:
        pid, _, rest = line.partition(" ")
        name = rest.strip().partition("(")[0]
        made[name, pid] = made.get((name, pid), 0) + 1
    for name in CALLS:
        most = max((count for (call, _), count in made.items() if call == name), default=0)
        for number in range(1, most + 1):
            yield "call", name, number
        for error in ("ENOSPC", "EROFS") if most and name not in ("write", "unlink") else ():
            yield error, name, 0


@pytest.mark.slow
@pytest.mark.timeout(3600 if THOROUGH else 300)
@pytest.mark.parametrize("lab", actions.NAMES, indirect=True)
def test_a_kill_at_any_point_leaves_the_state_before_or_after(lab: Lab) -> None:
    found = list(points(lab))
    if not THOROUGH:  # some, other ones for each action
        found = found[sum(map(ord, lab.action)) % EVERY :: EVERY]
    for how, what, number in found:
        lab.reset()
        if how == "command":
            lab.run((), number, what)
        elif how == "call":
            lab.run(strace("-e", f"trace={what}", "-e", f"inject={what}:signal=KILL:when={number}"))
        else:
            code = lab.run(strace("-e", f"trace={what}", "-e", f"inject={what}:error={how}"))
            assert code in (0, 3) and "Traceback" not in lab.said, lab.said
        lab.check((how, what, number))
