"""A scalar that is written reads the same to every reader: PyYAML, a YAML 1.2 parser and kubectl, in every style."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.yamledit import Refused, append_item, dump, get_value, insert_key, rename_key, set_value

KUBECTL = shutil.which("kubectl")
TEXT = "plain: x\ndouble: \"x\"\nsingle: 'x'\nblock: |\n  x\nfolded: >-\n  x\nflow: {k: v, l: [x]}\nlist:\n- x\n"
TRICKY = (
    "y", "Y", "n", "on", "Off", "yes", "NO", "true", "True", "~", "null", "Null", "", " ", " lead", "trail ", "\tx",
    "x\t", "1e3", "1E3", "1.", ".5", "+.5", "0o7", "0O7", "08", "007", "0x1f", "0b1", "12:30", "12:30:45", "-1:20",
    "1_000", "_1", "1__0", "1e400", "-0", "+1", "0.", ".", "..", ".inf", "-.Inf", "+.INF", ".nan", "NaN", "inf",
    "9223372036854775808", "2024-01-01", "2024-1-1", "2024-01-01T00:00:00Z", "2024-01-01 00:00:00", "=", "<<", "a: b",
    "a:", ":", ": a", "a :b", "- x", "-", "--", "---", "--- x", "...", "-x", "? x", "?", "%x", "@x", "`", "`x`", "!t",
    "!", "!!str x", "&a", "*a", "&", "*", "#", "#x", "a #b", "a#b", "|", ">", "|-", "'", '"', "''", '""', "it's",
    'a"b', "\\", "\\n", "a\\", "[", "]", "{", "}", ",", "a,b", "a, b", "[x]", "{x}", "{{ x }}", "a\nb", "a\nb\n",
    "\n", "\n\n", "\na", " a\nb", "a\n  b\n", "a\n\nb\n\n", "# a\nb\n", "\ta\nb\n", "a \nb\n", "\r", "a\rb", "a\r\nb",
    "\x85", "a\x85b", "\u2028", "a\u2029b\n", "\ufeff", "a\ufeff", "\x07", "\x1b[31m", "\x7f", "\x80", "\x9f", "\xa0",
    "\u200b", "\u202e", "\ufffe", "\uffff", "\U0001f600", "é", "日本", "\U0010ffff", "x" * 5000, "long words " * 500,
    "'" * 300, '"' * 300, "\u0663", "٣", "１", "k: v\n- x\n", "key", "nil",
)  # fmt: skip


def places(value: Any, text: str = TEXT) -> str:
    """The value written in every style: over each scalar, into lists and mappings, as a key."""
    for path in ("plain", "double", "single", "block", "folded", "flow.k", "flow.l[0]", "list[0]"):
        text = set_value(text, path, value).text
    text = append_item(text, "list", value).text
    text = append_item(text, "flow.l", value).text
    text = insert_key(text, "added", value).text
    return insert_key(text, "deep", {"a": [value], "b": {"c": value}}).text


def found(data: Any) -> list[Any]:
    """What a reader of `places` sees, in each place."""
    return [
        data["plain"], data["double"], data["single"], data["block"], data["folded"], data["flow"]["k"],
        *data["flow"]["l"], *data["list"], data["added"], data["deep"]["a"][0], data["deep"]["b"]["c"],
    ]  # fmt: skip


def equal(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right


text_of_any_kind = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30),
    st.text(alphabet="ab01:-#,[]{}'\"\\!&*?|>%@` \n\t.~=<yn_+eoxXTZ\x85\u2028", max_size=8),
    st.from_regex(r"[-+]?[0-9_:.xobeE]{1,8}", fullmatch=True),
    st.sampled_from(TRICKY),
)
numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)


@given(st.one_of(text_of_any_kind, numbers))
def test_pyyaml_and_the_editor_read_what_was_written(value: Any) -> None:
    written = places(value)
    for data in (yaml.safe_load(written), get_value(written), yaml.load(written, yaml.CSafeLoader)):
        for read in found(data):
            assert equal(read, value), (value, written)


@pytest.mark.parametrize("value", TRICKY)
def test_tricky_texts_as_values_and_keys(value: str) -> None:
    written = places(value)
    assert all(equal(read, value) for read in found(yaml.safe_load(written)))
    for text in ("a: 1\n", '"a": 1\n', "{a: 1}\n", "- a: 1\n", '{"a": 1}') if len(value) <= 1024 else ():
        path = "[0].a" if text.startswith("-") else "a"
        loaded = yaml.safe_load(rename_key(text, path, value).text)
        assert (loaded[0] if isinstance(loaded, list) else loaded) == {value: 1}
        assert value.isprintable() or not (set(rename_key(text, path, value).text) - {"\n"} - set(text)) & set(
            "\x1b\x07"
        )
    assert json.loads(set_value('{"a": 1}', "a", value).text) == {"a": value}
    assert yaml.safe_load(dump(value)) == value == get_value(dump({"k": value}), "k")


def test_yaml_1_2_reads_the_same() -> None:
    ruamel = pytest.importorskip("ruamel.yaml")
    reader = ruamel.YAML(typ="safe", pure=True)
    for value in (*TRICKY, 0, -7, 10**18, 1.5, 1e21, 1e-9, True, False, None):
        for read in found(reader.load(places(value))):
            assert equal(read, value), value


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on PATH")
def test_kubectl_reads_the_same() -> None:
    values = [*TRICKY, 0, -7, 10**18, 1.5, 1e21, 1e-9, True, False, None]
    objects = "".join(
        "---\napiVersion: example.org/v1\nkind: X\nmetadata: {name: x}\nspec:\n"
        + "".join("  " + line for line in places(value).splitlines(keepends=True))
        for value in values
    )
    command = [str(KUBECTL), "label", "--local", "-f", "-", "zz=zz", "-o", "json"]
    done = subprocess.run(command, input=objects.encode(), capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()[:2000]
    decoder, at, text = json.JSONDecoder(), 0, done.stdout.decode()
    for value in values:
        data, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        for read in found(data["spec"]):
            if isinstance(value, float):
                assert float(read) == value and not isinstance(read, bool)
            else:
                assert equal(read, value), value


@given(st.text(alphabet=st.characters(categories=("Cs",)), min_size=1, max_size=3), st.booleans())
def test_halves_of_surrogate_pairs_are_refused(half: str, key: bool) -> None:
    for text in (TEXT, '{"plain": 1}'):
        with pytest.raises(Refused, match="surrogate"):
            rename_key(text, "plain", half) if key else set_value(text, "plain", "a" + half)
    with pytest.raises(Refused, match="surrogate"):
        dump({half: 1} if key else [half])


def test_keys_longer_than_yaml_allows_are_refused() -> None:
    for edit in (
        lambda key: rename_key("a: 1\n", "a", key),
        lambda key: insert_key("a: 1\n", (key,), 1),
        lambda key: set_value("a: 1\n", "a", {key: 1}),
    ):
        with pytest.raises(Refused, match="1,024"):
            edit("k" * 1025)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 2**63, -(2**63) - 1])
def test_numbers_that_kubectl_would_change_are_refused(value: float) -> None:
    with pytest.raises(Refused):
        set_value(TEXT, "plain", value)
