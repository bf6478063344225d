"""What could make the real answer another one than the verdict, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from tui.domain.cilium.conflicts import conflicts
from tui.domain.cilium.identity import Identity, holds
from tui.domain.cilium.model import Flow, Rulebook, Side
from tui.domain.cilium.words import called, place


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
    for side, end, who in ((egress, flow.source, source), (ingress, flow.destination, destination)):
        if side.because != "no endpoint":
            found.extend(_conflicts(book, who, called(end)))
    for end, who in ((flow.source, source), (flow.destination, destination)):
        if who.cluster not in ("", settings.cluster):
            found.append(f"{called(end)} is of cluster {who.cluster}: the policies there decide on its side.")
    return tuple(dict.fromkeys(found))


def _conflicts(book: Rulebook, who: Identity, name: str) -> Iterator[str]:
    """Where the agent fails to compute the policy of an endpoint, of both directions alike."""
    settings = book.surroundings.settings
    if settings.enforcement == "never" or (who.reserved("host") and not settings.host_firewall):
        return
    asking = [entry for entry in book.entries if entry.authentication or any(rule.layer7 for rule in entry.ports)]
    for what, (one, other) in conflicts(entry for entry in asking if holds(entry.subject, who)):
        yield (
            f"The agent cannot put {what} together ({place(one)}; {place(other)}): "
            f"{name} keeps the policy that it had before them."
        )


def _authentication(side: Side, on: bool) -> str:
    if side.authentication == "test-always-fail":
        return f"Authentication for {side.direction} is test-always-fail: every packet is dropped."
    if not on:
        return f"Authentication is required for {side.direction}, and mesh-auth-enabled is false: nobody can meet it."
    return f"Authentication is required for {side.direction}: packets are dropped until both ends have authenticated."
