"""`fleet draft bulk` and `revert`: edits that start from what clusters run, not from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from tui.cli.draft.common import OUTPUT, emit, print_listed, run, run_on_fleet, say

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.drafts.model import Draft
    from tui.domain.obj import Row
    from tui.fleet.bulk import Bulk, Edit
    from tui.fleet.drafts import Drafts, Part
    from tui.fleet.runtime import Fleet

BY = click.Choice(("cluster", "group", "application"))


@click.command()
@click.argument("name")
@click.argument("assignments", metavar="PATH=VALUE...", nargs=-1, required=True)
@click.option("--kind", default="applications", show_default=True, metavar="KIND", help="What is edited.")
@click.option("-l", "--selector", metavar="SELECTOR", default="", help="Label selector, as kubectl's.")
@click.option("-n", "--namespace", metavar="NS", help="Only this namespace.")
@click.option("--cluster", metavar="GLOB", default="*", help="Only in these clusters; Applications that deploy there.")
@click.option("--app", metavar="GLOB", default="*", help="Only Applications of this name, or what they declare.")
@click.option("--edit", "form", metavar="EDIT", help="A form instead of paths; its fields are NAME=VALUE.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@OUTPUT
@click.pass_obj
def bulk(options: Options, name: str, assignments: tuple[str, ...], form: str | None, **chosen: Any) -> None:
    """Set values in many objects at once, each where it is declared, and print the diff by cluster.

    NAME is a draft, or the title of a new one. What becomes of each object is told on stderr: will change, already so,
    or cannot, and why. A file that several objects share is edited once. Exit code 1 when any object cannot be edited,
    3 when a cluster could not be read.
    """
    edit = _edit(form, assignments, chosen["kind"])

    async def work(fleet: Fleet, drafts: Drafts) -> int:
        from tui.fleet import bulk as core

        rows, failures = await _chosen(fleet, **{key: chosen[key] for key in _CHOOSING})
        held = await _held(drafts, name)
        found = await core.work_out(
            drafts, fleet.locate, [row.ref for row in rows], edit, held, lambda ref: _cluster(fleet, ref)
        )
        _tell(found, failures)
        made: Draft | None = None
        if found.parts and not chosen["dry_run"]:
            made = await core.stage(drafts, found, name, held)
        await _show(drafts, made, found, chosen["output"])
        return 3 if failures else 1 if found.count(core.CANNOT) or not rows else 0

    run_on_fleet(options, work)


_CHOOSING = ("kind", "selector", "namespace", "cluster", "app")


def _edit(form: str | None, words: tuple[str, ...], kind: str) -> Edit:
    from tui.cli.draft.edits import value
    from tui.domain import yamledit
    from tui.domain.edits import EDITS
    from tui.domain.kinds import find
    from tui.fleet import bulk as core

    try:
        pairs = [yamledit.split_assignment(word) for word in words]
        if form is not None:
            if form not in EDITS:
                raise click.UsageError(f"--edit {form}: there is {', '.join(EDITS)}")
            return core.form(form, dict(pairs))
        known = find(kind)
        return core.assignments([(path, value(path, word)) for path, word in pairs], known.kind if known else "")
    except yamledit.Refused as error:
        raise click.UsageError(str(error)) from None


async def _chosen(
    fleet: Fleet, kind: str, selector: str, namespace: str | None, cluster: str, app: str
) -> tuple[list[Row], list[str]]:
    """The rows that are meant, by cluster and name, and what could not be read."""
    from fnmatch import fnmatchcase

    from tui.cli.get import Wanted, _listed
    from tui.cli.progress import until_settled
    from tui.domain.argo.application import RESOURCE
    from tui.domain.selector import parse

    try:
        wanted = Wanted(kind, None, namespace, parse(selector), cluster)
    except ValueError as error:
        raise click.UsageError(f"-l {selector}: {error}") from error
    wanted.kinds = wanted.known_kinds()
    failures = await _listed(fleet, wanted)
    fleet.look("bulk", {RESOURCE})  # they lead from an object to its file
    await until_settled(fleet)
    found = []
    for each in wanted.kinds:
        for row in fleet.store.rows(each.resource):
            own = row.ref.name if each.resource == RESOURCE else fleet.facts.application(row).rpartition("/")[2]
            if wanted.matches(row, fleet.facts) and fnmatchcase(own, app):
                found.append(row)
    return sorted(found, key=lambda row: row.ref), failures


def _cluster(fleet: Fleet, ref: Any) -> str:
    from tui.domain.argo.application import RESOURCE

    row = fleet.store.get(ref)
    return fleet.facts.destination(row).rstrip("?") if row is not None and ref.resource == RESOURCE else ref.cluster


async def _held(drafts: Drafts, name: str) -> str | None:
    """The draft of that name, None when there is none."""
    from tui.domain.ports import Missing

    try:
        return (await drafts.parts(name))[0][1].id
    except Missing:
        return None


def _tell(found: Bulk, failures: list[str]) -> None:
    from tui.cli.output import complain

    for one in found.found:
        where = one.place.file if one.place else ""
        complain(": ".join(part for part in (f"{one.state}: {one.ref.name}", where, one.why) if part))
    for failure in failures:
        complain(failure)
    if not found.found:
        complain("no object was found")


async def _show(drafts: Drafts, made: Draft | None, found: Bulk, output: str) -> None:
    from tui.cli.output import json_text

    if output == "json":
        results = [
            {"name": one.ref.name, "namespace": one.ref.namespace, "cluster": one.ref.cluster, "state": one.state}
            | {"why": one.why, "file": one.place.file if one.place else ""}
            for one in found.found
        ]
        say(json_text({"draft": made.name if made else "", "objects": results}))
    elif made is not None:
        emit(await drafts.diff_by(made.id, "cluster", open_only=True))


@click.command()
@click.argument("application", default="")
@click.argument("revision", default="")
@click.option("--cluster", metavar="GLOB", default="*", help="Only Applications that live in or deploy to these.")
@click.option("--draft", "name", metavar="NAME", help="In this draft, instead of a new one.")
@click.option("--repository", "repo", metavar="URL|DIR", help="Without a cluster: the remote or clone.")
@click.option("--path", "paths", metavar="PATH", multiple=True, help="Without a cluster: what comes back; may repeat.")
@click.option("--to", metavar="REVISION", help="Without a cluster: the revision to go back to.")
@click.option("--commit", "undone", metavar="REVISION", help="Without a cluster: the one commit to undo, below --path.")
@click.option("--target", metavar="BRANCH", default="", help="Without a cluster: the branch it is for.")
@OUTPUT
@click.pass_obj
def revert(  # the command line's options
    options: Options, application: str, revision: str, cluster: str, name: str | None, repo: str | None,
    paths: tuple[str, ...], to: str | None, undone: str | None, target: str, output: str,
) -> None:  # fmt: skip
    """Draft the revert of an APPLICATION to a REVISION it was deployed at, and print the diff.

    REVISION is an id of its history or (the beginning of) a commit. The files of its sources get what they had then;
    sources that are pinned get the revision they had. Without a cluster: --path with --to or --commit.
    """
    if repo is not None or paths or to or undone:
        if application or bool(to) == bool(undone):
            raise click.UsageError("without a cluster say --path and one of --to and --commit, and no APPLICATION")
        _revert_paths(
            options, repo, tuple(path.strip("/") for path in paths) or ("",), to, undone, target, name, output
        )
        return
    if not application or not revision:
        raise click.UsageError("say APPLICATION and REVISION, or --path and --to")

    async def work(fleet: Fleet, drafts: Drafts) -> int:
        from tui.cli.output import complain
        from tui.domain.ports import Missing
        from tui.fleet.locating import Locator
        from tui.fleet.reverting import draft_it, entry_of, work_out

        rows, failures = await _chosen(fleet, "applications", "", None, cluster, "*")
        found = [row for row in rows if application in (row.ref.name, f"{row.ref.namespace}/{row.ref.name}")]
        if len(found) != 1:
            which = ", ".join(str(row.ref) for row in found) or "none found"
            raise Missing("; ".join([f"{application}: {which}", *failures]))
        held = (await drafts.parts(name))[0][1].id if name else None
        locator = Locator(fleet.store, fleet.facts, drafts)
        plan = await work_out(drafts, locator, found[0], entry_of(found[0], revision), _cluster(fleet, found[0].ref))
        for note in (*plan.notes, *(f"outside its path: {path}" for path in plan.outside)):
            complain(note)
        return await _printed(drafts, await draft_it(drafts, fleet.locate, plan, held), output)

    run_on_fleet(options, work)


def _revert_paths(
    options: Options, repo: str | None, paths: tuple[str, ...], to: str | None, undone: str | None, target: str,
    name: str | None, output: str,
) -> None:  # fmt: skip
    """`revert --path`: no cluster is asked."""
    from tui.domain.drafts.model import Operation

    async def work(drafts: Drafts) -> int:
        from tui.fleet.drafts.reverting import Source

        place = repo or next((found.checkout for found in await drafts.here()), "")
        if not place:
            raise click.UsageError("this folder is in no clone; name one with --repository")
        held = (await drafts.parts(name))[0][1].id if name else None
        about = Operation("", "revert", new=to or undone or "")
        if undone:
            made = await drafts.revert_commit(place, undone, paths, about, target=target, draft=held)
        else:
            backs = await drafts.plan_revert([Source(place, to or "", paths, target)])
            shown = ", ".join(path.rpartition("/")[2] or "everything" for path in paths)
            made = await drafts.revert(shown, backs, about, held)
        return await _printed(drafts, made, output)

    run(options, work)


async def _printed(drafts: Drafts, made: Draft, output: str) -> int:
    from tui.cli.output import complain

    if output == "json":
        return print_listed([await drafts.show(made)], output)
    complain(f"draft {made.name}")
    emit((await drafts.diff(made.id))[1])
    return 0


def groups_of(options: Options, parts: Sequence[Part]) -> Mapping[str, str]:
    """The groups of a draft's clusters as the configuration and their names say."""
    from tui.cli.wire import settings_of
    from tui.domain.groups import groups_of as places

    rules = settings_of(options).groups
    names = {operation.cluster for _, held in parts for operation in held.ops if operation.cluster}
    return {name: "/".join(places(name, {}, rules)) or name for name in names}


VERBS = (bulk, revert)
