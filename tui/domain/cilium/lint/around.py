"""What policies say against what there is: endpoints, namespaces, labels, Services, addresses, CIDR groups.

Nothing is said about what is not known.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from tui.domain.cilium.lint.distance import closest
from tui.domain.cilium.lint.selectors import (
    Key,
    Population,
    Selector,
    namespaces_of,
    selector_keys,
    selectors,
    subject,
    term,
)
from tui.domain.cilium.lint.values import Hit, Known, KnownService, Parsed, Spec, specs
from tui.domain.cilium.model import Endpoint
from tui.domain.cilium.policy import (
    CCNP,
    CNP,
    DIRECTIONS,
    KNP,
    NAMESPACE_KEY,
    bare,
    enforced,
    rules,
)
from tui.domain.cilium.select import left_out

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Addresses:
    """Addresses with their owners, to be asked by network."""

    def __init__(self, found: Iterable[tuple[str, str]]) -> None:
        self._sorted: dict[int, list[tuple[int, str]]] = {4: [], 6: []}
        for text, owner in found:
            if (address := _address(text)) is not None:
                self._sorted[address.version].append((int(address), owner))
        for held in self._sorted.values():
            held.sort()

    def inside(self, network: Network) -> list[str]:
        """The owners of the addresses in a network."""
        held = self._sorted[network.version]
        first = bisect_left(held, (int(network.network_address), ""))
        last = bisect_left(held, (int(network.broadcast_address) + 1, ""))
        return [owner for _, owner in held[first:last]]


class Around:
    """What is known, prepared to be asked often."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.people = Population(known.endpoints) if known.endpoints is not None else None
        self.pods = Addresses((each.ip, each.name) for each in known.endpoints or () if each.ip and _is_pod(each))
        self.nodes = Addresses((each, each) for each in known.node_addresses)
        self.named_ports = any(each.named_ports for each in known.endpoints or ())
        self._selectors: dict[int, list[Selector]] = {}
        self.served: dict[tuple[str, str], tuple[KnownService, frozenset[str]]] = {}
        for service in known.services or ():
            self.served[service.service.namespace, service.service.name] = (service, self._backends(service))

    def selectors(self, spec: Spec) -> list[Selector]:
        """The selectors of a rule."""
        found = self._selectors.get(id(spec.raw))
        if found is None:
            found = self._selectors[id(spec.raw)] = list(selectors(spec))
        return found

    def _backends(self, known: KnownService) -> frozenset[str]:
        """Names of the endpoints behind a Service."""
        service = known.service
        if self.people is None or not service.selector:
            return frozenset()
        terms = [("k8s", key, "In", (value,)) for key, value in service.selector.items()]
        terms.append(("k8s", NAMESPACE_KEY, "In", (service.namespace,)))
        return frozenset(each.name for each in self.people.matching(terms))


def _is_pod(endpoint: Endpoint) -> bool:
    return any(label.startswith(f"k8s:{NAMESPACE_KEY}=") for label in endpoint.labels)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


# -- selectors -----------------------------------------------------------------------------------------------------


def selects_nothing(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """A subject that no endpoint has."""
    for found in _empty(parsed, around):
        if found.subject:
            where = "in the cluster" if parsed.resource == CCNP else f"in namespace {parsed.namespace or '?'}"
            these = " has these labels" if any(found.raw.values()) else " is there"
            yield Hit(
                found.steps,
                f"The rule selects nothing: no endpoint {where}{these}, so it protects nobody.",
                "Compare the labels with those of the pods, or delete the policy.",
            )


def peer_selects_nothing(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """A peer that no endpoint is."""
    for found in _empty(parsed, around):
        if not found.subject and found.entry is not None:
            own = parsed.resource != CCNP and ("k8s", NAMESPACE_KEY, "In", (parsed.namespace,)) in found.terms
            scope = f"; it looks in namespace {parsed.namespace} alone, where it names no other" if own else ""
            verb = "denies" if found.entry.deny else "allows"
            yield Hit(
                found.steps,
                f"No endpoint is such a peer: the selector {verb} nothing{scope}.",
                f"Compare the labels with those of the pods{', or name the namespace' if own else ''}.",
            )


def _empty(parsed: Parsed, around: Around) -> Iterator[Selector]:
    """Selectors that match no known endpoint, and of which no other rule says why."""
    if around.people is None:
        return
    for spec in specs(parsed):
        for found in around.selectors(spec):
            if spec.nodes and found.subject:
                continue
            reserved = any(each[0] not in ("k8s", "any") for each in found.terms)
            if reserved or around.people.count(found.terms):
                continue
            explained = any(_mistyped(found, around)) or any(_never(found)) or any(_no_namespace(found, around))
            if not explained:
                yield found


def mistyped(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """Labels that no endpoint has, close to ones that exist."""
    for spec in specs(parsed):
        for found in around.selectors(spec) if not spec.nodes else ():
            yield from _mistyped(found, around)


def _mistyped(found: Selector, around: Around) -> Iterator[Hit]:
    if around.people is None:
        return
    values = around.people.values
    for key in selector_keys(found):
        source, name, _, _ = term(key, found.spec.resource == KNP)
        if source not in ("k8s", "any") or name == NAMESPACE_KEY or left_out(name):
            continue
        if name not in values:
            meant = _close_key(name, key, values)
            if meant:
                yield Hit(
                    key.steps,
                    f"No endpoint has a label `{name}`; `{meant}` exists.",
                    f"Did you mean `{meant}`?",
                )
        elif key.operator in ("In", "NotIn"):
            for value in key.values:
                if value in values[name] or not (meant := closest(value, values[name])):
                    continue
                yield Hit(
                    key.steps,
                    f"No endpoint has the label `{name}={value}`; `{name}={meant}` exists.",
                    f"Did you mean `{meant}`?",
                )


def _close_key(name: str, key: Key, values: Mapping[str, Mapping[str, int]]) -> str:
    """The existing key that was probably meant: spelled alike, or the same word with or without a prefix."""
    usual = [each for each in values if not each.startswith(("io.cilium.", "io.kubernetes."))]
    if found := closest(name, usual):
        return found
    last = name.rpartition("/")[2]
    for other in sorted(usual):
        if other.rpartition("/")[2] == last and any(value in values[other] for value in key.values):
            return other
    return ""


def never_in_identity(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """Labels that Cilium leaves out of identities."""
    for spec in specs(parsed):
        for found in around.selectors(spec) if not spec.nodes else ():
            yield from _never(found)


def _never(found: Selector) -> Iterator[Hit]:
    for key in selector_keys(found):
        name = bare(key.key)
        if name == NAMESPACE_KEY or not left_out(name):
            continue
        never = key.operator in ("In", "Exists")
        yield Hit(
            key.steps,
            f"`{name}` is no part of an identity: Cilium leaves it out, so the selector "
            f"{'never matches' if never else 'always passes it'}.",
            "Select by another label of the pods.",
        )


# -- namespaces ----------------------------------------------------------------------------------------------------


def namespace_unknown(parsed: Parsed, around: Around) -> Iterator[Hit]:
    """Namespaces that do not exist."""
    spaces = around.known.namespaces
    if spaces is None:
        return
    if parsed.resource != CCNP and parsed.namespace and parsed.namespace not in spaces:
        meant = closest(parsed.namespace, spaces)
        yield Hit(
            ("metadata", "namespace"),
            f"There is no namespace {parsed.namespace}.",
            f"Did you mean {meant}?" if meant else "Create it, or name another.",
        )
    for spec in specs(parsed):
        for found in around.selectors(spec):
            yield from _no_namespace(found, around)


def _no_namespace(found: Selector, around: Around) -> Iterator[Hit]:
    spaces = around.known.namespaces
    if spaces is None:
        return
    for steps, name in namespaces_of(found):
        if name not in spaces and not (found.subject and found.spec.resource == CNP):
            meant = closest(name, spaces)
            yield Hit(
                steps,
                f"There is no namespace {name}: the selector matches nothing there.",
                f"Did you mean {meant}?" if meant else "Name a namespace that exists.",
            )


def without_default_deny(every: list[Parsed], around: Around) -> Iterator[tuple[str, str, str]]:
    """(namespace, message, advice) of the namespaces in which pods are under no default deny at all."""
    people = around.people
    if people is None or not people.values.get(NAMESPACE_KEY):
        return
    open_to: dict[str, list[str]] = {}
    for direction in DIRECTIONS:
        covered = _denied(every, people, direction)
        for namespace in sorted(people.values[NAMESPACE_KEY]):
            pods = people.matching([("k8s", NAMESPACE_KEY, "In", (namespace,))])
            if pods and not any(each.name in covered for each in pods):
                open_to.setdefault(namespace, []).append(direction)
    for namespace, directions in sorted(open_to.items()):
        way = " and ".join(directions)
        yield (
            namespace,
            f"No policy gives default deny for {way} to any endpoint of namespace {namespace}.",
            f"Add a policy that denies {way} by default, and allow what is needed.",
        )


def _denied(every: list[Parsed], people: Population, direction: str) -> set[str]:
    """Names of the endpoints for which some policy switches default deny on."""
    covered: set[str] = set()
    for parsed in every:
        listed = rules(parsed.written.policy, parsed.resource)
        for spec, rule in zip(specs(parsed), listed, strict=True):
            if not spec.nodes and enforced(rule, direction, parsed.resource):
                covered.update(each.name for each in people.matching(subject(spec).terms))
    return covered
