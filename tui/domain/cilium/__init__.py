"""Cilium and Kubernetes network policies as plain values: what a policy says and which endpoints it selects."""
