"""A small form: labelled fields with what is there now, choices, a line of help, a line for what is wrong."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

from msgspec.structs import replace
from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from tui.domain.edits.base import Field
from tui.domain.kinds.kind import Tone
from tui.ui import paint
from tui.ui.text import fit, padded, safe, width_of
from tui.ui.widgets.line_view import CURSOR, PLAIN, RESTING, LineView
from tui.ui.widgets.plain_input import PlainInput

_GAP = 2  # cells between choices


class _Typed(PlainInput):
    """A value that may be typed; choices are proposed behind the cursor and walked through with PgDn, PgUp."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "choose(1)", show=False),
        Binding("pageup", "choose(-1)", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, field: Field) -> None:
        self.field = field
        self._original = safe(field.value)  # a value with control characters is shown safe and kept as it is
        choices = [safe(choice) for choice in field.choices]
        super().__init__(
            self._original, suggester=SuggestFromList(choices) if choices else None, select_on_focus=True, compact=True
        )

    @property
    def answer(self) -> str:
        """What the form hands on."""
        return self.field.value if self.value == self._original else self.value

    def propose(self, field: Field) -> None:
        """The same field with other choices and help."""
        self.field = field
        choices = [safe(choice) for choice in field.choices]
        self.suggester = SuggestFromList(choices) if choices else None

    def validate_value(self, value: str) -> str:
        """Nothing invisible gets in by pasting."""
        return safe(value)

    def action_choose(self, step: int) -> None:
        """The next choice, or the one before."""
        choices = [safe(choice) for choice in self.field.choices]
        if choices:
            at = choices.index(self.value) + step if self.value in choices else (0 if step > 0 else -1)
            self.value = choices[at % len(choices)]
            self.cursor_position = len(self.value)


class _Picked(LineView):
    """One of a few values, all in one line: left and right, or the first letter."""

    KEYS: ClassVar[dict[str, str]] = {"left": "left", "h": "left", "right": "right", "l": "right", "space": "right"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("enter", "submit", show=False),
    ]

    class _Of(Message):
        """A message of one field."""

        def __init__(self, picked: _Picked) -> None:
            super().__init__()
            self.picked = picked

        @property
        def control(self) -> _Picked:
            """The field it comes from."""
            return self.picked

    class Changed(_Of):
        """Another value is picked."""

    class Submitted(_Of):
        """Enter."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field
        self._choices = field.choices if field.value in field.choices else (field.value, *field.choices)
        self._at = self._choices.index(field.value)

    @property
    def answer(self) -> str:
        """What the form hands on."""
        return self._choices[self._at]

    def choose(self, value: str) -> None:
        """Pick a value, if it is one of the choices."""
        if value in self._choices:
            self._at = self._choices.index(value)
            self.refresh()

    def line_count(self) -> int:
        """One."""
        return 1

    def stamp(self, index: int) -> Hashable:
        """Which value is picked."""
        return self._at, self.has_focus

    def state_of(self, index: int) -> str:
        """The picked value is marked, not the line."""
        return PLAIN

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """All choices, the picked one bright; those to the left give way when there is no room."""
        names = [fit(choice or "none", max(1, width - 2)) for choice in self._choices]
        first = 0
        while first < self._at and sum(width_of(name) + 2 + _GAP for name in names[first : self._at + 1]) > width:
            first += 1
        segments: list[Segment] = []
        left = width
        for at in range(first, len(names)):
            text = fit(f" {names[at]} ", left)
            chosen = CURSOR if self.has_focus else RESTING
            tone = Tone.PLAIN if at == self._at else Tone.MUTED
            segments.append(Segment(text, self.tone_style(tone, chosen if at == self._at else PLAIN)))
            left -= width_of(text)
            gap = min(_GAP, left)
            segments.append(Segment(" " * gap, self.tone_style(Tone.PLAIN)))
            left -= gap
        segments.append(Segment(" " * left, self.tone_style(Tone.PLAIN)))
        return segments

    def key_left(self) -> bool | None:
        """The choice to the left."""
        self._step(-1)
        return None

    def key_right(self) -> bool | None:
        """The choice to the right."""
        self._step(1)
        return None

    def _step(self, step: int) -> None:
        self._at = (self._at + step) % len(self._choices)
        self.refresh()
        paint.now(self)
        self.post_message(self.Changed(self))

    def on_key(self, event: events.Key) -> None:
        """A letter picks the next choice that begins with it."""
        char = (event.character or "").lower()
        if len(char) != 1 or not char.isalnum() or event.key in self.keys:
            return
        count = len(self._choices)
        for step in range(1, count + 1):
            if self._choices[(self._at + step) % count].lower().startswith(char):
                self._step(step)
                event.stop()
                return

    def action_submit(self) -> None:
        """Enter."""
        self.post_message(self.Submitted(self))


def _shape(field: Field) -> Field:
    """What must be the same for a field to be the same one: proposals and help may differ where others may be typed."""
    return replace(field, choices=() if field.free else field.choices, help="")


class Form(Vertical):
    """Fields of `tui.domain.edits`. Up, down and tab move, enter submits, escape is for the screen."""

    DEFAULT_CSS = """
    Form {
        height: auto;
        width: 1fr;
        & > .form--row { height: 1; width: 1fr; }
        & .form--label { color: $text-muted; height: 1; padding: 0 2 0 0; text-align: right; }
        & .form--was { color: $text-muted; width: auto; max-width: 40%; height: 1; padding: 0 0 0 2; }
        & Input { height: 1; border: none; padding: 0; width: 1fr; background: $surface; }
        & Input:focus { border: none; background: $block-cursor-blurred-background; }
        & _Picked { height: 1; }
        & > .form--help { color: $text-muted; height: auto; margin: 1 0 0 0; }
        & > .form--error { color: $text-error; height: auto; display: none; }
        & > .form--error.-shown { display: block; }
    }
    """

    class Changed(Message):
        """A value has changed: `form.values`, and `name` of the field."""

        def __init__(self, form: Form, name: str) -> None:
            super().__init__()
            self.form = form
            self.name = name

        @property
        def control(self) -> Form:
            """The form it comes from."""
            return self.form

    class Submitted(Message):
        """Enter: `values` by field name."""

        def __init__(self, form: Form, values: Mapping[str, str]) -> None:
            super().__init__()
            self.form = form
            self.values = values

        @property
        def control(self) -> Form:
            """The form it comes from."""
            return self.form

    def __init__(self, fields: Sequence[Field], *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._fields = tuple(fields)
        self._inputs: dict[str, _Typed | _Picked] = {}
        self._was: dict[str, Static] = {}

    @property
    def values(self) -> dict[str, str]:
        """What the fields say, by name."""
        return {name: field.answer for name, field in self._inputs.items()}

    @property
    def changed_values(self) -> dict[str, str]:
        """Only what differs from what is there now."""
        return {name: field.answer for name, field in self._inputs.items() if field.answer != field.field.value}

    async def set_fields(self, fields: Sequence[Field]) -> None:
        """Show other fields. A field that stays as it is keeps what was typed, and the focus stays on its name."""
        if tuple(fields) == self._fields:
            return
        kept = {field.name: _shape(field) for field in self._fields}
        if [*map(_shape, fields)] == [*kept.values()]:
            self._propose(fields)
            return
        typed = {name: value for name, value in self.changed_values.items()}
        focused = next((name for name, field in self._inputs.items() if field.has_focus), None)
        self._fields = tuple(fields)
        await self.recompose()
        for field in fields:
            was = kept.get(field.name)
            same = was is not None and replace(was, choices=field.choices) == replace(
                _shape(field), choices=field.choices
            )
            if field.name in typed and same and (field.free or typed[field.name] in field.choices):
                self.set_value(field.name, typed[field.name])
        if focused in self._inputs:
            self._inputs[focused].focus()

    def _propose(self, fields: Sequence[Field]) -> None:
        """Take over other proposals, without touching what is being typed."""
        self._fields = tuple(fields)
        for field in fields:
            held = self._inputs[field.name]
            if isinstance(held, _Typed):
                held.propose(field)
            else:
                held.field = field
            if held.has_focus:
                self._help(held)

    def set_value(self, name: str, value: str) -> None:
        """Put a value into a field; for a field with fixed choices it must be one of them."""
        field = self._inputs[name]
        if isinstance(field, _Typed):
            field.value = value
        else:
            field.choose(value)
        self._note(name)

    def set_error(self, text: str) -> None:
        """Say what is wrong below the fields; "" takes it away."""
        error = self.query_one(".form--error", Static)
        error.update(Content(("✖ " if text else "") + safe(text)))
        error.set_class(bool(text), "-shown")

    def focus_first(self) -> None:
        """Focus the first field."""
        if self._inputs:
            next(iter(self._inputs.values())).focus()

    def compose(self) -> ComposeResult:
        """A row for each field, then help and error."""
        self._inputs, self._was = {}, {}
        width = max((width_of(safe(field.label)) for field in self._fields), default=0) + 2
        for field in self._fields:
            with Horizontal(classes="form--row"):
                label = Static(Content(padded(field.label, width - 2, right=True)), classes="form--label")
                label.styles.width = width
                yield label
                entry = _Picked(field) if field.choices and not field.free else _Typed(field)
                self._inputs[field.name] = entry
                yield entry
                self._was[field.name] = Static("", classes="form--was")
                yield self._was[field.name]
        yield Static("", classes="form--help")
        yield Static("", classes="form--error")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Help for the field that has the focus."""
        for field in self._inputs.values():
            if field is event.widget:
                self._help(field)

    def _help(self, entry: _Typed | _Picked) -> None:
        text, choices = entry.field.help, entry.field.choices
        if isinstance(entry, _Typed) and choices:
            text += ("  " if text else "") + "PgDn PgUp: " + ", ".join(choices[:8])
        self.query_one(".form--help", Static).update(Content(safe(text)))

    @on(Input.Changed)
    @on(_Picked.Changed)
    def _changed(self, event: Message) -> None:
        event.stop()
        for name, field in self._inputs.items():
            if field is event.control:
                self._note(name)
                self.set_error("")
                self.post_message(self.Changed(self, name))

    @on(Input.Submitted)
    @on(_Picked.Submitted)
    def _submitted(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Submitted(self, self.values))

    def _note(self, name: str) -> None:
        """What a changed field said before."""
        field = self._inputs[name]
        changed = field.answer != field.field.value
        self._was[name].update(Content(f"was {safe(field.field.value) or 'not set'}" if changed else ""))
