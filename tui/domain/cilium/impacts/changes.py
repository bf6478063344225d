"""How a policy differs from what it was, in words: entries that came, went, say more or less, and its default deny."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from tui.domain.cilium.describe import entry_text, subject
from tui.domain.cilium.engine.validity import problems
from tui.domain.cilium.impacts.comparing import canonical, entry_covers, peers_of
from tui.domain.cilium.policy import DIRECTIONS, SECTIONS, Policy, Rule, enforced, mapping, rules, sequence

How = Literal[
    "policy added",
    "policy removed",
    "subject",  # it selects others than before
    "added",
    "removed",
    "widened",  # an entry says what it said, and more
    "narrowed",
    "changed",  # it says more of one and less of the other
    "default deny on",
    "default deny off",
    "invalid",  # Cilium will reject it now, and did not before
    "valid",
]


class Change(NamedTuple):
    """One difference. `path` is where it stands in the policy after the change, before it for what is gone."""

    how: How
    text: str  # in words, without the policy's name: "allow ingress from app=web → TCP 8080"
    path: str = ""


def changes(before: Policy | None, after: Policy | None, resource: str) -> list[Change]:
    """What is different; [] when both mean the same. None: there is no such policy."""
    found: list[Change] = []
    was = problems(before, resource) if before is not None else []
    now = problems(after, resource) if after is not None else []
    if before is None and after is not None:
        found.append(Change("policy added", f"select {_subjects(after, resource)}"))
    elif after is None and before is not None:
        found.append(Change("policy removed", f"no longer select {_subjects(before, resource)}"))
    if now and (before is None or not was):
        found.append(Change("invalid", f"Cilium will reject it: {now[0]}"))
    elif was and after is not None and not now:
        found.append(Change("valid", "Cilium will accept it again"))
    old = _rules(before, resource)
    new = _rules(after, resource)
    for one, other in _paired(old, new):
        found += _of_rule(one, other, before or after, resource)
    return found


def _subjects(policy: Policy, resource: str) -> str:
    words = [subject(rule, policy.metadata.namespace, resource) for rule in rules(policy, resource)]
    return "; ".join(dict.fromkeys(words)) or "nothing"


_At = tuple[str, Rule]  # path of a rule, and the rule


def _rules(policy: Policy | None, resource: str) -> list[_At]:
    if policy is None:
        return []
    every = rules(policy, resource)
    whole = isinstance(policy.spec, Mapping)
    return [
        ("spec" if whole and number == 0 else f"specs[{number - whole}]", rule) for number, rule in enumerate(every)
    ]


def _paired(old: list[_At], new: list[_At]) -> Iterator[tuple[_At | None, _At | None]]:
    """Rules with the same subject, then those that are left in their order."""
    left = list(old)
    alone: list[_At] = []
    for each in new:
        match = next((other for other in left if _chooses(other[1]) == _chooses(each[1])), None)
        if match is None:
            alone.append(each)
        else:
            left.remove(match)
            yield match, each
    for index in range(max(len(left), len(alone))):
        yield left[index] if index < len(left) else None, alone[index] if index < len(alone) else None


def _chooses(rule: Rule) -> Any:
    return rule.nodes, canonical(rule.selector)


def _of_rule(old: _At | None, new: _At | None, policy: Policy | None, resource: str) -> Iterator[Change]:
    path = new[0] if new is not None else old[0] if old is not None else ""
    was, now = (each[1] if each is not None else None for each in (old, new))
    if was is not None and now is not None and _chooses(was) != _chooses(now):
        namespace = policy.metadata.namespace if policy is not None else ""
        before, after = (subject(each, namespace, resource) for each in (was, now))
        yield Change("subject", f"select {after} instead of {before}", path)
    for section in SECTIONS:
        entries = [sequence(each.sections[section]) if each is not None else () for each in (was, now)]
        paths = [f"{each[0]}.{section}" if each is not None else "" for each in (old, new)]
        yield from _of_entries(entries, paths, section, resource)
    for direction in DIRECTIONS:
        on = [each is not None and enforced(each, direction, resource) for each in (was, now)]
        if on[0] != on[1]:
            text = f"{'switch on' if on[1] else 'no longer switch on'} default deny for {direction}"
            yield Change("default deny on" if on[1] else "default deny off", text, path)


def _of_entries(entries: list[Any], paths: list[str], section: str, resource: str) -> Iterator[Change]:
    left = [(number, mapping(each)) for number, each in enumerate(entries[0])]
    come: list[tuple[int, Mapping[str, Any]]] = []
    for number, each in enumerate(map(mapping, entries[1])):
        same = next((other for other in left if canonical(other[1]) == canonical(each)), None)
        if same is None:
            come.append((number, each))
        else:
            left.remove(same)
    for number, each in come:
        match = _like(each, [other for _, other in left], resource)
        path = f"{paths[1]}[{number}]"
        if match is None:
            yield Change("added", _words(each, section, resource), path)
            continue
        left = [held for held in left if held[1] is not match]
        more, less = entry_covers(each, match, resource), entry_covers(match, each, resource)
        if more and less:
            continue
        how: How = "widened" if more else "narrowed" if less else "changed"
        yield Change(how, f"{_words(match, section, resource)}, now {_short(each, section, resource)}", path)
    for number, each in left:
        yield Change("removed", _words(each, section, resource), f"{paths[0]}[{number}]")


def _like(entry: Mapping[str, Any], others: list[Mapping[str, Any]], resource: str) -> Mapping[str, Any] | None:
    """The entry that most likely became this one: the same peers, or one of the two says all that the other does."""
    for other in others:
        if peers_of(other) == peers_of(entry):
            return other
    for other in others:
        if entry_covers(entry, other, resource) or entry_covers(other, entry, resource):
            return other
    return None


def _words(entry: Mapping[str, Any], section: str, resource: str) -> str:
    direction, deny = section.removesuffix("Deny"), section.endswith("Deny")
    way = "from" if direction == "ingress" else "to"
    return f"{'deny' if deny else 'allow'} {direction} {way} {_short(entry, section, resource)}"


def _short(entry: Mapping[str, Any], section: str, resource: str) -> str:
    return entry_text(entry, section, resource) or "nobody"


_LEAD = {"removed": "no longer ", "widened": "widen: ", "narrowed": "narrow: ", "changed": "change: "}


def sentence(change: Change) -> str:
    """A change as a line of a commit message or of a report."""
    return f"{_LEAD.get(change.how, '')}{change.text}"
