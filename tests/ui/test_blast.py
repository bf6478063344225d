"""The blast radius on the screen: in a draft's detail, and in the question before a push."""

from __future__ import annotations

import pytest

from tests.git.conftest import World, git
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tests.ui import shop
from tests.ui.still import StillFleet, at_rest, screen
from tests.ui.test_editing import DEPLOYMENT, EditingFleet, until
from tui.domain.drafts.blast import Blast, Deletion, Object, Reason, Touched
from tui.domain.obj import Ref
from tui.ui.drafting import blast_words
from tui.ui.screens.dialogs import Choice, Confirm, TypeToConfirm
from tui.ui.screens.words_view import WordsView

WEB = Touched(
    "hub-eu", "argocd", "web", "prod-eu", True, True, True, "Degraded", "OutOfSync", "closed",
    shop.NOW + 3_600, (Reason("base/web.yaml", "base"), Reason("web/values.yaml", "values")),
)  # fmt: skip
SEARCH = Touched("hub-eu", "argocd", "search", "staging?", health="Healthy", sync="Synced", window="open")
FOUND = Blast(
    (WEB, SEARCH),
    16,
    (Object("apps", "Deployment", "shop", "web", "base/web.yaml", "changed", 2),),
    (Deletion("object", "ConfigMap shop/old", "base/web.yaml", 2, "Prune=false: it stays in the cluster"),),
    ("web/values.yaml: values",),
)


def told(found: Blast | str) -> str:
    return blast_words.text(blast_words.blast(found, shop.NOW))


def test_counts_come_first_then_a_line_each() -> None:
    lines = told(FOUND).splitlines()
    assert lines[1].strip() == (
        "2 Applications on 2 clusters (12 % of the fleet), at least 2 workloads; auto-sync on 1, prune on 1; "
        "2 objects deleted; 1 unknown"
    )
    assert " ".join(lines[2].split()) == (
        "web prod-eu ✖ Degraded ↑ OutOfSync auto-sync, prune, self-heal window closed until 10:00 "
        "a base it uses: base/web.yaml and 1 more, its values"
    )
    assert "auto-sync off" in lines[3] and "window open" in lines[3] and "staging?" in lines[3]
    rest = "\n".join(lines[4:])
    assert "− ConfigMap shop/old, in 2 Applications  base/web.yaml  Prune=false" in rest
    assert "changed  Deployment shop/web  in 2 Applications  base/web.yaml" in rest
    assert "? web/values.yaml: values" in rest


def test_unknown_is_never_shown_as_none() -> None:
    assert "Applications unknown, at least 0 workloads" in told(Blast(unknown=("no Application is known",)))
    assert told("reading…").splitlines()[1] == "  ? reading…"
    assert "0 Applications, 0 workloads" in told(Blast(known=3))


def test_long_lists_are_cut_and_counted() -> None:
    deleted = tuple(Deletion("file", f"f{number}", "") for number in range(blast_words.MOST + 5))
    assert "and 5 more" in told(Blast(known=1, deleted=deleted))
    assert "and 57 more" in "\n".join(blast_words.facts(Blast(known=1, deleted=deleted)))


@pytest.mark.parametrize(("share", "text"), [(0.004, "under 1 %"), (0.996, "99 %"), (1.0, "100 %"), (0.126, "13 %")])
def test_shares(share: float, text: str) -> None:
    assert blast_words.percent(share) == text


async def test_it_stands_beside_a_draft_that_has_not_landed(fleet: StillFleet) -> None:
    fleet.radii = {"edit-checkout": FOUND, "raise-replicas": FOUND}
    async with screen(fleet, (200, 48)) as (app, pilot):
        app.show_object(Ref("", "drafts", "", "edit-checkout"))
        await at_rest(app, pilot)
        text = app.screen.query_one(WordsView).text()
        assert "Blast radius" in text and "2 Applications on 2 clusters" in text
        await pilot.press("escape")
        app.show_object(Ref("", "drafts", "", "raise-replicas"))  # arriving
        await at_rest(app, pilot)
        assert "Blast radius" not in app.screen.query_one(WordsView).text()


async def pushing(place: World, text: str | None) -> EditingFleet:
    place.commit({"deploy/web/deployment.yaml": DEPLOYMENT})
    git(place.clone, "push", "-q", "origin", "HEAD")
    fleet = EditingFleet(place)
    made = await fleet.drafts.new("x", str(place.clone))
    path = "deploy/web/deployment.yaml"
    made = await fleet.drafts.edit_files(made, {path: None if text is None else text.encode()})
    await fleet.drafts.commit(made, "change")
    return fleet


async def test_a_plain_push_is_a_plain_question(world: World) -> None:
    fleet = await pushing(world, DEPLOYMENT.replace("3", "5"))
    async with screen(fleet) as (app, pilot):
        await app.shell.go("drafts")
        await until(lambda: app.shell.pane.here() is not None, pilot)
        await pilot.press("P")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert any("1 Application on 1 cluster" in fact for fact in app.screen._facts)
        await pilot.press("escape")
        await at_rest(app, pilot)


async def test_a_deletion_must_be_typed(world: World) -> None:
    fleet = await pushing(world, None)
    async with screen(fleet) as (app, pilot):
        await app.shell.go("drafts")
        await until(lambda: app.shell.pane.here() is not None, pilot)
        for answer in ("escape", "enter"):
            await pilot.press("P")
            await until(lambda: isinstance(app.screen, Choice), pilot)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, TypeToConfirm), pilot)
            dialog = app.screen
            assert any("deletes Deployment web/web" in fact for fact in dialog._facts)
            assert "1 object, 1 file deleted" in dialog._facts
            await pilot.press("y", "enter")
            assert app.screen is dialog  # not the word: nothing happens
            await pilot.press("backspace", "x", answer)
            await at_rest(app, pilot)
            assert app.screen is not dialog
            assert bool(git(world.origin, "branch", "--list", "fleet/*")) is (answer == "enter")
