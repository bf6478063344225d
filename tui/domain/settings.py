"""The user's configuration as values. `adapters/config.py` reads it; every default here is the documented default."""

from __future__ import annotations

from typing import Annotated

import msgspec


class GroupRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which clusters belong to a group of the tree: by name pattern (glob) or by labels of the Argo CD cluster."""

    group: str  # "prod" or "prod/eu" for nested groups
    match: str = ""  # glob on the cluster's name
    labels: dict[str, str] = {}  # all must be equal


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clone the user already has; it is only ever read."""

    path: str
    url: str = ""  # the repoURL Applications use for it, when its own remotes do not say so


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`config.yaml`. Unknown keys are refused with file and line, so that a typing error is not silently ignored."""

    theme: str = "fleet-dark"
    groups: tuple[GroupRule, ...] = ()
    repositories: tuple[Repository, ...] = ()
    destinations: dict[str, str] = {}  # pins: "<hub>/<server or name>" -> context
    editor: str = ""  # command; "" = built-in editor
    mouse: bool = True
    keys: dict[str, str] = {}  # action id -> key
    tail_days: int = 14  # how long the event ring on disk reaches back
    confirm_share: Share = 0.25  # of all Applications: to push what touches more, the draft's name must be typed
    exec_timeout: float = 30.0  # seconds an exec plugin may take
    request_timeout: float = 15.0  # seconds without a byte before a list is given up
    gzip: bool = True  # ask API servers for compressed answers
