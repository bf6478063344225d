"""What counts as secret, and what must stay readable."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.benchmarks.applications import application
from tests.support import thing
from tui.domain import giturl, redact
from tui.domain.kinds import KINDS
from tui.fleet.sync.codec import Codec

MASK, LAST = redact.MASK, redact.LAST_APPLIED


@pytest.mark.parametrize(
    ("url", "masked", "bare", "login"),
    [
        ("https://u:p@h/x", f"https://{MASK}@h/x", "https://h/x", ("u", "p")),
        ("https://u:p%40%2F@h:8443/x", f"https://{MASK}@h:8443/x", "https://h:8443/x", ("u", "p@/")),
        ("https://u:p@q@h/x", f"https://{MASK}@h/x", "https://h/x", ("u", "p@q")),
        ("https://ghp_abcdefghij012345@h/x", f"https://{MASK}@h/x", "https://h/x", ("ghp_abcdefghij012345", "")),
        (f"https://{MASK}@h/x", f"https://{MASK}@h/x", "https://h/x", None),
        ("https://alice@h/x", "https://alice@h/x", "https://alice@h/x", None),
        ("https://h/x@v1?a=b@c", "https://h/x@v1?a=b@c", "https://h/x@v1?a=b@c", None),
        ("ssh://git@h/x", "ssh://git@h/x", "ssh://git@h/x", None),
        ("ssh://git:p@h/x", f"ssh://git:{MASK}@h/x", "ssh://git@h/x", None),
        ("git@host:x/y", "git@host:x/y", "git@host:x/y", None),
    ],
)  # fmt: skip
def test_urls(url: str, masked: str, bare: str, login: tuple[str, str] | None) -> None:
    assert redact.urls(f"see {url} there") == f"see {masked} there"
    assert (giturl.bare(url), giturl.login(url)) == (bare, login)
    assert giturl.parse(url.partition("?")[0]).url == bare.partition("?")[0]


@pytest.mark.parametrize(
    "name", ["password", "adminPassword", "DB_PASSWORD", "api-token", "AWS_SECRET_ACCESS_KEY", "clientSecret", "apiKey"]
)
def test_names_of_secrets(name: str) -> None:
    held: dict[str, Any] = {
        "a": {name: "x1"},
        "b": [{"name": name, "value": "x2"}],
        "helm": {"values": f"{name}: x3\n"},
    }
    assert redact.plain(held) == {
        "a": {name: MASK}, "b": [{"name": name, "value": MASK}], "helm": {"values": f"{name}: {MASK}\n"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("existingSecret", "db"), ("secretName", "tls"), ("secretKey", "key-in-it"), ("passwordKey", "p"),
        ("password", "${PASSWORD}"), ("password", ""), ("token", "true"), ("password", "<path:kv/a#b>"), ("PATH", "/x"),
        ("privateKey", "tls.key"), ("tokens", "5"),
    ],
)  # fmt: skip
def test_references_and_other_values_stay(name: str, value: str) -> None:
    held = {name: value, "env": [{"name": name, "value": value}]}
    assert redact.plain(held) is held


def test_a_header_that_a_policy_compares_stays() -> None:
    rule = {"headerMatches": [{"name": "X-Token", "value": "prod"}]}
    assert redact.plain(rule) is rule


def test_a_secret_of_which_only_metadata_came() -> None:
    applied = json.dumps({"kind": "Secret", "data": {"a": "eA=="}})
    found = {"kind": "PartialObjectMetadata", "metadata": {"name": "a", "annotations": {LAST: applied, "b": "c"}}}
    masked = redact.plain(found, secret=True)
    assert masked["metadata"]["annotations"] == {LAST: MASK, "b": "c"}


@pytest.mark.parametrize("spaced", [False, True])
def test_before_the_store(spaced: bool) -> None:
    applied = json.dumps({"kind": "Pod", "spec": {"env": [{"name": "DB_PASSWORD", "value": "s1"}]}})
    pod = thing("Pod", "web", "shop", spec={"env": [{"name": "API_TOKEN", "value": "s2"}], "u": "http://a:s3@h"})
    pod["metadata"] |= {"annotations": {LAST: applied, "x/token": "s4"}, "creationTimestamp": "2026-01-01T00:00:00Z"}
    data = json.dumps(pod).encode() if spaced else msgspec.json.encode(pod)
    kept = Codec("c", KINDS["pods"]).row(data).json().decode()
    assert not [text for text in ("s1", "s2", "s3", "s4") if text in kept]
    assert kept.count(MASK) == 4


_PAIR = [{"name": "dbPassword", "value": "s1"}]
_HELM: dict[str, Any] = {"repoURL": "https://git/x", "helm": {"parameters": _PAIR}}


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("metadata.annotations", {"x/token": "s1"}),
        ("spec.source", _HELM),
        ("spec.source", {"helm": {"values": "db:\n  password: s1\n"}}),
        ("spec.source", {"plugin": {"env": _PAIR}}),
        ("spec.source", {"directory": {"jsonnet": {"tlas": _PAIR}}}),
        ("spec.sources", [{"repoURL": "https://git/x"}, _HELM]),
        ("spec.sourceHydrator.drySource", _HELM),
        ("spec.info", _PAIR),
        ("spec.syncPolicy.managedNamespaceMetadata.annotations", {"x/token": "s1"}),
        ("operation.info", _PAIR),
        ("operation.sync.source", _HELM),
        ("status.sync.comparedTo.source", _HELM),
        ("status.sync.comparedTo.sources", [_HELM]),
        ("status.history", [{"id": 1, "source": {"repoURL": "https://git/x"}}, {"id": 2, "source": _HELM}]),
        ("status.history", [{"id": 1, "sources": [_HELM]}]),
        ("status.operationState.operation.info", _PAIR),
        ("status.operationState.operation.sync.source", _HELM),
        ("status.operationState.operation.sync.sources", [_HELM]),
        ("status.operationState.operation.sync.manifests", ["https://u:s1@git/x"]),
        ("status.operationState.syncResult.source", _HELM),
        ("status.operationState.syncResult.sources", [_HELM]),
        ("status.conditions", [{"type": "ComparisonError", "message": "https://u:s1@git/x cannot be read"}]),
    ],
)  # fmt: skip
def test_every_place_of_an_application_where_a_secret_may_stand(path: str, held: Any) -> None:
    app = application(1)
    *parents, last = path.split(".")
    at = app
    for name in parents:
        at = at.setdefault(name, {})
    at[last] = held
    row = Codec("hub", KINDS["applications.argoproj.io"]).row(msgspec.json.encode(app))
    kept = row.json()
    assert b"s1" not in kept and b"s1" not in msgspec.json.encode(row.obj)
    assert kept.count(MASK.encode()) == 1
    assert msgspec.json.decode(kept)["status"]["resources"] == app["status"]["resources"]


def test_what_has_nothing_secret_is_kept_to_the_byte() -> None:
    data = b'{"metadata": {"annotations": {"a/token-ttl": "5"}, "name": "a"}, "big": 123456789012345678901234567890}'
    assert redact.data(data) is data


@pytest.mark.parametrize(
    "broken", [b'{"a":"https://u:s1@h', b'{"a":"\xff https://u:s1@h/"}', b"[" * 5000 + b'"://u:s1@']
)
def test_what_cannot_be_read_loses_its_users_too(broken: bytes) -> None:
    assert b"s1" not in redact.data(broken)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Authorization: Bearer abc.DEF-123456", f"Authorization: Bearer {MASK}"),
        ("bad token=abc123, again", f"bad token={MASK}, again"),
        ('{"password": "x y"}', f'{{"password": "{MASK} y"}}'),
        ("got eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.sig", f"got {MASK}"),
        ("glpat-abcdefghijklmnop is wrong", f"{MASK} is wrong"),
        ("token expired at 12:00", "token expired at 12:00"),
        ("cluster/prod-eu-west-1 is not there", "cluster/prod-eu-west-1 is not there"),
    ],
)
def test_texts_of_others(said: str, shown: str) -> None:
    assert redact.words(said) == shown


def test_texts_of_programs_that_handle_credentials() -> None:
    rest = "at i-0abc1 8f14e45f-ceea-467f-9575-abcdefabcdef"
    assert redact.said(f"no 0123456789abcdefghij, hunter2 {rest}", ("hunter2",)) == f"no {MASK}, {MASK} {rest}"
