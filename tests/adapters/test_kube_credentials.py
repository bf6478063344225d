"""Every way to be somebody: what is sent, when it is renewed, and what is said when it cannot be had."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pty
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.adapters.scripted import Heard, connection, http, tls
from tui.adapters.kube import credentials as ours
from tui.adapters.kube import guard
from tui.adapters.kube.credentials import token_expiry
from tui.demo.pki import Authority
from tui.domain.ports import Unauthorized

PODS = "/api/v1/pods"
V1 = "client.authentication.k8s.io/v1"


def plugin(tmp_path: Path, body: str, **more: Any) -> dict[str, Any]:
    """A user whose plugin is this Python program; `runs(tmp_path)` counts its runs."""
    script = tmp_path / "plugin.py"
    script.write_text(
        f"import json, os, sys, time\nopen({str(tmp_path / 'runs')!r}, 'a').write('x')\n"
        "def answer(api='client.authentication.k8s.io/v1', **status):\n"
        "    print(json.dumps({'kind': 'ExecCredential', 'apiVersion': api, 'status': status}))\n" + body
    )
    return {"exec": {"apiVersion": V1, "command": sys.executable, "args": [str(script)], **more}}


def runs(tmp_path: Path) -> int:
    path = tmp_path / "runs"
    return len(path.read_text()) if path.exists() else 0


def jwt(expires: float) -> str:
    def part(value: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'exp': expires, 'sub': '???>>>'})}.sig"


def strict(*accepted: str) -> Any:
    """A handler that answers 401 to every other Authorization."""

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.headers.get("Authorization", "") in accepted:
            return web.json_response({})
        return web.json_response({"kind": "Status", "message": "Unauthorized"}, status=401)

    return handle


async def said(tmp_path: Path, user: dict[str, Any], **settings: Any) -> str:
    """What a request answers when the credentials cannot be made; nothing may have been sent."""
    async with http() as server, connection(tmp_path, {"server": server.url}, user, **settings) as c:
        with pytest.raises(Unauthorized) as caught:
            await c.get(PODS)
        assert server.requests == [], "a request went out anonymously (lesson C2)"
        assert "\n" not in str(caught.value)
        return str(caught.value)


# -- static -----------------------------------------------------------------------------------------------------------


async def sent(tmp_path: Path, user: dict[str, Any]) -> Heard:
    async with http() as server, connection(tmp_path, {"server": server.url}, user) as c:
        await c.get(PODS)
        return server


async def test_token_file_wins_over_token_and_is_trimmed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert (await sent(tmp_path, {"token": "t", "tokenFile": "token"})).header("Authorization") == "Bearer from-file"


async def test_basic(tmp_path: Path) -> None:
    expected = "Basic " + base64.b64encode("jané:pä:ss".encode()).decode()
    assert (await sent(tmp_path, {"username": "jané", "password": "pä:ss"})).header("Authorization") == expected


async def test_nobody(tmp_path: Path) -> None:
    assert (await sent(tmp_path, {})).header("Authorization") == ""


async def test_a_token_file_is_read_again_when_refused_and_when_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lesson C8: the official client reads it once."""
    file = tmp_path / "token"
    file.write_text("old")
    async with (
        http(strict("Bearer new", "Bearer newest")) as server,
        connection(tmp_path, {"server": server.url}, {"tokenFile": "token"}) as c,
    ):
        with pytest.raises(Unauthorized):
            await c.get(PODS)
        file.write_text("new")
        await c.get(PODS)
        assert [server.header("Authorization", i) for i in range(-2, 0)] == ["Bearer old", "Bearer new"]
        file.write_text("newest")
        await c.get(PODS)
        assert server.header("Authorization") == "Bearer new"
        monkeypatch.setattr(ours, "FILE_AGE", 0.0)
        await c.get(PODS)
        assert server.header("Authorization") == "Bearer newest"


async def test_a_clock_that_is_set_back_does_not_keep_an_old_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = tmp_path / "token", time.time
    file.write_text("old")
    async with http() as server, connection(tmp_path, {"server": server.url}, {"tokenFile": "token"}) as c:
        await c.get(PODS)
        file.write_text("new")
        await c.get(PODS)
        assert server.header("Authorization") == "Bearer old"
        monkeypatch.setattr(ours.time, "time", lambda: now() - 86_400)
        await c.get(PODS)
        assert server.header("Authorization") == "Bearer new"


async def test_a_refused_static_token_is_tried_once(tmp_path: Path) -> None:
    async with http(strict()) as server, connection(tmp_path, {"server": server.url}, {"token": "t"}) as c:
        with pytest.raises(Unauthorized, match="does not accept these credentials"):
            await c.get(PODS)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"tokenFile": "none"}, "No such file"),
        ({"token": "a\r\nX-Evil: 1"}, "characters that no token can have"),
        ({"client-certificate-data": base64.b64encode(b"x").decode()}, "needs both a certificate and a key"),
        ({"client-certificate": "gone.pem", "client-key": "gone.key"}, "gone.pem: No such file"),
        ({"as-groups": ["admins"], "token": "t"}, "without `as`"),
        ({"as": "a\nb", "token": "t"}, "line breaks"),
        ({"auth-provider": {"name": "azure"}}, "kubelogin convert-kubeconfig"),
        ({"auth-provider": {"name": "gcp"}}, "gke-gcloud-auth-plugin"),
        ({"auth-provider": {"name": "who"}}, "'who' was removed from Kubernetes; use an exec plugin"),
        ({"auth-provider": {"name": "oidc", "config": {}}}, "id-token is missing .* kubelogin"),
    ],
)
async def test_what_cannot_work_is_said(tmp_path: Path, user: dict[str, Any], words: str) -> None:
    import re

    assert re.search(words, await said(tmp_path, user))


async def test_an_encrypted_key_does_not_ask_on_the_terminal(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    authority = Authority(tmp_path / "ca")
    pair = authority.client("jane")
    key = load_pem_private_key(pair.key.read_bytes(), None)
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        secret = serialization.BestAvailableEncryption(b"x")
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, secret))
        user = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        assert "encrypted" in await said(tmp_path, user)


async def test_a_key_that_does_not_fit_its_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    jane, joe = authority.client("jane"), authority.client("joe")
    user = {"client-certificate": str(jane.certificate), "client-key": str(joe.key)}
    async with http(context=tls(authority.server())) as server:
        cluster = {"server": server.url, "certificate-authority": str(authority.certificate)}
        async with connection(tmp_path, cluster, user) as c:
            with pytest.raises(Unauthorized, match="client certificate cannot be used"):
                await c.get(PODS)


# -- exec plugins -----------------------------------------------------------------------------------------------------


async def test_a_plugin_runs_once_for_many_requests(tmp_path: Path) -> None:
    async with (
        http() as server,
        connection(tmp_path, {"server": server.url}, plugin(tmp_path, "answer(token='tok')")) as c,
    ):
        await asyncio.gather(*(c.get(PODS) for _ in range(10)))
        await c.get(PODS)
        assert server.header("Authorization") == "Bearer tok"
    assert runs(tmp_path) == 1


async def test_what_a_plugin_is_told(tmp_path: Path) -> None:
    body = (
        f"json.dump([json.loads(os.environ['KUBERNETES_EXEC_INFO']), os.environ['MINE'], sys.stdin.read(), "
        f"os.getsid(0) == os.getpid()], open({str(tmp_path / 'told')!r}, 'w'))\nanswer(token='t')"
    )
    more = {"env": [{"name": "MINE", "value": "yes"}], "provideClusterInfo": True}
    async with http() as server:
        cluster = {
            "server": server.url,
            "insecure-skip-tls-verify": True,
            "disable-compression": True,
            "extensions": [{"name": V1.rpartition("/")[0] + "/exec", "extension": {"audience": "x"}}],
        }
        async with connection(tmp_path, cluster, plugin(tmp_path, body, **more)) as c:
            await c.get(PODS)
        info, mine, stdin, own_session = json.loads((tmp_path / "told").read_text())
        assert (mine, stdin, own_session) == ("yes", "", True)
        assert info["apiVersion"] == V1 and info["kind"] == "ExecCredential"
        assert info["spec"]["interactive"] is False, "lesson C1: it has no terminal"
        assert info["spec"]["cluster"] == {
            "server": server.url,
            "insecure-skip-tls-verify": True,
            "disable-compression": True,
            "config": {"audience": "x"},
        }


async def test_a_plugin_does_not_get_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lesson C1: the official client gives it the screen's own stdin."""
    leader, follower = pty.openpty()
    saved = os.dup(0)
    try:
        os.dup2(follower, 0)
        body = "answer(token='tty' if os.isatty(0) else 'none')"
        assert (await sent(tmp_path, plugin(tmp_path, body))).header("Authorization") == "Bearer none"
    finally:
        os.dup2(saved, 0)
        for descriptor in (leader, follower, saved):
            os.close(descriptor)


async def test_plugins_with_much_to_say(tmp_path: Path) -> None:
    """Lesson C1: the official client deadlocks on 400 KB of stderr."""
    body = "sys.stderr.write('e' * 400_000)\nanswer(token='t')\nsys.stderr.write('e' * 400_000)"
    assert (await sent(tmp_path, plugin(tmp_path, body))).header("Authorization") == "Bearer t"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "sys.exit('login\\n  expired: run\\x1b[1m aws sso login')",
            "failed (1): login expired: run\x1b[1m aws sso login",
        ),
        ("sys.exit(3)", "failed (3): it said nothing"),
        ("print('hello')", "did not answer an ExecCredential"),
        ("answer(api='client.authentication.k8s.io/v1beta1', token='t')", "instead of client.authentication.k8s.io/v1"),
        ("answer()", "gave neither a token nor a certificate"),
        ("answer(token='a b')", "characters that no token can have"),
        ("sys.stdout.buffer.write(b'\\xff\\xfe')", "did not answer an ExecCredential"),
        ("print('[' * 100_000)", "did not answer an ExecCredential"),
    ],
)
async def test_a_plugin_that_fails_is_quoted(tmp_path: Path, body: str, words: str) -> None:
    assert words in await said(tmp_path, plugin(tmp_path, body))


async def test_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": V1, "command": "no-such-login", "installHint": "brew install\nno-such-login"}}
    assert await said(tmp_path, user) == (
        "the exec plugin no-such-login cannot be started: No such file or directory; brew install no-such-login"
    )
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}}
    assert "speaks client.authentication.k8s.io/v1alpha1" in await said(tmp_path, user)


async def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    child = f"import time, os; open({str(tmp_path / 'child')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    body = (
        f"import subprocess\np = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"while not os.path.exists({str(tmp_path / 'child')!r}): time.sleep(0.01)\ntime.sleep(600)"
    )
    for seconds in (2.0, 30.0):  # a busy machine may need longer to start the child
        reason = await said(tmp_path, plugin(tmp_path, body), exec_timeout=seconds)
        assert f"took more than {seconds:g} s" in reason
        if (tmp_path / "child").exists():
            break
    pid = int((tmp_path / "child").read_text() or 0)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        await asyncio.sleep(0)
    pytest.fail("a child of the plugin still runs")


async def test_a_plugin_is_run_again_when_its_token_is_refused(tmp_path: Path) -> None:
    body = f"answer(token='t%d' % len(open({str(tmp_path / 'runs')!r}).read()))"
    async with (
        http(strict("Bearer t2")) as server,
        connection(tmp_path, {"server": server.url}, plugin(tmp_path, body)) as c,
    ):
        await asyncio.gather(*(c.get(PODS) for _ in range(5)))
        assert runs(tmp_path) == 2, "five refused requests share one new run"
    async with http(strict()) as server, connection(tmp_path, {"server": server.url}, plugin(tmp_path, body)) as c:
        with pytest.raises(Unauthorized, match="does not accept"):
            await c.get(PODS)
        assert len(server.requests) == 2, "one renewal, not a loop"


@pytest.mark.parametrize(("lifetime", "rest", "expected"), [(-1, 0.0, 2), (-1, 5.0, 1), (600, 0.0, 1)])
async def test_a_plugin_is_run_again_before_its_token_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifetime: int, rest: float, expected: int
) -> None:
    """Lesson C4: without an expiry, or with a short one, the official client runs it on every poll."""
    monkeypatch.setattr(ours, "REST", rest)
    body = (
        "from datetime import datetime, timedelta, timezone\n"
        f"answer(token='t', expirationTimestamp=(datetime.now(timezone.utc) + timedelta(seconds={lifetime}))"
        ".strftime('%Y-%m-%dT%H:%M:%SZ'))"
    )
    async with http() as server, connection(tmp_path, {"server": server.url}, plugin(tmp_path, body)) as c:
        await c.get(PODS)
        await c.get(PODS)
    assert runs(tmp_path) == expected


async def test_certificates_of_a_plugin_may_change(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    pairs = [authority.client("one", name="one"), authority.client("two", name="two")]
    body = (
        f"n = len(open({str(tmp_path / 'runs')!r}).read())\n"
        f"pair = {[(str(p.certificate), str(p.key)) for p in pairs]!r}[n - 1]\n"
        "answer(clientCertificateData=open(pair[0]).read(), clientKeyData=open(pair[1]).read())"
    )
    users: list[str] = []

    async def who(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        subject = request.transport.get_extra_info("peercert")["subject"]
        users.append(dict(pair[0] for pair in subject)["commonName"])
        return web.json_response({}, status=401 if len(users) == 2 else 200)

    async with http(who, tls(authority.server(), authority.certificate)) as server:
        cluster = {"server": server.url, "certificate-authority": str(authority.certificate)}
        async with connection(tmp_path, cluster, plugin(tmp_path, body)) as c:
            await c.get(PODS)
            await c.get(PODS)
    assert users == ["one", "one", "two"]


# -- OIDC -------------------------------------------------------------------------------------------------------------


def oidc(**config: str) -> dict[str, Any]:
    return {"auth-provider": {"name": "oidc", "config": config}}


def test_expiry_of_tokens() -> None:
    """Lesson C6: url-safe base64 without padding."""
    assert token_expiry(jwt(1234)) == 1234
    for odd in ("", "a", "a.b.c", "a.!!!.c", jwt(0).replace(".", ""), "a." + base64.b64encode(b"[1]").decode() + ".c"):
        assert token_expiry(odd) == 0.0


async def test_a_valid_id_token_is_used(tmp_path: Path) -> None:
    token = jwt(time.time() + 600)
    assert (await sent(tmp_path, oidc(**{"id-token": token}))).header("Authorization") == f"Bearer {token}"


async def test_an_expired_id_token_without_refresh(tmp_path: Path) -> None:
    words = await said(tmp_path, oidc(**{"id-token": jwt(1)}))
    assert words == (
        "its OIDC id-token has expired and there is no refresh-token; "
        "log in again, or use an exec plugin such as kubelogin (kubectl oidc-login)"
    )


@pytest.mark.parametrize("secret", ["", "s3cret"])
async def test_refresh_at_the_identity_provider(tmp_path: Path, secret: str) -> None:
    authority = Authority(tmp_path / "idp")
    fresh = jwt(time.time() + 600)
    forms: list[dict[str, str]] = []

    async def provider(request: web.BaseRequest) -> web.Response:
        if request.path == "/realm/.well-known/openid-configuration":
            return web.json_response({"token_endpoint": f"https://{request.host}/token"})
        assert request.method == "POST" and request.path == "/token"
        forms.append({**dict(await request.post()), "auth": request.headers.get("Authorization", "")})  # type: ignore[dict-item]
        return web.json_response({"id_token": fresh, "refresh_token": f"r{len(forms) + 1}"})

    async with http(provider, tls(authority.server())) as idp, http(strict(f"Bearer {fresh}")) as server:
        config = {
            "idp-issuer-url": idp.url + "/realm",
            "client-id": "fleet",
            "refresh-token": "r1",
            "id-token": jwt(1),
            "idp-certificate-authority": str(authority.certificate),
        } | ({"client-secret": secret} if secret else {})
        async with connection(tmp_path, {"server": server.url}, oidc(**config)) as c:
            await asyncio.gather(*(c.get(PODS) for _ in range(5)))
        assert len(forms) == 1
        assert (forms[0]["grant_type"], forms[0]["refresh_token"]) == ("refresh_token", "r1")
        assert forms[0]["client_id"] == "fleet"
        expected = "Basic " + base64.b64encode(f"fleet:{secret}".encode()).decode() if secret else ""
        assert forms[0]["auth"] == expected
        async with http(strict()) as refusing, connection(tmp_path, {"server": refusing.url}, oidc(**config)) as c:
            with pytest.raises(Unauthorized):
                await c.get(PODS)


async def test_an_identity_provider_is_verified(tmp_path: Path) -> None:
    """Lesson C6: the official client does not verify its TLS, and sends it the secret."""
    authority = Authority(tmp_path / "idp")
    async with http(context=tls(authority.server())) as idp:
        config = {"idp-issuer-url": idp.url, "client-id": "fleet", "refresh-token": "r1"}
        assert "cannot be asked" in await said(tmp_path, oidc(**config))
        assert idp.requests == []
    assert "must be an https URL" in await said(tmp_path, oidc(**{"idp-issuer-url": "http://x", "refresh-token": "r"}))


async def test_an_issuer_that_points_at_a_cluster(tmp_path: Path) -> None:
    """A kubeconfig could name a cluster as token endpoint, and have fleet POST to it."""
    authority = Authority(tmp_path / "idp")

    async def provider(request: web.BaseRequest) -> web.Response:
        return web.json_response({"token_endpoint": f"https://{request.host}/api/v1/namespaces"})

    async with http(provider, tls(authority.server())) as both:
        config = {
            "idp-issuer-url": both.url,
            "client-id": "c",
            "refresh-token": "r",
            "idp-certificate-authority": str(authority.certificate),
        }
        async with connection(tmp_path, {"server": both.url}, oidc(**config)) as c:
            with pytest.raises(guard.Refused, match="token endpoint is a cluster"):
                await c.get(PODS)
        assert all(method == "GET" for method, _, _ in both.requests)
