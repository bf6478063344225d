"""How an entry of a block collection can change places with its siblings, its comments and its spelling kept."""

from __future__ import annotations

from collections.abc import Iterator

from tui.domain.yamledit.insertion import dashes, explicit_keys
from tui.domain.yamledit.locate import Found
from tui.domain.yamledit.plans import after
from tui.domain.yamledit.render import Layout
from tui.domain.yamledit.tree import Tree
from tui.domain.yamledit.verify import Plan


def entries(tree: Tree, parent: int) -> list[tuple[int, int]]:
    """(first node, last node) of every entry: key and value, or the item twice."""
    return list(tree.pairs(parent)) if tree.is_map(parent) else [(item, item) for item in tree.items(parent)]


def reorder(tree: Tree, found: Found, index: int, how: Layout) -> Iterator[Plan]:
    """Ways to put an entry before the sibling number `index` (their count is the end), moving its lines as they are."""
    parent = found.parent
    parts = entries(tree, parent)
    here = [last for _, last in parts].index(found.node)
    first, last = parts[here]
    if any(
        tree.is_alias(node) or getattr(tree.events[node], "anchor", None) for node in range(first, tree.ends[last] + 1)
    ):
        raise tree.refuse("anchors and aliases depend on their order", tree.start(first))
    moved = tree.events[first : tree.ends[last] + 1]
    target = parts[index][0] if index < len(parts) else tree.ends[parent]
    model = [(first, tree.ends[last] + 1, []), (target, target, moved)]
    if not tree.is_block(parent):
        raise tree.refuse("only block style entries can be moved as they are", tree.start(first))
    if tree.is_map(parent):
        explicit_keys(tree, parent)
        offsets = [tree.start(key) for key, _ in parts]
    else:
        offsets = dashes(tree, parent, [item for item, _ in parts])
    column = tree.column(offsets[0])
    if any(tree.source[tree.line_start(offset) : offset].strip() for offset in (offsets[here], offsets[0])):
        raise tree.refuse("the first entry stands beside a dash", offsets[0])
    begin = _with_comments(tree, tree.line_start(offsets[here]), column)
    stop, fresh = after(tree, last, column)
    body = tree.source[begin:stop]
    if fresh:
        body = body[: -len(how.newline)] if body.endswith(how.newline) else body
    end = stop if fresh else tree.next_line(stop)
    cut = (begin, end, "")
    if end == stop and not fresh and begin:  # at the end of a text without a last line break
        cut = (begin - len(how.newline), stop, "")
    if index == 0:
        start = _with_comments(tree, tree.line_start(offsets[0]), column)
        yield Plan([cut, (start, start, body + how.newline)], model)
        return
    place, at_start = after(tree, parts[index - 1][1], column)
    yield Plan([cut, (place, place, body + how.newline if at_start else how.newline + body)], model)


def _with_comments(tree: Tree, line: int, column: int) -> int:
    """The start of the comment lines that stand directly above a line, as far in as it."""
    while line > 0:
        above = tree.line_start(line - (2 if tree.source[line - 2 : line] == "\r\n" else 1))
        text = tree.source[above:line]
        bare = text.lstrip(" ")
        if not bare.startswith("#") or len(text) - len(bare) != column:
            return line
        line = above
    return line
