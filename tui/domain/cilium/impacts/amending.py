"""What a change of files means for the policies of a cluster: which it adds, changes and takes away, and for whom.

Besides policies that is CIDR groups, labels of namespaces and labels of the pods of workloads: they decide as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tui.domain.cilium.impacts.changes import Change, changes
from tui.domain.cilium.model import CidrGroup, Endpoint, Surroundings, Written
from tui.domain.cilium.policy import NAMESPACE_KEY, NAMESPACE_LABELS, Policy, mapping, sequence
from tui.domain.cilium.reading import NAME_LABEL, POLICY_KINDS
from tui.domain.cilium.select import pod_labels
from tui.domain.obj import Meta
from tui.domain.source.building import Build, Built, pod_template, template_of
from tui.domain.source.kustomize import POD_KINDS
from tui.domain.yamlvalue import same

_WORKLOAD_GROUPS = ("", "apps", "batch", "argoproj.io")
_GROUP = ("cilium.io", "CiliumCIDRGroup")
_NAMESPACE = ("", "Namespace")

Key = tuple[str, str, str]  # resource, namespace, name


def wanted(group: str, kind: str) -> bool:
    """Whether an object of this kind has a say in what policies do."""
    return (
        (group, kind) in POLICY_KINDS
        or (group, kind) in (_GROUP, _NAMESPACE)
        or (kind in POD_KINDS and group in _WORKLOAD_GROUPS)
    )


class Relabelled(NamedTuple):
    """A workload whose pods get other labels."""

    kind: str
    namespace: str
    name: str
    before: Mapping[str, str]
    after: Mapping[str, str]


class Amendment(msgspec.Struct, frozen=True):
    """What changes for one cluster. None: it is no longer declared."""

    policies: Mapping[Key, Written | None] = {}
    groups: Mapping[str, CidrGroup | None] = {}
    namespaces: Mapping[str, Mapping[str, str] | None] = {}  # name -> labels
    workloads: tuple[Relabelled, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is known to change."""
        return not (self.policies or self.groups or self.namespaces or self.workloads)

    def also(self, other: Amendment) -> Amendment:
        """Both, the other one last."""
        return Amendment(
            {**self.policies, **other.policies},
            {**self.groups, **other.groups},
            {**self.namespaces, **other.namespaces},
            (*self.workloads, *other.workloads),
            tuple(dict.fromkeys((*self.unknown, *other.unknown))),
        )


def amendment(before: Build, after: Build) -> Amendment:
    """What is different between two builds of one source."""
    old, new = ({each.identity: each for each in side.objects} for side in (before, after))
    policies: dict[Key, Written | None] = {}
    groups: dict[str, CidrGroup | None] = {}
    namespaces: dict[str, Mapping[str, str] | None] = {}
    workloads: list[Relabelled] = []
    unknown = _unknown(before, after)
    for identity in [*old, *(each for each in new if each not in old)]:
        was, now = old.get(identity), new.get(identity)
        if was is not None and now is not None and same(was.value, now.value) and was.unsure == now.unsure:
            continue
        patched = (now or was).unsure  # type: ignore[union-attr]
        if now is not None and patched:
            place = f"{identity.namespace}/{identity.name}".lstrip("/")
            if identity.kind not in POD_KINDS or _labels_of(was) != _labels_of(now) or was is None:
                unknown.append(
                    f"{identity.kind} {place}: {patched[0][0]} changes it; what it becomes is not worked out"
                )
            continue
        kind = (identity.group, identity.kind)
        if resource := POLICY_KINDS.get(kind, ""):
            written = _written(resource, now) if now is not None else None
            policies[resource, identity.namespace, identity.name] = written
        elif kind == _GROUP:
            groups[identity.name] = _group(now) if now is not None else None
        elif kind == _NAMESPACE:
            namespaces[identity.name] = _labels(mapping(now.value.get("metadata"))) if now is not None else None
        elif was is not None and now is not None and (labels := (_labels_of(was), _labels_of(now)))[0] != labels[1]:
            workloads.append(Relabelled(identity.kind, identity.namespace, identity.name, *labels))
    return Amendment(policies, groups, namespaces, tuple(workloads), tuple(unknown))


def _unknown(before: Build, after: Build) -> list[str]:
    words = dict.fromkeys((*before.unknown, *after.unknown))
    return [word for word in words if before.unknown.get(word) != after.unknown.get(word)]


def _labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in mapping(metadata.get("labels")).items()}


def _labels_of(each: Built | None) -> dict[str, str]:
    template = pod_template(each) if each is not None else None
    return _labels(mapping(template.get("metadata"))) if template is not None else {}


def pod_labels_of(value: Any, kind: str) -> dict[str, str]:
    """The labels that a workload, as plain values, gives its pods."""
    return _labels(mapping(mapping(template_of(mapping(value), kind)).get("metadata")))


def _written(resource: str, each: Built) -> Written:
    meta = Meta(
        name=each.identity.name, namespace=each.identity.namespace, labels=_labels(mapping(each.value.get("metadata")))
    )
    return Written(
        resource, Policy(metadata=meta, spec=each.value.get("spec"), specs=each.value.get("specs")), each.file
    )


def _group(each: Built) -> CidrGroup:
    cidrs = sequence(mapping(each.value.get("spec")).get("externalCIDRs"))
    return CidrGroup(each.identity.name, _labels(mapping(each.value.get("metadata"))), tuple(map(str, cidrs)))


# -- a cluster with it ---------------------------------------------------------------------------------------------


def key_of(written: Written) -> Key:
    """What tells a policy of a cluster from every other."""
    return written.resource, written.policy.metadata.namespace, written.policy.metadata.name


def policies_after(written: Iterable[Written], change: Amendment) -> list[Written]:
    """The policies of a cluster once the change has been applied."""
    kept = {key_of(each): each for each in written}
    for key, each in change.policies.items():
        kept.pop(key, None)
        if each is not None:
            kept[key] = each
    return list(kept.values())


def surroundings_after(around: Surroundings, change: Amendment) -> Surroundings:
    """What else decides, once the change has been applied."""
    groups = {group.name: group for group in around.cidr_groups}
    for name, group in change.groups.items():
        groups.pop(name, None)
        if group is not None:
            groups[name] = group
    namespaces = dict(around.namespaces)
    for name, labels in change.namespaces.items():
        if labels is not None:  # one that is no longer declared stays as long as something is in it
            namespaces[name] = {**labels, NAME_LABEL: name}
    return msgspec.structs.replace(around, cidr_groups=tuple(groups.values()), namespaces=namespaces)


def endpoint_after(endpoint: Endpoint, change: Amendment) -> Endpoint:
    """An endpoint with the labels that it will have; itself when they stay."""
    if not (change.namespaces or change.workloads):
        return endpoint
    held = dict(_pairs(endpoint.labels))
    namespace = held.get(f"k8s:{NAMESPACE_KEY}", "")
    if not namespace:
        return endpoint
    made = dict(held)
    if (labels := change.namespaces.get(namespace)) is not None:
        made = {key: value for key, value in made.items() if not key.startswith(f"k8s:{NAMESPACE_LABELS}")}
        made |= {f"k8s:{NAMESPACE_LABELS}{key}": value for key, value in {**labels, NAME_LABEL: namespace}.items()}
    for each in change.workloads:
        before, after = (_kept(labels) for labels in (each.before, each.after))
        if each.namespace == namespace and before and all(held.get(key) == value for key, value in before.items()):
            made = {key: value for key, value in made.items() if key not in before} | after
    if made == held:
        return endpoint
    return msgspec.structs.replace(endpoint, labels=tuple(sorted(f"{key}={value}" for key, value in made.items())))


def _pairs(labels: Iterable[str]) -> Iterator[tuple[str, str]]:
    for label in labels:
        key, _, value = label.partition("=")
        yield key, value


def _kept(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of a pod that become part of its identity."""
    plain = set(pod_labels({}, "", {}, ""))
    return dict(_pairs(label for label in pod_labels(labels, "", {}, "") if label not in plain))


# -- in words ------------------------------------------------------------------------------------------------------


class Said(NamedTuple):
    """A policy, and how it differs."""

    key: Key
    file: str
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """`shop/web`, or `deny-all` for one of the whole cluster."""
        return f"{self.key[1]}/{self.key[2]}".lstrip("/")


def said(before: Iterable[Written], after: Iterable[Written]) -> list[Said]:
    """The policies that differ, by name."""
    old, new = ({key_of(each): each for each in side} for side in (before, after))
    found = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[1], key[2], key[0])):
        was, now = old.get(key), new.get(key)
        held = changes(was.policy if was else None, now.policy if now else None, key[0])
        if held:
            file = (now or was).file  # type: ignore[union-attr]
            found.append(Said(key, file, tuple(held)))
    return found
