"""What a proposed rule would do beside letting the one flow pass: to whom, at which end, and what happens next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tui.domain.cilium.engine.identity import holds
from tui.domain.cilium.engine.rulebook import entries_of, prefixes
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.hubble.judging import Judged, judge
from tui.domain.cilium.hubble.observed import DEFAULT_DENY, Observed
from tui.domain.cilium.hubble.propose import Around, NoRule, Proposal, propose
from tui.domain.cilium.model import Direction, Endpoint, Flow, Rulebook, Side, Written
from tui.domain.cilium.policy import CNP, Policy
from tui.domain.cilium.ruling.choice import words_of
from tui.domain.cilium.ruling.spelling import endpoint_selector, entry
from tui.domain.obj import Meta

NAME = "fleet-proposal"  # of the policy that stands for the rule while it is tried out
MOST = 400  # label sets of each end that are tried against each other


class Effect(msgspec.Struct, frozen=True):
    """What a proposal would change. Applications are in words: `web in shop`."""

    passes: Judged  # what the end that dropped the flow would say
    also: tuple[str, ...] = ()  # pairs that it would allow and that were never seen: "cart in shop → api in shop"
    seen: tuple[str, ...] = ()  # pairs that it would allow and that were seen to be dropped
    tried: bool = True  # False: there are too many label sets, `also` and `seen` are of a part
    switches: tuple[str, ...] = ()  # applications for which it would switch default deny on in its direction
    next: Proposal | None = None  # the rule that the other end would need then
    blocked: str = ""  # why the other end would drop it nevertheless


def effect(proposal: Proposal, around: Around, flows: Iterable[Observed] = (), *, default_deny: bool = True) -> Effect:
    """What a proposal would change in a cluster. `flows` are those that were seen. `default_deny` as for the draft."""
    extra = _entries(proposal, around, default_deny)
    after = _with(around.book, extra)
    then = Around(after, around.written, around.endpoints)
    passes = judge(after, proposal.record, around.known)
    also, seen, tried = _pairs(proposal, around, _with(msgspec.structs.replace(around.book, entries=()), extra), flows)
    other, blocked = _other_end(proposal, then, flows)
    return Effect(passes, also, seen, tried, _switched(proposal, around, extra), other, blocked)


def _entries(proposal: Proposal, around: Around, default_deny: bool) -> tuple[Any, ...]:
    """The entries of the rule, as if it stood in a policy of its own: rules of all policies are united."""
    spec: dict[str, Any] = {"endpointSelector": endpoint_selector(proposal.subject)}
    for rule in proposal.rules:
        spec.setdefault(rule.section, []).append(entry(rule, CNP))
    if not default_deny:
        spec["enableDefaultDeny"] = {rule.direction: False for rule in proposal.rules}
    policy = Policy(metadata=Meta(name=NAME, namespace=proposal.namespace), spec=spec)
    return tuple(entries_of(Written(CNP, policy), around.book.surroundings))


def _with(book: Rulebook, extra: tuple[Any, ...]) -> Rulebook:
    entries = (*book.entries, *extra)
    return msgspec.structs.replace(book, entries=entries, cidrs=prefixes(entries, book.surroundings.cidr_groups))


def _switched(proposal: Proposal, around: Around, extra: tuple[Any, ...]) -> tuple[str, ...]:
    """The applications that nothing enforces in a direction of the rule, and that the rule would enforce."""
    if around.book.surroundings.settings.enforcement != "default":
        return ()
    found = set()
    for one in _distinct(around.endpoints):
        who = around.identity(one)
        for added in extra:
            if added.default_deny and holds(added.subject, who):
                enforced = any(
                    each.default_deny and each.direction == added.direction and holds(each.subject, who)
                    for each in around.book.entries
                )
                if not enforced:
                    found.add(f"{around.application(one)} ({added.direction})")
    return tuple(sorted(found))


def _pairs(
    proposal: Proposal, around: Around, alone: Rulebook, flows: Iterable[Observed]
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """(pairs of applications that would be newly allowed and were never seen, those that were seen, all were tried)."""
    record, direction = proposal.record, proposal.direction
    subjects = [each for each in _distinct(around.endpoints) if _selected(alone, each, direction, around)]
    peers = _distinct(around.endpoints)
    tried = len(subjects) <= MOST and len(peers) <= MOST
    observed = {_pair(each, around) for each in flows if each.port == record.port and not each.answer}
    own = _pair(record, around)
    also: set[str] = set()
    seen: set[str] = set()
    for subject in subjects[:MOST]:
        for peer in peers[:MOST]:
            source, destination = (subject, peer) if direction == "egress" else (peer, subject)
            flow = Flow(source, destination, record.port, record.protocol, record.request)
            if source is destination or _side(alone, flow, direction).because not in ("rule", "layer 7"):
                continue
            if _side(around.book, flow, direction).verdict != "denied":
                continue
            pair = f"{around.application(source)} → {around.application(destination)}"
            (seen if pair in observed else also).add(pair)
    return tuple(sorted(also - seen - {own})), tuple(sorted(seen - {own})), tried


def _selected(book: Rulebook, endpoint: Endpoint, direction: Direction, around: Around) -> bool:
    who = around.identity(endpoint)
    return any(each.direction == direction and holds(each.subject, who) for each in book.entries)


def _side(book: Rulebook, flow: Flow, direction: Direction) -> Side:
    found = verdict(book, flow)
    return found.egress if direction == "egress" else found.ingress


def _pair(record: Observed, around: Around) -> str:
    names = []
    for party in (record.source, record.destination):
        endpoint = around.known(party) or party.endpoint()
        names.append(around.application(endpoint))
    return f"{names[0]} → {names[1]}"


def _distinct(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """One endpoint of each set of labels (and names of ports)."""
    found: Mapping[Any, Endpoint] = {(each.labels, tuple(each.named_ports.items())): each for each in endpoints}
    return list(found.values())


def _other_end(proposal: Proposal, then: Around, flows: Iterable[Observed]) -> tuple[Proposal | None, str]:
    """(the rule that the other end would need, or why there is none), as soon as this end lets the flow pass."""
    record = proposal.record
    peer = record.peer
    if not peer.namespace or (peer.cluster and record.subject.cluster and peer.cluster != record.subject.cluster):
        return None, ""  # outside, a node, or another cluster's, whose policies are not these
    turned = msgspec.structs.replace(
        record,
        direction="ingress" if record.direction == "egress" else "egress",
        verdict="DROPPED",
        reason=DEFAULT_DENY,
        told=(),
    )
    judged = judge(then.book, turned, then.known)
    if judged.word == "unknown":
        return None, f"whether the other end lets it pass is not known: {judged.reason}"
    if judged.word != "denied":
        return None, ""
    try:
        return propose(turned, then, flows), ""
    except NoRule as error:
        return None, f"the other end would drop it, and no rule helps: {error}"


def told(proposal: Proposal, made: Effect) -> list[str]:
    """What a user should know before it is drafted, a sentence each, the gravest first."""
    found = []
    if made.passes.word == "denied":
        found.append(f"With this rule alone it does not pass: {made.passes.reason}.")
    elif made.passes.word == "unknown":
        found.append(f"Whether it passes then is not known: {made.passes.reason}.")
    if made.switches:
        found.append(
            f"It would switch default deny on for {_some(made.switches)}: what no rule allows them is dropped then."
        )
    if made.blocked:
        found.append(f"{made.blocked[:1].upper()}{made.blocked[1:]}.")
    if made.next is not None:
        found.append(f"The other end drops it next: it needs to {words_of(made.next.rules[0])}.")
    for pairs, lead in (
        (made.also, "It would also allow, never seen"),
        (made.seen, "It would allow, seen to be dropped"),
    ):
        if pairs:
            found.append(f"{lead}: {_some(pairs)}.")
    if made.tried and not made.also and not made.seen and made.passes.word == "allowed":
        found.append("Of the ends that are known, it lets nobody else pass.")
    if not made.tried:
        found.append(f"More than {MOST} sets of labels: what else it would allow was looked up for a part of them.")
    found += [f"{note[:1].upper()}{note[1:]}." for note in proposal.notes]
    return found


def _some(words: tuple[str, ...]) -> str:
    return ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")
