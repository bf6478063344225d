"""Three contents of one file merged: by lines, and where lines clash by the fields of its YAML."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tui.adapters.git.repository import Repository
from tui.domain import merge
from tui.domain.draft import Clash

_PARSED = 256 << 10  # bytes of a file that is merged by fields


def merge_contents(repository: Repository, path: str, ours: bytes, base: bytes, theirs: bytes) -> bytes | list[Clash]:
    """Three contents of a file merged by lines, and where lines clash by fields of its YAML; or what clashes."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as place:
        names = []
        for name, content in (("ours", ours), ("base", base), ("theirs", theirs)):
            Path(place, name).write_bytes(content)
            names.append(str(Path(place, name)))
        result = repository.git(
            "merge-file", "-p", "--marker-size=32", "-L", "ours", "-L", "base", "-L", "theirs", *names,
            codes=range(256),
        )  # fmt: skip
    if result.code == 0:
        return result.out
    by_field = _merge_fields(path, ours, base, theirs)
    if by_field.text is not None:
        return by_field.text.encode("utf-8")
    if by_field.clashes:
        return [
            Clash(
                path, f"{clash.path} was changed on both sides", (clash.line,) if clash.line else (),
                clash.ours, clash.theirs, clash.path,
            )
            for clash in by_field.clashes
        ]  # fmt: skip
    lines, mine, other = _places(ours, result.out if result.code < 128 else b"")
    return [Clash(path, "the same lines were changed", lines, mine, other)]


def _merge_fields(path: str, ours: bytes, base: bytes, theirs: bytes) -> merge.Merged:
    if not path.endswith((".yaml", ".yml", ".json")) or max(len(ours), len(base), len(theirs)) > _PARSED:
        return merge.Merged()
    try:
        return merge.merge(base.decode("utf-8"), ours.decode("utf-8"), theirs.decode("utf-8"))
    except UnicodeDecodeError:
        return merge.Merged()


def _places(ours: bytes, marked: bytes) -> tuple[tuple[int, ...], str, str]:
    """Where the conflicts are in our text (line numbers), and both sides of the first."""
    lines: list[int] = []
    sides: list[tuple[str, str]] = []
    own = ours.splitlines(keepends=True)
    at = 0
    pattern = rb"^<{32} ours\r?\n(.*?)^={32}\r?\n(.*?)^>{32} theirs\r?$"
    for match in re.finditer(pattern, marked, re.MULTILINE | re.DOTALL):
        block = match[1].splitlines(keepends=True)
        while block and at < len(own) and own[at : at + len(block)] != block:
            at += 1
        lines.append(at + 1)
        at += len(block)
        sides.append((match[1].decode("utf-8", "replace"), match[2].decode("utf-8", "replace")))
    return (tuple(lines), *(sides[0] if sides else ("", "")))
