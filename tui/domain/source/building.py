"""The objects that a source declares, as they would be applied, as far as that is known without rendering.

Plain manifests and what kustomize lists are exact: namespace, name prefix and suffix and labels of kustomizations are
applied as kustomize does. What templates, patches, generators and plugins make of files is not guessed: it is named,
with a stamp of what it follows from, so that two builds tell whether it may differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import msgspec

from tui.domain.source.directory import SKIP
from tui.domain.source.kustomize import MAX_LAYERS, POD_KINDS, kustomization
from tui.domain.source.model import Identity, SourcePlan, dig, records, strings, text
from tui.domain.source.planning import clean, in_directory
from tui.domain.yamledit import Refused, Session, documents

Wanted = Callable[[str, str], bool]  # (API group, kind)
CLUSTER_WIDE = frozenset(
    {
        ("", "Namespace"),
        ("cilium.io", "CiliumClusterwideNetworkPolicy"),
        ("cilium.io", "CiliumCIDRGroup"),
    }
)
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com[/:]", re.IGNORECASE)
_YAML = (".yaml", ".yml", ".json")
_NOT_PREFIXED = frozenset({("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")})


class Built(msgspec.Struct):
    """An object as it would be applied. `unsure`: what else changes it, and what that follows from."""

    identity: Identity
    value: dict[str, Any]
    file: str
    unsure: tuple[tuple[str, str], ...] = ()


class Build(msgspec.Struct):
    """What a source declares. `unknown`: what may declare more, in words, with a stamp of what it follows from."""

    objects: list[Built] = []
    unknown: dict[str, str] = {}


def build(plan: SourcePlan, texts: Mapping[str, str], wanted: Wanted) -> Build:
    """The wanted objects of a source, whose tool is known, out of its files (path -> text). Takes time."""
    made = Build()
    match plan.tool:
        case "directory":
            for file in sorted(texts):
                if not in_directory(plan, file):
                    continue
                if file.endswith(".jsonnet"):
                    made.unknown[f"{file}: jsonnet, which fleet does not run"] = texts[file]
                else:
                    made.objects += _of_file(made, file, texts[file], wanted)
        case "kustomize":
            made.objects += _Kustomize(plan, texts, wanted, made).accumulate(plan.path, True, [])
        case "helm":
            _helm(plan, texts, wanted, made)
        case _:
            rest = "".join(f"{file}\n{texts[file]}" for file in sorted(texts))
            made.unknown[plan.note or "how it is rendered is not known"] = rest
    for each in made.objects:
        _place(each, plan.destination_namespace, only_missing=True)
    return made


# -- files ---------------------------------------------------------------------------------------------------------


def _of_file(made: Build, file: str, content: str, wanted: Wanted) -> list[Built]:
    if SKIP in content or not file.endswith(_YAML):
        return []
    found: list[Built] = []
    try:
        for document in documents(content):
            listed = document.kind.endswith("List")
            if document.problem or not (listed or wanted(document.group, document.kind)):
                if document.problem and not document.kind:
                    made.unknown[f"{file}: not readable as YAML: {document.problem}"] = content
                continue
            value = Session(content, document.index).value()
            for each in records(value.get("items")) if listed else [value]:
                if (one := _built(each, file)) is not None and wanted(one.identity.group, one.identity.kind):
                    found.append(one)
    except Refused as error:
        made.unknown[f"{file}: {error.reason}"] = content
    return found


def _built(value: Any, file: str) -> Built | None:
    kind, api = text(dig(value, "kind")), text(dig(value, "apiVersion"))
    name, namespace = text(dig(value, "metadata", "name")), text(dig(value, "metadata", "namespace"))
    if not (kind and api and name):
        return None
    group = api.rpartition("/")[0]
    if (group, kind) in CLUSTER_WIDE:
        namespace = ""
    return Built(Identity(group, kind, namespace, name), deepcopy(dict(value)), file)


def _place(each: Built, namespace: str, only_missing: bool = False) -> None:
    """Put an object into a namespace, unless it is of the whole cluster."""
    one = each.identity
    if not namespace or (one.group, one.kind) in CLUSTER_WIDE or (only_missing and one.namespace):
        return
    each.identity = msgspec.structs.replace(one, namespace=namespace)
    each.value["metadata"]["namespace"] = namespace


# -- Helm ----------------------------------------------------------------------------------------------------------


def _helm(plan: SourcePlan, texts: Mapping[str, str], wanted: Wanted, made: Build) -> None:
    """Templates without actions are what they are; the others, and so what values do to them, are not known."""
    prefix = f"{plan.path}/templates/" if plan.path else "templates/"
    templated = []
    for file in sorted(texts):
        if not file.startswith(prefix) or not file.endswith(_YAML):
            continue
        if "{{" not in texts[file]:
            made.objects += _of_file(made, file, texts[file], wanted)
        elif any(wanted(*_named(line, texts[file])) for line in texts[file].splitlines() if line.startswith("kind:")):
            templated.append(file)
            made.unknown[f"{file}: a template, known only after Helm has rendered it"] = texts[file]
    if templated or plan.chart:
        rest = {file: held for file, held in texts.items() if not file.startswith(prefix)}
        where = plan.chart or plan.path or "the chart"
        stamp = "".join(f"{file}\n{rest[file]}" for file in sorted(rest)) + repr(sorted(plan.helm.items()))
        made.unknown[f"values of {where}: what its templates make of them is known only after rendering"] = stamp


def _named(line: str, content: str) -> tuple[str, str]:
    """(group, kind) of a template by its lines: its apiVersion may be an action itself."""
    kind = line.partition(":")[2].split("#")[0].strip().strip("\"'")
    groups = re.findall(r"^apiVersion:\s*[\"']?([a-z0-9.-]+)/", content, re.MULTILINE)
    usual = "cilium.io" if kind.startswith("Cilium") else "networking.k8s.io" if kind == "NetworkPolicy" else ""
    return groups[0] if groups else usual, kind


# -- kustomize -----------------------------------------------------------------------------------------------------


class _Kustomize:
    def __init__(self, plan: SourcePlan, texts: Mapping[str, str], wanted: Wanted, made: Build) -> None:
        self._plan = plan
        self._texts = texts
        self._wanted = wanted
        self._made = made
        self._seen = 0

    def accumulate(self, folder: str, top: bool, so_far: list[Built]) -> list[Built]:
        """The objects of a kustomization and everything below it; of a component, with `so_far` changed by it."""
        file = kustomization(folder, self._texts)
        self._seen += 1
        if not file or self._seen > MAX_LAYERS:
            why = "has no kustomization that could be read" if not file else "is nested too deeply"
            self._made.unknown[f"{folder or 'the root'} {why}"] = ""
            return so_far
        try:
            said = Session(self._texts[file], 0).value()
        except Refused as error:
            self._made.unknown[f"{file}: {error.reason}"] = self._texts[file]
            return so_far
        said = said if isinstance(said, Mapping) else {}
        app: Mapping[str, Any] = self._plan.kustomize if top else {}
        found = list(so_far)
        for entry in (*strings(said.get("resources")), *strings(said.get("bases"))):
            found += self._resource(folder, file, entry)
        for entry in (*strings(said.get("components")), *strings(app.get("components"))):
            found = self.accumulate(clean(f"{folder}/{entry}"), False, found)
        for key in ("generators", "transformers", "helmCharts", "replacements", "vars"):
            if said.get(key):
                self._made.unknown[f"{file}: {key}, which fleet does not run"] = repr(said[key]) + self._named(
                    folder, said[key]
                )
        self._patches(folder, file, said, found)
        self._patches(folder, "the Application", app, found)
        for each in found:
            _transform(each, said, app)
        return found

    def _resource(self, folder: str, file: str, entry: str) -> list[Built]:
        if _REMOTE.match(entry):
            self._made.unknown[f"{file}: {entry} is not read"] = entry
            return []
        path = clean(f"{folder}/{entry}")
        if path in self._texts:
            return _of_file(self._made, path, self._texts[path], self._wanted)
        if kustomization(path, self._texts):
            return self.accumulate(path, False, [])
        self._made.unknown[f"{file}: {entry} was not found"] = ""
        return []

    def _named(self, folder: str, value: Any) -> str:
        """The texts of the files that a list names."""
        paths = [clean(f"{folder}/{name}") for name in strings(value)]
        return "".join(self._texts.get(path, "") for path in paths)

    def _patches(self, folder: str, file: str, said: Mapping[str, Any], found: list[Built]) -> None:
        """Note on every object the patches that may change it."""
        for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
            value = said.get(key)
            for entry in value if isinstance(value, list) else []:
                target = entry.get("target") if isinstance(entry, Mapping) else None
                name = entry if isinstance(entry, str) else text(dig(entry, "path"))
                content = text(dig(entry, "patch"))
                if name and not content:
                    content = name if "\n" in name else self._texts.get(clean(f"{folder}/{name}"), "")
                what = f"a patch of {file}" if "\n" in name or not name else f"the patch {clean(f'{folder}/{name}')}"
                for each in found:
                    if _may_change(each, target, content):
                        each.unsure = (*each.unsure, (what, content))


def _may_change(each: Built, target: Any, content: str) -> bool:
    """Whether a patch may change what is asked of an object: of a workload only its labels are."""
    one = each.identity
    if one.kind in POD_KINDS and "labels" not in content:
        return False
    if isinstance(target, Mapping) and target:
        for key in ("group", "kind", "name"):
            pattern = text(target.get(key))
            try:
                if pattern and not re.fullmatch(pattern, getattr(one, key)):
                    return False
            except re.error:
                continue
        return True
    try:
        return any(held.kind == one.kind and held.name in one.name for held in documents(content))
    except Refused:
        return True


def _transform(each: Built, said: Mapping[str, Any], app: Mapping[str, Any]) -> None:
    """Namespace, prefix, suffix and labels, in kustomize's order."""
    namespace = text(app.get("namespace")) or text(said.get("namespace"))
    one = each.identity
    if namespace and (one.group, one.kind) == ("", "Namespace"):
        each.identity = msgspec.structs.replace(one, name=namespace)
        each.value["metadata"]["name"] = namespace
    elif namespace:
        _place(each, namespace)
    prefix = text(app.get("namePrefix")) or text(said.get("namePrefix"))
    suffix = text(app.get("nameSuffix")) or text(said.get("nameSuffix"))
    if (one.group, one.kind) not in _NOT_PREFIXED and (prefix or suffix):
        name = f"{prefix}{each.identity.name}{suffix}"
        each.identity = msgspec.structs.replace(each.identity, name=name)
        each.value["metadata"]["name"] = name
    for pairs, selectors, templates in _labels(said, app):
        _label(each, pairs, selectors, templates)


def _labels(said: Mapping[str, Any], app: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool, bool]]:
    """(labels, whether selectors get them, whether pod templates get them)."""
    for held in (said.get("commonLabels"), app.get("commonLabels")):
        if isinstance(held, Mapping):
            yield held, True, True
    for entry in records(said.get("labels")):
        pairs = entry.get("pairs")
        if isinstance(pairs, Mapping):
            both = entry.get("includeSelectors") is True
            yield pairs, both, both or entry.get("includeTemplates") is True


def _label(each: Built, pairs: Mapping[str, Any], selectors: bool, templates: bool) -> None:
    """Set labels where kustomize sets them: of a NetworkPolicy in the selectors that have matchLabels."""
    _merge(each.value["metadata"], "labels", pairs)
    one = each.identity
    if templates and one.kind in POD_KINDS and isinstance(holder := template_of(each.value, one.kind), dict):
        _merge(holder.setdefault("metadata", {}), "labels", pairs)
    if selectors and (one.group, one.kind) == ("networking.k8s.io", "NetworkPolicy"):
        spec = dig(each.value, "spec")
        held = [dig(spec, "podSelector")]
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for entry in records(dig(spec, direction)):
                held += [peer.get("podSelector") for peer in records(entry.get(peers))]
        for selector in held:
            if isinstance(selector, dict) and isinstance(selector.get("matchLabels"), dict):
                _merge(selector, "matchLabels", pairs)


def _merge(holder: Any, key: str, pairs: Mapping[str, Any]) -> None:
    if isinstance(holder, dict):
        before = holder.get(key)
        holder[key] = {**(before if isinstance(before, Mapping) else {}), **pairs}


def template_of(value: Mapping[str, Any], kind: str) -> Any:
    """Where a workload's pods get their metadata from."""
    if kind == "Pod":
        return value
    if kind == "CronJob":
        return dig(value, "spec", "jobTemplate", "spec", "template")
    return dig(value, "spec", "template")


def pod_template(each: Built) -> Mapping[str, Any] | None:
    """The pod template of a workload; None for what runs no pods."""
    found = template_of(each.value, each.identity.kind) if each.identity.kind in POD_KINDS else None
    return found if isinstance(found, Mapping) else None
