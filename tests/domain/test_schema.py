"""Validation of manifests: YAML, required fields, schemas, each problem at its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.pattern import compile_pattern
from tui.domain.schema import Problem, check, of_crd
from tui.domain.yamledit import documents, get_value

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 0, "maximum": 10, "format": "int32"},
                "ratio": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "multipleOf": 0.5},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5, "minLength": 1},
                "mode": {"type": "string", "enum": ["Fast", "Slow"]},
                "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                "live": {"type": "boolean"},
                "note": {"type": "string", "nullable": True},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "list": {
                    "type": "array",
                    "maxItems": 3,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
                },
                "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "either": {
                    "type": "object",
                    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                "child": {"$ref": "#/components/schemas/Child"},
            },
        },
    },
    "components": {
        "schemas": {"Child": {"type": "object", "properties": {"child": {"$ref": "Child"}, "x": {"type": "integer"}}}}
    },
}
HEAD = "apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: x\n"


def problems(spec: str) -> list[str]:
    """Problems of a Thing whose spec starts on line 6."""
    found = check(HEAD + "spec:\n" + spec, lambda api, kind: SCHEMA if kind == "Thing" else None)
    return [f"{'W ' if problem.severity == 'warning' else ''}{problem}" for problem in found]


def test_a_sound_object_has_no_problems() -> None:
    sound = (
        "  size: 3\n  ratio: 1.5\n  name: abc\n  mode: Fast\n  port: http\n  live: true\n  note: null\n"
        "  labels: {a: b}\n"
    )
    sound += (
        "  any: {x: [1]}\n  list: [{name: a}, {name: b}]\n  set: [a, b]\n  either: {a: 1}\n  child: {child: {x: 1}}\n"
    )
    assert problems(sound) == []
    assert problems("  size: 3.0\n  port: 80\n") == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("  size: many\n", '6:9: spec.size: must be a whole number, not the text "many"'),
        ("  size: 1.5\n", "6:9: spec.size: must be a whole number, not the number 1.5"),
        ("  size: 11\n", "6:9: spec.size: must be at most 10"),
        ("  size: -1\n", "6:9: spec.size: must be at least 0"),
        ("  ratio: 1\n", "5:1: spec.size: size is missing"),
        ("  size: 1\n  ratio: 0\n", "7:10: spec.ratio: must be more than 0"),
        ("  size: 1\n  ratio: 0.3\n", "7:10: spec.ratio: must be a multiple of 0.5"),
        ("  size: 1\n  name: A1\n", "7:9: spec.name: must match ^[a-z]+$"),
        ("  size: 1\n  name: abcdef\n", "7:9: spec.name: may have 5 characters at most, has 6"),
        ("  size: 1\n  name: 5\n", "7:9: spec.name: must be text, not the number 5 (put it in quotes)"),
        ("  size: 1\n  mode: fast\n", '7:9: spec.mode: must be one of "Fast", "Slow"; did you mean Fast?'),
        ("  size: 1\n  port: 1.5\n", "7:9: spec.port: must be a whole number or text, not the number 1.5"),
        ("  size: 1\n  live: 'true'\n", '7:9: spec.live: must be true or false, not the text "true"'),
        ("  size: 1\n  labels:\n    a: 1\n", "8:8: spec.labels.a: must be text, not the number 1 (put it in quotes)"),
        ("  size: 1\n  labels: {a: b, c: d, e: f}\n", "7:3: spec.labels: may have 2 keys at most, has 3"),
        ("  size: 1\n  list:\n  - name: a\n  - nam: b\n", "9:5: spec.list[1].name: name is missing"),
        ("  size: 1\n  list:\n  - name: a\n  - name: a\n", '9:5: spec.list[1]: stands in this list twice: ["a"]'),
        ("  size: 1\n  set: [a, a]\n", '7:12: spec.set[1]: stands in this list twice: "a"'),
        ("  size: 1\n  either: {}\n", "7:11: spec.either: fits none of 2 alternatives: a is missing"),
        ("  size: 1\n  either: {a: 1, b: 2}\n", "7:11: spec.either: fits 2 alternatives, exactly one is allowed"),
        ("  size: 1\n  child: {child: {x: z}}\n", '7:22: spec.child.child.x: must be a whole number, not the text "z"'),
        ("  size: 1\n  list: x\n", '7:9: spec.list: must be a list, not the text "x"'),
        ("  size: 1\n  size: 2\n", "7:3: the key size stands here twice"),
        ("  size: 1\n  sizes: 2\n", "W 7:3: spec.sizes: unknown field, which the API server drops; did you mean size?"),
        ("  size:\n", "W 6:8: spec.size: empty; leave the key out"),
    ],
)
def test_each_rule_has_its_place(spec: str, expected: str) -> None:
    assert expected in problems(spec)
    assert len([line for line in problems(spec) if not line.startswith("W ")]) <= 2


def test_what_every_object_needs() -> None:
    assert [str(problem) for problem in check("kind: X\n")] == [
        "1:1: apiVersion: apiVersion is missing",
        "1:1: metadata: metadata.name is missing",
    ]
    assert [problem.message for problem in check("apiVersion: v1\nkind: X\nmetadata: {name: 5}\n")] == [
        "metadata.name must be text"
    ]
    assert check("apiVersion: v1\nkind: List\nitems: []\n") == []
    assert check("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-}\n") == []
    assert check("- 1\n")[0].message.startswith("not an object")
    assert check("") == [] and check("# nothing\n---\n") == []


def test_kustomizations_and_values_need_nothing() -> None:
    assert check("resources: [a.yaml]\n", file="x/kustomization.yaml") == []
    assert check("image: {tag: v1}\n", file="values-prod.yaml") == []
    assert [problem.line for problem in check("a: 1\nb: 1\na: 2\n", file="values.yaml")] == [3]


def test_syntax_errors_in_any_document_have_their_place() -> None:
    found = check(HEAD + "---\na: [1\nb: 2\n---\n" + HEAD)
    assert [(problem.severity, problem.doc) for problem in found] == [("error", 1)]
    assert found[0].line == 7 and "not valid YAML" in found[0].message
    (tab,) = check("a:\n\t- b\n")
    assert tab.line == 2


def test_templates_are_only_expected_in_charts() -> None:
    template = HEAD + "spec:\n  {{- if .Values.x }}\n  a: 1\n  {{- end }}\n"
    (inside,) = check(template, file="charts/x/templates/a.yaml")
    assert inside.severity == "warning" and "not checked" in inside.message
    (outside,) = check(template, file="apps/a.yaml")
    assert outside.severity == "error" and outside.line == 6


def test_scalars_that_readers_disagree_on_are_pointed_out() -> None:
    (problem,) = check(HEAD + "data:\n  enabled: yes\n  mode: 'yes'\n  real: true\n")
    assert problem == Problem("warning", 6, 12, "kubectl reads yes as true; quote it if text is meant")


def test_merged_keys_count() -> None:
    text = HEAD + "base: &b {size: 1}\nspec:\n  <<: *b\n"
    assert [p for p in check(text, lambda *_: SCHEMA) if p.severity == "error"] == []


def test_a_document_full_of_mistakes_stays_short() -> None:
    text = HEAD + "spec:\n  size: 1\n  set:\n" + "  - 1\n" * 5000
    assert len(check(text, lambda *_: SCHEMA)) <= 100


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared test data here")
def test_policies_from_the_wild_fit_their_schemas() -> None:
    schemas: dict[tuple[str, str], Any] = {}
    for path in sorted((DATA / "crds" / "cilium").rglob("*.yaml")):
        crd = get_value(path.read_text(encoding="utf-8"))
        for version in crd["spec"]["versions"]:
            key = f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]
            schemas[key] = of_crd(crd, version["name"])
    checked = 0
    for path in sorted((DATA / "cilium").rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if not any((document.apiVersion, document.kind) in schemas for document in documents(text)):
            continue
        checked += 1
        found = check(text, lambda api, kind: schemas.get((api, kind)))
        assert [str(problem) for problem in found if problem.severity == "error"] == [], path
    assert checked > 50


# ---- patterns


PIECES = st.recursive(
    st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "[a-c-]", r"\w", r"\d", r"\.", "-", r"\b"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("({0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"])).map("({0[0]}){0[1]}".format),
        inner.map("^{}".format),
        inner.map("{}$".format),
        inner.map("(?i){}".format),
    ),
    max_leaves=8,
)


@given(PIECES, st.lists(st.text("abcA-.1 é", max_size=8), max_size=6))
def test_patterns_match_like_a_known_engine(pattern: str, texts: list[str]) -> None:
    try:
        known = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    except re.error:
        return  # Python takes flags at the start only, and no repeated repeats
    own = compile_pattern(pattern)
    assert own is not None
    for text in texts:
        assert own.search(text) == bool(known.search(text)), (pattern, text)


def test_patterns_that_freeze_other_engines_do_not() -> None:
    pattern = compile_pattern("^(a+)+$")
    assert pattern is not None
    assert pattern.search("a" * 5000) and not pattern.search("a" * 5000 + "b")
    assert compile_pattern(r"^(([a-z]{1,1000}){1,1000})$") is None  # too many states
    for unreadable in (r"\p{Greek}", "(?=x)", "(", "*", "[z-a]", r"(\1)", "a{2000}", "[[:nope:]]"):
        assert compile_pattern(unreadable) is None
    for literal in ("a{,5}", "a{x}", "}", "]"):
        assert compile_pattern(literal) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a$", "a\n", False),
        (r"\x41\x{42}", "AB", True),
        ("[[:upper:]_]+$", "A_B", True),
        (r"^[^\d\s]+$", "a b", False),
        ("(?i)^ab$", "aB", True),
        ("^(?:a|b)?$", "", True),
        ("x|", "zzz", True),
        (r"^\d{4}-\d{2}$", "2024-01", True),
        ("^.$", "😀", True),
        ("(?s)^.$", "\n", True),
    ],
)
def test_go_syntax(pattern: str, text: str, matches: bool) -> None:
    compiled = compile_pattern(pattern)
    assert compiled is not None and compiled.search(text) is matches
