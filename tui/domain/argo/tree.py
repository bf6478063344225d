"""The resource tree of an Application, without Argo CD's API: its resources, and what grew from them in the cluster.

Roots are `status.resources`, missing ones too. Children are live objects whose ownerReferences lead to a root, and the
edges that Argo CD infers (gitops-engine `pkg/cache/references.go`). Nothing is asked for: the tree is made of the rows
at hand, and says of each node whether it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.argo.application import Application, ResourceStatus
from tui.domain.argo.health import assess, worst
from tui.domain.kinds import KINDS
from tui.domain.kinds.kind import Health
from tui.domain.kinds.pods import Pod, reason, status_word
from tui.domain.obj import Ref, Row

MOST_NODES = 5_000  # of one tree; what is beyond is counted, not shown
_BY_KIND: dict[tuple[str, str], str] = {(kind.group, kind.kind): kind.resource for kind in KINDS.values()}
_CHILDREN: dict[tuple[str, str], tuple[str, ...]] = {  # what objects of a kind bring forth
    ("apps", "Deployment"): ("replicasets.apps", "pods"),
    ("apps", "ReplicaSet"): ("pods",),
    ("apps", "StatefulSet"): ("pods", "persistentvolumeclaims"),
    ("apps", "DaemonSet"): ("pods",),
    ("batch", "CronJob"): ("jobs.batch", "pods"),
    ("batch", "Job"): ("pods",),
    ("argoproj.io", "Rollout"): ("replicasets.apps", "pods"),
    ("argoproj.io", "ApplicationSet"): (APPLICATIONS,),
}
# Argo CD leaves these out of every tree unless told otherwise (`resource.exclusions`, since 3.0).
_EXCLUDED = {"endpointslices.discovery.k8s.io", "ciliumendpoints.cilium.io", "ciliumidentities.cilium.io", "events"}


class Rows(Protocol):
    """Where rows are looked up; the store is one."""

    def get(self, ref: Ref) -> Row | None:
        """The row of one object."""

    def rows(self, resource: str, cluster: str | None = None) -> Iterator[Row]:
        """All rows of a resource in a cluster."""

    def children(self, uid: str) -> list[Row]:
        """The rows whose ownerReferences name this uid."""


class Node(msgspec.Struct, frozen=True):
    """One object of the tree."""

    group: str
    kind: str
    namespace: str
    name: str
    ref: Ref | None = None  # None: a kind that fleet has no resource name for
    edge: str = "managed"  # managed | owned | inferred
    seen: bool | None = None  # in the cluster; None: nobody looked, or nobody may
    sync: str = ""  # only of managed objects: Synced | OutOfSync | Unknown | ""
    health: Health | None = None  # None: no rule for its kind, or not seen
    told: str = ""  # where the health is from: stored (by Argo CD) | computed (by fleet) | own (a child Application's)
    state: str = ""  # kubectl's word for pods; of an Application, whether what it manages is in sync
    detail: str = ""  # why, in one line
    wave: int = 0
    hook: bool = False
    pruning: bool = False  # Git no longer has it
    children: tuple[Node, ...] = ()

    @property
    def worst(self) -> str:
        """The worst health of the node and everything below it, "" when none of them has one."""
        words = [node.health.status for _, node in flatten((self,)) if node.health]
        return worst(words) if words else ""


Known = Callable[[str, str], bool]


def needs(app: Application) -> set[str]:
    """The resources to look at for a full tree: kinds of the roots and of what grows from them."""
    found: set[str] = set()
    for each in app.status.resources or ():
        if (resource := _BY_KIND.get((each.group, each.kind))) is not None:
            found.add(resource)
        found.update(_CHILDREN.get((each.group, each.kind), ()))
    return found


def build(
    app: Application, hub: str, cluster: str, rows: Rows, known: Known = lambda cluster, resource: False
) -> list[Node]:
    """The roots of the tree, in the order Argo CD keeps them, each with its children.

    `cluster` is where the Application deploys to ("" when that is not known: then nothing is seen), `known` tells
    whether a resource of a cluster has been listed, so that a row that is not there means a missing object.
    """
    return _Builder(app, hub, cluster, rows, known).roots()


def flatten(roots: Iterable[Node], depth: int = 0) -> Iterator[tuple[int, Node]]:
    """(depth, node) of every node, parents before their children."""
    for node in roots:
        yield depth, node
        yield from flatten(node.children, depth + 1)


class _Builder:
    def __init__(self, app: Application, hub: str, cluster: str, rows: Rows, known: Known) -> None:
        self._app = app
        self._hub = hub
        self._cluster = cluster
        self._rows = rows
        self._known = known
        self._visited: set[Ref] = set()
        self._left = MOST_NODES

    def roots(self) -> list[Node]:
        managed = self._app.status.resources or ()
        for each in managed:  # a managed object below another one is still a root of its own
            if (ref := self._ref(each)) is not None:
                self._visited.add(ref)
        return [self._root(each) for each in managed[:MOST_NODES]]

    def _ref(self, each: ResourceStatus) -> Ref | None:
        resource = _BY_KIND.get((each.group, each.kind))
        return Ref(self._cluster, resource, each.namespace, each.name) if resource and self._cluster else None

    def _root(self, each: ResourceStatus) -> Node:
        self._left -= 1
        ref = self._ref(each)
        row = self._rows.get(ref) if ref is not None else None
        health, told = self._health_of_root(each, ref, row)
        return Node(
            group=each.group,
            kind=each.kind,
            namespace=each.namespace,
            name=each.name,
            ref=ref,
            seen=self._seen(ref, row),
            sync=each.status,
            health=health,
            told=told,
            state=_state(row),
            detail=_detail(row, health),
            wave=each.sync_wave,
            hook=each.hook,
            pruning=each.requires_pruning,
            children=self._children(row) if row is not None else (),
        )

    def _seen(self, ref: Ref | None, row: Row | None) -> bool | None:
        if row is not None:
            return True
        return False if ref is not None and self._known(ref.cluster, ref.resource) else None

    def _health_of_root(self, each: ResourceStatus, ref: Ref | None, row: Row | None) -> tuple[Health | None, str]:
        if each.health is not None and each.health.status:
            return Health(each.health.status, each.health.message), "stored"
        if row is not None:
            return _computed(row)
        if self._seen(ref, row) is False and not each.hook:
            return Health("Missing"), "computed"
        return None, ""

    def _children(self, row: Row) -> tuple[Node, ...]:
        """What grew from an object, by kind and name. A visited set ends cycles, which owner references may form."""
        found: list[tuple[Row, str]] = []
        for child, edge in (
            *((each, "owned") for each in self._owned(row)),
            *((e, "inferred") for e in self._inferred(row)),
        ):
            if child.ref not in self._visited and self._left > 0:
                self._visited.add(child.ref)
                self._left -= 1
                found.append((child, edge))
        nodes = [self._child(child, edge) for child, edge in found]
        return tuple(sorted(nodes, key=lambda node: (node.kind, node.name)))

    def _owned(self, row: Row) -> Iterator[Row]:
        """Live objects that name this one as their owner. Owners are of the same namespace, or cluster-scoped."""
        if not (uid := row.obj.metadata.uid):
            return
        for child in self._rows.children(uid):
            ref = child.ref
            same_place = ref.cluster == row.ref.cluster and row.ref.namespace in ("", ref.namespace)
            if same_place and ref.resource not in _EXCLUDED:
                yield child

    def _inferred(self, row: Row) -> Iterator[Row]:
        """Edges without owner references: claims of a StatefulSet, token secrets of a ServiceAccount."""
        ref = row.ref
        if ref.resource == "statefulsets.apps":
            spec = row.manifest().get("spec") or {}
            names = [
                str((each.get("metadata") or {}).get("name", "")) for each in spec.get("volumeClaimTemplates") or ()
            ]
            patterns = [re.compile(rf"{re.escape(name)}-{re.escape(ref.name)}-\d+") for name in names if name]
            for claim in self._rows.rows("persistentvolumeclaims", ref.cluster) if patterns else ():
                same = claim.ref.namespace == ref.namespace
                if same and any(pattern.fullmatch(claim.ref.name) for pattern in patterns):
                    yield claim
        elif ref.resource == "serviceaccounts":
            for secret in self._rows.rows("secrets", ref.cluster):
                if secret.ref.namespace == ref.namespace and secret.ref.name.startswith(f"{ref.name}-"):
                    held = (secret.manifest().get("metadata") or {}).get("annotations") or {}
                    if held.get("kubernetes.io/service-account.uid") == row.obj.metadata.uid:
                        yield secret

    def _child(self, row: Row, edge: str) -> Node:
        kind = KINDS.get(row.ref.resource)
        health, told = _computed(row)
        return Node(
            group=kind.group if kind else row.ref.resource.partition(".")[2],
            kind=kind.kind if kind else row.ref.resource.partition(".")[0],
            namespace=row.ref.namespace,
            name=row.ref.name,
            ref=row.ref,
            edge=edge,
            seen=True,
            health=health,
            told=told,
            state=_state(row),
            detail=_detail(row, health),
            children=self._children(row),
        )


def _computed(row: Row) -> tuple[Health | None, str]:
    """The health by the rules; from the record where its kind has a rule over it, else from the whole object.

    An Application says its own.
    """
    if row.ref.resource == APPLICATIONS:
        own = row.obj.status.health
        return (Health(own.status), "own") if own.status else (None, "")
    kind = KINDS.get(row.ref.resource)
    if row.obj.metadata.deletion_timestamp is None and kind is not None and kind.health is not None:
        return kind.health(row.obj), "computed"
    manifest = row.manifest()
    if kind is not None:  # objects of a list carry neither
        manifest.setdefault("apiVersion", f"{kind.group}/{kind.versions[0]}" if kind.group else kind.versions[0])
        manifest.setdefault("kind", kind.kind)
    found = assess(manifest)
    return (found, "computed") if found is not None else (None, "")


def _state(row: Row | None) -> str:
    if row is not None and row.ref.resource == APPLICATIONS:
        return str(row.obj.status.sync.status)
    return status_word(row.obj) if row is not None and isinstance(row.obj, Pod) else ""


def _detail(row: Row | None, health: Health | None) -> str:
    if row is not None and isinstance(row.obj, Pod) and (why := reason(row.obj)):
        return why
    return " ".join(health.message.split()) if health else ""


def orphans(namespace: str, rows: Iterable[Row], managed: set[Ref]) -> list[Row]:
    """Objects of a namespace that no Application has: top-level, not tracked, not among `managed`.

    Leaves out what Argo CD leaves out: the `kubernetes` Service in default, ServiceAccounts named default and the
    ConfigMap kube-root-ca.crt. Whether a project wants to know of orphans, and which it ignores, is the caller's.
    """
    found = []
    for row in rows:
        ref, meta = row.ref, row.obj.metadata
        if ref.namespace != namespace or meta.owner_references or ref in managed:
            continue
        if getattr(meta.annotations, "tracking_id", ""):
            continue
        if (ref.resource, ref.namespace, ref.name) == ("services", "default", "kubernetes"):
            continue
        if (ref.resource, ref.name) in (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")):
            continue
        found.append(row)
    return sorted(found, key=lambda row: row.ref)
