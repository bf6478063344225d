"""Which clusters must not be mistaken for others, by the user's rules and, without any, by their names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from tui.domain.kinds.kind import Tone
from tui.domain.settings import AccentRule

SHAPE = "▲"  # stands with the accent of production wherever there is room: never by colour alone
_WORD = re.compile(r"[^\W\d_]+")
_PRODUCTION = frozenset({"prod", "prd", "production"})
_BEFORE = frozenset({"non", "pre", "not", "no"})  # "non-prod", "preprod": what is none


def accent(name: str, groups: Sequence[str], rules: Iterable[AccentRule]) -> Tone | None:
    """The tone that marks a cluster of that name in these groups (outermost first); None for most.

    The first rule that matches counts; where none does, what is called production is loud.
    """
    path = "/".join(groups)
    for rule in rules:
        if _matches(rule, name, path):
            return None if rule.tone == "none" else Tone(rule.tone)
    return Tone.LOUD if is_production(name) or any(map(is_production, groups)) else None


def _matches(rule: AccentRule, name: str, path: str) -> bool:
    """Whether every pattern that a rule has is that of the cluster; a rule without one matches nothing."""
    tests = []
    if rule.match:
        tests.append(fnmatchcase(name, rule.match))
    if rule.group:
        tests.append(path == rule.group or path.startswith(f"{rule.group}/") or fnmatchcase(path, rule.group))
    return bool(tests) and all(tests)


def is_production(name: str) -> bool:
    """Whether a name says production: `prod-eu-1`, `eu.prd`, `shopprod`; but not `preprod`, `non-prod`, `products`."""
    before = ""
    for word in _WORD.findall(name.lower()):
        if word in _PRODUCTION:
            if before not in _BEFORE:
                return True
        elif word.endswith(("prod", "production")) and not word.startswith(tuple(_BEFORE)):
            return True
        before = word
    return False
