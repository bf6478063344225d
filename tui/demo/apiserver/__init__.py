"""An embedded Kubernetes API server, read-only over HTTP, that real clients can list, watch and discover."""
