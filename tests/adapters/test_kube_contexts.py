"""Kubeconfigs as people have them: several, broken, hostile. Nothing raises, everything is said."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.adapters.kube import contexts
from tui.adapters.kube.contexts import Spec
from tui.adapters.kube.kubeconfigs import load


def write(path: Path, *entries: tuple[str, dict[str, Any], dict[str, Any]]) -> Path:
    """A kubeconfig whose contexts, clusters and users have the same name."""
    config = {
        "clusters": [{"name": name, "cluster": cluster} for name, cluster, _ in entries],
        "users": [{"name": name, "user": user} for name, _, user in entries],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name, _, _ in entries],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def by_name(specs: list[Spec]) -> dict[str, Spec]:
    return {spec.context.name: spec for spec in specs}


def read(*paths: Path, wanted: tuple[str, ...] = ()) -> tuple[dict[str, Spec], list[str]]:
    specs, problems = load(wanted=wanted, env={"KUBECONFIG": os.pathsep.join(map(str, paths))})
    return by_name(specs), problems


C1 = {"server": "https://c1:6443"}


def test_the_first_file_that_names_something_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "a", ("one", C1, {"token": "t1"}))
    second = write(tmp_path / "b", ("one", {"server": "https://other"}, {"token": "t2"}), ("two", C1, {}))
    found, problems = read(first, second)
    assert list(found) == ["one", "two"]
    assert (found["one"].cluster.server, found["one"].user.token) == ("https://c1:6443", "t1")
    assert not problems


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    user = {
        "tokenFile": "t",
        "client-certificate": "sub/c.pem",
        "client-key": "/abs/k",
        "exec": {"command": "./bin/login"},
    }
    path = write(tmp_path / "deep" / "config", ("one", C1 | {"certificate-authority": "../ca.pem"}, user))
    spec = read(path)[0]["one"]
    assert spec.cluster.ca_file == str(tmp_path / "ca.pem")
    assert spec.user.token_file == str(tmp_path / "deep" / "t")
    assert spec.user.cert_file == str(tmp_path / "deep" / "sub" / "c.pem")
    assert spec.user.key_file == "/abs/k"
    assert spec.user.exec is not None and spec.user.exec.command == str(tmp_path / "deep" / "bin" / "login")


def test_a_bare_plugin_command_is_looked_for_on_the_path(tmp_path: Path) -> None:
    spec = read(write(tmp_path / "c", ("one", C1, {"exec": {"command": "aws", "args": ["eks", 1]}})))[0]["one"]
    assert spec.user.exec is not None
    assert (spec.user.exec.command, spec.user.exec.args) == ("aws", ("eks", "1"))


def test_names_that_yaml_would_turn_into_something_else(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_text(
        "clusters: [{name: yes, cluster: {server: 'https://a'}}]\n"
        "contexts:\n- {name: 0123, context: {cluster: yes, namespace: null}}\n"
        "- {name: 2024-01-01, context: {cluster: on}}\n"
    )
    found, _ = read(path)
    assert found["0123"].context.problem == "" and found["0123"].context.namespace == ""
    assert found["2024-01-01"].context.problem == "its cluster 'on' is not defined"


@pytest.mark.parametrize(
    ("cluster", "user", "problem"),
    [
        ({}, {}, "its cluster has no server"),
        ({"server": "ftp://x"}, {}, "its server 'ftp://x' is not an http or https URL"),
        ({"server": "https://x:99999"}, {}, "its server 'https://x:99999' is not an http or https URL"),
        ({"server": "https://"}, {}, "its server 'https://' is not an http or https URL"),
        ({"server": "https://x\ny"}, {}, "its server 'https://x\\ny' is not an http or https URL"),
        (C1 | {"certificate-authority-data": "%%%"}, {}, "its certificate-authority-data is not base64"),
        (C1, {"client-key-data": "x"}, "its client-key-data is not base64"),
        (C1, {"exec": {"args": []}}, "its exec plugin names no command"),
    ],
)
def test_what_is_wrong_with_a_context_is_said_in_it(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], problem: str
) -> None:
    found, _ = read(write(tmp_path / "c", ("good", C1, {}), ("bad", cluster, user)))
    assert found["good"].context.problem == ""
    assert found["bad"].context.problem == problem


def test_dangling_and_duplicate_names(tmp_path: Path) -> None:
    path = tmp_path / "c"
    config = {
        "clusters": [
            {"name": "a", "cluster": {"server": "https://a"}},
            {"name": "a", "cluster": {"server": "https://b"}},
            {"name": "same", "cluster": {"server": "https://s"}},
            {"name": "same", "cluster": {"server": "https://s"}},
        ],
        "contexts": [
            {"name": "no-user", "context": {"cluster": "same", "user": "nobody"}},
            {"name": "twice", "context": {"cluster": "a"}},
            {"name": "fine", "context": {"cluster": "same"}},
            {"name": "empty"},
            {"context": {"cluster": "same"}},
            "text",
        ],
    }
    path.write_text(yaml.safe_dump(config))
    found, _ = read(path)
    assert found["no-user"].context.problem == "its user 'nobody' is not defined"
    assert found["twice"].context.problem == f"{path} has two different clusters named a"
    assert found["fine"].context.problem == ""
    assert found["empty"].context.problem == "it names no cluster"
    assert set(found) == {"no-user", "twice", "fine", "empty"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", "not valid YAML"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"[" * 100_000, "nested more than 100 levels deep"),
        (b"- " * 100_000, "nested more than 100 levels deep"),
        (b"{a: " * 100_000, "nested more than 100 levels deep"),
        (b"- a\n- b\n", "not a kubeconfig"),
        (b"just text", "not a kubeconfig"),
        (b"x" * (contexts.LARGEST + 1), "larger than 16 MiB"),
    ],
)
def test_a_broken_file_is_one_unusable_context(tmp_path: Path, content: bytes, words: str) -> None:
    bad, good = tmp_path / "bad", write(tmp_path / "good", ("one", C1, {}))
    bad.write_bytes(content)
    found, problems = read(bad, good)
    assert found["one"].context.problem == ""
    assert words in found[str(bad)].context.problem
    assert len(problems) == 1 and words in problems[0]


def test_a_missing_file_matters_only_when_named(tmp_path: Path) -> None:
    found, problems = read(tmp_path / "none", write(tmp_path / "c", ("one", C1, {})))
    assert set(found) == {"one"} and not problems
    assert read(tmp_path / "none") == ({}, [f"{tmp_path / 'none'}: no such file"]), "nothing else was found"
    specs, problems = load(str(tmp_path / "none"), env={})
    assert specs == [] and problems == [f"{tmp_path / 'none'}: no such file"]


def test_a_directory_and_an_unreadable_file(tmp_path: Path) -> None:
    found, problems = read(tmp_path)
    assert "is a directory" in found[str(tmp_path)].context.problem and problems


def test_the_default_file(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config", ("home", C1, {}))
    specs, _ = load(env={"HOME": str(tmp_path)})
    assert [spec.context.name for spec in specs] == ["home"]


def test_globs_choose_contexts(tmp_path: Path) -> None:
    path = write(tmp_path / "c", ("prod-eu", C1, {}), ("prod-us", C1, {}), ("dev", C1, {}), ("we[i]rd", C1, {}))
    assert set(read(path, wanted=("prod-*", "dev"))[0]) == {"prod-eu", "prod-us", "dev"}
    assert set(read(path, wanted=("we[i]rd",))[0]) == {"we[i]rd"}
    found, problems = read(path, wanted=("stage-*",))
    assert not found and problems == ["no context is called stage-*"]


ARN = "arn:aws:eks:eu-west-1:1234:cluster/shop-prod"


def test_identities_of_clouds(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c",
        (
            "arn:aws:eks:eu-west-1:1234:cluster/shop-prod",
            C1,
            {"exec": {"command": "aws", "args": ["--cluster-name", "x"]}},
        ),
        ("gke_proj_europe-west1_shop", C1, {}),
        ("plain", C1, {"exec": {"command": "tsh", "args": ["--kube-cluster=leaf", "--cluster-id"]}}),
    )
    found, _ = read(path)
    assert found[ARN].context.identity == ("x", "shop-prod")
    assert found["gke_proj_europe-west1_shop"].context.identity == ("europe-west1/shop",)
    assert found["plain"].context.identity == ("leaf",)


def test_the_digest_of_the_first_authority(tmp_path: Path) -> None:
    import hashlib

    der = b"not really a certificate, but bytes"
    pem = b"text before\n-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    (tmp_path / "ca.pem").write_bytes(pem)
    path = write(
        tmp_path / "c",
        ("data", C1 | {"certificate-authority-data": base64.b64encode(pem).decode()}, {}),
        ("file", C1 | {"certificate-authority": "ca.pem"}, {}),
        ("gone", C1 | {"certificate-authority": "none.pem"}, {}),
    )
    found, _ = read(path)
    digest = hashlib.sha256(der).hexdigest()
    assert [found[name].context.ca_sha256 for name in ("data", "file", "gone")] == [digest, digest, ""]


def test_secrets_are_not_in_what_is_printed(tmp_path: Path) -> None:
    user = {
        "token": "s3cret-token",
        "password": "s3cret-password",
        "client-key-data": base64.b64encode(b"s3cret-key").decode(),
        "exec": {"command": "x", "env": [{"name": "A", "value": "s3cret-env"}]},
        "auth-provider": {"name": "oidc", "config": {"client-secret": "s3cret-oidc"}},
    }
    cluster = C1 | {"proxy-url": "http://u:s3cret-proxy@p"}
    assert "s3cret" not in repr(read(write(tmp_path / "c", ("one", cluster, user)))[0])


FIELDS = ["name", "cluster", "user", "context", "server", "exec", "command", "args", "env", "clusters", "users"]
FIELDS += ["contexts", "token", "as-groups", "as-user-extra", "auth-provider", "config", "extensions", "proxy-url"]
JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=settings.default.max_examples * 2)
@given(JSONISH)
def test_no_shape_of_file_raises(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.mktemp("k") / "c"
    path.write_text(yaml.safe_dump({"contexts": [{"name": "n", "context": value}], "clusters": value, "users": value}))
    specs, _ = load(str(path), env={})
    for spec in specs:
        assert spec.context.problem or spec.cluster.server


def test_the_pods_own_account_when_there_is_no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("t")
    monkeypatch.setattr(contexts, "SERVICE_ACCOUNT", tmp_path)
    specs, _ = load(
        env={"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    )
    assert [spec.cluster.server for spec in specs] == ["https://[fd00::1]:6443"]
    assert specs[0].user.token_file == str(tmp_path / "token")
