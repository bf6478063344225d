"""What a kubeconfig's entries mean. Nothing in them can raise: what is wrong with a context is said in its `problem`.

Rules of the format: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ (paths are
relative to the file that names them).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui.domain import giturl, redact
from tui.domain.ports import Context

LARGEST = 16 * 1024 * 1024  # bytes of a kubeconfig; the largest seen in the field have a few MB
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
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

    def connects_as(self, other: Spec) -> bool:
        """Whether both lead to the same place as the same user, or are unusable for the same reason."""
        mine, theirs = (self.cluster, self.user), (other.cluster, other.user)
        return mine == theirs and self.context.problem == other.context.problem


class Problem(Exception):
    """Why an entry cannot be used, in words."""


@dataclass(slots=True)
class Entry:
    """A named cluster, user or context of one file, as it is written there."""

    value: Mapping[str, Any]
    file: Path
    problem: str = ""


def spec_of(name: str, entry: Entry, clusters: Mapping[str, Entry], users: Mapping[str, Entry]) -> Spec:
    """The context that an entry means, with what is wrong with it in its `problem`."""
    cluster_name, user_name = text_of(entry.value, "cluster"), text_of(entry.value, "user")
    cluster, user, problem = ClusterSpec(), UserSpec(), entry.problem
    try:
        found = clusters.get(cluster_name)
        if found is None:
            raise Problem(f"its cluster {cluster_name!r} is not defined" if cluster_name else "it names no cluster")
        problem = problem or found.problem
        cluster = _cluster(found)
        if user_name:
            who = users.get(user_name)
            if who is None:
                raise Problem(f"its user {user_name!r} is not defined")
            problem = problem or who.problem
            user = _user(who)
    except Problem as error:
        problem = problem or str(error)
    context = Context(
        name=name,
        cluster=cluster_name,
        user=user_name,
        namespace=text_of(entry.value, "namespace"),
        server=giturl.bare(cluster.server),
        ca_sha256=_ca_digest(cluster),
        identity=_identity(name, cluster_name, user),
        source=str(entry.file),
        problem=problem,
    )
    return Spec(context, cluster, user)


def _cluster(entry: Entry) -> ClusterSpec:
    value = entry.value
    server = text_of(value, "server")
    if not server:
        raise Problem("its cluster has no server")
    if "://" not in server:
        server = "https://" + server
    try:
        parts = urlsplit(server)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or any(ord(c) <= 0x20 for c in server):
        raise Problem(f"its server {redact.urls(server)!r} is not an http or https URL")
    exec_config = None
    for extension in entries(value, "extensions"):
        if text_of(extension, "name") == "client.authentication.k8s.io/exec":
            exec_config = extension.get("extension")
    return ClusterSpec(
        server=server.rstrip("/"),
        ca_file=_path(value, "certificate-authority", entry.file),
        ca_data=_data(value, "certificate-authority-data"),
        insecure=_true(value, "insecure-skip-tls-verify"),
        tls_server_name=text_of(value, "tls-server-name"),
        proxy_url=text_of(value, "proxy-url"),
        compression=not _true(value, "disable-compression"),
        config=exec_config,
    )


def _user(entry: Entry) -> UserSpec:
    value, file = entry.value, entry.file
    provider = value.get("auth-provider")
    provider = provider if isinstance(provider, dict) else {}
    config = provider.get("config")
    config = {str(k): v for k, v in config.items() if isinstance(v, str)} if isinstance(config, dict) else {}
    extra = value.get("as-user-extra")
    return UserSpec(
        token=text_of(value, "token"),
        token_file=_path(value, "tokenFile", file),
        cert_file=_path(value, "client-certificate", file),
        cert_data=_data(value, "client-certificate-data"),
        key_file=_path(value, "client-key", file),
        key_data=_data(value, "client-key-data"),
        username=text_of(value, "username"),
        password=text_of(value, "password"),
        exec=_exec(value.get("exec"), file),
        provider=text_of(provider, "name"),
        provider_config=_with_paths(config, file),
        impersonate=text_of(value, "as"),
        impersonate_uid=text_of(value, "as-uid"),
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
    command = text_of(value, "command")
    if not command:
        raise Problem("its exec plugin names no command")
    if "/" in command or os.sep in command:
        command = _resolve(command, file)
    pairs = ((text_of(item, "name"), text_of(item, "value")) for item in entries(value, "env"))
    return ExecSpec(
        command=command,
        args=_texts(value.get("args")),
        env=tuple(pair for pair in pairs if pair[0]),
        api_version=text_of(value, "apiVersion"),
        install_hint=text_of(value, "installHint"),
        provide_cluster_info=_true(value, "provideClusterInfo"),
    )


def in_cluster(env: Mapping[str, str]) -> Spec | None:
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


def entries(value: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; none where there is no list."""
    items = value.get(key)
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else iter(())


def text_of(value: Mapping[str, Any], key: str) -> str:
    """A text, "" where there is none."""
    found = value.get(key)
    return found if isinstance(found, str) and found not in NULLS else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _true(value: Mapping[str, Any], key: str) -> bool:
    return text_of(value, key).lower() in ("true", "yes", "on")


def _data(value: Mapping[str, Any], key: str) -> bytes:
    text = text_of(value, key)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Problem(f"its {key} is not base64") from None


def _path(value: Mapping[str, Any], key: str, file: Path) -> str:
    text = text_of(value, key)
    return _resolve(text, file) if text else ""


def _resolve(text: str, file: Path) -> str:
    if not (file.is_absolute() or Path(text).is_absolute()):
        file = Path.cwd() / file  # only then: the current folder may have been removed
    return os.path.normpath(file.parent / text)
