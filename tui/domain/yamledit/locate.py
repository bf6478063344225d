"""Where a path leads in a parsed document, and what it passes on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.domain.yamledit.errors import Missing
from tui.domain.yamledit.path import Match, Step, format_path
from tui.domain.yamledit.split import place
from tui.domain.yamledit.tree import Tree


@dataclass(slots=True)
class Found:
    """Where a path leads: the node, the key that names it (-1 for items and the root), the collection around it.

    `anchors` are the anchored nodes it passed that have aliases; `alias` the first alias or merge on the way, or -1.
    """

    node: int
    key: int = -1
    parent: int = -1
    steps: tuple[Step, ...] = ()
    anchors: list[int] = field(default_factory=list)
    alias: int = -1
    merged: bool = False
    holder: tuple[int, int, int, int] = (-1, -1, -1, 0)  # node, key, parent of the alias; steps used up to it


def locate(tree: Tree, steps: tuple[Step, ...]) -> Found:
    """Follows a path. Raises Missing at the place where it breaks off, Refused when it is ambiguous."""
    found = Found(tree.root)
    for number, step in enumerate(steps):
        _enter(tree, found, number)
        _step(tree, found, step, steps, number)
    if tree.is_alias(found.node) and found.alias < 0:
        found.alias = found.node
        found.holder = (found.node, found.key, found.parent, len(steps))
    elif tree.events[found.node].anchor is not None and tree.users(found.node):
        found.anchors.append(found.node)
    found.steps = steps
    return found


def _enter(tree: Tree, found: Found, number: int) -> None:
    node = found.node
    if tree.is_alias(node):
        if found.alias < 0:
            found.alias = node
            found.holder = (node, found.key, found.parent, number)
        found.node = tree.target(node)
    if tree.events[found.node].anchor is not None and tree.users(found.node):
        found.anchors.append(found.node)


def _step(tree: Tree, found: Found, step: Step, steps: tuple[Step, ...], number: int) -> None:
    node = found.node
    if isinstance(step, str):
        if not tree.is_map(node):
            raise _missing(tree, steps, number, node, f"{_word(tree, node)} has no keys")
        _step_key(tree, found, step, steps, number)
        return
    if not tree.is_list(node):
        raise _missing(tree, steps, number, node, f"{_word(tree, node)} has no items")
    items = list(tree.items(node))
    if isinstance(step, int):
        if not -len(items) <= step < len(items):
            raise _missing(tree, steps, number, node, f"the list has {len(items)} items")
        chosen = items[step]
    else:
        hits = [item for item in items if _matches(tree, item, step)]
        if not hits:
            raise _missing(tree, steps, number, node, "no item of the list matches")
        if len(hits) > 1:
            offset = tree.start(hits[1])
            raise tree.refuse(f"{format_path(steps[: number + 1])} matches {len(hits)} items", offset)
        chosen = hits[0]
    found.parent, found.key, found.node = node, -1, chosen


def _step_key(tree: Tree, found: Found, name: str, steps: tuple[Step, ...], number: int) -> None:
    node = found.node
    hits = [(key, value) for key, value in tree.pairs(node) if tree.key_text(key) == name]
    if len(hits) > 1:
        raise tree.refuse(f"the key {name!r} stands here twice", tree.start(hits[1][0]))
    if hits:
        found.parent, (found.key, found.node) = node, hits[0]
        return
    for key, value in tree.pairs(node):
        if not tree.is_merge(key):
            continue
        for source in tree.merges(value):
            inner = Found(source)
            try:
                _step_key(tree, inner, name, steps, number)
            except Missing:
                continue
            if found.alias < 0:
                found.alias, found.merged = value, True
                found.holder = (node, found.key, found.parent, number)
            found.parent, found.key, found.node = inner.parent, inner.key, inner.node
            if tree.users(source):
                found.anchors.append(source)
            return
    raise _missing(tree, steps, number, node, "no such key")


def _matches(tree: Tree, item: int, step: Match) -> bool:
    node = tree.target(item) if tree.is_alias(item) else item
    if not step.key:
        return tree.is_scalar(node) and tree.events[node].value == step.value
    if not tree.is_map(node):
        return False
    for key, value in tree.pairs(node):
        if tree.key_text(key) == step.key:
            value = tree.target(value) if tree.is_alias(value) else value
            return tree.is_scalar(value) and tree.events[value].value == step.value
    return False


def _word(tree: Tree, node: int) -> str:
    if tree.is_map(node):
        return "a mapping"
    if tree.is_list(node):
        return "a list"
    return "an empty value" if tree.is_null(node) else "a scalar"


def _missing(tree: Tree, steps: tuple[Step, ...], number: int, node: int, why: str) -> Missing:
    where = format_path(steps[: number + 1])
    missing = Missing(f"{where} does not exist: {why}", *place(tree.source, tree.start(node)))
    missing.depth = number
    return missing
