"""Three versions of a YAML file merged by field instead of by line.

Used where lines cannot be merged: two people who changed neighbouring lines changed different fields. It is done only
when the draft's change is nothing but values: replaying the differences on the base must give the draft's text (a new
key may stand at another place), else comments or layout would be lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tui.domain import yamledit
from tui.domain.message import Difference, differences
from tui.domain.yamledit import Refused, Session, Step, format_path
from tui.domain.yamlvalue import same

_ITEM = -1  # how `differences` names an item of a list that has come or gone


class FieldClash(msgspec.Struct, frozen=True):
    """A field that both sides changed; the values as JSON, "" where the field is not there."""

    path: str
    ours: str
    theirs: str
    line: int = 0  # in our text, from 1


class Merged(msgspec.Struct, frozen=True):
    """The merged text, or why there is none: fields in conflict, or (neither) a change that is more than values."""

    text: str | None = None
    clashes: tuple[FieldClash, ...] = ()


def merge(base: str, ours: str, theirs: str) -> Merged:
    """Our change from `base`, made to `theirs`."""
    try:
        steps = list(_steps(base, ours))
        if not steps or not _alike(_replayed(base, steps)[0], ours):
            return Merged()
        text, clashes = _replayed(theirs, [(_same_document(base, theirs, doc), step) for doc, step in steps])
    except (Refused, LookupError, TypeError):
        return Merged()
    if clashes:
        lines = {format_path(step.path): _line(ours, doc, step.path) for doc, step in steps}
        return Merged(None, tuple(msgspec.structs.replace(clash, line=lines.get(clash.path, 0)) for clash in clashes))
    return Merged(text)


def _alike(one: str, other: str) -> bool:
    """The same text, or the same lines in another order with the same values."""
    if one == other:
        return True
    return sorted(one.splitlines()) == sorted(other.splitlines()) and not list(_steps(one, other))


def _steps(base: str, ours: str) -> Iterator[tuple[int, Difference]]:
    """Every value that differs, by document. Raises LookupError when documents have come or gone."""
    old, new = yamledit.documents(base), yamledit.documents(ours)
    if [_identity(document) for document in old] != [_identity(document) for document in new]:
        raise LookupError("other documents")
    for before, after in zip(old, new, strict=True):
        for step in differences(Session(base, before.index).value(), Session(ours, after.index).value()):
            yield before.index, step


def _identity(document: yamledit.Document) -> tuple[str, str, str]:
    return document.kind, document.namespace, document.name


def _same_document(base: str, theirs: str, index: int) -> int:
    """The number that a document of `base` has in `theirs`: by kind and name, else by place among as many."""
    old, new = yamledit.documents(base), yamledit.documents(theirs)
    wanted = next(document for document in old if document.index == index)
    fits = [document.index for document in new if _identity(document) == _identity(wanted)]
    own = [document.index for document in old if _identity(document) == _identity(wanted)]
    if len(fits) != len(own):
        raise LookupError("the document is not there any more")
    return fits[own.index(index)]


def _replayed(text: str, steps: Sequence[tuple[int, Difference]]) -> tuple[str, list[FieldClash]]:
    """A text with the differences made to it; what holds neither the old nor the new value is a clash."""
    clashes = []
    for doc, step in steps:
        if step.path and step.path[-1] == _ITEM:
            text = _item(text, doc, step)
            continue
        here, there = _value(text, doc, step.path)
        wanted_here = step.there != "old"
        holder, held = _value(text, doc, step.path[:-1])
        if step.path and not (held and isinstance(holder, dict | list)):
            clashes.append(FieldClash(format_path(step.path), _json(step.new), _json(holder) if held else ""))
            continue
        if there == wanted_here and (not there or same(here, step.new)):
            continue  # done already
        if there != (step.there != "new") or (there and not same(here, step.old)):
            mine = _json(step.new) if wanted_here else ""
            clashes.append(FieldClash(format_path(step.path), mine, _json(here) if there else ""))
        elif wanted_here:
            text = yamledit.set_value(text, step.path, step.new, doc).text
        else:
            text = yamledit.delete(text, step.path, doc).text
    return text, clashes


def _item(text: str, doc: int, step: Difference) -> str:
    """An item added to a list or taken out of it, wherever in the list it is."""
    holder = step.path[:-1]
    items, there = _value(text, doc, holder)
    if not there or not isinstance(items, list):
        raise LookupError("the list is not there any more")
    item = step.new if step.there == "new" else step.old
    at = next((number for number, held in enumerate(items) if same(held, item)), None)
    if step.there == "new":
        return text if at is not None else yamledit.append_item(text, holder, item, doc).text
    return text if at is None else yamledit.delete(text, (*holder, at), doc).text


def _value(text: str, doc: int, path: tuple[Step, ...]) -> tuple[Any, bool]:
    try:
        return Session(text, doc).value(path), True
    except yamledit.Missing:
        return None, False


def _line(text: str, doc: int, path: tuple[Step, ...]) -> int:
    try:
        return Session(text, doc).position(path)[0]
    except Refused:
        return 0


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
