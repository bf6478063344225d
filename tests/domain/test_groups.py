"""Groups, hosts of virtual clusters, and the names of Argo CD's cluster Secrets."""

from __future__ import annotations

import pytest

from tui.domain.groups import cluster_secret_name, groups_of, host_of
from tui.domain.settings import GroupRule


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("prod-eu-1", ("prod",)),
        ("arn:aws:eks:eu-1:1234:cluster/Production", ("prod",)),
        ("gke_shop_europe-west1_staging2", ("staging",)),
        ("products", ()),
        ("kind-dev", ("dev",)),
        ("store0042", ("edge",)),
    ],
)
def test_names_tell_the_group_by_whole_words(name: str, group: tuple[str, ...]) -> None:
    assert groups_of(name, {}, ()) == group


def test_labels_beat_names_and_rules_beat_labels() -> None:
    labels = {"env": "production", "region": "eu"}
    assert groups_of("dev-1", labels, ()) == ("prod",)
    assert groups_of("dev-1", {"example.com/environment": "Staging"}, ()) == ("staging",)
    rules = [
        GroupRule(group="none"),
        GroupRule(group="prod/eu", labels={"region": "eu"}),
        GroupRule(group="late", match="dev-*"),
    ]
    assert groups_of("dev-1", labels, rules) == ("prod", "eu")
    assert groups_of("dev-1", {}, rules) == ("late",)


def test_a_virtual_cluster_knows_its_host_only_if_it_is_ours() -> None:
    contexts = ["prod-eu-1", "vcluster_team-a_vteam_prod-eu-1"]
    assert host_of(contexts[1], contexts) == "prod-eu-1"
    assert host_of("vcluster_a_b_elsewhere", contexts) == ""
    assert host_of("prod-eu-1", contexts) == ""


def test_secret_names_follow_argo_cd() -> None:
    assert cluster_secret_name("https://kubernetes.default.svc") == "cluster-kubernetes.default.svc-3396314289"
    assert cluster_secret_name("https://[fd00::1]:6443").startswith("cluster-fd00--1-")
