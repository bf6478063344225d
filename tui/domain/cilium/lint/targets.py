"""Addresses, CIDR groups, Services and ports of policies against what there is in the cluster."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.lint.around import Around, Network
from tui.domain.cilium.lint.distance import closest
from tui.domain.cilium.lint.selectors import peers, subject
from tui.domain.cilium.lint.values import Entry, Hit, KnownService, Parsed, Steps, entries, listed
from tui.domain.cilium.model import Endpoint
from tui.domain.cilium.policy import bare, mapping, sequence
from tui.domain.selector import from_object

_PRIVATE = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))


def _network(value: Any) -> Network | None:
    try:
        return ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return None


# -- addresses -----------------------------------------------------------------------------------------------------


def blocks(entry: Entry) -> Iterator[tuple[Steps, str, list[tuple[Steps, str]]]]:
    """(path, cidr, [(path, except)]) of every CIDR of an entry."""
    if entry.knp:
        for steps, peer in entry.items(entry.way):
            if held := mapping(mapping(peer).get("ipBlock")):
                yield _block((*steps, "ipBlock"), held)
        return
    for steps, each in entry.items(f"{entry.way}CIDR"):
        yield steps, str(each), []
    for steps, each in entry.items(f"{entry.way}CIDRSet"):
        held = mapping(each)
        if held.get("cidr"):
            yield _block(steps, held)


def _block(steps: Steps, held: Mapping[str, Any]) -> tuple[Steps, str, list[tuple[Steps, str]]]:
    holes = [((*steps, "except", index), str(hole)) for index, hole in enumerate(sequence(held.get("except")))]
    return (*steps, "cidr"), str(held.get("cidr") or ""), holes


def cidr_of_pods(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """A CIDR that holds addresses of pods or nodes, which it never matches."""
    for entry in entries(parsed):
        for steps, text, holes in blocks(entry):
            network = _network(text)
            if network is None:
                continue
            inside, nodes = around.pods.inside(network), around.nodes.inside(network)
            if "nodes" in (around.known.settings.cidr_match_mode if around.known.settings else ()):
                nodes = []
            if network.prefixlen == 0:
                if not holes:
                    yield Hit(
                        steps,
                        f"{text} is the world outside the cluster: neither pods nor nodes.",
                        "Add an entry with endpoint selectors, or the entity `cluster`, if they are meant too.",
                        "info",
                    )
            elif inside or nodes:
                what = f"{len(inside):,} pods ({listed(sorted(inside))})" if inside else ""
                also = f"{len(nodes):,} node addresses ({listed(nodes)})" if nodes else ""
                yield Hit(
                    steps,
                    f"{text} covers {' and '.join(filter(None, [what, also]))}, but a CIDR matches only addresses "
                    "outside the cluster.",
                    "Select pods by their labels, and nodes by the entities `host` and `remote-node`.",
                )
            elif around.known.endpoints is None and any(
                network.version == each.version and network.subnet_of(each)  # type: ignore[arg-type]
                for each in _PRIVATE
            ):
                yield Hit(
                    steps,
                    f"{text} is a private range: where it holds pods or nodes, the rule does not match them.",
                    "Select pods by their labels, and nodes by the entities `host` and `remote-node`.",
                    "info",
                )


def excepts(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """An `except` that is not inside its block, or that takes all of it."""
    for entry in entries(parsed):
        for _, text, holes in blocks(entry):
            outer = _network(text)
            for steps, hole in holes:
                inner = _network(hole)
                if outer is None or inner is None:
                    continue
                inside = inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
                if not inside:
                    yield Hit(
                        steps,
                        f"{hole} is not inside {text}: the policy is rejected.",
                        f"Name a part of {text}, or delete the line.",
                    )
                elif inner == outer:
                    yield Hit(steps, f"The exception is all of {text}: nothing is left.", "Delete the block.")


def group_missing(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """A CIDR group that does not exist."""
    groups = around.known.cidr_groups
    if groups is None:
        return
    known = {each.name for each in groups}
    for entry in entries(parsed):
        for steps, each in entry.items(f"{entry.way}CIDRSet") if not entry.knp else ():
            name = str(mapping(each).get("cidrGroupRef") or "")
            if name and name not in known:
                meant = closest(name, known)
                yield Hit(
                    (*steps, "cidrGroupRef"),
                    f"There is no CiliumCIDRGroup {name}: the peer is nobody, and default deny stays on.",
                    f"Did you mean {meant}?" if meant else "Create the group, or name its addresses.",
                )


# -- services and ports --------------------------------------------------------------------------------------------


def service_unresolved(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """toServices that finds nothing: with ports it is any peer."""
    for entry in entries(parsed):
        found = list(entry.items("toServices")) if not entry.knp else []
        if not found:
            continue
        ports = bool(entry.raw.get("toPorts"))
        means = "any peer on these ports, the world included" if ports else "nobody"
        if around.known.services is None:
            if ports:
                yield Hit(
                    (*entry.steps, "toServices"),
                    f"While the Service cannot be found, an entry with `toServices` and `toPorts` means {means}.",
                    "Select the pods behind it with `toEndpoints`, or leave `toPorts` out.",
                )
            continue
        known = [(steps, _resolved(mapping(each), parsed, around), _title(mapping(each))) for steps, each in found]
        missing = [(steps, title) for steps, there, title in known if not there]
        if missing:
            every = len(missing) == len(known)
            yield Hit(
                missing[0][0],
                f"There is no {missing[0][1]}: the entry means {means if every else 'the others alone'}.",
                "Name a Service that exists, or select the pods behind it with `toEndpoints`.",
                "error" if ports and every else "warning",
            )


def _title(held: Mapping[str, Any]) -> str:
    named = mapping(held.get("k8sService"))
    if named:
        return "Service " + "/".join(str(named[part]) for part in ("namespace", "serviceName") if named.get(part))
    return "Service that the selector matches"


def _resolved(held: Mapping[str, Any], parsed: Parsed, around: Around) -> bool:
    named, chosen = mapping(held.get("k8sService")), mapping(held.get("k8sServiceSelector"))
    namespace = str((named or chosen).get("namespace") or "")
    for known in around.known.services or ():
        service = known.service
        if namespace and service.namespace != namespace:
            continue
        if named and service.name == str(named.get("serviceName") or ""):
            return bool(service.selector or service.addresses)
        if chosen and _labels_match(mapping(chosen.get("selector")), service.labels):
            return bool(service.selector or service.addresses)
    return False


def _labels_match(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    plain = {
        "matchLabels": {bare(str(key)): value for key, value in mapping(selector.get("matchLabels")).items()},
        "matchExpressions": [
            {**mapping(each), "key": bare(str(mapping(each).get("key") or ""))}
            for each in sequence(selector.get("matchExpressions"))
        ],
    }
    try:
        found = from_object(plain)
    except ValueError:
        return False
    return found is None or found.matches(labels)


def _targets(entry: Entry, around: Around) -> list[Endpoint]:
    """The known endpoints at which the connections of an entry arrive; [] when no selector says."""
    assert around.people is not None
    found = [subject(entry.spec)] if entry.direction == "ingress" else list(peers(entry))
    names: dict[str, Endpoint] = {}
    for each in found:
        names.update((endpoint.name, endpoint) for endpoint in around.people.matching(each.terms))
    return list(names.values())


def service_port(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """The port of a Service where the pods' port is meant."""
    if around.people is None or not around.known.services:
        return
    for entry in entries(parsed):
        ports = [(steps, int(str(port.get("port")))) for steps, port in entry.ports() if _number(port)]
        if not ports or entry.spec.nodes:
            continue
        there = _targets(entry, around)
        names = {each.name for each in there}
        behind = [service for service, backends in around.served.values() if names and backends & names]
        reached = {target for each in behind for target in _target_ports(each, there)}
        for steps, number in ports:
            if number in reached:
                continue
            for service in behind:
                wanted = next((target for port, target, _ in service.ports if port == number), None)
                if wanted is not None and str(wanted) != str(number):
                    yield Hit(
                        (*steps, "port"),
                        f"{number} is the port of Service {service.service.namespace}/{service.service.name}; policies "
                        f"see the pods' own port, {wanted}.",
                        f"Write {wanted}." if isinstance(wanted, int) else f"Write the number behind `{wanted}`.",
                    )
                    break


def _number(port: Mapping[str, Any]) -> bool:
    return str(port.get("port")).isdigit() and not port.get("endPort")


def _target_ports(service: KnownService, there: list[Endpoint]) -> Iterator[int]:
    """The numbers of a Service's target ports; names are looked up at the pods."""
    for _, target, protocol in service.ports:
        if isinstance(target, int):
            yield target
        else:
            yield from (
                each.named_ports[f"{target}/{protocol}"] for each in there if f"{target}/{protocol}" in each.named_ports
            )


def named_port(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """A named port that none of the pods has. Silent where no endpoint is known to have named ports."""
    if around.people is None or not around.named_ports:
        return
    for entry in entries(parsed):
        for steps, port in entry.ports():
            name = str(port.get("port") or "")
            if not name or name.isdigit() or entry.spec.nodes:
                continue
            there = _targets(entry, around)
            known = {each.partition("/")[0].lower() for endpoint in there for each in endpoint.named_ports}
            if there and name.lower() not in known:
                meant = closest(name, known)
                yield Hit(
                    (*steps, "port"),
                    f"None of the {len(there):,} pods has a port named `{name}`: it matches nothing.",
                    f"Did you mean `{meant}`?" if meant else "Name a port of their containers, or write its number.",
                )
