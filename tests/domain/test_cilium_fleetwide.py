"""The same policy across clusters."""

from __future__ import annotations

import msgspec
import pytest
import yaml

from tui.domain.cilium.fleetwide import Across, across
from tui.domain.cilium.policy import CCNP, CNP, Policy

WEB = "{endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEndpoints: [{matchLabels: {app: lb}}]}]}"
WORDED = (
    "{description: 'as in dev', ingress: [{fromEndpoints: [{matchLabels: {app: lb}}]}], "
    "endpointSelector: {matchLabels: {app: web}}}"
)
MORE = (
    "{endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEndpoints: [{matchLabels: {app: lb}}]}, "
    "{fromEntities: [world]}]}"
)


def policy(spec: str, name: str = "web", namespace: str = "shop") -> Policy:
    return msgspec.convert({"metadata": {"name": name, "namespace": namespace}, "spec": yaml.safe_load(spec)}, Policy)


def one(by_cluster: dict[str, str], clusters: str, knows: dict[str, bool | None] | None = None) -> Across:
    def expected(cluster: str, resource: str, namespace: str) -> bool | None:
        assert (resource, namespace) == (CNP, "shop")
        return (knows or {}).get(cluster, True)

    (found,) = across([(c, CNP, policy(text)) for c, text in by_cluster.items()], clusters.split(), expected)
    return found


def test_order_and_descriptions_make_no_difference() -> None:
    found = one({"a": WEB, "b": WORDED}, "a b")
    assert (found.state, found.clusters, len(found.versions)) == ("same", ("a", "b"), 1)


def test_what_most_clusters_have_is_what_the_others_differ_from() -> None:
    found = one({"a": MORE, "b": WEB, "c": WEB}, "a b c")
    assert found.state == "differs"
    assert [version.clusters for version in found.versions] == [("b", "c"), ("a",)]
    assert [(change.how, change.path) for change in found.versions[1].changes] == [("added", "spec.ingress[1]")]
    assert found.versions[0].changes == ()


@pytest.mark.parametrize(
    ("knows", "missing", "unknown", "state"),
    [
        ({}, ("c",), (), "missing"),
        ({"c": None}, (), ("c",), "same"),
        ({"c": False}, (), (), "same"),
    ],
)
def test_a_cluster_misses_it_only_when_it_ought_to_have_it(
    knows: dict[str, bool | None], missing: tuple[str, ...], unknown: tuple[str, ...], state: str
) -> None:
    found = one({"a": WEB, "b": WEB}, "a b c", knows)
    assert (found.missing, found.unknown, found.state) == (missing, unknown, state)


def test_a_policy_of_one_cluster_alone() -> None:
    assert one({"a": WEB}, "a b", {"b": False}).state == "single"
    assert one({"a": WEB}, "a b").state == "missing"


def test_kind_namespace_and_name_make_the_policy() -> None:
    given = [
        ("a", CNP, policy(WEB)),
        ("a", CNP, policy(WEB, "web", "other")),
        ("a", CNP, policy(WEB, "api")),
        ("a", CCNP, policy(WEB, "web", "")),
        ("b", CCNP, policy(WEB, "web", "")),
    ]
    found = across(given, ["a", "b"], lambda *_: False)
    assert [(each.key, each.clusters) for each in found] == [
        ((CCNP, "", "web"), ("a", "b")),
        ((CNP, "other", "web"), ("a",)),
        ((CNP, "shop", "api"), ("a",)),
        ((CNP, "shop", "web"), ("a",)),
    ]
