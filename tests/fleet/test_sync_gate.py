"""The gate that lets a few clusters bootstrap at a time."""

from __future__ import annotations

import asyncio

from tui.fleet.sync.gate import Gate


async def test_waiters_cancelled_together_with_the_holder_leave_the_places_free() -> None:
    gate = Gate(1)
    inside = asyncio.Event()

    async def hold(priority: int) -> None:
        async with gate.turn(lambda: priority):
            inside.set()
            await asyncio.Event().wait()

    for _ in range(3):
        tasks = [asyncio.create_task(hold(number)) for number in range(4)]
        await asyncio.wait_for(inside.wait(), 60)
        inside.clear()
        for order in (tasks, reversed(tasks)):
            for task in order:
                task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
    async with asyncio.timeout(60), gate.turn(lambda: 0):
        pass


async def test_a_place_given_to_a_waiter_that_is_cancelled_in_the_same_moment_is_passed_on() -> None:
    gate = Gate(1)
    served = asyncio.Event()

    async def wait(priority: int) -> None:
        async with gate.turn(lambda: priority):
            served.set()

    async with gate.turn(lambda: 0):
        first, second = asyncio.create_task(wait(1)), asyncio.create_task(wait(2))
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait_for(served.wait(), 60)
    await second
    assert first.cancelled()


async def test_who_takes_too_long_goes_on_without_a_place() -> None:
    gate, served, go = Gate(1), [], asyncio.Event()

    async def slow() -> None:
        async with gate.turn(lambda: 0, 0.001):
            await go.wait()
        served.append("slow")

    async def next_one(name: str) -> None:
        async with gate.turn(lambda: 1):
            served.append(name)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    await asyncio.wait_for(next_one("second"), 60)
    assert served == ["second"]
    async with gate.turn(lambda: 0):  # a place is given back once only
        go.set()
        await task
        third = asyncio.create_task(next_one("third"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert served == ["second", "slow"]
    await third
