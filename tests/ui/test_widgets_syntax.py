"""Highlighting of single lines: spans that never overlap, block scalars, diffs."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.ui.widgets.syntax import PARTS, block_indent, diff_lines, in_block, yaml_spans


def parts(line, inside=False):
    return [(line[start:end], part) for start, end, part in yaml_spans(line, inside)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kind: Service", [("kind", "key"), (":", "mark")]),
        ("  replicas: 3 # three", [("replicas", "key"), (":", "mark"), ("3", "number"), ("# three", "comment")]),
        ("enabled: true", [("enabled", "key"), (":", "mark"), ("true", "constant")]),
        ("- name: x", [("-", "mark"), ("name", "key"), (":", "mark")]),
        ("- - 1", [("-", "mark"), ("-", "mark"), ("1", "number")]),
        ("-", [("-", "mark")]),
        ("# only", [("# only", "comment")]),
        ("---", [("---", "mark")]),
        ('a: "b # c" # d', [("a", "key"), (":", "mark"), ('"b # c"', "string"), ("# d", "comment")]),
        ("image: shop/cart:1.2.3", [("image", "key"), (":", "mark")]),
        ("url: http://x/#y", [("url", "key"), (":", "mark")]),
        ("base: &anchor", [("base", "key"), (":", "mark"), ("&anchor", "anchor")]),
        ("text: |-", [("text", "key"), (":", "mark"), ("|-", "mark")]),
        ('"quoted key": x', [('"quoted key"', "key"), (":", "mark")]),
        ("system:node: x", [("system:node", "key"), (":", "mark")]),
        ("key : x", [("key", "key"), (":", "mark")]),
        ("app.kubernetes.io/name: cart", [("app.kubernetes.io/name", "key"), (":", "mark")]),
        ("say: it's [fine], really", [("say", "key"), (":", "mark")]),
        (
            "list: [1, a]",
            [("list", "key"), (":", "mark"), ("[", "mark"), ("1", "number"), (",", "mark"), ("]", "mark")],
        ),
    ],
)
def test_lines(line, expected):
    assert parts(line) == expected


@given(st.text(st.sampled_from("ab:-#|>'\"\\ {}[],&*!0.?%\t漢"), max_size=30), st.booleans())
def test_spans_are_in_order_and_inside_the_line(line, inside):
    end = 0
    for start, stop, part in yaml_spans(line, inside):
        assert end <= start < stop <= len(line)
        assert part in PARTS
        end = stop


@pytest.mark.parametrize(
    "unit", ["a ", " ", "1", "1_", '"', "'", "\\", ": ", "- ", "| ", "a:", "#", " #", "{", "&a", "é", "-"]
)
def test_hostile_lines_take_linear_time(unit):
    """A hundred thousand of anything: with backtracking, this test would not come back."""
    for line in (unit * 100_000, "a" + unit * 100_000 + "x", "k: " + unit * 100_000 + "\x00"):
        yaml_spans(line)
        block_indent(line)


TEXT = """\
data:
  plain: x
  script: |
    #!/bin/sh
    if: not a key

    deeper:
      - still text
  after: y
list:
- run: >-
    folded: text
  name: z
- |
  item: text
- q: 1
end: here
"""


def test_block_scalars_are_found_by_looking_back():
    lines = TEXT.split("\n")
    inside = {at for at in range(len(lines)) if lines[at].strip() and in_block(lines.__getitem__, at, {})}
    assert inside == {3, 4, 6, 7, 11, 14}
    memo = {}
    assert {at for at in range(len(lines)) if lines[at].strip() and in_block(lines.__getitem__, at, memo)} == inside
    memo = {}
    backwards = reversed(range(len(lines)))
    assert {at for at in backwards if lines[at].strip() and in_block(lines.__getitem__, at, memo)} == inside


VALUES = st.recursive(
    st.one_of(
        st.integers(-9, 9), st.booleans(), st.sampled_from(["x", "a: b", "one\ntwo: 2\n  three\n", "- l\n- m\n"])
    ),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3, min_size=1),
        st.lists(inner, max_size=3, min_size=1),
    ),
    max_leaves=12,
)


class Blocks(yaml.SafeDumper):
    """Writes texts of several lines as block scalars."""


Blocks.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)
)


@given(VALUES)
def test_block_scalars_agree_with_a_parser(value):
    text = yaml.dump({"top": value}, Dumper=Blocks)
    lines = text.split("\n")
    expected = set()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.ScalarEvent) and event.style == "|":
            expected |= set(range(event.start_mark.line + 1, event.end_mark.line))
    memo = {}
    found = {at for at in range(len(lines)) if lines[at].strip() and in_block(lines.__getitem__, at, memo)}
    assert found == {at for at in expected if lines[at].strip()}


def test_diff_lines_count_and_are_told_apart():
    text = [
        "diff --git a/x b/x",
        "--- a/x",
        "+++ b/x",
        "@@ -3,3 +3,3 @@ spec:",
        " keep",
        "--- old",
        "+++ new",
        " keep",
        "\\ No newline at end of file",
    ]
    kinds, numbers = diff_lines(text)
    assert kinds == ["file", "file", "file", "hunk", "", "removed", "added", "", "file"]
    assert numbers[4:8] == [(3, 3), (4, 0), (0, 4), (5, 5)]
