"""Exec credential plugins: run off the loop, without the terminal, with a time-out, once for all who need the same.

Protocol: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from tui.adapters import system
from tui.adapters.kube.contexts import ClusterSpec, ExecSpec
from tui.domain import redact
from tui.domain.ports import Unauthorized

GROUP = "client.authentication.k8s.io"
VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
KEPT = 4096  # bytes of stderr kept for the message
LARGEST = 1024 * 1024  # bytes of stdout
_TOKENS = re.compile(r"[^\s\"'{},]{12,}")
AT_ONCE = 8  # plugins running at the same time: each may be a cloud's whole command line tool


@dataclass(frozen=True, slots=True)
class PluginAnswer:
    """`status` of an ExecCredential. `expires` in seconds since the epoch, 0 when it does not say."""

    token: str = field(default="", repr=False)
    cert: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires: float = 0.0


class _Status(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: str | None = None


class _Credential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


class ExecPlugins:
    """Runs plugins and remembers their answers by (command, arguments, environment, cluster where it is told)."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._runs: dict[Any, asyncio.Task[PluginAnswer]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self, plugin: ExecSpec, cluster: ClusterSpec, old: PluginAnswer | None = None) -> PluginAnswer:
        """The plugin's answer, another one than `old` (refused or aged). Raises `Unauthorized` with its words.

        Callers that come while it runs wait for the same run; cancelling one of them does not stop it.
        """
        key = (plugin, cluster.server if plugin.provide_cluster_info else "")
        task = self._runs.get(key)
        if task is None or (task.done() and (_useless(task) or task.result() is old)):
            task = asyncio.create_task(self._run(plugin, cluster), name=f"exec {plugin.command}")
            task.add_done_callback(_useless)  # looks at the error, which nobody awaits when all callers have gone
            self._runs[key] = task
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stop plugins that still run."""
        tasks = [task for task in self._runs.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._runs.clear()

    async def _run(self, plugin: ExecSpec, cluster: ClusterSpec) -> PluginAnswer:
        version = plugin.api_version or VERSIONS[0]
        if version not in VERSIONS:
            raise Unauthorized(f"the exec plugin {plugin.command} speaks {version}; fleet knows {', '.join(VERSIONS)}")
        env = {**os.environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": _exec_info(version, plugin, cluster)}
        async with self._slots:
            out = await self._output(plugin, env)
        return _parse(plugin, version, out)

    async def _output(self, plugin: ExecSpec, env: dict[str, str]) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                plugin.command,
                *plugin.args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=env,
                start_new_session=True,  # no controlling terminal to prompt on, and a group to end it with
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            hint = f"; {_one_line(plugin.install_hint)}" if plugin.install_hint else ""
            raise Unauthorized(f"the exec plugin {plugin.command} cannot be started: {reason}{hint}") from None
        try:
            async with asyncio.timeout(self._timeout):
                out, err = await asyncio.gather(_take(process.stdout, LARGEST), _take(process.stderr, KEPT))
                code = await process.wait()
        except TimeoutError:
            await _kill(process)
            raise Unauthorized(f"the exec plugin {plugin.command} took more than {self._timeout:g} s") from None
        except BaseException:
            await _kill(process)
            raise
        if code != 0:
            said = _one_line(err.decode("utf-8", "replace"), _secrets(plugin, out)) or "it said nothing"
            hint = f"; {_one_line(plugin.install_hint)}" if plugin.install_hint and code == 127 else ""
            raise Unauthorized(f"the exec plugin {plugin.command} failed ({code}): {said}{hint}")
        return out


async def _take(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """Reads to the end so that the plugin never blocks on a full pipe, and keeps the first `most` bytes."""
    assert stream is not None
    kept = bytearray()
    while chunk := await stream.read(65536):
        if len(kept) < most:
            kept += chunk[: most - len(kept)]
    return bytes(kept)


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Ends the plugin and what it has started."""
    with contextlib.suppress(PermissionError):
        system.end(process, group=True, now=True)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


def _useless(task: asyncio.Task[PluginAnswer]) -> bool:
    """Whether a finished run cannot be used again: it failed, or its credential is about to end."""
    if task.cancelled() or task.exception() is not None:
        return True
    expires = task.result().expires
    return bool(expires) and datetime.now(UTC).timestamp() > expires - 10


def _exec_info(version: str, plugin: ExecSpec, cluster: ClusterSpec) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        about: dict[str, Any] = {"server": cluster.server}
        if cluster.tls_server_name:
            about["tls-server-name"] = cluster.tls_server_name
        if cluster.insecure:
            about["insecure-skip-tls-verify"] = True
        from tui.adapters.kube.credentials import tls_files

        if ca := tls_files(cluster):
            about["certificate-authority-data"] = base64.b64encode(ca).decode()
        if cluster.proxy_url:
            about["proxy-url"] = cluster.proxy_url
        if not cluster.compression:
            about["disable-compression"] = True
        about["config"] = cluster.config
        spec["cluster"] = about
    return msgspec.json.encode({"kind": "ExecCredential", "apiVersion": version, "spec": spec}).decode()


def _parse(plugin: ExecSpec, version: str, out: bytes) -> PluginAnswer:
    try:
        answer = msgspec.json.decode(out, type=_Credential)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unauthorized(f"the exec plugin {plugin.command} did not answer an ExecCredential: {error}") from None
    if answer.kind != "ExecCredential" or answer.api_version != version:
        got = _one_line(f"{answer.api_version} {answer.kind}", _secrets(plugin, b"")) or "something else"
        raise Unauthorized(f"the exec plugin {plugin.command} answered {got} instead of {version} ExecCredential")
    status = answer.status
    if status is None or not (status.token or status.client_certificate_data):
        raise Unauthorized(f"the exec plugin {plugin.command} gave neither a token nor a certificate")
    return PluginAnswer(
        token=status.token or "",
        cert=(status.client_certificate_data or "").encode(),
        key=(status.client_key_data or "").encode(),
        expires=_timestamp(status.expiration_timestamp or ""),
    )


def _timestamp(text: str) -> float:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else 0.0
    except ValueError:
        return 0.0


def _secrets(plugin: ExecSpec, out: bytes) -> tuple[str, ...]:
    """What a message must not repeat: secrets that the plugin was given, and anything like a token that it printed."""
    given = {value for name, value in plugin.env if redact.says(name)}
    return (*given, *_TOKENS.findall(out.decode("utf-8", "replace")))


def _one_line(text: str, known: tuple[str, ...] = ()) -> str:
    """The last words of a plugin, which is where command line tools say what went wrong."""
    words = " ".join(redact.said(text, known).split())
    return words if len(words) <= 400 else "… " + words[-400:]
