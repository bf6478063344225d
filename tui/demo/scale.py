"""Clusters that are filled when somebody first looks, so that five hundred of them start in seconds.

A generated Application is written as it would stand; the objects it deployed come into being with the first request
for their kind, or when Argo CD has to compare them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from aiohttp import web

from tui.demo.apiserver.options import target_of
from tui.demo.apiserver.server import ApiServer
from tui.demo.argocd.controller import Controller
from tui.demo.argocd.objects import Obj, merged, stamped
from tui.demo.argocd.source import RenderError
from tui.demo.clock import Clock
from tui.demo.content.generated import FILE, GeneratedApp
from tui.demo.controllers.cluster import SimulatedCluster
from tui.demo.controllers.defaults import fill

POLICIES = frozenset({"ciliumnetworkpolicies"})
# Kinds that a generated Application never makes: asking for them fills nothing.
BASIC = frozenset({"nodes", "applications", "applicationsets", "appprojects", "secrets", "customresourcedefinitions"})


class SleepyServer(ApiServer):
    """An API server that says which resource is asked for before it answers."""

    wake: Callable[[str], None] | None = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.wake is not None:
            target = target_of(request.path)
            if target is not None and target.plural:
                self.wake(target.plural)
        return await super()._handle(request)


class Sleeper:
    """What one cluster will hold once it is looked at."""

    def __init__(
        self,
        cluster: SimulatedCluster,
        argocd: Controller,
        apps: list[GeneratedApp],
        basics: Callable[[SimulatedCluster], None] | None,
        clock: Clock,
        sha: str,
    ) -> None:
        """`basics` fills in nodes and system pods; None when they are there already. `sha`: the commit that is live."""
        self._cluster = cluster
        self._argocd = argocd
        self._apps = apps
        self._basics = basics
        self._clock = clock
        self._sha = sha
        self._policies = False
        self._workloads = False

    def wake(self, plural: str) -> None:
        """Bring into being what a request for this resource would show."""
        if self._basics is not None:
            basics, self._basics = self._basics, None
            basics(self._cluster)
        if plural in BASIC or self._workloads:
            return
        if plural in POLICIES:
            if not self._policies:
                self._policies = True
                self._fill(("CiliumNetworkPolicy",))
            return
        self._workloads = True
        kinds = ("Deployment", "Service") if self._policies else ("Deployment", "Service", "CiliumNetworkPolicy")
        self._policies = True
        self._fill(kinds)
        self._cluster.start()

    def wake_all(self) -> None:
        """Everything."""
        self.wake("pods")

    def _fill(self, kinds: tuple[str, ...]) -> None:
        argocd, storage = self._argocd, self._cluster.storage
        argocd.hushed = self._cluster.quiet = True
        try:
            for app in self._apps:
                if storage.find("namespaces", "", app.team) is None:
                    storage.apply(_namespace(app.team))
                for target in self._targets(app):
                    if target["kind"] in kinds:
                        made = storage.apply(fill(merged(target, None)))
                        self._cluster.settle(made, self._clock.now() - app.hours * 3600)
        finally:
            argocd.hushed = self._cluster.quiet = False

    def _targets(self, app: GeneratedApp) -> list[Obj]:
        """Targets as they are live: an Application that is behind has one replica less than Git says."""
        targets = []
        for obj in self._objects(app):
            target = stamped(obj, app.name, app.team)
            if target["kind"] == "Deployment" and app.behind:
                target["spec"]["replicas"] = max(0, app.replicas - 1)
            targets.append(target)
        return targets

    def _objects(self, app: GeneratedApp) -> list[Obj]:
        """As generated, or as Git has them where somebody has edited the file in an earlier run."""
        text = app.manifest().encode()
        oid = hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()
        if self._argocd.reader.tree(self._sha).get(f"{app.path}/{FILE}") == oid:
            return app.objects()
        try:
            return list(self._argocd.renderer.render({"path": app.path}, self._sha, app.name, app.team).objects)
        except RenderError:
            return []  # deleted: nothing of it is live


def _namespace(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}}
