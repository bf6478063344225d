"""What the tail is told, in the order it is shown in."""

from __future__ import annotations

from tui.domain.cluster import CLUSTERS, REPLACED, Cluster
from tui.domain.obj import Meta, Ref, Row
from tui.domain.settings import Settings
from tui.domain.tail import Tail, TailEvent
from tui.fleet.tailing import Tailing

NOW = 1_800_000_000.0


def test_back_fill_that_arrives_by_application_is_placed_by_time() -> None:
    tail = Tail()
    tailing = Tailing(tail, None, Settings(), lambda: NOW)
    ages = (1_000, 1_044, 80_000, 3, 5)  # the last two happen now, on clusters whose clocks differ
    for age in ages:
        tailing.tell(TailEvent(NOW - age, "prod", "argocd/web", "Synced", f"{age}"))
        assert tailing.drain() == 1
    assert [event.message for _, event in tail.since(0)] == [str(age) for age in ages], "readers lose nothing"
    shown = [event.message for _, _, event in sorted(tail.placed(0), key=lambda placed: placed[:2])]
    assert shown == ["80000", "1044", "1000", "3", "5"]


def test_another_cluster_behind_a_url_is_told() -> None:
    tail = Tail()
    tailing = Tailing(tail, None, Settings(), lambda: NOW)
    row = Row(Ref("prod", CLUSTERS, "", "prod"), Cluster(Meta(name="prod"), note=f"{REPLACED}: …", noted=NOW))
    tailing.observers()[CLUSTERS](None, row, False)
    assert tailing.drain() == 1
    ((_, event),) = tail.since(0)
    assert (event.cluster, event.reason, event.message, event.ref) == ("prod", "ClusterReplaced", row.obj.note, row.ref)
