"""`fleet draft`: everything the Drafts pane does, without a screen."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli import draft_edits, draft_files, draft_many, draft_push, draft_rebase, draft_rewrite, draft_stage
from tui.cli.blast import blast, deleted
from tui.cli.draft_recover import recover
from tui.cli.output import complain, print_rows

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.fleet.draftrows import Listed
    from tui.fleet.drafts import Drafts

NOT_DONE, TROUBLE = 1, 3  # exit codes: refused or nothing there; could not be reached or read
_FORMATS = click.Choice(("table", "json"))
_OUTPUT = click.option("-o", "--output", type=_FORMATS, default="table", help="How to print.")


@click.group()
def draft() -> None:
    """Edit what Git declares, as drafts: commits of their own that no checkout sees until you push them.

    A draft is named by its name or by the end of its id. Exit codes: 0 done, 1 refused, rejected or not there, 2 wrong
    usage, 3 something could not be reached or read.
    """


draft.add_command(recover)
draft.add_command(blast)
_AREAS = (draft_edits, draft_files, draft_many, draft_push, draft_rebase, draft_stage, draft_rewrite)
for _verb in (verb for area in _AREAS for verb in area.VERBS):
    draft.add_command(_verb)


@draft.command()
@click.argument("title")
@click.option("--repository", "place", metavar="URL|DIR", help="Remote or clone; else the clone you are in.")
@click.option("--target", metavar="BRANCH", default="", help="Branch it is for; else the remote's default branch.")
@click.option("--clone", is_flag=True, help="Without a clone of yours, let fleet fetch the remote for itself.")
@_OUTPUT
@click.pass_obj
def new(options: Options, title: str, place: str | None, target: str, clone: bool, output: str) -> None:
    """Start a draft; prints its name."""
    from tui.domain.draft import one_line

    if not one_line(title):
        raise click.UsageError("a draft needs a title: a few words about the change")

    async def work(drafts: Drafts) -> int:
        where = place
        if where is None:
            known = await drafts.here()
            if not known:
                complain("this folder is in no clone; name one with --repository")
                return 2
            where = known[0].checkout
        made = await drafts.new(title, where, target, clone=clone, fetch=True, progress=_progress())
        return _print([await drafts.show(made)], output) if output == "json" else _say(made.name)

    _run(options, work)


@draft.command(name="list")
@click.option("--dropped", is_flag=True, help="Those in the trash instead.")
@click.option("--fetch", is_flag=True, help="Ask the remotes first.")
@_OUTPUT
@click.pass_obj
def list_(options: Options, dropped: bool, fetch: bool, output: str) -> None:
    """Print every draft and where it stands as of the last fetch."""

    async def work(drafts: Drafts) -> int:
        if fetch:
            await drafts.refresh(fetch=True, progress=_progress())
        listed = await drafts.list(trash=dropped)
        _print(listed, output)
        for problem in drafts.problems:
            complain(problem)
        return TROUBLE if drafts.problems else 0

    _run(options, work)


@draft.command()
@click.argument("name")
@_OUTPUT
@click.pass_obj
def show(options: Options, name: str, output: str) -> None:
    """Print one draft: where it stands, its commits, its files, what it deletes. Asks no cluster."""

    async def work(drafts: Drafts) -> int:
        listed = await drafts.show(name)
        if output == "json":
            from tui.fleet.draftrows import document

            return _say(document(listed).decode())
        held, standing = listed.draft, listed.standing
        _say(f"{held.name}: {held.title}")
        _say(f"state     {standing.state}{': ' + standing.detail if standing.detail else ''}")
        _say(f"target    {held.target} at {held.base[:10]}")
        for oid, subject in listed.commits:
            _say(f"commit    {oid[:10]} {subject}")
        for file in listed.files:
            counts = f" +{file.added} -{file.removed}" if file.added >= 0 else ""
            _say(f"file      {file.status} {file.path}{counts}")
        for line in await deleted(options, drafts, name):
            _say(f"deletes   {line}")
        for clash in standing.clashes:
            lines = f", line {', '.join(map(str, clash.lines))}" if clash.lines else ""
            _say(f"conflict  {clash.key or clash.path}{lines}: {clash.reason}")
        if held.page:
            _say(f"page      {held.page}")
        return 0

    _run(options, work)


@draft.command()
@click.argument("name")
@click.argument("file")
@click.pass_obj
def edit(options: Options, name: str, file: str) -> None:
    """Edit a FILE of a draft in your editor (configured one, VISUAL, EDITOR) and print the diff."""
    from tui.cli.wire import settings_of
    from tui.domain.ports import Missing

    command = settings_of(options).editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"

    async def work(drafts: Drafts) -> int:
        try:
            held = await drafts.open(name, file)
            text, over = held.text, held.oid
        except Missing:
            text, over = "", ""
        for kept in await drafts.recovered():
            if kept.path == file and kept.draft == name and click.confirm("Go on with the text not saved last time?"):
                text = kept.text
        typed = await asyncio.to_thread(_in_editor, command, file, text)
        if typed is None:
            complain("the editor failed; nothing was changed")
            return NOT_DONE
        await drafts.autosave(name, file, typed, over)
        if problem := _invalid(file, typed):
            complain(f"{problem}; the text is kept, `fleet draft edit {name} {file}` goes on with it")
            return NOT_DONE
        before = (await drafts.show(name)).draft
        after = await drafts.edit(before, file, typed, (), over)
        await drafts.discard_autosave(after, file, over)
        repository, _ = await drafts.find(after)
        _emit((await repository.diff(before.head, after.head))[1])
        return 0

    _run(options, work)


def _in_editor(command: str, file: str, text: str) -> str | None:
    with tempfile.TemporaryDirectory(prefix="fleet-") as place:
        path = Path(place) / Path(file).name
        path.write_bytes(text.encode("utf-8"))
        if subprocess.run([*shlex.split(command), str(path)], check=False).returncode:
            return None
        return path.read_bytes().decode("utf-8", "replace")


def _invalid(file: str, text: str) -> str:
    from tui.domain import yamledit

    if not file.endswith((".yaml", ".yml", ".json")):
        return ""
    try:
        for document in yamledit.documents(text):
            yamledit.Session(text, document.index)
    except yamledit.Refused as error:
        return str(error.at(file))
    return ""


@draft.command()
@click.argument("name")
@click.option("--open", "open_only", is_flag=True, help="Only what is not committed yet.")
@click.option("--picked", is_flag=True, help="Only what was picked for the next commit with `stage`.")
@click.option("--by", type=draft_many.BY, help="Files under the clusters, groups or Applications they are for.")
@_OUTPUT
@click.pass_obj
def diff(options: Options, name: str, open_only: bool, picked: bool, by: str | None, output: str) -> None:
    """Print git's diff of a draft against its base."""
    if picked and (open_only or by is not None):
        raise click.UsageError("--picked goes with neither --open nor --by")

    async def work(drafts: Drafts) -> int:
        files, patch = await drafts.diff(name, open_only=open_only, picked=picked)
        if by is not None:
            groups = draft_many.groups_of(options, await drafts.parts(name))
            patch = await drafts.diff_by(name, by, groups, open_only=open_only)
        if output == "json":
            import msgspec

            return _say(msgspec.json.encode({"files": files, "patch": patch}).decode())
        _emit(patch)
        return 0

    _run(options, work)


@draft.command()
@click.argument("name")
@click.pass_obj
def drop(options: Options, name: str) -> None:
    """Put a draft into the trash; `fleet draft restore` brings it back."""
    _one(options, lambda drafts: drafts.drop(name))


@draft.command()
@click.argument("name")
@click.pass_obj
def restore(options: Options, name: str) -> None:
    """Take a draft out of the trash."""
    _one(options, lambda drafts: drafts.restore(name))


@draft.command()
@click.argument("name")
@click.pass_obj
def undo(options: Options, name: str) -> None:
    """Take back the last thing that was done to a draft."""
    _one(options, lambda drafts: drafts.undo(name))


@draft.command()
@click.argument("name")
@click.pass_obj
def redo(options: Options, name: str) -> None:
    """Do again what `undo` took back."""
    _one(options, lambda drafts: drafts.redo(name))


def _one(options: Options, action: Callable[[Drafts], Awaitable[Any]]) -> None:
    async def work(drafts: Drafts) -> int:
        return _say((await action(drafts)).name)

    _run(options, work)


@asynccontextmanager
async def _drafts(options: Options) -> AsyncIterator[Drafts]:
    from tui.cli.wire import make_drafts, settings_of

    drafts = make_drafts(options, settings_of(options))
    try:
        yield drafts
    finally:
        await drafts.close()


def _run(options: Options, work: Callable[[Drafts], Awaitable[int]]) -> None:
    """Run one command on the drafts of this machine and leave with its exit code."""
    from tui.domain import yamledit
    from tui.domain.ports import Missing, Moved, Refused, Trouble

    async def main() -> int:
        async with _drafts(options) as drafts:
            return await work(drafts)

    try:
        code = asyncio.run(main())
    except (Missing, Moved, Refused, yamledit.Refused) as error:
        complain(str(error))
        code = NOT_DONE
    except Trouble as error:
        complain(str(error))
        code = TROUBLE
    sys.exit(code)


def _print(listed: list[Listed], output: str) -> int:
    from tui.domain.kinds.fleet import DRAFTS
    from tui.domain.settings import Settings
    from tui.fleet.derive import StoreFacts
    from tui.fleet.draftrows import row
    from tui.store import Store

    facts = StoreFacts(Store(), Settings(), time.time)
    print_rows([(row(entry), DRAFTS) for entry in listed], facts, output, sys.stdout)
    return 0


def _say(text: str) -> int:
    """One line of foreign text on stdout."""
    from tui.ui.text import safe

    sys.stdout.write((safe(text) if sys.stdout.isatty() else text) + "\n")
    return 0


def _emit(text: str) -> None:
    """Foreign text of several lines on stdout: as it is for programs, harmless for a terminal."""
    for line in text.removesuffix("\n").split("\n") if text else ():
        _say(line)


def _progress() -> Callable[[str], None] | None:
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
