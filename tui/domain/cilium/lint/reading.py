"""Policies out of YAML and JSON text, each with the place of every part: several documents, lists of kinds, JSON.

A document that is a Helm template, or that no parser can read, is told as unread: nothing is guessed from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tui.domain.cilium.lint.values import KINDS, Parsed, Steps
from tui.domain.cilium.model import CidrGroup, Written
from tui.domain.cilium.policy import CCNP, Policy, mapping, sequence
from tui.domain.cilium.reading import resource_of
from tui.domain.yamledit.errors import Missing, Refused
from tui.domain.yamledit.locate import locate
from tui.domain.yamledit.split import chunks, place
from tui.domain.yamledit.template import is_template
from tui.domain.yamledit.tree import Tree

_TEMPLATE = "a template, not YAML: render it first, as with helm template … | fleet policy lint -"


class Unread(NamedTuple):
    """A document that could not be read, and why; line and column from 1, 0 when no place can be named."""

    file: str
    line: int
    column: int
    reason: str
    template: bool = False

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.reason}"


class Read(NamedTuple):
    """What a text holds: policies, CIDR groups, and what could not be read."""

    policies: tuple[Parsed, ...] = ()
    cidr_groups: tuple[CidrGroup, ...] = ()
    unread: tuple[Unread, ...] = ()


def read(text: str, file: str = "") -> Read:
    """The policies of a text, in order. Other kinds are passed over."""
    policies: list[Parsed] = []
    groups: list[CidrGroup] = []
    unread: list[Unread] = []
    try:
        found = chunks(text)
    except Refused as error:
        return Read(unread=(Unread(file, error.line, error.column, error.reason),))
    for chunk in found:
        source = text[chunk.start : chunk.end]
        if not any(word in source for word in (*KINDS, "CiliumCIDRGroup")):
            continue
        try:
            tree = Tree(source)
            template = _actions(tree)
            if template is None:
                value = tree.value(tree.root)
        except Refused as error:
            line, column = _moved(text, chunk.start, error.line, error.column)
            if is_template(source):
                unread.append(Unread(file, line, column, _TEMPLATE, True))
            else:
                unread.append(Unread(file, line, column, error.reason))
            continue
        if template is not None:
            unread.append(Unread(file, *place(text, chunk.start + template), _TEMPLATE, True))
            continue
        for steps, raw in _objects(value, ()):
            spot = _Spot(text, chunk.start, tree, steps)
            if mapping(raw).get("kind") == "CiliumCIDRGroup":
                groups.append(cidr_group(raw))
                continue
            parsed = _policy(raw, file, spot)
            if isinstance(parsed, str):
                unread.append(Unread(file, *spot(()), parsed))
            elif parsed is not None:
                policies.append(parsed)
    return Read(tuple(policies), tuple(groups), tuple(unread))


def of_written(written: Written) -> Parsed:
    """A policy of which no text is at hand, as a cluster gives it."""
    meta, policy = written.policy.metadata, written.policy
    raw = {
        "metadata": {"name": meta.name, "namespace": meta.namespace or None},
        "spec": policy.spec,
        "specs": policy.specs,
    }
    return Parsed(written, raw)


def cidr_group(raw: Mapping[str, Any]) -> CidrGroup:
    """A CiliumCIDRGroup as the engine takes it."""
    meta, spec = mapping(raw.get("metadata")), mapping(raw.get("spec"))
    labels = {str(key): str(value) for key, value in mapping(meta.get("labels")).items()}
    cidrs = tuple(str(each) for each in sequence(spec.get("externalCIDRs")))
    return CidrGroup(str(meta.get("name") or ""), labels, cidrs)


def _policy(raw: Any, file: str, spot: _Spot | None) -> Parsed | str | None:
    """A policy, why it is none that can be read, or None for another kind."""
    held = mapping(raw)
    resource = resource_of(held)
    if not resource:
        return None
    try:
        policy = msgspec.convert(_without_status(held), Policy, strict=False)
    except msgspec.ValidationError as error:
        return f"{held['kind']} with metadata that cannot be read: {error}"
    if resource == CCNP and policy.metadata.namespace:
        metadata = msgspec.structs.replace(policy.metadata, namespace="")
        policy = msgspec.structs.replace(policy, metadata=metadata)
    return Parsed(Written(resource, policy, file), held, spot)


def _without_status(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata and rules only: what the cluster last said of another version of the policy does not count."""
    metadata = mapping(raw.get("metadata"))
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if metadata.get(key) is not None}
    return {"metadata": kept, "spec": raw.get("spec"), "specs": raw.get("specs")}


def _objects(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    """The objects of a document with their paths: itself, or the items of a list or of a List kind."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _objects(each, (*steps, index))
    elif isinstance(value, Mapping) and isinstance(value.get("items"), list) and _is_list(value):
        yield from _objects(value["items"], (*steps, "items"))
    else:
        yield steps, value


def _is_list(value: Mapping[str, Any]) -> bool:
    return str(value.get("kind") or "List").endswith("List")


def _actions(tree: Tree) -> int | None:
    """Where a text that happens to be YAML holds template actions; None when it does not.

    `{{ x }}` unquoted reads as a mapping whose key is a mapping, which no Kubernetes object has.
    """
    if "{{" not in tree.source:
        return None
    for node, event in enumerate(tree.events):
        if tree.is_map(node):
            for key, _ in tree.pairs(node):
                if tree.is_map(key):
                    return int(event.start_mark.index)
        elif tree.is_scalar(node) and event.value.startswith("{{") and "}}" in event.value:
            return int(event.start_mark.index)
    return None


def _moved(text: str, start: int, line: int, column: int) -> tuple[int, int]:
    """A place of a document as a place of its file."""
    before, first = place(text, start)
    return (before + line - 1, column + first - 1 if line == 1 else column) if line else (before, 1)


class _Spot:
    """Gives the place of a path of one object; of what is missing, the place of the nearest thing around it."""

    def __init__(self, text: str, start: int, tree: Tree, base: Steps) -> None:
        self._text, self._start, self._tree, self._base = text, start, tree, base

    def __call__(self, steps: Steps) -> tuple[int, int]:
        full = (*self._base, *steps)
        while True:
            try:
                found = locate(self._tree, full)
                break
            except Missing as error:
                full = full[: min(error.depth, len(full) - 1)]
            except Refused:
                full = full[:-1]
        node = found.key if found.key >= 0 else found.node
        return place(self._text, self._start + self._tree.start(node))
