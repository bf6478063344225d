"""What is typed after `/` in a list, and what passes it."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.kinds import KINDS
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Value
from tui.domain.listfilter import Filter, duration, in_order, names, parse

NOW = 1_800_000_000.0
COLUMNS = (
    c.of("name", "NAME", lambda obj: ""),
    c.of("sync", "SYNC", lambda obj: ""),
    c.of("operation", "LAST OPERATION", lambda obj: ""),
    c.of("restarts", "RESTARTS", lambda obj: 0, c.show_count),
    c.of("version", "VERSION", lambda obj: "", sort=c.natural),
    c.of("memory", "MEMORY", lambda obj: "", sort=c.quantity),
    c.of("ready", "READY", lambda obj: ""),
    c.of("destination", "CLUSTER", lambda obj: ""),
    c.AGE,
)
ROW: dict[str, Value] = {
    "name": "web-1", "sync": "OutOfSync", "operation": "Sync OK", "restarts": 3, "version": "v1.9.2", "memory": "512Mi",
    "ready": "2/3", "destination": "prod-eu", "created": NOW - 3600,
}  # fmt: skip


def passes(
    query: str, line: str = "web-1 outofsync prod-eu", labels: dict[str, str] | None = None, **row: Value
) -> bool:
    found = parse(query, COLUMNS)
    assert not found.problem, found.problem
    values = ROW | row
    held = [values[column.id] for column in COLUMNS]
    conditions = all(each.holds(held[each.column], NOW) for each in found.conditions)
    return conditions and found.labelled(labels) and found.finds(line.lower())


@pytest.mark.parametrize(
    "query",
    [
        "", "web", "WEB-1 out", "!db", "!", "sync=OutOfSync", "sync=outofsync", "sync!=Synced", "SYNC=synced,out*",
        "restarts>2", "restarts>=3", "restarts<4", "restarts=3", "age<2h", "age>59m", "created<1h1m", "version<1.10",
        "version>=v1.9", "memory<1Gi", "memory>=512Mi", "ready<3", "ready=2/3", "cluster=prod-*", "cluster=dev,prod-?u",
        "lastoperation='Sync OK'", 'last-operation="sync ok"', "dest=prod-eu", "sync!=Synced web", "web sync!=Synced",
        "cluster=prod-* age<1d restarts>0", "/^web-\\d+ /", "/^WEB/", "!/^db/", "-f wbprd", "-f WEB EU", "!-f xyz",
        "status=3", "restarts<", "name!=", "sync=",
    ],
)  # fmt: skip
def test_what_passes(query: str) -> None:
    columns_have_no_status = query == "status=3"
    assert passes(query, "a line with status=3" if columns_have_no_status else "web-1 outofsync prod-eu")


@pytest.mark.parametrize(
    "query",
    [
        "db", "!web", "sync=Synced", "sync!=outofsync", "sync=sync*", "restarts>3", "restarts<3", "restarts=30",
        "age>2h", "age<30m", "version>1.10", "version<1.9", "memory>1Gi", "ready>2", "cluster=dev", "sync!=Synced db",
        "/^eu/", "!/web/", "-f dorp", "!-f wb", "status=3", "sync!=?*",
    ],
)  # fmt: skip
def test_what_does_not(query: str) -> None:
    assert not passes(query)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("-l team=a", True),
        ("-l team=b", False),
        ("-l 'team in (a,b),!env'", True),
        ("web -l team!=a", False),
        ("-l", True),
    ],
)
def test_labels(query: str, wanted: bool) -> None:
    assert passes(query, labels={"team": "a"}) is wanted
    assert passes("-l team!=a", labels=None), "as in kubectl, absent is not equal"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("age<soon", "'soon' is no length of time"),
        ("age=2h", "age is a time: age<2h, age>1d"),
        ("restarts>many", "restarts is compared with a number, not with 'many'"),
        ("/(/", "/(/: "),
        ("/(a+)+$/", "may take for ever"),
        ("/(a|a)*$/", "may take for ever"),
        ("/a*a*a*a*a*a*b/", "may take for ever"),
        ("-l a==b==c", "a==b==c"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said_and_passes_everything(query: str, words: str) -> None:
    found = parse(query, COLUMNS)
    assert words in found.problem
    assert found._replace(problem="") == Filter()


def test_what_is_unknown_passes_no_comparison() -> None:
    for query in ("age<2h", "age>2h", "restarts<9", "restarts>0", "version<2", "memory>1"):
        assert not passes(query, created=None, restarts=None, version=None, memory=None)
    assert passes("restarts!=?*", restarts=None) and not passes("restarts=?*", restarts=None)
    assert parse("age<2h", COLUMNS).timed and not parse("restarts>1", COLUMNS).timed


def test_every_kinds_columns_can_be_named() -> None:
    for kind in KINDS.values():
        called = names(kind.columns)
        for at, name in enumerate(called):
            assert name, (kind.resource, kind.columns[at].id)
            column = kind.columns[at]
            query = f"{name}<1d" if column.time else f"{name}=x"
            found = parse(query, kind.columns)
            assert [each.column for each in found.conditions] == [called.index(name)], (kind.resource, query)
            for each in found.conditions:
                each.holds(None, NOW), each.holds("", NOW), each.holds(1, NOW), each.holds(True, NOW)


@given(st.text(alphabet=string.printable + "é♥\x00", max_size=40))
def test_half_a_query_never_raises(query: str) -> None:
    found = parse(query, COLUMNS)
    found.finds("web-1"), found.labelled({"a": "b"})
    for each in found.conditions:
        for value in (None, "", "x", 1, 2.5, True, float("nan")):
            each.holds(value, NOW)


@given(st.text(alphabet="abc -", min_size=1, max_size=8), st.text(alphabet="abc -", max_size=30))
def test_plain_text_is_what_it_always_was(query: str, line: str) -> None:
    if not query.startswith("-"):
        assert parse(query, COLUMNS).finds(line) is (query in line)
        assert parse(f"!{query}", COLUMNS).finds(line) is (query not in line)


@given(st.text(alphabet="abc", max_size=5), st.text(alphabet="abc", max_size=20))
def test_letters_in_order(letters: str, line: str) -> None:
    assert in_order(letters, line) is (re.search(".*".join(letters), line) is not None)


def test_durations() -> None:
    assert [duration(text) for text in ("90", "90s", "1h30m", "2d", "1w", "1.5h")] == [
        90, 90, 5400, 172_800, 604_800, 5400
    ]  # fmt: skip
