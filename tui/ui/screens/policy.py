"""A policy when it is opened: its rules as sentences, whether it is valid and why not, and whom it selects now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.domain.cilium import describe, policy
from tui.domain.cilium.engine.validity import validity
from tui.domain.cluster import CLUSTERS, KindState
from tui.domain.kinds import columns as c
from tui.domain.kinds.cilium import CiliumEndpoint
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.kinds.pods import Pod, status_word
from tui.domain.obj import Ref, Row
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table
from tui.ui.words import BLANK, Line, ago, fact, heading, plain

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet

ENDPOINTS = "ciliumendpoints.cilium.io"


def rules(row: Row, fleet: Fleet) -> list[Line]:
    """The rules as sentences, then what fleet knows of the policy now."""
    facts, obj, resource = fleet.facts, row.obj, row.ref.resource
    lines = [heading("In words")]
    lines += [(Cell("  "), plain(text, _tone(text))) for text in describe.sentences(obj, resource)]
    lines += [BLANK, heading("Now"), fact("Selects", *_selects(row, fleet))]
    word, reason = validity(obj, resource)
    if word:
        lines.append(fact("Valid", c.state_cell(word)))
        if reason and word != "Valid":
            lines.append(fact("", plain(reason, Tone.BAD if word == "Invalid" else Tone.MUTED)))
    else:
        lines.append(fact("Valid", Cell("the API server accepts only valid NetworkPolicies", Tone.MUTED)))
    lines.append(fact("Directions", plain(policy.directions(obj, resource) or "–")))
    lines += [BLANK, heading("From")]
    application, file = facts.application(row), facts.source_file(row)
    lines.append(fact("Application", plain(application, Tone.ACCENT) if application else Cell("none", Tone.WARN)))
    lines.append(fact("File", plain(file) if file else Cell("?", Tone.UNKNOWN)))
    lines.append(fact("Created", ago(obj.metadata.creation_timestamp, facts.now)))
    return lines


def _tone(sentence: str) -> Tone:
    if sentence.startswith("Denies"):
        return Tone.BAD
    if sentence.startswith(("All ", "It does not", "Its description")):
        return Tone.MUTED
    return Tone.PLAIN


def _selects(row: Row, fleet: Fleet) -> tuple[Cell, ...]:
    refs, source = fleet.facts.selected_refs(row)
    if not source:
        return Cell("?  ", Tone.UNKNOWN), plain(unknown(row, fleet), Tone.MUTED)
    noun = source if len(refs) != 1 else source[:-1]
    more = Cell("  counted from pods: CiliumEndpoints are not to be had here", Tone.MUTED)
    return Cell(f"{len(refs):,} {noun}", Tone.PLAIN if refs else Tone.WARN), *((more,) if source == "pods" else ())


def unknown(row: Row, fleet: Fleet) -> str:
    """Why it is not known whom a policy selects."""
    cluster = fleet.store.get(Ref(row.ref.cluster, CLUSTERS, "", row.ref.cluster))
    status = cluster.obj.kinds.get(ENDPOINTS) if cluster is not None else None
    if status is None or status.state in (KindState.WAITING, KindState.LISTING):
        return "CiliumEndpoints are still being listed"
    words = {
        KindState.DENIED: "CiliumEndpoints may not be read",
        KindState.ABSENT: "CiliumEndpoints are not served",
        KindState.FAILED: "CiliumEndpoints could not be read",
    }
    reason = f": {' '.join(status.reason.split())}" if status.reason else ""
    return f"{words.get(status.state, 'CiliumEndpoints are not known')} in {row.ref.cluster}{reason}"


def needed(row: Row, fleet: Fleet) -> frozenset[str]:
    """What to watch for its endpoints: pods too, where the cluster gives no CiliumEndpoints."""
    cluster = fleet.store.get(Ref(row.ref.cluster, CLUSTERS, "", row.ref.cluster))
    status = cluster.obj.kinds.get(ENDPOINTS) if cluster is not None else None
    lacking = status is not None and status.state in (KindState.DENIED, KindState.ABSENT, KindState.FAILED)
    return frozenset({row.ref.resource, *(("pods", "namespaces") if lacking else ())})


def _show_number(value: Value, now: float) -> Cell:
    return Cell(str(value), Tone.PLAIN) if value else Cell("–", Tone.MUTED)


def _state(value: Value, now: float) -> Cell:
    return c.state_cell(str(value)) if value else Cell("–", Tone.MUTED)


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


COLUMNS = (
    _column("name", "NAME", c.show_name, 48, 24, keep=9),
    _column("namespace", "NAMESPACE", c.show_plain, 20, 8, keep=8),
    _column("identity", "IDENTITY", _show_number, 9, 8, right=True, keep=7),
    _column("state", "STATE", _state, 18, 7, keep=5, sort=c.severity),
    _column("labels", "LABELS", c.show_muted, 100, 20, keep=6, grow=3),
    _column("node", "NODE", c.show_muted, 24, 8),
)


class EndpointTable(Table):
    """The endpoints (or pods, or nodes) that a policy selects now. `note` says how many and how that is known."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.sort_by("name")
        self.note = ""
        self._made: list[TableRow] = []

    def show(self, row: Row, fleet: Fleet) -> None:
        """Take in what has changed."""
        refs, source = fleet.facts.selected_refs(row)
        now = fleet.facts.now
        rows = []
        for ref in refs:
            values = _values(ref, fleet.store.get(ref))
            cells = tuple(column.show(value, now) for column, value in zip(COLUMNS, values, strict=True))
            rows.append(TableRow(ref, cells, values))
        if rows != self._made:
            self._made = rows
            self.replace(rows)
        self.note = "".join(cell.text for cell in _selects(row, fleet)).strip() if source else ""
        self.set_empty(f"it selects no {source} now" if source else f"unknown: {unknown(row, fleet)}")


def _values(ref: Ref, held: Row | None) -> tuple[Value, ...]:
    if held is None:
        return ref.name, ref.namespace, None, "", "", ""
    obj = held.obj
    if isinstance(obj, CiliumEndpoint) and obj.status is not None:
        identity, networking = obj.status.identity, obj.status.networking
        labels = _identity_labels((identity.labels if identity else None) or ())
        node = networking.node if networking else ""
        return ref.name, ref.namespace, identity.id if identity else None, obj.status.state, labels, node
    state = status_word(obj) if isinstance(obj, Pod) else ""
    node = obj.spec.node_name if isinstance(obj, Pod) else ""
    return ref.name, ref.namespace, None, state, _labels(obj.metadata.labels or {}), node


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _identity_labels(labels: tuple[str, ...]) -> str:
    """Labels of an identity without what Cilium and Kubernetes add to every one."""
    plain_ones = (policy.bare(label) for label in labels)
    return ", ".join(label for label in plain_ones if not label.startswith(("io.kubernetes.", "io.cilium.")))
