"""The cilium-agent pods of one cluster, watched while their logs are. Lives in the network thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from tui.domain.obj import Object
from tui.domain.ports import Connection
from tui.fleet.selected import selected
from tui.fleet.sync.timing import Timing

LABEL = (("labelSelector", "k8s-app=cilium"),)  # of the DaemonSet in every installation, by Helm chart and cilium-cli
PATHS = ("/api/v1/pods", "/api/v1/namespaces/kube-system/pods")  # the second where not all pods may be listed


class Agent(NamedTuple):
    """An agent's pod."""

    namespace: str
    name: str
    uid: str = ""


async def watched(connection: Connection, timing: Timing) -> AsyncIterator[frozenset[Agent]]:
    """The agents as of now and after every change, until the watch ends. Raises Trouble."""
    found: set[Agent] = set()
    async for changed in selected(connection, PATHS, LABEL, Object, timing):
        before = None if changed.listed else frozenset(found)
        found |= {_agent(each) for each in changed.put}
        found -= {_agent(each) for each in changed.gone}
        if found != before:
            yield frozenset(found)


def _agent(held: Object) -> Agent:
    return Agent(held.metadata.namespace, held.metadata.name, held.metadata.uid)
