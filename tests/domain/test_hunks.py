"""Chosen lines of a patch, judged by git: what `git apply --cached --recount` makes of the patch with only these."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.domain.drafts import hunks
from tui.domain.drafts.hunks import ADD, CONTEXT, NO_NEWLINE, REMOVE, FilePatch, Hunk, Line

NAME = 'it\'s "web".yaml'


class Repo:
    """A repository where a patch is made and applied as git does it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self("init", "-q", "--bare", ".")

    def __call__(self, *arguments: str, data: bytes = b"") -> bytes:
        config = ("-c", "core.quotePath=false", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false")
        argv = ["git", *config, *arguments]
        done = subprocess.run(argv, cwd=self.place, input=data, capture_output=True, check=False)
        assert done.returncode == 0, (arguments, done.stderr, data)
        return done.stdout

    def tree(self, **files: bytes | None) -> str:
        lines = []
        for name, data in sorted(files.items()):
            if data is not None:
                oid = self("hash-object", "-w", "--stdin", data=data).decode().strip()
                lines.append(f"100644 blob {oid}\t{name}\0")
        return self("mktree", "-z", data="".join(lines).encode()).decode().strip()

    def diff(self, old: str, new: str) -> str:
        arguments = ("diff-tree", "-r", "-p", "-M", "--src-prefix=a/", "--dst-prefix=b/")
        return self(*arguments, old, new).decode("utf-8", "surrogateescape")

    def applied(self, tree: str, patch: str) -> bytes | None:
        self("read-tree", tree)
        if patch:
            said = patch.encode("utf-8", "surrogateescape")
            self("apply", "--cached", "--recount", "--unidiff-zero", "--whitespace=nowarn", "-", data=said)
        found = self("ls-files", "-s").decode().split()
        return self("cat-file", "blob", found[1]) if found else None


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return Repo(tmp_path_factory.mktemp("apply"))


def filtered(patch: FilePatch, old: bytes | None, chosen: set[int], ending: str) -> str:
    """The patch with only the chosen lines, built on its own from the rules that `picked` states."""
    said: list[str] = []
    for hunk in patch.hunks:
        bare = {line.number for line, mark in itertools.pairwise(hunk.lines) if mark.kind == NO_NEWLINE}
        order = arranged(hunk, chosen)
        stays = [line for line in order if line.kind != REMOVE or line.number not in chosen]
        said.append(f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@")
        for line in order:
            mark = ["\\ No newline at end of file"] if line.number in bare else []
            if line.kind == REMOVE and line.number in chosen:
                said += ["-" + line.text, *mark]
            elif line.kind == ADD:
                last = line is stays[-1]
                said += ["+" + line.text + ("" if last or not mark else ending), *(mark if last else [])]
            elif not mark or line is stays[-1]:
                said += [" " + line.text, *mark]
            else:  # it gets a line end, because others follow it now
                said += ["-" + line.text, *mark, "+" + line.text + ending]
    kind = "new file mode 100644\n" if old is None else ""
    names = f"{kind}--- {'/dev/null' if old is None else 'a/f'}\n+++ b/f\n"
    return f"diff --git a/f b/f\n{names}" + "\n".join(said) + "\n"


def arranged(hunk: Hunk, chosen: set[int]) -> list[Line]:
    lines = [line for line in hunk.lines if line.kind != NO_NEWLINE]
    found: list[Line] = []
    for is_context, group in itertools.groupby(lines, lambda line: line.kind == CONTEXT):
        run = list(group)
        if is_context:
            found += run
            continue
        gone, come = ([line for line in run if line.kind == kind] for kind in (REMOVE, ADD))
        if len(gone) == len(come):
            for out, into in zip(gone, come, strict=True):
                found += [out, *([into] if into.number in chosen else [])]
            continue
        taken = [place for place, line in enumerate(gone) if line.number in chosen]
        cut = taken[-1] + 1 if taken else len(gone)
        found += [*gone[:cut], *(line for line in come if line.number in chosen), *gone[cut:]]
    return found


LINES = st.sampled_from(
    [b"a: 1", b"b: 2", b"b: 3", b"", b"  - x", b"-- y", b"++ y", b"\xff\xfe", b"caf\xc3\xa9\x0c", b"@@ -1 +1 @@", b"\\"]
)


@st.composite
def contents(draw: st.DrawFn) -> tuple[bytes | None, bytes | None]:
    """Two contents of a file: the second made of the first by replacing, inserting and removing lines."""
    ending = draw(st.sampled_from([b"\n", b"\n", b"\r\n"]))
    before = draw(st.lists(LINES, min_size=1, max_size=14))
    after: list[bytes] = []
    for line in before:
        kind = draw(st.sampled_from(["keep", "keep", "keep", "change", "remove", "insert"]))
        after += {"keep": [line], "change": [draw(LINES)], "remove": [], "insert": [draw(LINES), line]}[kind]
    texts: list[bytes | None] = []
    for lines in (before, after):
        last = draw(st.sampled_from([ending, ending, b""]))
        texts.append(ending.join(lines) + (last if lines else b""))
    gone = draw(st.sampled_from(["", "", "", "", "old", "new"]))
    old, new = (None if gone == name else text for name, text in zip(("old", "new"), texts, strict=True))
    return old, new


@given(both=contents(), seed=st.integers(0, 1 << 16))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_chosen_lines_are_what_git_makes_of_them(
    repo: Repo, both: tuple[bytes | None, bytes | None], seed: int
) -> None:
    old, new = both
    if old == new:
        return
    before, after = repo.tree(f=old), repo.tree(f=new)
    (patch,) = hunks.parse(repo.diff(before, after))
    assert patch.complete and patch.path == "f"
    every = set(patch.changed)
    if not every:  # an empty file came or went: only as a whole
        assert patch.whole
        return
    assert hunks.picked(patch, old, new, every) == new
    assert hunks.picked(patch, old, new, ()) == old
    assert hunks.left(patch, old, new, every) == old
    chosen = {number for number in every if Random(seed ^ number).random() < 0.5}
    made = hunks.picked(patch, old, new, chosen)
    assert hunks.left(patch, old, new, every - chosen) == made
    if chosen and chosen != every:
        ending = "\r" if any(b"\r\n" in (text or b"") for text in both) else ""
        assert repo.applied(before, filtered(patch, old, chosen, ending)) == made
    if made == new:
        return
    # what is left to choose then leads to the new content
    rest = hunks.parse(repo.diff(repo.tree(f=made), after))[0]
    assert hunks.picked(rest, made, new, rest.changed) == new


OLD = b"one: 1\ntwo: 2\nthree: 3\n"


@pytest.mark.parametrize(
    ("new", "choose", "made"),
    [
        (b"one: A\ntwo: B\nthree: C\n", {"two: 2", "two: B"}, b"one: 1\ntwo: B\nthree: 3\n"),
        (b"one: A\ntwo: B\nthree: C\n", {"one: 1", "one: A", "three: 3", "three: C"}, b"one: A\ntwo: 2\nthree: C\n"),
        (b"only: A\n", {"two: 2", "only: A"}, b"one: 1\nonly: A\nthree: 3\n"),
        (b"only: A\n", {"only: A"}, b"one: 1\ntwo: 2\nthree: 3\nonly: A\n"),
        (b"one: 1\nnew: x\ntwo: 2\nthree: 4\n", {"new: x"}, b"one: 1\nnew: x\ntwo: 2\nthree: 3\n"),
        (b"one: 1\ntwo: 2\nthree: 3\nfour: 4", {"four: 4"}, b"one: 1\ntwo: 2\nthree: 3\nfour: 4"),
    ],
)
def test_a_changed_line_stays_in_its_place(repo: Repo, new: bytes, choose: set[str], made: bytes) -> None:
    (patch,) = hunks.parse(repo.diff(repo.tree(f=OLD), repo.tree(f=new)))
    lines = {line.number for hunk in patch.hunks for line in hunk.lines if line.text in choose}
    assert hunks.picked(patch, OLD, new, lines) == made


def test_a_line_that_others_follow_gets_a_line_end(repo: Repo) -> None:
    old, new = b"a\r\nb", b"a\r\nb\r\nc\r\n"
    (patch,) = hunks.parse(repo.diff(repo.tree(f=old), repo.tree(f=new)))
    chosen = {line.number for hunk in patch.hunks for line in hunk.lines if line.text == "c\r"}
    assert hunks.picked(patch, old, new, chosen) == b"a\r\nb\r\nc\r\n"


def test_files_are_told_apart(repo: Repo) -> None:
    long = b"".join(b"line %d\n" % number for number in range(40))
    changed = long.replace(b"line 3\n", b"line three\n").replace(b"line 30\n", b"")
    old = repo.tree(
        **{"a b.yaml": long, "gone.yaml": b"x\n", "moved.yaml": long + b"end\n", "bin": b"\0" * 9, NAME: b"1"}
    )
    new = repo.tree(
        **{"a b.yaml": changed, "new.yaml": b"y\n", "to.yaml": long + b"END\n", "bin": b"\0x", NAME: b"2", "void": b""}
    )
    text = repo.diff(old, new)
    found = {file.path: file for file in hunks.parse("repository x\n" + text)}
    assert {path: file.status for path, file in found.items()} == {
        "a b.yaml": "M", "gone.yaml": "D", "to.yaml": "R", "bin": "M", NAME: "M", "new.yaml": "A", "void": "A",
    }  # fmt: skip
    assert found["to.yaml"].old_path == "moved.yaml"
    assert {path for path, file in found.items() if file.whole} == {"to.yaml", "bin", "void"}
    assert found["bin"].binary and not found["a b.yaml"].binary
    assert (found["gone.yaml"].old_mode, found["new.yaml"].new_mode) == ("100644", "100644")
    first, second = found["a b.yaml"].hunks
    assert (first.old_start, first.old_count, first.new_start, first.new_count) == (1, 7, 1, 7)
    assert (second.old_count, second.new_count) == (7, 6)
    lines = text.split("\n")
    for file in hunks.parse(text):
        assert lines[file.number].startswith("diff --git ")
        for hunk in file.hunks:
            assert lines[hunk.number].startswith("@@ ")
            for line in hunk.lines:
                assert lines[line.number] == line.kind + line.text
                assert hunks.at_line([*found.values(), *hunks.parse(text)], line.number) is not None
                assert file.hunk_at(line.number) == hunk
    old_lines = [line.old for line in first.lines if line.kind == REMOVE]
    new_lines = [line.new for line in first.lines if line.kind == ADD]
    assert old_lines == new_lines == [4]


def test_a_patch_that_was_cut_off_is_not_chosen_from(repo: Repo) -> None:
    old = b"a\nb\nc\nd\n"
    text = repo.diff(repo.tree(f=old), repo.tree(f=b"A\nB\nc\nd\n"))
    (patch,) = hunks.parse("\n".join(text.split("\n")[:-3]))
    assert not patch.complete
    with pytest.raises(ValueError, match="cut off"):
        hunks.picked(patch, old, b"A\nB\nc\nd\n", [min(patch.changed)])


def test_a_patch_of_another_content_is_noticed(repo: Repo) -> None:
    old = b"a\nb\nc\nd\n"
    (patch,) = hunks.parse(repo.diff(repo.tree(f=old), repo.tree(f=b"A\nb\nc\nD\n")))
    with pytest.raises(ValueError, match="another content"):
        hunks.picked(patch, b"a\n", b"A\n", [max(patch.changed)])


NUMBERED = b"".join(b"line %d\n" % number for number in range(1, 13))


@pytest.mark.parametrize(
    ("change", "first", "last", "texts"),
    [
        ({3: b"three\n", 4: b"four\n"}, 3, 3, {"line 3", "three"}),
        ({3: b"three\n", 4: b"four\n"}, 4, 9, {"line 4", "four"}),
        ({3: b"three\n", 10: b"ten\n"}, 1, 12, {"line 3", "three", "line 10", "ten"}),
        ({3: b"three\n", 10: b"ten\n"}, 5, 8, set()),
        ({3: b"a\nb\nc\n"}, 4, 4, {"line 3", "b"}),
        ({3: b""}, 3, 3, {"line 3"}),
        ({3: b""}, 2, 2, {"line 3"}),
        ({3: b""}, 4, 9, set()),
        ({12: b""}, 11, 11, {"line 12"}),
        ({12: b"line 12\nadded\n"}, 13, 13, {"added"}),
    ],
)
def test_lines_are_meant_by_their_numbers_in_the_file(
    repo: Repo, change: dict[int, bytes], first: int, last: int, texts: set[str]
) -> None:
    parts = NUMBERED.splitlines(keepends=True)
    new = b"".join(change.get(number, line) for number, line in enumerate(parts, 1))
    (patch,) = hunks.parse(repo.diff(repo.tree(f=NUMBERED), repo.tree(f=new)))
    numbers = hunks.between(patch, first, last)
    assert {line.text for hunk in patch.hunks for line in hunk.lines if line.number in numbers} == texts
