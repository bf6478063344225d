"""fleet's own kinds: the clusters themselves, and drafts. Tables and scripts show their rows like any others."""

from __future__ import annotations

import msgspec

from tui.domain.cluster import CLUSTERS as CLUSTERS_RESOURCE
from tui.domain.cluster import REPLACED, REWOUND, Cluster
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Facts, Kind, Tone, Value
from tui.domain.obj import Meta, Object, Row
from tui.domain.pulse import Pulse

DRAFTS_RESOURCE = "drafts"


def _applications(row: Row, facts: Facts) -> str:
    """`Healthy 12, Degraded 1`, worst last; "" when none deploys there."""
    counts = facts.health_counts(row.obj.metadata.name)
    known = [word for word in c.HEALTH_ORDER if counts.get(word)]
    return ", ".join(f"{word} {counts[word]}" for word in [*known, *(w for w in counts if w not in c.HEALTH_ORDER)])


def _show_applications(value: Value, now: float) -> Cell:
    """`♥12 ✖1`, in the tone of the worst."""
    parts = [part.rpartition(" ") for part in str(value or "").split(", ") if part]
    if not parts:
        return Cell("–", Tone.MUTED)
    text = " ".join(f"{c.tone_of(word)[0] or word}{count}" for word, _, count in parts)
    # Unknown counts as worst when aggregating, but a failure is what one must see first.
    worst = next((word for word, _, _ in reversed(parts) if word != "Unknown"), parts[-1][0])
    return Cell(text, c.tone_of(worst)[1])


def _worst_applications(value: Value) -> Value:
    """The worst health there is first, and of that the most."""
    parts = [part.rpartition(" ") for part in str(value or "").split(", ") if part]
    if not parts:
        return None
    word, _, count = parts[-1]
    return f"{c.severity(word)} {10**9 - int(count):010}"


def _nodes(row: Row, facts: Facts) -> Value:
    return facts.count(row.obj.metadata.name, "nodes")


def reason(obj: Cluster | Pulse) -> Value:
    """Why it is not Live; of one that is, what happened to it and should be known."""
    return " ".join(obj.reason.split()) or obj.note


def show_reason(value: Value, now: float) -> Cell:
    """Trouble in red; what has happened and is none by now as a warning."""
    return Cell(str(value or ""), Tone.WARN if str(value).startswith((REPLACED, REWOUND)) else Tone.BAD)


def cluster_state(obj: Cluster, facts: Facts) -> Cell:
    """For trees: the state of the cluster."""
    return c.state_cell(obj.state.value)


CLUSTERS = Kind(
    plural=CLUSTERS_RESOURCE,
    kind="Cluster",
    namespaced=False,
    short=("cl", "cls", "ctx", "context", "contexts"),
    record=Object,  # rows hold `domain.cluster.Cluster`; they are never decoded from an API server
    watch="always",
    state=cluster_state,
    needs=("applications.argoproj.io", "nodes"),
    columns=(
        c.column("name", "NAME", lambda row, facts: row.obj.metadata.name, c.show_name, 30, least=10, grow=2),
        c.of("state", "STATE", lambda obj: obj.state.value, c.show_state, 13, least=13),
        c.of("version", "VERSION", lambda obj: obj.version, width=14, least=8, keep=5, sort=c.natural),
        c.column("nodes", "NODES", _nodes, c.show_count, 5, right=True, keep=4),
        c.column(
            "applications",
            "APPLICATIONS",
            _applications,
            _show_applications,
            22,
            least=10,
            keep=7,
            sort=_worst_applications,
        ),
        c.of("heard", "DATA AGE", lambda obj: obj.heard or None, c.show_age, 8, right=True, time=True),
        c.of("reason", "REASON", reason, show_reason, 40, least=12, grow=3),
        c.of("group", "GROUP", lambda obj: "/".join(obj.groups), c.show_muted, 14, least=5),
        c.of("role", "ROLE", lambda o: "hub" if o.hub else f"virtual in {o.host}" if o.host else "", c.show_muted, 16),
        c.of("server", "SERVER", lambda obj: obj.server, c.show_muted, 36, wide=True),
        c.of("contexts", "CONTEXTS", lambda obj: ", ".join(obj.contexts), c.show_muted, 30, wide=True),
        c.of("since", "SINCE", lambda obj: obj.since or None, c.show_since, 7, right=True, wide=True, time=True),
    ),
)


class DraftRecord(msgspec.Struct, frozen=True, gc=False):
    """The record of a draft's row. `metadata.name` is the draft's name, `metadata.creation_timestamp` its start."""

    metadata: Meta
    title: str = ""
    # local | pushed | merged | arriving n/m | arrived | superseded | conflict | dropped | unknown
    state: str = "unknown"
    detail: str = ""  # why it stands there, in words
    target: str = ""  # branch it is to be merged into
    commits: int = 0
    files: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()  # names of those it is about; "namespace/name" where that is needed
    base: str = ""  # commit of the target it starts from
    repository: str = ""  # URL of the remote
    open_changes: int = 0  # edits that are not committed yet
    unsaved: int = 0  # files with text typed and not saved


DRAFTS = Kind(
    plural=DRAFTS_RESOURCE,
    kind="Draft",
    namespaced=False,
    short=("dr",),
    record=Object,  # rows hold `DraftRecord`; they come from Git refs
    state=lambda obj, facts: c.state_cell(obj.state),
    columns=(
        c.column("name", "NAME", lambda row, facts: row.obj.metadata.name, c.show_name, 28, least=14, grow=1),
        c.of("title", "TITLE", lambda obj: " ".join(obj.title.split()), width=40, least=14, grow=2, keep=6),
        c.of("state", "STATE", lambda obj: obj.state, c.show_state, 14, least=12),
        c.of("target", "TARGET", lambda obj: obj.target, width=12, least=6),
        c.of("commits", "COMMITS", lambda obj: obj.commits, c.show_count, 7, least=7, right=True, keep=4),
        c.of("open", "UNCOMMITTED", lambda obj: obj.open_changes, c.show_count, 11, least=11, right=True, keep=3),
        c.of("files", "FILES", lambda obj: ", ".join(obj.files), width=30, least=8, grow=1),
        c.of("applications", "APPLICATIONS", lambda obj: ", ".join(obj.applications), width=24, least=8),
        c.of("base", "BASE", lambda obj: obj.base[:7], c.show_muted, 8, least=7),
        c.AGE,
        c.of("detail", "DETAIL", lambda obj: " ".join(obj.detail.split()), c.show_muted, 40, wide=True),
        c.of("repository", "REPOSITORY", lambda obj: obj.repository, c.show_muted, 36, wide=True),
    ),
)

KINDS = (CLUSTERS, DRAFTS)
