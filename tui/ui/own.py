"""Commands of the user's own: on which object, with what in their arguments, and where what they print is shown."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.domain.obj import Ref
    from tui.domain.usercommands import UserCommand
    from tui.ui.app import FleetApp
    from tui.ui.screens.base import FleetScreen


def elsewhere(screen: FleetScreen) -> list[str]:
    """Ids of the user's commands that are not for what the screen is about."""
    commands = screen.fleet_app.settings.commands
    ref = screen.about() if commands else None
    return [command.id for command in commands if ref is None or not _meant(screen.fleet_app, command, ref)]


def _meant(app: FleetApp, command: UserCommand, ref: Ref) -> bool:
    from tui.domain.kinds.own import means

    kind = app.fleet.offers.catalogue.get(ref.resource)
    return not command.scope or any(means(word, kind) if kind else word == ref.resource for word in command.scope)


def start(app: FleetApp, id: str, ref: Ref | None) -> None:
    """Run a command on an object, or say why not."""
    from tui.domain.kinds.kind import Tone

    command = next(each for each in app.settings.commands if each.id == id)
    if ref is None:
        app.say(f"{command.name} is about an object: put the cursor on one", Tone.WARN)
    elif not _meant(app, command, ref):
        app.say(f"{command.name} is for {', '.join(command.scope)}, not for {ref.resource}", Tone.WARN)
    else:
        app.do(_run(app, command, ref), command.name)


def _run(app: FleetApp, command: UserCommand, ref: Ref) -> Awaitable[None]:
    if command.draft:
        return _draft(app, command, ref)
    return _show(app, command, ref)


async def _show(app: FleetApp, command: UserCommand, ref: Ref) -> None:
    from tui.domain.kinds.kind import Tone

    try:
        argv = command.argv(values_of(app, ref))
    except ValueError as error:
        app.say(str(error), Tone.WARN)
        return
    if command.show == "terminal":
        with_terminal(app, argv)
    else:
        from tui.ui.screens.output import OutputScreen

        app.push_screen(OutputScreen(argv, environment(app)))


async def _draft(app: FleetApp, command: UserCommand, ref: Ref) -> None:
    """Let the program change a copy of the file that declares the object, and show the draft that this makes."""
    from tui.domain.drafts.model import Operation
    from tui.domain.drafts.told import operations
    from tui.domain.kinds.kind import Tone
    from tui.ui.drafting import editing

    place = await editing.locate(app, ref)
    if place is None:
        return
    draft = await editing.choose_draft(app, place.repo, place.target, f"{command.name} on {ref.name}")
    if draft is editing.GIVEN_UP:
        return
    drafts = editing.drafts_of(app)
    content = await (drafts.open(draft, place.file) if draft else drafts.read(place.repo, place.target, place.file))
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        copy = Path(folder) / Path(place.file).name
        copy.write_bytes(content.text.encode("utf-8"))
        try:
            argv = command.argv({**values_of(app, ref), "FILE": str(copy)})
        except ValueError as error:
            app.say(str(error), Tone.WARN)
            return
        if command.show == "terminal":
            code, told = with_terminal(app, argv), ""
        else:
            code, told = await _quietly(argv, environment(app), folder)
        if code:
            reason = f": {told}" if told else ""
            app.say(f"{command.name} ended with {code}{reason}; nothing of it was taken", Tone.WARN)
            return
        try:
            text = copy.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            app.say(f"{command.name}: what it left cannot be read: {error}", Tone.WARN)
            return
    if text == content.text:
        app.say(f"{command.name} changed nothing")
        return
    if draft is None:
        draft = await drafts.new(f"{command.name} on {ref.name}", place.repo, place.target, base=content.commit)
    about = Operation(place.file, application=place.application, cluster=place.cluster, object=editing.named(ref))
    staged = await drafts.edit(draft, place.file, text, operations(about, content.text, text), content.oid)
    await editing.review(app, staged.name)


async def _quietly(argv: Sequence[str], env: Mapping[str, str], folder: str) -> tuple[int, str]:
    """Run a program without the terminal: its exit code, and the last line it printed."""
    try:
        child = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env=dict(env), cwd=folder, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return 127, error.strerror or str(error)
    out, _ = await child.communicate()
    return child.returncode or 0, (out.decode("utf-8", "replace").strip().splitlines() or [""])[-1]


def with_terminal(app: FleetApp, argv: Sequence[str]) -> int:
    """Hand the terminal over to a program; where it fails, what it printed stays until enter. Its exit code."""
    from tui.domain.kinds.kind import Tone

    with app.suspend():
        try:
            code = subprocess.run(list(argv), check=False, env=environment(app)).returncode
        except OSError as error:
            app.say(f"{argv[0]}: {error.strerror or error}", Tone.BAD)
            return 127
        if code:
            sys.__stdout__.write(f"\n{argv[0]} ended with {code}; enter leads back to fleet ")  # type: ignore[union-attr]
            sys.__stdout__.flush()  # type: ignore[union-attr]
            sys.__stdin__.readline()  # type: ignore[union-attr]
    return code


def environment(app: FleetApp) -> dict[str, str]:
    """What a program of the user's is run with: fleet's own environment, and the kubeconfig that fleet reads."""
    made = dict(os.environ)
    if app.kubeconfig:
        made["KUBECONFIG"] = app.kubeconfig
    return made


def values_of(app: FleetApp, ref: Ref) -> dict[str, str]:
    """What stands for `$NAME` and its kin."""
    from tui.domain.cluster import CLUSTERS
    from tui.domain.obj import Ref

    fleet = app.fleet
    name = ref.name if ref.resource == CLUSTERS else ref.cluster
    cluster = fleet.store.get(Ref("", CLUSTERS, "", name))
    row = fleet.store.get(ref)
    owner = fleet.facts.application_ref(row) if row is not None else None
    kind = fleet.offers.catalogue.get(ref.resource)
    return {
        "NAME": ref.name,
        "NAMESPACE": ref.namespace,
        "CLUSTER": name,
        "CONTEXT": cluster.obj.contexts[0] if cluster is not None and cluster.obj.contexts else name,
        "KUBECONFIG": environment(app).get("KUBECONFIG") or str(Path("~/.kube/config").expanduser()),
        "KIND": kind.kind if kind else "",
        "RESOURCE": kind.collection if kind else ref.resource,
        "APPLICATION": f"{owner.namespace}/{owner.name}" if owner is not None else "",
    }
