"""Flows out of Kubernetes Events: Cilium 1.16 and later can write one for packets that policies drop.

Texts: Cilium `pkg/hubble/dropeventemitter`. An Event stands for many packets, at most one every two minutes.
"""

from __future__ import annotations

import re

from tui.domain.cilium.hubble.observed import AUTHENTICATION, DEFAULT_DENY, DENY_RULE, Observed, Party

REASON = "PacketDrop"
_MESSAGE = re.compile(
    r"(?P<way>Incoming|Outgoing) packet dropped \((?P<why>[^)]*)\) (?:from|to) "
    r"(?P<peer>.*?)(?: \((?P<ip>[0-9a-fA-F.:]+)\))?"
    r"(?: (?P<protocol>TCP|UDP|SCTP|ICMPv4|ICMPv6|IGMP|VRRP)(?:/(?P<port>\d{1,5}))?)?(?:\.(?: .*)?)?$"
)
_REASONS = {"policy_denied": DEFAULT_DENY, "policy_deny": DENY_RULE, "auth_required": AUTHENTICATION}


def from_event(namespace: str, pod: str, message: str, time: float) -> Observed | None:
    """The drop that an Event about a pod tells; None when its message is another. Labels are not told."""
    found = _MESSAGE.match(message[:2000].strip())
    if found is None:
        return None
    own = Party(namespace=namespace, pod=pod)
    peer = _peer(found["peer"].strip(), found["ip"] or "")
    incoming = found["way"] == "Incoming"
    protocol, port = found["protocol"] or "", found["port"]
    return Observed(
        time=time,
        verdict="DROPPED",
        source=peer if incoming else own,
        destination=own if incoming else peer,
        direction="ingress" if incoming else "egress",
        protocol=protocol if port else "",  # a port that is not told must not pass for number 0
        port=int(port or 0),
        layer7="" if port else protocol,
        reason=_REASONS.get(found["why"].lower(), found["why"].upper()),
        event=1,
    )


def _peer(words: str, ip: str) -> Party:
    """`shop/web-1` is a pod; anything else an address or a name of Cilium's own."""
    namespace, slash, pod = words.partition("/")
    if slash and namespace and pod and "." not in namespace and ":" not in words:
        return Party(namespace=namespace, pod=pod, ip=ip)
    if re.fullmatch(r"[0-9a-fA-F.:]+", words) and any(mark in words for mark in ".:"):
        return Party(ip=words)
    names = () if not words or words in _RESERVED else (words,)
    labels = (f"reserved:{words}",) if words in _RESERVED else ()
    return Party(ip=ip, names=names, labels=labels)


_RESERVED = frozenset({"host", "remote-node", "world", "kube-apiserver", "health", "ingress", "init", "unmanaged"})
