"""What exists in a cluster that a rule can be about: what a form proposes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tui.domain.cilium.model import Endpoint, Surroundings, Written
from tui.domain.cilium.policy import NAMESPACE_KEY, SECTIONS, mapping, rules, sequence

_FIRST = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app", "k8s-app", "app.kubernetes.io/component")
_INTERNAL = ("io.kubernetes.", "io.cilium.", "statefulset.kubernetes.io/", "pod-template-hash")


class Catalogue(msgspec.Struct, frozen=True):
    """Names as one types them. Labels are texts such as `app=web, tier=front`; ports such as `http/TCP`."""

    namespaces: tuple[str, ...] = ()
    pods: Mapping[str, tuple[str, ...]] = {}  # namespace -> labels of what runs in it
    ports: Mapping[tuple[str, str], tuple[str, ...]] = {}  # (namespace, labels) -> ports that the pods have
    groups: tuple[str, ...] = ()  # CiliumCIDRGroups
    services: tuple[str, ...] = ()  # namespace/name
    names: tuple[str, ...] = ()  # DNS names and patterns that other policies allow
    cidrs: tuple[str, ...] = ()  # that other policies name
    nodes: tuple[str, ...] = ()  # labels of nodes
    unknown: str = ""  # why nothing is known

    def ports_of(self, namespace: str, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The ports of the pods that have these labels; of all of a namespace ("" = of every one) without any."""
        found: dict[str, None] = {}
        for (space, words), ports in self.ports.items():
            held = labels_of(words)
            if namespace in ("", space) and all(held.get(key) == value for key, value in labels.items()):
                found |= dict.fromkeys(ports)
        return tuple(found)


def labels_of(words: str) -> dict[str, str]:
    """`app=web, tier=front` as a mapping; a word without `=` is a label that is set to nothing."""
    pairs = (word.strip().partition("=") for word in words.split(",") if word.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def label_words(labels: Mapping[str, str]) -> str:
    """The other way round."""
    return ", ".join(f"{key}={value}" for key, value in labels.items())


def telling_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels by which one would choose a workload: its name and instance, else everything that is its own."""
    own = {key: value for key, value in labels.items() if not key.startswith(_INTERNAL)}
    named = {key: own[key] for key in _FIRST if key in own}
    if "app.kubernetes.io/name" in named:
        named = {key: value for key, value in named.items() if key.startswith("app.kubernetes.io/")}
    return named or own


def catalogue(
    endpoints: Iterable[Endpoint],
    around: Surroundings,
    written: Sequence[Written] = (),
    nodes: Iterable[Mapping[str, str]] = (),
    more_ports: Mapping[str, Iterable[str]] = {},
) -> Catalogue:
    """What there is. `more_ports`: ports of containers without a name, by the endpoint's name. Takes time."""
    pods: dict[str, dict[str, None]] = {}
    ports: dict[tuple[str, str], dict[str, None]] = {}
    for endpoint in endpoints:
        held = _plain(endpoint.labels)
        namespace = held.get(NAMESPACE_KEY, "")
        if not namespace:
            continue
        words = label_words(telling_labels(held))
        pods.setdefault(namespace, {}).setdefault(words)
        known = ports.setdefault((namespace, words), {})
        for name, number in endpoint.named_ports.items():
            port, _, protocol = name.partition("/")
            known |= dict.fromkeys((f"{port}/{protocol or 'TCP'}", f"{number}/{protocol or 'TCP'}"))
        known |= dict.fromkeys(more_ports.get(endpoint.name, ()))
    names, cidrs = _named(written)
    return Catalogue(
        namespaces=tuple(sorted({*around.namespaces, *pods})),
        pods={namespace: tuple(sorted(found)) for namespace, found in sorted(pods.items())},
        ports={key: tuple(found) for key, found in ports.items() if found},
        groups=tuple(sorted(group.name for group in around.cidr_groups)),
        services=tuple(sorted(f"{each.namespace}/{each.name}" for each in around.services)),
        names=tuple(sorted(names)),
        cidrs=tuple(sorted(cidrs)),
        nodes=tuple(sorted({f"{key}={value}" for labels in nodes for key, value in labels.items()})),
    )


def _plain(labels: Iterable[str]) -> dict[str, str]:
    """The Kubernetes labels of an identity."""
    pairs = (label.removeprefix("k8s:").partition("=") for label in labels if label.startswith("k8s:"))
    return {key: value for key, _, value in pairs}


def _named(written: Iterable[Written]) -> tuple[set[str], set[str]]:
    """DNS names and CIDRs that policies name."""
    names: set[str] = set()
    cidrs: set[str] = set()
    for each in written:
        for rule in rules(each.policy, each.resource):
            for section in SECTIONS:
                for entry in map(mapping, rule.sections[section] or ()):
                    for held in map(mapping, sequence(entry.get("toFQDNs"))):
                        names.add(str(held.get("matchName") or held.get("matchPattern") or ""))
                    for field in ("fromCIDR", "toCIDR"):
                        cidrs |= {str(value) for value in sequence(entry.get(field))}
                    for field in ("fromCIDRSet", "toCIDRSet"):
                        cidrs |= {str(mapping(value).get("cidr") or "") for value in sequence(entry.get(field))}
    return names - {""}, cidrs - {""}
