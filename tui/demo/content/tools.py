"""The few parts of the repository that need kustomize or helm."""

from __future__ import annotations

from string import Template

from tui.demo.content.shop import DEPLOYMENT, POLICY, REGISTRY, SERVICE, allow_to

SEARCH_PLACES = {"prod-eu-1": 3, "prod-us-1": 2, "staging-eu-1": 1}

KUSTOMIZE_BASE = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
  - service.yaml
  - policy.yaml
configMapGenerator:
  - name: search
    literals:
      - INDEX_SHARDS=4
      - LANGUAGES=en,no,pt,pl
"""

OVERLAY = Template("""\
# Search in $cluster. The base is shared; only what differs is here.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
resources:
  - ../../base
images:
  - name: $registry/shop/search
    newTag: $tag
replicas:
  - name: search
    count: $replicas
labels:
  - pairs:
      harbour.example/cluster: $cluster
""")

CHART = """\
apiVersion: v2
name: media
description: Pictures and videos of articles, resized on demand
type: application
version: 0.7.2
appVersion: "1.22.0"
"""

CHART_VALUES = """\
# Defaults for every cluster; the differences are in values-<cluster>.yaml.
replicas: 2
image:
  repository: registry.harbour.example/shop/media
  tag: 1.22.0
cache:
  size: 2Gi
resources:
  requests:
    cpu: 150m
    memory: 256Mi
"""

CHART_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    app.kubernetes.io/name: media
    app.kubernetes.io/instance: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels:
      app.kubernetes.io/name: media
  template:
    metadata:
      labels:
        app.kubernetes.io/name: media
    spec:
      containers:
        - name: media
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          ports:
            - name: http
              containerPort: 8088
          env:
            - name: CACHE_SIZE
              value: {{ .Values.cache.size | quote }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
"""

CHART_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    app.kubernetes.io/name: media
  ports:
    - name: http
      port: 80
      targetPort: http
"""


def tool_files() -> dict[str, str]:
    """Files of the kustomize and helm parts, by path in the repository."""
    values = {
        "name": "search",
        "namespace": "shop",
        "team": "goods",
        "about": "Search: finds articles by words, sizes and boats.",
        "replicas": "1",
        "note": "  # set by the overlays",
        "extra": "",
        "registry": REGISTRY,
        "tag": "0.0.0",
        "port": "8085",
        "service_port": "80",
        "cpu": "250m",
        "memory": "512Mi",
        "limit": "1Gi",
        "description": "Search in and out",
        "ingress": """\
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/name: storefront
      toPorts:
        - ports:
            - port: "8085"
              protocol: TCP
          rules:
            http:
              - method: GET
                path: /v1/search.*
""",
        "calls": allow_to("catalog", 8081),
    }
    tree = {
        "shop/search/base/kustomization.yaml": KUSTOMIZE_BASE,
        "shop/search/base/deployment.yaml": DEPLOYMENT.substitute(values),
        "shop/search/base/service.yaml": SERVICE.substitute(values),
        "shop/search/base/policy.yaml": POLICY.substitute(values),
        "shop/media/chart/Chart.yaml": CHART,
        "shop/media/chart/values.yaml": CHART_VALUES,
        "shop/media/chart/values-prod-eu-1.yaml": "replicas: 4\ncache:\n  size: 8Gi\n",
        "shop/media/chart/values-staging-eu-1.yaml": "replicas: 1\nimage:\n  tag: 1.23.0-rc.2\n",
        "shop/media/chart/templates/deployment.yaml": CHART_DEPLOYMENT,
        "shop/media/chart/templates/service.yaml": CHART_SERVICE,
    }
    for cluster, replicas in SEARCH_PLACES.items():
        tag = "4.2.0" if cluster.startswith("prod") else "4.3.0"
        tree[f"shop/search/overlays/{cluster}/kustomization.yaml"] = OVERLAY.substitute(
            cluster=cluster, replicas=replicas, tag=tag, registry=REGISTRY
        )
    return tree
