"""The verdict for one flow: what each end's policies say, and why.

    deny  >  allow, then what is asked above layer 4  >  default deny

Every rule that selects an end counts, whatever its kind; there is no order. Rules: Cilium `pkg/policy/{repository,
rule,l4,mapstate}.go` (1.19).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from tui.domain.cilium.engine.caveats import caveats
from tui.domain.cilium.engine.identity import identity, names_host
from tui.domain.cilium.engine.layer7 import passes
from tui.domain.cilium.engine.matching import Match, Reached, View, authentication, matched
from tui.domain.cilium.engine.selected import selected
from tui.domain.cilium.engine.words import both_ends, called, place, places, traffic
from tui.domain.cilium.model import (
    Entry,
    Flow,
    Request,
    Rulebook,
    Settings,
    Side,
    Verdict,
    Where,
    Word,
)

_NOWHERE = ("remote-node", "unmanaged", "kube-apiserver")  # reserved identities whose endpoint is not of this agent


def _answer(
    view: View,
    word: Literal["allowed", "denied", "unknown", "n/a"],
    because: str,
    reason: str,
    steps: Iterable[str] = (),
    **more: object,
) -> Side:
    return Side(view.direction, word, reason, because, steps=(*steps, f"So {reason}."), **more)  # type: ignore[arg-type]


def verdict(book: Rulebook, flow: Flow) -> Verdict:
    """Whether a new connection passes: its source's egress and its destination's ingress must both let it."""
    around = book.surroundings
    source, destination = identity(flow.source, around), identity(flow.destination, around)
    egress = _side(book, View("egress", flow, around, flow.source, source, flow.destination, destination))
    ingress = _side(book, View("ingress", flow, around, flow.destination, destination, flow.source, source))
    word, decides = _both(egress, ingress)
    reason = decides.reason
    if around.settings.audit and word == "denied":
        word, decides = _both(_audited(egress), _audited(ingress))
        reason = decides.reason if word != "allowed" else f"allowed by policy audit mode, otherwise {reason}"
    return Verdict(word, egress, ingress, reason, caveats(book, flow, egress, ingress, source, destination))


def _audited(side: Side) -> Side:
    """A side in audit mode: what layers 3 and 4 deny passes, and is reported; above them nothing changes."""
    if side.verdict != "denied" or side.because == "layer 7":
        return side
    return Side(side.direction, "allowed", side.reason, "not enforced")


def _both(egress: Side, ingress: Side) -> tuple[Word, Side]:
    """The answer of both ends, and the end whose reason tells it best."""
    words: tuple[Word, ...] = ("denied", "unknown")
    for word in words:
        for side in (egress, ingress):
            if side.verdict == word:
                return word, side
    telling = ("rule", "authentication", "local host", "not enforced", "no endpoint")
    return "allowed", min((ingress, egress), key=lambda side: telling.index(side.because))


def _side(book: Rulebook, view: View) -> Side:
    if (elsewhere := _elsewhere(view)) is not None:
        return elsewhere
    selecting = selected(book, view.subject, view.me).entries[view.direction]
    enforced_by, because = _default_deny(selecting, view)
    steps = [_selected_step(selecting, view), _enforced_step(selecting, because, view)]
    if not selecting and not because:
        return _allowed_without(selecting, view, steps)
    means = list(matched(selecting, view))
    steps += [_step(each, view) for each in means]
    return _decide(selecting, means, enforced_by, because, view, steps)


def _elsewhere(view: View) -> Side | None:
    """The answer where no policy of this rulebook decides: outside, on another node, in another cluster, never."""
    settings, me, name = view.surroundings.settings, view.me, called(view.subject)
    if not me.known:
        reason = f"unknown: {name} has neither labels nor an address, so that nobody can tell who it is"
        return _answer(view, "unknown", "missing", reason, missing=(f"who {name} is",))
    if me.outside:
        reason = f"no policy is enforced at {name}: it is outside the cluster"
    elif ("any", "host") in me.labels and not settings.host_firewall:
        # Cilium looks for the key alone: a pod with a label `host` counts, too.
        reason = f"allowed: no policy is enforced at {name}, because the host firewall is off"
        return _answer(view, "allowed", "not enforced", reason)
    elif not me.reserved("host") and any(me.reserved(each) for each in _NOWHERE):
        reason = f"no policy is enforced at {name} by this node: it has no endpoint here"
    elif me.cluster not in ("", settings.cluster):
        reason = f"{name} is of cluster {me.cluster}, whose own policies decide there"
    elif settings.enforcement == "never":
        return _answer(view, "allowed", "not enforced", f"allowed: policies are never enforced, at {name} as elsewhere")
    else:
        return None
    return _answer(view, "n/a", "no endpoint", reason)


def _default_deny(selecting: Sequence[Entry], view: View) -> tuple[tuple[Where, ...], str]:
    """(who switched default deny on, why it is on); "" when it is off."""
    found = tuple(dict.fromkeys(entry.where for entry in selecting if entry.default_deny))
    if view.surroundings.settings.enforcement == "always":
        return found, "policies are always enforced"
    if ("any", "init") in view.me.labels:
        return found, "what is being created (reserved:init) is always enforced"
    if not found:
        return found, ""
    return found, f"{places(found)} puts {called(view.subject)} under default deny for {view.direction}"


def _decide(
    selecting: Sequence[Entry],
    found: Sequence[Match],
    enforced_by: tuple[Where, ...],
    because: str,
    view: View,
    steps: list[str],
) -> Side:
    denies = [each for each in found if each.entry.deny]
    allows = [each for each in found if not each.entry.deny]
    ends = both_ends(called(view.subject), called(view.peer), view.direction)
    sure = [each.entry.where for each in denies if each.sure]
    if sure:
        reason = f"denied by {places(sure)}: it denies {traffic(view.flow)} {ends}"
        return _answer(view, "denied", "deny rule", reason, steps, where=tuple(sure), enforced_by=enforced_by)
    passed = any(each.sure for each in allows) or not because or _local_host(view)
    unsure = denies if passed else [each for each in allows if not each.sure]
    if unsure:
        missing = tuple(dict.fromkeys(each.missing for each in unsure))
        rules = [each.entry.where for each in unsure]
        verb = "denied" if passed else "allowed"
        reason = f"unknown: {traffic(view.flow)} {ends} is {verb} by {places(rules)} only if {_whether(missing)}"
        return _answer(
            view, "unknown", "missing", reason, steps, where=tuple(rules), enforced_by=enforced_by, missing=missing
        )
    if not passed:
        reason = f"denied by default: no rule allows {traffic(view.flow)} {ends}, and {because}"
        return _answer(view, "denied", "default deny", reason, steps, enforced_by=enforced_by)
    allows = [each for each in allows if each.sure]
    if not allows:
        if because or (selecting and _local_host(view)):
            reason = f"allowed: {called(view.subject)} always takes what comes from its own node"
            return _answer(view, "allowed", "local host", reason, steps, enforced_by=enforced_by)
        return _allowed_without(selecting, view, steps)
    return _allowed(allows, enforced_by, because, view, steps)


def _whether(missing: Sequence[str]) -> str:
    return " or ".join(each.removeprefix("whether ") for each in missing)


def _local_host(view: View) -> bool:
    """True when the own node always gets in (allow-localhost), so that probes of the kubelet pass."""
    if view.direction != "ingress" or view.surroundings.settings.allow_localhost != "always":
        return False
    return view.other.reserved("host") and not view.me.reserved("host")


def _allowed_without(selecting: Sequence[Entry], view: View, steps: Sequence[str]) -> Side:
    """Allowed, because nothing is enforced."""
    name = called(view.subject)
    if selecting:
        reason = f"allowed: the rules that select {name} for {view.direction} do not switch default deny on"
    else:
        reason = f"allowed: no policy selects {name} for {view.direction}"
    return _answer(view, "allowed", "not enforced", reason, steps)


def _allowed(
    allows: Sequence[Match], enforced_by: tuple[Where, ...], because: str, view: View, steps: list[str]
) -> Side:
    """Allowed at layer 4; what is asked above it decides, unless some rule allows the same without asking."""
    ends = both_ends(called(view.subject), called(view.peer), view.direction)
    asking = [each for each in allows if any(rule.layer7 for rule in each.rules)]
    mode = authentication(allows)
    common = {"enforced_by": enforced_by, "authentication": mode, "redirected": bool(asking)}
    if asking and view.flow.request is not None:
        settings = view.surroundings.settings
        free = [each for each in allows if any(_asks_nothing(rule, asking) for rule in each.rules)]
        welcome = _local_host(view) and not any(names_host(each.entry.peers) for each in asking)
        if not free and not welcome and (because or settings.version < (1, 18)):
            free, unsure = _passing(asking, view.flow.request, settings)
            if not free:
                return _refused(asking, unsure, ends, view, steps, common)
        allows = free or allows
    rules = tuple(dict.fromkeys(each.entry.where for each in allows))
    reason = f"allowed by {places(rules)}: it allows {traffic(view.flow)} {ends}"
    if mode == "test-always-fail":
        reason = f"{reason}, but authentication (test-always-fail) then drops it"
        return _answer(view, "allowed", "authentication", reason, steps, where=rules, **common)
    return _answer(view, "allowed", "rule", reason, steps, where=rules, **common)


def _asks_nothing(rule: Reached, asking: Sequence[Match]) -> bool:
    """True for an item that lets every request pass.

    Envoy lets pass what any rule allows without asking; the DNS proxy knows the rules of exactly its port alone.
    """
    if rule.layer7 is not None:
        return False
    dns = any(each.layer7 is not None and each.layer7.parser == "dns" for match in asking for each in match.rules)
    return rule.exact or not dns


def _passing(asking: Sequence[Match], request: Request, settings: Settings) -> tuple[list[Match], bool]:
    """(the rules that let the request pass, whether some cannot be told)."""
    deep = settings.version >= (1, 19)
    answers = [
        (each, passes(rule.layer7, request, deep)) for each in asking for rule in each.rules if rule.layer7 is not None
    ]
    return [each for each, answer in answers if answer], any(answer is None for _, answer in answers)


def _refused(
    asking: Sequence[Match], unsure: bool, ends: str, view: View, steps: list[str], common: dict[str, object]
) -> Side:
    """No rule above layer 4 lets the request pass, or none of which that can be told."""
    rules = tuple(dict.fromkeys(each.entry.where for each in asking))
    if unsure:
        missing = ("what a rule above layer 4 asks that only the proxy can tell",)
        reason = f"unknown: only the proxy can tell whether {places(rules)} lets the request pass {ends}"
        return _answer(view, "unknown", "missing", reason, steps, where=rules, missing=missing, **common)
    reason = f"denied above layer 4 by {places(rules)}: it lets {traffic(view.flow)} in {ends}, but not this request"
    return _answer(view, "denied", "layer 7", reason, steps, where=rules, **common)


def _selected_step(selecting: Sequence[Entry], view: View) -> str:
    name = called(view.subject)
    if not selecting:
        return f"No rule selects {name} for {view.direction}."
    rules = list(dict.fromkeys(entry.where for entry in selecting))
    verb = "rule selects" if len(rules) == 1 else "rules select"
    return f"{len(rules)} {verb} {name} for {view.direction}: {places(rules, 5)}."


def _enforced_step(selecting: Sequence[Entry], because: str, view: View) -> str:
    if because:
        return f"What no rule allows is denied: {because}."
    return f"Default deny is off for {view.direction}{', no rule switches it on' if selecting else ''}."


def _step(found: Match, view: View) -> str:
    verb = "denies" if found.entry.deny else "allows"
    text = f"{place(found.entry.where)} {verb} {traffic(view.flow)} {_way(view)} {found.words}"
    if found.missing:
        text += f", if that is so: {found.missing}"
    if any(rule.layer7 for rule in found.rules):
        text += ", and asks above layer 4"
    return f"{text}."


def _way(view: View) -> str:
    return "from" if view.direction == "ingress" else "to"
