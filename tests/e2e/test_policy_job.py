"""By keys alone in a real terminal: from a dropped flow to the rule that lets it pass, a cut that asks, and logs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.demos import Demo, served
from tests.e2e.test_main_job import fingerprint
from tests.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CLUSTER = "prod-eu-1"


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One for both tests: neither minds what the other has done to it."""
    with served("--speed", "5") as demo:
        yield demo


@contextmanager
def fleet(demo: Demo, state: Path) -> Iterator[Terminal]:
    """fleet on the demo, showing one cluster."""
    env = {"KUBECONFIG": str(demo.kubeconfig), "FLEET_STATE": str(state), "LC_ALL": "C.UTF-8"}
    argv = [sys.executable, "-m", "tui", "--repo", str(demo.repository)]
    with Terminal(argv, 170, 48, env) as terminal:
        terminal.wait("10/11")
        terminal.press(":", *f"ctx {CLUSTER}", "enter")
        terminal.wait(f"Applications · {CLUSTER}")
        yield terminal
        terminal.press(":", "q", "enter")
        assert terminal.wait_end() == 0


def policy(demo: Demo, name: str) -> Any:
    """A policy of the shop as the API server has it."""
    return demo.ask(CLUSTER, f"/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies/{name}")["spec"]


def test_a_dropped_flow_passes_after_a_rule_was_drafted_from_it(demo: Demo, tmp_path: Path) -> None:
    clone = fingerprint(demo.repository)
    before = policy(demo, "checkout")
    with fleet(demo, tmp_path) as terminal:
        terminal.press(":", *"flows", "enter")
        terminal.wait(f"Flows · {CLUSTER}")
        terminal.press("/", *"TCP/8086", "enter")
        terminal.wait(line("dropped out", "shop/checkout", "shop/mailer", "POLICY_DENIED"))
        terminal.press("e")
        terminal.wait("Draft this rule?")
        terminal.wait("allow egress to app.kubernetes.io/name=mailer, port 8086/TCP")
        terminal.press("y")
        terminal.wait(line("+", "app.kubernetes.io/name: mailer"))
        terminal.wait(line("allows", "checkout in shop", "mailer in shop", "TCP 8086"))
        terminal.press("c")
        terminal.wait(lambda screen: screen.splitlines()[-1].startswith(" commit"))
        terminal.press("enter")
        terminal.wait("✎ local")
        assert policy(demo, "checkout") == before
        terminal.press(":", *"drafts", "enter")
        terminal.wait(lambda screen: "✎ local" in screen and "P Push" in screen.splitlines()[-1])
        terminal.press("P")
        terminal.wait("a branch of its own")
        terminal.press("down", "enter")
        terminal.wait("Push to main?")
        terminal.press("y")
        terminal.wait("arrived", 60)
        terminal.press(":", *"flows", "enter")
        terminal.wait(line("forwarded out", "shop/checkout", "shop/mailer", "allowed by shop/checkout"))
    assert [rule for rule in policy(demo, "checkout")["egress"] if rule not in before["egress"]] == [
        {
            "toEndpoints": [{"matchLabels": {"app.kubernetes.io/name": "mailer"}}],
            "toPorts": [{"ports": [{"port": "8086", "protocol": "TCP"}]}],
        }
    ]
    assert fingerprint(demo.repository) == clone


def line(*parts: str) -> Any:
    """A condition: one line of the screen has these texts in this order."""
    wanted = re.compile(".*".join(map(re.escape, parts)))
    return lambda screen: any(wanted.search(row) for row in screen.splitlines())


def test_a_draft_that_cuts_recent_traffic_asks_for_its_name(demo: Demo, tmp_path: Path) -> None:
    with fleet(demo, tmp_path) as terminal:
        terminal.press(":", *"policies", "enter")
        terminal.wait(f"Policies · {CLUSTER}")
        terminal.press("/", *"catalog-prod-eu", "enter")
        terminal.wait(line("Policies", "/catalog-prod-eu"))
        terminal.press("e")
        terminal.wait('port: "8081"')
        terminal.press("ctrl+f", *"8081", "enter")
        terminal.press("end", "backspace", "backspace", "9", '"')
        terminal.wait('port: "8089"')
        terminal.press("ctrl+s")
        terminal.wait(line("it cuts traffic seen in prod-eu-1"))
        terminal.press("c")
        terminal.wait("type edit-catalog and press enter")
        terminal.press("escape")
        terminal.wait(lambda screen: "press enter" not in screen and "not committed yet" in screen)
        terminal.press("c")
        terminal.wait("type edit-catalog and press enter")
        terminal.press(*"edit", "enter", *"-catalog", "enter")  # half of the name is no answer
        screen = terminal.wait(lambda screen: screen.splitlines()[-1].startswith(" commit"))
        assert "catalog-prod-eu-1: change" in screen.splitlines()[-1]
        assert "not committed yet" in screen
        terminal.press("escape")
        terminal.wait(lambda screen: not screen.splitlines()[-1].startswith(" commit"))


def test_logs_by_the_keys_of_k9s(demo: Demo, tmp_path: Path) -> None:
    with fleet(demo, tmp_path) as terminal:
        terminal.press(":", *"deploy shop", "enter")
        terminal.wait(f"Deployments · {CLUSTER} · shop")
        terminal.press("/", *"checkout", "enter")
        terminal.wait(lambda screen: "storefront" not in screen and "checkout" in screen)
        terminal.press("l")
        terminal.wait(f"Logs · Deployment checkout · {CLUSTER} · shop")
        terminal.wait(line("checkout-", "level=info", "msg=placed"))
        before = re.search(r"([\d,]+) lines", terminal.text())
        terminal.wait(lambda screen: (now := re.search(r"([\d,]+) lines", screen)) and now[0] != (before and before[0]))
        terminal.press("/", *"!level=", "enter")
        terminal.wait(lambda screen: "· /!level= ─" in screen and "─ 0 of" in screen)
        terminal.press("escape")
        terminal.wait(lambda screen: "!level=" not in screen)
        terminal.press("2")
        terminal.wait("since 1m")
        terminal.press("t", "w", "s")
        terminal.wait(line("paused,", "behind"))
        terminal.press("p")
        terminal.wait("previous · last 1,000")
        terminal.press("q")
        terminal.wait(f"Deployments · {CLUSTER} · shop")
