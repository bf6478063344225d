"""The verdict for one flow: what each end's policies say, and why.

    deny  >  allow, then what is asked above layer 4  >  default deny

Every rule that selects an end counts, whatever its kind; there is no order. Rules: Cilium `pkg/policy/{repository,
rule,l4,mapstate}.go` (1.19).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from tui.domain.cilium.caveats import caveats
from tui.domain.cilium.conflicts import meanings
from tui.domain.cilium.identity import Identity, holds, identity, matches
from tui.domain.cilium.layer7 import passes
from tui.domain.cilium.model import (
    Direction,
    Endpoint,
    Entry,
    Flow,
    Layer7,
    PortRule,
    Ports,
    Rulebook,
    Side,
    Surroundings,
    Term,
    Verdict,
    Where,
    Word,
)
from tui.domain.cilium.words import both_ends, called, place, places, traffic

_NOWHERE = ("remote-node", "unmanaged", "kube-apiserver")  # reserved identities whose endpoint is not of this agent


class _View(NamedTuple):
    """A flow as one of its ends sees it."""

    direction: Direction
    flow: Flow
    surroundings: Surroundings
    subject: Endpoint
    me: Identity
    peer: Endpoint
    other: Identity

    def answer(
        self,
        word: Literal["allowed", "denied", "unknown", "n/a"],
        because: str,
        reason: str,
        steps: Iterable[str] = (),
        **more: object,
    ) -> Side:
        return Side(self.direction, word, reason, because, steps=(*steps, f"So {reason}."), **more)  # type: ignore[arg-type]


class _Match(NamedTuple):
    """An entry that means the flow. `sure` False: only if what is `missing` were so."""

    entry: Entry
    layer7: tuple[Layer7 | None, ...]  # what is asked on the ports that match, None = nothing
    bits: int  # of the port that its most telling ports fix; the most specific decides on authentication
    exact: bool  # nothing is asked on exactly this port, which a DNS rule for it minds
    sure: bool
    words: str  # the peer, as it was written
    missing: str = ""


def verdict(book: Rulebook, flow: Flow) -> Verdict:
    """Whether a new connection passes: its source's egress and its destination's ingress must both let it."""
    around = book.surroundings
    source, destination = identity(flow.source, around), identity(flow.destination, around)
    egress = _side(book, _View("egress", flow, around, flow.source, source, flow.destination, destination))
    ingress = _side(book, _View("ingress", flow, around, flow.destination, destination, flow.source, source))
    word, decides = _both(egress, ingress)
    reason = decides.reason
    if word == "denied" and around.settings.audit and decides.because != "layer 7":
        word, reason = "allowed", f"allowed, because policy audit mode is on; otherwise {reason}"
    return Verdict(word, egress, ingress, reason, caveats(book, flow, egress, ingress, source, destination))


def _both(egress: Side, ingress: Side) -> tuple[Word, Side]:
    """The answer of both ends, and the end whose reason tells it best."""
    words: tuple[Word, ...] = ("denied", "unknown")
    for word in words:
        for side in (egress, ingress):
            if side.verdict == word:
                return word, side
    telling = ("rule", "authentication", "local host", "not enforced", "no endpoint")
    return "allowed", min((ingress, egress), key=lambda side: telling.index(side.because))


def _side(book: Rulebook, view: _View) -> Side:
    if (elsewhere := _elsewhere(view)) is not None:
        return elsewhere
    selecting = [entry for entry in book.entries if entry.direction == view.direction and holds(entry.subject, view.me)]
    enforced_by, because = _default_deny(selecting, view)
    steps = [_selected_step(selecting, view), _enforced_step(selecting, because, view)]
    if not selecting and not because:
        return _allowed_without(selecting, view, steps)
    found = list(_matches(selecting, view))
    steps += [_step(each, view) for each in found]
    return _decide(selecting, found, enforced_by, because, view, steps)


def _elsewhere(view: _View) -> Side | None:
    """The answer where no policy of this rulebook decides: outside, on another node, in another cluster, never."""
    settings, me, name = view.surroundings.settings, view.me, called(view.subject)
    if not me.known:
        reason = f"unknown: {name} has neither labels nor an address, so that nobody can tell who it is"
        return view.answer("unknown", "missing", reason, missing=(f"who {name} is",))
    if me.outside:
        reason = f"no policy is enforced at {name}: it is outside the cluster"
    elif me.reserved("host") and not settings.host_firewall:
        reason = f"allowed: no policy is enforced at {name}, because the host firewall is off"
        return view.answer("allowed", "not enforced", reason)
    elif not me.reserved("host") and any(me.reserved(each) for each in _NOWHERE):
        reason = f"no policy is enforced at {name} by this node: it has no endpoint here"
    elif me.cluster not in ("", settings.cluster):
        reason = f"{name} is of cluster {me.cluster}, whose own policies decide there"
    elif settings.enforcement == "never":
        return view.answer("allowed", "not enforced", f"allowed: policies are never enforced, at {name} as elsewhere")
    else:
        return None
    return view.answer("n/a", "no endpoint", reason)


def _default_deny(selecting: Sequence[Entry], view: _View) -> tuple[tuple[Where, ...], str]:
    """(who switched default deny on, why it is on); "" when it is off."""
    found = tuple(dict.fromkeys(entry.where for entry in selecting if entry.default_deny))
    if view.surroundings.settings.enforcement == "always":
        return found, "enforcement is set to always"
    if ("any", "init") in view.me.labels:
        return found, "what is being created (reserved:init) is always enforced"
    return found, f"{places(found)} switches it on" if found else ""


def _matches(selecting: Sequence[Entry], view: _View) -> Iterable[_Match]:
    """The entries that mean the flow, and those that would if what is missing were so."""
    required = {
        deny: tuple(term for entry in selecting if entry.deny == deny for term in entry.requires)
        for deny in (False, True)
    }
    for entry in selecting:
        rules = [(rule, bits) for rule in entry.ports if (bits := _port_bits(rule, view.flow)) is not None]
        if not rules:
            continue
        means, words = _means(entry, required[entry.deny], view)
        if means is False:
            continue
        layer7 = tuple(rule.layer7 for rule, _ in rules)
        exact = any(rule.layer7 is None and _names_port(rule, view.flow) for rule, _ in rules)
        missing = "" if means else _missing(words, view)
        yield _Match(entry, layer7, max(bits for _, bits in rules), exact, means is True, words, missing)


def _means(entry: Entry, required: tuple[Term, ...], view: _View) -> tuple[bool | None, str]:
    """Whether an entry's peers mean the other end, and by which of them; None when it cannot be told."""
    if entry.peers is None:
        return True, "any peer"
    unsure = ""
    for peer in entry.peers:
        answer = matches(peer, view.other, view.surroundings)
        if answer is not False and peer.endpoint and required and not holds(required, view.other):
            continue
        if answer:
            return True, peer.words
        if answer is None:
            unsure = unsure or peer.words
    return (None, unsure) if unsure else (False, "")


def _missing(words: str, view: _View) -> str:
    name = called(view.peer)
    if not view.other.known:
        return f"who {name} is"
    return f"whether {name} belongs to {words}"


def _port_bits(rule: PortRule, flow: Flow) -> int | None:
    """How many bits of the port the most telling of a rule's ports fixes, -1 for every protocol; None = no match."""
    if rule.ports is None:
        return -1
    protocol = flow.protocol.upper()
    found = [bits for ports in rule.ports if (bits := _bits(ports, protocol, flow)) is not None]
    return max(found, default=None)


def _bits(ports: Ports, protocol: str, flow: Flow) -> int | None:
    if ports.protocol.upper() != protocol:
        return None
    span = _span(ports, flow.destination)
    if span is None or not span[0] <= flow.port <= span[1]:
        return None
    first, last = span
    if first == last:
        return 16
    for free in range(16, 0, -1):
        start = flow.port >> free << free
        if first <= start and start + (1 << free) - 1 <= last:
            return 16 - free
    return 16


def _names_port(rule: PortRule, flow: Flow) -> bool:
    """True when a rule's ports name exactly the flow's port: no range, not every port."""
    protocol = flow.protocol.upper()
    spans = [_span(ports, flow.destination) for ports in rule.ports or () if ports.protocol.upper() == protocol]
    return (flow.port, flow.port) in spans


def _span(ports: Ports, destination: Endpoint) -> tuple[int, int] | None:
    """First and last port; a name is looked up at the destination, None when it has none of that name."""
    if not ports.name:
        return ports.first, ports.last
    named = _named(ports, destination)
    return None if named is None else (named, max(named, ports.last))


def _named(ports: Ports, destination: Endpoint) -> int | None:
    """What a named port is at the destination; None when it has none of that name and protocol."""
    return destination.named_ports.get(f"{ports.name}/{ports.protocol}")


def _decide(
    selecting: Sequence[Entry],
    found: Sequence[_Match],
    enforced_by: tuple[Where, ...],
    because: str,
    view: _View,
    steps: list[str],
) -> Side:
    denies = [each for each in found if each.entry.deny]
    allows = [each for each in found if not each.entry.deny]
    ends = both_ends(called(view.subject), called(view.peer), view.direction)
    sure = [each.entry.where for each in denies if each.sure]
    if sure:
        reason = f"denied by {places(sure)}: it denies {traffic(view.flow)} {ends}"
        return view.answer("denied", "deny rule", reason, steps, where=tuple(sure), enforced_by=enforced_by)
    passed = any(each.sure for each in allows) or not because or _local_host(view)
    unsure = denies if passed else [each for each in allows if not each.sure]
    if unsure:
        missing = tuple(dict.fromkeys(each.missing for each in unsure))
        rules = [each.entry.where for each in unsure]
        verb = "denied" if passed else "allowed"
        reason = f"unknown: {traffic(view.flow)} {ends} is {verb} by {places(rules)} only if {_whether(missing)}"
        return view.answer(
            "unknown", "missing", reason, steps, where=tuple(rules), enforced_by=enforced_by, missing=missing
        )
    if not passed:
        reason = f"denied by default: no rule allows {traffic(view.flow)} {ends}, and {because}"
        return view.answer("denied", "default deny", reason, steps, enforced_by=enforced_by)
    allows = [each for each in allows if each.sure]
    if not allows:
        if because or (selecting and _local_host(view)):
            reason = f"allowed: {called(view.subject)} always takes what comes from its own node"
            return view.answer("allowed", "local host", reason, steps, enforced_by=enforced_by)
        return _allowed_without(selecting, view, steps)
    return _allowed(allows, enforced_by, because, view, steps)


def _whether(missing: Sequence[str]) -> str:
    return " or ".join(each.removeprefix("whether ") for each in missing)


def _local_host(view: _View) -> bool:
    """True when the own node always gets in (allow-localhost), so that probes of the kubelet pass."""
    settings = view.surroundings.settings
    if view.direction != "ingress" or settings.allow_localhost != "always":
        return False
    return view.other.reserved("host") and not view.me.reserved("host")


def _allowed_without(selecting: Sequence[Entry], view: _View, steps: Sequence[str]) -> Side:
    """Allowed, because nothing is enforced."""
    name = called(view.subject)
    if selecting:
        reason = f"allowed: the rules that select {name} for {view.direction} do not switch default deny on"
    else:
        reason = f"allowed: no policy selects {name} for {view.direction}"
    return view.answer("allowed", "not enforced", reason, steps)


def _allowed(
    allows: Sequence[_Match], enforced_by: tuple[Where, ...], because: str, view: _View, steps: list[str]
) -> Side:
    """Allowed at layer 4; what is asked above it decides, unless some rule allows the same without asking."""
    ends = both_ends(called(view.subject), called(view.peer), view.direction)
    plain = [each for each in allows if None in each.layer7]
    asking = [each for each in allows if any(each.layer7)]
    mode = _authentication(allows)
    common = {"enforced_by": enforced_by, "authentication": mode, "redirected": bool(asking)}
    settings = view.surroundings.settings
    # Envoy lets pass what any rule allows without asking; the DNS proxy knows the rules of exactly its port alone.
    asks_dns = any(rule is not None and rule.parser == "dns" for each in asking for rule in each.layer7)
    plainly = any(each.exact for each in plain) if asks_dns else bool(plain)
    free = plainly or _local_host(view) or (not because and settings.version >= (1, 18))
    if asking and not free and view.flow.request is not None:
        answers = [
            (each, passes(rule, view.flow.request)) for each in asking for rule in each.layer7 if rule is not None
        ]
        chosen = [each for each, answer in answers if answer]
        if not chosen:
            return _refused(asking, any(answer is None for _, answer in answers), ends, view, steps, common)
        allows = chosen
    rules = tuple(dict.fromkeys(each.entry.where for each in (*(plain or ()), *allows)))
    reason = f"allowed by {places(rules)}: it allows {traffic(view.flow)} {ends}"
    if mode == "test-always-fail":
        reason = f"{reason}, but authentication (test-always-fail) then drops it"
        return view.answer("allowed", "authentication", reason, steps, where=rules, **common)
    return view.answer("allowed", "rule", reason, steps, where=rules, **common)


def _refused(
    asking: Sequence[_Match], unsure: bool, ends: str, view: _View, steps: list[str], common: dict[str, object]
) -> Side:
    """No rule above layer 4 lets the request pass, or none of which that can be told."""
    rules = tuple(dict.fromkeys(each.entry.where for each in asking))
    if unsure:
        missing = ("what a rule above layer 4 asks that only the proxy can tell",)
        reason = f"unknown: only the proxy can tell whether {places(rules)} lets the request pass {ends}"
        return view.answer("unknown", "missing", reason, steps, where=rules, missing=missing, **common)
    reason = f"denied above layer 4 by {places(rules)}: it lets {traffic(view.flow)} in {ends}, but not this request"
    return view.answer("denied", "layer 7", reason, steps, where=rules, **common)


def _authentication(allows: Sequence[_Match]) -> str:
    """The mode that the most specific rule asks for; one that says nothing takes over a broader one's.

    What is led through the proxy goes before rules that ask nothing above layer 4, and so takes over nothing from them,
    but for those of the same peer and port, which are one rule with it.
    """
    asking = [each for each in allows if any(each.layer7)]
    said = [each for each in allows if each.entry.authentication]
    if asking:
        said = [each for each in said if any(_together(each, other) for other in asking)]
    if not said:
        return ""
    chosen = max(said, key=lambda each: (each.bits, each.entry.peers is not None))
    return chosen.entry.authentication


def _together(one: _Match, other: _Match) -> bool:
    """True for what the agent takes as one rule: the same port and the same selector of peers."""
    if one is other:
        return True
    return one.bits == other.bits and not meanings(one.entry).isdisjoint(meanings(other.entry))


def _selected_step(selecting: Sequence[Entry], view: _View) -> str:
    name = called(view.subject)
    if not selecting:
        return f"No rule selects {name} for {view.direction}."
    rules = list(dict.fromkeys(entry.where for entry in selecting))
    verb = "rule selects" if len(rules) == 1 else "rules select"
    return f"{len(rules)} {verb} {name} for {view.direction}: {places(rules, 5)}."


def _enforced_step(selecting: Sequence[Entry], because: str, view: _View) -> str:
    if because:
        return f"Default deny is on for {view.direction}: {because}."
    return f"Default deny is off for {view.direction}{', no rule switches it on' if selecting else ''}."


def _step(found: _Match, view: _View) -> str:
    verb = "denies" if found.entry.deny else "allows"
    text = f"{place(found.entry.where)} {verb} {traffic(view.flow)} {_way(view)} {found.words}"
    if found.missing:
        text += f", if that is so: {found.missing}"
    if any(found.layer7):
        text += ", and asks above layer 4"
    return f"{text}."


def _way(view: _View) -> str:
    return "from" if view.direction == "ingress" else "to"
