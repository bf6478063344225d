"""Time until 5,000 Applications are on the screen, against reading the same bytes from the socket, in one run.

    python -m tests.benchmarks.load [--applications N] [--runs N]

Both are measured from exec. The reader is a Python process that asks for the same list in the same pages and throws
the bytes away; `frame` is fleet with an empty kubeconfig until it is ready, so that `loading` is what the data cost.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.applications import served
from tests.terminal import Terminal

READER = """
import http.client, json, re, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
token, total = "", 0
while True:
    connection = http.client.HTTPConnection(url.hostname, url.port)
    path = "/apis/argoproj.io/v1alpha1/applications?limit=500" + (f"&continue={token}" if token else "")
    connection.request("GET", path)
    body = connection.getresponse().read()
    total += len(body)
    found = re.search(rb'"continue":"([^"]+)"', body[:600] + body[-600:])
    if not found:
        break
    token = urllib.parse.quote(found[1].decode())
print(total)
"""


def on_screen(kubeconfig: str, wanted: str) -> float:
    """Seconds from exec until the screen shows `wanted`."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"FLEET_STATE": folder, "KUBECONFIG": kubeconfig}
        with Terminal([sys.executable, "-m", "tui"], 160, 48, env) as terminal:
            terminal.wait(wanted, 120)
            return time.perf_counter() - terminal.started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    screens, readers, frames = [], [], []
    with served(given.applications) as server, tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "kubeconfig"
        empty.write_text("apiVersion: v1\nkind: Config\n")
        for number in range(given.runs + 1):
            start = time.perf_counter()
            out = subprocess.run([sys.executable, "-c", READER, server["url"]], check=True, capture_output=True)
            reader = time.perf_counter() - start
            screen = on_screen(server["kubeconfig"], f"{given.applications:,}")
            frame = on_screen(str(empty), "no clusters")
            if number:
                readers.append(reader)
                screens.append(screen)
                frames.append(frame)
    screen, reader, frame = (statistics.median(found) for found in (screens, readers, frames))
    print(f"{given.applications:,} Applications, {int(out.stdout) / 2**20:.0f} MiB, medians of {given.runs}")
    print(f"reading the bytes       {reader:6.2f} s")
    print(f"fleet, empty, ready     {frame:6.2f} s")
    print(f"fleet, all on screen    {screen:6.2f} s   {screen / reader:.2f} × reading")
    print(f"  of that loading       {screen - frame:6.2f} s   {(screen - frame) / reader:.2f} × reading")


if __name__ == "__main__":
    main()
