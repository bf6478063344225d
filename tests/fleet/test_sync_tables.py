"""Kinds that fleet has no columns for: read as the servers' own Tables, live, and never more than that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fleet.watching import Looked, Watching, config, watching
from tests.support import definition, serving, thing
from tui.demo.apiserver.access import Deny
from tui.domain.cluster import ClusterState, KindState
from tui.domain.kinds.tabled import Tabled, kind_of
from tui.fleet.sync.codec import Undecodable
from tui.fleet.sync.held import Held
from tui.fleet.sync.tables import TableCodec

WIDGETS = "widgets.example.com"
BASICS = [thing("Namespace", "kube-system"), thing("Namespace", "shop")]


def widgets() -> dict[str, Any]:
    made = definition("widgets", "Widget", "example.com")
    (version,) = made["spec"]["versions"]
    version["additionalPrinterColumns"] = [
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    return made


def widget(name: str, phase: str = "Running", size: int = 1) -> dict[str, Any]:
    spec = {"size": size, "note": "not in any column"}
    return thing("Widget", name, "shop", "example.com/v1", {"app": name}, spec=spec, status={"phase": phase})


def cells(here: Watching, cluster: str = "c1") -> dict[str, tuple[Any, ...]]:
    rows = here.store.rows(WIDGETS, cluster)
    return {row.ref.name: (row.obj.cell("Phase"), row.obj.cell("Size")) for row in rows}


@pytest.mark.parametrize("version", ["v1.34.0", "v1.30.0"])
async def test_a_table_is_listed_by_pages_and_followed(tmp_path: Path, version: str) -> None:
    objects = [*BASICS, widgets(), *(widget(f"w{at}", size=at) for at in range(3))]
    async with (
        serving(objects, version=version, bookmark_interval=0.02) as server,
        watching(config(tmp_path / "c", {"c1": server.url}), ()) as here,
    ):
        here.network.want([Looked(frozenset({WIDGETS}))])
        await here.until(lambda: cells(here) == {f"w{at}": ("Running", at) for at in range(3)})
        row = here.row("w1", resource=WIDGETS)
        assert row is not None and isinstance(row.obj, Tabled)
        assert row.obj.metadata.labels == {"app": "w1"} and row.json() == b"", "no more than metadata and cells"
        server.storage.patch(WIDGETS, "shop", "w1", lambda o: o.update(status={"phase": "Failed"}))
        server.storage.delete(WIDGETS, "shop", "w2")
        server.storage.create(widget("w3", "Pending", 3))
        await here.until(lambda: cells(here) == {"w0": ("Running", 0), "w1": ("Failed", 1), "w3": ("Pending", 3)})
        rev = here.store.resource_rev(WIDGETS)
        server.drop_watches()
        server.storage.create(widget("w4"))
        await here.until(lambda: "w4" in cells(here))
        changed = {ref.name for ref in here.store.changes_since(rev, WIDGETS).changed}
        assert changed == {"w4"}, "what did not change was told again"


async def test_clusters_that_deny_or_do_not_serve_a_kind_say_so(tmp_path: Path) -> None:
    async with (
        serving([*BASICS, widgets(), widget("w")], name="c1") as serves,
        serving(BASICS, name="c2") as lacks,
        serving([*BASICS, widgets(), widget("w")], name="c3", deny=[Deny(WIDGETS)]) as denies,
    ):
        urls = {server.name: server.url for server in (serves, lacks, denies)}
        async with watching(config(tmp_path / "c", urls), ()) as here:
            here.network.want([Looked(frozenset({WIDGETS}))])
            states = {"c1": KindState.LIVE, "c2": KindState.ABSENT, "c3": KindState.DENIED}
            await here.until(lambda: {name: (s := here.kind(WIDGETS, name)) and s.state for name in urls} == states)
            assert [row.ref.cluster for row in here.store.rows(WIDGETS)] == ["c1"]
            offered = await here.network.offered(10)
            assert offered.clusters == frozenset(urls)
            assert offered.offers[WIDGETS].clusters == {"c1", "c3"}
            assert offered.offers["pods"].clusters == set(urls)


async def test_an_absurd_table_costs_nothing_but_a_remark(tmp_path: Path) -> None:
    columns = ["Name", *(f"\x1b[3{at % 8}mC{at}" for at in range(999))]
    rows = [
        {"cells": ["w", "x" * 2_000_000, *(["\x1b[2J"] * 998)], "object": partly("w")},
        {"cells": ["few"], "object": partly("few")},
        {"cells": [], "object": None},
    ]
    async with (
        serving([*BASICS, widgets(), widget("later")]) as server,
        watching(config(tmp_path / "c", {"c1": server.url}), ()) as here,
    ):
        server.faults.answer(200, table(rows, columns), match="/widgets?limit", times=1)
        here.network.want([Looked(frozenset({WIDGETS}))])
        await here.until(lambda: here.names(WIDGETS) == ["few", "w"])
        status = await here.until(lambda: (s := here.kind(WIDGETS)) and "not fully readable" in s.reason and s)
        assert "1,000 columns" in status.reason
        row = here.row("w", resource=WIDGETS)
        assert row is not None and len(row.obj.cells) == 40 and max(map(len, row.obj.cells)) < 1_100
        await here.until(lambda: here.names(WIDGETS) == ["later"])  # it lists again for what could not be read at all
        cluster = here.cluster()
        assert cluster is not None and cluster.state is ClusterState.LIVE


async def test_no_table_is_asked_for_secrets(tmp_path: Path) -> None:
    secret = thing("Secret", "s", "shop", data={"password": "aHVudGVyMg=="}, type="Opaque")
    async with serving([*BASICS, secret]) as server, watching(config(tmp_path / "c", {"c1": server.url}), ()) as here:
        here.network.want([Looked(frozenset({"secrets"}))])
        await here.until(lambda: here.names("secrets") == ["s"])
        row = here.row("s", resource="secrets")
        assert row is not None and not isinstance(row.obj, Tabled) and row.json() == b""
    kind = replace(kind_of("secrets", "Secret", "", "v1", True), metadata_only=True)
    assert Held("c1", kind, None, None).tables is None, "whatever a kind says"  # type: ignore[arg-type]


def table(rows: list[Any], columns: list[str] | None = None) -> bytes:
    found = None if columns is None else [{"name": name, "type": "string"} for name in columns]
    return msgspec.json.encode(
        {"kind": "Table", "metadata": {"resourceVersion": "7"}, "columnDefinitions": found, "rows": rows}
    )


def partly(name: str) -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "metadata": {"name": name, "namespace": "shop"}}


@pytest.fixture
def codec() -> TableCodec:
    return TableCodec("c1", kind_of("widgets", "Widget", "example.com", "v1", True), lambda: 1000.0)


@pytest.mark.parametrize(
    ("columns", "given", "kept", "told"),
    [
        (["Name", "Phase"], ["w", "Up"], ("w", "Up"), ""),
        (["Name", "Phase"], ["w"], ("w",), "1 cells for 2 columns"),
        (["Name", "Phase"], ["w", "Up", "more"], ("w", "Up"), "3 cells for 2 columns"),
        ([f"C{at}" for at in range(1000)], ["x"] * 1000, ("x",) * 40, "1,000 columns, of which 40 are shown"),
        (["A"], ["\x1b[2J\x07"], ("\x1b[2J\x07",), ""),
        ([], ["w"], (), ""),
    ],
)
def test_absurd_tables_are_kept_as_far_as_they_go(
    codec: TableCodec, columns: list[str], given: list[str], kept: tuple[str, ...], told: str
) -> None:
    page = codec.page(table([{"cells": given, "object": partly("w")}], columns))
    (item,) = page.items or ()
    row = codec.row(bytes(item))
    assert (row.ref.name, row.obj.cells, page.metadata.resource_version) == ("w", kept, "7")
    assert told in codec.broken.get(row.ref, "")


@pytest.mark.parametrize("of", [{"cells": ["w"]}, {"cells": ["w"], "object": None}, {"cells": [], "object": {}}, {}])
def test_rows_without_an_object_are_unreadable_and_no_more(codec: TableCodec, of: dict[str, Any]) -> None:
    page = codec.page(table([of, {"cells": ["v"], "object": partly("v")}], ["Name"]))
    bad, good = page.items or ()
    with pytest.raises(Undecodable):
        codec.row(bytes(bad))
    assert codec.row(bytes(good)).obj.cells == ("v",)


def test_a_server_without_tables_gives_names(codec: TableCodec) -> None:
    codec.page(table([], ["Name", "Phase"]))
    whole = {"kind": "WidgetList", "metadata": {}, "items": [{**partly("w"), "spec": {"token": "s3cr3t"}}]}
    page = codec.page(msgspec.json.encode(whole))
    row = codec.row(bytes((page.items or ())[0]))
    assert (page.kind, row.ref.name, row.obj.cells, row.json()) == ("WidgetList", "w", (), b"")


def test_lines_of_a_watch_become_events_of_objects(codec: TableCodec) -> None:
    def line(kind: str, obj: bytes) -> bytes:
        return b'{"type":"%b","object":%b}' % (kind.encode(), obj)

    two = table([{"cells": ["a"], "object": partly("a")}, {"cells": ["b"], "object": partly("b")}], ["Name"])
    error = b'{"kind":"Status","code":410}'
    lines = [line("ADDED", two), line("BOOKMARK", table([])), line("ERROR", error), b"nonsense", b""]
    made = list(codec.events(lines))
    added = [msgspec.json.decode(each) for each in made[:2]]
    assert [(each["type"], each["object"]["metadata"]["name"]) for each in added] == [("ADDED", "a"), ("ADDED", "b")]
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}}
    assert msgspec.json.decode(made[2]) == bookmark
    assert made[3:] == [line("ERROR", error), b"nonsense", b""]
