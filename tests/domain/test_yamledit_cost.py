"""What an edit costs, counted in parses: its own document twice, once to find the place and once to prove the edit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tui.domain.yamledit import (
    append_item,
    delete,
    get_value,
    insert_item,
    insert_key,
    move,
    rename_key,
    replace,
    select,
    set_value,
    tree,
)

DOCUMENT = """\
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  template: {image: nginx, args: [a, b, c], env: {A: "1", B: "2"}}
  rest:
  - 1
  - x: 2
"""
BROKEN = "kind: Other\nmetadata:\n  name: other\nspec: [\n  {{- if }}\n"
TEXT = BROKEN + "---\n" + DOCUMENT + "---\n" + BROKEN
OWN = "---\n" + DOCUMENT


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were given to the parser."""
    seen: list[str] = []
    loader = tree.Loader

    def count(source: str) -> Any:
        seen.append(source)
        return loader(source)

    monkeypatch.setattr(tree, "Loader", count)
    return seen


def everything() -> dict[str, Any]:
    """The document's value with changes in many places at once."""
    value = get_value(TEXT, "", 1)
    value["spec"]["replicas"] = 4
    value["spec"]["template"] = {"image": "caddy", "args": ["b", "c", "d"], "env": {"B": "3", "C": "4"}}
    value["spec"]["rest"] = [0, 1, {"x": 3, "new": 5}, 7]
    value["metadata"] = {"name": "api", "namespace": "prod", "labels": {"a": "b"}}
    return dict(value)


@pytest.mark.parametrize(
    "edit",
    [
        lambda: set_value(TEXT, "spec.replicas", 5, 1),
        lambda: set_value(TEXT, "spec.template.env", {"A": "2", "C": "3"}, 1),
        lambda: set_value(TEXT, "spec.new.deep", {"a": 1}, 1),
        lambda: set_value(TEXT, "spec", {"replicas": 9, "rest": [2]}, 1),
        lambda: insert_key(TEXT, "metadata.namespace", "prod", 1),
        lambda: append_item(TEXT, "spec.rest", {"y": 1}, 1),
        lambda: insert_item(TEXT, "spec.template.args", 0, "z", 1),
        lambda: delete(TEXT, "spec.rest[0]", 1),
        lambda: rename_key(TEXT, "spec.template.env.A", "Z", 1),
        lambda: replace(TEXT, "spec.template", {"a": "b"}, 1),
        lambda: move(TEXT, "spec.rest", 1, before="replicas"),
    ],
)  # fmt: skip
def test_an_edit_parses_its_document_twice_and_no_other(parsed: list[str], edit: Callable[[], Any]) -> None:
    edited = edit()
    assert parsed[0] == OWN and len(parsed) == 2
    assert parsed[1] == edited.text[len(BROKEN) : -len("---\n" + BROKEN)]


def test_many_values_set_at_once_cost_no_more(parsed: list[str]) -> None:
    value = everything()
    parsed.clear()
    edited = set_value(TEXT, "", value, 1)
    assert len(parsed) == 2 and get_value(edited.text, "", 1) == value
    assert edited.text.startswith(BROKEN + "---\nkind: Deployment\nmetadata:\n  name: api\n  namespace: prod\n")
    assert edited.undo() == TEXT and len(edited.changes) > 5


def test_what_is_so_already_is_parsed_once(parsed: list[str]) -> None:
    assert not set_value(TEXT, "spec.replicas", 3, 1).changed
    assert parsed == [OWN]


def test_of_other_documents_only_their_names_are_read(parsed: list[str]) -> None:
    """The parser gets them as streams and is left as soon as kind and metadata are known, before the broken part."""
    assert select(TEXT, "Deployment/web") == 1
    with pytest.raises(ValueError, match="2 documents"):
        select(TEXT, "Other")
    assert get_value(TEXT, "kind", 1) == "Deployment"
