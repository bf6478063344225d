"""The form of one of the edits people make most, in a box over what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.domain.edits import Field
from tui.ui.text import safe
from tui.ui.widgets.form import Form


class FormScreen(ModalScreen[Mapping[str, str] | None]):
    """Ends with the values, or None. `fields` may depend on choices; `check` says what is wrong, "" for nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]

    def __init__(
        self,
        title: str,
        where: str,
        fields: Callable[[Mapping[str, str]], Sequence[Field]],
        check: Callable[[Mapping[str, str]], str],
    ) -> None:
        super().__init__()
        self._title = title
        self._where = where
        self._fields = fields
        self._check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog form") as box:
            box.border_title = Content(safe(self._title))
            box.border_subtitle = "enter drafts it · esc closes"
            yield Static(Content(safe(self._where)), classes="fact")
            yield Form(self._fields({}))

    def on_mount(self) -> None:
        """Begin at the first field."""
        self.query_one(Form).focus_first()

    async def on_form_changed(self, event: Form.Changed) -> None:
        """Another choice may mean other fields."""
        event.stop()
        await event.form.set_fields(self._fields(event.form.values))

    def on_form_submitted(self, event: Form.Submitted) -> None:
        """End with the values, unless something is wrong with them."""
        event.stop()
        wrong = self._check(event.values)
        event.form.set_error(wrong)
        if not wrong:
            self.dismiss(event.values)

    def action_give_up(self) -> None:
        """Close without doing anything."""
        self.dismiss(None)
