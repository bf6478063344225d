"""`fleet policy lint`: real files, every output, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui.cli.commands import fleet

HEAD = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec:\n"
GOOD = HEAD + "  endpointSelector: {matchLabels: {app: web}}\n  ingress:\n  - fromEntities: [host]\n"
BAD = HEAD + "  endpointSelector: {matchLabels: {app: wbe}}\n  ingress:\n  - fromEndpoints: []\n"
TEMPLATE = "kind: CiliumNetworkPolicy\nmetadata:\n  name: {{ .Values.name }}\n"
CLUSTER = """
apiVersion: v1
kind: List
items:
- apiVersion: cilium.io/v2
  kind: CiliumEndpoint
  metadata: {name: web-1, namespace: shop}
  status: {identity: {labels: ['k8s:app=web', 'k8s:io.kubernetes.pod.namespace=shop']}}
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(fleet, ["policy", "lint", *words])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies" / "deep").mkdir(parents=True)
    (tmp_path / "policies" / ".git").mkdir()
    (tmp_path / "policies" / "deep" / "bad.yaml").write_text(BAD)
    (tmp_path / "policies" / ".git" / "hidden.yaml").write_text(BAD)
    (tmp_path / "policies" / "notes.txt").write_text(BAD)
    (tmp_path / "good.yml").write_text(GOOD)
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    return tmp_path


def test_nothing_to_find_is_exit_0(files: Path) -> None:
    done = run("good.yml")
    assert (done.exit_code, done.output) == (0, "nothing found in 1 policy\n")


def test_a_folder_is_searched_for_yaml_and_findings_are_exit_1(files: Path) -> None:
    done = run("policies")
    lines = done.output.splitlines()
    assert done.exit_code == 1
    assert lines[1].split()[:3] == ["policies/deep/bad.yaml:7:5", "warning", "empty-peers"]
    assert lines[-1] == "1 warning in 1 policy"


def test_endpoints_tell_what_was_mistyped(files: Path) -> None:
    assert "label-mistyped" not in run("policies").output
    done = run("policies", "--endpoints", "cluster.yaml")
    assert "`app=wbe`; `app=web` exists" in done.output


def test_json_names_every_part(files: Path) -> None:
    found = json.loads(run("policies", "-o", "json").stdout)
    assert [(each["rule"], each["severity"], each["kind"], each["namespace"], each["policy"]) for each in found] == [
        ("empty-peers", "warning", "CiliumNetworkPolicy", "shop", "web")
    ]
    assert (found[0]["file"], found[0]["line"], found[0]["column"]) == ("policies/deep/bad.yaml", 7, 5)
    assert found[0]["path"] == "spec.ingress[0].fromEndpoints"


def test_sarif_is_a_document_of_its_own(files: Path) -> None:
    made = json.loads(run("policies", "-o", "sarif").stdout)
    place = made["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "policies/deep/bad.yaml"},
        "region": {"startLine": 7, "startColumn": 5},
    }


def test_names_are_those_of_the_policies(files: Path) -> None:
    assert run("policies", "-o", "name").stdout == "ciliumnetworkpolicies.cilium.io/shop/web\n"


def test_severity_limits_what_is_printed_and_not_the_exit_code(files: Path) -> None:
    done = run("policies", "--severity", "error", "-o", "name")
    assert (done.exit_code, done.stdout) == (1, "")


def test_info_alone_is_exit_0(files: Path) -> None:
    """From standard input, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tui", "policy", "lint", "-", "-o", "json"],
        input=HEAD + "  endpointSelector: {}\n  ingress: [{}]\n",
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert [(each["severity"], each["file"], each["line"]) for each in json.loads(done.stdout)] == [("info", "", 6)]
    assert done.returncode == 0


def test_a_template_in_a_folder_is_told_and_one_that_is_named_is_exit_3(files: Path) -> None:
    (files / "policies" / "t.yaml").write_text(TEMPLATE)
    searched = run("policies", "-o", "json")
    assert searched.exit_code == 1
    assert "unread: policies/t.yaml:3:9: a template" in searched.stderr
    assert run("policies/t.yaml").exit_code == 3


@pytest.mark.parametrize("broken", [HEAD + "  ingress: [", b"kind: CiliumNetworkPolicy\nmetadata: {name: \xff}\n"])
def test_what_cannot_be_read_is_exit_3_with_its_place(files: Path, broken: str | bytes) -> None:
    data = broken.encode() if isinstance(broken, str) else broken
    (files / "policies" / "broken.yaml").write_bytes(data)
    done = run("policies", "-o", "json")
    assert done.exit_code == 3
    assert "policies/broken.yaml:" in done.stderr
    assert len(json.loads(done.stdout)) == 1  # what could be read is still told


@pytest.mark.parametrize("words", [(), ("nowhere.yaml",), ("good.yml", "--severity", "bad"), ("good.yml", "-o", "xml")])
def test_wrong_usage_is_exit_2(files: Path, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_a_missing_endpoints_file_is_wrong_usage(files: Path) -> None:
    assert run("good.yml", "--endpoints", "nowhere.yaml").exit_code == 2
