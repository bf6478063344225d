"""The surgical editor by example: what each edit does to the text, and what it will not do."""

from __future__ import annotations

import pytest

from tui.domain.yamledit import (
    Missing,
    Refused,
    append_item,
    delete,
    documents,
    get_value,
    insert_key,
    position,
    rename_key,
    replace,
    set_value,
)

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the name
  labels:
    app: web
spec:
  replicas: 3   # three
  template:
    spec:
      containers:
      - name: app
        image: "nginx:1.2"
        args: [a, 'b']
      - name: side
        image: busybox
"""


def lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines taken away and lines added."""
    old, new = before.split("\n"), after.split("\n")
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return old[head : len(old) - tail], new[head : len(new) - tail]


def test_a_scalar_keeps_its_quotes_and_its_comment() -> None:
    edited = set_value(DEPLOYMENT, "spec.replicas", 5)
    assert lines(DEPLOYMENT, edited.text) == (["  replicas: 3   # three"], ["  replicas: 5   # three"])
    assert edited.line == 8
    edited = set_value(DEPLOYMENT, "spec.template.spec.containers[name=app].image", "nginx:1.3")
    assert lines(DEPLOYMENT, edited.text) == (['        image: "nginx:1.2"'], ['        image: "nginx:1.3"'])
    assert edited.undo() == DEPLOYMENT


def test_what_is_so_already_changes_nothing() -> None:
    edited = set_value(DEPLOYMENT, "spec.replicas", 3)
    assert not edited.changed and edited.text == DEPLOYMENT
    assert set_value(DEPLOYMENT, "spec.replicas", "3").text == DEPLOYMENT.replace(": 3 ", ': "3" ')


@pytest.mark.parametrize(
    ("path", "value", "added"),
    [
        ("metadata.namespace", "prod", ["  namespace: prod"]),
        ("metadata.labels.tier", "front", ["    tier: front"]),
        ('metadata.annotations."a.b/c"', "true", ["  annotations:", '    a.b/c: "true"']),
        ("spec.template.spec.containers[name=app].command", ["x"], ["        command:", "        - x"]),
        ("spec.text", "a\nb\n", ["  text: |", "    a", "    b"]),
    ],
)
def test_a_missing_key_goes_to_its_natural_place(path: str, value: object, added: list[str]) -> None:
    edited = set_value(DEPLOYMENT, path, value)
    assert lines(DEPLOYMENT, edited.text) == ([], added)
    assert get_value(edited.text, path) == value
    with pytest.raises(Missing):
        set_value(DEPLOYMENT, path, value, create=False)


def test_lists_grow_and_shrink_in_their_own_style() -> None:
    edited = append_item(DEPLOYMENT, "spec.template.spec.containers[0].args", "c")
    assert lines(DEPLOYMENT, edited.text)[1] == ["        args: [a, 'b', c]"]
    edited = append_item(DEPLOYMENT, "spec.template.spec.containers", {"name": "z", "env": [{"name": "A"}]})
    assert lines(DEPLOYMENT, edited.text) == ([], ["      - name: z", "        env:", "        - name: A"])
    assert delete(edited.text, "spec.template.spec.containers[-1]").text == DEPLOYMENT
    edited = delete(DEPLOYMENT, "spec.template.spec.containers[0].name")
    assert '      - image: "nginx:1.2"\n' in edited.text


def test_what_gets_empty_is_written_so() -> None:
    assert lines(DEPLOYMENT, delete(DEPLOYMENT, "metadata.labels.app").text)[1] == ["  labels: {}"]
    assert delete("# c\na:\n  # d\n  b: 1 # e\n# f\n", "a").text == "# c\n{}\n# f\n"
    assert delete("--- # x\na: 1\n---\nb: 1\n", "a", 0).text == "--- # x\n{}\n---\nb: 1\n"
    assert delete("- 1", "[0]").text == "[]"
    with pytest.raises(Refused, match="whole document"):
        delete("a: 1\n", "")


def test_a_collection_changes_only_where_it_differs() -> None:
    value = get_value(DEPLOYMENT, "spec")
    value["template"]["spec"]["containers"][1]["image"] = "alpine"
    edited = set_value(DEPLOYMENT, "spec", value)
    assert lines(DEPLOYMENT, edited.text) == (["        image: busybox"], ["        image: alpine"])
    assert lines(DEPLOYMENT, replace(DEPLOYMENT, "metadata.labels", {"a": "1"}).text)[1] == ['    a: "1"']


def test_keys_are_renamed_in_place() -> None:
    assert lines(DEPLOYMENT, rename_key(DEPLOYMENT, "spec.replicas", "size").text)[1] == ["  size: 3   # three"]
    with pytest.raises(Refused):
        rename_key(DEPLOYMENT, "spec.replicas", "template")
    with pytest.raises(Refused):
        insert_key(DEPLOYMENT, "spec.replicas", 1)


def test_documents_and_positions() -> None:
    text = DEPLOYMENT + "---\n# nothing\n---\nkind: X\nmetadata: {name: a, namespace: b}\n"
    first, second = documents(text)
    assert (first.kind, first.name, first.group, first.start_line, first.end_line) == (
        "Deployment",
        "web",
        "apps",
        1,
        16,
    )
    assert (second.index, second.kind, second.name, second.namespace, second.line) == (1, "X", "a", "b", 20)
    assert position(text, "metadata.name", 1) == (21, 12)
    with pytest.raises(Refused):
        position(text, "metadata.name")
    assert set_value(text, "metadata.name", "c", 1).text == text.replace("{name: a,", "{name: c,")
    assert position(DEPLOYMENT, "spec.template.nothing.here", nearest=True) == (9, 3)
