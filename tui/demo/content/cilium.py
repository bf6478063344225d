"""Cilium as its installer leaves it in a cluster: agents, operator, settings, the mesh, machines outside."""

from __future__ import annotations

from typing import Any

from tui.demo.content.clusters import ClusterSpec
from tui.demo.content.system import config_map, service, workload

Obj = dict[str, Any]

REGISTRY = "registry.harbour.example/cilium"
EXTERNAL_UNTIL = (1, 17)  # the last version that knows CiliumExternalWorkload


def version_of(spec: ClusterSpec) -> tuple[int, int]:
    """(major, minor) of a cluster's Cilium."""
    major, minor = spec.cilium.split(".")[:2]
    return int(major), int(minor)


def absent_kinds(spec: ClusterSpec) -> frozenset[str]:
    """Plurals of Cilium's kinds that a cluster's version does not define any more."""
    return frozenset() if version_of(spec) <= EXTERNAL_UNTIL else frozenset({"ciliumexternalworkloads"})


def settings_of(spec: ClusterSpec) -> dict[str, str]:
    """The data of `cilium-config`: what Helm always writes, and what is special about this cluster."""
    settings = {
        "agent-health-port": "9879",
        "auto-direct-node-routes": "true",
        "bpf-lb-sock": "false",
        "cluster-id": str(spec.number) if spec.mesh else "0",
        "cluster-name": spec.name,
        "cluster-pool-ipv4-cidr": f"10.{spec.number}.0.0/16",
        "cluster-pool-ipv4-mask-size": "24",
        "cni-exclusive": "true",
        "debug": "false",
        "dnsproxy-enable-transparent-mode": "true",
        "enable-bgp-control-plane": "false",
        "enable-cilium-clusterwide-network-policy": "true",
        "enable-cilium-network-policy": "true",
        "enable-egress-gateway": "false",
        "enable-endpoint-health-checking": "true",
        "enable-host-firewall": "false",
        "enable-hubble": "true",
        "enable-ipv4": "true",
        "enable-ipv6": "false",
        "enable-k8s-networkpolicy": "true",
        "enable-l7-proxy": "true",
        "enable-node-selector-labels": "false",
        "enable-non-default-deny-policies": "true",
        "enable-policy": "default",
        "identity-allocation-mode": "crd",
        "ipam": "cluster-pool",
        "kube-proxy-replacement": "true",
        "mesh-auth-enabled": "true",
        "monitor-aggregation": "medium",
        "policy-audit-mode": "false",
        "routing-mode": "native",
    }
    if version_of(spec) < (1, 17):
        del settings["enable-cilium-clusterwide-network-policy"], settings["enable-cilium-network-policy"]
    if spec.flows:
        settings |= {
            "hubble-drop-events": "true",
            "hubble-drop-events-interval": "2m",
            "hubble-drop-events-reasons": "auth_required policy_denied",
            "hubble-export-file-max-backups": "5",
            "hubble-export-file-path": "stdout",
        }
    return settings | dict(spec.config)


def cilium_objects(spec: ClusterSpec) -> list[Obj]:
    """Cilium's objects of a cluster, in the order to create them."""
    agent = {"k8s-app": "cilium", "app.kubernetes.io/name": "cilium-agent", "app.kubernetes.io/part-of": "cilium"}
    operator = {"io.cilium/app": "operator", "name": "cilium-operator", "app.kubernetes.io/part-of": "cilium"}
    objects = [
        workload(
            "DaemonSet",
            "kube-system",
            "cilium",
            f"{REGISTRY}/cilium:v{spec.cilium}",
            labels=agent,
            container="cilium-agent",
            host=True,
            memory="256Mi",
        ),
        workload(
            "Deployment",
            "kube-system",
            "cilium-operator",
            f"{REGISTRY}/operator-generic:v{spec.cilium}",
            1 if spec.env == "edge" else 2,
            labels=operator,
            host=True,
        ),
        config_map("kube-system", "cilium-config", settings_of(spec)),
    ]
    if spec.mesh:
        objects += _mesh(spec)
    if spec.name == "edge-oslo-01":
        objects += [_external("stocktake-pc", "10.192.21.0/30", 4219, "10.21.7.31"), _external("camera-pc")]
    if spec.name == "prod-ap-1":
        objects.append(_new_nodes(spec))
    return objects


def _mesh(spec: ClusterSpec) -> list[Obj]:
    """The API server that lets the other clusters of the mesh read this one's endpoints and identities."""
    labels = {"k8s-app": "clustermesh-apiserver", "app.kubernetes.io/part-of": "cilium"}
    image = f"{REGISTRY}/clustermesh-apiserver:v{spec.cilium}"
    return [
        workload(
            "Deployment",
            "kube-system",
            "clustermesh-apiserver",
            image,
            labels=labels,
            container="apiserver",
            port=2379,
            port_name="etcd",
        ),
        service("kube-system", "clustermesh-apiserver", labels, 2379, "etcd"),
    ]


def _external(name: str, cidr: str = "", identity: int = 0, ip: str = "") -> Obj:
    """A machine outside the cluster; without an address it has not registered yet."""
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumExternalWorkload",
        "metadata": {"name": name, "labels": {"harbour.example/team": "stores"}},
        "spec": {"ipv4-alloc-cidr": cidr} if cidr else {},
        **({"status": {"id": identity, "ip": ip}} if ip else {}),
    }


def _new_nodes(spec: ClusterSpec) -> Obj:
    """Settings of some nodes only: a larger buffer where the traffic of the new zone is watched."""
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNodeConfig",
        "metadata": {"name": "watch-zone-c", "namespace": "kube-system"},
        "spec": {
            "nodeSelector": {"matchLabels": {"topology.kubernetes.io/zone": f"{spec.region}-c"}},
            "defaults": {"hubble-event-buffer-capacity": "16383"},
        },
    }
