"""The ApplicationSet controller: keeps the Applications that the sets ask for."""

from __future__ import annotations

from collections.abc import Callable

from tui.demo.argocd import appset as sets
from tui.demo.argocd.events import APPSET, Recorder
from tui.demo.argocd.index import Index
from tui.demo.argocd.names import APPLICATIONS, APPSETS, NAMESPACE
from tui.demo.argocd.objects import Obj
from tui.demo.clock import stamp
from tui.demo.repository import Reader
from tui.demo.values import clone
from tui.demo.world import World


class Generator:
    """Reconciles ApplicationSets. `quiet` while the past is replayed: no Events; `born`: when an Application began."""

    def __init__(
        self, world: World, reader: Reader, index: Index, events: Recorder, delete: Callable[[str], None]
    ) -> None:
        self.world = world
        self.reader = reader
        self.events = events
        self.quiet = True
        self.born: Callable[[Obj], float] = lambda app: world.clock.now()
        self._index = index
        self._delete = delete

    def generate(self) -> None:
        """Reconcile every ApplicationSet."""
        for appset in self.world.hub.list(APPSETS, NAMESPACE):
            self.generate_one(appset)

    def generate_one(self, appset: Obj) -> None:
        hub = self.world.hub
        problem, wanted = "", []
        try:
            wanted = sets.applications_of(appset, self.world, self.reader)
        except sets.GeneratorError as error:
            problem = str(error)
        uid = appset["metadata"]["uid"]
        present = {name: hub.get(APPLICATIONS, NAMESPACE, name) for name in self._index.owned_by(uid)}
        for app in wanted:
            name = app["metadata"]["name"]
            live = present.pop(name, None)
            if live is not None and _same_application(app, live):
                continue
            if live is None and self.quiet:
                app["metadata"]["creationTimestamp"] = stamp(self.born(app))
            hub.apply(_updated(app, live))
            word = "updated" if live else "created"
            if not self.quiet:
                self.events.write(appset, word, f'{word} Application "{name}"', component=APPSET)
        for name in () if problem else present:
            self._delete(name)
            self.events.write(appset, "Deleted", f'Deleted Application "{name}"', component=APPSET)
        made = [app for app in (hub.find(APPLICATIONS, NAMESPACE, app["metadata"]["name"]) for app in wanted) if app]
        status = sets.status_of(appset, made, problem, self.world.clock.stamp())
        hub.update_status(APPSETS, NAMESPACE, appset["metadata"]["name"], status)


def _same_application(wanted: Obj, live: Obj) -> bool:
    labels = wanted["metadata"].get("labels") or {}
    return bool(wanted["spec"] == live["spec"]) and labels == (live["metadata"].get("labels") or {})


def _updated(wanted: Obj, live: Obj | None) -> Obj:
    if live is None:
        return wanted
    result = clone(live)
    result["spec"] = wanted["spec"]
    result["metadata"]["labels"] = wanted["metadata"].get("labels") or {}
    return result
