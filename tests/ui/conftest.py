"""Fixtures of the screen's tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from textual.css.model import RuleSet

    from tests.ui.still import StillFleet


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are shown in the zone of the machine: in tests it is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """Hundreds of apps have the same style sheets: rules are parsed once for each set of variables.

    Parsed rules are never changed, and within one app Textual itself keeps them.
    """
    from textual.css.stylesheet import Stylesheet

    known: dict[object, list[RuleSet]] = {}
    parse = Stylesheet._parse_rules

    def parse_once(sheet: Stylesheet, *source: Any, **named: Any) -> list[RuleSet]:
        key = (tuple(sheet._variables.items()), source, tuple(named.items()))
        if key not in known:
            known[key] = parse(sheet, *source, **named)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture
def fleet() -> StillFleet:
    """The shop's fleet, held still."""
    from tests.ui.still import StillFleet

    return StillFleet()
