"""Lint of running clusters: the line that declares what is found, from a real repository."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fleet.test_sourcefiles import Desk, row
from tests.git.conftest import World
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tui.domain.cilium.policy import CNP
from tui.domain.obj import Ref
from tui.fleet.netpol.background import Background
from tui.fleet.netpol.linting import Declared, declared

TEXT = """\
# policies of the shop
apiVersion: v1
kind: Service
metadata: {name: web}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: web
spec:
  endpointSelector: {}
  ingress:
    - fromEndpoints: []
"""
TRACKING = {"argocd.argoproj.io/tracking-id": "baseline:cilium.io/CiliumNetworkPolicy:shop/web"}


async def source(world: World, files: dict[str, str | bytes], name: str = "web") -> Declared | str:
    desk = Desk(world)
    try:
        desk.application("baseline", desk.push(files))
        held = {"metadata": {"name": name, "namespace": "shop", "annotations": TRACKING}}
        desk.store.apply([row(CNP, held)])
        fleet: Any = SimpleNamespace(locate=desk.locator.locate, drafts=desk.drafts)
        return await declared(fleet, Ref("prod", CNP, "shop", name))
    finally:
        await desk.files.close()
        await desk.drafts.close()


async def test_the_line_of_what_is_found_in_the_file_that_declares_it(world: World) -> None:
    found = await source(world, {"policies/shop.yaml": TEXT})
    assert isinstance(found, Declared) and found.file == "policies/shop.yaml"
    assert found.parsed.place is not None
    assert found.parsed.place(("spec", "ingress", 0, "fromEndpoints")) == (13, 7)


async def test_what_is_rendered_has_no_line_and_the_reason_is_said(world: World) -> None:
    files: dict[str, str | bytes] = {
        "policies/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "policies/templates/web.yaml": TEXT.replace("name: web\nspec", "name: {{ .Chart.Name }}\nspec"),
    }
    assert isinstance(await source(world, files), str)


# -- answers that take their time ----------------------------------------------------------------------------------


async def settled(moved: asyncio.Event) -> None:
    async with asyncio.timeout(60):
        await moved.wait()
    moved.clear()


async def test_an_answer_is_worked_out_once_and_anew_when_what_it_follows_from_has_moved() -> None:
    moved, prepared = asyncio.Event(), []
    answers: Background[int] = Background(moved.set)

    def ask(stamp: int) -> int | str | None:
        def prepare() -> Any:
            prepared.append(stamp)
            return lambda: stamp * 10

        return answers.get("a", stamp, prepare)

    assert ask(1) is None
    await settled(moved)
    assert (ask(1), ask(1), prepared) == (10, 10, [1])
    while ask(2) == 10 and prepared == [1]:  # it rests before it works again
        await asyncio.sleep(0)
    await settled(moved)
    assert (ask(2), prepared) == (20, [1, 2])
    answers.close()


async def test_a_failure_is_told_and_does_not_end_anything(caplog: pytest.LogCaptureFixture) -> None:
    moved = asyncio.Event()
    answers: Background[int] = Background(moved.set)

    def prepare() -> Any:
        return lambda: 1 // 0

    assert answers.get("a", 1, prepare) is None
    await settled(moved)
    assert answers.get("a", 1, prepare) == "fleet failed: ZeroDivisionError: integer division or modulo by zero"
    answers.close()
