"""`fleet draft create`, `delete`, `apply`: whole files and objects of a draft, with what names them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.draft.common import OUTPUT, REPOSITORY, part, run, show_edit

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.fleet.drafts import Drafts
    from tui.fleet.drafts.filing import Planned

Plan = Callable[["Drafts", str], Awaitable["Planned"]]
"""From the drafts and a repository's URL to what is to be done."""


@click.command()
@click.argument("name")
@click.argument("file", metavar="FILE[#DOC]")
@REPOSITORY
@OUTPUT
@click.pass_obj
def delete(options: Options, name: str, file: str, repo: str, output: str) -> None:
    """Remove a FILE of a draft, or with #DOC one object of it, and print the diff.

    Entries of kustomizations that name the file go with it; a file goes with its last object. Who refers to the object
    is told on stderr. DOC is a number from 0, Kind/name or Kind/namespace/name.
    """
    from tui.domain.drafts.model import Operation

    path, _, document = file.partition("#")

    async def plan(drafts: Drafts, url: str) -> Planned:
        _, held = await drafts.find(name, repo=url)
        doc = await _document(drafts, name, url, path, document) if document else None
        return await drafts.plan_removal(url, path, Operation(path), doc=doc, draft=held)

    _do(options, name, path, repo, output, plan)


def move_file(options: Options, name: str, file: str, new: str, repo: str, output: str) -> None:
    """`fleet draft rename --to`."""
    from tui.domain.drafts.model import Operation

    async def plan(drafts: Drafts, url: str) -> Planned:
        _, held = await drafts.find(name, repo=url)
        return await drafts.plan_move(url, file, new, Operation(file), draft=held)

    _do(options, name, file, repo, output, plan)


@click.command()
@click.argument("name")
@click.argument("file")
@click.option("--template", metavar="KIND", help="Start from a template of yours or of a kind fleet knows.")
@click.option("--from-file", "source", metavar="FILE", help="Take the text of a file; - is standard input.")
@click.option(
    "--live", metavar="KIND/NAME", help="Take an object of a cluster, without what the cluster wrote into it."
)
@click.option("--name", "called", metavar="NAME", default="", help="The object's name; else the file's.")
@click.option("-n", "--namespace", metavar="NS", default="", help="The object's namespace.")
@click.option("-l", "--label", "labels", metavar="KEY=VALUE", multiple=True, help="A label more; may be repeated.")
@click.option("--cluster", metavar="GLOB", default="*", help="With --live: the clusters to look in.")
@click.option("--append", "append", is_flag=True, help="FILE may be there: the object becomes its last document.")
@click.option("--force", is_flag=True, help="Also a text that is bad YAML or no Kubernetes object.")
@REPOSITORY
@OUTPUT
@click.pass_obj
def create(
    options: Options, name: str, file: str, template: str | None, source: str | None, live: str | None, called: str,
    namespace: str, labels: tuple[str, ...], cluster: str, append: bool, force: bool, repo: str,
    output: str,
) -> None:  # fmt: skip
    """Make a new FILE in a draft and print the diff; the kustomization that must list it does.

    Without --template, --from-file and --live the templates there are get listed.
    """
    from tui.cli.draft import setcheck
    from tui.domain.drafts.model import Operation
    from tui.domain.objects.new import Wanted, from_template, template_names
    from tui.domain.ports import Refused

    given = [one for one in (template, source, live) if one is not None]
    own = _own_templates(options)
    if len(given) != 1:
        raise click.UsageError(
            "say one of --template, --from-file, --live; templates: " + ", ".join(template_names(own))
        )
    if bad := [label for label in labels if "=" not in label]:
        raise click.UsageError(f"-l {bad[0]}: not KEY=VALUE")

    async def text() -> str:
        if source is not None:
            return await asyncio.to_thread(_input, source)
        if live is not None:
            return await _live(options, live, namespace, cluster)
        stem = called or Path(file).name.partition(".")[0]
        pairs = {key: value for key, _, value in (label.partition("=") for label in labels)}
        return from_template(template or "", Wanted(stem, namespace, pairs), own)

    async def plan(drafts: Drafts, url: str) -> Planned:
        _, held = await drafts.find(name, repo=url)
        made = await text()
        if not force and (wrong := await asyncio.to_thread(setcheck.introduced, "", made, file)):
            raise Refused("; ".join([*wrong, "nothing was changed; --force makes it all the same"]))
        return await drafts.plan_create(url, file, made, Operation(file), draft=held, append=append)

    _do(options, name, "", repo, output, plan)


@click.command()
@click.argument("name")
@click.argument("file")
@click.option("--into", metavar="DIR", help="Folder for objects that no file declares yet; . is the root.")
@click.option("--under", metavar="DIR", default="", help="Look for what declares them below this folder only.")
@click.option("--merge", is_flag=True, help="Keys that an object does not name stay, instead of going.")
@REPOSITORY
@OUTPUT
@click.pass_obj
def apply(
    options: Options, name: str, file: str, into: str | None, under: str, merge: bool, repo: str, output: str
) -> None:
    """Put the manifests of FILE (- is standard input) where a draft's files declare them, and print the diff.

    Each object is found by kind, namespace and name; only what differs is changed, comments stay. One that comes from a
    cluster loses what the cluster wrote into it. A new one becomes a file below --into, listed by the kustomization
    there.

    FILE may also be a list of operations, each {file, doc, op, path} with op set (value), unset, append (value),
    insert (value, index) or rename (key). All of it is one step of undo; when one part is refused, nothing is done.
    """

    async def plan(drafts: Drafts, url: str) -> Planned:
        _, held = await drafts.find(name, repo=url)
        text = await asyncio.to_thread(_input, file)
        folder = None if into is None else into.strip("/").removeprefix("./").strip(".")
        return await drafts.plan_apply(held, text, into=folder, merge=merge, under=under)

    _do(options, name, "", repo, output, plan)


def rename_object(options: Options, name: str, file: str, new: str, repo: str, output: str) -> None:
    """`fleet draft rename --object`."""
    from tui.domain.drafts.model import Operation

    path, _, document = file.partition("#")

    async def plan(drafts: Drafts, url: str) -> Planned:
        _, held = await drafts.find(name, repo=url)
        doc = await _document(drafts, name, url, path, document)
        return await drafts.plan_rename(url, path, doc, new, Operation(path), draft=held)

    _do(options, name, path, repo, output, plan)


async def _document(drafts: Drafts, name: str, url: str, path: str, word: str) -> int:
    """The number of the document that is meant; "" is the only one. Raises Refused."""
    from tui.domain import yamledit

    text = (await drafts.open(name, path, repo=url)).text
    try:
        chosen = yamledit.select(text, word)
        return yamledit.Session(text, chosen).chunk.index if chosen is None else chosen
    except yamledit.Refused as error:
        raise error.at(path) from None


def _do(options: Options, name: str, path: str, repo: str, output: str, plan: Plan) -> None:
    """Plan, do it as one step of undo, tell the notes on stderr, print the diff."""
    from tui.cli.output import complain

    async def work(drafts: Drafts) -> int:
        before = await part(drafts, name, repo, path)
        planned = await plan(drafts, before.repo)
        for note in planned.work.notes:
            complain(note)
        return await show_edit(drafts, before, await drafts.carry_out(planned, before), output)

    run(options, work)


def _input(source: str) -> str:
    """A file's text, or that of standard input. Raises a usage error."""
    from tui.domain import yamledit

    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return yamledit.decode(data)
    except (OSError, yamledit.Refused) as error:
        raise click.UsageError(f"{source}: {getattr(error, 'strerror', None) or error}") from None


def _own_templates(options: Options) -> dict[str, str]:
    from tui.adapters.config import BadConfig, read_templates
    from tui.cli.wire import settings_of

    try:
        return read_templates(settings_of(options))
    except BadConfig as error:
        raise click.UsageError(str(error)) from error


async def _live(options: Options, word: str, namespace: str, cluster: str) -> str:
    """The manifest of a live object as one would declare it. Raises Missing when none or several are meant."""
    from tui.cli.get import Wanted, _listed
    from tui.cli.wire import make_fleet
    from tui.domain.objects.new import from_live, to_yaml
    from tui.domain.ports import Missing
    from tui.domain.selector import parse

    kind, _, name = word.partition("/")
    if not name:
        raise click.UsageError(f"--live {word}: not KIND/NAME")
    wanted = Wanted(kind, name, namespace or None, parse(""), cluster)
    wanted.kinds = wanted.known_kinds()
    async with make_fleet(options, drafts=False) as fleet:
        failures = await _listed(fleet, wanted)
        rows = [
            row for each in wanted.kinds for row in fleet.store.rows(each.resource) if wanted.matches(row, fleet.facts)
        ]
        if len(rows) != 1:
            found = ", ".join(str(row.ref) for row in rows) or "none found"
            raise Missing("; ".join([f"--live {word}: {found}", *failures]))
        instance = fleet.facts.application(rows[0])
        manifest = (await fleet.manifest(rows[0].ref)).object
    return to_yaml(from_live(manifest, instance))


VERBS = (apply, create, delete)
