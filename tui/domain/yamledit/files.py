"""Whole documents of a file: one taken out, one put in; every other document stays as it is, to the last byte.

Nothing but the cut into documents is looked at, so that a template or a mistake elsewhere in the file does no harm.
"""

from __future__ import annotations

import re

from tui.domain import yamlvalue
from tui.domain.yamledit.errors import Refused
from tui.domain.yamledit.render import is_json
from tui.domain.yamledit.session import Edited, Session
from tui.domain.yamledit.split import BOM, BREAK, chunks, pick, place

_BREAK = rf"(?:\r\n|[{BREAK}])"
_MARKER = re.compile(rf"---[ \t]*{_BREAK}")  # a marker that carries nothing else
_TAIL = re.compile(rf"(?:#[^{BREAK}]*{_BREAK})+\Z")  # comments at the margin, with nothing below
_HEADER = re.compile(rf"(?:#[^{BREAK}]*{_BREAK})+(?:[ \t]*{_BREAK})+")  # comments set apart from what follows
_EMPTY = re.compile(rf"(?:\A|(?<=[{BREAK}]))---[ \t]*(?:{_BREAK}\s*)?\Z")  # a document that waits for its content
_ACTION = re.compile(r"\{\{-?\s*(if|range|with|define|block|end)\b")


def remove_document(text: str, doc: int | None) -> Edited:
    """The file without one document (index from 0, negative from the end) and the `---` that set it apart.

    Its own comments go with it. Those that may be another's stay: directly above the next `---`, and at the head of the
    file with an empty line below. Raises Missing, and Refused for the only document and for part of a template.
    """
    found = chunks(text)
    chunk = pick(text, doc)
    line, column = place(text, chunk.start)
    if len(found) == 1:
        raise Refused("it is the only document of the file: remove the file", line, column)
    source = text[chunk.start : chunk.end]
    if not _whole(source):
        raise Refused("an action of its template begins or ends in another document", line, column)
    first, last = chunk.index == 0, chunk.index == len(found) - 1
    header = _HEADER.match(source) if first and not text[: chunk.start].strip(BOM) else None
    kept = header[0] if header is not None else ""
    if not last and (tail := _TAIL.search(source, len(kept))):
        kept += tail[0]
    rest = text[chunk.end :]
    if first and not source.startswith("---") and not (kept and header is None):
        marker = _MARKER.match(rest)  # the file began without one
        rest = rest[marker.end() :] if marker is not None else rest
    after = text[: chunk.start] + kept + rest
    if not _same(text, chunk.index, after):
        raise Refused("the document cannot be taken out without changing another", line, column)
    return Edited.between(text, after)


def append_document(text: str, document: str) -> Edited:
    """The file with one more document at its end, in the file's own line endings.

    Raises Refused for what is not exactly one document, for a JSON file, and where the last document would change.
    """
    if len(chunks(document)) != 1:
        raise Refused(f"what is to be added is {len(chunks(document))} documents")
    if is_json(text):
        raise Refused("a JSON file holds one document")
    newline = "\r\n" if "\r\n" in text else "\n"
    new = document.lstrip(BOM)
    if (marker := _MARKER.match(new.lstrip())) is not None:
        new = new.lstrip()[marker.end() :]
    new = "\n".join(new.strip("\r\n").splitlines()) + "\n"
    found = chunks(text)
    end = "" if not text.strip(BOM) or text[-1] in BREAK else newline
    separator = "---\n" if found and not _EMPTY.search(text[found[-1].start + 3 :]) else ""
    after = text + end + (separator + new).replace("\n", newline)
    if end and found and not yamlvalue.same(Session(text, -1).value(), Session(text + end, -1).value()):
        line, _ = place(text, len(text))
        raise Refused("the text ends in a block scalar without a line break, to which nothing can be added", line, 1)
    if len(chunks(after)) != len(found) + 1:
        raise Refused("the document cannot be added without changing another")
    return Edited.between(text, after)


def _whole(source: str) -> bool:
    """Whether every action of a template that a document begins ends in it, and the other way round."""
    depth = 0
    for found in _ACTION.finditer(source):
        depth += -1 if found[1] == "end" else 1
        if depth < 0:
            return False
    return depth == 0


def _same(before: str, removed: int, after: str) -> bool:
    """Whether the documents but the removed one are the same, comments at their edges and a first marker aside."""
    was = [_core(before[one.start : one.end]) for one in chunks(before) if one.index != removed]
    return was == [_core(after[one.start : one.end]) for one in chunks(after)]


def _core(source: str) -> str:
    marker = _MARKER.match(source)
    inner = source[marker.end() :] if marker is not None else source
    while (header := _HEADER.match(inner)) is not None:
        inner = inner[header.end() :]
    return _TAIL.sub("", inner)
