"""Everything an object hangs together with: its owners, what it names, who names it, and what grew from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.domain.kinds import KINDS
from tui.domain.kinds.catalogue import Catalogue
from tui.domain.kinds.pods import Pod
from tui.domain.obj import Ref, Row
from tui.domain.objects.references import Link, links, owners, selected

if TYPE_CHECKING:
    from tui.store import Store

MOST = 300  # objects in one part
DEEPEST = 6  # steps from an object to what grew from it
_TEMPLATES = (
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "replicasets.apps",
)
_SCALED = ("deployments.apps", "statefulsets.apps", "replicasets.apps")
_USERS: dict[str, tuple[str, ...]] = {  # kinds that may name an object of a kind
    "configmaps": ("pods", *_TEMPLATES),
    "secrets": ("pods", *_TEMPLATES, "serviceaccounts", "ingresses.networking.k8s.io"),
    "serviceaccounts": ("pods", *_TEMPLATES),
    "persistentvolumeclaims": ("pods", "persistentvolumes"),
    "persistentvolumes": ("persistentvolumeclaims",),
    "services": ("ingresses.networking.k8s.io", "endpointslices.discovery.k8s.io"),
    "nodes": ("pods",),
    "pods": ("services", "poddisruptionbudgets.policy", "endpointslices.discovery.k8s.io"),
    "storageclasses.storage.k8s.io": ("persistentvolumeclaims", "persistentvolumes"),
    **dict.fromkeys(_SCALED, ("horizontalpodautoscalers.autoscaling",)),
}
# Kinds of which fleet holds no whole objects: asked for by one list when somebody looks.
ASKED: dict[str, tuple[str, ...]] = {
    "serviceaccounts": ("rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"),
    "roles.rbac.authorization.k8s.io": ("rolebindings.rbac.authorization.k8s.io",),
    "clusterroles.rbac.authorization.k8s.io": (
        "rolebindings.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
    ),
    "services": ("httproutes.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io"),
    "gateways.gateway.networking.k8s.io": ("httproutes.gateway.networking.k8s.io",),
    "secrets": ("gateways.gateway.networking.k8s.io", "certificates.cert-manager.io"),
    "issuers.cert-manager.io": ("certificates.cert-manager.io",),
    "clusterissuers.cert-manager.io": ("certificates.cert-manager.io",),
}
_GROWN: dict[str, tuple[str, ...]] = {  # kinds that grow from a kind, for those that fleet knows
    "deployments.apps": ("replicasets.apps", "pods"),
    "cronjobs.batch": ("jobs.batch", "pods"),
    **dict.fromkeys(("replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"), ("pods",)),
}


class Thing(NamedTuple):
    """One object of the tree. `ref` None: no cluster has told of its kind. `seen` None: nobody has looked for it."""

    how: str
    kind: str
    namespace: str
    name: str
    ref: Ref | None
    seen: bool | None
    children: tuple[Thing, ...] = ()


class Part(NamedTuple):
    """A heading and what stands below it; `more` counts what is left out."""

    title: str
    things: tuple[Thing, ...]
    more: int = 0


Known = Callable[[str, str], bool]


def needed(row: Row, manifest: Mapping[str, Any], catalogue: Catalogue) -> frozenset[str]:
    """The resources that must be watched for the whole picture of an object."""
    resource = row.ref.resource
    named = (_resource(link, row, catalogue) for link in (*owners(manifest), *links(manifest)))
    found = {resource, *_USERS.get(resource, ()), *_GROWN.get(resource, ()), *filter(None, named)}
    if resource in ("services", "poddisruptionbudgets.policy"):
        found.add("pods")
    if "pods" in found:
        found |= {"replicasets.apps", "jobs.batch"}  # whose the pods are
    if resource == "replicasets.apps":
        found.add("deployments.apps")
    return frozenset(found)


class XRay:
    """The picture of one object, as far as the store holds it."""

    def __init__(
        self,
        row: Row,
        manifest: Mapping[str, Any],
        store: Store,
        catalogue: Catalogue,
        known: Known,
        others: Iterable[tuple[Ref, Mapping[str, Any]]] = (),
    ) -> None:
        """`others` are whole objects that were asked for, of kinds of which the store has none."""
        self._row = row
        self._manifest = manifest
        self._store = store
        self._catalogue = catalogue
        self._known = known
        self._others = tuple(others)

    def parts(self) -> list[Part]:
        """The parts that are not empty: owned by, uses, used by, and what grew from it."""
        found = [
            Part("Owned by", self._above()),
            _part("Uses", self._used()),
            _part("Used by", self._users()),
            _part("Grew from it", self._grown(self._row, DEEPEST, {self._row.ref})),
        ]
        return [part for part in found if part.things]

    def owner(self) -> Ref | None:
        """The object that controls it, as far as it is known where that lives."""
        named = owners(self._manifest)
        return self._thing(named[0]).ref if named else None

    # -- up -------------------------------------------------------------------------------------------------------

    def _above(self) -> tuple[Thing, ...]:
        """The owners, each with its own owner below it: the way up is read downwards."""
        return tuple(self._owner(link, {self._row.ref}) for link in owners(self._manifest))

    def _owner(self, link: Link, visited: set[Ref]) -> Thing:
        thing = self._thing(link)
        held = self._store.get(thing.ref) if thing.ref is not None else None
        if held is None or held.ref in visited or len(visited) > DEEPEST:
            return thing
        further = owners(held.manifest())
        return thing._replace(children=tuple(self._owner(each, visited | {held.ref}) for each in further))

    # -- what it names --------------------------------------------------------------------------------------------

    def _used(self) -> Iterator[Thing]:
        for link in links(self._manifest):
            yield self._thing(link)
        for pod in self._selected():
            yield self._of_row("selects", pod, self._node(pod))

    def _selected(self) -> Iterator[Row]:
        kind = KINDS.get(self._row.ref.resource)
        selector = selected(self._manifest, kind.kind if kind else "")
        if selector is not None:
            for pod in self._there("pods"):
                if selector.matches(pod.obj.metadata.labels):
                    yield pod

    def _node(self, row: Row) -> tuple[Thing, ...]:
        """Where a pod runs."""
        name = row.obj.spec.node_name if isinstance(row.obj, Pod) else ""
        return (self._thing(Link("runs on", "", "Node", "", name)),) if name else ()

    # -- who names it ---------------------------------------------------------------------------------------------

    def _users(self) -> Iterator[Thing]:
        """Who names it; of a workload and what grew from it only the workload."""
        found = {row.ref: (how, row) for how, row in self._naming()}
        uids = {row.obj.metadata.uid for _, row in found.values()}
        for how, row in found.values():
            if not any(owner.uid in uids for owner in row.obj.metadata.owner_references):
                yield self._of_row(how, row, self._node(row))
        for ref, manifest in self._others:
            if (named := self._names_it(manifest)) is not None:
                kind = self._catalogue.get(ref.resource)
                yield Thing(named, kind.kind if kind else ref.resource, ref.namespace, ref.name, ref, True)

    def _naming(self) -> Iterator[tuple[str, Row]]:
        target = self._row
        needle = f'"{target.ref.name}"'.encode()
        for resource in _USERS.get(target.ref.resource, ()):
            for row in self._there(resource):
                if target.ref.resource == "nodes" and isinstance(row.obj, Pod):
                    if row.obj.spec.node_name == target.ref.name:
                        yield "runs on it", row
                elif resource in ("services", "poddisruptionbudgets.policy"):
                    selector = selected(row.manifest(), KINDS[resource].kind)
                    if selector is not None and selector.matches(target.obj.metadata.labels):
                        yield "selects it", row
                elif needle in row.json() and (how := self._names_it(row.manifest())) is not None:
                    yield how, row

    def _names_it(self, manifest: Mapping[str, Any]) -> str | None:
        """How an object names this one; None when it does not."""
        ref = self._row.ref
        return next((link.how for link in links(manifest) if self._thing(link).ref == ref), None)

    def _there(self, resource: str) -> Iterator[Row]:
        """What is held of a resource where it could have to do with the object: its namespace, or all of them."""
        namespace = self._row.ref.namespace
        for row in self._store.rows(resource, self._row.ref.cluster):
            if not namespace or row.ref.namespace in (namespace, ""):
                yield row

    # -- down -----------------------------------------------------------------------------------------------------

    def _grown(self, row: Row, depth: int, visited: set[Ref]) -> Iterator[Thing]:
        uid = row.obj.metadata.uid
        children = self._store.children(uid) if uid and depth else ()
        for child in sorted(children, key=lambda each: each.ref):
            if child.ref.cluster == row.ref.cluster and child.ref not in visited:
                visited.add(child.ref)
                below = tuple(self._grown(child, depth - 1, visited))
                yield self._of_row("", child, (*below, *self._node(child)))

    # -- one object -----------------------------------------------------------------------------------------------

    def _thing(self, link: Link) -> Thing:
        resource = _resource(link, self._row, self._catalogue)
        kind = self._catalogue.get(resource) if resource else None
        if kind is None:
            return Thing(link.how, link.kind, link.namespace, link.name, None, None)
        namespace = link.namespace if kind.namespaced else ""
        ref = Ref(self._row.ref.cluster, kind.resource, namespace, link.name)
        return Thing(link.how, kind.kind, namespace, link.name, ref, self._seen(ref, link.uid))

    def _seen(self, ref: Ref, uid: str) -> bool | None:
        held = self._store.get(ref)
        if held is not None and uid in ("", held.obj.metadata.uid):
            return True
        return False if self._known(ref.cluster, ref.resource) else None

    def _of_row(self, how: str, row: Row, children: tuple[Thing, ...]) -> Thing:
        ref, kind = row.ref, self._catalogue.get(row.ref.resource)
        return Thing(how, kind.kind if kind else ref.resource, ref.namespace, ref.name, ref, True, children)


def _part(title: str, things: Iterable[Thing]) -> Part:
    """A part without what is in it twice, of at most `MOST` objects."""
    found: dict[object, Thing] = {}
    for thing in things:
        found.setdefault(thing.ref or thing[1:4], thing)
    shown = tuple(found.values())
    return Part(title, shown[:MOST], max(0, len(shown) - MOST))


def _resource(link: Link, row: Row, catalogue: Catalogue) -> str:
    """The resource that a reference is about; "" when nobody has told of its kind.

    One that does not say its API group means the object's own group, else the core, else the only group with the kind.
    """
    own = row.ref.resource.partition(".")[2]
    groups = (link.group,) if link.group is not None else (own, "")
    return catalogue.resource_of(link.kind, groups, only=link.group is None)
