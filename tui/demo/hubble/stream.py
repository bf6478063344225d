"""The flows of one cluster as its agents log them, live and only while somebody reads.

Time is cut into slots of one conversation each, and a slot always holds the same one: whoever reads when, and however
often, reads the same story. What policies say to it is asked as a slot comes, so that a change of them shows from then
on. The newest lines are kept while the demo lives; of the time in which nobody read, only the end is told.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple

from tui.demo.clock import Clock, stamp
from tui.demo.content.cilium import version_of
from tui.demo.content.traffic import TALKS, Talk
from tui.demo.hubble import record
from tui.demo.hubble.conversation import Logged, Scene
from tui.demo.hubble.view import End, View

SLOT = 0.6  # demo seconds
PAST = 240  # slots that are told of the time before the first reader
KEPT = 1000  # lines of all agents of the cluster
AT_ONCE = 0.05  # seconds: no more wake-ups than that, however hurried the demo
LOST_EVERY = 211  # slots between two gaps

Dropped = Callable[[End, str], None]


class Line(NamedTuple):
    """One line of an agent's log."""

    number: int
    when: float
    node: str
    text: str


class Stream:
    """The agents' logs of one cluster."""

    def __init__(self, view: View, scene: Scene, clock: Clock, seed: int, dropped: Dropped) -> None:
        """`dropped` is told of every drop: the pod and the words."""
        self._view = view
        self._scene = scene
        self._clock = clock
        self._seed = f"{seed}/{view.spec.name}"
        self._dropped = dropped
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._number = 0
        self._next = 0  # slot
        self._readers = 0
        self._news = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._deck = [talk for talk in TALKS for _ in range(talk.weight)]

    async def follow(self, node: str) -> AsyncGenerator[tuple[float, str], None]:
        """The lines of one node's agent: first what is there, without waiting, then what comes."""
        self._readers += 1
        try:
            self._generate()
            if self._ticking is None or self._ticking.done():
                self._ticking = asyncio.get_running_loop().create_task(self._tick())
            seen = 0
            while True:
                news = self._news
                for line in [line for line in self._lines if line.number > seen]:
                    seen = line.number
                    if line.node == node:
                        yield line.when, line.text
                await news.wait()
        finally:
            self._readers -= 1
            if not self._readers and self._ticking is not None:
                self._ticking.cancel()
                self._ticking = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(max(AT_ONCE, SLOT / self._clock.speed))
            self._generate()

    def _generate(self) -> None:
        """Hold the conversations of the slots that have passed."""
        length = SLOT / self._clock.speed
        present = int(self._clock.now() / length)
        before = self._number
        for slot in range(max(self._next, present - PAST), present):
            self._hold(slot, slot * length)
        self._next = max(self._next, present)
        if self._number != before:
            self._news.set()
            self._news = asyncio.Event()

    def _hold(self, slot: int, when: float) -> None:
        dice = random.Random(f"{self._seed}/{slot}")
        if dice.random() < 0.2:
            node = dice.choice(self._view.node_names())
            self._add(when, node, _chatter(self._view, when, dice))
        if slot % LOST_EVERY == 0:
            node = dice.choice(self._view.node_names())
            self._add(when, node, record.lost(dice.randint(3, 90), self._called(node), when))
        talk = self._talk(slot)
        for number, each in enumerate(self._held(talk, dice)):
            moment = when + 0.0011 * number
            self._add(moment, each.node, record.encoded(each.flow, self._called(each.node), moment))
            if each.dropped is not None:
                self._dropped(*each.dropped)

    def _held(self, talk: Talk, dice: random.Random) -> list[Logged]:
        """What this cluster's agents see of a conversation; one that comes in from another cluster counts, too."""
        here = self._view.spec.name
        start = dice.choice(talk.places) if talk.peer == here else here
        if not self._scene.talks_in(talk, start):
            return []
        return [each for each in self._scene.held(talk, start, dice) if each.cluster == here]

    def _talk(self, slot: int) -> Talk:
        """The conversation of a slot: every round holds each of them, in an order of its own."""
        turn, place = divmod(slot, len(self._deck))
        order = list(range(len(self._deck)))
        random.Random(f"{self._seed}/turn/{turn}").shuffle(order)
        return self._deck[order[place]]

    def _called(self, node: str) -> str:
        return f"{self._view.spec.name}/{node}"

    def _add(self, when: float, node: str, text: str) -> None:
        self._number += 1
        self._lines.append(Line(self._number, when, node, text))


def _chatter(view: View, when: float, dice: random.Random) -> str:
    """What an agent says beside flows: logfmt, by slog since Cilium 1.18."""
    words, more = dice.choice(
        (
            ("Processing API request with rate limiter", "name=endpoint-create parallelRequests=4 uuid=%08x"),
            ("Regenerated endpoint", 'reason="updated security labels" endpointID=%d'),
            ("Policy repository updates complete, triggering endpoint updates", "policyRevision=%d"),
            ("Conntrack garbage collection interval recalculated", "expectedPrevInterval=5m0s deleteRatio=0.0%d"),
        )
    )
    more %= (dice.randint(11, 4090),)
    if version_of(view.spec) >= (1, 18):
        source = "/go/src/github.com/cilium/cilium/daemon/cmd/daemon.go:412"
        return f'time={record.timestamp(when)} level=info source={source} msg="{words}" module=agent {more}'
    return f'time="{stamp(when)}" level=info msg="{words}" subsys=daemon {more}'
