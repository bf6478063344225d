"""Credentials, certificates, clocks, names and proxies that fail while clusters are read, and come back.

What a context's credentials are made of, and every way in which that cannot work from the start, is in
tests/adapters/test_kube_credentials.py and test_kube_transport.py; kubeconfigs are in test_kubeconfig_live.py.
"""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.adapters.scripted import connect_proxy
from tests.fleet.watching import QUICK
from tests.weather.conditions import Tries, Weather, pods, weather
from tui.adapters.kube import credentials
from tui.adapters.kube import session as http
from tui.adapters.kube.answers import retry_after
from tui.demo import pki
from tui.demo.apiserver.access import User
from tui.demo.apiserver.server import ServerTls
from tui.demo.pki import Authority, Pair
from tui.domain.cluster import ClusterState
from tui.domain.settings import Settings

LIVE, STALE, DENIED = ClusterState.LIVE, ClusterState.STALE, ClusterState.DENIED
ADMIN = ("system:masters",)
CALM = replace(QUICK, pulse=600.0)
V1 = "client.authentication.k8s.io/v1"
TRIES = 5
ONCE = 8  # requests of noticing that it fails and of finding back, once
DAY = 86_400.0


def jane(*tokens: str) -> list[User]:
    return [User("jane", ADMIN, token) for token in tokens]


def plugin(folder: Path, token: str) -> dict[str, Any]:
    """A user whose plugin is the shell script `folder`/login, which gives this token at first."""
    gives(folder, token)
    return {"exec": {"apiVersion": V1, "command": "sh", "args": [str(folder / "login")], "interactiveMode": "Never"}}


def gives(folder: Path, token: str, script: str = "") -> None:
    """What the plugin does from now on: give a token, or run this."""
    answer = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": {"token": token}})
    new = folder / "login.new"
    new.write_text(script or f"echo '{answer}'")
    new.replace(folder / "login")


async def missed(sky: Weather, *names: str) -> int:
    """Change the bad cluster, which fleet cannot see, and end its watches; returns the store's revision before."""
    rev = sky.here.store.resource_rev("pods")
    for name in names:
        sky.bad.storage.create(pods(name)[0])
    sky.bad.drop_watches()
    return rev


def delivered(sky: Weather, rev: int) -> set[str]:
    """Names of the bad cluster's pods that came since."""
    changes = sky.here.store.changes_since(rev, "pods").changed
    return {ref.name for ref in changes if ref.cluster == "bad"}


# -- tokens -----------------------------------------------------------------------------------------------------------


async def test_an_expired_token_is_renewed_without_anybody_noticing(tmp_path: Path) -> None:
    async with weather(tmp_path, users=jane("one"), user=plugin(tmp_path, "one"), timing=CALM) as sky:
        gives(tmp_path, "two")
        sky.bad.access.users[:] = jane("two")
        asked, seen = sky.bad.requests, []
        deliver = sky.here.network._deliver

        def watched(batches: Any) -> None:
            deliver(batches)
            seen.append(sky.here.cluster("bad").state)

        sky.here.network._outbox._deliver = watched
        rev = await missed(sky, "new")
        await sky.here.until(lambda: "new" in sky.here.names(cluster="bad"))
        await sky.clears()
        assert set(seen) == {LIVE} and delivered(sky, rev) == {"new"}
        assert sky.bad.requests - asked <= ONCE + 1, "one 401, for all that were asked at that moment"
        await sky.unharmed()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", "does not accept these credentials (401: Unauthorized)"),
        ("echo your session has ended: run sso login >&2; exit 1", "failed (1): your session has ended: run sso login"),
        ("echo '<html>sign in</html>'", "did not answer an ExecCredential"),
        ("sleep 600", "took more than 0.3 s"),
        ("kill -9 $$", "failed (-9): it said nothing"),
    ],
    ids=["old token", "fails", "garbage", "hangs", "killed"],
)
async def test_a_plugin_that_has_no_new_token(
    tmp_path: Path, script: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(exec_timeout=0.3 if script == "sleep 600" else 30.0)
    user = plugin(tmp_path, "one")
    async with weather(tmp_path, users=jane("one"), user=user, settings=settings, timing=CALM) as sky:
        gives(tmp_path, "one", script)
        sky.bad.access.users[:] = jane("two")
        asked, tries = sky.bad.requests, Tries(monkeypatch)
        rev = await missed(sky, "new")
        await sky.here.until(lambda: sky.here.cluster("bad").state is DENIED)
        assert "Denied" in sky.shown() and said in sky.shown() and sky.stale().startswith("◐ bad stale")
        assert len(sky.held("bad")) == 3, "what was read stays, as old"
        await sky.unharmed()
        await tries.until(TRIES)
        assert sky.bad.requests - asked <= 2 * len(tries.pauses) + ONCE
        gives(tmp_path, "two")
        await sky.clears()
        assert delivered(sky, rev) == {"new"} and not sky.stale()


async def test_a_token_file_that_is_replaced(tmp_path: Path) -> None:
    """As the kubelet does for pods: the old token is refused, the new one is there already."""
    file = tmp_path / "token"
    file.write_text("one\n")
    async with weather(tmp_path, users=jane("one"), user={"tokenFile": str(file)}, timing=CALM) as sky:
        sky.bad.access.users[:] = jane("two")
        rev = await missed(sky, "new")
        await sky.here.until(lambda: sky.here.cluster("bad").state is DENIED)
        file.write_text("two\n")
        await sky.clears()
        assert delivered(sky, rev) == {"new"}


async def test_a_token_that_has_ended_is_said_to_have(tmp_path: Path) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() - 7200}).encode()).decode().rstrip("=")
    token = f"e30.{claims}.x"
    async with weather(tmp_path, users=jane(token), user={"token": token}, timing=CALM) as sky:
        sky.bad.access.users[:] = jane("two")
        await missed(sky)
        await sky.here.until(lambda: "its token has ended 120m ago: log in again" in sky.shown())
        await sky.unharmed()


# -- certificates -----------------------------------------------------------------------------------------------------


def as_tls(pair: Pair, client_ca: Path | None = None) -> ServerTls:
    return ServerTls(pair.certificate, pair.key, client_ca)


class Tomorrow(datetime):
    """The clock of an authority that is two days ahead of this machine's."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(days=2)


def expired(right: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    return right.server("old", days=-1)


def elsewhere(right: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    return right.server("elsewhere", hosts=["elsewhere.example.com"])


def self_signed(right: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    return Authority(folder / "wrong", "wrong").server()


def too_early(right: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    monkeypatch.setattr(pki, "datetime", Tomorrow)
    return right.server("early")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (expired, "is not valid: certificate has expired"),
        (elsewhere, "is not valid: IP address mismatch"),
        (self_signed, "is not valid: unable to get local issuer certificate"),
        (too_early, "is not valid: certificate is not yet valid; is this machine's clock right?"),
    ],
)
async def test_a_server_whose_certificate_is_no_longer_valid(
    tmp_path: Path, spoil: Callable[..., Pair], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Authority(tmp_path / "right")
    good = as_tls(right.server())
    cluster = {"certificate-authority": str(right.certificate)}
    options = {"tls": good, "users": jane("t"), "user": {"token": "t"}, "cluster": cluster, "timing": CALM}
    async with weather(tmp_path, **options) as sky:  # type: ignore[arg-type]
        await sky.bad.refuse()
        rev = await missed(sky, "new")
        sky.bad.tls = as_tls(spoil(right, tmp_path, monkeypatch))
        await sky.bad.start()
        await sky.here.until(lambda: said in sky.shown())
        asked, tries = sky.bad.requests, Tries(monkeypatch)
        assert "Stale" in sky.shown() and sky.stale().startswith("◐ bad stale")
        await sky.unharmed()
        await tries.until(3)
        assert sky.bad.requests == asked, "nothing is said to a server that is not trusted"
        sky.bad.tls = good
        await sky.bad.refuse()
        await sky.bad.start()
        await sky.clears()
        assert delivered(sky, rev) == {"new"}


@pytest.mark.parametrize("mutual", [True, False], ids=["with client certificates", "with a token"])
async def test_authorities_and_client_certificates_are_replaced_in_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutual: bool
) -> None:
    """All of them at once, as when a cluster's certificates are renewed: the files are read again."""
    monkeypatch.setattr(credentials, "FILE_AGE", 0.0)
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    mine = {name: tmp_path / name for name in ("ca.crt", "me.crt", "me.key")}

    def issue(authority: Authority) -> None:
        pair = authority.client("jane", ADMIN)
        for name, source in zip(mine, (authority.certificate, pair.certificate, pair.key), strict=True):
            mine[name].write_bytes(source.read_bytes())

    issue(old)
    user = {"client-certificate": str(mine["me.crt"]), "client-key": str(mine["me.key"])} if mutual else {"token": "t"}
    cluster = {"certificate-authority": str(mine["ca.crt"])}
    tls = as_tls(old.server(), old.certificate)
    async with weather(tmp_path, users=jane("t"), user=user, cluster=cluster, tls=tls, timing=CALM) as sky:
        await sky.bad.refuse()
        await sky.good.refuse()
        rev = await missed(sky, "new")
        sky.bad.tls = sky.good.tls = as_tls(new.server(), new.certificate)
        await sky.bad.start()
        await sky.good.start()
        await sky.here.until(lambda: "is not valid" in sky.shown() and "is not valid" in sky.shown("good"))
        issue(new)
        await sky.clears()
        assert delivered(sky, rev) == {"new"}


# -- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [DAY, -DAY])
async def test_servers_whose_clock_is_a_day_off(tmp_path: Path, skew: float) -> None:
    async with weather(tmp_path, timing=CALM, clock=lambda: time.time() + skew) as sky:
        assert "Live" in sky.shown() and not sky.stale(later=skew)
        rev = await missed(sky, "new")
        await sky.clears()
        assert delivered(sky, rev) == {"new"}
        await sky.unharmed()


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_this_machines_clock_is_set_while_fleet_runs(tmp_path: Path, jump: float) -> None:
    """What was opened before may be dead after a day's sleep, so it is asked once; a clock set back asks nothing."""
    offset = 0.0
    async with weather(tmp_path, timing=replace(QUICK, age=0.0), clock=lambda: time.time() + offset) as sky:
        rev, asked = sky.here.store.resource_rev("pods"), sky.bad.requests
        offset = jump
        await sky.here.until(lambda: abs(sky.here.cluster("bad").heard - time.time() - jump) < DAY / 2)
        await sky.clears()
        assert sky.bad.requests - asked <= 3 * ONCE, "and how often it is due anyway"
        assert not delivered(sky, rev)
        await sky.unharmed()


def test_a_date_to_come_back_at_is_by_the_servers_clock() -> None:
    date, later = "Thu, 01 Jan 2099 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:20 GMT"
    assert retry_after(later, date) == 20.0 and retry_after(date, later) == 0.0
    assert retry_after(later, "yesterday") == retry_after(later) == 600.0


# -- names and proxies ------------------------------------------------------------------------------------------------


def point(sky: Weather, folder: Path, server: str, **cluster: Any) -> None:
    """Have the kubeconfig say that the bad cluster is reached in another way."""
    config = folder / "config"
    document = yaml.safe_load(config.read_text())
    document["clusters"][0]["cluster"] |= {"server": server, **cluster}
    config.write_text(yaml.safe_dump(document))


@pytest.mark.parametrize("kept", [60, 0], ids=["addresses are kept", "addresses are not kept"])
async def test_names_that_cannot_be_looked_up_for_a_while(
    tmp_path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails, look = False, socket.getaddrinfo

    def looked(host: Any, *more: Any, **named: Any) -> Any:
        if host == "bad.test":
            if fails:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            host = "127.0.0.1"
        return look(host, *more, **named)

    monkeypatch.setattr(http, "NAMES", kept)
    monkeypatch.setattr(socket, "getaddrinfo", looked)
    async with weather(tmp_path, timing=CALM) as sky:
        url = f"http://bad.test:{sky.bad.port}"
        point(sky, tmp_path, url)
        await sky.here.until(lambda: sky.here.cluster("bad") and sky.here.cluster("bad").server == url)
        await sky.clears()
        fails = True
        await sky.unharmed()
        rev = await missed(sky, "new")
        if not kept:
            said = f"the name of bad.test:{sky.bad.port} cannot be found: Temporary failure in name resolution"
            await sky.here.until(lambda: said in sky.shown())
            assert "Stale" in sky.shown() and sky.stale().startswith("◐ bad stale")
            asked, tries = sky.bad.requests, Tries(monkeypatch)
            await sky.unharmed()
            await tries.until(3)
            assert sky.bad.requests == asked
            fails = False
        await sky.clears()
        assert delivered(sky, rev) == {"new"}


async def test_a_proxy_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Authority(tmp_path / "right")
    cluster = {"certificate-authority": str(right.certificate)}
    options = {"tls": as_tls(right.server()), "users": jane("t"), "user": {"token": "t"}}
    async with weather(tmp_path, cluster=cluster, timing=CALM, **options) as sky, AsyncExitStack() as life:  # type: ignore[arg-type]
        proxy = await life.enter_async_context(connect_proxy())
        point(sky, tmp_path, sky.bad.url, **{"proxy-url": proxy.url})
        await sky.here.until(lambda: proxy.requests)
        await sky.clears()
        assert {target for _, target, _ in proxy.requests} == {f"127.0.0.1:{sky.bad.port}"}
        rev = await missed(sky)
        await life.aclose()
        sky.bad.storage.create(pods("new")[0])
        await sky.here.until(lambda: "its proxy cannot be reached: connection refused" in sky.shown())
        assert "Stale" in sky.shown() and sky.stale().startswith("◐ bad stale")
        asked, tries = sky.bad.requests, Tries(monkeypatch)
        await sky.unharmed()
        await tries.until(3)
        assert sky.bad.requests == asked, "the proxy is not gone round"
        async with connect_proxy(port=int(proxy.url.rpartition(":")[2])):
            await sky.clears()
            assert delivered(sky, rev) == {"new"}
