"""What is still being loaded, counted from what changed."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.rows import cluster
from tui.domain.cluster import CLUSTERS, ClusterState, KindState, KindStatus
from tui.domain.obj import Ref
from tui.fleet.loading import Loading
from tui.store import Store

NAMES = ("a", "b", "c")
states = st.dictionaries(st.sampled_from(["pods", "nodes"]), st.sampled_from(list(KindState)))
steps = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([*ClusterState, None]), states), max_size=20)


def expected(store: Store, looked_at: set[str]) -> tuple[int, int, set[str]]:
    """Counted by walking every cluster."""
    clusters = [row.obj for row in store.rows(CLUSTERS)]
    live = [each for each in clusters if each.state is ClusterState.LIVE]
    listing = {
        resource
        for each in live
        for resource in looked_at | each.kinds.keys()
        if resource not in each.kinds or each.kinds[resource].state in (KindState.WAITING, KindState.LISTING)
    }
    return sum(each.state is not ClusterState.CONNECTING for each in clusters), len(clusters), listing


@given(steps=steps)
def test_it_is_what_walking_every_cluster_tells(steps: list) -> None:
    store, looked_at = Store(), {"pods"}
    loading = Loading(store, lambda cluster: looked_at)
    for at, (name, state, kinds) in enumerate(steps):
        if at == 10:
            looked_at.add("services")
            loading.start_again()
        if state is None:
            store.apply([], [Ref(name, CLUSTERS, "", name)])
        else:
            row = cluster(name)
            statuses = {resource: KindStatus(found) for resource, found in kinds.items()}
            obj = msgspec.structs.replace(row.obj, state=state, kinds=statuses)
            store.apply([msgspec.structs.replace(row, obj=obj)])
        answered, clusters, listing = loading.read()
        assert (answered, clusters, set(listing)) == expected(store, looked_at)
