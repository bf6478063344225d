"""What fleet sees and what not, in words."""

from __future__ import annotations

import pytest

from tui.domain.cluster import ClusterState, KindState
from tui.domain.pulse import RECENT, Meter, Pulse, Trouble
from tui.domain.sight import plain, reason, summary

NOW = 1_800_000_000.0
LIVE = ClusterState.LIVE


def pulse(name: str, state: ClusterState = LIVE, ago: float = 60, why: str = "refused", **more: object) -> Pulse:
    lost = state not in (LIVE, ClusterState.CONNECTING)
    server = f"https://{name}.example.test:6443"
    words = f"{name}.example.test:6443: {why}" if lost else ""
    return Pulse(name, server, state, words, since=NOW - ago, heard=NOW - ago, **more)  # type: ignore[arg-type]


def told(*pulses: Pulse) -> list[str]:
    return [plain([line]) for line in summary(pulses, NOW)]


def down(*names: str, state: ClusterState = ClusterState.UNREACHABLE, **more: object) -> list[Pulse]:
    return [pulse(name, state, **more) for name in names]  # type: ignore[arg-type]


FAIR = [pulse(f"dc-east-{n}") for n in range(5)]
HUBS = [pulse("hub-1", hub=True), pulse("hub-2", hub=True)]
WEST = [f"dc-west-{n}" for n in range(9)]


def test_fair_weather_is_one_sentence() -> None:
    assert told(*FAIR, *HUBS) == ["fleet sees all 7 clusters, nothing is stale · hubs: all 2 live"]


def test_clocks_that_differ() -> None:
    assert (
        told(*FAIR, pulse("a", ahead=86_400.0), pulse("b", ahead=-120.0))[-1]
        == "clocks differ: a 24h ahead; b 2m behind"
    )
    assert told(*FAIR, pulse("a", ahead=59.0))[1:] == []
    every = [pulse(name, ahead=-7200.0) for name in ("a", "b")]
    assert told(*every)[-1] == "clocks differ: every cluster is 120m behind: is this machine's clock right?"


def test_a_region_is_named_by_what_its_clusters_share() -> None:
    lines = told(*FAIR, *HUBS, *down(*WEST, ago=180))
    assert lines == [
        "fleet sees 7 of 16 clusters · hubs: all 2 live",
        "blind in 9: dc-west-* since 3m (refused)",
    ]


def test_a_name_with_a_star_never_means_a_cluster_that_is_seen() -> None:
    lines = told(*FAIR, pulse("dc-west-9"), *down(*WEST, ago=180))
    assert lines[1] == "blind in 9: 9 of dc-west-* since 3m (refused)"
    lines = told(*FAIR, pulse("dc-west-9"), *down("dc-west-1", "dc-west-2"))
    assert lines[1] == "blind in 2: dc-west-1, dc-west-2 since 60s (refused)"


def test_what_was_read_before_is_stale_and_what_never_was_is_blind() -> None:
    read = down("lab-1", "lab-2", state=ClusterState.STALE, ago=240, objects=12)
    refused = down("lab-3", state=ClusterState.DENIED, ago=90, why="401", objects=3)
    lines = told(*FAIR, *read, *refused, *down("other", why="timed out"))
    assert lines[0].startswith("fleet sees 5 of 9 clusters")
    assert lines[1] == "blind in 1: other since 60s (timed out)"
    assert lines[2] == "stale 3, oldest 4m: lab-* since 4m (refused, and others)"


def test_a_lost_hub_is_said_at_once() -> None:
    lines = told(*FAIR, HUBS[0], *down("hub-2", state=ClusterState.STALE, objects=5, hub=True))
    assert lines[0].endswith("hubs: 1 of 2 live, not hub-2")


def test_a_live_cluster_that_is_read_partly() -> None:
    denied = Trouble("secrets", KindState.DENIED)
    broken = Trouble("pods", KindState.STALE, NOW - 60)
    about_to_return = Trouble("nodes", KindState.STALE, NOW - 1)
    lines = told(*FAIR, pulse("a", trouble=(denied, broken)), pulse("b", trouble=(denied,)))
    assert lines[1] == "partly 2: secrets denied in 2; pods stale in 1"
    assert len(told(*FAIR, pulse("a", trouble=(about_to_return,)))) == 1


def test_every_cluster_gone_and_none_known() -> None:
    assert told(*down(*WEST))[1] == "blind in 9: every cluster since 60s (refused)"
    assert told() == ["no cluster is known yet"]
    connecting = told(*FAIR, pulse("x", ClusterState.CONNECTING))
    assert connecting == ["fleet sees 5 of 6 clusters, 1 still connecting · no hub is known"]


def test_it_stays_short_whatever_happens() -> None:
    lines = told(*FAIR, *[each for n in range(400) for each in down(f"c{n}", why=f"reason {n % 40}")])
    assert all(len(line) < 400 for line in lines) and lines[1].endswith("; and 37 more")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("a.example.test:6443: connection refused", "connection refused"),
        ("a.example.test was silent for 15 s", "was silent for 15 s"),
        ("the name of a.example.test:6443 cannot be found: no", "the name of the host cannot be found: no"),
        ("", "no reason is known"),
        ("x" * 90, "x" * 59 + "…"),
    ],
)
def test_reasons_of_one_trouble_are_the_same_everywhere(said: str, expected: str) -> None:
    assert reason(Pulse("a", "https://a.example.test:6443", reason=said)) == expected


def test_the_typical_latency_forgets() -> None:
    meter = Meter()
    assert meter.typical == 0
    for _ in range(RECENT):
        meter.answered(9.0)
    for _ in range(RECENT):
        meter.answered(0.1)
    assert meter.typical == meter.latency == 0.1 and meter.answers == 2 * RECENT
