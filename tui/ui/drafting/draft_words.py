"""A draft in lines: what stands at the top of its screen, its files, its commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.domain import giturl
from tui.domain.drafts.blast import Blast, deletions
from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Change
from tui.domain.drafts.standing import Standing
from tui.domain.kinds.columns import state_cell
from tui.domain.kinds.kind import Cell, Tone
from tui.ui.drafting import blast_words
from tui.ui.widgets.items import Item
from tui.ui.words import Line

if TYPE_CHECKING:
    from tui.fleet.drafts.looking import CommitView, FileView, PartView

# Whether the next commit takes a file: told by shape, not by colour alone.
TAKEN, PARTLY, LEFT = "●", "◐", "○"


def standing(parts: Sequence[PartView], whole: Standing, radius: Blast | str) -> list[Line]:
    """Three lines: what it is and where it stands, what it touches, where it goes."""
    draft = parts[0].draft
    state = f"arriving {whole.arrived}/{whole.total}" if whole.state == "arriving" else whole.state
    first: list[Cell] = [state_cell(state), Cell("  ", Tone.PLAIN), Cell(draft.title, Tone.PLAIN)]
    if whole.detail:
        first.append(Cell(f"  {whole.detail}", Tone.BAD if whole.state == "conflict" else Tone.MUTED))
    if isinstance(radius, str):
        second = [Cell(f"touches ? {radius}", Tone.UNKNOWN)]
    else:
        tone = Tone.BAD if radius.deleted else Tone.UNKNOWN if radius.share is None else Tone.PLAIN
        words = f"touches {blast_words.summary(radius)}"
        if gone := deletions(radius):  # first: the end of the line is not seen on a narrow terminal
            words = f"{gone} deleted; " + words.replace(f"; {gone} deleted", "", 1)
        second = [Cell(words, tone)]
    third: list[Cell] = []
    for part in parts:
        held = part.draft
        to = f"{giturl.shown(held.repo)} → {held.target}"
        branch = f" by {held.branch}" if held.branch else ""
        third.append(Cell(f"{'  ·  ' if third else ''}{to}{branch}", Tone.MUTED))
    return [tuple(first), tuple(second), tuple(third)]


def file_items(parts: Sequence[PartView], clashes: Sequence[Clash]) -> list[Item]:
    """Files that are not committed, below their repository when there are several; conflicts first."""
    items: list[Item] = []
    named = tails([file.path for part in parts for file in part.files])
    for clash in clashes:
        place = clash.field or (f"line {clash.lines[0]}" if clash.lines else "")
        name = clash.path.rpartition("/")[2]
        items.append(
            Item(
                ("clash", clash.key),
                (Cell("! ", Tone.BAD), Cell(name, Tone.PLAIN), Cell(f" {place}" if place else "", Tone.MUTED)),
                (Cell(" conflict ", Tone.BAD) if clash.open else Cell(" decided ", Tone.GOOD),),
            )
        )
    for number, part in enumerate(parts):
        if len(parts) > 1 and part.files:
            items.append(Item(("repository", number), (Cell(short(part.draft.repo), Tone.ACCENT),)))
        picking = bool(part.draft.index)
        indent = "  " if len(parts) > 1 else ""
        items += [_file(number, file, named[file.path], picking, indent) for file in part.files]
    return items


def short(repo: str) -> str:
    """A repository in two words."""
    return "/".join(giturl.shown(repo).removesuffix(".git").split("/")[-2:])


def _file(number: int, file: FileView, tail: str, picking: bool, indent: str) -> Item:
    if file.change is None:
        return Item(
            ("file", number, file.path),
            (Cell(f"{indent}… ", Tone.WARN), *_path(file.path, tail)),
            (Cell(" not saved ", Tone.WARN),),
        )
    mark, tone = (TAKEN, Tone.GOOD) if file.open is None else (PARTLY, Tone.WARN) if file.picked else (LEFT, Tone.MUTED)
    if not picking:
        mark, tone = LEFT, Tone.MUTED
    letter = file.change.status
    kind = {"A": Tone.GOOD, "D": Tone.BAD}.get(letter, Tone.BUSY)
    unsaved = (Cell(" …", Tone.WARN),) if file.unsaved else ()
    return Item(
        ("file", number, file.path),
        (Cell(f"{indent}{mark} ", tone), Cell(f"{letter} ", kind), *_path(file.path, tail)),
        (*_counts([change for change in (file.picked, file.open) if change is not None]), *unsaved),
    )


def tails(paths: Sequence[str]) -> dict[str, str]:
    """As much of the end of each path as tells it from the others: `prod-eu/deployment.yaml`."""
    found: dict[str, str] = {}
    left = {path: path.split("/") for path in paths}
    count = 1
    while left:
        ends = {path: tuple(parts[-count:]) for path, parts in left.items()}
        times = Counter(ends.values())
        for path, end in ends.items():
            if times[end] == 1 or count >= len(left[path]):
                found[path] = "/".join(end)
        left = {path: parts for path, parts in left.items() if path not in found}
        count += 1
    return found


def _path(path: str, tail: str) -> tuple[Cell, ...]:
    """The end that tells it from others first, because a narrow panel cuts; the folder it is in behind it."""
    folder = path[: -len(tail)].rstrip("/")
    return (Cell(tail, Tone.PLAIN), Cell(f"  {folder}" if folder else "", Tone.MUTED))


def _counts(changes: Sequence[Change]) -> tuple[Cell, ...]:
    if any(change.added < 0 for change in changes):
        return (Cell(" binary ", Tone.MUTED),)
    added, removed = (sum(counts) for counts in zip(*((c.added, c.removed) for c in changes), strict=True))
    return (Cell(f" +{added}", Tone.GOOD), Cell(f" −{removed} ", Tone.BAD))


def commit_items(parts: Sequence[PartView]) -> list[Item]:
    """The commits, newest first, below their repository when there are several."""
    items: list[Item] = []
    for number, part in enumerate(parts):
        if len(parts) > 1 and part.commits:
            items.append(Item(("repository", number), (Cell(short(part.draft.repo), Tone.ACCENT),)))
        items += [_commit(number, commit, "  " if len(parts) > 1 else "") for commit in part.commits]
    return items


def _commit(number: int, commit: CommitView, indent: str) -> Item:
    return Item(
        ("commit", number, commit.oid),
        (Cell(f"{indent}{commit.oid[:7]} ", Tone.ACCENT), Cell(commit.subject, Tone.PLAIN)),
        (Cell(" ↑ pushed ", Tone.GOOD),) if commit.pushed else (),
    )


def picked_words(parts: Sequence[PartView]) -> str:
    """What the next commit takes."""
    files = [file for part in parts for file in part.files if file.change is not None]
    if not files:
        return ""
    if not any(part.draft.index for part in parts):
        return "a commit takes all"
    taken = sum(file.picked is not None for part in parts if part.draft.index for file in part.files)
    return f"{taken} of {len(files)} picked"
