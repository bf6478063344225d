"""Every pane, and the screens over it, as they look: two sizes, two themes."""

from __future__ import annotations

import pytest

from tests.ui.picture import FOLDER, compare
from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.obj import Ref
from tui.ui.panes import PANES
from tui.ui.scope import Scope
from tui.ui.themes import PALETTES

SIZES = ((80, 24), (160, 48))
THEMES = ("fleet-dark", "fleet-light")
APPLICATION = Ref("hub-eu", "applications.argoproj.io", "argocd", "payments-prod-us")
POLICY = Ref("prod-eu", "ciliumnetworkpolicies.cilium.io", "payments", "payments-ingress")
CLUSTER = Ref("dev-1", "clusters", "", "dev-1")
POD = Ref("prod-eu", "pods", "payments", "payments-6d4f-z9q4m")
DETAILS = {
    "application-summary": (APPLICATION, "summary"),
    "application-resources": (APPLICATION, "resources"),
    "application-manifest": (APPLICATION, "manifest"),
    "application-history": (APPLICATION, "history"),
    "application-events": (APPLICATION, "events"),
    "policy-rules": (POLICY, "rules"),
    "policy-endpoints": (POLICY, "endpoints"),
    "cluster-summary": (CLUSTER, "summary"),
    "pod-summary": (POD, "summary"),
    "pod-events": (POD, "events"),
    "pod-describe": (POD, "describe"),
    "pod-xray": (POD, "xray"),
}
LOOKS = [(size, theme) for size in SIZES for theme in THEMES]
IDS = [f"{width}x{height}-{theme}" for (width, height), theme in LOOKS]


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=IDS)
async def test_panes(size: tuple[int, int], theme: str) -> None:
    """One after the other, as somebody goes through them: none leaves anything behind on the next."""
    async with screen(StillFleet(), size, theme) as (app, pilot):
        for pane in PANES:
            await app.shell.go(pane, "pods" if pane == "objects" else "")
            await at_rest(app, pilot)
            compare(app, f"pane-{pane}-{size[0]}x{size[1]}-{theme}")


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=IDS)
async def test_details(size: tuple[int, int], theme: str) -> None:
    async with screen(StillFleet(), size, theme) as (app, pilot):
        for name, detail in DETAILS.items():
            app.show_object(*detail)
            await at_rest(app, pilot)
            compare(app, f"detail-{name}-{size[0]}x{size[1]}-{theme}")
            await pilot.press("escape")


@pytest.mark.parametrize("keys", ["colon", "question_mark", "ctrl+a", "c", "q"])
async def test_what_opens_over_a_pane(keys: str) -> None:
    async with screen(StillFleet(), (100, 30)) as (app, pilot):
        await pilot.press(keys)
        await at_rest(app, pilot)
        compare(app, f"over-{keys.replace('+', '-')}")


async def test_scoped_to_a_cluster_with_the_tree_open() -> None:
    async with screen(StillFleet(), (120, 36)) as (app, pilot):
        await app.shell.rescope(Scope(cluster="prod-eu"))
        await pilot.press("shift+tab", "end", "up", "up", "up")
        await at_rest(app, pilot)
        compare(app, "scoped-to-a-cluster")


async def test_high_contrast() -> None:
    async with screen(StillFleet(), (100, 30), "fleet-contrast") as (app, pilot):
        await at_rest(app, pilot)
        compare(app, "contrast")


async def test_nothing_is_there_yet() -> None:
    async with screen(StillFleet(filled=False), (100, 30)) as (app, pilot):
        await at_rest(app, pilot)
        compare(app, "empty")


def test_every_pane_and_theme_is_pictured() -> None:
    for pane in PANES:
        for (width, height), theme in LOOKS:
            assert (FOLDER / f"pane-{pane}-{width}x{height}-{theme}.txt").exists(), pane
    assert set(PALETTES) == {*THEMES, "fleet-contrast"}, "a theme has no picture"
