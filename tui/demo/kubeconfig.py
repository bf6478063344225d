"""The demo's kubeconfig: one context per cluster, with the kinds of credentials that people have."""

from __future__ import annotations

import base64
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tui.demo.content.clusters import ClusterSpec
from tui.demo.pki import Authority, Pair

USER = "robin.berg"
GROUPS = ("harbour:engineers",)

LOGIN = '''\
"""A login helper as clouds have them: prints an ExecCredential."""

import json
import sys

print(json.dumps({
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "status": {"token": open(sys.argv[1], encoding="utf-8").read().strip()},
}))
'''


@dataclass(frozen=True)
class Login:
    """How the user gets into one cluster: the URL and, unless by certificate, the token."""

    spec: ClusterSpec
    url: str
    token: str


def write(path: Path, authority: Authority, logins: list[Login]) -> None:
    """Write the kubeconfig (and what its users need, beside it); the first cluster is the current context."""
    ca = base64.b64encode(authority.certificate.read_bytes()).decode()
    clusters, users, contexts = [], [], []
    pair = authority.client(USER, GROUPS)
    for login in logins:
        spec = login.spec
        user = f"{USER}@{spec.name}"
        clusters.append({"name": spec.name, "cluster": {"server": login.url, "certificate-authority-data": ca}})
        users.append({"name": user, "user": _user(path.parent, pair, login)})
        contexts.append({"name": spec.context, "context": {"cluster": spec.name, "user": user}})
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts[0]["name"],
        "clusters": clusters,
        "users": users,
        "contexts": contexts,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.dump(document, file, yaml.CSafeDumper, sort_keys=False)


def _user(directory: Path, pair: Pair, login: Login) -> dict[str, Any]:
    if login.spec.access == "certificate":
        return {
            "client-certificate-data": base64.b64encode(pair.certificate.read_bytes()).decode(),
            "client-key-data": base64.b64encode(pair.key.read_bytes()).decode(),
        }
    if login.spec.access == "exec":
        script = directory / "harbour-login.py"
        script.write_text(LOGIN, encoding="utf-8")
        secret = directory / f"{login.spec.name}.token"
        secret.touch(mode=0o600)
        secret.write_text(login.token, encoding="utf-8")
        return {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": sys.executable,
                "args": [str(script), str(secret)],
                "interactiveMode": "Never",
                "provideClusterInfo": False,
            }
        }
    return {"token": login.token}
