"""What runs inside a demo cluster, much simplified: nodes, workload controllers, kubelets, Cilium's agents."""
