"""Start an installed `fleet` the way a newcomer does, see it live, quit it, and see it end.

python tests/e2e/starts.py PATH-TO-FLEET          # `PATH-TO-FLEET demo`
python tests/e2e/starts.py --shell 'COMMAND LINE'  # the README's own line
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.terminal import Terminal


def main(argv: list[str]) -> int:
    command = ["bash", "-c", argv[1]] if argv[0] == "--shell" else [argv[0], "demo"]
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": os.environ.get("HOME", home), "FLEET_STATE": home, "LC_ALL": "C.UTF-8"}
        with Terminal(command, 120, 36, env) as terminal:
            terminal.wait(lambda screen: "Healthy" in screen and "Synced" in screen, 420)
            print(terminal.text())
            terminal.press(":", "q", "enter")
            code = terminal.wait_end(60)
    print(f"exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
