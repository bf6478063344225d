"""The tree: a flat list of the nodes in view, children asked for when a node is opened, labels changed by id."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import ClassVar

import msgspec
from rich.segment import Segment
from textual.message import Message

from tui.domain.kinds.kind import Cell, Tone
from tui.ui import paint
from tui.ui.text import fit, padded, width_of
from tui.ui.widgets.line_view import LineView

_LEAST_LABEL = 12  # cells a label keeps before what stands beside it is dropped
_SPACE, _LINE, _TEE, _ELBOW = "  ", "│ ", "├ ", "└ "


class Node(msgspec.Struct, frozen=True, gc=False):
    """A node as its provider gives it. `id` is unique in the whole tree."""

    id: Hashable
    label: tuple[Cell, ...]  # one space apart
    aside: tuple[Cell, ...] = ()  # to the right, as far as there is room; the first one is dropped last
    expandable: bool = False
    open: bool = False  # when it is shown for the first time


class _Item(msgspec.Struct, gc=False, eq=False):
    """A node as the tree keeps it."""

    node: Node
    parent: _Item | None
    depth: int
    sequence: int
    text: str  # lower-cased, for the filter
    version: int = 0
    expanded: bool = False
    last: bool = True  # among its siblings, whatever a filter says
    leaves: bool = True  # none of its children has children
    children: list[_Item] | None = None  # None until asked for


class LazyTree(LineView):
    """Nodes from `children(id)` (None: the roots), which must answer at once from what is known."""

    KEYS: ClassVar[dict[str, str]] = {**LineView.KEYS, "space": "toggle"}

    class _Of(Message):
        """A message of one tree about one node."""

        def __init__(self, tree: LazyTree, node_id: Hashable) -> None:
            super().__init__()
            self.tree = tree
            self.id = node_id

        @property
        def control(self) -> LazyTree:
            """The tree it comes from."""
            return self.tree

    class Highlighted(_Of):
        """The cursor stands on another node; `id` is None when the tree is empty."""

        def can_replace(self, message: Message) -> bool:
            """Only the last one matters."""
            return isinstance(message, LazyTree.Highlighted) and message.tree is self.tree

    class Opened(_Of):
        """Enter or a double click on a node."""

    class Toggled(_Of):
        """A node was opened or closed: `tree.is_expanded(id)`."""

    def __init__(
        self,
        children: Callable[[Hashable], Sequence[Node]],
        *,
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, name=name)
        self._ask = children
        self._roots: list[_Item] = []
        self._flat: list[_Item] = []
        self._by_id: dict[Hashable, _Item] = {}
        self._expanded: dict[Hashable, None] = {}
        self._lasts: set[int] = set()  # under a filter, the nodes that are the last of their siblings, by sequence
        self._sequence = 0
        self._held: _Item | None = None  # the node under the cursor
        self._filter = ""
        self._empty = empty

    # --- what a pane asks and tells --------------------------------------------------------------------------

    @property
    def cursor_id(self) -> Hashable:
        """Id of the node under the cursor; None when the tree is empty."""
        return self._held.node.id if self._held is not None else None

    @property
    def visible_ids(self) -> list[Hashable]:
        """Ids of the nodes that scrolling reaches, in order."""
        return [item.node.id for item in self._flat]

    @property
    def expanded_ids(self) -> list[Hashable]:
        """Ids of all open nodes, those inside closed ones too."""
        return list(self._expanded)

    @property
    def parents_in_view(self) -> list[Hashable]:
        """Ids of what the nodes on the screen are in (None: the roots), from top to bottom."""
        parents = (item.parent for _, item in self._window())
        return list(dict.fromkeys(parent.node.id if parent is not None else None for parent in parents))

    def is_expanded(self, node_id: Hashable) -> bool:
        """Whether the node is open."""
        item = self._by_id.get(node_id)
        return item is not None and item.expanded

    def reload(self, node_id: Hashable = None) -> None:
        """Ask again for the children of a node, or of the roots, and of everything open below it.

        What is open stays open; the cursor stays on its node, or on the one that took its place.
        """
        self._reload(node_id, deep=True)
        self._settle()

    def reload_some(self, node_ids: Iterable[Hashable]) -> None:
        """Ask again for the children of these nodes (None: the roots), but not for what is open below those."""
        for node_id in node_ids:
            self._reload(node_id, deep=False)
        self._settle()

    def _reload(self, node_id: Hashable, deep: bool) -> None:
        if node_id is None:
            self._roots = self._asked(None, self._roots, deep)
            return
        item = self._by_id.get(node_id)
        if item is not None and item.children is not None:
            item.children = self._asked(item, item.children, deep)

    def update_labels(self, nodes: Iterable[Node]) -> None:
        """Take new labels for nodes that are known; others are ignored. Paints only what is in view."""
        in_view = {item.node.id: index for index, item in self._window()}
        refilter = False
        for node in nodes:
            item = self._by_id.get(node.id)
            if item is None or item.node == node:
                continue
            matched = self._matches(item)
            self._take(item, node)
            refilter |= bool(self._filter) and matched != self._matches(item)
            if (index := in_view.get(node.id)) is not None:
                self.mark_line(index)
        if refilter:
            self._settle()

    def expand_node(self, node_id: Hashable) -> None:
        """Open a node; nothing happens when it is unknown, open or has no children."""
        item = self._by_id.get(node_id)
        if item is not None and item.node.expandable and not item.expanded:
            self._set_expanded(item, True)

    def collapse_node(self, node_id: Hashable) -> None:
        """Close a node; a cursor inside it moves onto it."""
        item = self._by_id.get(node_id)
        if item is not None and item.expanded:
            self._set_expanded(item, False)

    def move_to(self, node_id: Hashable) -> bool:
        """Put the cursor on a node, opening what it is in; False when the node is not known (yet)."""
        item = self._by_id.get(node_id)
        if item is None:
            return False
        parent = item.parent
        opened = False
        while parent is not None:
            opened |= not parent.expanded
            self._mark_expanded(parent, True)
            parent = parent.parent
        if opened:
            self._settle()
        at = self._place(item)
        if at is None:
            return False
        self.go(at)
        return True

    def reveal(self, path: Sequence[Hashable]) -> bool:
        """Open every node on the path (outermost first) and put the cursor on its last; False when one is missing."""
        for node_id in path[:-1]:
            self.expand_node(node_id)
        return bool(path) and self.move_to(path[-1])

    def set_filter(self, query: str) -> None:
        """Show the nodes asked for so far whose label has this text (`!`: has not), and what they are in."""
        query = query.lower()
        if query != self._filter:
            self._filter = query
            self._settle()
            paint.now(self)

    # --- lines -----------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        """Nodes that scrolling reaches."""
        return len(self._flat)

    def stamp(self, index: int) -> Hashable:
        """The node, its version, and how its branch is drawn."""
        item = self._flat[index]
        return item.sequence, item.version, item.expanded, self._guide(item)

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """Branch, arrow, label, and to the right what stands beside it."""
        item = self._flat[index]
        node = item.node
        plain = self.tone_style(Tone.PLAIN, state)
        lead = ("▌" if index == self.cursor else " ") + self._guide(item)
        arrow = ("▾ " if self._open(item) else "▸ ") if node.expandable else "  "
        segments = [
            Segment(fit(lead[:1], width), self.tone_style(Tone.ACCENT, state)),
            Segment(lead[1:], self.guide_style(state)),
            Segment(arrow, self.tone_style(Tone.MUTED, state)),
        ]
        room = width - len(lead) - 2
        if room <= 0:
            text = padded(lead + arrow, width)
            return [Segment(text, plain)]
        asides = self._asides(node, room)
        aside_width = sum(width_of(cell.text) + 1 for cell in asides)
        left = room - aside_width
        gap = 1 if asides and left > 1 else 0
        left -= gap
        for number, cell in enumerate(node.label):
            if number and left > 0:
                segments.append(Segment(" ", plain))
                left -= 1
            text = fit(cell.text, left)
            segments.append(Segment(text, self.tone_style(cell.tone, state)))
            left -= width_of(text)
        segments.append(Segment(" " * (left + gap), plain))
        for cell in asides:
            segments.append(Segment(cell.text + " ", self.tone_style(cell.tone, state)))
        return segments

    def set_empty(self, text: str) -> None:
        """Say this where there are no nodes."""
        if text != self._empty:
            self._empty = text
            self.refresh()

    def paint_empty(self, y: int, width: int) -> list[Segment]:
        """The empty text on the first line of an empty tree."""
        if y == 0 and not self._flat and self._empty:
            return [Segment(padded("  " + self._empty, width), self.tone_style(Tone.MUTED))]
        return super().paint_empty(y, width)

    # --- keys and mouse --------------------------------------------------------------------------------------

    def cursor_moved(self) -> None:
        """Hold the node under the cursor and tell the pane."""
        self._hold()

    def key_right(self) -> bool | None:
        """Open the node, or step into it; on a leaf the key goes to the parents."""
        item = self._held
        if item is None or not item.node.expandable:
            return False
        if not self._open(item):
            self.expand_node(item.node.id)
        elif self.cursor + 1 < len(self._flat) and self._flat[self.cursor + 1].parent is item:
            self.go(self.cursor + 1)
        return None

    def key_left(self) -> bool | None:
        """Close the node, or step out of it; on a closed root the key goes to the parents."""
        item = self._held
        if item is None:
            return False
        if item.expanded and not self._filter:
            self.collapse_node(item.node.id)
        elif item.parent is not None:
            self.go(self._place(item.parent) or 0)
        else:
            return False
        return None

    def key_toggle(self) -> bool | None:
        """Open or close the node; on a leaf the key goes to the parents."""
        item = self._held
        if item is None or not item.node.expandable:
            return False
        self._set_expanded(item, not item.expanded)
        return None

    def key_open(self) -> bool | None:
        """Tell the pane to open the node."""
        if self._held is None:
            return False
        self.post_message(self.Opened(self, self._held.node.id))
        return None

    def line_clicked(self, index: int, x: int, chain: int) -> None:
        """Cursor there; on the arrow it opens or closes."""
        item = self._flat[index]
        arrow = 1 + len(self._guide(item))
        self.go(index)
        if item.node.expandable and arrow - 1 <= x <= arrow + 1:
            self._set_expanded(item, not item.expanded)
        elif chain == 2:
            self.key_open()

    # --- inside ----------------------------------------------------------------------------------------------

    def _guide(self, item: _Item) -> str:
        """Branches left of a node's arrow. Roots have none."""
        if item.parent is None:
            return ""
        parts = [_ELBOW if self._is_last(item) else _TEE]
        above = item.parent
        while above.parent is not None:
            parts.append(_SPACE if self._is_last(above) else _LINE)
            above = above.parent
        return "".join(reversed(parts))

    def _is_last(self, item: _Item) -> bool:
        """Whether it is the last one shown of its siblings."""
        return item.sequence in self._lasts if self._filter else item.last

    def _asides(self, node: Node, room: int) -> list[Cell]:
        """What fits beside the label, made safe; the label keeps its length or `_LEAST_LABEL` cells."""
        label = sum(width_of(fit(cell.text, room)) + 1 for cell in node.label)
        left = room - min(label, _LEAST_LABEL)
        chosen: list[Cell] = []
        for cell in node.aside:
            text = fit(cell.text, room)
            left -= width_of(text) + 1
            if left < 0:
                break
            if text:
                chosen.append(Cell(text, cell.tone))
        return chosen

    def _window(self) -> Iterator[tuple[int, _Item]]:
        for index in range(self.top, min(self.top + self.body_height, len(self._flat))):
            yield index, self._flat[index]

    def _take(self, item: _Item, node: Node) -> None:
        if item.node != node:
            item.node = node
            item.text = _text(node)
            item.version += 1

    def _asked(self, parent: _Item | None, old: list[_Item], deep: bool) -> list[_Item]:
        """Children from the provider, those known before with their state; `deep`: and what is open below them."""
        known = {item.node.id: item for item in old}
        made: list[_Item] = []
        depth = 0 if parent is None else parent.depth + 1
        for node in self._ask(None if parent is None else parent.node.id):
            item = known.pop(node.id, None)
            if item is None:
                self._sequence += 1
                item = _Item(node, parent, depth, self._sequence, _text(node))
                self._by_id[node.id] = item
                if node.open and node.expandable:
                    self._mark_expanded(item, True)
                    item.children = self._asked(item, [], deep)
            else:
                self._take(item, node)
                if not node.expandable:
                    self._forget(item.children or ())
                    item.children = None
                    self._mark_expanded(item, False)
                elif item.expanded:
                    if deep:
                        item.children = self._asked(item, item.children or [], deep)
                elif item.children is not None:
                    self._forget(item.children)
                    item.children = None
            item.last = False
            made.append(item)
        self._forget(known.values())
        if made:
            made[-1].last = True
        if parent is not None:
            parent.leaves = all(item.children is None for item in made)
            if parent.parent is not None:
                parent.parent.leaves = False
        return made

    def _mark_expanded(self, item: _Item, expanded: bool) -> None:
        item.expanded = expanded
        if expanded:
            self._expanded[item.node.id] = None
        else:
            self._expanded.pop(item.node.id, None)

    def _forget(self, items: Iterable[_Item]) -> None:
        for item in items:
            if self._by_id.get(item.node.id) is item:
                del self._by_id[item.node.id]
                self._expanded.pop(item.node.id, None)
            self._forget(item.children or ())
            item.children = None  # parent and children hold each other, and the collector does not look at them

    def on_unmount(self) -> None:
        """Let go of the nodes."""
        self._forget(self._roots)

    def _set_expanded(self, item: _Item, expanded: bool) -> None:
        self._mark_expanded(item, expanded)
        if expanded and item.children is None:
            item.children = self._asked(item, [], True)
        if self._filter:
            self._settle()
        else:
            self._splice(item)
        paint.now(self)
        self.post_message(self.Toggled(self, item.node.id))

    def _splice(self, item: _Item) -> None:
        """Put the nodes below `item` into the flat list, or take them out, without walking the rest."""
        at = self._place(item)
        if at is None:
            return
        end = at + 1
        while end < len(self._flat) and self._flat[end].depth > item.depth:
            end += 1
        below: list[_Item] = []
        if item.expanded:
            self._below(item.children or [], below)
        grown = len(below) - (end - at - 1)
        self._flat[at + 1 : end] = below
        if self.cursor >= end:
            self.cursor += grown
        elif self.cursor > at:
            self.cursor = at
        self.bring_into_view()
        self._hold()
        self.refresh()

    def _place(self, item: _Item) -> int | None:
        """Index of the node among those that scrolling reaches, or None."""
        if self.cursor < len(self._flat) and self._flat[self.cursor] is item:
            return self.cursor
        try:
            return self._flat.index(item)
        except ValueError:
            return None

    def _below(self, items: list[_Item], flat: list[_Item]) -> None:
        """Append these nodes, each followed by what is open below it."""
        for item in items:
            flat.append(item)
            if item.expanded and item.children:
                if item.leaves:
                    flat += item.children  # most of a large tree
                else:
                    self._below(item.children, flat)

    def _passing(self, items: list[_Item], leaves: bool, flat: list[_Item]) -> bool:
        """Append the nodes that pass the filter or have one below that does, each followed by those."""
        query, wanted = self._filter, True
        if query.startswith("!"):
            query, wanted = query[1:], len(query) == 1  # "!" alone: everything
        if leaves:
            passed = [item for item in items if (query in item.text) is wanted]
            flat += passed
        else:
            passed = []
            for item in items:
                at = len(flat)
                flat.append(item)
                if (item.children and self._passing(item.children, item.leaves, flat)) or (
                    (query in item.text) is wanted
                ):
                    passed.append(item)
                else:
                    del flat[at:]
        if passed:
            self._lasts.add(passed[-1].sequence)
        return bool(passed)

    def _matches(self, item: _Item) -> bool:
        query = self._filter
        if query.startswith("!"):
            return query[1:] not in item.text if len(query) > 1 else True
        return query in item.text

    def _open(self, item: _Item) -> bool:
        """Whether the arrow points down: under a filter, every node with something below it shown."""
        return item.expanded or bool(self._filter and item.children)

    def _settle(self) -> None:
        """After the structure has changed: the flat list anew, the cursor back on its node."""
        row, old = self.cursor - self.top, self._held
        self._flat = []
        self._lasts.clear()
        if self._filter:
            self._passing(self._roots, False, self._flat)
        else:
            self._below(self._roots, self._flat)
        index = None
        while old is not None and (index := self._place(old)) is None:
            old = old.parent
        if index is None:
            index = min(self.cursor, len(self._flat) - 1)
        self.cursor = max(0, index)
        if 0 <= row < self.body_height:
            self.top = self.cursor - row
        self.bring_into_view()
        self._hold()
        self.refresh()

    def _hold(self) -> None:
        old = self.cursor_id
        self._held = self._flat[self.cursor] if self._flat else None
        if self.cursor_id != old:
            self.post_message(self.Highlighted(self, self.cursor_id))


def _text(node: Node) -> str:
    return " ".join(cell.text for cell in node.label).lower()
