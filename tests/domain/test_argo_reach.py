"""Which files an Application is made of: one test for each way in which a file can touch it."""

from __future__ import annotations

from typing import Any

import pytest

from tui.domain.argo.reach import GENERATE_PATHS, Files, matched, path_glob, repository_key, uses
from tui.domain.source.leads import NOWHERE, leads, outside

REPO = "https://git.example.test/shop/deploy.git"


def app(annotation: str = "", status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    annotations = {GENERATE_PATHS: annotation} if annotation else {}
    return {"metadata": {"name": "web", "annotations": annotations}, "spec": spec, "status": status or {}}


def source(path: str = "apps/web", **more: Any) -> dict[str, Any]:
    return {"repoURL": REPO, "targetRevision": "main", "path": path, **more}


def why(manifest: dict[str, Any], *files: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for use in uses(manifest):
        if use.repo == repository_key(REPO):
            found |= matched(use, Files(files))
    return found


def test_files_in_the_path_touch_it_and_no_others() -> None:
    files = ("apps/web/a.yaml", "apps/web/deep/b.txt", "apps/website/c.yaml", "apps/d.yaml")
    assert why(app(source=source()), *files) == {"apps/web/a.yaml": "path", "apps/web/deep/b.txt": "path"}
    assert set(why(app(source=source(".")), *files)) == set(files)
    assert set(why(app(source=source("./apps/web/")), *files)) == {"apps/web/a.yaml", "apps/web/deep/b.txt"}


def test_a_plain_directory_is_read_as_argo_cd_reads_it() -> None:
    files = ("apps/web/a.yaml", "apps/web/deep/b.yaml", "apps/web/README.md", "apps/web/deep/lib.libsonnet")
    plain = app(source=source(), status={"sourceType": "Directory"})
    assert set(why(plain, *files)) == {"apps/web/a.yaml", "apps/web/deep/lib.libsonnet"}
    deep = app(source=source(directory={"recurse": True, "exclude": "a.yaml"}))
    assert set(why(deep, *files)) == {"apps/web/deep/b.yaml", "apps/web/deep/lib.libsonnet"}
    helm = app(source=source(), status={"sourceType": "Helm"})
    assert len(why(helm, *files)) == 4


@pytest.mark.parametrize(
    ("annotation", "file", "touched"),
    [
        (".", "apps/web/a.yaml", True),
        ("../shared", "apps/shared/x.yaml", True),
        ("../shared", "apps/shared", True),
        ("../shared", "apps/shared-not/x.yaml", False),
        ("/shared", "shared/deep/x.yaml", True),
        ("/shared", "apps/web/shared/x", True),  # in the path all the same
        (".;/base;../lib.yaml", "apps/lib.yaml", True),
        (".;/base;../lib.yaml", "base/x", True),
        (".;;/base", "other/x", False),
        ("/", "anything/at/all", True),
        ("/shared/*.yaml", "shared/x.yaml", True),
        ("/shared/*.yaml", "shared/deep/x.yaml", False),
        ("/shared/*/values-[a-c].yaml", "shared/eu/values-b.yaml", True),
        ("/shared/*/values-[a-c].yaml", "shared/eu/values-d.yaml", False),
        ("../../../../etc", "etc/x", True),  # cut off at the root
        (". ;/base", "base/x", True),
    ],
)
def test_manifest_generate_paths(annotation: str, file: str, touched: bool) -> None:
    assert bool(why(app(annotation, source=source()), file)) is touched


def test_the_most_telling_reason_is_given() -> None:
    manifest = app("/", source=source(helm={"valueFiles": ["values.yaml", "/common/values.yaml", "../up.yaml"]}))
    assert why(manifest, "apps/web/values.yaml", "apps/web/x", "common/values.yaml", "apps/up.yaml", "y") == {
        "apps/web/values.yaml": "values",
        "apps/web/x": "path",
        "common/values.yaml": "values",
        "apps/up.yaml": "values",
        "y": "watched",
    }


def test_parameters_of_files_and_jsonnet_libraries_are_read_from_outside_the_path() -> None:
    manifest = app(source=source(helm={"fileParameters": [{"name": "ca", "path": "../certs/ca.pem"}]}))
    assert why(manifest, "apps/certs/ca.pem", "apps/certs/other.pem") == {"apps/certs/ca.pem": "values"}
    manifest = app(source=source(directory={"jsonnet": {"libs": ["vendor"]}}))
    assert why(manifest, "vendor/k.libsonnet", "apps/vendor/k.libsonnet") == {"vendor/k.libsonnet": "library"}


def test_values_that_another_source_refers_to() -> None:
    manifest = app(
        ".;/watched",
        sources=[
            {
                "repoURL": "https://charts.example",
                "chart": "web",
                "helm": {"valueFiles": ["$v/env/eu.yaml", "own.yaml"]},
            },
            {"repoURL": REPO, "targetRevision": "main", "ref": "v"},
        ],
        status={"sync": {"revisions": ["1.2.3", "abc"]}},
    )
    (use,) = uses(manifest)
    assert (use.repo, use.revision, use.compared, use.path) == (repository_key(REPO), "main", "abc", None)
    assert why(manifest, "env/eu.yaml", "env/us.yaml", "own.yaml", "watched/x") == {
        "env/eu.yaml": "values",
        "watched/x": "watched",
    }


def test_revisions_and_the_hydrator() -> None:
    (use,) = uses(app(source=source(), status={"sync": {"revision": "abc"}}))
    assert (use.revision, use.compared) == ("main", "abc")
    dry = {"repoURL": REPO, "path": "dry", "targetRevision": "main"}
    hydrated = app(source=source("wet"), sourceHydrator={"drySource": dry})
    assert why(hydrated, "dry/x", "wet/x") == {"dry/x": "path"}


def test_globs_stay_within_one_element_unless_doubled() -> None:
    assert path_glob("clusters/*/config.json", True).fullmatch("clusters/eu/config.json")
    assert not path_glob("clusters/*/config.json", True).fullmatch("clusters/eu/x/config.json")
    assert path_glob("clusters/**/config.json", True).fullmatch("clusters/eu/x/config.json")
    assert path_glob("clusters/**/config.json", True).fullmatch("clusters/config.json")
    assert not path_glob("clusters/**/config.json").fullmatch("clusters/eu/x/config.json")
    assert path_glob("[").fullmatch("[")


KUSTOMIZATION = """\
resources: [../../base, own.yaml, https://example.test/remote, deep]
components: [../../components/tls]
patches: [{path: ../../patches/p.yaml}, {patch: "kind: x"}]
configMapGenerator: [{name: c, files: [a.txt, k=../../files/b.txt]}]
"""


def test_a_kustomization_leads_to_bases_and_their_bases() -> None:
    said = {"apps/web": leads("apps/web", {"kustomization.yaml": KUSTOMIZATION})}
    assert said["apps/web"].patches == ("patches/p.yaml",)
    places = {"base", "components/tls", "patches/p.yaml", "files/b.txt", "extra"}
    assert outside("apps/web", ["../../extra"], said) == (places, {"base", "components/tls", "apps/web/deep", "extra"})
    said |= {name: NOWHERE for name in ("apps/web/deep", "components/tls", "extra")}
    said["base"] = leads("base", {"kustomization.yml": "resources: [../common, x.yaml]"})
    said["common"] = NOWHERE
    found, asked = outside("apps/web", [], said)
    assert (found, asked) == (places - {"extra"} | {"common", "base/x.yaml"}, set())


def test_charts_lead_to_charts_in_the_same_repository() -> None:
    chart = "dependencies: [{name: lib, repository: 'file://../lib'}, {name: x, repository: 'https://charts.example'}]"
    assert leads("charts/web", {"Chart.yaml": chart}).resources == ("charts/lib",)


def test_circles_end_and_what_cannot_be_read_is_a_problem() -> None:
    said = {
        "a": leads("a", {"kustomization.yaml": "resources: [../b]"}),
        "b": leads("b", {"Kustomization": "bases: [../a]"}),
    }
    assert outside("a", [], said) == ({"b"}, set())
    assert "kustomization.yaml" in leads("a", {"kustomization.yaml": "a: ["}).problem
