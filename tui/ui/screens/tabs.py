"""The tabs of a detail screen: which ones an object has, and what each shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widget import Widget

from tui.domain.argo import application as argo
from tui.domain.argo.tree import needs
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import POLICY_RESOURCES
from tui.domain.kinds.fleet import DRAFTS_RESOURCE
from tui.domain.obj import Ref, Row
from tui.domain.tail import TailEvent
from tui.ui import words
from tui.ui.application_words import application, unhealthy
from tui.ui.drafting import blast_words, impact_words
from tui.ui.policies.subjects import SUBJECTS
from tui.ui.scope import APPLICATIONS
from tui.ui.screens import object_words, policy
from tui.ui.screens.described import DescribeView
from tui.ui.screens.history import HistoryTable
from tui.ui.screens.manifest import DiffView, ManifestView
from tui.ui.screens.objectevents import ObjectEvents
from tui.ui.screens.policy import EndpointTable
from tui.ui.screens.resources import ResourceTable
from tui.ui.screens.words_view import WordsView
from tui.ui.screens.xray import XRayTable
from tui.ui.widgets.tail import TailView
from tui.ui.words import Line

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp


JUDGED = frozenset({"policies", "reach", "findings"})  # tabs that need the verdicts of the object's cluster
LANDED = ("merged", "arriving", "arrived", "dropped")  # states of a draft after which nothing more comes of it
MOST_WALKED = 300  # resources of an Application whose health is looked through for its Summary


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: `fill` shows the object in the widget that `make` made; it is called again when something has changed."""

    id: str
    title: str
    make: Callable[[FleetApp], Widget]
    fill: Callable[[Widget, Row, FleetApp], None]


def tabs_of(ref: Ref) -> tuple[Tab, ...]:
    """The tabs of an object, the one shown first in front."""
    if ref.resource == APPLICATIONS:
        return (SUMMARY, RESOURCES, MANIFEST, HISTORY, EVENTS)
    if ref.resource in POLICY_RESOURCES:
        return (RULES, ENDPOINTS, REACH, FINDINGS, ELSEWHERE, MANIFEST, OBJECT_EVENTS)
    if ref.resource == DRAFTS_RESOURCE:
        return (DRAFT, DIFF, EVENTS)
    if ref.resource == CLUSTERS:
        return (CLUSTER, EVENTS)
    if ref.resource in SUBJECTS:
        return (FACTS, DESCRIBE, XRAY, POLICIES, REACH, MANIFEST, OBJECT_EVENTS)
    return (FACTS, DESCRIBE, XRAY, MANIFEST, OBJECT_EVENTS)


def tangle_of(ref: Ref) -> str:
    """The tab that shows what an object hangs together with."""
    return {APPLICATIONS: RESOURCES.id, **dict.fromkeys(POLICY_RESOURCES, ENDPOINTS.id)}.get(ref.resource, XRAY.id)


def _words(lines: Callable[[Row, Fleet], Sequence[Line]]) -> Callable[[Widget, Row, FleetApp], None]:
    def fill(view: Widget, row: Row, app: FleetApp) -> None:
        assert isinstance(view, WordsView)
        view.show(lines(row, app.fleet))

    return fill


def _application(row: Row, fleet: Fleet) -> list[Line]:
    app, facts = argo.of_row(row), fleet.facts
    healthy = app.status.health.status == "Healthy" or len(app.status.resources or ()) > MOST_WALKED
    return application(
        app,
        facts.destination(row),
        facts.destination_match(row),
        facts.windows(row),
        () if healthy else unhealthy(facts.tree(row)),
        fleet.commit,
        facts.now,
    )


def _cluster(row: Row, fleet: Fleet) -> list[Line]:
    return words.cluster(row.obj, fleet.facts.now)


def _policies(row: Row, fleet: Fleet) -> Sequence[Line]:
    from tui.ui.policies import endpoint_words

    return endpoint_words.lines(row, fleet)


def _reach_table(app: FleetApp) -> Widget:
    from tui.ui.policies.reach_table import ReachTable

    return ReachTable()


def _reach(table: Widget, row: Row, app: FleetApp) -> None:
    from tui.ui.policies.reach_table import ReachTable

    assert isinstance(table, ReachTable)
    table.show(row, app)


def _draft(row: Row, fleet: Fleet) -> list[Line]:
    lines = words.draft(row.manifest(), fleet.facts.now)
    if row.obj.state.partition(" ")[0] in LANDED:
        return lines
    lines += [words.BLANK, *blast_words.blast(fleet.blast(row.ref.name), fleet.facts.now)]
    if fleet.impacts is not None and (more := impact_words.impact(fleet.impacts.look(row.ref.name))):
        lines += [words.BLANK, *more]
    return lines


# -- resources, history --------------------------------------------------------------------------------------


def resources_needed(row: Row, fleet: Fleet) -> tuple[set[str], str]:
    """What must be watched for the whole resource tree of an Application, and in which cluster."""
    return needs(argo.of_row(row)), fleet.facts.destination(row).rstrip("?")


def _resources(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, ResourceTable)
    table.show(row, app.fleet)


def _history(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, HistoryTable)
    table.show(row, app.fleet)


def _endpoints(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, EndpointTable)
    table.show(row, app.fleet)


def _object_events(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, ObjectEvents)
    table.show(row, app)


def _view(app: FleetApp) -> Widget:
    return WordsView()


def _manifest(view: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(view, ManifestView)
    view.show_row(row, app)


def _diff(view: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(view, DiffView)
    view.show_row(row, app)


def _tail(app: FleetApp) -> Widget:
    return TailView(app.fleet.tail, empty="nothing has happened to it yet")


def _events(view: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(view, TailView)
    ref = row.ref
    if not view.has_class("scoped"):  # once: a scope makes the matches anew
        view.add_class("scoped")
        application = f"{ref.namespace}/{ref.name}" if ref.resource == APPLICATIONS else ""
        cluster = ref.name if ref.resource == CLUSTERS else ""

        def wanted(event: TailEvent) -> bool:
            return event.ref == ref or event.application == application != "" or event.cluster == cluster != ""

        view.set_scope(wanted)
    view.pull()


def _describe(view: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(view, DescribeView)
    view.fill(row, app)


def _xray(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, XRayTable)
    table.show(row, app)


def _make_findings(app: FleetApp) -> Widget:
    from tui.ui.policies.findings import FindingsView

    return FindingsView()


def _findings(view: Widget, row: Row, app: FleetApp) -> None:
    from tui.ui.policies.findings import FindingsView

    assert isinstance(view, FindingsView)
    view.fill(row, app)


def _elsewhere(row: Row, fleet: Fleet) -> Sequence[Line]:
    from tui.ui.policies.findings import elsewhere

    return elsewhere(row, fleet)


SUMMARY = Tab("summary", "Summary", _view, _words(_application))
RESOURCES = Tab("resources", "Resources", lambda app: ResourceTable(), _resources)
HISTORY = Tab("history", "History", lambda app: HistoryTable(), _history)
RULES = Tab("rules", "Rules", _view, _words(policy.rules))
ENDPOINTS = Tab("endpoints", "Endpoints", lambda app: EndpointTable(), _endpoints)
FINDINGS = Tab("findings", "Findings", _make_findings, _findings)
ELSEWHERE = Tab("elsewhere", "Fleet", _view, _words(_elsewhere))
CLUSTER = Tab("summary", "Summary", _view, _words(_cluster))
FACTS = Tab("summary", "Summary", _view, _words(object_words.facts))
DESCRIBE = Tab("describe", "Describe", lambda app: DescribeView(), _describe)
XRAY = Tab("xray", "X-ray", lambda app: XRayTable(), _xray)
POLICIES = Tab("policies", "Policies", _view, _words(_policies))
REACH = Tab("reach", "Reach", _reach_table, _reach)
DRAFT = Tab("summary", "Summary", _view, _words(_draft))
DIFF = Tab("diff", "Diff", lambda app: DiffView(), _diff)
MANIFEST = Tab("manifest", "Manifest", lambda app: ManifestView(), _manifest)
OBJECT_EVENTS = Tab("events", "Events", lambda app: ObjectEvents(), _object_events)
EVENTS = Tab("events", "Events", _tail, _events)
