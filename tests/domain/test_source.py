"""From an Application and a repository's texts to the place that declares an object."""

from __future__ import annotations

from typing import Any

import pytest

from tui.domain.source import Identity, SourcePlan, detect_tool, find, plan, plans, wanted
from tui.domain.source.planning import clean, glob

WEB = Identity("apps", "Deployment", "shop", "web")


def application(**source: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {
            "source": {
                "repoURL": "https://git.example/shop.git",
                "targetRevision": "main",
                "path": "apps/shop",
                **source,
            },
            "destination": {"namespace": "shop"},
        },
        "status": {"sync": {"revision": "abc"}},
    }


def read(source: SourcePlan, repository: dict[str, str]) -> dict[str, str]:
    """What a caller does: give what is wanted until nothing is."""
    files: dict[str, str] = {}
    for _ in range(10):
        missing = wanted(source, files, repository)
        if not missing:
            return files
        files |= {path: repository[path] for path in missing}
    raise AssertionError("wanted never came to an end")


def manifest(kind: str, name: str, api: str = "v1", **metadata: str) -> str:
    fields = "".join(f"  {key}: {value}\n" for key, value in metadata.items())
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{fields}"


def test_a_plan_says_where_to_look() -> None:
    found = plan(application(path="./apps//shop/", directory={"recurse": True, "exclude": "x/*"}))
    assert (found.repo_url, found.revision, found.path) == ("https://git.example/shop.git", "main", "apps/shop")
    assert (found.tool, found.deployed, found.recurse, found.exclude) == ("directory", "abc", True, "x/*")
    assert plan(application()).tool == "unknown"
    assert plan({**application(), "status": {"sourceType": "Kustomize"}}).tool == "kustomize"
    assert plan(application(chart="redis")).tool == "chart"
    assert plan(application(plugin={})).tool == "plugin"


@pytest.mark.parametrize(("path", "expected"), [("a/b", "a/b"), (".", ""), ("../../x", "x"), ("/a/../b/", "b")])
def test_paths_stay_inside_the_repository(path: str, expected: str) -> None:
    assert clean(path) == expected


def test_a_directory_is_exact() -> None:
    repository = {
        "apps/shop/web.yaml": manifest("Service", "web") + "---\n" + manifest("Deployment", "web", "apps/v1"),
        "apps/shop/other.yaml": manifest("Deployment", "web", "apps/v1", namespace="else"),
        "apps/shop/deep/web.yaml": manifest("Deployment", "web", "apps/v1"),
        "apps/shop/skip.yaml": "# +argocd:skip-file-rendering\n" + manifest("Deployment", "web", "apps/v1"),
        "apps/shop/web.txt": manifest("Deployment", "web", "apps/v1"),
    }
    source = plan(application())
    (only,) = find(source, read(source, repository), WEB)
    assert (only.file, only.doc, only.line, only.confidence) == ("apps/shop/web.yaml", 1, 6, "exact")
    elsewhere = find(source, repository, Identity("apps", "Deployment", "else", "web"))
    assert [candidate.file for candidate in elsewhere] == ["apps/shop/other.yaml"]
    recursing = plan(application(directory={"recurse": True}))
    assert [c.file for c in find(recursing, repository, WEB)] == ["apps/shop/web.yaml", "apps/shop/deep/web.yaml"]
    assert find(source, repository, Identity("apps", "Deployment", "shop", "we")) == []


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ("", "", {"a.yaml", "d/b.yml", "d/c.json"}),
        ("*.yaml", "", {"a.yaml"}),
        ("{a,d/c}.*", "", {"a.yaml", "d/c.json"}),
        ("", "d/*", {"a.yaml"}),
        ("*", "*.y?ml", {"d/b.yml", "d/c.json"}),
        ("[!d]*", "", {"a.yaml"}),
    ],
)
def test_include_and_exclude(include: str, exclude: str, expected: set[str]) -> None:
    source = plan(application(directory={"recurse": True, "include": include, "exclude": exclude}))
    listing = ["apps/shop/a.yaml", "apps/shop/d/b.yml", "apps/shop/d/c.json", "apps/shop/x.txt", "apps/shopping/a.yaml"]
    assert wanted(source, {}, listing) == {f"apps/shop/{name}" for name in expected}


def test_a_glob_that_makes_no_sense_matches_itself() -> None:
    assert glob("[a").fullmatch("[a") and glob("{a,{b}").fullmatch("b")


def test_items_of_a_list_are_objects() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: web}\n"
    (only,) = find(plan(application()), {"apps/shop/l.yaml": text}, Identity("", "Service", "shop", "web"))
    assert (only.path, only.line, only.confidence) == ("items[0]", 4, "exact")


def test_an_unreadable_file_that_holds_the_name_is_offered_as_a_file() -> None:
    text = "kind: Deployment\nmetadata:\n  name: {{ web }}\n bad: [\n"
    (only,) = find(plan(application()), {"apps/shop/t.yaml": text}, WEB)
    assert only.confidence == "file" and only.doc is None and only.line == 3


KUSTOMIZED = {
    "apps/shop/kustomization.yaml": """\
namePrefix: prod-
namespace: shop
resources:
- ../../base
patches:
- path: web.yaml
- target: {kind: Deployment, name: w.*}
  patch: |
    - op: replace
      path: /spec/replicas
      value: 3
images:
- name: nginx
  newTag: "1.2"
replicas:
- name: web
  count: 3
configMapGenerator:
- name: settings
  literals: [a=b]
""",
    "apps/shop/web.yaml": manifest("Deployment", "web", "apps/v1"),
    "base/kustomization.yaml": "resources: [web.yaml, https://git.example/x.git//y, ../loop]\n",
    "base/web.yaml": manifest("Service", "web") + "---\n" + manifest("Deployment", "web", "apps/v1", namespace="any"),
    "loop/kustomization.yaml": "resources: [../base]\n",
}


def test_kustomize_offers_the_overlay_first() -> None:
    source = plan(application())
    files = read(source, KUSTOMIZED)
    assert files.keys() == KUSTOMIZED.keys()
    found = find(source, files, Identity("apps", "Deployment", "shop", "prod-web"))
    assert [(c.file, c.role, c.line, c.path) for c in found] == [
        ("apps/shop/kustomization.yaml", "patch", 7, "patches[1]"),
        ("apps/shop/web.yaml", "patch", 1, ""),
        ("apps/shop/kustomization.yaml", "overlay", 16, "replicas[0]"),
        ("base/web.yaml", "manifest", 6, ""),
    ]
    assert found[-1].confidence == "exact" and "named web here" in found[-1].note
    assert "images nginx" in found[2].note
    service = find(source, files, Identity("", "Service", "shop", "prod-web"))
    assert [(c.file, c.role) for c in service] == [
        ("apps/shop/kustomization.yaml", "overlay"),
        ("base/web.yaml", "manifest"),
    ]
    (settings,) = find(source, files, Identity("", "ConfigMap", "shop", "prod-settings-6fh5d8k2mt"))
    assert settings.path == "configMapGenerator[0]"
    (nothing,) = find(source, files, Identity("", "Service", "shop", "other"))
    assert nothing.confidence == "file" and "git.example/x.git" in nothing.note


def test_helm_offers_values_before_templates() -> None:
    chart = {
        "apps/shop/Chart.yaml": "name: shop\n",
        "apps/shop/values.yaml": "image: {}\nweb:\n  replicas: 1\n",
        "apps/shop/values-prod.yaml": "web:\n  replicas: 2\n",
        "apps/shop/templates/web-deployment.yaml": "{{ if true }}\nkind: Deployment\n",
        "apps/shop/templates/service.yaml": "kind: Service\n",
        "apps/shop/templates/jobs-deployment.yaml": "kind: Deployment\n",
    }
    source = plan(application(helm={"valueFiles": ["values-prod.yaml"], "parameters": [{"name": "a", "value": "b"}]}))
    found = find(source, read(source, chart), Identity("apps", "Deployment", "shop", "shop-web"), chart)
    assert [(c.file, c.line, c.path) for c in found] == [
        ("", 0, "spec.source.helm.parameters"),
        ("apps/shop/values-prod.yaml", 1, "web"),
        ("apps/shop/values.yaml", 2, "web"),
        ("apps/shop/templates/web-deployment.yaml", 2, ""),
        ("apps/shop/templates/jobs-deployment.yaml", 1, ""),
    ]
    assert {c.confidence for c in found} == {"likely"}


def test_several_sources_and_references() -> None:
    app = application()
    app["spec"]["sources"] = [
        {"repoURL": "https://charts.example", "chart": "redis", "helm": {"valueFiles": ["$values/redis/prod.yaml"]}},
        {"repoURL": "https://git.example/values.git", "targetRevision": "v1", "ref": "values"},
        {"repoURL": "https://git.example/x.git", "path": "x"},
    ]
    app["status"] = {"sync": {"revisions": ["1", "2", "3"]}, "sourceTypes": ["Helm", "Directory", "Directory"]}
    first, second = plans(app)
    assert (first.tool, first.spot, first.deployed) == ("chart", "spec.sources[0]", "1")
    assert (second.tool, second.path, second.deployed) == ("directory", "x", "3")
    (values,) = first.value_files
    assert (values.key, values.path, values.revision) == ("$values/redis/prod.yaml", "redis/prod.yaml", "v1")
    assert wanted(first, {}, []) == {"$values/redis/prod.yaml"}
    (only,) = find(first, {values.key: "replicas: 1\n"}, WEB)
    assert only.file == values.key


def test_a_hydrator_is_edited_where_it_reads() -> None:
    app = application()
    app["spec"]["sourceHydrator"] = {"drySource": {"repoURL": "r", "path": "dry", "targetRevision": "main"}}
    assert plan(app).path == "dry" and plan(app).spot == "spec.sourceHydrator.drySource"


def test_an_application_is_found_like_any_object() -> None:
    text = manifest("Application", "web", "argoproj.io/v1alpha1", namespace="argocd")
    (only,) = find(
        plan(application()), {"apps/shop/a.yaml": text}, Identity("argoproj.io", "Application", "argocd", "web")
    )
    assert only.confidence == "exact"


def test_the_tool_shows_in_the_names() -> None:
    assert detect_tool(["a/Chart.yaml", "a/kustomization.yml"], "a") == "kustomize"
    assert detect_tool(["a/Chart.yaml", "b/x.yaml"], "a/") == "helm"
    assert detect_tool(["a/b/Chart.yaml"], "a") == "directory"
    assert detect_tool(["Kustomization"]) == "kustomize"
