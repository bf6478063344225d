"""Who owns an object: Argo CD's tracking ids."""

from __future__ import annotations

from typing import NamedTuple

LABEL = "app.kubernetes.io/instance"  # the default instance label, also set by most Helm charts


class TrackingId(NamedTuple):
    """`<instance>:<group>/<kind>:<namespace>/<name>`, taken apart."""

    instance: str
    group: str
    kind: str
    namespace: str
    name: str

    @property
    def application(self) -> tuple[str, str]:
        """(namespace, name) of the Application; the namespace is "" when it lives in Argo CD's own."""
        namespace, underscore, name = self.instance.partition("_")
        return (namespace, name) if underscore else ("", self.instance)

    def is_of(self, group: str, kind: str, namespace: str, name: str) -> bool:
        """Whether the id names the object that carries it; else the annotation was copied along.

        Cluster-scoped objects carry the destination namespace of their Application, so theirs is not compared.
        """
        same = (self.group, self.kind, self.name) == (group, kind, name)
        return same and (not namespace or self.namespace == namespace)


def parse(text: str) -> TrackingId | None:
    """The parts of a tracking id; None when the text is none."""
    instance, first, rest = text.partition(":")
    kind, second, place = rest.partition(":")
    group, slash, name = kind.partition("/")
    namespace, other, own = place.partition("/")
    if not (instance and first and second and slash and other):
        return None
    return TrackingId(instance, group, name, namespace, own)
