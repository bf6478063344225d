"""What a change that nobody has applied does to a cluster, and what makes one think twice."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.impacts.amending import Amendment, Relabelled
from tui.domain.cilium.impacts.drafted import ClusterImpact, DraftImpact, Now, impact_on
from tui.domain.cilium.model import Endpoint, Flow, Surroundings, Written
from tui.domain.cilium.policy import CNP, Policy
from tui.domain.cilium.reachability.reach import Reach
from tui.domain.drafts.blast import Blast, confirmation
from tui.domain.obj import Meta
from tui.domain.settings import Settings


def pod(app: str) -> Endpoint:
    labels = (f"k8s:app={app}", "k8s:io.cilium.k8s.policy.cluster=default", "k8s:io.kubernetes.pod.namespace=shop")
    return Endpoint(labels, f"shop/{app}-1")


def policy(name: str, app: str, **sections: Any) -> Written:
    spec = {"endpointSelector": {"matchLabels": {"app": app}}, **sections}
    return Written(CNP, Policy(metadata=Meta(name=name, namespace="shop"), spec=spec), f"{name}.yaml")


def peers(app: str) -> list[dict[str, Any]]:
    return [{"fromEndpoints": [{"matchLabels": {"app": app}}]}]


WEB, JOBS, DB = pod("web"), pod("jobs"), pod("db")
OPEN = policy("db", "db", ingress=peers("web"))
KEY = (CNP, "shop", "db")
SEEN = [Flow(WEB, DB, 5432), Flow(WEB, DB, 5432), Flow(JOBS, WEB, 80)]


def now(*written: Written) -> Now:
    reach = Reach(rulebook(written, Surroundings()), {each.name: each for each in (WEB, JOBS, DB)})
    return Now("east", written, reach)


def told(change: Amendment, *written: Written) -> ClusterImpact:
    return impact_on(now(*written), change, SEEN)


def test_a_policy_that_cuts_traffic_is_an_alarm_and_must_be_typed() -> None:
    found = told(Amendment({KEY: policy("db", "db", ingress=peers("jobs"))}), OPEN)
    assert [(each.flow, each.flows) for each in found.cut] == [(SEEN[0], 2)]
    assert found.effect is not None
    assert [each.kind for each in found.effect.changes] == ["denied", "allowed"]
    whole = DraftImpact((found,))
    assert whole.alarms == ("it cuts traffic seen in east: shop/web-1 → shop/db-1 TCP/5432",)
    needed = confirmation(Blast(), Settings(), "my-draft", whole.alarms)
    assert needed is not None
    assert (needed.word, needed.reasons) == ("my-draft", whole.alarms)


@pytest.mark.parametrize("seen", ["shop/db-1", "shop/db-gone"])
def test_flows_do_not_tell_the_names_of_ports_and_are_cut_all_the_same(seen: str) -> None:
    named = msgspec.structs.replace(DB, named_ports={"sql/TCP": 5432})
    ports = [{"ports": [{"port": "sql", "protocol": "TCP"}]}]
    before = policy("db", "db", ingress=[{**peers("web")[0], "toPorts": ports}])
    reach = Reach(rulebook([before], Surroundings()), {each.name: each for each in (WEB, JOBS, named)})
    flow = Flow(WEB, msgspec.structs.replace(DB, name=seen), 5432)
    change = Amendment({KEY: policy("db", "db", ingress=[{**peers("jobs")[0], "toPorts": ports}])})
    found = impact_on(Now("east", (before,), reach), change, [flow])
    assert [(each.before, each.after) for each in found.cut] == [("allowed", "denied")]


def test_a_policy_that_selects_nothing_or_is_rejected_is_an_alarm() -> None:
    lost, bad = policy("lost", "lost", ingress=peers("web")), policy("bad", "db", ingress=[{"fromEntities": ["moon"]}])
    found = told(Amendment({(CNP, "shop", "lost"): lost, (CNP, "shop", "bad"): bad}), OPEN)
    assert found.nothing == ("shop/lost",)
    assert [name for name, _ in found.rejected] == ["shop/bad"]
    assert len(DraftImpact((found,)).alarms) == 2


def test_default_deny_and_who_is_let_go() -> None:
    found = told(Amendment({KEY: None, (CNP, "shop", "web"): policy("web", "web", ingress=peers("jobs"))}), OPEN)
    assert found.effect is not None
    assert {(each.group.words, each.direction, each.on) for each in found.effect.default_deny} == {
        ("db in shop", "ingress", False),
        ("web in shop", "ingress", True),
    }
    assert DraftImpact((found,)).alarms == ()


def test_other_labels_of_pods_cut_traffic_too() -> None:
    change = Amendment(workloads=(Relabelled("Deployment", "shop", "web", {"app": "web"}, {"app": "shop"}),))
    found = told(change, OPEN)
    assert found.relabelled == 1
    assert found.cut and found.cut[0].flow == SEEN[0]


def test_nothing_is_nothing() -> None:
    found = told(Amendment(), OPEN)
    assert found.empty
    assert DraftImpact((found,)).empty
    assert not DraftImpact((found,), ("a template",)).empty
