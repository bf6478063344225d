"""JSONPath over objects: kubectl's subset, its mistakes by position, and that nothing breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain import jsonpath
from tui.domain.jsonpath import BadPath, compiled

POD: dict[str, Any] = {
    "metadata": {"name": "web-1", "annotations": {"a.b/c": "x", "dot.ted": "y"}, "labels": {}},
    "spec": {"containers": [{"name": "web", "ports": [{"port": 80}, {"port": 8080}]}, {"name": "side"}]},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "False", "since": 3},
            {"type": "Initialized", "status": "True", "since": 2.5},
        ]
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".metadata.name", ["web-1"]),
        ("{.metadata.name}", ["web-1"]),
        ("$.metadata.name", ["web-1"]),
        ("metadata.name", ["web-1"]),
        (".metadata.annotations['a.b/c']", ["x"]),
        ('.metadata.annotations["a.b/c"]', ["x"]),
        (r".metadata.annotations.a\.b/c", ["x"]),
        (".metadata.annotations.dot\\.ted", ["y"]),
        ("['metadata']['name','namespace']", ["web-1"]),
        (".spec.containers[*].name", ["web", "side"]),
        (".spec.containers[0].name", ["web"]),
        (".spec.containers[-1].name", ["side"]),
        (".spec.containers[5].name", []),
        (".spec.containers[0,1].name", ["web", "side"]),
        (".spec.containers[0].ports[0:1].port", [80]),
        (".spec.containers[0].ports[::-1].port", [8080, 80]),
        (".spec.containers[*].ports[*].port", [80, 8080]),
        ("..port", [80, 8080]),
        (".metadata.annotations.*", ["x", "y"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["False"]),
        (".status.conditions[?(@.type == 'Ready')].status", ["False"]),
        (".status.conditions[?(@.since>=3)].type", ["Ready"]),
        (".status.conditions[?(@.since<2.6)].type", ["Initialized"]),
        (".status.conditions[?(@.type!='Ready')].type", ["Initialized"]),
        (".spec.containers[?(@.ports)].name", ["web"]),
        (".spec.containers[?(@.ports[0].port==80)].name", ["web"]),
        (".status.conditions[?(@.type>1)].type", []),
        (".missing.name", []),
        (".metadata.name.deeper", []),
        (".metadata.name[0]", []),
        (".", [POD]),
    ],
)
def test_what_a_path_finds(path: str, found: list[Any]) -> None:
    assert compiled(path).find(POD) == found


@pytest.mark.parametrize(
    ("path", "at", "why"),
    [
        (".a..", 5, "a name is expected"),
        (".a[", 4, "a number"),
        (".a[x]", 4, "a number"),
        (".a[0", 5, "] is expected"),
        (".a['b]", 4, "the quote is not closed"),
        (".a[?(b==1)]", 6, "@ is expected"),
        (".a[?(@.b=1)]", 9, "one of =="),
        (".a[?(@.b==x)]", 11, "a text in quotes"),
        (".a[?(@.b==1]", 12, ") is expected"),
        ("{.a", 1, "the brace is not closed"),
        (".a}", 3, "'}' is not expected"),
        (".a b", 4, "'b' is not expected"),
        (".a[0:2:0]", 9, "the step of a run is not 0"),
        ("." + "a" * 500, 501, "at most 500"),
    ],
)
def test_a_mistake_is_named_with_its_position(path: str, at: int, why: str) -> None:
    with pytest.raises(BadPath, match=f"^at character {at}: ") as raised:
        compiled(path)
    assert why in str(raised.value)


NAMES = st.text(alphabet="ab.'\"\\ /[]{}*$@", min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


def places(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every value inside, with a path that leads to it and to nothing else."""
    found = [(path or ".", value)]
    if isinstance(value, dict):
        for name, each in value.items():
            quoted = name.replace("\\", "\\\\").replace("'", "\\'")
            found += places(each, f"{path}['{quoted}']")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            found += places(each, f"{path}[{at}]")
    return found


@given(VALUES)
def test_every_value_is_found_by_its_own_path(value: Any) -> None:
    for path, wanted in places(value):
        assert compiled(path).find(value) == [wanted]


@given(st.text(alphabet=".[]'\"*?(@)=<!ab01:-,$\\{} ", max_size=14), VALUES)
def test_any_text_is_a_path_or_a_mistake_within_it_and_any_object_is_looked_through(text: str, value: Any) -> None:
    try:
        path = compiled(text)
    except BadPath as error:
        assert 1 <= error.at <= len(text) + 1
        return
    assert len(path.find(value)) <= jsonpath.MOST
    assert len(path.find([value] * 5000)) <= jsonpath.MOST
