"""The shop's own services: what they are, where they run, and their files in the repository."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

REGISTRY = "registry.harbour.example"


@dataclass(frozen=True)
class Service:
    """One service of the shop; `places` maps a cluster to (replicas, tag)."""

    name: str
    team: str
    namespace: str
    about: str
    port: int
    places: dict[str, tuple[int, str]]
    settings: str = ""  # lines of its ConfigMap, indented by two
    callers: tuple[str, ...] = ()  # who may call it, as names in its namespace; `gateway` means the ingress gateway
    calls: str = ""  # further egress rules of its policy
    note: str = ""  # a comment beside `replicas`


DEPLOYMENT = Template("""\
# $about
# Owner: team $team. Ask in #$team before changing requests or limits.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $name
  namespace: $namespace
  labels:
    app.kubernetes.io/name: $name
    app.kubernetes.io/part-of: shop
    harbour.example/team: $team
spec:
  replicas: $replicas$note
  revisionHistoryLimit: 3$extra
  selector:
    matchLabels:
      app.kubernetes.io/name: $name
  template:
    metadata:
      labels:
        app.kubernetes.io/name: $name
        app.kubernetes.io/part-of: shop
        harbour.example/team: $team
    spec:
      containers:
        - name: $name
          image: $registry/shop/$name:$tag
          ports:
            - name: http
              containerPort: $port
          envFrom:
            - configMapRef:
                name: $name
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 5
          resources:
            requests:
              cpu: $cpu
              memory: $memory
            limits:
              memory: $limit  # no CPU limit on purpose: throttling hurt us in March
""")

SERVICE = Template("""\
apiVersion: v1
kind: Service
metadata:
  name: $name
  namespace: $namespace
  labels:
    app.kubernetes.io/name: $name
spec:
  selector:
    app.kubernetes.io/name: $name
  ports:
    - name: http
      port: $service_port
      targetPort: http
""")

CONFIG = Template("""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: $name
  namespace: $namespace
data:
  LOG_LEVEL: $level
  REGION: $region
$settings""")

POLICY = Template("""\
# Who may talk to $name, and where it may go. Everything else is dropped by the
# default-deny of the namespace (platform/baseline).
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: $name
  namespace: $namespace
spec:
  description: $description
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: $name
  ingress:
$ingress  egress:
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
$calls""")

CALLER = Template("""\
    - fromEndpoints:
$peers      toPorts:
        - ports:
            - port: "$port"
              protocol: TCP
""")

GATEWAY_PEER = """\
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: ingress
            app.kubernetes.io/name: gateway
"""

DESIGN_REVIEW = """\
# A public address for the design review. Remove after the review.
apiVersion: v1
kind: Service
metadata:
  name: storefront-public
  namespace: shop
spec:
  type: LoadBalancer
  selector:
    app.kubernetes.io/name: storefront
  ports:
    - name: http
      port: 80
      targetPort: http
"""

SIZES = {"prod": ("200m", "256Mi", "512Mi"), "staging": ("100m", "192Mi", "384Mi"), "dev": ("50m", "128Mi", "256Mi")}


def allow_to(name: str, port: int, namespace: str = "") -> str:
    """An egress rule to another service of the shop."""
    scope = f"            k8s:io.kubernetes.pod.namespace: {namespace}\n" if namespace else ""
    return (
        f"    - toEndpoints:\n        - matchLabels:\n{scope}            app.kubernetes.io/name: {name}\n"
        f'      toPorts:\n        - ports:\n            - port: "{port}"\n              protocol: TCP\n'
    )


def allow_names(comment: str, *names: str) -> str:
    """An egress rule to names outside the cluster, HTTPS only."""
    listed = "".join(f"        - matchName: {name}\n" for name in names)
    return (
        f"    # {comment}\n    - toFQDNs:\n{listed}"
        '      toPorts:\n        - ports:\n            - port: "443"\n              protocol: TCP\n'
    )


PAUSED = "\n  paused: true  # held at 2.3.0 until finance has checked the October figures (FIN-811)"
EXTRAS = {"reports": PAUSED, "payments": "\n  progressDeadlineSeconds: 120  # we want to know early"}

SERVICES = (
    Service(
        "storefront",
        "web",
        "shop",
        "Storefront: the pages that customers see.",
        8080,
        {
            "prod-eu-1": (4, "3.18.2"),
            "prod-us-1": (3, "3.18.2"),
            "prod-ap-1": (3, "3.18.2"),
            "staging-eu-1": (2, "3.19.0-rc.1"),
            "dev-eu-1": (1, "3.19.0-rc.1"),
        },
        "  CATALOG_URL: http://catalog.shop\n  CHECKOUT_URL: http://checkout.shop\n"
        '  SEARCH_URL: http://search.shop\n  FEATURE_WISHLIST: "true"\n',
        ("gateway",),
        allow_to("catalog", 8081) + allow_to("checkout", 8082) + allow_to("search", 8085),
        "  # two per busy zone; the autumn sale needs 8",
    ),
    Service(
        "catalog",
        "goods",
        "shop",
        "Catalog: articles, prices, stock on hand.",
        8081,
        {
            "prod-eu-1": (3, "5.4.1"),
            "prod-us-1": (3, "5.4.1"),
            "prod-ap-1": (2, "5.4.1"),
            "staging-eu-1": (2, "5.5.0"),
            "dev-eu-1": (1, "5.6.0-dev.12"),
        },
        '  STOCK_REFRESH: 30s\n  PRICE_CACHE: "5m"\n',
        ("storefront", "checkout", "search"),
        allow_to("orders-db", 5432, "data"),
    ),
    Service(
        "checkout",
        "orders",
        "shop",
        "Checkout: basket, address, order.",
        8082,
        {
            "prod-eu-1": (3, "2.31.0"),
            "prod-us-1": (3, "2.31.0"),
            "prod-ap-1": (2, "2.31.0"),
            "staging-eu-1": (2, "2.31.0"),
        },
        "  PAYMENTS_URL: http://payments.payments:8083\n  ORDER_TIMEOUT: 20s\n",
        ("storefront",),
        allow_to("payments", 8083, "payments") + allow_to("catalog", 8081) + allow_to("orders-db", 5432, "data"),
        "  # never below 2: sessions are kept in memory",
    ),
    Service(
        "payments",
        "payments",
        "payments",
        "Payments: cards and bank transfers. In scope of PCI: two reviewers for every change.",
        8083,
        {"prod-eu-1": (4, "2.13.4"), "prod-us-1": (3, "2.14.0"), "staging-eu-1": (2, "2.13.4")},
        '  ACQUIRER: https://api.acquirer.example\n  RETRIES: "3"\n',
        ("shop/checkout",),
        allow_names(
            "the acquirer and the fraud check, nothing else", "api.acquirer.example", "score.fraudwatch.example"
        ),
    ),
    Service(
        "mailer",
        "orders",
        "shop",
        "Mailer: order confirmations and newsletters.",
        8086,
        {"prod-eu-1": (2, "1.9.3"), "staging-eu-1": (1, "1.9.3")},
        '  SMTP_HOST: smtp.relay.example\n  BATCH: "200"\n',
        ("checkout",),
        allow_names("the relay that our DNS records name", "smtp.relay.example"),
    ),
    Service(
        "reports",
        "finance",
        "finance",
        "Reports: the figures that finance reads every morning.",
        8087,
        {"prod-eu-1": (2, "2.3.0")},
        "  ORDERS_DSN: postgres://orders-db-ro.data:5432/orders\n",
        ("gateway",),
        allow_to("orders-db", 5432, "data"),
    ),
)

# A slip of the keyboard that the API server refuses: the failing sync of the demo.
PORTS = {("catalog", "staging-eu-1"): "70000"}
REGIONS = {"eu": "eu-west", "us": "us-east", "ap": "ap-south"}


def files_of(service: Service, cluster: str) -> dict[str, str]:
    """The files of one service for one cluster, by path below `shop/<service>/<cluster>/`."""
    replicas, tag = service.places[cluster]
    env = cluster.split("-")[0]
    cpu, memory, limit = SIZES[env]
    values = {
        "name": service.name,
        "namespace": service.namespace,
        "team": service.team,
        "about": service.about,
        "replicas": str(replicas),
        "note": service.note if env == "prod" else "",
        "extra": EXTRAS.get(service.name, ""),
        "registry": REGISTRY,
        "tag": tag,
        "port": str(service.port),
        "service_port": PORTS.get((service.name, cluster), "80" if service.namespace == "shop" else str(service.port)),
        "cpu": cpu,
        "memory": memory,
        "limit": limit,
        "level": "info" if env == "prod" else "debug",
        "region": REGIONS[cluster.split("-")[1]],
        "settings": service.settings,
        "description": service.about.split(":")[0] + " in and out",
        "ingress": _ingress(service),
        "calls": service.calls,
    }
    files = {
        "deployment.yaml": DEPLOYMENT.substitute(values),
        "service.yaml": SERVICE.substitute(values),
        "configmap.yaml": CONFIG.substitute(values),
        "policy.yaml": POLICY.substitute(values),
    }
    return files


def _ingress(service: Service) -> str:
    peers = ""
    for caller in service.callers:
        if caller == "gateway":
            peers += GATEWAY_PEER
            continue
        namespace, _, name = caller.rpartition("/")
        scope = f"            k8s:io.kubernetes.pod.namespace: {namespace}\n" if namespace else ""
        peers += f"        - matchLabels:\n{scope}            app.kubernetes.io/name: {name}\n"
    rules = CALLER.substitute(peers=peers, port=service.port)
    if service.name == "storefront":
        rules += "    # the load balancer's health checks come from the nodes\n"
        rules += "    - fromEntities:\n        - host\n        - remote-node\n"
    return rules


def shop_files() -> dict[str, str]:
    """Every file of the shop's plain directories, by path in the repository."""
    tree = {"shop/design-review/dev-eu-1/service.yaml": DESIGN_REVIEW}
    for service in SERVICES:
        for cluster in service.places:
            for name, text in files_of(service, cluster).items():
                tree[f"shop/{service.name}/{cluster}/{name}"] = text
    return tree
