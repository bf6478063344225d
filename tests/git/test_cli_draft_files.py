"""`fleet draft` on values, files and objects: a real process, real repositories."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.git.conftest import World
from tests.git.test_cli_draft import Shell
from tests.git.test_cli_draft import fleet as fleet
from tests.support import kubeconfig, serving, thing

WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n  list: [a]\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"
HPA = "kind: HorizontalPodAutoscaler\napiVersion: autoscaling/v2\nmetadata: {name: web}\nspec:\n"
HPA += "  scaleTargetRef: {kind: Deployment, name: web}\n"
FILES: dict[str, str | bytes | None] = {
    "apps/kustomization.yaml": "resources:\n  - hpa.yaml\n  - web.yaml\n",
    "apps/web.yaml": WEB + "---\n" + CONFIG,
    "apps/hpa.yaml": HPA,
}


@pytest.fixture
def apps(fleet: Shell, world: World) -> Shell:
    world.upstream(FILES)
    fleet("new", "x")
    return fleet


def test_values_are_taken_away_added_and_renamed(apps: Shell) -> None:
    assert "\n-  replicas: 1\n" in apps("unset", "x", "apps/web.yaml#0", "spec.replicas")
    assert "\n+  list: [a, b, 3]\n" in apps("append", "x", "apps/web.yaml#0", "spec.list", "b", "3")
    assert "\n+  items: [a, b, 3]\n" in apps("rename", "x", "apps/web.yaml#0", "spec.list", "items")
    operations = json.loads(apps("show", "x", "-o", "json"))["spec"]
    assert "unset" not in operations
    apps("unset", "x", "apps/web.yaml#0", "spec.nothing", code=1)
    assert "apps/web.yaml" in apps.errors
    apps("unset", "x", "apps/web.yaml#0", "kind", code=1)
    assert "--force" in apps.errors
    apps("rename", "x", "apps/web.yaml#0", "spec", code=2)


def test_an_object_is_deleted(apps: Shell) -> None:
    shown = apps("delete", "x", "apps/web.yaml#Deployment/web")
    assert "-kind: Deployment\n" in shown and "-kind: ConfigMap" not in shown
    assert "also mentions it: apps/hpa.yaml:5" in apps.errors
    shown = apps("delete", "x", "apps/web.yaml#0")
    assert "deleted file mode" in shown and "-  - web.yaml\n" in shown
    apps("delete", "x", "apps/web.yaml", code=1)
    apps("undo", "x")
    assert "-  - web.yaml" not in apps("diff", "x")
    apps("delete", "x", "apps/web.yaml#Deployment/web", code=1)


def test_a_file_is_moved_and_an_object_renamed(apps: Shell) -> None:
    shown = apps("rename", "x", "apps/web.yaml", "--to", "apps/all.yaml")
    assert "rename to apps/all.yaml" in shown and "+  - all.yaml\n" in shown
    apps("rename", "x", "apps/all.yaml", "--to", "apps/HPA.yaml", code=1)
    assert "upper and lower case" in apps.errors
    shown = apps("rename", "x", "apps/all.yaml#Deployment/web", "--object", "shop")
    assert "+  name: shop\n" in shown and "also mentions it: apps/hpa.yaml:5" in apps.errors


def test_a_new_object_from_a_template(apps: Shell, tmp_path: Path) -> None:
    apps("create", "x", "apps/svc.yaml", code=2)
    assert "templates: Deployment, Service" in apps.errors
    shown = apps("create", "x", "apps/svc.yaml", "--template", "service", "--name", "web", "-n", "shop", "-l", "team=a")
    assert "+  - svc.yaml\n" in shown and "+  namespace: shop\n" in shown and "+    team: a\n" in shown
    apps("create", "x", "apps/svc.yaml", "--template", "service", code=1)
    assert "+---\n" in apps("create", "x", "apps/svc.yaml", "--append", "--template", "configmap")
    apps("create", "x", "apps/b.yaml", "--template", "nothing", code=1)
    apps("create", "x", "apps/b.yaml", "--template", "service", "-l", "x", code=2)


def test_a_new_object_from_a_template_of_ones_own(fleet: Shell, tmp_path: Path) -> None:
    place = tmp_path / "templates"
    place.mkdir()
    (place / "team.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: {a: b}\n")
    config = tmp_path / "config.yaml"
    config.write_text(f"templates: {place}\n")
    fleet.argv[3:3] = ["--config", str(config)]
    fleet("new", "x")
    assert "+  name: mine\n" in fleet("create", "x", "shop/mine.yaml", "--template", "team")
    config.write_text("templates: /nonexistent\n")
    fleet("create", "x", "shop/b.yaml", "--template", "team", code=2)
    assert "templates: /nonexistent" in fleet.errors


def test_a_new_object_from_a_file(apps: Shell, tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text(CONFIG)
    assert "+  - new.yaml\n" in apps("create", "x", "apps/new.yaml", "--from-file", str(tmp_path / "new.yaml"))
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    apps("create", "x", "apps/bad.yaml", "--from-file", str(tmp_path / "bad.yaml"), code=1)
    apps("create", "x", "apps/none.yaml", "--from-file", str(tmp_path / "none.yaml"), code=2)


async def test_a_new_object_from_a_live_one(apps: Shell, tmp_path: Path) -> None:
    spec = {"type": "ClusterIP", "clusterIP": "10.0.0.1", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]}
    secret = thing("Secret", "web", "shop", "v1", data={"a": "aGVsbG8="})
    async with serving([thing("Service", "web", "shop", "v1", spec=spec), secret], name="one") as server:
        kubeconfig(tmp_path / "kubeconfig", server)
        apps.env["KUBECONFIG"] = str(tmp_path / "kubeconfig")
        shown = await asyncio.to_thread(apps, "create", "x", "apps/live.yaml", "--live", "service/web", "-n", "shop")
        assert "+  ports:\n+  - port: 80\n" in shown and "clusterIP" not in shown and "uid" not in shown
        await asyncio.to_thread(
            lambda: apps("create", "x", "apps/secret.yaml", "--live", "secret/web", "-n", "shop", code=1)
        )
        assert "never leave the cluster" in apps.errors


def test_a_draft_that_spans_repositories(fleet: Shell, world: World, tmp_path: Path) -> None:
    fleet("new", "x")
    fleet("set", "x", "shop/web.yaml", "replicas=3", "--repository", "https://git.example/no/such", code=1)
    assert "+replicas: 3" in fleet("set", "x", "shop/web.yaml", "replicas=3", "--repository", str(world.clone))
