"""Clusters over the Kubernetes API, read only. Nothing heavy is imported before the first connection."""

from tui.adapters.kube.clusters import KubeClusters
from tui.adapters.kube.guard import Refused, seal_process

__all__ = ["KubeClusters", "Refused", "seal_process"]
