"""Mesh peers by names and ids of clusters."""

from __future__ import annotations

from tui.domain.cilium.mesh import Membership, memberships


def config(name: str, number: str) -> dict[str, str]:
    return {"cluster-name": name, "cluster-id": number}


def test_clusters_with_ids_can_be_peers_and_equal_ids_or_names_cannot() -> None:
    found = memberships(
        {
            "oslo": config("oslo", "1"),
            "bergen": config("bergen", "2"),
            "copy": config("copy", "1"),
            "twin": config("bergen", "9"),
            "alone": config("alone", "0"),
            "plain": {},
            "odd": config("odd", "x"),
        }
    )
    assert found["oslo"] == Membership("oslo", 1, ("bergen", "twin"), same_id=("copy",))
    assert found["bergen"] == Membership("bergen", 2, ("copy", "oslo"), same_name=("twin",))
    assert found["alone"] == Membership("alone", 0)
    assert found["plain"] == Membership("default", 0)
    assert found["odd"].id == 0
