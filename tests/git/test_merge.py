"""YAML merged by field: both changes are there, nothing else is different, and what cannot be merged is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.drafts.merge import FieldClash, merge

BASE = """\
# the shop's web server
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1 # low
  image: "web:1"
  env:
    - name: A
      value: x
    - name: B
      value: y
  args: [one, two]
---
kind: Service
metadata: {name: web}
port: 80
"""


def edit(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([("replicas: 1", "replicas: 3")], [("web:1", "web:2")]),
        ([("value: y", "value: z")], [("value: x", "value: xx")]),
        ([("port: 80", "port: 81")], [("replicas: 1", "replicas: 2")]),
        ([("replicas: 1", "replicas: 3")], [("replicas: 1 # low", "replicas: 1 # high")]),
        ([("replicas: 1 # low\n", "replicas: 1 # low\n  paused: true\n")], [("web:1", "web:2")]),
        ([("[one, two]", "[one, two, three]")], [("[one, two]", "[zero, one, two]")]),
        ([('  image: "web:1"\n', "")], [("replicas: 1", "replicas: 2")]),
    ],
)
def test_changes_of_different_fields_are_both_there(ours: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    merged = merge(BASE, edit(BASE, *ours), edit(BASE, *theirs))
    assert merged.clashes == () and merged.text is not None
    back = merge(BASE, edit(BASE, *theirs), edit(BASE, *ours))
    values = list(yaml.safe_load_all(merged.text))
    if back.text is not None and "[one" not in str(ours):  # the order of added items depends on whose is first
        assert list(yaml.safe_load_all(back.text)) == values
    for old, new in ours:
        if new and "[" not in new and "paused" not in new:
            assert new in merged.text and (old in new or old not in merged.text)
    assert "# the shop's web server" in merged.text


def test_the_same_field_is_a_clash_with_both_values() -> None:
    merged = merge(BASE, edit(BASE, ("replicas: 1", "replicas: 3")), edit(BASE, ("replicas: 1", "replicas: 2")))
    assert merged.text is None
    assert merged.clashes == (FieldClash("spec.replicas", "3", "2", 7, "1", object="Deployment web", theirs_line=7),)


def test_a_key_for_a_mapping_that_they_removed_is_a_clash() -> None:
    merged = merge("b:\n  x: 1\n", "b:\n  x: 1\n  a: 1\n", "c: 1\n")
    assert merged.text is None and merged.clashes[0].path == "b.a"


def test_a_field_that_they_removed_is_a_clash() -> None:
    merged = merge(BASE, edit(BASE, ("web:1", "web:2")), edit(BASE, ('  image: "web:1"\n', "")))
    assert merged.clashes[0].path == "spec.image" and merged.clashes[0].theirs == ""


@pytest.mark.parametrize(
    "ours",
    [
        edit(BASE, ("# low", "# still low")),
        edit(BASE, ("replicas: 1 # low", "replicas: 3 # high")),
        edit(BASE, ("kind: Service", "kind: Ingress")),
        BASE + "---\nkind: New\n",
        "not: [yaml",
    ],
)
def test_what_is_more_than_values_is_left_to_lines(ours: str) -> None:
    merged = merge(BASE, ours, edit(BASE, ("web:1", "web:2")))
    assert merged.text is None and merged.clashes == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "b: c", "1", "yes", "é"]),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from("abcdef"), values, min_size=1, max_size=5)


def three(base: Any, ours: Any, theirs: Any) -> Any:
    """The merge of plain values, as anyone would say it; raises LookupError for a clash."""
    if ours == base and type(ours) is type(base):
        return theirs
    if (theirs == base and type(theirs) is type(base)) or (theirs == ours and type(theirs) is type(ours)):
        return ours
    if not all(isinstance(value, dict) for value in (base, ours, theirs)):
        raise LookupError
    missing = object()
    out = {}
    for key in {**base, **theirs, **ours}:
        sides = [value.get(key, missing) for value in (base, ours, theirs)]
        if (found := three(*sides)) is not missing:
            out[key] = found
    return out


@given(documents, documents, documents)
def test_a_merge_is_what_merging_the_values_gives(base: Any, ours: Any, theirs: Any) -> None:
    texts = [yaml.safe_dump(value, sort_keys=True, allow_unicode=True) for value in (base, ours, theirs)]
    merged = merge(*texts)
    try:
        expected = three(base, ours, theirs)
    except LookupError:
        assert merged.text is None
        return
    if merged.text is not None:
        assert json.dumps(yaml.safe_load(merged.text), sort_keys=True) == json.dumps(expected, sort_keys=True)
