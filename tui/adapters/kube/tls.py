"""TLS contexts: verified as kubectl verifies, made once per (CA, certificate), without asking on the terminal."""

from __future__ import annotations

import asyncio.sslproto
import contextlib
import hashlib
import os
import ssl
import tempfile
from pathlib import Path
from weakref import WeakValueDictionary

from tui.adapters.kube.contexts import ClusterSpec
from tui.adapters.kube.credentials import Identity, tls_files
from tui.domain.ports import Unauthorized, Unreachable

READ_BUFFER = 64 * 1024  # bytes per connection; asyncio's own is 256 KiB, which is 225 MiB for 750 watches

_system: ssl.SSLContext | None = None
_shared: WeakValueDictionary[bytes, ssl.SSLContext] = WeakValueDictionary()  # by a hash of all they were made of


def context(cluster: ClusterSpec, identity: Identity) -> ssl.SSLContext | None:
    """The context for a cluster, None for plain http. Raises `Unreachable` or `Unauthorized` with what is wrong."""
    if not cluster.server.startswith("https://"):
        return None
    ca = b"" if cluster.insecure else tls_files(cluster)
    if not ca and not cluster.insecure and not identity.cert:
        return system_context()
    parts = (str(cluster.insecure).encode(), ca, identity.cert, identity.key)
    inputs = hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).digest()
    made = _shared.get(inputs)
    if made is None:
        made = _with_ca(ca, cluster.insecure)
        if identity.cert:
            _load_certificate(made, identity)
        _shared[inputs] = made
    return made


def shrink_buffers() -> bool:
    """Use smaller TLS buffers from now on; False when this Python has no such attribute (then nothing is changed)."""
    protocol = getattr(asyncio.sslproto, "SSLProtocol", None)
    if not isinstance(getattr(protocol, "max_size", None), int):
        return False
    protocol.max_size = min(protocol.max_size, READ_BUFFER)  # type: ignore[union-attr]
    return True


def _with_ca(ca: bytes, insecure: bool) -> ssl.SSLContext:
    if insecure:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    try:
        made = ssl.create_default_context(cadata=ca.decode("ascii") if ca else None)
    except (ssl.SSLError, ValueError) as error:
        raise Unreachable(f"its certificate authority cannot be read: {error}") from None
    return _as_go_verifies(made)


def _as_go_verifies(made: ssl.SSLContext) -> ssl.SSLContext:
    """Any certificate given as CA is an anchor, and old clusters' CAs lack what Python 3.13 began to insist on."""
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


def system_context() -> ssl.SSLContext:
    """Verification by the system's authorities; one context for all, because reading them takes 50 ms."""
    global _system
    if _system is None:
        _system = _as_go_verifies(ssl.create_default_context())
    return _system


def _load_certificate(made: ssl.SSLContext, identity: Identity) -> None:
    """ssl only reads files: they exist, for this user only, for as long as the call takes."""
    handle, name = tempfile.mkstemp(prefix="fleet-", suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(identity.cert + b"\n" + identity.key + b"\n")
        made.load_cert_chain(name, password=_no_pass_phrase)
    except (ssl.SSLError, ValueError) as error:
        raise Unauthorized(f"its client certificate cannot be used: {error}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _no_pass_phrase() -> str:
    raise ValueError("the key is encrypted and fleet cannot ask for its pass phrase")
