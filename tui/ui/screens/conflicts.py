"""The conflicts of a draft with its target: each place, what both sides say, and what is decided about it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from tui.domain.drafts.conflict import Clash, Conflicts, Decision
from tui.domain.drafts.model import Draft
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.ports import Missing
from tui.ui import keys
from tui.ui.bars import Footer, Header
from tui.ui.bars import Line as Bar
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.textbox import TextScreen
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.items import Item, Items
from tui.ui.words import BLANK, Line
from tui.ui.working import LOCAL

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts

MOST = 400  # lines of a side that are shown
TOOK = {"ours": "mine", "theirs": "theirs", "base": "base", "both": "both", "text": "own"}


class ConflictScreen(FleetScreen):
    """Decide each conflict; decisions are kept as they are made. Ends with True when the draft was rebased."""

    PLACES = ("conflicts",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("conflicts")]

    def __init__(self, draft: str) -> None:
        super().__init__()
        self.draft = draft
        self.found: Sequence[tuple[Draft, Conflicts]] = ()
        self.list = Items(without="enter")
        self._deciding = asyncio.Lock()  # one decision after the other, however fast they are typed

    @property
    def drafts(self) -> Drafts:
        """The drafts. Raises Missing when there are none."""
        if self.fleet.drafts is None:
            raise Missing("there is no Git here to draft in")
        return self.fleet.drafts

    def draft_shown(self) -> str:
        return self.draft

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal(id="conflict-body"):
            with Vertical(id="conflict-list", classes="pane"):
                yield self.list
            with Vertical(id="conflict-sides", classes="pane"):
                yield WordsView()
        yield Footer()

    def on_mount(self) -> None:
        """Read the conflicts."""
        self.list.focus()
        self._divide()
        self.fleet_app.do(self._load(), "reading the conflicts")

    def on_resize(self, event: events.Resize) -> None:
        """Divide the screen anew: one above the other on a narrow terminal."""
        self._divide()

    def _divide(self) -> None:
        if self.query("#conflict-body"):
            self.query_one("#conflict-body").set_class(self.app.size.width < 100, "narrow")

    def pane_id(self) -> str:
        return "drafts"

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def clashes(self) -> list[Clash]:
        """All of them, decided or not."""
        return [clash for _, found in self.found for clash in found.clashes]

    async def _load(self) -> None:
        first = not self.found
        self.found = await self.drafts.conflicts(self.draft)
        if not self.is_mounted:
            return
        self.list.show(self._items(), "nothing is in the way")
        if first:
            self._next(0)
        name = self.found[0][0].name if self.found else self.draft
        open_ones = sum(clash.open for clash in self.clashes)
        box = self.query_one("#conflict-list")
        box.border_title = Content(safe(f"{name} · conflicts"))
        total = len(self.clashes)
        words = f"{total - open_ones} of {total} decided" if open_ones else "all decided: enter rebases"
        box.border_subtitle = Content(words)
        self._show()

    def _items(self) -> list[Item]:
        items: list[Item] = []
        for number, (_, found) in enumerate(self.found):
            count = Counter(clash.path for clash in found.clashes)
            for path in count:
                folder, _, name = path.rpartition("/")
                where = Cell(f"  {folder}" if folder else "", Tone.MUTED)
                items.append(Item(("file", number, path), (Cell(f"{name}", Tone.ACCENT), where)))
                items += [_item(number, clash) for clash in found.clashes if clash.path == path]
        return items

    def here(self) -> tuple[Draft, Conflicts, Clash] | None:
        """The conflict under the cursor."""
        key = self.list.cursor_key
        if isinstance(key, tuple) and key[0] == "clash":
            draft, found = self.found[key[1]]
            return next(((draft, found, clash) for clash in found.clashes if clash.key == key[2]), None)
        return None

    def _show(self) -> None:
        """What both sides say, right of the list."""
        box, view = self.query_one("#conflict-sides"), self.query_one(WordsView)
        if (held := self.here()) is None:
            key = self.list.cursor_key
            path = key[2] if isinstance(key, tuple) else ""
            box.border_title = Content(safe(path)) if path else None
            notes = [note for _, found in self.found for note in (*found.notes, found.problem) if note]
            told = ["m keeps your side of the whole file, t takes the target's"] if path else []
            view.show([(Cell(words, Tone.MUTED),) for words in (*notes, *told)])
            return
        _, found, clash = held
        box.border_title = Content(safe(f"{clash.path}{f' · {clash.object}' if clash.object else ''}"))
        view.show(sides(clash, found.onto))

    def on_items_highlighted(self, event: Items.Highlighted) -> None:
        """Another conflict."""
        event.stop()
        if self.found:
            self._show()

    # -- deciding ---------------------------------------------------------------------------------------------------

    def _decide(self, take: str, whole: bool = False) -> None:
        self.fleet_app.do(self._take(take, whole), "deciding", patience=LOCAL)

    async def _take(self, take: str, whole: bool) -> None:
        """Decide what is under the cursor once the decision before it is kept and has moved the cursor on."""
        async with self._deciding:
            await self._taken(take, whole)

    async def _taken(self, take: str, whole: bool) -> None:
        key = self.list.cursor_key
        if not isinstance(key, tuple):
            self.fleet_app.say("there is no conflict to decide", Tone.WARN)
            return
        held = self.here()
        if whole or held is None:
            draft, found = self.found[key[1]]
            path = held[2].path if held is not None else key[2]
            await self._choose_file(draft, found, path, take)
            return
        draft, _, clash = held
        if take not in clash.takes:
            words = ", ".join(TOOK[each] for each in clash.takes)
            self.fleet_app.say(f"{TOOK[take]} cannot be taken here: {words}", Tone.WARN)
            return
        await self._choose(draft, clash.key, take)

    async def _choose(self, draft: Draft, key: str, choice: Decision | str) -> None:
        await self.drafts.choose(draft, key, choice)
        await self._load()
        self._next(self.list.cursor)

    async def _choose_file(self, draft: Draft, found: Conflicts, path: str, take: str) -> None:
        """Every conflict of a file; one that cannot be decided so stays open and is named."""
        able = {clash.key: take for clash in found.clashes if clash.path == path and take in clash.takes}
        unable = [clash.key for clash in found.clashes if clash.path == path and take not in clash.takes]
        if able:
            await self.drafts.choose_all(draft, able)
        for name in unable:
            self.fleet_app.say(f"{TOOK[take]} cannot be taken for {name}", Tone.WARN)
        await self._load()
        self._next(self.list.cursor)

    def _next(self, start: int) -> None:
        """The cursor on the next conflict that is open, round the end."""
        order = [*range(start, len(self.list.items)), *range(start)]
        open_keys = {("clash", number, clash.key) for number, (_, f) in enumerate(self.found) for clash in f.open}
        found = next((at for at in order if self.list.items[at].key in open_keys), None)
        if found is not None:
            self.list.go(found)

    def action_take_ours(self) -> None:
        """The draft's side."""
        self._decide("ours")

    def action_take_theirs(self) -> None:
        """The target's side."""
        self._decide("theirs")

    def action_take_base(self) -> None:
        """What it was."""
        self._decide("base")

    def action_file_ours(self) -> None:
        """The draft's side of the whole file."""
        self._decide("ours", whole=True)

    def action_file_theirs(self) -> None:
        """The target's side of the whole file."""
        self._decide("theirs", whole=True)

    def action_untake(self) -> None:
        """Leave it open again."""
        held = self.here()
        if held is None or not held[2].choice:
            self.fleet_app.say("nothing has been decided about it", Tone.WARN)
            return
        self.fleet_app.do(self._untake(held[0], held[2].key), "taking it back")

    async def _untake(self, draft: Draft, key: str) -> None:
        async with self._deciding:
            await self.drafts.unchoose(draft, key)
            await self._load()

    def action_take_text(self) -> None:
        """Write what it shall be."""
        held = self.here()
        if held is None:
            self.fleet_app.say("choose one of the conflicts of the file", Tone.WARN)
        elif "text" not in held[2].takes:
            self.fleet_app.say("no text can be written here: take one of the sides", Tone.WARN)
        else:
            self.fleet_app.do(self._write(held[0], held[2]), "writing")

    async def _write(self, draft: Draft, clash: Clash) -> None:
        """A small editor, filled with both sides of lines, or the draft's value; what is typed is journalled."""
        begin = clash.chosen if clash.choice == "text" else clash.ours or clash.theirs
        title = f"{clash.field or clash.path}: what it shall be"
        name = f"{clash.key} (conflict of {draft.name})"
        text = await self.fleet_app.wait_for(TextScreen(title, clash.reason, begin, name, clash.saw))
        if text is not None:
            async with self._deciding:
                await self._choose(draft, clash.key, Decision("text", text))

    # -- ending -----------------------------------------------------------------------------------------------------

    def action_resolve(self) -> None:
        """Rebase when everything is decided; else go to what is not."""
        self.fleet_app.do(self._resolve(), "rebasing", patience=LOCAL)

    async def _resolve(self) -> None:
        async with self._deciding:
            left = [clash for clash in self.clashes if clash.open]
            if left:
                self.fleet_app.say(f"{len(left)} still to decide: {left[0].key}", Tone.WARN)
                self._next(self.list.cursor)
                return
            await self._rebase()

    async def _rebase(self) -> None:
        done = await self.drafts.rebase(self.draft)
        for note in done.notes:
            self.fleet_app.say(note, Tone.WARN)
        if done.clashes:
            self.fleet_app.say("the target has moved again: more to decide", Tone.WARN)
            await self._load()
            self._next(0)
            return
        self.fleet_app.say(f"{done.draft.name} is on top of {done.draft.target}; z undoes it", Tone.GOOD)
        self.end(True)

    async def action_back(self) -> None:
        """Leave; what was decided stays decided."""
        if any(clash.choice for clash in self.clashes):
            self.fleet_app.say("what was decided is kept")
        self.dismiss(False)

    async def on_line_chosen(self, event: Bar.Chosen) -> None:
        """A key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)


def _item(number: int, clash: Clash) -> Item:
    place = clash.field or (f"line {clash.span[0]}" if clash.kind == "lines" else "the whole file")
    mark = Cell("  ○ ", Tone.WARN) if clash.open else Cell("  ● ", Tone.GOOD)
    took = Cell(f" {TOOK[clash.choice]} ", Tone.GOOD) if not clash.open else Cell(" open ", Tone.WARN)
    if clash.problem:
        took = Cell(" cannot be ", Tone.BAD)
    return Item(("clash", number, clash.key), (mark, Cell(place, Tone.PLAIN)), (took,))


def sides(clash: Clash, onto: str) -> list[Line]:
    """A conflict in full: the sentence, the three versions, what has been decided."""
    lines: list[Line] = [(Cell(clash.reason, Tone.PLAIN),)]
    if clash.problem:
        lines.append((Cell(clash.problem, Tone.BAD),))
    if clash.subject:
        lines.append((Cell(f"in the commit {clash.commit[:7]} {clash.subject}", Tone.MUTED),))
    for key, name, text, tone in (
        ("t", f"theirs · {onto}", clash.theirs, Tone.BUSY),
        ("m", "mine · the draft", clash.ours, Tone.ACCENT),
        ("b", "base · before both", clash.base, Tone.MUTED),
    ):
        take = {"t": "theirs", "m": "ours", "b": "base"}[key]
        chosen = clash.choice == take and not clash.open
        mark = Cell("● ", Tone.GOOD) if chosen else Cell("○ ", Tone.MUTED)
        if clash.kind == "field" and "\n" not in text:  # a value beside its name: all sides are seen at once
            value = Cell(text, Tone.PLAIN) if text else Cell("(not there)", Tone.MUTED)
            lines += [BLANK, (mark, Cell(f"{key}  ", tone), Cell(f"{name:<24}", tone), value)]
            continue
        lines += [BLANK, (mark, Cell(f"{key}  ", tone), Cell(name, tone))]
        lines += _text(text, Tone.PLAIN)
    own = clash.choice == "text" and not clash.open
    if own or "text" in clash.takes:
        mark = Cell("● ", Tone.GOOD) if own else Cell("○ ", Tone.MUTED)
        lines += [BLANK, (mark, Cell("e  ", Tone.GOOD), Cell("own · what you write", Tone.GOOD))]
        lines += _text(clash.chosen, Tone.PLAIN) if own else []
    return lines


def _text(text: str, tone: Tone) -> list[Line]:
    if not text:
        return [(Cell("     (not there)", Tone.MUTED),)]
    every = text.rstrip("\n").split("\n")
    shown: list[Line] = [(Cell("     │ ", Tone.MUTED), Cell(line, tone)) for line in every[:MOST]]
    return shown + ([(Cell(f"     and {len(every) - MOST:,} lines more", Tone.MUTED),)] if len(every) > MOST else [])
