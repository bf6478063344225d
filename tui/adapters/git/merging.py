"""Three contents of one file merged: by lines, and where lines clash by the fields of its YAML."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tui.adapters.git.repository import Repository
from tui.domain import yamledit
from tui.domain.drafts import conflict, merge
from tui.domain.drafts.conflict import FIELD, FILE, LINES, Clash, Decision, Ledger
from tui.domain.drafts.merge import YAML, invalid

_PARSED = 256 << 10  # bytes of a file that is merged by fields


def merge_contents(
    repository: Repository, path: str, ours: bytes, base: bytes, theirs: bytes, ledger: Ledger | None = None
) -> bytes | list[Clash]:
    """Three contents of a file merged by lines, and where lines clash by fields of its YAML; or what is still open.

    The ledger knows what was decided about a clash; what is merged with decisions is valid YAML if theirs was.
    """
    size = 32
    while any(mark * size in text for text in (ours, base, theirs) for mark in (b"<", b"=", b">", b"|")):
        size *= 2
    with tempfile.TemporaryDirectory(prefix="fleet-") as place:
        names = []
        for name, content in (("ours", ours), ("base", base), ("theirs", theirs)):
            Path(place, name).write_bytes(content)
            names.append(str(Path(place, name)))
        result = repository.git(
            "merge-file", "-p", "--diff3", f"--marker-size={size}", "-L", "ours", "-L", "base", "-L", "theirs", *names,
            codes=range(256),
        )  # fmt: skip
    broken = result.code == 0 and result.out not in (ours, theirs) and _breaks(path, ours, theirs, result.out)
    if result.code == 0 and not broken:
        return result.out
    found = _merge_fields(path, ours, base, theirs)
    if found.text is not None:
        return found.text.encode("utf-8")
    ledger = ledger or Ledger()
    whole = ledger.whole(path, conflict.digest(base, ours, theirs))
    if whole is not None and whole.take in ("ours", "theirs", "base", "text"):
        sides = {"ours": ours, "theirs": theirs, "base": base}
        return whole.text.encode("utf-8", "surrogateescape") if whole.take == "text" else sides[whole.take]
    if found.clashes:
        return _by_field(path, ours, base, theirs, found.clashes, ledger)
    if broken or result.code >= 128:  # git does not merge what it takes for binary
        reason = (
            f"both changes together are no valid YAML: {broken}" if broken else "both changed a file that is no text"
        )
        return _whole(path, reason, ledger, base, ours, theirs)
    return _by_line(path, ours, base, theirs, result.out, size, ledger)


def _merge_fields(path: str, ours: bytes, base: bytes, theirs: bytes) -> merge.Merged:
    if not path.endswith(YAML) or max(len(ours), len(base), len(theirs)) > _PARSED:
        return merge.Merged()
    try:
        return merge.merge(base.decode("utf-8"), ours.decode("utf-8"), theirs.decode("utf-8"))
    except UnicodeDecodeError:
        return merge.Merged()


def _by_field(
    path: str, ours: bytes, base: bytes, theirs: bytes, clashes: tuple[merge.FieldClash, ...], ledger: Ledger
) -> bytes | list[Clash]:
    seen: list[tuple[merge.FieldClash, Clash, Decision | None]] = []
    for one in clashes:
        place = f"{path}#{one.doc}" if one.doc else path
        clash = Clash(
            path, conflict.field_words(one.path, one.base, one.ours, one.theirs),
            (one.line,) if one.line else (), one.ours, one.theirs, one.path, f"{place}:{one.path}", FIELD, one.base,
            one.doc, one.object, (one.line, 1), (one.theirs_line, 1), takes=one.takes,
        )  # fmt: skip
        seen.append((one, *ledger.see(clash)))
    if any(decision is None for _, _, decision in seen):
        return [clash for _, clash, decision in seen if decision is None]
    decided = {(one.doc, one.path): decision for one, _, decision in seen if decision is not None}
    try:
        done = merge.merge(base.decode("utf-8"), ours.decode("utf-8"), theirs.decode("utf-8"), decided)
    except yamledit.Refused as error:
        return [ledger.fail(clash, f"this cannot be written: {error}") for _, clash, _ in seen]
    if done.text is None:
        return [ledger.fail(clash, "this cannot be written; decide about the whole file") for _, clash, _ in seen]
    return done.text.encode("utf-8")


def _by_line(
    path: str, ours: bytes, base: bytes, theirs: bytes, marked: bytes, size: int, ledger: Ledger
) -> bytes | list[Clash]:
    texts = [content.decode("utf-8", "surrogateescape") for content in (ours, base, theirs)]
    found = conflict.hunks(marked.decode("utf-8", "surrogateescape"), size)
    found = _without_added_ends(found, texts)
    places = [conflict.spans(found, side, text) for side, text in zip(("ours", "base", "theirs"), texts, strict=True)]
    seen: list[tuple[Clash, Decision | None]] = []
    clashing = [hunk for hunk in found if hunk.clash]
    for number, hunk in enumerate(clashing):
        own, was, other = (side[number] for side in places)
        shown = [_clean(side) for side in (hunk.ours, hunk.theirs, hunk.base)]
        clash = Clash(
            path, conflict.lines_words(own, hunk.ours, hunk.theirs), (own[0],), shown[0], shown[1],
            key=f"{path}@{number + 1}", kind=LINES, base=shown[2], span=own, base_span=was, theirs_span=other,
        )  # fmt: skip
        seen.append(ledger.see(clash, conflict.digest(hunk.base, hunk.ours, hunk.theirs)))
    if not seen:
        return _whole(path, "its lines cannot be told apart", ledger, base, ours, theirs)
    if any(decision is None for _, decision in seen):
        return [clash for clash, decision in seen if decision is None]
    decided = [decision for _, decision in seen if decision is not None]
    merged = conflict.assembled(
        found, (conflict.taken(hunk, decision) for hunk, decision in zip(clashing, decided, strict=True))
    )
    if not any(decision.force for decision in decided) and invalid(path, merged) and not invalid(path, texts[2]):
        why = f"with these decisions the file is no valid YAML: {invalid(path, merged)}"
        return [ledger.fail(clash, why) for clash, _ in seen]
    return merged.encode("utf-8", "surrogateescape")


def _clean(text: str) -> str:
    """Lines as they can be shown and sent on: bytes that are no UTF-8 become replacement characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _without_added_ends(found: list[conflict.Hunk], texts: list[str]) -> list[conflict.Hunk]:
    """git ends the last line of a clash before its next marker; a file that has no final newline gets it back."""
    if not found or not found[-1].clash:
        return found
    last = found[-1]
    sides = []
    for side, text in zip((last.ours, last.base, last.theirs), texts, strict=True):
        added = side and text and not text.endswith("\n")
        fits = (side.removesuffix(end) for end in ("\n", "\r\n") if text.endswith(side.removesuffix(end)))
        sides.append(next(fits, side) if added else side)
    return [*found[:-1], conflict.Hunk(True, *sides)]


def _whole(path: str, reason: str, ledger: Ledger, base: bytes, ours: bytes, theirs: bytes) -> list[Clash]:
    shown = [shown_text(content) for content in (ours, theirs, base)]
    clash = Clash(
        path, reason, (), shown[0], shown[1], "", path, FILE, shown[2], takes=("ours", "theirs", "base", "text")
    )
    return [ledger.see(clash, conflict.digest(base, ours, theirs))[0]]


def shown_text(content: bytes) -> str:
    """A file's text as a clash carries it; "" when it is large or no text."""
    if len(content) > _PARSED or b"\0" in content:
        return ""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _breaks(path: str, ours: bytes, theirs: bytes, merged: bytes) -> str:
    """Why lines that were merged cleanly make no valid YAML of two files that were; "" when they do."""
    if len(merged) > _PARSED or not path.endswith(YAML):
        return ""
    try:
        texts = [content.decode("utf-8") for content in (merged, ours, theirs)]
    except UnicodeDecodeError:
        return ""
    why = invalid(path, texts[0])
    return "" if any(invalid(path, text) for text in texts[1:]) else why
