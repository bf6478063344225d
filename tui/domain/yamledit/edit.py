"""The edits: each takes a file's text and gives it back with one change, proven, or raises and changes nothing."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from tui.domain import yamlvalue
from tui.domain.yamledit import plans
from tui.domain.yamledit.differ import differences
from tui.domain.yamledit.errors import Missing, Refused, Shared
from tui.domain.yamledit.insertion import add_item, insert
from tui.domain.yamledit.locate import owner
from tui.domain.yamledit.moving import entries, reorder
from tui.domain.yamledit.path import Match, Path, Step, format_path, parse, split_assignment
from tui.domain.yamledit.removal import remove
from tui.domain.yamledit.render import nameable, writable
from tui.domain.yamledit.session import Edited, Session
from tui.domain.yamledit.sharing import Sharing, content, guard, here, slot, within
from tui.domain.yamledit.together import Small, together

MOST_STEPS = 500
"""Small edits that one `set_value` of a collection may be made of before the collection is written anew."""

MOST_PARSES = 32
"""Small edits that are made one after the other, each with a parse of its own, where they cannot be made at once."""


def get_value(text: str, path: Path = "", doc: int | None = None) -> Any:
    """The value at a path as plain Python values, typed as kubectl types it, aliases and merge keys resolved.

    Raises Missing when it is not there, Refused when the document cannot be read.
    """
    return Session(text, doc).value(path)


def read_value(text: str) -> Any:
    """A value as typed on a command line, read as YAML and typed as kubectl types it; "" is null.

    Raises Refused for what is no YAML, or more than one document.
    """
    return get_value(text) if text.strip() else None


def assignment(word: str) -> tuple[tuple[Step, ...], Any]:
    """`PATH=VALUE` as typed on a command line. Raises Refused when either part cannot be read."""
    path, value = split_assignment(word)
    return parse(path), read_value(value)


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
    writable(value)
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
    if shared == "here" and (done := here(session, found, lambda whole, rest: _assign(whole, rest, value))):
        return done
    found = content(session, found)
    guard(session, found, shared)
    if type(old) is type(value) and isinstance(value, dict | list) and old and value:
        adapted = _adapt(session, steps, old, value, shared)
        if adapted is not None:
            return adapted
    return session.commit(plans.put(session.tree, found, value, session.layout()), session.tree.start(found.node))


def replace(text: str, path: Path, value: Any, doc: int | None = None, *, shared: Sharing = "ask") -> Edited:
    """Writes a subtree anew, whatever it held, comments in it included. Raises Missing, Shared, Refused."""
    writable(value)
    session = Session(text, doc)
    found = session.find(path)
    if yamlvalue.same(session.tree.value(found.node), value):
        return Edited(text)
    if shared == "here" and (done := here(session, found, lambda whole, rest: _assign(whole, rest, value))):
        return done
    found = content(session, found)
    guard(session, found, shared)
    return session.commit(plans.put(session.tree, found, value, session.layout()), session.tree.start(found.node))


def _assign(whole: Any, rest: tuple[Step, ...], value: Any) -> Any:
    if not rest:
        return value

    def change(at: Any, step: Step) -> None:
        at[slot(at, step)] = value

    return within(whole, rest, change)


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
    writable(value)
    holder, key = plans.parent_steps(steps), steps[-1]
    found = content(session, session.find(holder))
    tree = session.tree
    if not isinstance(key, str):
        raise Refused(f"{format_path(steps)} does not end in a key")
    nameable(key)
    if tree.is_map(found.node) and any(tree.key_text(name) == key for name, _ in tree.pairs(found.node)):
        raise session.moved(tree.refuse(f"the key {key!r} exists already", tree.start(found.node)))
    if shared == "here" and (done := here(session, found, lambda w, rest: _assign(w, (*rest, key), value))):
        return done
    guard(session, found, shared)
    return insert(session, found, key, value, beside)


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
    writable(value)
    found = content(session, session.find(steps))
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
            target = target[slot(target, step)]
        target.insert(at, value)
        return whole

    if shared == "here" and (done := here(session, found, change)):
        return done
    guard(session, found, shared)
    if not items:
        return session.commit(plans.put(tree, found, [value], session.layout()), offset)
    return session.commit(add_item(tree, node, at, value, session.layout()), offset)


def delete(text: str, path: Path, doc: int | None = None, *, shared: Sharing = "ask") -> Edited:
    """Deletes a key with its value, or a list item; what gets empty becomes `{}` or `[]`.

    Comments on lines of their own above it stay. Raises Missing, Shared, Refused.
    """
    steps = parse(path)
    holder = plans.parent_steps(steps)
    session = Session(text, doc)
    found = session.find(steps)
    above = content(session, session.find(holder))
    tree = session.tree
    through = above if above.alias >= 0 or above.anchors else found if found.merged else above

    def change(whole: Any, rest: tuple[Step, ...]) -> Any:
        def cut(at: Any, step: Step) -> None:
            del at[slot(at, step)]

        return within(whole, (*rest, *steps[len(holder) :]), cut)

    if shared == "here" and above.alias >= 0 and (done := here(session, above, change)):
        return done
    guard(session, through, shared)
    room = above if found.parent == above.node else owner(tree, found.parent)
    return session.commit(
        remove(tree, found, session.layout(), room),
        tree.start(max(found.key, 0) or found.node),
    )


def rename_key(text: str, path: Path, key: str, doc: int | None = None, *, shared: Sharing = "ask") -> Edited:
    """Gives the key that a path names another name, its value and place kept.

    Raises Missing, Shared, Refused (also when that name is taken).
    """
    nameable(key)
    session = Session(text, doc)
    found = session.find(path)
    tree = session.tree
    if found.key < 0:
        raise Refused(f"{format_path(found.steps)} does not end in a key", *session.place_of(found))
    if tree.key_text(found.key) == key:
        return Edited(text)
    if any(tree.key_text(name) == key for name, _ in tree.pairs(found.parent)):
        raise session.moved(tree.refuse(f"the key {key!r} exists already", tree.start(found.key)))
    holder = content(session, session.find(found.steps[:-1]))
    guard(session, found if found.merged else holder, shared)
    return session.commit(plans.rename(tree, found, key, session.layout()), tree.start(found.key))


def move(
    text: str,
    path: Path,
    doc: int | None = None,
    *,
    before: Step | None = None,
    after: Step | None = None,
    to: Path | None = None,
    shared: Sharing = "ask",
) -> Edited:
    """Moves a key or item: before or after a sibling (a key, a number or a Match), or to another place of the document.

    Beside a sibling its lines move as they are, with the comments directly above. `to` names a key that does not exist
    yet, or a list to append to; there the value is written anew, and comments in it are refused.
    Raises Missing, Shared, Refused.
    """
    steps = parse(path)
    session = Session(text, doc)
    found = session.find(steps)
    if to is not None:
        return _relocate(session, steps, parse(to), shared)
    holder = plans.parent_steps(steps)
    sibling = before if before is not None else after
    if sibling is None:
        raise Refused("say before or after which sibling, or where to")
    above = content(session, session.find(holder))
    guard(session, found if found.merged else above, shared)
    other = session.find((*holder, sibling))
    if other.parent != found.parent:
        raise session.moved(session.tree.refuse("only one of the two comes from <<", session.tree.start(found.node)))
    siblings = [last for _, last in entries(session.tree, found.parent)]
    here_, index = siblings.index(found.node), siblings.index(other.node) + (before is None)
    if index in (here_, here_ + 1):
        return Edited(text)
    plan = reorder(session.tree, found, index, session.layout())
    return session.commit(plan, session.tree.start(found.node))


def _relocate(session: Session, steps: tuple[Step, ...], target: tuple[Step, ...], shared: Sharing) -> Edited:
    if target[: len(steps)] == steps:
        raise Refused("a value cannot be moved into itself")
    found, tree, doc = session.find(steps), session.tree, session.chunk.index
    source = tree.source[tree.start(found.node) : tree.end(found.node)]
    if "#" in source and any(line.lstrip().startswith("#") or " #" in line for line in source.splitlines()):
        raise session.moved(tree.refuse("comments in it would be lost", tree.start(found.node)))
    value = session.value(steps)
    if session.has(target):
        whole = append_item(session.text, target, value, doc, shared=shared)
    else:
        whole = set_value(session.text, target, value, doc, shared=shared)
    return Edited.between(session.text, delete(whole.text, _anchored(session, steps), doc, shared=shared).text)


def _anchored(session: Session, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The path with numbers counted from the front, so that what is added behind does not change what they mean."""
    out: list[Step] = []
    for step in steps:
        if isinstance(step, int) and step < 0:
            node = content(session, session.find(tuple(out))).node
            step += len(list(session.tree.items(node)))
        out.append(step)
    return tuple(out)


def _adapt(session: Session, steps: tuple[Step, ...], old: Any, new: Any, shared: Sharing) -> Edited | None:
    """The edit that changes only the differing parts of a collection; None when it is better written anew.

    Raises Shared when a differing part is used elsewhere and the caller has not said what it means.
    """
    edits = list(islice(differences(old, new, steps), MOST_STEPS + 1))
    if len(edits) > MOST_STEPS:
        return None
    try:
        done = together(session, steps, edits, new, shared) if len(edits) > 1 else None
    except Shared:
        if shared == "ask":
            raise
        done = None
    except Refused:
        done = None
    if done is None and len(edits) <= MOST_PARSES:
        done = _one_by_one(session, steps, edits, new, shared)
    return done


def _one_by_one(
    session: Session, steps: tuple[Step, ...], edits: list[Small], new: Any, shared: Sharing
) -> Edited | None:
    text, doc = session.text, session.chunk.index
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
    except Shared:
        if shared == "ask":
            raise
        return None
    except Refused:
        return None
    return Edited.between(session.text, text) if yamlvalue.same(result, new) else None
