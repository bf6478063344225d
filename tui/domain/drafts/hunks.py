"""Git's patch text taken apart, and what becomes of a file when only some of its changed lines are chosen.

The patch only says where lines come from; the lines themselves are taken from both contents, byte for byte, so that
line endings, a missing last newline and bytes that are not UTF-8 stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import msgspec

CONTEXT, ADD, REMOVE, NO_NEWLINE = " ", "+", "-", "\\"
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)")
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of a hunk."""

    kind: str  # CONTEXT, ADD, REMOVE or NO_NEWLINE, as in the patch
    text: str  # without the sign; undecodable bytes as git's output was decoded
    number: int  # in the patch text, from 0
    old: int = 0  # line number in the file before, from 1; 0 = it is not there
    new: int = 0  # line number in the file after


class Hunk(msgspec.Struct, frozen=True):
    """Neighbouring changes with the lines around them. `number` is the line of its header in the patch text, from 0."""

    number: int
    old_start: int
    old_count: int
    new_start: int
    new_count: int
    heading: str
    lines: tuple[Line, ...]

    @property
    def changed(self) -> frozenset[int]:
        """Numbers, in the patch text, of the lines that can be chosen."""
        return frozenset(line.number for line in self.lines if line.kind in (ADD, REMOVE))


class FilePatch(msgspec.Struct, frozen=True):
    """The patch of one file. `number` is the line of its header in the patch text, from 0, `end` the one after it."""

    path: str
    status: str  # A added, M modified, D deleted, R renamed, C copied
    old_path: str = ""  # of a renamed or copied file
    old_mode: str = ""  # as git writes it, 100644; "" = the same as before, or not there
    new_mode: str = ""
    binary: bool = False  # git shows no lines of it
    hunks: tuple[Hunk, ...] = ()
    number: int = 0
    end: int = 0
    complete: bool = True  # False: the patch text ends before the file's patch does

    @property
    def changed(self) -> frozenset[int]:
        """Numbers, in the patch text, of the lines that can be chosen."""
        return frozenset(number for hunk in self.hunks for number in hunk.changed)

    @property
    def whole(self) -> bool:
        """Whether it can only be taken as a whole: renamed, binary, a link or a submodule, or without lines."""
        odd = any(mode.startswith(("12", "16")) for mode in (self.old_mode, self.new_mode))
        return self.status in "RC" or self.binary or odd or not self.hunks

    def hunk_at(self, number: int) -> Hunk | None:
        """The hunk that has this line of the patch text, its header included."""
        for hunk in self.hunks:
            if hunk.number <= number <= hunk.number + len(hunk.lines):
                return hunk
        return None


def parse(patch: str) -> list[FilePatch]:
    """The files of a patch as `git diff-tree -p -M` prints it. Foreign lines between files are skipped."""
    lines = patch.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    found: list[FilePatch] = []
    at = 0
    while at < len(lines):
        if lines[at].startswith("diff --git "):
            file, at = _file(lines, at)
            found.append(file)
        else:
            at += 1
    return found


def at_line(files: Iterable[FilePatch], number: int) -> FilePatch | None:
    """The file that has this line of the patch text."""
    return next((file for file in files if file.number <= number < file.end), None)


def picked(patch: FilePatch, old: bytes | None, new: bytes | None, lines: Collection[int]) -> bytes | None:
    """The content of the file when only the chosen added and removed lines of its patch are applied to `old`.

    `old` and `new` are the two contents that the patch is between, None where the file is not there; `lines` are
    numbers in the patch text, others than those of changed lines do not count. An added line that is not chosen is
    left out, a removed one that is not chosen stays. A changed line stays in its place: in a run of as many removed as
    added lines the two belong together one by one. Raises ValueError when patch and contents do not belong together.
    """
    chosen = patch.changed & set(lines)
    if not chosen:
        return old
    if chosen == patch.changed:
        return new
    if not patch.complete:
        raise ValueError(f"the patch of {patch.path} is cut off")
    before, after = _lines(old), _lines(new)
    made: list[bytes] = []
    done = 0  # lines of `before` that are dealt with
    for hunk in patch.hunks:
        # an empty side is given by the line before it
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        made += before[done:start]
        try:
            made += [before[line.old - 1] if line.old else after[line.new - 1] for line in _kept(hunk, chosen)]
        except IndexError as error:
            raise ValueError(f"the patch of {patch.path} is of another content") from error
        done = start + hunk.old_count
    made += before[done:]
    ending = b"\r\n" if any(line.endswith(b"\r\n") for line in (*before, *after)) else b"\n"
    ended = [line if line.endswith(b"\n") else line + ending for line in made[:-1]]
    return b"".join([*ended, *made[-1:]])


def left(patch: FilePatch, old: bytes | None, new: bytes | None, lines: Collection[int]) -> bytes | None:
    """The content of the file when the chosen lines of its patch are taken back from `new`; arguments as `picked`."""
    return picked(patch, old, new, patch.changed - set(lines))


def between(patch: FilePatch, first: int, last: int) -> set[int]:
    """The changed lines of a patch that lie in lines `first` to `last` of the file after it, as numbers in the patch
    text: added lines that are there, and removed lines that one of those replaces or that stood next to one."""
    found: set[int] = set()
    for hunk in patch.hunks:
        place = hunk.new_start if hunk.new_count else hunk.new_start + 1  # the line that comes next
        removed: list[Line] = []
        added: list[Line] = []
        for line in (*hunk.lines, Line(CONTEXT, "", -1)):
            if line.kind == CONTEXT:
                found |= _inside(removed, added, place - len(added), first, last)
                removed, added, place = [], [], place + 1
            elif line.kind == REMOVE:
                removed.append(line)
            elif line.kind == ADD:
                added.append(line)
                place += 1
    return found


def _inside(removed: Sequence[Line], added: Sequence[Line], place: int, first: int, last: int) -> set[int]:
    """What of one run of changed lines, which begins at line `place` of the file after it, lies in some lines."""
    inside = [first <= line.new <= last for line in added]
    chosen = {line.number for line, is_in in zip(added, inside, strict=True) if is_in}
    if len(removed) == len(added):
        return chosen | {line.number for line, is_in in zip(removed, inside, strict=True) if is_in}
    near = any(inside) if added else first <= place <= last or first <= place - 1 <= last
    return chosen | {line.number for line in removed if near}


def _kept(hunk: Hunk, chosen: Collection[int]) -> list[Line]:
    """The lines that the file has afterwards where the hunk is."""
    return [line for line in _arranged(hunk, chosen) if line.kind != REMOVE or line.number not in chosen]


def _arranged(hunk: Hunk, chosen: Collection[int]) -> list[Line]:
    """The lines of a hunk without the added ones that are not chosen, those that stay and those that come in order."""
    found: list[Line] = []
    removed: list[Line] = []
    added: list[Line] = []
    for line in hunk.lines:
        if line.kind == NO_NEWLINE:
            continue
        if line.kind == REMOVE and not added:
            removed.append(line)
        elif line.kind == ADD:
            added.append(line)
        else:
            found += _run(removed, added, chosen)
            removed, added = ([line], []) if line.kind == REMOVE else ([], [])
            if line.kind == CONTEXT:
                found.append(line)
    return found + _run(removed, added, chosen)


def _run(removed: Sequence[Line], added: Sequence[Line], chosen: Collection[int]) -> list[Line]:
    """One run of removed and then added lines, in the order that the file is to have them."""
    taken = [line for line in added if line.number in chosen]
    if len(removed) == len(added):
        pairs = zip(removed, added, strict=True)
        return [line for pair in pairs for line in pair if line.kind == REMOVE or line.number in chosen]
    last = max((place for place, line in enumerate(removed, 1) if line.number in chosen), default=len(removed))
    return [*removed[:last], *taken, *removed[last:]]


def _lines(content: bytes | None) -> list[bytes]:
    """Lines as git counts them: only a line feed ends one."""
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", content or b"")


def _file(lines: Sequence[str], start: int) -> tuple[FilePatch, int]:
    """The patch of the file whose header is at `start`, and the line after it."""
    before, after = _names(lines[start])
    fields = {"status": "M", "old_path": "", "old_mode": "", "new_mode": ""}
    binary, complete = False, True
    hunks: list[Hunk] = []
    at = start + 1
    while at < len(lines):
        line = lines[at]
        if line.startswith("@@ -"):
            hunk, at, whole = _hunk(lines, at)
            hunks.append(hunk)
            complete = complete and whole
            continue
        word, _, rest = line.partition(" ")
        if hunks or line.startswith("diff --git "):
            break
        if line.startswith("new file mode "):
            fields |= {"status": "A", "new_mode": line[14:]}
        elif line.startswith("deleted file mode "):
            fields |= {"status": "D", "old_mode": line[18:]}
        elif line.startswith("old mode "):
            fields["old_mode"] = line[9:]
        elif line.startswith("new mode "):
            fields["new_mode"] = line[9:]
        elif line.startswith(("rename from ", "copy from ")):
            before = _unquoted(line.partition(" from ")[2])
            fields |= {"status": word[0].upper(), "old_path": before}
        elif line.startswith(("rename to ", "copy to ")):
            after = _unquoted(line.partition(" to ")[2])
        elif line.startswith("index ") and " " in rest:
            fields["old_mode"] = fields["new_mode"] = rest.rpartition(" ")[2]
        elif line.startswith("--- ") and rest != "/dev/null":
            before = _side(rest)
        elif line.startswith("+++ ") and rest != "/dev/null":
            after = _side(rest)
        elif line.startswith(("Binary files ", "GIT binary patch")):
            binary = True
        elif not line.startswith(("index ", "--- ", "+++ ", "similarity index ", "dissimilarity index ")):
            break
        at += 1
    path = before if fields["status"] == "D" else after
    return FilePatch(path, **fields, binary=binary, hunks=tuple(hunks), number=start, end=at, complete=complete), at


def _hunk(lines: Sequence[str], start: int) -> tuple[Hunk, int, bool]:
    """A hunk, the line after it, and whether all of it is there."""
    match = _HUNK.match(lines[start])
    if match is None:
        raise ValueError(f"line {start + 1} of the patch is not the header of a hunk")
    old, new = int(match[1]), int(match[3])
    counts = [int(count) if count is not None else 1 for count in (match[2], match[4])]
    missing = list(counts)
    found: list[Line] = []
    at = start + 1
    while at < len(lines) and (any(missing) or lines[at].startswith(NO_NEWLINE)):
        kind, text = lines[at][:1], lines[at][1:]
        if kind not in (CONTEXT, ADD, REMOVE, NO_NEWLINE):
            break
        here = (old if kind in (CONTEXT, REMOVE) else 0, new if kind in (CONTEXT, ADD) else 0)
        found.append(Line(kind, text, at, *here))
        for side, place in enumerate(here):
            missing[side] -= bool(place)
        old, new, at = old + bool(here[0]), new + bool(here[1]), at + 1
    hunk = Hunk(start, int(match[1]), counts[0], int(match[3]), counts[1], match[5], tuple(found))
    return hunk, at, not any(missing)


def _names(header: str) -> tuple[str, str]:
    """Both names of `diff --git a/x b/x`, told apart when they are the same; other lines say it better otherwise."""
    said = header[len("diff --git ") :]
    if said.startswith('"'):
        quoted = re.match(r'("(?:[^"\\]|\\.)*") (.*)', said)
        if quoted is not None:
            return _side(quoted[1]), _side(quoted[2])
    half = len(said) // 2
    return _side(said[:half]), _side(said[half + 1 :])


def _side(said: str) -> str:
    """A name without its `a/` or `b/`; git ends one that has blanks with a tab."""
    return _unquoted(said.removesuffix("\t"))[2:]


def _unquoted(said: str) -> str:
    """A name as it is, when git has written it in quotes with C's escapes."""
    if not (len(said) > 1 and said.startswith('"') and said.endswith('"')):
        return said
    raw = _ESCAPE.sub(
        lambda match: bytes([int(match[1], 8)]) if match[1].isdigit() else _ESCAPED.get(match[1], match[1]),
        said[1:-1].encode("utf-8", "surrogateescape"),
    )
    return raw.decode("utf-8", "replace")
