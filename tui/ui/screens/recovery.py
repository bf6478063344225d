"""What can be brought back: dropped drafts, texts typed and never saved, and every state that a draft has been in."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from tui.domain import giturl, when
from tui.domain.drafts.model import Draft
from tui.domain.drafts.states import StateInfo
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.ports import Missing
from tui.ui import keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.drafting import draftwork
from tui.ui.screens.base import FleetScreen
from tui.ui.text import safe
from tui.ui.widgets.items import Item, Items
from tui.ui.widgets.viewer import Viewer

if TYPE_CHECKING:
    from tui.fleet.draftrows import Listed, Recovered
    from tui.fleet.drafts import Drafts

PAGE = 50  # states listed at a time


class RecoveryScreen(FleetScreen):
    """Without a draft what is in the trash and what was typed; of a draft every state, a page at a time."""

    PLACES = ("recovery",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("recovery")]

    def __init__(self, draft: str = "") -> None:
        super().__init__()
        self.draft = draft
        self.list = Items(without="enter")
        self._dropped: dict[str, Listed] = {}
        self._open: dict[str, Listed] = {}
        self._texts: dict[str, Recovered] = {}
        self._parts: list[Draft] = []
        self._states: dict[str, list[StateInfo]] = {}  # by repository
        self._more: set[str] = set()  # repositories with older states
        self._wanted: Hashable = None
        self._shown = False

    @property
    def drafts(self) -> Drafts:
        """The drafts. Raises Missing when there are none."""
        return draftwork.drafts_of(self.fleet_app)

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal(id="recovery-body"):
            with Vertical(id="recovery-list", classes="pane"):
                yield self.list
            with Vertical(id="recovery-shown", classes="pane"):
                yield Viewer("", "diff")
        yield Footer()

    def on_mount(self) -> None:
        """Read what there is."""
        self.list.focus()
        self._divide()
        self.fleet_app.do(self._load(), "reading what can be brought back")

    def on_resize(self, event: events.Resize) -> None:
        """Divide the screen anew: one above the other on a narrow terminal."""
        self._divide()

    def _divide(self) -> None:
        if self.query("#recovery-body"):
            self.query_one("#recovery-body").set_class(self.app.size.width < 100, "narrow")

    def pane_id(self) -> str:
        return "drafts"

    # -- reading ----------------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        if self.draft:
            await self._load_states()
        else:
            self._dropped = {one.draft.id: one for one in await self.drafts.dropped()}
            typed = [*reversed(await self.drafts.recovered()), *reversed(await self.drafts.given_up())]
            self._texts = {text.key or f"{text.draft}\n{text.path}": text for text in typed}
            self._open = {one.draft.id: one for one in await self.drafts.list()}
        if not self.is_mounted:
            return
        self._list()
        if not self._shown:  # the first that can be brought back
            self._shown = True
            first = next((item.key for item in self.list.items if item.key[0] != "heading"), None)  # type: ignore[index]
            self.list.move_to(first)
        await self._show()

    async def _load_states(self) -> None:
        try:
            found = await self.drafts.parts(self.draft)
        except Missing:
            found = await self.drafts.parts(self.draft, trash=True)
        self._parts = [held for _, held in found]
        for held in self._parts:
            count = max(PAGE, len(self._states.get(held.repo, ())))
            page = list(await self.drafts.states(held, count))
            self._states[held.repo] = page
            (self._more.add if len(page) == count else self._more.discard)(held.repo)

    def _list(self) -> None:
        items = self._state_items() if self.draft else self._all_items()
        self.list.show(items, "nothing was dropped, and nothing that was typed is unsaved")
        box = self.query_one("#recovery-list")
        name = self._parts[0].name if self._parts else ""
        box.border_title = Content(safe(f"{name} · every state it has been in" if name else "Recovery"))
        box.border_subtitle = Content("m lists older ones") if self._more else Content("fleet deletes none of this")

    def _ago(self, at: float) -> tuple[Cell, ...]:
        return (Cell(f" {when.age(max(0.0, self.fleet.facts.now - at))} ago " if at else " ? ", Tone.MUTED),)

    def _all_items(self) -> list[Item]:
        items: list[Item] = []
        if self._dropped:
            items.append(_heading("Dropped drafts"))
        for key, one in self._dropped.items():
            cells = (Cell(f"  {one.draft.name}", Tone.PLAIN), Cell(f"  {one.draft.title}", Tone.MUTED))
            items.append(Item(("dropped", key), cells, self._ago(one.draft.at)))
        if self._texts:
            items.append(_heading("Typed and never saved"))
        for key, text in self._texts.items():
            where = Cell(f"  in {text.draft}" if text.draft else "", Tone.MUTED)
            items.append(Item(("text", key), (Cell(f"  {text.path}", Tone.PLAIN), where), self._ago(text.at)))
        if self._open:
            items.append(_heading("Earlier states of open drafts"))
        for key, one in self._open.items():
            cells = (Cell(f"  {one.draft.name}", Tone.PLAIN), Cell(f"  {one.draft.title}", Tone.MUTED))
            items.append(Item(("draft", key), cells, self._ago(one.draft.at)))
        return items

    def _state_items(self) -> list[Item]:
        items: list[Item] = []
        for held in self._parts:
            if len(self._parts) > 1:
                items.append(_heading(giturl.shown(held.repo)))
            for state in self._states.get(held.repo, ()):
                now = state.id == held.state
                mark = Cell("● " if now else "○ ", Tone.GOOD if now else Tone.MUTED)
                unsaved = (Cell(" unsaved text", Tone.WARN),) if state.unsaved else ()
                cells = (mark, Cell(state.words, Tone.PLAIN), *unsaved)
                items.append(Item(("state", held.repo, state.id), cells, self._ago(state.at)))
        return items

    def on_items_highlighted(self, event: Items.Highlighted) -> None:
        """Another one: what is in it."""
        event.stop()
        self.fleet_app.do(self._show(), "reading the patch", hold=False)

    async def _show(self) -> None:
        """What the chosen one holds, right of the list."""
        key = self._wanted = self.list.cursor_key
        title, text = "", ""
        if isinstance(key, tuple):
            title, text = await self._content(key)
        if key != self._wanted or not self.is_mounted:
            return
        self.query_one("#recovery-shown").border_title = Content(safe(title)) if title else None
        self.query_one(Viewer).set_text(text, "plain" if isinstance(key, tuple) and key[0] == "text" else "diff")

    async def _content(self, key: tuple[str, ...]) -> tuple[str, str]:
        if key[0] == "text":
            kept = self._texts[key[1]]
            return kept.path, kept.text
        if key[0] in ("dropped", "draft"):
            one = (self._dropped if key[0] == "dropped" else self._open)[key[1]]
            patches = [await self.drafts.patch(part.draft, part.draft.base, part.draft.head) for part in one.whole]
            return f"{one.draft.name} against its base", "".join(patches) or "no change\n"
        if key[0] != "state":
            return "", ""
        held = next(part for part in self._parts if part.repo == key[1])
        state = next(state for state in self._states[key[1]] if state.id == key[2])
        if state.id == held.state:
            return "the draft as it is", "this is how the draft is now\n"
        patch = await self.drafts.patch(held, held.head, state.head)
        return "what going back would change", patch or "the files are as they are now\n"

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_items_opened(self, event: Items.Opened) -> None:
        """A double click."""
        event.stop()
        self.action_recover_open()

    def action_recover_open(self) -> None:
        """The states of a draft, the editor of a text, the patch of what was dropped."""
        key = self.list.cursor_key
        if not isinstance(key, tuple):
            return
        if key[0] == "text":
            self.fleet_app.do(draftwork.go_on(self.fleet_app, self._texts[key[1]]), "opening the editor")
        elif key[0] in ("dropped", "draft"):
            self.app.push_screen(RecoveryScreen(key[1]))
        elif key[0] == "state":
            self.query_one(Viewer).focus()

    def action_recover(self) -> None:
        """Bring it back."""
        key = self.list.cursor_key
        if not isinstance(key, tuple) or key[0] in ("heading", "draft"):
            words = "enter lists its states" if isinstance(key, tuple) and key[0] == "draft" else "nothing is chosen"
            self.fleet_app.say(words, Tone.WARN)
        elif key[0] == "text":
            self.action_recover_open()
        elif key[0] == "dropped":
            self.fleet_app.do(self._restore(key[1]), "restoring")
        else:
            self.fleet_app.do(self._revive(key[1], key[2]), "going back")

    async def _restore(self, draft_id: str) -> None:
        done = await self.drafts.restore(draft_id)
        self.fleet_app.say(f"{done.name} is out of the trash", Tone.GOOD)
        await self._load()

    async def _revive(self, repo: str, state: str) -> None:
        held = next(part for part in self._parts if part.repo == repo)
        done = await self.drafts.revive(held.id, state, repo=repo)
        self.fleet_app.say(f"{done.name} is as it was then; undo takes that back", Tone.GOOD)
        await self._load()

    def action_recover_more(self) -> None:
        """Older states."""
        if not self._more:
            self.fleet_app.say("there are no older ones", Tone.WARN)
            return
        self.fleet_app.do(self._older(), "reading older states")

    async def _older(self) -> None:
        for held in self._parts:
            if held.repo not in self._more:
                continue
            known = self._states[held.repo]
            page = await self.drafts.states(held, PAGE, known[-1].id)
            known += page
            if len(page) < PAGE:
                self._more.discard(held.repo)
        self._list()

    def action_reread(self) -> None:
        """Read again."""
        self.fleet_app.repaint()
        self.fleet_app.do(self._load(), "reading what can be brought back")

    async def action_back(self) -> None:
        """Out of the patch, then out."""
        if self.focused is not self.list:
            self.list.focus()
        else:
            self.dismiss()

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)


def _heading(words: str) -> Item:
    return Item(("heading", words), (Cell(words, Tone.ACCENT),))
