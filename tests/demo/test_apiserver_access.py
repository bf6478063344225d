"""Who may read, what is refused, and that nothing that would change a cluster is ever done."""

from __future__ import annotations

import contextlib
import ssl
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.demo.conftest import Fetch
from tests.support import Factory, thing
from tui.demo.apiserver import protobuf
from tui.demo.apiserver.access import Deny, User
from tui.demo.apiserver.server import ServerTls
from tui.demo.pki import Authority, Pair

PODS = "/api/v1/namespaces/shop/pods"
REVIEWS = "/apis/authorization.k8s.io/v1/"
BOB = User("bob", ("devs",), "bobs-token")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ServerTls:
    pair = authority.server()
    return ServerTls(pair.certificate, pair.key, authority.certificate)


def trust(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


async def get(url: str, context: ssl.SSLContext, **headers: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context, headers=headers) as response:
        return response.status, await response.json(content_type=None)


# Certificates


def test_keys_are_private_and_an_authority_is_found_again(tmp_path: Path):
    first = Authority(tmp_path / "pki")
    pair = first.client("alice", ["devs"])
    for key in (first.directory / "ca.key", pair.key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = first.certificate.read_bytes()
    second = Authority(tmp_path / "pki")
    assert second.certificate.read_bytes() == before
    assert second.server().certificate.exists()
    with pytest.raises(ValueError):
        first.client("a/b")


async def test_an_expired_server_certificate_is_refused_by_clients(api_server: Factory, authority: Authority):
    pair = authority.server("expired", days=-2)
    server = await api_server(tls=ServerTls(pair.certificate, pair.key))
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await get(server.url + "/version", trust(authority))


# Authentication


async def test_client_certificates_tokens_and_nobody(api_server: Factory, authority: Authority, tls: ServerTls):
    server = await api_server([thing("Pod", "a", "shop")], tls=tls, users=[BOB])
    assert server.url.startswith("https://127.0.0.1:")
    alice = trust(authority, authority.client("alice", ["devs", "ops"]))
    nobody = trust(authority)
    assert (await get(server.url + PODS, alice))[0] == 200
    assert (await get(server.url + PODS, nobody, Authorization="Bearer bobs-token"))[0] == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic Ym9iOmJvYg=="}):
        status, body = await get(server.url + PODS, nobody, **headers)
        assert (status, body["reason"], body["message"]) == (401, "Unauthorized", "Unauthorized")
    # Wrong credentials are not overlooked where none are needed, nor beside a certificate.
    assert (await get(server.url + "/version", nobody))[0] == 200
    assert (await get(server.url + "/version", nobody, Authorization="Bearer wrong"))[0] == 401
    assert (await get(server.url + PODS, alice, Authorization="Bearer wrong"))[0] == 401


async def test_a_certificate_of_another_authority_does_not_connect(
    api_server: Factory, authority: Authority, tls: ServerTls, tmp_path: Path
):
    server = await api_server(tls=tls)
    stranger = Authority(tmp_path / "other").client("alice")
    with pytest.raises(aiohttp.ClientError):
        await get(server.url + PODS, trust(authority, stranger))


async def test_it_listens_on_loopback_only(api_server: Factory):
    server = await api_server()
    assert [socket.getsockname()[0] for socket in server._listener.sockets] == ["127.0.0.1"]


async def test_impersonation(api_server: Factory, session: aiohttp.ClientSession):
    server = await api_server()
    headers = [("Impersonate-User", "carol"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b")]
    url = server.url + "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    async with session.post(url, json={"kind": "SelfSubjectReview"}, headers=headers) as response:
        info = (await response.json())["status"]["userInfo"]
    assert (info["username"], info["groups"]) == ("carol", ["a", "b", "system:authenticated"])


# Deny rules


async def test_denied_kinds_answer_like_rbac(api_server: Factory, fetch: Fetch):
    objects = [thing("Pod", "a", "shop"), thing("Node", "n"), thing("Deployment", "d", "shop", "apps/v1")]
    deny = [Deny("pods"), Deny("deployments.apps", ("list", "watch")), Deny("nodes", ("watch",)), Deny("*", ("x",))]
    server = await api_server(objects, deny=deny)
    user = 'User "kubernetes-admin" cannot'
    for path, query, message in (
        ("/api/v1/pods", {}, f'pods is forbidden: {user} list resource "pods" in API group "" at the cluster scope'),
        (PODS, {}, f'pods is forbidden: {user} list resource "pods" in API group "" in the namespace "shop"'),
        (
            PODS + "/a",
            {},
            f'pods "a" is forbidden: {user} get resource "pods" in API group "" in the namespace "shop"',
        ),
        (
            "/api/v1/nodes",
            {"watch": "1"},
            f'nodes is forbidden: {user} watch resource "nodes" in API group "" at the cluster scope',
        ),
        (
            "/apis/apps/v1/deployments",
            {},
            f'deployments.apps is forbidden: {user} list resource "deployments" in API group "apps" '
            "at the cluster scope",
        ),
    ):
        answer = await fetch(server, path, **query)
        assert (answer.status, answer.json["reason"], answer.json["message"]) == (403, "Forbidden", message)
    assert (await fetch(server, PODS + "/a/log")).status == 403
    assert (await fetch(server, "/apis/apps/v1/namespaces/shop/deployments/d")).status == 200
    assert (await fetch(server, "/api/v1/nodes")).status == 200
    assert server.mutations.count == 0


async def test_a_rule_may_be_of_one_namespace_or_one_user(api_server: Factory, fetch: Fetch):
    server = await api_server(deny=[Deny("secrets", namespace="kube-system"), Deny("pods", users=("bob",))])
    assert (await fetch(server, "/api/v1/namespaces/kube-system/secrets")).status == 403
    assert (await fetch(server, "/api/v1/namespaces/shop/secrets")).status == 200
    assert (await fetch(server, "/api/v1/secrets")).status == 403
    assert (await fetch(server, "/api/v1/pods")).status == 200


# Self reviews


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({"verb": "list", "resource": "pods"}, True),
        ({"verb": "watch", "resource": "deployments", "group": "apps", "namespace": "shop"}, True),
        ({"verb": "list", "resource": "secrets"}, False),
        ({"verb": "delete", "resource": "pods"}, False),
        ({"verb": "*", "resource": "pods"}, False),
        ({"verb": "*", "resource": "*"}, False),
        ({"verb": "list", "resource": "*"}, False),
        ({"verb": "get", "resource": "pods", "subresource": "log"}, True),
        ({"verb": "create", "resource": "pods", "subresource": "exec"}, False),
        ({"verb": "get", "resource": "pods", "subresource": "exec"}, False),
    ],
)
async def test_access_reviews(api_server: Factory, fetch: Fetch, attributes: dict[str, str], allowed: bool):
    server = await api_server(deny=[Deny("secrets")])
    review = {"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    answer = await fetch(server, REVIEWS + "selfsubjectaccessreviews", method="POST", json=review)
    assert (answer.status, answer.json["status"]["allowed"]) == (201, allowed)
    assert answer.json["spec"] == review["spec"]
    assert server.mutations.count == 0


async def test_rule_reviews_list_what_may_be_read(api_server: Factory, fetch: Fetch):
    server = await api_server(deny=[Deny("secrets"), Deny("pods", ("watch",))])
    review = {"spec": {"namespace": "shop"}}
    answer = await fetch(server, REVIEWS + "selfsubjectrulesreviews", method="POST", json=review)
    rules = {
        (group, plural): rule["verbs"]
        for rule in answer.json["status"]["resourceRules"]
        for group in rule["apiGroups"]
        for plural in rule["resources"]
    }
    assert rules["", "pods"] == ["get", "list"]
    assert rules["apps", "deployments"] == ["get", "list", "watch"]
    assert ("", "secrets") not in rules


async def test_a_review_that_is_none(api_server: Factory, fetch: Fetch, session: aiohttp.ClientSession):
    server = await api_server()
    path = REVIEWS + "selfsubjectaccessreviews"
    assert (await fetch(server, path, method="POST", json={"spec": {}})).status == 422
    assert (await fetch(server, path, method="POST", json=[1])).status == 400
    async with session.post(server.url + path, data=b"{") as response:
        assert response.status == 400
    assert (await fetch(server, path)).status == 405


# `list deployments.apps` in the namespace `shop`, as kubectl 1.33 writes it
ATTRIBUTES = b"\x0a\x04shop\x12\x04list\x1a\x04apps\x22\x00\x2a\x0bdeployments\x32\x00\x3a\x00"
PROTOBUF = "application/vnd.kubernetes.protobuf"


def field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field of less than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


def posted(kind: bytes, raw: bytes, group: bytes = b"authorization.k8s.io/v1") -> bytes:
    """A review as client-go writes it, with fields after the message that nobody reads."""
    unread = field(3, b"") + field(4, b"") + b"\x28\x96\x01"
    return b"k8s\0" + field(1, field(1, group) + field(2, kind)) + field(2, raw) + unread


async def post(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, Any]:
    headers = {"Content-Type": PROTOBUF, "Accept": f"{PROTOBUF},application/json"}
    async with session.post(url, data=body, headers=headers) as response:
        return response.status, await response.json()


METADATA = field(1, field(1, b"") + b"\x38\x00" + field(8, b""))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (field(1, ATTRIBUTES), True),
        (field(1, field(2, b"create") + field(5, b"pods")), False),
        (field(1, field(2, b"list") + field(5, b"secrets")), False),
        (field(2, field(1, b"/x") + field(2, b"get")), True),
        (field(2, field(1, b"/x") + field(2, b"post")), False),
    ],
)
async def test_access_reviews_in_protobuf(
    api_server: Factory, session: aiohttp.ClientSession, raw: bytes, expected: bool
):
    server = await api_server(deny=[Deny("secrets")])
    body = posted(b"SelfSubjectAccessReview", METADATA + field(2, raw))
    code, answer = await post(session, server.url + REVIEWS + "selfsubjectaccessreviews", body)
    assert (code, answer["kind"], answer["apiVersion"]) == (201, "SelfSubjectAccessReview", "authorization.k8s.io/v1")
    assert answer["status"]["allowed"] is expected


async def test_the_other_reviews_in_protobuf(api_server: Factory, session: aiohttp.ClientSession):
    server = await api_server(deny=[Deny("secrets", namespace="shop")])
    body = posted(b"SelfSubjectRulesReview", METADATA + field(2, field(1, b"shop")))
    code, answer = await post(session, server.url + REVIEWS + "selfsubjectrulesreviews", body)
    held = {plural for rule in answer["status"]["resourceRules"] for plural in rule["resources"]}
    assert (code, "pods" in held, "secrets" in held) == (201, True, False)
    body = posted(b"SelfSubjectReview", METADATA, b"authentication.k8s.io/v1")
    code, answer = await post(session, server.url + "/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
    assert (code, answer["status"]["userInfo"]["username"]) == (201, "kubernetes-admin")
    assert answer["apiVersion"] == "authentication.k8s.io/v1"


@given(data=st.binary(max_size=60), whole=st.booleans())
def test_any_bytes_are_a_review_or_refused(data: bytes, whole: bool):
    body = posted(b"SelfSubjectAccessReview", data) if whole else protobuf.MAGIC + data
    with contextlib.suppress(ValueError):
        assert protobuf.review(body)["kind"] == "SelfSubjectAccessReview"


async def test_protobuf_that_is_no_review(api_server: Factory, session: aiohttp.ClientSession):
    server = await api_server()
    whole = posted(b"SelfSubjectAccessReview", METADATA + field(2, field(1, ATTRIBUTES)))
    for body in (b"", b"k8s\0", b"{}", whole[4:], whole[:-30], posted(b"Pod", b""), b"k8s\0" + b"\xff" * 40):
        code, answer = await post(session, server.url + REVIEWS + "selfsubjectaccessreviews", body)
        assert (code, answer["reason"]) == (400, "BadRequest"), body


# Nothing is ever changed

OBJECT = PODS + "/a"
WRITES = [
    *(("POST", path) for path in (PODS, "/api/v1/namespaces", OBJECT + "/eviction", OBJECT + "/binding", "/version")),
    *(("PUT", path) for path in (OBJECT, OBJECT + "/status", OBJECT + "/ephemeralcontainers")),
    *(("PATCH", path) for path in (OBJECT, OBJECT + "?dryRun=All", OBJECT + "?dry%52un=All")),
    *(("DELETE", path) for path in (OBJECT, PODS, "/api/v1/namespaces/shop", PODS + "?dryRun=All")),
    *((method, f"{OBJECT}/{sub}") for method in ("GET", "POST") for sub in ("exec", "attach", "portforward", "proxy")),
    ("GET", OBJECT + "/proxy/metrics"),
    ("GET", "/api/v1/nodes/n/proxy/run"),
    ("GET", "/api/v1/namespaces/shop/services/web:80/proxy/"),
    ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
    ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x"),
    ("POST", "/apis/apps/v1/namespaces/shop/selfsubjectaccessreviews"),
    ("POST", "/api/v1/namespaces/shop/serviceaccounts/default/token"),
    ("POST", "/demo/mutations"),
    ("PUT", "/nowhere"),
]


@pytest.mark.writes
@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_writes_are_refused_and_counted(api_server: Factory, fetch: Fetch, method: str, path: str):
    server = await api_server([thing("Pod", "a", "shop")])
    version = server.storage.resource_version
    answer = await fetch(server, path, method=method, json={"metadata": {"name": "a"}} if method != "GET" else None)
    assert (answer.status, answer.json["reason"], answer.json["kind"]) == (403, "Forbidden", "Status")
    assert server.storage.resource_version == version
    counted = (await fetch(server, "/demo/mutations")).json
    assert counted["count"] == 1
    assert counted["requests"][0].startswith(f"{method} {path.partition('?')[0]}")


@pytest.mark.writes
async def test_an_upgrade_is_a_write_and_head_is_not(api_server: Factory, session: aiohttp.ClientSession):
    server = await api_server([thing("Pod", "a", "shop")])
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    async with session.get(server.url + OBJECT, headers=headers) as response:
        assert response.status == 403
    assert server.mutations.count == 1
    async with session.head(server.url + OBJECT) as response:
        assert (response.status, await response.read()) == (200, b"")
    async with session.head(server.url + PODS, params={"watch": "1"}) as response:
        assert response.status == 200
    async with session.options(server.url + OBJECT) as response:
        assert response.status == 405
    assert server.mutations.count == 1


@pytest.mark.writes
async def test_writes_without_credentials_count_too(api_server: Factory, fetch: Fetch):
    server = await api_server(users=[BOB])
    assert (await fetch(server, PODS, method="DELETE")).status == 401
    assert server.mutations.count == 1


@pytest.mark.writes
async def test_the_list_of_writes_is_bounded(api_server: Factory, fetch: Fetch):
    server = await api_server()
    for number in range(25):
        await fetch(server, f"{PODS}/p{number}", method="DELETE")
    counted = (await fetch(server, "/demo/mutations")).json
    assert counted["count"] == 25
    assert counted["requests"] == [f"DELETE {PODS}/p{number}" for number in range(5, 25)]
