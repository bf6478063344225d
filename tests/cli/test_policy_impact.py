"""`fleet policy impact`: real repositories, both outputs, exit codes; the checkout stays as it is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui.cli.commands import fleet

POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: web}}]
    toPorts: [{ports: [{port: "5432", protocol: TCP}]}]
"""
ENDS = """\
endpoints:
  web: {namespace: shop, labels: {app: web}}
  jobs: {namespace: shop, labels: {app: jobs}}
  db: {namespace: shop, labels: {app: db}}
"""


class Repo:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *words], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, **files: str | None) -> str:
        for name, text in files.items():
            path = self.folder / name.replace("__", "/")
            path = path.with_suffix(".yaml") if "." not in path.name else path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x", "--allow-empty")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.chdir(tmp_path)
    made = Repo(tmp_path)
    made.commit(policies__db=POLICY, readme="a: 1\n")
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(fleet, ["policy", "impact", *words])


def test_no_difference_is_exit_0(repo: Repo) -> None:
    repo.commit(policies__db=POLICY + "# a comment\n", other="a: 2\n")
    done = run("HEAD~1..HEAD")
    assert (done.exit_code, done.stdout) == (0, "no difference\n")


def test_what_a_commit_changes_is_said_in_words(repo: Repo) -> None:
    repo.commit(policies__db=POLICY.replace("app: web", "app: jobs") + "  egress: [{}]\n")
    (repo.folder / "policies/db.yaml").write_text("broken: [")  # the working tree does not matter
    before = repo.git("status", "--porcelain")
    done = run("HEAD~1..HEAD", "policies")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "shop/db  policies/db.yaml",
        "  added            allow ingress from app=jobs → TCP 5432",
        "  removed          no longer allow ingress from app=web → TCP 5432",
        "  added            allow egress to nobody",
        "  default deny on  switch on default deny for egress",
    ]
    assert repo.git("status", "--porcelain") == before


def test_json_names_commits_places_and_invalid_policies(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    head = repo.commit(policies__db=POLICY.replace("app: web", "app: jobs") + "  egress: [{toEntities: [moon]}]\n")
    found = json.loads(run("HEAD~1..", "-o", "json").stdout)
    assert (found["base"], found["head"]) == (base, head)
    (policy,) = found["policies"]
    assert (policy["policy"], policy["file"]) == ("shop/db", "policies/db.yaml")
    assert {each["how"] for each in policy["changes"]} >= {"invalid", "added", "default deny on"}
    assert found["invalid"] == [
        {"policy": "shop/db", "file": "policies/db.yaml", "reason": "egress[0]: unsupported entity moon"}
    ]


def test_flows_that_would_be_cut_come_first(repo: Repo, tmp_path: Path) -> None:
    repo.commit(policies__db=POLICY.replace("app: web", "app: jobs"))

    def flow(app: str, port: int) -> str:
        ends = {
            name: {
                "namespace": "shop",
                "pod_name": f"{held}-1",
                "labels": [f"k8s:app={held}", "k8s:io.kubernetes.pod.namespace=shop"],
            }
            for name, held in (("source", app), ("destination", "db"))
        }
        l4 = {"TCP": {"source_port": 40000, "destination_port": port, "flags": {"SYN": True}}}
        return (
            json.dumps({"flow": {"verdict": "FORWARDED", "Type": "L3_L4", "is_reply": False, "l4": l4, **ends}}) + "\n"
        )

    seen = tmp_path / "flows.json"
    seen.write_text(flow("jobs", 5432) + 2 * flow("web", 5432) + flow("web", 80))
    done = run("HEAD~1..HEAD", "--flows", str(seen), "-o", "json")
    assert done.exit_code == 1
    told = [
        (each["from"], each["before"], each["after"], each["flows"])
        for each in json.loads(done.stdout)["flows"]["changed"]
    ]
    assert told == [("shop/web-1", "allowed", "denied", 2), ("shop/jobs-1", "denied", "allowed", 1)]


def test_endpoints_tell_who_may_talk_to_whom(repo: Repo) -> None:
    repo.commit(policies__db=POLICY.replace("app: web", "app: jobs"))
    (repo.folder / "ends.txt").write_text(ENDS)
    done = run("HEAD~1..HEAD", "--endpoints", "ends.txt")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-2:] == [
        "newly denied     web in shop → db in shop on TCP 5432: 1 pair",
        "newly allowed    jobs in shop → db in shop on TCP 5432: 1 pair",
    ]
    effect = json.loads(run("HEAD~1..HEAD", "--endpoints", "ends.txt", "-o", "json").stdout)["effect"]
    assert effect["pairs"] == {"allowed": 1, "denied": 1}


def test_who_is_closed_and_what_selects_nothing(repo: Repo) -> None:
    repo.commit(
        policies__db=POLICY + "  egress: [{}]\n",
        policies__lost=POLICY.replace("app: db", "app: lost").replace("name: db", "name: lost"),
    )
    (repo.folder / "ends.txt").write_text(ENDS)
    lines = run("HEAD~1..HEAD", "policies", "--endpoints", "ends.txt").stdout.splitlines()
    assert "db in shop becomes default-deny for egress: 1 endpoint" in lines
    assert "shop/lost selects nothing" in lines


def test_three_dots_compare_with_where_both_parted(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "mine")
    repo.commit(mine="a: 1\n")
    repo.git("checkout", "-q", "main")
    repo.commit(policies__db=None)
    assert run("main..mine").exit_code == 1
    assert run("main...mine").exit_code == 0


def test_a_policy_declared_twice_is_told(repo: Repo) -> None:
    repo.commit(east__db=POLICY, west__db=POLICY)
    done = run("HEAD~1..HEAD")
    assert "shop/db is declared more than once" in done.stderr
    assert run("HEAD~1..HEAD", "east").exit_code == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("HEAD",), 2, "write BASE..HEAD"),
        (("HEAD..nothing",), 3, "nothing names no commit"),
        (("--upload-pack=x..HEAD",), 2, "No such option"),
        (("HEAD~0..HEAD", "nowhere"), 3, "nowhere"),
        (("HEAD..HEAD", "--endpoints", "missing.yaml"), 3, "missing.yaml"),
    ],
)
def test_what_cannot_be_done_says_so(repo: Repo, words: tuple[str, ...], code: int, said: str) -> None:
    done = run(*words)
    assert done.exit_code == code
    assert said in done.stderr


def test_files_that_cannot_be_read_are_exit_3_and_the_rest_is_told(repo: Repo) -> None:
    repo.commit(policies__db=None, bad="kind: NetworkPolicy\na: [\n", chart="kind: NetworkPolicy\na: {{ x }}\n")
    done = run("HEAD~1..HEAD")
    assert done.exit_code == 3
    assert "bad.yaml:" in done.stderr
    assert "chart.yaml is a template" in done.stderr
    assert "policy removed" in done.stdout


def test_outside_of_a_checkout_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare").mkdir()
    monkeypatch.chdir(tmp_path / "bare")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert run("HEAD..HEAD").exit_code == 3
