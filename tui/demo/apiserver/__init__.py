"""An embedded Kubernetes API server, read-only over HTTP, that real clients can list, watch and discover.

    storage = Storage(BUILTIN)                       # storage.py, resources.py: the objects of one cluster
    storage.apply({"apiVersion": "v1", "kind": "Pod", ...})
    server = ApiServer(storage, "prod-eu-1")         # server.py: one port of 127.0.0.1
    url = await server.start()

Only the storage changes objects; over HTTP every change is refused with 403 and counted. `server.faults` makes bad
weather, `server.logs` gives pod logs, `pki.Authority` certificates for TLS.
"""
