"""The blast radius of a draft in words: counts first, then Applications, deletions, objects, and what is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.domain.argo.reach import Why
from tui.domain.argo.standing import clock
from tui.domain.drafts.blast import Blast, Deletion, Object, Touched, counted, deletions
from tui.domain.kinds.columns import state_cell
from tui.domain.kinds.kind import Cell, Tone
from tui.ui.text import padded, width_of
from tui.ui.words import BLANK, Line, heading, plain

MOST = 60  # Applications, deletions, objects and unknowns that are listed, of each
MOST_FACTS = 8  # deletions and unknowns that a question names
_NAME = 32  # cells of a name before what is said of it
_HOW = {"added": Tone.GOOD, "changed": Tone.PLAIN, "deleted": Tone.BAD}
_WHY: dict[Why, str] = {
    "path": "in its path",
    "values": "its values",
    "library": "its jsonnet library",
    "base": "a base it uses",
    "watched": "its manifest-generate-paths",
    "edit": "edited for it",
    "manifest": "declares it",
    "set": "its ApplicationSet",
    "project": "its project",
}


def summary(blast: Blast) -> str:
    """`6 Applications on 4 clusters (12 % of the fleet), 9 workloads; auto-sync on 5, prune on 2; 1 object deleted`."""
    parts = []
    touched, share = blast.applications, blast.share
    if share is None:
        first = "Applications unknown"
    else:
        first = counted(len(touched), "Application")
        if touched:
            first += f" on {counted(len(blast.clusters), 'cluster')} ({percent(share)} of the fleet)"
    named = counted(blast.workloads, "workload")
    parts.append(f"{first}, {'at least ' if blast.unknown else ''}{named}")
    if touched:
        on, prune = sum(each.auto_sync for each in touched), sum(each.prune for each in touched)
        parts.append(f"auto-sync on {on}, prune on {prune}")
    if gone := deletions(blast):
        parts.append(f"{gone} deleted")
    if blast.unknown:
        parts.append(f"{len(blast.unknown)} unknown")
    return "; ".join(parts)


def percent(share: float) -> str:
    """A share in whole percent; what is more than nothing is never 0 %, and what is less than all never 100 %."""
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{99 if 0.99 < share < 1 else round(share * 100)} %"


def blast(found: Blast | str, now: float) -> list[Line]:
    """The part of a draft's detail. `found` in words: why it is not known (yet)."""
    if isinstance(found, str):
        return [heading("Blast radius"), (Cell("  ? ", Tone.UNKNOWN), plain(found, Tone.MUTED))]
    lines: list[Line] = [heading("Blast radius"), (Cell("  "), plain(summary(found), _tone(found)))]
    wide = min(_NAME, max((width_of(each.name) for each in found.applications), default=0))
    where = min(_NAME, max((width_of(each.cluster) for each in found.applications), default=0))
    lines += _some([_application(each, wide, where, now) for each in found.applications])
    if found.deleted:
        lines += [BLANK, heading("Deleted"), *_some([_deletion(each) for each in found.deleted])]
    if found.objects:
        lines += [BLANK, heading("Objects"), *_some([_object(each) for each in found.objects])]
    if found.unknown:
        lines += [BLANK, heading("Not known"), *_some([_unknown(each) for each in found.unknown])]
    return lines


def facts(found: Blast) -> list[str]:
    """What a question before a push says: the counts, what is deleted, what is unknown."""
    deleted = [f"deletes {named(each)}{f': {each.note}' if each.note else ''}" for each in found.deleted]
    unknown = [f"unknown: {each}" for each in found.unknown]
    more = [f"and {len(each) - MOST_FACTS} more" if len(each) > MOST_FACTS else "" for each in (deleted, unknown)]
    shown = [*deleted[:MOST_FACTS], more[0], *unknown[:MOST_FACTS], more[1]]
    return [summary(found), *(line for line in shown if line)]


def text(lines: Sequence[Line]) -> str:
    """Lines without tones."""
    return "\n".join("".join(cell.text for cell in line).rstrip() for line in lines)


def _tone(found: Blast) -> Tone:
    return Tone.BAD if found.deleted else Tone.UNKNOWN if found.share is None else Tone.PLAIN


def _some(lines: Sequence[Line]) -> Iterator[Line]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield (Cell(f"  and {len(lines) - MOST:,} more", Tone.MUTED),)


def _application(each: Touched, wide: int, where: int, now: float) -> Line:
    reasons: dict[str, str] = {}
    for reason in each.reasons:
        reasons.setdefault(_WHY[reason.why], reason.file)
    first = next(iter(reasons.items()), ("", ""))
    more = f", {', '.join(list(reasons)[1:])}" if len(reasons) > 1 else ""
    files = f" and {len(each.reasons) - 1} more" if len(each.reasons) > 1 else ""
    place = Cell(padded(each.cluster or "?", where), Tone.UNKNOWN if each.cluster.endswith("?") else Tone.MUTED)
    return (
        Cell("  "),
        Cell(padded(each.name, max(wide, width_of(each.name)))),
        Cell("  "),
        place,
        Cell("  "),
        *_padded(state_cell(each.health), 13),
        *_padded(state_cell(each.sync), 11),
        *_padded(_auto(each), 27),
        *_padded(_window(each, now), 24),
        plain(f"{first[0]}: {first[1]}{files}{more}", Tone.MUTED),
    )


def _padded(cell: Cell, width: int) -> tuple[Cell, Cell]:
    return cell, Cell(" " * max(1, width + 1 - width_of(cell.text)))


def _auto(each: Touched) -> Cell:
    if not each.auto_sync:
        return Cell("auto-sync off", Tone.WARN)
    more = [word for word, on in (("prune", each.prune), ("self-heal", each.self_heal)) if on]
    return Cell(", ".join(["auto-sync", *more]), Tone.GOOD)


def _window(each: Touched, now: float) -> Cell:
    until = f" until {clock(each.until, now)}" if each.until is not None else ""
    if each.window == "open":
        return Cell(f"window open{until}", Tone.MUTED)
    if each.window == "manual":
        return Cell(f"manual syncs only{until}", Tone.WARN)
    if each.window == "closed":
        return Cell(f"window closed{until}", Tone.BAD)
    return Cell("window ?", Tone.UNKNOWN)


def _deletion(each: Deletion) -> Line:
    return (
        Cell("  − ", Tone.BAD),
        plain(named(each)),
        Cell("  "),
        plain(each.file * (each.what != "file"), Tone.MUTED),
        Cell("  "),
        plain(each.note, Tone.WARN),
    )


def named(each: Deletion) -> str:
    """What is deleted, in words."""
    times = f", in {each.copies} Applications" if each.copies > 1 else ""
    if each.what == "listing":
        return f"what {each.name} declares{times}"
    return f"{'file ' if each.what == 'file' else ''}{each.name}{times}"


def _object(each: Object) -> Line:
    name = "/".join(part for part in (each.namespace, each.name) if part)
    times = f"  in {each.copies} Applications" if each.copies > 1 else ""
    return (
        Cell(f"  {each.how:<8} ", _HOW[each.how]),
        plain(f"{each.kind} {name}"),
        Cell(times + "  "),
        plain(each.file, Tone.MUTED),
    )


def _unknown(line: str) -> Line:
    return (Cell("  ? ", Tone.UNKNOWN), plain(line, Tone.MUTED))
