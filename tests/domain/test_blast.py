"""The blast radius of changed files: Applications as they stand, objects, deletions, what is unknown, confirmation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.rows import row
from tui.domain.argo.application import RESOURCE
from tui.domain.argo.generators import git_generators
from tui.domain.argo.reach import Why, repository_key
from tui.domain.argo.windows import Verdict
from tui.domain.drafts.blast import Blast, Hit, collected, confirmation, deletions, hits, touched
from tui.domain.drafts.blastfiles import Diff, FileText, Place, compare
from tui.domain.obj import Row
from tui.domain.settings import Settings

REPO = "https://git.example.test/shop/deploy.git"
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 2}
"""
SETTINGS_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n"


def place(path: str) -> Place:
    return Place(REPO, path)


def change(path: str, before: str | None, after: str | None, **more: Any) -> Diff:
    names = {key: more.pop(key) for key in ("patches", "removed_paths") if key in more}
    file = FileText(place(path), before, after, removed=before is not None and after is None and not more, **more)
    return compare(file, names.get("patches", ()), names.get("removed_paths", ()))


def how(diff: Diff) -> list[tuple[str, str]]:
    return [(f"{each.identity.kind} {each.identity.name}", each.how) for each in diff.objects]


def app(name: str, hub: str = "hub", **manifest: Any) -> Row:
    meta = {"name": name, "namespace": "argocd", **manifest.pop("metadata", {})}
    return row(hub, RESOURCE, {"metadata": meta, **manifest})


def hit(of: Row, *files: str, why: Why = "path") -> Hit:
    return Hit(of, {place(file): why for file in files})


def blast(diffs: list[Diff], found: list[Hit], known: int = 10, **more: Any) -> Blast:
    return collected(diffs, found, [touched(each, "prod", None) for each in found], known, **more)


# -- objects in files -------------------------------------------------------------------------------------------------


def test_objects_that_are_added_changed_and_deleted() -> None:
    assert how(change("a.yaml", WEB, WEB.replace("2", "3"))) == [("Deployment web", "changed")]
    assert how(change("a.yaml", WEB, WEB + "---\n" + SETTINGS_MAP)) == [("ConfigMap settings", "added")]
    diff = change("a.yaml", WEB + "---\n" + SETTINGS_MAP, SETTINGS_MAP)
    assert how(diff) == [("Deployment web", "deleted")] and diff.gone == ""
    diff = change("a.yaml", WEB, None)
    assert how(diff) == [("Deployment web", "deleted")] and diff.gone == "a.yaml"


def test_comments_and_order_change_nothing_and_types_do() -> None:
    diff = change(
        "a.yaml", WEB, "# said\n" + WEB.replace("{name: web, namespace: shop}", "{namespace: shop, name: web}")
    )
    assert (how(diff), diff.note) == ([], "")
    flag = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: true\n"
    assert how(change("a.yaml", flag, flag.replace("true", "1"))) == [("ConfigMap a", "changed")]


def test_items_of_a_list_are_objects_and_skipped_files_hold_none() -> None:
    items = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: web}}\n"
    assert how(change("a.yaml", items, "apiVersion: v1\nkind: List\nitems: []\n")) == [("Service web", "deleted")]
    assert how(change("a.yaml", WEB, WEB + "# +argocd:skip-file-rendering\n")) == [("Deployment web", "deleted")]


def test_patches_change_objects_and_delete_them_only_when_they_say_so() -> None:
    assert how(change("p.yaml", WEB, None, patches={"p.yaml"})) == [("Deployment web", "changed")]
    assert how(change("p.yaml", None, WEB, patches={"p.yaml"})) == [("Deployment web", "changed")]
    drop = WEB + "$patch: delete\n"
    assert how(change("p.yaml", WEB, drop, patches={"p.yaml"})) == [("Deployment web", "deleted")]
    assert how(change("p.yaml", drop, None, patches={"p.yaml"})) == [("Deployment web", "changed")]


@pytest.mark.parametrize(
    ("path", "before", "after", "note"),
    [
        ("templates/web.yaml", "{{- if .x }}\na: 1\n{{- end }}", "{{- if .x }}\na: 2\n{{- end }}", "a template"),
        ("values.yaml", "replicas: 2\n", "replicas: 3\n", "values: which objects"),
        ("kustomization.yaml", "images: []\n", "images: [{name: x}]\n", "a kustomization: which objects"),
        ("web.yaml", "a: [", "a: 1", "not YAML"),
        ("config.txt", "a", "b", "no manifest"),
    ],
)
def test_objects_that_cannot_be_named_are_said_to_be_unknown(path: str, before: str, after: str, note: str) -> None:
    diff = change(path, before, after)
    assert note in diff.note and not diff.objects
    found = blast([diff], [hit(app("web"), path)])
    assert len(found.unknown) == 1 and path in found.unknown[0] and not found.deleted


def test_files_that_no_application_reads_are_nothing_to_know() -> None:
    assert blast([change("README.md", "a", "b")], []).unknown == ()


def test_a_file_that_cannot_be_read_is_unknown_and_still_removed() -> None:
    diff = compare(FileText(place("a.yaml"), None, None, removed=True, problem="larger than 10 MB"))
    found = blast([diff], [hit(app("web"), "a.yaml")])
    assert "larger than 10 MB" in found.unknown[0] and [each.what for each in found.deleted] == ["file"]


def test_what_a_kustomization_no_longer_lists_or_generates_is_deleted() -> None:
    before = "resources: [web.yaml, old.yaml, ../base]\nconfigMapGenerator: [{name: settings}, {name: kept}]\n"
    after = "resources: [new.yaml]\nconfigMapGenerator: [{name: kept, literals: [a=b]}]\n"
    diff = change("shop/kustomization.yaml", before, after, removed_paths={"shop/old.yaml"})
    assert diff.unlisted == ("shop/web.yaml", "base")
    assert how(diff) == [("ConfigMap settings", "deleted")]
    assert deletions(blast([diff], [])) == "3 objects"


# -- moves ------------------------------------------------------------------------------------------------------------


def moved(old: str, new: str, after: str = WEB) -> list[Diff]:
    return [change(old, WEB, None, moved=True), change(new, None, after)]


def test_an_object_that_moves_within_its_applications_is_not_deleted() -> None:
    web = app("web")
    found = blast(moved("a/x.yaml", "a/y.yaml"), [hit(web, "a/x.yaml", "a/y.yaml")])
    assert (found.objects, found.deleted) == ((), ())
    found = blast(moved("a/x.yaml", "a/y.yaml", WEB.replace("2", "3")), [hit(web, "a/x.yaml", "a/y.yaml")])
    assert [each.how for each in found.objects] == ["changed"] and not found.deleted


def test_an_object_that_moves_to_another_application_is_deleted_from_the_first() -> None:
    found = blast(moved("a/x.yaml", "b/x.yaml"), [hit(app("a"), "a/x.yaml"), hit(app("b"), "b/x.yaml")])
    assert {(each.how, each.file) for each in found.objects} == {("added", "b/x.yaml"), ("deleted", "a/x.yaml")}
    assert [each.file for each in found.deleted] == ["a/x.yaml"]


def test_without_applications_a_move_to_another_folder_may_delete() -> None:
    assert blast(moved("a/x.yaml", "a/y.yaml"), [], known=0).deleted == ()
    assert len(blast(moved("a/x.yaml", "b/x.yaml"), [], known=0).deleted) == 1
    assert len(blast(moved("a/x.yaml", "a/x.yaml.off"), [], known=0).deleted) == 1


# -- Applications -----------------------------------------------------------------------------------------------------


def test_an_application_as_it_stands() -> None:
    policy = {"automated": {"prune": True, "selfHeal": True}}
    status = {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}}
    on = touched(hit(app("web", spec={"syncPolicy": policy}, status=status), "a.yaml"), "prod?", None)
    assert (on.hub, on.namespace, on.name, on.cluster) == ("hub", "argocd", "web", "prod?")
    assert (on.auto_sync, on.prune, on.self_heal, on.health, on.sync) == (True, True, True, "Degraded", "OutOfSync")
    assert (on.window, on.until, [(r.file, r.why) for r in on.reasons]) == ("unknown", None, [("a.yaml", "path")])
    off = {"automated": {"prune": True, "enabled": False}}
    for spec in ({}, {"syncPolicy": off}):
        now = touched(hit(app("web", spec=spec), "a.yaml"), "prod", None)
        assert (now.auto_sync, now.prune, now.health) == (False, False, "Unknown")


@pytest.mark.parametrize(
    ("allowed", "manual", "window"),
    [(True, True, "open"), (False, True, "manual"), (False, False, "closed"), (None, False, "unknown")],
)
def test_sync_windows(allowed: bool | None, manual: bool, window: str) -> None:
    found = touched(hit(app("web"), "a"), "prod", Verdict(allowed, manual, 1234.0, ()))
    assert (found.window, found.until) == (window, 1234.0)


def declared(kind: str, name: str, **more: Any) -> str:
    import json

    return json.dumps(
        {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name, **more}, "spec": {"a": 1}}
    )


def claimed(kind: str, name: str, rows: list[Row], reached: list[Hit] | None = None, **more: Any) -> dict[str, str]:
    text = declared(kind, name, **more)
    diffs = [change("apps/x.yaml", text, text.replace("1}", "2}"))]
    places = {at: "hub" for at in range(len(reached or []))}
    found = hits(reached or [], diffs, rows, places)
    return {f"{each.row.ref.cluster}/{each.row.ref.name}": next(iter(each.why.values())) for each in found}


def test_an_edited_application_set_or_project_touches_its_applications() -> None:
    made = {"ownerReferences": [{"kind": "ApplicationSet", "name": "shops", "uid": "u"}]}
    rows = [app("web", spec={"project": "shop"}), app("eu", metadata=made), app("us", metadata=made), app("other")]
    assert claimed("Application", "web", rows) == {"hub/web": "manifest"}
    assert claimed("ApplicationSet", "shops", rows) == {"hub/eu": "set", "hub/us": "set"}
    assert claimed("AppProject", "shop", rows) == {"hub/web": "project"}
    assert claimed("AppProject", "default", rows[1:]) == {
        "hub/eu": "project",
        "hub/us": "project",
        "hub/other": "project",
    }
    assert claimed("Application", "web", rows, namespace="elsewhere") == {}
    assert claimed("Rollout", "web", rows) == {}


def test_the_hub_that_the_parent_deploys_to_is_meant() -> None:
    rows = [app("web"), app("web", hub="other")]
    assert set(claimed("Application", "web", rows)) == {"hub/web", "other/web"}
    parent = hit(app("apps"), "apps/x.yaml")
    assert set(claimed("Application", "web", rows, [parent])) == {"hub/apps", "hub/web"}


@pytest.mark.parametrize(
    ("git", "live", "note"),
    [
        (["resources-finalizer.argocd.argoproj.io"], [], "its finalizer deletes everything it deployed, 2 objects"),
        ([], ["resources-finalizer.argocd.argoproj.io/background"], "its finalizer deletes everything"),
        ([], ["foregroundDeletion"], "it has no finalizer: what it deployed stays, 2 objects"),
    ],
)
def test_an_application_that_goes_says_whether_it_takes_its_objects_along(
    git: list[str], live: list[str], note: str
) -> None:
    status = {"resources": [{"kind": "Service", "name": "a"}, {"kind": "Service", "name": "b"}]}
    row = app("web", metadata={"finalizers": live}, status=status)
    diff = change("apps/web.yaml", declared("Application", "web", finalizers=git), None)
    found = blast([diff], hits([], [diff], [row], {}))
    assert [(each.what, each.note.startswith(note)) for each in found.deleted] == [
        ("Application", True),
        ("file", False),
    ]
    assert deletions(found) == "1 Application, 1 file"


def test_an_applicationset_that_goes_takes_its_applications_along() -> None:
    made = {"ownerReferences": [{"kind": "ApplicationSet", "name": "shops", "uid": "u"}]}
    rows = [app("eu", metadata=made), app("us", metadata=made)]
    diff = change("apps/x.yaml", declared("ApplicationSet", "shops"), None)
    found = blast([diff], hits([], [diff], rows, {}))
    assert found.deleted[0].note == "its 2 Applications go with it, with everything they deployed"


# -- counting ---------------------------------------------------------------------------------------------------------


def test_a_workload_counts_for_every_application_that_deploys_it() -> None:
    diff = change(
        "base/web.yaml", WEB + "---\n" + SETTINGS_MAP, WEB.replace("2", "3") + "---\n" + SETTINGS_MAP + "x: 1\n"
    )
    found = [hit(app(name), "base/web.yaml", why="base") for name in ("eu", "us")]
    found.append(hit(app("watching"), "base/web.yaml", why="watched"))
    made = blast([diff], found)
    assert made.workloads == 2 and [each.kind for each in made.objects] == ["Deployment", "ConfigMap"]
    assert (len(made.applications), made.clusters, made.share) == (3, ("prod",), 0.3)


def test_without_known_applications_the_share_is_unknown_and_not_zero() -> None:
    made = blast([change("a.yaml", WEB, None)], [], known=0)
    assert made.share is None and "no Application is known" in made.unknown[-1]
    assert made.workloads == 1 and deletions(made) == "1 object, 1 file"


def test_prune_false_is_told() -> None:
    kept = WEB.replace(
        "namespace: shop", "annotations: {argocd.argoproj.io/sync-options: 'Validate=false, Prune=false'}"
    )
    assert "stays in the cluster" in blast([change("a.yaml", kept, None)], []).deleted[0].note


# -- confirmation -----------------------------------------------------------------------------------------------------


def radius(touching: int, known: int, delete: bool = False) -> Blast:
    diff = change("a.yaml", WEB, None if delete else WEB.replace("2", "3"))
    return blast([diff], [hit(app(f"app-{number}"), "a.yaml") for number in range(touching)], known)


@pytest.mark.parametrize(
    ("touching", "known", "share", "asked"),
    [
        (2, 8, 0.25, False),
        (3, 8, 0.25, True),
        (1, 2, 0.25, False),  # one alone is never a large share
        (1, 2, 0.0, True),
        (0, 5, 0.0, False),
        (8, 8, 1.0, False),
        (0, 0, 0.25, False),
    ],
)
def test_a_large_share_must_be_typed(touching: int, known: int, share: float, asked: bool) -> None:
    found = confirmation(radius(touching, known), Settings(confirm_share=share), "more-web")
    assert (found is not None) is asked
    if found is not None:
        assert found.word == "more-web" and f"{touching} of {known} Applications" in found.reasons[0]


def test_a_deletion_must_be_typed_whatever_the_share() -> None:
    found = confirmation(radius(2, 100, delete=True), Settings(confirm_share=1.0), "more-web")
    assert found is not None and found.reasons == ("2 objects, 1 file deleted",)


# -- generators -------------------------------------------------------------------------------------------------------


def test_git_generators_read_files_and_folders_also_inside_others() -> None:
    git = {
        "repoURL": REPO,
        "revision": "main",
        "files": [{"path": "clusters/**/config.json"}],
        "directories": [{"path": "apps/*"}, {"path": "apps/skip", "exclude": True}],
    }
    (found,) = git_generators([{"list": {}}, {"matrix": {"generators": [{"git": git}, {"list": {}}]}}])
    assert (found.repo, found.revision) == (repository_key(REPO), "main")
    assert found.reads("clusters/eu/prod/config.json") and not found.reads("clusters/eu/x.json")
    assert [found.folder(path) for path in ("apps/web", "apps/web/deep", "apps/skip", "apps")] == [
        True,
        False,
        False,
        False,
    ]
