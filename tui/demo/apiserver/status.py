"""Errors as the Kubernetes API tells them: an HTTP status and a `Status` object with a reason clients act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class ApiError(Exception):
    """A refusal. `document()` is the `Status` object of it, `code` the HTTP status."""

    def __init__(
        self, code: int, message: str, reason: str = "", details: Mapping[str, Any] | None = None, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or REASONS.get(code, "Unknown")
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after
        if retry_after:
            self.details.setdefault("retryAfterSeconds", retry_after)

    def document(self) -> dict[str, Any]:
        """The `v1.Status` object."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status

    def body(self) -> bytes:
        """`document()` as JSON bytes."""
        return msgspec.json.encode(self.document())


def qualified(plural: str, group: str) -> str:
    """`deployments.apps`, or `pods` for the core group: how messages and fleet name a resource."""
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, group: str, name: str) -> ApiError:
    """404 of an object that is not there."""
    details = {"name": name, "kind": plural} | ({"group": group} if group else {})
    return ApiError(404, f'{qualified(plural, group)} "{name}" not found', details=details)


def already_exists(plural: str, group: str, name: str) -> ApiError:
    """409 of a create whose name is taken."""
    details = {"name": name, "kind": plural} | ({"group": group} if group else {})
    return ApiError(409, f'{qualified(plural, group)} "{name}" already exists', "AlreadyExists", details)


def no_such_path() -> ApiError:
    """404 of a path or resource that this server does not serve."""
    return ApiError(404, "the server could not find the requested resource")


def expired_version(wanted: int, oldest: int) -> ApiError:
    """410 of a watch that starts before the oldest event still known."""
    return ApiError(410, f"too old resource version: {wanted} ({oldest})", "Expired")


def expired_continue() -> ApiError:
    """410 of a page whose snapshot is gone."""
    return ApiError(
        410,
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter.",
        "Expired",
    )


def too_large_version(wanted: int, current: int) -> ApiError:
    """504 of a read that asks for a state the server has not reached."""
    return ApiError(
        504,
        f"Too large resource version: {wanted}, current: {current}",
        "Timeout",
        {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]},
        retry_after=1,
    )
