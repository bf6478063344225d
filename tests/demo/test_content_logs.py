"""What the demo's containers say: the same whenever it is read, also of the instance before, and it ends with them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tui.demo.clock import Clock, stamp
from tui.demo.content import logs

NOW = 1_700_000_000.0


class Held(Clock):
    """A clock that is set by hand."""

    at = NOW

    def now(self) -> float:
        return self.at


def pod(state: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    status = {"containerStatuses": [{"name": "till", "state": state, "lastState": last or {}}]}
    return {"spec": {"containers": [{"name": "till", "image": "r/shop/till:1.2"}]}, "status": status}


def running(began: float) -> dict[str, Any]:
    return {"running": {"startedAt": stamp(began)}}


async def past(found: dict[str, Any], clock: Clock, words: str = "") -> list[tuple[float, str]]:
    """What is told without waiting."""
    lines = logs.source(lambda namespace, name: found, lambda image: words, clock)("shop", "till-1", "till")
    made: list[tuple[float, str]] = []

    async def read() -> None:
        async for line in lines:
            made.append(line)

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return made


async def test_the_same_is_told_to_whoever_reads_later() -> None:
    clock = Held(speed=4)
    found = pod(running(NOW - 60))
    first = await past(found, clock)
    clock.at += 20
    later = await past(found, clock)
    assert first[0] == (NOW - 60, "starting till:1.2") and len(first) > 100
    assert later[: len(first)] == first and len(later) > len(first)
    assert [moment for moment, _ in later] == sorted(moment for moment, _ in later)


async def test_a_restart_ends_the_log_and_the_old_one_is_the_previous() -> None:
    clock = Held(speed=20)
    held = pod(running(NOW - 60))
    lines = logs.source(lambda namespace, name: held, lambda image: "", clock)("shop", "till-1", "till")
    before = [await anext(lines) for _ in range(50)]
    ended = {
        "terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": stamp(NOW - 60), "finishedAt": stamp(NOW)}
    }
    held = pod(running(NOW), ended)
    async with asyncio.timeout(60):
        before += [line async for line in lines]
    told = list(logs.previous(lambda namespace, name: held, lambda image: "", clock)("shop", "till-1", "till"))
    assert set(told) & set(before) and told[-1][1].startswith('level=warn msg="memory is nearly')


@pytest.mark.parametrize(("code", "last"), [(0, "level=info msg=done"), (2, "fatal: no PIN")])
async def test_what_has_ended_says_its_last_words(code: int, last: str) -> None:
    ended = {"terminated": {"exitCode": code, "startedAt": stamp(NOW - 5), "finishedAt": stamp(NOW)}}
    assert (await past(pod(ended), Held(), "panic\nfatal: no PIN"))[-1] == (NOW, last)
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    assert (await past(pod(waiting, ended), Held(), "panic\nfatal: no PIN"))[-1] == (NOW, last)
