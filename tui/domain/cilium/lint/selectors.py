"""Selectors of policies as terms, each with the path it was written at, and whom they match.

Scoping of peers: Cilium `pkg/k8s/apis/cilium.io/utils` and `pkg/k8s/network_policy.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tui.domain.cilium.lint.values import Entry, Spec, Steps, entries
from tui.domain.cilium.model import Endpoint, Term
from tui.domain.cilium.policy import CNP, KNP, NAMESPACE_KEY, NAMESPACE_LABELS, mapping, rules, sequence
from tui.domain.cilium.select import EndpointIndex, split_label, subject_requirements
from tui.domain.obj import Ref


class Key(NamedTuple):
    """One key of a selector as it is written: its path, key, operator and values."""

    steps: Steps
    key: str
    operator: str
    values: tuple[str, ...]


class Selector(NamedTuple):
    """A selector of a policy: where it stands, what it must meet with its scoping, in which namespaces it looks."""

    spec: Spec
    steps: Steps
    raw: Mapping[str, Any]
    terms: tuple[Term, ...]
    subject: bool = False
    entry: Entry | None = None


def keys(selector: Mapping[str, Any], steps: Steps) -> Iterator[Key]:
    """The keys of a selector, of matchLabels and matchExpressions alike."""
    for key, value in mapping(selector.get("matchLabels")).items():
        yield Key((*steps, "matchLabels", str(key)), str(key), "In", ("" if value is None else str(value),))
    for index, each in enumerate(sequence(selector.get("matchExpressions"))):
        held = mapping(each)
        values = tuple(str(value) for value in sequence(held.get("values")))
        yield Key(
            (*steps, "matchExpressions", index), str(held.get("key") or ""), str(held.get("operator") or ""), values
        )


def term(key: Key, plain: bool) -> Term:
    """A key as the engine asks it. `plain`: of a NetworkPolicy, whose keys name no source."""
    if plain:
        return "k8s", key.key, key.operator, key.values
    source, colon, rest = key.key.partition(":")
    return (source, rest, key.operator, key.values) if colon else ("any", key.key, key.operator, key.values)


def selectors(spec: Spec) -> Iterator[Selector]:
    """The subject of a rule, then the selectors of its pods and nodes' peers."""
    yield subject(spec)
    for entry in _entries(spec):
        yield from peers(entry)


def subject(spec: Spec) -> Selector:
    """Whom a rule is for."""
    steps = (*spec.steps, spec.subject_field)
    if spec.nodes:
        found = tuple(term(key, False) for key in keys(spec.subject, steps))
        return Selector(spec, steps, spec.subject, (("reserved", "host", "Exists", ()), *found), True)
    policy = spec.parsed.written.policy
    before = () if spec.steps == ("spec",) else (policy.spec, *sequence(policy.specs)[: int(spec.steps[1])])
    number = sum(isinstance(each, Mapping) for each in before)  # `rules` leaves out what is no mapping
    every = rules(policy, spec.resource)
    terms = tuple(subject_requirements(every[number], spec.parsed.namespace, spec.resource))
    return Selector(spec, steps, spec.subject, terms, True)


def _entries(spec: Spec) -> Iterator[Entry]:
    yield from (entry for entry in entries(spec.parsed) if entry.spec.steps == spec.steps)


def peers(entry: Entry) -> Iterator[Selector]:
    """The selectors of pods among the peers of an entry."""
    if entry.knp:
        for steps, peer in entry.items("from" if entry.direction == "ingress" else "to"):
            held = mapping(peer)
            if "podSelector" in held or "namespaceSelector" in held:
                terms = tuple(_network_policy_peer(held, entry.spec.parsed.namespace))
                yield Selector(entry.spec, steps, held, terms, entry=entry)
        return
    for noun in ("Endpoints", "Requires"):
        for steps, peer in entry.items(f"{entry.way}{noun}"):
            if isinstance(peer, Mapping):
                yield Selector(entry.spec, steps, peer, tuple(_peer(peer, entry.spec)), entry=entry)


def _network_policy_peer(peer: Mapping[str, Any], namespace: str) -> Iterator[Term]:
    yield from (term(key, True) for key in keys(mapping(peer.get("podSelector")), ()))
    if peer.get("namespaceSelector") is None:
        yield "k8s", NAMESPACE_KEY, "In", (namespace,)
        return
    found = list(keys(mapping(peer["namespaceSelector"]), ()))
    yield from (("k8s", NAMESPACE_LABELS + key.key, key.operator, key.values) for key in found)
    if not found:
        yield "k8s", NAMESPACE_KEY, "Exists", ()


def _peer(peer: Mapping[str, Any], spec: Spec) -> Iterator[Term]:
    """A peer of a Cilium policy: its own namespace, or every one, unless it says otherwise."""
    found = [term(key, False) for key in keys(peer, ())]
    yield from found
    if any(_scopes(each, spec.resource) for each in found):
        return
    if spec.resource == CNP:
        yield "k8s", NAMESPACE_KEY, "In", (spec.parsed.namespace,)
    elif not any(each.key == "reserved:init" for each in keys(spec.subject, ())):
        yield "k8s", NAMESPACE_KEY, "Exists", ()


def _scopes(found: Term, resource: str) -> bool:
    source, key = found[0], found[1]
    if source == "reserved" or (key == NAMESPACE_KEY and source in ("k8s", "any")):
        return True
    return resource == CNP and key.startswith(NAMESPACE_LABELS) and source in ("k8s", "any")


class Population:
    """The endpoints that are known, to be asked by terms."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._index = EndpointIndex()
        self._held: dict[Ref, Endpoint] = {}
        self.values: dict[str, dict[str, int]] = {}  # key -> value -> endpoints that have it
        for number, endpoint in enumerate(endpoints):
            ref = Ref("", "", endpoint.name, str(number))
            self._held[ref] = endpoint
            self._index.put(ref, endpoint.labels)
            for label in endpoint.labels:
                _, key, value = split_label(label)
                counts = self.values.setdefault(key, {})
                counts[value] = counts.get(value, 0) + 1

    def __len__(self) -> int:
        return len(self._held)

    def count(self, terms: Iterable[Term]) -> int:
        """How many endpoints meet every term."""
        return self._index.count(self._index.mask(terms))

    def matching(self, terms: Iterable[Term]) -> list[Endpoint]:
        """The endpoints that meet every term, by name."""
        return [self._held[ref] for ref in self._index.members(self._index.mask(terms))]


def namespaces_of(selector: Selector) -> list[tuple[Steps, str]]:
    """The namespaces that a selector names, with the path of each."""
    if selector.spec.resource == KNP:
        space = mapping(selector.raw.get("namespaceSelector")) if not selector.subject else {}
        wanted, found = "kubernetes.io/metadata.name", keys(space, (*selector.steps, "namespaceSelector"))
    else:
        wanted, found = NAMESPACE_KEY, keys(selector.raw, selector.steps)
    out = []
    for key in found:
        name = key.key.removeprefix("k8s:").removeprefix("any:")
        if key.operator == "In" and name in (wanted, f"{NAMESPACE_LABELS}kubernetes.io/metadata.name"):
            out += [(key.steps, value) for value in key.values]
    return out


def selector_keys(selector: Selector) -> Iterator[Key]:
    """The keys of a selector that ask labels of pods."""
    if selector.spec.resource != KNP or selector.subject:
        yield from keys(selector.raw, selector.steps)
        return
    yield from keys(mapping(selector.raw.get("podSelector")), (*selector.steps, "podSelector"))
