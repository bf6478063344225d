"""`fleet draft stage`, `unstage`, `discard`: what the next commit takes, and edits taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from tui.cli.draft.common import OUTPUT, emit, print_listed, run, say

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.drafts.model import Draft
    from tui.fleet.drafts import Drafts
    from tui.fleet.drafts.rewriting import Lines

_REPOSITORY = click.option(
    "--repository", "repo", metavar="URL|DIR", default="", help="Which repository of a draft that spans several."
)
Ranges = tuple[tuple[int, int], ...]


class _Lines(click.ParamType):
    """`5`, `3-9` or several of them joined by commas."""

    name = "A-B"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Ranges:
        found = []
        for part in str(value).split(","):
            match = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
            if not 1 <= first <= last:
                self.fail(f"{part!r} is not a line or a range of lines such as 3-9", param, ctx)
            found.append((first, last))
        return tuple(found)


def lines_option(where: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`--lines A-B`, of one file; `where` says which text the numbers are of."""
    words = f"Only changes in these lines of the one FILE, {where}: 5, 3-9, or several joined by commas."
    return click.option("--lines", "ranges", type=_Lines(), metavar="A-B", help=words)


def check_one_file(files: tuple[str, ...], ranges: Ranges | None) -> None:
    """Raises UsageError when lines are named and not just one file that they are of."""
    if ranges is not None and len(files) != 1:
        raise click.UsageError("--lines needs exactly one FILE")


def chosen_lines(patch: str, files: tuple[str, ...], ranges: Ranges) -> Lines:
    """The lines of a patch that somebody means by lines of the one file they name."""
    from tui.domain.drafts import hunks
    from tui.domain.ports import Missing, Refused

    found = next((file for file in hunks.parse(patch) if file.path == files[0]), None)
    if found is None:
        raise Missing(f"{files[0]} has no such edit")
    if found.whole:
        raise Refused(f"{files[0]} goes only as a whole: it is renamed, a link or not text")
    numbers = {number for first, last in ranges for number in hunks.between(found, first, last)}
    if not numbers:
        raise Missing(f"no changed line of {files[0]} is there")
    return {files[0]: numbers}


@click.command()
@click.argument("name")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@lines_option("as it is in the draft")
@_REPOSITORY
@OUTPUT
@click.pass_obj
def stage(options: Options, name: str, files: tuple[str, ...], ranges: Ranges | None, repo: str, output: str) -> None:
    """Pick what the next commit takes: FILEs, or lines of one. Prints what is picked.

    Without FILE everything that is edited now; of a draft that spans repositories, that in --repository. As long as
    nothing is picked a commit takes all edits; an edit made after picking is not picked. A renamed file is picked as a
    whole.
    """
    check_one_file(files, ranges)

    async def work(drafts: Drafts) -> int:
        held = await _part(drafts, name, files, repo)
        if ranges is None:
            return await _say_picked(drafts, await drafts.stage_files(held, files), output)
        lines = chosen_lines(await drafts.unpicked(held), files, ranges)
        return await _say_picked(drafts, await drafts.stage_lines(held, lines), output)

    _start(options, work)


@click.command()
@click.argument("name")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@lines_option("as it is picked")
@_REPOSITORY
@OUTPUT
@click.pass_obj
def unstage(options: Options, name: str, files: tuple[str, ...], ranges: Ranges | None, repo: str, output: str) -> None:
    """Pick FILEs, or lines of one, not any more; the edits stay. Prints what is picked.

    Without FILE nothing is picked any more, and the next commit takes all edits. When nothing was picked, FILEs are
    what the next commit leaves out.
    """
    check_one_file(files, ranges)

    async def work(drafts: Drafts) -> int:
        held = await _part(drafts, name, files, repo)
        if ranges is None:
            return await _say_picked(drafts, await drafts.unstage(held, files), output)
        lines = chosen_lines(await drafts.picked(held), files, ranges)
        return await _say_picked(drafts, await drafts.unstage_lines(held, lines), output)

    _start(options, work)


@click.command()
@click.argument("name")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@lines_option("as it is in the draft")
@_REPOSITORY
@OUTPUT
@click.pass_obj
def discard(options: Options, name: str, files: tuple[str, ...], ranges: Ranges | None, repo: str, output: str) -> None:
    """Take back edits that are not committed: of FILEs, or in lines of one. Prints what was taken back.

    With --lines only edits that are not picked. `fleet draft undo` brings back what was taken.
    """

    check_one_file(files, ranges)

    async def work(drafts: Drafts) -> int:
        held = await _part(drafts, name, files, repo)
        if ranges is None:
            done = await drafts.discard(held, files)
        else:
            done = await drafts.discard_lines(held, chosen_lines(await drafts.unpicked(held), files, ranges))
        if output == "json":
            return print_listed([await drafts.show(done)], output)
        repository, _ = await drafts.find(done)
        emit((await repository.diff(done.head, held.head))[1])
        return 0

    _start(options, work)


async def _part(drafts: Drafts, name: str, files: tuple[str, ...], repo: str) -> Draft:
    """The part of a draft that has these edited files, or that of a repository."""
    return (await drafts.edited_part(name, *files, repo=repo))[1]


async def _say_picked(drafts: Drafts, done: Draft, output: str) -> int:

    if output == "json":
        return print_listed([await drafts.show(done)], output)
    if not done.index:
        return say("nothing is picked; the next commit takes all edits")
    emit(await drafts.picked(done))
    return 0


def _start(options: Options, work: Callable[[Drafts], object]) -> None:

    run(options, work)  # type: ignore[arg-type]


VERBS = (stage, unstage, discard)
