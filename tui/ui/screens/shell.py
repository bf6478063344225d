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
        self._alone: Widget | None = None  # the panel that is zoomed, or the one shown where there is room for one
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
        tree, strip, body = (self.query_one(name, Widget) for name in ("#tree", "#strip", "#body"))
        size, alone = self.app.size, self._alone
        measure = self._geometry()
        narrow = size.width < frame.NARROW
        if narrow and alone is None:
            alone = body
        for panel, room in ((tree, measure.tree), (strip, measure.strip), (body, 1)):
            kept = narrow and self._alone is not strip and panel is strip  # what happens is told all the same
            panel.display = room > 0 if alone is None else panel is alone or (kept and room > 0)
        tree.parent.display = alone is not strip  # type: ignore[union-attr]
        tree.styles.width = "1fr" if alone is tree else measure.tree
        strip.styles.height = "1fr" if alone is strip else measure.strip
        strip.set_class(measure.framed or alone is strip, "framed")
        self.pull()  # what was hidden has not been asked to
        focused = self.focused
        if focused is not None and not all(each.display for each in focused.ancestors_with_self):
            shown = self.query_one("#tree", Pane) if alone is tree else self.pane
            if shown is not None:
                shown.take_focus()

    def _geometry(self) -> frame.Geometry:
        size = self.app.size
        return frame.geometry(size.width, size.height, self.fleet_app.layout_kept)

    # -- how the screen is divided ----------------------------------------------------------------------------------

    def zoom(self, panel: Widget) -> None:
        """Give a panel the whole screen, or the others their place again."""
        panel = self.query_one("#body") if panel is self.pane else panel
        self._alone = None if self._alone is not None else panel
        self._measure()

    def toggle(self, panel: str) -> None:
        """Show or hide the `tree` or the `strip`; where there is room for one panel, the tree or the pane."""
        layout = self.fleet_app.layout_kept
        if panel == "tree" and self.app.size.width < frame.NARROW:
            tree = self.query_one("#tree", Pane)
            self._alone = None if self._alone is tree else tree
            self._measure()
            if self._alone is tree:
                tree.take_focus()
            elif self.pane is not None:
                self.pane.take_focus()
            return
        self._alone = None
        name = f"{panel}_shown"
        self._divided(layout.but(**{name: not getattr(layout, name)}))

    def divide(self, tree: int = 0, strip: int = 0) -> None:
        """Move the borders: columns more for the tree, rows more for the strip."""
        measure = self._geometry()
        if tree and measure.tree:
            self._divided(self.fleet_app.layout_kept.but(tree=max(frame.LEAST_TREE, measure.tree + tree)))
        if strip and measure.strip:
            self._divided(self.fleet_app.layout_kept.but(strip=max(1, measure.strip + strip)))

    def _divided(self, layout: frame.Layout) -> None:
        """Divide the screen like this, and keep it as far as it could be done."""
        size = self.app.size
        measure = frame.geometry(size.width, size.height, layout)
        tree, strip = measure.tree or layout.tree, measure.strip or layout.strip
        layout = layout.but(tree=layout.tree and tree, strip=layout.strip and strip)
        self.fleet_app.keep_layout(layout)
        self._measure()

    def grip(self, panel: Pane, x: int, y: int) -> str:
        """Which border of a panel a cell of it lies on: that of the `tree`, that of the `strip`, or ""."""
        if self._alone is not None:
            return ""
        is_tree, is_strip = panel.id == "tree", panel.id == "strip"
        height = panel.outer_size.height
        if (is_strip and y == 0 and panel.has_class("framed")) or (not is_strip and y == height - 1):
            return "strip" if self._geometry().strip else ""
        on_tree = x == panel.outer_size.width - 1 if is_tree else x == 0 and not is_strip
        return "tree" if on_tree and self._geometry().tree else ""

    def drag(self, border: str, x: int, y: int) -> None:
        """A border has been dragged to a cell of the screen."""
        measure = self._geometry()
        if border == "tree":
            self.divide(tree=x + 1 - measure.tree)
        else:
            self.divide(strip=self.app.size.height - 1 - y - measure.strip)

    # -- views ----------------------------------------------------------------------------------------------------

    @property
    def scope(self) -> Scope:
        """The part of the fleet that is shown."""
        view = self.history.current
        return view.scope if view else Scope()

    async def visit(self, view: View) -> None:
        """Show a view and remember it; a tree that has the screen to itself makes room for it."""
        if self._alone is not None and self._alone.id == "tree":
            self._alone = None
            self._measure()
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
        self.refooter()

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

    def unable(self, action: str) -> str:
        pane = self.active_pane()
        return pane.unable(action) if pane else ""

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
        self.toggle("tree")

    def action_focus_next(self) -> None:
        """The next panel; where there is room for one, that one is shown instead."""
        if self.app.size.width < frame.NARROW:
            self.toggle("tree")
        else:
            super().action_focus_next()

    def action_focus_previous(self) -> None:
        """The panel before; as above."""
        if self.app.size.width < frame.NARROW:
            self.toggle("tree")
        else:
            super().action_focus_previous()

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
