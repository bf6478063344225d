"""What a read request asks for: the object its path names, and its query validated as Kubernetes does."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec
from multidict import MultiMapping

from tui.demo.apiserver.status import ApiError

MATCHES = ("", "Exact", "NotOlderThan")


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a resource path. `namespace` None is a request across namespaces or at the cluster scope."""

    group: str
    version: str
    plural: str = ""
    namespace: str | None = None
    name: str = ""
    subresource: str = ""


def target_of(path: str) -> Target | None:
    """The parts of `/api/v1/...` or `/apis/<group>/<version>/...`; None for any other path."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) >= 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) >= 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = None
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, *sub = [*rest, "", ""][: max(2, len(rest))]
    return Target(group, version, plural, namespace, name, "/".join(part for part in sub if part))


class Continue(msgspec.Struct):
    """A continue token: the version of the snapshot and the last key that was returned."""

    rv: int
    start: str
    v: str = "meta.k8s.io/v1"

    def text(self) -> str:
        """As clients carry it."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Continue:
        """Raises ApiError 400 for anything but a token of `text`."""
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=cls)
        except (binascii.Error, ValueError, msgspec.DecodeError) as error:
            raise ApiError(400, f"continue key is not valid: {error}") from error


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The query of a list or watch. `version` None: not given."""

    labels: str
    fields: str
    limit: int
    continue_: str
    version: int | None
    match: str
    watch: bool
    timeout: float  # seconds, 0 = not given
    bookmarks: bool
    initial_events: bool | None
    include: str


def _invalid(field: str, text: str) -> ApiError:
    return ApiError(422, f'ListOptions.meta.k8s.io "" is invalid: {field}: {text}', "Invalid")


def _number(query: MultiMapping[str], key: str) -> int:
    text = query.get(key, "")
    if not text:
        return 0
    try:
        return int(text)
    except ValueError as error:
        raise ApiError(400, f'invalid value "{text}" for {key}: not a number') from error


def _flag(query: MultiMapping[str], key: str) -> bool:
    return query.get(key, "").lower() in ("1", "true")


def list_options(query: MultiMapping[str], watch_list: bool = True) -> ListOptions:
    """The options of a query. Raises ApiError 400 or 422 as the Kubernetes API does for combinations it forbids."""
    version_text = query.get("resourceVersion", "")
    if version_text and not version_text.isdecimal():
        raise ApiError(400, f'invalid resource version "{version_text}": not a number')
    match = query.get("resourceVersionMatch", "")
    watch = _flag(query, "watch")
    initial = query.get("sendInitialEvents")
    options = ListOptions(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        limit=_number(query, "limit"),
        continue_=query.get("continue", ""),
        version=int(version_text) if version_text else None,
        match=match,
        watch=watch,
        timeout=float(_number(query, "timeoutSeconds")),
        bookmarks=_flag(query, "allowWatchBookmarks"),
        initial_events=None if initial is None else initial.lower() in ("1", "true"),
        include=query.get("includeObject", ""),
    )
    if match not in MATCHES:
        raise _invalid(
            "resourceVersionMatch", f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        )
    if options.include not in ("", "None", "Metadata", "Object"):
        raise ApiError(400, f'includeObject: unknown value "{options.include}"')
    if watch:
        _check_watch(options, watch_list)
    else:
        _check_list(options)
    return options


def _check_watch(options: ListOptions, watch_list: bool) -> None:
    if options.initial_events is None:
        if options.match:
            raise _invalid(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            )
        return
    if not watch_list:
        raise _invalid(
            "sendInitialEvents",
            "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        )
    if options.match != "NotOlderThan":
        raise _invalid(
            "resourceVersionMatch", "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )


def _check_list(options: ListOptions) -> None:
    if options.initial_events is not None:
        raise _invalid("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
    if options.match:
        if options.continue_:
            raise _invalid(
                "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden when continue is provided"
            )
        if options.version is None:
            raise _invalid(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            )
        if options.match == "Exact" and options.version == 0:
            raise _invalid(
                "resourceVersionMatch", 'Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"'
            )
    if options.continue_ and options.version:
        raise ApiError(400, "specifying resource version is not allowed when using continue")
    if options.limit < 0:
        raise _invalid("limit", f"Invalid value: {options.limit}: must be greater than or equal to 0")
