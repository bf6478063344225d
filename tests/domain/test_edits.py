"""The form edits: what they offer, what they do to the text, what they say about it."""

from __future__ import annotations

from typing import Any

import pytest

from tui.domain.edits import EDITS, kind_of, offered
from tui.domain.edits.images import parse
from tui.domain.yamledit import Refused, get_value

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  template:
    spec:
      initContainers:
      - name: init
        image: registry:5000/tools/init@sha256:0123456789abcdef0123456789abcdef
      containers:
      - name: app  # ours
        image: "nginx:1.27"
"""
KUSTOMIZATION = """\
resources:
- ../../base
images:
- name: nginx
  newTag: "1.27"
- name: redis
  digest: sha256:0123456789abcdef0123456789abcdef
replicas:
- name: web
  count: 2
"""
VALUES = """\
replicaCount: 1
image:
  repository: shop/web
  tag: ""
worker:
  replicas: 2
  image: shop/worker:1.0
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  source:
    repoURL: https://git.example/shop.git
    path: apps/shop
    targetRevision: main
  syncPolicy:
    automated:
      prune: true # keep tidy
    syncOptions: [CreateNamespace=true]
"""


def run(edit: str, text: str, file: str = "", **values: str) -> tuple[set[str], set[str], list[str]]:
    """Lines taken away, lines added, and what the edit says about it."""
    document = get_value(text)
    kind = kind_of(document, file)
    words = {name.replace("_", "-"): value for name, value in values.items()}
    edited = EDITS[edit].apply(text, None, kind, words)
    assert edited.undo() == text
    before, after = set(text.splitlines()), set(edited.text.splitlines())
    return before - after, after - before, EDITS[edit].describe(kind, document, get_value(edited.text))


def fields(edit: str, text: str, file: str = "", **chosen: str) -> dict[str, str]:
    document = get_value(text)
    return {field.name: field.value for field in EDITS[edit].fields(kind_of(document, file), document, chosen)}


def ids(text: str, file: str = "") -> list[str]:
    return [edit.id for edit in offered(get_value(text), file)]


def test_each_document_is_offered_what_fits() -> None:
    assert ids(DEPLOYMENT) == ["image", "replicas", "metadata"]
    assert ids(KUSTOMIZATION) == ["image", "replicas"]
    assert ids(VALUES, "chart/values.yaml") == ["image", "replicas"]
    assert ids(APPLICATION) == ["revision", "auto-sync", "metadata"]
    assert ids("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n") == ["metadata"]
    assert ids("- 1\n") == [] and ids("name: x\nversion: 1.0.0\n", "x/Chart.yaml") == []


def test_a_container_gets_another_tag() -> None:
    assert fields("image", DEPLOYMENT, where="app") == {"where": "app", "tag": "1.27"}
    assert run("image", DEPLOYMENT, where="app", tag="1.28") == (
        {'        image: "nginx:1.27"'},
        {'        image: "nginx:1.28"'},
        ["set image nginx 1.27 → 1.28"],
    )
    _, added, _ = run("image", DEPLOYMENT, where="init", tag="v2")
    assert added == {"        image: registry:5000/tools/init:v2"}
    with pytest.raises(Refused, match="app, init"):
        run("image", DEPLOYMENT, tag="1")
    for wrong in ("", "a b", "x/y", "-v", "a:b"):
        with pytest.raises(Refused):
            run("image", DEPLOYMENT, where="app", tag=wrong)


def test_kustomize_images_are_set_added_and_unpinned() -> None:
    assert run("image", KUSTOMIZATION, where="nginx", tag="1.28") == (
        {'  newTag: "1.27"'},
        {'  newTag: "1.28"'},
        ["set image nginx 1.27 → 1.28"],
    )
    gone, added, _ = run("image", KUSTOMIZATION, where="redis", tag="8")
    assert gone == {"  digest: sha256:0123456789abcdef0123456789abcdef"} and added == {'  newTag: "8"'}
    gone, added, said = run("image", KUSTOMIZATION, where="busybox", tag="1.37")
    assert (gone, added, said) == (set(), {"- name: busybox", '  newTag: "1.37"'}, ["set image busybox to 1.37"])
    assert run("image", "resources: [x.yaml]\n", where="a", tag="b")[1] == {"images:", "- name: a", "  newTag: b"}


def test_values_hold_images_and_replicas_in_many_places() -> None:
    assert fields("image", VALUES, "values.yaml") == {"where": "image", "tag": ""}
    assert run("image", VALUES, "values.yaml", where="image", tag="2.0")[:2] == ({'  tag: ""'}, {'  tag: "2.0"'})
    assert run("image", VALUES, "values.yaml", where="worker.image", tag="1.1")[1] == {"  image: shop/worker:1.1"}
    assert run("replicas", VALUES, "values.yaml", where="worker.replicas", replicas="4") == (
        {"  replicas: 2"},
        {"  replicas: 4"},
        ["raise replicas of worker.replicas 2 → 4"],
    )


def test_replicas() -> None:
    assert run("replicas", DEPLOYMENT, replicas="3")[1:] == ({"  replicas: 3"}, ["set replicas none → 3"])
    assert run("replicas", KUSTOMIZATION, where="web", replicas="0")[1:] == (
        {"  count: 0"},
        ["lower replicas of web 2 → 0"],
    )
    assert run("replicas", KUSTOMIZATION, where="db", replicas="1")[1] == {"- name: db", "  count: 1"}
    for wrong in ("", "-1", "1.5", "many", "٣", "99999999999"):
        with pytest.raises(Refused):
            run("replicas", DEPLOYMENT, replicas=wrong)


def test_target_revision_of_one_and_of_several_sources() -> None:
    assert run("revision", APPLICATION, revision="v1.2.0") == (
        {"    targetRevision: main"},
        {"    targetRevision: v1.2.0"},
        ["deploy revision main → v1.2.0"],
    )
    assert run("revision", APPLICATION, revision="1.10")[1] == {'    targetRevision: "1.10"'}
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  sources:\n"
    text += "  - {chart: redis, targetRevision: 1.0.0}\n"
    text += "  - repoURL: https://git.example/x.git\n    ref: values\n"
    assert fields("revision", text) == {"where": "redis", "revision": "1.0.0"}
    _, added, said = run("revision", text, where="values", revision="main")
    assert added == {"    targetRevision: main"} and said == ["deploy revision none → main of values"]
    for wrong in ("", "--upload-pack=x", "a b", "a\n"[:1] + "\x1b"):
        with pytest.raises(Refused):
            run("revision", APPLICATION, revision=wrong)


def test_auto_sync_off_and_on_keeps_prune() -> None:
    assert fields("auto-sync", APPLICATION)["auto-sync"] == "on"
    gone, added, said = run("auto-sync", APPLICATION, auto_sync="off")
    assert (gone, added, said) == (set(), {"      enabled: false"}, ["turn auto-sync off"])
    off = EDITS["auto-sync"].apply(APPLICATION, None, "Application", {"auto-sync": "off"}).text
    assert fields("auto-sync", off)["auto-sync"] == "off"
    assert run("auto-sync", off, auto_sync="on", self_heal="on") == (
        {"      enabled: false"},
        {"      enabled: true", "      selfHeal: true"},
        ["turn auto-sync on", "turn self-heal on"],
    )
    gone, added, _ = run("auto-sync", APPLICATION, auto_sync="off", method="remove")
    assert added == set() and gone == {"    automated:", "      prune: true # keep tidy"}
    bare = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  project: default\n"
    assert run("auto-sync", bare, auto_sync="on")[1] == {"  syncPolicy:", "    automated: {}"}
    assert run("auto-sync", bare, auto_sync="off")[:2] == (set(), set())


def test_labels_and_annotations_stay_strings() -> None:
    _, added, said = run("metadata", DEPLOYMENT, what="label", key="canary", value="true")
    assert added == {'  labels: {app: web, canary: "true"}'} and said == ["set label canary to true"]
    _, added, said = run("metadata", DEPLOYMENT, what="annotation", key="a.example/b", value="x: y\nz")
    assert added == {"  annotations:", "    a.example/b: |-", "      x: y", "      z"}
    assert said == ["set annotation a.example/b to x: y z"]
    _, added, said = run("metadata", DEPLOYMENT, key="app", remove="yes")
    assert added == {"  labels: {}"} and said == ["remove label app"]
    assert run("metadata", DEPLOYMENT, key="nothing", remove="yes")[:2] == (set(), set())
    for key, value in (
        ("", "x"),
        ("a b", "x"),
        ("-a", "x"),
        ("A_B/c", "x"),
        ("a", "x y"),
        ("a" * 64, "x"),
        ("a/", "x"),
    ):
        with pytest.raises(Refused):
            run("metadata", DEPLOYMENT, key=key, value=value)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("nginx", ("nginx", "", "")),
        ("localhost:5000/a/b", ("localhost:5000/a/b", "", "")),
        ("localhost:5000/a:1@sha256:ab", ("localhost:5000/a", "1", "sha256:ab")),
    ],
)
def test_references_come_apart_and_together(image: str, parts: tuple[str, str, str]) -> None:
    found = parse(image)
    assert (found.name, found.tag, found.digest) == parts and str(found) == image


def test_a_broken_document_has_no_current_values() -> None:
    for broken in (
        {"kind": "Deployment", "apiVersion": "v1", "spec": []},
        {"images": 3, "resources": "x"},
        {"spec": None},
    ):
        for edit in EDITS.values():
            document: dict[str, Any] = broken
            kind = kind_of(document)
            assert isinstance(edit.fields(kind, document, {}), tuple)
            assert edit.describe(kind, document, document) == []
