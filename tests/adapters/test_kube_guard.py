"""Nothing but reads leaves this program, whoever tries and however it is spelled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tui.adapters.kube import Refused, guard
from tui.adapters.kube.contexts import ClusterSpec
from tui.adapters.kube.session import make_api

ROOT = Path(__file__).parents[2]

READS = [
    "/version",
    "/api",
    "/apis",
    "/api/v1",
    "/api/v1/pods",
    "/api/v1/namespaces",
    "/api/v1/namespaces/shop",
    "/api/v1/namespaces/shop/status",
    "/api/v1/namespaces/shop/pods/web-1",
    "/api/v1/namespaces/shop/pods/web-1/log",
    "/api/v1/namespaces/proxy/services/exec",
    "/api/v1/nodes/attach",
    "/apis/apps/v1/namespaces/shop/deployments/web/scale",
    "/apis/argoproj.io/v1alpha1/applications",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    "/openapi/v3/apis/apps/v1",
]
NOT_READS = [
    "/api/v1/namespaces/shop/pods/web-1/exec",
    "/api/v1/namespaces/shop/pods/web-1/attach",
    "/api/v1/namespaces/shop/pods/web-1/portforward",
    "/api/v1/namespaces/shop/pods/web-1/proxy",
    "/api/v1/namespaces/shop/pods/web-1/proxy/",
    "/api/v1/namespaces/shop/services/web:80/proxy/admin/delete",
    "/api/v1/namespaces/shop/pods/web-1/ex%65c",
    "/api/v1/namespaces/shop/pods/web-1%2Fexec",
    "/api/v1/namespaces/shop/pods/x/../web-1/exec",
    "/api/v1/namespaces/shop/pods//exec",
    "/api/v1/nodes/n1/proxy/run",
    "/api/v1/proxy/nodes/n1",
    "/api/v1/namespaces/shop/serviceaccounts/default/token",
    "/api/v1/namespaces/shop/pods/web-1/eviction",
    "/apis/subresources.kubevirt.io/v1/namespaces/shop/virtualmachineinstances/vm/console",
    "/logs/kube-apiserver.log",
    "/metrics",
    "/debug/pprof/profile",
    "/",
    "",
    "/api/v1/pods\\exec",
]


@pytest.mark.parametrize("path", READS)
def test_reads_pass(path: str) -> None:
    guard.check("GET", f"https://c1:6443{path}")
    guard.check_foreign("GET", f"https://c1:6443{path}")
    guard.check("GET", f"https://rancher/k8s/clusters/c-1{path}?watch=true", base="/k8s/clusters/c-1")


@pytest.mark.parametrize("path", NOT_READS)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(Refused):
        guard.check("GET", f"https://c1:6443{path}")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get ", "POST"])
@pytest.mark.parametrize("query", ["", "?dryRun=All", "?dry%52un=All", "?dryrun=All", "?dryRun=All#x"])
def test_no_method_but_get_and_head(method: str, query: str) -> None:
    url = f"https://c1/apis/apps/v1/namespaces/shop/deployments/web{query}"
    with pytest.raises(Refused):
        guard.check(method, url)
    with pytest.raises(Refused):
        guard.check_foreign(method, url)


@pytest.mark.parametrize("path", guard.REVIEWS.values())
def test_reviews_of_oneself_may_be_posted(path: str) -> None:
    guard.check("POST", f"https://c1{path}")
    for other in (path.replace("self", ""), path + "/x", path + "?dryRun=All", path.replace("selfsubject", "local")):
        with pytest.raises(Refused):
            guard.check("POST", f"https://c1{other}")


@pytest.mark.parametrize("name", ["Upgrade", "uPGRADE", "Sec-WebSocket-Key", "X-HTTP-Method-Override"])
def test_headers_that_leave_plain_http(name: str) -> None:
    for check in (guard.check, guard.check_foreign):
        with pytest.raises(Refused):
            check("GET", "https://c1/api/v1/pods", {name: "x"})


def test_the_path_of_the_server_is_not_left() -> None:
    for url in ("https://r/api/v1/pods", "https://r/k8s/clusters/c-12/api/v1/pods", "https://r/k8s/api/v1/pods"):
        with pytest.raises(Refused):
            guard.check("GET", url, base="/k8s/clusters/c-1")


SEGMENT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/"), min_size=1)
KNOWN = st.sampled_from(["api", "apis", "v1", "namespaces", "pods", "exec", "proxy", "status", "%2e%2e", "x"])


@given(st.lists(KNOWN | SEGMENT, max_size=8))
def test_no_path_reaches_a_connect_subresource(segments: list[str]) -> None:
    from urllib.parse import unquote

    path = "/" + "/".join(segments)
    if guard.is_read_path(path):
        plain = unquote(path).strip("/").split("/")
        assert ".." not in plain and "" not in plain[:-1]
        inside = plain[2:] if plain[0] == "api" else plain[3:] if plain[0] == "apis" else []
        if inside[:1] == ["namespaces"] and len(inside) > 3:
            inside = inside[2:]
        assert len(inside) <= 3
        assert len(inside) < 3 or inside[2] in guard.READ_SUBRESOURCES


PARTIAL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@pytest.mark.parametrize("path", ["/api/v1/secrets", "/api/v1/namespaces/a/secrets", "/api/v1/namespaces/a/s%65crets"])
def test_values_of_secrets_are_not_asked_for(path: str) -> None:
    guard.check_secrets(path, PARTIAL)
    for accept in ("application/json", PARTIAL + ",application/json", "*/*", "application/json;as=Table"):
        with pytest.raises(Refused, match="values of Secrets"):
            guard.check_secrets(path, accept)


def test_other_things_named_secrets_are_read() -> None:
    for path in ("/api/v1/namespaces/secrets", "/api/v1/namespaces/secrets/pods", "/apis/x.io/v1/secrets"):
        guard.check_secrets(path, "application/json")


def test_an_identity_provider_is_not_a_cluster() -> None:
    with pytest.raises(Refused):
        guard.allow_token_endpoint("https://c1:6443/api/v1/namespaces/x/pods", ["https://c1:6443"])
    with pytest.raises(Refused):
        guard.allow_token_endpoint("https://c1/token", ["https://c1:443/base"])
    with pytest.raises(Refused):
        guard.allow_token_endpoint("http://idp/token", [])


async def test_the_request_itself_is_guarded_beneath_the_client() -> None:
    """The session's own methods, web sockets and redirects meet the guard too."""
    received: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        received.append(f"{request.method} {request.path_qs}")
        if request.path.endswith("/moved"):
            return web.Response(status=308, headers={"Location": "/api/v1/namespaces/x/pods/y/exec"})
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    api = make_api(ClusterSpec(server=url), None, None)
    try:
        await api.call_api("GET", url + "/api/v1/pods")
        session: aiohttp.ClientSession = api.rest_client.pool_manager
        with pytest.raises(Refused):
            await session.post(url + "/api/v1/namespaces/x/pods", json={})
        with pytest.raises(Refused):
            await session.ws_connect(url + "/api/v1/pods")
        with pytest.raises(Refused):
            await session.get(url + "/api/v1/pods", json={"kind": "DeleteOptions"})
        with pytest.raises(Refused):
            await session.get(url + "/api/v1/pods/moved")
        assert (await api.call_api("GET", url + "/api/v1/pods/moved")).status == 308
        with pytest.raises(Refused):
            await api.call_api("PATCH", url + "/api/v1/namespaces/x/pods/y?dryRun=All")
    finally:
        await api.close()
        await runner.cleanup()
    assert received == ["GET /api/v1/pods", "GET /api/v1/pods/moved", "GET /api/v1/pods/moved"]


@pytest.mark.slow
def test_every_generated_method_of_both_clients() -> None:
    """Thousands of calls against a live server: with fleet's client, and with plain clients in a sealed process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.every_method"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert [line.split()[0] for line in report.pop("control")[1]] == ["POST"], "the server sees writes when unsealed"
    assert set(report) == {"ours", "sealed aio", "sealed sync"}
    for name, (results, received) in report.items():
        words = list(results.values())
        assert len(words) > 900, name
        assert words.count("refused") > 600, name
        assert len(received) > 300, name
        for line in received:
            method, path, _ = line.split()
            assert method in ("GET", "HEAD") or path in guard.REVIEWS.values(), line
            plain = path.partition("?")[0]
            if name == "ours":
                assert method == "POST" or guard.is_read_path(plain), line
            else:
                assert not guard.CONNECT_WORDS & set(plain.split("/")), line
        for method, word in results.items():
            verb = method.split(".")[1].split("_")[0]
            if verb in ("create", "delete", "patch", "replace", "connect") and "self_subject" not in method:
                assert word == "refused", f"{name}: {method} was {word}"
