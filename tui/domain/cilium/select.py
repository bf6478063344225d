"""Which endpoints a policy selects.

Endpoints with the same identity labels share a slot, and every label knows its slots as the bits of one integer: a
selector is a few ANDs and ORs, whatever the number of endpoints. Rules of label sources, of namespace scoping and of
what an identity leaves out: Cilium `pkg/k8s/apis/cilium.io/utils`, `pkg/labels`, `pkg/labelsfilter`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tui.domain.cilium.policy import CCNP, KNP, NAMESPACE_KEY, NAMESPACE_LABELS, Policy, Rule, mapping, rules, sequence
from tui.domain.obj import Ref

_SLACK = 1024  # empty slots that are put up with before the index is packed

# Pod labels that are no part of an identity unless cilium-config says otherwise.
_LEFT_OUT = (
    "io.kubernetes",
    "kubernetes.io",
    "k8s.io",
    "pod-template-hash",
    "pod-template-generation",
    "controller-revision-hash",
    "controller-uid",
    "annotation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
)


class EndpointIndex:
    """The endpoints of one cluster by their labels. `generation` moves when a selector may give other slots."""

    def __init__(self) -> None:
        self.generation = 0
        self._slots: list[set[Ref]] = []
        self._slot_of_labels: dict[tuple[str, ...], int] = {}
        self._slot_of: dict[Ref, int] = {}
        self._values: dict[tuple[str, str, str], int] = {}  # (source or "any", key, value) -> slots
        self._keys: dict[tuple[str, str], int] = {}  # (source or "any", key) -> slots
        self._all = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def put(self, ref: Ref, labels: tuple[str, ...]) -> None:
        """Add an endpoint or change its labels; each label is `source:key=value`."""
        slot = self._slot_of_labels.get(labels)
        if slot is None:
            slot = self._new_slot(labels)
        before = self._slot_of.get(ref)
        if before == slot:
            return
        if before is not None:
            self._slots[before].discard(ref)
        self._slots[slot].add(ref)
        self._slot_of[ref] = slot

    def remove(self, ref: Ref) -> None:
        """Forget an endpoint."""
        slot = self._slot_of.pop(ref, None)
        if slot is not None:
            self._slots[slot].discard(ref)
            if len(self._slots) > _SLACK and len(self._slots) > 2 * len(self._slot_of):
                self._pack()

    def count(self, mask: int) -> int:
        """How many endpoints are in these slots."""
        if mask == self._all:
            return len(self._slot_of)
        return sum(len(self._slots[slot]) for slot in _bits(mask))

    def members(self, mask: int) -> list[Ref]:
        """The endpoints in these slots, sorted."""
        return sorted(ref for slot in _bits(mask) for ref in self._slots[slot])

    def mask(self, requirements: Iterable[tuple[str, str, str, tuple[str, ...]]]) -> int:
        """The slots that meet every (source or "any", key, operator, values)."""
        found = self._all
        for source, key, operator, values in requirements:
            if operator in ("In", "NotIn"):
                having = 0
                for value in values:
                    having |= self._values.get((source, key, value), 0)
            else:
                having = self._keys.get((source, key), 0)
            found &= having if operator in ("In", "Exists") else ~having
            if not found:
                return 0
        return found

    def _new_slot(self, labels: tuple[str, ...]) -> int:
        slot = len(self._slots)
        self._slots.append(set())
        self._slot_of_labels[labels] = slot
        bit = 1 << slot
        self._all |= bit
        for label in labels:
            source, key, value = split_label(label)
            for name in (source, "any"):
                self._values[name, key, value] = self._values.get((name, key, value), 0) | bit
                self._keys[name, key] = self._keys.get((name, key), 0) | bit
        self.generation += 1
        return slot

    def _pack(self) -> None:
        """Start again with the slots that still have endpoints."""
        held = [(labels, self._slots[slot]) for labels, slot in self._slot_of_labels.items() if self._slots[slot]]
        generation = self.generation
        self.__init__()  # type: ignore[misc]
        for labels, refs in held:
            for ref in refs:
                self.put(ref, labels)
        self.generation = generation + 1


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def split_label(label: str) -> tuple[str, str, str]:
    """(source, key, value) of `source:key=value`; a label without a source has source "unspec"."""
    name, _, value = label.partition("=")
    source, colon, key = name.partition(":")
    return (source, key, value) if colon else ("unspec", name, value)


def pod_labels(
    labels: Mapping[str, str], namespace: str, namespace_labels: Mapping[str, str], service_account: str
) -> tuple[str, ...]:
    """The identity labels Cilium gives a pod, for clusters whose CiliumEndpoints cannot be read."""
    found = [f"k8s:{key}={value}" for key, value in labels.items() if not left_out(key)]
    found += [f"k8s:{NAMESPACE_LABELS}{key}={value}" for key, value in namespace_labels.items()]
    found.append(f"k8s:{NAMESPACE_KEY}={namespace}")
    found.append(f"k8s:io.cilium.k8s.policy.serviceaccount={service_account or 'default'}")
    return tuple(sorted(found))


def left_out(key: str) -> bool:
    """Whether a pod label is no part of an identity, unless `labels` of cilium-config says otherwise."""
    return key.startswith(_LEFT_OUT) or "beta.kubernetes.io" in key


def policy_mask(index: EndpointIndex, policy: Policy, resource: str) -> int:
    """The slots of the endpoints that any rule of the policy selects."""
    found = 0
    for rule in rules(policy, resource):
        if not rule.nodes and rule.selector is not None:
            found |= index.mask(subject_requirements(rule, policy.metadata.namespace, resource))
    return found


def node_rules(policy: Policy, resource: str) -> list[Rule]:
    """The rules that select nodes instead of endpoints."""
    return [rule for rule in rules(policy, resource) if rule.nodes and rule.selector is not None]


def subject_requirements(rule: Rule, namespace: str, resource: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What an endpoint must meet to be a rule's subject, with the namespace scoping of the policy's kind."""
    selector = rule.selector or {}
    plain = resource == KNP  # its keys are plain Kubernetes label keys
    found = [
        *_label_terms(mapping(selector.get("matchLabels")), plain, overwrite=resource not in (CCNP, KNP)),
        *_expression_terms(sequence(selector.get("matchExpressions")), plain),
    ]
    if resource != CCNP:
        found.append(("k8s", NAMESPACE_KEY, "In", (namespace,)))
    return found


def _source(key: str, plain: bool) -> tuple[str, str]:
    """(source or "any", key): `k8s:x`, `reserved:x` name a source, `any:x` and bare keys do not."""
    if plain:
        return "k8s", key
    source, colon, rest = key.partition(":")
    return (source, rest) if colon else ("any", key)


def _label_terms(
    labels: Mapping[str, Any], plain: bool, overwrite: bool
) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    for name, value in labels.items():
        source, key = _source(str(name), plain)
        if overwrite and source == "k8s" and key == NAMESPACE_KEY:
            continue  # replaced by the policy's own namespace
        yield source, key, "In", ("" if value is None else str(value),)


def _expression_terms(expressions: Iterable[Any], plain: bool) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    for each in expressions:
        held = mapping(each)
        source, key = _source(str(held.get("key", "")), plain)
        yield source, key, str(held.get("operator", "")), tuple(str(value) for value in sequence(held.get("values")))
