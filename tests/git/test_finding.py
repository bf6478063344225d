"""`:find`: in everything that is held, and in the files of real repositories."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.rows import meta, row, store
from tests.git.conftest import World, git
from tui.adapters.git.repositories import GitRepositories
from tui.domain import redact
from tui.domain.kinds.catalogue import Catalogue, union
from tui.domain.kinds.tabled import Definition, Tabled, layout
from tui.domain.obj import Meta, Ref, Row
from tui.domain.ports import Served
from tui.fleet.drafts import Drafts
from tui.fleet.finding import LONGEST, MOST, Finding

WIDGETS = "widgets.example.com"
SERVED = Served("widgets", "Widget", "example.com", ("v1",), True, "widget", (), ("list",))
CATALOGUE = Catalogue(union([("c1", {WIDGETS: SERVED})]), ("c1",))
COLUMNS = layout([Definition("Name", format="name"), Definition("Host")])


def pod(cluster: str, name: str, image: str = "web:1", **more: Any) -> Row:
    return row(cluster, "pods", {"metadata": meta(name, **more), "spec": {"containers": [{"image": image}]}})


ROWS = [
    pod("c1", "web"),
    pod("c2", "web-2"),
    pod("c1", "a-web"),
    pod("c1", "other", "registry.example/Shop:2.13.4", labels={"team": "payments"}),
    row(
        "c1",
        "configmaps",
        {"metadata": meta("settings"), "data": {"payments_url": "x", "long": "y" * 5_000 + "needle"}},
    ),
    row("c1", "secrets", {"metadata": meta("web-secret")}),
    Row(Ref("c1", WIDGETS, "shop", "gear"), Tabled(Meta("gear", "shop"), ("gear", "shop.example"), COLUMNS)),
]


async def found(text: str, *rows: Row, drafts: Drafts | None = None) -> Finding:
    made = Finding(text, store(*(rows or ROWS)), CATALOGUE, drafts)
    told: list[int] = []
    await made.run(lambda: told.append(len(made.hits)))
    assert made.over and told[-1] == len(made.hits)
    return made


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("web", ["name web", "name web-2", "name a-web", "name web-secret", "content other"][:4]),
        ("WEB c2", ["name web-2"]),
        ("web pod", ["name a-web", "name web", "name web-2"]),
        ("payments", ["label other", "content settings"]),
        ("shop:2.13", ["content other"]),
        ("shop.exa", ["content gear"]),
        ("needle", ["content settings"]),
        ("no such thing", []),
    ],
)
async def test_objects_are_found_by_name_label_and_content(text: str, names: list[str]) -> None:
    made = await found(text)
    assert sorted(f"{hit.how} {hit.name}" for hit in made.hits) == sorted(names)


async def test_what_is_called_so_comes_first_and_the_field_is_told() -> None:
    assert [hit.name for hit in (await found("web")).hits][:2] == ["web", "web-2"]
    (hit,) = (await found("2.13.4")).hits
    assert (hit.kind, hit.where, hit.told) == (
        "Pod",
        "c1 · shop",
        "spec.containers.image: registry.example/Shop:2.13.4",
    )
    (hit,) = (await found("needle")).hits
    assert hit.told.endswith("needle") and len(hit.told) < LONGEST + 20
    (hit,) = (await found("shop.example")).hits
    assert hit.told == "Host: shop.example"


async def test_there_is_an_end_to_it() -> None:
    made = await found("web", *(pod("c1", f"web-{at}") for at in range(MOST + 5)))
    assert len(made.hits) == MOST and made.left_out
    made = await found("web:1", *(pod("c1", f"p-{at}") for at in range(MOST + 5)))
    assert len(made.hits) == MOST and made.left_out


async def test_files_are_found_by_path_and_line(world: World) -> None:
    world.commit(
        {
            "shop/web.yaml": "kind: Deployment\nspec:\n  image: Web:1\n  # web\n" + "web\n" * 50,
            "odd [web]/x.txt": "password: hunter2-web\nit: \x1b[31mweb\n",
            "binary": b"\0web",
        }
    )
    git(world.clone, "push", "-q", "origin", "HEAD")
    drafts = Drafts(GitRepositories(world.data, world.clone))
    world.seal()
    try:
        made = await found("web", pod("c1", "x", "y"), drafts=drafts)
        paths = [hit.name for hit in made.hits if hit.how == "name"]
        assert paths == ["odd [web]/x.txt", "shop/web.yaml"]
        lines = [hit.name for hit in made.hits if hit.how == "line"]
        assert [name for name in lines if name.startswith("shop/")] == [
            *("shop/web.yaml:3", "shop/web.yaml:4", "shop/web.yaml:5", "shop/web.yaml:6", "shop/web.yaml:7")
        ]  # fmt: skip
        secret = next(hit for hit in made.hits if hit.name == "odd [web]/x.txt:1")
        assert secret.told == f"password: {redact.MASK}"
        place = next(hit.place for hit in made.hits if hit.name == "shop/web.yaml:3")
        assert place is not None and (place.file, place.line, place.target) == ("shop/web.yaml", 2, "main")
        assert (made.repositories, made.problems) == (1, [])
        assert [hit.name for hit in (await found("[WEB]", pod("c1", "x", "y"), drafts=drafts)).hits] == [
            "odd [web]/x.txt"
        ]
    finally:
        await drafts.close()
