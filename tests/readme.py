"""Write the generated parts of README.md, or check that they are current.

python -m tests.readme [--check]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def generated(text: str) -> str:
    """The README with its key table as the key table of the program says it."""
    from tui.ui.keys import keys_markdown

    part = f"<!-- keys -->\n## Keys\n\n{keys_markdown().strip()}\n<!-- /keys -->"
    return re.sub(r"<!-- keys -->.*?<!-- /keys -->", lambda match: part, text, flags=re.DOTALL)


def main() -> None:
    held = README.read_text(encoding="utf-8")
    fresh = generated(held)
    if "--check" not in sys.argv:
        README.write_text(fresh, encoding="utf-8")
    elif fresh != held:
        sys.exit("README.md is not current: run `python -m tests.readme`")
    missing = [name for name in re.findall(r"\]\((screenshots/[^)]+)\)", fresh) if not (README.parent / name).exists()]
    if missing:
        sys.exit(f"README.md shows pictures that do not exist: {', '.join(missing)}")


if __name__ == "__main__":
    main()
