"""How each edit can be written, best way first. The first plan that proves itself is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tui.domain import yamlvalue
from tui.domain.yamledit import render
from tui.domain.yamledit.errors import Refused
from tui.domain.yamledit.locate import Found
from tui.domain.yamledit.path import Step
from tui.domain.yamledit.render import Layout
from tui.domain.yamledit.split import BREAK
from tui.domain.yamledit.tree import Tree
from tui.domain.yamledit.verify import Plan, Want, tokens


def put(tree: Tree, found: Found, value: Any, how: Layout) -> Iterator[Plan]:
    """Ways to give a node another value."""
    node = found.node
    event = tree.events[node]
    if event.tag is not None if not tree.is_alias(node) else False:
        raise tree.refuse(f"the value has the explicit tag {event.tag}", event.start_mark.index)
    anchor = None if tree.is_alias(node) else event.anchor
    full = isinstance(value, dict | list | tuple) and len(value) > 0
    keep(tree, node, tree.ends[node])
    model = [(node, tree.ends[node] + 1, tokens(value, anchor))]
    block = not how.json and (found.parent < 0 or tree.is_block(found.parent))
    flow_now = not tree.is_block(node) and not tree.is_scalar(node) and tree.ends[node] > node + 1
    if full and block and not flow_now:
        yield Plan(_to_block(tree, found, value, how), model)
    if tree.is_block(node):
        for text in _texts(tree, found, value, how, not block):
            yield Plan(from_block(tree, found, text, how), model)
        return
    if isinstance(value, str) and block and tree.is_scalar(node):
        yield from (Plan(changes, model) for changes in _to_block_scalar(tree, found, value, how))
    for text in _texts(tree, found, value, how, not block):
        yield Plan(_inline(tree, found, text), model)


def keep(tree: Tree, first: int, last: int) -> None:
    """Raises Refused when an alias outside these nodes stands for an anchor inside them."""
    for alias in tree.aliases:
        if not first <= alias <= last:
            target = tree.target(alias)
            if first < target <= last:
                offset = tree.events[target].start_mark.index
                raise tree.refuse(f"the anchor &{tree.events[target].anchor} in it is used elsewhere", offset)


def _texts(tree: Tree, found: Found, value: Any, how: Layout, flow: bool) -> list[str]:
    style = None
    if tree.is_scalar(found.node) and not tree.is_null(found.node):
        style = tree.events[found.node].style or ""
        if not isinstance(tree.scalar(found.node), str):
            style = None
    if isinstance(value, str) and not how.json:
        return _spellings(tree, found.node, value, style, flow, how, _values(tree))
    return [render.inline(value, style, flow, how)]


def _spellings(
    tree: Tree, node: int, text: str, style: str | None, flow: bool, how: Layout, peers: Iterable[int]
) -> list[str]:
    """Ways to write a string in the place of a scalar: in the quotes it has, at last in double quotes.

    Quotes that the old text needed and the new one does not go where none of its peers has quotes without a need.
    """
    texts = [render.scalar(text, style, flow, how), render.scalar(text, '"', flow, how)]
    if style in ("'", '"') and yamlvalue.plain(text, flow) and not yamlvalue.plain(tree.events[node].value, flow):
        quoted = (tree.events[peer] for peer in peers if peer != node and tree.is_scalar(peer))
        if not any(peer.style in ("'", '"') and yamlvalue.plain(peer.value, True) for peer in quoted):
            texts.insert(0, text)
    return list(dict.fromkeys(texts))


def _values(tree: Tree) -> Iterator[int]:
    """Every node of a document but its keys and its root."""
    for node in range(tree.root, len(tree.events)):
        if tree.is_map(node):
            yield from (value for _, value in tree.pairs(node))
        elif tree.is_list(node):
            yield from tree.items(node)


def base(tree: Tree, found: Found) -> int:
    """Column of the key, or of the dash, that the value belongs to; -1 for the root."""
    if found.key >= 0:
        return tree.column(int(tree.events[found.key].start_mark.index))
    return tree.column(tree.dash(found.parent, found.node)) if found.parent >= 0 else -1


def _head(tree: Tree, found: Found) -> int:
    """Offset behind the `:` or `-` that the value follows, and behind its anchor."""
    head = tree.start(found.node)
    if found.key >= 0:
        head = tree.colon(found.key)
        if head < 0:
            raise tree.refuse("the key has no value and no colon", tree.start(found.key))
    elif found.parent >= 0:
        head = tree.dash(found.parent, found.node) + 1
    event = tree.events[found.node]
    if not tree.is_alias(found.node) and event.anchor is not None:
        return int(event.start_mark.index) + len(event.anchor) + 1
    return head


def _inline(tree: Tree, found: Found, text: str) -> list[tuple[int, int, str]]:
    node = found.node
    start, end = tree.start(node), tree.end(node)
    if start == end:  # an empty value
        if found.key >= 0 and tree.colon(found.key) < 0:
            return [(tree.end(found.key), tree.end(found.key), f": {text}")]
        lead = "" if start == 0 or tree.source[start - 1].isspace() else " "
        return [(start, start, lead + text)]
    event = tree.events[node]
    if tree.is_scalar(node) and event.style in ("|", ">"):
        header = tree.source[start : tree.line_end(start)]
        mark = header.find("#")
        if mark > 0:
            text = f"{text} {header[mark:]}"
        if end > start and tree.source[end - 1] in BREAK:  # keeps its blank lines: leave the last break
            end -= 2 if tree.source[end - 2 : end] == "\r\n" else 1
    return [(start, end, text)]


def _to_block_scalar(tree: Tree, found: Found, value: str, how: Layout) -> Iterator[list[tuple[int, int, str]]]:
    style = tree.events[found.node].style
    if "\n" not in value or style in ("'", '"'):
        return
    column = max(base(tree, found), 0) if found.parent >= 0 else 0
    indent = column + (how.step if found.key >= 0 else 2)
    start, end = tree.start(found.node), tree.end(found.node)
    comment = ""
    if style in ("|", ">"):
        first = tree.next_line(start)
        while first < end and not tree.source[first : tree.line_end(first)].strip():
            first = tree.next_line(first)
        if first < end:
            line = tree.source[first : tree.line_end(first)]
            indent = len(line) - len(line.lstrip(" "))
            shown = tree.events[found.node].value.lstrip("\n")
            indent -= len(shown) - len(shown.lstrip(" "))
        header = tree.source[start : tree.line_end(start)]
        comment = header[len(header.split("#")[0].rstrip()) :] if "#" in header else ""
    stop = tree.line_end(end)
    if style not in ("|", ">"):
        comment = tree.source[end:stop].rstrip()
        if comment and not comment.lstrip().startswith("#"):
            return
    for shape in (style, "|") if style == ">" else ("|",):
        lines = render.block_scalar(value, shape, indent, column, comment)
        if lines is None:
            continue
        text = how.newline.join(lines)
        if style in ("|", ">"):
            changes = [(s, e, text) for s, e, _ in _inline(tree, found, "")]
        else:
            lead = " " if start == end and start and not tree.source[start - 1].isspace() else ""
            changes = [(start, stop, lead + text)]
        yield changes
        if stop == len(tree.source) and value.endswith("\n"):
            yield [(s, e, new + how.newline) for s, e, new in changes]


def after(tree: Tree, node: int, column: int, comments: bool = True) -> tuple[int, bool]:
    """Where the lines of a node stop: an offset, and whether it is the start of a line (else before a line break).

    Comment lines that stand further in than `column` belong to the node.
    """
    end = tree.end(node)
    if end and tree.source[end - 1] in BREAK:
        return end, True
    stop = tree.line_end(end)
    at = tree.next_line(end)
    while comments and at < len(tree.source):
        line = tree.source[at : tree.line_end(at)]
        bare = line.lstrip(" \t")
        if bare.startswith("#") and len(line) - len(bare) > column:
            stop = tree.line_end(at)
        elif bare.strip():
            break
        at = tree.next_line(at)
    return stop, False


def from_block(tree: Tree, found: Found, text: str, how: Layout) -> list[tuple[int, int, str]]:
    """A block collection becomes something on one line."""
    start = tree.start(found.node)
    stop, fresh = after(tree, found.node, max(base(tree, found), 0))
    if found.parent < 0:
        return [(start, stop, text + (how.newline if fresh else ""))]
    head = _head(tree, found)
    if tree.line_start(start) <= head:
        return [(start, stop, text + (how.newline if fresh else ""))]
    line = tree.line_end(head)
    if fresh:
        return [(head, head, " " + text), (tree.next_line(head), stop, "")]
    return [(head, head, " " + text), (line, stop, "")]


def _to_block(tree: Tree, found: Found, value: Any, how: Layout) -> list[tuple[int, int, str]]:
    """Anything becomes a block collection."""
    node = found.node
    start, end = tree.start(node), tree.end(node)
    column = base(tree, found)
    if found.key >= 0:
        indent = column + (how.step if isinstance(value, dict) else how.dash)
    elif found.parent >= 0:
        indent = column + 2
    else:
        indent = 0
    if tree.is_block(node):
        own = tree.column(start)
        same = tree.is_map(node) == isinstance(value, dict)
        on_head = found.parent >= 0 and tree.line_start(start) <= _head(tree, found)
        lines = render.block(value, own if same or on_head else indent, how)
        stop, fresh = after(tree, node, column)
        first = start if on_head else tree.line_start(start)
        text = how.newline.join(lines) + (how.newline if fresh else "")
        return [(first, stop, text.lstrip(" ") if on_head else text)]
    lines = render.block(value, indent, how)
    if found.parent < 0:
        lead = how.newline if tree.column(start) else ""
        return [(start, end, lead + how.newline.join(lines))]
    line = tree.line_end(end)
    if found.key < 0:
        lead = " " if start == end else ""
        rest = "".join(how.newline + part for part in lines[1:])
        return [(start, end, lead + lines[0].lstrip(" ")), (line, line, rest)]
    head = _head(tree, found)
    if tree.line_start(start) > head:  # the old value stands on a line of its own
        return [(tree.line_start(start), line, how.newline.join(lines))]
    blank = start
    while blank > head and tree.source[blank - 1] in " \t":
        blank -= 1
    return [(blank, end, ""), (line, line, "".join(how.newline + part for part in lines))]


def rename(tree: Tree, found: Found, key: str, how: Layout) -> Iterator[Plan]:
    """Ways to give a key another name."""
    event = tree.events[found.key]
    if event.anchor is not None or event.tag is not None:
        raise tree.refuse("the key carries an anchor or a tag", event.start_mark.index)
    flow = not tree.is_block(found.parent)
    start, end = tree.start(found.key), tree.end(found.key)
    if how.json:
        texts = [render.inline(key, '"', flow, how)]
    else:
        peers = (name for name, _ in tree.pairs(found.parent))
        texts = _spellings(tree, found.key, key, event.style or "", flow, how, peers)
    for text in texts:
        yield Plan([(start, end, text)], [(found.key, found.key + 1, [Want(key)])])


def parent_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The path of what holds the last step. Raises Refused for the whole document."""
    if not steps:
        raise Refused("the path names the whole document; name something inside it")
    return steps[:-1]
