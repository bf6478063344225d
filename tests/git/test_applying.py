"""Manifests and lists of operations applied to a draft, in real repositories."""

from __future__ import annotations

from tests.git.conftest import World
from tests.git.test_cli_draft import Shell
from tests.git.test_cli_draft import fleet as fleet
from tests.git.test_filing import DEPLOYMENT, SERVICE
from tests.git.test_filing import drafts as drafts
from tui.domain.objects.applying import merged, read
from tui.domain.ports import Refused
from tui.fleet.drafts import Drafts

import pytest  # isort: skip

LIVE = """\
apiVersion: v1
kind: Service
metadata: {name: web, uid: x, resourceVersion: "3", labels: {a: b}}
spec: {type: ClusterIP, clusterIP: 10.0.0.1, ports: [{port: 80, protocol: TCP}]}
status: {}
"""


async def applied(drafts: Drafts, world: World, stream: str, **how: object) -> dict[str, str]:
    draft = await drafts.new("x", str(world.clone))
    plan = await drafts.plan_apply(draft, stream, **how)  # type: ignore[arg-type]
    done = await drafts.carry_out(plan, draft)
    files = (await drafts.show(done)).files
    return {file.path: (await drafts.open(done, file.path)).text for file in files}


async def test_an_object_goes_where_it_is_declared(drafts: Drafts, world: World) -> None:
    stream = DEPLOYMENT + "spec: {replicas: 2}\n---\n" + SERVICE
    found = await applied(drafts, world, stream, under="apps")
    assert found == {"apps/base/all.yaml": DEPLOYMENT + "spec: {replicas: 2}\n---\n# for everybody\n" + SERVICE} or (
        found == {"apps/base/all.yaml": DEPLOYMENT + "spec:\n  replicas: 2\n---\n# for everybody\n" + SERVICE}
    )


async def test_one_that_comes_from_a_cluster_is_cleaned(drafts: Drafts, world: World) -> None:
    found = await applied(drafts, world, LIVE, under="plain")
    assert set(found) == {"plain/x.yaml"}
    assert "port: 80" in found["plain/x.yaml"] and "uid" not in found["plain/x.yaml"]
    assert "clusterIP" not in found["plain/x.yaml"] and "a: b" in found["plain/x.yaml"]


async def test_new_ones_become_files_that_are_listed(drafts: Drafts, world: World) -> None:
    stream = (
        "# ours\n" + SERVICE.replace("name: web", "name: new") + "---\n" + SERVICE.replace("name: web", "name: also")
    )
    with pytest.raises(Refused, match=r"no file declares Service new, Service also"):
        await applied(drafts, world, stream)
    found = await applied(drafts, world, stream, into="apps/base")
    assert set(found) == {"apps/base/kustomization.yaml", "apps/base/new-service.yaml", "apps/base/also-service.yaml"}
    assert found["apps/base/new-service.yaml"].startswith("# ours\n")
    assert "  - also-service.yaml\n" in found["apps/base/kustomization.yaml"]
    assert "  - new-service.yaml\n" in found["apps/base/kustomization.yaml"]


async def test_what_is_declared_twice_is_asked_about(drafts: Drafts, world: World) -> None:
    with pytest.raises(Refused, match=r"declared in 2 places.*plain/x\.yaml#0"):
        await applied(drafts, world, SERVICE + "spec: {}\n")


async def test_a_merge_keeps_what_is_not_named(drafts: Drafts, world: World) -> None:
    hpa = "kind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {maxReplicas: 9}\n"
    found = await applied(drafts, world, hpa, merge=True)
    assert "scaleTargetRef: {kind: Deployment, name: web}" in found["apps/base/hpa.yaml"]
    assert "maxReplicas: 9" in found["apps/base/hpa.yaml"]


async def test_operations_are_all_done_or_none(drafts: Drafts, world: World) -> None:
    steps = (
        "- {file: values/web.yaml, op: set, path: replicas, value: 3}\n"
        "- {file: apps/base/all.yaml, doc: Service/web, op: set, path: spec.type, value: NodePort}\n"
        "- {file: apps/base/kustomization.yaml, op: append, path: resources, value: z.yaml}\n"
        "- {file: apps/base/kustomization.yaml, op: unset, path: 'resources[0]'}\n"
    )
    found = await applied(drafts, world, steps)
    assert found["values/web.yaml"] == "replicas: 3\n"
    assert found["apps/base/kustomization.yaml"] == "resources:\n  - hpa.yaml  # scales\n  - z.yaml\n"
    with pytest.raises(Refused, match=r"values/web\.yaml.*nothing"):
        await applied(drafts, world, steps + "- {file: values/web.yaml, op: unset, path: nothing}\n")
    with pytest.raises(Refused, match="not a list of operations"):
        await applied(drafts, world, "- {file: values/web.yaml}\n")


def test_how_values_are_merged() -> None:
    old = {"a": 1, "b": {"c": 1, "d": 2}, "l": [{"name": "x", "v": 1}, {"name": "y"}], "p": [1, 2]}
    new = {"b": {"c": 9, "d": None}, "l": [{"name": "x", "w": 2}, {"name": "z"}], "p": [3]}
    assert merged(old, new) == {
        "a": 1, "b": {"c": 9}, "l": [{"name": "x", "v": 1, "w": 2}, {"name": "y"}, {"name": "z"}], "p": [3],
    }  # fmt: skip


def test_a_list_is_taken_apart() -> None:
    objects, _ = read("kind: List\nitems:\n- {kind: A, metadata: {name: a}}\n- {kind: B, metadata: {name: b}}\n")
    assert [(given.kind, given.name) for given in objects] == [("A", "a"), ("B", "b")]


def test_from_standard_input(fleet: Shell, world: World, tmp_path: object) -> None:
    fleet("new", "x")
    place = world.data.parent / "stream.yaml"
    place.write_text("- {file: shop/web.yaml, op: set, path: replicas, value: 7}\n")
    assert "+replicas: 7\n" in fleet("apply", "x", str(place))
    assert fleet("apply", "x", str(place)) == ""
    fleet("apply", "x", "/nonexistent", code=2)
