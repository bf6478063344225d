"""Conflicts as data: keys, words and runs of lines; and where a draft stands when there are some."""

from __future__ import annotations

import msgspec
import pytest

from tui.domain.drafts.conflict import (
    Choice,
    Clash,
    Decision,
    Hunk,
    Ledger,
    assembled,
    field_words,
    hunks,
    spans,
    taken,
)
from tui.domain.drafts.model import Draft, decode, encode, moved, undone
from tui.domain.drafts.standing import Standing, Surroundings, least, standing

DRAFT = Draft("id", "mine", "Mine", "/repo", "main", base="b", tip="t", head="t", state="s")
MARK = 8


def marked(*blocks: str | tuple[str, str, str]) -> str:
    out = ""
    for block in blocks:
        if isinstance(block, str):
            out += block
            continue
        ours, base, theirs = block
        out += f"{'<' * MARK} ours\n{ours}{'|' * MARK} base\n{base}{'=' * MARK}\n{theirs}{'>' * MARK} theirs\n"
    return out


def test_marked_text_is_taken_apart_and_put_together() -> None:
    found = hunks(marked("a\n", ("x\n", "w\n", "y\nz\n"), "b\n", ("", "q\n", "r\n"), "c\n"), MARK)
    assert found == [
        Hunk(False, "a\n"), Hunk(True, "x\n", "w\n", "y\nz\n"), Hunk(False, "b\n"), Hunk(True, "", "q\n", "r\n"),
        Hunk(False, "c\n"),
    ]  # fmt: skip
    assert assembled(found, ["1\n", "2\n"]) == "a\n1\nb\n2\nc\n"
    assert spans(found, "ours", "a\nx\nb\nc\n") == [(2, 1), (4, 0)]
    assert spans(found, "theirs", "a\ny\nz\nb\nr\nc\n") == [(2, 2), (5, 1)]


def test_markers_of_another_size_are_text() -> None:
    text = "<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\n"
    assert hunks(text, MARK) == [Hunk(False, text)]


@pytest.mark.parametrize(
    ("take", "text"), [("ours", "x\n"), ("theirs", "y\n"), ("base", "w\n"), ("both", "y\nx\n"), ("text", "t\n")]
)
def test_what_a_decision_means_for_lines(take: str, text: str) -> None:
    assert taken(Hunk(True, "x\n", "w\n", "y\n"), Decision(take, "t\n")) == text


def test_both_of_lines_without_an_end_stay_two_lines() -> None:
    assert taken(Hunk(True, "x", "", "y"), Decision("both")) == "y\nx"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "words"),
    [
        ("3", "5", "4", "upstream set spec.replicas to 4, you set 5 (it was 3)"),
        ("3", "", "4", "upstream set spec.replicas to 4, you removed it (it was 3)"),
        ("3", "5", "", "upstream removed spec.replicas, you set 5 (it was 3)"),
        ("", "5", "4", "upstream set spec.replicas to 4, you set 5"),
    ],
)
def test_a_field_in_words(base: str, ours: str, theirs: str, words: str) -> None:
    assert field_words("spec.replicas", base, ours, theirs) == words


def test_the_same_place_met_again_gets_a_key_of_its_own_and_the_same_clash_does_not() -> None:
    ledger = Ledger({"f:a": (Decision("ours"), "")})
    first, decision = ledger.see(Clash("f", "", key="f:a", ours="1", theirs="2"))
    assert (first.key, first.choice) == ("f:a", "ours") and decision is not None
    again, _ = ledger.see(Clash("f", "", key="f:a", ours="1", theirs="2"))
    other, decision = ledger.see(Clash("f", "", key="f:a", ours="3", theirs="2"))
    assert again.key == "f:a" and other.key == "f:a~2" and decision is None
    assert list(ledger.found) == ["f:a", "f:a~2"]


def test_a_decision_about_other_versions_does_not_count() -> None:
    clash = Clash("f", "", key="f:a", ours="1", theirs="2")
    saw = Ledger().see(clash)[0].saw
    ledger = Ledger({"f:a": (Decision("ours"), saw)})
    assert ledger.see(clash)[1] is not None
    assert Ledger({"f:a": (Decision("ours"), saw)}).see(msgspec.structs.replace(clash, theirs="3"))[1] is None


def test_a_decision_that_cannot_be_made_there_does_not_count() -> None:
    clash = Clash("f", "", key="f", takes=("ours", "theirs"))
    assert Ledger({"f": (Decision("both"), "")}).see(clash)[1] is None


def test_choices_are_stored_and_read_back() -> None:
    held = msgspec.structs.replace(DRAFT, choices={"f:a": Choice("text", "saw", "blob")}, onto="release")
    assert decode(encode(held), "s") == held


def test_a_rebase_clears_choices_and_undo_brings_them_back() -> None:
    before = msgspec.structs.replace(DRAFT, choices={"f:a": Choice("ours")}, onto="release")
    after = moved(before, "b2", "t2", "", "t2", 1.0, "release", {})
    assert (after.target, after.onto, after.choices) == ("release", "", {})
    back = undone(msgspec.structs.replace(after, state="s2"), before, 2.0)
    assert (back.target, back.onto, back.choices) == ("main", "release", before.choices)


CLASH = Clash("f", "upstream set a to 2, you set 1", key="f:a")
OVER = msgspec.structs.replace(CLASH, key="f:b", choice="ours")


@pytest.mark.parametrize(
    ("around", "state", "detail"),
    [
        (Surroundings(behind=1, clashes=(CLASH,)), "conflict", "f: upstream set a to 2, you set 1"),
        (Surroundings(behind=1, clashes=(CLASH, OVER)), "conflict", "1 conflict with main in f, 1 decided"),
        (Surroundings(behind=1, clashes=(OVER,)), "conflict", "1 conflict decided; rebase to go on"),
        (
            Surroundings(behind=1, clashes=(CLASH,), lost=2),
            "conflict",
            "main was force-pushed: 2 commits that the draft started from are gone; f: upstream set a to 2, you set 1",
        ),
        (Surroundings(behind=1, lost=1), "local", "main was force-pushed, main is 1 commit ahead"),
        (Surroundings(unrelated=True), "conflict", "main has no commit in common with the draft any more"),
        (Surroundings(target_gone=True), "conflict", "the branch main is not on the remote any more"),
        (
            Surroundings(target_gone=True, default="trunk"),
            "conflict",
            "the branch main is not on the remote any more; its default branch is trunk: "
            "fleet draft rebase mine --onto trunk",
        ),
        (Surroundings(behind=1, clashes=(CLASH,), overtaken="newer there"), "superseded", "newer there"),
        (
            Surroundings("1234567890", 2, reverted="abcdefabcdef"),
            "superseded",
            "landed as 1234567, taken out again by abcdefa",
        ),
        (Surroundings("1234567890", 2), "merged", "Applications are not known"),
    ],
)
def test_where_a_draft_stands(around: Surroundings, state: str, detail: str) -> None:
    found = standing(DRAFT, around)
    assert (found.state, found.detail) == (state, detail)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (("superseded", "pushed"), "pushed"),
        (("superseded", "arrived"), "superseded"),
        (("conflict", "superseded"), "conflict"),
    ],
)
def test_a_draft_of_several_parts_is_as_far_as_the_last(states: tuple[str, str], whole: str) -> None:
    assert least([(DRAFT, Standing(state)) for state in states]).state == whole


@pytest.mark.parametrize(
    ("open_ops", "words"), [((1, 2), "3 edits not committed"), ((0, 2), "2 edits not committed"), ((0, 0), "")]
)
def test_what_is_not_committed_is_counted_over_all_parts(open_ops: tuple[int, int], words: str) -> None:
    parts = [
        msgspec.structs.replace(DRAFT, tip="t" * 40, head=("h" if count else "t") * 40, open_ops=count)
        for count in open_ops
    ]
    found = least([(part, standing(part, Surroundings(behind=2))) for part in parts])
    assert found.detail == ", ".join(filter(None, [words, f"{DRAFT.target} is 2 commits ahead"]))
