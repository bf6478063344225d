"""Cilium's side of a demo cluster: endpoints and identities of pods, nodes, and whether a policy is valid."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec

from tui.demo.apiserver.storage import Storage
from tui.demo.clock import Clock, stamp
from tui.demo.content.cilium import settings_of as configured
from tui.demo.content.cilium import version_of
from tui.demo.content.clusters import ClusterSpec
from tui.demo.controllers.nodes import Node
from tui.domain.cilium.engine.validity import problems
from tui.domain.cilium.policy import Policy
from tui.domain.cilium.reading import settings_of

Obj = dict[str, Any]

ENDPOINTS, IDENTITIES = "ciliumendpoints.cilium.io", "ciliumidentities.cilium.io"
POLICIES = ("ciliumnetworkpolicies.cilium.io", "ciliumclusterwidenetworkpolicies.cilium.io")

# Label prefixes that never become part of an identity (Cilium's default label filter).
_LEFT_OUT = (
    "io.kubernetes",
    "kubernetes.io",
    "pod-template-hash",
    "pod-template-generation",
    "controller-revision-hash",
    "controller-uid",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "job-name",
)
_PEERS = {
    "ingress": ("fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "fromNodes", "fromGroups"),
    "egress": ("toEndpoints", "toCIDR", "toCIDRSet", "toEntities", "toFQDNs", "toServices", "toNodes", "toGroups"),
}
_ENTITIES = [
    "all",
    "world",
    "world-ipv4",
    "world-ipv6",
    "cluster",
    "host",
    "remote-node",
    "health",
    "init",
    "ingress",
    "unmanaged",
    "kube-apiserver",
    "none",
]


class Agents:
    """Keeps CiliumEndpoint and CiliumIdentity objects in step with the pods of one cluster."""

    def __init__(self, spec: ClusterSpec, storage: Storage, clock: Clock) -> None:
        self._spec = spec
        self._storage = storage
        self._clock = clock
        self._identities: dict[tuple[tuple[str, str], ...], int] = {}
        self._next_identity = 40000 + spec.number * 131
        self._next_endpoint = 200 + spec.number

    def labels_of(self, pod: Obj) -> dict[str, str]:
        """The security labels of a pod, source prefix included."""
        meta = pod["metadata"]
        namespace = meta["namespace"]
        labels = {
            f"k8s:{key}": value for key, value in (meta.get("labels") or {}).items() if not key.startswith(_LEFT_OUT)
        }
        found = self._storage.find("namespaces", "", namespace) or {}
        for key, value in ((found.get("metadata") or {}).get("labels") or {}).items():
            labels[f"k8s:io.cilium.k8s.namespace.labels.{key}"] = value
        labels["k8s:io.cilium.k8s.policy.cluster"] = self._spec.name
        labels["k8s:io.cilium.k8s.policy.serviceaccount"] = pod["spec"].get("serviceAccountName", "default")
        labels["k8s:io.kubernetes.pod.namespace"] = namespace
        return dict(sorted(labels.items()))

    def attach(self, pod: Obj, node: Node, when: float) -> None:
        """Create the endpoint of a pod that has its address. Pods of the host's network have none."""
        if pod["spec"].get("hostNetwork") or self._spec.host:
            return
        labels = self.labels_of(pod)
        identity = self._identity(labels, when)
        self._next_endpoint += 7
        meta = pod["metadata"]
        ports = [
            {"name": port["name"], "port": port["containerPort"], "protocol": port.get("protocol", "TCP")}
            for container in pod["spec"]["containers"]
            for port in container.get("ports", ())
            if port.get("name")
        ]
        status: Obj = {
            "id": self._next_endpoint % 4096,
            "encryption": {},
            "external-identifiers": {
                "cni-attachment-id": f"{self._next_endpoint:064x}:eth0",
                "k8s-namespace": meta["namespace"],
                "k8s-pod-name": meta["name"],
                "pod-name": f"{meta['namespace']}/{meta['name']}",
            },
            "identity": {"id": identity, "labels": [f"{key}={value}" for key, value in labels.items()]},
            "networking": {"addressing": [{"ipv4": pod["status"]["podIP"]}], "node": node.ip},
            "state": "ready",
        }
        if ports:
            status["named-ports"] = ports
        if version_of(self._spec) >= (1, 19):
            status["service-account"] = pod["spec"].get("serviceAccountName", "default")
        self._storage.apply(
            {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumEndpoint",
                "metadata": {
                    "name": meta["name"],
                    "namespace": meta["namespace"],
                    "labels": meta.get("labels") or {},
                    "creationTimestamp": stamp(when),
                    "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}],
                },
                "status": status,
            }
        )

    def renew(self, namespace: str | None = None) -> None:
        """Give endpoints (of a namespace) the identities that follow from the labels as they are now."""
        if ENDPOINTS not in self._storage.resources:
            return
        now = self._clock.now()
        for endpoint in self._storage.list(ENDPOINTS, namespace):
            meta = endpoint["metadata"]
            pod = self._storage.find("pods", meta["namespace"], meta["name"])
            if pod is None:
                continue
            labels = self.labels_of(pod)
            listed = [f"{key}={value}" for key, value in labels.items()]
            if listed != endpoint["status"]["identity"]["labels"]:
                identity = {"id": self._identity(labels, now), "labels": listed}
                self._storage.update_status(
                    ENDPOINTS, meta["namespace"], meta["name"], {**endpoint["status"], "identity": identity}
                )
        self._forget_unused()

    def _forget_unused(self) -> None:
        """Remove identities that no endpoint has, as the operator does."""
        used = {endpoint["status"]["identity"]["id"] for endpoint in self._storage.list(ENDPOINTS)}
        for labels, number in list(self._identities.items()):
            if number not in used:
                del self._identities[labels]
                self._storage.delete(IDENTITIES, "", str(number))

    def _identity(self, labels: dict[str, str], when: float) -> int:
        key = tuple(labels.items())
        found = self._identities.get(key)
        if found is None:
            self._next_identity += 17
            found = self._identities[key] = self._next_identity
            plain = {name.removeprefix("k8s:"): value for name, value in labels.items()}
            self._storage.apply(
                {
                    "apiVersion": "cilium.io/v2",
                    "kind": "CiliumIdentity",
                    "metadata": {"name": str(found), "labels": plain, "creationTimestamp": stamp(when)},
                    "security-labels": labels,
                }
            )
        return found

    def judge(self, policy: Obj, when: float) -> None:
        """Write the Valid condition of a policy, as Cilium's operator does."""
        problem = problem_of(policy) or self._refusal(policy)
        condition = {
            "type": "Valid",
            "status": "False" if problem else "True",
            "lastTransitionTime": stamp(when),
            "message": problem or "Policy validation succeeded",
        }
        before = ((policy.get("status") or {}).get("conditions") or [{}])[0]
        if before.get("status") == condition["status"] and before.get("message") == condition["message"]:
            return
        meta = policy["metadata"]
        resource = self._storage.resource_of(policy).name
        self._storage.update_status(resource, meta.get("namespace", ""), meta["name"], {"conditions": [condition]})

    def _refusal(self, policy: Obj) -> str:
        """What else this version of Cilium, as it is set up here, does not take; "" for nothing."""
        settings = settings_of(configured(self._spec), version_of(self._spec))
        try:
            held = msgspec.convert(policy, Policy, strict=False)
        except msgspec.ValidationError as error:
            return str(error)
        return next(iter(problems(held, self._storage.resource_of(policy).name, settings)), "")


def problem_of(policy: Obj) -> str:
    """Why Cilium rejects a policy, in its sanitizer's words; "" when it does not. The common slips only."""
    rules = policy.get("specs") or ([policy["spec"]] if policy.get("spec") else [])
    for rule in rules:
        if "nodeSelector" in rule and "endpointSelector" in rule:
            return "rule cannot have both EndpointSelector and NodeSelector"
        if "nodeSelector" in rule and policy["kind"] == "CiliumNetworkPolicy":
            return "Invalid CiliumNetworkPolicy spec: rule cannot have NodeSelector"
        if "nodeSelector" not in rule and "endpointSelector" not in rule:
            return "rule must have one of EndpointSelector or NodeSelector"
        if not any(rule.get(name) for name in ("ingress", "ingressDeny", "egress", "egressDeny")):
            return "rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny"
        for direction in ("ingress", "egress"):
            for entry in [*(rule.get(direction) or ()), *(rule.get(direction + "Deny") or ())]:
                problem = _entry_problem(direction, entry)
                if problem:
                    return problem
    return ""


def _entry_problem(direction: str, entry: Obj) -> str:
    used = [name for name in _PEERS[direction] if entry.get(name)]
    if len(used) > 1:
        first, second = (name[0].upper() + name[1:] for name in used[:2])
        return f"combining {first} and {second} is not supported yet"
    for name in used:
        for value in entry[name] if name.endswith("Entities") else ():
            if value not in _ENTITIES:
                return f"unsupported entity: {value}"
        for value in entry[name] if "CIDR" in name else ():
            problem = _cidr_problem(value)
            if problem:
                return problem
    for ports in entry.get("toPorts") or ():
        listed = ports.get("ports") or ()
        if len(listed) > 40:
            return f"too many ports, the max is 40 but {len(listed)} provided"
        for port in listed:
            number = str(port.get("port", ""))
            if number.isdigit() and int(number) > 65535:
                return f'unable to parse port: strconv.ParseUint: parsing "{number}": value out of range'
    return ""


def _cidr_problem(value: Any) -> str:
    text = value if isinstance(value, str) else value.get("cidr")
    if text is None:
        return ""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f'unable to parse CIDRRule "{text}": netip.ParsePrefix("{text}"): no \'/\''
    for inner in value.get("except", ()) if isinstance(value, dict) else ():
        if not ipaddress.ip_network(inner, strict=False).subnet_of(network):  # type: ignore[arg-type]
            return f"allow CIDR prefix {network} does not contain exclude CIDR prefix {inner}"
    return ""


def cilium_node(node: Node, spec: ClusterSpec, created: float) -> Obj:
    """The CiliumNode of a node."""
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": node.name, "creationTimestamp": stamp(created)},
        "spec": {
            "addresses": [
                {"type": "InternalIP", "ip": node.ip},
                {"type": "CiliumInternalIP", "ip": f"{node.prefix}2"},
            ],
            "health": {"ipv4": f"{node.prefix}3"},
            "ingress": {},
            "encryption": {},
            "ipam": {"podCIDRs": [f"{node.prefix}0/24"]},
            "bootid": f"{spec.number:08x}-{node.index:04x}-4c1e-9d5a-{spec.number * 65537 + node.index:012x}",
        },
        "status": {"ipam": {"operator-status": {}}},
    }
