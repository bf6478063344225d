"""DNS names and the patterns of `toFQDNs` and DNS rules, as Cilium `pkg/fqdn/matchpattern` reads them (1.19)."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_LENGTH = 255  # of a name or pattern
CHARACTERS = "[-a-zA-Z0-9_]"
_ALL = re.compile(r"^[*]+[.]?$")
_SUBDOMAINS = re.compile(r"^[*]{2,}\[[.]\]")
_STARS = re.compile(r"[*]+")


@lru_cache(maxsize=16384)
def pattern_regex(pattern: str, deep: bool = True) -> re.Pattern[str]:
    """The regex of a pattern, for lower-case names with their final dot.

    `*` stands for characters of one label, a lone `*` for every name, and, with `deep` (1.19 and later), `**.` at the
    start for one or more labels.
    """
    text = pattern.strip().lower()
    if _ALL.match(text):
        return re.compile(rf"(?:(?:{CHARACTERS}+[.])+|[.])\Z")
    text = text.replace(".", "[.]")
    if deep:  # its regex has no star, so that the next line leaves it alone
        text = _SUBDOMAINS.sub(rf"({CHARACTERS}+([.]{CHARACTERS}+){{0,}})[.]", text)
    return re.compile(rf"(?:{_STARS.sub(f'{CHARACTERS}*', text)})\Z")


def qualified(name: str) -> str:
    """The name in lower case with its final dot, as the proxy compares it."""
    name = name.strip().lower()
    return name if name.endswith(".") else f"{name}."


def is_every_name(pattern: str) -> bool:
    """True for a pattern that is nothing but stars."""
    return _ALL.match(pattern.strip()) is not None


@lru_cache(maxsize=65536)
def matches(pattern: str, name: str, deep: bool = True) -> bool:
    """True when a pattern (or a plain name) of a policy means a name; case and final dots do not matter."""
    full = pattern.strip() if is_every_name(pattern) else qualified(pattern)
    return pattern_regex(full, deep).match(qualified(name)) is not None
