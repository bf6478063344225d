"""`--clusters` and `--apps`: generated fleets that fill themselves when looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.demo.running import SPEED, Versions, application, push, settled_at, versions
from tui.demo.assembly import SHOP_APPS, Demo, Options
from tui.demo.content.clusters import CLUSTERS
from tui.demo.content.generated import more_apps, more_clusters

pytestmark = pytest.mark.slow


def test_a_seed_is_a_fleet() -> None:
    clusters = more_clusters(60, 7)
    assert len(clusters) == 60 - len(CLUSTERS)
    assert clusters == more_clusters(60, 7)
    assert clusters != more_clusters(60, 8)
    assert len({spec.name for spec in (*clusters, *CLUSTERS)}) == 60
    apps = list(more_apps(500, clusters, 7))
    assert apps == list(more_apps(500, clusters, 7))
    assert len({app.name for app in apps}) == len({app.path for app in apps}) == 500
    assert {app.cluster for app in apps} == {spec.name for spec in clusters}


def test_the_objects_are_what_the_file_says() -> None:
    for app in more_apps(20, more_clusters(14, 1), 1):
        assert list(yaml.safe_load_all(app.manifest())) == app.objects()


async def test_a_cluster_is_filled_at_the_first_look(tmp_path: Path) -> None:
    demo = Demo(Options(clusters=20, apps=SHOP_APPS + 90, speed=SPEED), tmp_path)
    await demo.start()
    try:
        assert len(demo.world.hub.list("applications.argoproj.io", "argocd")) == SHOP_APPS + 90
        assert not [app for app in demo.argocd.index.names() if app.startswith("baseline-edge-store")]  # type: ignore[union-attr]
        app = next(app for app in demo._apps if app.automatic and not app.broken)
        server = demo.servers[app.cluster]
        storage = server.storage
        assert server.wake
        assert storage.count("nodes") == 0
        server.wake("nodes")
        assert storage.count("nodes") > 0
        assert storage.find("deployments.apps", app.team, app.service) is None
        server.wake("ciliumnetworkpolicies")
        assert storage.find("ciliumnetworkpolicies.cilium.io", app.team, app.service)
        assert storage.find("deployments.apps", app.team, app.service) is None
        watched = versions(demo, app.name)
        path = f"{app.path}/app.yaml"
        text = app.manifest().replace(f"replicas: {app.replicas}", "replicas: 7")
        sha = push(demo, "seven", **{path: text})
        await watched.until(settled_at(sha))
        deployment = Versions(storage, "deployments.apps", app.team, app.service)
        await deployment.until(lambda live: live["status"].get("availableReplicas") == 7)
        quiet = next(other for other in demo._apps if other.automatic and not other.broken and other is not app)
        demo.world.wake(quiet.cluster, quiet.name)
        demo.argocd.refresh(quiet.name)  # type: ignore[union-attr]
        status = application(demo, quiet.name)["status"]
        assert (status["sync"]["status"], status["health"]["status"]) == ("Synced", "Healthy")
    finally:
        await demo.stop()


async def test_what_is_written_about_an_application_is_what_a_comparison_finds(tmp_path: Path) -> None:
    demo = Demo(Options(clusters=14, apps=SHOP_APPS + 300, speed=SPEED), tmp_path)
    await demo.start()
    try:
        broken = next(app for app in demo._apps if app.broken)
        behind = next(app for app in demo._apps if app.behind and not app.broken)
        for app in (broken, behind, demo._apps[0]):
            before = application(demo, app.name)["status"]
            demo.argocd.refresh(app.name)  # type: ignore[union-attr]
            after = application(demo, app.name)["status"]
            for field in ("health", "sync"):
                assert before[field]["status"] == after[field]["status"], (app, field)
            assert before["resources"] == after["resources"]
            assert before["summary"] == after["summary"]
    finally:
        await demo.stop()
