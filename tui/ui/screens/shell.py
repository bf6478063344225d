"""The first screen: the cluster tree, the pane, the event strip, and the views a user has been to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePath

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.domain.obj import Ref
from tui.ui import frame
from tui.ui.bars import Footer, Header, Line
from tui.ui.panes import PANES
from tui.ui.panes.base import Pane
from tui.ui.scope import History, Scope, View
from tui.ui.screens.base import FleetScreen

KEPT = 8  # panes that stay mounted while hidden, with their cursor and scroll


def styles() -> list[str | PurePath]:
    """The style sheets: beside the package in a wheel, at the top of a checkout."""
    package = Path(__file__).resolve().parents[2]
    folder = package / "styles" if (package / "styles").is_dir() else package.parent / "styles"
    return sorted(folder.glob("*.tcss"))


class Shell(FleetScreen):
    """Tree, pane, strip."""

    CSS_PATH = styles()  # of every other screen too: this one is always below

    def __init__(self) -> None:
        super().__init__(id="shell")
        self.history = History()
        self.pane: Pane | None = None
        self._panes: dict[tuple[str, str], Pane] = {}
        self._watched: object = None
        self.tree_shown = True
        self._left: tuple[Ref, str] | None = None  # the detail closed last, with its tab, while no other view came

    def compose(self) -> ComposeResult:
        from tui.ui.panes.tree import TreePane
        from tui.ui.strip import EventStrip

        yield Header()
        with Horizontal(id="main"):
            yield TreePane()
            yield Vertical(id="body")
        yield EventStrip()
        yield Footer()

    async def on_mount(self) -> None:
        """Show the Applications of the whole fleet."""
        self._measure()
        await self.visit(View(frame.FIRST))
        assert self.pane is not None
        self.pane.take_focus()
        self.fleet_app.shell_stands()

    def on_resize(self, event: events.Resize) -> None:
        """Divide the terminal anew."""
        self._measure()

    def _measure(self) -> None:
        if not self.query("#tree"):
            return  # resized before it was composed
        size = self.app.size
        measure = frame.geometry(size.width, size.height)
        tree = self.query_one("#tree", Pane)
        tree.display = self.tree_shown and measure.tree > 0
        tree.styles.width = measure.tree
        strip = self.query_one("#strip", Widget)
        strip.styles.height = measure.strip
        strip.set_class(measure.framed, "framed")

    # -- views ----------------------------------------------------------------------------------------------------

    @property
    def scope(self) -> Scope:
        """The part of the fleet that is shown."""
        view = self.history.current
        return view.scope if view else Scope()

    async def visit(self, view: View) -> None:
        """Show a view and remember it."""
        self.history.visit(view)
        await self._show(view)

    async def go(self, pane: str, resource: str = "", **scope: object) -> None:
        """Show a pane for the present scope, changed by `scope`."""
        await self.visit(View(pane, resource, replace(self.scope, **scope)))  # type: ignore[arg-type]

    async def rescope(self, scope: Scope) -> None:
        """Show the present pane for another part of the fleet."""
        view = self.history.current or View(frame.FIRST)
        await self.visit(view.scoped(scope))

    def leave_detail(self, ref: Ref, tab: str) -> None:
        """A detail was closed: at the newest view, it is what `]` comes back to."""
        if self.history.at == len(self.history.views) - 1:
            self._left = (ref, tab)

    async def _show(self, view: View) -> None:
        self._left = None
        key = (view.pane, view.resource)
        pane = self._panes.pop(key, None)
        had_focus = self.pane is None or self.focused is None or self.pane in self.focused.ancestors_with_self
        if pane is None:
            pane = PANES[view.pane].make(view)
            pane.display = False
            await self.query_one("#body").mount(pane)
        self._panes[key] = pane  # the dict's order is that of last use
        if self.pane is not pane:
            if self.pane is not None:
                self.pane.display = False
            pane.display = True
            self.pane = pane
        pane.show(view)
        self.pull()
        if had_focus:
            pane.take_focus()
        self.refooter()
        while len(self._panes) > KEPT:
            await self._panes.pop(next(iter(self._panes))).remove()

    def amend(self, **changed: object) -> None:
        """The present view has another filter, say: what `[` comes back to."""
        if (view := self.history.current) is not None:
            self.history.amend(replace(view, **changed))  # type: ignore[arg-type]

    def pull(self) -> None:
        """Tree, pane and strip take in what has changed."""
        super().pull()
        if self.pane is None:
            return
        self._look()
        for pane in self.query("#tree, #strip").results(Pane):
            if pane.display:
                pane.pull()
        self.pane.pull()

    def _look(self) -> None:
        """Tell the fleet what is looked at, when that has changed."""
        assert self.pane is not None
        watched = self.pane.watches()
        if watched != self._watched:
            self._watched = watched
            self.fleet.look("pane", *watched)

    def in_clusters(self) -> Iterable[str]:
        """The cluster or group that the tree has scoped the panes to."""
        scope, store = self.scope, self.fleet.store
        row = store.get(scope.application) if scope.application is not None else None
        if row is not None:
            return (self.fleet.facts.destination(row).rstrip("?"),)
        return scope.clusters(store) or ()

    def in_group(self) -> str:
        return "" if self.scope.cluster else "/".join(self.scope.group)

    def pane_id(self) -> str:
        return self.pane.view.pane if self.pane else frame.FIRST

    def places(self) -> tuple[str, ...]:
        pane = self.active_pane()
        return pane.PLACES if pane else ()

    def about(self) -> Ref | None:
        pane = self.active_pane()
        return pane.here() if pane else None

    def active_pane(self) -> Pane | None:
        """The pane that has the focus, else the large one."""
        focused = self.focused
        while focused is not None:
            if isinstance(focused, Pane):
                return focused
            focused = focused.parent  # type: ignore[assignment]
        return self.pane

    # -- actions --------------------------------------------------------------------------------------------------

    async def action_previous(self) -> None:
        """The view before, as in a browser."""
        await self._go_to(self.history.step(-1))

    async def action_next(self) -> None:
        """The view after, as in a browser."""
        if self._left is not None:
            self.fleet_app.show_object(*self._left)
        else:
            await self._go_to(self.history.step(1))

    async def action_last(self) -> None:
        """Swap with the view before this one."""
        await self._go_to(self.history.swap())

    async def _go_to(self, view: View | None) -> None:
        if view is not None:
            await self._show(view)

    async def action_back(self) -> None:
        """Clear the filter, else widen the scope to the view before."""
        if self.pane is not None and not self.pane.clear():
            await self.action_previous()

    async def action_leave(self) -> None:
        """The view before; at the first one ask and quit."""
        view = self.history.step(-1)
        if view is not None:
            await self._show(view)
        else:
            self.fleet_app.ask_quit()

    def action_tree(self) -> None:
        """Show or hide the tree."""
        self.tree_shown = not self.tree_shown
        self._measure()

    async def on_key(self, event: events.Key) -> None:
        """A digit shows one of the last namespaces chosen."""
        favourites = self.fleet_app.favourites
        if event.key in "123456789" and int(event.key) <= len(favourites):
            event.stop()
            await self.fleet_app.choose_namespace(favourites[int(event.key) - 1])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Another panel has other keys."""
        self.refooter()

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A tab of the header or a key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)
