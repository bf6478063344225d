"""Label selectors of policies as terms: sources of keys, and the namespace and cluster that Cilium adds to a peer.

Rules: Cilium `pkg/labels` (`GetExtendedKeyFrom`), `pkg/k8s/apis/cilium.io/utils/utils.go` (1.19).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tui.domain.cilium.engine.identity import CLUSTER_KEY
from tui.domain.cilium.model import Surroundings, Term
from tui.domain.cilium.policy import NAMESPACE_KEY, NAMESPACE_LABELS, mapping, sequence

_NAMESPACE = (("k8s", NAMESPACE_KEY), ("any", NAMESPACE_KEY))
_CLUSTER = (("k8s", CLUSTER_KEY), ("any", CLUSTER_KEY))


class Scope(NamedTuple):
    """Where a rule stands: its policy's namespace ("" = cluster-wide), what is around, and whom it selects."""

    namespace: str
    surroundings: Surroundings
    init: bool = False  # its subject names reserved:init: such endpoints have no namespace


def split_key(key: str) -> tuple[str, str]:
    """(source or "any", key) of a selector's key: `k8s:x`, `reserved:x`; bare keys and `any:x` mean any source."""
    if key.startswith("$"):
        return "reserved", key[1:]
    source, colon, rest = key.partition(":")
    if not colon:
        if key.startswith("reserved."):
            return "reserved", key[len("reserved.") :]
        source, rest = "any", key
    return "any" if source in ("", "unspec") else source, rest.partition("=")[0]


def label_terms(selector: Mapping[str, Any], source: str = "") -> list[Term]:
    """The terms of `matchLabels`; `source` is the one of every key, where keys name none."""
    found: list[Term] = []
    for name, value in mapping(selector.get("matchLabels")).items():
        key = (source, str(name)) if source else split_key(str(name))
        found.append((*key, "In", ("" if value is None else str(value),)))
    return found


def expression_terms(selector: Mapping[str, Any], source: str = "") -> list[Term]:
    """The terms of `matchExpressions`."""
    found: list[Term] = []
    for each in sequence(selector.get("matchExpressions")):
        held = mapping(each)
        name = str(held.get("key", ""))
        key = (source, name) if source else split_key(name)
        values = tuple(str(value) for value in sequence(held.get("values")))
        found.append((*key, str(held.get("operator", "")), values))
    return found


def selector_terms(selector: Mapping[str, Any], source: str = "") -> tuple[Term, ...]:
    """All terms of a selector, nothing added."""
    return (*label_terms(selector, source), *expression_terms(selector, source))


def subject_terms(selector: Mapping[str, Any], namespace: str, source: str = "") -> tuple[Term, ...]:
    """Whom a rule selects. In a namespace the `k8s:` namespace label is overwritten, anything else is met as well."""
    if not namespace:
        return selector_terms(selector, source)
    labels = [term for term in label_terms(selector, source) if term[:2] != ("k8s", NAMESPACE_KEY)]
    return (*labels, ("k8s", NAMESPACE_KEY, "In", (namespace,)), *expression_terms(selector, source))


def peer_terms(selector: Mapping[str, Any], scope: Scope) -> tuple[Term, ...]:
    """Whom an item of fromEndpoints or toEndpoints means: of the policy's namespace, unless it says otherwise."""
    terms = selector_terms(selector)
    if any(source == "reserved" for source, _, _, _ in terms):
        return terms
    return scoped(terms, scope)


def scoped(terms: tuple[Term, ...], scope: Scope) -> tuple[Term, ...]:
    """The terms, limited to the policy's namespace and the own cluster unless they name others."""
    keys = {term[:2] for term in terms}
    if not keys.intersection(_NAMESPACE):
        if not scope.namespace:
            if not scope.init:
                terms += (("k8s", NAMESPACE_KEY, "Exists", ()),)
        elif scope.surroundings.settings.version < (1, 16) or not any(
            source in ("k8s", "any") and key.startswith(NAMESPACE_LABELS) for source, key in keys
        ):
            terms += (("k8s", NAMESPACE_KEY, "In", (scope.namespace,)),)
    return local_cluster(terms, scope)


def local_cluster(terms: tuple[Term, ...], scope: Scope) -> tuple[Term, ...]:
    """The terms, limited to the own cluster where `policy-default-local-cluster` asks for it and none is named."""
    settings = scope.surroundings.settings
    if not settings.default_local_cluster or any(term[:2] in _CLUSTER for term in terms):
        return terms
    return (*terms, ("k8s", CLUSTER_KEY, "In", (settings.cluster,)))
