"""A process that serves a cluster with many Applications of an ordinary size, for the benchmarks.

    python -m tests.benchmarks.applications --applications 10000

Prints one line of JSON, `{"kubeconfig": …, "bytes": …}`, and serves until its standard input is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEAMS = ("payments", "catalog", "checkout", "search", "identity", "shipping", "pricing", "media")


def application(number: int, servers: Sequence[str] = ()) -> dict[str, Any]:
    """An Application with 30 resources, history and managedFields: about 8 KB, as they are in the wild.

    It deploys to one of `servers`, by URL.
    """
    name = f"{TEAMS[number % len(TEAMS)]}-{number:05d}"
    server = servers[number % len(servers)] if servers else f"https://10.0.{number % 40}.1:6443"
    commit = number % 200  # Applications of one repository stand at the same commit
    revision = f"{(commit + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276B % (1 << 160):040x}"
    source = {
        "repoURL": f"https://git.example.com/{TEAMS[number % len(TEAMS)]}/deploy.git",
        "path": f"clusters/prod-{number % 40}/{name}",
        "targetRevision": "main",
    }
    kinds = ("Deployment", "Service", "ConfigMap", "ServiceAccount", "NetworkPolicy")
    resources = [
        {
            "group": "apps" if kinds[at % 5] == "Deployment" else "",
            "version": "v1",
            "kind": kinds[at % 5],
            "namespace": name,
            "name": f"{name}-part-{at}",
            "status": "Synced" if (number + at) % 97 else "OutOfSync",
            "health": {"status": "Healthy"},
        }
        for at in range(30)
    ]
    at = f"2026-11-{1 + number % 20:02d}T10:{number % 60:02d}:{number * 7 % 60:02d}Z"
    compared = f"2026-11-28T09:{number % 4:02d}:{number * 7 % 60:02d}Z"  # again and again, every few minutes
    history = [
        {"id": step, "revision": revision, "source": source, "deployStartedAt": at, "deployedAt": at}
        for step in range(3)
    ]
    fields = {"f:status": {f"f:field{at}": {"f:resources": {}, "f:health": {}} for at in range(30)}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": "argocd",
            "labels": {"team": TEAMS[number % len(TEAMS)]},
            "managedFields": [
                {"manager": "argocd-application-controller", "operation": "Update", "time": at, "fieldsV1": fields}
            ],
        },
        "spec": {
            "project": TEAMS[number % len(TEAMS)],
            "source": source,
            "destination": {"server": server, "namespace": name},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
        "status": {
            "sync": {"status": "Synced" if number % 11 else "OutOfSync", "revision": revision},
            "health": {"status": "Healthy" if number % 13 else "Degraded", "lastTransitionTime": at},
            "reconciledAt": compared,
            "resources": resources,
            "history": history,
            "operationState": {
                "phase": "Succeeded",
                "message": "successfully synced (all tasks run)",
                "startedAt": at,
                "finishedAt": at,
                "operation": {"sync": {"revision": revision}},
                "syncResult": {"revision": revision, "source": source},
            },
        },
    }


@contextmanager
def served(count: int) -> Iterator[dict[str, Any]]:
    """A child process that serves `count` Applications; gives what it printed, with its `pid`."""
    argv = [sys.executable, "-m", "tests.benchmarks.applications", "--applications", str(count)]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    try:
        yield {**json.loads(child.stdout.readline()), "pid": child.pid}
    finally:
        child.stdin.close()
        child.wait(30)
        child.stdout.close()


async def _serve(count: int) -> None:
    from tests.support import kubeconfig, serving

    with tempfile.TemporaryDirectory() as folder:
        objects = [application(number) for number in range(count)]
        size = sum(len(json.dumps(obj, separators=(",", ":"))) for obj in objects)
        namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}]
        async with serving([*namespaces, *objects], name="hub") as server:
            del objects
            path = kubeconfig(Path(folder) / "kubeconfig", server)
            print(json.dumps({"kubeconfig": str(path), "url": server.url, "bytes": size}), flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=10_000)
    asyncio.run(_serve(parser.parse_args().applications))
