"""The whole main job by keys alone, in a real terminal: see it, edit it, commit it, push it, watch it arrive."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demos import Demo, served
from tests.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def fingerprint(folder: Path) -> str:
    """A digest of every byte, name and mode below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path.relative_to(folder)} {path.lstat().st_mode:o}\0".encode())
        if path.is_symlink():
            digest.update(str(path.readlink()).encode())
        elif path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def replicas(demo: Demo) -> tuple[int, int]:
    """Wanted and ready replicas of the Deployment that is edited."""
    found = demo.ask("prod-eu-1", "/apis/apps/v1/namespaces/shop/deployments/catalog")
    return found["spec"]["replicas"], found["status"].get("readyReplicas", 0)


def test_a_replica_count_goes_from_a_key_press_to_the_cluster(tmp_path: Path) -> None:
    with served("--speed", "5") as demo:
        clone = fingerprint(demo.repository)
        assert replicas(demo) == (3, 3)
        env = {"KUBECONFIG": str(demo.kubeconfig), "FLEET_STATE": str(tmp_path), "LC_ALL": "C.UTF-8"}
        argv = [sys.executable, "-m", "tui", "--repo", str(demo.repository)]
        with Terminal(argv, 140, 40, env) as terminal:
            terminal.wait("10/11")
            terminal.press(":", *"deploy", "enter")
            terminal.wait("Deployments")
            terminal.press("/", *"prod-eu-1", "enter")
            terminal.wait(lambda screen: "catalog" in screen and "cilium-operator" in screen and "edge" in screen)
            terminal.wait("Deployments · /prod-eu-1")
            terminal.press("e")
            terminal.wait("replicas: 3")
            terminal.press("ctrl+f", *"replicas", "enter")
            terminal.press("end", "backspace", "5")
            terminal.wait("replicas: 5")
            terminal.press("ctrl+s")
            terminal.wait(lambda screen: "-  replicas: 3" in screen and "+  replicas: 5" in screen)
            terminal.press("c")
            terminal.wait(lambda screen: screen.splitlines()[-1].startswith(" commit"))
            terminal.press("enter")
            terminal.wait("committed")
            terminal.wait("✎ local")  # it leads there by itself
            terminal.press(":", *"drafts", "enter")
            terminal.wait(lambda screen: "✎ local" in screen and "P Push" in screen.splitlines()[-1])
            assert fingerprint(demo.repository) == clone
            assert replicas(demo)[0] == 3
            terminal.press("P")
            terminal.wait("a branch of its own")
            terminal.press("down", "enter")
            terminal.wait("Push to main?")
            terminal.press("y")
            terminal.wait("arrived", 60)
            terminal.press(":", *"events", "enter")
            terminal.wait(lambda screen: "DraftArrived" in screen and "catalog-prod-eu-1" in screen, 60)
            terminal.wait("Deployed", 60)
            log = ["git", "-C", str(demo.origin), "log", "-1", "--format=%B", "main"]
            message = subprocess.run(log, check=True, capture_output=True, text=True).stdout
            assert "3 → 5" in message
            assert "Fleet-Application: catalog-prod-eu-1" in message
            while replicas(demo) != (5, 5):
                terminal.pump(0.1)
            terminal.press(":", "q", "enter")
            assert terminal.wait_end() == 0
        assert fingerprint(demo.repository) == clone
        assert demo.mutations() == 0
