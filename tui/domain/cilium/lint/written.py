"""Traps in what is written: lists that are empty, entities, directions, policy types, default deny.

Meaning of every form: Cilium `pkg/policy/api` and `pkg/k8s/network_policy.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.lint.selectors import keys
from tui.domain.cilium.lint.values import Entry, Hit, Known, Parsed, Spec, entries, specs
from tui.domain.cilium.policy import CCNP, CNP, DIRECTIONS, KNP, NAMESPACE_KEY, bare, enforced, mapping, rules, sequence

COVERED_BY = {  # entity -> entities that it includes
    "all": ("world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "kube-apiserver", "health", "init"),
    "world": ("world-ipv4", "world-ipv6"),
    "cluster": ("host", "remote-node", "health", "init", "ingress", "unmanaged", "kube-apiserver"),
}
NOBODY_WHEN_EMPTY = ("Endpoints", "Nodes", "Entities", "CIDR", "CIDRSet")
COUNTS_AS_MISSING = ("FQDNs", "Services", "Groups")
COVERED_BY["all"] += ("ingress", "unmanaged")


def _nothing(value: Any) -> bool:
    """Null, or a collection in which nothing is given."""
    if isinstance(value, Mapping):
        return all(_nothing(each) for each in value.values())
    return value is None or (isinstance(value, list | tuple) and not value)


def is_empty_port_rule(rule: Any) -> bool:
    """`toPorts: [{}]`: it matches nothing."""
    return isinstance(rule, Mapping) and _nothing(rule)


def empty_peers(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """`fromEndpoints: []` and the like."""
    for entry in entries(parsed):
        if entry.knp:
            if entry.raw.get(entry.way) == []:
                yield Hit(
                    (*entry.steps, entry.way),
                    f"An empty `{entry.way}` is the same as none: any peer, the world included.",
                    "Name the peers, or delete the whole entry.",
                )
            continue
        for name, value in entry.peer_fields():
            if value == [] and name.removeprefix(entry.way) in NOBODY_WHEN_EMPTY:
                yield Hit(
                    (*entry.steps, name),
                    f"An empty `{name}` matches nobody: the entry {_verb(entry)} nothing, whatever else it says.",
                    f"Name the peers, or delete `{name}` if any peer is meant.",
                )


def _verb(entry: Entry) -> str:
    return "denies" if entry.deny else "allows"


def empty_missing(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """`toFQDNs: []` and the like, which count as missing."""
    for entry in entries(parsed):
        for name, value in entry.peer_fields() if not entry.knp else ():
            if value != [] or name.removeprefix(entry.way) not in COUNTS_AS_MISSING:
                continue
            others = any(each for other, each in entry.peer_fields() if other != name)
            ports = bool(entry.raw.get("toPorts") or entry.raw.get("icmps")) and not others
            says = "any peer on these ports, the world included" if ports else "what it means without it"
            yield Hit(
                (*entry.steps, name),
                f"An empty `{name}` counts as missing: the entry means {says}.",
                f"Name whom you mean, or delete {'the entry' if ports else f'`{name}`'}.",
                "error" if ports else "warning",
            )


def empty_ports(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """`toPorts: [{}]` matches nothing; `toPorts: []` is every port."""
    for entry in entries(parsed):
        if entry.knp:
            continue
        if entry.raw.get("toPorts") == [] and any(value for _, value in entry.peer_fields()):
            yield Hit(
                (*entry.steps, "toPorts"),
                "An empty `toPorts` is the same as none: every port of every protocol, ICMP included.",
                "Name the ports, or delete `toPorts` if every port is meant.",
            )
        for steps, rule in entry.items("toPorts"):
            if is_empty_port_rule(rule):
                yield Hit(
                    steps,
                    f"`toPorts: [{{}}]` matches no port: it {_verb(entry)} nothing.",
                    "Name the ports in `ports`.",
                )


def empty_entry(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """`ingress: [{}]` of a Cilium policy: default deny, and nothing allowed."""
    for entry in entries(parsed):
        if not entry.knp and not entry.deny and _nothing(entry.raw) and not any(_given(entry)):
            yield Hit(
                entry.steps,
                f"An empty entry allows nothing; it only switches default deny on for {entry.direction}. "
                "In a NetworkPolicy the same words would allow everything.",
                "Leave it if that is meant; write `- fromEntities: [all]` to allow everything."
                if entry.direction == "ingress"
                else "Leave it if that is meant; write `- toEntities: [all]` to allow everything.",
            )


def _given(entry: Entry) -> Iterator[bool]:
    yield from (value is not None for _, value in entry.peer_fields())
    yield entry.raw.get("toPorts") is not None


def denies_nothing(entry: Entry) -> bool:
    """A deny entry without effect: neither peers nor ports, or only empty ones."""
    fields = dict(entry.peer_fields())
    if any(value == [] and name.removeprefix(entry.way) in NOBODY_WHEN_EMPTY for name, value in fields.items()):
        return True
    ports = sequence(entry.raw.get("toPorts"))
    if ports and all(is_empty_port_rule(rule) for rule in ports):
        return True
    return not any(fields.values()) and not ports and not sequence(entry.raw.get("icmps"))


def deny_nothing(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """`ingressDeny: [{}]`."""
    for entry in entries(parsed):
        if entry.deny and denies_nothing(entry):
            off = mapping(entry.spec.raw.get("enableDefaultDeny")).get(entry.direction) is False
            also = "" if off else f", but it switches default deny on for {entry.direction}"
            yield Hit(
                entry.steps,
                f"This entry denies nothing{also}.",
                "Say whom to deny; to deny everything by default, write "
                f"`{entry.direction}: [{{}}]`, which says what it does.",
            )


def empty_direction(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """`ingress: []`, which has no effect."""
    for spec in specs(parsed):
        types = [str(each) for each in sequence(spec.raw.get("policyTypes"))]
        for direction in DIRECTIONS:
            if spec.raw.get(direction) != []:
                continue
            if spec.resource == KNP:
                if direction.title() in types or (direction == "ingress" and types != ["Egress"]):
                    continue
                yield Hit(
                    (*spec.steps, direction),
                    f"`{direction}: []` does nothing: `policyTypes` does not name {direction.title()}.",
                    f"Add {direction.title()} to `policyTypes` to deny all {direction}, or delete the line.",
                )
            else:
                yield Hit(
                    (*spec.steps, direction),
                    f"`{direction}: []` has no effect in a Cilium policy: {direction} stays as it is.",
                    f"Write `{direction}: [{{}}]` to deny all {direction}, or delete the line.",
                )


def any_peer(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Ports without peers."""
    for entry in entries(parsed):
        peers = bool(entry.raw.get(entry.way)) if entry.knp else any(True for _ in entry.peer_fields())
        ports = entry.raw.get("ports") if entry.knp else entry.raw.get("toPorts") or entry.raw.get("icmps")
        if ports and not peers and entry.raw.get(entry.way) is None and not entry.deny:
            yield Hit(
                entry.steps,
                "The entry names ports and no peers: everybody may reach them, the world included."
                if entry.direction == "ingress"
                else "The entry names ports and no peers: every destination is allowed on them, the world included.",
                "Name the peers if not everybody is meant.",
            )


def allow_all(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """A rule that allows everything to everybody."""
    for entry in entries(parsed):
        if entry.deny:
            continue
        if entry.knp and not entry.raw.get(entry.way) and not entry.raw.get("ports"):
            yield Hit(
                entry.steps,
                f"The entry allows all {entry.direction}, of every peer and the world.",
                "Name peers or ports; delete the policy if everything is to be open.",
            )
            continue
        name = f"{entry.way}Entities"
        wide = [str(each) for each in sequence(entry.raw.get(name)) if str(each) in ("all", "world")]
        everybody = not any(True for _ in keys(entry.spec.subject, ()))
        if wide and everybody and not entry.raw.get("toPorts") and not entry.raw.get("icmps"):
            where = "in the cluster" if entry.spec.resource == CCNP else "of the namespace"
            noun = "node" if entry.spec.nodes else "endpoint"
            yield Hit(
                (*entry.steps, name),
                f"The entry allows every {noun} {where} all {entry.direction} "
                f"{'from' if entry.direction == 'ingress' else 'to'} {wide[0]}.",
                "Select the endpoints that need it, and name ports.",
            )


def entities(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Entities that mean less or more than they seem to."""
    for entry in entries(parsed):
        name = f"{entry.way}Entities"
        given = [str(each) for each in sequence(entry.raw.get(name))] if not entry.knp else []
        for steps, each in entry.items(name) if given else ():
            entity = str(each)
            wider = next((one for one in given if entity in COVERED_BY.get(one, ())), "")
            if wider:
                yield Hit(
                    steps, f"`{entity}` is part of `{wider}`, which is listed too.", f"Delete `{entity}`.", "info"
                )
            if entity == "all":
                yield Hit(
                    steps,
                    "`all` is everybody: pods, nodes and the world outside the cluster.",
                    "Write `cluster` if only this cluster is meant.",
                )
            elif entity == "none":
                yield Hit(steps, f"`none` matches nobody: the entry {_verb(entry)} nothing.", "Delete the entry.")
            elif entity == "cluster":
                yield Hit(
                    steps,
                    "`cluster` is this cluster alone, its nodes included; pods of other clusters of the mesh are not.",
                    "For other clusters write an endpoint selector with "
                    "`io.cilium.k8s.policy.cluster`, with the operator Exists for any of them.",
                    "info",
                )
            elif entity == "host" and entry.direction == "egress":
                yield Hit(
                    steps,
                    "`host` is only the node that a pod runs on; every other node is `remote-node`.",
                    "Add `remote-node` if pods of the host's network on other nodes are meant too.",
                    "info",
                )
        yield from _apiserver_port(entry, given)


def _apiserver_port(entry: Entry, given: list[str]) -> Iterator[Hit]:
    if entry.direction != "egress" or entry.deny or given != ["kube-apiserver"]:
        return
    ports = list(entry.ports())
    if ports and all(str(port.get("port")) == "443" for _, port in ports):
        yield Hit(
            ports[0][0],
            "443 is the port of the Service `kubernetes`. Policies see the port that the API server itself listens "
            "on, often 6443: this rule then allows nothing.",
            "Name the API server's own port, as in the endpoints of the Service default/kubernetes, beside 443.",
        )


def default_deny_nothing(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """`enableDefaultDeny.egress: true` without entries."""
    if parsed.resource == KNP:
        return
    for spec in specs(parsed):
        chosen = mapping(spec.raw.get("enableDefaultDeny"))
        for direction in DIRECTIONS:
            if chosen.get(direction) is True and not (spec.raw.get(direction) or spec.raw.get(f"{direction}Deny")):
                yield Hit(
                    (*spec.steps, "enableDefaultDeny", direction),
                    f"`enableDefaultDeny.{direction}: true` does nothing, because the rule has no {direction} entries.",
                    f"Write `{direction}: [{{}}]` to deny all {direction} by default.",
                )


def clusterwide_everybody(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """A cluster-wide policy whose subject takes in Cilium's own endpoints."""
    if parsed.resource != CCNP:
        return
    every = rules(parsed.written.policy, CCNP)
    for spec, rule in zip(specs(parsed), every, strict=True):
        asked = list(keys(spec.subject, ()))
        narrow = any(key.operator in ("In", "Exists") for key in asked)
        cut = [way for way in DIRECTIONS if enforced(rule, way, CCNP) and not _lets_nodes(spec, way)]
        if spec.nodes or narrow or not cut:
            continue
        yield Hit(
            (*spec.steps, "endpointSelector"),
            "The selector also takes in Cilium's health and ingress endpoints: default deny for "
            f"{' and '.join(cut)} then breaks node health checks and ingress.",
            f"Select pods alone, with the expression `{{key: {NAMESPACE_KEY}, operator: Exists}}`, or allow "
            "`health` from and to `remote-node`.",
        )


def _lets_nodes(spec: Spec, direction: str) -> bool:
    """Whether a rule itself allows what node health checks need."""
    name = "fromEntities" if direction == "ingress" else "toEntities"
    return any(
        {"all", "cluster", "remote-node"} & {str(each) for each in sequence(mapping(entry).get(name))}
        and not mapping(entry).get("toPorts")
        for entry in sequence(spec.raw.get(direction))
    )


def policy_types(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Rules and policyTypes of a NetworkPolicy that do not agree."""
    if parsed.resource != KNP:
        return
    for spec in specs(parsed):
        given = spec.raw.get("policyTypes")
        types = [str(each) for each in sequence(given)]
        for direction in DIRECTIONS:
            if types and direction.title() not in types and spec.raw.get(direction):
                yield Hit(
                    (*spec.steps, direction),
                    f"`policyTypes` does not name {direction.title()}, but Cilium enforces {direction} rules that are "
                    "there; other network plugins ignore them.",
                    f"Add {direction.title()} to `policyTypes`, or delete the rules.",
                )
        if not types and spec.raw.get("egress") and not spec.raw.get("ingress"):
            yield Hit(
                (*spec.steps, "policyTypes") if given is not None else spec.steps,
                "Without `policyTypes` ingress is always meant: all ingress is denied.",
                "Write `policyTypes: [Egress]` if only egress is meant, or [Ingress, Egress] to say so.",
            )


def namespace_missing(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """A namespaced policy that names no namespace."""
    if parsed.resource != CCNP and not parsed.namespace:
        yield Hit(
            ("metadata",),
            "The policy has no namespace: whoever applies it decides where it acts, and whom its selectors mean.",
            "Set `metadata.namespace`.",
        )
    if parsed.resource == CCNP and mapping(parsed.raw.get("metadata")).get("namespace"):
        yield Hit(
            ("metadata", "namespace"),
            "A CiliumClusterwideNetworkPolicy has no namespace: it acts in the whole cluster.",
            "Delete the line, or make it a CiliumNetworkPolicy.",
        )


def subject_elsewhere(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """A subject that names another namespace than the policy's own."""
    if parsed.resource == CCNP:
        return
    for spec in specs(parsed):
        for key in keys(spec.subject, (*spec.steps, spec.subject_field)):
            if bare(key.key) != NAMESPACE_KEY or (parsed.namespace in key.values and len(key.values) == 1):
                continue
            if parsed.resource == CNP and key.key.startswith("k8s:") and "matchLabels" in key.steps:
                says = f"Cilium puts the policy's own namespace, {parsed.namespace or '?'}, in its place"
            else:
                says = "a policy only selects pods of its own namespace: it selects nothing"
            if key.operator == "In" and parsed.namespace not in key.values:
                yield Hit(
                    key.steps,
                    f"The subject names namespace {', '.join(key.values)}, but {says}.",
                    "Move the policy to that namespace, or make it a CiliumClusterwideNetworkPolicy.",
                )


def host_policy(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Policies of nodes, which need the host firewall."""
    if parsed.resource == KNP:
        return
    for spec in specs(parsed):
        if not spec.nodes or (known.settings is not None and known.settings.host_firewall):
            continue
        off = known.settings is not None
        yield Hit(
            (*spec.steps, "nodeSelector"),
            "The host firewall is off in this cluster: the rule does nothing."
            if off
            else "A rule for nodes acts only where the host firewall is on.",
            "Set enable-host-firewall=true in cilium-config, or delete the rule."
            if off
            else "Make sure that cilium-config has enable-host-firewall=true.",
            "warning" if off else "info",
        )


def requires(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """fromRequires, which newer versions do not know."""
    for entry in entries(parsed):
        name = f"{entry.way}Requires"
        if entry.knp or entry.raw.get(name) is None:
            continue
        version = known.settings.version if known.settings else None
        gone = version is None or version >= (1, 19)
        yield Hit(
            (*entry.steps, name),
            f"Cilium 1.19 and later drop `{name}` without a word: what it demanded of peers is demanded no more."
            if gone
            else f"Cilium 1.19 will drop `{name}` without a word; since 1.17 it is deprecated.",
            f"Put its labels into every `{entry.way}Endpoints` selector that it is meant for.",
            "error" if version is not None and gone else "warning",
        )
