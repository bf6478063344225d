"""What the containers whose logs stand beside each other are called: what they have in common is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LONGEST = 32  # characters of a pod's name that need no shortening


class Place(NamedTuple):
    """Where a log comes from."""

    cluster: str
    namespace: str
    pod: str
    container: str


def labels(places: Sequence[Place]) -> list[str]:
    """A label for each, as short as tells them apart; all empty when there is only one."""
    if len(places) < 2:
        return [""] * len(places)
    clusters, namespaces, pods, containers = (len({place[at] for place in places}) > 1 for at in range(4))
    containers &= len({place[:3] for place in places}) < len(places)  # a pod's only container needs no name
    pods |= not containers and not clusters and not namespaces
    stem = _stem({place.pod for place in places})
    made = []
    for place in places:
        pod = place.pod
        if len(pod) > LONGEST and stem:
            pod = "…" + pod[len(stem) :]
        shown = (
            (clusters, place.cluster), (namespaces, place.namespace), (pods, pod), (containers, place.container)
        )  # fmt: skip
        made.append("/".join(text for wanted, text in shown if wanted))
    return made


def _stem(pods: set[str]) -> str:
    """What the names of all pods begin with, up to a dash; "" for a single pod."""
    if len(pods) < 2:
        return ""
    first, last = min(pods), max(pods)
    length = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first.rfind("-", 0, length) + 1]
