"""Anchors, aliases and merge keys: an edit of something shared asks, changes all, or changes only here."""

from __future__ import annotations

from random import Random

import pytest

from tests.domain import yamlgen as gen
from tui.domain.yamledit import (
    Edited,
    Refused,
    Shared,
    append_item,
    delete,
    get_value,
    insert_key,
    rename_key,
    set_value,
)

TEXT = """\
base: &b
  image: nginx  # c
  env:
    A: "1"
one:
  <<: *b
  name: one
two: *b
three: &n 5
four: *n
list: &l
- a
more: *l
"""


def diff(edited: Edited) -> tuple[list[str], list[str]]:
    before, after = TEXT.splitlines(), edited.text.splitlines()
    gone = [line for line in before if line not in after]
    return gone, [line for line in after if line not in before]


def test_reading_goes_through_aliases_and_merges() -> None:
    base = {"image": "nginx", "env": {"A": "1"}}
    assert get_value(TEXT, "one") == {**base, "name": "one"} and get_value(TEXT, "two") == base
    assert get_value(TEXT, "one.env.A") == "1" and get_value(TEXT, "four") == 5 and get_value(TEXT, "more[0]") == "a"


@pytest.mark.parametrize(
    ("path", "users"),
    [
        ("one.image", (6, 8)),
        ("two.env.A", (6, 8)),
        ("base.image", (6, 8)),
        ("three", (10,)),
        ("four", (10,)),
        ("more[0]", (13,)),
    ],
)
def test_what_is_shared_is_asked_about(path: str, users: tuple[int, ...]) -> None:
    with pytest.raises(Shared) as error:
        set_value(TEXT, path, "new")
    assert error.value.users == users and error.value.line > 0 and error.value.anchor in ("b", "n", "l")
    assert not set_value(TEXT, path, get_value(TEXT, path)).changed


def test_all_changes_the_anchor() -> None:
    for path in ("one.image", "two.image", "base.image"):
        edited = set_value(TEXT, path, "caddy", shared="all")
        assert diff(edited) == (["  image: nginx  # c"], ["  image: caddy  # c"])
    assert diff(set_value(TEXT, "four", 6, shared="all")) == (["three: &n 5"], ["three: &n 6"])
    assert get_value(append_item(TEXT, "more", "b", shared="all").text, "list") == ["a", "b"]
    assert get_value(insert_key(TEXT, "two.new", 1, shared="all").text, "one.new") == 1
    assert get_value(set_value(TEXT, "base", {"a": 1}, shared="all").text, "two") == {"a": 1}
    assert get_value(set_value(TEXT, "base", 1, shared="all").text.replace("  <<: *b\n", ""), "two") == 1
    assert diff(delete(TEXT, "two.image", shared="all")) == (["  image: nginx  # c"], [])
    assert diff(rename_key(TEXT, "two.image", "img", shared="all"))[1] == ["  img: nginx  # c"]


def test_here_changes_only_the_place_named() -> None:
    assert diff(set_value(TEXT, "one.image", "caddy", shared="here")) == ([], ["  image: caddy"])
    for path, value in (("two.image", "caddy"), ("four", 6), ("one.env.A", "2")):
        edited = set_value(TEXT, path, value, shared="here")
        before, after = get_value(TEXT), get_value(edited.text)
        assert get_value(edited.text, path) == value
        key = path.split(".")[0]
        assert {name: part for name, part in after.items() if name != key} == {
            name: part for name, part in before.items() if name != key
        }
    assert get_value(append_item(TEXT, "more", "b", shared="here").text, "list") == ["a"]
    for path in ("base.image", "three"):
        with pytest.raises(Shared, match="for all"):
            set_value(TEXT, path, "new", shared="here")
    with pytest.raises(Shared):
        delete(TEXT, "one.image", shared="here")


def test_an_alias_itself_can_go_but_its_anchor_cannot() -> None:
    assert diff(delete(TEXT, "two")) == (["two: *b"], [])
    with pytest.raises(Refused, match="used elsewhere"):
        delete(TEXT, "base")


def test_an_anchor_nobody_uses_is_no_question() -> None:
    assert set_value("a: &x 1\nb: &y\n  c: 1\n", "a", 2).text == "a: &x 2\nb: &y\n  c: 1\n"
    assert set_value("b: &y\n  c: 1\n", "b.c", 2).text == "b: &y\n  c: 2\n"
    assert delete("b: &y\n  c: 1\nd: 1\n", "b.c").text == "b: &y {}\nd: 1\n"
    assert append_item("l: &y\n- 1\n", "l", 2).text == "l: &y\n- 1\n- 2\n"


def test_broken_aliases_are_named() -> None:
    for text, reason in (("a: *x\n", "no anchor before"), ("a: &x [*x]\n", "own anchor")):
        with pytest.raises(Refused, match=reason):
            get_value(text)


def test_here_changes_nothing_else_in_generated_documents() -> None:
    done = 0
    for seed in range(3000):
        random = Random(seed)
        text = gen.text(random)
        if "*" not in text or "&n" not in text:
            continue
        before = gen.compose(text)
        if not before:
            continue
        doc = random.randrange(len(before))
        path = random.choice(gen.paths(before[doc]))
        value = gen.value(random, 0)
        try:
            edited = set_value(text, path, value, doc, shared="here")
        except Refused:
            continue
        if not edited.changed:
            continue
        after = gen.compose(edited.text)
        assert after is not None and len(after) == len(before)
        done += 1
        for index, data in enumerate(after):
            wanted = gen.changed(before[doc], path, gen.intended(value)) if index == doc else before[index]
            assert gen.equal(data, wanted, True) if index == doc else data == wanted, (text, path, value, edited.text)
    assert done > 30
