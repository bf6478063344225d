"""Every benchmark, one after the other: `python -m tests.benchmarks [name …]`."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "first_frame",
    "first_rows",
    "load",
    "keys",
    "tree",
    "tail",
    "bytes",
    "memory",
    "scale",
    "yaml_editor",
    "git_commit",
    "policy_reach",
)


def main() -> None:
    missed = []
    for name in sys.argv[1:] or NAMES:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"]).returncode:
            missed.append(name)
    print(f"\nbudgets missed: {', '.join(missed) or 'none'}")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
