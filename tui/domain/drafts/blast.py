"""What a draft would touch before anybody applies it: Applications, clusters, workloads, and what it deletes.

Everything is told from text and from what the clusters last said; nothing is rendered. What cannot be told that way is
in `Blast.unknown`, in words, and never counted as nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from tui.domain.argo import application as argo
from tui.domain.argo.application import ApplicationBrief
from tui.domain.argo.reach import Why
from tui.domain.argo.windows import Verdict
from tui.domain.drafts.blastfiles import APPLICATION, ARGO, PROJECT, SET, Changed, Diff, Place
from tui.domain.obj import Row
from tui.domain.settings import Settings
from tui.domain.source.model import dig, records, strings
from tui.domain.yamlvalue import same

CASCADE = "resources-finalizer.argocd.argoproj.io"  # also with /foreground or /background after it
WORKLOADS = frozenset(
    {
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("apps", "ReplicaSet"),
        ("batch", "Job"),
        ("batch", "CronJob"),
        ("", "Pod"),
        ("", "ReplicationController"),
        (ARGO, "Rollout"),
    }
)
_DEPLOYS: tuple[Why, ...] = ("path", "base", "edit")  # reasons for which the objects of a file are the Application's

Window = Literal["open", "manual", "closed", "unknown"]
"""What the sync windows say now: manual = only a sync that somebody asks for may start; unknown = project not held."""


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why an Application is touched, and by which file."""

    file: str
    why: Why


class Touched(msgspec.Struct, frozen=True):
    """One Application that a draft touches, as it stands now."""

    hub: str
    namespace: str
    name: str
    cluster: str  # fleet's name of where it deploys to, "?" after it unless that is certain
    auto_sync: bool = False
    prune: bool = False
    self_heal: bool = False
    health: str = ""
    sync: str = ""
    window: Window = "unknown"
    until: float | None = None  # seconds since the epoch at which the windows may say something else
    reasons: tuple[Reason, ...] = ()


class Object(msgspec.Struct, frozen=True, gc=False):
    """An object in a changed file. `copies`: how many Applications deploy it, 1 when that is not known."""

    group: str
    kind: str
    namespace: str
    name: str
    file: str
    how: Literal["added", "changed", "deleted"]
    copies: int = 1

    @property
    def workload(self) -> bool:
        """Whether it runs containers."""
        return (self.group, self.kind) in WORKLOADS


class Deletion(msgspec.Struct, frozen=True, gc=False):
    """Something that is in Git now and would not be any more. `note`: what follows from that, in words."""

    what: Literal["object", "file", "Application", "listing"]
    name: str
    file: str
    copies: int = 1
    note: str = ""


class Blast(msgspec.Struct, frozen=True):
    """The blast radius of a draft. `known` counts all Applications that are known: with 0, none can be named."""

    applications: tuple[Touched, ...] = ()
    known: int = 0
    objects: tuple[Object, ...] = ()  # workloads first
    deleted: tuple[Deletion, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def clusters(self) -> tuple[str, ...]:
        """Where the Applications deploy to, by name."""
        return tuple(sorted({touched.cluster.removesuffix("?") for touched in self.applications}))

    @property
    def workloads(self) -> int:
        """Workloads that are added, changed or deleted; one that several Applications deploy counts for each."""
        return sum(each.copies for each in self.objects if each.workload)

    @property
    def share(self) -> float | None:
        """Touched Applications of all that are known, 0 to 1; None when none is known."""
        return len(self.applications) / self.known if self.known else None


class Hit(NamedTuple):
    """An Application and how files touch it, before what it is now is looked up."""

    row: Row
    why: Mapping[Place, Why]


# -- which Applications ---------------------------------------------------------------------------------------------


def hits(reached: Iterable[Hit], diffs: Sequence[Diff], rows: Collection[Row], places: Mapping[int, str]) -> list[Hit]:
    """The Applications that files reach, and those that changed files declare, generate or govern.

    `rows` are all Applications; `places` the clusters that Applications deploy to by position in `reached`, which tell
    in which hub a declared Application is meant.
    """
    found = {hit.row.ref: Hit(hit.row, dict(hit.why)) for hit in reached}
    order = list(found.values())
    for diff in diffs:
        for changed in diff.objects:
            if changed.identity.group != ARGO or changed.identity.kind not in (APPLICATION, SET, PROJECT):
                continue
            parents = {places[at] for at, hit in enumerate(order) if at in places and diff.place in hit.why}
            for row, why in _claimed(changed, rows, parents):
                held = found.setdefault(row.ref, Hit(row, {}))
                assert isinstance(held.why, dict)
                held.why[diff.place] = why
    return list(found.values())


def _claimed(changed: Changed, rows: Iterable[Row], hubs: Collection[str]) -> list[tuple[Row, Why]]:
    """The Applications that a declared Application, ApplicationSet or AppProject is about."""
    identity, found = changed.identity, []
    for row in rows:
        app: ApplicationBrief = row.obj
        if identity.namespace not in ("", row.ref.namespace) and identity.kind != PROJECT:
            continue
        if identity.kind == APPLICATION and row.ref.name == identity.name:
            found.append((row, "manifest"))
        elif identity.kind == PROJECT and (app.spec.project or "default") == identity.name:
            found.append((row, "project"))
        elif identity.kind == SET and _owned(row, identity.name):
            found.append((row, "set"))
    here = [(row, why) for row, why in found if row.ref.cluster in hubs]
    return here or found  # type: ignore[return-value]


def _owned(row: Row, name: str) -> bool:
    """Whether an ApplicationSet made an Application."""
    return any(owner.kind == SET and owner.name == name for owner in row.obj.metadata.owner_references)


def touched(hit: Hit, cluster: str, verdict: Verdict | None) -> Touched:
    """An Application as it stands: `cluster` as `destination` of the facts names it, `verdict` of its sync windows."""
    app: ApplicationBrief = hit.row.obj
    automated = argo.auto_sync(app)
    return Touched(
        hub=hit.row.ref.cluster,
        namespace=hit.row.ref.namespace,
        name=hit.row.ref.name,
        cluster=cluster,
        auto_sync=automated is not None,
        prune=automated is not None and bool(automated.prune),
        self_heal=automated is not None and bool(automated.self_heal),
        health=app.status.health.status or "Unknown",
        sync=app.status.sync.status or "Unknown",
        window=_window(verdict),
        until=verdict.until if verdict is not None else None,
        reasons=tuple(Reason(place.path, why) for place, why in sorted(hit.why.items())),
    )


def _window(verdict: Verdict | None) -> Window:
    if verdict is None or verdict.allowed is None:
        return "unknown"
    return "open" if verdict.allowed else "manual" if verdict.manual else "closed"


# -- objects and deletions ------------------------------------------------------------------------------------------


def collected(
    diffs: Sequence[Diff],
    found: Sequence[Hit],
    every: Sequence[Touched],
    known: int,
    unknown: Iterable[str] = (),
    more: Iterable[Deletion] = (),
) -> Blast:
    """The whole: objects of the changed files counted once for each Application that deploys them, and what goes.

    `found` and `every` are the same Applications, in any order; `more` is deleted besides what the files say.
    """
    deployers = _deployers(found)
    diffs = _moved(diffs, deployers)
    objects: list[Object] = []
    deleted = list(more)
    said = dict.fromkeys(unknown)
    live = {(hit.row.ref.namespace, hit.row.ref.name): hit.row for hit in found}
    for diff in diffs:
        copies = max(1, len(deployers.get(diff.place, ())))
        for changed in diff.objects:
            one = changed.identity
            objects.append(Object(one.group, one.kind, one.namespace, one.name, diff.place.path, changed.how, copies))
            if changed.how == "deleted":
                deleted.append(_deletion(changed, diff.place.path, copies, live, found))
        deleted += [Deletion("listing", name, diff.place.path, copies) for name in diff.unlisted]
        if diff.gone:
            deleted.append(Deletion("file", diff.gone, diff.place.path))
        touching = any(diff.place in hit.why for hit in found)
        if diff.note and (touching or not known or diff.yaml):
            said[f"{diff.place.path}: {diff.note}"] = None
    if not known:
        said["no Application is known: which ones it touches cannot be told"] = None
    objects.sort(key=lambda each: (not each.workload, each.kind, each.namespace, each.name))
    deleted.sort(key=lambda each: (("Application", "object", "listing", "file").index(each.what), each.name))
    ordered = sorted(every, key=lambda each: (each.cluster, each.name, each.namespace, each.hub))
    return Blast(tuple(ordered), known, tuple(objects), tuple(deleted), tuple(said))


def _deployers(found: Iterable[Hit]) -> dict[Place, set[object]]:
    made: dict[Place, set[object]] = {}
    for hit in found:
        for place, why in hit.why.items():
            if why in _DEPLOYS:
                made.setdefault(place, set()).add(hit.row.ref)
    return made


def _moved(diffs: Sequence[Diff], deployers: Mapping[Place, set[object]]) -> list[Diff]:
    """Objects that only moved to another file of the same Applications (or folder, when none is known) as changed."""

    def home(place: Place) -> object:
        return frozenset(deployers.get(place, ())) or (place.repo, place.path.rpartition("/")[0])

    added = {(home(d.place), c.identity): c for d in diffs for c in d.objects if c.how == "added"}
    gone = {(home(d.place), c.identity): c for d in diffs for c in d.objects if c.how == "deleted"}
    made = []
    for diff in diffs:
        kept = []
        for changed in diff.objects:
            key = home(diff.place), changed.identity
            if key not in added or key not in gone:
                kept.append(changed)
            elif changed.how == "added" and not same(gone[key].before, changed.after):
                kept.append(msgspec.structs.replace(changed, how="changed", before=gone[key].before))
        made.append(msgspec.structs.replace(diff, objects=tuple(kept)))
    return made


def _deletion(
    changed: Changed, file: str, copies: int, live: Mapping[tuple[str, str], Row], found: Sequence[Hit]
) -> Deletion:
    one = changed.identity
    name = f"{one.kind} {one.namespace}/{one.name}" if one.namespace else f"{one.kind} {one.name}"
    if one.group == ARGO and one.kind == APPLICATION:
        rows = [row for (namespace, named), row in live.items() if named == one.name]
        rows = [row for row in rows if one.namespace in ("", row.ref.namespace)]
        return Deletion("Application", name, file, copies, _cascade(changed, rows))
    if one.group == ARGO and one.kind == SET:
        owned = sum(
            any(o.kind == SET and o.name == one.name for o in h.row.obj.metadata.owner_references) for h in found
        )
        kept = dig(changed.before, "spec", "syncPolicy", "preserveResourcesOnDeletion") is True
        after = "their objects stay" if kept else "with everything they deployed"
        return Deletion("Application", name, file, copies, f"its {owned} Applications go with it, {after}")
    options = str(dig(changed.before, "metadata", "annotations", "argocd.argoproj.io/sync-options") or "")
    stays = "Prune=false" in [option.strip() for option in options.split(",")]
    return Deletion("object", name, file, copies, "Prune=false: it stays in the cluster" if stays else "")


def _cascade(changed: Changed, rows: Sequence[Row]) -> str:
    """Whether the objects of an Application that goes would go with it: by its finalizer, in Git or live."""
    held = strings(dig(changed.before, "metadata", "finalizers"))
    for row in rows:
        held += strings(dig(row.manifest(), "metadata", "finalizers"))
    counts = [len(records(dig(row.manifest(), "status", "resources"))) for row in rows]
    many = f", {sum(counts)} objects" if sum(counts) else ""
    if any(name == CASCADE or name.startswith(CASCADE + "/") for name in held):
        return f"its finalizer deletes everything it deployed{many}"
    return f"it has no finalizer: what it deployed stays{many}"


# -- confirmation ---------------------------------------------------------------------------------------------------


class Confirmation(msgspec.Struct, frozen=True):
    """What must be typed before a draft is pushed, and why."""

    word: str
    reasons: tuple[str, ...]


def confirmation(blast: Blast, settings: Settings, word: str, alarms: Sequence[str] = ()) -> Confirmation | None:
    """None when a plain yes is enough; `word` must be typed for any deletion and for a large share of the fleet.

    One Application alone is never a large share, unless `confirm_share` is 0: that asks for every Application.
    `alarms` are more reasons to think twice, those of network policies.
    """
    reasons = [*alarms]
    if counts := deletions(blast):
        reasons.append(f"{counts} deleted")
    share, count = blast.share, len(blast.applications)
    if share is not None and share > settings.confirm_share and (count > 1 or settings.confirm_share == 0):
        reasons.append(f"it touches {count} of {blast.known} Applications ({round(share * 100)} %)")
    return Confirmation(word, tuple(reasons)) if reasons else None


def deletions(blast: Blast) -> str:
    """`1 Application, 2 objects, 1 file`; "" when nothing is deleted."""
    total: dict[str, int] = {}
    for each in blast.deleted:
        what = "object" if each.what == "listing" else each.what
        total[what] = total.get(what, 0) + each.copies
    return ", ".join(counted(total[what], what) for what in ("Application", "object", "file") if what in total)


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
