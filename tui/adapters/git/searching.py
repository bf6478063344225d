"""Files of a commit found by what they are called and what they hold, by git itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.adapters.git.repository import Repository

MOST = 2000  # files that are named
_SPECIAL = re.compile(r"([*?\[\]\\])")


def search(
    repository: Repository,
    commit: str,
    words: Sequence[str],
    names: Sequence[str],
    folder: str = "",
    anycase: bool = False,
) -> list[str]:
    """The text files below a folder whose name is one of `names` (globs) and that hold one of `words`, in order."""
    root = _SPECIAL.sub(r"\\\1", folder.strip("/"))
    globs = [f":(glob){root}/**/{name}" if root else f":(glob)**/{name}" for name in names]
    patterns = [*(["-i"] if anycase else []), *(part for word in words for part in ("-e", word))]
    found = repository.git(
        "grep", "-l", "-z", "-I", "-F", "--no-color", "--no-recurse-submodules", *patterns, commit, "--", *globs,
        codes=(0, 1), env={"GIT_LITERAL_PATHSPECS": "0"},
    ).out  # fmt: skip
    lines = found.decode("utf-8", "surrogateescape").split("\0")
    return sorted(line.removeprefix(f"{commit}:") for line in lines if line)[:MOST]


def log(repository: Repository, old: str, new: str, paths: Sequence[str]) -> list[tuple[str, str]]:
    """(id, subject) of the commits from `old` to `new` that changed something below paths ("" is all), newest first."""
    found = repository.git.text(
        "log", "--format=%H%x00%s", "--no-show-signature", f"--max-count={MOST}", "--end-of-options", f"{old}..{new}",
        "--", *(paths if "" not in paths else ()),
    )  # fmt: skip
    return [(oid, subject) for oid, _, subject in (line.partition("\0") for line in found.splitlines())]
