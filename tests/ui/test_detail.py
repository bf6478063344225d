"""What is seen when an object is opened: the live resource tree, history with commits, policies, manifests."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.ui import shop
from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.cluster import CLUSTERS, ClusterState, KindState, KindStatus
from tui.domain.kinds import columns
from tui.domain.obj import Ref, Row
from tui.domain.ports import Absent, Denied, Unreachable
from tui.fleet.manifest import Manifest, cleaned
from tui.ui.app import FleetApp
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.history import HistoryTable
from tui.ui.screens.manifest import ManifestView, as_yaml
from tui.ui.screens.objectevents import ObjectEvents
from tui.ui.screens.policy import EndpointTable
from tui.ui.screens.resources import ResourceTable
from tui.ui.screens.words_view import WordsView

APPLICATIONS = "applications.argoproj.io"
CNP = "ciliumnetworkpolicies.cilium.io"
ENDPOINTS = "ciliumendpoints.cilium.io"
PAYMENTS = Ref(shop.HUB, APPLICATIONS, "argocd", "payments-prod-eu")


def view(app: FleetApp, kind: type) -> Any:
    """The widget of the tab that is shown."""
    (found,) = (each for each in app.screen.query(kind) if each.display)
    return found


async def opened(app: FleetApp, pilot: Any, ref: Ref, tab: str) -> DetailScreen:
    app.show_object(ref, tab)
    await pilot.pause()
    await at_rest(app, pilot)
    assert isinstance(app.screen, DetailScreen)
    return app.screen


def cells(table: Any, key: object) -> dict[str, str]:
    entry = table._rows.get(key)
    return {column.id: text for column, text in zip(table.columns, entry.texts, strict=True)}


def keys(table: Any) -> list[str]:
    return [key.name if isinstance(key, Ref) else key[-1] for key in table.visible_keys]


def put(fleet: StillFleet, *rows: Row, gone: tuple[Ref, ...] = ()) -> None:
    fleet.store.apply(rows, gone)
    fleet.notify()


def application(fleet: StillFleet, **status: Any) -> Row:
    """The Application with another status, as the store would get it."""
    held = fleet.store.get(PAYMENTS)
    assert held is not None
    manifest = held.manifest()
    manifest["status"] |= status
    return shop.row(shop.HUB, APPLICATIONS, manifest)


def refresh(found: DetailScreen) -> None:
    """Fill the tab although the last time is only a moment ago."""
    found._rest = 0.0
    found.pull()


async def test_the_tree_shows_what_grew_from_a_resource_with_its_state_and_reason(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, PAYMENTS, "resources")
        table = view(app, ResourceTable)
        names = keys(table)
        assert names[:4] == ["payments", "payments-6d4f", "payments-6d4f-x7k2p", "payments-6d4f-z9q4m"]
        broken = cells(table, Ref("prod-eu", "pods", "payments", "payments-6d4f-z9q4m"))
        assert broken["resource"].endswith("└ Pod/payments-6d4f-z9q4m")
        assert (broken["state"], broken["health"]) == ("✖ CrashLoopBackOff", "✖ Degraded")
        assert broken["sync"] == "", "only what Git declares is in sync or not"
        deployment = cells(table, Ref("prod-eu", "deployments.apps", "payments", "payments"))
        assert (deployment["sync"], deployment["told"]) == ("✔ Synced", "computed")
        assert "health computed by fleet" in table.note
        assert fleet.looked["resources"][1] == {"prod-eu"}
        assert {"pods", "replicasets.apps"} <= fleet.looked["resources"][0]
        found.dismiss()
        await pilot.pause()
        assert "resources" not in fleet.looked, "only while it is open"


async def test_a_new_pod_stands_under_its_replica_set_at_once(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, PAYMENTS, "resources")
        table = view(app, ResourceTable)
        table.move_to(Ref("prod-eu", "services", "payments", "payments"))
        old = fleet.store.get(Ref("prod-eu", "pods", "payments", "payments-6d4f-x7k2p"))
        assert old is not None
        manifest = old.manifest()
        manifest["metadata"] |= {"name": "payments-6d4f-y1", "uid": "uid-y1"}
        put(fleet, shop.row("prod-eu", "pods", manifest))
        refresh(found)
        assert keys(table)[2:5] == ["payments-6d4f-x7k2p", "payments-6d4f-y1", "payments-6d4f-z9q4m"]
        assert table.cursor_key.resource == "services", "the cursor keeps its object"
        put(fleet, gone=(Ref("prod-eu", "pods", "payments", "payments-6d4f-y1"),))
        refresh(found)
        assert "payments-6d4f-y1" not in keys(table)


async def test_missing_resources_and_those_to_prune_say_so(fleet: StillFleet) -> None:
    resources = [
        {"version": "v1", "kind": "Service", "namespace": "payments", "name": "ledger", "status": "OutOfSync"},
        {
            "version": "v1",
            "kind": "Service",
            "namespace": "payments",
            "name": "payments",
            "status": "OutOfSync",
            "requiresPruning": True,
        },
        {
            "group": "odd.example",
            "version": "v1",
            "kind": "Odd",
            "namespace": "payments",
            "name": "x",
            "status": "Synced",
        },
    ]
    put(fleet, application(fleet, resources=resources))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, PAYMENTS, "resources")
        table = view(app, ResourceTable)
        missing = cells(table, Ref("prod-eu", "services", "payments", "ledger"))
        assert (missing["health"], missing["detail"]) == ("∅ Missing", "not in the cluster")
        pruned = cells(table, Ref("prod-eu", "services", "payments", "payments"))
        assert pruned["sync"] == "✂ Prune" and "until it is pruned" in pruned["detail"]
        odd = cells(table, ("odd.example", "Odd", "payments", "x"))
        assert odd["health"] == "", "nobody looked: nothing is claimed"
        assert "1 missing, 1 to prune" in table.note
        table.move_to(Ref("prod-eu", "services", "payments", "ledger"))
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen) and app.screen.ref == PAYMENTS, "there is nothing to open"


async def test_keys_act_on_the_node_under_the_cursor(fleet: StillFleet) -> None:
    drafted: list[Ref] = []
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, PAYMENTS, "resources")
        app.draft_edit = drafted.append  # type: ignore[method-assign, assignment]
        pod = Ref("prod-eu", "pods", "payments", "payments-6d4f-x7k2p")
        view(app, ResourceTable).move_to(pod)
        await pilot.press("e")
        assert drafted == [pod]
        await pilot.press("y")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert (app.screen.ref, app.screen.chosen.id) == (pod, "manifest")
        await pilot.press("escape", "enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen) and app.screen.ref == pod
        assert app.screen.chosen.id != "manifest"


async def test_a_cluster_that_does_not_answer_is_said_to(fleet: StillFleet) -> None:
    ref = Ref(shop.HUB, APPLICATIONS, "argocd", "kiosk-edge-7")
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, ref, "resources")
        table = view(app, ResourceTable)
        assert "cluster Unreachable: connection refused" in table.note
        assert all(entry.texts[2] == "" for entry in table._rows.window(0, 9)), "no health is made up"


async def test_history_tells_who_when_how_long_and_the_commit(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 40)) as (app, pilot):
        await opened(app, pilot, PAYMENTS, "history")
        table = view(app, HistoryTable)
        assert table.visible_keys == [3, 2, 1], "newest first"
        newest, second = cells(table, 3), cells(table, 2)
        assert (newest["took"], newest["by"], newest["revision"]) == ("20s", "auto-sync", shop.SHA[:7])
        assert (newest["commit"], newest["author"]) == ("Raise the limits of checkout", "Mira Lind")
        assert second["by"] == "mira"
        assert table.note == ""


async def test_a_commit_that_is_not_here_is_unknown_and_the_title_says_why(fleet: StillFleet) -> None:
    entry = {"id": 7, "revision": "0" * 40, "source": {"repoURL": shop.REPO}, "deployedAt": "2026-11-20T10:00:00Z"}
    put(fleet, application(fleet, history=[entry]))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, PAYMENTS, "history")
        table = view(app, HistoryTable)
        shown = cells(table, 7)
        assert {shown["commit"], shown["author"], shown["by"], shown["took"]} == {"?"}
        assert "no clone of" in str(app.screen.query_one("#detail").border_title)


async def test_the_summary_says_first_why_it_is_not_syncing(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, Ref(shop.HUB, APPLICATIONS, "argocd", "checkout-prod-eu"), "summary")
        text = view(app, WordsView).text()
        assert "Now             auto-sync is off" in text.splitlines()[1]
        await pilot.press("escape")
        await opened(app, pilot, PAYMENTS, "summary")
        text = view(app, WordsView).text()
        assert "Raise the limits of checkout" in text and "in sync with 3f2a9c1" in text
        assert "its project is not held" in text, "windows nobody can know are not called open"


async def test_a_project_s_sync_windows_are_told(fleet: StillFleet) -> None:
    project = {
        "metadata": shop.meta("payments", "argocd"),
        "spec": {
            "syncWindows": [
                {
                    "kind": "deny",
                    "schedule": "0 8 * * *",
                    "duration": "4h",
                    "applications": ["payments-*"],
                    "description": "month end",
                }
            ]
        },
    }
    put(fleet, shop.row(shop.HUB, "appprojects.argoproj.io", project))
    put(fleet, application(fleet, sync={"status": "OutOfSync", "revision": shop.SHA}))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, PAYMENTS, "summary")
        text = view(app, WordsView).text()
        assert "a sync window of project payments denies it until 12:00" in text
        assert "⊘ syncs are denied now until 12:00" in text
        assert "deny 0 8 * * * for 4h, UTC  active until 12:00" in text and "month end" in text


async def test_the_events_of_an_application_arrive_live(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, PAYMENTS, "events")
        (tail,) = found._views.values()
        before = tail.visible_count
        assert before == 1, "of this Application alone"
        (last,) = [event for _, event in fleet.tail.since(0) if event.application == "argocd/payments-prod-eu"]
        fleet.tail.add(msgspec.structs.replace(last, reason="Healthy", key="new"))
        fleet.notify()
        refresh(found)
        assert tail.visible_count == before + 1


def endpoint(name: str, identity: int) -> Row:
    labels = ["k8s:app=payments", "k8s:io.kubernetes.pod.namespace=payments"]
    manifest = {
        "metadata": shop.meta(name, "payments"),
        "status": {"id": 1, "identity": {"id": identity, "labels": labels}, "state": "ready"},
    }
    return shop.row("prod-eu", ENDPOINTS, manifest)


async def test_whom_a_policy_selects_with_identity_and_labels(fleet: StillFleet) -> None:
    put(fleet, endpoint("payments-a", 4711), endpoint("payments-b", 4711))
    policy = Ref("prod-eu", CNP, "payments", "payments-ingress")
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, policy, "endpoints")
        table = view(app, EndpointTable)
        assert keys(table) == ["payments-a", "payments-b"] and table.note == "2 endpoints"
        shown = cells(table, Ref("prod-eu", ENDPOINTS, "payments", "payments-a"))
        assert (shown["identity"], shown["labels"], shown["state"]) == ("4711", "app=payments", "✔ ready")
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen) and app.screen.ref.name == "payments-a"


async def test_endpoints_that_may_not_be_read_are_counted_from_pods_or_unknown(fleet: StillFleet) -> None:
    policy = Ref("prod-eu", CNP, "payments", "payments-ingress")
    held = fleet.store.get(Ref("prod-eu", CLUSTERS, "", "prod-eu"))
    assert held is not None
    denied = dict(held.obj.kinds) | {ENDPOINTS: KindStatus(KindState.DENIED, "forbidden")}
    put(fleet, msgspec.structs.replace(held, obj=msgspec.structs.replace(held.obj, kinds=denied)))
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, policy, "rules")
        assert "2 pods  counted from pods" in view(app, WordsView).text()
        assert "pods" in fleet.looked["detail"][0], "they are watched for it"
        nothing = denied | {"pods": KindStatus(KindState.DENIED, "forbidden")}
        put(fleet, msgspec.structs.replace(held, obj=msgspec.structs.replace(held.obj, kinds=nothing)))
        refresh(found)
        assert "?  CiliumEndpoints may not be read in prod-eu: forbidden" in view(app, WordsView).text()


async def test_an_invalid_policy_says_why(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, Ref("prod-eu", CNP, "payments", "payments-ingress"), "rules")
        lines = view(app, WordsView).text().splitlines()
        at = next(number for number, line in enumerate(lines) if "✖ Invalid" in line)
        assert lines[at + 1].strip() == "Invalid CIDR"


# -- manifest --------------------------------------------------------------------------------------------------


async def test_a_manifest_is_in_the_usual_order_without_bookkeeping_and_secrets() -> None:
    secret = {
        "status": {"ready": True},
        "data": {"password": "aHVudGVyMg=="},
        "zeta": 1,
        "metadata": {"uid": "u", "managedFields": [{}], "labels": {"a": "b"}, "name": "s"},
        "kind": "Secret",
        "apiVersion": "v1",
    }
    text = as_yaml(cleaned(secret))
    tops = [line.partition(":")[0] for line in text.splitlines() if not line.startswith(" ")]
    assert tops == ["apiVersion", "kind", "metadata", "data", "zeta", "status"]
    assert text.index("name: s") < text.index("labels:") < text.index("uid:")
    assert "aHVudGVyMg" not in text and "managedFields" not in text


async def test_the_title_says_how_fresh_a_manifest_is(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        (await opened(app, pilot, PAYMENTS, "manifest")).pull()
        assert "fresh" in str(app.screen.query_one("#detail").border_title)
        await pilot.press("escape")

        async def unreachable(ref: Ref) -> Manifest:
            held = fleet.store.get(ref)
            assert held is not None
            return Manifest(cleaned(held.manifest()), fresh=False, reason="connection refused")

        fleet.manifest = unreachable  # type: ignore[method-assign]
        ref = Ref("dev-1", "services", "catalogue", "catalogue")
        (await opened(app, pilot, ref, "manifest")).pull()
        assert "as last seen 5m ago: connection refused" in str(app.screen.query_one("#detail").border_title)
        assert "kind: Service" in view(app, ManifestView).text


async def test_a_manifest_is_no_longer_fresh_when_its_cluster_stops_answering(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, POD, "manifest")
        assert view(app, ManifestView).note == "fresh"
        held = fleet.store.get(Ref("prod-eu", CLUSTERS, "", "prod-eu"))
        assert held is not None
        lost = msgspec.structs.replace(
            held.obj, state=ClusterState.STALE, reason="connection reset", heard=shop.NOW - 600
        )
        put(fleet, msgspec.structs.replace(held, obj=lost))
        found.pull()
        assert "as last seen 10m ago: connection reset" in str(app.screen.query_one("#detail").border_title)


async def test_a_large_object_is_asked_for_once_and_then_follows_the_store(fleet: StillFleet) -> None:
    asked: list[Ref] = []
    answers = fleet.manifest

    async def counted(ref: Ref) -> Manifest:
        asked.append(ref)
        return await answers(ref)

    fleet.manifest = counted  # type: ignore[method-assign]
    large = [{"id": number, "revision": shop.SHA * 50} for number in range(100)]
    put(fleet, application(fleet, history=large))
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, PAYMENTS, "manifest")
        put(fleet, application(fleet, history=[*large, {"id": 4711}]))
        refresh(found)
        await at_rest(app, pilot)
        assert "id: 4711" in view(app, ManifestView).text
        assert asked == [PAYMENTS]


async def test_what_the_store_does_not_hold_is_asked_of_its_cluster(fleet: StillFleet) -> None:
    asked: list[Ref] = []

    async def answers(ref: Ref) -> Manifest:
        asked.append(ref)
        if ref.name == "gone":
            raise Absent("prod-eu has no leases gone")
        return Manifest({"apiVersion": "v1", "kind": "Lease", "metadata": {"name": "there"}}, fresh=True)

    fleet.manifest = answers  # type: ignore[method-assign]
    there, gone = (Ref("prod-eu", "leases.coordination.k8s.io", "x", name) for name in ("there", "gone"))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, there, "manifest")
        assert "kind: Lease" in view(app, ManifestView).text
        await pilot.press("escape")
        await opened(app, pilot, gone, "manifest")
        assert "has no leases gone" in view(app, ManifestView).text
        assert asked == [there, gone], "once each"


async def test_a_cluster_that_cannot_be_reached_does_not_end_the_manifest(fleet: StillFleet) -> None:
    async def fails(ref: Ref) -> Manifest:
        raise Unreachable("no route")

    fleet.manifest = fails  # type: ignore[method-assign]
    async with screen(fleet) as (app, pilot):
        (await opened(app, pilot, PAYMENTS, "manifest")).pull()
        assert "name: payments-prod-eu" in view(app, ManifestView).text, "as the store has it"
        assert "no route" in str(app.screen.query_one("#detail").border_title)


async def test_an_application_of_1500_resources_is_shown_whole(fleet: StillFleet) -> None:
    resources = [
        {
            "version": "v1",
            "kind": "ConfigMap",
            "namespace": "payments",
            "name": f"settings-{number:04}",
            "status": "Synced",
        }
        for number in range(1_500)
    ]
    put(fleet, application(fleet, resources=resources))
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, PAYMENTS, "resources")
        table = view(app, ResourceTable)
        assert table.total == 1_500 and "1,500 missing" in table.note
        assert found._rest > 0, "and is made anew only after a rest"


async def test_what_could_not_be_compared_is_not_said_to_manage_nothing(fleet: StillFleet) -> None:
    broken = {"type": "ComparisonError", "message": "path shop/payments does not exist"}
    put(fleet, application(fleet, resources=[], conditions=[broken]))
    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, PAYMENTS, "resources")
        table = view(app, ResourceTable)
        assert table._empty == "what this Application manages is not known:\npath shop/payments does not exist"
        assert table.note.startswith("resources not known")
        put(fleet, application(fleet, resources=[], conditions=[]))
        refresh(found)
        assert table._empty == "this Application manages nothing"


async def test_whether_a_cluster_is_a_hub_is_not_known_before_it_has_answered(fleet: StillFleet) -> None:
    told = {}
    async with screen(fleet) as (app, pilot):
        for name in ("edge-kiosk-7", "prod-eu", shop.HUB):
            await opened(app, pilot, Ref(name, CLUSTERS, "", name), "summary")
            told[name] = next(line.split()[-1] for line in view(app, WordsView).text().splitlines() if "Hub " in line)
    assert told == {"edge-kiosk-7": "?", "prod-eu": "no", shop.HUB: "yes"}


# -- other objects ---------------------------------------------------------------------------------------------

POD = Ref("prod-eu", "pods", "payments", "payments-6d4f-z9q4m")


async def test_a_pod_tells_its_containers_and_whose_it_is(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, POD, "summary")
        text = view(app, WordsView).text()
        assert "main" in text and "✖ CrashLoopBackOff  17 restarts  payments:1.14.2" in text
        assert "ReplicaSet/payments-6d4f" in text
        assert "Application     payments-prod-eu" in text and "payments/prod-eu/" in text


async def test_an_application_is_not_denied_while_the_owners_are_not_known(fleet: StillFleet) -> None:
    held = fleet.store.get(Ref("prod-eu", CLUSTERS, "", "prod-eu"))
    assert held is not None
    kinds = {name: status for name, status in held.obj.kinds.items() if name != "replicasets.apps"}
    put(fleet, msgspec.structs.replace(held, obj=msgspec.structs.replace(held.obj, kinds=kinds)))
    put(fleet, gone=(Ref("prod-eu", "replicasets.apps", "payments", "payments-6d4f"),))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, POD, "summary")
        assert "?  its owners are not known here" in view(app, WordsView).text()
        assert {"pods", "replicasets.apps", "deployments.apps"} <= fleet.looked["detail"][0]


async def test_a_deployment_lists_its_pods_and_has_them_watched(fleet: StillFleet) -> None:
    deployment = Ref("prod-eu", "deployments.apps", "payments", "payments")
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, deployment, "summary")
        text = view(app, WordsView).text()
        assert "payments-6d4f-x7k2p  ✔ Running" in text and "payments-6d4f-z9q4m  ✖ CrashLoopBackOff" in text
        assert {"replicasets.apps", "pods"} <= fleet.looked["detail"][0]
        assert "prod-eu · payments" in str(app.screen.query_one("#detail").border_title), "its namespace of one name"


async def test_kubernetes_events_of_an_object_newest_first(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 40)) as (app, pilot):
        await opened(app, pilot, POD, "events")
        table = view(app, ObjectEvents)
        rows = [entry.texts for entry in table._rows.window(0, 9)]
        assert [row[2] for row in rows] == ["BackOff", "Pulled", "Scheduled"]
        assert rows[0][0] == "40s" and rows[0][4] == "211" and rows[0][5] == "kubelet"
        await pilot.press("escape")
        await opened(app, pilot, Ref("prod-eu", "services", "payments", "payments"), "events")
        assert "keeps no Event" in view(app, ObjectEvents)._empty


async def test_events_that_may_not_be_read_say_so(fleet: StillFleet) -> None:
    async def denied(ref: Ref) -> list[Any]:
        raise Denied("User mira cannot list events")

    fleet.events = denied  # type: ignore[method-assign]
    async with screen(fleet) as (app, pilot):
        (await opened(app, pilot, POD, "events")).pull()
        assert "cannot list events" in str(app.screen.query_one("#detail").border_title)


# -- sorting ---------------------------------------------------------------------------------------------------


async def test_health_sorts_by_severity_and_the_cursor_keeps_its_object(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 40)) as (app, pilot):
        table = app.shell.pane.table  # type: ignore[union-attr]
        assert table.sorting[0] == "name", "Applications are by name at first"
        table.move_to(PAYMENTS)
        at = [column.id for column in table.columns].index("health")
        await pilot.press("H")
        words = [table._rows.get(key).texts[at].split()[-1] for key in table.visible_keys]
        assert words == sorted(words, key=columns.severity)
        assert words[0] == "Unknown" and words[2] == "Degraded" and words[-1] == "Healthy"
        assert table.cursor_key == PAYMENTS
        await pilot.press("H")
        assert table.sorting == ("health", True) and table.cursor_key == PAYMENTS
        await pilot.press("A")
        assert table.sorting[0] in ("autoSync", "created"), "another column that starts with the letter"


async def test_a_click_on_the_first_column_of_a_tree_brings_the_tree_back(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, PAYMENTS, "resources")
        table = view(app, ResourceTable)
        before = keys(table)
        table.sort_by("health")
        assert keys(table) != before
        table.sort_by("resource")
        assert keys(table) == before


async def test_an_object_that_is_not_held_any_more_says_why(fleet: StillFleet) -> None:
    pod, cluster = Ref("prod-eu", "pods", "payments", "payments-6d4f-x7k2p"), Ref("prod-eu", CLUSTERS, "", "prod-eu")
    held = fleet.store.get(cluster)
    assert held is not None

    async with screen(fleet) as (app, pilot):
        found = await opened(app, pilot, pod, "summary")

        def title(*rows: Row, gone: tuple[Ref, ...] = ()) -> str:
            put(fleet, *rows, gone=gone)
            refresh(found)
            return str(found.query_one("#detail").border_title)

        assert title(gone=(pod,)).endswith(" · is gone; this is how it was last seen")
        denied = dict(held.obj.kinds) | {"pods": KindStatus(KindState.DENIED, "forbidden")}
        row = msgspec.structs.replace(held, obj=msgspec.structs.replace(held.obj, kinds=denied))
        assert " · cannot be read any more; " in title(row)
        assert " · no kubeconfig has prod-eu any more; " in title(gone=(cluster,))
