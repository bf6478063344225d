"""From a dropped flow to the smallest rule that would let it pass, or why there is none.

The steps are: is it a policy's default deny; whose policies decided; how the subject and its peer are selected; which
ports; on which policy. What else the rule would do is in `proposed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import msgspec

from tui.domain.cilium.engine.identity import Identity, holds, identity
from tui.domain.cilium.hubble.judging import judge
from tui.domain.cilium.hubble.observed import AUTHENTICATION, DENY_RULE, Observed, Party
from tui.domain.cilium.model import Direction, Endpoint, HttpRule, Rulebook, Written
from tui.domain.cilium.policy import CNP, NAMESPACE_KEY, mapping, rules, sequence
from tui.domain.cilium.reachability.grouping import group_of
from tui.domain.cilium.ruling.choice import Chosen, Cidr, Entity, Fqdn, Icmp, NewRule, Pods, Port
from tui.domain.cilium.select import split_label, subject_requirements

# Labels that say which application a pod is of, best first; the rest of its labels says which pod of it.
_APPLICATION = (
    ("app.kubernetes.io/name", "app.kubernetes.io/instance"),
    ("app.kubernetes.io/name",),
    ("app",),
    ("k8s-app",),
)
_INTERNAL = ("io.kubernetes", "io.cilium", "kubernetes.io", "k8s.io", "pod-template", "controller-", "statefulset.")
_ENTITIES = ("kube-apiserver", "host", "remote-node", "ingress", "unmanaged", "init")  # the most telling first
_WORLD = frozenset({"world", "world-ipv4", "world-ipv6"})
_DNS = {"k8s-app": "kube-dns"}  # of the cluster's DNS, whatever serves it (Kubernetes add-on convention)
_SPECIAL = re.compile(r"([.+*?()|\[\]{}^$\\])")


class NoRule(ValueError):
    """There is no rule to draft; the text says why. `policies` are those that deny."""

    def __init__(self, reason: str, policies: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.policies = tuple(policies)


@dataclass(frozen=True)
class Around:
    """What is known of the cluster that the flow was seen in."""

    book: Rulebook
    written: tuple[Written, ...]
    endpoints: tuple[Endpoint, ...]  # pods by name `namespace/pod`; nodes and the like by theirs

    @cached_property
    def _by_name(self) -> Mapping[str, Endpoint]:
        return {each.name: each for each in self.endpoints}

    @cached_property
    def _applications(self) -> dict[tuple[tuple[str, ...], str], str]:
        return {}

    def known(self, party: Party) -> Endpoint | None:
        """The endpoint of a pod, with what a flow does not tell."""
        return self._by_name.get(f"{party.namespace}/{party.pod}") if party.pod else None

    def identity(self, endpoint: Endpoint) -> Identity:
        """Who an endpoint is."""
        return identity(endpoint, self.book.surroundings)

    def application(self, endpoint: Endpoint) -> str:
        """What people call what it is part of: `web in shop`."""
        key = endpoint.labels, endpoint.name if not endpoint.labels else ""
        held = self._applications.get(key)
        if held is None:
            cluster = self.book.surroundings.settings.cluster
            group = group_of(self.identity(endpoint), "application", cluster, endpoint.name)
            held = self._applications[key] = group.words
        return held


class Home(NamedTuple):
    """A policy that the rule belongs into, and which rule of it."""

    written: Written
    number: int  # of its `spec` and `specs`


class Seen(msgspec.Struct, frozen=True):
    """How often such a flow was dropped, and when: seconds since the epoch."""

    count: int
    first: float
    last: float


class Proposal(msgspec.Struct, frozen=True):
    """A rule that would let a flow pass. Texts are foreign."""

    record: Observed
    direction: Direction
    rules: tuple[NewRule, ...]  # the first is the one that was asked for
    namespace: str
    workload: str
    subject: Mapping[str, str]  # matchLabels
    seen: Seen
    home: Home | None = None  # None: a policy of its own
    notes: tuple[str, ...] = ()  # what should be looked at


def refusal(record: Observed) -> str:
    """Why no rule can let this flow pass, as far as the flow itself tells; "" when one might."""
    if record.answer:
        return "it is a reply: replies pass without a rule, what was dropped is the connection they belong to"
    if record.verdict not in ("DROPPED", "AUDIT"):
        return f"it was not dropped but {record.verdict.lower() or 'is of no verdict'}"
    if record.reason == AUTHENTICATION:
        return "policies allow it, but the two ends have not authenticated each other (AUTH_REQUIRED)"
    if record.reason == DENY_RULE:
        denied = [told.words for told in record.told if not told.allowed]
        who = f": {', '.join(denied)}" if denied else ""
        return f"a rule denies it (POLICY_DENY), which no rule that allows can overrule{who}"
    if not record.by_policy:
        return f"it was dropped for {record.reason or 'a reason that is not told'}, which is no policy's doing"
    if not record.direction:
        return "the flow does not tell which end dropped it"
    if not record.protocol:
        return "the flow does not tell protocol and port"
    if any("health" in party.reserved for party in (record.source, record.destination)):
        return "it is Cilium's own health check"
    if not record.subject.namespace:
        who = record.subject.name or "its end"
        return f"{who} is no pod: only policies of pods are drafted from flows"
    return ""


def propose(
    record: Observed, around: Around, flows: Iterable[Observed] = (), *, world: bool = False, audited: bool = True
) -> Proposal:
    """The smallest rule that would let a dropped flow pass. Raises NoRule.

    `flows` are others that were seen, to tell how often. `world`: allow everybody outside, instead of the one address
    that was seen; only meant for ingress. Without `audited` the rulebook is not asked whether the flow passes by now.
    """
    if reason := refusal(record):
        raise NoRule(reason, [told.words for told in record.told if not told.allowed])
    if audited:
        _still_denied(record, around)
    direction: Direction = "egress" if record.direction == "egress" else "ingress"
    subject, peer = record.subject, record.peer
    mine = around.known(subject) or subject.endpoint()
    theirs = around.known(peer) or peer.endpoint()
    home = home_of(mine, around, direction)
    notes: list[str] = []
    if home is not None:
        held = rules(home.written.policy, CNP)[home.number]
        labels = {str(key): str(value) for key, value in mapping(mapping(held.selector).get("matchLabels")).items()}
    else:
        labels = chosen_labels(mine, around, notes)
    chosen = _peer(record, theirs, around, world, notes)
    made = [_with_ports(NewRule(direction, (chosen,)), record)]
    if isinstance(chosen, Fqdn):
        made += _dns_rule(chosen, mine, around, notes)
    return Proposal(
        record=record,
        direction=direction,
        rules=tuple(made),
        namespace=subject.namespace,
        workload=subject.workload or _short(mine, around) or subject.pod,
        subject=labels,
        seen=_seen(record, flows),
        home=home,
        notes=tuple(notes),
    )


def _still_denied(record: Observed, around: Around) -> None:
    """Raises NoRule when by today's policies the flow passes, or no rule can help."""
    now = judge(around.book, record, around.known)
    if now.word == "allowed":
        raise NoRule(f"by the policies of now it passes: {now.reason}")
    if now.side is not None and now.side.because == "deny rule":
        where = [each.name for each in now.side.where]
        raise NoRule(
            f"by the policies of now a rule denies it, which no rule that allows can overrule: {now.reason}", where
        )
    if now.side is not None and now.side.because == "authentication":
        raise NoRule(f"by the policies of now it is authentication that fails: {now.reason}")


# -- who -------------------------------------------------------------------------------------------------------------


def own_labels(endpoint: Endpoint) -> dict[str, str]:
    """The labels of a pod that are its own: without those that Kubernetes and Cilium add."""
    found = {}
    for label in endpoint.labels:
        source, key, value = split_label(label)
        if source == "k8s" and not key.startswith(_INTERNAL):
            found[key] = value
    return found


def chosen_labels(endpoint: Endpoint, around: Around, notes: list[str]) -> dict[str, str]:
    """The labels that select the application of a pod; what else they select is noted. Raises NoRule."""
    labels = own_labels(endpoint)
    if not labels:
        raise NoRule(f"{endpoint.name or 'the pod'} has no labels of its own that a policy could select it by")
    kin = [each for each in around.endpoints if _namespace(each) == _namespace(endpoint)]
    own = around.application(endpoint)
    best: tuple[dict[str, str], list[str]] | None = None
    named = [{key: labels[key] for key in keys} for keys in _APPLICATION if all(key in labels for key in keys)]
    for wanted in (*named, labels):
        others = sorted({around.application(each) for each in kin if _has(each, wanted)} - {own})
        if best is None or len(others) < len(best[1]):
            best = (wanted, others)
        if not others:
            break
    assert best is not None
    if best[1]:
        notes.append(f"these labels also select {_some(best[1])}")
    if not named:
        notes.append("no label says which application it is of: all its labels are used")
    return best[0]


def home_of(endpoint: Endpoint, around: Around, direction: Direction) -> Home | None:
    """The CiliumNetworkPolicy whose rule selects the application of a pod, all of it, and nothing else.

    One that has entries in the direction already is preferred, then one whose file is known, then the first by name.
    """
    own = around.application(endpoint)
    same = [each for each in around.endpoints if around.application(each) == own] or [endpoint]
    kin = [each for each in around.endpoints if _namespace(each) == _namespace(endpoint)]
    found: list[tuple[tuple[bool, bool, str, int], Home]] = []
    for written in around.written:
        meta = written.policy.metadata
        if written.resource != CNP or meta.namespace != _namespace(endpoint):
            continue
        for number, rule in enumerate(rules(written.policy, CNP)):
            selector = mapping(rule.selector)
            if rule.nodes or not selector.get("matchLabels") or sequence(selector.get("matchExpressions")):
                continue
            terms = subject_requirements(rule, meta.namespace, CNP)
            chosen = [each for each in kin if holds(terms, around.identity(each))]
            if not all(holds(terms, around.identity(each)) for each in same):
                continue
            if any(around.application(each) != own for each in chosen):
                continue
            order = (not rule.sections[direction], not written.file, meta.name, number)
            found.append((order, Home(written, number)))
    valid = {(each.where.namespace, each.where.policy) for each in around.book.invalid if each.where.resource == CNP}
    found = [each for each in found if each[0] and _key(each[1]) not in valid]
    return min(found, key=lambda each: each[0])[1] if found else None


def _key(home: Home) -> tuple[str, str]:
    meta = home.written.policy.metadata
    return meta.namespace, meta.name


def _peer(record: Observed, theirs: Endpoint, around: Around, world: bool, notes: list[str]) -> Chosen:
    """The other end as a rule names it. Raises NoRule."""
    peer = record.peer
    who = around.identity(theirs)
    reserved = frozenset(key for source, key in who.labels if source == "reserved")
    if who.namespace:
        mine = around.identity(around.known(record.subject) or record.subject.endpoint())
        other = who.namespace if who.namespace != mine.namespace else ""
        cluster = who.cluster if who.cluster and mine.cluster and who.cluster != mine.cluster else ""
        return Pods(chosen_labels(theirs, around, notes), other, cluster=cluster)
    if entity := next((name for name in _ENTITIES if name in reserved), ""):
        return Entity(entity)
    if not peer.ip or not (who.outside or reserved & _WORLD):
        raise NoRule(f"the flow does not tell who {peer.name or 'the other end'} is")
    if record.direction == "egress" and peer.names:
        if len(peer.names) > 1:
            notes.append(f"its address was also looked up as {_some(peer.names[1:])}")
        return Fqdn(peer.names[0])
    if record.direction == "ingress" and world:
        notes.append("everybody outside of the cluster may then connect")
        return Entity("world")
    notes.append(
        "the source may be masked: a load balancer or another node may stand before it"
        if record.direction == "ingress"
        else "an address outside of the cluster may change its owner: verify it"
    )
    return Cidr(f"{peer.ip}/{128 if ':' in peer.ip else 32}")


def _dns_rule(name: Fqdn, mine: Endpoint, around: Around, notes: list[str]) -> list[NewRule]:
    """What a rule with a DNS name needs beside it: Cilium's proxy must see the name being looked up."""
    me = around.identity(mine)
    for entry in around.book.entries:
        asks = any(rule.layer7 is not None and rule.layer7.parser == "dns" for rule in entry.ports)
        if asks and entry.direction == "egress" and not entry.deny and holds(entry.subject, me):
            return []
    servers = [each for each in around.endpoints if _has(each, _DNS) and _namespace(each) == "kube-system"]
    if around.endpoints and not servers:
        notes.append(
            "no DNS rule lets Cilium learn its addresses, and no pod k8s-app=kube-dns was found to write one for"
        )
        return []
    notes.append("a DNS rule comes with it: without one Cilium never learns the addresses of a name")
    where = Pods(_DNS, "" if me.namespace == "kube-system" else "kube-system")
    return [NewRule("egress", (where,), (Port("53", "ANY"),), dns=(name.name,))]


# -- what ------------------------------------------------------------------------------------------------------------


def _with_ports(rule: NewRule, record: Observed) -> NewRule:
    """The rule for the port of the flow and, where it was dropped above layer 4, for its request alone."""
    if record.protocol.startswith("ICMP"):
        family = "IPv6" if record.protocol == "ICMPv6" else "IPv4"
        return msgspec.structs.replace(rule, icmps=(Icmp(str(record.port), family),))
    ports = (Port(str(record.port), record.protocol),)
    request = record.request
    if request is not None and request.dns and rule.direction == "egress":
        return msgspec.structs.replace(rule, ports=(Port(str(record.port), "ANY"),), dns=(request.dns,))
    if request is not None and request.method:
        path, query, _ = request.path.partition("?")
        pattern = _SPECIAL.sub(r"\\\1", path) + (r"(\?.*)?" if query else "")
        return msgspec.structs.replace(rule, ports=ports, http=(HttpRule(request.method, pattern),))
    return msgspec.structs.replace(rule, ports=ports)


def _seen(record: Observed, flows: Iterable[Observed]) -> Seen:
    """How often flows like this one were dropped, this one included."""
    wanted = _likeness(record)
    times = [each.time for each in flows if each.by_policy and not each.answer and _likeness(each) == wanted]
    times = times or [record.time]
    known = [time for time in times if time] or [0.0]
    return Seen(len(times), min(known), max(known))


def _likeness(record: Observed) -> tuple[object, ...]:
    peer = record.peer
    who = (peer.namespace, peer.workload or peer.pod) if peer.namespace else (peer.names or peer.ip)
    subject = record.subject
    return record.direction, subject.namespace, subject.workload or subject.pod, who, record.protocol, record.port


def why(proposal: Proposal) -> str:
    """`dropped 12 times, 10:00:00Z to 10:05:00Z`, for a commit and the head of a file."""
    from tui.domain import when

    seen, record = proposal.seen, proposal.record
    word = "audited" if record.verdict == "AUDIT" else "dropped"
    times = f"{word} once" if seen.count == 1 else f"{word} {seen.count} times"
    if not seen.last:
        return times
    if seen.count == 1 or int(seen.first) == int(seen.last):
        return f"{times}, {when.rfc3339(seen.last)}"
    return f"{times}, {when.rfc3339(seen.first)} to {when.rfc3339(seen.last)}"


def _has(endpoint: Endpoint, wanted: Mapping[str, str]) -> bool:
    held = set(endpoint.labels)
    return all(f"k8s:{key}={value}" in held for key, value in wanted.items())


def _namespace(endpoint: Endpoint) -> str:
    mark = f"k8s:{NAMESPACE_KEY}="
    return next((label[len(mark) :] for label in endpoint.labels if label.startswith(mark)), "")


def _short(endpoint: Endpoint, around: Around) -> str:
    return group_of(around.identity(endpoint), "application", around.book.surroundings.settings.cluster, "").name


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:4]) + (f" and {len(words) - 4} more" if len(words) > 4 else "")
