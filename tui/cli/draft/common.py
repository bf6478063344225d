"""What the verbs of `fleet draft` share: running one on this machine's drafts, and saying what came of it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tui.cli.output import complain, print_rows

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.drafts.model import Draft
    from tui.fleet.draftrows import Listed
    from tui.fleet.drafts import Drafts
    from tui.fleet.runtime import Fleet

NOT_DONE, TROUBLE = 1, 3  # exit codes: refused or nothing there; could not be reached or read
OUTPUT = click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", help="How to print.")
REPOSITORY = click.option(
    "--repository",
    "repo",
    metavar="URL|DIR",
    default="",
    help="Which repository; a new one joins the draft.",
)


@asynccontextmanager
async def _drafts(options: Options) -> AsyncIterator[Drafts]:
    from tui.cli.wire import make_drafts, settings_of

    drafts = make_drafts(options, settings_of(options))
    try:
        yield drafts
    finally:
        await drafts.close()


def run(options: Options, work: Callable[[Drafts], Awaitable[int]]) -> None:
    """Run one command on the drafts of this machine and leave with its exit code."""

    async def main() -> int:
        async with _drafts(options) as drafts:
            return await work(drafts)

    _leave(main())


def run_on_fleet(options: Options, work: Callable[[Fleet, Drafts], Awaitable[int]]) -> None:
    """Run one command on the clusters and the drafts, and leave with its exit code."""
    from tui.cli.wire import make_fleet

    async def main() -> int:
        async with make_fleet(options) as fleet:
            assert fleet.drafts is not None
            return await work(fleet, fleet.drafts)

    _leave(main())


def _leave(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run to the end; what is refused or missing is one line and its exit code."""
    from tui.domain import yamledit
    from tui.domain.ports import Missing, Moved, Refused, Trouble

    try:
        code = asyncio.run(work)
    except (Missing, Moved, Refused, yamledit.Refused) as error:
        complain(str(error))
        code = NOT_DONE
    except Trouble as error:
        complain(str(error))
        code = TROUBLE
    sys.exit(code)


def print_listed(listed: list[Listed], output: str) -> int:
    from tui.domain.kinds.fleet import DRAFTS
    from tui.domain.settings import Settings
    from tui.fleet.derive import StoreFacts
    from tui.fleet.draftrows import row
    from tui.store import Store

    facts = StoreFacts(Store(), Settings(), time.time)
    print_rows([(row(entry), DRAFTS) for entry in listed], facts, output, sys.stdout)
    return 0


def say(text: str) -> int:
    """One line of foreign text on stdout."""
    from tui.ui.text import safe

    sys.stdout.write((safe(text) if sys.stdout.isatty() else text) + "\n")
    return 0


async def part(drafts: Drafts, name: str, repo: str, path: str) -> Draft:
    """The part of a draft that an edit is for: that of a repository, which may join by it, or the one with the file."""
    return await drafts.extend(name, repo) if repo else (await drafts.find(name, path=path))[1]


async def show_edit(drafts: Drafts, before: Draft, after: Draft, output: str) -> int:
    """Print the diff of an edit, or as JSON the draft."""

    if output == "json":
        return print_listed([await drafts.show(after)], output)
    repository, _ = await drafts.find(after)
    emit((await repository.diff(before.head, after.head))[1])
    return 0


def emit(text: str) -> None:
    """Foreign text of several lines on stdout: as it is for programs, harmless for a terminal."""
    for line in text.removesuffix("\n").split("\n") if text else ():
        say(line)


def progress() -> Callable[[str], None] | None:
    """Shows git's progress on stderr, when it is a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(line: str) -> None:
        from tui.ui.text import safe

        sys.stderr.write("\r\x1b[K" + safe(line)[:100])
        if line.rstrip().endswith("done."):
            sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    return show
