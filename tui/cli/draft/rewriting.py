"""`fleet draft log`, `amend`, `reword`, `squash`, `fixup`, `move`, `split`, `uncommit`, `drop-commit`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tui.cli.draft.common import OUTPUT, run, say
from tui.cli.draft.staging import Ranges, check_one_file, chosen_lines, lines_option
from tui.cli.output import complain

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.drafts.model import Draft
    from tui.domain.drafts.rewriting import Rewritten
    from tui.domain.drafts.sending import CommitOptions
    from tui.fleet.drafts import Drafts

_MESSAGE = click.option("-m", "--message", multiple=True, help="Commit message, a paragraph each.")
_COMMIT = click.argument("commit", metavar="COMMIT")


def _making(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every verb that makes commits."""
    sign = click.option("--sign/--no-sign", "sign", default=None, help="Sign them or not; else as commit.gpgSign says.")
    skip = click.option("--no-verify", "skip", is_flag=True, help="Run none of your hooks.")
    return sign(skip(OUTPUT(click.pass_obj(command))))


@click.command()
@click.argument("name")
@OUTPUT
@click.pass_obj
def log(options: Options, name: str, output: str) -> None:
    """Print the commits of a draft, newest first, with the numbers that the other verbs take (1 = oldest).

    A COMMIT is given to them by its number, its id or the beginning of its id. Of a draft that spans repositories it is
    given by its id.
    """

    async def work(drafts: Drafts) -> int:
        return await _say_log(drafts, name, output)

    run(options, work)


@click.command()
@click.argument("name")
@click.option("--commit", metavar="COMMIT", default="", help="Which commit, as in `log`; else the newest.")
@_MESSAGE
@_making
def amend(
    options: Options, name: str, commit: str, message: tuple[str, ...], sign: bool | None, skip: bool, output: str
) -> None:
    """Put edits into a commit that is there; with -m it gets another message too.

    The edits are what was picked with `stage`, else all. Later commits are made anew on top. Edits of lines that a
    later commit changes do not fit into an older one: nothing is changed then. A commit with nothing left in it is left
    out.
    """

    async def act(drafts: Drafts, how: CommitOptions) -> Rewritten:
        return await drafts.amend(name, commit, _text(message), options=how, progress=_told)

    _rewrite(options, act, sign, skip, output)


@click.command()
@click.argument("name")
@_COMMIT
@click.option("-m", "--message", multiple=True, required=True, help="Commit message, a paragraph each.")
@_making
def reword(
    options: Options, name: str, commit: str, message: tuple[str, ...], sign: bool | None, skip: bool, output: str
) -> None:
    """Give a COMMIT of a draft another message."""

    async def act(drafts: Drafts, how: CommitOptions) -> Rewritten:
        return await drafts.reword(name, commit, _text(message), options=how, progress=_told)

    _rewrite(options, act, sign, skip, output)


@click.command()
@click.argument("name")
@_COMMIT
@_MESSAGE
@_making
def squash(
    options: Options, name: str, commit: str, message: tuple[str, ...], sign: bool | None, skip: bool, output: str
) -> None:
    """Join a COMMIT of a draft to the one before it. Without -m both messages stay, each trailer once."""

    async def act(drafts: Drafts, how: CommitOptions) -> Rewritten:
        return await drafts.squash(name, commit, _text(message), options=how, progress=_told)

    _rewrite(options, act, sign, skip, output)


@click.command()
@click.argument("name")
@_COMMIT
@_making
def fixup(options: Options, name: str, commit: str, sign: bool | None, skip: bool, output: str) -> None:
    """Join a COMMIT of a draft to the one before it and forget its message, but for its trailers."""

    async def act(drafts: Drafts, how: CommitOptions) -> Rewritten:
        return await drafts.fixup(name, commit, options=how, progress=_told)

    _rewrite(options, act, sign, skip, output)


@click.command()
@click.argument("name")
@_COMMIT
@click.option("--up/--down", "up", type=bool, default=None, help="Make it newer or older by one place.")
@_making
def move(options: Options, name: str, commit: str, up: bool | None, sign: bool | None, skip: bool, output: str) -> None:
    """Let a COMMIT of a draft and its neighbour change places. What the draft ends with stays the same.

    Commits that change the same lines cannot; nothing is changed then, and both are named.
    """
    if up is None:
        raise click.UsageError("say --up or --down")

    async def act(drafts: Drafts, how: CommitOptions) -> Rewritten:
        return await drafts.move(name, commit, up=up, options=how)

    _rewrite(options, act, sign, skip, output)


@click.command(name="drop-commit")
@click.argument("name")
@_COMMIT
@_making
def drop_commit(options: Options, name: str, commit: str, sign: bool | None, skip: bool, output: str) -> None:
    """Leave a COMMIT of a draft and its change out. `fleet draft undo` brings it back."""

    async def act(drafts: Drafts, how: CommitOptions) -> Rewritten:
        return await drafts.drop_commit(name, commit, options=how)

    _rewrite(options, act, sign, skip, output)


@click.command()
@click.argument("name")
@click.argument("commit", metavar="[COMMIT]", default="")
@_making
def uncommit(options: Options, name: str, commit: str, sign: bool | None, skip: bool, output: str) -> None:
    """Make the change of a COMMIT, else the newest, an edit that is not committed again."""

    async def act(drafts: Drafts, how: CommitOptions) -> Rewritten:
        return await drafts.uncommit(name, commit, options=how)

    _rewrite(options, act, sign, skip, output)


@click.command()
@click.argument("name")
@_COMMIT
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@lines_option("as it is in the commit")
@click.option("-m", "--message", "first", multiple=True, help="Message of the first commit; else that of COMMIT.")
@click.option("--rest", "second", multiple=True, help="Message of the second commit; else that of COMMIT.")
@_making
def split(
    options: Options, name: str, commit: str, files: tuple[str, ...], ranges: Ranges | None, first: tuple[str, ...],
    second: tuple[str, ...], sign: bool | None, skip: bool, output: str,
) -> None:  # fmt: skip
    """Make two commits of a COMMIT: one with its changes to FILEs, or in lines of one, and on it one with the rest."""
    check_one_file(files, ranges)
    messages = (_text(first), _text(second))

    async def act(drafts: Drafts, how: CommitOptions) -> Draft:
        if ranges is None:
            return await drafts.split(name, commit, files, *messages, options=how, progress=_told)
        lines = chosen_lines(await drafts.commit_patch(name, commit), files, ranges)
        return await drafts.split_lines(name, commit, lines, *messages, options=how, progress=_told)

    _rewrite(options, act, sign, skip, output)


def _rewrite(
    options: Options, act: Callable[[Drafts, CommitOptions], Any], sign: bool | None, skip: bool, output: str
) -> None:
    """Do it, and print the commits that there are then."""

    async def work(drafts: Drafts) -> int:
        how = drafts.commit_options(hooks=False if skip else None, sign=sign, terminal=sys.stdin.isatty())
        done = await act(drafts, how)
        draft = getattr(done, "draft", done)
        for subject in getattr(done, "emptied", ()):
            complain(f"“{subject}” has nothing left in it and is left out")
        return await _say_log(drafts, draft.name, output)

    run(options, work)


async def _say_log(drafts: Drafts, name: str, output: str) -> int:
    from tui.cli.output import json_text
    from tui.domain import giturl

    found = await drafts.log(name)
    if output == "json":
        rows = [
            {
                "repository": giturl.shown(draft.repo), "number": number, "id": commit.oid, "subject": commit.subject,
                "message": commit.message, "author": commit.author, "time": commit.time, "files": list(commit.files),
            }
            for draft, own in found
            for number, commit in enumerate(own, 1)
        ]  # fmt: skip
        return say(json_text(rows, 2))
    for draft, own in found:
        if len(found) > 1:
            say(f"repository {giturl.shown(draft.repo)}")
        if draft.dirty:
            say(f"{'':>3}  {'':10}  (edits not committed yet)")
        for number, commit in reversed(list(enumerate(own, 1))):
            say(f"{number:>3}  {commit.oid[:10]}  {commit.subject}")
    return 0


def _text(message: tuple[str, ...]) -> str:
    if message and not any(part.strip() for part in message):
        raise click.UsageError("the commit message is empty")
    return "\n\n".join(message)


def _told(line: str) -> None:
    """What a hook says, while it says it."""
    complain(line)


VERBS = (log, amend, reword, squash, fixup, move, split, uncommit, drop_commit)
