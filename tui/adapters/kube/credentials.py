"""Who fleet is towards a cluster: certificates, tokens, token files, basic auth, exec plugins, OIDC, impersonation.

The official client's loader is wrong about exec plugins' terminal, time-outs and errors, token refresh, token files,
impersonation and certificates beside tokens (lessons C1 to C10), so identities are made here and given to it as headers
and certificate data.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui.adapters.kube.contexts import ClusterSpec, Spec, UserSpec
from tui.adapters.kube.execplugin import ExecPlugins, PluginAnswer
from tui.domain import when
from tui.domain.ports import Unauthorized

FILE_AGE = 60.0  # seconds the content of token and certificate files is trusted; they are rotated long before expiry
REFRESH_AT = 0.8  # of a credential's life
REST = 5.0  # seconds before it is asked for again whatever it says of its end: a clock may be wrong, a plugin slow
LARGEST_FILE = 1024 * 1024
GONE_PROVIDERS = {
    "azure": "use an exec plugin: kubelogin convert-kubeconfig",
    "gcp": "use an exec plugin: gke-gcloud-auth-plugin",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What one request carries. `expires` is seconds since the epoch, 0 when nobody says."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cert: bytes = field(default=b"", repr=False)  # PEM
    key: bytes = field(default=b"", repr=False)  # PEM
    expires: float = 0.0
    renewable: bool = False  # asking again may give another


class Credentials:
    """The identity of one context, made when first asked for and again when it has aged or was refused."""

    def __init__(self, spec: Spec, plugins: ExecPlugins, oidc: Callable[[UserSpec, bool], Awaitable[str]]) -> None:
        self._context = spec.context
        self._user = spec.user
        self._cluster = spec.cluster
        self._plugins = plugins
        self._oidc = oidc
        self._identity: Identity | None = None
        self._answer: PluginAnswer | None = None
        self._made = 0.0
        self._lock = asyncio.Lock()

    async def current(self, refused: Identity | None = None) -> Identity:
        """The identity to use now; `refused` is one that the API server has just answered with 401.

        Raises `Unauthorized` with the reason, an exec plugin's own words included. Concurrent callers share one run.
        """
        held = self._identity
        if held is not None and held is not refused and not self._aged(held):
            return held
        async with self._lock:
            held = self._identity
            if held is not None and held is not refused and not self._aged(held):
                return held
            if refused is not None and not refused.renewable:
                return refused
            self._identity = await self._make(refused is not None)
            self._made = time.time()
            if refused is not None and self._identity == replace(refused, expires=self._identity.expires):
                self._identity = refused  # the same again: no use in showing it once more
            return self._identity

    def explained(self, error: Unauthorized, refused: Identity) -> Unauthorized:
        """The error of an identity that is refused, with what can be told of why."""
        if not (refused.headers or refused.cert):
            why = "its user has no credentials" if self._context.user else "its context names no user"
        elif ended := _ended(refused):
            why = f"{ended}: log in again"
        else:
            return error
        return Unauthorized(f"{error}; {why}")

    def _aged(self, identity: Identity) -> bool:
        age = time.time() - self._made
        if identity.expires:
            least = max(REST, (identity.expires - self._made) * REFRESH_AT)
        elif self._user.token_file or self._user.cert_file or self._user.key_file:
            least = FILE_AGE
        else:
            return False
        return not 0 <= age < least  # a clock that was set back tells nothing of an age

    async def _make(self, again: bool) -> Identity:
        """Precedence as in client-go: token file, token, basic auth, plugin, provider; certificates beside any."""
        user = self._user
        cert, key = _pem(user.cert_data, user.cert_file), _pem(user.key_data, user.key_file)
        identity = Identity(cert=cert, key=key, renewable=bool(user.cert_file or user.key_file))
        if user.token_file:
            token = _read(user.token_file).decode("utf-8", "replace").strip()
            identity = replace(identity, headers=_bearer(token), renewable=True)
        elif user.token:
            identity = replace(identity, headers=_bearer(user.token))
        elif user.username:
            pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
            identity = replace(identity, headers=(("Authorization", f"Basic {pair}"),))
        elif user.exec is not None:
            identity = await self._from_plugin(identity)
        elif user.provider:
            identity = await self._from_provider(identity, again)
        _check_key(identity)
        return replace(identity, headers=identity.headers + _impersonation(user))

    async def _from_plugin(self, identity: Identity) -> Identity:
        assert self._user.exec is not None
        found = self._answer = await self._plugins.run(self._user.exec, self._cluster, self._answer)
        return replace(
            identity,
            headers=_bearer(found.token) if found.token else (),
            cert=found.cert or identity.cert,
            key=found.key or identity.key,
            expires=found.expires,
            renewable=True,
        )

    async def _from_provider(self, identity: Identity, again: bool) -> Identity:
        name = self._user.provider
        if name != "oidc":
            hint = GONE_PROVIDERS.get(name, "use an exec plugin")
            raise Unauthorized(f"the auth provider {name!r} was removed from Kubernetes; {hint}")
        token = await self._oidc(self._user, again)
        return replace(identity, headers=_bearer(token), expires=token_expiry(token), renewable=True)


def token_expiry(token: str) -> float:
    """`exp` of a JWT in seconds since the epoch, unverified; 0 when it has none or is no JWT."""
    import msgspec

    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError, msgspec.MsgspecError):
        return 0.0


def _ended(identity: Identity) -> str:
    """Which part of an identity has ended, by this machine's clock; "" when none has, or none says."""
    bearer = next((value for key, value in identity.headers if key == "Authorization"), "").removeprefix("Bearer ")
    now = time.time()
    if 0 < (end := token_expiry(bearer)) < now:
        return f"its token has ended {when.age(now - end)} ago"
    if identity.cert:
        from cryptography import x509

        try:
            end = x509.load_pem_x509_certificate(identity.cert).not_valid_after_utc.timestamp()
        except ValueError:
            return ""  # then it has been refused for another reason than its age
        if end < now:
            return f"its client certificate has ended {when.age(now - end)} ago"
    return ""


def tls_files(cluster: ClusterSpec) -> bytes:
    """The CA certificates (PEM) that the cluster's server is verified with; b"" means the system's.

    Raises `Unauthorized` when the file cannot be read.
    """
    return _pem(cluster.ca_data, cluster.ca_file)


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    if not token:
        raise Unauthorized("its token is empty")
    if any(ord(c) <= 0x20 or ord(c) > 0x7E for c in token):
        raise Unauthorized("its token has characters that no token can have")
    return (("Authorization", f"Bearer {token}"),)


def _impersonation(user: UserSpec) -> tuple[tuple[str, str], ...]:
    """https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation"""
    if not user.impersonate:
        if user.impersonate_uid or user.impersonate_groups or user.impersonate_extra:
            raise Unauthorized("its user has as-uid, as-groups or as-user-extra without `as`")
        return ()
    headers = [("Impersonate-User", user.impersonate)]
    if user.impersonate_uid:
        headers.append(("Impersonate-Uid", user.impersonate_uid))
    headers += [("Impersonate-Group", group) for group in user.impersonate_groups]
    for key, values in user.impersonate_extra:
        headers += [(f"Impersonate-Extra-{_header_key(key)}", value) for value in values]
    if any(c in value for _, value in headers for c in "\r\n\0"):
        raise Unauthorized("its impersonation has line breaks")
    return tuple(headers)


def _header_key(key: str) -> str:
    """Percent-encodes what a header name may not have, as client-go does for extra keys."""
    legal = "!#$&'*+-.^_`|~"
    return "".join(c if c.isascii() and (c.isalnum() or c in legal) else _percent(c) for c in key)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _pem(data: bytes, file: str) -> bytes:
    return data or (_read(file) if file else b"")


def _read(file: str) -> bytes:
    try:
        with Path(file).open("rb") as handle:
            return handle.read(LARGEST_FILE)
    except OSError as error:
        raise Unauthorized(f"{file}: {error.strerror or error}") from None


def _check_key(identity: Identity) -> None:
    """OpenSSL would ask for the pass phrase of an encrypted key on the terminal, which is the screen."""
    if bool(identity.cert) != bool(identity.key):
        raise Unauthorized("its client certificate needs both a certificate and a key")
    if b"ENCRYPTED" in identity.key:
        raise Unauthorized("its client key is encrypted; fleet cannot ask for the pass phrase")
