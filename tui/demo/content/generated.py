"""More of the same for `--clusters` and `--apps`: generated clusters, and Applications with one file each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from string import Template
from typing import Any

from tui.demo.clock import stamp
from tui.demo.content.clusters import CLUSTERS, MIDDLE, SMALL, STORE_BOX, ClusterSpec
from tui.demo.content.shop import REGISTRY

Obj = dict[str, Any]

REGIONS = ("eu-west", "eu-north", "eu-south", "us-east", "us-west", "ap-south", "ap-north", "sa-east")
TEAMS = ("rigging", "charts", "deck", "galley", "anchor", "signal", "cargo", "pilot")
SERVICES = (
    "ledger", "booking", "quotes", "tariffs", "labels", "routing", "tracking", "customs", "pricing", "stock",
    "returns", "loyalty", "invoices", "profiles", "alerts", "reviews", "planner", "forecast", "exports", "imports",
)  # fmt: skip
FILE = "app.yaml"

MANIFEST = Template("""\
# $service of team $team in $cluster.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $service
  namespace: $team
  labels:
    app.kubernetes.io/name: $service
spec:
  replicas: $replicas
  selector:
    matchLabels:
      app.kubernetes.io/name: $service
  template:
    metadata:
      labels:
        app.kubernetes.io/name: $service
    spec:
      containers:
        - name: $service
          image: $registry/fleet/$service:$tag
          ports:
            - name: http
              containerPort: 8080
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
---
apiVersion: v1
kind: Service
metadata:
  name: $service
  namespace: $team
spec:
  selector:
    app.kubernetes.io/name: $service
  ports:
    - name: http
      port: 80
      targetPort: http
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: $service
  namespace: $team
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: $service
  ingress:
    - fromEndpoints:
        - {}
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
""")


@dataclass(frozen=True)
class GeneratedApp:
    """One Application of the generated part."""

    name: str
    team: str
    service: str
    cluster: str
    replicas: int
    tag: str
    automatic: bool
    hours: float  # since its last deployment
    revision_ids: int  # deployments so far

    @property
    def path(self) -> str:
        return f"fleet/{self.cluster}/{self.team}/{self.service}"

    @property
    def broken(self) -> bool:
        """Whether its image crashes."""
        return "-rc." in self.tag

    @property
    def behind(self) -> bool:
        """Whether Git asks for one replica more than is live."""
        return not self.automatic

    def manifest(self) -> str:
        """Its one file."""
        return MANIFEST.substitute(
            service=self.service, team=self.team, cluster=self.cluster, replicas=self.replicas, tag=self.tag,
            registry=REGISTRY,
        )  # fmt: skip

    def objects(self) -> list[Obj]:
        """What `manifest` says, as objects; building them is ten times quicker than parsing it."""
        labels = {"app.kubernetes.io/name": self.service}

        def meta() -> Obj:
            return {"name": self.service, "namespace": self.team}

        container = {
            "name": self.service,
            "image": f"{REGISTRY}/fleet/{self.service}:{self.tag}",
            "ports": [{"name": "http", "containerPort": 8080}],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        }
        template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}}
        selector = {"matchLabels": dict(labels)}
        ingress = {"fromEndpoints": [{}], "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}]}
        return [
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {**meta(), "labels": dict(labels)},
                "spec": {"replicas": self.replicas, "selector": selector, "template": template},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": meta(),
                "spec": {"selector": dict(labels), "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
            },
            {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumNetworkPolicy",
                "metadata": meta(),
                "spec": {"endpointSelector": selector, "ingress": [ingress]},
            },
        ]


def more_clusters(count: int, seed: int) -> list[ClusterSpec]:
    """Clusters beyond the shop's own, so that there are `count` altogether."""
    dice = random.Random(f"clusters/{seed}")
    result = []
    for number in range(max(0, count - len(CLUSTERS))):
        env = dice.choices(("edge", "prod", "staging", "dev"), (70, 15, 8, 7))[0]
        region = dice.choice(REGIONS)
        name = f"edge-store-{number + 100:04}" if env == "edge" else f"{env}-{region}-{number + 100}"
        result.append(
            ClusterSpec(
                name,
                env,
                region,
                40 + number,
                dice.choice(("v1.31.12", "v1.32.9", "v1.33.4", "v1.34.2")),
                {"edge": STORE_BOX, "prod": MIDDLE}.get(env, SMALL),
                ("shop",) if env == "edge" else ("a", "b", "c"),
                2 if env == "edge" else 3,
                1 if env == "edge" else 0,
                refuses=dice.random() < 0.01,
                labels=(("fleet", "generated"),),
            )
        )
    return result


def more_apps(count: int, clusters: list[ClusterSpec], seed: int) -> Iterator[GeneratedApp]:
    """So many Applications, spread evenly over clusters (those of the shop when there are no others)."""
    places = [spec for spec in clusters if dict(spec.labels).get("fleet")] or [
        spec for spec in clusters if not (spec.hub or spec.host or spec.refuses)
    ]
    for number in range(count):
        spec = places[number % len(places)]
        turn = number // len(places)
        team, service = TEAMS[turn % len(TEAMS)], SERVICES[turn // len(TEAMS) % len(SERVICES)]
        again = turn // (len(TEAMS) * len(SERVICES))
        if again:
            service = f"{service}-{again + 1}"
        dice = random.Random(f"app/{seed}/{number}")
        tag = f"{dice.randint(1, 4)}.{dice.randint(0, 30)}.{dice.randint(0, 9)}"
        if dice.random() < 0.015:
            tag += f"-rc.{dice.randint(1, 3)}"
        yield GeneratedApp(
            f"{team}-{service}-{spec.name}",
            team,
            service,
            spec.name,
            dice.choices((1, 2, 3, 4), (30, 45, 15, 10))[0],
            tag,
            dice.random() >= 0.02,
            dice.uniform(2, 2000),
            dice.randint(1, 60),
        )


def application(app: GeneratedApp, repo: str, shas: list[str], server: str, now: float, reachable: bool) -> Obj:
    """The whole Application as it stands: `shas` are the commits of the generated part, newest first."""
    deployed = now - app.hours * 3600
    source = {"repoURL": repo, "targetRevision": "main", "path": app.path}
    destination = {"server": server, "namespace": app.team}
    policy: Obj = {"syncOptions": ["CreateNamespace=true"]}
    if app.automatic:
        policy["automated"] = {"prune": True, "selfHeal": True}
    by: Obj = {"automated": True} if app.automatic else {"username": "agata.wojcik@harbour.example"}
    history = [
        {
            "deployStartedAt": stamp(deployed - 20 - back * 90000),
            "deployedAt": stamp(deployed - back * 90000),
            "id": app.revision_ids - back,
            "initiatedBy": by,
            "revision": shas[min(back, len(shas) - 1)],
            "source": source,
        }
        for back in range(min(3, app.revision_ids, len(shas)))
    ][::-1]
    sync = ("OutOfSync" if app.behind else "Synced") if reachable else "Unknown"
    health = ("Degraded" if app.broken else "Healthy") if reachable else "Unknown"
    rows = (
        ("", "v1", "Service", "Synced"),
        ("apps", "v1", "Deployment", sync),
        ("cilium.io", "v2", "CiliumNetworkPolicy", "Synced"),
    )
    resources = [
        {
            **({"group": group} if group else {}),
            "kind": kind,
            "name": app.service,
            "namespace": app.team,
            "status": status if reachable else "Unknown",
            "version": version,
        }
        for group, version, kind, status in rows
    ]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": app.name,
            "namespace": "argocd",
            "creationTimestamp": stamp(deployed - app.revision_ids * 90000),
            "labels": {"harbour.example/team": app.team, "harbour.example/fleet": "generated"},
            "annotations": {"argocd.argoproj.io/manifest-generate-paths": "."},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {"project": "fleet", "source": source, "destination": destination, "syncPolicy": policy},
        "status": {
            **({} if reachable else {"conditions": [_unreachable(server, deployed)]}),
            "controllerNamespace": "argocd",
            "health": {"lastTransitionTime": stamp(deployed), "status": health},
            "history": history,
            "operationState": {
                "finishedAt": stamp(deployed),
                "message": "successfully synced (all tasks run)",
                "operation": {"initiatedBy": by, "retry": {"limit": 5}, "sync": {"revision": shas[0]}},
                "phase": "Succeeded",
                "startedAt": stamp(deployed - 20),
                "syncResult": {"resources": [], "revision": shas[0], "source": source},
            },
            "reconciledAt": stamp(now - app.hours % 150),
            "resourceHealthSource": "appTree",
            "resources": resources,
            "sourceType": "Directory",
            "summary": {"images": [f"{REGISTRY}/fleet/{app.service}:{app.tag}"]},
            "sync": {
                "comparedTo": {"destination": destination, "source": source},
                "revision": shas[0],
                "status": sync,
            },
        },
    }


def _unreachable(server: str, since: float) -> Obj:
    message = (
        f'Failed to load live state: failed to get cluster info for "{server}": error synchronizing cache state : '
        f'failed to get server version: Get "{server}/version?timeout=32s": '
        f"dial tcp {server.removeprefix('https://')}: connect: connection refused"
    )
    return {"lastTransitionTime": stamp(since), "message": message, "type": "ComparisonError"}


def project(repo: str) -> Obj:
    """The project of the generated Applications."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "fleet", "namespace": "argocd"},
        "spec": {
            "description": "Everything else",
            "sourceRepos": [repo],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }
