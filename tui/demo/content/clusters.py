"""The clusters of the demo and their nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Access = Literal["token", "certificate", "exec"]


@dataclass(frozen=True)
class NodeShape:
    """A machine type: vCPUs, memory in GiB, pods it may hold."""

    name: str
    cpu: int
    memory: int
    pods: int = 110


SMALL = NodeShape("c4.large", 4, 16)
MIDDLE = NodeShape("c4.2xlarge", 8, 32)
LARGE = NodeShape("c4.4xlarge", 16, 64)
STORE_BOX = NodeShape("edge-box", 4, 8, 64)


@dataclass(frozen=True)
class ClusterSpec:
    """One cluster: how it is called, where it stands, what is special about it."""

    name: str  # as Argo CD knows it; also the context's name unless `context` says otherwise
    env: str
    region: str
    number: int  # decides its address ranges
    version: str = "v1.33.4"
    shape: NodeShape = MIDDLE
    zones: tuple[str, ...] = ("a", "b", "c")
    nodes: int = 3  # workers
    control: int = 0  # control plane nodes that it shows; managed ones show none
    access: Access = "token"
    context_name: str = ""
    host: str = ""  # the cluster a virtual one runs in
    refuses: bool = False  # nothing listens at its address
    denies: tuple[str, ...] = ()  # resources its users may not read
    cilium: str = "1.18.4"
    config: tuple[tuple[str, str], ...] = ()  # keys of cilium-config that are others here
    mesh: bool = False  # one of the clusters that see each other's pods
    flows: bool = False  # whether its agents write the flows they see into their logs
    cordoned: int = -1  # index of a node that takes no new pods
    labels: tuple[tuple[str, str], ...] = ()  # further labels of its Argo CD cluster Secret

    @property
    def context(self) -> str:
        return self.context_name or self.name

    @property
    def hub(self) -> bool:
        return self.env == "hub"


HUB = "hub"
VIRTUAL_NAMESPACE = "team-web"
VIRTUAL_NAME = "preview"

CLUSTERS = (
    ClusterSpec(
        "hub",
        "hub",
        "eu-west",
        10,
        "v1.34.2",
        SMALL,
        nodes=3,
        control=3,
        access="certificate",
        config=(("policy-cidr-match-mode", "nodes"),),
    ),
    ClusterSpec(
        "prod-eu-1",
        "prod",
        "eu-west",
        11,
        shape=LARGE,
        nodes=6,
        access="certificate",
        config=(("enable-egress-gateway", "true"), ("policy-default-local-cluster", "false")),
        mesh=True,
        flows=True,
    ),
    ClusterSpec(
        "prod-us-1",
        "prod",
        "us-east",
        12,
        shape=LARGE,
        nodes=5,
        access="certificate",
        cilium="1.19.1",
        config=(("policy-default-local-cluster", "true"),),
        mesh=True,
        flows=True,
    ),
    ClusterSpec(
        "prod-ap-1",
        "prod",
        "ap-south",
        13,
        "v1.32.9",
        MIDDLE,
        nodes=4,
        access="exec",
        cordoned=3,
        config=(("policy-default-local-cluster", "false"),),
        mesh=True,
        flows=True,
    ),
    ClusterSpec("staging-eu-1", "staging", "eu-west", 14, "v1.34.2", MIDDLE, nodes=3, cilium="1.19.1", flows=True),
    ClusterSpec(
        "dev-eu-1",
        "dev",
        "eu-west",
        15,
        "v1.34.2",
        MIDDLE,
        nodes=2,
        config=(("policy-audit-mode", "true"),),
        flows=True,
    ),
    ClusterSpec(
        "edge-oslo-01",
        "edge",
        "eu-north",
        21,
        "v1.31.12",
        STORE_BOX,
        ("shop",),
        2,
        1,
        cilium="1.17.9",
        config=(("cluster-id", "21"), ("enable-host-firewall", "true")),
        flows=True,
        labels=(("store", "oslo"),),
    ),
    ClusterSpec(
        "edge-porto-02",
        "edge",
        "eu-south",
        22,
        "v1.31.12",
        STORE_BOX,
        ("shop",),
        2,
        1,
        cilium="1.17.9",
        config=(("cluster-id", "21"),),  # Oslo's, copied along with the rest
        labels=(("store", "porto"),),
    ),
    ClusterSpec(
        "edge-gdansk-03",
        "edge",
        "eu-north",
        23,
        "v1.31.12",
        STORE_BOX,
        ("shop",),
        2,
        1,
        denies=("pods", "ciliumendpoints.cilium.io"),
        cilium="1.16.12",
        labels=(("store", "gdansk"),),
    ),
    ClusterSpec(
        "edge-bergen-04",
        "edge",
        "eu-north",
        24,
        "v1.31.12",
        STORE_BOX,
        ("shop",),
        2,
        1,
        refuses=True,
        cilium="1.17.9",
        labels=(("store", "bergen"),),
    ),
    ClusterSpec(
        "vcluster-preview",
        "dev",
        "eu-west",
        31,
        "v1.34.2",
        nodes=0,
        context_name=f"vcluster_{VIRTUAL_NAME}_{VIRTUAL_NAMESPACE}_dev-eu-1",
        host="dev-eu-1",
        labels=(("preview", "true"),),
    ),
)
