"""What is left behind: a log that was asked for, what is said of a crash, and the modes of files."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bad import ROOT
from tests.git.conftest import World, home, world
from tui.adapters import logfile
from tui.adapters.git.journal import FileJournal
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.paths import private
from tui.adapters.ring import EventRing
from tui.domain import failure
from tui.domain.tail import TailEvent

__all__ = ["home", "world"]  # fixtures
SECRET = "s3cr3t-of-a-test"


@pytest.fixture
def clean_logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("fleet")
    before, level = list(root.handlers), ours.level
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    ours.setLevel(level)


def failing() -> ValueError:
    local = SECRET
    try:
        try:
            raise KeyError(local)
        except KeyError as error:
            raise ValueError(f"cannot use {local}") from error
    except ValueError as error:
        return error


def test_a_report_says_where_and_what_but_no_contents() -> None:
    told = failure.report(failing())
    assert SECRET not in told
    assert "ValueError" in told and "KeyError" in told and "caused by" in told
    assert "security/test_traces.py:" in told and " failing" in told
    assert failure.words(OSError(2, "No such file", "/x")).endswith("No such file: '/x'")
    assert failure.words(AttributeError("'A' has no attribute 'b'")).endswith("no attribute 'b'")


def test_a_log(tmp_path: Path, clean_logging: None) -> None:
    path = tmp_path / "fleet.log"
    path.write_text("before\n")
    path.chmod(0o644)
    logfile.start(path, "debug")
    log = logging.getLogger("fleet.test")
    log.debug("https://u:%s@h password=%s\x1b[2J\nnext", SECRET, SECRET)
    log.error("it failed", exc_info=failing())
    for other in ("git.cmd", "aiohttp", "urllib3"):
        logging.getLogger(other).error(SECRET)
    logging.getLogger("asyncio").error("Task exception\nfuture: <Task %s>", SECRET)
    text = path.read_text()
    assert SECRET not in text and "\x1b" not in text and "\\nnext" in text and "ValueError" in text
    assert text.count("\n") > 4 and "Task exception" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_is_bounded(tmp_path: Path, clean_logging: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "BYTES", 10_000)
    old = os.umask(0)
    try:
        logfile.start(tmp_path / "fleet.log", "info")
        for number in range(20):
            logging.getLogger("fleet").info("%d %s", number, "x" * 5000)
    finally:
        os.umask(old)
    files = sorted(tmp_path.glob("fleet.log*"))
    assert [path.name for path in files] == ["fleet.log", "fleet.log.1"]
    assert all(path.stat().st_size <= 10_000 and stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


@pytest.mark.parametrize("what", ["link", "folder", "fifo"])
def test_a_log_that_cannot_be(tmp_path: Path, what: str) -> None:
    path, target = tmp_path / "log", tmp_path / "target"
    if what == "link":
        path.symlink_to(target)
    elif what == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--log", str(path), "get", "drafts"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2 and f"--log {path}: " in done.stderr
    assert not target.exists()


def test_a_command_that_crashes_quotes_nothing(tmp_path: Path) -> None:
    code = f"""
import sys
from tui.cli import get, main
async def broken(*given):
    held = {SECRET!r}
    raise ValueError("cannot use " + held)
get._get = broken
sys.argv = ["fleet", "get", "pods"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 1 and "ValueError" in done.stderr and "broken" in done.stderr
    assert SECRET not in done.stdout + done.stderr


async def test_state_is_for_its_user_alone(tmp_path: Path, world: World) -> None:
    """Whatever the umask is, and where folders and files exist already and are open to everybody."""
    state = tmp_path / "open" / "state"
    old = os.umask(0)
    try:
        for folder in ("events", "journal", "data/git"):
            (state / folder).mkdir(parents=True)
        (state / "events" / "events-00000001.jsonl").touch(0o666)
        ring = EventRing(state / "events")
        ring.append([TailEvent(1.0, "c", "", "Synced", "")])
        ring.close()
        await FileJournal(state / "journal").keep("a", "text")
        for _ in range(2):
            repositories = GitRepositories(state / "data", world.clone)
            repository = await repositories.open(str(world.clone))
            draft = await repository.create("x", "main", "x") if _ == 0 else (await repository.drafts())[0][0]
            await repository.edit(draft.id, {"shop/web.yaml": f"replicas: {_}\n".encode()})
            await repository.commit(draft.id, "more")
            await repositories.close()
            if _ == 0:  # as an older fleet, or a copy, left it
                for path in (state / "data" / "git").rglob("*"):
                    path.chmod(0o755 if path.is_dir() else 0o644)
                git_config = next((state / "data" / "git").glob("*.git/config"))
                git_config.write_text(git_config.read_text().replace("\tsharedRepository = 0600\n", ""))
    finally:
        os.umask(old)
    wide = {
        str(path): oct(path.stat().st_mode)
        for path in state.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077
    }
    assert not wide
    for folder in ("events", "journal", "data/git"):
        assert stat.S_IMODE((state / folder).stat().st_mode) == 0o700


def test_folders_that_lack_are_made_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a").rglob("*")} == {0o700}
