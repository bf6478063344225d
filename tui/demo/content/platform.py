"""The platform's part of the repository: baselines, gateways, data, the stores' tills, observability."""

from __future__ import annotations

from string import Template

from tui.demo.content.clusters import CLUSTERS, ClusterSpec
from tui.demo.content.shop import REGISTRY

NAMESPACE = Template("""\
apiVersion: v1
kind: Namespace
metadata:
  name: $name
  labels:
    harbour.example/env: $env
    pod-security.kubernetes.io/enforce: $level
  annotations:
    argocd.argoproj.io/sync-wave: "-1"  # before anything that lives in it
""")

DENY = Template("""\
# Nothing in or out of $name unless another policy of the namespace says so.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: default-deny
  namespace: $name
spec:
  description: default deny
  endpointSelector: {}
  ingress:
    - {}
  egress:
    - {}
""")

DNS = Template("""\
# Names are resolved through Cilium's DNS proxy, so that toFQDNs rules can learn addresses.
# Namespaces of the platform are left out: they must work when the proxy does not.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: allow-dns
  labels:
    harbour.example/env: $env
spec:
  description: DNS for every pod outside the platform's namespaces
  endpointSelector:
    matchExpressions:
      - key: k8s:io.kubernetes.pod.namespace
        operator: NotIn
        values: [kube-system, monitoring]
  enableDefaultDeny:
    egress: false
    ingress: false
  egress:
    - toEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: kube-system
            k8s:k8s-app: kube-dns
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:
              - matchPattern: "*"
""")

SCRAPE = Template("""\
# The metrics agent may scrape every pod that names a port `metrics` or serves on 9090-9099.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: allow-scrape
  labels:
    harbour.example/env: $env
spec:
  endpointSelector: {}
  enableDefaultDeny:
    ingress: false
  ingress:
    - fromEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: monitoring
            app.kubernetes.io/name: metrics-agent
      toPorts:
        - ports:
            - port: "9090"
              endPort: 9099
              protocol: TCP
""")

METADATA = """\
# The cloud's metadata service hands out credentials; no pod of ours needs it.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: deny-cloud-metadata
spec:
  endpointSelector: {}
  enableDefaultDeny:
    egress: false
  egressDeny:
    - toCIDR:
        - 169.254.169.254/32
"""

PARTNER = """\
# Partner warehouse pushes its stock feed from two fixed addresses. (GOODS-1203)
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: partner-feed
  namespace: shop
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: catalog
  ingress:
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/name: storefront
      fromCIDR:
        - 198.51.100.16/32
        - 198.51.100.17/32
      toPorts:
        - ports:
            - port: "8081"
              protocol: TCP
"""

AGENT = Template("""\
# Metrics and logs of every node. Runs on control plane nodes as well.
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: metrics-agent
  namespace: monitoring
  labels:
    app.kubernetes.io/name: metrics-agent
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: metrics-agent
  updateStrategy:
    type: RollingUpdate
  template:
    metadata:
      labels:
        app.kubernetes.io/name: metrics-agent
    spec:
      tolerations:
        - operator: Exists
      containers:
        - name: agent
          image: $registry/platform/metrics-agent:$tag
          ports:
            - name: metrics
              containerPort: 9090
          resources:
            requests:
              cpu: 20m
              memory: 64Mi
            limits:
              memory: 128Mi
""")

AGENT_POLICY = """\
# Plain Kubernetes policy on purpose: monitoring must outlive a Cilium upgrade.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: metrics-agent
  namespace: monitoring
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: metrics-agent
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {}
      ports:
        - protocol: TCP
          port: 9090
"""

GATEWAY = Template("""\
# The way in from the internet. TLS ends here.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: gateway
  namespace: ingress
  labels:
    app.kubernetes.io/name: gateway
spec:
  replicas: $replicas
  selector:
    matchLabels:
      app.kubernetes.io/name: gateway
  template:
    metadata:
      labels:
        app.kubernetes.io/name: gateway
    spec:
      containers:
        - name: gateway
          image: $registry/platform/gateway:1.31.2
          ports:
            - name: https
              containerPort: 8443
            - name: http
              containerPort: 8000
          resources:
            requests:
              cpu: 500m
              memory: 256Mi
            limits:
              memory: 1Gi
""")

GATEWAY_REST = """\
apiVersion: v1
kind: Service
metadata:
  name: gateway
  namespace: ingress
spec:
  type: NodePort
  selector:
    app.kubernetes.io/name: gateway
  ports:
    - name: https
      port: 443
      targetPort: https
      nodePort: 30443
"""

GATEWAY_POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: gateway
  namespace: ingress
spec:
  description: the internet to the gateway, the gateway to what it serves
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: gateway
  ingress:
    - fromEntities:
        - world
        - remote-node
      toPorts:
        - ports:
            - port: "8443"
              protocol: TCP
  egress:
    - toEndpoints:
        - matchExpressions:
            - key: k8s:io.kubernetes.pod.namespace
              operator: In
              values: [shop, finance]
"""

DATABASE = """\
# Orders: one primary, two replicas. Backups are taken from the last replica.
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: orders-db
  namespace: data
  labels:
    app.kubernetes.io/name: orders-db
  annotations:
    argocd.argoproj.io/sync-wave: "1"
spec:
  serviceName: orders-db
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: orders-db
  template:
    metadata:
      labels:
        app.kubernetes.io/name: orders-db
    spec:
      containers:
        - name: postgres
          image: registry.harbour.example/data/postgres:16.6
          ports:
            - name: postgres
              containerPort: 5432
          resources:
            requests:
              cpu: "1"
              memory: 4Gi
            limits:
              memory: 4Gi
"""

DATABASE_REST = """\
apiVersion: v1
kind: Service
metadata:
  name: orders-db
  namespace: data
spec:
  selector:
    app.kubernetes.io/name: orders-db
  ports:
    - name: postgres
      port: 5432
      targetPort: postgres
---
# Read-only: reports and the catalog read from here.
apiVersion: v1
kind: Service
metadata:
  name: orders-db-ro
  namespace: data
spec:
  selector:
    app.kubernetes.io/name: orders-db
  ports:
    - name: postgres
      port: 5432
      targetPort: postgres
"""

DATABASE_POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: orders-db
  namespace: data
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: orders-db
  ingress:
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/name: orders-db
        - matchExpressions:
            - key: k8s:io.kubernetes.pod.namespace
              operator: In
              values: [shop, finance]
            - key: app.kubernetes.io/name
              operator: In
              values: [catalog, checkout, reports]
      toPorts:
        - ports:
            - port: "5432"
              protocol: TCP
  egress:
    - toEndpoints:
        - matchLabels:
            app.kubernetes.io/name: orders-db
"""

JOBS = """\
# Closes the day's books. Runs after the last store has shut.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: close-books
  namespace: finance
spec:
  schedule: "40 2 * * *"
  timeZone: Europe/Oslo
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: close-books
              image: registry.harbour.example/finance/close-books:0.9.1
---
# One-off: rewrites the 2024 VAT rows. Suspended until finance gives the word. (FIN-806)
apiVersion: batch/v1
kind: Job
metadata:
  name: vat-backfill
  namespace: finance
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: vat-backfill
          image: registry.harbour.example/finance/vat-backfill:0.2.0
"""

TILL = Template("""\
# The tills of $store. Two, so that one can be updated while the shop is open.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: till
  namespace: till
  labels:
    app.kubernetes.io/name: till
    harbour.example/store: $store
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: till
  template:
    metadata:
      labels:
        app.kubernetes.io/name: till
        harbour.example/store: $store
    spec:
      containers:
        - name: till
          image: $registry/edge/till:$tag
          ports:
            - name: http
              containerPort: 8090
          env:
            - name: STORE
              value: $store
            - name: OFFLINE_HOURS
              value: "72"  # how long a till sells without the head office
          resources:
            requests:
              cpu: 100m
              memory: 256Mi
            limits:
              memory: 512Mi
""")

TILL_STORE = Template("""\
# Sales wait here until the head office has them.
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: sales-queue
  namespace: till
  labels:
    app.kubernetes.io/name: sales-queue
spec:
  serviceName: sales-queue
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: sales-queue
  template:
    metadata:
      labels:
        app.kubernetes.io/name: sales-queue
    spec:
      containers:
        - name: queue
          image: $registry/edge/sales-queue:1.4.0
          ports:
            - name: queue
              containerPort: 5672
          resources:
            requests:
              cpu: 50m
              memory: 128Mi
            limits:
              memory: 256Mi
""")

TILL_POLICY = Template("""\
# A till talks to its queue and to the card terminal on the shop's own network.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: till
  namespace: till
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: till
  ingress:
    - fromCIDRSet:
        - cidr: 10.$number.0.0/16
          except:
            - 10.$number.99.0/24  # guests' wifi
      toPorts:
        - ports:
            - port: "8090"
              protocol: TCP
  egress:
    - toEndpoints:
        - matchLabels:
            app.kubernetes.io/name: sales-queue
    - toCIDR:
        - 10.$number.7.0/24  # card terminals
      toPorts:
        - ports:
            - port: "20007"
              protocol: TCP
""")

TILL_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: till
  namespace: till
spec:
  selector:
    app.kubernetes.io/name: till
  ports:
    - name: http
      port: 80
      targetPort: http
"""

METRICS = """\
# The fleet's metrics end here. 30 days; older ones are in the object store.
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: metrics-store
  namespace: observability
  labels:
    app.kubernetes.io/name: metrics-store
spec:
  serviceName: metrics-store
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: metrics-store
  template:
    metadata:
      labels:
        app.kubernetes.io/name: metrics-store
    spec:
      containers:
        - name: store
          image: registry.harbour.example/platform/metrics-store:2.55.1
          ports:
            - name: http
              containerPort: 9090
          resources:
            requests:
              cpu: 500m
              memory: 2Gi
            limits:
              memory: 4Gi
"""

DASHBOARDS = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: dashboards
  namespace: observability
  labels:
    app.kubernetes.io/name: dashboards
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: dashboards
  template:
    metadata:
      labels:
        app.kubernetes.io/name: dashboards
    spec:
      containers:
        - name: dashboards
          image: registry.harbour.example/platform/dashboards:11.3.0
          ports:
            - name: http
              containerPort: 3000
          resources:
            requests:
              cpu: 100m
              memory: 256Mi
---
apiVersion: v1
kind: Service
metadata:
  name: dashboards
  namespace: observability
spec:
  selector:
    app.kubernetes.io/name: dashboards
  ports:
    - name: http
      port: 80
      targetPort: http
"""

PREVIEW = """\
# What the open pull requests of the storefront look like, together.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: storefront
  namespace: default
  labels:
    app.kubernetes.io/name: storefront
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: storefront
  template:
    metadata:
      labels:
        app.kubernetes.io/name: storefront
    spec:
      containers:
        - name: storefront
          image: registry.harbour.example/shop/storefront:3.20.0-pr.417
          ports:
            - name: http
              containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: storefront
  namespace: default
spec:
  selector:
    app.kubernetes.io/name: storefront
  ports:
    - name: http
      port: 80
      targetPort: http
"""

NAMESPACES = {
    "prod": ("shop", "payments", "finance", "data", "ingress", "monitoring"),
    "staging": ("shop", "payments", "data", "ingress", "monitoring"),
    "dev": ("shop", "monitoring"),
    "edge": ("till", "monitoring"),
}
GUARDED = ("shop", "payments", "finance", "till")  # namespaces with a default deny


def platform_files() -> dict[str, str]:
    """Files of the platform team, by path in the repository."""
    tree: dict[str, str] = {}
    for spec in CLUSTERS:
        if spec.env in NAMESPACES and not spec.host:
            tree |= _baseline(spec)
        if spec.env == "edge":
            tree |= _till(spec)
    for cluster, replicas in (("prod-eu-1", 3), ("prod-us-1", 3), ("prod-ap-1", 2), ("staging-eu-1", 1)):
        base = f"platform/gateway/{cluster}"
        tree[f"{base}/deployment.yaml"] = GATEWAY.substitute(replicas=replicas, registry=REGISTRY)
        tree[f"{base}/service.yaml"] = GATEWAY_REST
        tree[f"{base}/policy.yaml"] = GATEWAY_POLICY
    tree["data/orders-db/prod-eu-1/statefulset.yaml"] = DATABASE
    tree["data/orders-db/prod-eu-1/services.yaml"] = DATABASE_REST
    tree["data/orders-db/prod-eu-1/policy.yaml"] = DATABASE_POLICY
    tree["finance/jobs/prod-eu-1/jobs.yaml"] = JOBS
    tree["platform/observability/metrics-store.yaml"] = METRICS
    tree["platform/observability/dashboards.yaml"] = DASHBOARDS
    tree["preview/storefront/storefront.yaml"] = PREVIEW
    return tree


def _baseline(spec: ClusterSpec) -> dict[str, str]:
    base = f"platform/baseline/{spec.name}"
    names = NAMESPACES[spec.env]
    level = "baseline" if spec.env in ("prod", "staging") else "privileged"
    tree = {
        f"{base}/namespaces.yaml": "---\n".join(
            NAMESPACE.substitute(name=name, env=spec.env, level=level) for name in names
        ),
        f"{base}/policies/allow-dns.yaml": DNS.substitute(env=spec.env),
        f"{base}/metrics-agent.yaml": AGENT.substitute(
            registry=REGISTRY, tag="0.42.1" if spec.env == "edge" else "0.44.0"
        ),
        f"{base}/policies/metrics-agent.yaml": AGENT_POLICY,
    }
    for name in names:
        if name in GUARDED and (spec.env in ("prod", "edge") or name == "payments"):
            tree[f"{base}/policies/default-deny-{name}.yaml"] = DENY.substitute(name=name)
    if spec.env in ("prod", "staging"):
        tree[f"{base}/policies/allow-scrape.yaml"] = SCRAPE.substitute(env=spec.env)
        tree[f"{base}/policies/deny-cloud-metadata.yaml"] = METADATA
    if spec.name == "prod-us-1":
        tree[f"{base}/policies/partner-feed.yaml"] = PARTNER
    return tree


def _till(spec: ClusterSpec) -> dict[str, str]:
    base = f"edge/till/{spec.name}"
    store = dict(spec.labels)["store"]
    values = {"store": store, "registry": REGISTRY, "number": str(spec.number), "tag": "8.2.0"}
    return {
        f"{base}/till.yaml": TILL.substitute(values),
        f"{base}/sales-queue.yaml": TILL_STORE.substitute(values),
        f"{base}/service.yaml": TILL_SERVICE,
        f"{base}/policy.yaml": TILL_POLICY.substitute(values),
    }
