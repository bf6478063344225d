"""Logs as values: bytes into lines, many logs in one order, colours, names, and what people write."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.kinds.kind import Tone
from tui.domain.logs.ansi import pieces, plain
from tui.domain.logs.asked import Asked, Selection
from tui.domain.logs.lines import NOTE, SECOND, LogLine, Reader, as_bytes, readable, since
from tui.domain.logs.merged import Merged, Moved
from tui.domain.logs.names import Place, labels
from tui.domain.logs.targets import Target, Wanted, of_object, parse, together
from tui.domain.obj import Ref

NOW = 1_700_000_000
STAMPS = [
    ("2023-11-14T22:13:20Z", NOW * SECOND),
    ("2023-11-14T22:13:20.5Z", NOW * SECOND + SECOND // 2),
    ("2023-11-14T22:13:20.123456789Z", NOW * SECOND + 123456789),
    ("2023-11-15T00:13:20.000000001+02:00", NOW * SECOND + 1),
]


def reader(**more: Any) -> Reader:
    return Reader(0, count().__next__, **more)


def stamped(moment: int, text: str) -> bytes:
    return f"{since(moment)} {text}\n".encode()


@pytest.mark.parametrize(("stamp", "moment"), STAMPS)
def test_times(stamp: str, moment: int) -> None:
    (line,) = reader().feed(f"{stamp} hello  you\r\n".encode())
    assert (line.time, line.text) == (moment, "hello  you")
    assert reader().feed(f"{since(moment)} a\n".encode())[0].time == moment


@pytest.mark.parametrize("data", [b"no time\n", b"2023-11-14T22:13:20 no zone\n", b"2023-99-14T22:13:20Z bad\n", b"\n"])
def test_a_line_without_a_time_is_kept_whole(data: bytes) -> None:
    held = reader()
    held.feed(stamped(5 * SECOND, "before"))
    (line,) = held.feed(data)
    assert (line.time, line.text) == (5 * SECOND, data[:-1].decode())


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    (line,) = reader().feed(b"1970-01-01T00:00:01Z a\xff\x00b\n")
    assert as_bytes(line.text) == b"a\xff\x00b" and readable(line.text) == "a\ufffd\x00b"


def test_long_lines_are_cut_and_said_and_what_follows_is_whole() -> None:
    held = reader(longest=100)
    found = []
    for at in range(0, 1000, 50):
        found += held.feed((stamped(SECOND, "x" * 900) + stamped(SECOND, "next"))[at : at + 50])
    first, second = found
    assert first.text.startswith("x" * 60) and first.text.endswith("bytes more") and len(first.text) < 130
    assert second.text == "next"


def test_no_line_end_at_the_end() -> None:
    held = reader()
    assert held.feed(stamped(SECOND, "a")[:-1]) == []
    assert [line.text for line in held.end()] == ["a"] and held.end() == []


@given(
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from("ab")), max_size=30),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=6),
)
def test_streams_that_break_anywhere_lose_and_double_nothing(lines: list[tuple[int, str]], breaks: Any) -> None:
    lines.sort(key=lambda line: line[0])  # a log is in the order of its times
    held, found = reader(), []
    for cut, size in [*breaks, (1 << 20, 60)]:
        held.begin()
        begin = held.last // SECOND  # the API server knows whole seconds
        data = b"".join(stamped(second * SECOND, text) for second, text in lines if second >= begin)[:cut]
        for at in range(0, len(data), size):
            found += held.feed(data[at : at + size])
    assert [(line.time // SECOND, line.text) for line in found] == lines


@given(
    st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=12),
    st.sampled_from(["", "1", "!1", "1!", "!"]),
    st.integers(1, 40),
)
def test_merged_is_what_sorting_and_filtering_all_would_be(batches: list[list[int]], query: str, kept: int) -> None:
    merged, every = Merged(kept), []
    merged.set_query(query)
    before: list[LogLine] = []
    numbers = count()
    for batch in batches:
        came = [LogLine(time, next(numbers), time % 3, f"line {time}") for time in batch]
        moved = merged.add(came)
        every = sorted([*every, *came])[-kept:]
        assert merged.shown[: moved.at] == before[moved.gone :][: moved.at]
        before = list(merged.shown)
        assert merged.shown == [line for line in every if merged.wants(line)]
    assert merged.dropped == sum(map(len, batches)) - len(merged)
    merged.set_only({1})
    assert {line.source for line in merged.shown} <= {1}


def test_what_is_wanted() -> None:
    merged = Merged()
    texts = ["GET /cart 200", "\x1b[31mGE\x1b[0mT /pay 500", "panic"]
    merged.add([LogLine(at, at, at, text) for at, text in enumerate(texts)])
    merged.add([LogLine(9, 9, NOTE, "restart 1", 2)])
    for query, found in (("get", [0, 1, NOTE]), ("GET /CART", [0, NOTE]), ("31m", [NOTE]), ("!get", [2, NOTE]),
                         ("!31m", [0, 1, 2, NOTE]), ("", [0, 1, 2, NOTE])):  # fmt: skip
        merged.set_query(query)
        assert [line.source for line in merged.shown] == found
        assert all(map(merged.wants, merged.shown))
    merged.set_only({1})
    assert [line.source for line in merged.shown] == [1]  # the note is about another
    merged.set_only(None)
    assert merged.place(merged.shown[2]) == 2


def test_memory_is_bounded_by_size_too() -> None:
    merged = Merged(size=1000)
    assert merged.add([LogLine(at, at, 0, "x" * 400) for at in range(5)]) == Moved(3, 0)
    assert (len(merged), merged.dropped) == (2, 3)
    merged.add([LogLine(9, 9, 0, "y" * 5000)])
    assert [line.text[0] for line in merged.shown] == ["y"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", [("plain", Tone.PLAIN)]),
        ("\x1b[31mred\x1b[0m not", [("red", Tone.BAD), (" not", Tone.PLAIN)]),
        ("\x1b[1;32mok\x1b[m", [("ok", Tone.GOOD)]),
        ("\x1b[38;5;1ma\x1b[38;2;1;2;3mb\x1b[48;5;1mc", [("a", Tone.BAD), ("b", Tone.PLAIN), ("c", Tone.PLAIN)]),
        ("\x1b[90mdim\x1b[39m", [("dim", Tone.MUTED)]),
        ("\x1b[2J\x1b]0;x\x07", [("\x1b[2J\x1b]0;x\x07", Tone.PLAIN)]),  # what is no colour stays, to be shown as text
        ("\x1b[9999999999m.", [(".", Tone.PLAIN)]),
    ],
)
def test_colours(text: str, found: list[tuple[str, Tone]]) -> None:
    assert list(pieces(text)) == found
    assert plain(text) == "".join(piece for piece, _ in found)


def test_labels_tell_apart_and_no_more() -> None:
    def named(*places: str) -> list[str]:
        return labels([Place(*place.split("/")) for place in places])

    assert named("c/n/web-1/app") == [""]
    assert named("c/n/web-1/app", "c/n/web-2/app") == ["web-1", "web-2"]
    assert named("c/n/web-1/app", "c/n/web-1/proxy") == ["app", "proxy"]
    assert named("a/n/web-1/app", "b/n/web-1/app") == ["a", "b"]
    assert named("a/n/web-1/app", "a/m/web-2/x") == ["n/web-1", "m/web-2"]
    assert named("a/n/web-1/app", "a/n/web-1/x", "a/n/web-2/app") == ["web-1/app", "web-1/x", "web-2/app"]
    long = "storefront-of-the-boat-shop-7c9d6f5b8-"
    assert named(f"c/n/{long}x1/a", f"c/n/{long}y2/a") == ["…x1", "…y2"]


def test_selections_of_objects() -> None:
    def of(resource: str, chosen: Any = None) -> Selection | None:
        return of_object(Ref("c", resource, "n", "web"), {"spec": {"selector": chosen}})

    assert of("pods") == Selection("c", "n", "web")
    expressions = [{"key": "t", "operator": "In", "values": ["a", "b"]}]
    assert of("deployments.apps", {"matchLabels": {"app": "web"}, "matchExpressions": expressions}) == Selection(
        "c", "n", labels=("app=web,t in (a,b)",)
    )
    assert of("services", {"app": "web"}) == Selection("c", "n", labels=("app=web",))
    assert of("services") is None and of("deployments.apps", {}) is None and of("jobs.batch", "x") is None
    job = of("cronjobs.batch")
    assert job is not None and job.admits("p", {}, "web-29001234") and not job.admits("p", {}, "web-x-29001234")
    many = [Selection("c", "n", labels=(f"app=a{at}",)) for at in range(9)]
    (one,) = together(many)
    assert one.query() == [] and one.admits("p", {"app": "a8"}) and not one.admits("p", {"app": "b"})
    assert together(many[:3]) == many[:3]


def test_what_people_write() -> None:
    assert parse("deploy/web web-0 @prod -n shop -c app* -p") == Wanted(
        (Target("deployments.apps", "web"), Target("pods", "web-0")), "", "prod", "shop", "app*", True
    )
    assert parse("-l 'app in (a,b)'").labels == "app in (a,b)"
    for bad in ("nodes/x", "-n", "-z", "-l 'a in'", "deploy/", "'"):
        with pytest.raises(ValueError, match=r"."):
            parse(bad)
    assert Asked(seconds=300).words() == "since 5m" and Asked(previous=True, tail=None).words() == "previous · all"
