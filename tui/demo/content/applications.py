"""Applications, ApplicationSets and AppProjects, as files of the repository (app of apps)."""

from __future__ import annotations

from string import Template

from tui.demo.content.shop import SERVICES
from tui.demo.content.tools import SEARCH_PLACES

ARGOCD = "argocd"

APPLICATION = Template("""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: $name
  namespace: argocd
  labels:
    harbour.example/env: $env
    harbour.example/team: $team
  annotations:
    argocd.argoproj.io/manifest-generate-paths: $watch
  finalizers:
    - resources-finalizer.argocd.argoproj.io
spec:
  project: $project
  source:
    repoURL: $repo
    targetRevision: main
    path: $path$source
  destination:
    name: $cluster
    namespace: $namespace
  syncPolicy:$policy
""")

AUTOMATED = """
    automated:
      prune: true
      selfHeal: true
    syncOptions:
      - CreateNamespace=true"""
NO_SELF_HEAL = """
    automated:
      prune: false
      selfHeal: false"""
MANUAL = """
    # Synced by hand by whoever is on call: stock takes and payments must not overlap.
    syncOptions:
      - CreateNamespace=true"""

HELM = """
    helm:
      releaseName: media
      valueFiles:
        - values.yaml
        - values-CLUSTER.yaml"""

APPSET_BASELINE = Template("""\
# Namespaces, default policies and the metrics agent of every registered cluster.
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: baseline
  namespace: argocd
spec:
  goTemplate: true
  goTemplateOptions: ["missingkey=error"]
  generators:
    - clusters:
        selector:
          matchExpressions:
            - key: harbour.example/env
              operator: In
              values: [prod, staging, dev, edge]
            - key: harbour.example/preview
              operator: DoesNotExist
            - key: harbour.example/fleet
              operator: DoesNotExist
  template:
    metadata:
      name: baseline-{{.name}}
      labels:
        harbour.example/env: '{{index .metadata.labels "harbour.example/env"}}'
        harbour.example/team: platform
      annotations:
        argocd.argoproj.io/manifest-generate-paths: .
    spec:
      project: platform
      source:
        repoURL: $repo
        targetRevision: main
        path: platform/baseline/{{.name}}
        directory:
          recurse: true
      destination:
        server: '{{.server}}'
        namespace: kube-system
      syncPolicy:
        automated:
          prune: true
          selfHeal: true
""")

APPSET_GATEWAY = Template("""\
# One gateway per place that customers reach.
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: gateway
  namespace: argocd
spec:
  goTemplate: true
  goTemplateOptions: ["missingkey=error"]
  generators:
    - list:
        elements:
          - cluster: prod-eu-1
            window: night
          - cluster: prod-us-1
            window: night
          - cluster: prod-ap-1
            window: night
          - cluster: staging-eu-1
            window: any
  template:
    metadata:
      name: gateway-{{.cluster}}
      labels:
        harbour.example/team: platform
        harbour.example/window: '{{.window}}'
      annotations:
        argocd.argoproj.io/manifest-generate-paths: .
    spec:
      project: platform
      source:
        repoURL: $repo
        targetRevision: main
        path: platform/gateway/{{.cluster}}
      destination:
        name: '{{.cluster}}'
        namespace: ingress
      syncPolicy:
        automated:
          prune: true
          selfHeal: true
""")

APPSET_TILL = Template("""\
# A directory below edge/till is a store. Adding one opens it.
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: till
  namespace: argocd
spec:
  goTemplate: true
  goTemplateOptions: ["missingkey=error"]
  generators:
    - git:
        repoURL: $repo
        revision: main
        directories:
          - path: edge/till/*
  template:
    metadata:
      name: till-{{.path.basename}}
      labels:
        harbour.example/env: edge
        harbour.example/team: stores
      annotations:
        argocd.argoproj.io/manifest-generate-paths: .
    spec:
      project: edge
      source:
        repoURL: $repo
        targetRevision: main
        path: '{{.path.path}}'
      destination:
        name: '{{.path.basename}}'
        namespace: till
      syncPolicy:
        automated:
          prune: true
          selfHeal: true
        syncOptions:
          - CreateNamespace=true
""")

PROJECTS = Template("""\
# What the shop's teams may deploy, and when.
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: shop
  namespace: argocd
spec:
  description: The shop's services
  sourceRepos: ["$repo"]
  destinations:
    - name: "*"
      namespace: shop
    - name: "*"
      namespace: payments
    - name: "*"
      namespace: finance
    - name: "*"
      namespace: data
    - name: vcluster-preview
      namespace: default
  clusterResourceWhitelist:
    - group: ""
      kind: Namespace
  orphanedResources:
    warn: false
  syncWindows:
    # No surprises in production at the weekend; staging and dev may always sync.
    - kind: deny
      schedule: "0 20 * * 5"
      duration: 58h
      applications: ["payments-prod-eu-1"]
      manualSync: true
      timeZone: Europe/Oslo
      description: weekend freeze
    - kind: allow
      schedule: "0 0 * * *"
      duration: 24h
      applications: ["*"]
      manualSync: true
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: platform
  namespace: argocd
spec:
  description: Baselines, gateways, observability
  sourceRepos: ["$repo"]
  destinations:
    - name: "*"
      namespace: "*"
    - server: "*"
      namespace: "*"
  clusterResourceWhitelist:
    - group: "*"
      kind: "*"
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: edge
  namespace: argocd
spec:
  description: The stores
  sourceRepos: ["$repo"]
  destinations:
    - name: "edge-*"
      namespace: "*"
  clusterResourceWhitelist:
    - group: ""
      kind: Namespace
  syncWindows:
    # Tills are not touched while the shops are open on a Saturday.
    - kind: deny
      schedule: "0 10 * * 6"
      duration: 7h
      clusters: ["edge-gdansk-03"]
      manualSync: false
      timeZone: Europe/Warsaw
      description: Saturday trade
""")


def application_files(repo: str) -> dict[str, str]:
    """The Argo CD part of the repository; `repo` is the repository's own URL."""
    tree = {
        "argocd/projects/projects.yaml": PROJECTS.substitute(repo=repo),
        "argocd/applicationsets/baseline.yaml": APPSET_BASELINE.substitute(repo=repo),
        "argocd/applicationsets/gateway.yaml": APPSET_GATEWAY.substitute(repo=repo),
        "argocd/applicationsets/till.yaml": APPSET_TILL.substitute(repo=repo),
    }

    def add(name: str, team: str, path: str, cluster: str, namespace: str, **more: str) -> None:
        env = "hub" if cluster == "in-cluster" else cluster.split("-")[0].replace("vcluster", "dev")
        tree[f"argocd/apps/{name}.yaml"] = APPLICATION.substitute(
            name=name,
            env=env,
            team=team,
            project=more.get("project", "shop"),
            repo=repo,
            path=path,
            watch=more.get("watch", "."),
            source=more.get("source", ""),
            cluster=cluster,
            namespace=namespace,
            policy=more.get("policy", AUTOMATED),
        )

    platform = {"project": "platform"}
    add("projects", "platform", "argocd/projects", "in-cluster", "argocd", **platform, policy=NO_SELF_HEAL)
    add("applicationsets", "platform", "argocd/applicationsets", "in-cluster", "argocd", **platform)
    add("observability", "platform", "platform/observability", "in-cluster", "observability", **platform)
    for service in SERVICES:
        for cluster in service.places:
            manual = (service.name, cluster) in {("checkout", "prod-ap-1"), ("payments", "prod-eu-1")}
            policy = MANUAL if manual else AUTOMATED
            path = f"shop/{service.name}/{cluster}"
            add(f"{service.name}-{cluster}", service.team, path, cluster, service.namespace, policy=policy)
    for cluster in SEARCH_PLACES:
        path = f"shop/search/overlays/{cluster}"
        add(f"search-{cluster}", "goods", path, cluster, "shop", watch=".;../../base")
    for cluster in ("prod-eu-1", "staging-eu-1"):
        helm = HELM.replace("CLUSTER", cluster)
        add(f"media-{cluster}", "web", "shop/media/chart", cluster, "shop", source=helm)
    add("design-review-dev-eu-1", "web", "shop/design-review/dev-eu-1", "dev-eu-1", "shop")
    add("orders-db-prod-eu-1", "orders", "data/orders-db/prod-eu-1", "prod-eu-1", "data", policy=NO_SELF_HEAL)
    add("finance-jobs-prod-eu-1", "finance", "finance/jobs/prod-eu-1", "prod-eu-1", "finance")
    add("preview-storefront", "web", "preview/storefront", "vcluster-preview", "default")
    return tree


def root_application(repo: str) -> dict[str, object]:
    """The one Application that is not in Git: it deploys all others."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "root",
            "namespace": ARGOCD,
            "labels": {"harbour.example/env": "hub", "harbour.example/team": "platform"},
            "annotations": {"argocd.argoproj.io/manifest-generate-paths": "."},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "platform",
            "source": {"repoURL": repo, "targetRevision": "main", "path": "argocd/apps"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": ARGOCD},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }
