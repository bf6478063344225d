"""What the demo's containers say: believable lines, always the same for the same container and moment.

Time is cut into slots, and a slot of a container always holds the same lines: whoever reads when, and however often,
reads the same story, as of a real container.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

from tui.demo.clock import Clock, parse_stamp

SLOT = 0.8  # demo seconds
PAST = 600  # slots that are told of the time before a reader came
FORMER = 120  # and of an instance that has ended
AT_ONCE = 0.05  # seconds: no more wake-ups than that, however hurried the demo
TROUBLE_EVERY = 97  # slots between two stretches in which something goes wrong

# Lines by container, and those of a bad stretch. {n} is a number of the line, {ms} a duration, {who} a user.
LINES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "storefront": (
        (
            '10.1.{ms}.17 - {who} "GET /boats/dinghies HTTP/2" 200 {n} {ms}ms',
            '10.1.{ms}.9 - - "GET /search?q=fender HTTP/2" 200 {n} {ms}ms',
            '10.1.{ms}.44 - {who} "POST /cart HTTP/2" 201 112 {ms}ms',
            '10.1.{ms}.3 - - "GET /assets/app.{n}.js HTTP/2" 304 0 1ms',
        ),
        (
            '10.1.{ms}.44 - {who} "POST /cart HTTP/2" 502 0 {n}ms',
            "\x1b[33mWARN\x1b[0m upstream catalog: slow answer, {n}ms",
            "\x1b[31mERROR\x1b[0m upstream catalog: context deadline exceeded after 2000ms",
        ),
    ),
    "catalog": (
        (
            '{{"level":"info","msg":"request","path":"/v1/articles/{n}","status":200,"ms":{ms}}}',
            '{{"level":"info","msg":"stock refreshed","articles":{n}}}',
            '{{"level":"debug","msg":"cache hit","key":"article:{n}","age_ms":{ms}}}',
        ),
        (
            '{{"level":"warn","msg":"slow query","statement":"select * from articles where price < $1","ms":{n}}}',
            '{{"level":"error","msg":"stock service unavailable","attempt":{ms},"error":"dial tcp: i/o timeout"}}',
        ),
    ),
    "checkout": (
        (
            "level=info order={n} customer={who} msg=placed",
            "level=info order={n} msg=paid took={ms}ms",
            "level=debug session={n} msg=renewed",
        ),
        (
            "level=warn order={n} msg=retrying reason=\"payments answered 503\"",
            "level=error order={n} customer={who} msg=failed reason=\"payments: circuit open\"",
        ),
    ),
    "payments": (
        (
            "INFO  [charge] charge {n} authorised in {ms} ms",
            "INFO  [charge] charge {n} captured",
            "INFO  [ledger] settlement file {n} written",
        ),
        (
            "WARN  [hsm] signing took {n} ms",
            "ERROR [charge] charge {n} declined: issuer unavailable",
            "java.net.SocketTimeoutException: Read timed out",
            "\tat shop.payments.Issuer.ask(Issuer.java:{ms})",
            "\tat shop.payments.Charge.run(Charge.java:118)",
        ),
    ),
    "till": (
        (
            "\x1b[32msale {n} closed\x1b[0m by {who}",
            "\x1b[36mreceipt {n} printed\x1b[0m",
            "queue depth {ms}",
        ),
        (
            "\x1b[33mqueue depth {n}: the head office does not answer, selling offline\x1b[0m",
            "\x1b[1;31mprinter: out of paper\x1b[0m",
        ),
    ),
    "postgres": (
        (
            "LOG:  checkpoint complete: wrote {n} buffers, sync={ms}ms",
            'LOG:  automatic vacuum of table "orders.public.lines": removed {n}',
            "LOG:  connection authorized: user=checkout database=orders",
        ),
        (
            "LOG:  duration: {n} ms  statement: UPDATE lines SET state = 'paid' WHERE id = {n}",
            "ERROR:  deadlock detected",
            "DETAIL:  Process {n} waits for ShareLock on transaction {n}; blocked by process {ms}.",
        ),
    ),
}  # fmt: skip
OTHERS = (
    (
        "level=info msg=ready",
        "level=info msg=reconciled items={n} took={ms}ms",
        "level=debug msg=connection ip=10.{ms}.1.17",
    ),
    ("level=warn msg=\"slow reconcile\" took={n}ms", "level=error msg=\"cannot reach the API server\" attempt={ms}"),
)  # fmt: skip
PEOPLE = ("ines", "jonas", "aiko", "maria", "-")

AGENT = ("kube-system", "cilium-agent")  # namespace and container of Cilium's agents

Line = tuple[float, str]
Find = Callable[[str, str], dict[str, Any] | None]


def source(
    find: Find,
    words: Callable[[str], str],
    clock: Clock,
    flows: Callable[[str], AsyncGenerator[Line, None]] | None = None,
) -> Callable[[str, str, str], AsyncIterator[Line]]:
    """A log source. `find(namespace, pod)` is the pod; `words(image)` what a crashing image says last.

    `flows(node)` is what the agent on a node logs, in clusters whose agents log flows.
    """

    async def lines(namespace: str, pod: str, container: str) -> AsyncIterator[Line]:
        found = find(namespace, pod)
        if found is None:
            return
        node = found["spec"].get("nodeName")
        if flows is not None and (namespace, container) == AGENT and node:
            async with aclosing(flows(node)) as logged:
                async for line in logged:
                    yield line
                    if find(namespace, pod) is None:
                        break
            return
        image = _image(found, container)
        status = _status(found, container)
        state = status.get("state") or {}
        ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
        if "running" not in state and ended:
            for line in _former(f"{namespace}/{pod}/{container}", container, image, ended, words(image), clock):
                yield line
            return
        began = state.get("running", {}).get("startedAt")
        story = _Story(f"{namespace}/{pod}/{container}", container, clock)
        started = parse_stamp(began) if began else 0.0
        first = story.slot_of(started) + 1
        slot = max(first, story.slot_of(clock.now()) - PAST)
        if began and slot == first:
            yield started, f"starting {image.rpartition('/')[2]}"
        while True:
            now = story.slot_of(clock.now())
            while slot < now:
                for line in story.lines(slot):
                    yield line
                slot += 1
            await asyncio.sleep(max(AT_ONCE, story.length))
            found = find(namespace, pod)
            state = _status(found, container).get("state") or {} if found is not None else {}
            if found is None or state.get("running", {}).get("startedAt") != began:
                return  # gone, or ended: what comes is the log of another instance

    return lines


def previous(find: Find, words: Callable[[str], str], clock: Clock) -> Callable[[str, str, str], Iterator[Line]]:
    """A source of the logs of the instances before the present ones."""

    def lines(namespace: str, pod: str, container: str) -> Iterator[Line]:
        found = find(namespace, pod) or {"spec": {"containers": []}}
        ended = (_status(found, container).get("lastState") or {}).get("terminated")
        if ended:
            image = _image(found, container)
            yield from _former(f"{namespace}/{pod}/{container}", container, image, ended, words(image), clock)

    return lines


class _Story:
    """What one container says."""

    def __init__(self, key: str, container: str, clock: Clock) -> None:
        self._key = key
        self._usual, self._bad = LINES.get(container, OTHERS)
        self.length = SLOT / clock.speed
        self._phase = random.Random(key).randrange(TROUBLE_EVERY)

    def slot_of(self, moment: float) -> int:
        """The slot that a moment lies in."""
        return int(moment / self.length)

    def lines(self, slot: int) -> Iterator[Line]:
        """The lines of a slot, in order."""
        dice = random.Random(f"{self._key}/{slot}")
        bad = (slot + self._phase) % TROUBLE_EVERY == 0
        count = len(self._bad) if bad else dice.choice((0, 0, 1, 1, 1, 2))
        for at in range(count):
            text = self._bad[at] if bad else dice.choice(self._usual)
            made = text.format(n=dice.randint(1000, 99999), ms=dice.randint(1, 90), who=dice.choice(PEOPLE))
            yield (slot + (at + dice.random()) / max(1, count)) * self.length, made


def _former(key: str, container: str, image: str, ended: dict[str, Any], words: str, clock: Clock) -> Iterator[Line]:
    """What an instance has said that ended; `words` is what its image says when it crashes."""
    began, end = parse_stamp(ended["startedAt"]), parse_stamp(ended["finishedAt"])
    story = _Story(key, container, clock)
    yield began, f"starting {image.rpartition('/')[2]}"
    for slot in range(max(story.slot_of(began) + 1, story.slot_of(end) - FORMER), story.slot_of(end)):
        yield from story.lines(slot)
    if ended.get("reason") == "OOMKilled" or ended.get("exitCode") == 137:
        yield end, "level=warn msg=\"memory is nearly used up\" limit=512Mi used=511Mi"  # fmt: skip
    elif ended.get("exitCode"):
        for text in words.splitlines():
            yield end, text
    else:
        yield end, "level=info msg=done"


def _image(pod: dict[str, Any], container: str) -> str:
    return next((entry["image"] for entry in pod["spec"]["containers"] if entry["name"] == container), "")


def _status(pod: dict[str, Any], container: str) -> dict[str, Any]:
    held = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((entry for entry in held if entry["name"] == container), {})
