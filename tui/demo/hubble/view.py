"""What an agent of a demo cluster knows: the rulebook of the policies that its API server has now, and who is there."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from tui.demo.apiserver.storage import Event, Storage
from tui.demo.content.clusters import ClusterSpec
from tui.demo.content.traffic import NAMES
from tui.demo.controllers.cilium import ENDPOINTS, POLICIES
from tui.demo.controllers.nodes import Node
from tui.domain.cilium.config import version_of
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.model import Endpoint, Flow, Request, Rulebook, Settings, Surroundings, Verdict
from tui.domain.cilium.reading import Placed, policies, surroundings

Obj = dict[str, Any]

_RULES = (
    *POLICIES,
    "networkpolicies.networking.k8s.io",
    "ciliumcidrgroups.cilium.io",
    "configmaps",
    "daemonsets.apps",
    "namespaces",
    "services",
    "endpointslices.discovery.k8s.io",
)
_WHO = (ENDPOINTS, "nodes")
WORLD = "reserved:world"


@dataclass(frozen=True)
class End:
    """One end of a flow: what the engine asks, and what an agent logs about it."""

    endpoint: Endpoint
    identity: int
    cluster: str = ""
    node: str = ""  # "" outside
    namespace: str = ""
    pod: str = ""
    number: int = 0  # of the endpoint on its node
    workload: tuple[str, str] = ("", "")  # (name, kind)
    names: tuple[str, ...] = ()  # that were looked up for its address

    @property
    def ip(self) -> str:
        return self.endpoint.ip


def _asked(end: End) -> Endpoint:
    """As the engine is asked: outside, the address decides, not what an agent calls it."""
    return end.endpoint if end.node else Endpoint((WORLD,), end.ip, end.ip)


def _alike(end: End) -> Hashable:
    """What tells one end's answers from another's."""
    return (end.endpoint.labels, *end.endpoint.named_ports.items()) if end.node else end.ip


@dataclass
class _Held:
    """What is worked out of the storage until the next change."""

    book: Rulebook | None = None
    pods: dict[str, list[End]] | None = None  # by `namespace/name of the workload`
    hosts: dict[str, End] = field(default_factory=dict)  # by node
    answers: dict[Hashable, Verdict] = field(default_factory=dict)  # of the rulebook


class View:
    """The cluster as its agents see it; worked out anew at the first question after a change."""

    def __init__(self, spec: ClusterSpec, storage: Storage, nodes: list[Node]) -> None:
        self.spec = spec
        self._storage = storage
        self._nodes = nodes
        self._held = _Held()
        for resource in _RULES:
            storage.subscribe(resource, self._rules_changed)
        for resource in _WHO:
            storage.subscribe(resource, self._ends_changed)

    def _rules_changed(self, event: Event) -> None:
        self._held.book = None
        self._held.answers.clear()

    def _ends_changed(self, event: Event) -> None:
        self._held.pods = None

    @property
    def book(self) -> Rulebook:
        """The policies as they are now."""
        if self._held.book is None:
            found = [Placed(obj) for resource in _RULES for obj in self._storage.list(resource)]
            given = Surroundings(
                settings=Settings(version=self._version()),
                dns={name: frozenset({address}) for name, address in NAMES.items()},
            )
            self._held.book = rulebook(policies(found), surroundings(found, given))
        return self._held.book

    def verdict(
        self, source: End, destination: End, port: int, protocol: str, request: Request | None = None
    ) -> Verdict:
        """What the policies say to a new connection; pods of a workload are answered alike."""
        asked = (request.method, request.path, request.host, request.dns) if request else ()
        key = (_alike(source), _alike(destination), port, protocol, asked)
        found = self._held.answers.get(key)
        if found is None:
            flow = Flow(_asked(source), _asked(destination), port, protocol, request)
            found = self._held.answers[key] = verdict(self.book, flow)
        return found

    def _version(self) -> tuple[int, int]:
        """By the image of the agents, as everybody else has to find out."""
        agents = self._storage.find("daemonsets.apps", "kube-system", "cilium")
        images = [entry["image"] for entry in agents["spec"]["template"]["spec"]["containers"]] if agents else []
        return version_of(images[0]) or Settings().version if images else Settings().version

    def pods(self, workload: str) -> list[End]:
        """The endpoints of a workload, by `namespace/name` as its label says it."""
        if self._held.pods is None:
            self._held.pods, self._held.hosts = self._workloads(), self._hosts()
        return self._held.pods.get(workload, [])

    def host(self, node: str, seen_from: str) -> End:
        """A node as another one sees it, or as it sees itself."""
        self.pods("")
        found = self._held.hosts[node]
        if node == seen_from:
            return found
        labels = tuple("reserved:remote-node" if each == "reserved:host" else each for each in found.endpoint.labels)
        return End(Endpoint(labels, found.endpoint.name, found.ip), 6, found.cluster, node)

    def node_names(self) -> list[str]:
        """The nodes of the cluster."""
        return [node.name for node in self._nodes]

    def _workloads(self) -> dict[str, list[End]]:
        nodes = {node.ip: node.name for node in self._nodes}
        found: dict[str, list[End]] = {}
        for obj in self._storage.list(ENDPOINTS):
            meta, status = obj["metadata"], obj["status"]
            labels = meta.get("labels") or {}
            name = labels.get("app.kubernetes.io/name") or labels.get("k8s-app") or ""
            ports = {f"{each['name']}/{each['protocol']}": each["port"] for each in status.get("named-ports") or ()}
            endpoint = Endpoint(
                tuple(sorted(status["identity"]["labels"])),
                f"{meta['namespace']}/{meta['name']}",
                status["networking"]["addressing"][0]["ipv4"],
                ports,
            )
            found.setdefault(f"{meta['namespace']}/{name}", []).append(
                End(
                    endpoint,
                    status["identity"]["id"],
                    self.spec.name,
                    nodes.get(status["networking"]["node"], ""),
                    meta["namespace"],
                    meta["name"],
                    status["id"],
                    self._workload(meta),
                )
            )
        return found

    def _workload(self, meta: Obj) -> tuple[str, str]:
        """(name, kind) of what a pod belongs to."""
        pod = self._storage.find("pods", meta["namespace"], meta["name"])
        owner = next(iter(((pod or {}).get("metadata") or {}).get("ownerReferences") or ()), None)
        if owner is None:
            return "", ""
        if owner["kind"] == "ReplicaSet":
            return owner["name"].rpartition("-")[0], "Deployment"
        return owner["name"], owner["kind"]

    def _hosts(self) -> dict[str, End]:
        found = {}
        for node in self._nodes:
            live = self._storage.find("nodes", "", node.name) or {"metadata": {}}
            reserved = ["reserved:host", "reserved:kube-apiserver"] if node.control else ["reserved:host"]
            labels = [f"k8s:{key}={value}" for key, value in (live["metadata"].get("labels") or {}).items()]
            endpoint = Endpoint(tuple(sorted([*reserved, *labels])), node.name, node.ip)
            found[node.name] = End(endpoint, 1, self.spec.name, node.name)
        return found
