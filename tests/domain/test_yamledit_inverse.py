"""What gives the bytes back: `undo` of every edit, and the edit that takes an edit back where the text allows it.

Taking away what was put in, renaming there and back, and setting there and back give the original bytes unless the
original is written in a way of its own: blanks in `{  }`, numbers and nulls spelt otherwise (`0x1F`, `~`), quotes
without a need in a document that has others with one, block scalars that became one line, comments that were deleted.
"""

from __future__ import annotations

from random import Random

import pytest

from tests.domain import yamlgen as gen
from tui.domain.yamledit import (
    Refused,
    append_item,
    delete,
    dump,
    get_value,
    insert_item,
    insert_key,
    rename_key,
    set_value,
)

WORDS = (
    "web",
    "nginx:1.27",
    "8080",
    "true",
    "yes",
    "a: b",
    "'q'",
    "- x",
    "é",
    "",
    "1e3",
    "null",
    "trail ",
    "#x",
    "\x07",
)

MIXED = """\
kind: Deployment   # why
metadata:
  name: web # the name
  annotations: {a.b/c: "true", d: e}
spec:
  replicas: 3
  paused: true
  # images
  containers:
  - name: app
    image: nginx:1.27   # now
    args: [ a, b c, "8080" ]
  - name: side
    command:
    - run
    - "no"
    text: |
      one
      two
  empty: {}
  none: []
"""
QUOTED = 'kind: "Deployment"\nspec:\n  image: "nginx"   # now\n  tag: "1.10"\n  list: ["a", "b"]\n'


def spots(text: str) -> list[tuple[str | int, ...]]:
    documents = gen.compose(text)
    assert documents
    return gen.paths(documents[0])


@pytest.mark.parametrize("text", [MIXED, QUOTED, MIXED.replace("\n", "\r\n"), "\ufeff" + MIXED])
def test_setting_there_and_back_restores_the_spelling(text: str) -> None:
    done = 0
    for path in spots(text):
        old = get_value(text, path)
        for word in (*WORDS, 7, False):
            if isinstance(old, dict | list) or type(old) is not type(word) or "\n" in str(old):
                continue
            there = set_value(text, path, word)
            assert there.undo() == text
            assert set_value(there.text, path, old).text == text, (path, word, there.text)
            done += 1
    assert done > 40


@pytest.mark.parametrize("text", [MIXED, QUOTED, MIXED.replace("\n", "\r\n"), MIXED.removesuffix("  none: []\n")])
def test_what_is_put_in_can_be_taken_out(text: str) -> None:
    values = (*WORDS, 1, None, {"a": [1]}, ["x", {"y": "z"}], "two\nlines\n", {}, [])
    for path in spots(text):
        target = get_value(text, path)
        for value in values:
            if isinstance(target, dict):
                for key in ("aaa", "zzz", "on", "a: b"):
                    there = insert_key(text, (*path, key), value)
                    assert delete(there.text, (*path, key)).text == text == there.undo(), (path, key, value)
            elif isinstance(target, list):
                assert delete(append_item(text, path, value).text, (*path, -1)).text == text
                for index in range(len(target)):
                    assert delete(insert_item(text, path, index, value).text, (*path, index)).text == text


@pytest.mark.parametrize("text", [MIXED, QUOTED])
def test_renaming_there_and_back_restores_the_spelling(text: str) -> None:
    for path in spots(text):
        if path and isinstance(path[-1], str):
            for word in WORDS:
                there = rename_key(text, path, word)
                assert rename_key(there.text, (*path[:-1], word), path[-1]).text == text == there.undo()


def test_what_the_editor_wrote_can_be_deleted_and_put_back() -> None:
    """In a document of the editor's own spelling any entry can go and come back."""
    done = 0
    for seed in range(300):
        random = Random(seed)
        value = {key: gen.value(random, 2) for key in random.sample(gen.KEYS, 4)}
        value["list"] = [gen.value(random, 1) for _ in range(3)]
        value["map"] = {"a": 1, "b": {"c": "d"}, "e": ["f"]}
        text = dump(value)
        for path in spots(text):
            holder = get_value(text, path[:-1]) if path else None
            if holder is None or len(holder) < 2:
                continue
            old, gone = get_value(text, path), delete(text, path)
            if isinstance(path[-1], int):
                back = insert_item(gone.text, path[:-1], path[-1], old)
            else:
                names = list(holder)
                place = names.index(path[-1])
                if place:
                    back = insert_key(gone.text, path, old, after=names[place - 1])
                else:
                    back = insert_key(gone.text, path, old, before=names[1])
            assert gone.undo() == text and back.text == text, (path, text, back.text)
            done += 1
    assert done > 2000


def test_generated_documents_give_their_bytes_back() -> None:
    """Insertions and their deletions over noisy documents that end in a line break."""
    done = 0
    for seed in range(1200):
        random = Random(seed)
        text = gen.text(random)
        documents = gen.compose(text)
        if not documents or not text.endswith("\n") or "*" in text:
            continue
        doc = random.randrange(len(documents))
        path = random.choice(gen.paths(documents[doc]))
        target = gen.at(documents[doc], path)
        if not isinstance(target[1], list) or not target[1]:
            continue
        step: str | int = "new key" if gen.is_map(target) else random.randrange(len(target[1]) + 1)
        value = gen.value(random)
        try:
            if isinstance(step, int):
                there = insert_item(text, path, step, value, doc)
            else:
                there = insert_key(text, (*path, step), value, doc)
            assert delete(there.text, (*path, step), doc).text == text == there.undo()
        except Refused:
            continue
        done += 1
    assert done > 300
