"""The values of the verdict engine: what decides, who talks, and what is answered, with the reason.

    written policies ──rulebook──▶ Rulebook ──verdict──▶ Verdict         one flow at a time, in words
                                          └─reach────▶ reachability      every pair at once

A rulebook is the policies of one cluster in one form: CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and
NetworkPolicy become `Entry` values that no longer know of namespaces, defaults or spellings. Everything that Cilium
derives from a policy's kind, namespace, version and settings is already in the entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, NamedTuple

import msgspec

from tui.domain.cilium.policy import Policy

Network = IPv4Network | IPv6Network
Direction = Literal["ingress", "egress"]
Word = Literal["allowed", "denied", "unknown"]
Term = tuple[str, str, str, tuple[str, ...]]  # (source or "any", key, In | NotIn | Exists | DoesNotExist, values)

# -- what decides --------------------------------------------------------------------------------------------------


class Settings(msgspec.Struct, frozen=True):
    """How the agents of one cluster are configured, as far as verdicts depend on it (keys of `cilium-config`).

    The defaults are those of an installation on Kubernetes. `version` is (major, minor).
    """

    version: tuple[int, int] = (1, 19)
    enforcement: Literal["default", "always", "never"] = "default"  # enable-policy
    audit: bool = False  # policy-audit-mode: verdicts are told, packets pass
    cluster: str = "default"  # cluster-name
    default_local_cluster: bool = False  # policy-default-local-cluster: a peer without a cluster is of this one
    allow_localhost: Literal["always", "policy"] = "always"  # allow-localhost
    host_firewall: bool = False  # enable-host-firewall
    node_selector_labels: bool = False  # enable-node-selector-labels
    cidr_match_mode: tuple[str, ...] = ()  # policy-cidr-match-mode: "nodes"
    ipv4: bool = True
    ipv6: bool = False
    network_policies: bool = True  # enable-k8s-networkpolicy
    cilium_policies: bool = True  # enable-cilium-network-policy
    clusterwide_policies: bool = True  # enable-cilium-clusterwide-network-policy
    non_default_deny: bool = True  # enable-non-default-deny-policies
    l7_proxy: bool = True  # enable-l7-proxy
    icmp_rules: bool = True  # enable-icmp-rules
    authentication: bool = True  # mesh-auth-enabled


class Written(NamedTuple):
    """A policy as somebody wrote it: its resource (`policy.CNP`, `CCNP` or `KNP`), and the file it was read from."""

    resource: str
    policy: Policy
    file: str = ""


class CidrGroup(NamedTuple):
    """A CiliumCIDRGroup."""

    name: str
    labels: Mapping[str, str]
    cidrs: tuple[str, ...]


class Service(NamedTuple):
    """A Service, as `toServices` sees it."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    selector: Mapping[str, str]  # {} = it has none: its EndpointSlices' addresses count
    addresses: tuple[str, ...] = ()


class Surroundings(msgspec.Struct, frozen=True):
    """What else in the cluster decides with the policies."""

    settings: Settings = Settings()
    namespaces: Mapping[str, Mapping[str, str]] = {}  # name -> labels
    cidr_groups: tuple[CidrGroup, ...] = ()
    services: tuple[Service, ...] = ()
    # DNS name -> addresses that the proxy has learned. None: nobody can tell, so that what a toFQDNs rule alone
    # would allow is unknown. {}: nothing has been learned, so that it is denied.
    dns: Mapping[str, frozenset[str]] | None = None


class Where(NamedTuple):
    """Where a rule stands: the policy, and the path within it."""

    resource: str
    namespace: str
    policy: str
    path: str  # "spec.ingress[0]", "specs[1].egressDeny[2]"
    file: str = ""

    @property
    def name(self) -> str:
        """`shop/allow-web`, or `deny-all` for one that is cluster-wide."""
        return f"{self.namespace}/{self.policy}" if self.namespace else self.policy


class Peer(NamedTuple):
    """One alternative of whom an entry is about: all `terms` hold and, when given, the address is in `cidr`."""

    terms: tuple[Term, ...] = ()
    cidr: Network | None = None
    holes: tuple[Network, ...] = ()  # `except`
    fqdn: str = ""  # a pattern: only addresses learned for a matching name
    unresolved: str = ""  # what must be known before this can match: "service shop/db", "groups of AWS"
    words: str = ""  # as it was written: "app=web", "CIDR group office"
    endpoint: bool = False  # written as fromEndpoints or toEndpoints


class Ports(NamedTuple):
    """One alternative of ports: protocol "TCP", "UDP", "SCTP", "ICMP", "ICMPv6" …; ICMP counts types as ports."""

    protocol: str
    first: int = 0
    last: int = 65535
    name: str = ""  # a named port, to be looked up at the destination; a range from there when `last` is above it


class HttpRule(NamedTuple):
    """One rule of `http`; "" and () match everything. `method`, `path` and `host` are full-match regexes."""

    method: str = ""
    path: str = ""
    host: str = ""
    headers: tuple[str, ...] = ()  # "X-Token: 1" must be there as it is, "X-Token" must be present
    matches: tuple[tuple[str, str, str], ...] = ()  # headerMatches: (name, value, mismatch action or "")
    secrets: tuple[str, ...] = ()  # headerMatches whose value is in a Secret: only its presence can be told


class Layer7(NamedTuple):
    """What is asked above layer 4 on the ports of an entry; empty families let every request pass."""

    parser: str = ""  # "http", "dns", "kafka", or the l7proto; "" = only names below
    http: tuple[HttpRule, ...] = ()
    dns: tuple[str, ...] = ()  # patterns; a matchName stands as it is
    kafka: tuple[Mapping[str, str], ...] = ()
    server_names: tuple[str, ...] = ()  # SNI
    any: bool = False  # parsed, and everything passes


class PortRule(NamedTuple):
    """Ports with what is asked above them; `ports` None = every port and protocol."""

    ports: tuple[Ports, ...] | None = None
    layer7: Layer7 | None = None


class Entry(NamedTuple):
    """One rule entry: these subjects, these peers, these ports, allowed or denied."""

    where: Where
    direction: Direction
    deny: bool
    subject: tuple[Term, ...]  # all must hold; node policies require reserved:host
    peers: tuple[Peer, ...] | None  # None = any peer, the world included; () = nobody
    ports: tuple[PortRule, ...]  # () = nothing
    default_deny: bool  # whether it switches default deny on for its subjects in its direction
    authentication: str = ""  # "", "required", "disabled", "test-always-fail"
    requires: tuple[Term, ...] = ()  # fromRequires: what each `endpoint` peer of its subjects must meet too (<= 1.18)


class Invalid(NamedTuple):
    """A policy that Cilium rejects, so that nothing of it is enforced."""

    where: Where
    reason: str


class Rulebook(msgspec.Struct, frozen=True, dict=True):
    """The policies of one cluster, ready to be asked. Equal ones answer equally; each remembers whom it selects."""

    entries: tuple[Entry, ...]
    invalid: tuple[Invalid, ...]
    surroundings: Surroundings
    cidrs: tuple[Network, ...] = ()  # every prefix that policies and groups name: what tells outside addresses apart


# -- who talks -----------------------------------------------------------------------------------------------------


class Endpoint(msgspec.Struct, frozen=True):
    """One end of a flow: an identity's labels, or an address outside the cluster, or both."""

    labels: tuple[str, ...] = ()  # `source:key=value`, sorted: "k8s:app=web", "reserved:host"
    name: str = ""  # as people call it: "shop/web-1"
    ip: str = ""
    named_ports: Mapping[str, int] = {}  # "http/TCP" -> 8080


class Request(msgspec.Struct, frozen=True):
    """What is asked above layer 4."""

    method: str = ""
    path: str = ""
    host: str = ""
    headers: Mapping[str, str] = {}
    dns: str = ""  # a name that is looked up
    sni: str = ""
    kafka: Mapping[str, str] = {}  # topic, clientID, apiKey, apiVersion, role


class Flow(msgspec.Struct, frozen=True):
    """A new connection. `port` is the destination's; for ICMP its type. A reply needs no verdict: it always passes."""

    source: Endpoint
    destination: Endpoint
    port: int = 0
    protocol: str = "TCP"
    request: Request | None = None


# -- what is answered ----------------------------------------------------------------------------------------------


class Side(msgspec.Struct, frozen=True):
    """What one end's policies say. `verdict` "n/a": no policy is enforced there (outside, another cluster's node)."""

    direction: Direction
    verdict: Literal["allowed", "denied", "unknown", "n/a"]
    reason: str  # one sentence, complete: "denied by default: shop/web enforces ingress, no rule allows it"
    because: Literal[
        "rule",  # `where` allows it
        "deny rule",  # `where` denies it
        "default deny",  # `enforced_by` switched it on, nothing allows it
        "not enforced",  # no policy selects it in this direction, or enforcement is off
        "local host",  # the own node always gets in
        "layer 7",  # allowed below, refused above layer 4 by `where`
        "authentication",  # allowed, and then dropped by authentication
        "no endpoint",  # n/a
        "missing",  # unknown: `missing` says what would have to be known
    ]
    where: tuple[Where, ...] = ()  # the entries that decided, most telling first
    enforced_by: tuple[Where, ...] = ()  # who activated default deny
    missing: tuple[str, ...] = ()
    authentication: str = ""
    redirected: bool = False  # it passes the proxy, because something is asked above layer 4
    steps: tuple[str, ...] = ()  # how the answer was found, a sentence each


class Verdict(msgspec.Struct, frozen=True):
    """The answer for one flow. `caveats`: what could make the real answer another one, a sentence each."""

    verdict: Word
    egress: Side
    ingress: Side
    reason: str  # the deciding side's
    caveats: tuple[str, ...] = ()
