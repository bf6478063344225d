"""What an error of the network or an HTTP status means, as one plain line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from tui.adapters.kube.contexts import Spec
from tui.domain import redact
from tui.domain.ports import Absent, Denied, Gone, ServerError, Throttled, Trouble, Unauthorized, Unreachable

LONGEST = 300  # characters of a foreign message
PRIORITY = "X-Kubernetes-PF-PriorityLevel-UID"  # API priority and fairness has judged the request


class _Status(msgspec.Struct):
    """metav1.Status, as far as fleet reads it."""

    message: str = ""
    reason: str = ""


def status_trouble(status: int, headers: Mapping[str, str], body: bytes) -> Trouble:
    """The error for an HTTP status; the API server's own words where it answered with a Status."""
    try:
        said = _line(msgspec.json.decode(body, type=_Status).message)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        said = ""
    if status == 401:
        return Unauthorized(f"the API server does not accept these credentials (401{': ' + said if said else ''})")
    if status == 403:
        return Denied(said or "forbidden (403)")
    if status == 404:
        return Absent(said or "not served (404)")
    if status == 410:
        return Gone(said or "the resourceVersion is too old (410)")
    if status in (429, 503):
        wait = retry_after(headers.get("Retry-After", ""), headers.get("Date", ""))
        fair = ", priority and fairness" if PRIORITY in headers else ""
        words = f"asks to slow down (429{fair})" if status == 429 else "is not available (503)"
        until = f" for {wait:.0f} s" if wait else ""
        return Throttled(f"the API server {words}{until}{': ' + said if said else ''}", wait, status)
    return ServerError(f"the API server answered {status}{': ' + said if said else ''}", status)


def refusal(status: int, location: str) -> Trouble:
    """Redirects are not followed: a cluster that answers with one is behind something that is not an API server."""
    return ServerError(
        f"the server redirects ({status}) to {_line(_place(location)) or 'nowhere'}; is its URL right?", status
    )


def _place(location: str) -> str:
    """A URL without its query: logins pass tickets and tokens there."""
    return location.partition("?")[0].partition("#")[0]


def retry_after(text: str, date: str = "") -> float:
    """Seconds from a Retry-After header, as number or date; 0 when it says nothing usable, at most ten minutes.

    A date is by the server's clock, which `date`, its header of that name, tells: it may be another than ours.
    """
    try:
        seconds = float(text)
    except ValueError:
        then = _date(text)
        if then is None:
            return 0.0
        seconds = (then - (_date(date) or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), 600.0) if seconds == seconds else 0.0


def ahead(date: str, now: float) -> float | None:
    """Seconds by which the clock is ahead that wrote this Date header; None when it is none."""
    told = _date(date)
    return told.timestamp() - now if told is not None else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def trouble(error: BaseException, spec: Spec, quiet: float) -> Trouble:
    """The error for what the network did."""
    import aiohttp

    host = urlsplit(spec.cluster.server).netloc.rpartition("@")[2]
    if isinstance(error, Trouble):
        return error
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Unreachable(f"its proxy cannot be reached: {_reason(error.os_error)}")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Unreachable(f"its proxy refused: {error.status} {_line(error.message)}")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        whose = f"{error.host}:{error.port}"  # the proxy's, where there is one with https
        return Unreachable(f"the certificate of {whose} is not valid: {_certificate(error.certificate_error)}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unreachable(f"the name of {host} cannot be found: {_reason(error.os_error)}")
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return Unreachable(f"no TLS connection to {host}: {_reason(error.os_error)}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(f"{host}: {_reason(error.os_error)}")
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Unreachable(f"{host} did not answer in time to connect")
    if isinstance(error, asyncio.TimeoutError):
        return Unreachable(f"{host} was silent for {quiet:g} s")
    if isinstance(error, ssl.SSLError):
        return Unreachable(f"TLS with {host} broke: {_reason(error)}")
    if isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)):
        return Unreachable(f"{host} closed the connection in the middle of an answer")
    if isinstance(error, aiohttp.ClientResponseError):
        return ServerError(f"{host} does not speak HTTP as it should: {_line(error.message)}")
    return Unreachable(f"{host}: {_line(str(error)) or type(error).__name__}")


def _certificate(error: BaseException) -> str:
    said = _line(getattr(error, "verify_message", "") or str(error))
    return f"{said}; is this machine's clock right?" if "not yet valid" in said else said


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return _line((error.reason or str(error)).replace("_", " ").lower())
    if isinstance(error, OSError) and error.strerror:
        words = error.strerror
        if words.startswith(("Connect call failed", "Multiple exceptions")):
            return "connection refused"
        return _line(words)
    return _line(str(error)) or type(error).__name__


def _line(text: str) -> str:
    words = redact.words(" ".join(text.split()))
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
