"""Findings as SARIF 2.1.0, the form in which code hosts show findings beside the lines they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from tui.domain.cilium.lint.table import RULES
from tui.domain.cilium.lint.values import Finding, Severity

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}


def document(findings: Iterable[Finding], version: str) -> dict[str, Any]:
    """One run with every rule, and a result for every finding; `version` is fleet's own."""
    order = {name: index for index, name in enumerate(RULES)}
    driver = {
        "name": "fleet policy lint",
        "version": version,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title[0].upper() + rule.title[1:] + "."},
                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
            }
            for rule in RULES.values()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, order) for found in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(found: Finding, order: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "ruleIndex": order[found.rule],
        "level": _LEVELS[found.severity],
        "message": {"text": f"{found.subject}: {found.message} {found.advice}"},
    }
    location: dict[str, Any] = {}
    if found.file:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(found.file)}}
        if found.line:
            location["physicalLocation"]["region"] = {"startLine": found.line, "startColumn": found.column}
    if found.policy:
        name = f"{found.subject} {found.path}".strip()
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    if location:
        result["locations"] = [location]
    return result
