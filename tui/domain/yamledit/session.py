"""A parsed document of a text, and what an edit of it gives back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Literal

import msgspec

from tui.domain.yamledit import render
from tui.domain.yamledit.errors import Missing, Refused
from tui.domain.yamledit.locate import Found, locate
from tui.domain.yamledit.path import Path, parse
from tui.domain.yamledit.render import Layout
from tui.domain.yamledit.split import BREAK, Chunk, pick, place
from tui.domain.yamledit.template import COVER, covered, is_template
from tui.domain.yamledit.tree import Tree
from tui.domain.yamledit.verify import Plan, holds, matches


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
        limit = min(len(before), len(after))
        head = _common(before, after, limit)
        tail = _common(before[head:][::-1], after[head:][::-1], limit - head)
        return finish(before, (Change(head, before[head : len(before) - tail], after[head : len(after) - tail]),))


def _common(left: str, right: str, limit: int) -> int:
    """How many characters, `limit` at most, two texts have in common at their start."""
    step, at = 4096, 0
    while at < limit and left[at : at + step] == right[at : at + step]:
        at += step
    at = min(at, limit)
    while at < limit and left[at] == right[at]:
        at += 1
    return at


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
        source = text[self.chunk.start : self.chunk.end]
        self.template = False  # whether actions of Helm are covered in the tree
        self.problem: Refused | None = None  # why the text as it stands is no YAML
        try:
            self.tree = Tree(source)
        except Refused as error:
            if not is_template(source):
                raise self.moved(error) from None
            self._uncover(source, error)

    def _uncover(self, source: str, error: Refused) -> None:
        """Reads a template that is no YAML as it stands; `error` says why it is not."""
        try:
            self.tree = Tree(covered(source))
        except Refused:
            raise self.moved(error) from None
        self.template = True
        self.problem = self.moved(error)

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
            return locate(self.tree, steps)
        except Refused as error:
            raise self.moved(error) from None

    def value(self, path: Path = "") -> Any:
        """The plain value at a path."""
        found = self.find(path)
        try:
            if self.template and COVER in self.tree.source[self.tree.start(found.node) : self.tree.end(found.node)]:
                raise self.tree.refuse(
                    "a template stands here; its value is known when Helm renders it", self._at(found)
                )
            return self.tree.value(found.node)
        except Refused as error:
            raise self.moved(error) from None

    def _at(self, found: Found) -> int:
        return self.tree.start(found.node)

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

    def lines_of(self, nodes: Iterable[int]) -> tuple[int, ...]:
        """The lines, from 1, of nodes in the order of the text; their number does not matter."""
        out, line, at = [], 1, 0
        for node in nodes:
            offset = self.chunk.start + self.tree.start(node)
            line += place(self.text[at:offset], offset - at)[0] - 1
            at = offset
            out.append(line)
        return tuple(out)

    def layout(self) -> Layout:
        """How the document is written."""
        return self._layout

    @cached_property
    def _layout(self) -> Layout:
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
                if self.template and not self._plain(plan, source):
                    continue
                if self._clean(source) and holds(self.tree, plan, source):
                    return self.edited(plan)
        except Refused as error:
            raise self.moved(error) from None
        raise self.moved(self._stuck(offset))

    def _plain(self, plan: Plan, source: str) -> bool:
        """Whether a plan keeps to what is plain in a template, and neither touches nor makes an action.

        It may change one place within a line; or entries of a collection in which, from its first line to its last and
        to the last changed one, no action stands, so that what is added or deleted depends on none.
        """
        original = self.text[self.chunk.start : self.chunk.end]
        if covered(plan.apply(original)) != source:
            return False
        tree = self.tree
        ((start, end, new), *more) = plan.changes
        line = tree.source[tree.line_start(start) : tree.line_end(end)]
        if not more and COVER not in tree.source[start:end] and not set(BREAK) & set(line + new):
            return True
        first, behind = plan.model[0][0], plan.model[-1][1]
        around = [node for node in range(tree.root, first) if not tree.is_scalar(node) and tree.ends[node] >= behind]
        if not around:
            return False
        end = max(tree.end(around[-1]), *(change[1] for change in plan.changes), 0)
        return COVER not in tree.source[tree.line_start(tree.start(around[-1])) : tree.line_end(end)]

    def _stuck(self, offset: int) -> Refused:
        tree = self.tree
        if self.template:
            return tree.refuse("in a template only what no action stands in or beside can be edited", offset)
        last = max((node for node in range(len(tree.events)) if tree.is_scalar(node)), default=-1)
        if last >= 0 and tree.events[last].style in ("|", ">") and tree.end(last) == len(tree.source):
            reason = "the text ends in a block scalar without a line break, to which nothing can be added"
            return tree.refuse(reason, tree.start(last))
        return tree.refuse("the edit cannot be made here without changing something else", offset)

    def _clean(self, source: str) -> bool:
        last = self.chunk.end == len(self.text)
        if not last and source[-1:] not in ("\n", "\r", "\x85", "\u2028", "\u2029"):
            return False
        return not render.is_json(self.tree.source) or render.is_json(source, any_value=True)

    def proven(self, plan: Plan) -> Tree | None:
        """The document after a plan, if that is exactly what it intends. Raises ValueError when changes overlap."""
        source = plan.apply(self.tree.source)
        if not self._clean(source):
            return None
        try:
            after = Tree(source)
        except Refused:
            return None
        return after if matches(self.tree, plan, after.events) else None

    def edited(self, plan: Plan) -> Edited:
        """The text with a plan carried out that has proven itself."""
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
