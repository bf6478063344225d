"""X-ray and jumps on the screen."""

from __future__ import annotations

from tests.domain.rows import meta, row
from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.obj import Ref
from tui.ui.obey import obey
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.xray import XRayTable

OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "lonely", "uid": "lonely", "controller": True}
SPEC = {"containers": [{"name": "web", "envFrom": [{"configMapRef": {"name": "lonely-config"}}]}], "nodeName": "n1"}


async def test_u_shows_what_an_object_hangs_together_with_and_enter_follows(fleet: StillFleet) -> None:
    fleet.store.apply(
        [
            row("prod-eu", "deployments.apps", {"metadata": meta("lonely", uid="lonely")}),
            row("prod-eu", "pods", {"metadata": meta("lonely-1", ownerReferences=[OWNER]), "spec": SPEC}),
            row("prod-eu", "configmaps", {"metadata": meta("lonely-config", labels={"evil": "\x1b[31m[red]"})}),
        ]
    )
    async with screen(fleet) as (app, pilot):
        await obey(app, "pods @prod-eu /lonely-1")
        await at_rest(app, pilot)
        await pilot.press("u")
        await at_rest(app, pilot)
        detail = app.screen
        assert isinstance(detail, DetailScreen) and detail.chosen.id == "xray"
        table = detail.query_one(XRayTable)
        keys = [key for key in table.visible_keys if isinstance(key, Ref)]
        assert [f"{key.resource}/{key.name}" for key in keys] == [
            *("deployments.apps/lonely", "configmaps/lonely-config", "nodes/n1")
        ]  # fmt: skip
        assert table.cursor_key == keys[0], "the cursor begins at an object"
        owner = next(name for name in fleet.looked if name.startswith("xray"))
        assert {"configmaps", "nodes", "services"} <= fleet.looked[owner][0]
        await pilot.press("j", "j", "enter")
        await at_rest(app, pilot)
        detail = app.screen
        assert isinstance(detail, DetailScreen) and detail.ref == keys[1]
        await pilot.press("u")
        await at_rest(app, pilot)
        used_by = [key for key in detail.query_one(XRayTable).visible_keys if isinstance(key, Ref)]
        assert used_by[0] == Ref("prod-eu", "pods", "shop", "lonely-1")
        await pilot.press("q", "q")
        await at_rest(app, pilot)
        assert not any(name.startswith("xray") for name in fleet.looked), "it is still being watched"


async def test_capital_j_jumps_to_the_owner(fleet: StillFleet) -> None:
    pod = row("prod-eu", "pods", {"metadata": meta("lonely-1", ownerReferences=[OWNER]), "spec": SPEC})
    fleet.store.apply([pod, row("prod-eu", "pods", {"metadata": meta("lonely-2"), "spec": SPEC})])
    async with screen(fleet) as (app, pilot):
        await obey(app, "pods @prod-eu /lonely-1")
        await at_rest(app, pilot)
        await pilot.press("J")
        await at_rest(app, pilot)
        assert isinstance(detail := app.screen, DetailScreen)
        assert detail.ref == Ref("prod-eu", "deployments.apps", "shop", "lonely")
        await pilot.press("q")
        await obey(app, "pods @prod-eu /lonely-2")
        await at_rest(app, pilot)
        await pilot.press("J")
        await at_rest(app, pilot)
        assert not isinstance(app.screen, DetailScreen)
