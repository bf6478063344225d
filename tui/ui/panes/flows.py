"""The flows of the clusters that are shown, newest last: read out of the logs of their agents while it is open."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.domain.cilium.hubble.observed import FAULTS, Lost, Observed
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.kinds.kind import Tone
from tui.domain.tail import LATE, Tail, TailEvent
from tui.ui import keys
from tui.ui.flowjudge import FlowJudge
from tui.ui.panes.base import Pane
from tui.ui.scope import Scope, View
from tui.ui.screens.words_view import wrapped
from tui.ui.text import fit
from tui.ui.widgets.flow_tail import FlowEvent, FlowsView, flow_event
from tui.ui.widgets.tail import TailView
from tui.ui.words import plain

OWNER = "flows"  # who looks, to the fleet
MOST = 16  # clusters whose agents are read at the same time
PORTION = 400  # records taken in at once: 20 µs each, and keys wait meanwhile
LAG = 10.0  # seconds by which agents may tell later than others before a flow is put where its time belongs


class FlowsPane(Pane):
    """Follows the flows; filter, pause, faults only, a rule for what was dropped."""

    TITLE = "Flows"
    PLACES = ("flows", "events", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("flows", "events")]

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.tail = Tail()
        self._next: dict[str, int] = {}  # cluster -> where to go on
        self._told: object = None  # the scope and whether only faults are shown, as the lines were last told
        self._wanted: tuple[str, ...] | None = None
        self._judge: FlowJudge | None = None  # of the only cluster that is shown

    def compose(self) -> ComposeResult:
        yield FlowsView(self.tail)

    @property
    def lines(self) -> FlowsView:
        """The lines."""
        return self.query_one(FlowsView)

    def take_focus(self) -> None:
        self.lines.focus()

    def show(self, view: View) -> None:
        self.view = view
        self.lines.set_filter(view.filter)
        self.pull()

    # -- what is read -----------------------------------------------------------------------------------------------

    def _clusters(self) -> tuple[str, ...]:
        """The clusters in the scope that can be read."""
        scoped = self.view.scope.clusters(self.fleet.store)
        rows = (row.obj for row in self.fleet.store.rows(CLUSTERS))
        live = (each.metadata.name for each in rows if each.state in (ClusterState.LIVE, ClusterState.STALE))
        return tuple(sorted(name for name in live if scoped is None or name in scoped))

    def _want(self, clusters: tuple[str, ...]) -> None:
        if clusters != self._wanted:
            self._wanted = clusters
            self.fleet.flows.want(OWNER, clusters)
            self.fleet.netpol.look(OWNER, clusters if len(clusters) == 1 else ())

    def _leave(self) -> None:
        """Nothing is read any more: nobody looks."""
        if self._wanted is not None:
            self._wanted = None
            self.fleet.flows.unwant(OWNER)
            self.fleet.netpol.unlook(OWNER)
        if self._judge is not None:
            self._judge.close()
            self._judge = None

    def on_resize(self, event: events.Resize) -> None:
        """Say as much as there is room for; before the first layout there is none."""
        if self.query(FlowsView):
            self._say(self._clusters())

    def on_hide(self, event: events.Hide) -> None:
        """Another pane is shown."""
        self._leave()

    def on_unmount(self) -> None:
        """It has made room for other panes."""
        self._leave()

    def pull(self) -> None:
        """Take in what came; nothing any more on the way out, when the lines are gone before the pane is."""
        if not self.query(FlowsView):
            return
        clusters = self._clusters()
        self._want(clusters if len(clusters) <= MOST else ())
        told = self.view.scope, self.view.faults, clusters
        if told != self._told:
            self._told = told
            self.lines.alone(bool(self.view.scope.cluster))
            self.lines.set_scope(_admits(self.view.scope, frozenset(clusters), self.view.faults))
        room = PORTION
        for cluster in clusters if len(clusters) <= MOST else ():
            room -= self._take(cluster, room)
        if not room:
            self.fleet_app.tick_again()
        self._decide(clusters)
        self.lines.tick(self.fleet.facts.now)
        self.lines.pull()
        self._say(clusters)

    def _take(self, cluster: str, room: int) -> int:
        """Take in at most so many of a cluster's records; how many it were."""
        since = self._next.get(cluster, 0)
        records, end, missed = self.fleet.flows.since(cluster, since, room)
        if end < since:  # it was forgotten meanwhile and begins anew
            end = 0
        if missed and since:
            moment = records[0].time if records else self.fleet.facts.now
            gone = Lost(moment, missed, "memory before they were shown")
            self.tail.add(flow_event(cluster, gone), moment)
        now = self.fleet.facts.now + LATE - LAG
        for record in records:
            self.tail.add(flow_event(cluster, record), now)
        self._next[cluster] = end
        return len(records)

    def _decide(self, clusters: tuple[str, ...]) -> None:
        """Of one cluster, say what its policies say where Hubble does not tell; of many that would cost too much."""
        if len(clusters) != 1:
            if self._judge is not None:
                self._judge.close()
                self._judge = None
                self.lines.judge(lambda event: "")
            return
        if self._judge is None:
            judge = self._judge = FlowJudge(self._decided)
            self.lines.judge(lambda event: judge.words(event.record) if isinstance(event.record, Observed) else "")
        self._judge.pull(self.fleet.netpol.state(clusters[0]))

    def _decided(self) -> None:
        if self.is_attached:
            self.lines.judged_again()
            self.fleet_app.tick_again()  # more may have been asked for

    # -- what is said ---------------------------------------------------------------------------------------------

    def _say(self, clusters: tuple[str, ...]) -> None:
        lines = self.lines
        state = f"paused, {lines.behind:,} behind" if lines.paused else "" if lines.following else "looking back"
        faults = "faults" if self.view.faults else ""
        self.title(self.view.scope.words(), state, faults, f"/{self.view.filter}" if self.view.filter else "")
        found = self._states(clusters)
        width = max(20, lines.size.width - 4)
        lines.say(tuple("".join(cell.text for cell in piece) for text in found
                        for piece in wrapped((plain(text),), width)))  # fmt: skip
        told = (
            f"{len(found)} of {len(clusters)} clusters: {found[0]}" if found and len(clusters) > 1 else "".join(found)
        )
        count = f"{lines.visible_count:,}" if lines.visible_count else ""
        self.subtitle(" · ".join(part for part in (count, fit(told, max(0, lines.size.width - 16))) if part))

    def _states(self, clusters: tuple[str, ...]) -> list[str]:
        """What is to be said of clusters whose flows do not come, or not all of them."""
        if not clusters:
            return ["no cluster of these can be read now"]
        if len(clusters) > MOST:
            return [f"{len(clusters)} clusters are too many to read at once: choose one, or a group, in the tree"]
        found = []
        for cluster in clusters:
            status = self.fleet.flows.status(cluster)
            if status.words:
                found.append(f"{cluster}: {status.words}" if len(clusters) > 1 else status.words)
        return found

    @property
    def filter(self) -> str:  # type: ignore[override]
        """The text that flows must have."""
        return self.view.filter

    def set_filter(self, text: str) -> None:
        self.fleet_app.shell.amend(filter=text)
        self.view = self.fleet_app.shell.history.current or self.view
        self.lines.set_filter(text)
        self._say(self._clusters())

    def clear(self) -> bool:
        if self.view.filter:
            self.set_filter("")
            return True
        if self.view.faults:
            self.action_flow_faults()
            return True
        if self.lines.paused or not self.lines.following:
            self.lines.follow()
            return True
        return False

    async def run(self, verb: str, argument: str) -> bool:
        """`:filter` and `:faults`."""
        if verb == "filter":
            self.set_filter(argument)
        elif verb == "faults":
            self.action_flow_faults()
        else:
            return False
        return True

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Filter as one types."""
        self.fleet_app.ask_filter(self)

    def action_pause(self) -> None:
        """Pause, or take in all that came meanwhile."""
        self.lines.toggle_pause()

    def action_flow_faults(self) -> None:
        """Only what was dropped, or everything again."""
        self.fleet_app.shell.amend(faults=not self.view.faults)
        self.view = self.fleet_app.shell.history.current or self.view
        self.pull()

    def unable(self, action: str) -> str:
        event = self.lines.flow
        if action == "allow" and (event is None or event.record is None or isinstance(event.record, Lost)):
            return "choose a flow that was dropped"
        return super().unable(action)

    def action_allow(self) -> None:
        """Draft the smallest rule that would let the flow pass."""
        from tui.ui.drafting import allowing

        event = self.lines.flow
        if event is None or event.record is None or isinstance(event.record, Lost):
            self.fleet_app.say("choose a flow that was dropped", Tone.WARN)
            return
        self.fleet_app.do(allowing.allow(self.fleet_app, event.cluster, event.record), "working out a rule")

    def action_row_verdict(self) -> None:
        """Ask about the two ends of the flow under the cursor."""
        event = self.lines.flow
        if event is None or event.record is None or isinstance(event.record, Lost):
            self.fleet_app.say("choose a flow", Tone.WARN)
        else:
            self.fleet_app.ask_about_flow(event.record, event.cluster)

    def on_follow_view_state_changed(self, event: TailView.StateChanged) -> None:
        """Say in the title how the tail stands."""
        event.stop()
        self._say(self._clusters())

    def on_tail_view_opened(self, event: TailView.Opened) -> None:
        """Enter: the flow in full, with what policies say of it."""
        from tui.ui.screens.flow import FlowScreen

        event.stop()
        if isinstance(event.event, FlowEvent) and event.event.record is not None:
            self.fleet_app.push_screen(FlowScreen(event.event.cluster, event.event.record))


def _admits(scope: Scope, clusters: frozenset[str], faults: bool) -> Callable[[TailEvent], bool]:
    """Whether a flow belongs to a scope. Gaps always do: what was lost may have been of it."""

    def wanted(event: TailEvent) -> bool:
        record = event.record if isinstance(event, FlowEvent) else None
        if event.cluster and event.cluster not in clusters:
            return False
        if record is None or isinstance(record, Lost):
            return True
        if faults and record.verdict not in FAULTS:
            return False
        ends = (record.source.namespace, record.destination.namespace)
        return not scope.namespace or any(fnmatchcase(end, scope.namespace) for end in ends)

    return wanted
