"""From an object on the screen to the places in Git that declare it: what `e` opens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from tui.domain import giturl
from tui.domain import source as sources
from tui.domain.argo import tracking
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.argo.application import of_row
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.domain.ports import DraftRepository, Missing, Trouble
from tui.domain.source import Candidate, Identity, SourcePlan
from tui.domain.source.kustomize import walk
from tui.domain.source.planning import clean
from tui.fleet.derive import StoreFacts
from tui.fleet.drafts import Drafts
from tui.fleet.owners import Owners, controlling
from tui.store import Store

NODES = "nodes"
_FOLDER = 0o040000
MOST_FILES = 5_000  # files of one source that are looked through
MOST_OWNERS = 5
PORTION = 50  # Applications decoded before other work gets its turn


class Place(msgspec.Struct, frozen=True):
    """One place to edit. `doc` and `line` as in `Candidate`; `exact` means this document is the object."""

    repo: str  # URL of the remote, as git is given it
    target: str  # branch a change is to be merged into
    file: str
    doc: int | None
    line: int
    confidence: str  # exact | likely | file
    note: str = ""
    role: str = "manifest"
    path: str = ""  # where in the document
    application: str = ""  # name of the Application it belongs to
    cluster: str = ""  # where that Application deploys to


class Located(msgspec.Struct, frozen=True):
    """Where an object comes from: places, best first; repositories that would have to be cloned; or why nowhere."""

    places: tuple[Place, ...] = ()
    to_clone: tuple[str, ...] = ()  # remotes that are not here: fleet can clone them after asking
    reason: str = ""  # why there is no place, in words
    declarable: bool = True  # whether a new file in Git could declare it


class Locator:
    """Finds the places. Reads Git through `drafts`, clusters through the store, and owners that are not held."""

    def __init__(self, store: Store, facts: StoreFacts, drafts: Drafts, owners: Owners | None = None) -> None:
        self._owners = owners or Owners(store)
        self._store = store
        self._facts = facts
        self._drafts = drafts

    async def locate(self, ref: Ref) -> Located:
        """The places that declare an object, or an owner of it. Never raises Trouble: what failed is the reason."""
        row = self._store.get(ref)
        if row is None:
            return await self._missing(ref)
        try:
            owned, application = await self._tracked(row)
        except Trouble as error:
            return Located(reason=f"{_made(row)}, and the source of that cannot be found: {error}", declarable=False)
        if application is not None:
            found = await self._declared(application, _identity(owned))
            return found if owned is row else _by_owner(found, owned, row)
        if ref.resource == NODES:
            return Located(
                reason="nodes are not declared in Git: what sets up the machines makes them", declarable=False
            )
        name = self._facts.application(owned)
        if name:
            return Located(reason=f"it is tracked by the Application {name}, which no hub here shows")
        return Located(reason=_untracked(row, owned))

    async def _missing(self, ref: Ref) -> Located:
        """The places of an object that is not in its cluster although an Application declares it."""
        kind = KINDS.get(ref.resource)
        looked = 0
        for row in list(self._store.rows(APPLICATIONS)):
            if kind is None or self._facts.destination(row).rstrip("?") != ref.cluster:
                continue
            looked += 1
            if looked % PORTION == 0:
                await asyncio.sleep(0)
            wanted = (kind.group, kind.kind, ref.namespace, ref.name)
            if any(each.key == wanted for each in of_row(row).status.resources or ()):
                return await self._declared(row, Identity(*wanted))
        return Located(reason=f"{ref.name} is not held, and no Application is known to declare it")

    async def _declared(self, application: Row, identity: Identity) -> Located:
        """The places in the sources of an Application that declare an object."""
        manifest = application.manifest()
        found: list[Place] = []
        to_clone: list[str] = []
        reasons: list[str] = []
        for plan in sources.plans(manifest):
            try:
                found += await self._places(plan, identity, application, to_clone)
            except Trouble as error:
                reasons.append(str(error))
        if not found and not to_clone and not reasons:
            where = ", ".join(
                sorted({f"{giturl.shown(plan.repo_url)} {plan.path}" for plan in sources.plans(manifest)})
            )
            reasons.append(f"nothing under {where} declares {identity.name}")
        found.sort(key=lambda place: ("exact", "likely", "file").index(place.confidence))
        return Located(tuple(found), tuple(dict.fromkeys(to_clone)), "; ".join(reasons))

    async def here(self, url: str) -> DraftRepository | None:
        """The repository of a repoURL; None when it would have to be cloned first. Raises other Trouble."""
        return await self._open(url, [])

    async def texts(self, plan: SourcePlan, most: int) -> tuple[SourcePlan, Mapping[str, str]] | None:
        """A source, its tool found out, and its files, `most` at most; None when it is not here. Raises Trouble."""
        read = await self._read(plan, [], most)
        return (sources.resolve(plan, read[2]), read[3]) if read is not None else None

    async def files(self, ref: Ref) -> Located:
        """The files an Application is rendered from, to browse: for Applications that no Git file declares."""
        row = self._store.get(ref)
        if row is None or ref.resource != APPLICATIONS:
            return Located(reason=f"{ref.name} is not an Application that is held")
        found: list[Place] = []
        to_clone: list[str] = []
        reasons: list[str] = []
        for plan in sources.plans(row.manifest()):
            try:
                read = await self._read(plan, to_clone)
            except Trouble as error:
                reasons.append(str(error))
                continue
            if read is not None:
                repository, target, _, texts = read
                candidates = [Candidate(file, None, 1, "file", role="manifest") for file in sorted(texts)]
                found += [self._place(candidate, repository, target, row) for candidate in candidates]
        return Located(tuple(found), tuple(dict.fromkeys(to_clone)), "; ".join(reasons))

    async def _tracked(self, row: Row) -> tuple[Row, Row | None]:
        """The object or the nearest owner that an Application declares, and that Application. Raises Trouble."""
        current = row
        for _ in range(MOST_OWNERS):
            if _own_tracking(current) is not None:
                break
            owner = await self._owners.of(current)
            if owner is None:
                break
            current = owner
        ref = self._facts.application_ref(current)
        return current, self._store.get(ref) if ref is not None and ref != row.ref else None

    async def _places(self, plan: SourcePlan, identity: Identity, application: Row, to_clone: list[str]) -> list[Place]:
        read = await self._read(plan, to_clone)
        if read is None:
            return []
        repository, target, listing, texts = read
        candidates = await asyncio.to_thread(sources.find, plan, texts, identity, listing)
        places = []
        for candidate in candidates:
            if candidate.file == "":
                inside = await self.locate(application.ref)  # the Application's own manifest says it
                places += [
                    msgspec.structs.replace(place, note=candidate.note, path=candidate.path, confidence="likely")
                    for place in inside.places[:1]
                ]
            elif candidate.file.startswith("$"):
                places += await self._referred(plan, candidate, application, to_clone)
            else:
                places.append(self._place(candidate, repository, target, application))
        return places

    async def _referred(
        self, plan: SourcePlan, candidate: Candidate, application: Row, to_clone: list[str]
    ) -> list[Place]:
        """A values file that lies in the repository of another source."""
        value = next((file for file in plan.value_files if file.key == candidate.file), None)
        if value is None:
            return []
        opened = await self._open(value.repo_url, to_clone)
        if opened is None:
            return []
        target = await _target(opened, value.revision)
        return [self._place(msgspec.structs.replace(candidate, file=value.path), opened, target, application)]

    def _place(self, candidate: Candidate, repository: DraftRepository, target: str, application: Row) -> Place:
        return Place(
            repo=repository.url,
            target=target,
            file=candidate.file,
            doc=candidate.doc,
            line=candidate.line,
            confidence=candidate.confidence,
            note=candidate.note,
            role=candidate.role,
            path=candidate.path,
            application=application.ref.name,
            cluster=self._facts.destination(application).rstrip("?"),
        )

    async def _open(self, url: str, to_clone: list[str]) -> DraftRepository | None:
        """The repository of a repoURL; None, and noted, when it would have to be cloned first."""
        try:
            return await self._drafts.repository(url)
        except Missing:
            to_clone.append(url)
            return None

    async def _read(
        self, plan: SourcePlan, to_clone: list[str], most: int = MOST_FILES
    ) -> tuple[DraftRepository, str, set[str], Mapping[str, str]] | None:
        """(repository, target branch, paths, texts) of a source; None when it would have to be cloned first."""
        repository = await self._open(plan.repo_url, to_clone)
        if repository is None:
            return None
        target = await _target(repository, plan.revision)
        revision = plan.revision or "HEAD"
        listing: set[str] = set()
        await _list(repository, revision, plan.path, listing)
        plan = sources.resolve(plan, listing)
        texts: dict[str, str] = {}
        refused: set[str] = set()
        while wanted := sources.wanted(plan, texts, listing) - refused:
            for path in sorted(wanted)[: most - len(texts)]:
                try:
                    texts[path] = await self._text(plan, repository, revision, path, to_clone)
                except Trouble:
                    refused.add(path)  # not text, too large, or gone: it cannot be edited here anyway
            if len(texts) >= most:
                break
            await _list_bases(repository, revision, plan, texts, listing)
        return repository, target, listing, texts

    async def _text(
        self, plan: SourcePlan, repository: DraftRepository, revision: str, path: str, to_clone: list[str]
    ) -> str:
        value = next((file for file in plan.value_files if file.key == path), None)
        if value is None or not path.startswith("$"):
            return (await repository.read(revision, path)).text
        other = await self._open(value.repo_url, to_clone)
        if other is None:
            raise Missing(f"{giturl.shown(value.repo_url)} is not here")
        return (await other.read(value.revision or "HEAD", value.path)).text


async def _target(repository: DraftRepository, revision: str) -> str:
    """The branch that a change for this revision is to be merged into: itself, or the default branch."""
    branches = await repository.branches()
    named = revision.removeprefix("refs/heads/")
    return named if named in branches else await repository.default_branch()


async def _list(repository: DraftRepository, revision: str, folder: str, listing: set[str], deep: bool = True) -> None:
    """Add the paths below a folder; a folder that does not exist adds nothing."""
    folders = [folder.strip("/")]
    while folders and len(listing) < MOST_FILES:
        current = folders.pop()
        try:
            entries = await repository.entries(revision, current)
        except Missing:
            continue
        for name, mode, _ in entries:
            path = f"{current}/{name}" if current else name
            if mode == _FOLDER and deep:
                folders.append(path)
            elif mode != _FOLDER:
                listing.add(path)


async def _list_bases(
    repository: DraftRepository, revision: str, plan: SourcePlan, texts: Mapping[str, str], listing: set[str]
) -> None:
    """Add the folders that a kustomize tree, as far as it is read, refers to outside its own folder."""
    if plan.tool != "kustomize":
        return
    for layer in walk(plan, texts):
        for entry in layer.resources:
            path = clean(f"{layer.folder}/{entry}")
            if path not in listing and "://" not in entry:
                await _list(repository, revision, path, listing, deep=False)
                await _list(repository, revision, path.rpartition("/")[0], listing, deep=False)


def _gvk(row: Row) -> tuple[str, str]:
    """API group and kind of an object."""
    kind = KINDS.get(row.ref.resource)
    if kind is not None:
        return kind.group, kind.kind
    found: dict[str, Any] = row.manifest()
    return str(found.get("apiVersion", "")).rpartition("/")[0], str(found.get("kind", ""))


def _own_tracking(row: Row) -> tracking.TrackingId | None:
    """The tracking id that names this object; None for one that its controller copied along from the owner."""
    annotations = getattr(row.obj.metadata, "annotations", None)
    found = tracking.parse(annotations.tracking_id) if annotations is not None else None
    return found if found is not None and found.is_of(*_gvk(row), row.ref.namespace, row.ref.name) else None


def _identity(row: Row) -> Identity:
    """What the object is in Git's words: its tracking id says it, else the object itself."""
    own = _own_tracking(row)
    return sources.tracked(own) if own is not None else Identity(*_gvk(row), row.ref.namespace, row.ref.name)


def _by_owner(found: Located, owned: Row, row: Row) -> Located:
    """The places of an owner, each saying whose it is."""
    whose = f"declared by {_gvk(owned)[1]} {owned.ref.name}, which owns this {_gvk(row)[1]}"
    places = tuple(
        msgspec.structs.replace(place, note="; ".join(part for part in (whose, place.note) if part))
        for place in found.places
    )
    return msgspec.structs.replace(found, places=places)


def _made(row: Row) -> str:
    owner = controlling(row)
    return f"it is made by {owner.kind} {owner.name}" if owner else "its owner is not known"


def _untracked(row: Row, owned: Row) -> str:
    """Why no Application leads to an object; `owned` is its furthest owner that was found."""
    if owned is not row:
        return f"it is made by {_gvk(owned)[1]} {owned.ref.name}, which no Application tracks"
    if controlling(row) is not None:
        return f"{_made(row)}, not declared in Git itself"
    return "no Application tracks it: it did not come from Git"
