"""`fleet yaml`: the surgical editor, for any YAML or JSON file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.output import complain, emit, json_text

if TYPE_CHECKING:
    from tui.adapters.textfile import TextFile
    from tui.domain.yamledit import Edited
    from tui.domain.yamledit.sharing import Sharing

NOT_DONE, TROUBLE = 1, 3  # exit codes: refused or nothing there; FILE could not be read or written

Edit = Callable[[str, int | None, "Sharing"], "Edited"]
"""One edit: text, document and what is meant by a shared place to the edited text."""

_FILE = click.argument("file", metavar="FILE[#DOC]", type=click.Path())
_LIKE_WORDS = {"ignore_unknown_options": True}  # so that a value may begin with a dash


@click.group()
def yaml() -> None:
    """Read and edit YAML and JSON files; every byte outside the edited place stays as it is.

    FILE may be - for standard input and may end in #DOC: the number of a document, from 0, or Kind/name or
    Kind/namespace/name. PATH is like spec.template.spec.containers[name=app].image, ports[0], list[-1] or
    labels."app.kubernetes.io/name"; "" is the whole document. VALUE is read as YAML and typed as kubectl types it;
    "''" is the empty text; behind -- it may look like an option.

    An edit that cannot be made exactly is refused, with line, column and reason.

    Exit codes: 0 done, 1 refused or PATH is not there, 2 wrong usage, 3 FILE could not be read or written.
    """


@yaml.command()
@_FILE
@click.argument("path", default="")
@click.option(
    "-o",
    "--output",
    type=click.Choice(("text", "yaml", "json")),
    default="text",
    help="How to print: text (the default) prints a string without quotes, everything else as yaml does.",
)
def get(file: str, path: str, output: str) -> None:
    """Print the value at PATH, anchors and merge keys resolved."""
    from tui.domain import yamledit

    def work() -> int:
        source = _Source(file)
        with source:
            value = yamledit.get_value(source.text, path, source.doc)
            printed = json_text(value, 2) + "\n" if output == "json" else yamledit.dump(value)
        emit(value + "\n" if output == "text" and isinstance(value, str) else printed)
        return 0

    _run(file, work)


def _editing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every edit shares."""
    shared = click.option(
        "--shared",
        type=click.Choice(("ask", "all", "here")),
        default="ask",
        help="What an edit through an anchor, alias or << means: refuse (ask), all its users, or only here.",
    )
    place = click.option("-i", "--in-place", is_flag=True, help="Write FILE instead of standard output.")
    return place(shared(command))


@yaml.command(name="set", context_settings=_LIKE_WORDS)
@_FILE
@click.argument("words", metavar="PATH VALUE | PATH=VALUE...", nargs=-1, required=True)
@_editing
def set_(file: str, words: tuple[str, ...], in_place: bool, shared: Sharing) -> None:
    """Set values; what is missing of a path is added at its natural place."""
    pairs = _assignments(words)

    def one(path: str, value: Any) -> Edit:
        from tui.domain import yamledit

        return lambda text, doc, shared: yamledit.set_value(text, path, value, doc, shared=shared)

    _edit(file, [one(path, _value(word)) for path, word in pairs], in_place, shared)


@yaml.command(context_settings=_LIKE_WORDS)
@_FILE
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@_editing
def unset(file: str, paths: tuple[str, ...], in_place: bool, shared: Sharing) -> None:
    """Delete keys or list items; what gets empty becomes {} or []."""

    def one(path: str) -> Edit:
        from tui.domain import yamledit

        return lambda text, doc, shared: yamledit.delete(text, path, doc, shared=shared)

    _edit(file, [one(path) for path in paths], in_place, shared)


@yaml.command(context_settings=_LIKE_WORDS)
@_FILE
@click.argument("path")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@_editing
def append(file: str, path: str, values: tuple[str, ...], in_place: bool, shared: Sharing) -> None:
    """Add items at the end of the list at PATH."""

    def one(value: Any) -> Edit:
        from tui.domain import yamledit

        return lambda text, doc, shared: yamledit.append_item(text, path, value, doc, shared=shared)

    _edit(file, [one(_value(word)) for word in values], in_place, shared)


@yaml.command()
@_FILE
@click.argument("path")
@click.argument("key")
@_editing
def rename(file: str, path: str, key: str, in_place: bool, shared: Sharing) -> None:
    """Give the key at PATH another name; its value and place stay."""
    from tui.domain import yamledit

    _edit(file, [lambda text, doc, shared: yamledit.rename_key(text, path, key, doc, shared=shared)], in_place, shared)


class _Source:
    """FILE[#DOC], read; inside `with`, refusals get the file's name."""

    def __init__(self, word: str) -> None:
        """Raises OSError and Refused."""
        self.word, self.document = _split(word)
        with self:
            self.file, self.text = self._read()
            self.doc = self._select()

    def _read(self) -> tuple[TextFile | None, str]:
        from tui.adapters import textfile

        if self.word == "-":
            return None, textfile.read_bounded(sys.stdin.buffer)
        found = textfile.read(Path(self.word))
        return found, found.text

    def _select(self) -> int | None:
        from tui.domain import yamledit

        return yamledit.select(self.text, self.document)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from tui.domain.yamledit import Refused

        if isinstance(error, Refused):
            error.at("standard input" if self.word == "-" else self.word)


def _split(word: str) -> tuple[str, str]:
    """FILE and DOC; a file that has a # in its name is taken whole."""
    file, mark, document = word.rpartition("#")
    return (word, "") if not mark or Path(word).exists() else (file, document)


def _assignments(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """`PATH VALUE`, or any number of `PATH=VALUE`."""
    from tui.domain import yamledit

    pairs = []
    for word in words:
        try:
            pairs.append(yamledit.split_assignment(word))
        except yamledit.Refused as error:
            if len(words) == 2 and not pairs:
                return [(words[0], words[1])]
            raise click.UsageError(str(error)) from None
    return pairs


def _value(word: str) -> Any:
    from tui.domain import yamledit

    try:
        return yamledit.get_value(word)
    except yamledit.Refused as error:
        raise click.UsageError(f"{word!r} is no YAML value ('' is the empty text): {error}") from None


def _edit(word: str, edits: list[Edit], in_place: bool, shared: Sharing) -> None:
    if in_place and _split(word)[0] == "-":
        raise click.UsageError("standard input cannot be edited in place")

    from tui.domain.yamledit import Shared

    def work() -> int:
        source = _Source(word)
        text = source.text
        with source:
            try:
                for edit in edits:
                    text = edit(text, source.doc, shared).text
            except Shared as error:
                if shared == "ask":
                    error.reason += " (--shared all, --shared here)"
                raise
        if not in_place:
            emit(text)
        elif source.file is not None and text != source.text:
            from tui.adapters import textfile

            textfile.write(source.file, text)
        return 0

    _run(word, work)


def _run(file: str, work: Callable[[], int]) -> None:
    from tui.domain.yamledit import Refused, Unreadable

    try:
        code = work()
    except Refused as error:
        complain(str(error))
        code = TROUBLE if isinstance(error, Unreadable) else NOT_DONE
    except OSError as error:
        complain(f"{file}: {error.strerror or error}")
        code = TROUBLE
    sys.exit(code)
