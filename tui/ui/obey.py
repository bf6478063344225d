"""Carries out what the `:` line says: one function a verb."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from tui.domain.cluster import CLUSTERS
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Object, Ref, Row
from tui.domain.objects.references import owners
from tui.domain.ports import Trouble
from tui.fleet.xray import XRay
from tui.ui import own, themes
from tui.ui.commands import Command, Known, NotUnderstood, UnknownWord, parse, propose
from tui.ui.panes.base import Pane
from tui.ui.prompt import ask
from tui.ui.scope import APPLICATIONS, Scope, View, groups

if TYPE_CHECKING:
    from tui.ui.app import FleetApp

_PANES = {"applications", "policies", "clusters", "events", "flows", "drafts", "pulse"}
_OWN_PANE = {APPLICATIONS: "applications", CLUSTERS: "clusters", "drafts": "drafts"}
SOON = 0.5  # seconds after which it is said what is being waited for
LOOKED_AT = 500  # objects whose labels complete a selector
MOST_LABELS = 100
_ACTIONS = {"keys": "help", "aliases": "aliases", "back": "previous"}


def known(app: FleetApp) -> Known:
    """The names that complete a line now."""
    store = app.fleet.store
    clusters = [row.obj for row in store.rows(CLUSTERS)]
    pane = app.shell.pane
    return Known(
        clusters=sorted(cluster.metadata.name for cluster in clusters),
        groups=["/".join(path) for path in groups(clusters)],
        namespaces=sorted({row.ref.name for row in store.rows("namespaces", app.shell.scope.cluster or None)}),
        columns=[title.lower() for title in pane.columns()] if pane else [],
        ends=_ends(app),
        actions=_actions(app),
        catalogue=app.fleet.offers.catalogue,
        labels=lambda resource: _labels(app, resource),
    )


def _actions(app: FleetApp) -> list[tuple[str, str, str]]:
    """What has keys on the screen that is shown."""
    from tui.ui.screens.base import FleetScreen

    screen = app.screen
    if not isinstance(screen, FleetScreen):
        return []
    without = own.elsewhere(screen)
    places = (*screen.places(), "own", "instead", "everywhere")
    return [each for each in app.key_table.named(places) if each[1] not in without]


def _labels(app: FleetApp, resource: str) -> list[str]:
    """Labels of what is held of a resource, the most frequent first."""
    held = islice(app.fleet.store.rows(resource, app.shell.scope.cluster or None), LOOKED_AT)
    count = Counter(f"{key}={value}" for row in held for key, value in (row.obj.metadata.labels or {}).items())
    return [label for label, _ in count.most_common(MOST_LABELS)]


def _ends(app: FleetApp) -> list[str]:
    """Who can talk in the cluster that is shown, as far as that is held."""
    cluster = app.shell.scope.cluster
    held = app.fleet.store.rows("ciliumendpoints.cilium.io", cluster) if cluster else ()
    return [f"{row.ref.namespace}/{row.ref.name}" for row in held]


def ask_command(app: FleetApp) -> None:
    """Ask for a command; a theme is shown while its name is being typed."""
    names, theme = known(app), app.theme
    app.do(_gather(app), "asking what the clusters serve", hold=False)

    def done(line: str | None) -> None:
        if line is None or not line.startswith("theme"):
            app.theme = theme
        if line:
            app.do(obey(app, line), line)

    ask(
        app.screen,
        ":",
        done,
        changed=lambda line: preview_theme(app, line),
        propose=lambda line: propose(line, replace(names, catalogue=app.fleet.offers.catalogue)),
    )


async def _gather(app: FleetApp) -> None:
    """Bring what can be named up to date while it is being typed."""
    from tui.ui.prompt import Prompt

    before = app.fleet.offers.catalogue
    try:
        after = await app.fleet.offers.gather()
    except Trouble:
        return  # what is known without them still completes
    if after is not before:
        for prompt in app.screen.query(Prompt):
            prompt.propose_again()


async def obey(app: FleetApp, line: str) -> None:
    """Do what a line says, or say why not."""
    try:
        command = await _understood(app, line)
    except NotUnderstood as error:
        app.say(str(error), Tone.WARN)
        return
    if command.verb == "tour":
        app.tour(command.argument)
        return
    if command.verb == "action":
        await _act(app, command.argument)
        return
    await app.back_to_shell()
    await _carry_out(app, command)


async def _act(app: FleetApp, action: str) -> None:
    """Do what the key of an action does, where the line was opened."""
    from tui.ui.screens.base import FleetScreen

    if isinstance(app.screen, FleetScreen):
        await app.screen.carry_out(action)


async def _understood(app: FleetApp, line: str) -> Command:
    """What a line means; for a word that nobody knows yet the clusters are asked. Raises NotUnderstood."""
    try:
        return parse(line, known(app))
    except UnknownWord:
        word = line.split()[0]
        asking = asyncio.get_running_loop().call_later(SOON, app.say, f"asking the clusters whether one serves {word}")
        try:
            await app.fleet.offers.find(word)
        finally:
            asking.cancel()
    return parse(line, known(app))


async def _carry_out(app: FleetApp, command: Command) -> None:
    shell, verb, argument = app.shell, command.verb, command.argument
    if verb == "quit":
        await app.leave()
    elif verb == "kind":
        await _kind(app, command)
    elif verb in _PANES:
        await shell.go(verb)
    elif verb == "cluster":
        await (shell.rescope(Scope(cluster=argument)) if argument else shell.go("clusters"))
    elif verb == "group":
        await shell.rescope(Scope(group=tuple(argument.split("/")) if argument else ()))
    elif verb == "namespace":
        await app.choose_namespace("" if argument in ("all", "*") else argument)
    elif verb == "fleetwide":
        app.show_fleetwide()
    elif verb == "find" and argument:
        app.show_found(argument)
    elif verb == "xray" and shell.pane is not None:
        shell.pane.action_xray()
    elif verb == "find":
        app.say("find what? :find TEXT", Tone.WARN)
    elif verb == "verdict":
        _verdict(app, argument)
    elif verb == "logs":
        _logs(app, argument)
    elif verb == "all":
        await shell.rescope(Scope())
    elif verb == "theme":
        app.choose_theme(argument)
    elif verb == "recover":
        await shell.go("drafts")
        app.show_recovery()
    elif verb == "retry":
        app.fleet.retry(argument or None)
        app.say(f"trying {argument or 'every cluster'} again")
    elif verb in _ACTIONS:
        await shell.run_action(_ACTIONS[verb])
    elif shell.pane is None or not await shell.pane.run(verb, argument):
        app.say(f"{verb} {argument}: this pane has nothing of the kind", Tone.WARN)


def _verdict(app: FleetApp, argument: str) -> None:
    from tui.ui.policies.asking import question_of

    try:
        app.show_verdict(question_of(argument, app.shell.scope.cluster))
    except ValueError as error:
        app.say(str(error), Tone.WARN)


def _logs(app: FleetApp, argument: str) -> None:
    if not argument:
        focused = app.shell.focused
        panes = [node for node in focused.ancestors_with_self if isinstance(node, Pane)] if focused is not None else []
        pane = panes[0] if panes else app.shell.pane
        app.show_logs(pane.chosen() if pane is not None else ())
        return
    try:
        app.find_logs(argument)
    except ValueError as error:
        app.say(str(error), Tone.WARN)


async def _kind(app: FleetApp, command: Command) -> None:
    scope = app.shell.scope
    if command.cluster:
        scope = Scope(cluster=command.cluster)
    elif command.group:
        scope = Scope(group=tuple(command.group.split("/")))
    if command.namespace:
        scope = replace(scope, namespace="" if command.namespace == "*" else command.namespace)
    pane = _OWN_PANE.get(command.resource)
    view = View(pane or "objects", "" if pane else command.resource, scope, command.filter, labels=command.labels)
    await app.shell.visit(view)


async def jump_to_owner(app: FleetApp, ref: Ref) -> None:
    """Open what controls an object: of a kind that is held as a table only, its cluster is asked for the object."""
    row = app.fleet.store.get(ref)
    manifest = row.manifest() if row is not None else {}
    if not manifest:
        manifest = dict((await app.fleet.manifest(ref)).object)
    await app.fleet.offers.gather()
    named = owners(manifest)
    found = XRay(
        row or Row(ref, Object()), manifest, app.fleet.store, app.fleet.offers.catalogue, app.fleet.facts.known
    )
    if not named:
        app.say(f"nothing owns {ref.name}", Tone.WARN)
    elif (owner := found.owner()) is None:
        app.say(f"{ref.cluster} serves no {named[0].kind}", Tone.WARN)
    else:
        app.show_object(owner)


def preview_theme(app: FleetApp, line: str) -> None:
    """While `:theme …` is being typed, show what it would look like."""
    words = line.split()
    if len(words) == 2 and words[0] in ("theme", "colo"):
        found = [name for name in themes.PALETTES if name.startswith(words[1])] or [
            name for name in themes.PALETTES if words[1] in name
        ]
        if len(found) == 1 and app.theme != found[0]:
            app.theme = found[0]
