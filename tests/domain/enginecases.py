"""Cases of the real engine's answers, an endpoint each end, a policy a line.

Every answer was read from Cilium's own policy engine (`pkg/policy`, `pkg/k8s` of 1.19.0, compiled from source and
asked for the map entry of the flow): allow, redirect (what is above layer 4 decides), deny (a deny rule), default-deny,
n/a (no endpoint of this agent there), with `+auth:` where authentication is required. But for pods of other clusters:
asked alone the real engine says allow, here their own policies decide. Cases of version 1.18 were asked of 1.18.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import yaml

from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.model import (
    CidrGroup,
    Endpoint,
    Flow,
    Request,
    Rulebook,
    Service,
    Settings,
    Side,
    Surroundings,
    Verdict,
    Written,
)
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy

RESOURCES = {"cnp": CNP, "ccnp": CCNP, "knp": KNP}
CLUSTER, SPACE = "k8s:io.cilium.k8s.policy.cluster", "k8s:io.kubernetes.pod.namespace"
SPACE_LABELS = "k8s:io.cilium.k8s.namespace.labels."
WORDS = {"SERVER": "{matchLabels: {app: server}}", "CLIENT": "{matchLabels: {app: client}}"}


def pod(app: str, namespace: str = "default", cluster: str = "default", team: str = "a", **ports: int) -> Endpoint:
    labels = (f"k8s:app={app}", f"{SPACE}={namespace}", f"{CLUSTER}={cluster}", f"{SPACE_LABELS}team={team}")
    named = {f"{name.rpartition('_')[0]}/{name.rpartition('_')[2]}": number for name, number in ports.items()}
    return Endpoint(tuple(sorted(labels)), f"{namespace}/{app}", named_ports=named)


ENDS = {
    "client": pod("client"),
    "server": pod("server", http_TCP=8080, dns_UDP=53, sc_SCTP=80),
    "prod": pod("client", "prod", team="b"),
    "kube-dns": pod("dns", "kube-system"),
    "mesh": pod("client", cluster="cluster2"),
    "host": Endpoint(("reserved:host",)),
    "labelled-host": Endpoint(("k8s:zone=a", "reserved:host")),
    "node": Endpoint(("reserved:remote-node",), ip="10.2.0.1"),
    "labelled-node": Endpoint(("node:zone=a", "reserved:remote-node")),
    "api-node": Endpoint(("reserved:kube-apiserver", "reserved:remote-node")),
    "api-outside": Endpoint(("reserved:kube-apiserver",), ip="203.0.113.9"),
    "health": Endpoint(("reserved:health",)),
    "ingress": Endpoint(("reserved:ingress",)),
    "init": Endpoint(("reserved:init",)),
}
AROUND = Surroundings(
    namespaces={"default": {"team": "a"}, "prod": {"team": "b"}, "kube-system": {}},
    cidr_groups=(CidrGroup("office", {"env": "x"}, ("10.0.0.0/8",)), CidrGroup("lab", {}, ("192.168.0.0/16",))),
    services=(
        Service("default", "db", {"kind": "x"}, {"app": "server"}),
        Service("default", "outside", {}, {}, ("203.0.113.7",)),
    ),
    dns={},
)


class Case(NamedTuple):
    """A flow `from > to protocol/port` under policies, a line each: `kind[/namespace] spec without its braces`."""

    says: str
    policies: str
    flow: str
    egress: str
    ingress: str
    settings: Mapping[str, Any] = MappingProxyType({})


CASES = [
    # -- what nobody expects
    Case(
        "an ipBlock lets the own namespace in, where peers are of the local cluster unless they say otherwise",
        "knp podSelector: SERVER, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]",
        "client > server TCP/80",
        "allow",
        "allow",
        {"default_local_cluster": True},
    ),
    Case(
        "but no other namespace",
        "knp podSelector: SERVER, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]",
        "prod > server TCP/80",
        "allow",
        "default-deny",
        {"default_local_cluster": True},
    ),
    Case(
        "and it does not for egress",
        "knp podSelector: CLIENT, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]",
        "client > server TCP/80",
        "default-deny",
        "allow",
        {"default_local_cluster": True},
    ),
    Case(
        "a named port with an endPort is a range from whatever the name stands for",
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: http, endPort: 8090}]}]}]",
        "client > server TCP/8085",
        "allow",
        "allow",
    ),
    Case(
        "a service that is not there, with ports, means every peer on these ports",
        "cnp endpointSelector: CLIENT, egress: [{toServices: [{k8sService: {serviceName: nowhere}}], "
        "toPorts: [{ports: [{port: '443'}]}]}]",
        "client > 8.8.8.8 TCP/443",
        "allow",
        "n/a",
    ),
    Case(
        "a service that is not there, without ports, means nobody",
        "cnp endpointSelector: CLIENT, egress: [{toServices: [{k8sService: {serviceName: nowhere}}]}]",
        "client > 8.8.8.8 TCP/443",
        "default-deny",
        "n/a",
    ),
    Case(
        "toFQDNs that is empty counts as missing: every peer on these ports",
        "cnp endpointSelector: CLIENT, egress: [{toFQDNs: [], toPorts: [{ports: [{port: '443'}]}]}]",
        "client > server TCP/443",
        "allow",
        "allow",
    ),
    Case(
        "toServices that is empty counts as missing too",
        "cnp endpointSelector: CLIENT, egress: [{toServices: [], toPorts: [{ports: [{port: '443'}]}]}]",
        "client > server TCP/443",
        "allow",
        "allow",
    ),
    Case(
        "toEntities that is empty means nobody, ports or not",
        "cnp endpointSelector: CLIENT, egress: [{toEntities: [], toPorts: [{ports: [{port: '443'}]}]}]",
        "client > server TCP/443",
        "default-deny",
        "allow",
    ),
    Case(
        "an empty peer list beside a full one of another field means nobody",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [], fromEntities: [all]}]",
        "client > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "allowing EchoReply allows every type, as 0 is every port",
        "cnp endpointSelector: SERVER, ingress: [{icmps: [{fields: [{type: EchoReply}]}]}]",
        "client > server ICMP/8",
        "allow",
        "allow",
    ),
    Case(
        "and denying it denies every type",
        "cnp endpointSelector: SERVER, ingress: [{fromEntities: [all]}], "
        "ingressDeny: [{icmps: [{fields: [{type: 0}]}]}]",
        "client > server ICMP/8",
        "allow",
        "deny",
    ),
    Case(
        "a key of a reserved label lifts the namespace: all but the host, the world included",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{matchExpressions: "
        "[{key: 'reserved:host', operator: DoesNotExist}]}]}]",
        "8.8.8.8 > server TCP/80",
        "n/a",
        "allow",
    ),
    Case(
        "world-ipv4 means nobody where only IPv4 is on: the world has no families there",
        "cnp endpointSelector: CLIENT, egress: [{toEntities: [world-ipv4]}]",
        "client > 8.8.8.8 TCP/443",
        "default-deny",
        "n/a",
    ),
    Case(
        "it means the world of IPv4 where both are on",
        "cnp endpointSelector: CLIENT, egress: [{toEntities: [world-ipv4]}]",
        "client > 8.8.8.8 TCP/443",
        "allow",
        "n/a",
        {"ipv6": True},
    ),
    Case(
        "::/0 means the world of IPv6 alone, also where only IPv4 is on",
        "cnp endpointSelector: CLIENT, egress: [{toCIDR: ['::/0']}]",
        "client > 8.8.8.8 TCP/443",
        "default-deny",
        "n/a",
    ),
    Case(
        "a rule for port 80 takes over the authentication of a rule for every port",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], authentication: {mode: required}}]\n"
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], toPorts: [{ports: [{port: '80'}]}]}]",
        "client > server TCP/80",
        "allow",
        "allow+auth:spire",
    ),
    Case(
        "unless it says that it wants none",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], authentication: {mode: required}}]\n"
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], authentication: {mode: disabled}, "
        "toPorts: [{ports: [{port: '80'}]}]}]",
        "client > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "what goes through the proxy does not take it over from a rule that asks nothing there",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], authentication: {mode: required}}]\n"
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], "
        "rules: {http: [{}]}}]}]",
        "client > server TCP/80",
        "allow",
        "redirect",
    ),
    Case(
        "unless both are of the same peers and the same port",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], authentication: {mode: required}, "
        "toPorts: [{ports: [{port: '80'}]}]}]\n"
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], toPorts: "
        "[{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}]",
        "client > server TCP/80",
        "allow",
        "redirect+auth:spire",
    ),
    Case(
        "a list that a policy type does not name is enforced all the same",
        "knp podSelector: CLIENT, policyTypes: [Ingress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]",
        "client > server TCP/80",
        "default-deny",
        "allow",
    ),
    Case(
        "the namespace in an endpointSelector with k8s: is replaced by the policy's own",
        "cnp endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': prod}}, ingress: [{}]",
        "client > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "without k8s: it selects nothing",
        "cnp endpointSelector: {matchLabels: {io.kubernetes.pod.namespace: prod}}, ingress: [{}]",
        "client > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "a podSelector cannot leave its namespace",
        "knp podSelector: SERVER, ingress: [{from: [{podSelector: {matchLabels: "
        "{io.kubernetes.pod.namespace: prod}}}]}]",
        "prod > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "a cluster-wide deny of everything takes the health endpoint too",
        "ccnp endpointSelector: {}, ingress: [{}]",
        "node > health TCP/4240",
        "n/a",
        "default-deny",
    ),
    Case(
        "NotIn a namespace selects what has none: the health endpoint",
        "ccnp endpointSelector: {matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: NotIn, "
        "values: [kube-system]}]}, ingress: [{}]",
        "node > health TCP/4240",
        "n/a",
        "default-deny",
    ),
    # -- who is meant
    Case(
        "fromEndpoints [{}] of a cluster-wide policy means no nodes",
        "ccnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{}]}]",
        "node > server TCP/80",
        "n/a",
        "default-deny",
    ),
    Case(
        "nor what comes through Cilium's ingress",
        "ccnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{}]}]",
        "ingress > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "a policy that selects what is being created does not ask its peers for a namespace",
        "ccnp endpointSelector: {matchLabels: {'reserved:init': ''}}, ingress: [{fromEndpoints: [{}]}]",
        "8.8.8.8 > init TCP/80",
        "n/a",
        "allow",
    ),
    Case(
        "what is being created is enforced without any policy",
        "",
        "client > init TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "a label of namespaces lifts the own namespace",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{matchLabels: "
        "{io.cilium.k8s.namespace.labels.team: b}}]}]",
        "prod > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "so does Exists on the namespace",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{matchExpressions: "
        "[{key: io.kubernetes.pod.namespace, operator: Exists}]}]}]",
        "prod > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "DoesNotExist on the namespace means the world and nodes, no pod",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{matchExpressions: "
        "[{key: io.kubernetes.pod.namespace, operator: DoesNotExist}]}]}]",
        "8.8.8.8 > server TCP/80",
        "n/a",
        "allow",
    ),
    Case(
        "a source of a key is part of it",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{matchLabels: {'container:app': client}}]}]",
        "client > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "but any: and unspec: are none",
        "cnp endpointSelector: {matchLabels: {'unspec:app': server}}, ingress: [{fromEndpoints: "
        "[{matchLabels: {'any:app': client}}]}]",
        "client > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "$init is reserved:init",
        "ccnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{matchLabels: {$init: ''}}]}]",
        "init > server TCP/80",
        "default-deny",
        "allow",
    ),
    Case(
        "entity cluster means no pod of another cluster",
        "cnp endpointSelector: SERVER, ingress: [{fromEntities: [cluster]}]",
        "mesh > server TCP/80",
        "n/a",
        "default-deny",
    ),
    Case(
        "a selector means pods of every cluster by default",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT]}]",
        "mesh > server TCP/80",
        "n/a",
        "allow",
    ),
    Case(
        "and of the own one with policy-default-local-cluster",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT]}]",
        "mesh > server TCP/80",
        "n/a",
        "default-deny",
        {"default_local_cluster": True},
    ),
    Case(
        "unless it names the cluster in any way",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [{matchExpressions: "
        "[{key: io.cilium.k8s.policy.cluster, operator: Exists}]}]}]",
        "mesh > server TCP/80",
        "n/a",
        "allow",
        {"default_local_cluster": True},
    ),
    Case(
        "every namespace means no world",
        "knp podSelector: SERVER, ingress: [{from: [{namespaceSelector: {}}]}]",
        "8.8.8.8 > server TCP/80",
        "n/a",
        "default-deny",
    ),
    Case(
        "no peers means the world",
        "knp podSelector: SERVER, ingress: [{from: []}]",
        "8.8.8.8 > server TCP/80",
        "n/a",
        "allow",
    ),
    # -- nodes and the host
    Case(
        "the own node gets in under default deny",
        "cnp endpointSelector: SERVER, ingress: [{}]",
        "host > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "not with allow-localhost=policy",
        "cnp endpointSelector: SERVER, ingress: [{}]",
        "host > server TCP/80",
        "allow",
        "default-deny",
        {"allow_localhost": "policy"},
    ),
    Case(
        "a deny of every peer on one port takes the own node too",
        "cnp endpointSelector: SERVER, ingressDeny: [{toPorts: [{ports: [{port: '80'}]}]}]",
        "host > server TCP/80",
        "allow",
        "deny",
    ),
    Case(
        "to the own node nothing goes by itself",
        "cnp endpointSelector: CLIENT, egress: [{}]",
        "client > host TCP/10250",
        "default-deny",
        "allow",
    ),
    Case(
        "the host firewall makes no exception for the host itself",
        "ccnp nodeSelector: {}, ingress: [{}]",
        "host > host TCP/22",
        "allow",
        "default-deny",
        {"host_firewall": True},
    ),
    Case(
        "a cluster-wide endpointSelector {} selects no host",
        "ccnp endpointSelector: {}, ingress: [{}]",
        "client > host TCP/22",
        "allow",
        "allow",
        {"host_firewall": True},
    ),
    Case(
        "a nodeSelector selects no pod",
        "ccnp nodeSelector: {}, ingress: [{}]",
        "client > server TCP/80",
        "allow",
        "allow",
        {"host_firewall": True},
    ),
    Case(
        "a nodeSelector selects the host by its labels",
        "ccnp nodeSelector: {matchLabels: {zone: a}}, ingress: [{fromEntities: [cluster]}]",
        "8.8.8.8 > labelled-host TCP/22",
        "n/a",
        "default-deny",
        {"host_firewall": True},
    ),
    Case(
        "host policies do nothing without the host firewall",
        "ccnp nodeSelector: {}, ingress: [{}]",
        "8.8.8.8 > host TCP/22",
        "n/a",
        "allow",
    ),
    Case(
        "enforcement never means the host as well",
        "ccnp nodeSelector: {}, ingress: [{}]",
        "8.8.8.8 > host TCP/22",
        "n/a",
        "allow",
        {"host_firewall": True, "enforcement": "never"},
    ),
    Case(
        "enforcement always means everything, policies or not",
        "",
        "client > server TCP/80",
        "default-deny",
        "default-deny",
        {"enforcement": "always"},
    ),
    Case(
        "but not the host without its firewall",
        "",
        "host > server TCP/80",
        "allow",
        "allow",
        {"enforcement": "always"},
    ),
    Case(
        "fromNodes means nodes by their labels",
        "cnp endpointSelector: SERVER, ingress: [{fromNodes: [{matchLabels: {zone: a}}]}]",
        "labelled-node > server TCP/80",
        "n/a",
        "allow",
        {"node_selector_labels": True},
    ),
    Case(
        "not the own node, which gets in by itself",
        "cnp endpointSelector: SERVER, ingress: [{fromNodes: [{}]}]",
        "labelled-host > server TCP/80",
        "allow",
        "default-deny",
        {"node_selector_labels": True, "allow_localhost": "policy"},
    ),
    # -- addresses
    Case(
        "0.0.0.0/0 means no node",
        "cnp endpointSelector: CLIENT, egress: [{toCIDR: [0.0.0.0/0]}]",
        "client > node TCP/10250",
        "default-deny",
        "n/a",
    ),
    Case(
        "a prefix of nodes means them with policy-cidr-match-mode=nodes",
        "cnp endpointSelector: CLIENT, egress: [{toCIDR: [10.2.0.0/16]}]",
        "client > node TCP/10250",
        "allow",
        "n/a",
        {"cidr_match_mode": ("nodes",)},
    ),
    Case(
        "0.0.0.0/0 does not even then",
        "cnp endpointSelector: CLIENT, egress: [{toCIDR: [0.0.0.0/0]}]",
        "client > node TCP/10250",
        "default-deny",
        "n/a",
        {"cidr_match_mode": ("nodes",)},
    ),
    Case(
        "an API server outside the cluster is of the world",
        "cnp endpointSelector: CLIENT, egress: [{toEntities: [world]}]",
        "client > api-outside TCP/443",
        "allow",
        "n/a",
    ),
    Case(
        "an API server on a node is not",
        "cnp endpointSelector: CLIENT, egress: [{toEntities: [world]}]",
        "client > api-node TCP/443",
        "default-deny",
        "n/a",
    ),
    Case(
        "what one entry excepts another may allow",
        "cnp endpointSelector: CLIENT, egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, "
        "{cidr: 10.1.2.0/24}]}]",
        "client > 10.1.2.3 TCP/443",
        "allow",
        "n/a",
    ),
    Case(
        "what a deny excepts it does not deny",
        "cnp endpointSelector: CLIENT, egress: [{toEntities: [world]}], "
        "egressDeny: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]",
        "client > 10.1.2.3 TCP/443",
        "allow",
        "n/a",
    ),
    Case(
        "a wide deny beats the longest prefix",
        "cnp endpointSelector: CLIENT, egress: [{toCIDR: [10.1.2.3/32]}], egressDeny: [{toCIDR: [10.0.0.0/8]}]",
        "client > 10.1.2.3 TCP/443",
        "deny",
        "n/a",
    ),
    Case(
        "a CIDR group means its addresses, also where a longer prefix has an identity of its own",
        "cnp endpointSelector: CLIENT, egress: [{toCIDRSet: [{cidrGroupRef: office}]}]\n"
        "cnp endpointSelector: SERVER, egress: [{toCIDR: [10.1.0.0/16]}]",
        "client > 10.1.2.3 TCP/443",
        "allow",
        "n/a",
    ),
    Case(
        "except of a CIDR group holds",
        "cnp endpointSelector: CLIENT, egress: [{toCIDRSet: [{cidrGroupRef: office, except: [10.1.0.0/16]}]}]",
        "client > 10.1.2.3 TCP/443",
        "default-deny",
        "n/a",
    ),
    Case(
        "a selector of CIDR groups without terms means everybody, in a group or not",
        "cnp endpointSelector: CLIENT, egress: [{toCIDRSet: [{cidrGroupSelector: {}}]}]",
        "client > 8.8.8.8 TCP/443",
        "allow",
        "n/a",
    ),
    Case(
        "a CIDR group that is not there means nobody, and default deny is on",
        "cnp endpointSelector: CLIENT, egress: [{toCIDRSet: [{cidrGroupRef: missing}]}]",
        "client > 10.1.2.3 TCP/443",
        "default-deny",
        "n/a",
    ),
    Case(
        "a service stands for the pods of its selector, whatever its ports",
        "cnp endpointSelector: CLIENT, egress: [{toServices: [{k8sService: {serviceName: db}}]}]",
        "client > server TCP/12345",
        "allow",
        "allow",
    ),
    Case(
        "a service without a selector stands for its addresses",
        "cnp endpointSelector: CLIENT, egress: [{toServices: [{k8sService: {serviceName: outside, "
        "namespace: default}}]}]",
        "client > 203.0.113.7 TCP/443",
        "allow",
        "n/a",
    ),
    # -- ports
    Case(
        "no protocol means TCP, UDP and SCTP",
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: '80'}]}]}]",
        "client > server SCTP/80",
        "allow",
        "allow",
    ),
    Case(
        "not ICMP, even where every port is meant",
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: '0'}]}]}]",
        "client > server ICMP/8",
        "allow",
        "default-deny",
    ),
    Case(
        "peers without ports mean ICMP as well",
        "cnp endpointSelector: SERVER, ingress: [{fromEntities: [all]}]",
        "client > server ICMP/8",
        "allow",
        "allow",
    ),
    Case(
        "an end that is below the port is ignored",
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: '80', endPort: 79}]}]}]",
        "client > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "names of ports do not mind case",
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: HTTP, protocol: TCP}]}]}]",
        "client > server TCP/8080",
        "allow",
        "allow",
    ),
    Case(
        "a named port is of its protocol",
        "knp podSelector: SERVER, ingress: [{ports: [{port: dns}]}]",
        "client > server TCP/53",
        "allow",
        "default-deny",
    ),
    Case(
        "a named port is looked up at the destination",
        "cnp endpointSelector: CLIENT, egress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]",
        "client > server TCP/8080",
        "allow",
        "allow",
    ),
    Case(
        "toPorts [] means every port, toPorts [{}] none",
        "cnp endpointSelector: SERVER, ingress: [{fromEntities: [all], toPorts: []}]",
        "client > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "toPorts with an item without ports means none",
        "cnp endpointSelector: SERVER, ingress: [{fromEntities: [all], toPorts: [{}]}]",
        "client > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "icmps without fields means none",
        "cnp endpointSelector: SERVER, ingress: [{fromEntities: [all], icmps: [{}]}]",
        "client > server ICMP/8",
        "allow",
        "default-deny",
    ),
    # -- default deny
    Case(
        "a deny of nothing switches default deny on",
        "cnp endpointSelector: SERVER, ingressDeny: [{}]",
        "client > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "a deny without default deny denies what it names",
        "cnp endpointSelector: SERVER, enableDefaultDeny: {ingress: false}, "
        "ingressDeny: [{toPorts: [{ports: [{port: '80'}]}]}]",
        "client > server TCP/80",
        "allow",
        "deny",
    ),
    Case(
        "and nothing else",
        "cnp endpointSelector: SERVER, enableDefaultDeny: {ingress: false}, "
        "ingressDeny: [{toPorts: [{ports: [{port: '80'}]}]}]",
        "client > server TCP/81",
        "allow",
        "allow",
    ),
    Case(
        "enableDefaultDeny without entries in its direction does nothing",
        "cnp endpointSelector: SERVER, enableDefaultDeny: {egress: true}, ingress: [{fromEntities: [all]}]",
        "server > client TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "one rule that does not say false is enough",
        "cnp endpointSelector: SERVER, enableDefaultDeny: {ingress: false}, ingress: [{fromEndpoints: [CLIENT]}]\n"
        "knp podSelector: SERVER, policyTypes: [Ingress]",
        "prod > server TCP/80",
        "allow",
        "default-deny",
    ),
    Case(
        "it cannot be switched off where enable-non-default-deny-policies is false",
        "cnp endpointSelector: SERVER, enableDefaultDeny: {ingress: false}, ingress: [{fromEndpoints: [CLIENT]}]",
        "prod > server TCP/80",
        "allow",
        "default-deny",
        {"non_default_deny": False},
    ),
    # -- requirements, which 1.19 no longer knows (asked of 1.18.0)
    Case(
        "a requirement of any policy narrows the endpoints that others allow",
        "ccnp endpointSelector: SERVER, ingress: [{fromRequires: [{matchLabels: {app: other}}]}]\n"
        "ccnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT]}]",
        "client > server TCP/80",
        "allow",
        "default-deny",
        {"version": (1, 18)},
    ),
    Case(
        "one of a namespace requires the namespace too",
        "cnp endpointSelector: SERVER, ingress: [{fromRequires: [CLIENT]}]\n"
        "ccnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT]}]",
        "prod > server TCP/80",
        "allow",
        "default-deny",
        {"version": (1, 18)},
    ),
    Case(
        "unless it names labels of namespaces",
        "cnp endpointSelector: SERVER, ingress: [{fromRequires: [{matchLabels: "
        "{io.cilium.k8s.namespace.labels.team: b}}]}]\n"
        "ccnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT]}]",
        "prod > server TCP/80",
        "allow",
        "allow",
        {"version": (1, 18)},
    ),
    Case(
        "entities are not narrowed",
        "ccnp endpointSelector: SERVER, ingress: [{fromRequires: [{matchLabels: {app: other}}]}]\n"
        "ccnp endpointSelector: SERVER, ingress: [{fromEntities: [cluster]}]",
        "client > server TCP/80",
        "allow",
        "allow",
        {"version": (1, 18)},
    ),
    Case(
        "nor are the peers that a deny names by a requirement of an allow",
        "ccnp endpointSelector: SERVER, ingress: [{fromRequires: [{matchLabels: {app: other}}]}], "
        "ingressDeny: [{fromEndpoints: [CLIENT]}]",
        "client > server TCP/80",
        "allow",
        "deny",
        {"version": (1, 18)},
    ),
    Case(
        "a requirement with ports and no peers opens them to everybody",
        "ccnp endpointSelector: SERVER, ingress: [{fromRequires: [{matchLabels: {app: other}}], "
        "toPorts: [{ports: [{port: '80'}]}]}]",
        "client > server TCP/80",
        "allow",
        "allow",
        {"version": (1, 18)},
    ),
    # -- above layer 4
    Case(
        "a peer that is allowed without asking is not led through the proxy",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], toPorts: [{ports: "
        "[{port: '80', protocol: TCP}], rules: {http: [{path: /public}]}}]}, {fromEntities: [remote-node]}]",
        "node > server TCP/80",
        "n/a",
        "allow",
    ),
    Case(
        "one that is allowed both ways is",
        "cnp endpointSelector: SERVER, ingress: [{fromEndpoints: [CLIENT], toPorts: [{ports: "
        "[{port: '80', protocol: TCP}], rules: {http: [{path: /public}]}}]}, {fromEntities: [all]}]",
        "client > server TCP/80",
        "allow",
        "redirect",
    ),
    Case(
        "an empty list of HTTP rules asks nothing",
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], "
        "rules: {http: []}}]}]",
        "client > server TCP/80",
        "allow",
        "allow",
    ),
    Case(
        "a deny beats what the proxy would decide",
        "cnp endpointSelector: SERVER, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], "
        "rules: {http: [{}]}}]}]\n"
        "ccnp endpointSelector: {}, ingressDeny: [{fromEndpoints: [CLIENT]}]",
        "client > server TCP/80",
        "allow",
        "deny",
    ),
]


def spec(text: str) -> Any:
    for word, selector in WORDS.items():
        text = text.replace(word, selector)
    return yaml.safe_load("{" + text + "}")


def policies(text: str) -> list[tuple[str, dict[str, Any]]]:
    """(kind, object) of each line."""
    found = []
    for number, line in enumerate(filter(None, text.splitlines())):
        kind, _, rest = line.partition(" ")
        kind, _, namespace = kind.partition("/")
        meta = {"name": f"p{number}"} | ({} if kind == "ccnp" else {"namespace": namespace or "default"})
        found.append((kind, {"metadata": meta, "spec": spec(rest)}))
    return found


def book(text: str, settings: Mapping[str, Any]) -> Rulebook:
    written = [Written(RESOURCES[kind], msgspec.convert(each, Policy)) for kind, each in policies(text)]
    return rulebook(written, msgspec.structs.replace(AROUND, settings=Settings(**settings)))


def end(name: str) -> Endpoint:
    return ENDS.get(name) or Endpoint(ip=name)


def flow(text: str, request: Request | None = None) -> Flow:
    source, _, target, traffic = text.split()
    protocol, _, port = traffic.partition("/")
    return Flow(end(source), end(target), int(port), protocol, request)


def ask(case: Case, request: Request | None = None) -> Verdict:
    held = book(case.policies, case.settings)
    assert held.invalid == ()
    return verdict(held, flow(case.flow, request))


def word(side: Side) -> str:
    """The answer of one end, as the real engine says it."""
    if side.verdict == "denied":
        return "deny" if side.because == "deny rule" else "default-deny"
    if side.verdict != "allowed":
        return side.verdict
    mode = {"required": "+auth:spire", "test-always-fail": "+auth:test-always-fail"}.get(side.authentication, "")
    return ("redirect" if side.redirected else "allow") + mode
