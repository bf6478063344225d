"""The event tail: what happened in the scope that is shown, newest last."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.domain.obj import Ref
from tui.domain.tail import TailEvent
from tui.store import Store
from tui.ui import keys
from tui.ui.panes import freshness
from tui.ui.panes.base import Pane
from tui.ui.scope import APPLICATIONS, Scope, View
from tui.ui.widgets.tail import TailView


class EventsPane(Pane):
    """Follows the tail; filter, pause, resume, jump."""

    TITLE = "Events"
    PLACES = ("events", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("events")]

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._scoped: tuple[Scope, frozenset[str] | None] = (Scope(), None)

    def compose(self) -> ComposeResult:
        yield TailView(self.fleet.tail, empty="nothing has happened yet")

    @property
    def tail(self) -> TailView:
        """The lines."""
        return self.query_one(TailView)

    def take_focus(self) -> None:
        self.tail.focus()

    def show(self, view: View) -> None:
        self.view = view
        self.tail.set_filter(view.filter)
        self.pull()

    def pull(self) -> None:
        """Take in what came; a group's clusters may have changed as well."""
        clusters = self.view.scope.clusters(self.fleet.store)
        if (self.view.scope, clusters) != self._scoped:
            self._scoped = (self.view.scope, clusters)
            self.tail.set_scope(admits(self.view.scope, self.fleet.store))
        self.tail.tick(self.fleet.facts.now)
        self.tail.pull()
        self._caption()

    def _caption(self) -> None:
        tail = self.tail
        state = f"paused, {tail.behind:,} behind" if tail.paused else "" if tail.following else "looking back"
        silent = freshness.words(freshness.lost(self.fleet.store, self._scoped[1]), self.fleet.facts.now, "silent")
        self.title(self.view.scope.words(), state, f"/{self.view.filter}" if self.view.filter else "", silent)
        self.subtitle(f"{tail.visible_count:,}" if tail.visible_count else "")

    def here(self) -> Ref | None:
        event = self.tail.event
        return event.ref if event else None

    @property
    def filter(self) -> str:  # type: ignore[override]
        """The text that events must have."""
        return self.view.filter

    def set_filter(self, text: str) -> None:
        self.fleet_app.shell.amend(filter=text)
        self.view = self.fleet_app.shell.history.current or self.view
        self.tail.set_filter(text)
        self._caption()

    def clear(self) -> bool:
        if self.view.filter:
            self.set_filter("")
            return True
        if self.tail.paused or not self.tail.following:
            self.tail.follow()
            return True
        return False

    def action_filter(self) -> None:
        """Filter as one types."""
        self.fleet_app.ask_filter(self)

    def action_pause(self) -> None:
        """Pause, or take in all that came meanwhile."""
        self.tail.toggle_pause()

    def on_follow_view_state_changed(self, event: TailView.StateChanged) -> None:
        """Say in the title how the tail stands."""
        event.stop()
        self._caption()

    def on_tail_view_opened(self, event: TailView.Opened) -> None:
        """Enter: the object of the event."""
        event.stop()
        if event.event.ref is not None:
            self.fleet_app.show_object(event.event.ref)


def admits(scope: Scope, store: Store) -> Callable[[TailEvent], bool] | None:
    """Whether an event belongs to a scope; None when every event does."""
    if scope == Scope():
        return None
    clusters = scope.clusters(store)
    application = f"{scope.application.namespace}/{scope.application.name}" if scope.application else ""

    def wanted(event: TailEvent) -> bool:
        ref = event.ref
        if application and event.application != application:
            return False
        if clusters is not None and event.cluster not in clusters and (ref is None or ref.cluster not in clusters):
            return False
        if not scope.namespace:
            return True
        if ref is not None and ref.namespace == scope.namespace:
            return True
        held = store.get(ref) if ref is not None and ref.resource == APPLICATIONS else None
        return held is not None and held.obj.spec.destination.namespace == scope.namespace

    return wanted
