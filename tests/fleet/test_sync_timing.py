"""Back-off and the queue of clusters."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tui.fleet.sync.gate import Gate
from tui.fleet.sync.timing import Backoff, Timing


@given(st.floats(0.01, 5), st.floats(5, 100), st.integers(1, 60))
def test_pauses_stay_between_zero_and_a_doubling_bound(first: float, most: float, failures: int) -> None:
    backoff = Backoff(Timing(backoff=first, backoff_most=most))
    for index in range(failures):
        assert 0 <= backoff.next() <= min(most, first * 2**index)
    backoff.reset()
    assert backoff.next() <= first


async def test_the_most_urgent_goes_first() -> None:
    gate, order, urgency = Gate(2), [], {name: 5 for name in "abcdef"}
    leave = asyncio.Event()

    async def pass_through(name: str) -> None:
        async with gate.turn(lambda: urgency[name]):
            order.append(name)
            await leave.wait()

    tasks = []
    for name in "abcdef":
        tasks.append(asyncio.create_task(pass_through(name)))
        await asyncio.sleep(0)
    assert order == ["a", "b"], "two places"
    urgency["e"] = 1  # somebody looks at it now
    tasks[5].cancel()
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["a", "b", "e", "c", "d"]
    async with gate.turn(lambda: 0), gate.turn(lambda: 0):
        pass  # both places are free again
