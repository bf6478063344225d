"""fleet: every cluster, Argo CD Application and Cilium policy of a fleet in one terminal, changed only through Git."""

__version__ = "0.1.0"
