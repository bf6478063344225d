"""How it stands with the flows of one cluster, as the network thread knows it and in words."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

import msgspec

from tui.domain.ports import Denied, Trouble
from tui.fleet.flows.agents import Agent

STREAMS = 256  # logs that are followed at the same time, of all clusters
RECALLED = 256  # records of an agent that are recognised when a stream begins again


class Status(msgspec.Struct, frozen=True):
    """What is known about the flows of a cluster. `words` is a sentence; "" = they come, nothing is to be said."""

    state: str  # "off" | "starting" | "flows" | "none" | "denied" | "partly" | "failed"
    words: str = ""
    agents: int = 0
    following: int = 0


@dataclass(slots=True)
class Following:
    """How it stands with one agent's log."""

    state: str = "waiting"  # waiting | following | denied | failed
    reason: str = ""
    flows: int = 0
    others: int = 0  # lines that are no flows
    unreadable: int = 0
    last: float = 0.0  # time of the newest flow, by the agent's clock
    recalled: deque[Hashable] = field(default_factory=lambda: deque(maxlen=RECALLED))


@dataclass(slots=True)
class Stand:
    """How it stands with one cluster; written in the network thread, each field at once."""

    agents: dict[Agent, Following] = field(default_factory=dict)
    listed: bool = False
    trouble: Trouble | None = None  # why the agents' pods cannot be listed
    drops: dict[Hashable, None] = field(default_factory=dict)  # PacketDrop Events that have been told


def status_of(stand: Stand) -> Status:
    """What the stand of a cluster means, in words."""
    if stand.trouble is not None and not stand.agents:
        if isinstance(stand.trouble, Denied):
            return Status("denied", f"the pods of cilium-agent may not be listed: {stand.trouble}")
        return Status("failed", f"the pods of cilium-agent cannot be listed: {stand.trouble}")
    if not stand.listed:
        return Status("starting", "looking for the pods of cilium-agent")
    held = list(stand.agents.values())
    if not held:
        return Status("none", "no pod has the label k8s-app=cilium: Cilium does not run here, or under another label")
    following = sum(each.state == "following" for each in held)
    denied = [each for each in held if each.state == "denied"]
    failed = [each for each in held if each.state == "failed"]
    if len(denied) == len(held):
        return Status("denied", f"logs of cilium-agent may not be read (pods/log): {denied[0].reason}", len(held))
    flows = sum(each.flows for each in held)
    if not flows and following == len(held) and any(each.others for each in held):
        return Status(
            "none",
            "the logs of cilium-agent hold no flows: Hubble's exporter does not write there"
            " (hubble-export-file-path: stdout in cilium-config)",
            len(held),
            following,
        )
    if not flows and not following and not failed:
        return Status("starting", f"opening the logs of {len(held)} agents", len(held))
    missing = len(held) - following
    if missing:
        waiting = f"they are being opened, at most {STREAMS} at once"
        why = next((each.reason for each in (*denied, *failed) if each.reason), waiting)
        if not following and failed:
            return Status("failed", f"no log of cilium-agent can be read: {why}", len(held))
        return Status("partly", f"{missing} of {len(held)} agents' logs are not read now: {why}", len(held), following)
    return Status("flows", "" if flows else "no flow yet", len(held), following)
