"""`fleet draft set`, `unset`, `append`, `rename`: values of a file changed where they stand, and the diff printed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tui.cli.draft.common import NOT_DONE, OUTPUT, REPOSITORY, part, run, show_edit

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.drafts.model import Operation
    from tui.domain.yamledit import Edited
    from tui.domain.yamledit.sharing import Sharing
    from tui.fleet.drafts import Drafts

Step = Callable[[str, int | None, str], "tuple[Edited, Operation, str]"]
"""One edit: text, document's number and name -> what it gives, what was done, why it is most likely a slip or ""."""

_FILE = click.argument("file", metavar="FILE[#DOC]")
_FORCE = click.option("--force", is_flag=True, help="Do also what makes the file bad YAML or no Kubernetes object.")
_LIKE_WORDS = {"ignore_unknown_options": True}  # so that a value may begin with a dash


def editing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every edit of values shares."""
    shared = click.option(
        "--shared",
        type=click.Choice(("ask", "all", "here")),
        default="ask",
        help="What an edit through an anchor, alias or << means: refuse (ask), all its users, or only here.",
    )
    return _FORCE(shared(REPOSITORY(OUTPUT(command))))


@click.command(name="set")
@click.argument("name")
@_FILE
@click.argument("assignments", metavar="PATH=VALUE...", nargs=-1, required=True)
@editing
@click.pass_obj
def set_(options: Options, name: str, file: str, assignments: tuple[str, ...], **more: Any) -> None:
    """Set values in a YAML FILE of a draft and print the diff of the edit.

    FILE may end in `#DOC` (number from 0, Kind/name or Kind/namespace/name). VALUE is read as YAML.

    No cluster is asked. Refused are edits that make the file bad YAML or no Kubernetes object any more, and those that
    replace a number by something that is no number, or a boolean by something that is no boolean; --force does them.
    """
    from tui.domain import yamledit

    try:
        pairs = [yamledit.split_assignment(assignment) for assignment in assignments]
    except yamledit.Refused as error:
        raise click.UsageError(str(error)) from None
    shared = more["shared"]
    edit(options, name, file, [_setting(place, word, value(place, word), shared) for place, word in pairs], **more)


@click.command(context_settings=_LIKE_WORDS)
@click.argument("name")
@_FILE
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@editing
@click.pass_obj
def unset(options: Options, name: str, file: str, paths: tuple[str, ...], **more: Any) -> None:
    """Delete keys or list items in a YAML FILE of a draft and print the diff."""
    from tui.cli.draft import setcheck
    from tui.domain import yamledit
    from tui.domain.drafts.model import Operation

    def one(path: str) -> Step:
        def step(text: str, doc: int | None, document: str) -> tuple[Edited, Operation, str]:
            old = setcheck.one_line(setcheck.held(text, path, doc))
            edited = yamledit.delete(text, path, doc, shared=more["shared"])
            return edited, Operation("", "delete", document, path, old), ""

        return step

    edit(options, name, file, [one(path) for path in paths], **more)


@click.command(context_settings=_LIKE_WORDS)
@click.argument("name")
@_FILE
@click.argument("path")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@editing
@click.pass_obj
def append(options: Options, name: str, file: str, path: str, values: tuple[str, ...], **more: Any) -> None:
    """Add items at the end of the list at PATH in a YAML FILE of a draft and print the diff."""
    from tui.domain import yamledit
    from tui.domain.drafts.model import Operation

    def one(word: str) -> Step:
        item = value(path, word)

        def step(text: str, doc: int | None, document: str) -> tuple[Edited, Operation, str]:
            edited = yamledit.append_item(text, path, item, doc, shared=more["shared"])
            return edited, Operation("", "append", document, path, new=word), ""

        return step

    edit(options, name, file, [one(word) for word in values], **more)


@click.command(context_settings=_LIKE_WORDS)
@click.argument("name")
@_FILE
@click.argument("path", default="")
@click.argument("key", default="")
@click.option("--object", "renamed", metavar="NEWNAME", help="The object itself: another metadata.name.")
@click.option("--to", "moved", metavar="NEWFILE", help="The file itself: another path.")
@editing
@click.pass_obj
def rename(
    options: Options, name: str, file: str, path: str, key: str, renamed: str | None, moved: str | None, **more: Any
) -> None:
    """Give the key at PATH the name KEY, or an object (--object) or a FILE (--to) another name, and print the diff.

    Entries of kustomizations and `valueFiles` of Applications in the same repository follow a file. Who refers to an
    object by its old name is told on stderr and not changed.
    """
    from tui.domain import yamledit
    from tui.domain.drafts.model import Operation

    if [bool(renamed), bool(moved), bool(path and key)].count(True) != 1 or (path and not key):
        raise click.UsageError("say PATH and KEY, or --object NEWNAME, or --to NEWFILE")
    if renamed or moved:
        from tui.cli.draft.files import move_file, rename_object

        act = rename_object if renamed else move_file
        act(options, name, file, renamed or moved or "", more["repo"], more["output"])
        return

    def step(text: str, doc: int | None, document: str) -> tuple[Edited, Operation, str]:
        edited = yamledit.rename_key(text, path, key, doc, shared=more["shared"])
        return edited, Operation("", "rename", document, path, yamledit.format_path(yamledit.parse(path)[-1:]), key), ""

    edit(options, name, file, [step], **more)


def value(place: str, word: str) -> Any:
    """A VALUE of the command line. Raises a usage error."""
    from tui.domain import yamledit

    try:
        return yamledit.get_value(word)
    except yamledit.Refused as error:
        raise click.UsageError(f"{place}={word}: no YAML value ('' is the empty text): {error}") from None


def _setting(place: str, word: str, new: Any, shared: Sharing) -> Step:
    from tui.cli.draft import setcheck
    from tui.domain import yamledit
    from tui.domain.drafts.model import Operation

    def step(text: str, doc: int | None, document: str) -> tuple[Edited, Operation, str]:
        was = setcheck.held(text, place, doc)
        edited = yamledit.set_value(text, place, new, doc, shared=shared)
        operation = Operation("", "set", document, place, setcheck.one_line(was), word)
        return edited, operation, setcheck.retyped(place, was, new)

    return step


def edit(
    options: Options, name: str, file: str, steps: list[Step], *, repo: str, output: str, force: bool, shared: Sharing
) -> None:
    """Do the steps one after the other on one file of a draft, as one step of undo, and print the diff."""
    from msgspec.structs import replace

    from tui.cli.draft import setcheck
    from tui.cli.output import complain
    from tui.domain import yamledit

    path, _, document = file.partition("#")

    async def work(drafts: Drafts) -> int:
        before = await part(drafts, name, repo, path)
        held = await drafts.open(before, path)
        text = held.text
        operations = []
        refused: list[str] = []
        for step in steps:
            try:
                edited, operation, why = step(text, yamledit.select(text, document), document)
            except yamledit.Refused as error:
                raise error.at(path) from None
            if why and not force:
                refused.append(why)
            if edited.changed:
                operations.append(replace(operation, file=path, at=time.time()))
            text = edited.text
        refused += [] if force else await asyncio.to_thread(setcheck.introduced, held.text, text, path)
        for why in refused:
            complain(f"{path}: {why}")
        if refused:
            complain("nothing was changed; --force sets it all the same")
            return NOT_DONE
        return await show_edit(drafts, before, await drafts.edit(before, path, text, operations, held.oid), output)

    run(options, work)


VERBS = (set_, unset, append, rename)
