"""A read-only screen: every key that would begin, change or send a draft says why it does not."""

from __future__ import annotations

import re

import pytest

from tests.ui.still import Patient, StillFleet, at_rest
from tui.domain.settings import Settings
from tui.domain.usercommands import UserCommand
from tui.ui import keys, readonly
from tui.ui.app import FleetApp

_CHANGES = re.compile(r"\b(draft|commit|push|edit|editor|rebase|undo|restore|remove|drop)", re.I)
SHOWN = {
    "drafts",
    "draft_diff",
    "draft_conflicts",
    "draft_recover",
    "states",
    "flow_faults",
}  # their sentences speak of drafts


@pytest.mark.parametrize("action", [a for a in keys.ACTIONS if not a.instead], ids=lambda action: action.id)
def test_an_action_that_speaks_of_drafts_is_refused_or_known_to_look(action: keys.Action) -> None:
    if action.id in readonly.REFUSED:
        assert action.id not in readonly.LOOKING
    elif _CHANGES.search(f"{action.label} {action.help}"):
        assert action.id in readonly.LOOKING | SHOWN, action.help


def test_what_it_names_is_in_the_table() -> None:
    known = {action.id for action in keys.ACTIONS}
    assert known >= readonly.DRAFTING | readonly.LOOKING
    assert {action.where for action in keys.ACTIONS} >= readonly.CHANGING


async def test_keys_and_clicks_that_draft_say_why_not_and_the_footer_leaves_them_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = StillFleet()
    commands = (UserCommand("notes", run=("notes", "$NAME"), key="f4"),)
    app = FleetApp(lambda: fleet, Settings(read_only=True, commands=commands))  # type: ignore[arg-type,return-value]
    async with app.run_test(size=(120, 36)):
        pilot = Patient(app)
        while app.is_running and not app.stands:
            await pilot.pause()
        await at_rest(app, pilot)
        footer = "".join(span.text for span in app.screen.query_one("#footer").spans())  # type: ignore[attr-defined]
        assert (
            footer.startswith(" read-only ")
            and "Draft edit" not in footer
            and "notes" not in footer
            and "YAML" in footer
        )
        said: list[str] = []
        monkeypatch.setattr(app, "say", lambda text, tone=None: said.append(text))
        for number, key in enumerate(("e", "a", "n", "ctrl+d", "f4"), 1):
            await pilot.press(key)
            assert said == [readonly.SAYS] * number and app.screen is app.shell, key
        await app.shell.carry_out("edit")  # as a click in the footer does
        assert said == [readonly.SAYS] * 6
        await pilot.press("y")
        assert app.screen is not app.shell
