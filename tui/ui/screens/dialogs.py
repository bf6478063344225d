"""Small screens over what is shown: a question to confirm, help, a list to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.domain.kinds.catalogue import Catalogue
from tui.domain.kinds.kind import Cell, Column, Tone
from tui.ui import keys
from tui.ui.accents import named
from tui.ui.keytable import KeyTable
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.plain_input import PlainInput
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table
from tui.ui.words import BLANK, Line, heading


class _Question(ModalScreen[bool]):
    """A question with facts, however many: they scroll, the keys stay in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "scroll(1)", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]

    def __init__(self, question: str, facts: Sequence[str], production: Sequence[str] = ()) -> None:
        """`production` are the clusters among those it touches that must not be mistaken for others."""
        super().__init__()
        self._question = question
        self._facts = facts
        said = "is production" if len(production) == 1 else "are production"
        self._production = f"{named(production)} {said}" if production else ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog loud" if self._production else "dialog") as box:
            box.border_title = Content(safe(self._question))
            if self._production:
                yield Static(Content(safe(self._production)), classes="loud")
            with VerticalScroll(classes="facts", can_focus=False):
                yield Static(Content("\n".join(map(safe, self._facts))), classes="fact")
            yield from self.answers()

    def answers(self) -> ComposeResult:
        """What stands below the facts."""
        yield from ()

    def action_scroll(self, lines: int) -> None:
        """Move in the facts."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


class Confirm(_Question):
    """A question; `y` or enter says yes, everything else no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", show=False),
        Binding("n,escape,q", "answer(False)", show=False),
    ]

    def __init__(
        self, question: str, facts: Sequence[str] = (), yes: str = "yes", production: Sequence[str] = ()
    ) -> None:
        super().__init__(question, facts, production)
        self._yes = yes

    def answers(self) -> ComposeResult:
        yield Static(Content(f"y {safe(self._yes)}    n no"), classes="keys")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class TypeToConfirm(_Question):
    """A question that only the word itself, typed, says yes to; escape says no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]

    def __init__(self, question: str, facts: Sequence[str], word: str, production: Sequence[str] = ()) -> None:
        super().__init__(question, facts, production)
        self._word = word

    def answers(self) -> ComposeResult:
        yield Static(Content(f"type {safe(self._word)} and press enter    esc no"), classes="keys")
        yield PlainInput(compact=True)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close when it is the word; what is not stays to be corrected."""
        event.stop()
        if event.value.strip() == self._word:
            self.dismiss(True)
        else:
            self.query_one(".keys", Static).update(Content(f"that is not {safe(self._word)}    esc no"))

    def action_give_up(self) -> None:
        """Close without."""
        self.dismiss(False)


class _Reading(ModalScreen[None]):
    """Text in a box; any way back closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "close", show=False)]

    def action_close(self) -> None:
        """Close."""
        self.dismiss()


class Help(_Reading):
    """The keys that work where it was opened, then all the others; what is typed after `/` narrows them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "narrow", show=False)]

    def __init__(self, lines: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._told = lines

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as box:
            box.border_title = "Keys"
            box.border_subtitle = "/ finds · esc closes"
            yield WordsView()
            yield PlainInput(compact=True, classes="narrow")

    def on_mount(self) -> None:
        """Fill the box."""
        self.query_one(PlainInput).display = False
        self._fill("")
        self.query_one(WordsView).focus()

    def action_narrow(self) -> None:
        """Type what is looked for."""
        typed = self.query_one(PlainInput)
        typed.display = True
        typed.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has it."""
        event.stop()
        self._fill(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read what was found."""
        event.stop()
        self.query_one(WordsView).focus()

    def action_close(self) -> None:
        """Take back what was typed, else close."""
        typed = self.query_one(PlainInput)
        if not typed.display:
            self.dismiss()
            return
        typed.value = ""
        typed.display = False
        self.query_one(WordsView).focus()

    def _fill(self, wanted: str) -> None:
        lines: list[Line] = []
        place = ""
        for where, pressed, text in self._told:
            if wanted.lower() not in f"{where} {pressed} {text}".lower():
                continue
            if where != place:
                lines += [BLANK, heading(where)] if place else [heading(where)]
                place = where
            lines.append((Cell(f"  {pressed:<26}", Tone.ACCENT), Cell(text)))
        self.query_one(WordsView).show(lines or [(Cell("nothing has it", Tone.MUTED),)])


class Choice(ModalScreen[str | None]):
    """A list to choose one from: (id, name, what it is)."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", show=False)]

    def __init__(self, title: str, choices: Sequence[tuple[str, str, str]], columns: tuple[str, str]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._columns = columns

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as box:
            box.border_title = Content(safe(self._title))
            box.border_subtitle = "enter chooses · esc closes"
            yield Table([_column("name", self._columns[0], 40, 3), _column("text", self._columns[1], 80, 5)])

    def on_mount(self) -> None:
        """Fill the list."""
        table = self.query_one(Table)
        table.replace(
            [
                TableRow(id, (Cell(name, Tone.ACCENT), Cell(text, Tone.MUTED)), (name, text))
                for id, name, text in self._choices
            ]
        )
        table.focus()

    def on_table_opened(self, event: Table.Opened) -> None:
        """Close with what was chosen."""
        event.stop()
        self.dismiss(str(event.key))

    def action_close(self) -> None:
        """Close without choosing."""
        self.dismiss(None)


def aliases(catalogue: Catalogue) -> Choice:
    """Every kind with the words that open it; those that some clusters do not serve with how many do."""
    choices = []
    for offer in sorted(catalogue, key=lambda offer: (offer.kind.kind, offer.kind.group)):
        kind, where = offer.kind, catalogue.where(offer)
        first = kind.plural if catalogue.means(kind.plural, kind) else kind.resource
        told = ", ".join((first, *kind.short))
        choices.append((kind.resource, kind.kind, "   ".join(part for part in (told, kind.group, where) if part)))
    return Choice("Kinds", choices, ("KIND", "WORDS"))


def help_for(places: Sequence[str], table: KeyTable, unable: Callable[[str], str]) -> Help:
    """Help with the places that are active first; `unable` says of an action why it does nothing there now."""
    others = [place for place in keys.PLACES if place not in places]
    return Help(table.help_lines(places, unable) + table.help_lines(others))


def _column(id: str, title: str, width: int, grow: int) -> Column:
    return Column(id, title, lambda row, facts: None, lambda value, now: Cell(str(value)), width, least=10, grow=grow)
