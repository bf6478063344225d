"""Traps of ports, ICMP, names and rules above layer 4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.lint.values import Entry, Hit, Known, Parsed, Steps, entries
from tui.domain.cilium.policy import mapping, sequence

_LAYER7 = ("http", "kafka", "dns", "l7")


def icmp(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """ICMP type 0, which stands for every type."""
    for entry in entries(parsed):
        for steps, each in entry.items("icmps") if not entry.knp else ():
            for index, field in enumerate(sequence(mapping(each).get("fields"))):
                held = mapping(field)
                if str(held.get("family") or "IPv4") == "IPv4" and str(held.get("type")) in ("0", "EchoReply"):
                    yield Hit(
                        (*steps, "fields", index, "type"),
                        "ICMP type 0 (EchoReply) acts as every ICMPv4 type.",
                        "Replies pass by themselves: write 8 (EchoRequest) for ping.",
                    )


def port_range(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """An endPort that is ignored."""
    for entry in entries(parsed):
        for steps, port in entry.ports():
            end, first = port.get("endPort"), port.get("port")
            if not end:
                continue
            if not str(first).isdigit():
                why, advice = f"`endPort` is ignored, because {first!r} is a name", "Delete `endPort`."
            elif int(end) < int(str(first)) if str(end).isdigit() else False:
                why, advice = f"`endPort` {end} is ignored, because it is below port {first}", "Swap the two."
            else:
                continue
            yield Hit((*steps, "endPort"), f"{why}: only that port is meant.", advice)


def dns_over_tcp(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Port 53 for TCP alone, which is what a NetworkPolicy without a protocol says."""
    for entry in entries(parsed):
        if entry.direction != "egress" or entry.deny:
            continue
        found = [(steps, port) for steps, port in entry.ports() if str(port.get("port")) == "53"]
        protocols = {str(port.get("protocol") or ("TCP" if entry.knp else "ANY")).upper() for _, port in found}
        if found and protocols == {"TCP"}:
            steps, port = found[0]
            silent = "" if port.get("protocol") else ", which is what a missing `protocol` means"
            yield Hit(
                steps,
                f"Port 53 is open for TCP alone{silent}: DNS asks over UDP first and fails.",
                "Add port 53 with `protocol: UDP`.",
            )


def names(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Names and patterns that match other names than they seem to."""
    for entry in entries(parsed):
        for steps, each in entry.items("toFQDNs") if not entry.knp else ():
            held = mapping(each)
            if name := str(held.get("matchName") or ""):
                yield from _name((*steps, "matchName"), name)
            if pattern := str(held.get("matchPattern") or ""):
                yield from _pattern((*steps, "matchPattern"), pattern, fqdn=True)
        for steps, rule in _layer7(entry):
            for index, each in enumerate(sequence(rule.get("dns"))):
                pattern = str(mapping(each).get("matchPattern") or "")
                if pattern and pattern != "*":
                    yield from _pattern((*steps, "rules", "dns", index, "matchPattern"), pattern, fqdn=False)


def _name(steps: Steps, name: str) -> Iterator[Hit]:
    if "*" in name:
        yield Hit(steps, "`matchName` takes no wildcards.", "Use `matchPattern`.", "error")
    elif name.rstrip(".").lower().endswith((".cluster.local", ".svc")):
        yield Hit(
            steps,
            f"{name} is a name of the cluster: its addresses are pods or Services, which `toFQDNs` never matches.",
            "Select the pods with `toEndpoints`, or the Service with `toServices`.",
        )


def _pattern(steps: Steps, pattern: str, fqdn: bool) -> Iterator[Hit]:
    plain = pattern.rstrip(".").lower()
    if plain == "*":
        yield Hit(
            steps, "`*` is every name: whatever a pod looks up becomes reachable.", "Name the domains that are needed."
        )
    elif fqdn and plain.endswith((".cluster.local", ".svc")):
        yield from _name(steps, pattern)
    elif plain.startswith("**."):
        yield Hit(
            steps,
            f"`{pattern}` matches any number of labels, in newer versions of Cilium only; not {plain[3:]} itself.",
            f"Add `matchName: {plain[3:]}` if it is meant too.",
            "info",
        )
    elif plain.startswith("*."):
        rest = plain[2:]
        yield Hit(
            steps,
            f"`*` never crosses a dot: `{pattern}` matches a.{rest}, but neither {rest} nor a.b.{rest}.",
            f"Add `matchName: {rest}` or `*.*.{rest}` if they are meant too.",
            "info",
        )
    elif plain.startswith("*"):
        rest = plain.lstrip("*")
        yield Hit(
            steps,
            f"`{pattern}` also matches names that only end alike, such as evil{rest}; and not www.{rest}.",
            f"Write `*.{rest}`, and `matchName: {rest}` beside it.",
        )


def _layer7(entry: Entry) -> Iterator[tuple[Steps, Mapping[str, Any]]]:
    """(path of the port rule, its `rules`)."""
    for steps, rule in entry.items("toPorts") if not entry.knp else ():
        above = mapping(mapping(rule).get("rules"))
        if any(above.get(name) for name in _LAYER7):
            yield steps, above


def dns_rules(parsed: Parsed) -> Iterator[tuple[Entry, Steps, list[str]]]:
    """(entry, path, names) of every DNS rule of a policy; a pattern stands as it is written."""
    for entry in entries(parsed):
        if entry.direction == "egress" and not entry.deny:
            for steps, rule in _layer7(entry):
                asked = [mapping(each) for each in sequence(rule.get("dns"))]
                if asked:
                    yield entry, steps, [str(one.get("matchName") or one.get("matchPattern") or "") for one in asked]


def _lets_all(rule: Mapping[str, Any]) -> bool:
    """Whether rules above layer 4 let every request pass."""
    patterns = [mapping(each).get("matchPattern") for each in sequence(rule.get("dns"))]
    return "*" in patterns or any(not mapping(each) for each in sequence(rule.get("http")))


def layer7_without_default_deny(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Requests that are asked of a rule that does not switch default deny on."""
    for entry in entries(parsed):
        if entry.knp or mapping(entry.spec.raw.get("enableDefaultDeny")).get(entry.direction) is not False:
            continue
        for steps, rule in _layer7(entry):
            if _lets_all(rule):
                continue  # it is there for what the proxy sees, not to restrict
            yield Hit(
                (*steps, "rules"),
                f"With `enableDefaultDeny.{entry.direction}: false` every other request passes too "
                "(Cilium 1.16 and 1.17 reject the policy).",
                f"Delete `enableDefaultDeny.{entry.direction}` if the requests are to be restricted.",
            )


def authentication(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Authentication that always fails, or that nothing does."""
    for entry in entries(parsed):
        mode = str(mapping(entry.raw.get("authentication")).get("mode") or "")
        steps = (*entry.steps, "authentication", "mode")
        if mode == "test-always-fail":
            yield Hit(steps, "`test-always-fail` drops every connection that the entry allows.", "Write `required`.")
        elif mode == "required" and known.settings is not None and not known.settings.authentication:
            yield Hit(
                steps,
                "Mutual authentication is off in this cluster: what the entry allows is dropped.",
                "Set mesh-auth-enabled=true in cilium-config, or delete `authentication`.",
            )
