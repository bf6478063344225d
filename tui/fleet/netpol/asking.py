"""May A talk to B? Ends by their names, in one cluster or two; each side is judged by its own cluster's policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import NamedTuple

import msgspec

from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.model import Endpoint, Flow, Request, Side, Verdict, Word
from tui.domain.cilium.reachability.grouping import Group
from tui.fleet.netpol.state import End, State


class Unanswerable(ValueError):
    """The question cannot be asked so; the text says why, and what would do."""


@dataclass(frozen=True)
class Question:
    """Who wants to talk to whom, and how. Ends are names: `shop/web-1`, an application `shop/web`, an address, `world`.

    An end outside of the clusters has the cluster of the other end.
    """

    source_cluster: str = ""
    source: str = ""
    cluster: str = ""  # the destination's
    destination: str = ""
    port: int = 0
    protocol: str = "TCP"
    request: Request | None = None

    def turned(self) -> Question:
        """The same the other way round."""
        return replace(
            self,
            source_cluster=self.cluster,
            source=self.destination,
            cluster=self.source_cluster,
            destination=self.source,
        )

    def within(self, cluster: str) -> Question:
        """The same in another cluster."""
        return replace(self, source_cluster=cluster, cluster=cluster)


class Answer(NamedTuple):
    """A verdict with the ends that were found for the names."""

    source: End
    destination: End
    verdict: Verdict


def end_of(state: State, name: str) -> tuple[End, list[str]]:
    """The end that a name means, and what to know about it. Raises Unanswerable."""
    name = name.strip()
    if not name:
        raise Unanswerable("choose both ends first")
    if (found := state.ends.get(name)) is not None:
        return found, []
    if name in state.unidentified:
        raise Unanswerable(f"{name} has no identity yet: Cilium has still to give it one")
    if (member := state.applications.get(name)) is not None:
        more = f"{name} has {member.identities} identities; the answer is {member.end.name}'s."
        return member.end, [more] if member.identities > 1 else []
    if (address := _address(name)) is not None:
        held = next((end for end in state.ends.values() if end.endpoint.ip == address), None)
        if held is not None:
            return held, [f"{address} is {held.name}."]
        told = f"{address} is no pod and no node of {state.cluster}: it is taken as outside of the cluster."
        return End(Endpoint((), address, address), Group("outside", "world")), [told]
    near = sorted(each for each in state.ends if name in each)[:4]
    raise Unanswerable(f"{state.cluster} has no endpoint {name}" + (f"; near: {', '.join(near)}" if near else ""))


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def ask(states: Mapping[str, State], question: Question) -> Answer:
    """The answer with the reason of both sides. `states` has those of both clusters. Raises Unanswerable."""
    here, there = states[question.source_cluster], states[question.cluster]
    source, about_source = end_of(here, question.source)
    destination, about_destination = end_of(there, question.destination)
    notes = [*about_source, *about_destination, *_mesh(here, there, source, destination)]
    same = here is there and bool(source.node) and source.node == destination.node
    if here is there and (source.own is None) != (destination.own is None):  # a node and a pod, say
        notes += [
            f"Which node {end.name} is on is not known: it is taken as another one."
            for end in (source, destination)
            if end.ref is not None and not end.node
        ]
    going = _flow(question, source.own or source.endpoint, _seen(destination, same))
    coming = _flow(question, _seen(source, same), destination.own or destination.endpoint)
    out = verdict(here.book, going)
    into = verdict(there.book, coming) if (there is not here or coming != going) else out
    egress, ingress = _blinded(out.egress, here), _blinded(into.ingress, there)
    word, reason = _joined(egress, ingress)
    if word == "denied" and (here if egress.verdict == "denied" else there).surroundings.settings.audit:
        word, reason = "allowed", f"policies are only audited there; otherwise {reason}"
    for state in dict.fromkeys((here.cluster, there.cluster)):
        lead = f"{state}: " if here is not there else ""
        notes += [lead + each for each in states[state].caveats]
    caveats = dict.fromkeys([*out.caveats, *into.caveats, *notes])
    return Answer(source, destination, Verdict(word, egress, ingress, reason, tuple(caveats)))


def _flow(question: Question, source: Endpoint, destination: Endpoint) -> Flow:
    return Flow(source, destination, question.port, question.protocol, question.request)


def _seen(end: End, same: bool) -> Endpoint:
    """An end as the other one's policies see it: a node is `host` to its own pods, and `remote-node` to all others."""
    if not same or "reserved:remote-node" not in end.endpoint.labels:
        return end.endpoint
    labels = (*(each for each in end.endpoint.labels if each.startswith("reserved:kube")), "reserved:host")
    return msgspec.structs.replace(end.endpoint, labels=tuple(sorted(labels)))


def _mesh(here: State, there: State, source: End, destination: End) -> list[str]:
    if here is there:
        return []
    names = here.surroundings.settings.cluster, there.surroundings.settings.cluster
    if names[0] == names[1]:
        return [
            f"Both clusters call themselves {names[0]} (cluster-name), so they are in no mesh with each other: "
            "what comes from the one is world to the other."
        ]
    return ["Whether the two clusters are joined to a mesh is in no object that may be read; it is taken as given."]


def _blinded(side: Side, state: State) -> Side:
    """The side as unknown where policies that cannot be read could decide otherwise: only a deny is beyond that."""
    if not state.blind or side.verdict in ("n/a", "unknown") or side.because == "deny rule":
        return side
    missing = (*side.missing, *state.blind)
    reason = f"{state.blind[0].rstrip('.')}; by what can be read: {side.reason}"
    return msgspec.structs.replace(side, verdict="unknown", because="missing", reason=reason, missing=missing)


def _joined(egress: Side, ingress: Side) -> tuple[Word, str]:
    """Both sides must allow; one that denies decides whatever the other would say. With the reason of that side."""
    words: tuple[Word, ...] = ("denied", "unknown")
    for word in words:
        for side in (egress, ingress):
            if side.verdict == word:
                return word, side.reason
    telling = [side for side in (ingress, egress) if side.verdict == "allowed" and side.because != "not enforced"]
    return "allowed", (telling or [side for side in (ingress, egress) if side.verdict == "allowed"] or [ingress])[
        0
    ].reason


class Place(NamedTuple):
    """What one cluster answers to a question that is asked in many: an answer, or in words why there is none."""

    cluster: str
    answer: Answer | None
    why: str = ""


def everywhere(states: Sequence[tuple[str, State | str]], question: Question, ends: tuple[End, End]) -> list[Place]:
    """The question asked in every cluster about the same two applications, or whatever the ends are there."""
    found = []
    for cluster, state in states:
        if isinstance(state, str):
            found.append(Place(cluster, None, state))
            continue
        asked = replace(question.within(cluster), source=ends[0].called, destination=ends[1].called)
        try:
            found.append(Place(cluster, ask({cluster: state}, asked)))
        except Unanswerable as error:
            found.append(Place(cluster, None, str(error)))
    return found
