"""Every pane, and the screens over it, as they look: three sizes, three themes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.colours import contrast
from tests.ui.picture import FOLDER, cells, compare, compare_in
from tests.ui.still import StillFleet, at_rest, screen
from tests.ui.test_themes import ENHANCED, READABLE
from tui.domain.obj import Ref
from tui.ui.panes import PANES
from tui.ui.scope import Scope
from tui.ui.themes import BUILT_IN, palette

SIZES = ((80, 24), (120, 40), (160, 48))
THEMES = ("fleet-dark", "fleet-light", "fleet-contrast")
OTHERS = ("fleet-safe", "fleet-ansi", "fleet-mono")
GUIDES = " ╭╮╰╯│─├└┃▌›"  # borders, lines of the tree, scrollbar: no text
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


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_panes(size: tuple[int, int]) -> None:
    """One after the other, as somebody goes through them: none leaves anything behind on the next."""
    async with screen(StillFleet(), size) as (app, pilot):
        for pane in PANES:
            await app.shell.go(pane, "pods" if pane == "objects" else "")
            await at_rest(app, pilot)
            await compare_in(app, f"pane-{pane}-{size[0]}x{size[1]}", THEMES, lambda: at_rest(app, pilot))


@pytest.mark.parametrize("size", SIZES[::2], ids="{0[0]}x{0[1]}".format)
async def test_details(size: tuple[int, int]) -> None:
    async with screen(StillFleet(), size) as (app, pilot):
        for name, detail in DETAILS.items():
            app.show_object(*detail)
            await at_rest(app, pilot)
            await compare_in(app, f"detail-{name}-{size[0]}x{size[1]}", THEMES, lambda: at_rest(app, pilot))
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


async def test_the_other_themes() -> None:
    async with screen(StillFleet(), (100, 30)) as (app, pilot):
        await compare_in(app, "themes", OTHERS, lambda: at_rest(app, pilot))


async def test_nothing_is_there_yet() -> None:
    async with screen(StillFleet(filled=False), (100, 30)) as (app, pilot):
        await at_rest(app, pilot)
        compare(app, "empty")


def test_every_pane_and_theme_is_pictured() -> None:
    for pane in PANES:
        for width, height in SIZES:
            assert (FOLDER / f"pane-{pane}-{width}x{height}.txt").exists(), pane
    assert set(BUILT_IN) == {*THEMES, *OTHERS}, "a theme has no picture"


@pytest.mark.parametrize("picture", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_all_text_in_the_pictures_is_readable(picture: Path) -> None:
    """The pairs of colours that are really painted, however they came about."""
    found = {(cell.look, cell.theme): cell.character for cell in cells(picture) if cell.character not in GUIDES}
    for (look, theme), character in found.items():
        front, _, behind, *_ = look.split()
        if not {front, behind} <= set(palette(theme).colours().values()):
            assert "ansi" in look or picture.stem.startswith("over-"), f"{theme}: {look} is not of the theme"
            continue  # the terminal's own colours, of which `test_themes` has some; and what lies under a dialog
        needed = ENHANCED if theme == "fleet-contrast" else READABLE
        assert contrast(front, behind) >= needed, f"{theme}: {character!r} is {look}: {contrast(front, behind):.1f}"
