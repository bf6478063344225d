"""Policies, and what decides with them, out of the text of YAML and JSON files.

Objects of any other kind are left alone, so that whole folders of manifests can be given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tui.domain.cilium.model import CidrGroup, Endpoint, Service, Settings, Surroundings, Written
from tui.domain.cilium.policy import CCNP, CNP, KNP, NAMESPACE_KEY, Policy, mapping, sequence
from tui.domain.cilium.select import pod_labels
from tui.domain.yamledit import Refused, Session, documents

POLICY_KINDS: Mapping[tuple[str, str], str] = {
    ("cilium.io", "CiliumNetworkPolicy"): CNP,
    ("cilium.io", "CiliumClusterwideNetworkPolicy"): CCNP,
    ("networking.k8s.io", "NetworkPolicy"): KNP,
}
CLUSTER_KEY = "io.cilium.k8s.policy.cluster"
ACCOUNT_KEY = "io.cilium.k8s.policy.serviceaccount"
NAME_LABEL = "kubernetes.io/metadata.name"  # the API server puts it on every Namespace


class Placed(NamedTuple):
    """An object, and where it stands: file, number of its document from 0, line of its first word from 1."""

    object: Mapping[str, Any]
    file: str = ""
    document: int = 0
    line: int = 1


def objects(text: str, file: str = "") -> Iterator[Placed]:
    """Every Kubernetes object of a file; a `List` gives its items. Documents without a `kind` are left out.

    Raises Refused, with file, line and column, for a document that cannot be read.
    """
    for document in documents(text):
        try:
            value = Session(text, document.index).value("")
        except Refused as error:
            raise error.at(file) from None
        for each in unlisted(value):
            yield Placed(each, file, document.index, document.line)


def unlisted(value: Any) -> list[Mapping[str, Any]]:
    """The Kubernetes objects of a document's value: itself, or the items of a `List`; [] when it is none."""
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        return []
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        return [each for item in value["items"] for each in unlisted(item)]
    return [value]


def resource_of(held: Mapping[str, Any]) -> str:
    """`policy.CNP`, `CCNP` or `KNP` for a policy, "" for any other object."""
    group = str(held.get("apiVersion") or "").rpartition("/")[0]
    return POLICY_KINDS.get((group, str(held.get("kind"))), "")


def written(placed: Placed) -> Written | None:
    """The policy that an object is; None when it is none. Raises Refused when its metadata cannot be read."""
    resource = resource_of(placed.object)
    if not resource:
        return None
    try:
        return Written(resource, msgspec.convert(placed.object, Policy, strict=False), placed.file)
    except msgspec.ValidationError as error:
        raise Refused(f"{placed.object['kind']}: {error}", placed.line, 1, placed.file) from None


def policies(found: Iterable[Placed]) -> tuple[Written, ...]:
    """The policies among objects. Raises Refused as `written` does."""
    return tuple(each for each in map(written, found) if each is not None)


# -- what decides with the policies --------------------------------------------------------------------------------


def bare() -> Surroundings:
    """What is known of a cluster of which only policies are known: its DNS proxy has learned nothing."""
    return Surroundings(dns={})


def surroundings(found: Iterable[Placed], given: Surroundings | None = None) -> Surroundings:
    """Namespaces, CIDR groups, services and settings of objects, added to what is given.

    Settings come from the ConfigMap `cilium-config`.
    """
    given = given or bare()
    namespaces, groups, services = dict(given.namespaces), list(given.cidr_groups), list(given.services)
    slices: dict[tuple[str, str], list[str]] = {}
    settings = given.settings
    for placed in found:
        held = placed.object
        meta = mapping(held.get("metadata"))
        name, namespace, kind = str(meta.get("name") or ""), str(meta.get("namespace") or ""), held["kind"]
        if kind == "Namespace":
            namespaces[name] = {NAME_LABEL: name, **_texts(meta.get("labels"))}
        elif kind == "CiliumCIDRGroup":
            cidrs = tuple(str(each) for each in sequence(mapping(held.get("spec")).get("externalCIDRs")))
            groups.append(CidrGroup(name, _texts(meta.get("labels")), cidrs))
        elif kind == "Service":
            selector = _texts(mapping(held.get("spec")).get("selector"))
            services.append(Service(namespace or "default", name, _texts(meta.get("labels")), selector))
        elif kind in ("EndpointSlice", "Endpoints"):
            owner = _texts(meta.get("labels")).get("kubernetes.io/service-name", name)
            slices.setdefault((namespace or "default", owner), []).extend(_addresses(held))
        elif kind == "ConfigMap" and name == "cilium-config":
            settings = settings_of(_texts(held.get("data")), settings.version)
    services = [
        each._replace(addresses=(*each.addresses, *slices.get((each.namespace, each.name), ()))) for each in services
    ]
    return msgspec.structs.replace(
        given, settings=settings, namespaces=namespaces, cidr_groups=tuple(groups), services=tuple(services)
    )


def _texts(value: Any) -> dict[str, str]:
    return {str(key): "" if each is None else _text(each) for key, each in mapping(value).items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _addresses(held: Mapping[str, Any]) -> Iterator[str]:
    for each in sequence(held.get("endpoints")):
        yield from (str(address) for address in sequence(mapping(each).get("addresses")))
    for subset in sequence(held.get("subsets")):
        yield from (str(mapping(each).get("ip")) for each in sequence(mapping(subset).get("addresses")))


def settings_of(data: Mapping[str, str], version: tuple[int, int] | None = None) -> Settings:
    """The settings of an agent out of `cilium-config`; a key that is absent has Cilium's default for the version."""

    def flag(key: str, otherwise: bool) -> bool:
        return {"true": True, "false": False}.get(data.get(key, "").strip().lower(), otherwise)

    version = version or Settings().version
    enforcement = data.get("enable-policy", "default").strip().lower()
    return Settings(
        version=version,
        enforcement=enforcement if enforcement in ("always", "never") else "default",  # type: ignore[arg-type]
        audit=flag("policy-audit-mode", False),
        cluster=data.get("cluster-name") or "default",
        default_local_cluster=flag("policy-default-local-cluster", version >= (1, 19)),
        allow_localhost="policy" if data.get("allow-localhost", "").strip() == "policy" else "always",
        host_firewall=flag("enable-host-firewall", False),
        node_selector_labels=flag("enable-node-selector-labels", False),
        cidr_match_mode=tuple(re.split(r"[\s,]+", data.get("policy-cidr-match-mode", "").strip()))
        if data.get("policy-cidr-match-mode", "").strip()
        else (),
        ipv4=flag("enable-ipv4", True),
        ipv6=flag("enable-ipv6", False),
        network_policies=flag("enable-k8s-networkpolicy", True),
        cilium_policies=flag("enable-cilium-network-policy", True),
        clusterwide_policies=flag("enable-cilium-clusterwide-network-policy", True),
        non_default_deny=flag("enable-non-default-deny-policies", True),
        l7_proxy=flag("enable-l7-proxy", True),
        icmp_rules=flag("enable-icmp-rules", True),
        authentication=flag("mesh-auth-enabled", True),
    )


# -- who talks -----------------------------------------------------------------------------------------------------


def identity(
    labels: Iterable[str], namespace: str, namespace_labels: Mapping[str, str], cluster: str
) -> tuple[str, ...]:
    """The labels `source:key=value` of a pod's identity, sorted: what Cilium adds to every pod is added where missing.

    A label without a source is one of Kubernetes.
    """
    made = {_split(label): label if ":" in label.split("=")[0] else f"k8s:{label}" for label in labels}
    if any(label.startswith("reserved:") for label in made.values()):
        return tuple(sorted(made.values()))
    namespace = namespace or next((label.partition("=")[2] for key, label in made.items() if key == NAMESPACE_KEY), "")
    if not namespace:
        return tuple(sorted(made.values()))
    for label in pod_labels({}, namespace, {NAME_LABEL: namespace, **namespace_labels}, ""):
        made.setdefault(_split(label), label)
    made.setdefault(CLUSTER_KEY, f"k8s:{CLUSTER_KEY}={cluster}")
    return tuple(sorted(made.values()))


def _split(label: str) -> str:
    """The key of a label, without its source."""
    name = label.partition("=")[0]
    source, colon, key = name.partition(":")
    return key if colon else source


def endpoints(found: Iterable[Placed], around: Surroundings) -> dict[str, Endpoint]:
    """The endpoints of CiliumEndpoints, and of Pods that have none, by `namespace/name`."""
    made: dict[str, Endpoint] = {}
    pods: dict[str, Endpoint] = {}
    for placed in found:
        held = placed.object
        meta = mapping(held.get("metadata"))
        namespace = str(meta.get("namespace") or "default")
        name = f"{namespace}/{meta.get('name')}"
        if held["kind"] == "CiliumEndpoint":
            made[name] = _cilium_endpoint(mapping(held.get("status")), name)
        elif held["kind"] == "Pod" and (pod := _pod(held, namespace, name, around)) is not None:
            pods[name] = pod
    return {**pods, **made}


def _cilium_endpoint(status: Mapping[str, Any], name: str) -> Endpoint:
    labels = tuple(sorted(str(each) for each in sequence(mapping(status.get("identity")).get("labels"))))
    ports = {
        f"{mapping(each).get('name')}/{mapping(each).get('protocol') or 'TCP'}": _number(mapping(each).get("port"))
        for each in sequence(status.get("named-ports"))
    }
    addressing = sequence(mapping(status.get("networking")).get("addressing"))
    address = mapping(addressing[0]) if addressing else {}
    return Endpoint(labels, name, str(address.get("ipv4") or address.get("ipv6") or ""), ports)


def _pod(held: Mapping[str, Any], namespace: str, name: str, around: Surroundings) -> Endpoint | None:
    """A pod's endpoint; None for one without: of the host's network, or ended."""
    spec, status = mapping(held.get("spec")), mapping(held.get("status"))
    if spec.get("hostNetwork") or status.get("phase") in ("Succeeded", "Failed"):
        return None
    ports = {
        f"{port['name']}/{port.get('protocol') or 'TCP'}": _number(port.get("containerPort"))
        for container in sequence(spec.get("containers"))
        for port in map(mapping, sequence(mapping(container).get("ports")))
        if port.get("name")
    }
    labels = pod_labels(
        _texts(mapping(held.get("metadata")).get("labels")),
        namespace,
        around.namespaces.get(namespace, {NAME_LABEL: namespace}),
        str(spec.get("serviceAccountName") or ""),
    )
    labels = tuple(sorted((*labels, f"k8s:{CLUSTER_KEY}={around.settings.cluster}")))
    return Endpoint(labels, name, str(status.get("podIP") or ""), ports)
