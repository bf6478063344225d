"""`:find`: a text in everything that is loaded, and in the files of the repositories that are here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.domain import giturl, redact
from tui.domain.kinds.catalogue import Catalogue
from tui.domain.kinds.tabled import Tabled
from tui.domain.obj import Ref, Row
from tui.domain.ports import Trouble
from tui.fleet.locating import Place

if TYPE_CHECKING:
    from tui.domain.ports import DraftRepository
    from tui.fleet.drafts import Drafts
    from tui.store import Store

MOST = 500  # hits of each sort: by name, in content, in Git
MOST_FILES = 200  # files of one repository that are read for the lines
LINES = 5  # of one file
LONGEST = 200  # characters of a line, or of a value
SLICE = 0.004  # seconds of looking before the keys get their turn


class Hit(NamedTuple):
    """One place where the text is. An object has `ref`, a line of a file `place`."""

    how: str  # name | label | content | line
    kind: str
    name: str
    where: str  # cluster and namespace, or repository
    told: str  # what stands there; foreign text
    ref: Ref | None = None
    place: Place | None = None


class Finding:
    """One search. `hits` grows while `run` goes on; `told` is called when it has, and when something is over."""

    def __init__(self, text: str, store: Store, catalogue: Catalogue, drafts: Drafts | None) -> None:
        self.text = " ".join(text.split())
        self.hits: list[Hit] = []
        self.looked = 0  # objects that were looked through
        self.objects = 0  # that there are
        self.repositories = 0  # that were looked through
        self.left_out = False  # there is more than is shown
        self.over = False
        self.problems: list[str] = []
        self._store = store
        self._catalogue = catalogue
        self._drafts = drafts
        self._words = self.text.lower().split()
        self._until = 0.0

    async def run(self, told: Callable[[], None]) -> None:
        """Look for it: names and labels first, then whole objects, then Git."""
        resources = [resource for resource in self._store.resources() if self._catalogue.get(resource)]
        self.objects = sum(self._store.count(resource) for resource in resources)
        found: list[tuple[int, Hit]] = []
        for row in self._rows(resources):
            if (hit := self._named(row)) is not None:
                found.append(hit)
            await self._breathe()
        found.sort(key=lambda each: (each[0], each[1].kind, each[1].ref))
        self.left_out |= len(found) > MOST
        self.hits = [hit for _, hit in found[:MOST]]
        told()
        await self._contents(resources, {hit.ref for _, hit in found}, told)
        if self._drafts is not None:
            await self._git(self._drafts, told)
        self.over = True
        told()

    def _rows(self, resources: Sequence[str]) -> Iterator[Row]:
        """Everything held, as of when each resource is come to."""
        for resource in resources:
            yield from list(self._store.rows(resource))

    async def _breathe(self) -> None:
        if time.perf_counter() >= self._until:
            await asyncio.sleep(0)
            self._until = time.perf_counter() + SLICE

    # -- objects --------------------------------------------------------------------------------------------------

    def _named(self, row: Row) -> tuple[int, Hit] | None:
        """(rank, hit) of an object whose name, or name with kind and place, or a label has every word."""
        ref, meta = row.ref, row.obj.metadata
        name = ref.name.lower()
        if all(word in name for word in self._words):
            rank = 0 if name == self._words[0] else 1 if name.startswith(self._words[0]) else 2
            return rank, self._hit("name", row, "")
        kind = self._catalogue.get(ref.resource)
        place = f"{name} {ref.namespace} {ref.cluster} {kind.kind if kind else ''}".lower()
        if any(word in name for word in self._words) and all(word in place for word in self._words):
            return 3, self._hit("name", row, "")
        for key, value in (meta.labels or {}).items():
            label = f"{key}={value}"
            if all(word in label.lower() for word in self._words):
                return 4, self._hit("label", row, label)
        if isinstance(row.obj, Tabled):
            for definition in row.obj.layout.columns:
                cell = row.obj.cell(definition.name)
                if isinstance(cell, str) and self.text.lower() in cell.lower():
                    return 5, self._hit("content", row, f"{definition.name}: {_cut(cell)}")
        return None

    def _hit(self, how: str, row: Row, told: str) -> Hit:
        ref = row.ref
        kind = self._catalogue.get(ref.resource)
        where = " · ".join(part for part in (ref.cluster, ref.namespace) if part)
        return Hit(how, kind.kind if kind else ref.resource, ref.name, where, told, ref)

    async def _contents(self, resources: Sequence[str], seen: set[Ref | None], told: Callable[[], None]) -> None:
        """Whole objects, for the text as it stands, in any case."""
        needle, count = self.text.lower().encode(), 0
        for row in self._rows(resources):
            self.looked += 1
            if row.ref not in seen and needle in row.json().lower():
                leaf = _leaf(row.manifest(), self.text.lower())
                if leaf is not None:  # else it is in what is never shown, or across two fields
                    count += 1
                    if count > MOST:
                        self.left_out = True
                        break
                    self.hits.append(self._hit("content", row, leaf))
                    if count % 20 == 1:
                        told()
            await self._breathe()
        self.looked = self.objects
        told()

    # -- Git ------------------------------------------------------------------------------------------------------

    async def _git(self, drafts: Drafts, told: Callable[[], None]) -> None:
        """The files of every repository that is here, at its default branch as of the last fetch."""
        try:
            for known in await drafts.here():
                await drafts.repository(known.url)
            opened, problems = await drafts.repositories.existing()
        except Trouble as error:
            self.problems.append(str(error))
            return
        self.problems += problems
        for repository in opened:
            try:
                await self._repository(repository)
                self.repositories += 1
            except Trouble as error:
                self.problems.append(f"{giturl.shown(repository.url)}: {error}")
            told()

    async def _repository(self, repository: DraftRepository) -> None:
        branch = await repository.default_branch()
        if not branch:
            return
        commit = await repository.resolve(branch)
        where = f"{giturl.shown(repository.url)} {branch}"
        inside = await repository.search(commit, [self.text], ["*"], anycase=True)
        called = f"*{_glob(self.text)}*"
        files = await repository.search(commit, [""], [called, f"{called}/**"])
        for path in files[:MOST]:
            place = Place(repository.url, branch, path, None, 0, "file")
            self.hits.append(Hit("name", "file", path, where, "", place=place))
        count = 0
        for path in inside[:MOST_FILES]:
            content = await repository.read(commit, path)
            for number, line in _lines(content.text, self.text.lower()):
                count += 1
                place = Place(repository.url, branch, path, None, number, "file")
                self.hits.append(Hit("line", "file", f"{path}:{number + 1}", where, line, place=place))
            if count >= MOST:
                break
        self.left_out |= len(inside) > MOST_FILES or count >= MOST or len(files) > MOST


def _glob(text: str) -> str:
    """A glob for the text as it stands, in any case."""
    letters = (f"[{char.lower()}{char.upper()}]" if char.isascii() and char.isalpha() else char for char in text)
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in letters)


def _lines(text: str, wanted: str) -> Iterator[tuple[int, str]]:
    """(number from 0, line) of the first lines with the text, secrets masked."""
    found = 0
    for number, line in enumerate(text.split("\n")):
        if wanted in line.lower():
            yield number, _cut(redact.words(line.strip()))
            found += 1
            if found == LINES:
                return


def _leaf(value: Any, wanted: str, path: str = "", depth: int = 0) -> str | None:
    """`spec.replicas: 3`: the first field whose value, or whose name, has the text; None when none has."""
    if depth > 40:
        return None
    if isinstance(value, Mapping):
        for key, held in value.items():
            inner = f"{path}.{key}" if path else str(key)
            if wanted in str(key).lower():
                return inner if isinstance(held, Mapping | list) else f"{inner}: {_cut(str(held))}"
            if (found := _leaf(held, wanted, inner, depth + 1)) is not None:
                return found
    elif isinstance(value, list):
        for item in value:
            if (found := _leaf(item, wanted, path, depth + 1)) is not None:
                return found
    elif wanted in str(value).lower():
        return f"{path}: {_cut(str(value), wanted)}"
    return None


def _cut(text: str, wanted: str = "") -> str:
    """The text in one line, no longer than anybody reads; of a long one the part with what is wanted."""
    at = max(0, text.lower().find(wanted) - LONGEST // 4) if wanted and len(text) > LONGEST else 0
    part = " ".join(text[at : at + LONGEST].split())
    return f"{'…' if at else ''}{part}{'…' if len(text) > at + LONGEST else ''}"
