"""A file cut into its documents without parsing them, so that an edit costs what its own document costs.

A line that begins with `---` or `...` followed by white space ends whatever comes before it, in every YAML grammar and
inside every kind of scalar; so the cut needs no parser, and a template or a mistake elsewhere in the file does no harm.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from tui.domain.yamledit.errors import Missing, Refused, Unreadable

MAX_TEXT = 64 * 1024 * 1024
"""Characters of a file. The largest manifests in use are a few MB; a limit keeps a mistake from eating the machine."""

MAX_DOCUMENT = 16 * 1024 * 1024
"""Characters of one document that is parsed."""

MAX_DOCUMENTS = 20_000
"""Documents of a file. The largest bundles in use hold some hundreds."""

BOM = "\ufeff"
BREAK = "\r\n\x85\u2028\u2029"

_BLANK = re.compile(r"(?:\s++|#[^\r\n\x85\u2028\u2029]*+)*+")
_DIRECTIVE = re.compile(r"(?<![^\r\n])%[^\r\n\x85\u2028\u2029]*+")
_LINE = re.compile(r"\r\n|[\r\n]")
_FIRST = re.compile(rf"(?:---|\.\.\.)(?=[ \t{BREAK}]|\Z)")
_DASHES = {char: re.compile(rf"{char}---(?=[ \t{BREAK}]|\Z)") for char in BREAK}  # a literal first: that search is fast
_REST = re.compile(rf"[^{BREAK}]*(?:\r\n|[{BREAK}])?")


class Chunk(msgspec.Struct, frozen=True):
    """One document of a file: its place among the documents that hold something, and its characters."""

    index: int
    start: int
    end: int


def decode(data: bytes) -> str:
    """The text of a file, a byte order mark kept as its first character.

    Raises Unreadable, with the line, for bytes that are not UTF-8, and for files that are too large.
    """
    if len(data) > MAX_TEXT:
        raise Unreadable(f"the file has {len(data) >> 20} MB; fleet edits files up to {MAX_TEXT >> 20} MB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Unreadable("the file is UTF-16; fleet edits UTF-8 only", 1, 1) from None
        before = data[: error.start].decode("utf-8")
        line, column = place(before, len(before))
        raise Unreadable(f"byte 0x{data[error.start]:02x} is not UTF-8", line, column) from None


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset; lines end as editors end them: LF, CRLF or CR."""
    offset = min(offset, len(text))
    line = 1 + text.count("\n", 0, offset)
    if "\r" in text:
        line += text.count("\r", 0, offset) - text.count("\r\n", 0, offset)
        if text.startswith("\r\n", offset - 1) and offset:
            line -= 1  # between CR and LF is still the line before
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    if start == 0 and offset and text.startswith(BOM):
        start = 1
    return line, max(offset - start, 0) + 1


def chunks(text: str) -> list[Chunk]:
    """The documents of a file that hold something, in order. Raises Unreadable beyond MAX_TEXT and MAX_DOCUMENTS."""
    return list(_chunks(text))


def _chunks(text: str) -> Iterator[Chunk]:
    """The documents of a file; looked for no further than they are asked for."""
    if len(text) > MAX_TEXT:
        raise Unreadable(f"the file has {len(text) >> 20} MB; fleet edits files up to {MAX_TEXT >> 20} MB")
    count = 0
    head = -1  # where the directives of the next document start
    for start, marked, stop, end in _pieces(text):
        if _skip(_BLANK, text, start + 3 if marked else start, stop) < stop:
            if not marked and _only_directives(text, start, stop):
                head = start
                continue
            if count == MAX_DOCUMENTS:
                raise Unreadable(f"the file holds more than {MAX_DOCUMENTS:,} documents", *place(text, start))
            yield Chunk(count, head if head >= 0 and marked else start, end)
            count += 1
        head = -1


def _pieces(text: str) -> Iterator[tuple[int, bool, int, int]]:
    """What lies between the markers: start, whether `---` stands there, where the content stops, end."""
    start, marked, stop = 1 if text.startswith(BOM) else 0, False, -1
    for at in _markers(text, start):
        if text[at] == ".":
            stop, end, following = at, _skip(_REST, text, at, len(text)), False
        else:
            end, following = at, True
        yield start, marked, end if stop < 0 else stop, end
        start, marked, stop = end, following, -1
    yield start, marked, len(text), len(text)


def _markers(text: str, begin: int) -> Iterator[int]:
    """Offsets of `---` and `...` that stand at the start of a line with white space or nothing behind."""
    if _FIRST.match(text, begin):
        yield begin
    breaks = [char for char in BREAK if char in text]
    dashes = [(found.start() + 1 for found in _DASHES[char].finditer(text, begin)) for char in breaks]
    at = begin
    for dash in dashes[0] if len(dashes) == 1 else heapq.merge(*dashes):
        yield from _dots(text, at, dash, breaks)
        yield dash
        at = dash
    yield from _dots(text, at, len(text), breaks)


def _dots(text: str, begin: int, end: int, breaks: list[str]) -> list[int]:
    """Offsets of the `...` lines of a piece that starts with a line."""
    out = []
    for char in breaks:
        at = text.find(char + "...", begin, end)
        while at >= 0:
            if at + 4 == len(text) or text[at + 4] in " \t" + BREAK:
                out.append(at + 1)
            at = text.find(char + "...", at + 1, end)
    return sorted(out) if len(out) > 1 else out


def _skip(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    found = pattern.match(text, start, end)
    assert found is not None
    return found.end()


def _only_directives(text: str, start: int, end: int) -> bool:
    """Whether nothing but directives and comments stands there.

    One pattern for all of it would repeat a choice possessively, which Python before 3.11.5 gets wrong.
    """
    while start < end:
        start = _skip(_BLANK, text, start, end)
        found = _DIRECTIVE.match(text, start, end)
        if found is None:
            return start == end
        start = found.end()
    return True


def pick(text: str, doc: int | None) -> Chunk:
    """The document with this index (from 0, negative from the end); None is the only one.

    Raises Missing when there is none, Refused when there are several and none was named.
    """
    found = _chunks(text)
    first = next(found, None)
    if first is None:
        raise Missing("the file holds no YAML document", 1, 1)
    if doc is None:
        second = next(found, None)
        if second is not None:
            line, _ = place(text, second.start)
            raise Refused(f"the file holds {2 + sum(1 for _ in found)} documents; say which one is meant", line, 1)
        return first
    if doc >= 0:
        chosen = next(islice(found, doc - 1, None), None) if doc else first
        if chosen is not None:
            return chosen
        count = len(chunks(text))
    else:
        every = [first, *found]
        count = len(every)
        if doc >= -count:
            return every[doc]
    raise Missing(f"the file has no document {doc}; it holds {count}", 1, 1)
