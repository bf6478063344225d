"""Nodes of a demo cluster: as objects, and as places that take pods and give out addresses."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Any

from tui.demo.clock import stamp
from tui.demo.content.clusters import CLUSTERS, ClusterSpec

Obj = dict[str, Any]

_UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass
class Node:
    """A node and the pods it holds: address by pod key."""

    name: str
    ip: str
    prefix: str  # of its pod addresses: "10.11.3."
    control: bool
    zone: str
    index: int
    cordoned: bool
    memory: int  # bytes a pod may ask for
    cpu: int
    room: int
    pods: dict[str, str] = field(default_factory=dict)

    def take(self, key: str) -> str:
        """Put a pod here; its address. The same pod keeps its address."""
        if key not in self.pods:
            used = set(self.pods.values())
            number = next(number for number in range(10, 2**15) if self._address(number) not in used)
            self.pods[key] = self._address(number)
        return self.pods[key]

    def _address(self, number: int) -> str:
        return f"{self.prefix}{number}" if number < 250 else f"{self.prefix}{number // 250}.{number % 250}"


def nodes_of(spec: ClusterSpec) -> list[Node]:
    """The nodes of a cluster: control plane first."""
    if spec.host:  # a virtual cluster shows the nodes of its host
        host = next(other for other in CLUSTERS if other.name == spec.host)
        return [replace(node, prefix=f"10.{host.number}.{200 + node.index}.", pods={}) for node in nodes_of(host)]
    result = []
    for index in range(spec.control + spec.nodes):
        control = index < spec.control
        zone = spec.zones[index % len(spec.zones)]
        suffix = hashlib.sha256(f"{spec.name}/{index}".encode()).hexdigest()[:5]
        name = f"{spec.name}-cp-{index + 1}" if control else f"{spec.name}-{zone}-{suffix}"
        if spec.env == "edge":
            name = f"{spec.name}-{'cp' if control else 'box'}-{index + 1}"
        result.append(
            Node(
                name,
                f"172.{16 + spec.number % 16}.{index // 200}.{10 + index % 200}",
                f"10.{spec.number % 256}.{index}.",
                control,
                f"{spec.region}-{zone}",
                index,
                index == spec.cordoned,
                (spec.shape.memory * 2**30) * 15 // 16,
                spec.shape.cpu,
                spec.shape.pods,
            )
        )
    return result


def bytes_of(quantity: str) -> int:
    """A memory quantity in bytes; 0 when it cannot be read."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]i|[kMGT]?)", str(quantity))
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0


def node_object(spec: ClusterSpec, node: Node, created: float, now: float) -> Obj:
    """A Node, Ready since shortly after its creation."""
    shape = spec.shape
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": shape.name,
        "topology.kubernetes.io/region": spec.region,
        "topology.kubernetes.io/zone": node.zone,
    }
    role = "control-plane" if node.control else "worker"
    labels[f"node-role.kubernetes.io/{role}"] = ""
    taints = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}] if node.control else []
    if node.cordoned:
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    memory = f"{shape.memory * 2**20 - 131072}Ki"
    capacity = {"cpu": str(shape.cpu), "memory": memory, "pods": str(shape.pods), "ephemeral-storage": "101430960Ki"}
    allocatable = {**capacity, "cpu": f"{shape.cpu * 1000 - 80}m", "memory": f"{node.memory // 1024}Ki"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": labels, "creationTimestamp": stamp(created)},
        "spec": {
            "podCIDR": f"{node.prefix}0/24",
            "podCIDRs": [f"{node.prefix}0/24"],
            "providerID": f"harbour:///{node.zone}/{node.name}",
            **({"taints": taints} if taints else {}),
            **({"unschedulable": True} if node.cordoned else {}),
        },
        "status": {
            "capacity": capacity,
            "allocatable": allocatable,
            "addresses": [{"type": "InternalIP", "address": node.ip}, {"type": "Hostname", "address": node.name}],
            "conditions": node_conditions(created, now),
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "osImage": "Flatcar Container Linux by Kinvolk 4230.2.3"
                if spec.env != "edge"
                else "Debian GNU/Linux 12",
                "kernelVersion": "6.6.95-flatcar" if spec.env != "edge" else "6.1.0-40-amd64",
                "containerRuntimeVersion": "containerd://2.0.5",
                "kubeletVersion": spec.version,
                "kubeProxyVersion": spec.version,
                "machineID": hashlib.md5(node.name.encode(), usedforsecurity=False).hexdigest(),
                "systemUUID": hashlib.md5(node.ip.encode(), usedforsecurity=False).hexdigest(),
                "bootID": hashlib.md5(spec.name.encode(), usedforsecurity=False).hexdigest(),
            },
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        },
    }


def node_conditions(created: float, now: float) -> list[Obj]:
    """The kubelet's conditions of a node that is well."""
    rows = (
        ("NetworkUnavailable", "False", "CiliumIsUp", "Cilium is running on this node"),
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    )
    return [
        {
            "type": name,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": stamp(now),
            "lastTransitionTime": stamp(created + 40),
        }
        for name, status, reason, message in rows
    ]
