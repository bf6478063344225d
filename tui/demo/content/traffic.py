"""Who talks to whom in the demo, whatever the policies say to it."""

from __future__ import annotations

from typing import NamedTuple

# Names outside and the addresses that they resolve to. Kept apart from what policies name as addresses.
NAMES = {
    "api.acquirer.example": "198.51.100.80",
    "telemetry.acquirer.example": "198.51.100.81",
    "score.fraudwatch.example": "198.51.100.120",
    "smtp.relay.example": "203.0.113.25",
    "sales.harbour.example": "203.0.113.33",
    "metrics.harbour.example": "203.0.113.34",
    "pixel.adtrack.example": "203.0.113.250",
}
CLIENTS = tuple(f"203.0.113.{number}" for number in range(90, 140, 7))  # customers


class Asked(NamedTuple):
    """One HTTP request."""

    method: str
    path: str
    code: int = 200  # the answer, when it gets through


class Talk(NamedTuple):
    """One conversation that comes again and again.

    An end is a workload (`shop/catalog`: its namespace and the name its label says), an address outside, a name of
    NAMES, `clients` or `node` (the node of the other end).
    """

    source: str
    destination: str
    port: int
    protocol: str = "TCP"
    weight: int = 1
    requests: tuple[Asked, ...] = ()
    places: tuple[str, ...] = ()  # clusters of the source; () = wherever both ends are
    peer: str = ""  # the cluster of the destination, when it is another one


SEARCHES = (Asked("GET", "/v1/search?q=fender"), Asked("GET", "/v1/search?q=dinghy"), Asked("GET", "/v1/search?q=rope"))
PROD = ("prod-eu-1", "prod-us-1", "prod-ap-1")
DNS = "kube-system/kube-dns"

TALKS = (
    # Customers, and what serves them.
    Talk("clients", "ingress/gateway", 8443, weight=3),
    Talk("ingress/gateway", "shop/storefront", 8080, weight=3),
    Talk("node", "shop/storefront", 8080),
    Talk("shop/storefront", "shop/catalog", 8081, weight=3),
    Talk("shop/storefront", "shop/checkout", 8082, weight=2),
    Talk("shop/storefront", "shop/search", 8085, weight=2, requests=SEARCHES),
    Talk("shop/storefront", "shop/search", 8085, requests=(Asked("POST", "/v1/reindex", 202),)),
    Talk("shop/storefront", "shop/media", 8088),
    Talk("shop/storefront", "169.254.169.254", 80),
    Talk("shop/storefront", "pixel.adtrack.example", 443, places=("prod-us-1", "dev-eu-1")),
    Talk("shop/search", "shop/catalog", 8081),
    # Orders and money.
    Talk("shop/catalog", "data/orders-db", 5432, weight=2),
    Talk("shop/catalog", "data/orders-db", 5432, places=("prod-us-1", "prod-ap-1"), peer="prod-eu-1"),
    Talk("shop/checkout", "shop/catalog", 8081),
    Talk("shop/checkout", "shop/mailer", 8086),
    Talk("shop/checkout", "payments/payments", 8083, weight=2),
    Talk("shop/checkout", "data/orders-db", 5432, weight=2),
    Talk("shop/checkout", "data/orders-db", 5432, places=("prod-us-1", "prod-ap-1"), peer="prod-eu-1"),
    Talk("payments/payments", "api.acquirer.example", 443, weight=2),
    Talk("payments/payments", "score.fraudwatch.example", 443),
    Talk("payments/payments", "telemetry.acquirer.example", 443),
    Talk("shop/mailer", "smtp.relay.example", 443),
    Talk("data/orders-db", "data/orders-db", 5432),
    Talk("data/orders-db", "172.31.8.20", 9000),
    Talk("ingress/gateway", "finance/reports", 8087),
    Talk("finance/reports", "data/orders-db", 5432),
    # From outside, wanted and not.
    Talk("198.51.100.16", "shop/catalog", 8081, places=PROD),
    Talk("192.0.2.150", "ingress/gateway", 8443, places=PROD),
    # Metrics.
    Talk("monitoring/metrics-agent", "shop/catalog", 9090),
    Talk("monitoring/metrics-agent", DNS, 9153),
    Talk("monitoring/metrics-agent", "metrics.harbour.example", 443),
    # Stores: tills, card terminals, the back office (7), the guests' wifi (99).
    Talk("till/till", "till/sales-queue", 5672, weight=3),
    Talk("till/till", "10.21.7.12", 20007, weight=2, places=("edge-oslo-01",)),
    Talk("10.21.7.40", "till/till", 8090, weight=2, places=("edge-oslo-01",)),
    Talk("10.21.99.14", "till/till", 8090, places=("edge-oslo-01",)),
    Talk("till/sales-queue", "sales.harbour.example", 443, weight=2),
    Talk("10.21.7.31", "node", 22, places=("edge-oslo-01",)),
    Talk("10.21.99.14", "node", 22, places=("edge-oslo-01",)),
    Talk("10.21.99.14", "node", 8, "ICMP", places=("edge-oslo-01",)),
)
