"""Tables of the fleet view of policies: columns, and rows out of what is held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tui.domain.cilium.engine.validity import validity
from tui.domain.cilium.fleetwide import Across
from tui.domain.cilium.impacts.changes import sentence
from tui.domain.cilium.lint import Finding
from tui.domain.cilium.mesh import Membership, memberships
from tui.domain.cilium.reachability.grouping import APPLICATION_LABELS
from tui.domain.kinds import columns as c
from tui.domain.kinds.cilium import POLICY_RESOURCES, SHORT_KINDS, CiliumEndpoint
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.kinds.single import CILIUM_AGENTS, CILIUM_CONFIG
from tui.domain.obj import Ref
from tui.fleet.netpol.needs import ENDPOINTS, GROUPS, standing
from tui.ui.panes import freshness
from tui.ui.policies.findings import TONES
from tui.ui.widgets.rows import TableRow

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet

IDENTITIES, EXTERNAL = "ciliumidentities.cilium.io", "ciliumexternalworkloads.cilium.io"
COUNTED = (*POLICY_RESOURCES, ENDPOINTS, IDENTITIES, "nodes", GROUPS, EXTERNAL)
_STATES = {
    "same": ("● same", Tone.GOOD, 3),
    "single": ("· single", Tone.MUTED, 4),
    "missing": ("◌ missing", Tone.WARN, 1),
    "differs": ("≠ differs", Tone.BAD, 0),
}
_SEVERITIES = {"error": 0, "warning": 1, "info": 2}


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


def _row(key: Hashable, columns: Sequence[Column], values: Sequence[Value], now: float) -> TableRow:
    cells = tuple(column.show(value, now) for column, value in zip(columns, values, strict=True))
    return TableRow(key, cells, tuple(values))


def _show_number(value: Value, now: float) -> Cell:
    """A count; "" where there is no such kind."""
    if value is None:
        return Cell("?", Tone.UNKNOWN)
    return Cell(f"{value:,}" if value != "" else "–", Tone.PLAIN if value else Tone.MUTED)


def _show_wrong(value: Value, now: float) -> Cell:
    """A count that ought to be 0."""
    if value is None:
        return Cell("?", Tone.UNKNOWN)
    return Cell(f"{value:,}", Tone.WARN if value else Tone.MUTED)


# -- the same policy in several clusters ---------------------------------------------------------------------------


def _show_state(value: Value, now: float) -> Cell:
    text, tone, _ = _STATES[str(value)]
    return Cell(text, tone)


ACROSS = (
    _column("name", "NAME", c.show_name, 40, 16, keep=9),
    _column("namespace", "NAMESPACE", c.show_plain, 20, 8, keep=7),
    _column("kind", "KIND", c.show_muted, 5, 4),
    _column("state", "STATE", _show_state, 9, 9, keep=8, sort=lambda value: _STATES[str(value)][2]),
    _column("clusters", "IN", c.show_plain, 8, 5, right=True, keep=7, sort=lambda value: _before_slash(value)),
    _column("how", "DIFFERENCE", c.show_plain, 120, 24, keep=6, grow=4),
)


def _before_slash(value: Value) -> Value:
    return int(str(value).partition("/")[0])


def across_rows(
    found: Iterable[Across], namespace: str, now: float, stale: Mapping[str, float] | None = None
) -> list[TableRow]:
    """A row for each policy; those of one namespace when it is given. `stale`: clusters, and when last heard."""
    made = []
    for each in found:
        if namespace and each.namespace != namespace:
            continue
        known = len(each.clusters) + len(each.missing)
        kind = SHORT_KINDS.get(each.resource, "")
        count = f"{len(each.clusters)}/{known}"
        values = (each.name, each.namespace, kind, each.state, count, difference(each))
        row = _row(Ref(_telling(each), each.resource, each.namespace, each.name), ACROSS, values, now)
        old = [stale[name] for name in (*each.clusters, *each.missing) if name in stale] if stale else []
        made.append(freshness.marked(row, min(old) if old else None))
    return made


def _telling(found: Across) -> str:
    """The cluster whose policy is opened: the first that has another version than most."""
    return found.versions[-1].clusters[0]


def difference(found: Across) -> str:
    """How a policy differs, in one line: `oslo: no longer allow ingress from app=lb · missing in bergen`."""
    parts = [
        f"{_some(version.clusters)}: {'; '.join(sentence(change) for change in version.changes)}"
        for version in found.versions[1:]
    ]
    if found.missing:
        parts.append(f"missing in {_some(found.missing)}")
    return " · ".join(parts)


def _some(clusters: Sequence[str]) -> str:
    return ", ".join(clusters[:3]) + (f" and {len(clusters) - 3:,} more" if len(clusters) > 3 else "")


# -- findings ------------------------------------------------------------------------------------------------------


def _show_severity(value: Value, now: float) -> Cell:
    return Cell(str(value), TONES[str(value)])


FINDINGS = (
    _column("severity", "SEVERITY", _show_severity, 8, 8, keep=8, sort=lambda value: _SEVERITIES[str(value)]),
    _column("cluster", "CLUSTER", c.show_plain, 18, 8, keep=7),
    _column("policy", "POLICY", c.show_name, 40, 16, keep=9),
    _column("rule", "RULE", c.show_muted, 24, 12),
    _column("finding", "FINDING", c.show_plain, 200, 30, keep=8, grow=9),
    _column("path", "PATH", c.show_muted, 40, 12, wide=True),
    _column("file", "FILE", c.show_file, 40, 12, wide=True),
)


def finding_rows(found: Iterable[tuple[str, Finding]], namespace: str, now: float) -> list[TableRow]:
    """A row for each (cluster, finding)."""
    made = []
    for number, (cluster, each) in enumerate(found):
        if namespace and each.namespace != namespace:
            continue
        name = f"{each.namespace}/{each.policy}" if each.namespace and each.policy else each.policy or each.namespace
        values = (each.severity, cluster, name, each.rule, f"{each.message} {each.advice}", each.path, each.file)
        resource = each.resource or "namespaces"
        ref = Ref(cluster, resource, each.namespace * bool(each.policy), each.policy or each.namespace)
        made.append(_row((ref, number), FINDINGS, values, now))
    return made


# -- endpoints without a policy ------------------------------------------------------------------------------------

OPEN = (
    _column("application", "APPLICATION", c.show_name, 32, 16, keep=9),
    _column("namespace", "NAMESPACE", c.show_plain, 20, 8, keep=8),
    _column("cluster", "CLUSTER", c.show_plain, 20, 8, keep=8),
    _column("count", "ENDPOINTS", _show_number, 9, 9, right=True, keep=7),
    _column("names", "NAMES", c.show_muted, 100, 20, keep=6, grow=3),
)


def open_rows(fleet: Fleet, clusters: Iterable[str], namespace: str) -> list[TableRow]:
    """Endpoints that no policy selects, an application a row."""
    made = []
    for cluster in clusters:
        refs, _ = fleet.facts.unpoliced(cluster)
        groups: dict[tuple[str, str], list[Ref]] = defaultdict(list)
        for ref in refs:
            if not namespace or ref.namespace == namespace:
                groups[ref.namespace, _application(ref, fleet)].append(ref)
        for (space, name), members in sorted(groups.items()):
            names = ", ".join(ref.name for ref in members[:20]) + (" …" if len(members) > 20 else "")
            values = (name, space, cluster, len(members), names)
            made.append(_row(members[0], OPEN, values, fleet.facts.now))
    return made


def _application(ref: Ref, fleet: Fleet) -> str:
    row = fleet.store.get(ref)
    obj = row.obj if row is not None else None
    labels: tuple[str, ...] = ()
    if isinstance(obj, CiliumEndpoint):
        identity = obj.status.identity if obj.status else None
        labels = (identity.labels or ()) if identity else ()
    elif obj is not None:
        labels = tuple(f"k8s:{key}={value}" for key, value in (obj.metadata.labels or {}).items())
    held = dict(label.removeprefix("k8s:").partition("=")[::2] for label in labels)
    return next((held[key] for key in APPLICATION_LABELS if held.get(key)), "others")


# -- clusters ------------------------------------------------------------------------------------------------------


def _show_mesh(value: Value, now: float) -> Cell:
    text = str(value or "")
    if not text:
        return Cell("?", Tone.UNKNOWN)
    if text.startswith("≠"):
        return Cell(text, Tone.BAD)
    return Cell(text, Tone.MUTED if text == "–" else Tone.PLAIN)


CLUSTERS = (
    _column("cluster", "CLUSTER", c.show_name, 22, 10, keep=9),
    _column("version", "CILIUM", c.show_plain, 9, 6, keep=4),
    _column("policies", "POLICIES", _show_number, 8, 8, right=True, keep=6),
    _column("invalid", "INVALID", _show_wrong, 7, 7, right=True, keep=8),
    _column("idle", "IDLE", _show_wrong, 5, 4, right=True, keep=8),
    _column("endpoints", "ENDPOINTS", _show_number, 9, 9, right=True, keep=7),
    _column("open", "NO POLICY", _show_wrong, 9, 9, right=True, keep=8),
    _column("identities", "IDENTITIES", _show_number, 10, 10, right=True, keep=5),
    _column("nodes", "NODES", _show_number, 6, 5, right=True, keep=4),
    _column("groups", "CIDR GRPS", _show_number, 9, 9, right=True, keep=3),
    _column("external", "EXTERNAL", _show_number, 8, 8, right=True, keep=3),
    _column("mesh", "MESH", _show_mesh, 24, 8, keep=5),
    _column("peers", "PEERS", _show_mesh, 60, 16, keep=5, grow=2),
)


def cluster_rows(fleet: Fleet, clusters: Iterable[str]) -> list[TableRow]:
    """A row for each cluster: what is there, what is wrong, and who its mesh peers are."""
    every = memberships(_configs(fleet))
    return [
        _row(
            Ref(cluster, "clusters", "", cluster),
            CLUSTERS,
            _counts(fleet, cluster, every.get(cluster)),
            fleet.facts.now,
        )
        for cluster in clusters
    ]


def _configs(fleet: Fleet) -> dict[str, dict[str, str]]:
    return {row.ref.cluster: row.obj.data or {} for row in fleet.store.rows(CILIUM_CONFIG.resource)}


def _counts(fleet: Fleet, cluster: str, mesh: Membership | None) -> tuple[Value, ...]:
    facts, store = fleet.facts, fleet.store
    rows = [row for resource in POLICY_RESOURCES for row in store.rows(resource, cluster)]
    listed = [facts.count(cluster, resource) for resource in POLICY_RESOURCES]
    known = any(count is not None for count in listed)
    selected = [facts.selected(row) for row in rows]
    open_ends, told = facts.unpoliced(cluster)
    endpoints = facts.count(cluster, ENDPOINTS)
    return (
        cluster,
        _version(fleet, cluster),
        len(rows) if known else None,
        sum(validity(row.obj, row.ref.resource)[0] == "Invalid" for row in rows) if known else None,
        sum(count == 0 for count in selected) if known and None not in selected else None,
        endpoints,
        len(open_ends) if told else None,
        facts.count(cluster, IDENTITIES),
        facts.count(cluster, "nodes"),
        facts.count(cluster, GROUPS),
        "" if standing(store, cluster).absent(EXTERNAL) else facts.count(cluster, EXTERNAL),
        *_mesh(fleet, cluster, mesh),
    )


def _version(fleet: Fleet, cluster: str) -> str:
    from tui.domain.cilium.config import version_of

    for row in fleet.store.rows(CILIUM_AGENTS.resource, cluster):
        for container in row.obj.spec.template.spec.containers or ():
            if container.name == "cilium-agent" and (found := version_of(container.image)) is not None:
                return ".".join(map(str, found))
    return ""


def _mesh(fleet: Fleet, cluster: str, mesh: Membership | None) -> tuple[str, str]:
    """(`id/name`, peers: `oslo, bergen`, or what cannot be: `≠ id 3 is also oslo's`); "" when nobody knows."""
    if mesh is None:
        known = fleet.facts.known(cluster, CILIUM_CONFIG.resource)
        return ("–", "–") if known else ("", "")
    if not mesh.id:
        return "–", "–"
    wrong = []
    if mesh.same_id:
        wrong.append(f"≠ id {mesh.id} is also {_some(mesh.same_id)}'s")
    if mesh.same_name:
        wrong.append(f"≠ name {mesh.name} is also {_some(mesh.same_name)}'s")
    peers = ", ".join(mesh.peers)
    return f"{mesh.id}/{mesh.name}", " · ".join([*wrong, *([peers] if peers else [])]) or "–"
