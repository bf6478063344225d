"""What kind of value each field of a Cilium rule takes: the API server refuses any other before Cilium sees it.

A field that is null counts as missing, one that is unknown is dropped. Source: the custom resources of 1.19
(`pkg/policy/api`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TEXT, _NUMBER, _FLAG, _CODE = "a string", "a number", "true or false", "a number or a name"
_LABELS = {"*": _TEXT}
_SELECTOR = {"matchLabels": _LABELS, "matchExpressions": [{"key": _TEXT, "operator": _TEXT, "values": [_TEXT]}]}
_CIDR_RULE = {"cidr": _TEXT, "cidrGroupRef": _TEXT, "cidrGroupSelector": _SELECTOR, "except": [_TEXT]}
_NAME = {"matchName": _TEXT, "matchPattern": _TEXT}
_SERVICE = {
    "k8sService": {"serviceName": _TEXT, "namespace": _TEXT},
    "k8sServiceSelector": {"selector": _SELECTOR, "namespace": _TEXT},
}
_SECRET = {"namespace": _TEXT, "name": _TEXT}
_TLS = {"secret": _SECRET, "trustedCA": _TEXT, "certificate": _TEXT, "privateKey": _TEXT}
_PORT = {"port": _TEXT, "endPort": _NUMBER, "protocol": _TEXT}
_HEADER = {"name": _TEXT, "value": _TEXT, "mismatch": _TEXT, "secret": _SECRET}
_LAYER7 = {
    "http": [{"path": _TEXT, "method": _TEXT, "host": _TEXT, "headers": [_TEXT], "headerMatches": [_HEADER]}],
    "kafka": [dict.fromkeys(("role", "apiKey", "apiVersion", "clientID", "topic"), _TEXT)],
    "dns": [_NAME],
    "l7proto": _TEXT,
    "l7": [_LABELS],
}
_DENIED_PORTS = {"ports": [_PORT]}
_PORTS = {
    **_DENIED_PORTS,
    "rules": _LAYER7,
    "serverNames": [_TEXT],
    "terminatingTLS": _TLS,
    "originatingTLS": _TLS,
    "listener": {"name": _TEXT, "priority": _NUMBER, "envoyConfig": {"kind": _TEXT, "name": _TEXT}},
}
_ICMP = {"fields": [{"family": _TEXT, "type": _CODE}]}


def _peers(way: str) -> dict[str, Any]:
    return {
        f"{way}Endpoints": [_SELECTOR],
        f"{way}Nodes": [_SELECTOR],
        f"{way}Entities": [_TEXT],
        f"{way}CIDR": [_TEXT],
        f"{way}CIDRSet": [_CIDR_RULE],
        f"{way}Groups": [{}],
    }


_ALLOWED = {"toPorts": [_PORTS], "icmps": [_ICMP], "authentication": {"mode": _TEXT}}
_DENIED = {"toPorts": [_DENIED_PORTS], "icmps": [_ICMP]}
_EGRESS = {**_peers("to"), "toServices": [_SERVICE]}
_RULE = {
    "endpointSelector": _SELECTOR,
    "nodeSelector": _SELECTOR,
    "description": _TEXT,
    "enableDefaultDeny": {"ingress": _FLAG, "egress": _FLAG},
    "log": {"value": _TEXT},
    "ingress": [{**_peers("from"), **_ALLOWED}],
    "ingressDeny": [{**_peers("from"), **_DENIED}],
    "egress": [{**_EGRESS, "toFQDNs": [_NAME], **_ALLOWED}],
    "egressDeny": [{**_EGRESS, **_DENIED}],
}


def shape_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    """The values of one rule that are of the wrong kind, each with its place."""
    return _wrong(spec, _RULE, "")


def _wrong(value: Any, wanted: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, dict):
        if not isinstance(value, Mapping):
            yield f"{place} must be a mapping"
            return
        for name, each in value.items():
            inner = wanted.get(name, wanted.get("*"))
            if inner is not None and each is not None:
                yield from _wrong(each, inner, f"{place}.{name}" if place else str(name))
    elif isinstance(wanted, list):
        if not isinstance(value, list | tuple):
            yield f"{place} must be a list"
            return
        for index, each in enumerate(value):
            yield from _wrong(each, wanted[0], f"{place}[{index}]")
    elif not _is(value, wanted):
        yield f"{place} must be {wanted}{': quote it' if wanted == _TEXT and _is(value, _NUMBER) else ''}"


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == _FLAG
    if isinstance(value, str):
        return wanted in (_TEXT, _CODE)
    return isinstance(value, int) and wanted in (_NUMBER, _CODE)
