"""Policies changed in their files: each function takes a file's text and gives it back with the smallest edit.

Everything else of the file stays to the last byte. After an edit the policy is checked; what would make it one that
Cilium rejects is refused with Cilium's reason, and nothing is changed. Every function raises `yamledit.Refused`
(`Missing` when there is no such policy or entry), and `yamledit.Shared` for a place that anchors use elsewhere too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tui.domain.cilium.engine.validity import MAX_PORTS, problems
from tui.domain.cilium.impacts.comparing import asks_above, canonical, covered, peers_of
from tui.domain.cilium.model import Direction
from tui.domain.cilium.policy import CCNP, CNP, KNP, SECTIONS, Policy, mapping, sequence
from tui.domain.cilium.ruling.choice import NewRule, Port
from tui.domain.cilium.ruling.spelling import cilium_port, entry, kubernetes_port
from tui.domain.obj import Meta
from tui.domain.yamledit import (
    Edited,
    Missing,
    Refused,
    Session,
    append_item,
    delete,
    documents,
    set_value,
)
from tui.domain.yamledit.path import Step, format_path
from tui.domain.yamledit.sharing import Sharing

KINDS = {"CiliumNetworkPolicy": CNP, "CiliumClusterwideNetworkPolicy": CCNP, "NetworkPolicy": KNP}
_GROUPS = {CNP: "cilium.io", CCNP: "cilium.io", KNP: "networking.k8s.io"}
_AT = re.compile(r"^\w+\[\d+\]: ")  # the place in front of a problem, which moves when entries go


class Held(NamedTuple):
    """A policy in a file. `doc` counts documents from 0; `inside` leads to it from there (an item of a List)."""

    doc: int
    inside: tuple[Step, ...]
    resource: str
    namespace: str  # "" where the file does not say
    name: str
    value: Mapping[str, Any]

    @property
    def policy(self) -> Policy:
        """As the engine reads it."""
        meta = Meta(name=self.name, namespace=self.namespace)
        return Policy(metadata=meta, spec=self.value.get("spec"), specs=self.value.get("specs"))


# -- which policy --------------------------------------------------------------------------------------------------


def policies(text: str) -> list[Held]:
    """The policies of a file in order, items of Lists too. Documents that cannot be read are left out."""
    found: list[Held] = []
    for document in documents(text):
        kind = document.kind
        if kind in KINDS or kind.endswith("List"):
            try:
                value = Session(text, document.index).value()
            except Refused:
                continue
            found += _held(value, document.index)
    return found


def _held(value: Any, doc: int) -> Iterator[Held]:
    value = mapping(value)
    if (one := _one(value, doc, ())) is not None:
        yield one
    elif str(value.get("kind", "")).endswith("List"):
        for index, item in enumerate(sequence(value.get("items"))):
            if (one := _one(mapping(item), doc, ("items", index))) is not None:
                yield one


def held_in(document: Any, doc: int = 0) -> Held | None:
    """The policy that a document (plain values) is; None when it is none."""
    return _one(mapping(document), doc, ())


def _one(value: Mapping[str, Any], doc: int, inside: tuple[Step, ...]) -> Held | None:
    resource = KINDS.get(str(value.get("kind", "")))
    if resource is None or str(value.get("apiVersion", "")).rpartition("/")[0] != _GROUPS[resource]:
        return None
    metadata = mapping(value.get("metadata"))
    return Held(doc, inside, resource, str(metadata.get("namespace") or ""), str(metadata.get("name") or ""), value)


def find(text: str, resource: str, namespace: str, name: str) -> Held:
    """A policy by name. One without a namespace in the file may be of any; one that names yours is preferred."""
    named = [held for held in policies(text) if held.resource == resource and held.name == name]
    here = [held for held in named if held.namespace == namespace] or [held for held in named if not held.namespace]
    if resource == CCNP:
        here = named
    if not here:
        for document in documents(text):
            if document.problem or document.name == name:
                Session(text, document.index).value()  # says where and why it cannot be read
        raise Missing(f"the file has no {kind_name(resource)} {f'{namespace}/' if namespace else ''}{name}", 1, 1)
    if len(here) > 1:
        raise Refused(f"the file has {len(here)} policies {name}: remove all but one", 1, 1)
    return here[0]


def kind_name(resource: str) -> str:
    """`CiliumNetworkPolicy` …"""
    return next(kind for kind, held in KINDS.items() if held == resource)


def rule_paths(held: Held) -> list[tuple[Step, ...]]:
    """Where its rules stand in the policy, in the order of `policy.rules`: `spec`, `specs[0]` …"""
    found: list[tuple[Step, ...]] = [("spec",)] if isinstance(held.value.get("spec"), Mapping) else []
    if held.resource != KNP:
        specs = sequence(held.value.get("specs"))
        found += [("specs", index) for index, spec in enumerate(specs) if isinstance(spec, Mapping)]
    return found


def _rule(held: Held, number: int) -> tuple[tuple[Step, ...], Mapping[str, Any]]:
    paths = rule_paths(held)
    if not 0 <= number < len(paths):
        has = f"has {len(paths)} rules" if paths else "has neither spec nor specs"
        raise Missing(f"{held.name} {has}: there is no number {number}", 1, 1)
    value: Any = held.value
    for step in paths[number]:
        value = value[step]
    return (*held.inside, *paths[number]), mapping(value)


# -- edits ---------------------------------------------------------------------------------------------------------


def add_rule(text: str, held: Held, rule: NewRule, number: int = 0, *, shared: Sharing = "ask") -> Edited:
    """Adds a rule to the rule number `number` of a policy: its ports to an entry with the same peers, else an entry.

    What the policy says already changes nothing. A NetworkPolicy whose `policyTypes` leave the direction out gets it
    there too: else Kubernetes and Cilium would not agree about what it means.
    """
    path, spec = _rule(held, number)
    made = entry(rule, held.resource)
    if (done := _into_existing(text, held, path, spec, rule, made, shared)) is not None:
        return done
    after = _appended(text, held, (*path, rule.section), spec.get(rule.section), made, shared)
    types = spec.get("policyTypes")
    word = rule.direction.capitalize()
    if held.resource == KNP and isinstance(types, list) and word not in types:
        after = append_item(after, (*path, "policyTypes"), word, held.doc, shared=shared).text
    return _checked(text, after, held)


def _appended(
    text: str, held: Held, path: tuple[Step, ...], there: Any, made: Mapping[str, Any], shared: Sharing
) -> str:
    if there is None and not Session(text, held.doc).has(path):
        return set_value(text, path, [made], held.doc, shared=shared).text
    return append_item(text, path, made, held.doc, shared=shared).text


def _into_existing(
    text: str,
    held: Held,
    path: tuple[Step, ...],
    spec: Mapping[str, Any],
    rule: NewRule,
    made: Mapping[str, Any],
    shared: Sharing,
) -> Edited | None:
    """The same with the ports added to an entry that has the same peers; None when an entry of its own is needed."""
    peers, layer = peers_of(made), asks_above(made)
    for index, existing in enumerate(sequence(spec.get(rule.section))):
        existing = mapping(existing)
        if canonical(existing) == canonical(made):
            return Edited(text)
        if peers_of(existing) != peers or canonical(existing.get("authentication")) != canonical(
            made.get("authentication")
        ):
            continue
        if not rule.ports or layer or existing.get("icmps"):
            continue
        name = "ports" if held.resource == KNP else "toPorts"
        if not sequence(existing.get(name)):
            if peers or held.resource == KNP:
                return Edited(text)  # it names no ports: every one of them is there already
            continue
        return add_ports(text, held, (*path, rule.section, index), rule.ports, shared=shared)
    return None


def add_ports(text: str, held: Held, path: Sequence[Step], ports: Sequence[Port], *, shared: Sharing = "ask") -> Edited:
    """Adds ports to the entry at a path of the document; those that are there already change nothing.

    In Cilium's spelling they go to the first list of plain ports, and to a further one where 40 would be exceeded.
    """
    path = tuple(path)
    existing = mapping(Session(text, held.doc).value(path))
    if held.resource == KNP:
        wanted: list[Any] = [kubernetes_port(port) for port in ports]
        there = [mapping(each) for each in sequence(existing.get("ports"))]
        after = text
        for each in wanted:
            if not covered(each, there, "TCP"):
                after = append_item(after, (*path, "ports"), each, held.doc, shared=shared).text
                there.append(each)
        return _checked(text, after, held)
    lists = [mapping(each) for each in sequence(existing.get("toPorts"))]
    plain = [index for index, each in enumerate(lists) if set(each) <= {"ports"} and sequence(each.get("ports"))]
    there = [mapping(port) for index in plain for port in sequence(lists[index].get("ports"))]
    missing: list[Any] = []
    for port in map(cilium_port, ports):
        if not covered(port, [*there, *missing]):
            missing.append(port)
    after = text
    if plain:
        room = MAX_PORTS - len(sequence(lists[plain[0]].get("ports")))
        for each in missing[: max(0, room)]:
            after = append_item(after, (*path, "toPorts", plain[0], "ports"), each, held.doc, shared=shared).text
        missing = missing[max(0, room) :]
    for at in range(0, len(missing), MAX_PORTS):
        item = {"ports": missing[at : at + MAX_PORTS]}
        after = _appended(after, held, (*path, "toPorts"), existing.get("toPorts"), item, shared)
    return _checked(text, after, held)


def change_entry(
    text: str, held: Held, section: str, index: int, rule: NewRule, number: int = 0, *, shared: Sharing = "ask"
) -> Edited:
    """Makes the entry number `index` of a section say what `rule` says; only what differs is written anew.

    A rule of another section is refused: remove the entry and add it there.
    """
    if rule.section != section:
        raise Refused(f"an entry of {section} cannot become one of {rule.section}: remove it and add a rule")
    path, spec = _rule(held, number)
    if not 0 <= index < len(sequence(spec.get(section))):
        raise Missing(f"{held.name} has no {format_path((section, index))}", 1, 1)
    after = set_value(text, (*path, section, index), entry(rule, held.resource), held.doc, shared=shared)
    return _checked(text, after.text, held)


def remove_entry(
    text: str,
    held: Held,
    section: str,
    index: int,
    number: int = 0,
    *,
    keep_deny: bool = False,
    shared: Sharing = "ask",
) -> Edited:
    """Takes an entry out. With the last one of a section of Cilium's, the section goes, and its default deny with it.

    With `keep_deny` an empty entry, which allows nothing, takes the place of the last one. In a NetworkPolicy the empty
    list stays, and with it the default deny.
    """
    path, spec = _rule(held, number)
    entries = sequence(spec.get(section))
    if section not in SECTIONS or not 0 <= index < len(entries):
        raise Missing(f"{held.name} has no {format_path((section, index))}", 1, 1)
    whole = len(entries) == 1 and held.resource != KNP
    if whole and keep_deny:
        return _checked(text, set_value(text, (*path, section, index), {}, held.doc, shared=shared).text, held)
    if whole and not any(spec.get(name) for name in SECTIONS if name != section):
        raise Refused("it is the only entry, and Cilium rejects a policy without any: remove the policy instead")
    where = (*path, section) if whole else (*path, section, index)
    return _checked(text, delete(text, where, held.doc, shared=shared).text, held)


def set_default_deny(
    text: str, held: Held, direction: Direction, on: bool | None, number: int = 0, *, shared: Sharing = "ask"
) -> Edited:
    """Switches the default deny of a rule on or off in a direction; None leaves it to Cilium: on where it has entries.

    A NetworkPolicy enforces what its `policyTypes` name, and with rules in a direction it cannot be switched off there.
    """
    path, spec = _rule(held, number)
    if held.resource == KNP:
        return _policy_types(text, held, path, spec, direction, on is not False, shared)
    where = (*path, "enableDefaultDeny")
    told = mapping(spec.get("enableDefaultDeny"))
    if on is None:
        if direction not in told:
            return Edited(text)
        gone = where if len(told) == 1 else (*where, direction)
        return _checked(text, delete(text, gone, held.doc, shared=shared).text, held)
    if on and not any(sequence(spec.get(name)) for name in (direction, f"{direction}Deny")):
        raise Refused(
            f"default deny of {direction} needs an entry: without one enableDefaultDeny does nothing. "
            f"An empty entry, {direction}: [{{}}], denies all"
        )
    return _checked(text, set_value(text, (*where, direction), on, held.doc, shared=shared).text, held)


def _policy_types(
    text: str, held: Held, path: tuple[Step, ...], spec: Mapping[str, Any], direction: Direction, on: bool, how: Sharing
) -> Edited:
    given = spec.get("policyTypes")
    listed = [str(each) for each in sequence(given)]
    if not listed:
        listed = ["Ingress", *(["Egress"] if sequence(spec.get("egress")) else [])]
    word = direction.capitalize()
    if on == (word in listed):
        return Edited(text)
    if not on and sequence(spec.get(direction)):
        raise Refused(f"it has {direction} rules, which enforce the direction whatever policyTypes says")
    wanted = [*listed, word] if on else [each for each in listed if each != word]
    if not wanted:
        raise Refused("it would enforce nothing: remove the policy instead")
    return _checked(text, set_value(text, (*path, "policyTypes"), wanted, held.doc, shared=how).text, held)


def deny_all(text: str, held: Held, direction: Direction, number: int = 0) -> Edited:
    """Makes a rule without entries in a direction enforce it: Cilium needs an entry, and one that allows nothing."""
    path, spec = _rule(held, number)
    if held.resource == KNP:
        return _policy_types(text, held, path, spec, direction, True, "ask")
    if sequence(spec.get(direction)) or sequence(spec.get(f"{direction}Deny")):
        return set_default_deny(text, held, direction, None, number)
    return _checked(text, set_value(text, (*path, direction), [{}], held.doc).text, held)


# -- checking ---------------------------------------------------------------------------------------------------------


def _checked(before: str, after: str, held: Held) -> Edited:
    """The edit, unless it makes the policy one that Cilium rejects for a new reason."""
    if before == after:
        return Edited(before)
    value = Session(after, held.doc).value(held.inside)
    now = _one(mapping(value), held.doc, held.inside)
    if now is None:
        raise Refused("it would be no policy any more")
    new = Counter(_AT.sub("", each) for each in problems(now.policy, held.resource))
    new -= Counter(_AT.sub("", each) for each in problems(held.policy, held.resource))
    if new:
        raise Refused(f"Cilium would reject the policy: {next(iter(new))}")
    return Edited.between(before, after)
