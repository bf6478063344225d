"""What a change does to network policies in words: per cluster what is cut, who is closed, which policies differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.domain.cilium.impacts.changes import Change, sentence
from tui.domain.cilium.impacts.drafted import ClusterImpact, DraftImpact, flow_words
from tui.domain.cilium.impacts.impact import Change as Pairs
from tui.domain.cilium.impacts.impact import Closing, Kind, Replayed, Selecting
from tui.domain.drafts.blast import counted
from tui.domain.kinds.kind import Cell, Tone
from tui.ui.words import BLANK, Line, heading, plain

MOST = 12  # lines of one sort that are listed of a cluster
_KINDS: dict[Kind, str] = {
    "denied": "newly denied",
    "allowed": "newly allowed",
    "restricted": "newly filtered above layer 4",
    "freed": "no longer filtered above layer 4",
    "unknown": "no longer known",
}
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
    if each.flows is not None:
        lines += _some([_flow(one) for one in each.flows.changed], each.flows.more)
    if (effect := each.effect) is not None:
        lines += _some([_pairs(one) for one in effect.changes], effect.more)
        lines += _some([_closing(one) for one in effect.default_deny])
        lines += _some([_selecting(one) for one in effect.selection if one.policy is None or not one.now])
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
    if (effect := each.effect) is not None:
        pairs = {kind: count for kind, count in effect.pairs.items() if count}
        parts += [f"{counted(pairs[kind], 'pair')} {word}" for kind, word in _KINDS.items() if kind in pairs]
        if not pairs and not any(effect.outside.values()):
            parts.append("the same may talk as now")
    if each.flows is None:
        parts.append("recent flows unknown")
    elif each.flows.flows:
        cut = sum(one.flows for one in each.cut)
        parts.append(f"{cut or 'none'} of {each.flows.flows:,} flows seen lately {'is' if cut == 1 else 'are'} cut")
    return ", ".join(parts) or "nothing changes"


def facts(found: DraftImpact) -> list[str]:
    """What a question before a push says."""
    return [f"{each.cluster}: {summary(each)}" for each in found.clusters if not each.empty]


def _some(lines: Sequence[Line], more: int = 0) -> Iterator[Line]:
    yield from lines[:MOST]
    if rest := len(lines[MOST:]) + more:
        yield (Cell(f"      and {rest:,} more", Tone.MUTED),)


def _flow(one: Replayed) -> Line:
    cut = (one.before, one.after) == ("allowed", "denied")
    tone = Tone.BAD if cut else Tone.GOOD if one.after == "allowed" else Tone.UNKNOWN
    seen = f"  seen {counted(one.flows, 'time')}"
    return Cell(f"    {'cuts' if cut else one.after:<11} ", tone), plain(flow_words(one.flow)), Cell(seen, Tone.MUTED)


def _pairs(one: Pairs) -> Line:
    words = {
        "allowed": "allows",
        "denied": "denies",
        "unknown": "unknown",
        "restricted": "filters",
        "freed": "unfilters",
    }
    tones = {"allowed": Tone.GOOD, "denied": Tone.BAD, "unknown": Tone.UNKNOWN}
    return Cell(f"    {words[one.kind]:<11} ", tones.get(one.kind, Tone.WARN)), plain(one.words)


def _closing(one: Closing) -> Line:
    return Cell(f"    {'closes' if one.on else 'opens':<11} ", Tone.WARN), plain(one.words)


def _selecting(one: Selecting) -> Line:
    return Cell(f"    {'selects' if one.now else 'lets go':<11} ", Tone.PLAIN if one.now else Tone.WARN), plain(
        one.words
    )


def _change(one: Change) -> Line:
    return Cell("      "), plain(sentence(one), _TONES.get(one.how, Tone.PLAIN))
