"""Whole documents taken out of a file and put into it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain import yamlgen as gen
from tui.domain.yamledit import Missing, Refused, append_document, remove_document
from tui.domain.yamledit.split import chunks


@pytest.mark.parametrize(
    ("before", "doc", "after"),
    [
        ("a: 1\n---\nb: 2\n", 0, "b: 2\n"),
        ("a: 1\n---\nb: 2\n", 1, "a: 1\n"),
        ("a: 1\n---\nb: 2", -1, "a: 1\n"),
        ("---\na: 1\n---\nb: 2\n", 0, "---\nb: 2\n"),
        ("---\na: 1\n---\nb: 2\n---\nc: 3\n", 1, "---\na: 1\n---\nc: 3\n"),
        ("# of a\na: 1\n---\n# of b\nb: 2\n", 0, "# of b\nb: 2\n"),
        ("# of the file\n\na: 1\n---\nb: 2\n", 0, "# of the file\n\nb: 2\n"),
        ("# of the file\n---\na: 1\n---\nb: 2\n", 0, "# of the file\n---\nb: 2\n"),
        ("a: 1\n# above b\n---\nb: 2\n", 0, "# above b\n---\nb: 2\n"),
        ("x: 0\n---\na: 1\n# above b\n---\nb: 2\n", 1, "x: 0\n# above b\n---\nb: 2\n"),
        ("a: 1\n# above b\n---\n# of b\nb: 2\n", 1, "a: 1\n# above b\n"),
        ("a: 1\n--- # of b\nb: 2\n", 0, "--- # of b\nb: 2\n"),
        ("a: 1\r\n---\r\nb: 2\r\n", 0, "b: 2\r\n"),
        ("\ufeffa: 1\n---\nb: 2\n", 0, "\ufeffb: 2\n"),
        ("a: |+\n  x\n\n---\nb: 2\n", 1, "a: |+\n  x\n\n"),
        ("a: 1\n...\n---\nb: 2\n", 0, "b: 2\n"),
        ("%YAML 1.2\n---\na: 1\n---\nb: 2\n", 1, "%YAML 1.2\n---\na: 1\n"),
        ("a: {{ .x }}\n---\nb: 2\n", 0, "b: 2\n"),
        ("{{ if x }}\na: 1\n{{ end }}\n---\nb: 2\n", 0, "b: 2\n"),
        ("a: [1\n---\nb: 2\n", 1, "a: [1\n"),
    ],
)
def test_a_document_is_taken_out(before: str, doc: int, after: str) -> None:
    edited = remove_document(before, doc)
    assert edited.text == after
    assert edited.undo() == before


@pytest.mark.parametrize(
    ("text", "doc", "words"),
    [
        ("a: 1\n", 0, "only document"),
        ("{{ if x }}\na: 1\n---\nb: 2\n{{ end }}\n", 0, "template"),
        ("a: 1\n---\nb: 2\n", None, "2 documents"),
        ("", 0, "no YAML document"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(text: str, doc: int | None, words: str) -> None:
    with pytest.raises(Refused, match=words):
        remove_document(text, doc)


def test_a_document_that_is_not_there_is_missing() -> None:
    with pytest.raises(Missing):
        remove_document("a: 1\n---\nb: 2\n", 2)


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ("a: 1\n", "b: 2\n", "a: 1\n---\nb: 2\n"),
        ("a: 1", "b: 2", "a: 1\n---\nb: 2\n"),
        ("", "b: 2\n", "b: 2\n"),
        ("# only this\n", "b: 2\n", "# only this\nb: 2\n"),
        ("a: 1\r\n", "---\nb: 2\nc: 3\n", "a: 1\r\n---\r\nb: 2\r\nc: 3\r\n"),
        ("a: 1\n---\n", "b: 2\n", "a: 1\n---\nb: 2\n"),
        ("a: |+\n  x\n\n", "b: 2\n", "a: |+\n  x\n\n---\nb: 2\n"),
        ("a: 1\n...\n", "b: 2\n", "a: 1\n...\n---\nb: 2\n"),
        ("{{ x }}\n", "b: 2\n", "{{ x }}\n---\nb: 2\n"),
    ],
)
def test_a_document_is_put_in(before: str, new: str, after: str) -> None:
    edited = append_document(before, new)
    assert edited.text == after
    assert edited.undo() == before


@pytest.mark.parametrize(
    ("text", "new", "words"),
    [
        ("a: 1\n", "b: 1\n---\nc: 2\n", "2 documents"),
        ("a: 1\n", "# nothing\n", "0 documents"),
        ('{"a": 1}', "b: 2\n", "JSON"),
        ("a: |\n  x", "b: 2\n", "block scalar"),
    ],
)
def test_what_cannot_be_put_in_is_refused(text: str, new: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        append_document(text, new)


@given(st.integers(0, 10**9))
def test_the_other_documents_keep_every_byte(seed: int) -> None:
    random = Random(seed)
    text = gen.text(random)
    before = gen.compose(text)
    if not before:
        return
    doc = random.randrange(len(before))
    try:
        after = remove_document(text, doc).text
    except Refused:
        assert len(before) == 1
    else:
        assert gen.compose(after) == before[:doc] + before[doc + 1 :]
        for part in chunks(after)[1:]:  # the first may have lost its marker
            assert after[part.start : part.end].rstrip() in text
    new = "kind: New\nvalue: 'x'\n"
    try:
        longer = append_document(text, new)
    except Refused:
        return
    assert longer.text.startswith(text)
    assert gen.compose(longer.text) == [*before, *(gen.compose(new) or [])]
    if len(before) > 0:
        assert gen.compose(remove_document(longer.text, -1).text) == before


DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MOST_FILES, MOST_BYTES = 400, 60_000


@pytest.mark.skipif(not DATA.is_dir(), reason="the files found in the wild are not here")
def test_files_found_in_the_wild() -> None:
    found = (path for path in sorted(DATA.rglob("*.yaml")) if path.is_file() and path.stat().st_size < MOST_BYTES)
    for path in islice(found, MOST_FILES):
        text = path.read_bytes().decode("utf-8", "replace")
        before = gen.compose(text)
        if before is None or len(before) != len(chunks(text)):
            continue  # a template
        for doc in range(len(before) if len(before) > 1 else 0):
            assert gen.compose(remove_document(text, doc).text) == before[:doc] + before[doc + 1 :], (path, doc)
        longer = append_document(text, "kind: New\n").text
        assert longer.startswith(text) and len(gen.compose(longer) or ()) == len(before) + 1, path
