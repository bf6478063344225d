"""Texts are checked against the schemas that a cluster publishes, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support import kubeconfig, serving
from tui.adapters.kube import KubeClusters
from tui.demo.apiserver.server import ApiServer
from tui.domain.ports import Trouble, Unreachable
from tui.domain.settings import Settings
from tui.fleet.checking import Checker

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: many
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
"""


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[tuple[ApiServer, Checker]]:
    async with serving(name="c1") as server:
        clusters = KubeClusters(Settings(), str(kubeconfig(tmp_path / "kubeconfig", server)))
        connection = clusters.connect("c1")

        async def read(name: str, path: str) -> bytes:
            return await connection.get(path.partition("?")[0])

        yield server, Checker(read)
        await connection.close()
        await clusters.close()


async def test_the_published_schema_finds_the_wrong_type_at_its_place(cluster: tuple[ApiServer, Checker]) -> None:
    server, checker = cluster
    before = server.requests
    found = await checker.check(DEPLOYMENT, "web.yaml", "c1")
    assert [(problem.line, problem.column, problem.severity) for problem in found] == [(6, 13, "error")]
    assert "number" in found[0].message
    assert await checker.check(DEPLOYMENT.replace("many", "3"), "web.yaml", "c1") == []
    assert server.requests - before == 2  # the index and one document, once


async def test_without_a_cluster_the_form_alone_is_checked(cluster: tuple[ApiServer, Checker]) -> None:
    _, checker = cluster
    assert await checker.check(DEPLOYMENT, "web.yaml") == []
    broken = await checker.check("kind: [", "web.yaml")
    assert [problem.severity for problem in broken] == ["error"]


async def test_an_unknown_kind_is_not_guessed_at(cluster: tuple[ApiServer, Checker]) -> None:
    _, checker = cluster
    text = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: huge}\n"
    assert await checker.check(text, "widget.yaml", "c1") == []


async def test_a_cluster_that_does_not_answer_leaves_the_other_checks() -> None:
    async def read(name: str, path: str) -> bytes:
        raise Unreachable("gone")

    found = await Checker(read).check(DEPLOYMENT + "---\nkind: [", "web.yaml", "c1")
    assert [problem.severity for problem in found] == ["error"]
    assert issubclass(Unreachable, Trouble)


async def test_nonsense_instead_of_a_schema_is_no_schema() -> None:
    async def read(name: str, path: str) -> bytes:
        return b"<html>" if path != "/openapi/v3" else b'{"paths": {"apis/apps/v1": {"serverRelativeURL": "/x"}}}'

    assert await Checker(read).check(DEPLOYMENT, "web.yaml", "c1") == []
