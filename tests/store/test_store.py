"""The store against a plain model: whatever the readers' revisions, they end up with what the writer wrote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui import store as store_module
from tui.domain.obj import Meta, Object, Owner, Packer, Ref, Row
from tui.store import Store


def row(name: str, cluster: str = "c1", resource: str = "pods", version: str = "1", owner: str = "") -> Row:
    owners = (Owner(uid=owner),) if owner else ()
    meta = Meta(name=name, resource_version=version, owner_references=owners)
    return Row(Ref(cluster, resource, "ns", name), Object(metadata=meta))


def ref(name: str, cluster: str = "c1", resource: str = "pods") -> Ref:
    return Ref(cluster, resource, "ns", name)


def test_a_batch_is_one_revision_and_an_empty_one_is_none() -> None:
    store = Store()
    assert store.apply([row("a"), row("b")]) == 1
    assert store.apply([], [ref("gone")]) == 1
    assert store.apply([], [ref("a")]) == 2
    assert store.count("pods") == 1


def test_rows_and_counts_by_cluster() -> None:
    store = Store()
    store.apply([row("a"), row("b", cluster="c2"), row("a", resource="nodes")])
    assert {held.ref.name for held in store.rows("pods", "c2")} == {"b"}
    assert (store.count("pods"), store.count("pods", "c1"), store.count("pods", "nowhere")) == (2, 1, 0)
    assert sorted(store.resources()) == ["nodes", "pods"]


def test_changes_name_only_what_moved() -> None:
    store = Store()
    store.apply([row("a"), row("b")])
    seen = store.rev
    store.apply([row("b", version="2")], [ref("a")])
    changes = store.changes_since(seen, "pods")
    assert (changes.changed, changes.removed, changes.reset) == ([ref("b")], [ref("a")], False)
    assert store.changes_since(changes.rev, "pods").changed == []


def test_a_removed_and_recreated_object_is_a_change_not_a_removal() -> None:
    store = Store()
    store.apply([row("a")])
    seen = store.rev
    store.apply([], [ref("a")])
    store.apply([row("a", version="3")])
    changes = store.changes_since(seen, "pods")
    assert (changes.changed, changes.removed) == ([ref("a")], [])


def test_children_follow_owner_references() -> None:
    store = Store()
    store.apply([row("a", owner="u1"), row("b", owner="u1"), row("c", owner="u2")])
    assert {held.ref.name for held in store.children("u1")} == {"a", "b"}
    store.apply([row("b", owner="u2")], [ref("a")])
    assert store.children("u1") == []
    assert {held.ref.name for held in store.children("u2")} == {"b", "c"}


def test_a_reader_older_than_the_tombstones_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "TOMBSTONES", 4)
    store = Store()
    store.apply([row(f"p{number}") for number in range(20)])
    seen = store.rev
    for number in range(10):
        store.apply([], [ref(f"p{number}")])
    late = store.changes_since(seen, "pods")
    assert late.reset
    assert set(late.changed) == {held.ref for held in store.rows("pods")}
    recent = store.changes_since(store.rev - 1, "pods")
    assert (recent.reset, recent.removed) == (False, [ref("p9")])


STEP = st.tuples(st.sampled_from(["put", "remove", "read"]), st.sampled_from("abcdef"), st.sampled_from(["c1", "c2"]))


@given(st.lists(STEP, max_size=60))
@settings(max_examples=settings.default.max_examples * 2)
def test_a_reader_that_follows_changes_holds_what_the_store_holds(steps: list[tuple[str, str, str]]) -> None:
    store = Store()
    mirror: dict[Ref, str] = {}
    seen = 0

    def follow() -> None:
        nonlocal seen
        changes = store.changes_since(seen, "pods")
        if changes.reset:
            mirror.clear()
        for gone in changes.removed:
            mirror.pop(gone, None)
        for moved in changes.changed:
            held = store.get(moved)
            assert held is not None
            mirror[moved] = held.obj.metadata.resource_version
        seen = changes.rev

    for number, (what, name, cluster) in enumerate(steps):
        if what == "put":
            store.apply([row(name, cluster, version=str(number))])
        elif what == "remove":
            store.apply([], [ref(name, cluster)])
        else:
            follow()
    follow()
    assert mirror == {held.ref: held.obj.metadata.resource_version for held in store.rows("pods")}
    for cluster in ("c1", "c2"):
        assert store.count("pods", cluster) == sum(key.cluster == cluster for key in mirror)


@given(st.binary(max_size=4000), st.binary(max_size=4000))
def test_packing_gives_back_every_byte(sample: bytes, data: bytes) -> None:
    packer = Packer(sample)
    assert packer.unpack(packer.pack(data)) == data
