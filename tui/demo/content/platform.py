"""The platform's part of the repository: gateways, data, nightly jobs, observability, previews."""

from __future__ import annotations

from string import Template

from tui.demo.content.baseline import NAMESPACES, baseline_files
from tui.demo.content.clusters import CLUSTERS
from tui.demo.content.edge import till_files
from tui.demo.content.policies import BACKUP
from tui.demo.content.shop import REGISTRY

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
  annotations:
    service.cilium.io/global: "true"  # the shop in us and ap writes here, too
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


def platform_files() -> dict[str, str]:
    """Files of the platform team, by path in the repository."""
    tree: dict[str, str] = {}
    for spec in CLUSTERS:
        if spec.env in NAMESPACES and not spec.host:
            tree |= baseline_files(spec)
        if spec.env == "edge":
            tree |= till_files(spec)
    for cluster, replicas in (("prod-eu-1", 3), ("prod-us-1", 3), ("prod-ap-1", 2), ("staging-eu-1", 1)):
        base = f"platform/gateway/{cluster}"
        tree[f"{base}/deployment.yaml"] = GATEWAY.substitute(replicas=replicas, registry=REGISTRY)
        tree[f"{base}/service.yaml"] = GATEWAY_REST
        tree[f"{base}/policy.yaml"] = GATEWAY_POLICY
    tree["data/orders-db/prod-eu-1/statefulset.yaml"] = DATABASE
    tree["data/orders-db/prod-eu-1/services.yaml"] = DATABASE_REST
    tree["data/orders-db/prod-eu-1/policy.yaml"] = DATABASE_POLICY
    tree["data/orders-db/prod-eu-1/backup-policy.yaml"] = BACKUP
    tree["finance/jobs/prod-eu-1/jobs.yaml"] = JOBS
    tree["platform/observability/metrics-store.yaml"] = METRICS
    tree["platform/observability/dashboards.yaml"] = DASHBOARDS
    tree["preview/storefront/storefront.yaml"] = PREVIEW
    return tree
