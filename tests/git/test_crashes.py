"""SIGKILL at every git command of a flow, git itself killed in the middle, full disks: the state before or after."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.git.conftest import World, fingerprint, git
from tui.adapters.git import repository as private
from tui.adapters.git.checkout import find_checkouts
from tui.adapters.git.drafts import DraftRefs

ROOT = Path(__file__).parents[2]
THOROUGH = settings.default is settings.get_profile("thorough")
WEB = "shop/web.yaml"

# One local flow, each step of which is one state. It says on stdout what has been acknowledged.
FLOW = """
import sys
from pathlib import Path
from tui.adapters.git import repository as private
from tui.adapters.git.checkout import find_checkouts
from tui.adapters.git.drafts import DraftRefs

data, clone, draft = sys.argv[1:4]
checkout = find_checkouts(Path(clone))[0]
repository = private.open_repository(Path(data), checkout.url, checkout)
refs = DraftRefs(repository)
refs.finish_moves()
WEB = "shop/web.yaml"
steps = [
    lambda: refs.keep_unsaved(draft, WEB, "typing"),
    lambda: refs.edit(draft, {WEB: b"one\\n"}),
    lambda: refs.commit(draft, "one"),
    lambda: refs.edit(draft, {WEB: b"two\\n", "new.yaml": b"new\\n"}),
    lambda: refs.undo(draft),
    lambda: refs.redo(draft),
    lambda: refs.commit(draft, "two"),
    lambda: refs.drop(draft),
    lambda: refs.restore(draft),
]
for step in steps:
    step()
    print("done", flush=True)
repository.close()
"""

WRAPPER = """#!/bin/sh
echo x >> "$COUNT"
number=0
while read -r _; do number=$((number + 1)); done < "$COUNT"
if [ "$number" -eq "$KILL_AT" ]; then
    case "$KILL_MODE" in
    before) kill -9 $PPID; exit 1 ;;
    after) {git} "$@"; kill -9 $PPID; exit 1 ;;
    both) {git} "$@" & sleep 0.00$((KILL_AT % 10)); kill -9 $! $PPID; exit 1 ;;
    rename|write|link|openat|unlink|close)
        exec strace -f -qq -o /dev/null -e trace=$KILL_MODE \\
            -e inject=$KILL_MODE:signal=KILL:when=$KILL_CALL {git} "$@" ;;
    esac
fi
exec {git} "$@"
"""


class Lab:
    """A world with one draft, copied afresh for every try."""

    def __init__(self, world: World, place: Path) -> None:
        self.world = world
        self.place = place
        self.bin = place / "bin"
        self.bin.mkdir()
        wrapper = self.bin / "git"
        wrapper.write_text(WRAPPER.replace("{git}", str(shutil.which("git"))))
        wrapper.chmod(0o755)
        checkout = find_checkouts(world.clone)[0]
        repository = private.create_repository(world.data, checkout.url, checkout)
        self.draft = DraftRefs(repository).create("x", "main", "x").id
        repository.close()
        self.before = fingerprint(world.clone)
        shutil.copytree(world.data, place / "pristine")

    def run(self, at: int, mode: str, call: int = 1) -> tuple[int, int]:
        """Run the flow; returns (acknowledged steps, git commands started)."""
        shutil.rmtree(self.world.data)
        shutil.copytree(self.place / "pristine", self.world.data)
        count = self.place / "count"
        count.write_text("")
        env = os.environ | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "COUNT": str(count),
            "KILL_AT": str(at),
            "KILL_MODE": mode,
            "KILL_CALL": str(call),
            "PYTHONPATH": str(ROOT),
        }
        argv = [sys.executable, "-c", FLOW, str(self.world.data), str(self.world.clone), self.draft]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
        return done.stdout.count("done"), count.read_text().count("x")

    def look(self) -> str:
        """What the next fleet finds; it must be whole and go on."""
        checkout = find_checkouts(self.world.clone)[0]
        repository = private.open_repository(self.world.data, checkout.url, checkout)
        assert repository is not None
        refs = DraftRefs(repository)
        refs.finish_moves()
        found, broken = refs.all()
        trash, broken_trash = refs.all(trash=True)
        assert broken == broken_trash == [] and len(found) + len(trash) == 1
        git(repository.path, "fsck", "--strict", "--no-dangling")
        draft = (found + trash)[0]
        seen = json.dumps(
            [
                draft.dropped,
                git(repository.path, "show", f"{draft.head}:{WEB}"),
                git(repository.path, "log", "--format=%s", f"{draft.base}..{draft.tip}"),
                draft.dirty,
                refs.unsaved(draft),
                bool(draft.undo),
                bool(draft.redo),
            ]
        )
        if draft.dropped:
            refs.restore(draft.id)
        again = refs.edit(draft.id, {"again.yaml": b"again\n"})
        assert again.dirty
        repository.close()
        assert fingerprint(self.world.clone) == self.before
        return seen


@pytest.fixture
def lab(world: World, tmp_path: Path) -> Lab:
    place = tmp_path / "lab"
    place.mkdir()
    return Lab(world, place)


def killed_before(lab: Lab, most: int = 99) -> Iterator[tuple[int, int, str]]:
    """(command, acknowledged steps, what is there) for a kill before each git command, up to `most` steps."""
    _, commands = lab.run(0, "never")
    for at in range(1, commands + 1):
        steps, _ = lab.run(at, "before")
        if steps > most:
            return
        yield at, steps, lab.look()
    steps, _ = lab.run(0, "never")
    yield commands + 1, steps, lab.look()


@pytest.mark.slow
def test_a_kill_at_any_git_command_leaves_the_state_before_or_after(lab: Lab) -> None:
    points = list(killed_before(lab))
    seen: dict[int, str] = {}
    for _, steps, found in points:
        seen.setdefault(steps, found)  # the first kill after a step is before anything of the next
    assert list(seen) == list(range(10)) and len(set(seen.values())) >= 8
    allowed = {steps: (seen[steps], seen.get(steps + 1)) for steps in seen}
    assert all(found in allowed[steps] for _, steps, found in points)
    for number, mode in enumerate(("after", "both")):
        for at, _, _ in points[:-1]:
            if THOROUGH or at % 2 == number:
                steps, _ = lab.run(at, mode)
                assert lab.look() in allowed[steps], (mode, at, steps)


@pytest.mark.slow
def test_git_killed_in_the_middle_blocks_nothing(lab: Lab) -> None:
    """git alone dies at a system call: fleet reports it, and the same data can be worked on at once."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("needs strace")
    points = list(killed_before(lab, most=2))
    seen: dict[int, str] = {}
    for _, steps, found in points:
        seen.setdefault(steps, found)
    first = next(at for at, steps, _ in points if steps == 1)
    calls = {"rename": 3, "link": 3, "unlink": 4, "write": 8, "openat": 24, "close": 24}
    killed = 0
    for mode, most in calls.items():
        for call in range(1, most + 1, 1 if THOROUGH or most < 24 else 3):
            at = first + call % 2  # storing the objects, or moving the ref, of one edit
            steps, _ = lab.run(at, mode, call)
            found = lab.look()
            if steps <= 2:  # else this git made fewer such calls, and nothing was killed
                assert found in (seen[steps], seen.get(steps + 1)), (mode, call, at, steps)
                killed += 1
    assert killed > (30 if THOROUGH else 15)


def test_a_sample_of_kills(lab: Lab) -> None:
    """The quick form of the above: without knowing the states, what was acknowledged is there and work goes on."""
    texts = [
        "replicas: 1\nimage: web:1",
        "replicas: 1\nimage: web:1",
        "one",
        "one",
        "two",
        "one",
        "two",
        "two",
        "two",
        "two",
    ]
    _, commands = lab.run(0, "never")
    for at in range(2, commands + 1, 5):
        steps, _ = lab.run(at, ("before", "after", "both")[at % 3])
        found = json.loads(lab.look())
        assert found[1] in texts[steps : steps + 2], (at, steps)
        if steps == 1:
            assert found[4] == {WEB: "typing"} or found[1] == "one"


FULL = """
import asyncio, resource, sys
from pathlib import Path
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.journal import FileJournal
from tui.domain.ports import Trouble

async def main(data, clone, draft):
    service = GitRepositories(Path(data))
    repository = await service.open(clone)
    await repository.draft(draft)
    journal = FileJournal(Path(data) / "journal")
    await journal.keep("key", "before")
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, resource.RLIM_INFINITY))
    for attempt in (
        lambda: repository.edit(draft, {"a.yaml": b"a" * 5000}),
        lambda: repository.keep_unsaved(draft, "a.yaml", "typing " * 100),
        lambda: repository.drop(draft),
        lambda: journal.keep("key", "after " * 100),
    ):
        try:
            await attempt()
        except Trouble as error:
            print("trouble", error)
        else:
            print("went through")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert await journal.texts() == {"key": "before"}
    assert (await repository.draft(draft)).empty
    assert (await repository.edit(draft, {"a.yaml": b"a" * 5000})).dirty
    await service.close()

asyncio.run(main(*sys.argv[1:4]))
"""


def test_a_disk_that_takes_no_more_loses_nothing(lab: Lab) -> None:
    argv = [sys.executable, "-c", FULL, str(lab.world.data), str(lab.world.clone), lab.draft]
    done = subprocess.run(argv, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trouble") == 4, done.stdout
    lab.look()


# The way to the remote, from nothing: it goes on from whatever it finds, as a user would after a crash.
JOURNEY = """
import asyncio, sys
from pathlib import Path
from tui.adapters.git.repositories import GitRepositories

WEB = "shop/web.yaml"

async def main(data, clone):
    service = GitRepositories(Path(data), Path(clone))
    repository = await service.open(clone)
    found, broken = await repository.drafts()
    assert broken == [] and len(found) <= 1, (broken, found)
    draft = found[0] if found else await repository.create("x", "main", "x")
    if draft.empty:
        draft = await repository.edit(draft.id, {WEB: b"replicas: 5\\nimage: web:1\\n"})
    if draft.dirty:
        draft = await repository.commit(draft.id, "five")
    await repository.fetch()
    landed = (await repository.around(draft)).landed
    if not landed:
        draft, clashes = await repository.rebase(draft.id)
        assert clashes == ()
        result = await repository.push(await repository.plan_push(draft, to_target=False))
        assert result.done, result
        draft = await repository.draft(draft.id)
        result = await repository.push(await repository.plan_push(draft, to_target=True))
        assert result.done, result
        draft = await repository.draft(draft.id)
    assert (await repository.around(draft)).landed
    await service.close()

asyncio.run(main(*sys.argv[1:3]))
"""


class Journey:
    """Runs the way to the remote with a kill, then without, each time from the same beginning."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.world.upstream({"shop/db.yaml": "size: 2\n"})
        shutil.copytree(lab.world.origin, lab.place / "origin")

    def reset(self) -> None:
        world = self.lab.world
        for path in (world.data, world.origin):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.lab.place / "origin", world.origin)

    def run(self, at: int, mode: str) -> tuple[int, int, str]:
        """(exit code, git commands started, what went wrong)."""
        world, count = self.lab.world, self.lab.place / "count"
        count.write_text("")
        env = os.environ | {
            "PATH": f"{self.lab.bin}:{os.environ['PATH']}",
            "COUNT": str(count),
            "KILL_AT": str(at),
            "KILL_MODE": mode,
            "PYTHONPATH": str(ROOT),
        }
        argv = [sys.executable, "-c", JOURNEY, str(world.data), str(world.clone)]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, count.read_text().count("x"), done.stderr

    def finish(self) -> None:
        """What is there after a crash is whole, and the same way leads to the end."""
        world = self.lab.world
        code, _, errors = self.run(0, "never")
        assert code == 0, errors
        assert world.at_origin(WEB) == "replicas: 5\nimage: web:1\n"
        assert world.at_origin("shop/db.yaml") == "size: 2\n"
        assert git(world.origin, "log", "--format=%s", "main").splitlines()[0] == "five"
        assert len(git(world.origin, "log", "--format=%s", "main").splitlines()) == 3
        git(next((world.data / "git").glob("*.git")), "fsck", "--strict", "--no-dangling")
        assert fingerprint(world.clone) == self.lab.before


@pytest.mark.parametrize("mode", ["before", "after", "both"])
def test_the_way_to_the_remote_survives_a_sample_of_kills(lab: Lab, mode: str) -> None:
    journey = Journey(lab)
    journey.reset()
    code, commands, errors = journey.run(0, "never")
    assert code == 0, errors
    start = {"before": 1, "after": 3, "both": 6}[mode]
    for at in range(start, commands, 19):
        journey.reset()
        assert journey.run(at, mode)[0] != 0
        journey.finish()


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_way_to_the_remote_survives_every_kill(lab: Lab, number: int) -> None:
    """A kill at each command in one of three ways; in each way when thorough."""
    journey = Journey(lab)
    journey.reset()
    _, commands, _ = journey.run(0, "never")
    for at in range(1, commands + 1):
        if not THOROUGH and at % 3 != number:
            continue
        mode = ("before", "after", "both")[(at + number) % 3 if THOROUGH else at // 3 % 3]
        journey.reset()
        journey.run(at, mode)
        journey.finish()
