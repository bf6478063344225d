"""How a new key or item can be written into a collection that has some already, best way first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tui.domain import yamlvalue
from tui.domain.yamledit import plans, render
from tui.domain.yamledit.errors import Missing
from tui.domain.yamledit.locate import Found
from tui.domain.yamledit.path import format_path
from tui.domain.yamledit.place import natural
from tui.domain.yamledit.plans import after
from tui.domain.yamledit.render import Layout
from tui.domain.yamledit.session import Edited, Session
from tui.domain.yamledit.tree import Tree
from tui.domain.yamledit.verify import Plan, Want, tokens


def _style_beside(tree: Tree, nodes: list[int]) -> str | None:
    """The quotes of neighbouring strings, when they all have the same and not only where they must."""
    strings = [tree.events[node] for node in nodes if tree.is_scalar(node) and isinstance(tree.scalar(node), str)]
    styles = {string.style for string in strings}
    if len(styles) != 1 or not styles <= {"'", '"'} or not any(yamlvalue.plain(part.value, True) for part in strings):
        return None
    style: str = styles.pop()
    return style


def add_key(tree: Tree, node: int, index: int, key: str, value: Any, how: Layout) -> Iterator[Plan]:
    """Ways to insert `key: value` before the pair number `index` of a mapping that has pairs."""
    pairs = list(tree.pairs(node))
    at = tree.ends[node] if index == len(pairs) else pairs[index][0]
    model = [(at, at, [Want(key), *tokens(value)])]
    if not tree.is_block(node):
        style = '"' if all(tree.events[name].style == '"' for name, _ in pairs) else ""
        name = render.inline(key, style, True, how)
        quote = _style_beside(tree, [part for _, part in pairs])
        text = f"{name}: {render.inline(value, quote, True, how)}"
        yield Plan(_add_flow(tree, node, index, [(k, v) for k, v in pairs], text, how), model)
        return
    explicit_keys(tree, node)
    column = tree.column(tree.start(pairs[0][0]))
    quote = _style_beside(tree, [part for _, part in pairs])
    parts = [(tree.start(name), last) for name, last in pairs]
    lines = render.pair(key, value, column, how)
    if quote and isinstance(value, str) and "\n" not in value:
        lines = [" " * column + render.scalar(key, "", False, how) + ": " + render.scalar(value, quote, False, how)]
    yield from _add_block(tree, index, parts, column, lines, how, model)
    text = f"{render.scalar(key, '', False, how)}: {render.inline(value, None, True, how)}"
    yield from _add_block(tree, index, parts, column, [" " * column + text], how, model)


def beside_dash(tree: Tree, node: int) -> bool:
    """Whether the first key of a block mapping shares its line with the dash of an item."""
    start = tree.start(node)
    return tree.is_block(node) and bool(tree.source[tree.line_start(start) : start].strip())


def explicit_keys(tree: Tree, node: int) -> None:
    """Raises Refused for a mapping written with `? key` lines."""
    for key, _ in tree.pairs(node):
        if tree.source[: tree.start(key)].rstrip().endswith("?"):
            raise tree.refuse("the mapping is written with explicit `?` keys", tree.start(key))
        return


def add_item(tree: Tree, node: int, index: int, value: Any, how: Layout) -> Iterator[Plan]:
    """Ways to insert an item before the item number `index` of a list that has items."""
    items = list(tree.items(node))
    at = tree.ends[node] if index == len(items) else items[index]
    model = [(at, at, tokens(value))]
    quote = _style_beside(tree, items)
    if not tree.is_block(node):
        text = render.inline(value, quote, True, how)
        yield Plan(_add_flow(tree, node, index, [(item, item) for item in items], text, how), model)
        return
    marks = dashes(tree, node, items)
    column = tree.column(marks[0])
    lines = render.block([value], column, how)
    if quote and isinstance(value, str) and "\n" not in value:
        lines = [" " * column + "- " + render.scalar(value, quote, False, how)]
    parts = list(zip(marks, items, strict=True))
    yield from _add_block(tree, index, parts, column, lines, how, model)
    text = " " * column + "- " + render.inline(value, None, True, how)
    yield from _add_block(tree, index, parts, column, [text], how, model)


def dashes(tree: Tree, node: int, items: list[int]) -> list[int]:
    out = [tree.start(node)]
    for item in items[:-1]:
        out.append(tree.gap(tree.end(item)))
    return out


def _add_block(
    tree: Tree,
    index: int,
    parts: list[tuple[int, int]],
    column: int,
    lines: list[str],
    how: Layout,
    model: list[tuple[int, int, list[Any]]],
) -> Iterator[Plan]:
    """`parts` are (offset of key or dash, last node) of each entry."""
    if index == 0:
        start = parts[0][0]
        text = how.newline.join(lines).lstrip(" ") + how.newline + " " * column
        yield Plan([(start, start, text)], model)
        return
    stop, fresh = after(tree, parts[index - 1][1], column)
    body = how.newline.join(lines)
    yield Plan([(stop, stop, body + how.newline if fresh else how.newline + body)], model)
    if not fresh and stop == len(tree.source):  # a block scalar at the end may need the line break that is not there
        yield Plan([(stop, stop, how.newline + body + how.newline)], model)


def _add_flow(
    tree: Tree, node: int, index: int, parts: list[tuple[int, int]], text: str, how: Layout
) -> list[tuple[int, int, str]]:
    """`parts` are (first node, last node) of each entry."""
    source = tree.source
    if source[tree.start(node) : tree.start(node) + 1] not in ("{", "["):
        raise tree.refuse("a bare pair in a flow list cannot take another key", tree.start(node))
    starts = [tree.start(first) for first, _ in parts]
    own_lines = all(not source[tree.line_start(start) : start].strip() for start in starts)
    if index == 0:
        lead = how.newline + source[tree.line_start(starts[0]) : starts[0]] if own_lines else " "
        return [(starts[0], starts[0], f"{text},{lead}")]
    end = tree.end(parts[index - 1][1])
    following = tree.gap(end)
    comma = source[following : following + 1] == ","
    line = tree.line_end(end)
    next_start = starts[index] if index < len(parts) else tree.end(node) - 1
    if own_lines and next_start > line:
        pad = source[tree.line_start(starts[index - 1]) : starts[index - 1]]
        if comma and following < line:
            return [(line, line, f"{how.newline}{pad}{text},")]
        if not comma:
            return [(end, end, ","), (line, line, f"{how.newline}{pad}{text}")]
    return [(end, end, f", {text}")]


def insert(session: Session, found: Found, key: str, value: Any, beside: tuple[str, bool] | None) -> Edited:
    """Inserts a key into the mapping, or empty value, at `found`; `beside`: a sibling, and whether behind it."""
    tree, node, how = session.tree, found.node, session.layout()
    offset = tree.start(node)
    if tree.is_null(node) or (tree.is_map(node) and tree.ends[node] == node + 1):
        return session.commit(plans.put(tree, found, {key: value}, how), offset)
    if not tree.is_map(node):
        raise session.moved(tree.refuse(f"{format_path(found.steps) or 'the document'} is no mapping", offset))
    names = [tree.key_text(name) or "" for name, _ in tree.pairs(node)]
    if beside is None:
        index = natural(names, key, not beside_dash(tree, node))
    elif beside[0] in names:
        index = names.index(beside[0]) + beside[1]
    else:
        raise Missing(f"there is no key {beside[0]!r} to stand beside", *session.place_of(found))
    return session.commit(add_key(tree, node, index, key, value, how), offset)
