"""Starting, listing, showing and editing drafts by hand, and taking back what was done."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.draft.blast import deleted
from tui.cli.draft.common import (
    NOT_DONE,
    OUTPUT,
    REPOSITORY,
    TROUBLE,
    emit,
    part,
    print_listed,
    progress,
    run,
    say,
    show_edit,
)
from tui.cli.draft.many import BY, groups_of
from tui.cli.output import complain

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.drafts.model import Draft
    from tui.fleet.draftrows import Listed
    from tui.fleet.drafts import Drafts


@click.command()
@click.argument("title")
@click.option("--repository", "place", metavar="URL|DIR", help="Remote or clone; else the clone you are in.")
@click.option("--target", metavar="BRANCH", default="", help="Branch it is for; else the remote's default branch.")
@click.option("--clone", is_flag=True, help="Without a clone of yours, let fleet fetch the remote for itself.")
@OUTPUT
@click.pass_obj
def new(options: Options, title: str, place: str | None, target: str, clone: bool, output: str) -> None:
    """Start a draft; prints its name."""
    from tui.domain.drafts.model import one_line

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
        made = await drafts.new(title, where, target, clone=clone, fetch=True, progress=progress())
        return print_listed([await drafts.show(made)], output) if output == "json" else say(made.name)

    run(options, work)


@click.command(name="list")
@click.option("--dropped", is_flag=True, help="Those in the trash instead.")
@click.option("--fetch", is_flag=True, help="Ask the remotes first.")
@OUTPUT
@click.pass_obj
def list_(options: Options, dropped: bool, fetch: bool, output: str) -> None:
    """Print every draft and where it stands as of the last fetch."""

    async def work(drafts: Drafts) -> int:
        if fetch:
            await drafts.refresh(fetch=True, progress=progress())
        listed = await drafts.list(trash=dropped)
        print_listed(listed, output)
        for problem in drafts.problems:
            complain(problem)
        return TROUBLE if drafts.problems else 0

    run(options, work)


@click.command()
@click.argument("name")
@OUTPUT
@click.pass_obj
def show(options: Options, name: str, output: str) -> None:
    """Print one draft: where it stands, its commits, its files, what it deletes. Asks no cluster."""

    from tui.domain.giturl import shown

    async def work(drafts: Drafts) -> int:
        listed = await drafts.show(name)
        if output == "json":
            from tui.fleet.draftrows import document

            return say(document(listed).decode())
        held, standing = listed.draft, listed.standing
        say(f"{held.name}: {held.title}")
        say(f"state     {standing.state}{': ' + standing.detail if standing.detail else ''}")
        for one in listed.whole:
            if listed.more:
                say(f"part      {shown(one.draft.repo)}: {one.standing.state}")
            _print_part(one)
        for line in await deleted(options, drafts, name):
            say(f"deletes   {line}")
        for clash in standing.clashes:
            lines = f", line {', '.join(map(str, clash.lines))}" if clash.lines else ""
            say(f"conflict  {clash.key or clash.path}{lines}: {clash.reason}")
        for page in dict.fromkeys(one.draft.page for one in listed.whole if one.draft.page):
            say(f"page      {page}")
        return 0

    run(options, work)


def _print_part(part: Listed) -> None:
    """The target, commits and files of a draft in one repository."""
    say(f"target    {part.draft.target} at {part.draft.base[:10]}")
    for oid, subject in part.commits:
        say(f"commit    {oid[:10]} {subject}")
    for file in part.files:
        counts = f" +{file.added} -{file.removed}" if file.added >= 0 else ""
        say(f"file      {file.status} {file.path}{counts}")


@click.command()
@click.argument("name")
@click.argument("file")
@REPOSITORY
@OUTPUT
@click.pass_obj
def edit(options: Options, name: str, file: str, repo: str, output: str) -> None:
    """Edit a FILE of a draft in your editor (configured one, VISUAL, EDITOR) and print the diff."""
    from tui.cli.wire import settings_of
    from tui.domain.drafts.model import Operation
    from tui.domain.drafts.told import operations
    from tui.domain.ports import Missing

    command = settings_of(options).editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"

    async def work(drafts: Drafts) -> int:
        before = await part(drafts, name, repo, file)
        try:
            held = await drafts.open(before, file)
            old, over = held.text, held.oid
        except Missing:
            old, over = "", ""
        text = old
        for kept in await drafts.recovered():
            if (kept.path, kept.draft) == (file, before.name) and _goes_on():
                text = kept.text
        typed = await asyncio.to_thread(_in_editor, command, file, text)
        if typed is None:
            complain("the editor failed; nothing was changed")
            return NOT_DONE
        await drafts.autosave(before, file, typed, over)
        if problem := _invalid(file, typed):
            complain(f"{problem}; the text is kept, `fleet draft edit {name} {file}` goes on with it")
            return NOT_DONE
        told = operations(Operation(file, at=time.time()), old, typed)
        after = await drafts.edit(before, file, typed, told, over)
        await drafts.discard_autosave(after, file, over)
        return await show_edit(drafts, before, after, output)

    run(options, work)


def _goes_on() -> bool:
    """Whether to go on with text that was not saved; without a terminal nobody can be asked, and it stays kept."""
    return sys.stdin.isatty() and click.confirm("Go on with the text not saved last time?", err=True)


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


@click.command()
@click.argument("name")
@click.option("--open", "open_only", is_flag=True, help="Only what is not committed yet.")
@click.option("--picked", is_flag=True, help="Only what was picked for the next commit with `stage`.")
@click.option("--by", type=BY, help="Files under the clusters, groups or Applications they are for.")
@OUTPUT
@click.pass_obj
def diff(options: Options, name: str, open_only: bool, picked: bool, by: str | None, output: str) -> None:
    """Print git's diff of a draft against its base."""
    if picked and (open_only or by is not None):
        raise click.UsageError("--picked goes with neither --open nor --by")

    async def work(drafts: Drafts) -> int:
        files, patch = await drafts.diff(name, open_only=open_only, picked=picked)
        if by is not None:
            groups = groups_of(options, await drafts.parts(name))
            patch = await drafts.diff_by(name, by, groups, open_only=open_only)
        if output == "json":
            import msgspec

            return say(msgspec.json.encode({"files": files, "patch": patch}).decode())
        emit(patch)
        return 0

    run(options, work)


@click.command()
@click.argument("name")
@OUTPUT
@click.pass_obj
def drop(options: Options, name: str, output: str) -> None:
    """Put a draft into the trash; `fleet draft restore` brings it back."""
    _one(options, lambda drafts: drafts.drop(name), output)


@click.command()
@click.argument("name")
@OUTPUT
@click.pass_obj
def restore(options: Options, name: str, output: str) -> None:
    """Take a draft out of the trash."""
    _one(options, lambda drafts: drafts.restore(name), output)


@click.command()
@click.argument("name")
@OUTPUT
@click.pass_obj
def undo(options: Options, name: str, output: str) -> None:
    """Take back the last thing that was done to a draft."""
    _one(options, lambda drafts: drafts.undo(name), output)


@click.command()
@click.argument("name")
@OUTPUT
@click.pass_obj
def redo(options: Options, name: str, output: str) -> None:
    """Do again what `undo` took back."""
    _one(options, lambda drafts: drafts.redo(name), output)


def _one(options: Options, action: Callable[[Drafts], Awaitable[Draft]], output: str) -> None:
    async def work(drafts: Drafts) -> int:
        done = await action(drafts)
        return print_listed([await drafts.show(done)], output) if output == "json" else say(done.name)

    run(options, work)


VERBS = (new, list_, show, diff, edit, drop)
BACK = (undo, redo, restore)
