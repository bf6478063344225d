"""Serves the whole demo as a process: one line of JSON when it is ready, then until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tui.demo.assembly import Demo, Options
from tui.demo.control import controlled

PARENT_SECONDS = 1.0


@contextlib.contextmanager
def workplace(options: Options) -> Iterator[Path]:
    """The directory that the demo lives in: the one named, or a temporary one that is gone afterwards."""
    if options.state:
        options.state.mkdir(parents=True, exist_ok=True)
        yield options.state.resolve()
        return
    directory = Path(tempfile.mkdtemp(prefix="fleet-demo-")).resolve()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def serve(options: Options, directory: Path) -> None:
    """Serve until SIGTERM, SIGINT, or the end of the parent; prints the ready line on stdout."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    demo = Demo(options, directory)
    watch = loop.create_task(_parent_gone(options.parent, stopped))
    try:
        ready = await demo.start()
        async with controlled(demo.by_context(), directory):
            print(json.dumps(ready), flush=True)
            await stopped.wait()
    finally:
        watch.cancel()
        await demo.stop()


async def _parent_gone(parent: int, stopped: asyncio.Event) -> None:
    """Ends the demo when the process that wanted it is gone, so that nothing is left behind by a kill."""
    while parent and hasattr(os, "killpg"):  # Windows would send a signal instead of looking
        await asyncio.sleep(PARENT_SECONDS)
        with contextlib.suppress(PermissionError):
            try:
                os.kill(parent, 0)
            except ProcessLookupError:
                stopped.set()
                return


def parsed(arguments: list[str]) -> Options:
    """Options of `python -m tui.demo.serve`. Exits with 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m tui.demo.serve", description=__doc__)
    parser.add_argument("--clusters", type=int, default=Options.clusters)
    parser.add_argument("--apps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=Options.seed)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--calm", action="store_true")
    parser.add_argument("--parent-pid", type=int, default=0, dest="parent")
    return Options(**vars(parser.parse_args(arguments)))


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `python -m tui.demo.serve`."""
    options = parsed(sys.argv[1:] if arguments is None else arguments)
    with workplace(options) as directory:
        asyncio.run(serve(options, directory))


if __name__ == "__main__":
    main()
