"""Secrets planted wherever fleet may meet one, and a search for them in every form they could be written in."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from tests.support import definition, thing

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def secret(what: str) -> str:
    """A secret of its own for each purpose: letters and digits, with characters that encodings change."""
    return f"{hashlib.sha256(what.encode()).hexdigest()[:24]}&Q+ü"


def opaque(what: str) -> str:
    """One as tokens are: letters and digits alone."""
    return "Tk" + hashlib.sha256(what.encode()).hexdigest()[:30]


TOKEN, EXEC, LEAKED, GARBAGE, GIVEN = map(opaque, ("token", "exec", "leaked", "garbage", "given"))
BASIC, DATA, STRING, REPOSITORY, CLUSTER = map(secret, ("basic", "data", "string", "repository", "cluster"))
KEY, NOTED, APP_PARAMETER, APP_VALUES, APP_OBJECT = map(opaque, ("key", "noted", "parameter", "values", "object"))
ENVIRONMENT, DOCKER = map(secret, ("environment", "docker"))
ANNOTATION, PROXY, SERVER, EVENT = map(opaque, ("annotation", "proxy", "server", "event"))
APP_URL, CONDITION, GIT, KUSTOMIZE = map(opaque, ("app url", "condition", "git", "kustomize"))
CELL, CELL_URL = map(opaque, ("cell", "cell url"))
PLANTED = {name: value for name, value in dict(globals()).items() if name.isupper() and isinstance(value, str)}
PLANTED.pop("LAST_APPLIED")


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """How a text may stand in a file: as it is, escaped for JSON and URLs, and in base64 wherever it begins."""
    raw = value.encode()
    yield "plain", raw
    yield "utf-16", value.encode("utf-16-le")
    for ascii_only in (True, False):
        yield "JSON", json.dumps(value, ensure_ascii=ascii_only)[1:-1].encode()
    yield "Go's JSON", json.dumps(value)[1:-1].replace("&", "\\u0026").encode()
    yield "URL", quote(value, safe="").encode()
    yield "form", quote_plus(value).encode()
    yield "XML", value.replace("&", "&amp;").encode()
    yield "hex", raw.hex().encode()
    for shift in range(3):  # the middle of it, whatever stands before and after
        found = base64.b64encode(b"\0" * shift + raw)[(4 if shift else 0) :]
        yield f"base64 at {shift}", found[: len(found) // 4 * 4 - 4]
        yield f"base64url at {shift}", found[: len(found) // 4 * 4 - 4].replace(b"+", b"-").replace(b"/", b"_")


_FORMS = [
    (name, form, found)
    for name, value in PLANTED.items()
    for found, form in {found: form for form, found in reversed(list(forms(value)))}.items()
]


def seen(where: str, data: bytes, but: Iterable[str] = ()) -> list[str]:
    """Every planted secret in some bytes, as `where: name (form)`."""
    return [f"{where}: {name} ({form})" for name, form, found in _FORMS if found in data and name not in but]


def seen_below(folder: Path, but: Iterable[str] = ()) -> list[str]:
    """The same of every file below a folder and its name; what zlib has packed is looked into."""
    found: list[str] = []
    for path in sorted(folder.rglob("*")):
        found += seen("a name", os.fsencode(path.relative_to(folder)), but)
        if not path.is_file():
            continue
        data = path.read_bytes()
        found += seen(str(path), data, but)
        with suppress(zlib.error):  # not a loose object of Git's
            found += seen(f"{path}, unpacked", zlib.decompress(data), but)
    for pack in folder.rglob("objects"):
        told = subprocess.run(
            ["git", f"--git-dir={pack.parent}", "cat-file", "--batch", "--batch-all-objects"], capture_output=True
        )
        found += seen(f"{pack}, objects", told.stdout, but)
    return found


def url(user: str, password: str, rest: str, scheme: str = "https") -> str:
    return f"{scheme}://{user}:{password}@{rest}"


def objects(repository: str) -> list[dict[str, Any]]:
    """A cluster full of secrets, as API servers store them. `repository` is the repoURL of the Application `shop`."""

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    held = thing("Secret", "db", "shop", type="Opaque", data={"p": encoded(DATA)}, stringData={"s": STRING})
    held["metadata"]["annotations"] = {
        LAST_APPLIED: json.dumps({"kind": "Secret", "data": {"password": encoded(NOTED)}, "stringData": {"x": NOTED}}),
        "openshift.io/token-secret.value": DOCKER,
    }
    label = "argocd.argoproj.io/secret-type"
    registered = thing("Secret", "cluster-a", "argocd", labels={label: "cluster"}, type="Opaque")
    registered["data"] = {"name": encoded("a"), "config": encoded(json.dumps({"bearerToken": CLUSTER}))}
    known = thing("Secret", "repo-a", "argocd", labels={label: "repository"}, type="Opaque")
    known["data"] = {"url": encoded(repository), "password": encoded(REPOSITORY)}
    helm = {
        "parameters": [{"name": "image.tag", "value": "7"}, {"name": "auth.adminPassword", "value": APP_PARAMETER}],
        "values": f"replicas: 2\ndb:\n  password: {APP_VALUES}\n",
        "valuesObject": {"auth": {"token": APP_OBJECT}},
    }
    spec = {
        "project": "default",
        "source": {"repoURL": repository, "path": "shop", "targetRevision": "main", "helm": helm},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
    }
    said = f"cannot list {url('ci', CONDITION, 'git.example.com/a.git')}: authentication required"
    app = thing("Application", "shop", "argocd", "argoproj.io/v1alpha1", spec=spec)
    app["status"] = {
        "sync": {"status": "OutOfSync", "comparedTo": {"source": spec["source"]}},
        "health": {"status": "Healthy"},
        "conditions": [{"type": "ComparisonError", "message": said}],
        "history": [{"id": 1, "revision": "a" * 40, "deployedAt": "2026-11-29T00:00:00Z", "source": spec["source"]}],
    }
    app["metadata"]["annotations"] = {LAST_APPLIED: json.dumps({"kind": "Application", "spec": spec})}
    env = [{"name": "LEVEL", "value": "info"}, {"name": "DB_PASSWORD", "value": ENVIRONMENT}]
    pod = thing("Pod", "web", "shop", spec={"containers": [{"name": "web", "image": "web:1", "env": env}]})
    pod["status"] = {"phase": "Running"}
    pod["metadata"]["annotations"] = {"example.com/api-token": ANNOTATION}
    event = thing("Event", "e1", "shop", type="Warning", reason="Failed", lastTimestamp="2026-11-29T00:00:00Z")
    event["message"] = f"cannot pull {url('ci', EVENT, 'git.example.com/a.git')}"
    event["involvedObject"] = {"kind": "Pod", "namespace": "shop", "name": "web", "apiVersion": "v1"}
    names = [thing("Namespace", name) for name in ("kube-system", "shop", "argocd")]
    gadgets = definition("gadgets", "Gadget", "example.com")
    (version,) = gadgets["spec"]["versions"]
    version["additionalPrinterColumns"] = [
        {"name": "API Token", "type": "string", "jsonPath": ".spec.token"},
        {"name": "Remote", "type": "string", "jsonPath": ".spec.remote"},
    ]
    gadget = thing("Gadget", "gear", "shop", "example.com/v1")
    gadget["spec"] = {"token": CELL, "remote": url("ci", CELL_URL, "git.example.com/gear.git")}
    applications = definition("applications", "Application", "argoproj.io", "v1alpha1")
    return [*names, gadgets, gadget, applications, held, registered, known, app, pod, event]
