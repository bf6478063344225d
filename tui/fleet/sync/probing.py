"""What a cluster is asked before it is read: whether it is there, which version it is, and which cluster."""

from __future__ import annotations

import msgspec

from tui.domain.ports import Absent, Connection, Denied, ServerError, Throttled
from tui.fleet.sync.standing import Namespace, Version

HUB_GROUP = "/apis/argoproj.io"
SYSTEM = "/api/v1/namespaces/kube-system"
_STRANGE = "it answers, but not as a Kubernetes API server does"


async def version(connection: Connection) -> Version | None:
    """What /version says, None when that is not for these credentials. Raises the `Trouble` of a cluster not there."""
    try:
        return msgspec.json.decode(await connection.get("/version"), type=Version)
    except Absent:  # some proxies hide this path; other web servers have none of the others either
        if not await _serves(connection):
            raise ServerError(_STRANGE) from None
    except Denied:
        pass  # it answers, which is what was asked
    except Throttled as error:
        if error.status == 503:  # a load balancer without an API server behind it says so too
            raise
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ServerError(_STRANGE) from None
    return None


async def uid(connection: Connection, known: bool) -> str:
    """uid of the kube-system namespace, the nearest thing to an identity that a cluster has; "" = may not know.

    Raises `Trouble` when it cannot be told now and is `known` from before: it might be another cluster.
    """
    try:
        return msgspec.json.decode(await connection.get(SYSTEM), type=Namespace).metadata.uid
    except (Denied, Absent):
        return ""
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if known:
            raise ServerError(_STRANGE) from None
    except (Throttled, ServerError):
        if known:
            raise
    return ""


async def has_argo(connection: Connection) -> bool:
    """Whether Argo CD's kinds are served."""
    try:
        await connection.get(HUB_GROUP)
    except (Denied, Absent, Throttled, ServerError):
        return False
    return True


async def _serves(connection: Connection) -> bool:
    try:
        return bool(await connection.served())
    except (Denied, Absent, ServerError):
        return False
