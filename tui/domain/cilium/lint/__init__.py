"""Lint of network policies: what surprises, what does nothing, what was mistyped, with file and line.

    text ──read──▶ Parsed ──┐
    live policy ─of_written──┴─lint──▶ Findings      with what is `Known` of the cluster

The rules are in `table.RULES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.validity import problems
from tui.domain.cilium.lint import around, together
from tui.domain.cilium.lint.around import Around
from tui.domain.cilium.lint.reading import Read, Unread, of_written, read
from tui.domain.cilium.lint.table import INVALID, NO_DEFAULT_DENY, RULES, Rule
from tui.domain.cilium.lint.values import (
    SEVERITIES,
    Finding,
    Hit,
    Known,
    KnownService,
    Parsed,
    Severity,
    Steps,
    finding,
    specs,
)
from tui.domain.cilium.model import Settings

__all__ = [
    "RULES",
    "SEVERITIES",
    "Finding",
    "Known",
    "KnownService",
    "Parsed",
    "Read",
    "Rule",
    "Severity",
    "Unread",
    "lint",
    "of_written",
    "read",
]


_SECTION = re.compile(r"((?:specs\[\d+\]\.|spec\.)?)(ingressDeny|egressDeny|ingress|egress)\[(\d+)\]: ")

_SPECS = re.compile(r"specs\[(\d+)\]")


def lint(policies: Sequence[Parsed], known: Known | None = None) -> list[Finding]:
    """What is to be said of the policies of one cluster, by file and place, worst first within one place.

    Rules that need what is not known are silent. A policy that Cilium rejects gets no findings on its rules beside
    those on how it is written, because nothing of it is enforced.
    """
    known = known or Known()
    beside = Around(known)
    rejected = {id(parsed): hits for parsed in policies if (hits := list(_rejected(parsed, known)))}
    live = [parsed for parsed in policies if id(parsed) not in rejected]
    found = [_told(INVALID, parsed, hit) for parsed in policies for hit in rejected.get(id(parsed), ())]
    for rule in RULES.values():
        if rule.alone is not None:
            found += (_told(rule.id, parsed, hit) for parsed in policies for hit in rule.alone(parsed, known))
        if rule.beside is not None:
            found += (_told(rule.id, parsed, hit) for parsed in live for hit in rule.beside(parsed, beside))
        if rule.together is not None:
            found += (_told(rule.id, parsed, hit) for parsed, hit in rule.together(live, known))
    book = rulebook((parsed.written for parsed in live), known.surroundings())
    found += (_told(name, parsed, hit) for name, parsed, hit in together.covered(live, book))
    for namespace, message, advice in around.without_default_deny(live, beside):
        found.append(Finding(NO_DEFAULT_DENY, RULES[NO_DEFAULT_DENY].severity, message, advice, namespace=namespace))
    return sorted(dict.fromkeys(found), key=_order)


def _rejected(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Why Cilium rejects a policy. What only some settings reject is a warning while the settings are unknown."""
    policy, resource = parsed.written.policy, parsed.resource
    reasons = problems(policy, resource, known.settings or Settings())
    always = reasons if known.settings is not None else problems(policy, resource)
    for reason in reasons:
        sure = reason in always
        yield Hit(
            _at(parsed, reason),
            f"Cilium rejects the policy and enforces nothing of it: {reason}."
            if sure
            else f"With some versions or settings Cilium rejects the policy: {reason}.",
            "Mend it: until then the cluster behaves as without this policy.",
            "" if sure else "warning",
        )


def _at(parsed: Parsed, reason: str) -> Steps:
    """The path that a reason begins with, as far as it names one."""
    found = _SECTION.match(reason)
    own = specs(parsed)
    if found is None:
        within = _SPECS.match(reason)
        return ("specs", int(within[1])) if within else own[0].steps if own else ()
    lead = found[1].rstrip(".")
    steps: Steps = ("specs", int(lead[6:-1])) if lead.startswith("specs") else ("spec",)
    return (*steps, found[2], int(found[3]))


def _order(found: Finding) -> tuple[object, ...]:
    return found.file, found.line, found.column, SEVERITIES.index(found.severity), found.subject, found.path, found.rule


def _told(name: str, parsed: Parsed, hit: Hit) -> Finding:
    return finding(name, RULES[name].severity, parsed, hit)
