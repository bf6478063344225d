"""Write the generated parts of README.md, or check that they are current.

python -m tests.readme [--check]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
SCALE = Path(__file__).resolve().parent / "benchmarks" / "scale.md"


def generated(text: str) -> str:
    """The README with keys and settings as the program's tables have them and figures as the benchmark wrote them."""
    from tui.domain import settingsfile
    from tui.ui.keytable import KeyTable

    measured = "`python -m tests.benchmarks.scale` measures all of it on your machine and says which budgets it misses"
    figures = f":\n\n{SCALE.read_text(encoding='utf-8').strip()}" if SCALE.exists() else "."
    text = _part(text, "keys", f"## Keys\n\n{KeyTable().markdown().strip()}")
    text = _part(text, "configuration", f"```yaml\n{settingsfile.readme()}\n```")
    return _part(text, "scale", measured + figures)


def _part(text: str, name: str, content: str) -> str:
    """The text with other content between the two marks of a name."""
    part = f"<!-- {name} -->\n{content}\n<!-- /{name} -->"
    return re.sub(rf"<!-- {name} -->.*?<!-- /{name} -->", lambda match: part, text, flags=re.DOTALL)


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
