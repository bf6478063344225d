"""The panes. A new pane is one module beside these and one row in `PANES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.ui.panes.base import Pane
    from tui.ui.scope import View


@dataclass(frozen=True, slots=True)
class PaneSpec:
    """A pane: its id, its title, and what makes it. Making imports its module only when it is first shown."""

    id: str
    title: str
    make: Callable[[View], Pane]


def _applications(view: View) -> Pane:
    from tui.ui.panes.applications import ApplicationsPane

    return ApplicationsPane(view)


def _policies(view: View) -> Pane:
    from tui.ui.panes.policies import PoliciesPane

    return PoliciesPane(view)


def _clusters(view: View) -> Pane:
    from tui.ui.panes.clusters import ClustersPane

    return ClustersPane(view)


def _events(view: View) -> Pane:
    from tui.ui.panes.events import EventsPane

    return EventsPane(view)


def _flows(view: View) -> Pane:
    from tui.ui.panes.flows import FlowsPane

    return FlowsPane(view)


def _drafts(view: View) -> Pane:
    from tui.ui.panes.drafts import DraftsPane

    return DraftsPane(view)


def _pulse(view: View) -> Pane:
    from tui.ui.panes.pulse import PulsePane

    return PulsePane(view)


def _objects(view: View) -> Pane:
    from tui.domain.kinds import KINDS
    from tui.ui.panes.objects import ObjectsPane
    from tui.ui.panes.table import TablePane

    return TablePane(view) if view.resource in KINDS else ObjectsPane(view)


PANES: dict[str, PaneSpec] = {
    spec.id: spec
    for spec in (
        PaneSpec("clusters", "Clusters", _clusters),
        PaneSpec("applications", "Applications", _applications),
        PaneSpec("policies", "Policies", _policies),
        PaneSpec("events", "Events", _events),
        PaneSpec("flows", "Flows", _flows),
        PaneSpec("drafts", "Drafts", _drafts),
        PaneSpec("pulse", "Pulse", _pulse),
        PaneSpec("objects", "Objects", _objects),
    )
}
