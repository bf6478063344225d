"""Policy tests: suites of cases with their expected answers, and what became of them. Their file is `suitefile`'s."""

from __future__ import annotations

from typing import NamedTuple

from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.model import Flow, Invalid, Surroundings, Verdict, Written


class Case(NamedTuple):
    """One question and its expected answer; `denied_at` "" when the suite does not say which side must deny."""

    name: str
    flow: Flow
    expect: str
    denied_at: str = ""


class Suite(NamedTuple):
    """One suite, ready to run."""

    name: str
    policies: tuple[Written, ...]
    surroundings: Surroundings
    cases: tuple[Case, ...]


class Outcome(NamedTuple):
    """What became of a case."""

    suite: str
    case: Case
    verdict: Verdict
    passed: bool


def run(suite: Suite) -> tuple[list[Outcome], tuple[Invalid, ...]]:
    """Every case's outcome, and the policies that Cilium would reject, so that nothing of them was enforced."""
    book = rulebook(suite.policies, suite.surroundings)
    outcomes = []
    for case in suite.cases:
        found = verdict(book, case.flow)
        passed = found.verdict == case.expect
        if passed and case.denied_at:
            passed = getattr(found, case.denied_at).verdict == "denied"
        outcomes.append(Outcome(suite.name, case, found, passed))
    return outcomes, book.invalid
