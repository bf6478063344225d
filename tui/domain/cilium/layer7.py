"""What rules above layer 4 let pass: HTTP, DNS, Kafka, server names.

Methods, paths and hosts are regexes that must match as a whole, the path with its query; header names do not mind
case. Rules: Cilium `pkg/policy/api/{http,l7}.go`, `pkg/envoy/xds/server.go`, `pkg/fqdn/matchpattern` (1.19).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from tui.domain.cilium import fqdn
from tui.domain.cilium.model import HttpRule, Layer7, Request

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r"\s",
    "word": r"\w",
    "xdigit": "0-9a-fA-F",
    "punct": r"!-/:-@\[-`{-~",
}
_POSIX = re.compile(r"\[:(\w+):\]")
# Names of Kafka requests that a `role` stands for, and the numbers of names.
_ROLES = {
    "produce": (0, 3, 18),
    "consume": (1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 18),
}
_KAFKA_KEYS = [
    "produce",
    "fetch",
    "offsets",
    "metadata",
    "leaderandisr",
    "stopreplica",
    "updatemetadata",
    "controlledshutdown",
    "offsetcommit",
    "offsetfetch",
    "findcoordinator",
    "joingroup",
    "heartbeat",
    "leavegroup",
    "syncgroup",
    "describegroups",
    "listgroups",
    "saslhandshake",
    "apiversions",
    "createtopics",
    "deletetopics",
    "deleterecords",
    "initproducerid",
    "offsetforleaderepoch",
    "addpartitionstotxn",
    "addoffsetstotxn",
    "endtxn",
    "writetxnmarkers",
    "txnoffsetcommit",
    "describeacls",
    "createacls",
    "deleteacls",
    "describeconfigs",
    "alterconfigs",
]


@lru_cache(maxsize=16384)
def regex(text: str) -> re.Pattern[str] | None:
    """A regex of a policy, in RE2's syntax as far as both have it; None when it cannot be read."""
    try:
        return re.compile(_POSIX.sub(lambda found: _CLASSES.get(found[1], found[0]), text))
    except (re.error, OverflowError, RecursionError):
        return None


def passes(rule: Layer7, request: Request) -> bool | None:
    """Whether a request passes; None when that cannot be told."""
    if rule.server_names and not _server_name(rule.server_names, request.sni):
        return False
    if rule.any or not rule.parser:
        return True
    if rule.parser == "http":
        return _any(_http(each, request) for each in rule.http)
    if rule.parser == "dns":
        return bool(request.dns) and any(not each or fqdn.matches(each, request.dns) for each in rule.dns)
    if rule.parser == "kafka":
        return _any(_kafka(each, request.kafka) for each in rule.kafka)
    return None


def _any(found: Iterable[bool | None]) -> bool | None:
    """Some rule lets it pass: True, nobody knows: None, none does: False."""
    unsure = False
    for each in found:
        if each:
            return True
        unsure = unsure or each is None
    return None if unsure else False


def _server_name(names: tuple[str, ...], asked: str) -> bool:
    """A TLS client names its server; `*.x` stands for one label, `**.x` for one or more."""
    return bool(asked) and any(fqdn.matches(name, asked) for name in names)


def _http(rule: HttpRule, request: Request) -> bool | None:
    if not (request.method or request.path or request.host or request.headers):
        return False  # what the proxy cannot read as HTTP does not pass
    sure = True
    for pattern, text in ((rule.method, request.method), (rule.path, request.path), (rule.host, request.host)):
        if not pattern:
            continue
        found = regex(pattern)
        if found is None:
            sure = False
        elif found.fullmatch(text) is None:
            return False
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not all(_header(each, headers) for each in rule.headers):
        return False
    for name, value, mismatch in rule.matches:
        held = headers.get(name.lower())
        if not value:
            if held is None:
                return False
        elif not mismatch and held != value:
            return False
    if any(name.lower() not in headers for name in rule.secrets):
        return False
    return True if sure and not rule.secrets else None


def _header(wanted: str, headers: Mapping[str, str]) -> bool:
    """`X-Token: 1` must be there as it is, `X-Token` must be there."""
    name, blank, value = wanted.partition(" ")
    held = headers.get(name.rstrip(":").lower() if blank else name.lower())
    return held == value if blank else held is not None


def _kafka(rule: Mapping[str, str], asked: Mapping[str, str]) -> bool | None:
    if not asked:
        return False
    if rule.get("topic") and rule["topic"] != asked.get("topic"):
        return False
    for name in ("clientID", "apiVersion"):
        if rule.get(name) and rule[name] != asked.get(name):
            return False
    wanted: tuple[int, ...] = ()
    if rule.get("role"):
        wanted = _ROLES.get(rule["role"].lower(), ())
    elif rule.get("apiKey"):
        wanted = (_kafka_key(rule["apiKey"]),)
    if not wanted:
        return True
    if asked.get("role"):
        return None if set(wanted) != set(_ROLES.get(asked["role"].lower(), ())) else True
    return bool(asked.get("apiKey")) and _kafka_key(asked["apiKey"]) in wanted


def _kafka_key(text: str) -> int:
    """The number of a kind of request; -1 when it has none."""
    if text.isdigit():
        return int(text)
    return _KAFKA_KEYS.index(text.lower()) if text.lower() in _KAFKA_KEYS else -1
