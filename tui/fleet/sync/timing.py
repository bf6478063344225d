"""How long things may take and how often they are tried: measured defaults, and the back-off."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds, but for the counts. Tests shorten them."""

    probes: int = 24  # clusters asked "are you there" at the same time
    bootstraps: int = 8  # clusters that list for the first time at the same time
    requests: int = 3  # lists of one cluster at the same time
    page: int = 500  # objects of one list page
    list_quiet: float = 15.0  # a list without a byte for so long is given up
    slow: float = 5.0  # a list that takes longer says how far it is
    watch_least: float = 240.0  # timeoutSeconds of a watch is between these
    watch_most: float = 360.0
    watch_early: float = 5.0  # a watch that ends by more than this before its time has broken off
    watch_slack: float = 15.0  # silence beyond timeoutSeconds before a watch is given up
    watch_quiet: float = 150.0  # a watch hears a bookmark every minute; without two of them it is opened anew
    mend: float = 30.0  # what could not be read is listed again after 1 to 2 times this, later if that was in vain
    pulse: float = 70.0  # a cluster not heard for so long is asked; a bookmark comes every minute
    backoff: float = 1.0  # the first pause is between 0 and this
    backoff_most: float = 60.0
    brief: float = 5.0  # a watch that ends sooner has not served
    healthy: float = 60.0  # a stream that lived so long resets the back-off
    recheck: float = 300.0  # denied and absent kinds are tried again after 1 to 2 times this; so is the cluster's uid
    idle: float = 300.0  # a kind nobody looks at is dropped after this
    poll: float = 70.0  # kinds that cannot be watched are listed this often
    bootstrap: float = 60.0  # a cluster gives up its place in the queue after this
    place: float = 0.15  # and when it neither finishes a kind nor sends `worth` within this, as its place among probes
    worth: int = 1 << 16  # bytes
    announce: float = 0.1  # cluster rows are sent at most this often
    kubeconfig: float = 2.0  # between two looks at the kubeconfig files; a change is taken in when two looks agree
    age: float = 10.0  # and at least this often while they are heard


def cancelled() -> bool:
    """Whether the running task has been asked to end: libraries have been seen to lose the exception that says so."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@dataclass(slots=True)
class Backoff:
    """Full jitter: between 0 and a bound that doubles with each failure (AWS architecture blog, 2015)."""

    timing: Timing
    failures: int = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        bound = min(self.timing.backoff_most, self.timing.backoff * 2 ** min(self.failures, 16))
        self.failures += 1
        return random.uniform(0, bound)

    def between(self, least: float, most: float) -> float:
        """A random time, so that many do not do the same thing at the same moment."""
        return random.uniform(least, most)

    def reset(self) -> None:
        """It went well for long enough."""
        self.failures = 0
