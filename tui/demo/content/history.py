"""How the repository came to be: commits of several people, oldest first, ending in the files as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tui.demo.content.shop import PAUSED

AUTHORS = {
    "ingrid": ("Ingrid Solheim", "ingrid.solheim@harbour.example"),
    "tomas": ("Tomás Carvalho", "tomas.carvalho@harbour.example"),
    "agata": ("Agata Wójcik", "agata.wojcik@harbour.example"),
    "dev": ("Devika Raman", "devika.raman@harbour.example"),
    "sam": ("Sam Okafor", "sam.okafor@harbour.example"),
    "bot": ("harbour-release-bot", "release-bot@harbour.example"),
}


@dataclass(frozen=True)
class Step:
    """One commit. `adds` are patterns of paths that first appear here; `edits` are (path pattern, before, after)."""

    author: str
    hours: float  # before the demo starts
    message: str
    adds: tuple[str, ...] = ()
    edits: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Commit:
    """A commit ready to be written: only what changes; None removes a file."""

    author: tuple[str, str]
    hours: float
    message: str
    files: dict[str, str | None]


def image(service: str, cluster: str, before: str, after: str) -> tuple[str, str, str]:
    """An edit of a service's image tag in one cluster."""
    return f"shop/{service}/{cluster}/deployment.yaml", f"{service}:{before}", f"{service}:{after}"


STEPS = (
    Step("ingrid", 4100, "Start the deployment repository\n\nArgo CD reads main; nobody applies by hand any more."),
    Step(
        "ingrid",
        4080,
        "Add the baseline of every cluster\n\nNamespaces, DNS policy and the metrics agent, one directory per cluster.",
        ("platform/baseline/*", "argocd/projects/*", "argocd/applicationsets/baseline.yaml"),
    ),
    Step(
        "tomas",
        3900,
        "storefront, catalog, checkout: move to plain manifests\n\nThe old chart had three values that anyone used.",
        ("shop/storefront/*", "shop/catalog/*", "shop/checkout/*", "argocd/apps/*"),
    ),
    Step(
        "dev",
        3620,
        "Add payments behind its own namespace and default deny\n\nPCI wants the card path separate. Two reviewers.",
        ("shop/payments/*", "platform/baseline/*/policies/default-deny-payments.yaml", "argocd/apps/payments-*"),
    ),
    Step(
        "sam", 3300, "Add the orders database\n\nMoved out of the VM in rack 4.", ("data/*", "argocd/apps/orders-db-*")
    ),
    Step("agata", 2900, "search: base and overlays for kustomize", ("shop/search/*", "argocd/apps/search-*")),
    Step("tomas", 2750, "media: chart with values per cluster", ("shop/media/*", "argocd/apps/media-*")),
    Step(
        "ingrid",
        2500,
        "Open the way in: gateways by ApplicationSet",
        ("platform/gateway/*", "argocd/applicationsets/gateway.yaml"),
    ),
    Step(
        "agata",
        2100,
        "Tills of the first stores: Oslo and Porto\n\nA directory below edge/till is a store.",
        ("edge/till/edge-oslo-01/*", "edge/till/edge-porto-02/*", "argocd/applicationsets/till.yaml"),
    ),
    Step("sam", 1900, "mailer: order confirmations leave the monolith", ("shop/mailer/*", "argocd/apps/mailer-*")),
    Step(
        "dev",
        1710,
        "Deny the metadata service everywhere\n\nFollow-up of the July review.",
        ("*/deny-cloud-metadata.yaml",),
    ),
    Step("agata", 1500, "till: Gdańsk", ("edge/till/edge-gdansk-03/*",)),
    Step(
        "sam",
        1320,
        "finance: reports and nightly jobs",
        ("shop/reports/*", "finance/*", "argocd/apps/reports-*", "argocd/apps/finance-*"),
    ),
    Step(
        "ingrid",
        1100,
        "Keep the fleet's metrics on the hub",
        ("platform/observability/*", "argocd/apps/observability.yaml"),
    ),
    Step(
        "bot",
        980,
        "storefront: 3.17.0 everywhere",
        edits=(
            image("storefront", "prod-*", "3.16.4", "3.17.0"),
            image("storefront", "staging-eu-1", "3.16.4", "3.17.0"),
        ),
    ),
    Step("bot", 900, "catalog: 5.4.0 to production", edits=(image("catalog", "prod-*", "5.3.8", "5.4.0"),)),
    Step(
        "agata",
        760,
        "till: Bergen\n\nThe line is not up yet; the cluster will catch up when it is.",
        ("edge/till/edge-bergen-04/*",),
    ),
    Step(
        "dev",
        690,
        "Keep scanners out of production, partners by name\n\nThe abuse desk renews the group every Monday.",
        ("*/cidr-groups.yaml", "*/deny-scanners.yaml"),
    ),
    Step("tomas", 640, "preview: virtual cluster for open pull requests", ("preview/*", "argocd/apps/preview-*")),
    Step(
        "sam",
        610,
        "orders-db: one name for the whole mesh, and a way out for its backups",
        ("*/orders-db.yaml", "*/backup-policy.yaml"),
    ),
    Step(
        "tomas",
        520,
        "storefront: two more replicas in eu for the autumn sale",
        edits=(("shop/storefront/prod-eu-1/deployment.yaml", "replicas: 4", "replicas: 6"),),
    ),
    Step("agata", 470, "Store boxes: host firewall, Oslo first", ("*/node-guard.yaml",)),
    Step("bot", 430, "payments: 2.13.4 to production", edits=(image("payments", "prod-*", "2.13.1", "2.13.4"),)),
    Step(
        "dev",
        400,
        "payments: raise memory after the September incident",
        edits=(("shop/payments/prod-*/deployment.yaml", "memory: 192Mi", "memory: 256Mi"),),
    ),
    Step("bot", 330, "till: 8.2.0 to all stores", edits=(("edge/till/*/till.yaml", "till:8.1.3", "till:8.2.0"),)),
    Step(
        "bot",
        290,
        "catalog: 5.4.1, fixes rounding of foreign prices",
        edits=(image("catalog", "prod-*", "5.4.0", "5.4.1"),),
    ),
    Step(
        "tomas",
        240,
        "storefront: back to four replicas, the sale is over",
        edits=(("shop/storefront/prod-eu-1/deployment.yaml", "replicas: 6", "replicas: 4"),),
    ),
    Step(
        "bot",
        200,
        "storefront: 3.18.2 to production",
        edits=(image("storefront", "prod-*", "3.17.0", "3.18.2"),),
    ),
    Step(
        "ingrid",
        170,
        "metrics-agent: 0.44.0 outside the stores",
        edits=(
            ("platform/baseline/prod-*/metrics-agent.yaml", "metrics-agent:0.42.1", "metrics-agent:0.44.0"),
            ("platform/baseline/staging-*/metrics-agent.yaml", "metrics-agent:0.42.1", "metrics-agent:0.44.0"),
            ("platform/baseline/dev-*/metrics-agent.yaml", "metrics-agent:0.42.1", "metrics-agent:0.44.0"),
        ),
    ),
    Step(
        "sam",
        150,
        "reports: hold the rollout\n\nFinance wants to check October first (FIN-811).",
        edits=(("shop/reports/prod-eu-1/deployment.yaml", "HistoryLimit: 3\n", f"HistoryLimit: 3{PAUSED}\n"),),
    ),
    Step(
        "ingrid",
        118,
        "metrics-agent: say where it may go\n\neu first; the others when a week has passed without drops.",
        ("*/metrics-agent-egress.yaml",),
    ),
    Step("bot", 96, "checkout: 2.30.2 to production", edits=(image("checkout", "prod-*", "2.29.0", "2.30.2"),)),
    Step(
        "sam",
        74,
        "mailer: smaller batches, the relay throttles us",
        edits=(("shop/mailer/prod-eu-1/configmap.yaml", 'BATCH: "500"', 'BATCH: "200"'),),
    ),
    Step(
        "bot",
        51,
        "storefront: 3.19.0-rc.1 to staging and dev",
        edits=(
            image("storefront", "staging-eu-1", "3.17.0", "3.19.0-rc.1"),
            image("storefront", "dev-eu-1", "3.17.0", "3.19.0-rc.1"),
        ),
    ),
    Step(
        "agata",
        30,
        "Allow the partner warehouse to push its stock feed (GOODS-1203)",
        ("*/partner-feed.yaml",),
    ),
    Step(
        "dev",
        26,
        "storefront in dev: public address for the design review",
        ("shop/design-review/*", "argocd/apps/design-review-*"),
    ),
    Step(
        "bot",
        22,
        "checkout: 2.31.0 to production and staging",
        edits=(image("checkout", "prod-*", "2.30.2", "2.31.0"), image("checkout", "staging-eu-1", "2.30.2", "2.31.0")),
    ),
    Step(
        "tomas",
        7,
        "catalog-staging: try 5.5.0 on the partner's port (GOODS-1188)",
        edits=(
            ("shop/catalog/staging-eu-1/service.yaml", "port: 80\n", "port: 70000\n"),
            image("catalog", "staging-eu-1", "5.4.1", "5.5.0"),
        ),
    ),
    Step("bot", 3.1, "payments: 2.14.0 to us first", edits=(image("payments", "prod-us-1", "2.13.4", "2.14.0"),)),
    Step(
        "sam",
        1.4,
        "payments-eu: one more replica before the weekend",
        edits=(("shop/payments/prod-eu-1/deployment.yaml", "replicas: 3", "replicas: 4"),),
    ),
    Step("bot", 0.75, "mailer: 1.9.3, shorter subjects", edits=(image("mailer", "*", "1.9.2", "1.9.3"),)),
    Step(
        "ingrid",
        0.3,
        "dashboards: 11.3.0",
        edits=(("platform/observability/dashboards.yaml", "dashboards:11.2.4", "dashboards:11.3.0"),),
    ),
)


def commits_of(final: dict[str, str]) -> list[Commit]:
    """The history that ends in `final`. Raises ValueError when a step's edit is not found in the files."""
    trees: list[dict[str, str]] = []
    current = dict(final)
    for step in reversed(STEPS):
        trees.append(current)
        before = dict(current)
        for pattern, old, new in step.edits:
            touched = [path for path in before if fnmatchcase(path, pattern)]
            if not any(new in before[path] for path in touched):
                raise ValueError(f"{step.message!r} changes nothing in {pattern}")
            before |= {path: before[path].replace(new, old) for path in touched}
        gone = [path for path in before if any(fnmatchcase(path, pattern) for pattern in step.adds)]
        before = {path: text for path, text in before.items() if path not in gone}
        current = before
    trees.append({})
    trees.reverse()
    commits = []
    for step, before, after in zip(STEPS, trees, trees[1:], strict=False):
        changed: dict[str, str | None] = {path: text for path, text in after.items() if before.get(path) != text}
        changed |= {path: None for path in before if path not in after}
        commits.append(Commit(AUTHORS[step.author], step.hours, step.message, changed))
    return commits
