"""What every pane is: a frame with a title, the view it shows, and what it watches while it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import KINDS, OWN
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.obj import Ref
from tui.ui import keys, paint
from tui.ui.scope import APPLICATIONS, Scope, View
from tui.ui.text import safe

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp
    from tui.ui.commands import Proposal


STEP = 2  # columns by which a key moves the border of the tree


class Pane(Vertical):
    """A part of the screen with a border. Hidden panes are not asked to `pull`."""

    TITLE = ""
    PLACES: tuple[str, ...] = ("list",)  # of the key table, inner places first
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("list")]

    def __init__(self, view: View) -> None:
        super().__init__(classes="pane")
        self.view = view
        self._titled = self._subtitled = self._grip = ""
        self.title()

    @property
    def fleet_app(self) -> FleetApp:
        """The app, as what it is."""
        from tui.ui.app import FleetApp

        assert isinstance(self.app, FleetApp)
        return self.app

    @cached_property
    def fleet(self) -> Fleet:
        """The running fleet."""
        return self.fleet_app.fleet

    def show(self, view: View) -> None:
        """Show another scope or filter of the same pane."""
        self.view = view

    def pull(self) -> None:
        """Take in what has changed since the last time."""

    def watches(self) -> tuple[frozenset[str], frozenset[str] | None]:
        """(resources, clusters or None for all) that this pane needs while it is shown."""
        return frozenset(), None

    def take_focus(self) -> None:
        """Give the focus to what the keys move in."""

    def clear(self) -> bool:
        """Clear the filter or close what is open inside; False when there was nothing."""
        return False

    def accented(self, cell: Cell) -> Cell:
        """A cell that names a cluster, in the accent of the cluster."""
        return self.fleet_app.accents.cell(cell)

    def here(self) -> Ref | None:
        """The object the cursor is on."""
        return None

    def unable(self, action: str) -> str:
        """Why an action of the key table does nothing here now, in words; "" when it does."""
        ref = self.here()
        if action in keys.ON_OBJECT and ref is None:
            return "there is no object under the cursor"
        if action in keys.DECLARED and ref is not None and ref.resource in OWN:
            return f"{KINDS[ref.resource].plural} are fleet's own, and declared nowhere"
        return ""

    def wanted(self, action: str) -> Ref | None:
        """The object that an action is about; None, and said why, when it does nothing here."""
        if why := self.unable(action):
            self.fleet_app.say(f"{keys.by_id(action).label}: {why}", Tone.WARN)
            return None
        return self.here()

    def columns(self) -> list[str]:
        """Titles that `:sort` completes."""
        return []

    filter = ""  # the text that rows must have

    def set_filter(self, text: str) -> None:
        """Show only what has the text."""

    def filter_proposals(self, text: str) -> Sequence[Proposal]:
        """How a filter may go on; for panes whose filters are more than text."""
        return ()

    async def run(self, verb: str, argument: str) -> bool:
        """Carry out a verb of the `:` line that is this pane's own; False when it is not."""
        return False

    def title(self, *parts: str) -> None:
        """Title and, right of it, what is shown: scope, filter, counts. Texts are data."""
        text = " · ".join(part for part in (self.TITLE, *parts) if part)
        if text != self._titled:  # setting it repaints the pane
            self._titled = text
            self.border_title = Content(safe(text) or " ")

    def subtitle(self, text: str) -> None:
        """What stands in the lower border."""
        if text != self._subtitled:
            self._subtitled = text
            paint.lower_border(self, Content(safe(text)) if text else None)

    # -- the borders to the other panels ------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A press on a border between two panels starts dragging it."""
        at = event.screen_offset - self.region.offset
        self._grip = self.fleet_app.shell.grip(self, at.x, at.y) if self.screen is self.fleet_app.shell else ""
        if self._grip:
            self.capture_mouse()
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The border goes with the pointer."""
        if self._grip:
            self.fleet_app.shell.drag(self._grip, event.screen_x, event.screen_y)
            event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let the border go."""
        if self._grip:
            self._grip = ""
            self.release_mouse()
            event.stop()

    def action_zoom(self) -> None:
        """This panel alone, or all of them."""
        self.fleet_app.shell.zoom(self)

    def action_narrower(self) -> None:
        """A narrower tree."""
        self.fleet_app.shell.divide(tree=-STEP)

    def action_wider(self) -> None:
        """A wider tree."""
        self.fleet_app.shell.divide(tree=STEP)

    def action_lower(self) -> None:
        """Fewer events below."""
        self.fleet_app.shell.divide(strip=-1)

    def action_higher(self) -> None:
        """More events below."""
        self.fleet_app.shell.divide(strip=1)

    def action_strip(self) -> None:
        """The event strip, or none."""
        self.fleet_app.shell.toggle("strip")

    # -- actions of the key table on an object ----------------------------------------------------------------------

    def action_yaml(self) -> None:
        """Show the manifest."""
        if (ref := self.wanted("yaml")) is not None:
            self.fleet_app.show_manifest(ref)

    def action_describe(self) -> None:
        """Show it as text; of what has words of its own, those."""
        if (ref := self.wanted("describe")) is not None:
            self.fleet_app.show_object(ref, "describe")

    def action_xray(self) -> None:
        """Show what it hangs together with."""
        if (ref := self.here()) is not None:
            self.fleet_app.show_xray(ref)

    def action_owner(self) -> None:
        """Go to what controls it."""
        if (ref := self.here()) is not None:
            self.fleet_app.show_owner(ref)

    def action_verdict(self) -> None:
        """May it talk to another?"""
        if (ref := self.wanted("verdict")) is not None:
            self.fleet_app.ask_verdict(ref)

    def chosen(self) -> list[Ref]:
        """What an action on many is about: the marked rows, else the object the cursor is on."""
        ref = self.here()
        return [ref] if ref is not None else []

    def action_logs(self) -> None:
        """The logs of its pods."""
        self.fleet_app.show_logs(self.chosen())

    def action_previous_logs(self) -> None:
        """The logs before the last restart."""
        self.fleet_app.show_logs(self.chosen(), previous=True)

    async def action_all_namespaces(self) -> None:
        """All namespaces."""
        await self.fleet_app.choose_namespace("")

    async def action_application(self) -> None:
        """The Application of an object; of an Application, cluster or namespace, only what is in it."""
        ref = self.here()
        row = self.fleet.store.get(ref) if ref is not None else None
        if ref is None or row is None:
            return
        shell = self.fleet_app.shell
        if ref.resource == APPLICATIONS:
            scope = shell.scope.application
            await shell.rescope(Scope() if scope == ref else Scope(application=ref))
            return
        if ref.resource in (CLUSTERS, "namespaces"):
            namespace = ref.name if ref.resource == "namespaces" else ""
            await shell.rescope(Scope(cluster=ref.cluster, namespace=namespace))
            return
        found = self.fleet.facts.application_ref(row)
        if found is not None:
            self.fleet_app.show_object(found)
        else:
            self.fleet_app.say(f"no Application tracks {ref.name}", Tone.WARN)

    async def action_flows(self) -> None:
        """The flows of the object, or of what is shown."""
        ref, shell = self.here(), self.fleet_app.shell
        if ref is None or not ref.cluster:
            await shell.go("flows")
        elif ref.resource == APPLICATIONS:
            row = self.fleet.store.get(ref)
            cluster = self.fleet.facts.destination(row).rstrip("?") if row is not None else ""
            await shell.go("flows", cluster=cluster, namespace=row.obj.spec.destination.namespace if row else "")
        elif ref.resource in (CLUSTERS, "namespaces"):
            await shell.go("flows", cluster=ref.cluster or ref.name, namespace=ref.name * (ref.resource != CLUSTERS))
        else:
            scope = Scope(cluster=ref.cluster, namespace=ref.namespace)
            await shell.visit(View("flows", scope=scope, filter=ref.name))

    def action_edit(self) -> None:
        """Draft an edit."""
        if (ref := self.wanted("edit")) is not None:
            self.fleet_app.draft_edit(ref)

    def action_actions(self) -> None:
        """Choose one of the common edits."""
        if (ref := self.wanted("actions")) is not None:
            self.fleet_app.choose_edit(ref)

    def action_new_object(self) -> None:
        """Draft a new object."""
        self.fleet_app.draft_new(self.here())

    def action_remove(self) -> None:
        """Draft its removal."""
        if (ref := self.wanted("remove")) is not None:
            self.fleet_app.draft_removal(ref)

    def action_instead(self, name: str) -> None:
        """Say what to do instead of what fleet never does; `s` means something else on every kind."""
        ref = self.here()
        if name == "no_sync" and ref is not None:
            name = {"pods": "no_shell", "deployments.apps": "no_scale", "statefulsets.apps": "no_scale"}.get(
                ref.resource, name
            )
        self.fleet_app.say_instead(keys.by_id(name))
