"""Questions as people type them: ports, and what is asked above layer 4."""

from __future__ import annotations

import msgspec

from tui.domain.cilium.model import Request

_PROTOCOLS = {"TCP": "TCP", "UDP": "UDP", "SCTP": "SCTP", "ICMP": "ICMP", "ICMPV4": "ICMP", "ICMPV6": "ICMPv6"}


def parse_port(text: str) -> tuple[int, str]:
    """(port or ICMP type, protocol) of `8080`, `53/udp`, `8/ICMP`. Raises ValueError that says what would do."""
    number, _, protocol = text.strip().partition("/")
    name = _PROTOCOLS.get(protocol.strip().upper() or "TCP")
    if name is None:
        raise ValueError(f"{protocol} is no protocol: TCP, UDP, SCTP, ICMP or ICMPv6")
    most = 255 if name.startswith("ICMP") else 65535
    if not number.strip().isdecimal() or not (int(number) <= most and (int(number) or name.startswith("ICMP"))):
        what = "an ICMP type from 0 to 255, as in 8/ICMP" if most == 255 else "a port from 1 to 65535, as in 8080/TCP"
        raise ValueError(f"{text.strip()}: give {what}")
    return int(number), name


def parse_request(text: str) -> Request | None:
    """`GET /orders of shop.example`, `DNS db.example`, `SNI db.example`, together or alone; None for nothing.

    Raises ValueError that says what would do.
    """
    words = text.split()
    found: dict[str, str] = {}
    at = 0
    while at < len(words):
        word = words[at]
        after = words[at + 1] if at + 1 < len(words) else ""
        if word.lower() in ("dns", "sni"):
            if not after:
                raise ValueError(f"{word} needs a name, as in {word} db.example.com")
            found[word.lower()] = after
            at += 2
        elif word.lower() == "of" and after:
            found["host"] = after
            at += 2
        elif word.startswith("/"):
            found["path"] = word
            at += 1
        elif word.isalpha() and word.isupper():
            found["method"] = word
            at += 1
        else:
            raise ValueError(f"{word} is not understood: write GET /path of host, DNS name or SNI name")
    if found.keys() & {"method", "path", "host"}:
        found = {"method": "GET", "path": "/", **found}
    return msgspec.convert(found, Request) if found else None
