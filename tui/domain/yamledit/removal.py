"""How a key or item can be taken away, best way first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tui.domain.yamledit.insertion import dashes, explicit_keys
from tui.domain.yamledit.locate import Found
from tui.domain.yamledit.plans import after, from_block, keep
from tui.domain.yamledit.render import Layout
from tui.domain.yamledit.tree import Tree
from tui.domain.yamledit.verify import Plan, Shape


def remove(tree: Tree, found: Found, how: Layout, holder: Found) -> Iterator[Plan]:
    """Ways to delete a pair or an item. `holder` is the collection's own place, in case it gets empty."""
    parent, node = found.parent, found.node
    first = found.key if found.key >= 0 else node
    keep(tree, first - 1, tree.ends[node])
    entries: list[tuple[int, int]] = (
        list(tree.pairs(parent)) if tree.is_map(parent) else [(item, item) for item in tree.items(parent)]
    )
    if len(entries) == 1:
        yield from _emptied(tree, holder, how)
        return
    index = [entry[1] for entry in entries].index(node)
    model: list[tuple[int, int, list[Any]]] = [(first, tree.ends[node] + 1, [])]
    if tree.is_block(parent):
        if tree.is_map(parent):
            explicit_keys(tree, parent)
            offsets = [tree.start(key) for key, _ in entries]
        else:
            offsets = dashes(tree, parent, [item for item, _ in entries])
        yield from (Plan(changes, model) for changes in _cut_block(tree, node, offsets[index]))
    else:
        yield from (Plan(changes, model) for changes in _cut_flow(tree, entries, index))


def _emptied(tree: Tree, holder: Found, how: Layout) -> Iterator[Plan]:
    node = holder.node
    event = tree.events[node]
    text = "{}" if tree.is_map(node) else "[]"
    kinds = (event.__class__, tree.events[tree.ends[node]].__class__)
    model = [(node, tree.ends[node] + 1, [Shape(kinds[0], event.anchor), Shape(kinds[1])])]
    if event.tag is not None:
        raise tree.refuse("the emptied collection carries a tag", event.start_mark.index)
    if tree.is_block(node):
        yield Plan(from_block(tree, holder, text, how), model)
        return
    start, end = tree.start(node), tree.end(node)
    if tree.source[start : start + 1] not in ("{", "["):
        raise tree.refuse("a bare pair in a flow list cannot become empty", start)
    if any(line.lstrip().startswith("#") or " #" in line for line in _outside(tree, node)):
        raise tree.refuse("comments would be lost", start)
    yield Plan([(start, end, text)], model)


def _outside(tree: Tree, node: int) -> list[str]:
    """The text of a flow collection between its scalars."""
    out, at = [], tree.start(node)
    for inner in range(node + 1, tree.ends[node]):
        if tree.is_scalar(inner) or tree.is_alias(inner):
            out.append(tree.source[at : tree.start(inner)])
            at = tree.end(inner)
    return [*out, tree.source[at : tree.end(node)]]


def _cut_block(tree: Tree, node: int, offset: int) -> Iterator[list[tuple[int, int, str]]]:
    line = tree.line_start(offset)
    stop, fresh = after(tree, node, offset - line, comments=tree.is_block(node))
    if tree.source[line:offset].strip():  # `- key: value`: the next key moves up beside the dash
        rest = stop
        while rest < len(tree.source) and tree.source[rest].isspace():
            rest += 1
        yield [(offset, rest, "")]
        return
    behind = stop if fresh else tree.next_line(stop)
    if fresh or behind > stop or line == 0:
        yield [(line, behind, "")]
    else:  # the last line of a text that does not end with a line break
        back = line - (2 if tree.source[line - 2 : line] == "\r\n" else 1)
        yield [(back, stop, "")]
        yield [(line, stop, "")]
    while behind < len(tree.source) and not tree.source[behind : tree.line_end(behind)].strip():
        behind = tree.next_line(behind)  # blank lines would go to a `|+` scalar above
    yield [(line, behind, "")]


def _cut_flow(tree: Tree, entries: list[tuple[int, int]], index: int) -> Iterator[list[tuple[int, int, str]]]:
    begins = [int(tree.events[first].start_mark.index) for first, _ in entries]
    ends = [tree.end(last) for _, last in entries]
    cuts = []
    if index > 0:
        cuts.append((ends[index - 1], begins[index], ends[index - 1], ends[index]))
    if index + 1 < len(entries):
        cuts.append((ends[index], begins[index + 1], begins[index], begins[index + 1]))
    for gap, stop, start, end in cuts:
        if "#" not in tree.source[gap:stop]:
            yield [(start, end, "")]
            return
    line, stop = tree.line_start(begins[index]), tree.line_end(ends[index])
    behind = tree.source[ends[index] : stop].lstrip().removeprefix(",").lstrip()
    if not tree.source[line : begins[index]].strip() and (not behind or behind.startswith("#")):
        yield [(line, tree.next_line(stop), "")]  # alone on its line, its comment too; the comma before it may stay
    raise tree.refuse("a comment would be lost", begins[index])
