"""Rule entries as they are written, compared by what they mean: which is the same, which says more."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from tui.domain.cilium.policy import KNP, mapping, sequence

_NOT_PEERS = frozenset(("toPorts", "ports", "icmps", "authentication"))
_CIDRS = frozenset(("fromCIDR", "toCIDR", "fromCIDRSet", "toCIDRSet", "from", "to"))


def canonical(value: Any) -> Any:
    """Equal for what means the same: the order of keys and of list items does not matter."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), canonical(part)) for key, part in value.items()))
    if isinstance(value, list | tuple):
        return ("list", *sorted((canonical(part) for part in value), key=repr))
    return repr(value)


def peers_of(entry: Mapping[str, Any]) -> Any:
    """Whom an entry is about, comparable."""
    return canonical({key: value for key, value in entry.items() if key not in _NOT_PEERS})


def asks_above(entry: Mapping[str, Any]) -> bool:
    """Whether something is asked above layer 4."""
    return any(set(mapping(ports)) - {"ports"} for ports in sequence(entry.get("toPorts")))


# -- ports ---------------------------------------------------------------------------------------------------------


def covered(wanted: Mapping[str, Any], there: Iterable[Mapping[str, Any]], default: str = "ANY") -> bool:
    """Whether a port is among others, or within one of their ranges; ANY covers TCP, UDP and SCTP.

    `default`: the protocol of a port that names none.
    """
    return any(_covers(one, wanted, default) for one in there)


def _covers(one: Mapping[str, Any], other: Mapping[str, Any], default: str) -> bool:
    mine, its = (str(each.get("protocol") or default).upper() for each in (one, other))
    if mine != its and not (mine == "ANY" and its in ("TCP", "UDP", "SCTP")):
        return False
    first, wanted = (str(each.get("port", "0")) for each in (one, other))
    if first == "0":
        return True
    if not (first.isdigit() and wanted.isdigit()):
        return first == wanted
    last, end = (max(int(port), int(each.get("endPort") or 0)) for port, each in ((first, one), (wanted, other)))
    return wanted != "0" and int(first) <= int(wanted) and end <= last


# -- entries -------------------------------------------------------------------------------------------------------


def entry_covers(one: Mapping[str, Any], other: Mapping[str, Any], resource: str) -> bool:
    """Whether an entry says everything that another one of the same section says, as far as their text tells."""
    if canonical(one.get("authentication")) != canonical(other.get("authentication")):
        return False
    if not (_says_something(one, resource) and _says_something(other, resource)):
        return not _says_something(other, resource)
    return _peers_cover(one, other) and _ports_cover(one, other, resource)


def _says_something(entry: Mapping[str, Any], resource: str) -> bool:
    """An entry of Cilium with neither peers nor ports, and one whose peers are an empty list, is about nothing."""
    if resource == KNP:
        return True
    fields = {key: value for key, value in entry.items() if key not in _NOT_PEERS}
    if any(isinstance(value, list) and not value for key, value in fields.items() if key != "toFQDNs"):
        return False
    return bool(fields or sequence(entry.get("toPorts")) or sequence(entry.get("icmps")))


def _peers_cover(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    mine, its = (_peer_items(each) for each in (one, other))
    if not mine:
        return True  # no peers are named: it is about everybody
    if not its:
        return False
    return all(any(_peer_covers(field, item, theirs) for field, item in mine if field == name) for name, theirs in its)


def _peer_items(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (field.replace("CIDRSet", "CIDR"), item)
        for field, value in entry.items()
        if field not in _NOT_PEERS
        for item in sequence(value)
    ]


def _peer_covers(field: str, item: Any, other: Any) -> bool:
    if canonical(item) == canonical(other):
        return True
    return field in _CIDRS and _cidr_covers(_block(item), _block(other))


def _block(item: Any) -> Mapping[str, Any]:
    if isinstance(item, str):
        return {"cidr": item}
    held = mapping(item)
    return mapping(held.get("ipBlock")) or held


def _cidr_covers(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if not (isinstance(one.get("cidr"), str) and isinstance(other.get("cidr"), str)):
        return False
    try:
        outer, inner = (ipaddress.ip_network(each["cidr"], strict=False) for each in (one, other))
    except ValueError:
        return False
    if outer.version != inner.version or not inner.subnet_of(outer):  # type: ignore[arg-type]
        return False
    holes = {str(each) for each in sequence(one.get("except"))}
    return holes <= {str(each) for each in sequence(other.get("except"))}


def _ports_cover(one: Mapping[str, Any], other: Mapping[str, Any], resource: str) -> bool:
    if resource == KNP:
        mine, its = (sequence(each.get("ports")) for each in (one, other))
        if not mine:
            return True
        return bool(its) and all(covered(mapping(each), map(mapping, mine), "TCP") for each in its)
    if not (sequence(one.get("toPorts")) or sequence(one.get("icmps"))):
        return True
    if not (sequence(other.get("toPorts")) or sequence(other.get("icmps"))):
        return False
    mine, its = (_told(each) for each in (one, other))
    return all(_told_covers(mine, port, above) for port, above in its)


_Told = list[tuple[Mapping[str, Any], Any]]


def _told(entry: Mapping[str, Any]) -> _Told:
    """Every port of an entry with what is asked above it; an ICMP type counts as a port of its own protocol."""
    found: _Told = []
    for held in map(mapping, sequence(entry.get("toPorts"))):
        above = {key: value for key, value in held.items() if key != "ports"}
        ports = [mapping(port) for port in sequence(held.get("ports"))]
        if not ports and above:  # without either it is about no port
            ports = [{"port": "0"}]
        found += [(port, canonical(above) if above else None) for port in ports]
    for held in map(mapping, sequence(entry.get("icmps"))):
        for field in map(mapping, sequence(held.get("fields"))):
            number = str(field.get("type"))
            found.append(({"port": f"type {number}", "protocol": str(field.get("family") or "IPv4")}, None))
    return found


def _told_covers(mine: _Told, port: Mapping[str, Any], above: Any) -> bool:
    return covered(port, (each for each, asked in mine if asked is None or asked == above))
