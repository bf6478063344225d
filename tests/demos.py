"""The demo fleet as tests see it: a served child, and questions to its API servers behind fleet's back."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Demo:
    """A served demo: where it is, and how to ask its API servers directly."""

    kubeconfig: Path
    repository: Path
    origin: Path
    clusters: tuple[str, ...]
    pid: int

    def ask(self, cluster: str, path: str) -> Any:
        """The JSON of a GET to one cluster, with the credentials of the kubeconfig."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        named = {part: {entry["name"]: entry for entry in config[part]} for part in ("clusters", "users", "contexts")}
        context = named["contexts"][cluster]["context"]
        target, user = named["clusters"][context["cluster"]]["cluster"], named["users"][context["user"]]["user"]
        tls = ssl.create_default_context(cadata=base64.b64decode(target["certificate-authority-data"]).decode())
        request = urllib.request.Request(target["server"] + path)
        if "token" in user:
            request.add_header("Authorization", f"Bearer {user['token']}")
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n")
                pair.write(base64.b64decode(user["client-key-data"]))
                pair.flush()
                tls.load_cert_chain(pair.name)
        elif "client-certificate" in user:
            tls.load_cert_chain(user["client-certificate"], user["client-key"])
        with urllib.request.urlopen(request, context=tls, timeout=20) as answer:
            return json.load(answer)

    def mutations(self) -> int:
        """How many writes any of its API servers has been asked for."""
        return sum(self.ask(cluster, "/demo/mutations")["count"] for cluster in self.clusters if self._answers(cluster))

    def _answers(self, cluster: str) -> bool:
        try:
            self.ask(cluster, "/version")
        except OSError:
            return False  # one refuses connections on purpose, others may use credentials that need a plugin
        return True


@contextmanager
def served(*arguments: str) -> Iterator[Demo]:
    """`fleet demo --serve` in a child that ends with the block; nobody may have asked it for a write by then."""
    argv = [sys.executable, "-m", "tui", "demo", "--serve", *arguments]
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        ready = json.loads(child.stdout.readline())
        demo = Demo(
            Path(ready["kubeconfig"]), Path(ready["repository"]), Path(ready["origin"]),
            tuple(ready["clusters"]), ready["pid"],
        )  # fmt: skip
        yield demo
        assert demo.mutations() == 0
    finally:
        child.terminate()
        code = child.wait(30)
        child.stdout.close()
    assert code == 0
    assert not Path(ready["kubeconfig"]).exists(), "the demo left something behind"
