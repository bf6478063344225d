"""Reads and merges kubeconfig files. Nothing in them can raise: what is wrong with a context is said in its `problem`.

Rules of the format: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ (the first
file that sets a name wins; paths are relative to the file that names them).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tui.adapters.kube.flatyaml import TooDeep, document
from tui.domain import giturl, redact
from tui.domain.ports import Context

LARGEST = 16 * 1024 * 1024  # bytes of a kubeconfig; the largest seen in the field have a few MB
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """`user.exec`: a credential plugin. `command` is already resolved against the kubeconfig's directory."""

    command: str
    args: tuple[str, ...] = field(default=(), repr=False)
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """A cluster entry: where the API server is and how its TLS is verified."""

    server: str = field(default="", repr=False)  # it may have a password in it; `Context.server` has none
    ca_file: str = ""
    ca_data: bytes = b""
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = field(default="", repr=False)
    compression: bool = True
    config: Any = field(default=None, repr=False)  # an extension, handed to exec plugins


@dataclass(frozen=True, slots=True)
class UserSpec:
    """A user entry. Its secrets are kept out of `repr`."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    cert_file: str = ""
    cert_data: bytes = field(default=b"", repr=False)
    key_file: str = ""
    key_data: bytes = field(default=b"", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    exec: ExecSpec | None = None
    provider: str = ""
    provider_config: Mapping[str, str] = field(default_factory=dict, repr=False)
    impersonate: str = ""
    impersonate_uid: str = ""
    impersonate_groups: tuple[str, ...] = ()
    impersonate_extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything needed to connect as one context."""

    context: Context
    cluster: ClusterSpec
    user: UserSpec


class _Problem(Exception):
    """Why an entry cannot be used, in words."""


@dataclass(slots=True)
class _Entry:
    value: Mapping[str, Any]
    file: Path
    problem: str = ""


@dataclass(slots=True)
class _Merged:
    clusters: dict[str, _Entry] = field(default_factory=dict)
    users: dict[str, _Entry] = field(default_factory=dict)
    contexts: dict[str, _Entry] = field(default_factory=dict)


def files(kubeconfig: str = "", env: Mapping[str, str] | None = None) -> tuple[list[Path], bool]:
    """The kubeconfig files to read, in order, and whether a missing one is the user's mistake (named explicitly)."""
    env = os.environ if env is None else env
    if kubeconfig:
        return [Path(part).expanduser() for part in kubeconfig.split(os.pathsep) if part], True
    if listed := [Path(part).expanduser() for part in env.get("KUBECONFIG", "").split(os.pathsep) if part]:
        return list(dict.fromkeys(listed)), False
    return [Path(env.get("HOME", "") or str(Path.home())) / ".kube" / "config"], False


def load(
    kubeconfig: str = "", wanted: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> tuple[list[Spec], list[str]]:
    """All contexts, in file order, and what is wrong with the files or the globs in `wanted`, in words.

    A file that cannot be read gives one unusable context named after it, so that it is seen where clusters are seen.
    A file of KUBECONFIG that does not exist counts as empty, as for kubectl; it is named when nothing else is found.
    """
    env = os.environ if env is None else env
    merged = _Merged()
    specs: list[Spec] = []
    problems: list[str] = []
    absent: list[str] = []
    paths, must_exist = files(kubeconfig, env)
    for path in paths:
        try:
            _merge(merged, _parse(path), path)
        except FileNotFoundError:
            (problems if must_exist else absent).append(f"{path}: no such file")
        except (OSError, _Problem) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            problems.append(f"{path}: {reason}")
            broken = Context(name=str(path), cluster="", source=str(path), problem=f"cannot be read: {reason}")
            specs.append(Spec(broken, ClusterSpec(), UserSpec()))
    specs = [_spec(merged, name, entry) for name, entry in merged.contexts.items()] + specs
    if not specs and (inside := _in_cluster(env)):
        specs.append(inside)
    if not specs:
        problems += absent
    if not wanted:
        return specs, problems
    chosen = {s.context.name for s in specs for glob in wanted if _matches(s.context.name, glob)}
    unused = [glob for glob in wanted if not any(_matches(s.context.name, glob) for s in specs)]
    problems += [f"no context is called {glob}" for glob in unused]
    return [spec for spec in specs if spec.context.name in chosen], problems


def _matches(name: str, glob: str) -> bool:
    return name == glob or fnmatchcase(name, glob)


def _parse(path: Path) -> Mapping[str, Any]:
    if path.is_dir():
        raise _Problem("is a directory")
    with path.open("rb") as handle:
        data = handle.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _Problem(f"larger than {LARGEST // 1024 // 1024} MiB")
    try:
        value = document(data)
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise _Problem(f"not valid YAML: {error.problem or 'syntax'}{where}") from None
    except TooDeep as error:
        raise _Problem(str(error)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _Problem(f"not valid YAML: {_one_line(error)}") from None
    if value is None or (isinstance(value, str) and value in _NULLS):
        return {}
    if not isinstance(value, dict):
        raise _Problem("not a kubeconfig")
    return value


def _merge(merged: _Merged, config: Mapping[str, Any], path: Path) -> None:
    for key, body_key, into in (
        ("clusters", "cluster", merged.clusters),
        ("users", "user", merged.users),
        ("contexts", "context", merged.contexts),
    ):
        here: dict[str, _Entry] = {}
        for item in _list(config, key):
            name = _text(item, "name")
            if not name:
                continue
            body = item.get(body_key)
            entry = _Entry(body if isinstance(body, dict) else {}, path)
            if name in here:
                if here[name].value != entry.value:
                    here[name].problem = f"{path} has two different {key} named {name}"
                continue
            here[name] = entry
        for name, entry in here.items():
            into.setdefault(name, entry)


def _spec(merged: _Merged, name: str, entry: _Entry) -> Spec:
    cluster_name, user_name = _text(entry.value, "cluster"), _text(entry.value, "user")
    cluster, user, problem = ClusterSpec(), UserSpec(), entry.problem
    try:
        found = merged.clusters.get(cluster_name)
        if found is None:
            raise _Problem(f"its cluster {cluster_name!r} is not defined" if cluster_name else "it names no cluster")
        problem = problem or found.problem
        cluster = _cluster(found)
        if user_name:
            who = merged.users.get(user_name)
            if who is None:
                raise _Problem(f"its user {user_name!r} is not defined")
            problem = problem or who.problem
            user = _user(who)
    except _Problem as error:
        problem = problem or str(error)
    context = Context(
        name=name,
        cluster=cluster_name,
        user=user_name,
        namespace=_text(entry.value, "namespace"),
        server=giturl.bare(cluster.server),
        ca_sha256=_ca_digest(cluster),
        identity=_identity(name, cluster_name, user),
        source=str(entry.file),
        problem=problem,
    )
    return Spec(context, cluster, user)


def _cluster(entry: _Entry) -> ClusterSpec:
    value = entry.value
    server = _text(value, "server")
    if not server:
        raise _Problem("its cluster has no server")
    if "://" not in server:
        server = "https://" + server
    try:
        parts = urlsplit(server)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or any(ord(c) <= 0x20 for c in server):
        raise _Problem(f"its server {redact.urls(server)!r} is not an http or https URL")
    exec_config = None
    for extension in _list(value, "extensions"):
        if _text(extension, "name") == "client.authentication.k8s.io/exec":
            exec_config = extension.get("extension")
    return ClusterSpec(
        server=server.rstrip("/"),
        ca_file=_path(value, "certificate-authority", entry.file),
        ca_data=_data(value, "certificate-authority-data"),
        insecure=_true(value, "insecure-skip-tls-verify"),
        tls_server_name=_text(value, "tls-server-name"),
        proxy_url=_text(value, "proxy-url"),
        compression=not _true(value, "disable-compression"),
        config=exec_config,
    )


def _user(entry: _Entry) -> UserSpec:
    value, file = entry.value, entry.file
    provider = value.get("auth-provider")
    provider = provider if isinstance(provider, dict) else {}
    config = provider.get("config")
    config = {str(k): v for k, v in config.items() if isinstance(v, str)} if isinstance(config, dict) else {}
    extra = value.get("as-user-extra")
    return UserSpec(
        token=_text(value, "token"),
        token_file=_path(value, "tokenFile", file),
        cert_file=_path(value, "client-certificate", file),
        cert_data=_data(value, "client-certificate-data"),
        key_file=_path(value, "client-key", file),
        key_data=_data(value, "client-key-data"),
        username=_text(value, "username"),
        password=_text(value, "password"),
        exec=_exec(value.get("exec"), file),
        provider=_text(provider, "name"),
        provider_config=_with_paths(config, file),
        impersonate=_text(value, "as"),
        impersonate_uid=_text(value, "as-uid"),
        impersonate_groups=_texts(value.get("as-groups")),
        impersonate_extra=tuple((str(k), _texts(v)) for k, v in extra.items()) if isinstance(extra, dict) else (),
    )


def _with_paths(config: dict[str, str], file: Path) -> dict[str, str]:
    """The provider's settings with the one path among them made absolute."""
    if ca := config.get("idp-certificate-authority"):
        config["idp-certificate-authority"] = _resolve(ca, file)
    return config


def _exec(value: Any, file: Path) -> ExecSpec | None:
    if not isinstance(value, dict):
        return None
    command = _text(value, "command")
    if not command:
        raise _Problem("its exec plugin names no command")
    if "/" in command or os.sep in command:
        command = _resolve(command, file)
    pairs = ((_text(item, "name"), _text(item, "value")) for item in _list(value, "env"))
    return ExecSpec(
        command=command,
        args=_texts(value.get("args")),
        env=tuple(pair for pair in pairs if pair[0]),
        api_version=_text(value, "apiVersion"),
        install_hint=_text(value, "installHint"),
        provide_cluster_info=_true(value, "provideClusterInfo"),
    )


def _in_cluster(env: Mapping[str, str]) -> Spec | None:
    """The service account of the pod that fleet runs in, as kubectl uses it when there is no kubeconfig."""
    host, port = env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "443")
    token = SERVICE_ACCOUNT / "token"
    if not host or not token.exists():
        return None
    server = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    cluster = ClusterSpec(server=server, ca_file=str(SERVICE_ACCOUNT / "ca.crt"))
    context = Context("in-cluster", "in-cluster", "service-account", server=server, ca_sha256=_ca_digest(cluster))
    return Spec(context, cluster, UserSpec(token_file=str(token)))


def _identity(name: str, cluster: str, user: UserSpec) -> tuple[str, ...]:
    """Names the cloud gave the cluster, from exec arguments, EKS ARNs and GKE's context names (dossiers: matching)."""
    found: list[str] = []
    if user.exec is not None:
        args = user.exec.args
        flags = ("--cluster-name", "--cluster-id", "-i", "--cluster", "--kube-cluster")
        for index, arg in enumerate(args):
            flag, equals, inline = arg.partition("=")
            if flag in flags:
                found.append(inline if equals else args[index + 1] if index + 1 < len(args) else "")
    for text in (cluster, name):
        if match := re.fullmatch(r"arn:aws[a-z-]*:eks:[^:]*:\d*:cluster/(.+)", text):
            found.append(match[1])
        elif match := re.fullmatch(r"gke_([^_]+)_([^_]+)_(.+)", text):
            found.append(f"{match[2]}/{match[3]}")
    return tuple(dict.fromkeys(text for text in found if text))


def _ca_digest(cluster: ClusterSpec) -> str:
    """SHA-256 of the first CA certificate (DER) as hex; "" when there is none or it cannot be read."""
    data = cluster.ca_data
    if not data and cluster.ca_file:
        try:
            with Path(cluster.ca_file).open("rb") as handle:
                data = handle.read(LARGEST)
        except OSError:
            return ""  # said when connecting, with the file's name
    match = _PEM.search(data)
    if match is None:
        return ""
    try:
        return hashlib.sha256(base64.b64decode(match[1])).hexdigest()
    except binascii.Error:
        return ""


def _list(value: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    items = value.get(key)
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else iter(())


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) and found not in _NULLS else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _true(value: Mapping[str, Any], key: str) -> bool:
    return _text(value, key).lower() in ("true", "yes", "on")


def _data(value: Mapping[str, Any], key: str) -> bytes:
    text = _text(value, key)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _Problem(f"its {key} is not base64") from None


def _path(value: Mapping[str, Any], key: str, file: Path) -> str:
    text = _text(value, key)
    return _resolve(text, file) if text else ""


def _resolve(text: str, file: Path) -> str:
    if not (file.is_absolute() or Path(text).is_absolute()):
        file = Path.cwd() / file  # only then: the current folder may have been removed
    return os.path.normpath(file.parent / text)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
