"""Policies against each other: written twice, without effect beside others, or lacking what another must give."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tui.domain.cilium.lint.above import dns_rules
from tui.domain.cilium.lint.selectors import subject
from tui.domain.cilium.lint.values import KIND_OF, Hit, Known, Parsed, Steps, entries, specs
from tui.domain.cilium.model import Entry as Compiled
from tui.domain.cilium.model import HttpRule, Layer7, Network, Peer, PortRule, Ports, Rulebook, Term
from tui.domain.cilium.policy import NAMESPACE_KEY, mapping
from tui.domain.yamledit import format_path

Found = tuple[Parsed, Hit]
Rivals = frozenset[tuple[str, str]]
"""Pairs of folders that hold a policy of the same name: most likely for different clusters."""


def normal(value: Any) -> str:
    """Equal texts for values that mean the same: null and missing fields, order of keys, order of lists."""
    return json.dumps(_plain(value), sort_keys=True, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return sorted((_plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True, default=str))
    return value


def _place(parsed: Parsed, steps: Steps = ()) -> str:
    """Where a thing stands, for a message: file and line, or the policy's name."""
    if parsed.place is not None and parsed.written.file:
        return f"{parsed.written.file}:{parsed.place(steps)[0]}"
    return f"{parsed.title} {format_path(steps)}".strip()


def _folder(parsed: Parsed) -> str:
    return parsed.written.file.rpartition("/")[0]


def rivals(every: Iterable[Parsed]) -> Rivals:
    """Folders whose policies are not compared with each other, each pair in both orders."""
    folders: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for parsed in every:
        folders[parsed.resource, parsed.namespace, parsed.name].add(_folder(parsed))
    return frozenset((one, other) for held in folders.values() for one in held for other in held if one != other)


def policy_twice(every: Sequence[Parsed], known: Known) -> Iterator[Found]:
    """The same kind, namespace and name in two places."""
    seen: dict[tuple[str, str, str], Parsed] = {}
    for parsed in every:
        if not parsed.name:
            continue
        first = seen.setdefault((parsed.resource, parsed.namespace, parsed.name), parsed)
        if first is parsed:
            continue
        apart = _folder(first) != _folder(parsed)
        same = normal([first.raw.get("spec"), first.raw.get("specs")]) == normal(
            [parsed.raw.get("spec"), parsed.raw.get("specs")]
        )
        yield (
            parsed,
            Hit(
                ("metadata", "name"),
                f"{KIND_OF[parsed.resource]} {parsed.title} is also in {_place(first, ('metadata', 'name'))}"
                + (", and says the same." if same else ", and says something else: whichever is applied last counts."),
                "Delete one of them, or give it another name."
                + (" Leave both if they are for different clusters." if apart else ""),
                "info" if apart else "warning" if same else "",
            ),
        )


def policy_duplicate(every: Sequence[Parsed], known: Known) -> Iterator[Found]:
    """Two policies with different names and the same rules."""
    seen: dict[str, Parsed] = {}
    apart = rivals(every)
    for parsed in every:
        rules = [{key: value for key, value in spec.raw.items() if key != "description"} for spec in specs(parsed)]
        if not rules:
            continue
        first = seen.setdefault(f"{parsed.resource} {parsed.namespace} {normal(rules)}", parsed)
        if first is not parsed and first.name != parsed.name and (_folder(first), _folder(parsed)) not in apart:
            yield (
                parsed,
                Hit(
                    ("metadata", "name"),
                    f"{parsed.title} says exactly what {first.title} says ({_place(first)}).",
                    "Delete one of them.",
                ),
            )


def rule_duplicate(every: Sequence[Parsed], known: Known) -> Iterator[Found]:
    """The same entry twice for the same subject, within one policy."""
    for parsed in every:
        seen: dict[str, Steps] = {}
        for entry in entries(parsed):
            key = f"{entry.section} {normal(entry.spec.subject)} {entry.spec.nodes} {normal(entry.raw)}"
            first = seen.setdefault(key, entry.steps)
            if first is not entry.steps:
                yield (
                    parsed,
                    Hit(entry.steps, f"The entry says the same as {format_path(first)}.", "Delete one of them."),
                )


# -- names need DNS ------------------------------------------------------------------------------------------------


def fqdn_without_dns(every: Sequence[Parsed], known: Known) -> Iterator[Found]:
    """toFQDNs for pods whose lookups no DNS rule passes through the proxy."""
    proxied: list[tuple[tuple[Term, ...], list[str]]] = []
    wanting: list[tuple[Parsed, Steps, tuple[Term, ...], list[tuple[Steps, str]]]] = []
    for parsed in every:
        subjects = {spec.steps: subject(spec).terms for spec in specs(parsed)}
        for entry, _, names in dns_rules(parsed):
            proxied.append((subjects[entry.spec.steps], names))
        for entry in entries(parsed):
            asked = [
                (steps, str(mapping(each).get("matchName") or mapping(each).get("matchPattern") or ""))
                for steps, each in entry.items("toFQDNs")
            ]
            if asked and not entry.knp and not entry.deny:
                wanting.append((parsed, entry.steps, subjects[entry.spec.steps], asked))
    for parsed, steps, terms, asked in wanting:
        rules = [names for theirs, names in proxied if implied(theirs, terms)]
        if not rules:
            yield (
                parsed,
                Hit(
                    (*steps, "toFQDNs"),
                    "No DNS rule (`rules.dns`) is for the same pods: Cilium never learns the addresses of these names, "
                    "and the entry allows nothing.",
                    "Allow port 53 to the cluster's DNS with `rules: {dns: [{matchPattern: '*'}]}`, for the same pods.",
                ),
            )
            continue
        allowed = [pattern for names in rules for pattern in names]
        for place, name in asked:
            if name and not any(_lets(pattern, name) for pattern in allowed):
                yield (
                    parsed,
                    Hit(
                        place,
                        f"The DNS rules of these pods do not let them look up {name}: it stays unreachable.",
                        f"Add {name} to the DNS rule.",
                    ),
                )


def _lets(pattern: str, name: str) -> bool:
    """Whether a DNS rule lets a name, or every name of another pattern, be looked up. In doubt it does."""
    allowed, wanted = pattern.rstrip(".").lower(), name.rstrip(".").lower()
    if allowed in ("*", wanted) or "*" in allowed.removeprefix("*."):
        return True
    if allowed.startswith("*."):
        rest = allowed[2:]
        return wanted.endswith(f".{rest}") and (
            "*" in wanted.removeprefix("*.") or wanted.count(".") == allowed.count(".")
        )
    return False


# -- one rule covers another ---------------------------------------------------------------------------------------


def implied(wide: Iterable[Term], narrow: Sequence[Term]) -> bool:
    """Whether whatever meets `narrow` meets `wide`, as far as the words tell."""
    return all(any(_follows(term, given) for given in narrow) for term in wide)


def _follows(term: Term, given: Term) -> bool:
    if term == given:
        return True
    (source, key, operator, values), (its_source, its_key, its_operator, its_values) = term, given
    if key != its_key or source not in ("any", its_source):
        return False
    if operator == "Exists":
        return its_operator in ("In", "Exists")
    if operator == "In":
        return its_operator == "In" and set(its_values) <= set(values)
    if source != its_source:  # absent under one source says nothing of the others
        return False
    if operator == "NotIn":
        return (
            its_operator == "DoesNotExist"
            or (its_operator == "NotIn" and set(values) <= set(its_values))
            or (its_operator == "In" and not set(its_values) & set(values))
        )
    return False


_WORLD = ("reserved", "world", "Exists", ())


def peers_covered(wide: tuple[Peer, ...] | None, narrow: tuple[Peer, ...] | None) -> bool:
    """Whether every peer of `narrow` is one of `wide`."""
    if wide is None:
        return True
    return narrow is not None and all(any(_peer_covered(one, each) for one in wide) for each in narrow)


def _peer_covered(wide: Peer, narrow: Peer) -> bool:
    if wide.unresolved or narrow.unresolved:
        return False
    if wide.fqdn and wide.fqdn != narrow.fqdn:
        return False
    outside = narrow.cidr is not None or bool(narrow.fqdn)
    if not implied(wide.terms, (*narrow.terms, *((_WORLD,) if outside else ()))):
        return False
    if wide.cidr is not None and (narrow.cidr is None or not _inside(narrow.cidr, wide.cidr)):
        return False
    return all(_misses(hole, narrow) for hole in wide.holes)


def _misses(hole: Network, peer: Peer) -> bool:
    """Whether a peer has no address in a hole; a block of every address has no `cidr`, and may have holes."""
    if any(_inside(hole, own) for own in peer.holes):
        return True
    return peer.cidr is not None and not _touch(hole, peer.cidr)


def _inside(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _touch(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def ports_covered(wide: Sequence[PortRule], narrow: Sequence[PortRule], above: bool = True) -> bool:
    """Whether every port of `narrow` is one of `wide`; `above`: with the same asked above layer 4."""
    return bool(narrow) and all(
        any((not above or each.layer7 == one.layer7) and _ports_in(one.ports, each.ports) for each in wide)
        for one in narrow
    )


def _ports_in(narrow: tuple[Ports, ...] | None, wide: tuple[Ports, ...] | None) -> bool:
    if wide is None:
        return True
    return narrow is not None and all(
        any(
            each.protocol == one.protocol
            and each.name == one.name
            and (bool(one.name) or each.first <= one.first <= one.last <= each.last)
            for each in wide
        )
        for one in narrow
    )


def covered(every: Sequence[Parsed], book: Rulebook) -> Iterator[tuple[str, Parsed, Hit]]:
    """(rule, policy, hit) of the entries that have no effect beside another one."""
    homes = {(p.resource, p.namespace, p.name, p.written.file): p for p in every}
    apart = rivals(every)
    sections = Counter(map(_section, book.entries))
    groups: dict[tuple[str, tuple[Term, ...]], list[Compiled]] = defaultdict(list)
    for entry in book.entries:
        if entry.ports and entry.peers != ():
            groups[entry.direction, entry.subject].append(entry)
    keys = {terms: {term[1] for term in terms} for _, terms in groups}
    places: dict[tuple[str, str], list[tuple[Term, ...]]] = defaultdict(list)
    for direction, terms in groups:
        places[direction, _namespace(terms)].append(terms)
    for (direction, terms), members in groups.items():
        near = [*places[direction, ""], *(places[direction, _namespace(terms)] if _namespace(terms) else ())]
        wider = [each for each in near if keys[each] <= keys[terms] and implied(each, terms)]
        around = [entry for each in wider for entry in groups[direction, each]]
        if any(entry.requires for entry in around):
            continue  # what their peers are depends on each other
        for entry in members:
            where = entry.where
            home = homes.get((where.resource, where.namespace, where.policy, where.file))
            beside = [one for one in around if not apart or (_of(one), _of(entry)) not in apart]
            if home is not None and (told := _told(entry, beside, sections[_section(entry)] == 1)) is not None:
                yield told[0], home, told[1]


def _namespace(terms: tuple[Term, ...]) -> str:
    """The one namespace that subjects are in; "" when it may be another."""
    return next((each[3][0] for each in terms if each[1:3] == (NAMESPACE_KEY, "In") and len(each[3]) == 1), "")


def _section(entry: Compiled) -> tuple[object, ...]:
    """The list that an entry stands in."""
    where = entry.where
    return where.resource, where.namespace, where.policy, where.file, where.path.rpartition("[")[0]


def _of(entry: Compiled) -> str:
    return entry.where.file.rpartition("/")[0]


def _told(entry: Compiled, around: Iterable[Compiled], lone: bool) -> tuple[str, Hit] | None:
    """The worst that other entries do to one. `lone`: it is there to switch default deny on too."""
    steps = _steps(entry.where.path)
    voided, redundant = None, None
    for other in around:
        if other is entry or not peers_covered(other.peers, entry.peers):
            continue
        place = _at(other, entry)
        if other.deny and not entry.deny and ports_covered(other.ports, entry.ports, above=False):
            return "unreachable", Hit(
                steps,
                f"{place} denies all of it, and deny beats allow: the entry allows nothing.",
                "Delete the entry, or narrow the deny.",
            )
        if other.deny or entry.deny:
            continue
        if _asks(entry) and _opens(other, entry):
            voided = voided or other
        elif (
            not lone
            and other.authentication == entry.authentication
            and ports_covered(other.ports, entry.ports)
            and not _same(other, entry)
        ):
            redundant = redundant or other
    if voided is not None:
        return "layer7-voided", Hit(
            steps,
            f"{_at(voided, entry)} allows the same peers and ports without asking for requests: "
            "what this entry asks above layer 4 restricts nothing.",
            "Take the ports out of the other rule, or ask for requests there too.",
        )
    if redundant is not None:
        return "redundant", Hit(
            steps,
            f"{_at(redundant, entry)} allows all of it already.",
            "Delete the entry, or narrow the other one.",
        )
    return None


def _asks(entry: Compiled) -> bool:
    return any(_restricts(rule.layer7) for rule in entry.ports)


def _restricts(asked: Layer7 | None) -> bool:
    """Whether any request is refused."""
    return asked is not None and not asked.any and "*" not in asked.dns and HttpRule() not in asked.http


def _opens(other: Compiled, entry: Compiled) -> bool:
    """Whether another entry allows a port of this one whose requests are asked for, without asking."""
    asked = [rule for rule in entry.ports if _restricts(rule.layer7)]
    free = [rule for rule in other.ports if rule.layer7 is None]
    return any(_ports_in(rule.ports, each.ports) for rule in asked for each in free)


def _same(one: Compiled, other: Compiled) -> bool:
    """Equal entries cover each other: the later one is told, and by another rule within one policy."""
    equal = (
        peers_covered(other.peers, one.peers)
        and ports_covered(other.ports, one.ports)
        and implied(one.subject, other.subject)
        and implied(other.subject, one.subject)
    )
    return equal and (one.where[:3] == other.where[:3] or one.where >= other.where)


def _at(other: Compiled, entry: Compiled) -> str:
    if other.where[:3] == entry.where[:3] and other.where.file == entry.where.file:
        return other.where.path
    return f"{other.where.path} of {other.where.name}"


def _steps(path: str) -> Steps:
    from tui.domain.yamledit import parse

    return tuple(step for step in parse(path) if isinstance(step, str | int))
