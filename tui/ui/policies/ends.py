"""Names of those who can talk, for completion: applications, endpoints, nodes, and who is none of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tui.fleet.netpol.state import State
from tui.ui.commands import Proposal

LIMIT = 60  # proposals that are made; a user types on rather than scroll further
_ALSO = {
    "world": "everything outside of the cluster",
    "host": "the node that the other end is on",
    "remote-node": "every other node",
    "kube-apiserver": "the API server",
    "health": "Cilium's health checks",
    "ingress": "Cilium's Ingress and Gateway",
    "init": "endpoints without an identity yet",
    "unmanaged": "pods that Cilium does not manage",
}


class Name(NamedTuple):
    """One name, lower-cased for the search, and what it is."""

    key: str
    name: str
    help: str


@lru_cache(maxsize=4)
def names(state: State) -> tuple[Name, ...]:
    """Every name of a cluster, applications first."""
    return tuple(Name(name.lower(), name, told) for name, told in _names(state))


def _names(state: State) -> Iterator[tuple[str, str]]:
    for name, member in state.applications.items():
        if member.endpoints > 1 or name != member.end.name:
            yield name, f"application, {member.endpoints} endpoint{'s' * (member.endpoints != 1)}"
    for end in state.ends.values():
        if end.ref is None:
            continue
        if end.own is not None:
            yield end.name, f"node {end.endpoint.ip}"
        else:
            yield end.name, f"{'on ' + end.node if end.node else 'endpoint'} {end.endpoint.ip}".rstrip()
    for name, told in _ALSO.items():
        if name in state.ends:
            yield name, told


def propose(state: State, text: str) -> list[Proposal]:
    """Completions of a name, best first: what is called so, what starts with it, what contains it."""
    wanted = text.strip().lower()
    ranked: list[tuple[int, int, Proposal]] = []
    for at, (key, name, told) in enumerate(names(state)):
        found = key.find(wanted)
        if found < 0:
            continue
        rank = 0 if key == wanted else 1 if not found else 2 if key[found - 1] in "/-." else 3
        ranked.append((rank, at, Proposal(name, told)))
    ranked.sort(key=lambda each: each[:2])
    return [proposal for _, _, proposal in ranked[:LIMIT]]
