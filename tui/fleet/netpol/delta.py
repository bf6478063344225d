"""What the event loop hands to the thread that works answers out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tui.domain.obj import Ref, Row
from tui.fleet.netpol.needs import Standing


class Delta(NamedTuple):
    """What has changed in a cluster since the last time."""

    changed: tuple[Row, ...]
    gone: tuple[Ref, ...]
    whole: frozenset[str]  # resources of which `changed` has every row: what it lacks is gone too
    files: Mapping[Ref, str]  # of policies, as far as they are other than before
    told_from: str  # the resource that tells the endpoints
    stands: Standing
