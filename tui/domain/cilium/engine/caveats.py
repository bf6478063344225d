"""What could make the real answer another one than the verdict, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from tui.domain.cilium.engine.identity import Identity, matches
from tui.domain.cilium.engine.peers import UNRESOLVED
from tui.domain.cilium.engine.selected import selected
from tui.domain.cilium.engine.words import called, place
from tui.domain.cilium.model import Endpoint, Flow, Rulebook, Side


def caveats(
    book: Rulebook, flow: Flow, egress: Side, ingress: Side, source: Identity, destination: Identity
) -> tuple[str, ...]:
    """What a reader must know besides the verdict."""
    settings = book.surroundings.settings
    found = []
    if settings.audit and "denied" in (egress.verdict, ingress.verdict):
        found.append("Policy audit mode is on: what is denied passes all the same, and is reported as AUDIT.")
    for side in (egress, ingress):
        if side.authentication in ("required", "test-always-fail"):
            found.append(_authentication(side, settings.authentication))
    if source.outside and ingress.verdict in ("allowed", "denied"):
        found.append(
            f"The source address may be masked: through a NodePort or LoadBalancer with externalTrafficPolicy Cluster "
            f"{called(flow.source)} arrives as a node."
        )
    for side, end, who, other in (
        (egress, flow.source, source, destination),
        (ingress, flow.destination, destination, source),
    ):
        if side.because != "no endpoint":
            found.extend(_conflicts(book, end, who))
        if side.where:
            found.extend(_of_rules(book, side, other, called(flow.destination)))
    for end, who in ((flow.source, source), (flow.destination, destination)):
        if who.cluster not in ("", settings.cluster):
            found.append(f"{called(end)} is of cluster {who.cluster}: the policies there decide on its side.")
    return tuple(dict.fromkeys(found))


def _of_rules(book: Rulebook, side: Side, other: Identity, name: str) -> Iterator[str]:
    """What the rules that decided depend on."""
    deciding = set(side.where)
    for entry in book.entries:
        if entry.where not in deciding or entry.direction != side.direction:
            continue
        for peer in entry.peers or ():
            if peer.words == UNRESOLVED:
                yield f"No known service is meant by toServices in {place(entry.where)}: its ports are open to all."
            elif peer.fqdn and side.verdict == "allowed" and matches(peer, other, book.surroundings):
                yield f"It is so only as long as DNS answers {name} for {peer.fqdn}."
        ports = [each for rule in entry.ports for each in rule.ports or ()]
        if side.direction == "egress" and (named := next((each.name for each in ports if each.name), "")):
            yield (
                f"The agent looks up port {named} in all pods of the cluster: where they give it different numbers, "
                f"{place(entry.where)} matches nothing."
            )
        if any(rule.layer7 is not None and rule.layer7.parser == "listener" for rule in entry.ports):
            yield f"{place(entry.where)} leads to a listener of Envoy, which decides for itself what it lets pass."


def _conflicts(book: Rulebook, end: Endpoint, who: Identity) -> Iterator[str]:
    """Where the agent fails to compute the policy of an endpoint, of both directions alike."""
    settings = book.surroundings.settings
    if settings.enforcement == "never" or (who.reserved("host") and not settings.host_firewall):
        return
    for what, (one, other) in selected(book, end, who).conflicts:
        yield (
            f"The agent cannot put {what} together ({place(one)}; {place(other)}): "
            f"{called(end)} keeps the policy that it had before them."
        )


def _authentication(side: Side, on: bool) -> str:
    if side.authentication == "test-always-fail":
        return f"Authentication for {side.direction} is test-always-fail: every packet is dropped."
    if not on:
        return f"Authentication is required for {side.direction}, and mesh-auth-enabled is false: nobody can meet it."
    return f"Authentication is required for {side.direction}: packets are dropped until both ends have authenticated."
