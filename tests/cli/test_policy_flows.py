"""`fleet policy flows`: the real command on files, pipes and readers that go away."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands, Ran
from tests.domain.test_cilium_flows import line

POLICIES = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: web}}]
    toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
"""
FORWARDED = {"verdict": "FORWARDED", "drop_reason_desc": ""}


def port(number: int) -> dict[str, Any]:
    return {"TCP": {"source_port": 40000, "destination_port": number, "flags": {"SYN": True}}}


LINES = [
    line(),
    b'level=info msg="something else"',
    line(time="2026-01-08T11:00:00Z", l4=port(9090), **FORWARDED),
    line(time="2026-01-08T12:00:00Z", l4=port(8080), **FORWARDED),
    line(time="2026-01-08T12:00:00Z", is_reply=True, **FORWARDED),
    json.dumps({"lost_events": {"source": "HUBBLE_RING_BUFFER", "num_events_lost": "42"}}).encode(),
    line(time="2026-01-08T13:00:00Z", source={"labels": ["reserved:world"]}, verdict="AUDIT"),
]


class Flows:
    """Runs `fleet policy flows …` in a folder with LINES in `f.log` and POLICIES in `policies/p.yaml`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "f.log").write_bytes(b"\n".join(LINES) + b"\n")
        (folder / "policies").mkdir()
        (folder / "policies" / "p.yaml").write_text(POLICIES)
        kept = Commands(folder).environment({"PYTHONPATH": str(Path(__file__).parents[2]), "TZ": "UTC"})
        self.options: dict[str, Any] = {"cwd": folder, "env": kept}
        self.command = [sys.executable, "-m", "tui", "policy", "flows"]

    def __call__(self, *words: str, stdin: bytes = b"", before: Callable[[], None] | None = None) -> Ran:
        done = subprocess.run(
            [*self.command, *words], input=stdin, capture_output=True, timeout=120, check=False, preexec_fn=before,
            **self.options,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*self.command, *words], **pipes, **self.options)


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    return Flows(tmp_path)


def test_one_line_a_flow_and_gaps(flows: Flows):
    ran = flows("f.log")
    lines = ran.out.splitlines()
    assert (ran.code, ran.err, len(lines)) == (0, "", 6)
    assert lines[0] == (
        "2026-01-08 10:00:00  dropped    in   shop/web-1 → shop/api-1  TCP/8080  POLICY_DENIED (default deny)"
    )
    assert "shop/web-1 ← shop/api-1" in lines[3]
    assert "gap" in lines[4] and "42 events lost in HUBBLE_RING_BUFFER" in lines[4]
    assert flows("-", stdin=(flows.folder / "f.log").read_bytes()).out == ran.out


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--verdict", "dropped"], 1),
        (["--verdict", "dropped", "--verdict", "AUDIT"], 2),
        (["--namespace", "sh*"], 5),
        (["-n", "other"], 0),
        (["--pod", "shop/web"], 4),
        (["--pod", "api-*"], 5),
        (["--since", "2026-01-08T11:30:00Z"], 3),
        (["--since", "1s"], 0),
        (["--last", "2"], 2),
        (["--verdict", "forwarded", "--last", "1"], 1),
    ],
)
def test_filters(flows: Flows, words: list[str], shown: int):
    found = [json.loads(each) for each in flows("f.log", "-o", "json", *words).out.splitlines()]
    gaps = sum("lost" in each for each in found)
    assert len(found) - gaps == shown if "--last" not in words else len(found) == shown


def test_json_says_everything(flows: Flows):
    first, *_, last = [json.loads(each) for each in flows("f.log", "-o", "json").out.splitlines()]
    assert (first["time"], first["verdict"], first["direction"]) == ("2026-01-08T10:00:00.500Z", "DROPPED", "ingress")
    assert (first["from"]["name"], first["to"]["workload"], first["port"]) == ("shop/web-1", "api", 8080)
    assert last["from"]["labels"] == ["reserved:world"]


def test_replay_tells_what_would_change_and_exits_1(flows: Flows):
    ran = flows("f.log", "--policies", "policies")
    assert ran.code == 1
    first, second = ran.out.splitlines()
    assert "dropped" in first and "TCP/8080" in first and "now allowed by CiliumNetworkPolicy shop/api" in first
    assert "forwarded" in second and "TCP/9090" in second and "now denied by default" in second
    assert "2 of 4 flows would change; 1 are replies or no policy's matter" in ran.err
    (found, _) = [json.loads(each) for each in flows("f.log", "--policies", "policies", "-o", "json").out.splitlines()]
    assert found["replay"]["verdict"] == "allowed"


def test_replay_of_flows_that_agree_exits_0(flows: Flows):
    ran = flows("-", "--policies", "policies/p.yaml", stdin=LINES[3] + b"\n")
    assert (ran.code, ran.out) == (0, "") and "0 of 1 flow would change" in ran.err


@pytest.mark.parametrize(
    ("policies", "stdin", "words"),
    [
        ("{port: http, protocol: TCP}", line(l4=port(9090)), "if its port has that name"),
        ('{port: "8080", protocol: TCP}', line(source={"pod_name": "web-1"}), "no labels of web-1"),
        ('{port: "8080", protocol: TCP}', line(l4={}), "tells no protocol"),
    ],
)  # fmt: skip
def test_replay_says_what_a_flow_does_not_tell(flows: Flows, policies: str, stdin: bytes, words: str):
    path = flows.folder / "policies" / "p.yaml"
    path.write_text(POLICIES.replace('{port: "8080", protocol: TCP}', policies))
    ran = flows("-", "--policies", "policies", stdin=stdin)
    assert (ran.code, ran.out) == (0, "")
    assert "0 of 1 flow would change; 1 cannot be decided" in ran.err and words in ran.err


def test_an_invalid_policy_is_told_and_decides_nothing(flows: Flows):
    (flows.folder / "policies" / "p.yaml").write_text(POLICIES.replace("8080", "808080"))
    ran = flows("f.log", "--policies", "policies")
    assert "policies/p.yaml: shop/api is invalid" in ran.err


def test_a_policy_that_cannot_be_read_is_wrong_usage(flows: Flows):
    (flows.folder / "policies" / "p.yaml").write_text("kind: [")
    ran = flows("f.log", "--policies", "policies")
    assert ran.code == 2 and "p.yaml:1:" in ran.err


def test_what_is_no_flow_is_told(flows: Flows):
    ran = flows("-", stdin=b"nothing\n" + line()[:200] + b"\n" + b'{"flow":{"x":"' + b"y" * (1 << 20) + b'"}}\n')
    assert ran.code == 0 and ran.out == ""
    assert "1 line could not be read as a flow" in ran.err
    assert "1 line longer than 1024 KiB left out" in ran.err
    assert 'no flow was found: lines of a Hubble exporter begin with {"flow":' in ran.err
    assert flows("missing").code == 2


def test_foreign_text_is_data(flows: Flows):
    evil = {"pod_name": "\x1b[2Jx\nfleet: fine", "namespace": "shop"}
    for words in ([], ["-o", "json"]):
        ran = flows("-", *words, stdin=line(source=evil) + b"\n")
        assert "\x1b" not in ran.out and len(ran.out.splitlines()) == 1


def test_a_pipe_is_followed_while_it_is_open(flows: Flows):
    child = flows.start("-")
    assert child.stdin is not None and child.stdout is not None
    for number in range(3):
        child.stdin.write(line(l4=port(number)) + b"\n")
        child.stdin.flush()
        assert f"TCP/{number} ".encode() in child.stdout.readline()
    out, err = child.communicate(line(l4=port(77)), timeout=60)
    assert b"TCP/77" in out and err == b"" and child.returncode == 0


@pytest.mark.parametrize("words", [[], ["--policies", "policies"], ["--last", "5"]])
def test_ctrl_c_is_quiet(flows: Flows, words: list[str]):
    child = flows.start("-", *words)
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(line() + b"\n")
    child.stdin.flush()
    if "--last" not in words:
        assert child.stdout.readline()
    else:  # nothing is said before the end: it reads when the pipe has been emptied
        import fcntl
        import struct
        import termios

        while struct.unpack("i", fcntl.ioctl(child.stdin, termios.FIONREAD, b"\0" * 4))[0]:
            os.sched_yield()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, b"", b"")


def test_a_reader_that_goes_away_is_no_error(flows: Flows):
    child = flows.start("-")
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    child.stdin.write(line() + b"\n")
    child.stdin.flush()
    child.stdout.readline()
    child.stdout.close()
    try:
        for _ in range(10_000):
            child.stdin.write(line() + b"\n")
            child.stdin.flush()
    except BrokenPipeError:
        pass
    assert child.stderr.read() == b""
    assert child.wait(60) == 141


def test_millions_of_flows_take_bounded_memory(flows: Flows):
    """Fewer lines than that, in a memory that could not hold them."""
    data = b"".join(line(source_names=[f"{number}.example.com"] * 40) + b"\n" for number in range(500)) * 60

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20))

    ran = flows("-", "--last", "3", stdin=data, before=limit)
    assert len(data) > 40 << 20
    assert (ran.code, ran.err, len(ran.out.splitlines())) == (0, "", 3)
