"""A full disk in the middle of work, and the whole way to the remote with SIGKILL at every git command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.git.conftest import World, fingerprint, git
from tests.git.test_crash_points import ROOT, THOROUGH, WRAPPER
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository

WEB = "shop/web.yaml"

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


async def test_a_disk_that_takes_no_more_loses_nothing(
    world: World, repositories: GitRepositories, repository: GitRepository
) -> None:
    draft = await repository.create("x", "main", "x")
    await repositories.close()
    argv = [sys.executable, "-c", FULL, str(world.data), str(world.clone), draft.id]
    done = subprocess.run(argv, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trouble") == 4, done.stdout
    git(repository.repository.path, "fsck", "--strict", "--no-dangling")


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

    def __init__(self, world: World, place: Path) -> None:
        self.world, self.place = world, place
        place.mkdir()
        self.bin = place / "bin"
        self.bin.mkdir()
        wrapper = self.bin / "git"
        wrapper.write_text(WRAPPER.replace("{git}", str(shutil.which("git"))))
        wrapper.chmod(0o755)
        world.upstream({"shop/db.yaml": "size: 2\n"})
        shutil.copytree(world.origin, place / "origin")
        self.clone = fingerprint(world.clone)

    def reset(self) -> None:
        for path in (self.world.data, self.world.origin):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.place / "origin", self.world.origin)

    def run(self, at: int, mode: str) -> tuple[int, int, str]:
        """(exit code, git commands started, what went wrong)."""
        count = self.place / "count"
        count.write_text("")
        env = os.environ | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "COUNT": str(count),
            "KILL_AT": str(at),
            "KILL_MODE": mode,
            "PYTHONPATH": str(ROOT),
        }
        argv = [sys.executable, "-c", JOURNEY, str(self.world.data), str(self.world.clone)]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, count.read_text().count("x"), done.stderr

    def finish(self) -> None:
        """What is there after a crash is whole, and the same way leads to the end."""
        world = self.world
        code, _, errors = self.run(0, "never")
        assert code == 0, errors
        assert world.at_origin(WEB) == "replicas: 5\nimage: web:1\n"
        assert world.at_origin("shop/db.yaml") == "size: 2\n"
        assert git(world.origin, "log", "--format=%s", "main").splitlines()[0] == "five"
        assert len(git(world.origin, "log", "--format=%s", "main").splitlines()) == 3
        git(next((world.data / "git").glob("*.git")), "fsck", "--strict", "--no-dangling")
        assert fingerprint(world.clone) == self.clone


@pytest.mark.slow
@pytest.mark.timeout(3600 if THOROUGH else 300)
@pytest.mark.parametrize("mode", ["before", "after", "both"])
def test_the_way_to_the_remote_survives_a_kill_at_any_command(world: World, tmp_path: Path, mode: str) -> None:
    """At each command when thorough; otherwise at some, others in each way of being killed."""
    journey = Journey(world, tmp_path / "journey")
    journey.reset()
    code, commands, errors = journey.run(0, "never")
    assert code == 0, errors
    start = {"before": 1, "after": 10, "both": 20}[mode]
    for at in range(1 if THOROUGH else start, commands + 1, 1 if THOROUGH else 30):
        journey.reset()
        journey.run(at, mode)
        journey.finish()
