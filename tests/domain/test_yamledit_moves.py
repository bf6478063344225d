"""Moving entries, and editing what is plain in Helm templates."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.domain import yamlgen as gen
from tui.domain.yamledit import (
    Edited,
    Match,
    Refused,
    append_item,
    delete,
    get_value,
    insert_item,
    insert_key,
    move,
    position,
    rename_key,
    set_value,
)

TEXT = """\
a: 1
# about b
b:
  - name: x
    # deep
    v: 1
  - name: w # why
c: 3
"""


def test_entries_move_with_their_comments() -> None:
    assert move(TEXT, "c", before="a").text == "c: 3\n" + TEXT.replace("c: 3\n", "")
    moved = move(TEXT, "b", after="c")
    assert moved.text.splitlines()[:3] == ["a: 1", "c: 3", "# about b"] and get_value(moved.text) == get_value(TEXT)
    assert moved.undo() == TEXT
    assert move(moved.text, "b", before="c").text == TEXT
    swapped = move(TEXT, "b[0]", after=-1).text
    assert [item["name"] for item in get_value(swapped, "b")] == ["w", "x"] and "    # deep\n" in swapped
    assert move(swapped, "b[name=x]", before=Match("name", "w")).text == TEXT
    assert not move(TEXT, "b", after="a").changed and not move(TEXT, "b", before="c").changed


def test_values_move_to_other_places() -> None:
    assert move(TEXT, "c", to="a2.c").text == TEXT.replace("c: 3\n", "").replace("a: 1\n", "a: 1\na2:\n  c: 3\n")
    assert get_value(move(TEXT, "c", to="b").text, "b[2]") == 3
    assert get_value(move(TEXT, "b[-1]", to="z").text) == {
        "a": 1,
        "b": [{"name": "x", "v": 1}],
        "c": 3,
        "z": {"name": "w"},
    }
    for path, target in (("b", "b.x"), ("b", "z"), ("a", "c"), ("nothing", "z")):
        with pytest.raises(Refused):
            move(TEXT, path, to=target)
    with pytest.raises(Refused):
        move(TEXT, "a")


def test_what_depends_on_its_order_stays() -> None:
    for text in ("a: &x 1\nb: *x\nc: 1\n", "{a: 1, c: 2}\n", "- a: 1\n  c: 2\n"):
        path, sibling = ("[0].a", "c") if text.startswith("-") else ("a", "c")
        with pytest.raises(Refused):
            move(text, path, after=sibling)


def test_moves_in_generated_documents() -> None:
    done = 0
    for seed in range(3000):
        random = Random(seed)
        text = gen.text(random)
        before = gen.compose(text)
        if not before or "*" in text:
            continue
        doc = random.randrange(len(before))
        holders = [p for p in gen.paths(before[doc]) if isinstance(gen.at(before[doc], p)[1], list)]
        holder = random.choice(holders) if holders else None
        parts = gen.at(before[doc], holder)[1] if holder is not None else []
        if holder is None or len(parts) < 2:
            continue
        names = [part[0][1] for part in parts] if gen.is_map(gen.at(before[doc], holder)) else list(range(len(parts)))
        what, other = random.sample(range(len(parts)), 2)
        try:
            edited = move(text, (*holder, names[what]), doc, after=names[other])
        except Refused:
            continue
        done += 1
        rest = [part for index, part in enumerate(parts) if index != what]
        rest.insert(other + (what > other), parts[what])
        after = gen.compose(edited.text)
        assert after is not None and edited.undo() == text
        before[doc] = gen.changed(before[doc], holder, (gen.at(before[doc], holder)[0], rest))
        assert after == before, (text, holder, names[what], names[other], edited.text)
        if text.endswith("\n"):
            lines = (sorted(each.removeprefix("\ufeff").split("\n")) for each in (edited.text, text))
            assert next(lines) == next(lines)
    assert done > 200


TEMPLATE = """\
{{- if .Values.enabled }}
kind: Deployment
metadata:
  name: {{ include "x" . }}
  labels:
    {{- include "labels" . | nindent 4 }}
    tier: front # c
spec:
  {{- if not .Values.hpa }}
  replicas: 3
  {{- end }}
  image: "{{ .Values.image }}:{{ .Values.tag | default "x" }}"
  args: ["--a", {{ .b }}]
  {{- /* several
 lines */}}
  port: 80
{{- end }}
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("spec.replicas", 5, "replicas: 3", "replicas: 5"),
        ("metadata.labels.tier", "yes", "tier: front", 'tier: "yes"'),
        ("spec.args[0]", "--b", '"--a"', '"--b"'),
        ("spec.port", 81, "port: 80", "port: 81"),
    ],
)
def test_plain_values_of_a_template_can_be_set(path: str, value: object, old: str, new: str) -> None:
    edited = set_value(TEMPLATE, path, value)
    assert edited.text == TEMPLATE.replace(old, new) and edited.undo() == TEMPLATE
    assert get_value(TEMPLATE, "kind") == "Deployment" and position(TEMPLATE, "spec.port") == (16, 3)


def test_everything_else_in_a_template_is_left_alone() -> None:
    for path in ("metadata.name", "spec.image", "spec.args[1]", "spec.args", "spec"):
        with pytest.raises(Refused, match="template"):
            set_value(TEMPLATE, path, "x")
        with pytest.raises(Refused, match="template"):
            get_value(TEMPLATE, path)
    for refused in (
        lambda: insert_key(TEMPLATE, "spec.x", 1),
        lambda: delete(TEMPLATE, "spec.replicas"),
        lambda: set_value(TEMPLATE, "spec.replicas", "{{ x }}"),
        lambda: set_value(TEMPLATE, "spec.replicas", {"a": "{{"}),
    ):
        with pytest.raises(Refused):
            refused()
    with pytest.raises(Refused, match="not valid YAML"):
        get_value("a: {{ x }}\nb: [\n", "a")
    branches = "a:\n  {{- if x }}\n  b: 1\n  {{- else }}\n  b: 2\n  {{- end }}\n"
    with pytest.raises(Refused, match="twice"):
        set_value(branches, "a.b", 3)


PLAIN_PARTS = """\
{{- if .Values.enabled }}
kind: Deployment
metadata:
  labels:
    app: web   # c
    tier: front
    {{- end }}
spec:
  args:
    - a
    - b
  env:
    - name: A
      value: {{ .a }}
  ports: [80, 81]
  {{- with .x }}
  more: {a: 1}
  {{- end }}
"""


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (lambda: append_item(PLAIN_PARTS, "spec.args", "c"), "    - b\n", "    - b\n    - c\n"),
        (lambda: insert_item(PLAIN_PARTS, "spec.args", 1, {"x": 1}), "    - b\n", "    - x: 1\n    - b\n"),
        (lambda: delete(PLAIN_PARTS, "spec.args[0]"), "    - a\n", ""),
        (lambda: append_item(PLAIN_PARTS, "spec.ports", 82), "81]", "81, 82]"),
        (lambda: insert_key(PLAIN_PARTS, "spec.more.b", 2), "{a: 1}", "{a: 1, b: 2}"),
        (lambda: insert_key(PLAIN_PARTS, "metadata.labels.zone", "x"), "front\n", "front\n    zone: x\n"),
        (lambda: delete(PLAIN_PARTS, "metadata.labels.app"), "    app: web   # c\n", ""),
        (lambda: rename_key(PLAIN_PARTS, "metadata.labels.tier", "role"), "tier:", "role:"),
        (lambda: set_value(PLAIN_PARTS, "spec.args", ["b", "c"]), "    - a\n    - b\n", "    - b\n    - c\n"),
    ],
)
def test_collections_without_an_action_can_be_edited(edit: Callable[[], Edited], old: str, new: str) -> None:
    edited = edit()
    assert edited.text == PLAIN_PARTS.replace(old, new) and edited.undo() == PLAIN_PARTS


def test_beside_an_action_nothing_is_added_or_deleted() -> None:
    inside = "a:\n  {{- if x }}\n  b: 1\n  {{- end }}\n  c: 2\nd:\n  - 1\n    {{- end }}\n{{ range }}\ne: [1]\n"
    for refused in (
        lambda: insert_key(inside, "a.z", 1),
        lambda: delete(inside, "a.b"),
        lambda: append_item(inside, "d", 2),
        lambda: insert_key(inside, "z", 1),
        lambda: append_item(PLAIN_PARTS, "spec.env", {"name": "B"}),
        lambda: delete(PLAIN_PARTS, "spec.env[0].value"),
        lambda: append_item(PLAIN_PARTS, "spec.args", "{{ x }}"),
        lambda: delete(PLAIN_PARTS, "spec.more"),
    ):
        with pytest.raises(Refused, match="template"):
            refused()
