"""Objects built by kustomize: the tree of kustomizations below an overlay, and what in it shapes one object.

Nothing is built here. The tree is walked as kustomize walks it, names are traced back through prefixes, suffixes and
generator hashes, and everything that may set a field of the object is offered, the last writer first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.domain.source.directory import entries
from tui.domain.source.model import Candidate, Identity, SourcePlan, dig, records, strings, text
from tui.domain.source.planning import KUSTOMIZATIONS, clean
from tui.domain.yamledit import Document, Refused, Session, documents

MAX_LAYERS = 200
"""Kustomizations in one tree; real ones have a handful. Stops cycles and runaway trees."""

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com[/:]", re.IGNORECASE)
_HASH = re.compile(r"-[0-9a-z]{10}\Z")
_SELECTOR = ("group", "kind", "namespace", "name")


@dataclass(slots=True)
class Layer:
    """One kustomization: its file, what it says, and the names that all layers above it add."""

    file: str
    folder: str
    said: Mapping[str, Any]
    session: Session | None
    prefix: str = ""
    suffix: str = ""
    namespace: str = ""
    resources: list[str] = field(default_factory=list)
    above: int = 0  # how many layers stand above


def find_kustomize(source: SourcePlan, files: Mapping[str, str], wanted: Identity) -> list[Candidate]:
    """Patches on the object, then what the kustomizations say about it, then the manifest it starts from."""
    layers = list(walk(source, files))
    if not layers:
        return []
    patches: list[Candidate] = []
    overlays: list[Candidate] = []
    origins: list[Candidate] = []
    for layer in layers:
        origins += _origins(source, layer, files, wanted)
        patches += _patches(layer, files, wanted)
    for layer in layers:
        overlays += _generated(layer, wanted)
        overlays += _settings(layer, wanted, [candidate.file for candidate in origins])
    top = layers[0]
    if not origins and not overlays and not patches:
        note = "no file of the tree declares it" + _remotes(layers)
        return [Candidate(top.file, 0, 1, "file", note, "overlay")]
    if len(origins) > 1:
        origins = [_with(candidate, "likely", f"one of {len(origins)} manifests of that name") for candidate in origins]
    shared = [o for o in origins if not _inside(o.file, top.folder)]
    if shared and not patches and not any(c.file == top.file for c in overlays):
        note = f"the overlay: it says nothing about this object yet; its manifest is {shared[0].file}"
        overlays.insert(0, Candidate(top.file, 0, 1, "likely", note, "overlay"))
    return [*patches, *overlays, *origins]


def _with(candidate: Candidate, confidence: str, note: str) -> Candidate:
    notes = "; ".join(part for part in (candidate.note, note) if part)
    return Candidate(candidate.file, candidate.doc, candidate.line, confidence, notes, candidate.role, candidate.path)  # type: ignore[arg-type]


def _inside(file: str, folder: str) -> bool:
    return not folder or file.startswith(folder + "/")


def _remotes(layers: list[Layer]) -> str:
    found = [entry for layer in layers for entry in layer.resources if _REMOTE.match(entry)]
    return f"; it may come from {found[0]}" if found else ""


def kustomization(folder: str, paths: Collection[str]) -> str:
    """The kustomization file of a folder, "" when it has none."""
    for name in KUSTOMIZATIONS:
        file = f"{folder}/{name}" if folder else name
        if file in paths:
            return file
    return ""


def walk(source: SourcePlan, files: Mapping[str, str]) -> Iterator[Layer]:
    """The kustomizations of the tree from the Application's own down, as far as `files` holds them."""
    app = source.kustomize
    queue = [(source.path, "", "", "", 0)]
    seen: set[str] = set()
    while queue and len(seen) < MAX_LAYERS:
        folder, prefix, suffix, namespace, depth = queue.pop(0)
        file = kustomization(folder, files)
        if not file or file in seen:
            continue
        seen.add(file)
        said, session = _read(files[file])
        own_prefix, own_suffix = text(said.get("namePrefix")), text(said.get("nameSuffix"))
        own_namespace = text(said.get("namespace"))
        if depth == 0:  # Argo CD writes the Application's own settings into the top kustomization
            own_prefix = text(app.get("namePrefix")) or own_prefix
            own_suffix = text(app.get("nameSuffix")) or own_suffix
            own_namespace = text(app.get("namespace")) or own_namespace
        layer = Layer(
            file,
            folder,
            said,
            session,
            prefix + own_prefix,
            own_suffix + suffix,
            namespace or own_namespace,
            above=depth,
        )
        layer.resources = [
            *strings(said.get("resources")),
            *strings(said.get("bases")),
            *strings(said.get("components")),
        ]
        if depth == 0:
            layer.resources += strings(app.get("components"))
        yield layer
        for entry in layer.resources:
            if not _REMOTE.match(entry):
                queue.append((clean(f"{folder}/{entry}"), layer.prefix, layer.suffix, layer.namespace, depth + 1))


def _read(content: str) -> tuple[Mapping[str, Any], Session | None]:
    try:
        session = Session(content, 0)
        said = session.value()
    except Refused:
        return {}, None
    return (said, session) if isinstance(said, Mapping) else ({}, None)


def needed(source: SourcePlan, files: Mapping[str, str], listing: Collection[str]) -> set[str]:
    """Files of the repository that the tree, as far as it has been read, still asks for."""
    paths = listing if isinstance(listing, set | frozenset | Mapping) else set(listing)
    out: set[str] = set()
    top = kustomization(source.path, paths)
    if top:
        out.add(top)
    for layer in walk(source, files):
        out |= {path for path in _named(layer) if path in paths}
        for entry in layer.resources:
            if not _REMOTE.match(entry) and (file := kustomization(clean(f"{layer.folder}/{entry}"), paths)):
                out.add(file)
    return out - files.keys()


def _named(layer: Layer) -> Iterator[str]:
    said = layer.said
    names = [*layer.resources, *strings(said.get("patchesStrategicMerge")), *strings(said.get("generators"))]
    names += [text(entry.get("path")) for key in ("patches", "patchesJson6902") for entry in records(said.get(key))]
    for key in ("configMapGenerator", "secretGenerator"):
        for entry in records(said.get(key)):
            names += [part.rpartition("=")[2] for part in strings(entry.get("files"))]
            names += [*strings(entry.get("envs")), text(entry.get("env"))]
    for name in names:
        if name and "\n" not in name and not _REMOTE.match(name):
            yield clean(f"{layer.folder}/{name}")


def bare_name(layer: Layer, name: str) -> str | None:
    """The name an object has inside a layer, before prefixes and suffixes; None when it cannot be from there."""
    if not name.startswith(layer.prefix) or not name.endswith(layer.suffix):
        return None
    inner = name[len(layer.prefix) : len(name) - len(layer.suffix)]
    return inner or None


def _origins(source: SourcePlan, layer: Layer, files: Mapping[str, str], wanted: Identity) -> list[Candidate]:
    name = bare_name(layer, wanted.name)
    if name is None:
        return []
    out = []
    for entry in layer.resources:
        file = clean(f"{layer.folder}/{entry}")
        if file not in files or name not in files[file]:
            continue
        for document, path in entries(files[file]):
            if _is(document, wanted, name) and (
                layer.namespace or wanted.namespace in ("", document.namespace or source.destination_namespace)
            ):
                note = "" if name == wanted.name else f"named {name} here"
                shared = "" if _inside(file, source.path) else "every overlay of this base gets a change made here"
                note = "; ".join(part for part in (note, shared) if part)
                out.append(Candidate(file, document.index, document.line, "exact", note, path=path))
    return out


def _is(document: Document, wanted: Identity, name: str) -> bool:
    return (document.kind, document.group, document.name) == (wanted.kind, wanted.group, name)


def _patches(layer: Layer, files: Mapping[str, str], wanted: Identity) -> list[Candidate]:
    """Patches of one layer on the object, the last written first: that one wins."""
    names = {wanted.name, bare_name(layer, wanted.name) or wanted.name}
    out: list[Candidate] = []
    for key in ("patchesStrategicMerge", "patchesJson6902", "patches"):
        value = layer.said.get(key)
        for index, entry in enumerate(value if isinstance(value, list) else []):
            spot = f"{key}[{index}]"
            if isinstance(entry, str):
                found = _patch_file(layer, entry, files, wanted, names, None, spot)
            elif isinstance(entry, Mapping):
                target = entry.get("target")
                inline = entry.get("patch") or entry.get("inline")
                if isinstance(inline, str):
                    found = _inline_patch(layer, inline, wanted, names, target, spot)
                else:
                    found = _patch_file(layer, text(entry.get("path")), files, wanted, names, target, spot)
            else:
                continue
            out += found
    return out[::-1]


def _targets(target: Any, wanted: Identity, names: set[str]) -> bool:
    """Whether a patch target (anchored regular expressions, empty matches all) may select the object."""
    for key in _SELECTOR:
        pattern = text(dig(target, key))
        if not pattern:
            continue
        values = names if key == "name" else {getattr(wanted, key)}
        try:
            if not any(re.fullmatch(pattern, value) for value in values):
                return False
        except re.error:
            if pattern not in values:
                return False
    return True


def _target_note(target: Any) -> str:
    selectors = [key for key in ("labelSelector", "annotationSelector") if text(dig(target, key))]
    return f"if its {selectors[0]} selects the object" if selectors else ""


def _patch_file(
    layer: Layer, name: str, files: Mapping[str, str], wanted: Identity, names: set[str], target: Any, spot: str
) -> list[Candidate]:
    if "\n" in name:
        return _inline_patch(layer, name, wanted, names, target, spot)
    file = clean(f"{layer.folder}/{name}")
    if file not in files:
        return []
    note = f"patch, applied by {layer.file}"
    if isinstance(target, Mapping) and target:
        if not _targets(target, wanted, names):
            return []
        note = "; ".join(part for part in (note, _target_note(target)) if part)
        return [Candidate(file, 0, 1, "likely", note, "patch")]
    return [
        Candidate(file, document.index, document.line, "likely", note, "patch")
        for document in documents(files[file])
        if any(_is(document, wanted, name) for name in names)
    ]


def _inline_patch(
    layer: Layer, patch: str, wanted: Identity, names: set[str], target: Any, spot: str
) -> list[Candidate]:
    if isinstance(target, Mapping) and target:
        hit, note = _targets(target, wanted, names), _target_note(target)
    else:
        hit, note = any(_is(document, wanted, name) for document in documents(patch) for name in names), ""
    if not hit or layer.session is None:
        return []
    line = layer.session.position(spot, nearest=True)[0]
    note = "; ".join(part for part in ("patch written in the kustomization", note) if part)
    return [Candidate(layer.file, 0, line, "likely", note, "patch", spot)]


def _generated(layer: Layer, wanted: Identity) -> list[Candidate]:
    """The configMapGenerator or secretGenerator entry behind a ConfigMap or Secret, its name hash taken off."""
    key = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}.get(wanted.kind)
    name = bare_name(layer, wanted.name)
    if key is None or wanted.group or layer.session is None:
        return []
    plain_names = {name, _HASH.sub("", name) if name else None, bare_name(layer, _HASH.sub("", wanted.name))}
    out = []
    for index, entry in enumerate(records(layer.said.get(key))):
        if text(entry.get("name")) in plain_names:
            spot = f"{key}[{index}]"
            line = layer.session.position(spot, nearest=True)[0]
            out.append(Candidate(layer.file, 0, line, "likely", "generated from this entry", "overlay", spot))
    return out


def _settings(layer: Layer, wanted: Identity, origins: list[str]) -> list[Candidate]:
    """Entries of a kustomization that may set fields of the object: replicas, images, names, labels."""
    session = layer.session
    if session is None:
        return []
    names = {wanted.name, bare_name(layer, wanted.name)}
    facts: list[tuple[str, str]] = []
    for index, entry in enumerate(records(layer.said.get("replicas"))):
        if text(entry.get("name")) in names and wanted.kind in ("Deployment", "StatefulSet", "ReplicaSet"):
            facts.append((f"replicas[{index}]", f"replicas {entry.get('count')}"))
    images = records(layer.said.get("images"))
    if images and wanted.kind in POD_KINDS:
        facts.append(("images", "images " + ", ".join(text(image.get("name")) for image in images[:3])))
    for key in ("namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "commonAnnotations", "replacements"):
        if facts and layer.said.get(key):
            facts.append((key, key))
    if not facts:
        return []
    line = session.position(facts[0][0], nearest=True)[0]
    note = "sets " + "; ".join(word for _, word in facts)
    return [Candidate(layer.file, 0, line, "likely", note, "overlay", facts[0][0])]


POD_KINDS = (
    "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Rollout",
)  # fmt: skip
"""Kinds that hold containers, in which kustomize replaces images."""
