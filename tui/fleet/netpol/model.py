"""The rows of one cluster as the verdict engine's values, kept up by what changed. Lives in a worker's thread."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

from tui.domain import when
from tui.domain.cilium.config import caveats, live_settings, version_of
from tui.domain.cilium.engine.identity import identity
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.model import CidrGroup, Endpoint, Rulebook, Service, Surroundings, Written
from tui.domain.cilium.reachability.grouping import Group, group_of
from tui.domain.cilium.reachability.reach import Reach
from tui.domain.cilium.reading import CLUSTER_KEY
from tui.domain.cilium.select import pod_labels
from tui.domain.cluster import ClusterState
from tui.domain.kinds.cilium import CiliumEndpoint, named_ports
from tui.domain.kinds.core import Node
from tui.domain.kinds.pods import Pod
from tui.domain.obj import Ref, Row
from tui.fleet.netpol.delta import Delta
from tui.fleet.netpol.needs import AGENTS, CONFIG, ENDPOINTS, GROUPS, NODE_CONFIGS, POLICIES, SERVERS, SLICES, Standing
from tui.fleet.netpol.state import End, State

_CLUSTER = f"k8s:{CLUSTER_KEY}="
_AROUND = ("namespaces", GROUPS, "services", SLICES, CONFIG, AGENTS)
_OTHERS = ("world", "health", "ingress", "init", "unmanaged")
_OUTSIDE = Group("outside")
_SLACK = 1_000  # label sets of endpoints that are gone before they are forgotten
_SERVICE = "kubernetes.io/service-name"  # label of an EndpointSlice


class Model:
    """Everything about one cluster. `apply` is called by one thread at a time."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._rows: dict[str, dict[Ref, Row]] = {}
        self._written: dict[Ref, Written] = {}
        self._around = Surroundings()
        self._book: Rulebook | None = None
        self._ends: dict[Ref, End] = {}
        self._others: dict[str, End] = {}
        self._nodes: dict[str, str] = {}  # address -> name
        self._unidentified: set[str] = set()
        self._told_from = ""
        self._labels: dict[tuple[str, ...], tuple[tuple[str, ...], Group]] = {}  # shared by endpoints alike
        self._serial = 0
        self._reach: Reach | None = None
        self._reached: dict[Hashable, Endpoint] = {}  # the ends that `_reach` has

    def apply(self, delta: Delta) -> State:
        """Take in what has changed; returns what is known now."""
        touched = self._take(delta)
        named = self._name() or self._around.settings.cluster
        if touched.keys() & set(_AROUND) or self._book is None or named != self._around.settings.cluster:
            before, self._around = self._around, self._surroundings()
            if before != self._around or self._book is None:
                self._book = None
                if before.settings.cluster != self._around.settings.cluster and self._told_from == "pods":
                    touched.setdefault("pods", set()).update(self._rows.get("pods", {}))
        if touched.keys() & set(POLICIES):
            self._book = None
        if self._book is None:
            ordered = sorted(self._written.items())
            self._book = rulebook([each for _, each in ordered], self._around)
        if touched.keys() & {"nodes", SERVERS, CONFIG} or not self._others:
            self._others = self._make_others()
        self._make_ends(delta.told_from, touched)
        self._serial += 1
        told, blind = self._missing(delta.stands)
        found = State(
            cluster=self._cluster,
            serial=self._serial,
            written=tuple(each for _, each in sorted(self._written.items())),
            book=self._book,
            ends={**{end.name: end for end in self._ends.values()}, **self._others},
            told_from=self._told_from,
            caveats=told,
            blind=blind,
            unidentified=frozenset(self._unidentified),
        )
        return _ready(found)

    @property
    def reaching(self) -> bool:
        """Whether who may talk to whom has been worked out once, so that it is soon done again."""
        return self._reach is not None

    def with_reach(self, state: State) -> State:
        """What is known, with who may talk to whom. The first time it takes seconds where there are thousands."""
        hosts = state.surroundings.settings.host_firewall
        ends: dict[Hashable, Endpoint] = {
            end.name: end.own or end.endpoint for end in state.ends.values() if end.ref and (hosts or not end.own)
        }
        reach = self._reach
        if reach is None:
            reach = Reach(state.book, ends)
        else:
            put = {name: end for name, end in ends.items() if self._reached.get(name) != end}
            gone = self._reached.keys() - ends.keys()
            if reach.book is not state.book:
                reach = reach.with_book(state.book)
            if put or gone:
                reach = reach.changed(put, list(gone))
        for name in ends:  # what all questions share is worked out here, off the loop
            reach.row(name)
            reach.column(name)
            break
        self._reach, self._reached = reach, ends
        return _ready(replace(state, reach=reach))

    def _take(self, delta: Delta) -> dict[str, set[Ref]]:
        """Keep the rows; returns what was touched, by resource."""
        touched: dict[str, set[Ref]] = {}
        for row in delta.changed:
            self._rows.setdefault(row.ref.resource, {})[row.ref] = row
            touched.setdefault(row.ref.resource, set()).add(row.ref)
        gone = set(delta.gone)
        for resource in delta.whole:
            gone |= self._rows.get(resource, {}).keys() - touched.get(resource, set())
        for ref in gone:
            if self._rows.get(ref.resource, {}).pop(ref, None) is not None:
                touched.setdefault(ref.resource, set()).add(ref)
        files = dict(delta.files)
        for ref in {ref for resource in POLICIES for ref in touched.get(resource, ())} | files.keys():
            held = self._rows.get(ref.resource, {}).get(ref)
            if held is None:
                self._written.pop(ref, None)
                continue
            before = self._written.get(ref)
            file = files.get(ref, before.file if before is not None else "")
            self._written[ref] = Written(ref.resource, held.obj, file)
            touched.setdefault(ref.resource, set()).add(ref)
        return touched

    # -- surroundings -----------------------------------------------------------------------------------------------

    def _all(self, resource: str) -> Iterable[Row]:
        return self._rows.get(resource, {}).values()

    def _config(self) -> Mapping[str, str] | None:
        row = next(iter(self._all(CONFIG)), None)
        return (row.obj.data or {}) if row is not None else None

    def _version(self) -> tuple[int, int] | None:
        for row in self._all(AGENTS):
            for container in row.obj.spec.template.spec.containers or ():
                if container.name == "cilium-agent":
                    return version_of(container.image)
        return None

    def _name(self) -> str:
        """What the cluster calls itself in the identities of its endpoints; "" when none says so.

        Every CiliumEndpoint is of the own cluster, so this holds whatever the configuration is, or was, told.
        """
        for row in self._all(ENDPOINTS):
            identity = row.obj.status.identity if row.obj.status is not None else None
            for label in (identity.labels or ()) if identity is not None else ():
                if label.startswith(_CLUSTER):
                    return str(label[len(_CLUSTER) :])
        return ""

    def _surroundings(self) -> Surroundings:
        addresses: dict[tuple[str, str], list[str]] = {}
        for row in self._all(SLICES):
            owner = (row.obj.metadata.labels or {}).get(_SERVICE, "")
            for each in row.obj.endpoints or ():
                addresses.setdefault((row.ref.namespace, owner), []).extend(each.addresses or ())
        return Surroundings(
            settings=live_settings(self._config() or {}, self._version(), self._name()),
            namespaces={row.ref.name: row.obj.metadata.labels or {} for row in self._all("namespaces")},
            cidr_groups=tuple(
                CidrGroup(row.ref.name, row.obj.metadata.labels or {}, tuple(row.obj.spec.external_cidrs or ()))
                for row in sorted(self._all(GROUPS), key=lambda row: row.ref)
            ),
            services=tuple(
                Service(
                    row.ref.namespace,
                    row.ref.name,
                    row.obj.metadata.labels or {},
                    row.obj.spec.selector or {},
                    tuple(sorted(addresses.get((row.ref.namespace, row.ref.name), ()))),
                )
                for row in sorted(self._all("services"), key=lambda row: row.ref)
            ),
        )

    # -- who can talk -----------------------------------------------------------------------------------------------

    def _make_others(self) -> dict[str, End]:
        """Nodes, the API server, and everybody who is no object."""
        found: dict[str, End] = {}
        self._nodes = {}
        by_label = self._around.settings.node_selector_labels
        for row in self._all("nodes"):
            node: Node = row.obj
            address = ""
            for each in node.status.addresses or ():
                if each.type in ("InternalIP", "ExternalIP"):
                    self._nodes[each.address] = row.ref.name
                    address = address or each.address
            labels = [f"k8s:{key}={value}" for key, value in (node.metadata.labels or {}).items()]
            seen_as = ["reserved:remote-node", *(labels if by_label else ())]
            seen = Endpoint(tuple(sorted(seen_as)), row.ref.name, address)
            own = Endpoint(tuple(sorted(["reserved:host", *labels])), row.ref.name, address)
            found[row.ref.name] = End(seen, _OUTSIDE._replace(name="nodes"), row.ref, row.ref.name, own)
        for name in _OTHERS:
            found[name] = End(Endpoint((f"reserved:{name}",), name), _OUTSIDE._replace(name=name))
        for name in ("host", "remote-node"):
            found[name] = End(Endpoint((f"reserved:{name}",), name), _OUTSIDE._replace(name=name))
        found["kube-apiserver"] = self._api_server()
        return found

    def _api_server(self) -> End:
        """The API server is a node, or outside of the cluster, as its own EndpointSlice says."""
        held = next(iter(self._all(SERVERS)), None)
        addresses = [a for each in held.obj.endpoints or () for a in each.addresses or ()] if held is not None else []
        labels = ["reserved:kube-apiserver"]
        if addresses:
            labels.append("reserved:remote-node" if addresses[0] in self._nodes else "reserved:world")
        address = addresses[0] if addresses else ""
        return End(
            Endpoint(tuple(sorted(labels)), "kube-apiserver", address),
            _OUTSIDE._replace(name="kube-apiserver"),
            node=self._nodes.get(address, ""),
        )

    def _make_ends(self, told_from: str, touched: Mapping[str, set[Ref]]) -> None:
        refs = set(touched.get(told_from, ()))
        if told_from != self._told_from:
            self._told_from = told_from
            self._ends.clear()
            self._unidentified.clear()
            refs = set(self._rows.get(told_from, {}))
        elif told_from == "pods" and (spaces := touched.get("namespaces")):
            names = {ref.name for ref in spaces}
            refs |= {ref for ref in self._rows.get("pods", {}) if ref.namespace in names}
        if touched.get("nodes"):
            refs |= set(self._rows.get(told_from, {}))  # which node an address is
        held = self._rows.get(told_from, {})
        for ref in refs:
            row = held.get(ref)
            end = None if row is None else self._pod(row) if told_from == "pods" else self._endpoint(row)
            name = f"{ref.namespace}/{ref.name}"
            self._unidentified.discard(name)
            if end is None:
                self._ends.pop(ref, None)
            elif not end.endpoint.labels:
                self._ends.pop(ref, None)
                self._unidentified.add(name)
            else:
                self._ends[ref] = end

    def _endpoint(self, row: Row) -> End:
        obj: CiliumEndpoint = row.obj
        status = obj.status
        identity = status.identity if status is not None else None
        networking = status.networking if status is not None else None
        address = next((each.ipv4 or each.ipv6 for each in (networking.addressing if networking else None) or ()), "")
        node = self._nodes.get(networking.node, "") if networking else ""
        labels = (identity.labels or ()) if identity else ()
        return self._end(row.ref, tuple(sorted(labels)), address, named_ports(obj), node)

    def _pod(self, row: Row) -> End | None:
        """A pod's end; None for one that has no endpoint: ended, of the host's network, or without address."""
        pod: Pod = row.obj
        if pod.status.phase in ("Succeeded", "Failed") or pod.spec.host_network or not pod.status.pod_ip:
            return None
        labels = pod_labels(
            pod.metadata.labels or {},
            row.ref.namespace,
            self._around.namespaces.get(row.ref.namespace, {}),
            pod.spec.service_account_name,
        )
        labels = tuple(sorted((*labels, f"k8s:{CLUSTER_KEY}={self._around.settings.cluster}")))
        ports = {
            f"{port.name}/{port.protocol or 'TCP'}": port.container_port
            for container in (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))
            for port in container.ports or ()
            if port.name
        }
        return self._end(row.ref, labels, pod.status.pod_ip, ports, pod.spec.node_name)

    def _end(self, ref: Ref, labels: tuple[str, ...], ip: str, ports: Mapping[str, int], node: str) -> End:
        name = f"{ref.namespace}/{ref.name}"
        shared = self._labels.get(labels)
        if shared is None:
            if len(self._labels) > _SLACK + 2 * len(self._ends):
                self._labels.clear()
            who = identity(Endpoint(labels), self._around)
            cluster = self._around.settings.cluster
            shared = self._labels[labels] = (labels, group_of(who, "application", cluster, name))
        labels, group = shared
        return End(Endpoint(labels, name, ip, ports), group, ref, node)

    # -- what is not known ------------------------------------------------------------------------------------------

    def _missing(self, stands: Standing) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(caveats, what makes answers unknown), a sentence each."""
        blind = []
        for resource in POLICIES:
            if (why := stands.refused(resource)) and not stands.absent(resource):
                blind.append(f"{_PLURAL[resource]} {why}.")
        found = [*_missing_cluster(stands), *self._missing_settings(stands), *self._missing_objects(stands)]
        return tuple(found), tuple(blind)

    def _missing_settings(self, stands: Standing) -> Iterable[str]:
        config = self._config()
        if config is not None:
            yield from caveats(config)
        else:
            why = stands.refused(CONFIG) or "there is none in kube-system"
            yield f"How Cilium is set up is not known, the defaults are assumed: the ConfigMap cilium-config {why}."
        if self._version() is None:
            why = stands.refused(AGENTS) or "no DaemonSet kube-system/cilium with an agent of a known version"
            yield f"The version of Cilium is not known, 1.19 is assumed: {why}."
        if count := len(self._rows.get(NODE_CONFIGS, {})):
            noun = "CiliumNodeConfig overrides" if count == 1 else "CiliumNodeConfigs override"
            yield f"{count} {noun} settings on some nodes, which are not counted here."
        elif (why := stands.refused(NODE_CONFIGS)) and not stands.absent(NODE_CONFIGS):
            yield f"Whether nodes have settings of their own is not known: CiliumNodeConfigs {why}."

    def _missing_objects(self, stands: Standing) -> Iterable[str]:
        for resource, effect in _EFFECTS.items():
            if (why := stands.refused(resource)) and not stands.absent(resource):
                yield f"{effect}: {why}."
        if self._told_from == "pods":
            why = stands.refused(ENDPOINTS) or "Cilium writes none here"
            yield f"Endpoints are told from pods, as Cilium labels them by default: CiliumEndpoints {why}."
            if (self._config() or {}).get("labels"):
                yield "cilium-config chooses which labels count (`labels`), which is not applied to pods here."
        if count := len(self._unidentified):
            yield f"{count} endpoint{'s have' if count > 1 else ' has'} no identity yet and cannot be judged."


def _ready(state: State) -> State:
    """The state with what questions need of it worked out here, off the loop that will ask."""
    _ = state.applications, state.by_ref
    return state


def _missing_cluster(stands: Standing) -> Iterable[str]:
    cluster = stands.cluster
    if cluster is not None and cluster.state is not ClusterState.LIVE:
        reason = " ".join(cluster.reason.split())
        last = f", at {when.rfc3339(cluster.heard)}" if cluster.heard else ""
        why = f" ({reason})" if reason else ""
        yield f"The cluster is {cluster.state.value}{why}: this is how it was last seen{last}."
    if stands.absent(POLICIES[0]):
        yield "Cilium's policies are not served here: whether it is Cilium that enforces NetworkPolicies is not known."


_PLURAL = {
    POLICIES[0]: "CiliumNetworkPolicies",
    POLICIES[1]: "CiliumClusterwideNetworkPolicies",
    POLICIES[2]: "NetworkPolicies",
}
_EFFECTS = {
    "namespaces": "Labels of namespaces are not known",
    "nodes": "Which node a pod is on is not known",
    GROUPS: "What is in CIDR groups is not known",
    "services": "What services select is not known",
    SLICES: "Addresses behind services without a selector are not known",
    SERVERS: "Where the API server runs is not known",
}
