"""Flows of running clusters, read with GET alone: out of the logs of cilium-agents whose Hubble exports to stdout.

    Flows (main loop) ──asks──▶ follow (network thread): watches the agents' pods ──▶ one stream a pod ──▶ Ring
            ▲                                                                                               │
            └───────────────────────────── since(cluster, sequence), recent(cluster) ◀──────────────────────┘

Nothing is read for a cluster until somebody wants its flows, and no longer than somebody does.
"""

from tui.fleet.flows.ring import KEPT, Ring
from tui.fleet.flows.service import Flows
from tui.fleet.flows.stand import Status

__all__ = ["KEPT", "Flows", "Ring", "Status"]
