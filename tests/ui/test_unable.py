"""What does nothing here is grey in the footer, and says why when it is pressed or looked up."""

from __future__ import annotations

from tests.ui.still import StillFleet, at_rest, screen
from tui.ui.bars import Footer
from tui.ui.screens.dialogs import Help
from tui.ui.screens.words_view import WordsView


def looks(app) -> dict[str, str]:
    """How each key of the footer stands there, by the id of its action."""
    return {span.click: span.look for span in reversed(app.screen.query_one(Footer).spans())}


def told(app) -> str:
    return "\n".join(notice.message for notice in app._notifications)


async def test_without_an_object_under_the_cursor_keys_of_objects_are_grey_and_say_why(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        assert (looks(app)["yaml"], looks(app)["filter"]) == ("key", "key")
        await pilot.press("slash", *"nothing is called so", "enter")
        await at_rest(app, pilot)
        assert (looks(app)["yaml"], looks(app)["edit"], looks(app)["filter"]) == ("tab", "tab", "key")
        await pilot.press("y")
        await at_rest(app, pilot)
        assert app.screen is app.shell
        assert "YAML: there is no object under the cursor" in told(app)
        await pilot.press("question_mark")
        await at_rest(app, pilot)
        assert (
            "Show the manifest. Not now: there is no object under the cursor." in app.screen.query_one(WordsView).text()
        )


async def test_what_is_fleets_own_is_declared_nowhere(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await app.shell.go("clusters")
        await at_rest(app, pilot)
        assert looks(app)["edit"] == "tab"
        await pilot.press("e")
        assert "Draft edit: clusters are fleet's own, and declared nowhere" in told(app)


async def test_help_is_searched(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("question_mark")
        await at_rest(app, pilot)
        await pilot.press("slash", *"MANIFEST")
        await at_rest(app, pilot)
        text = app.screen.query_one(WordsView).text()
        assert "Show the manifest." in text and "All kinds" not in text and "every kind" not in text
        await pilot.press("enter", "escape")
        await at_rest(app, pilot)
        assert "List every kind" in app.screen.query_one(WordsView).text()
        await pilot.press("escape")
        assert not isinstance(app.screen, Help)
