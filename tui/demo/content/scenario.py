"""What is wrong on purpose when the demo starts, and what becomes of images."""

from __future__ import annotations

from tui.demo.controllers.pods import Fate

# What each Application's last sync came to; all others are deployed at the newest commit that concerns them.
BEHIND = "behind"  # auto-sync is off and the newest commit has not been synced
REFUSED = "refused"  # the newest commit was refused by the API server, five retries
CRASHED = "crashed"  # the newest commit was applied, its pods crash
WAITING = "waiting"  # the operation still waits for a resource to become healthy

SCRIPT = {
    "payments-prod-eu-1": BEHIND,
    "checkout-prod-ap-1": BEHIND,
    "catalog-staging-eu-1": REFUSED,
    "payments-prod-us-1": CRASHED,
    "design-review-dev-eu-1": WAITING,
}

# Live objects that somebody removed by hand: (cluster, resource, namespace, name).
MISSING = (("prod-eu-1", "services", "data", "orders-db-ro"),)

REFUSAL = (
    'Service "catalog" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'
)

PANIC = (
    "panic: config: PAYMENTS_HSM_PIN is required since 2.14\n\ngoroutine 1 [running]:\n"
    "main.mustConfig(...)\n\t/src/cmd/payments/main.go:41\nmain.main()\n\t/src/cmd/payments/main.go:58 +0x1d5\n"
)


def fate(image: str) -> Fate:
    """What becomes of a container with this image: tags in `-broken` crash, those in `-missing` are absent."""
    name, _, tag = image.rpartition(":")
    if name.endswith("shop/payments") and tag == "2.14.0":
        return Fate("crashes", 2, PANIC)
    if "/fleet/" in name and "-rc." in tag:
        return Fate("crashes", 1, "fatal: schema version 0 is not supported by this release candidate\n")
    if tag.endswith("-broken"):
        return Fate("crashes", 1, "fatal: cannot start\n")
    if tag.endswith("-missing"):
        words = (
            f'Failed to pull image "{image}": rpc error: code = NotFound desc = failed to resolve reference: not found'
        )
        return Fate("no-image", 0, words)
    return Fate()
