"""The `oidc` auth provider: a static id-token while it lives, then one from the identity provider by refresh token.

Rules: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens and RFC 6749
section 6. The identity provider's TLS is always verified. A rotated refresh token is kept in memory only: fleet does
not write to kubeconfig files.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from tui.adapters.kube import guard
from tui.adapters.kube.contexts import UserSpec
from tui.adapters.kube.credentials import token_expiry
from tui.adapters.kube.proxies import proxy_for
from tui.domain import redact
from tui.domain.ports import Unauthorized

LARGEST = 1024 * 1024  # bytes of an identity provider's answer
TIMEOUT = 15.0  # seconds for one request
USE_PLUGIN = "log in again, or use an exec plugin such as kubelogin (kubectl oidc-login)"


class _Metadata(msgspec.Struct):
    token_endpoint: str = ""


class _Tokens(msgspec.Struct):
    id_token: str = ""
    refresh_token: str = ""
    error: str = ""
    error_description: str = ""


class OidcTokens:
    """Id tokens by user, refreshed when they end or were refused."""

    def __init__(self, servers: Callable[[], Iterable[str]]) -> None:
        self._servers = servers
        self._rotated: dict[tuple[str, str, str], str] = {}
        self._held: dict[tuple[str, str, str], str] = {}
        self._lock = asyncio.Lock()

    async def token(self, user: UserSpec, again: bool) -> str:
        """An id token; `again` when the last one was refused. Raises `Unauthorized` with what to do."""
        config = user.provider_config
        key = (config.get("idp-issuer-url", ""), config.get("client-id", ""), config.get("refresh-token", ""))
        async with self._lock:
            token = self._held.get(key) or config.get("id-token", "")
            expires = token_expiry(token) if token else 0.0
            if token and not again and expires > time.time() + 10:
                return token
            refresh = self._rotated.get(key) or config.get("refresh-token", "")
            if not refresh:
                why = "was refused" if again else "has expired" if token else "is missing"
                raise Unauthorized(f"its OIDC id-token {why} and there is no refresh-token; {USE_PLUGIN}")
            answer = await self._refresh(config, refresh)
            self._held[key] = answer.id_token
            if answer.refresh_token:
                self._rotated[key] = answer.refresh_token
            return answer.id_token

    async def _refresh(self, config: Any, refresh: str) -> _Tokens:
        import aiohttp

        issuer = config.get("idp-issuer-url", "").rstrip("/")
        if not issuer.startswith("https://"):
            raise Unauthorized(f"its OIDC issuer must be an https URL, not {issuer!r}")
        discovery = f"{issuer}/.well-known/openid-configuration"
        guard.allow_issuer(discovery)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_id": config.get("client-id", ""),
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if secret := config.get("client-secret", ""):
            pair = f"{quote_plus(form['client_id'])}:{quote_plus(secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        connector = aiohttp.TCPConnector(ssl=_context(config), limit=2)
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
                proxy = proxy_for(discovery, "")
                async with session.get(discovery, proxy=proxy, allow_redirects=False) as response:
                    metadata = _decode(await _body(response), _Metadata, issuer)
                guard.allow_token_endpoint(metadata.token_endpoint, self._servers())
                body = urlencode(form).encode()
                async with session.post(
                    metadata.token_endpoint, data=body, headers=headers, proxy=proxy, allow_redirects=False
                ) as response:
                    answer = _decode(await _body(response), _Tokens, issuer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unauthorized(f"the identity provider {issuer} cannot be asked: {error or 'timed out'}") from None
        if answer.error or not answer.id_token:
            why = answer.error_description or answer.error or "it gave no id_token"
            raise Unauthorized(f"the identity provider {issuer} refused to refresh: {redact.said(why)}; {USE_PLUGIN}")
        return answer


def _context(config: Any) -> ssl.SSLContext:
    data = config.get("idp-certificate-authority-data", "")
    try:
        text = base64.b64decode(data).decode("ascii") if data else None
        return ssl.create_default_context(cafile=config.get("idp-certificate-authority") or None, cadata=text)
    except (OSError, ValueError) as error:
        raise Unauthorized(f"its identity provider's CA cannot be read: {error}") from None


async def _body(response: Any) -> bytes:
    data = await response.content.read(LARGEST)
    while chunk := await response.content.read(LARGEST):
        data += chunk
        if len(data) > LARGEST:
            raise Unauthorized("the identity provider's answer is too large")
    return data


def _decode(data: bytes, form: type[Any], issuer: str) -> Any:
    try:
        return msgspec.json.decode(data, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Unauthorized(f"the identity provider {issuer} did not answer as OpenID Connect does") from None
