"""Conflicts as data: where a draft and its moved target do not go together, and what the user decided about it.

A conflict has a key that says its place: `FILE:FIELD` (`FILE#1:FIELD` in the second document), `FILE@2` for the second
run of lines, `FILE` for a whole file; `~2` is added when a later commit of the draft meets the same place again.
A decision holds as long as the three versions are what they were when it was made: `Choice.saw` tells.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

FIELD, LINES, FILE = "field", "lines", "file"
TAKES = ("ours", "theirs", "base", "both", "text")
_SHOWN = 60  # characters of a value in words


class Clash(msgspec.Struct, frozen=True):
    """One place where the draft (ours) and the moved target (theirs) do not go together.

    Of a field the three values are YAML on one line, "" where it is not there; of lines they are the texts of that run
    of lines; of a file they are its contents, "" where it is not there or is no text.
    """

    path: str
    reason: str  # in words: upstream set spec.replicas to 4, you set 5 (it was 3)
    lines: tuple[int, ...] = ()  # line numbers in the draft's file, from 1
    ours: str = ""
    theirs: str = ""
    field: str = ""  # path in the document, when it is known which field
    key: str = ""  # what a decision names it by
    kind: str = FILE  # field | lines | file
    base: str = ""
    doc: int = 0  # number of the document in the file, from 0
    object: str = ""  # Kind namespace/name of that document
    span: tuple[int, int] = (0, 0)  # of lines: first line and number of lines in the draft's file
    theirs_span: tuple[int, int] = (0, 0)
    base_span: tuple[int, int] = (0, 0)
    gone: str = ""  # of a file: the side that has removed it, ours | theirs
    commit: str = ""  # commit of the draft it arose in; "" = edits that are not committed
    subject: str = ""  # of that commit
    takes: tuple[str, ...] = TAKES  # what can be decided
    saw: str = ""  # digest of the three versions
    choice: str = ""  # what has been decided: one of `takes`; "" = open
    chosen: str = ""  # with choice "text": that text
    problem: str = ""  # why what was decided cannot be done, in words; then it is open

    @property
    def open(self) -> bool:
        """Whether it still has to be decided."""
        return not self.choice or bool(self.problem)


class Decision(msgspec.Struct, frozen=True):
    """A decision as the user makes it. `text` goes with take "text": a value as YAML, lines, or a whole file.

    `both` is theirs followed by ours. `force` takes a file also when it is no valid YAML.
    """

    take: str
    text: str = ""
    force: bool = False


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision as a draft keeps it."""

    take: str
    saw: str = ""  # digest of the three versions it was made about
    blob: str = ""  # id of the text
    force: bool = False


class Conflicts(msgspec.Struct, frozen=True):
    """What stands between a draft and the branch it is put on top of."""

    onto: str  # the branch
    commit: str = ""  # what it points to; "" = it is not on the remote
    clashes: tuple[Clash, ...] = ()  # the decided ones too
    notes: tuple[str, ...] = ()  # in words: force-pushed, renamed files
    problem: str = ""  # why it cannot be done at all, in words

    @property
    def open(self) -> tuple[Clash, ...]:
        """Those that still have to be decided."""
        return tuple(clash for clash in self.clashes if clash.open)


class Hunk(NamedTuple):
    """A run of lines that differs on all three sides; without `clash` it is text that was merged."""

    clash: bool
    ours: str
    base: str = ""
    theirs: str = ""


class Ledger:
    """Gives clashes their keys while a draft is replayed, and finds the decision about each.

    `decisions` are the decisions by key with the digest of what they were made about; "" fits everything.
    """

    def __init__(self, decisions: Mapping[str, tuple[Decision, str]] | None = None) -> None:
        self.decisions = decisions or {}
        self.found: dict[str, Clash] = {}
        self.files: dict[str, str] = {}  # key of a whole file -> digest, of every file that clashes
        self.notes: list[str] = []
        self.commit, self.subject = "", ""
        self._known: dict[tuple[str, str], str] = {}

    def at(self, commit: str, subject: str) -> None:
        """From now on clashes arise in this commit of the draft."""
        self.commit, self.subject = commit, subject

    def note(self, words: str) -> None:
        """Say something about the replay, once."""
        if words not in self.notes:
            self.notes.append(words)

    def whole(self, path: str, saw: str) -> Decision | None:
        """The decision about a whole file, if there is one; from now on one may be made."""
        key = self._key(path, saw, self.files)
        self.files[key] = saw
        return self._decision(key, saw)

    def see(self, clash: Clash, saw: str = "") -> tuple[Clash, Decision | None]:
        """The clash with its key and decision."""
        saw = saw or digest(clash.base, clash.ours, clash.theirs)
        key = self._key(clash.key or clash.path, saw, self.found)
        decision = self._decision(key, saw)
        if decision is not None and decision.take not in clash.takes:
            decision = None
        seen = msgspec.structs.replace(
            clash, key=key, saw=saw, commit=self.commit, subject=self.subject,
            choice=decision.take if decision else "", chosen=decision.text if decision else "",
        )  # fmt: skip
        self.found[key] = seen
        return seen, decision

    def fail(self, clash: Clash, problem: str) -> Clash:
        """The clash, open again because what was decided cannot be done."""
        failed = msgspec.structs.replace(clash, problem=problem)
        self.found[clash.key] = failed
        return failed

    def _decision(self, key: str, saw: str) -> Decision | None:
        decision, about = self.decisions.get(key, (None, ""))
        return decision if decision is not None and about in ("", saw) else None

    def _key(self, place: str, saw: str, taken: Mapping[str, object]) -> str:
        if (known := self._known.get((place, saw))) is not None:
            return known
        key, number = place, 2
        while key in taken:
            key, number = f"{place}~{number}", number + 1
        self._known[place, saw] = key
        return key


def digest(*versions: str | bytes) -> str:
    """What tells one set of versions from another."""
    mixed = hashlib.sha256()
    for version in versions:
        data = version.encode("utf-8", "surrogateescape") if isinstance(version, str) else version
        mixed.update(b"%d\0" % len(data) + data)
    return mixed.hexdigest()[:16]


def field_words(field: str, base: str, ours: str, theirs: str) -> str:
    """`upstream set spec.replicas to 4, you set 5 (it was 3)`; values as YAML, "" where the field is not there."""
    upstream = f"upstream set {field} to {_short(theirs)}" if theirs else f"upstream removed {field}"
    you = f"you set {_short(ours)}" if ours else "you removed it"
    was = f" (it was {_short(base)})" if base else ""
    return f"{upstream}, {you}{was}"


def lines_words(span: tuple[int, int], ours: str, theirs: str) -> str:
    """Which lines both sides changed, and whether one of them removed them."""
    first, count = span
    where = f"line {first}" if count <= 1 else f"lines {first} to {first + count - 1}"
    if not ours:
        return f"you removed lines after line {max(first - 1, 0)} that upstream changed"
    if not theirs:
        return f"upstream removed {where}, you changed {'it' if count <= 1 else 'them'}"
    return f"the same lines were changed: {where}"


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def hunks(marked: str, size: int, names: tuple[str, str, str] = ("ours", "base", "theirs")) -> list[Hunk]:
    """`git merge-file --diff3` output with markers of `size` characters, taken apart."""
    ours, base, theirs = map(re.escape, names)
    pattern = (
        rf"^<{{{size}}} {ours}\r?\n(.*?)^\|{{{size}}} {base}\r?\n(.*?)^={{{size}}}\r?\n(.*?)"
        rf"^>{{{size}}} {theirs}\r?(?:\n|\Z)"
    )
    found: list[Hunk] = []
    at = 0
    for match in re.finditer(pattern, marked, re.MULTILINE | re.DOTALL):
        if match.start() > at:
            found.append(Hunk(False, marked[at : match.start()]))
        found.append(Hunk(True, match[1], match[2], match[3]))
        at = match.end()
    if at < len(marked):
        found.append(Hunk(False, marked[at:]))
    return found


def spans(found: Iterable[Hunk], side: str, text: str) -> list[tuple[int, int]]:
    """(first line from 1, number of lines) of every clash in the text of one side (ours, base, theirs).

    What was merged may be the other side's, so a place is found by its lines and the line before it.
    """
    own = text.splitlines(keepends=True)
    places: list[tuple[int, int]] = []
    at, before = 0, ""
    for hunk in found:
        if not hunk.clash:
            before = hunk.ours.splitlines(keepends=True)[-1] if hunk.ours else before
            continue
        block = getattr(hunk, side).splitlines(keepends=True)
        at = _find(own, block, before, at)
        places.append((at + 1, len(block)))
        at += len(block)
        before = block[-1] if block else before
    return places


def _find(own: list[str], block: list[str], before: str, start: int) -> int:
    """Where a run of lines is, at or after `start`, best behind the line `before`."""
    fallback = -1
    plain = [line.rstrip("\r\n") for line in block]
    for at in range(start, len(own) - len(block) + 1):
        if block and [line.rstrip("\r\n") for line in own[at : at + len(block)]] != plain:
            continue
        if at > 0 and own[at - 1] == before:
            return at
        if fallback < 0 and block:
            fallback = at
    return fallback if fallback >= 0 else min(start, len(own))


def assembled(found: Iterable[Hunk], texts: Iterable[str]) -> str:
    """The file with a text for each clash, in their order."""
    wanted = iter(texts)
    return "".join(next(wanted) if hunk.clash else hunk.ours for hunk in found)


def taken(hunk: Hunk, decision: Decision) -> str:
    """The text that a decision means for a run of lines."""
    if decision.take == "both":
        return hunk.theirs + ("" if hunk.theirs.endswith("\n") or not hunk.theirs else "\n") + hunk.ours
    return {"ours": hunk.ours, "theirs": hunk.theirs, "base": hunk.base, "text": decision.text}[decision.take]
