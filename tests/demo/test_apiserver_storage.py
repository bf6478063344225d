"""The storage by itself: identity, versions, no-ops, cascades, events and pages of old states."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import thing
from tui.demo.apiserver.crds import definition_of
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.resources import BUILTIN
from tui.demo.apiserver.status import ApiError
from tui.demo.apiserver.storage import Event, Storage


def storage(**options: Any) -> Storage:
    return Storage(BUILTIN, clock=lambda: 1_700_000_000.0, **options)


def deployment(replicas: int = 1, **fields: Any) -> dict[str, Any]:
    return thing("Deployment", "web", "shop", "apps/v1", spec={"replicas": replicas}, **fields)


def test_create_gives_identity_and_keeps_what_was_given():
    store = storage()
    made = store.create(deployment())
    metadata = made["metadata"]
    assert metadata["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert len(metadata["uid"]) == 36
    assert metadata["resourceVersion"] == str(store.resource_version)
    assert metadata["generation"] == 1
    assert store.get("deployments.apps", "shop", "web") == made
    given_identity = thing("Pod", "old", "shop")
    given_identity["metadata"] |= {"uid": "u-1", "creationTimestamp": "2020-01-01T00:00:00Z"}
    kept = store.create(given_identity)["metadata"]
    assert (kept["uid"], kept["creationTimestamp"]) == ("u-1", "2020-01-01T00:00:00Z")
    assert "generation" not in kept


def test_create_twice_conflicts_and_bad_objects_are_refused():
    store = storage()
    store.create(deployment())
    for obj, code in ((deployment(), 409), (thing("Nope", "x"), 404), ({"apiVersion": "v1", "kind": "Pod"}, 422)):
        with pytest.raises(ApiError) as error:
            store.create(obj)
        assert error.value.code == code
    assert store.count("deployments.apps") == 1


def test_namespace_defaults_for_namespaced_kinds_and_is_dropped_for_the_others():
    store = storage()
    assert store.create(thing("Pod", "p"))["metadata"]["namespace"] == "default"
    assert "namespace" not in store.create(thing("Node", "n", "shop"))["metadata"]
    assert store.find("nodes", "anything", "n") is not None


def test_what_goes_in_and_out_are_copies():
    store = storage()
    obj = deployment()
    made = store.create(obj)
    obj["spec"]["replicas"] = 7
    made["spec"]["replicas"] = 8
    assert store.get("deployments.apps", "shop", "web")["spec"]["replicas"] == 1


def test_apply_keeps_identity_and_status_and_counts_generations():
    store = storage()
    first = store.create(deployment(status={"readyReplicas": 1}))
    second = store.apply(deployment(2))
    assert second["status"] == {"readyReplicas": 1}
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert second["metadata"]["generation"] == 2
    labelled = store.apply({**deployment(2), "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}})
    assert labelled["metadata"]["generation"] == 2
    assert int(labelled["metadata"]["resourceVersion"]) > int(second["metadata"]["resourceVersion"])


def test_apply_of_the_same_changes_nothing():
    store = storage()
    store.create(deployment(status={"readyReplicas": 1}))
    heard: list[Event] = []
    store.subscribe("deployments.apps", heard.append)
    before = store.resource_version
    for obj in (deployment(), deployment(status={"readyReplicas": 1})):
        store.apply(obj)
    store.patch("deployments.apps", "shop", "web", lambda obj: None)
    store.update_status("deployments.apps", "shop", "web", {"readyReplicas": 1})
    assert (store.resource_version, heard) == (before, [])


def test_apply_compares_as_json():
    store = storage()
    day = datetime.date(2024, 5, 6)
    store.apply(thing("ConfigMap", "c", "shop", data={"day": day, "pair": (1, 2)}))
    before = store.resource_version
    store.apply(thing("ConfigMap", "c", "shop", data={"day": "2024-05-06", "pair": [1, 2]}))
    store.apply(thing("ConfigMap", "c", "shop", data={"day": day, "pair": (1, 2)}))
    assert store.resource_version == before


def test_status_writes_count_as_generation_only_without_a_status_subresource():
    store = storage()
    store.create(deployment())
    store.create(thing("Application", "web", "argocd", "argoproj.io/v1alpha1", spec={}))
    assert store.update_status("deployments.apps", "shop", "web", {"replicas": 3})["metadata"]["generation"] == 1
    # Argo CD's Application has no status subresource, so each status write is a new generation (dossier, trap 1).
    assert store.update_status("applications.argoproj.io", "argocd", "web", {"a": 1})["metadata"]["generation"] == 2


def test_a_patch_cannot_change_identity():
    store = storage()
    first = store.create(deployment())["metadata"]

    def change(obj: dict[str, Any]) -> None:
        obj["metadata"] |= {"uid": "x", "name": "y", "namespace": "z", "resourceVersion": "1", "labels": {"a": "b"}}

    changed = store.patch("deployments.apps", "shop", "web", change)["metadata"]
    for field in ("uid", "name", "namespace", "creationTimestamp"):
        assert changed[field] == first[field]
    assert changed["labels"] == {"a": "b"}
    assert changed["resourceVersion"] == str(store.resource_version)


def owned(obj: dict[str, Any], owner: dict[str, Any]) -> dict[str, Any]:
    reference = {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    obj["metadata"]["ownerReferences"] = [reference]
    return obj


def test_delete_takes_what_is_owned_along_and_nothing_else():
    store = storage()
    top = store.create(deployment())
    middle = store.create(owned(thing("ReplicaSet", "web-1", "shop", "apps/v1"), top))
    store.create(owned(thing("Pod", "web-1-a", "shop"), middle))
    mentioned = thing("Pod", "other", "shop", spec={"note": top["metadata"]["uid"]})
    store.create(mentioned)
    store.delete("deployments.apps", "shop", "web")
    assert [store.count(name) for name in ("deployments.apps", "replicasets.apps", "pods")] == [0, 0, 1]
    with pytest.raises(ApiError) as error:
        store.delete("deployments.apps", "shop", "web")
    assert error.value.code == 404


def test_delete_without_cascade_orphans():
    store = storage()
    top = store.create(deployment())
    store.create(owned(thing("ReplicaSet", "web-1", "shop", "apps/v1"), top))
    store.delete("deployments.apps", "shop", "web", cascade=False)
    assert store.count("replicasets.apps") == 1


def test_a_namespace_takes_its_objects_along():
    store = storage()
    for namespace in ("shop", "shop-2"):
        store.create(thing("Namespace", namespace))
        store.create(thing("Pod", "p", namespace))
        store.create(thing("Application", "a", namespace, "argoproj.io/v1alpha1"))
    store.delete("namespaces", "", "shop")
    assert [pod["metadata"]["namespace"] for pod in store.list("pods")] == ["shop-2"]
    assert store.list("applications.argoproj.io", "shop") == []


def test_lists_are_sorted_and_namespaces_do_not_leak():
    store = storage()
    for namespace, name in (("b", "x"), ("a", "z"), ("a", "y"), ("a-b", "w"), ("a0", "v")):
        store.create(thing("Pod", name, namespace))
    names = [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in store.list("pods")]
    assert names == ["a-b/w", "a/y", "a/z", "a0/v", "b/x"]
    assert [pod["metadata"]["name"] for pod in store.list("pods", "a")] == ["y", "z"]


def test_events_tell_each_change_and_carry_the_state_before():
    store = storage()
    heard: list[Event] = []
    token = store.subscribe("pods", heard.append)
    store.create(thing("Pod", "p", "shop"))
    store.update_status("pods", "shop", "p", {"phase": "Running"})
    store.delete("pods", "shop", "p")
    store.unsubscribe("pods", token)
    store.create(thing("Pod", "q", "shop"))
    assert [event.type for event in heard] == ["ADDED", "MODIFIED", "DELETED"]
    assert [event.previous is None for event in heard] == [True, False, False]
    assert heard[1].previous == heard[0].data
    versions = [int(event.new()["metadata"]["resourceVersion"]) for event in heard]
    assert versions == [event.resource_version for event in heard] == sorted(versions)


def test_a_listener_that_writes_does_not_turn_the_order_around():
    store = storage()
    heard: list[int] = []

    def controller(event: Event) -> None:
        if event.type == "ADDED":
            store.update_status("pods", "shop", "p", {"phase": "Running"})

    store.subscribe("pods", controller)
    store.subscribe("pods", lambda event: heard.append(event.resource_version))
    store.create(thing("Pod", "p", "shop"))
    assert heard == sorted(heard)
    assert len(heard) == 2


def test_a_listener_that_fails_is_heard_of_and_hides_nothing():
    store = storage()
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError("controller")

    store.subscribe("pods", broken)
    store.subscribe("pods", heard.append)
    with pytest.raises(RuntimeError):
        store.create(thing("Pod", "p", "shop"))
    with pytest.raises(RuntimeError):
        store.create(thing("Pod", "q", "shop"))
    assert [event.key for event in heard] == ["shop/p", "shop/q"]


def test_the_window_is_bounded_and_what_left_it_is_gone():
    store = storage(window=3)
    versions = [
        int(store.create(thing("Pod", f"p{number}", "shop"))["metadata"]["resourceVersion"]) for number in range(5)
    ]
    assert [event.resource_version for event in store.events_since("pods", versions[1])] == versions[2:]
    with pytest.raises(ApiError) as error:
        store.events_since("pods", versions[0])
    assert (error.value.code, error.value.reason) == (410, "Expired")
    # A quiet resource does not expire because another one is busy.
    assert list(store.events_since("nodes", versions[0])) == []


def test_compaction_expires_everything_older():
    store = storage()
    version = store.resource_version
    store.create(thing("Pod", "p", "shop"))
    assert len(store.events_since("pods", version)) == 1
    store.compact()
    assert list(store.events_since("pods", store.resource_version)) == []
    with pytest.raises(ApiError):
        store.events_since("pods", version)
    with pytest.raises(ApiError):
        store.page("pods", version=version)


def test_a_stored_definition_serves_its_resource_until_it_is_deleted():
    store = storage()
    kind = ResourceType("example.org", "v1", "gadgets", "Gadget", short_names=("gd",), custom=True)
    store.create(definition_of(kind))
    assert store.create(thing("Gadget", "g", "shop", "example.org/v1"))["metadata"]["generation"] == 1
    served = store.resource("example.org", "gadgets")
    assert served is not None
    assert (served.kind, served.short_names, served.custom) == ("Gadget", ("gd",), True)
    store.delete("customresourcedefinitions.apiextensions.k8s.io", "", "gadgets.example.org")
    assert store.resource("example.org", "gadgets") is None
    with pytest.raises(ApiError):
        store.list("gadgets.example.org")


def test_a_definition_without_columns_leaves_the_built_in_ones():
    store = storage()
    known = store.resource("argoproj.io", "applications")
    assert known is not None
    store.create(definition_of(known))
    after = store.resource("argoproj.io", "applications")
    assert after is not None
    assert after.columns == known.columns


ACTIONS = st.lists(st.tuples(st.sampled_from("cud"), st.sampled_from("abcdef"), st.integers(0, 3)), max_size=40)


@settings(max_examples=settings.default.max_examples)
@given(ACTIONS, st.integers(1, 4))
def test_every_old_version_can_be_paged_through_as_it_was(actions: list[tuple[str, str, int]], limit: int):
    store = storage()
    history: dict[int, list[tuple[str, str]]] = {store.resource_version: []}
    for action, name, value in actions:
        present = store.find("configmaps", "shop", name) is not None
        if action == "d" and present:
            store.delete("configmaps", "shop", name)
        elif action != "d":
            store.apply(thing("ConfigMap", name, "shop", data={"v": str(value)}))
        state = [(obj["metadata"]["name"], obj["data"]["v"]) for obj in store.list("configmaps")]
        history[store.resource_version] = state
    decode = json.loads
    for version, state in history.items():
        seen: list[tuple[str, str]] = []
        after: str | None = ""
        while after is not None:
            page = store.page("configmaps", None, version, after, limit)
            assert page.resource_version == version
            objects = [decode(data) for _, data in page.items]
            seen += [(obj["metadata"]["name"], obj["data"]["v"]) for obj in objects]
            assert page.remaining == len(state) - len(seen)
            after = page.next_key
        assert seen == state
