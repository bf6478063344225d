"""Where a path leads in a parsed document, and what it passes on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.domain.yamledit.errors import Missing
from tui.domain.yamledit.path import Match, Step, format_path
from tui.domain.yamledit.split import place
from tui.domain.yamledit.tree import MAX_VALUES, Tree


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


def owner(tree: Tree, node: int) -> Found:
    """The place of any node, as a path would find it, without steps."""
    found = Found(tree.root)
    while found.node != node:
        inside = found.node
        for key, child in tree.pairs(inside) if tree.is_map(inside) else ((-1, item) for item in tree.items(inside)):
            if child <= node <= tree.ends[child]:
                found = Found(child, key, inside)
                break
        else:
            raise tree.refuse("the anchor stands in a key", int(tree.events[node].start_mark.index))
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
    pair = _own_pair(tree, node, name)
    if pair is not None:
        found.parent, (found.key, found.node) = node, pair
        return
    for key, value in tree.pairs(node):
        if not tree.is_merge(key):
            continue
        chain = _merged(tree, value, name)
        if chain:
            if found.alias < 0:
                found.alias, found.merged = value, True
                found.holder = (node, found.key, found.parent, number)
            found.parent, (found.key, found.node) = chain[-1], _own_pair(tree, chain[-1], name) or (-1, -1)
            found.anchors += [source for source in chain if tree.users(source)]
            return
    raise _missing(tree, steps, number, node, "no such key")


def _own_pair(tree: Tree, node: int, name: str) -> tuple[int, int] | None:
    """The (key, value) that a mapping itself holds. Raises Refused when the key stands there twice."""
    hits = tree.named(node).get(name, ())
    if len(hits) > 1:
        raise tree.refuse(f"the key {name!r} stands here twice", tree.start(hits[1][0]))
    return hits[0] if hits else None


def _merged(tree: Tree, value: int, name: str) -> list[int]:
    """The mappings that lead from the value of a `<<` to the one that holds the key; [] when none does.

    Each mapping is looked into once, however often it is merged.
    """
    seen: set[int] = set()
    stack = [[source] for source in reversed(tree.merges(value))]
    while stack:
        chain = stack.pop()
        source = chain[-1]
        if source in seen:
            continue
        seen.add(source)
        if _own_pair(tree, source, name):
            return chain
        for key, inner in tree.pairs(source):
            if tree.is_merge(key):
                stack += [[*chain, further] for further in reversed(tree.merges(inner))]
                if len(stack) * len(chain) > MAX_VALUES:
                    raise tree.refuse("too many merges", tree.start(key))
    return []


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
