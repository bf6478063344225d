"""What an object names: its owners, configuration, accounts, volumes, nodes and targets, read off its manifest.

Fields are known by their names, which the Kubernetes API and the projects around it share (API conventions, "Object
references"), so that kinds nobody foresaw have references too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tui.domain.selector import Selector, from_object

MOST = 400  # references of one object
MOST_VISITED = 20_000  # values of one object that are looked at

# A field whose value is the name of an object of this (group, kind).
_NAMES: dict[str, tuple[str, str]] = {
    "secretName": ("", "Secret"),
    "configMapName": ("", "ConfigMap"),
    "serviceAccountName": ("", "ServiceAccount"),
    "claimName": ("", "PersistentVolumeClaim"),
    "volumeName": ("", "PersistentVolume"),
    "nodeName": ("", "Node"),
    "storageClassName": ("storage.k8s.io", "StorageClass"),
    "ingressClassName": ("networking.k8s.io", "IngressClass"),
    "priorityClassName": ("scheduling.k8s.io", "PriorityClass"),
    "runtimeClassName": ("node.k8s.io", "RuntimeClass"),
    "gatewayClassName": ("gateway.networking.k8s.io", "GatewayClass"),
}
# A field whose value, or each of whose values, has the `name` of an object of this (group, kind), unless it says more.
_NAMED: dict[str, tuple[str, str]] = {
    "secretRef": ("", "Secret"),
    "secretKeyRef": ("", "Secret"),
    "secret": ("", "Secret"),
    "secrets": ("", "Secret"),
    "imagePullSecrets": ("", "Secret"),
    "certificateRefs": ("", "Secret"),
    "configMapRef": ("", "ConfigMap"),
    "configMapKeyRef": ("", "ConfigMap"),
    "configMap": ("", "ConfigMap"),
    "service": ("", "Service"),
    "backendRefs": ("", "Service"),
    "parentRefs": ("gateway.networking.k8s.io", "Gateway"),
    "issuerRef": ("cert-manager.io", "Issuer"),
    "claimRef": ("", "PersistentVolumeClaim"),
}
_WORDS = {"volumes": "volume", "envFrom": "env", "env": "env", "imagePullSecrets": "pulls images with", "tls": "TLS"}
_SKIPPED = frozenset({"metadata", "status", "data", "stringData", "binaryData", "managedFields"})
_VOLUME = "volumes"
_SELECTING = ("Service", "PodDisruptionBudget")


class Link(NamedTuple):
    """A reference. `group` None: the object does not say it. `namespace` "": in none, or none is said."""

    how: str  # in a word or two: `volume`, `env`, `node`, `scaleTargetRef`
    group: str | None
    kind: str
    namespace: str
    name: str
    uid: str = ""


def owners(manifest: Mapping[str, Any]) -> list[Link]:
    """The owners an object names, the one that controls it first."""
    meta = _mapping(manifest.get("metadata"))
    found = [each for each in _items(meta.get("ownerReferences")) if isinstance(each.get("name"), str)]
    found.sort(key=lambda each: not each.get("controller"))
    namespace = _text(meta.get("namespace"))
    return [
        Link(
            "controls it" if each.get("controller") else "owns it",
            _group(each),
            _text(each.get("kind")),
            namespace,
            _text(each.get("name")),
            _text(each.get("uid")),
        )
        for each in found
    ]


def links(manifest: Mapping[str, Any]) -> list[Link]:
    """What an object names beside its owners, each once, in the order of its fields."""
    namespace = _text(_mapping(manifest.get("metadata")).get("namespace"))
    found: dict[tuple[str | None, str, str, str], Link] = {}
    for link in _Walk(namespace, _group(manifest) or "").of(manifest):
        found.setdefault((link.group, link.kind, link.namespace, link.name), link)
        if len(found) >= MOST:
            break
    return list(found.values())


def selected(manifest: Mapping[str, Any], kind: str) -> Selector | None:
    """The labels of the pods that a Service or a disruption budget is about; None when it selects none."""
    selector = _mapping(manifest.get("spec")).get("selector")
    if kind not in _SELECTING or not isinstance(selector, Mapping) or not selector:
        return None
    try:
        return from_object({"matchLabels": selector} if kind == "Service" else selector)
    except ValueError:
        return None


class _Walk:
    """Goes through an object in the order of its fields."""

    def __init__(self, namespace: str, group: str) -> None:
        self._namespace = namespace
        self._group = group
        self._left = MOST_VISITED

    def of(self, manifest: Mapping[str, Any]) -> Iterator[Link]:
        for key, value in manifest.items():
            if key not in _SKIPPED:
                yield from self._value(key, value, (str(key),))

    def _value(self, key: str, value: Any, path: tuple[str, ...]) -> Iterator[Link]:
        self._left -= 1
        if self._left < 0 or len(path) > 40:
            return
        if isinstance(value, str):
            if key in _NAMES and value:
                yield self._link(path, *_NAMES[key], self._namespace, value)
        elif isinstance(value, list):
            for item in value:
                yield from self._value(key, item, path)
        elif isinstance(value, Mapping):
            if (link := self._named(key, value, path)) is not None:
                yield link
            for inner, held in value.items():
                if inner not in _SKIPPED or len(path) > 1:
                    yield from self._value(str(inner), held, (*path, str(inner)))

    def _named(self, key: str, value: Mapping[str, Any], path: tuple[str, ...]) -> Link | None:
        """A mapping that names an object: by a field that is known, or by a kind beside the name."""
        name, kind = value.get("name"), value.get("kind")
        if not isinstance(name, str) or not name:
            return None
        usual = _NAMED.get(key)
        if isinstance(kind, str) and kind[:1].isupper():
            group = _group(value)
            if group is None:
                group = usual[0] if usual else None
            return self._link(path, group, kind, _text(value.get("namespace")) or self._namespace, name)
        if usual is None:
            return None
        return self._link(path, *usual, _text(value.get("namespace")) or self._namespace, name)

    def _link(self, path: tuple[str, ...], group: str | None, kind: str, namespace: str, name: str) -> Link:
        return Link(_how(path), group, kind, namespace, name)


def _how(path: tuple[str, ...]) -> str:
    """A path in a word: where in a pod it stands, else its last field."""
    for part in path:
        if part in _WORDS:
            return _WORDS[part]
    last = path[-1]
    return {
        "nodeName": "runs on",
        "serviceAccountName": "acts as",
        "service": "sends to",
        "backendRefs": "sends to",
    }.get(last, last)


def _group(value: Mapping[str, Any]) -> str | None:
    """The API group that a reference names, "" the core's; None when it names none."""
    for key in ("group", "apiGroup"):
        if isinstance(found := value.get(key), str):
            return found
    version = value.get("apiVersion")
    if not isinstance(version, str) or not version:
        return None
    return version.rpartition("/")[0]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
