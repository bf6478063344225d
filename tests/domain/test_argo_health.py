"""Health rules against what Argo CD itself expects, where its suites are at hand, and the rules one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.argo.health import _RULES, assess, ignored, worst
from tui.domain.argo.health_scripts import SCRIPTS
from tui.domain.kinds.kind import Health

DATA = Path(__file__).parents[3] / "shared" / "data" / "argocd-health"


class Loader(yaml.SafeLoader):
    """YAML as JSON would have it: times stay text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), Loader)


def builtin() -> list[Any]:
    path = DATA / "builtin" / "health_test.yaml"
    if not path.exists():
        return [pytest.param(None, None, marks=pytest.mark.skip("Argo CD's suites are not at hand"))]
    cases = yaml.safe_load(path.read_text())["tests"]
    return [pytest.param(path.parent / c["inputPath"], c["healthStatus"], id=Path(c["inputPath"]).stem) for c in cases]


def scripted() -> list[Any]:
    found = []
    for group, kind in sorted(SCRIPTS):
        path = DATA / "customizations" / group / kind / "health_test.yaml"
        if path.exists():
            for case in yaml.safe_load(path.read_text())["tests"]:
                name = f"{kind}/{Path(case['inputPath']).stem}"
                found.append(pytest.param(path.parent / case["inputPath"], case["healthStatus"], id=name))
    return found or [pytest.param(None, None, marks=pytest.mark.skip("Argo CD's suites are not at hand"))]


@pytest.mark.parametrize(("path", "expected"), builtin())
def test_rules_written_in_go_agree_with_argo_cd(path: Path, expected: dict[str, str] | None) -> None:
    found = assess(load(path))
    assert (found.status if found else None) == (expected["status"] if expected else None)


@pytest.mark.parametrize(("path", "expected"), scripted())
def test_scripted_rules_agree_with_argo_cd(path: Path, expected: dict[str, str]) -> None:
    found = assess(load(path))
    assert found is not None and found.status == expected["status"]


def test_every_kind_with_a_rule_in_go_is_covered() -> None:
    assert {kind for _, kind in _RULES} >= {
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Pod",
        "Job",
        "PersistentVolumeClaim",
        "Service",
        "Ingress",
        "HorizontalPodAutoscaler",
        "CronJob",
        "PodDisruptionBudget",
    }


def deployment(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "generation": 1}, **more}


def test_what_is_being_deleted_is_progressing_unless_it_is_a_hook() -> None:
    gone = {"name": "a", "deletionTimestamp": "2026-11-22T09:00:00Z"}
    assert assess(deployment(metadata=gone)) == Health("Progressing", "Pending deletion")
    kept = {**gone, "finalizers": ["argocd.argoproj.io/hook-finalizer"]}
    found = assess(deployment(metadata=kept, spec={"paused": True}))
    assert found is not None and found.status == "Suspended"


def test_a_kind_without_a_rule_has_no_health() -> None:
    assert assess({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}) is None
    assert assess({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy"}) is None
    assert assess({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}) is None
    assert assess({}) is None


def test_an_odd_shape_is_unknown_and_says_so() -> None:
    found = assess(deployment(status={"replicas": "three"}))
    assert found is not None and found.status == "Unknown" and "replicas" in found.message
    old = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler"}
    broken = {**old, "metadata": {"annotations": {"autoscaling.alpha.kubernetes.io/conditions": "{"}}}
    assert (assess(broken) or Health("")).status == "Unknown"


def test_the_worst_of_the_parts_is_the_whole() -> None:
    assert worst([]) == "Healthy"
    assert worst(["Healthy", "Suspended"]) == "Suspended"
    assert worst(["Progressing", "Missing", "Suspended"]) == "Missing"
    assert worst(["Missing", "Degraded"]) == "Degraded"
    assert worst(["Degraded", "Unknown"]) == "Unknown"
    assert worst(["Healthy", "SomethingNew"]) == "Unknown"


def test_an_object_can_ask_to_be_left_out() -> None:
    assert ignored({"metadata": {"annotations": {"argocd.argoproj.io/ignore-healthcheck": "true"}}})
    assert not ignored({"metadata": {"annotations": {"argocd.argoproj.io/ignore-healthcheck": "false"}}})
    assert not ignored({"metadata": None})


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["True", "False", "x"])
shapes = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "status", "conditions", "phase", "replicas", "metadata"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    target=st.sampled_from([*SCRIPTS, *_RULES, ("apiregistration.k8s.io", "APIService")]),
    meta=shapes,
    spec=shapes,
    status=shapes,
)
def test_no_object_breaks_its_rule(target: tuple[str, str], meta: Any, spec: Any, status: Any) -> None:
    group, kind = target
    manifest = {
        "apiVersion": f"{group}/v1" if group else "v1",
        "kind": kind,
        "metadata": meta,
        "spec": spec,
        "status": status,
    }
    found = assess(manifest)
    assert found is None or found.status in ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")
