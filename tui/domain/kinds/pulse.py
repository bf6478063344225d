"""The columns of the pulse: one line a cluster. Rows hold `domain.pulse.Pulse`; they are taken, never stored."""

from __future__ import annotations

from tui.domain import when
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import columns as c
from tui.domain.kinds.fleet import reason, show_reason
from tui.domain.kinds.kind import Cell, Kind, Tone, Value
from tui.domain.obj import Object, Ref, Row
from tui.domain.pulse import Pulse

SLOW = 1.0  # seconds from which an answer is called slow


def _show_seconds(value: Value, now: float) -> Cell:
    """`12 ms`, `3.4 s`; nothing before the first answer."""
    if not isinstance(value, int | float):
        return Cell("–", Tone.MUTED)
    text = f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
    return Cell(text, Tone.WARN if value >= SLOW else Tone.PLAIN)


def _show_bytes(value: Value, now: float) -> Cell:
    """`512 B`, `1.2 MiB`."""
    size = float(value or 0)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1000 or unit == "GiB":
            break
        size /= 1024
    digits = 0 if unit == "B" or size >= 100 else 1
    return Cell(f"{size:.{digits}f} {unit}", Tone.PLAIN if size else Tone.MUTED)


def _show_next(value: Value, now: float) -> Cell:
    """`in 12s`; nothing while none is planned."""
    if not isinstance(value, int | float):
        return Cell("", Tone.MUTED)
    return Cell(f"in {when.age(value - now)}" if value > now else "now", Tone.BUSY)


def _show_errors(value: Value, now: float) -> Cell:
    return Cell(f"{value:,}", Tone.WARN if value else Tone.MUTED)


def _show_number(value: Value, now: float) -> Cell:
    return Cell(f"{value:,}", Tone.PLAIN if value else Tone.MUTED)


PULSE = Kind(
    plural=CLUSTERS,
    kind="Cluster",
    namespaced=False,
    record=Object,
    state=lambda obj, facts: c.state_cell(obj.state.value),
    columns=(
        c.of("name", "NAME", lambda obj: obj.cluster, c.show_name, 30, least=10, grow=1, keep=9),
        c.of("state", "STATE", lambda obj: obj.state.value, c.show_state, 13, least=13),
        c.of("since", "SINCE", lambda obj: obj.since or None, c.show_since, 6, least=6, right=True, time=True, keep=5),
        c.of("heard", "DATA AGE", lambda o: o.heard or None, c.show_age, 8, least=8, right=True, time=True, keep=7),
        c.of("retry", "NEXT TRY", lambda o: o.retry_at or None, _show_next, 8, least=8, right=True, time=True, keep=6),
        c.of("latency", "LATENCY", lambda o: o.typical or None, _show_seconds, 8, least=8, right=True, keep=4),
        c.of("last", "LAST", lambda o: o.latency or None, _show_seconds, 7, least=7, right=True, keep=1),
        c.of("objects", "OBJECTS", lambda obj: obj.objects, _show_number, 8, least=8, right=True, keep=3),
        c.of("watches", "WATCHES", lambda o: f"{o.watches}/{o.kinds}", c.show_ratio, 8, least=8, right=True, keep=3),
        c.of("errors", "ERRORS", lambda obj: obj.errors, _show_errors, 7, least=7, right=True, keep=4),
        c.of("requests", "REQUESTS", lambda obj: obj.requests, _show_number, 9, least=9, right=True, keep=2),
        c.of("received", "BYTES", lambda obj: obj.received, _show_bytes, 9, least=8, right=True, keep=2),
        c.of("reconnects", "FOUND AGAIN", lambda o: o.reconnects, _show_number, 11, least=11, right=True, keep=1),
        c.of("reason", "REASON", reason, show_reason, 40, least=14, grow=3, keep=2),
        c.of("role", "ROLE", lambda obj: "hub" if obj.hub else "", c.show_muted, 4, wide=True),
        c.of("server", "SERVER", lambda obj: obj.server, c.show_muted, 36, wide=True),
    ),
)


def row(pulse: Pulse) -> Row:
    """The pulse of a cluster as a row of a table, under the name of the cluster's own row."""
    return Row(Ref(pulse.cluster, CLUSTERS, "", pulse.cluster), pulse)
