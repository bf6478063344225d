"""A tour of ten steps through the demo, by doing: each says what to press, and is done when that has happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.content import Content
from textual.widgets import Static

from tui.ui.keys import shown

if TYPE_CHECKING:
    from tui.ui.app import FleetApp
    from tui.ui.keytable import KeyTable

LOOK = 0.2  # seconds between two looks whether a step is done
_KEY = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. In `text`, `<action>` stands for the key of an action, whatever the user has made of it."""

    title: str
    text: str
    done: Callable[[FleetApp], bool]


def _screen(name: str) -> Callable[[FleetApp], bool]:
    return lambda app: type(app.screen).__name__ == name


def _moved(app: FleetApp) -> bool:
    pane = app.shell.pane
    return getattr(getattr(pane, "table", None), "cursor", 0) >= 3


def _faults(app: FleetApp) -> bool:
    return bool(app.shell.pane and app.shell.pane.view.faults)


def _filtered(app: FleetApp) -> bool:
    from tui.ui.prompt import Prompt

    pane = app.shell.pane
    return bool(pane and pane.filter and not pane.view.faults and not app.screen.query(Prompt))


def _tree(app: FleetApp) -> bool:
    return getattr(getattr(app.screen, "chosen", None), "id", "") == "resources"


def _deployments(app: FleetApp) -> bool:
    pane = app.shell.pane
    return app.screen is app.shell and bool(pane and pane.view.resource == "deployments.apps")


def _committed(app: FleetApp) -> bool:
    return any(row.obj.commits for row in app.fleet.store.rows("drafts"))


def _pushed(app: FleetApp) -> bool:
    return any(row.obj.state not in ("local", "unknown") for row in app.fleet.store.rows("drafts"))


STEPS: tuple[Step, ...] = (
    Step(
        "One list for the whole fleet",
        "These are the Applications of every cluster; to the left is the tree of clusters, below what happens. "
        "Move with <line_down> and <line_up> or the arrows, a few lines down.",
        _moved,
    ),
    Step("What is wrong", "<faults> leaves only what is not healthy or not synced.", _faults),
    Step(
        "Find",
        "<faults> again shows everything. <filter> filters as you type: type pay, then enter.",
        _filtered,
    ),
    Step(
        "Look inside",
        "<back> clears the filter, and <open> opens the Application under the cursor.",
        _screen("DetailScreen"),
    ),
    Step("The tree of it", "Its summary says in words how it is. <next_tab> goes on to its resources.", _tree),
    Step(
        "Any kind, all clusters",
        "<back> goes back. <command> takes a command: type deploy, then enter, for the Deployments of every cluster.",
        _deployments,
    ),
    Step(
        "Edit it in Git",
        "<filter>catalog, enter, and <edit> opens the file that declares the Deployment under the cursor.",
        _screen("EditorScreen"),
    ),
    Step(
        "Change it", "Give replicas another number. <save> checks it and shows the difference.", _screen("DiffScreen")
    ),
    Step(
        "Commit it",
        "<diff_commit> proposes a message, and enter commits to a draft: nothing of yours is touched, no cluster yet.",
        _committed,
    ),
    Step(
        "Send it",
        "In Drafts <draft_push> says what goes where, and asks: choose main itself. Argo CD then applies it.",
        _pushed,
    ),
)
END = "That was all of it. <events> shows your commit arrive, <help> every key, and `:` takes anything by name."


class Tour:
    """Where the user is in it, shown on whatever screen is open."""

    def __init__(self, app: FleetApp) -> None:
        self._app = app
        self.at = 0
        self._timer = app.set_interval(LOOK, self.look)
        self.look()

    def look(self) -> None:
        """Go on when the step is done; show the step that is."""
        app = self._app
        if not app.screen_stack or app.screen_stack[0] is not app.shell:
            return
        if self.at < len(STEPS) and STEPS[self.at].done(app):
            self.at += 1
        self._show()

    def skip(self) -> None:
        """The next step, although this one is not done."""
        self.at = min(self.at + 1, len(STEPS))
        self._show()

    def stop(self) -> None:
        """End it."""
        self._timer.stop()
        for screen in self._app.screen_stack:
            screen.query(TourBar).remove()

    def _show(self) -> None:
        from tui.ui.bars import Footer
        from tui.ui.screens.base import FleetScreen

        screen = self._app.screen
        if not isinstance(screen, FleetScreen) or not (footers := screen.query(Footer)):
            return
        bars = screen.query(TourBar)
        if not bars:
            screen.mount(bar := TourBar(), before=footers.first())
        else:
            bar = bars.first()
        bar.tell(self.at, self._app.key_table)


class TourBar(Static):
    """The step, above the footer."""

    def __init__(self) -> None:
        super().__init__(markup=False, classes="tour")
        self._told: tuple[int, KeyTable] | None = None

    def tell(self, at: int, table: KeyTable) -> None:
        """Show a step, by number from 0; after the last one, how to go on."""
        if self._told == (at, table):
            return
        self._told = (at, table)
        ended = at >= len(STEPS)
        self.border_title = Content(
            "Tour ✔ · :tour closes it" if ended else f"Tour {at + 1}/{len(STEPS)} · {STEPS[at].title}"
        )
        self.border_subtitle = Content("" if ended else ":tour next skips · :tour ends")
        self.update(words(END if ended else STEPS[at].text, table))


def words(text: str, table: KeyTable) -> Text:
    """A text with the keys of the actions that it names."""
    made, last = Text(), 0
    for match in _KEY.finditer(text):
        pressed = table.keys_of(match[1])
        made.append(text[last : match.start()])
        made.append(shown(pressed[0]) if pressed else f":{match[1]}", "bold reverse")
        last = match.end()
    made.append(text[last:])
    return made
