"""Kubernetes label selectors: the text form of `-l` and the object form of manifests, parsed once, matched often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_SET = re.compile(r"^\s*(?P<key>[^\s!=(),]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[^\s!=(),]+)\s*(?P<op>==|!=|=)\s*(?P<value>[^\s!=(),]*)\s*$")
_EXISTS = re.compile(r"^\s*(?P<no>!?)\s*(?P<key>[^\s!=(),]+)\s*$")
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


class Requirement(NamedTuple):
    """One condition on one key. NotIn is also true when the key is absent, as in Kubernetes."""

    key: str
    operator: str  # one of OPERATORS
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """True when these labels satisfy the condition."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        return (value is not None) == (self.operator == "Exists")

    def __str__(self) -> str:
        match self.operator:
            case "In" | "NotIn" if len(self.values) == 1:
                return f"{self.key}{'=' if self.operator == 'In' else '!='}{self.values[0]}"
            case "In" | "NotIn":
                return f"{self.key} {self.operator.lower()} ({','.join(self.values)})"
            case "Exists":
                return self.key
        return f"!{self.key}"


class Selector(NamedTuple):
    """Conditions that must all hold; without any it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """True when these labels satisfy every condition."""
        held = labels or {}
        return all(requirement.matches(held) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


def parse(text: str) -> Selector:
    """The selector of kubectl's `-l`: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. Raises ValueError naming the bad part."""
    return Selector(tuple(_requirement(part) for part in _parts(text) if part.strip()))


def from_object(selector: Any) -> Selector:
    """The selector of a manifest's `{matchLabels, matchExpressions}`. Raises ValueError when it is none.

    None and {} select everything; what an absent selector means is the caller's to know.
    """
    if selector is None:
        return Selector()
    if not isinstance(selector, Mapping):
        raise ValueError("a label selector must be a mapping")
    found: list[Requirement] = []
    labels = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    if not isinstance(labels, Mapping) or not isinstance(expressions, list):
        raise ValueError("matchLabels must be a mapping and matchExpressions a list")
    for key, value in labels.items():
        found.append(Requirement(str(key), "In", (_scalar(value),)))
    for expression in expressions:
        if not isinstance(expression, Mapping):
            raise ValueError("each of matchExpressions must be a mapping")
        operator, values = expression.get("operator"), expression.get("values") or []
        if operator not in OPERATORS:
            raise ValueError(f"unknown selector operator {operator!r}")
        if not isinstance(values, list) or bool(values) != (operator in ("In", "NotIn")):
            raise ValueError(f"operator {operator} needs {'values' if operator in ('In', 'NotIn') else 'no values'}")
        found.append(Requirement(str(expression.get("key", "")), operator, tuple(map(_scalar, values))))
    return Selector(tuple(found))


def _scalar(value: Any) -> str:
    return "" if value is None else str(value)


def _parts(text: str) -> list[str]:
    """Split at commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _requirement(part: str) -> Requirement:
    if found := _SET.match(part):
        values = tuple(value.strip() for value in found["values"].split(","))
        return Requirement(found["key"], "In" if found["op"] == "in" else "NotIn", values)
    if found := _EQUAL.match(part):
        return Requirement(found["key"], "NotIn" if found["op"] == "!=" else "In", (found["value"],))
    if found := _EXISTS.match(part):
        return Requirement(found["key"], "DoesNotExist" if found["no"] else "Exists")
    raise ValueError(f"not a label selector: {part.strip()!r}")
