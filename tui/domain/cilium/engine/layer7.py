"""What rules above layer 4 let pass: HTTP, DNS, Kafka, server names.

Methods, paths and hosts are regexes that must match as a whole, the path with its query; names of headers do not mind
case. Rules: Cilium `pkg/policy/api/{http,l7}.go`, `pkg/envoy/policy`, `pkg/fqdn/dnsproxy`, and for Kafka
`github.com/cilium/proxy` (1.19).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui.domain.cilium.engine import fqdn
from tui.domain.cilium.engine.goregex import Unreadable, compiled
from tui.domain.cilium.model import HttpRule, Layer7, Request

# Kinds of Kafka requests; the place in the list is the number in the protocol.
KAFKA_KEYS = [
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
_ROLES = {"produce": (0, 3, 18), "consume": (1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 18)}
_WITH_TOPICS = (*range(7), 8, 9, 19, 20, 21, 23, 24, 27, 28, 34, 35, 37)  # a rule's topic is asked of these alone


def passes(rule: Layer7, request: Request, deep: bool = True) -> bool | None:
    """Whether a request passes; None when that cannot be told. `deep`: `**.` means several labels (1.19 and later)."""
    if rule.parser == "http" and rule.server_names and not request.sni:  # TLS has ended, and nobody told its name
        return False if _any(_http(each, request) for each in rule.http) is False else None
    if rule.server_names and not _server_name(rule.server_names, request.sni):
        return False
    if rule.any or not rule.parser:
        return True
    if rule.parser == "http":
        return _any(_http(each, request) for each in rule.http)
    if rule.parser == "dns":
        names = (fqdn.is_every_name(each) or fqdn.matches(each, request.dns, deep) for each in rule.dns)
        return bool(request.dns) and any(names)
    if rule.parser == "kafka":
        return any(_kafka(each, request.kafka) for each in rule.kafka)
    return None


def _any(found: Iterable[bool | None]) -> bool | None:
    """Some rule lets it pass: True; nobody knows: None; none does: False."""
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
    sure = not rule.secrets
    for pattern, text in ((rule.method, request.method), (rule.path, request.path), (rule.host, request.host)):
        answer = _full_match(pattern, text)
        if answer is False:
            return False
        sure = sure and answer is True
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not all(_header(each, headers) for each in rule.headers):
        return False
    for name, value, mismatch in rule.matches:
        held = headers.get(name.lower())
        if not mismatch and (held is None or (value and held != value)):  # with an action it passes all the same
            return False
    if any(name.lower() not in headers for name in rule.secrets):
        return False
    return True if sure else None


def _full_match(pattern: str, text: str) -> bool | None:
    """Whether a regex matches the whole text; the empty one matches everything, None when that cannot be told."""
    if not pattern:
        return True
    try:
        found = compiled(pattern)
    except Unreadable:
        return False  # a host's regex is not checked before: it matches nothing
    return None if found is None else found.fullmatch(text) is not None


def _header(wanted: str, headers: Mapping[str, str]) -> bool:
    """`X-Token: 1` must be there as it is, `X-Token` must be there."""
    name, blank, value = wanted.partition(" ")
    held = headers.get(name.rstrip(":").lower() if blank else name.lower())
    return held == value if blank else held is not None


def _kafka(rule: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    if not asked:
        return False  # what the proxy cannot read as Kafka does not pass
    kind = _kafka_kind(asked)
    for name in ("clientID", "apiVersion"):
        if rule.get(name) and rule[name] != asked.get(name):
            return False
    if rule.get("role"):
        if kind not in _ROLES.get(rule["role"].lower(), ()):
            return False
    elif rule.get("apiKey") and kind != _kafka_key(rule["apiKey"]):
        return False
    with_topic = kind in _WITH_TOPICS or kind == -1
    return not (with_topic and rule.get("topic") and rule["topic"] != asked.get("topic"))


def _kafka_kind(asked: Mapping[str, str]) -> int:
    """The number of the request: of its `apiKey`, or of what its `role` does above all; -1 when it says neither."""
    if asked.get("apiKey"):
        return _kafka_key(str(asked["apiKey"]))
    return {"produce": 0, "consume": 1}.get(str(asked.get("role", "")).lower(), -1)


def _kafka_key(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    return KAFKA_KEYS.index(text.lower()) if text.lower() in KAFKA_KEYS else -1
