"""Helpers that any test area may use: a Kubernetes API server over real HTTP with objects to show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from tui.demo.apiserver.resources import BUILTIN
from tui.demo.apiserver.server import ApiServer
from tui.demo.apiserver.storage import Storage
from tui.demo.pki import Pair


def thing(
    kind: str, name: str, namespace: str = "", api: str = "v1", labels: Mapping[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    """An object in the fewest words: `thing("Pod", "web-1", "shop", spec={...})`."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def definition(plural: str, kind: str, group: str, version: str = "v1", scope: str = "Namespaced") -> dict[str, Any]:
    """A CustomResourceDefinition without a schema: an API server that stores it serves its kind."""
    return thing(
        "CustomResourceDefinition",
        f"{plural}.{group}",
        api="apiextensions.k8s.io/v1",
        spec={
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "kind": kind},
            "versions": [{"name": version, "served": True, "storage": True}],
        },
    )


@asynccontextmanager
async def serving(
    objects: Iterable[dict[str, Any]] = (), name: str = "c1", writes: bool = False, **options: Any
) -> AsyncIterator[ApiServer]:
    """A running API server with these objects; `options` are those of Storage and ApiServer.

    Nobody may have asked it for a write by its end, unless the test `writes` on purpose.
    """
    stored = {key: options.pop(key) for key in ("clock", "window", "resources") if key in options}
    storage = Storage(stored.pop("resources", BUILTIN), **stored)
    for obj in objects:
        storage.create(obj)
    server = ApiServer(storage, name, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
    assert writes or not server.mutations.requests, list(server.mutations.requests)


Factory = Callable[..., Any]


@pytest_asyncio.fixture
async def api_server(request: pytest.FixtureRequest) -> AsyncIterator[Factory]:
    """`server = await api_server(objects, **options)`: as many as wanted, stopped after the test."""
    writes = request.node.get_closest_marker("writes") is not None
    async with AsyncExitStack() as stack:

        async def make(objects: Iterable[dict[str, Any]] = (), **options: Any) -> ApiServer:
            return await stack.enter_async_context(serving(objects, writes=writes, **options))

        yield make


def kubeconfig(
    path: Path,
    server: ApiServer,
    ca: Path | None = None,
    token: str = "",
    pair: Pair | None = None,
    namespace: str = "default",
) -> Path:
    """Write a kubeconfig with one context, named as the server, and return its path."""
    cluster: dict[str, Any] = {"server": server.url}
    if ca is not None:
        cluster["certificate-authority"] = str(ca)
    user: dict[str, Any] = {"token": token} if token else {}
    if pair is not None:
        user |= {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": server.name,
        "clusters": [{"name": server.name, "cluster": cluster}],
        "users": [{"name": "user", "user": user}],
        "contexts": [
            {"name": server.name, "context": {"cluster": server.name, "user": "user", "namespace": namespace}}
        ],
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path
