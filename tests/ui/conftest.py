"""Fixtures of the screen's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ui.still import StillFleet


@pytest.fixture
def fleet() -> StillFleet:
    """The shop's fleet, held still."""
    from tests.ui.still import StillFleet

    return StillFleet()
