"""How each edit can be written, best way first. The first plan that proves itself is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tui.domain.yamledit import render
from tui.domain.yamledit.errors import Refused
from tui.domain.yamledit.path import Step
from tui.domain.yamledit.render import Layout
from tui.domain.yamledit.split import BREAK
from tui.domain.yamledit.tree import Found, Tree
from tui.domain.yamledit.verify import Plan, Shape, Want, tokens


def put(tree: Tree, found: Found, value: Any, how: Layout) -> Iterator[Plan]:
    """Ways to give a node another value."""
    node = found.node
    event = tree.events[node]
    if event.tag is not None if not tree.is_alias(node) else False:
        raise tree.refuse(f"the value has the explicit tag {event.tag}", event.start_mark.index)
    anchor = None if tree.is_alias(node) else event.anchor
    full = isinstance(value, dict | list | tuple) and len(value) > 0
    if anchor is not None and (full or not tree.is_scalar(node)):
        raise tree.refuse(f"the value carries the anchor &{anchor}", event.start_mark.index)
    keep(tree, node, tree.ends[node])
    model = [(node, tree.ends[node] + 1, tokens(value, anchor))]
    block = not how.json and (found.parent < 0 or tree.is_block(found.parent))
    flow_now = not tree.is_block(node) and not tree.is_scalar(node) and tree.ends[node] > node + 1
    if full and block and not flow_now:
        yield Plan(_to_block(tree, found, value, how), model)
    if tree.is_block(node):
        for text in _texts(tree, found, value, how, not block):
            yield Plan(_from_block(tree, found, text, how), model)
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
    texts = [render.inline(value, style, flow, how)]
    if isinstance(value, str) and not how.json:
        texts.append(render.scalar(value, '"', flow, how))
    return list(dict.fromkeys(texts))


def base(tree: Tree, found: Found) -> int:
    """Column of the key, or of the dash, that the value belongs to; -1 for the root."""
    if found.key >= 0:
        return tree.column(int(tree.events[found.key].start_mark.index))
    return tree.column(tree.dash(found.parent, found.node)) if found.parent >= 0 else -1


def _head(tree: Tree, found: Found) -> int:
    """Offset behind the `:` or `-` that the value follows."""
    if found.key >= 0:
        head = tree.colon(found.key)
        if head < 0:
            raise tree.refuse("the key has no value and no colon", tree.start(found.key))
        return head
    if found.parent >= 0:
        return tree.dash(found.parent, found.node) + 1
    return tree.start(found.node)


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
        lines = render.block_scalar(value, shape, indent, column if found.parent >= 0 else -1, comment)
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


def _from_block(tree: Tree, found: Found, text: str, how: Layout) -> list[tuple[int, int, str]]:
    """A block collection becomes something on one line."""
    start = tree.start(found.node)
    stop, fresh = after(tree, found.node, base(tree, found))
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


def _style_beside(tree: Tree, nodes: list[int]) -> str | None:
    """The quotes of neighbouring strings, when they all have the same."""
    styles = {tree.events[node].style for node in nodes if tree.is_scalar(node) and isinstance(tree.scalar(node), str)}
    return styles.pop() if len(styles) == 1 and styles <= {"'", '"'} else None


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
    dashes = _dashes(tree, node, items)
    column = tree.column(dashes[0])
    lines = render.block([value], column, how)
    if quote and isinstance(value, str) and "\n" not in value:
        lines = [" " * column + "- " + render.scalar(value, quote, False, how)]
    parts = list(zip(dashes, items, strict=True))
    yield from _add_block(tree, index, parts, column, lines, how, model)
    text = " " * column + "- " + render.inline(value, None, True, how)
    yield from _add_block(tree, index, parts, column, [text], how, model)


def _dashes(tree: Tree, node: int, items: list[int]) -> list[int]:
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


def remove(tree: Tree, found: Found, how: Layout, holder: Found | None) -> Iterator[Plan]:
    """Ways to delete a pair or an item. `holder` is the collection's own place, in case it gets empty."""
    parent, node = found.parent, found.node
    first = found.key if found.key >= 0 else node
    keep(tree, first - 1, tree.ends[node])
    entries: list[tuple[int, int]] = (
        list(tree.pairs(parent)) if tree.is_map(parent) else [(item, item) for item in tree.items(parent)]
    )
    if len(entries) == 1:
        if holder is None:
            raise tree.refuse("it is the last one of the document", tree.start(first))
        yield from _emptied(tree, holder, how)
        return
    index = [entry[1] for entry in entries].index(node)
    model: list[tuple[int, int, list[Any]]] = [(first, tree.ends[node] + 1, [])]
    if tree.is_block(parent):
        if tree.is_map(parent):
            explicit_keys(tree, parent)
            offsets = [tree.start(key) for key, _ in entries]
        else:
            offsets = _dashes(tree, parent, [item for item, _ in entries])
        yield from (Plan(changes, model) for changes in _cut_block(tree, node, offsets[index]))
    else:
        yield from (Plan(changes, model) for changes in _cut_flow(tree, entries, index))


def _emptied(tree: Tree, holder: Found, how: Layout) -> Iterator[Plan]:
    node = holder.node
    event = tree.events[node]
    text = "{}" if tree.is_map(node) else "[]"
    kinds = (event.__class__, tree.events[tree.ends[node]].__class__)
    model = [(node, tree.ends[node] + 1, [Shape(kinds[0]), Shape(kinds[1])])]
    if event.anchor is not None or event.tag is not None:
        raise tree.refuse("the emptied collection carries an anchor or a tag", event.start_mark.index)
    if tree.is_block(node):
        yield Plan(_from_block(tree, holder, text, how), model)
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
    raise tree.refuse("a comment would be lost", begins[index])


def rename(tree: Tree, found: Found, key: str, how: Layout) -> Iterator[Plan]:
    """Ways to give a key another name."""
    event = tree.events[found.key]
    if event.anchor is not None or event.tag is not None:
        raise tree.refuse("the key carries an anchor or a tag", event.start_mark.index)
    flow = not tree.is_block(found.parent)
    start, end = tree.start(found.key), tree.end(found.key)
    texts = (render.inline(key, event.style or "", flow, how), render.inline(key, '"', flow, how))
    for text in dict.fromkeys(texts):
        yield Plan([(start, end, text)], [(found.key, found.key + 1, [Want(key)])])


def parent_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The path of what holds the last step. Raises Refused for the whole document."""
    if not steps:
        raise Refused("the path names the whole document; name something inside it")
    return steps[:-1]
