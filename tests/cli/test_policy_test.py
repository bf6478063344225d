"""`fleet policy test` and `fleet policy verdict`: the real commands on real files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.cli.conftest import Ran
from tui.cli.policy import policy
from tui.domain.yamledit import tree

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "cilium" / "oracle.json"

POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: web}}]
    toPorts: [{ports: [{port: http, protocol: TCP}], rules: {http: [{method: GET, path: /public}]}}]
"""
SUITE = """\
name: shop
policies: [policies/*.yaml]
namespaces: {shop: {team: web}}
endpoints:
  web: {namespace: shop, labels: {app: web}}
  api: {namespace: shop, labels: ["k8s:app=api"], named_ports: {http/TCP: 8080}}
  node: {labels: ["reserved:remote-node"]}
  office: {ip: 192.0.2.7}
cases:
- {name: web calls, from: web, to: api, port: 8080, http: {method: GET, path: /public}, expect: allowed}
- {name: web may not post, from: web, to: api, port: 8080, http: {method: POST, path: /public}, expect: denied}
- {name: not that port, from: web, to: api, port: 81, expect: denied, denied_at: ingress}
- {name: nobody else, from: {namespace: shop, labels: {app: other}}, to: api, port: 8080, expect: denied}
- {name: not from outside, from: office, to: api, port: 8080, expect: denied}
- {name: not from nodes, from: node, to: api, port: 8080, expect: denied}
- {name: out is free, from: api, to: office, port: 443, protocol: UDP, expect: allowed}
- {name: ping, from: web, to: api, port: 8, protocol: ICMP, expect: denied}
"""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs `fleet policy …` in a folder with POLICY and SUITE."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "api.yaml").write_text(POLICY)
    (tmp_path / "suite.yaml").write_text(SUITE)

    def run(*words: str, stdin: str = "") -> Ran:
        done = CliRunner().invoke(policy, list(words), input=stdin)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


def test_a_suite_that_passes(fleet: Callable[..., Ran]) -> None:
    done = fleet("test", "suite.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "pass  shop / web calls"
    assert done.out.splitlines()[-1] == "8 cases, all passed"
    found = fleet("test", "suite.yaml", "-o", "json").json()
    assert [set(each) for each in found] == [
        {"suite", "case", "expect", "egress", "ingress", "verdict", "reason", "pass"}
    ] * 8
    assert found[2] | {"reason": ""} == {
        "suite": "shop", "case": "not that port", "expect": "denied", "egress": "allowed", "ingress": "denied",
        "verdict": "denied", "reason": "", "pass": True,
    }  # fmt: skip


def test_a_case_that_fails_says_why(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    text = SUITE.replace("port: 81, expect: denied, denied_at: ingress", "port: 81, expect: allowed")
    (tmp_path / "suite.yaml").write_text(text.replace("expect: denied, denied_at", "expect: denied, denied_at"))
    done = fleet("test", "suite.yaml", "--failed")
    assert done.code == 1
    line, total = done.out.splitlines()
    assert line.startswith("FAIL  shop / not that port: expected allowed, got denied: ")
    assert "shop/api" in line
    assert total == "8 cases, 1 failed"


def test_the_side_that_denies_counts(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.replace("denied_at: ingress", "denied_at: egress"))
    done = fleet("test", "suite.yaml", "--failed")
    assert done.code == 1 and "expected denied at egress, got denied: egress " in done.out


def test_several_documents_and_lists(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    suite = yaml.safe_load(SUITE)
    (tmp_path / "two.yaml").write_text(f"{SUITE}---\n---\n{SUITE.replace('name: shop', 'name: again', 1)}")
    (tmp_path / "one.json").write_text(json.dumps(suite))
    (tmp_path / "list.json").write_text(json.dumps([suite, suite | {"name": "second"}], indent=1))
    done = fleet("test", "two.yaml", "one.json", "list.json", "-", "-o", "json", stdin=SUITE)
    assert done.code == 0, done.out
    names = [each["suite"] for each in done.json()]
    assert list(dict.fromkeys(names)) == ["shop", "again", "second"] and len(names) == 8 * 6


def test_inline_and_invalid_policies(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    held = yaml.safe_load(POLICY)
    held["spec"]["ingress"][0]["fromEntities"] = ["world"]  # cannot be combined: Cilium rejects the policy
    suite = yaml.safe_load(SUITE) | {"policies": [held], "cases": yaml.safe_load(SUITE)["cases"][3:4]}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite))
    done = fleet("test", "suite.yaml", "-o", "json")
    assert done.code == 1
    assert done.json()[0]["verdict"] == "allowed"  # nothing of it is enforced
    assert "shop/api is invalid, so that it is not enforced" in done.err


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ("expect: allowed}", "expects: allowed}", "10:", "a case has no field \"expects\"; did you mean expect?"),
        ("to: api", "to: apy", "10:", "no endpoint is called \"apy\"; did you mean api?"),
        ("port: 8080", "port: 80800", "10:", "expected a number from 0 to 65535, found 80800"),
        ("port: 8080, ", "", "10:", "a case needs `port`"),
        ("protocol: UDP", "protocol: QUIC", "16:", "expected TCP, UDP, SCTP"),
        ("port: 8, protocol", "port: 256, protocol", "17:", "expected a number from 0 to 255"),
        ("expect: allowed", "expect: maybe", "10:", "expected allowed, denied, unknown; found \"maybe\""),
        ("denied_at: ingress", "denied_at: both", "12:", "expected egress, ingress"),
        ("ip: 192.0.2.7", "ip: 192.0.2", "8:", "\"192.0.2\" is no IP address"),
        ("{ip: 192.0.2.7}", "{}", "8:", "an endpoint needs"),
        ("cases:", "settings: {version: 1.20}\ncases:", "9:", "write the version in quotes"),
        ("cases:", "settings: {enforcement: sometimes}\ncases:", "9:", "enforcement"),
        ("cases:", "settings: {enforcment: never}\ncases:", "9:", "did you mean enforcement?"),
        ("cases:", "settings: {ipv4: 3}\ncases:", "9:", "ipv4"),
        ("policies/*.yaml", "polices/*.yaml", "2:", "no file matches polices/*.yaml"),
        ("[policies/*.yaml]", "[none.yaml]", "2:", "none.yaml cannot be read: No such file"),
        ("[policies/*.yaml]", "[{spec: 3}]", "2:", "neither a path nor an object"),
        ("labels: {app: web}", "labels: {app: [web]}", "5:", "expected a text"),
        ("labels: {app: web}", "labels: {app: 1.10}", "5:", "put what is meant in quotes"),
        ("{http/TCP: 8080}", "{http/XYZ: 8080}", "6:", "no protocol"),
        ("cases:", "settings: 3\ncases:", "9:", "expected a mapping, found 3"),
        ("name: shop\n", "name: shop\n bad: [\n", "2:", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    fleet: Callable[..., Ran], tmp_path: Path, old: str, new: str, place: str, reason: str
) -> None:
    assert old in SUITE
    (tmp_path / "suite.yaml").write_text(SUITE.replace(old, new, 1))
    done = fleet("test", "suite.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"fleet: suite.yaml:{place}"), done.err
    assert reason in done.err and len(done.err.splitlines()) == 1


def test_files_that_cannot_be_read(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    assert fleet("test", "none.yaml").code == 3
    (tmp_path / "x.json").write_text('{"name": "x",}')
    done = fleet("test", "x.json")
    assert done.code == 2 and "x.json:1:" in done.err and "not valid JSON" in done.err
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert fleet("test", "empty.yaml").code == 2
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    assert fleet("test", "latin.yaml").code == 2
    (tmp_path / "policies" / "broken.yaml").write_text("a: [\n")
    done = fleet("test", "suite.yaml")
    assert done.code == 2 and "policies/broken.yaml:" in done.err


@pytest.mark.parametrize("indent", [None, 1])
def test_a_mistake_in_a_list_of_json_is_told_with_its_place(
    fleet: Callable[..., Ran], tmp_path: Path, indent: int | None
) -> None:
    suite = yaml.safe_load(SUITE)
    text = json.dumps([suite, suite | {"cases": [suite["cases"][0] | {"expect": "perhaps"}]}], indent=indent)
    (tmp_path / "x.json").write_text(text)
    before = text[: text.index('"perhaps"')]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    done = fleet("test", "x.json")
    assert done.code == 2 and done.err.startswith(f"fleet: x.json:{line}:{column}: [1].cases[0].expect"), done.err


def test_a_list_of_json_may_be_larger_than_a_document_of_yaml(
    fleet: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MAX_NODES", 300)
    suite = yaml.safe_load(SUITE)
    (tmp_path / "x.json").write_text(json.dumps([suite] * 4))
    assert fleet("test", "x.json").code == 0
    (tmp_path / "x.yaml").write_text(json.dumps([suite] * 4))
    assert "more than 300 values" in fleet("test", "x.yaml").err


def test_escapes_in_names_do_not_reach_the_terminal(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.replace("name: web calls", 'name: "web\\x1b[2J\\nFAIL"'))
    done = fleet("test", "suite.yaml")
    assert done.code == 0 and "\x1b" not in done.out and len(done.out.splitlines()) == 9


# -- the real engine's answers ---------------------------------------------------------------------------------------


def as_suite(case: Mapping[str, Any]) -> dict[str, Any]:
    """A case of the recorded answers as a suite."""
    config = {key: value for key, value in (case.get("config") or {}).items()}
    named = {"enable_policy": "enforcement", "policy_default_local_cluster": "default_local_cluster"}
    settings = {named.get(key, key.replace("cluster_name", "cluster")): value for key, value in config.items()}
    version = str(case.get("versions") or "")
    if version.startswith("1.13-1.18"):
        settings["version"] = "1.18"
    if case["id"] == "ENF05":  # its text tells it: audit mode, so that what would be denied passes
        settings["audit"] = True
    policies = list(case["policies"])
    if case["id"] == "SVC03":  # its text tells the Service, and the address behind it
        meta = {"name": "db", "namespace": "default"}
        policies += [
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {}},
            {"kind": "Endpoints", "metadata": meta, "subsets": [{"addresses": [{"ip": "203.0.113.7"}]}]},
        ]  # fmt: skip
    asked = {
        "name": case["id"],
        "from": case["from"],
        "to": case["to"],
        "port": case["port"],
        "protocol": case["proto"],
    }
    expect = {"expect": case["expected"]}
    if case.get("denied_at"):
        expect["denied_at"] = case["denied_at"]
    cases = [asked | expect]
    if layer7 := case.get("l7"):
        word = "allowed" if case["expected_l7"].startswith("allowed") else "denied"
        cases.append(asked | layer7 | {"expect": word})
    return {"name": case["id"], "settings": settings, "policies": policies, "cases": cases}


@pytest.mark.skipif(not DATA.exists(), reason="the engine's answers are not at hand")
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_every_recorded_answer_of_the_real_engine(fleet: Callable[..., Ran], tmp_path: Path, form: str) -> None:
    suites = [as_suite(case) for case in json.loads(DATA.read_text())["cases"]]
    text = json.dumps(suites) if form == "json" else yaml.safe_dump_all(suites)
    (tmp_path / f"oracle.{form}").write_text(text)
    done = fleet("test", f"oracle.{form}", "--failed", "-o", "json")
    assert done.json() == [] and done.code == 0


# -- may A talk to B? -------------------------------------------------------------------------------------------------


def test_a_verdict_with_its_reason(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    words = ("verdict", "--policies", "policies", "--endpoints", "suite.yaml", "--from", "web", "--to", "api")
    done = fleet(*words, "--port", "8080/TCP", "-o", "json")
    found = done.json()
    assert (done.code, found["verdict"], found["egress"], found["ingress"]) == (0, "allowed", "allowed", "allowed")
    assert found["sides"]["ingress"]["decided_by"][0] == {
        "policy": "shop/api", "rule": "spec.ingress[0]", "file": "policies/api.yaml",
    }  # fmt: skip
    assert (
        fleet(*words, "--port", "8080", "--method", "POST", "--path", "/public", "-o", "json").json()["verdict"]
        == "denied"
    )
    told = fleet(*words, "--port", "81").out
    assert told.startswith("denied: web → api TCP 81\n") and "shop/api" in told
    assert fleet("verdict", "--from", "192.0.2.1", "--to", "192.0.2.2", "--port", "80").code == 0


def test_wrong_words_are_usage_errors(fleet: Callable[..., Ran]) -> None:
    words = ("verdict", "--endpoints", "suite.yaml", "--policies", "policies", "--to", "api")
    done = fleet(*words, "--from", "wbe", "--port", "80")
    assert done.code == 2 and "did you mean web?" in done.err
    assert fleet(*words, "--from", "web", "--port", "80/QUIC").code == 2
    assert fleet(*words, "--from", "web", "--port", "http").code == 2
    assert fleet(*words, "--from", "web", "--port", "80", "--policies", "none").code == 3


def test_endpoints_from_kubectl(fleet: Callable[..., Ran], tmp_path: Path) -> None:
    def pod(name: str, **more: Any) -> dict[str, Any]:
        port = {"name": "http", "containerPort": 8080}
        spec = {"containers": [{"name": "c", "ports": [port]}], **more}
        meta = {"name": name, "namespace": "shop", "labels": {"app": name, "pod-template-hash": "1"}}
        return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {"podIP": "10.0.0.1"}}

    items = [pod("web"), pod("api"), pod("agent", hostNetwork=True)]
    (tmp_path / "pods.yaml").write_text(yaml.safe_dump({"kind": "List", "apiVersion": "v1", "items": items}))
    words = ("verdict", "--policies", "policies", "--endpoints", "pods.yaml", "--to", "shop/api", "--port", "8080")
    assert fleet(*words, "--from", "shop/web", "-o", "json").json()["verdict"] == "allowed"
    assert "no endpoint is called shop/agent" in fleet(*words, "--from", "shop/agent").err


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, tui.cli.policy.test, tui.domain.cilium.suitefile as s; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert {"textual", "git", "kubernetes"}.isdisjoint(ran.stdout.split())
