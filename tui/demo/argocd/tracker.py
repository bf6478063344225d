"""Which live objects each Application owns, kept from the changes of every cluster."""

from __future__ import annotations

from collections.abc import Callable

from tui.demo.apiserver.storage import DELETED, Event
from tui.demo.argocd.objects import TRACKING, tracked_by
from tui.demo.world import World

# Resources that Git may declare in the demo; pods and their like are never tracked and change often.
ROOTS = (
    "namespaces",
    "configmaps",
    "services",
    "serviceaccounts",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "horizontalpodautoscalers.autoscaling",
    "ciliumnetworkpolicies.cilium.io",
    "ciliumclusterwidenetworkpolicies.cilium.io",
    "ciliumcidrgroups.cilium.io",
    "applications.argoproj.io",
    "applicationsets.argoproj.io",
    "appprojects.argoproj.io",
)
_NEEDLE = TRACKING.encode()


class Tracker:
    """An index of tracked objects by (Application, cluster); `changed(application)` is told of every change."""

    def __init__(self, world: World, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._owned: dict[tuple[str, str], set[tuple[str, str, str]]] = {}
        for name, cluster in world.clusters.items():
            served = cluster.storage.resources
            for resource in ROOTS:
                if resource in served:
                    cluster.storage.subscribe(resource, self._listener(name, resource))

    def owned(self, application: str, cluster: str) -> set[tuple[str, str, str]]:
        """Live objects of an Application in a cluster as (resource, namespace, name)."""
        return set(self._owned.get((application, cluster), ()))

    def _listener(self, cluster: str, resource: str) -> Callable[[Event], None]:
        def heard(event: Event) -> None:
            if _NEEDLE not in event.data:
                return
            application = tracked_by(event.new())
            if not application:
                return
            namespace, _, name = event.key.rpartition("/")
            owned = self._owned.setdefault((application, cluster), set())
            if event.type == DELETED:
                owned.discard((resource, namespace, name))
            else:
                owned.add((resource, namespace, name))
            self._changed(application)

        return heard
