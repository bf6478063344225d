"""What the demo has behind it when it starts, and where it keeps what it needs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.demo.running import running
from tui.demo.argocd.names import APPLICATIONS, APPSETS, NAMESPACE
from tui.demo.clock import parse_stamp

pytestmark = pytest.mark.slow


async def test_what_is_there_at_the_start_has_been_so_for_a_while(tmp_path: Path) -> None:
    async with running(tmp_path / "demo", speed=1.0) as demo:
        now = demo.clock.now()
        seen = 0
        for resource in (APPLICATIONS, APPSETS):
            for obj in demo.world.hub.list(resource, NAMESPACE):
                status = obj["status"]
                for entry in (status["health"], *status.get("conditions", ())):
                    if "lastTransitionTime" not in entry:
                        continue
                    seen += 1
                    since = parse_stamp(entry["lastTransitionTime"])
                    assert parse_stamp(obj["metadata"]["creationTimestamp"]) < since < now - 60, obj["metadata"]["name"]
        assert seen >= 50


async def test_sources_are_rendered_in_the_demos_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere, left = tmp_path / "tmp", tmp_path / "demo" / "render" / "of a killed run"
    elsewhere.mkdir()
    left.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    async with running(tmp_path / "demo", speed=1.0):
        assert list(elsewhere.iterdir()) == []
        rendered = list((tmp_path / "demo" / "render").iterdir())
        assert rendered and left not in rendered
    assert list((tmp_path / "demo" / "render").iterdir()) == []
