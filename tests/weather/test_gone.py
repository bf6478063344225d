"""A cluster whose server goes and comes back."""

from __future__ import annotations

from pathlib import Path

from tests.weather.conditions import pods, weather
from tui.domain.cluster import ClusterState


async def test_refused_connections(tmp_path: Path) -> None:
    async with weather(tmp_path) as sky:
        await sky.bad.refuse()
        await sky.here.until(lambda: sky.here.cluster("bad").state is ClusterState.STALE)
        assert "Stale" in sky.shown() and "refused" in sky.shown().lower()
        assert sky.stale().startswith("◐ bad stale")
        await sky.unharmed()
        sky.bad.storage.delete("pods", "shop", "web-1")
        sky.bad.storage.create(pods("new")[0])
        await sky.bad.start()
        await sky.clears()
        assert not sky.stale() and "Live" in sky.shown()
