"""Keeps the store equal to the clusters, from a thread of its own."""

from tui.fleet.bridge import Batch
from tui.fleet.sync.held import Observer
from tui.fleet.sync.network import Network, Want
from tui.fleet.sync.timing import Timing

__all__ = ["Batch", "Network", "Observer", "Timing", "Want"]
