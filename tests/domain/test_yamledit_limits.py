"""Hostile and broken input: a clear error, in bounded time and memory; and the traps of real files."""

from __future__ import annotations

import json

import pytest

from tui.domain.yamledit import (
    Missing,
    Refused,
    append_item,
    decode,
    delete,
    documents,
    get_value,
    insert_key,
    position,
    rename_key,
    replace,
    select,
    set_value,
)
from tui.domain.yamledit.split import MAX_TEXT, chunks


def test_an_alias_bomb_is_refused_where_it_is_read_and_edited_where_it_is_not() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    text = "\n".join([*lines, "name: web"]) + "\n"
    with pytest.raises(Refused, match="too many values"):
        get_value(text)
    assert get_value(text, "name") == "web"
    assert set_value(text, "name", "api").text == text.replace("name: web", "name: api")


def test_merge_bombs_are_refused() -> None:
    lines = ["a0: &a0 {k0: 1, j0: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}" for n in range(1, 12)]
    with pytest.raises(Refused, match="too many values"):
        get_value("\n".join(lines) + "\n")
    with pytest.raises(Refused):
        get_value("\n".join(lines) + "\n", "a11.nothing")


@pytest.mark.parametrize(
    "text", ["[" * 10_000, "{a: " * 10_000, "\n".join(" " * n + "a:" for n in range(10_000)), "- " * 10_000]
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        get_value(text)
    assert all(document.problem for document in documents(text))


def test_a_deep_new_value_is_refused() -> None:
    value: object = 1
    for _ in range(1000):
        value = [value]
    for text in ("a: 1\n", "a: {}\n", '{"a": 1}'):
        with pytest.raises(Refused):
            replace(text, "a", value)
    with pytest.raises(Refused):
        insert_key("a: 1\n", "b", value)
    for wrong in (object(), {1: 2}, b"x", {"a": {1}}):
        with pytest.raises(Refused):
            set_value("a: 1\n", "a", wrong)


def test_huge_texts_are_refused_at_once() -> None:
    text = "a: 1\n" + "#" * MAX_TEXT
    for refuse in (chunks, documents, get_value):
        with pytest.raises(Refused, match="64 MB"):
            refuse(text)
    with pytest.raises(Refused, match="64 MB"):
        decode(b"a" * (MAX_TEXT + 1))
    with pytest.raises(Refused, match="16 MB"):
        get_value("a: " + "x" * (17 << 20))
    assert get_value("a: 1\n---\na: " + "x" * (17 << 20), "a", 0) == 1


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(Refused) as error:
        decode(b"a: 1\nb: \xff\n")
    assert (error.value.line, error.value.column) == (2, 4)
    with pytest.raises(Refused, match="UTF-16"):
        decode("a: 1".encode("utf-16"))
    assert decode(b"\xef\xbb\xbfa: 1") == "\ufeffa: 1"
    with pytest.raises(Refused, match="surrogate"):
        get_value("a: \ud800")
    with pytest.raises(Refused, match="surrogate"):
        set_value("a: 1\n", "a", "\ud800")
    with pytest.raises(Refused, match="not valid YAML"):
        get_value("a: \x00")


def test_errors_name_the_place_in_the_whole_file() -> None:
    text = "a: 1\n---\nb: [1\nc: 2\n---\nd: 3\n"
    with pytest.raises(Refused) as error:
        set_value(text, "b", 1, 1)
    assert error.value.line == 4 and str(error.value.at("x.yaml")).startswith("x.yaml:4:")
    assert set_value(text, "d", 4, 2).text == text.replace("d: 3", "d: 4")
    with pytest.raises(Missing) as missing:
        get_value(text, "d.e", 2)
    assert missing.value.line == 6 and missing.value.depth == 1
    with pytest.raises(Missing):
        get_value(text, "a", 7)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("\ufeff", 0),
        ("---\n", 0),
        ("# only\n---\n...\n", 0),
        ("a: 1\n---\n---\nb: 1\n", 2),
        ("a: |\n  ---\n  x\nb: 1\n", 1),
        ("a: '\n  --- x'\n", 1),
        ("--- a\n--- b\n---\tc\n---d: 1\n", 3),
        ("a: 1\n...\nb: 2\n...\n", 2),
        ("%YAML 1.1\n---\na: 1\n", 1),
        ("a: 1\n...\n%TAG ! tag:x,2000:\n---\nb: 1\n", 2),
        ("a: 1\r\n---\r\nb: 1", 2),
        ("a: 1\r---\rb: 1", 2),
        ("\ufeff--- \na: 1\n--- # c\nb: 1\n", 2),
        ("a: ---\nb: a---\n", 1),
        ("--- |\n text\n--- >\n more\n", 2),
    ],
)
def test_documents_are_counted_as_kubectl_counts_them(text: str, count: int) -> None:
    assert len(documents(text)) == count


def test_an_edit_in_one_document_leaves_templates_in_others_alone() -> None:
    text = "a: {{ if }}\n---\nb: 1\n--- # {{ end }}\n{{- range }}\nc: [\n"
    assert set_value(text, "b", 2, 1).text == text.replace("b: 1", "b: 2")


def test_documents_are_named_in_many_ways() -> None:
    text = "kind: A\nmetadata: {name: x, namespace: n}\n---\nkind: B\nmetadata: {name: x}\n---\n"
    text += "kind: B\nmetadata: {name: y}\n"
    assert [select(text, word) for word in (None, "", "1", 2, "a/x", "A/n/x", "y", "B/y", "A")] == [
        None, None, 1, 2, 0, 0, 2, 2, 0,
    ]  # fmt: skip
    for word in ("x", "B"):
        with pytest.raises(Refused):
            select(text, word)
    with pytest.raises(Missing):
        select(text, "nothing")


JSON = '{\n  "a": 1,\n  "list": [\n    "x"\n  ],\n  "o": {"k": "v"}\n}\n'


def test_json_stays_json() -> None:
    for edited in (
        set_value(JSON, "a", 'q"\u2028\x85\U0001f600\n'),
        set_value(JSON, "a", 1e21),
        set_value(JSON, "new.deep", [{"x": None}]),
        append_item(JSON, "list", "y"),
        delete(JSON, "list[0]"),
        delete(JSON, "o.k"),
        rename_key(JSON, "a", "b c"),
        replace(JSON, "o", {"l": [1, 2]}),
        insert_key("{}", "a", {"b": "c"}),
    ):
        json.loads(edited.text)
    assert append_item(JSON, "list", "y").text == JSON.replace('    "x"\n', '    "x",\n    "y"\n')
    assert insert_key(JSON, "z", True).text == JSON.replace('"v"}\n', '"v"},\n  "z": true\n')
    assert delete(append_item(JSON, "list", "y").text, "list[1]").text == JSON
    assert json.loads(set_value(JSON, "a", 'q"\u2028\x85\n').text)["a"] == 'q"\u2028\x85\n'


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("a: 1", "a", 2, "a: 2"),
        ("a: 1\r\nb: 2\r\n", "c", 3, "a: 1\r\nb: 2\r\nc: 3\r\n"),
        ("\ufeffa: 1\n", "a", 2, "\ufeffa: 2\n"),
        ("a:\t1\t# c\n", "a", 2, "a:\t2\t# c\n"),
        ("a:\n", "a", "x", "a: x\n"),
        ("a: # c\n", "a", "x", "a: x # c\n"),
        ("a: ~\n", "a.b", 1, "a:\n  b: 1\n"),
        ("a: # c\nz: 1\n", "a.b", 1, "a: # c\n  b: 1\nz: 1\n"),
        ("a: {}\n", "a.b", 1, "a:\n  b: 1\n"),
        ("a: {x: 1}\n", "a.b", 1, "a: {x: 1, b: 1}\n"),
        ("a: | # why\n  x\n  y\nb: 1\n", "a", "z\n", "a: | # why\n  z\nb: 1\n"),
        ("a: |-\n    x\n    y\n\nb: 1\n", "a", "z\nw\n", "a: |\n    z\n    w\n\nb: 1\n"),
        ("a: |+\n  x\n\nb: 1\n", "a", "z", "a: z\nb: 1\n"),
        ("a: >-\n  x\n  y\n", "a", "z\nw", "a: >-\n  z\n\n  w\n"),
        ("a: |2\n   x\n", "a", " y\nz\n", "a: |2\n   y\n  z\n"),
        ("a: 'it''s'\n", "a", "that's", "a: 'that''s'\n"),
        ("a: 'x'\n", "a", "x\ty", 'a: "x\\ty"\n'),
        ("a: plain\n", "a", "yes", 'a: "yes"\n'),
        ("a: 'q'\nb: plain\n", "b", "yes", "a: 'q'\nb: 'yes'\n"),
        ('a: "5"\n', "a", 5, "a: 5\n"),
        ("a:\n    b: 1\n", "c.d", 1, "a:\n    b: 1\nc:\n    d: 1\n"),
        ("l:\n- x: 1\n  y: 2\n", "l[0].z", 3, "l:\n- x: 1\n  y: 2\n  z: 3\n"),
        ("l:\n  -   x: 1\n", "l[0].w", 2, "l:\n  -   x: 1\n      w: 2\n"),
        ("a: 1\n", "y", 2, 'a: 1\n"y": 2\n'),
        ("- - a\n  - b\n", "[0][1]", "c", "- - a\n  - c\n"),
        ("a: {b, c: }\n", "a.b", 1, "a: {b: 1, c: }\n"),
        ("a: {b, c: }\n", "a.c", 1, "a: {b, c: 1}\n"),
        ("a: 1 # x\n# tail\n", "b", 2, "a: 1 # x\nb: 2\n# tail\n"),
        ("a:\n  b: 1\n  # in a\n# out\n", "c", 2, "a:\n  b: 1\n  # in a\nc: 2\n# out\n"),
        ("b: 1\nd: 2\n", "c", 3, "b: 1\nc: 3\nd: 2\n"),
        ('"a": "x"\n', "a", "y", '"a": "y"\n'),
        ("日本: 語\n", "日本", "😀", "日本: 😀\n"),
    ],
)
def test_traps(before: str, path: str, value: object, after: str) -> None:
    assert set_value(before, path, value).text == after


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("a: !!str 5\n", "a", "tag"),
        ("a: 1\na: 2\n", "a", "twice"),
        ("? a\n: 1\n", "b", "explicit"),
        ("a: |\n  x", "b", "line break"),
        ("[a: 1]\n", "[0].b", "bare pair"),
    ],
)
def test_what_cannot_be_exact_is_refused(text: str, path: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        set_value(text, path, "new")


def test_comments_inside_flow_are_not_deleted() -> None:
    with pytest.raises(Refused, match="comment"):
        delete("a: [\n  1 # one\n]\n", "a[0]")
    assert delete("a: [\n  1, # one\n  2\n]\n", "a[1]").text == "a: [\n  1, # one\n]\n"
    assert position("a: [1, 2]\n", "a[1]") == (1, 8)
