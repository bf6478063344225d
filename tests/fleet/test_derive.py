"""Facts over a store: right at once, right after every change, and not dearer for what did not change."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.rows import cluster, meta, owned, row
from tui.domain.argo.destinations import Verdict
from tui.domain.obj import Ref, Row
from tui.domain.ports import Context
from tui.domain.settings import Settings
from tui.fleet.derive import StoreFacts
from tui.fleet.places import Target
from tui.store import Store

APPS, CEPS, CNPS = "applications.argoproj.io", "ciliumendpoints.cilium.io", "ciliumnetworkpolicies.cilium.io"


def facts_of(store: Store, **settings: Any) -> StoreFacts:
    return StoreFacts(store, Settings(**settings), lambda: 1000.0)


def application(
    name: str, server: str = "", to: str = "", health: str = "Healthy", hub: str = "hub", **spec: Any
) -> Row:
    destination = {key: value for key, value in (("server", server), ("name", to)) if value}
    status = {"health": {"status": health}} if health else {}
    return row(
        hub, APPS, {"metadata": meta(name, "argocd"), "spec": {"destination": destination, **spec}, "status": status}
    )


def tracked(name: str, instance: str, where: str, resource: str = "deployments.apps", namespace: str = "shop") -> Row:
    id = f"{instance}:apps/Deployment:{namespace}/{name}"
    return row(where, resource, {"metadata": meta(name, namespace, annotations={"argocd.argoproj.io/tracking-id": id})})


@pytest.fixture
def store() -> Store:
    made = Store()
    made.apply(
        [
            cluster("hub", ("namespaces",), server="https://hub:6443", uid="h"),
            cluster("prod-eu", (CEPS, "nodes"), server="https://eu.example.com:6443", uid="e"),
            cluster("prod-us", server="https://us.example.com", uid="u"),
        ]
    )
    return made


def put(store: Store, *rows: Row) -> None:
    store.apply(rows)


# -- destinations --------------------------------------------------------------------------------------------------


def test_destinations_by_url_by_name_and_unknown(store: Store) -> None:
    facts = facts_of(store)
    assert facts.destination(application("a", "https://EU.example.com:6443/")) == "prod-eu"
    assert facts.destination(application("b", to="prod-us")) == "prod-us?"
    assert facts.destination(application("c", "https://kubernetes.default.svc")) == "hub"
    assert facts.destination(application("d", "https://Gone.example.com")) == "gone.example.com?"
    assert facts.destination(application("e", to="gone")) == "gone?"
    assert facts.destination(application("f")) == "no destination?"
    assert facts.destination_match(application("b", to="prod-us")).words == "same name"


def test_a_tracked_object_in_the_cluster_makes_a_match_certain(store: Store) -> None:
    facts = facts_of(store)
    app = application("checkout", to="prod-us")
    put(store, app)
    assert facts.destination(app) == "prod-us?"
    put(store, tracked("web", "checkout", "prod-us"))
    assert facts.destination(app) == "prod-us"
    assert facts.destination_match(app).verdict is Verdict.CERTAIN


def test_a_copied_annotation_is_no_proof(store: Store) -> None:
    facts = facts_of(store)
    app = application("checkout", to="prod-us")
    copied = meta("other", annotations={"argocd.argoproj.io/tracking-id": "checkout:apps/Deployment:shop/web"})
    put(store, app, row("prod-us", "deployments.apps", {"metadata": copied}))
    assert facts.destination(app) == "prod-us?"


def test_an_application_that_comes_later_can_be_the_proof(store: Store) -> None:
    facts = facts_of(store)
    put(store, application("first", to="prod-us"), tracked("web", "second", "prod-us"))
    assert facts.destination(application("first", to="prod-us")) == "prod-us?"
    put(store, application("second", to="prod-us"))
    assert facts.destination(application("first", to="prod-us")) == "prod-us"


def test_contexts_tell_more_than_clusters(store: Store) -> None:
    facts = facts_of(store)
    app = application("a", "https://direct.example.com")
    assert facts.destination(app) == "direct.example.com?"
    facts.learn([Context("prod-us", "prod-us", server="https://direct.example.com/")])
    assert facts.destination(app) == "prod-us"


def test_pins_and_clusters_that_change(store: Store) -> None:
    app = application("a", to="prod-us")
    assert facts_of(store, destinations={"hub/prod-us": "prod-eu"}).destination(app) == "prod-eu"
    facts = facts_of(store)
    late = application("b", "https://late.example.com")
    assert facts.destination(late) == "late.example.com?"
    put(store, cluster("late", server="https://late.example.com"))
    assert facts.destination(late) == "late"
    store.apply([], [Ref("late", "clusters", "", "late")])
    assert facts.destination(late) == "late.example.com?"


# -- counts --------------------------------------------------------------------------------------------------------


def test_health_of_a_cluster_follows_every_change(store: Store) -> None:
    facts = facts_of(store)
    eu = "https://eu.example.com:6443"
    put(store, application("a", eu), application("b", eu, health="Degraded"), application("c", to="prod-us", health=""))
    assert facts.health_counts("prod-eu") == {"Healthy": 1, "Degraded": 1}
    assert facts.health_counts("prod-us") == {"Unknown": 1}
    put(store, application("a", eu, health="Degraded"))
    assert facts.health_counts("prod-eu") == {"Degraded": 2}
    put(store, application("b", to="prod-us"))
    assert (facts.health_counts("prod-eu"), facts.health_counts("prod-us")) == (
        {"Degraded": 1},
        {"Unknown": 1, "Healthy": 1},
    )
    store.apply([], [Ref("hub", APPS, "argocd", "a")])
    assert facts.health_counts("prod-eu") == {}
    assert facts.health_counts("nowhere") == {}


def test_counts_are_only_given_where_the_kind_was_listed(store: Store) -> None:
    facts = facts_of(store)
    assert facts.count("prod-eu", "nodes") == 0
    put(
        store,
        row("prod-eu", "nodes", {"metadata": meta("n", "")}),
        row("prod-us", "nodes", {"metadata": meta("n", "")}),
    )
    assert (facts.count("prod-eu", "nodes"), facts.count("prod-us", "nodes"), facts.count("gone", "nodes")) == (
        1,
        None,
        None,
    )


targets = st.sampled_from(
    ["https://eu.example.com:6443", "https://us.example.com", "https://kubernetes.default.svc", ""]
)
steps = st.lists(
    st.tuples(st.integers(0, 4), targets, st.sampled_from(["Healthy", "Degraded", ""]), st.booleans()), max_size=25
)


def counted(facts: StoreFacts) -> dict[Ref, tuple[Target, str, bool]]:
    """What is counted of each Application, and that its destination has it as a member."""
    assert all(ref in held.place.members for ref, held in facts._held.items())
    assert sum(len(place.members) for place in facts._targets.values()) == len(facts._held)
    return {ref: (held.place.target, held.health, held.drifted) for ref, held in facts._held.items()}


@given(steps=steps)
def test_counts_kept_up_by_changes_are_those_counted_anew(steps: list[tuple[int, str, str, bool]]) -> None:
    store = Store()
    store.apply([cluster("hub", server="https://hub"), cluster("prod-eu", server="https://eu.example.com:6443")])
    facts = facts_of(store)
    for number, target, health, removed in steps:
        made = application(f"a{number}", target, health=health)
        store.apply([] if removed else [made], [made.ref] if removed else [])
        fresh = facts_of(store)
        for name in ("hub", "prod-eu"):
            assert facts.health_counts(name) == fresh.health_counts(name)
        assert facts._named == fresh._named
        assert counted(facts) == counted(fresh)


URLS = ["https://eu.example.com:6443", "https://us.example.com", "https://kubernetes.default.svc", ""]
changes = st.one_of(
    st.tuples(st.just("app"), st.integers(0, 3), st.sampled_from(URLS), st.sampled_from(["", "prod-eu", "prod-us"])),
    st.tuples(st.just("cluster"), st.sampled_from(["prod-eu", "prod-us"]), st.sampled_from(URLS), st.booleans()),
    st.tuples(st.just("object"), st.integers(0, 3), st.sampled_from(["prod-eu", "prod-us"]), st.booleans()),
    st.tuples(st.just("no app"), st.integers(0, 3), st.none(), st.none()),
    st.tuples(st.just("no cluster"), st.sampled_from(["prod-eu", "prod-us"]), st.none(), st.none()),
)


@given(
    steps=st.lists(changes, max_size=25),
    pins=st.sampled_from([{}, {"hub/prod-eu": "prod-us"}, {f"hub/{URLS[1]}": "prod-eu"}]),
)
def test_destinations_kept_up_by_changes_are_those_found_anew(
    steps: list[tuple[str, Any, Any, Any]], pins: dict[str, str]
) -> None:
    store = Store()
    store.apply([cluster("hub", server="https://hub")])
    facts = facts_of(store, destinations=pins)
    before: dict[Ref, str] = {}
    for word, which, what, more in steps:
        rev, touched = facts.places_rev, None
        if word == "app":
            put(store, made := application(f"a{which}", what, more))
            touched = made.ref
        elif word == "cluster":
            put(store, cluster(which, server=what, uid=f"uid of {what}", registered=more))
        elif word == "object":
            put(store, tracked(f"web{which}{more}", f"argocd_a{which}" if more else f"a{which}", what))
        elif word == "no app":
            store.apply([], [Ref("hub", APPS, "argocd", f"a{which}")])
        else:
            store.apply([], [Ref(which, "clusters", "", which)])
        now = {held.ref: facts.destination(held) for held in store.rows(APPS)}
        fresh = facts_of(store, destinations=pins)
        assert now == {held.ref: fresh.destination(held) for held in store.rows(APPS)}
        assert facts.destinations([*now, Ref("hub", APPS, "argocd", "gone")]) == set(now.values())
        told = {*facts.moved_since(rev), touched}
        assert {ref for ref in now if ref in before and now[ref] != before[ref]} <= told
        assert (facts.totals(), facts.health_counts("prod-eu")) == (fresh.totals(), fresh.health_counts("prod-eu"))
        before = now


def test_a_cluster_that_turns_out_to_be_another_moves_only_those_that_may_mean_it(store: Store) -> None:
    facts = facts_of(store)
    put(store, *(application(f"eu{at}", to="prod-eu") for at in range(3)), application("us", to="prod-us"))
    assert {facts.destination(held) for held in store.rows(APPS)} == {"prod-eu?", "prod-us?"}
    rev = facts.places_rev
    put(store, cluster("prod-us", server="https://us.example.com", uid="u", heard=5.0))
    assert (facts.moved_since(rev), facts.places_rev) == ([], rev)  # its state is not what it is
    put(store, cluster("prod-us", server="https://us.example.com", uid="u", registered=True))
    assert [ref.name for ref in facts.moved_since(rev)] == ["us"]
    assert facts.destination(application("us", to="prod-us")) == "prod-us"


# -- ownership -----------------------------------------------------------------------------------------------------


def test_an_object_belongs_to_the_application_that_tracks_it_or_its_owner(store: Store) -> None:
    facts = facts_of(store)
    pod = row("prod-eu", "pods", {"metadata": owned("web-1-a", "ReplicaSet", "web-1")})
    put(
        store,
        application("checkout", "https://eu.example.com:6443", source={"repoURL": "x", "path": "./apps/checkout"}),
        tracked("web", "checkout", "prod-eu"),
        row("prod-eu", "replicasets.apps", {"metadata": owned("web-1", "Deployment", "web")}),
        pod,
    )
    assert facts.application(pod) == "checkout"
    assert facts.application_ref(pod) == Ref("hub", APPS, "argocd", "checkout")
    assert facts.source_file(pod) == "apps/checkout/"
    facts.locate = lambda found, application: f"apps/checkout/{found.ref.name}.yaml"
    assert facts.source_file(pod) == "apps/checkout/web-1-a.yaml"
    assert facts.application(row("prod-us", "pods", {"metadata": owned("web-1-a", "ReplicaSet", "web-1")})) == ""
    other = owned("web-1-a", "ReplicaSet", "web-1")
    other["ownerReferences"][0]["uid"] = "of an earlier one"
    assert facts.application(row("prod-eu", "pods", {"metadata": other})) == ""


def test_applications_outside_argo_cds_namespace_are_named_in_full(store: Store) -> None:
    facts = facts_of(store)
    put(store, application("checkout", "https://eu.example.com:6443"))
    held = tracked("web", "team_checkout", "prod-eu")
    assert facts.application(held) == "team/checkout"
    assert facts.application_ref(held) is None


def test_the_instance_label_counts_only_where_such_an_application_deploys(store: Store) -> None:
    facts = facts_of(store)
    labelled = {"metadata": meta("web", labels={"app.kubernetes.io/instance": "checkout"})}
    here, there = row("prod-eu", "services", labelled), row("prod-us", "services", labelled)
    assert facts.application(here) == ""
    put(store, application("checkout", "https://eu.example.com:6443"))
    assert (facts.application(here), facts.application(there)) == ("checkout", "")


def test_owners_that_form_a_cycle_end(store: Store) -> None:
    one = row("prod-eu", "pods", {"metadata": owned("a", "Pod", "b")})
    put(store, one, row("prod-eu", "pods", {"metadata": owned("b", "Pod", "a")}))
    assert facts_of(store).application(one) == ""


def test_two_hubs_with_an_application_of_one_name(store: Store) -> None:
    facts = facts_of(store)
    put(
        store,
        application("checkout", "https://eu.example.com:6443"),
        application("checkout", "https://us.example.com", hub="hub2"),
    )
    assert facts.application_ref(tracked("web", "checkout", "prod-us")) == Ref("hub2", APPS, "argocd", "checkout")


# -- selections ----------------------------------------------------------------------------------------------------


def endpoint(name: str, where: str = "prod-eu", **labels: str) -> Row:
    held = [f"k8s:{key}={value}" for key, value in labels.items()] + ["k8s:io.kubernetes.pod.namespace=shop"]
    return row(where, CEPS, {"metadata": meta(name), "status": {"identity": {"id": 1, "labels": held}}})


def policy(where: str = "prod-eu", **selector: Any) -> Row:
    return row(where, CNPS, {"metadata": meta("p"), "spec": {"endpointSelector": selector}})


def test_selected_endpoints_follow_every_change(store: Store) -> None:
    facts = facts_of(store)
    web = policy(matchLabels={"app": "web"})
    assert facts.selected(web) == 0
    put(
        store,
        endpoint("a", app="web"),
        endpoint("b", app="web"),
        endpoint("c", app="db"),
        endpoint("d", "prod-us", app="web"),
    )
    assert facts.selected(web) == 2
    put(store, endpoint("c", app="web"))
    assert facts.selected(web) == 3
    store.apply([], [endpoint("a").ref])
    assert [ref.name for ref in facts.selected_refs(web)[0]] == ["b", "c"]
    assert facts.selected(policy(matchLabels={"app": "db"})) == 0


def test_unread_endpoints_are_unknown_and_pods_stand_in(store: Store) -> None:
    facts = facts_of(store)
    web = policy("prod-us", matchLabels={"app": "web"})
    assert (facts.selected(web), facts.selected_refs(web)) == (None, ([], ""))
    pods = [
        {"metadata": meta("a", labels={"app": "web"}), "status": {"phase": "Running", "podIP": "10.0.0.1"}},
        {"metadata": meta("b", labels={"app": "web"}), "status": {"phase": "Succeeded", "podIP": "10.0.0.2"}},
        {"metadata": meta("c", labels={"app": "web"}), "spec": {"hostNetwork": True}, "status": {"podIP": "10.0.0.3"}},
        {"metadata": meta("d", labels={"app": "web"}), "status": {"phase": "Pending"}},
    ]
    put(store, cluster("prod-us", ("pods", "namespaces")), *(row("prod-us", "pods", each) for each in pods))
    assert facts.selected_refs(web) == ([Ref("prod-us", "pods", "shop", "a")], "pods")
    team = policy("prod-us", matchLabels={"io.cilium.k8s.namespace.labels.team": "shop"})
    assert facts.selected(team) == 0
    put(store, row("prod-us", "namespaces", {"metadata": meta("shop", "", labels={"team": "shop"})}))
    assert facts.selected(team) == 1


def test_policies_for_nodes_count_nodes(store: Store) -> None:
    facts = facts_of(store)
    ccnp = "ciliumclusterwidenetworkpolicies.cilium.io"
    edge = row(
        "prod-eu", ccnp, {"metadata": meta("p", ""), "spec": {"nodeSelector": {"matchLabels": {"k8s:role": "edge"}}}}
    )
    assert facts.selected(edge) == 0
    put(store, row("prod-eu", "nodes", {"metadata": meta("n", "", labels={"role": "edge"})}))
    assert facts.selected_refs(edge) == ([Ref("prod-eu", "nodes", "", "n")], "nodes")
    assert facts.selected(msgspec.structs.replace(edge, ref=Ref("prod-us", ccnp, "", "p"))) is None


def test_a_policy_that_changes_is_answered_anew(store: Store) -> None:
    facts = facts_of(store)
    put(store, endpoint("a", app="web"))
    assert facts.selected(policy(matchLabels={"app": "web"})) == 1
    assert facts.selected(policy(matchLabels={"app": "db"})) == 0


# -- trees ---------------------------------------------------------------------------------------------------------


def test_a_tree_is_made_of_what_the_destination_holds(store: Store) -> None:
    facts = facts_of(store)
    spec = {"destination": {"server": "https://eu.example.com:6443"}}
    managed = [{"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "status": "Synced"}]
    app = row("hub", APPS, {"metadata": meta("checkout", "argocd"), "spec": spec, "status": {"resources": managed}})
    put(store, app, tracked("web", "checkout", "prod-eu"))
    (node,) = facts.tree(app)
    assert (node.ref, node.seen) == (Ref("prod-eu", "deployments.apps", "shop", "web"), True)


# -- cost ----------------------------------------------------------------------------------------------------------


def test_a_change_of_one_application_does_not_walk_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = facts_of(store)
    eu = "https://eu.example.com:6443"
    put(store, *(application(f"a{number}", eu) for number in range(300)))
    assert facts.health_counts("prod-eu") == {"Healthy": 300}
    asked: list[Ref] = []
    get = store.get
    monkeypatch.setattr(store, "get", lambda ref: asked.append(ref) or get(ref))
    put(store, application("a7", eu, health="Degraded"), cluster("prod-us", server="https://us.example.com", heard=5.0))
    assert facts.health_counts("prod-eu") == {"Healthy": 299, "Degraded": 1}
    assert len(asked) < 10
