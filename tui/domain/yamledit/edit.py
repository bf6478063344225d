"""The edits: each takes a file's text and gives it back with one change, proven, or raises and changes nothing."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from tui.domain import yamlvalue
from tui.domain.yamledit import plans, render
from tui.domain.yamledit.errors import Missing, Refused, Shared
from tui.domain.yamledit.path import Match, Path, Step, format_path, parse
from tui.domain.yamledit.place import natural
from tui.domain.yamledit.render import Layout
from tui.domain.yamledit.split import Chunk, pick, place
from tui.domain.yamledit.tree import Found, Tree
from tui.domain.yamledit.verify import Plan, holds

Sharing = Literal["ask", "all", "here"]

MOST_STEPS = 64
"""Small edits that one `set_value` of a collection may be made of before the collection is written anew."""


class Change(msgspec.Struct, frozen=True):
    """`old` at offset `start` of the text before became `new`."""

    start: int
    old: str
    new: str


class Edited(msgspec.Struct, frozen=True):
    """The text after an edit. `changes` are in order; `line` (from 1) is where the first one shows in the new text."""

    text: str
    changes: tuple[Change, ...] = ()
    line: int = 0

    @property
    def changed(self) -> bool:
        """Whether any character differs."""
        return bool(self.changes)

    def undo(self) -> str:
        """The text before the edit, exactly."""
        return "".join(_patched(self.text, [(c.start, c.new, c.old) for c in self.changes], shift=True))

    @staticmethod
    def between(before: str, after: str) -> Edited:
        """The edit that turns `before` into `after`, as one change from the first to the last differing character."""
        if before == after:
            return Edited(before)
        head = 0
        limit = min(len(before), len(after))
        while head < limit and before[head] == after[head]:
            head += 1
        tail = 0
        while tail < limit - head and before[-1 - tail] == after[-1 - tail]:
            tail += 1
        return finish(before, (Change(head, before[head : len(before) - tail], after[head : len(after) - tail]),))


def _patched(text: str, parts: list[tuple[int, str, str]], shift: bool) -> Iterator[str]:
    at = drift = 0
    for start, old, new in parts:
        begin = start + (drift if shift else 0)
        yield text[at:begin]
        yield new
        at = begin + len(old)
        drift += len(old) - len(new)
    yield text[at:]


class Session:
    """One document of a text: parsed once, for reading many paths and for planning one edit."""

    def __init__(self, text: str, doc: int | None = None) -> None:
        """Raises Refused (with line and column in the whole text) when the document cannot be parsed."""
        self.text = text
        self.chunk: Chunk = pick(text, doc)
        try:
            self.tree = Tree(text[self.chunk.start : self.chunk.end])
        except Refused as error:
            raise self.moved(error) from None

    def moved(self, error: Refused) -> Refused:
        """The error with its place in the whole text instead of in the document."""
        if error.line:
            line, column = place(self.text, self.chunk.start)
            error.column += column - 1 if error.line == 1 else 0
            error.line += line - 1
        return error

    def find(self, path: Path) -> Found:
        """Where a path leads; raises Missing or Refused."""
        steps = parse(path)
        try:
            return self.tree.find(steps)
        except Refused as error:
            raise self.moved(error) from None

    def value(self, path: Path = "") -> Any:
        """The plain value at a path."""
        found = self.find(path)
        try:
            return self.tree.value(found.node)
        except Refused as error:
            raise self.moved(error) from None

    def has(self, path: Path) -> bool:
        """Whether the path exists."""
        try:
            self.find(path)
        except Missing:
            return False
        return True

    def position(self, path: Path = "", of: Literal["key", "value"] = "key", nearest: bool = False) -> tuple[int, int]:
        """(line, column) of the key (or item) that a path names, or of its value, both from 1.

        `nearest` answers with what does exist of the path instead of raising Missing.
        """
        steps = parse(path)
        try:
            found = self.find(steps)
        except Missing as error:
            if not nearest:
                raise
            found = self.find(steps[: error.depth])
        return self.place_of(found, of)

    def place_of(self, found: Found, of: Literal["key", "value"] = "key") -> tuple[int, int]:
        """(line, column) of a place that `find` gave."""
        return self.place_at(found.key if of == "key" and found.key >= 0 else found.node)

    def place_at(self, node: int) -> tuple[int, int]:
        """(line, column) of a node of `tree`."""
        return place(self.text, self.chunk.start + self.tree.start(node))

    def layout(self) -> Layout:
        """How the document is written."""
        found = self.text.find("\n")
        carriage = self.text.find("\r")
        newline = "\n"
        if carriage >= 0 and (found < 0 or carriage < found):
            newline = "\r\n" if self.text.startswith("\r\n", carriage) else "\r"
        return Layout(self.tree, newline)

    def commit(self, candidates: Iterator[Plan], offset: int) -> Edited:
        """The first plan that proves itself. Raises Refused when none does."""
        try:
            for plan in candidates:
                try:
                    source = plan.apply(self.tree.source)
                except ValueError:
                    continue
                if self._clean(source) and holds(self.tree, plan, source):
                    return self._edited(plan)
        except Refused as error:
            raise self.moved(error) from None
        raise self.moved(self.tree.refuse("the edit cannot be made here without changing something else", offset))

    def _clean(self, source: str) -> bool:
        last = self.chunk.end == len(self.text)
        if not last and source[-1:] not in ("\n", "\r", "\x85", "\u2028", "\u2029"):
            return False
        return not render.is_json(self.tree.source) or render.is_json(source)

    def _edited(self, plan: Plan) -> Edited:
        base, source = self.chunk.start, self.tree.source
        changes = tuple(
            Change(base + start, source[start:end], new)
            for start, end, new in sorted(plan.changes, key=lambda change: change[:2])
            if source[start:end] != new
        )
        return finish(self.text, changes)


def finish(text: str, changes: tuple[Change, ...]) -> Edited:
    """The edit that these changes make."""
    if not changes:
        return Edited(text)
    new = "".join(_patched(text, [(c.start, c.old, c.new) for c in changes], shift=False))
    first = changes[0]
    blank = len(first.new) - len(first.new.lstrip("\r\n"))
    return Edited(new, changes, place(new, first.start + (blank if blank < len(first.new) else 0))[0])


# ---- what is shared


def _guard(session: Session, found: Found, shared: Sharing) -> None:
    """Raises Shared when the place is used elsewhere and the caller has not said what it means."""
    if found.alias < 0 and not found.anchors:
        return
    tree = session.tree
    if shared == "all":
        return
    if found.alias >= 0:
        node = found.alias
        anchor = next((tree.events[n].anchor for n in (found.alias, *found.anchors) if tree.events[n].anchor), "")
        what = "inherited through <<" if found.merged else f"an alias of &{anchor}"
    else:
        node = found.anchors[0]
        anchor = tree.events[node].anchor
        what = f"part of the anchor &{anchor}"
    owner = found.anchors[0] if found.anchors else node
    users = tuple(place(session.text, session.chunk.start + tree.start(user))[0] for user in tree.users(owner))
    line, column = place(session.text, session.chunk.start + tree.start(node))
    lines = ", ".join(map(str, users))
    where = format_path(found.steps) or "it"
    if shared == "here":
        raise Shared(
            f"{where} is {what}: it can only be changed for all that use it, lines {lines}", anchor, users, line, column
        )
    raise Shared(
        f"{where} is {what}, used on line {lines}: change it for all of them, or only here?",
        anchor,
        users,
        line,
        column,
    )


def _here(session: Session, found: Found, change: Callable[[Any, tuple[Step, ...]], Any]) -> Edited | None:
    """The edit made to a copy of what an alias or merge brings in; None when the path passes neither."""
    if found.alias < 0:
        return None
    node, key, parent, used = found.holder
    rest = found.steps[used:]
    tree = session.tree
    if not found.merged:
        value = change(tree.value(node), rest)
        place_ = Found(node, key, parent, found.steps[:used])
        outer = session.find(found.steps[:used])
        if [a for a in outer.anchors if tree.start(a) < tree.start(node) and tree.ends[a] > node]:
            _guard(session, outer, "here")
        return session.commit(plans.put(tree, place_, value, session.layout()), tree.start(node))
    value = change(tree.value(node), rest)
    name = rest[0]
    if not isinstance(name, str) or name not in value:
        raise session.moved(tree.refuse("what << brings in cannot be deleted here", tree.start(found.alias)))
    return _insert(session, Found(node, key, parent, found.steps[:used]), name, value[name], None)


def _within(value: Any, steps: tuple[Step, ...], change: Callable[[Any, Step], None]) -> Any:
    """`value` with `change` applied to the plain collection that the last step names something in."""
    at = value
    for step in steps[:-1]:
        at = at[_slot(at, step)]
    change(at, steps[-1])
    return value


def _slot(value: Any, step: Step) -> Any:
    if isinstance(step, Match):
        return next(
            index
            for index, item in enumerate(value)
            if (isinstance(item, dict) and str(item.get(step.key)) == step.value)
            or (not step.key and str(item) == step.value)
        )
    return step


# ---- the edits


def get_value(text: str, path: Path = "", doc: int | None = None) -> Any:
    """The value at a path as plain Python values, typed as kubectl types it, aliases and merge keys resolved.

    Raises Missing when it is not there, Refused when the document cannot be read.
    """
    return Session(text, doc).value(path)


def position(
    text: str, path: Path = "", doc: int | None = None, of: Literal["key", "value"] = "key", nearest: bool = False
) -> tuple[int, int]:
    """(line, column), both from 1, of what a path names: see `Session.position`."""
    return Session(text, doc).position(path, of, nearest)


def set_value(
    text: str, path: Path, value: Any, doc: int | None = None, *, shared: Sharing = "ask", create: bool = True
) -> Edited:
    """Sets what a path names. What is already so changes no byte; a collection is changed only where it differs.

    With `create`, keys (and, for `[key=value]`, list items) that are missing are inserted at their natural place.
    Raises Missing (without `create`), Shared, Refused.
    """
    steps = parse(path)
    session = Session(text, doc)
    try:
        found = session.find(steps)
    except Missing as error:
        if not create:
            raise
        return _create(session, steps, error.depth, value, shared)
    old = session.value(steps)
    if yamlvalue.same(old, value):
        return Edited(text)
    if shared == "here" and (done := _here(session, found, lambda whole, rest: _assign(whole, rest, value))):
        return done
    _guard(session, found, shared)
    if type(old) is type(value) and isinstance(value, dict | list) and old and value:
        adapted = _adapt(text, steps, old, value, session.chunk.index, shared)
        if adapted is not None:
            return Edited.between(text, adapted)
    return session.commit(plans.put(session.tree, found, value, session.layout()), session.tree.start(found.node))


def replace(text: str, path: Path, value: Any, doc: int | None = None, *, shared: Sharing = "ask") -> Edited:
    """Writes a subtree anew, whatever it held, comments in it included. Raises Missing, Shared, Refused."""
    session = Session(text, doc)
    found = session.find(path)
    if yamlvalue.same(session.tree.value(found.node), value):
        return Edited(text)
    if shared == "here" and (done := _here(session, found, lambda whole, rest: _assign(whole, rest, value))):
        return done
    _guard(session, found, shared)
    return session.commit(plans.put(session.tree, found, value, session.layout()), session.tree.start(found.node))


def _assign(whole: Any, rest: tuple[Step, ...], value: Any) -> Any:
    if not rest:
        return value

    def change(at: Any, step: Step) -> None:
        at[_slot(at, step)] = value

    return _within(whole, rest, change)


def _create(session: Session, steps: tuple[Step, ...], depth: int, value: Any, shared: Sharing) -> Edited:
    """Inserts what is missing of a path, from the step number `depth` on."""
    for step in reversed(steps[depth + 1 :]):
        if isinstance(step, int):
            raise session.moved(Refused(f"{format_path(steps)}: a list that is not there has no item {step}"))
        value = {step: value} if isinstance(step, str) else [_made(step, value)]
    step = steps[depth]
    holder = steps[:depth]
    if isinstance(step, str):
        return _insert_key(session, (*holder, step), value, None, shared)
    if isinstance(step, Match):
        return _insert_item(session, holder, None, _made(step, value), shared)
    raise Missing(f"{format_path(steps[: depth + 1])} does not exist", *session.position(holder))


def _made(step: Match, value: Any) -> Any:
    """A new list item that `step` would find."""
    if not step.key:
        return step.value
    return {step.key: step.value, **value} if isinstance(value, dict) else {step.key: step.value}


def insert_key(
    text: str,
    path: Path,
    value: Any,
    doc: int | None = None,
    *,
    before: str | None = None,
    after: str | None = None,
    shared: Sharing = "ask",
) -> Edited:
    """Inserts a key that is not there yet: before or after the named sibling, else at its natural place.

    Raises Refused when the key exists, Missing when its parent does not.
    """
    beside = (before, False) if before is not None else (after, True) if after is not None else None
    return _insert_key(Session(text, doc), parse(path), value, beside, shared)


def _insert_key(
    session: Session, steps: tuple[Step, ...], value: Any, beside: tuple[str, bool] | None, shared: Sharing
) -> Edited:
    holder, key = plans.parent_steps(steps), steps[-1]
    found = session.find(holder)
    tree = session.tree
    if not isinstance(key, str):
        raise Refused(f"{format_path(steps)} does not end in a key")
    if tree.is_map(found.node) and any(tree.key_text(name) == key for name, _ in tree.pairs(found.node)):
        raise session.moved(tree.refuse(f"the key {key!r} exists already", tree.start(found.node)))
    if shared == "here" and (done := _here(session, found, lambda w, rest: _assign(w, (*rest, key), value))):
        return done
    _guard(session, found, shared)
    return _insert(session, found, key, value, beside)


def _insert(session: Session, found: Found, key: str, value: Any, beside: tuple[str, bool] | None) -> Edited:
    tree, node, how = session.tree, found.node, session.layout()
    offset = tree.start(node)
    if tree.is_null(node) or (tree.is_map(node) and tree.ends[node] == node + 1):
        return session.commit(plans.put(tree, found, {key: value}, how), offset)
    if not tree.is_map(node):
        raise session.moved(tree.refuse(f"{format_path(found.steps) or 'the document'} is no mapping", offset))
    names = [tree.key_text(name) or "" for name, _ in tree.pairs(node)]
    if beside is None:
        index = natural(names, key)
    elif beside[0] in names:
        index = names.index(beside[0]) + beside[1]
    else:
        raise Missing(f"there is no key {beside[0]!r} to stand beside", *session.place_of(found))
    return session.commit(plans.add_key(tree, node, index, key, value, how), offset)


def append_item(text: str, path: Path, value: Any, doc: int | None = None, *, shared: Sharing = "ask") -> Edited:
    """Adds an item at the end of the list that a path names (an empty value becomes a list).

    Raises Missing, Shared, Refused.
    """
    return insert_item(text, path, None, value, doc, shared=shared)


def insert_item(
    text: str, path: Path, index: int | None, value: Any, doc: int | None = None, *, shared: Sharing = "ask"
) -> Edited:
    """Inserts an item before the item number `index` (negative from the end, None at the end) of a list."""
    return _insert_item(Session(text, doc), parse(path), index, value, shared)


def _insert_item(session: Session, steps: tuple[Step, ...], index: int | None, value: Any, shared: Sharing) -> Edited:
    found = session.find(steps)
    tree, node = session.tree, found.node
    offset = tree.start(node)
    if not tree.is_list(node) and not tree.is_null(node):
        raise session.moved(tree.refuse(f"{format_path(found.steps) or 'the document'} is no list", offset))
    items = list(tree.items(node)) if tree.is_list(node) else []
    at = len(items) if index is None else index
    if not -len(items) <= at <= len(items):
        raise Missing(f"{format_path(found.steps)} has {len(items)} items", *session.place_of(found))
    at += len(items) if at < 0 else 0

    def change(whole: Any, rest: tuple[Step, ...]) -> Any:
        target = whole
        for step in rest:
            target = target[_slot(target, step)]
        target.insert(at, value)
        return whole

    if shared == "here" and (done := _here(session, found, change)):
        return done
    _guard(session, found, shared)
    if not items:
        return session.commit(plans.put(tree, found, [value], session.layout()), offset)
    return session.commit(plans.add_item(tree, node, at, value, session.layout()), offset)


def delete(text: str, path: Path, doc: int | None = None, *, shared: Sharing = "ask") -> Edited:
    """Deletes a key with its value, or a list item; what gets empty becomes `{}` or `[]`.

    Comments on lines of their own above it stay. Raises Missing, Shared, Refused.
    """
    steps = parse(path)
    holder = plans.parent_steps(steps)
    session = Session(text, doc)
    found = session.find(steps)
    above = session.find(holder)
    tree = session.tree
    through = above if above.alias >= 0 or above.anchors else found if found.merged else above

    def change(whole: Any, rest: tuple[Step, ...]) -> Any:
        def cut(at: Any, step: Step) -> None:
            del at[_slot(at, step)]

        return _within(whole, (*rest, *steps[len(holder) :]), cut)

    if shared == "here" and above.alias >= 0 and (done := _here(session, above, change)):
        return done
    _guard(session, through, shared)
    room = above if found.parent == above.node else Found(found.parent)
    return session.commit(
        plans.remove(tree, found, session.layout(), room if holder else None),
        tree.start(max(found.key, 0) or found.node),
    )


def rename_key(text: str, path: Path, key: str, doc: int | None = None, *, shared: Sharing = "ask") -> Edited:
    """Gives the key that a path names another name, its value and place kept.

    Raises Missing, Shared, Refused (also when that name is taken).
    """
    session = Session(text, doc)
    found = session.find(path)
    tree = session.tree
    if found.key < 0:
        raise Refused(f"{format_path(found.steps)} does not end in a key", *session.place_of(found))
    if tree.key_text(found.key) == key:
        return Edited(text)
    if any(tree.key_text(name) == key for name, _ in tree.pairs(found.parent)):
        raise session.moved(tree.refuse(f"the key {key!r} exists already", tree.start(found.key)))
    holder = session.find(found.steps[:-1])
    _guard(session, found if found.merged else holder, shared)
    return session.commit(plans.rename(tree, found, key, session.layout()), tree.start(found.key))


# ---- a collection that differs in parts


def _adapt(text: str, steps: tuple[Step, ...], old: Any, new: Any, doc: int, shared: Sharing) -> str | None:
    """The text with only the differing parts of a collection changed; None when it is better written anew."""
    edits = list(_differences(old, new, steps))
    if len(edits) > MOST_STEPS:
        return None
    try:
        for word, where, value in edits:
            if word == "set":
                text = set_value(text, where, value, doc, shared=shared, create=False).text
            elif word == "replace":
                text = replace(text, where, value, doc, shared=shared).text
            elif word == "delete":
                text = delete(text, where, doc, shared=shared).text
            elif isinstance(where[-1], int):
                text = insert_item(text, where[:-1], where[-1], value, doc, shared=shared).text
            else:
                text = insert_key(text, where, value, doc, shared=shared).text
        result = get_value(text, steps, doc)
    except Refused:
        return None
    return text if yamlvalue.same(result, new) else None


def _differences(old: Any, new: Any, steps: tuple[Step, ...]) -> Iterator[tuple[str, tuple[Step, ...], Any]]:
    """The edits, in an order in which they can be made, that turn one collection into the other."""
    if yamlvalue.same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        for key in old.keys() & new.keys():
            yield from _differences(old[key], new[key], (*steps, key))
        yield from (("insert", (*steps, key), new[key]) for key in new if key not in old)
        yield from (("delete", (*steps, key), None) for key in old if key not in new)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _list_differences(old, new, steps)
    else:
        yield "replace", steps, new


def _list_differences(
    old: list[Any], new: list[Any], steps: tuple[Step, ...]
) -> Iterator[tuple[str, tuple[Step, ...], Any]]:
    left, right = ([msgspec.json.encode(item) for item in side] for side in (old, new))
    blocks = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    for word, i, j, k, m in reversed(blocks):  # from the end, so that indexes stay right
        if word == "equal":
            continue
        both = min(j - i, m - k)
        yield from (("insert", (*steps, i + both), new[at]) for at in range(m - 1, k + both - 1, -1))
        yield from (("delete", (*steps, at), None) for at in range(j - 1, i + both - 1, -1))
        for at in range(both):
            yield from _differences(old[i + at], new[k + at], (*steps, i + at))
