"""Which clusters are marked so that nobody mistakes production for anything else."""

from __future__ import annotations

import pytest

from tui.domain.accents import accent, is_production
from tui.domain.kinds.kind import Tone
from tui.domain.settings import AccentRule


@pytest.mark.parametrize(
    "name", ["prod", "prod-eu-1", "eu.prd", "PRODUCTION", "shopprod", "arn:aws:eks:eu/prod01", "a_prod"]
)
def test_production_by_name(name: str) -> None:
    assert is_production(name)


@pytest.mark.parametrize(
    "name", ["", "dev", "products", "preprod-1", "pre-prod", "non-prod", "nonproduction", "staging-eu"]
)
def test_what_is_no_production(name: str) -> None:
    assert not is_production(name)


def test_names_and_groups_of_production_are_loud_without_rules() -> None:
    assert accent("prod-eu", (), ()) is Tone.LOUD
    assert accent("eu-7", ("prod", "eu"), ()) is Tone.LOUD
    assert accent("dev-eu", ("dev",), ()) is None


def test_the_first_rule_that_matches_counts() -> None:
    rules = (
        AccentRule(match="prod-test*", tone="none"),
        AccentRule(match="live-*"),
        AccentRule(group="staging", tone="accent"),
        AccentRule(match="eu-*", group="edge", tone="warn"),
        AccentRule(),  # says of nothing that it is production
    )
    assert accent("prod-test-1", (), rules) is None
    assert accent("live-1", (), rules) is Tone.LOUD
    assert accent("a", ("staging", "eu"), rules) is Tone.ACCENT
    assert accent("eu-1", ("edge",), rules) is Tone.WARN
    assert accent("us-1", ("edge",), rules) is None
    assert accent("prod-1", (), rules) is Tone.LOUD
