"""Clusters at their worst, seen from the whole program: dead, silent, slow, forged, forbidden, dying, and many."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bad import FLEET, Servers, Watched, black_hole, closed_port, environment, fleet, kubeconfig
from tests.support import thing
from tui.demo.apiserver.access import Deny, User
from tui.demo.apiserver.server import ServerTls
from tui.demo.pki import Authority

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def servers() -> Iterator[Servers]:
    """API servers on a loop in a thread; none of them was asked to change anything."""
    made = Servers()
    try:
        yield made
    finally:
        made.close()


def pods(count: int = 3) -> list[dict[str, Any]]:
    """A namespace and some pods."""
    found = [thing("Pod", f"web-{n}", "shop", status={"phase": "Running"}) for n in range(count)]
    return [thing("Namespace", "kube-system"), thing("Namespace", "shop"), *found]


def ca(authority: Authority) -> dict[str, str]:
    """An authority as a kubeconfig names it."""
    return {"certificate-authority-data": base64.b64encode(authority.certificate.read_bytes()).decode()}


def horrors(servers: Servers, stack: ExitStack, folder: Path) -> dict[str, dict[str, Any]]:
    """One cluster of each bad sort, and a good one."""
    right, wrong = Authority(folder / "right"), Authority(folder / "wrong")
    pair, old = right.server(), right.server("old", days=-1)
    tls = ServerTls(pair.certificate, pair.key)
    good = servers.start(pods(), "good")
    slow = servers.start(pods(), "slow")
    servers.call(lambda: slow.faults.delay(1.5))
    garbage = servers.start(pods(), "garbage")
    servers.call(lambda: garbage.faults.answer(200, b"<html>sign in</html>"))
    forged = servers.start(pods(), "forged", tls=tls, users=[User("u", token="t")])
    aged = servers.start(pods(), "aged", tls=ServerTls(old.certificate, old.key), users=[User("u", token="t")])
    expired = servers.start(pods(), "expired", tls=tls, users=[User("u", token="fresh")])
    forbidden = servers.start(pods(), "forbidden", tls=tls, users=[User("u", token="t")], deny=[Deny("*")])
    plain = servers.start(pods(), "plain")
    return {
        "good": {"server": good.url},
        "slow": {"server": slow.url},
        "garbage": {"server": garbage.url},
        "dead": {"server": closed_port()},
        "hole": {"server": stack.enter_context(black_hole())},
        "nodns": {"server": "https://no-such-host.invalid:6443"},
        "forged": {"server": forged.url, **ca(wrong), "user": {"token": "t"}},
        "aged": {"server": aged.url, **ca(right), "user": {"token": "t"}},
        "expired": {"server": expired.url, **ca(right), "user": {"token": "stale"}},
        "forbidden": {"server": forbidden.url, **ca(right), "user": {"token": "t"}},
        "notls": {"server": plain.url.replace("http://", "https://")},
        "plugin": {"server": good.url, "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
            "args": ["-c", "echo no ticket >&2; exit 7"], "interactiveMode": "Never"}}},
        "nofile": {"server": closed_port(), "certificate-authority": str(folder / "missing.crt")},
    }  # fmt: skip


EXPECTED = {
    "good": ("Live", ""),
    "slow": ("Live", ""),
    "garbage": ("Unreachable", "not as a Kubernetes API server"),
    "dead": ("Unreachable", "refused"),
    "hole": ("Unreachable", ""),
    "nodns": ("Unreachable", "no-such-host.invalid"),
    "forged": ("Unreachable", "certificate"),
    "aged": ("Unreachable", "expired"),
    "expired": ("Denied", ""),
    "forbidden": ("Denied", "forbidden"),
    "notls": ("Unreachable", "TLS"),
    "plugin": ("Denied", "no ticket"),
    "nofile": ("Denied", "missing.crt"),
}


def test_each_bad_cluster_says_its_state_and_reason(servers: Servers, tmp_path: Path) -> None:
    with ExitStack() as stack:
        clusters = horrors(servers, stack, tmp_path)
        env = environment(tmp_path, kubeconfig(tmp_path / "config", clusters))
        ran = fleet(env, "get", "clusters", "-o", "json")
        found = {entry["name"]: (entry["state"], entry["reason"]) for entry in json.loads(ran.stdout)}
        assert set(found) == set(EXPECTED)
        for name, (state, reason) in EXPECTED.items():
            assert found[name][0] == state, (name, found[name])
            assert reason in found[name][1], (name, found[name])
            assert state == "Live" or found[name][1], name


def test_sixty_contexts_of_every_bad_sort_never_delay_a_key(servers: Servers, tmp_path: Path) -> None:
    with ExitStack() as stack:
        clusters = horrors(servers, stack, tmp_path)
        several = [stack.enter_context(black_hole()) for _ in range(6)]
        for number in range(60 - len(clusters)):
            clusters[f"more-{number:02}"] = {"server": several[number % 6] if number % 2 else closed_port()}
        env = environment(tmp_path, kubeconfig(tmp_path / "config", clusters))
        with Watched(FLEET, 160, 48, env) as terminal:
            terminal.wait("/60", 30)
            took = []
            for _ in range(3):
                for word in ("clusters", "pods", "events"):
                    started = time.perf_counter()
                    terminal.press(":")
                    terminal.wait(lambda screen: ":" in screen.splitlines()[-1], 15)
                    took.append(time.perf_counter() - started)
                    terminal.press(*word, "enter")
                    terminal.wait(lambda screen, word=word: f" {word.capitalize()}" in screen, 15)
            assert sorted(took)[len(took) // 2] < 1, took  # a key waits for no cluster, whatever else this machine does
            terminal.press(":", *"clusters", "enter")
            terminal.wait(lambda screen: screen.count("Unreachable") > 20, 60)
            terminal.press(":", "q", "enter")
            assert terminal.wait_end(20) == 0


def test_rows_of_a_cluster_that_dies_are_shown_as_old(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(pods(), "c1")
    env = environment(tmp_path, kubeconfig(tmp_path / "config", {"c1": {"server": server.url}}))
    with Watched(FLEET, 140, 40, env) as terminal:
        terminal.wait("1/1")
        terminal.press(":", *"pods", "enter")
        terminal.wait("web-2")
        servers.do(server.stop())
        terminal.wait("Pods · ◐ c1 stale", 30)
        assert "web-2" in terminal.text()
        terminal.press(":", *"clusters", "enter")
        terminal.wait(lambda screen: "◐ Stale" in screen and "127.0.0.1" in screen, 30)
        terminal.press(":", *"services", "enter")
        terminal.wait(lambda screen: "none known" in screen and "c1: Stale" in screen, 30)
        servers.do(server.start())
        terminal.press("ctrl+r", ":", *"pods", "enter")
        terminal.wait(lambda screen: "web-2" in screen and "stale" not in screen, 30)
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
    assert server.mutations.count == 0


def test_what_answers_but_is_no_api_server_is_not_called_live(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(pods(), "c1")
    env = environment(tmp_path, kubeconfig(tmp_path / "config", {"web": {"server": server.url + "/elsewhere"}}))
    ran = fleet(env, "get", "clusters", "-o", "json")
    assert [entry["state"] for entry in json.loads(ran.stdout)] == ["Unreachable"]
    ran = fleet(env, "doctor")
    assert ran.returncode == 3 and "Traceback" not in ran.stderr
