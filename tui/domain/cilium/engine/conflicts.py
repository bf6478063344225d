"""Rules that are each right and that the agent cannot put together: it then keeps the policy it had before.

Rules: Cilium `pkg/policy/rule.go` (`mergePortProto`, 1.19): what two rules ask of the same peer on the same port must
be one parser and one authentication, and a server name can be asked for beside requests only where TLS ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tui.domain.cilium.model import Direction, Entry, Layer7, Peer, Ports, Where

_NO_PARSER = ("", "tls")  # what they ask can be asked beside anything
_Key = tuple[Direction, Ports | None, object]


def conflicts(selecting: Iterable[Entry]) -> Iterator[tuple[str, tuple[Where, Where]]]:
    """(what cannot be together, where the two rules stand) among the entries that select one endpoint.

    "HTTP and Kafka rules", "authentication required and disabled", "server names and HTTP rules".
    """
    parsers: dict[_Key, tuple[str, Where]] = {}
    modes: dict[_Key, tuple[str, Where]] = {}
    names: dict[_Key, Where] = {}
    ended: set[_Key] = set()  # TLS ends there, or a rule could not ask for both
    for entry in selecting:
        if entry.deny:
            continue
        for ports, layer7 in _asked(entry):
            for meaning in meanings(entry):
                key = (entry.direction, ports, meaning)
                parser = layer7.parser if layer7 and layer7.parser not in _NO_PARSER else ""
                if parser:
                    first, place = parsers.setdefault(key, (parser, entry.where))
                    if first != parser:
                        yield f"{first} and {parser} rules", (place, entry.where)
                if entry.authentication:
                    mode, place = modes.setdefault(key, (entry.authentication, entry.where))
                    if mode != entry.authentication:
                        yield f"authentication {mode} and {entry.authentication}", (place, entry.where)
                if layer7 and layer7.server_names:
                    names.setdefault(key, entry.where)
                    ended.update([key] if parser else ())
    for key, place in names.items():
        if key in parsers and key not in ended:
            yield f"server names and {parsers[key][0]} rules", (place, parsers[key][1])


def _asked(entry: Entry) -> Iterator[tuple[Ports | None, Layer7 | None]]:
    for rule in entry.ports:
        if rule.layer7 is not None or entry.authentication:
            for ports in rule.ports or (None,):
                yield ports, rule.layer7


def meanings(entry: Entry) -> frozenset[object]:
    """What makes the peers of two entries one selector to the agent, however they were written."""
    peers = (Peer(),) if entry.peers is None else entry.peers
    return frozenset((peer.terms, peer.cidr, peer.holes, peer.fqdn) for peer in peers)
