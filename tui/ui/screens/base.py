"""What every screen shares: header above, footer below, pulling what changed, and the way back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.screen import Screen

from tui.domain.cluster import CLUSTERS, ClusterState
from tui.ui import frame, keys, own
from tui.ui.bars import Footer, Header
from tui.ui.obey import ask_command
from tui.ui.panes import PANES, freshness
from tui.ui.prompt import Prompt
from tui.ui.scope import APPLICATIONS
from tui.ui.text import fit
from tui.ui.widgets.line_view import LineView

if TYPE_CHECKING:
    from tui.domain.obj import Ref
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp

LOOK_AGAIN = 0.1  # seconds between two looks whether a screen that is done may close
DOING = 34  # cells for what is being done
RECOUNT = 0.25  # seconds between two counts of all Applications


class FleetScreen(Screen[Any]):
    """A screen over the running fleet. Subclasses compose a Header and a Footer and say which places are active."""

    PLACES: tuple[str, ...] = ()  # of the key table, inner places first
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("everywhere")]

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._spin = 0
        self._counted: tuple[int, frame.Counts] = (-1, frame.Counts())
        self._counted_at = 0.0
        self._stale_hubs: dict[str, float] = {}  # hubs whose Applications are counted as they were last seen

    @property
    def fleet_app(self) -> FleetApp:
        """The app, as what it is."""
        from tui.ui.app import FleetApp

        assert isinstance(self.app, FleetApp)
        return self.app

    @property
    def fleet(self) -> Fleet:
        """The running fleet."""
        return self.fleet_app.fleet

    def places(self) -> tuple[str, ...]:
        """The places of the key table that are active now, inner ones first."""
        return self.PLACES

    def about(self) -> Ref | None:
        """The object that a command of the user's is about; None for none."""
        return None

    def footer_places(self) -> tuple[str, ...]:
        """The places of the footer: those that are active, and the user's commands where there are objects."""
        return (*self.places(), "own", "everywhere")

    def pane_id(self) -> str:
        """Which tab of the header is the chosen one; "" for none."""
        return ""

    def pull(self) -> None:
        """Take in what has changed; called at most once a frame, and only while this screen is shown."""
        counts = self._counts()
        self._spin += 1
        for header in self.query(Header):
            header.count(self.pane_id(), counts, self._spin // 3 if counts.loading or counts.doing else 0, self.badge())

    def in_clusters(self) -> Iterable[str]:
        """The clusters that what is shown is about, as far as it is known, where it is not the whole fleet."""
        name = self.draft_shown()
        radius = self.fleet.blast(name) if name else ""
        return () if isinstance(radius, str) else radius.clusters

    def draft_shown(self) -> str:
        """Name of the draft that is shown; "" for none."""
        return ""

    def in_group(self) -> str:
        """What these clusters together are called; "" for by their names."""
        return ""

    def badge(self) -> frame.Span | None:
        """The cluster in the header, in its accent."""
        return self.fleet_app.accents.badge(self.in_clusters(), self.in_group())

    def unable(self, action: str) -> str:
        """Why an action does nothing here now, in words; "" when it does."""
        return ""

    def refooter(self) -> None:
        """Show the keys that work now, and those that do nothing here as such."""
        shown = self.fleet_app.key_table.footer(self.footer_places(), without=own.elsewhere(self))
        for footer in self.query(Footer):
            footer.keys(shown, [action for _, _, action in shown if self.unable(action)])

    async def on_key(self, event: events.Key) -> None:
        """A key that begins others shows what may follow."""
        places = (*self.places(), "own", "everywhere", "moves")
        if name := self.fleet_app.key_table.own(event.key):
            event.stop()
            await self.carry_out(name)
        elif self.fleet_app.key_table.following(event.key, places):
            event.stop()
            self._ask_next(event.key, places)

    def _ask_next(self, pressed: str, places: Sequence[str]) -> None:
        from tui.ui.screens.whichkey import WhichKey

        def chosen(name: str | None) -> None:
            if name:
                self.fleet_app.do(self.carry_out(name), name)

        self.app.push_screen(WhichKey(self.fleet_app.key_table, pressed, places), chosen)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Catch up with what happened while another screen was shown."""
        self.pull()
        self.refooter()

    async def clicked(self, name: str) -> None:
        """A pane's tab in the header, or a key in the footer, was clicked."""
        shell = self.fleet_app.shell
        if name in PANES:
            await self.fleet_app.back_to_shell()
            await shell.go(name)
        else:
            await self.carry_out(name)

    async def carry_out(self, name: str) -> None:
        """What the key of an action would do here: the innermost widget that knows the action does it."""
        if self.fleet_app.refuses(name):
            return
        if name.startswith(keys.OWN):
            own.start(self.fleet_app, name, self.about())
            return
        focused = self.focused
        if name in keys.WIDGET and isinstance(focused, LineView):
            method = getattr(focused, f"key_{keys.WIDGET[name]}", None)
            if method is not None and method() is not False:
                return
        for node in focused.ancestors_with_self if focused is not None else [self]:
            method = getattr(node, "action_instead" if name in keys.REFUSED else f"action_{name}", None)
            if method is not None:
                if isawaitable(made := method(name) if name in keys.REFUSED else method()):
                    await made
                return

    def action_command(self) -> None:
        """Type a command."""
        ask_command(self.fleet_app)

    def action_help(self) -> None:
        """The keys that work here."""
        self.fleet_app.show_help(self.places(), self.unable)

    def action_aliases(self) -> None:
        """Every kind; choosing one opens it."""
        self.fleet_app.show_aliases()

    def action_reread(self) -> None:
        """Read again, and try unreachable clusters now; what else has written to the terminal is painted over."""
        self.fleet_app.repaint()
        self.fleet.retry(None)
        self.fleet_app.say("reading again")

    def action_suspend(self) -> None:
        """Back to the shell."""
        if self.app.is_web:
            self.fleet_app.say("there is no shell behind this screen: it is shown in a browser")
        self.app.action_suspend_process()

    def action_focus_next(self) -> None:
        """The next panel."""
        self.focus_next()

    def action_focus_previous(self) -> None:
        """The panel before."""
        self.focus_previous()

    async def action_previous(self) -> None:
        """The view before; of another screen, the way back."""
        await self.action_back()

    def action_instead(self, name: str) -> None:
        """Say what to do instead of what fleet never does."""
        self.fleet_app.say_instead(keys.by_id(name))

    async def action_events(self) -> None:
        """The event tail."""
        await self.clicked("events")

    async def closing(self) -> None:
        """Called before this screen is taken away: keep what would be lost."""

    def end(self, result: Any = None) -> None:
        """Close with a result, after work that took its time: once what the user opened over it meanwhile is closed.

        A screen that was left meanwhile stays left.
        """
        if self not in self.app.screen_stack:
            return
        if self.is_current and all(asked.finished for asked in self.query(Prompt)):
            self.dismiss(result)
        else:
            self.set_timer(LOOK_AGAIN, lambda: self.end(result))

    async def action_back(self) -> None:
        """Close this screen."""
        self.dismiss()

    async def action_leave(self) -> None:
        """Like back; the first screen asks and quits."""
        await self.action_back()

    def _counts(self) -> frame.Counts:
        """The header's numbers, counted anew only when clusters or Applications have changed."""
        store = self.fleet.store
        progress = self.fleet.progress()
        rev = store.resource_rev(CLUSTERS, APPLICATIONS)
        if rev != self._counted[0] and time.monotonic() - self._counted_at >= RECOUNT:
            self._counted_at = time.monotonic()
            live = sum(row.obj.state is ClusterState.LIVE for row in store.rows(CLUSTERS))
            health, drifted = self.fleet.facts.totals()
            self._counted = (rev, frame.Counts(live, store.count(CLUSTERS), health or None, drifted))
            self._stale_hubs = freshness.stale(store, [APPLICATIONS], self.fleet.facts.now)
        held = self._counted[1]
        return frame.Counts(
            held.live,
            held.clusters,
            held.health,
            held.out_of_sync,
            progress.answered,
            progress.objects,
            loading=not held.clusters or progress.answered < progress.clusters or bool(progress.loading),
            none=self.fleet.contexts == (),
            doing=fit(self.fleet_app.doing(), DOING),
            stale=f"◐ {freshness.age(self._stale_hubs, self.fleet.facts.now)}" if self._stale_hubs else "",
        )
