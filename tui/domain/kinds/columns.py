"""The columns that kinds share, and the glyph and tone of every state word: a shape as well as a colour."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tui.domain import when
from tui.domain.kinds.kind import Cell, Column, Facts, Tone, Value
from tui.domain.obj import Row

Show = Callable[[Value, float], Cell]

HEALTH_ORDER = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")  # best first, Argo CD's order

# Glyph and tone of the words that Argo CD, Kubernetes and fleet use for states.
WORDS: dict[str, tuple[str, Tone]] = {
    "Healthy": ("♥", Tone.GOOD),
    "Suspended": ("⏸", Tone.PAUSED),
    "Progressing": ("◌", Tone.BUSY),
    "Missing": ("∅", Tone.WARN),
    "Degraded": ("✖", Tone.BAD),
    "Unknown": ("?", Tone.UNKNOWN),
    "Synced": ("✔", Tone.GOOD),
    "OutOfSync": ("↑", Tone.WARN),
    # Operations, in the titles of Argo CD's own pages.
    "Sync OK": ("✔", Tone.GOOD),
    "Syncing": ("◌", Tone.BUSY),
    "Waiting to start": ("◌", Tone.BUSY),
    "Sync failed": ("✖", Tone.BAD),
    "Sync error": ("✖", Tone.BAD),
    "Terminated": ("✖", Tone.BAD),
    "Terminating": ("◌", Tone.BUSY),
    "Deleting": ("◌", Tone.BUSY),
    # Clusters.
    "Live": ("●", Tone.GOOD),
    "Connecting": ("◌", Tone.BUSY),
    "Stale": ("◐", Tone.WARN),
    "Unreachable": ("✖", Tone.BAD),
    "Denied": ("⊘", Tone.BAD),
    # Objects of Kubernetes.
    "Ready": ("✔", Tone.GOOD),
    "Running": ("✔", Tone.GOOD),
    "Active": ("✔", Tone.GOOD),
    "Bound": ("✔", Tone.GOOD),
    "Available": ("✔", Tone.GOOD),
    "Complete": ("✔", Tone.GOOD),
    "Completed": ("✔", Tone.MUTED),
    "Succeeded": ("✔", Tone.MUTED),
    "Released": ("◐", Tone.WARN),
    "Pending": ("◌", Tone.BUSY),
    "ContainerCreating": ("◌", Tone.BUSY),
    "PodInitializing": ("◌", Tone.BUSY),
    "SchedulingGated": ("⏸", Tone.PAUSED),
    "NotReady": ("✖", Tone.BAD),
    "Failed": ("✖", Tone.BAD),
    "Lost": ("✖", Tone.BAD),
    "OOMKilled": ("✖", Tone.BAD),
    "Evicted": ("✖", Tone.BAD),
    # Policies, Cilium endpoints, drafts.
    "Valid": ("✔", Tone.GOOD),
    "Invalid": ("✖", Tone.BAD),
    "ready": ("✔", Tone.GOOD),
    "local": ("✎", Tone.ACCENT),
    "pushed": ("↑", Tone.BUSY),
    "merged": ("◌", Tone.BUSY),
    "arrived": ("✔", Tone.GOOD),
    "superseded": ("⊘", Tone.MUTED),
    "conflict": ("✖", Tone.BAD),
    "Normal": ("·", Tone.MUTED),
    "Warning": ("!", Tone.WARN),
}


def tone_of(word: str) -> tuple[str, Tone]:
    """(glyph, tone) of a state word; words nobody listed are judged by their shape, else shown plainly."""
    if (found := WORDS.get(word)) is not None:
        return found
    if word.endswith(("BackOff", "Error")) or word.startswith(("Err", "ExitCode:", "Signal:", "Init:Err", "Init:Exit")):
        return "✖", Tone.BAD
    if word.startswith(("Init:", "arriving", "Waiting")):
        return "◌", Tone.BUSY
    head, comma, _ = word.partition(",")
    if comma:  # a node: "Ready,SchedulingDisabled"
        glyph, tone = tone_of(head)
        return (glyph, tone) if tone is not Tone.GOOD else ("⏸", Tone.PAUSED)
    return "", Tone.PLAIN


def state_cell(word: str) -> Cell:
    """A state word with its glyph, "?" when nobody knows the state."""
    if not word:
        return Cell("?", Tone.UNKNOWN)
    glyph, tone = tone_of(word)
    return Cell(f"{glyph} {word}" if glyph and glyph != word else word, tone)


# -- what values sort by: what needs attention first ------------------------------------------------------------------

_ATTENTION = (Tone.UNKNOWN, Tone.BAD, Tone.WARN, Tone.BUSY, Tone.PAUSED, Tone.ACCENT, Tone.PLAIN, Tone.MUTED, Tone.GOOD)
_RANK = {tone: rank for rank, tone in enumerate(_ATTENTION)}
_NUMBER = re.compile(r"\d+")
_QUANTITY = re.compile(r"([\d.]+)\s*([A-Za-z]*)")
_UNITS = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)
}


def severity(value: Value) -> Value:
    """State words, worst first: for health that is Argo CD's worst-of order, Unknown before Degraded … Healthy."""
    if value in (None, ""):
        return None
    word = str(value)
    return f"{_RANK[tone_of(word)[1]]} {word}"


def youngest(value: Value) -> Value:
    """Moments, the latest first, so that the ages shown grow downwards."""
    return -value if isinstance(value, int | float) else None


def share(value: Value) -> Value:
    """`1/3`: what lacks most first, then what wants most."""
    have, _, want = str(value or "").partition("/")
    if not (have.isdecimal() and want.isdecimal()):
        return None
    return f"{int(have) / int(want) if int(want) else 1:.6f} {10**9 - min(int(want), 10**9):010}"


def natural(value: Value) -> Value:
    """Text with its numbers as numbers: v1.9 before v1.10."""
    return _NUMBER.sub(lambda found: found[0].zfill(12), str(value)) if value else None


def quantity(value: Value) -> Value:
    """Kubernetes quantities by size: 500m, 2, 10Gi."""
    found = _QUANTITY.fullmatch(str(value or ""))
    if found is None or found[2] not in _UNITS or found[1].count(".") > 1 or found[1] == ".":
        return None
    return float(found[1]) * _UNITS[found[2]]


def show_plain(value: Value, now: float) -> Cell:
    """The value as text; nothing for None."""
    return Cell("" if value is None else str(value))


def show_muted(value: Value, now: float) -> Cell:
    """Like `show_plain`, for what is rarely looked at."""
    return Cell("" if value is None else str(value), Tone.MUTED)


def show_name(value: Value, now: float) -> Cell:
    """A name one can follow."""
    return Cell("" if value is None else str(value), Tone.ACCENT)


def show_count(value: Value, now: float) -> Cell:
    """A number; "?" when it is not known, quiet when it is 0."""
    if value is None:
        return Cell("?", Tone.UNKNOWN)
    return Cell(str(value), Tone.PLAIN if value else Tone.MUTED)


def show_state(value: Value, now: float) -> Cell:
    """A state word with glyph and tone."""
    return state_cell("" if value is None else str(value))


def show_age(value: Value, now: float) -> Cell:
    """How long ago a moment was, as kubectl prints ages; "?" when it is not known."""
    if not isinstance(value, int | float):
        return Cell("?", Tone.UNKNOWN)
    return Cell(when.age(now - value), Tone.MUTED)


def show_since(value: Value, now: float) -> Cell:
    """Like `show_age`, for moments that need not have happened: nothing when there is none."""
    return show_age(value, now) if value else Cell("", Tone.MUTED)


def show_ratio(value: Value, now: float) -> Cell:
    """`2/3`: good when both are equal, bad at none of several, else busy; `0/0` is quiet."""
    text = "" if value is None else str(value)
    have, slash, want = text.partition("/")
    if not slash or have == want:
        return Cell(text, Tone.MUTED if text in ("", "0/0") else Tone.GOOD)
    return Cell(text, Tone.BAD if have == "0" else Tone.BUSY)


def show_file(value: Value, now: float) -> Cell:
    """`web.yaml (shop/prod)`: the file before its folder, so that a narrow column cuts the folder."""
    folder, _, name = str(value or "").rpartition("/")
    if not name:
        return Cell(str(value or ""), Tone.MUTED)
    return Cell(f"{name} ({folder})" if folder else name, Tone.PLAIN)


def show_bad(value: Value, now: float) -> Cell:
    """Text that is only there when something is wrong."""
    return Cell("" if value is None else str(value), Tone.BAD)


_SORTS: dict[Show, Callable[[Value], Value]] = {
    show_state: severity,
    show_age: youngest,
    show_since: youngest,
    show_ratio: share,
}


def created(row: Row, facts: Facts) -> float | None:
    """When the object was created, seconds since the epoch."""
    return when.seconds(row.obj.metadata.creation_timestamp)


def column(
    id: str, title: str, value: Callable[[Row, Facts], Value], show: Show = show_plain, width: int = 12, **more: Any
) -> Column:
    """A column; `more` are the remaining fields of `Column`. Where there is little room, states stay longest.

    What it sorts by, unless told, follows from how it is shown: states by severity, moments by age.
    """
    more.setdefault("keep", 8 if show is show_state else 0)
    more.setdefault("sort", _SORTS.get(show))
    return Column(id=id, title=title, value=value, show=show, width=width, **more)


def of(
    id: str, title: str, get: Callable[[Any], Value], show: Show = show_plain, width: int = 12, **more: Any
) -> Column:
    """A column that needs nothing but the record of the row."""
    return column(id, title, lambda row, facts: get(row.obj), show, width, **more)


CLUSTER = column("cluster", "CLUSTER", lambda row, facts: row.ref.cluster, show_muted, 16, least=8)
NAMESPACE = column("namespace", "NAMESPACE", lambda row, facts: row.ref.namespace, show_plain, 18, least=8, keep=6)
NAME = column("name", "NAME", lambda row, facts: row.ref.name, show_name, 40, least=18, grow=2, keep=9)
AGE = column("created", "AGE", created, show_age, 7, least=4, right=True, time=True, keep=5)
APPLICATION = column(
    "application", "APPLICATION", lambda row, facts: facts.application(row), show_plain, 22, least=8, wide=True
)
LABELS = of(
    "labels",
    "LABELS",
    lambda obj: ",".join(f"{key}={value}" for key, value in (obj.metadata.labels or {}).items()),
    show_muted,
    40,
    wide=True,
)


def namespaced(*columns: Column) -> tuple[Column, ...]:
    """Cluster, namespace and name, the kind's own columns, Application and age."""
    return (CLUSTER, NAMESPACE, NAME, *columns, APPLICATION, AGE)


def cluster_scoped(*columns: Column) -> tuple[Column, ...]:
    """Cluster and name, the kind's own columns, Application and age."""
    return (CLUSTER, NAME, *columns, APPLICATION, AGE)
