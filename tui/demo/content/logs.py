"""What the demo's containers say: a few believable lines, the same for the same pod and minute."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from tui.demo.clock import Clock

LINES = {
    "storefront": (
        "GET /boats/dinghies 200 {ms}ms",
        "GET /cart 200 {ms}ms",
        "GET /search?q=fender 200 {ms}ms",
        "cache refreshed, {n} pages",
    ),
    "catalog": ("GET /v1/articles/{n} 200 {ms}ms", "stock refreshed: {n} articles", "price list {n} loaded in {ms}ms"),
    "checkout": ("order {n} placed", "order {n} paid", "POST /v1/orders 201 {ms}ms", "session {n} expired"),
    "payments": ("charge {n} authorised in {ms}ms", "charge {n} captured", "settlement file {n} written"),
    "till": ("sale {n} closed", "receipt {n} printed", "queue depth {ms}"),
    "postgres": (
        "checkpoint complete: wrote {n} buffers",
        "automatic vacuum of table orders.public.lines: removed {n}",
    ),
}
OTHERS = ("ready", "reconciled {n} items in {ms}ms", "connection from 10.{ms}.1.17 accepted")


AGENT = ("kube-system", "cilium-agent")  # namespace and container of Cilium's agents


def source(
    find: Callable[[str, str], dict[str, Any] | None],
    words: Callable[[str], str],
    clock: Clock,
    flows: Callable[[str], AsyncGenerator[tuple[float, str], None]] | None = None,
) -> Callable[[str, str, str], AsyncIterator[tuple[float, str]]]:
    """A log source. `find(namespace, pod)` is the pod; `words(image)` what a crashing image says last.

    `flows(node)` is what the agent on a node logs, in clusters whose agents log flows.
    """

    async def lines(namespace: str, pod: str, container: str) -> AsyncIterator[tuple[float, str]]:
        found = find(namespace, pod) or {"spec": {"containers": []}}
        if flows is not None and (namespace, container) == AGENT and found["spec"].get("nodeName"):
            async with aclosing(flows(found["spec"]["nodeName"])) as logged:
                async for line in logged:
                    yield line
                    if find(namespace, pod) is None:
                        break
            return
        image = next((entry["image"] for entry in found["spec"]["containers"] if entry["name"] == container), "")
        dice = random.Random(f"{namespace}/{pod}/{container}")
        choices = LINES.get(container, OTHERS)
        now = clock.now()
        last = words(image)
        if last:
            yield now - 30, f"starting {image.rpartition('/')[2]}"
            for text in last.splitlines():
                yield now - 29, text
            return
        for ago in range(120, 0, -1):
            yield now - ago * 4.5, _line(dice, choices)
        while find(namespace, pod) is not None:
            await asyncio.sleep(dice.uniform(0.4, 3.0))
            yield clock.now(), _line(dice, choices)

    return lines


def _line(dice: random.Random, choices: tuple[str, ...]) -> str:
    return "level=info " + dice.choice(choices).format(n=dice.randint(1000, 99999), ms=dice.randint(1, 90))
