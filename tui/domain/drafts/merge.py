"""Three versions of a YAML file merged by field instead of by line.

Used where lines cannot be merged: two people who changed neighbouring lines changed different fields. It is done only
when the draft's change is nothing but values: replaying the differences on the base must give the draft's text (a new
key may stand at another place), else comments or layout would be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tui.domain import yamledit
from tui.domain.drafts.conflict import Decision
from tui.domain.drafts.message import Difference, differences
from tui.domain.yamledit import Refused, Session, Step, format_path
from tui.domain.yamledit.render import Layout, inline
from tui.domain.yamlvalue import same

YAML = (".yaml", ".yml", ".json")  # how the names of files end that are read as YAML
_ITEM = -1  # how `differences` names an item of a list that has come or gone


class FieldClash(msgspec.Struct, frozen=True):
    """A field that both sides changed; the values as YAML on one line, "" where the field is not there."""

    path: str
    ours: str
    theirs: str
    line: int = 0  # in our text, from 1
    base: str = ""
    doc: int = 0  # number of the document in our text
    object: str = ""  # Kind namespace/name of that document
    theirs_line: int = 0
    takes: tuple[str, ...] = ("ours", "theirs", "base", "text")


class Merged(msgspec.Struct, frozen=True):
    """The merged text, or why there is none: fields in conflict, or (neither) a change that is more than values."""

    text: str | None = None
    clashes: tuple[FieldClash, ...] = ()


def merge(base: str, ours: str, theirs: str, decided: Mapping[tuple[int, str], Decision] | None = None) -> Merged:
    """Our change from `base`, made to `theirs`; `decided` says what becomes of fields in conflict, by (doc, path).

    Raises Refused when what was decided cannot be written, with the reason.
    """
    try:
        steps = list(_steps(base, ours))
        if not steps or not _alike(_replayed(base, steps, {})[0], ours):
            return Merged()
        there = {doc: _same_document(base, theirs, doc) for doc, _ in steps}
    except (Refused, LookupError, TypeError):
        return Merged()
    try:
        text, clashes = _replayed(theirs, steps, decided or {}, there)
    except (Refused, LookupError, TypeError) as error:
        if decided:
            raise error if isinstance(error, Refused) else Refused(str(error)) from error
        return Merged()
    if clashes:
        known = {(doc, format_path(step.path)): step for doc, step in steps}
        names = {found.index: _named(found) for found in yamledit.documents(ours)}
        placed = []
        for clash in clashes:
            path = known[clash.doc, clash.path].path
            placed.append(
                msgspec.structs.replace(
                    clash, line=_line(ours, clash.doc, path), theirs_line=_line(theirs, there[clash.doc], path),
                    object=names.get(clash.doc, ""),
                )
            )  # fmt: skip
        return Merged(None, tuple(placed))
    return Merged(text)


def _named(document: yamledit.Document) -> str:
    name = f"{document.namespace}/{document.name}" if document.namespace else document.name
    return " ".join(part for part in (document.kind, name) if part)


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


def _replayed(
    text: str,
    steps: Sequence[tuple[int, Difference]],
    decided: Mapping[tuple[int, str], Decision],
    there: Mapping[int, int] | None = None,
) -> tuple[str, list[FieldClash]]:
    """A text with the differences made to it; what holds neither the old nor the new value is a clash.

    `there` gives the document of the text for a document of the steps.
    """
    clashes = []
    for own, step in steps:
        doc = there[own] if there else own
        if step.path and step.path[-1] == _ITEM:
            text = _item(text, doc, step)
            continue
        here, present = _value(text, doc, step.path)
        wanted = step.there != "old"
        holder, held = _value(text, doc, step.path[:-1])
        orphan = bool(step.path) and not (held and isinstance(holder, dict | list))
        if not orphan:
            if present == wanted and (not present or same(here, step.new)):
                continue  # done already
            if present == (step.there != "new") and (not present or same(here, step.old)):
                text = _put(text, doc, step, step.new, wanted)
                continue
        clash = FieldClash(
            format_path(step.path),
            _yaml(step.new) if wanted else "",
            (_yaml(holder) if held else "") if orphan else _yaml(here) if present else "",
            base=_yaml(step.old) if step.there != "new" else "",
            doc=own,
        )
        decision = decided.get((own, clash.path))
        if decision is None:
            clashes.append(clash)
        elif decision.take == "ours":
            text = _put(text, doc, step, step.new, wanted)
        elif decision.take == "base":
            text = _put(text, doc, step, step.old, step.there != "new")
        elif decision.take == "text":
            text = _put(text, doc, step, yamledit.read_value(decision.text), True)
    return text, clashes


def _put(text: str, doc: int, step: Difference, value: Any, wanted: bool) -> str:
    if wanted:
        return yamledit.set_value(text, step.path, value, doc).text
    return yamledit.delete(text, step.path, doc).text if _value(text, doc, step.path)[1] else text


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


def _yaml(value: Any) -> str:
    return inline(value, "", False, Layout())


def invalid(path: str, text: str) -> str:
    """Why a file is no valid YAML or JSON, in words, keys that stand twice included; "" when it is or is neither."""
    if not path.endswith(YAML):
        return ""
    try:
        for document in yamledit.documents(text):
            session = Session(text, document.index)
            if not session.template:
                _refuse_repeated(session)
    except Refused as error:
        return str(error)
    return ""


def _refuse_repeated(session: Session) -> None:
    tree, waiting = session.tree, [session.tree.root]
    while waiting:
        node = waiting.pop()
        seen: set[str] = set()
        for key, value in tree.pairs(node) if tree.is_map(node) else ():
            name = tree.key_text(key)
            if name is not None and name in seen and not tree.is_merge(key):
                raise session.moved(tree.refuse(f"the key {name} stands here twice", tree.start(key)))
            if name is not None:
                seen.add(name)
            waiting.append(value)
        if tree.is_list(node):
            waiting += tree.items(node)
