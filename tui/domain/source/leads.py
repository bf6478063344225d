"""Where the kustomizations and charts of a folder lead to, in other folders too, without rendering them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from tui.domain.source.kustomize import MAX_LAYERS
from tui.domain.source.model import records, strings, text
from tui.domain.source.planning import KUSTOMIZATIONS, clean
from tui.domain.yamledit import Refused, Session

CHARTS = ("Chart.yaml", "requirements.yaml")
TOLD_BY = (*KUSTOMIZATIONS, *CHARTS)  # names of the files that lead somewhere
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com[/:]", re.IGNORECASE)
_LISTS = ("crds", "configurations", "generators", "transformers", "validators", "patchesStrategicMerge")
_FILED = ("patches", "patchesJson6902", "replacements")


class Leads(msgspec.Struct, frozen=True, gc=False):
    """What one folder leads to, as paths from the repository's root."""

    resources: tuple[str, ...] = ()  # files or folders: resources, bases, components, charts
    files: tuple[str, ...] = ()  # everything else that is read: patches, generators' files, values
    patches: tuple[str, ...] = ()  # those of `files` that change objects and declare none
    problem: str = ""  # why it cannot be told


NOWHERE = Leads()


def leads(folder: str, texts: Mapping[str, str]) -> Leads:
    """What the files of a folder that are named in TOLD_BY lead to; `texts` by name."""
    resources: list[str] = []
    files: list[str] = []
    patches: list[str] = []
    problem = ""
    top = next((name for name in KUSTOMIZATIONS if name in texts), "")
    for name in (top, *CHARTS):
        if name not in texts:
            continue
        try:
            said = Session(texts[name], 0).value()
        except Refused as error:
            problem = problem or f"{folder}/{name}: {error.reason}"
            continue
        if not isinstance(said, Mapping):
            continue
        if name == top:
            resources += [entry for key in ("resources", "bases", "components") for entry in strings(said.get(key))]
            changing = list(_patches(said))
            patches += changing
            files += [*changing, *_files(said)]
        else:
            named = (text(entry.get("repository")) for entry in records(said.get("dependencies")))
            resources += [entry.removeprefix("file://") for entry in named if entry.startswith("file://")]
    return Leads(_paths(folder, resources), _paths(folder, files), _paths(folder, patches), problem)


def _paths(folder: str, names: Collection[str]) -> tuple[str, ...]:
    kept = (name for name in names if name and "\n" not in name and not _REMOTE.match(name))
    return tuple(dict.fromkeys(clean(f"{folder}/{name}") for name in kept))


def _patches(said: Mapping[str, Any]) -> Iterator[str]:
    yield from strings(said.get("patchesStrategicMerge"))
    for key in ("patches", "patchesJson6902"):
        yield from (text(entry.get("path")) for entry in records(said.get(key)))


def _files(said: Mapping[str, Any]) -> Iterator[str]:
    for key in _LISTS:
        yield from strings(said.get(key))
    for key in _FILED:
        yield from (text(entry.get("path")) for entry in records(said.get(key)))
    for key in ("configMapGenerator", "secretGenerator"):
        for entry in records(said.get(key)):
            yield from (part.rpartition("=")[2] for part in strings(entry.get("files")))
            yield from strings(entry.get("envs"))
            yield text(entry.get("env"))
    for entry in records(said.get("helmCharts")):
        yield from (text(entry.get("valuesFile")), *strings(entry.get("additionalValuesFiles")))


def outside(path: str, components: Collection[str], said: Mapping[str, Leads]) -> tuple[set[str], set[str]]:
    """(files and folders outside `path` that it leads to, folders that must be asked first).

    `said` holds the leads of folders by path; give those of the second set and call again until it is empty.
    """
    found: set[str] = set()
    asked: set[str] = set()
    seen: set[str] = set()
    queue = [path]
    prefix = f"{path}/" if path else ""
    while queue and len(seen) < MAX_LAYERS:
        folder = queue.pop(0)
        if folder in seen:
            continue
        seen.add(folder)
        known = said.get(folder)
        if known is None:
            asked.add(folder)
            continue
        more = known.resources
        if folder == path:
            more = (*more, *(clean(f"{path}/{name}") for name in components if not _REMOTE.match(name)))
        for place in (*more, *known.files):
            if not place.startswith(prefix) and place != path:
                found.add(place)
        queue += [place for place in more if not place.endswith((".yaml", ".yml", ".json"))]
    return found, asked
