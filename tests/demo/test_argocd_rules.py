"""The stand-in's rules one by one: comparison and merge, health, sources, windows, generators."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.demo.apiserver.status import ApiError
from tui.demo.argocd.appset import GeneratorError, _filled
from tui.demo.argocd.health import health_of, worst
from tui.demo.argocd.index import concerns
from tui.demo.argocd.objects import merged, same, stamped, tracked_by
from tui.demo.argocd.operation import refuse_invalid
from tui.demo.argocd.source import Renderer, RenderError
from tui.demo.argocd.windows import may_sync
from tui.demo.content.history import Commit
from tui.demo.content.system import fnv32
from tui.demo.controllers.virtual import host_name
from tui.demo.repository import Reader, ancestors, create_origin

UPSTREAM = Path(__file__).parents[3] / "shared/data/argocd-health/builtin"

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
specs = st.dictionaries(st.text("xyz", min_size=1, max_size=2), values, max_size=4)


def config(spec: Any, **meta: Any) -> dict[str, Any]:
    """An object with any spec."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b", **meta}, "spec": spec}


@given(specs)
def test_what_was_applied_is_in_sync(spec: Any) -> None:
    target = config(spec)
    assert same(target, merged(target, None))


@given(specs, specs)
def test_an_apply_over_anything_is_in_sync(before: Any, after: Any) -> None:
    live = merged(config(before), None)
    assert same(config(after), merged(config(after), live))


@given(specs, st.dictionaries(st.text("uvw", min_size=1, max_size=2), values, max_size=3))
def test_fields_of_others_survive_and_do_not_count(spec: Any, foreign: Any) -> None:
    live = merged(config(spec), None)
    live["spec"] |= foreign
    assert same(config(spec), live)
    again = merged(config(spec), live)
    assert {key: again["spec"][key] for key in foreign} == foreign


@given(specs, specs)
def test_a_field_taken_out_of_git_leaves_the_cluster(before: Any, after: Any) -> None:
    live = merged(config(after), merged(config(before), None))
    assert set(live["spec"]) == set(after)


def test_a_removed_field_is_a_difference() -> None:
    live = merged(config({"x": 1, "y": 2}), None)
    assert not same(config({"x": 1}), live)
    assert not same(config({"x": 2, "y": 2}), live)
    assert not same(config({"x": "1", "y": 2}), live)


def test_tracking_ids_name_their_own_object_only() -> None:
    target = stamped(config({}), "shop", "b")
    assert target["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] == "shop:/ConfigMap:b/a"
    assert tracked_by(target) == "shop"
    copied = copy.deepcopy(target)
    copied["metadata"]["name"] = "other"
    assert tracked_by(copied) == ""
    owned = copy.deepcopy(target)
    owned["metadata"]["ownerReferences"] = [{"uid": "1"}]
    assert tracked_by(owned) == ""
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a"}}
    assert "annotations" not in stamped(crd, "shop", "b")["metadata"]


def test_the_worst_health_wins() -> None:
    assert worst([]) == "Healthy"
    assert worst(["Healthy", "Suspended"]) == "Suspended"
    assert worst(["Missing", "Degraded", "Progressing"]) == "Degraded"


@pytest.mark.skipif(not UPSTREAM.exists(), reason="the upstream health cases are not here")
def test_health_agrees_with_upstreams_cases() -> None:
    kinds = {"Deployment", "StatefulSet", "DaemonSet", "Job", "Service"}
    checked = 0
    for case in yaml.safe_load((UPSTREAM / "health_test.yaml").read_text())["tests"]:
        obj = yaml.safe_load((UPSTREAM / case["inputPath"]).read_text())
        if obj["kind"] not in kinds or "knative" in case["inputPath"]:
            continue
        found = health_of(obj)
        assert (found[0] if found else None) == (case["healthStatus"] or {}).get("status"), case["inputPath"]
        checked += 1
    assert checked >= 12


# Sources


@pytest.fixture
def reader(tmp_path: Path) -> Any:
    files = {
        "app/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  day: 2024-01-01\n",
        "app/b.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}',
        "app/deep/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n",
        "app/notes.txt": "kind: nothing",
        "app/skipped.yaml": "# +argocd:skip-file-rendering\nkind: Nothing\n",
        "app/values.yaml": "a: [1\n",
        "list/l.yaml": (
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n"
            "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: y}\n---\n---\n"
        ),
        "nameless/n.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {}\n",
        "chart/Chart.yaml": "name: c\n",
        "kust/kustomization.yaml": "resources: []\n",
    }
    origin = tmp_path / "r.git"
    create_origin(origin, [Commit(("A", "a@example"), 1, "all", dict(files))], 1_790_000_000.0)
    found = Reader(origin)
    yield found
    found.close()


def names(reader: Reader, **source: Any) -> list[str]:
    """Names of what a source renders."""
    sha = reader.resolve("main")
    assert sha
    rendered = Renderer(reader).render(source, sha, "app", "ns")
    return [obj["metadata"]["name"] for obj in rendered.objects]


def test_directories_take_what_argo_cd_takes(reader: Reader) -> None:
    assert names(reader, path="app") == ["a", "b"]
    assert names(reader, path="app", directory={"recurse": True}) == ["a", "b", "c"]
    assert names(reader, path="app", directory={"recurse": True, "include": "deep/*"}) == ["c"]
    assert names(reader, path="app", directory={"recurse": True, "exclude": "{b.json,deep/*}"}) == ["a"]
    assert names(reader, path="list") == ["x", "y"]


def test_a_date_stays_text(reader: Reader) -> None:
    sha = reader.resolve("main")
    assert sha
    (first, *_) = Renderer(reader).render({"path": "app"}, sha, "app", "ns").objects
    assert first["data"]["day"] == "2024-01-01"


def test_a_missing_path_and_a_missing_name_are_errors(reader: Reader) -> None:
    with pytest.raises(RenderError, match="nowhere: app path does not exist"):
        names(reader, path="nowhere")
    with pytest.raises(RenderError, match=r"metadata\.name"):
        names(reader, path="nameless")


def test_without_the_tools_argo_cd_says_so(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.demo.argocd.source.shutil.which", lambda name: None)
    with pytest.raises(RenderError, match='exec: "helm": executable file not found'):
        names(reader, path="chart")
    with pytest.raises(RenderError, match='exec: "kustomize": executable file not found'):
        names(reader, path="kust")


def test_paths_concern_the_applications_that_watch_them() -> None:
    def app(watch: str) -> dict[str, Any]:
        notes = {"argocd.argoproj.io/manifest-generate-paths": watch} if watch else {}
        return {"metadata": {"annotations": notes}, "spec": {"source": {"path": "shop/search/overlays/eu"}}}

    def hit(watch: str, path: str) -> bool:
        return concerns(app(watch), set(ancestors([path])))

    assert hit(".", "shop/search/overlays/eu/k.yaml")
    assert not hit(".", "shop/search/overlays/eu2/k.yaml")
    assert not hit(".", "shop/search/base/k.yaml")
    assert hit(".;../../base", "shop/search/base/k.yaml")
    assert hit("/lib", "lib/x")
    assert hit("", "anything")  # without the annotation every push is looked at


# Windows


def window(kind: str, schedule: str, duration: str, **more: Any) -> dict[str, Any]:
    """A sync window for everything."""
    return {"kind": kind, "schedule": schedule, "duration": duration, "applications": ["*"], **more}


def allowed(*windows: dict[str, Any], manual: bool = False, hour: int = 12) -> bool:
    """Whether an automatic sync may start on a Sunday at that hour, UTC."""
    project = {"spec": {"syncWindows": list(windows)}}
    app = {"metadata": {"name": "a"}, "spec": {"destination": {"name": "c", "namespace": "n"}}}
    return may_sync(project, app, datetime(2026, 11, 22, hour, 0, tzinfo=UTC).timestamp(), manual)


def test_windows_decide_as_argo_cd() -> None:
    assert allowed()
    assert not allowed(window("deny", "0 11 * * *", "2h"))
    assert allowed(window("deny", "0 11 * * *", "30m"))
    assert not allowed(window("allow", "0 3 * * *", "1h"))
    assert allowed(window("allow", "0 3 * * *", "1h"), window("allow", "0 0 * * 0", "24h"))
    assert not allowed(window("deny", "0 0 * * 0", "24h"), window("allow", "0 0 * * *", "24h"))
    assert not allowed(window("deny", "0 20 * * 5", "58h"))
    assert allowed(window("deny", "0 20 * * 5", "58h", manualSync=True), manual=True)
    assert allowed(window("deny", "0 0 * * 1-5", "24h"))
    assert not allowed(window("deny", "*/15 * * * *", "15m"))
    assert not allowed(window("deny", "0 13 * * *", "1h", timeZone="Europe/Oslo"))
    assert allowed({**window("deny", "* * * * *", "1h"), "applications": ["b"]})
    both = {**window("deny", "* * * * *", "1h"), "clusters": ["other"]}
    assert not allowed(both)
    assert allowed({**both, "andOperator": True})


# Generators and the rest


def test_templates_fill_strings_and_keys() -> None:
    parameters = {"name": "eu", "metadata": {"labels": {"a.b/env": "prod"}}, "path": {"basename": "x"}}
    template = {"n-{{.name}}": ["{{ .path.basename }}", '{{index .metadata.labels "a.b/env"}}', 3]}
    assert _filled(template, parameters) == {"n-eu": ["x", "prod", 3]}
    with pytest.raises(GeneratorError, match='map has no entry for key "nope"'):
        _filled("{{.nope}}", parameters)
    with pytest.raises(GeneratorError, match="not supported"):
        _filled("{{ .name | upper }}", parameters)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"replicas": -1}, "spec.replicas: Invalid value: -1"),
        ({"replicas": "3"}, "cannot unmarshal string"),
        ({"selector": {"matchLabels": {"a": "c"}}}, "does not match template `labels`"),
    ],
)
def test_the_api_server_refuses_slips(change: dict[str, Any], words: str) -> None:
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }
    good = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    refuse_invalid(good, None)
    with pytest.raises(ApiError, match=words):
        refuse_invalid({**good, "spec": {**spec, **change}}, None)
    moved = {**good, "spec": {**spec, "selector": {"matchLabels": {"a": "b", "x": "y"}}}}
    with pytest.raises(ApiError, match="field is immutable"):
        refuse_invalid(good, moved)


def test_names_are_made_as_upstream_makes_them() -> None:
    assert f"cluster-kubernetes.default.svc-{fnv32('https://kubernetes.default.svc')}" == (
        "cluster-kubernetes.default.svc-3396314289"
    )
    assert host_name("web-0", "default", "preview") == "web-0-x-default-x-preview"
    long = host_name("a" * 60, "default", "preview")
    assert len(long) == 63
    assert long.startswith("a" * 52 + "-")


def test_helm_is_called_as_argo_cd_calls_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "helm"
    tool.parent.mkdir()
    tool.write_text(
        "#!/bin/sh\n"
        'echo "apiVersion: v1"; echo "kind: ConfigMap"; echo "metadata:"; echo "  name: made"; echo "data:"\n'
        'echo "  said: \'$*\'"; echo "  chart: $(cat Chart.yaml)"; echo "  inline: $(cat)"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    origin = tmp_path / "r.git"
    create_origin(origin, [Commit(("A", "a@example"), 1, "all", {"c/Chart.yaml": "here"})], 1_790_000_000.0)
    reader = Reader(origin)
    renderer = Renderer(reader)
    try:
        sha = reader.resolve("main")
        assert sha
        helm = {
            "releaseName": "media",
            "valueFiles": ["values.yaml"],
            "parameters": [{"name": "a.b", "value": "1"}, {"name": "c", "value": "2", "forceString": True}],
            "values": "inline",
        }
        rendered = renderer.render({"path": "c", "helm": helm}, sha, "app", "ns")
        (made,) = rendered.objects
        assert rendered.source_type == "Helm"
        assert made["data"] == {
            "said": "template . --name-template media --namespace ns --set a.b=1 --set-string c=2 "
            "--values values.yaml --values - --include-crds",
            "chart": "here",
            "inline": "inline",
        }
        tool.write_text("#!/bin/sh\necho 'Error: no such chart' >&2; exit 1\n")
        with pytest.raises(RenderError, match="exit status 1: Error: no such chart"):
            renderer.render({"path": "c"}, sha, "app", "ns")
    finally:
        renderer.close()
        reader.close()
