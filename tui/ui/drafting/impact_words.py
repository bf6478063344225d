"""What a change does to network policies in words: per cluster what is cut, who is closed, which policies differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.domain.cilium.changes import Change, sentence
from tui.domain.cilium.drafted import ClusterImpact, DraftImpact, Turn, flow_words
from tui.domain.cilium.turning import Turned
from tui.domain.drafts.blast import counted
from tui.domain.kinds.kind import Cell, Tone
from tui.ui.words import BLANK, Line, heading, plain

MOST = 12  # lines of one sort that are listed of a cluster
_TONES = {
    "policy removed": Tone.BAD,
    "invalid": Tone.BAD,
    "removed": Tone.WARN,
    "narrowed": Tone.WARN,
    "default deny on": Tone.WARN,
    "default deny off": Tone.WARN,
}


def impact(found: DraftImpact | str, title: str = "Network policies") -> list[Line]:
    """The part of a draft's detail; [] when it has nothing to do with policies. In words: why it is not known (yet)."""
    if isinstance(found, str):
        return [heading(title), (Cell("  ? ", Tone.UNKNOWN), plain(found, Tone.MUTED))]
    if found.empty:
        return []
    return [heading(title), *body(found)]


def body(found: DraftImpact) -> list[Line]:
    """The same without its title."""
    lines: list[Line] = []
    for alarm in found.alarms:
        lines.append((Cell("  ! ", Tone.BAD), plain(alarm, Tone.BAD)))
    for each in found.clusters:
        if lines:
            lines.append(BLANK)
        lines += cluster(each)
    for text in found.unknown:
        lines.append((Cell("  ? ", Tone.UNKNOWN), plain(text, Tone.MUTED)))
    return lines or [(Cell("  "), plain("it has nothing to do with network policies", Tone.MUTED))]


def cluster(each: ClusterImpact) -> list[Line]:
    """What a change does in one cluster."""
    lines: list[Line] = [(Cell(f"  {each.cluster}", Tone.ACCENT), Cell("  "), plain(summary(each), Tone.MUTED))]
    lines += _some([_flow(one) for one in each.turned])
    for direction, turns in each.closed.items():
        lines.append(_turns(f"{direction} closed by default for", turns, Tone.WARN))
    for direction, turns in each.opened.items():
        lines.append(_turns(f"{direction} no longer closed by default for", turns, Tone.WARN))
    if each.freed:
        lines.append(_turns("no policy selects any more", each.freed, Tone.WARN))
    if each.taken:
        lines.append(_turns("selected by a policy for the first time", each.taken, Tone.PLAIN))
    for said in each.policies:
        lines.append((Cell("    "), plain(said.name), Cell("  "), plain(said.file, Tone.MUTED)))
        lines += _some([_change(one) for one in said.changes])
    for text in each.unknown:
        lines.append((Cell("    ? ", Tone.UNKNOWN), plain(text, Tone.MUTED)))
    for text in each.caveats:
        lines.append((Cell("    · ", Tone.MUTED), plain(text, Tone.MUTED)))
    return lines


def summary(each: ClusterImpact) -> str:
    """`2 policies differ, 3 endpoints closed by default; 1 of 40 flows seen lately is cut`."""
    parts = []
    if each.policies:
        noun = "policy differs" if len(each.policies) == 1 else "policies differ"
        parts.append(f"{len(each.policies)} {noun}")
    if each.relabelled:
        parts.append(f"{counted(each.relabelled, 'endpoint')} relabelled")
    if each.flows is None:
        parts.append("recent flows unknown")
    elif each.flows:
        cut = len(each.cut)
        parts.append(f"{cut or 'none'} of {each.flows:,} flows seen lately {'is' if cut == 1 else 'are'} cut")
    return ", ".join(parts) or "nothing changes"


def facts(found: DraftImpact) -> list[str]:
    """What a question before a push says."""
    return [f"{each.cluster}: {summary(each)}" for each in found.clusters if not each.empty]


def _some(lines: Sequence[Line]) -> Iterator[Line]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield (Cell(f"      and {len(lines) - MOST} more", Tone.MUTED),)


def _flow(one: Turned) -> Line:
    verb, tone = (
        ("cuts   ", Tone.BAD) if one.cut else (f"{one.after:<7}", Tone.GOOD if one.after == "allowed" else Tone.UNKNOWN)
    )
    seen = f"  seen {one.seen} times" if one.seen > 1 else ""
    return Cell(f"    {verb} ", tone), plain(flow_words(one.flow)), Cell(seen, Tone.MUTED)


def _turns(text: str, turns: Sequence[Turn], tone: Tone) -> Line:
    named = ", ".join(f"{turn.group.words} ({turn.endpoints})" for turn in turns[:MOST])
    more = f" and {len(turns) - MOST} more" if len(turns) > MOST else ""
    return Cell("    "), plain(text, tone), Cell("  "), plain(named + more)


def _change(one: Change) -> Line:
    return Cell("      "), plain(sentence(one), _TONES.get(one.how, Tone.PLAIN))
