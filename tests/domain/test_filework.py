"""Files and objects made, removed and renamed, worked out as texts."""

from __future__ import annotations

import pytest

from tui.domain.drafts.model import Operation
from tui.domain.objects import files as filework
from tui.domain.yamledit import Refused

ABOUT = Operation("", application="web", cluster="prod-eu")
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
KUSTOMIZATION = "resources:\n  - a.yaml\n  - web.yaml\n"


def did(work: filework.Work) -> list[tuple[str, str, str]]:
    return [(operation.op, operation.file, operation.object) for operation in work.operations]


def test_a_new_file_is_listed() -> None:
    work = filework.create("apps/web.yaml", SERVICE, ABOUT, {"apps/kustomization.yaml": "resources:\n  - a.yaml\n"})
    assert work.files == {"apps/web.yaml": SERVICE, "apps/kustomization.yaml": KUSTOMIZATION}
    assert did(work)[0] == ("create", "apps/web.yaml", "Service shop/web")
    assert {operation.application for operation in work.operations} == {"web"}
    assert work.notes == ("listed in apps/kustomization.yaml",)


@pytest.mark.parametrize(("path", "words"), [("c/templates/x.yaml", "every release"), ("c/x.yaml", "does not render")])
def test_a_new_file_in_a_chart_is_warned_of(path: str, words: str) -> None:
    assert words in filework.create(path, SERVICE, ABOUT, chart="c").notes[0]


def test_an_object_joins_a_file() -> None:
    work = filework.append("all.yaml", SERVICE, CONFIG, ABOUT)
    assert work.files == {"all.yaml": SERVICE + "---\n" + CONFIG}
    assert [(operation.doc, operation.object) for operation in work.operations] == [("1", "ConfigMap web")]


def test_an_object_goes_with_its_document_only() -> None:
    text = SERVICE + "---\n# of the config\n" + CONFIG
    work = filework.remove_object("apps/web.yaml", text, 0, ABOUT, {"apps/kustomization.yaml": KUSTOMIZATION})
    assert work.files == {"apps/web.yaml": "# of the config\n" + CONFIG}
    assert did(work) == [("remove", "apps/web.yaml", "Service shop/web")]


def test_the_last_object_of_a_file_takes_the_file_and_its_entries() -> None:
    listings = {
        "apps/kustomization.yaml": KUSTOMIZATION,
        "over/kustomization.yaml": "patches:\n- path: ../apps/web.yaml\n",
    }
    work = filework.remove_object("apps/web.yaml", SERVICE, 0, ABOUT, listings)
    assert work.files["apps/web.yaml"] is None
    assert work.files["apps/kustomization.yaml"] == "resources:\n  - a.yaml\n"
    assert work.files["over/kustomization.yaml"] == "patches: []\n"
    assert [one[0] for one in did(work)] == ["remove", "delete", "delete"]
    assert [note for note in work.notes if "nothing left" in note] == [
        "over/kustomization.yaml has nothing left: kustomize refuses an empty kustomization"
    ]


def test_an_item_of_a_list_goes() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- kind: A\n  metadata: {name: a}\n- kind: B\n  metadata: {name: b}\n"
    work = filework.remove_object("l.yaml", text, 0, ABOUT, {}, "items[0]")
    assert work.files == {"l.yaml": "apiVersion: v1\nkind: List\nitems:\n- kind: B\n  metadata: {name: b}\n"}
    alone = "kind: List\nitems:\n- kind: A\n  metadata: {name: a}\n"
    assert filework.remove_object("l.yaml", alone, 0, ABOUT, {}, "items[0]").files == {"l.yaml": None}


def test_what_names_a_file_follows_it() -> None:
    application = (
        "kind: Application\nspec:\n  source:\n    path: charts/web\n    helm:\n      valueFiles:\n"
        "        - ../../values/web.yaml  # ours\n        - /values/web.yaml\n        - other.yaml\n"
    )
    work = filework.rename_file(
        "values/web.yaml", "values/prod/web.yaml", "a: 1\n", ABOUT,
        {"values/kustomization.yaml": "configMapGenerator:\n- files: [web.yaml]\n"}, {"argocd/web.yaml": application},
    )  # fmt: skip
    assert work.files == {
        "values/web.yaml": None,
        "values/prod/web.yaml": "a: 1\n",
        "values/kustomization.yaml": "configMapGenerator:\n- files: [prod/web.yaml]\n",
        "argocd/web.yaml": application.replace("../../values/web", "../../values/prod/web").replace(
            " /values/web", " /values/prod/web"
        ),
    }


def test_an_object_gets_another_name() -> None:
    work = filework.rename_object("web.yaml", SERVICE, 0, "shop-web", ABOUT)
    assert work.files == {"web.yaml": SERVICE.replace("name: web", "name: shop-web", 1)}
    (done,) = work.operations
    assert (done.op, done.path, done.old, done.new, done.object) == (
        "rename", "metadata.name", "web", "shop-web", "Service shop/web",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "Web", "a b", "-x"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(Refused, match=r"web\.yaml: .* is no name"):
        filework.rename_object("web.yaml", SERVICE, 0, name, ABOUT)


def test_who_mentions_an_object_is_told() -> None:
    texts = {
        "kustomization.yaml": "patches:\n- target: {kind: Deployment, name: web}\n"
        "- target: {kind: Service, name: web}\nreplicas:\n- name: web\n  count: 1\n",
        "hpa.yaml": "kind: HorizontalPodAutoscaler\nspec:\n  scaleTargetRef:\n    kind: Deployment\n    name: web\n",
        "ingress.yaml": "kind: Ingress\nspec:\n  backend:\n    service:\n      name: web\n",
        "web.yaml": "kind: Deployment\nmetadata:\n  name: web\n",
        "bad.yaml": "a: [web\n",
    }
    assert filework.mentions(texts, "Deployment", "web") == [
        "hpa.yaml:5: spec.scaleTargetRef.name",
        "kustomization.yaml:2: patches[0].target.name",
        "kustomization.yaml:5: replicas[0].name",
    ]
    assert filework.mentions(texts, "Service", "web") == [
        "ingress.yaml:5: spec.backend.service.name",
        "kustomization.yaml:3: patches[1].target.name",
        "kustomization.yaml:5: replicas[0].name",
    ]


NAMES = {"": ["apps", "README.md"], "apps": ["web.yaml", "Sub"], "apps/Sub": []}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("apps/web.yaml", "there already"),
        ("apps/Web.yaml", "upper and lower case"),
        ("Apps/new.yaml", "upper and lower case"),
        ("apps/sub/new.yaml", "upper and lower case"),
        ("../x.yaml", "no path"),
        ("a/.git/x", "no path"),
        (" ", "no path"),
        ("a//b.yaml", "no path"),
    ],
)
def test_paths_that_are_refused(path: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        filework.check_path(path, NAMES)


def test_a_free_path() -> None:
    assert filework.check_path(" /apps/Sub/new.yaml", NAMES) == "apps/Sub/new.yaml"
    assert filework.check_path("new/folder/x.yaml", NAMES) == "new/folder/x.yaml"


def test_a_kustomization_is_not_moved() -> None:
    with pytest.raises(Refused, match="relative to its folder"):
        filework.rename_file("a/kustomization.yaml", "b/kustomization.yaml", "resources: []\n", ABOUT, {})
