"""What each document of a file says it is, read without parsing more of it than needed."""

from __future__ import annotations

from itertools import islice

import msgspec
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from tui.domain.yamledit.errors import Missing, Refused
from tui.domain.yamledit.split import chunks, place
from tui.domain.yamledit.tree import MAX_DEPTH, MAX_NODES, parse


class Document(msgspec.Struct, frozen=True):
    """One document of a file. `index` counts, from 0, those that hold something; lines count from 1.

    `start_line` is the line of its `---` (or the first of the file), `line` that of its first content, `end_line` its
    last.
    `problem` says why it could not be read as an object; the names are then what was read until there.
    """

    index: int
    kind: str = ""
    apiVersion: str = ""
    name: str = ""
    namespace: str = ""
    start_line: int = 1
    line: int = 1
    end_line: int = 1
    problem: str = ""

    @property
    def group(self) -> str:
        """The API group, "" for the core group."""
        return self.apiVersion.rpartition("/")[0]


def documents(text: str) -> list[Document]:
    """The documents of a file in order; one that cannot be parsed is there with its `problem`.

    Raises Refused for huge files.
    """
    out = []
    line, at = 1, 0
    for chunk in chunks(text):
        line += place(text[at : chunk.start], chunk.start - at)[0] - 1
        at = chunk.start
        source = text[chunk.start : chunk.end]
        names, first, problem = _head(source)
        out.append(
            Document(
                chunk.index,
                **names,
                start_line=line,
                line=line + first - 1,
                end_line=line + place(source, len(source.rstrip()))[0] - 1,
                problem=problem,
            )
        )
    return out


def _head(source: str) -> tuple[dict[str, str], int, str]:
    """kind, apiVersion, name and namespace as far as they are plain; the line of the first content; what went wrong."""
    names: dict[str, str] = {}
    first, depth, key, inside, wanted = 0, 0, "", False, {"kind", "apiVersion", "metadata"}
    expect_key = [False]
    try:
        for event in islice(parse(source), MAX_NODES):
            kind = event.__class__
            if not first and kind in (ScalarEvent, MappingStartEvent, SequenceStartEvent, AliasEvent):
                first = place(source, event.start_mark.index)[0]
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                if kind is SequenceStartEvent and depth == 0:
                    return names, first, "a list, not an object"
                inside = inside or (depth == 1 and key == "metadata" and kind is MappingStartEvent)
                expect_key[-1] = True
                depth += 1
                expect_key.append(kind is MappingStartEvent)
                if depth > MAX_DEPTH:
                    return names, first, f"nested deeper than {MAX_DEPTH} levels"
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                depth -= 1
                expect_key.pop()
                if inside and depth == 1:
                    inside = False
                    wanted.discard("metadata")
            elif kind is ScalarEvent or kind is AliasEvent:
                if depth == 0:
                    return names, first, "a scalar, not an object"
                if depth == 1 or (depth == 2 and inside):
                    if expect_key[-1]:
                        key = getattr(event, "value", "")
                        expect_key[-1] = False
                        continue
                    expect_key[-1] = True
                    value = getattr(event, "value", "")
                    if depth == 1 and key in ("kind", "apiVersion"):
                        names[key] = value
                        wanted.discard(key)
                    elif depth == 2 and key in ("name", "namespace"):
                        names[key] = value
            if not wanted and not inside:
                break
    except Refused as error:
        return names, first or 1, str(error.reason)
    return names, first or 1, ""


def select(text: str, word: str | int | None) -> int | None:
    """The document that a user names: an index, `Kind/name`, `Kind/namespace/name`, `name` or `Kind`.

    None or "" stay None. Raises Missing when none has that name, Refused when several do.
    """
    if word is None or word == "":
        return None
    if isinstance(word, int) or word.isdigit():
        return int(word)
    parts = word.split("/")
    hits = [document.index for document in documents(text) if _named(document, parts)]
    if not hits:
        raise Missing(f"the file has no document {word!r}", 1, 1)
    if len(hits) > 1:
        raise Refused(f"the file has {len(hits)} documents {word!r}; name one by its number, from 0", 1, 1)
    return hits[0]


def _named(document: Document, parts: list[str]) -> bool:
    kind, name = document.kind.lower(), document.name
    if len(parts) == 3:
        return [kind, document.namespace, name] == [parts[0].lower(), *parts[1:]]
    if len(parts) == 2:
        return [kind, name] == [parts[0].lower(), parts[1]]
    return parts[0] == name or parts[0].lower() == kind
