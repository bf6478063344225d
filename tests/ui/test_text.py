"""Foreign text: nothing reaches the terminal that could act, hide or reorder."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.ui.text import SHOWN, fit, padded, part, safe, width_of

NASTY = st.text(
    st.one_of(
        st.characters(),  # everything, surrogates included
        st.sampled_from("\x1b\x9b\x00\r\n\t\x7f\u202e\u2066\u200b\u200d\ufe0f\u0301\u0489\u00a0\u2028\u3164\ud800[]"),
        st.sampled_from("漢字🇩🇪👩‍💻⚠️é한\U0001f3fd"),
    ),
    max_size=60,
)
ACTIVE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@given(NASTY)
def test_nothing_active_or_invisible_is_left(text):
    shown = safe(text)
    assert not [char for char in shown if unicodedata.category(char) in ACTIVE]
    assert not {"\u3164", "\u115f", "\u1160", "\uffa0", "\u034f", "\ufe0f"} & set(shown)
    assert all(char == " " for char in shown if char.isspace())
    assert safe(shown) == shown


@given(NASTY)
def test_marks_have_a_base_and_do_not_pile_up(text):
    marks, base = 0, False
    for char in safe(text):
        if unicodedata.category(char)[0] == "M":
            marks += 1
            assert base and marks <= 2
        else:
            marks, base = 0, char != " "


@given(NASTY, st.integers(0, 40))
def test_fit_stays_within_its_width(text, width):
    shown = fit(text, width)
    assert cell_len(shown) == width_of(shown) <= width
    assert safe(shown) == shown
    if width_of(safe(text)) <= width:
        assert shown == safe(text)
    elif width:
        assert shown.endswith("…")


@given(NASTY, st.integers(0, 40), st.booleans())
def test_padded_is_exactly_its_width(text, width, right):
    assert cell_len(padded(text, width, right)) == width


@given(NASTY, st.integers(0, 70), st.integers(0, 40))
def test_part_is_exactly_its_width(text, start, width):
    shown = part(safe(text), start, width)
    assert cell_len(shown) == width


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_is_left_alone(text):
    assert safe(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\tb\r\nc", "a␉b␍␊c"),
        ("user\u202egpj.exe", "user�gpj.exe"),
        ("zero\u200bwidth", "zero�width"),
        ("⚠\ufe0f careful", "⚠ careful"),
        ("\U0001f1e9\U0001f1ea", "DE"),
        ("\u0301a", "◌\u0301a"),
        ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301"),
        ("a\u00a0b\u3000c", "a b c"),
        ("\x9b31m", "�31m"),
        ("\ud83d", "�"),
        ("漢字 müde", "漢字 müde"),
    ],
)
def test_examples(text, shown):
    assert safe(text) == shown


def test_long_texts_are_cut_before_they_are_cleaned():
    assert fit("x" * 10_000_000, 5) == "xxxx…"
    assert fit("漢" * 1000, 5) == "漢漢…"


def test_part_splits_wide_characters_into_spaces():
    assert part("漢字x", 1, 4) == " 字x"
    assert part("漢字x", 0, 3) == "漢 "


def test_texts_that_were_shown_are_forgotten():
    long = "x" * 10_000
    count = sys.getrefcount(long)
    assert padded(long, 5) == "xxxx…" and fit(long, 5) == "xxxx…"
    assert sys.getrefcount(long) == count
    used = []
    for at in range(1, 4):
        for number in range(SHOWN):
            assert padded(f"{at}-{number}-é", 20)
        used.append(sys.getallocatedblocks())
    assert used[-1] - used[0] < SHOWN  # two rounds of keys and texts that are kept would be many times as much
