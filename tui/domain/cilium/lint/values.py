"""What lint works on and what it answers: policies with their places, what is known around them, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from tui.domain.cilium.model import CidrGroup, Endpoint, Service, Settings, Surroundings, Written
from tui.domain.cilium.policy import CCNP, CNP, DIRECTIONS, KNP, SECTIONS, mapping, sequence
from tui.domain.yamledit import format_path

Steps = tuple[str | int, ...]
Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")  # worst first
KINDS = {"CiliumNetworkPolicy": CNP, "CiliumClusterwideNetworkPolicy": CCNP, "NetworkPolicy": KNP}
KIND_OF = {resource: kind for kind, resource in KINDS.items()}


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong or surprising. `message` says what happens, `advice` what to do about it.

    `path` is within the policy's document ("" for the whole of it); line and column count from 1 and are 0 where no
    text is known. A finding about a namespace or a cluster has no policy.
    """

    rule: str
    severity: Severity
    message: str
    advice: str
    resource: str = ""
    namespace: str = ""
    policy: str = ""
    path: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def subject(self) -> str:
        """`CiliumNetworkPolicy shop/web`, `Namespace shop`."""
        name = "/".join(part for part in (self.namespace, self.policy) if part)
        return f"{KIND_OF[self.resource]} {name}" if self.resource in KIND_OF else f"Namespace {name}"

    @property
    def place(self) -> str:
        """`policies/web.yaml:12:5`, as far as it is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


class Hit(NamedTuple):
    """What a rule has found at a path of a policy. `severity` "" = the rule's own."""

    steps: Steps
    message: str
    advice: str
    severity: Severity | Literal[""] = ""


class Parsed(NamedTuple):
    """A policy with the values it was read from. `place` gives (line, column) of a path; None without a text."""

    written: Written
    raw: Mapping[str, Any]  # the whole object
    place: Callable[[Steps], tuple[int, int]] | None = None

    @property
    def resource(self) -> str:
        """`ciliumnetworkpolicies.cilium.io` …"""
        return self.written.resource

    @property
    def namespace(self) -> str:
        """As it is written; "" for a cluster-wide policy, or when it is missing."""
        return self.written.policy.metadata.namespace

    @property
    def name(self) -> str:
        """metadata.name."""
        return self.written.policy.metadata.name

    @property
    def title(self) -> str:
        """`shop/web`, or `deny-all` for one that is cluster-wide."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class KnownService(NamedTuple):
    """A Service and its ports: (port, target port: a number or a name, protocol)."""

    service: Service
    ports: tuple[tuple[int, int | str, str], ...] = ()


class Known(msgspec.Struct, frozen=True):
    """What is known of the cluster that policies are for. None = unknown: rules that need it are silent."""

    settings: Settings | None = None
    endpoints: tuple[Endpoint, ...] | None = None
    namespaces: Mapping[str, Mapping[str, str]] | None = None  # name -> labels
    services: tuple[KnownService, ...] | None = None
    cidr_groups: tuple[CidrGroup, ...] | None = None
    node_addresses: tuple[str, ...] = ()

    def surroundings(self) -> Surroundings:
        """The same as the engine takes it."""
        return Surroundings(
            settings=self.settings or Settings(),
            namespaces=self.namespaces or {},
            cidr_groups=self.cidr_groups or (),
            services=tuple(each.service for each in self.services or ()),
            dns={},
        )


class Spec(NamedTuple):
    """One rule of a policy (`spec`, or one of `specs`)."""

    parsed: Parsed
    steps: Steps
    raw: Mapping[str, Any]

    @property
    def resource(self) -> str:
        """The policy's resource."""
        return self.parsed.resource

    @property
    def subject_field(self) -> str:
        """The name of its selector."""
        if self.resource == KNP:
            return "podSelector"
        return (
            "nodeSelector" if "nodeSelector" in self.raw and "endpointSelector" not in self.raw else "endpointSelector"
        )

    @property
    def subject(self) -> Mapping[str, Any]:
        """Its selector."""
        return mapping(self.raw.get(self.subject_field))

    @property
    def nodes(self) -> bool:
        """It selects nodes."""
        return self.subject_field == "nodeSelector"


class Entry(NamedTuple):
    """One entry of a section, as it is written."""

    spec: Spec
    section: str  # "ingress", "ingressDeny" …
    steps: Steps
    raw: Mapping[str, Any]

    @property
    def direction(self) -> str:
        """`ingress` or `egress`."""
        return self.section.removesuffix("Deny")

    @property
    def deny(self) -> bool:
        """It denies."""
        return self.section.endswith("Deny")

    @property
    def way(self) -> str:
        """The prefix of its peer fields: `from` or `to`."""
        return "from" if self.direction == "ingress" else "to"

    @property
    def knp(self) -> bool:
        """It is of a Kubernetes NetworkPolicy."""
        return self.spec.resource == KNP

    def peer_fields(self) -> Iterator[tuple[str, Any]]:
        """(field, value) of the peer fields that are given, null ones left out."""
        for noun in PEER_NOUNS:
            name = f"{self.way}{noun}"
            if self.raw.get(name) is not None:
                yield name, self.raw[name]

    def items(self, name: str) -> Iterator[tuple[Steps, Any]]:
        """(path, item) of a list of the entry."""
        for index, each in enumerate(sequence(self.raw.get(name))):
            yield (*self.steps, name, index), each

    def ports(self) -> Iterator[tuple[Steps, Mapping[str, Any]]]:
        """(path, port) of every port of the entry."""
        if self.knp:
            yield from ((steps, mapping(port)) for steps, port in self.items("ports"))
            return
        for steps, rule in self.items("toPorts"):
            for index, port in enumerate(sequence(mapping(rule).get("ports"))):
                yield (*steps, "ports", index), mapping(port)


PEER_NOUNS = ("Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes", "FQDNs", "Services", "Groups", "Requires")


def specs(parsed: Parsed) -> list[Spec]:
    """The rules of a policy, of `spec` and `specs` alike."""
    raw = parsed.raw
    found = [Spec(parsed, ("spec",), raw["spec"])] if isinstance(raw.get("spec"), Mapping) else []
    if parsed.resource != KNP:
        for index, each in enumerate(sequence(raw.get("specs"))):
            if isinstance(each, Mapping):
                found.append(Spec(parsed, ("specs", index), each))
    return found


def entries(parsed: Parsed) -> Iterator[Entry]:
    """Every entry of a policy that is a mapping."""
    for spec in specs(parsed):
        for section in DIRECTIONS if spec.resource == KNP else SECTIONS:
            for index, each in enumerate(sequence(spec.raw.get(section))):
                if isinstance(each, Mapping):
                    yield Entry(spec, section, (*spec.steps, section, index), each)


def finding(rule: str, severity: Severity, parsed: Parsed, hit: Hit) -> Finding:
    """A hit with everything that is known of its place."""
    line, column = parsed.place(hit.steps) if parsed.place is not None else (0, 0)
    return Finding(
        rule=rule,
        severity=hit.severity or severity,
        message=hit.message,
        advice=hit.advice,
        resource=parsed.resource,
        namespace=parsed.namespace,
        policy=parsed.name,
        path=format_path(hit.steps),
        file=parsed.written.file,
        line=line,
        column=column,
    )


def listed(words: Sequence[str], most: int = 3) -> str:
    """`a, b and 4 more`."""
    shown = ", ".join(words[:most])
    return f"{shown} and {len(words) - most:,} more" if len(words) > most else shown
