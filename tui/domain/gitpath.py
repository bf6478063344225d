"""Names in a repository that a checkout could not hold, or that some file system takes for another name."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 255
"""Bytes of one name that the usual file systems hold."""

LONGEST_PATH = 4096
"""Bytes of a whole path that Linux takes (PATH_MAX)."""

# Code points that HFS+ passes over when it compares names; git's core.protectHFS knows the same (utf8.c).
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
# What NTFS takes for `.git`: its short name, trailing dots and blanks, an alternate data stream (core.protectNTFS).
_NTFS = re.compile(r"(?:\.git|git~1)[ .]*(?::.*)?", re.DOTALL)


def means_git(name: str) -> bool:
    """Whether a name is `.git` for Git itself or for any file system that a checkout may lie on."""
    if name.isascii() and "git" not in name.lower():
        return False
    plain = _IGNORED.sub("", name).casefold()
    return any(_NTFS.fullmatch(part) for part in re.split(r"[\\/]", plain))


def folded(name: str) -> str:
    """What is equal for names that a file system that ignores case, or the form of accents, cannot tell apart."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def unfit(path: str) -> str:
    """Why no checkout could hold a new file of this path, in words; "" when one can."""
    data = path.encode("utf-8", "surrogateescape")
    if len(data) > LONGEST_PATH:
        return f"the path is longer than {LONGEST_PATH} bytes"
    long = next((part for part in data.split(b"/") if len(part) > LONGEST_NAME), b"")
    return f"the name {long[:20].decode('utf-8', 'replace')}… is longer than {LONGEST_NAME} bytes" if long else ""


def destination(link: str, target: str) -> str | None:
    """The path inside the tree that a symbolic link at `link` leads to; None when it leads out of the tree."""
    if target.startswith("/") or re.match(r"[A-Za-z]:|\\", target):
        return None
    parts = link.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return None if any(means_git(part) for part in parts) else "/".join(parts)
