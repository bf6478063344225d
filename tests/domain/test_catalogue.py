"""Kinds by all their words, over what all clusters serve."""

from __future__ import annotations

import pytest

from tui.domain.kinds import KINDS
from tui.domain.kinds.catalogue import Ambiguous, Catalogue, union
from tui.domain.ports import Served

LIST = ("get", "list", "watch")
CERTIFICATES = Served(
    "certificates", "Certificate", "cert-manager.io", ("v1",), True, "certificate", ("cert", "certs"), LIST
)
GATEWAYS = Served("gateways", "Gateway", "gateway.networking.k8s.io", ("v1",), True, "gateway", ("gtw",), LIST)
ISTIO = Served("gateways", "Gateway", "networking.istio.io", ("v1",), True, "gateway", ("gw",), LIST)
CAPI = Served("clusters", "Cluster", "cluster.x-k8s.io", ("v1beta1",), True, "cluster", ("cl",), LIST)
REVIEWS = Served("tokenreviews", "TokenReview", "authentication.k8s.io", ("v1",), False, "", (), ("create",))
PODS = Served("pods", "Pod", "", ("v1",), True, "pod", ("po",), LIST)


def catalogue() -> Catalogue:
    one = {each.resource: each for each in (PODS, CERTIFICATES, GATEWAYS, REVIEWS)}
    two = {each.resource: each for each in (PODS, ISTIO, CAPI)}
    return Catalogue(union([("one", one), ("two", two)]), ("one", "two"))


@pytest.mark.parametrize(
    "word",
    [
        "certificates",
        "certificate",
        "Certificate",
        "CERTS",
        "certificates.cert-manager.io",
        "certificates.cert",
        "cert.c",
    ],
)
def test_a_kind_is_found_by_every_word(word: str) -> None:
    found = catalogue().find(word)
    assert found is not None and found.resource == "certificates.cert-manager.io" and found.tabled


@pytest.mark.parametrize(
    ("word", "resource"),
    [
        ("po", "pods"),
        ("clusters", "clusters"),
        ("clusters.cluster.x-k8s.io", "clusters.cluster.x-k8s.io"),
        ("gtw", "gateways.gateway.networking.k8s.io"),
        ("gateways.net", "gateways.networking.istio.io"),
        ("nonsense", None),
        ("gateways.nonsense", None),
        ("tokenreviews", None),
    ],
)
def test_what_words_mean(word: str, resource: str | None) -> None:
    found = catalogue().find(word)
    assert (found.resource if found else None) == resource


def test_a_word_of_several_kinds_is_refused_with_their_names() -> None:
    names = "gateway could be gateways.gateway.networking.k8s.io, gateways.networking.istio.io"
    with pytest.raises(Ambiguous, match=names):
        catalogue().find("Gateway")
    assert not catalogue().means("gateways", catalogue().offers["gateways.networking.istio.io"].kind)


def test_it_says_where_a_kind_is_served() -> None:
    found = catalogue()
    told = {resource: found.where(found.offers[resource]) for resource in ("pods", "clusters", "services")}
    assert told == {"pods": "", "clusters": "", "services": "none of 2 clusters"}
    assert found.where(found.offers["certificates.cert-manager.io"]) == "1 of 2 clusters"
    assert {offer.kind.resource for offer in Catalogue()} == set(KINDS)
