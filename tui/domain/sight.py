"""What fleet can see and what it cannot, in words for a person who has five seconds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from tui.domain import when
from tui.domain.cluster import GRACE, ClusterState, KindState
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.pulse import Pulse

Line = tuple[Cell, ...]

MOST = 3  # groups of clusters that are named, and names in one of them
LONGEST = 60  # characters of a reason
ASTRAY = 60.0  # seconds that two clocks may differ by before it is worth a word: ages are told to the minute
_PREFIX = re.compile(r".*?[-._:/@]+")


class Sight(NamedTuple):
    """The clusters by what fleet sees of them; each is in one of the first four."""

    live: list[Pulse]
    connecting: list[Pulse]
    stale: list[Pulse]  # not heard, but what was read before is still shown
    blind: list[Pulse]  # not heard, and nothing is shown
    partly: list[Pulse]  # of the live ones: some kind is denied, has failed or is stale


def sight(pulses: Iterable[Pulse], now: float) -> Sight:
    """Sort clusters by what is seen of them."""
    found = Sight([], [], [], [], [])
    for pulse in pulses:
        if pulse.state is ClusterState.LIVE:
            found.live.append(pulse)
            if any(_lasting(pulse, now)):
                found.partly.append(pulse)
        elif pulse.state is ClusterState.CONNECTING:
            found.connecting.append(pulse)
        else:
            (found.stale if pulse.objects else found.blind).append(pulse)
    return found


def _lasting(pulse: Pulse, now: float) -> Iterable[tuple[str, KindState]]:
    """(resource, state) of the kinds that cannot be read; a watch that has just broken is about to come back."""
    for trouble in pulse.trouble:
        if trouble.state is not KindState.STALE or now - trouble.heard >= GRACE:
            yield trouble.resource, trouble.state


def summary(pulses: Sequence[Pulse], now: float) -> list[Line]:
    """One to five sentences: what is seen and what not, since when, what is old or seen partly, whose clock is off."""
    if not pulses:
        return [(Cell("no cluster is known yet", Tone.MUTED),)]
    found = sight(pulses, now)
    lines = [_seen(found, len(pulses), now), *_not_heard(found, pulses, now)]
    if found.partly:
        lines.append((Cell(f"partly {len(found.partly)}: ", Tone.WARN), Cell(_kinds(found.partly, now), Tone.PLAIN)))
    if astray := [pulse for pulse in pulses if abs(pulse.ahead) >= ASTRAY]:
        lines.append((Cell("clocks differ: ", Tone.WARN), Cell(_astray(astray, len(pulses)))))
    return lines


def _seen(found: Sight, total: int, now: float) -> Line:
    lost = found.stale or found.blind
    seen = f"all {total:,}" if len(found.live) == total else f"{len(found.live):,} of {total:,}"
    cells = [Cell(f"fleet sees {seen} {'cluster' if total == 1 else 'clusters'}", Tone.WARN if lost else Tone.GOOD)]
    if not lost and found.connecting:
        cells = [Cell(cells[0].text, Tone.BUSY)]
    if found.connecting:
        cells.append(Cell(f", {len(found.connecting):,} still connecting", Tone.BUSY))
    if not lost and not found.partly and not found.connecting:
        cells.append(Cell(", nothing is stale", Tone.MUTED))
    cells += [Cell(" · ", Tone.MUTED), _hubs(found)]
    return tuple(cells)


def _hubs(found: Sight) -> Cell:
    """Hubs first of all: every Application is read from one."""
    live = [pulse.cluster for pulse in found.live if pulse.hub]
    lost = [pulse.cluster for pulse in (*found.stale, *found.blind) if pulse.hub]
    if lost:
        return Cell(f"hubs: {len(live)} of {len(live) + len(lost)} live, not {_names(lost)}", Tone.BAD)
    if not live:
        return Cell("no hub is known", Tone.MUTED)
    return Cell(f"hubs: {f'all {len(live)}' if len(live) > 1 else live[0]} live", Tone.GOOD)


def _not_heard(found: Sight, pulses: Sequence[Pulse], now: float) -> Iterable[Line]:
    every = [pulse.cluster for pulse in pulses]
    seen = [pulse.cluster for pulse in (*found.live, *found.connecting)]

    def told(lost: list[Pulse]) -> Cell:
        groups = gather(lost, seen)
        return Cell(_listed([f"{_label(g, every)} since {when.age(now - _first(g))} ({_why(g)})" for g in groups]))

    if found.blind:
        yield Cell(f"blind in {len(found.blind):,}: ", Tone.BAD), told(found.blind)
    if found.stale:
        heard = [pulse.heard for pulse in found.stale if pulse.heard]
        oldest = f", oldest {when.age(now - min(heard))}" if heard else ""
        yield Cell(f"stale {len(found.stale):,}{oldest}: ", Tone.WARN), told(found.stale)


def gather(lost: Iterable[Pulse], seen: Iterable[str]) -> list[list[Pulse]]:
    """Clusters that belong together: first those with a prefix that no cluster has which is seen, then by reason.

    The largest group comes first, of equals the one that was lost first.
    """
    by_name = {pulse.cluster: pulse for pulse in sorted(lost, key=lambda pulse: pulse.cluster)}
    others = Counter(prefix for name in seen for prefix in _prefixes(name))
    own = Counter(prefix for name in by_name for prefix in _prefixes(name))
    groups: dict[tuple[str, str], list[Pulse]] = {}
    for name, pulse in by_name.items():
        whole = next((p for p in _prefixes(name) if own[p] > 1 and not others[p]), "")
        groups.setdefault((whole, "" if whole else reason(pulse)), []).append(pulse)
    return sorted(groups.values(), key=lambda group: (-len(group), _first(group)))


def _prefixes(name: str) -> list[str]:
    """`dc-`, `dc-west-` of `dc-west-1`: the shortest first."""
    return [name[: found.end()] for found in _PREFIX.finditer(name) if found.end() < len(name)]


def _first(group: Sequence[Pulse]) -> float:
    return min(pulse.since for pulse in group)


def _label(group: Sequence[Pulse], every: Sequence[str]) -> str:
    """`dc-west-*` where that says exactly which clusters are meant, else their names; of many `7 of dc-west-*`."""
    names = [pulse.cluster for pulse in group]
    if len(names) == len(every) > 1:
        return "every cluster"
    if len(names) > 1:
        prefixes = set(_prefixes(names[0])).intersection(*map(_prefixes, names[1:]))
        longest = max(prefixes, key=len, default="")
        if longest and sum(name.startswith(longest) for name in every) == len(names):
            return f"{longest}*"
        if longest and len(names) > MOST:
            return f"{len(names):,} of {longest}*"
    return _names(names)


def _names(names: Sequence[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more:,} more" if more > 0 else "")


def _why(group: Sequence[Pulse]) -> str:
    reasons = Counter(map(reason, group)).most_common()
    return reasons[0][0] + (", and others" if len(reasons) > 1 else "")


def reason(pulse: Pulse) -> str:
    """Why a cluster is not heard, without its own address, so that clusters with one trouble say the same."""
    server = urlsplit(pulse.server)
    text = " ".join(pulse.reason.split())
    for known in (server.netloc.rpartition("@")[2], server.hostname):
        if known and known in text:
            text = text.replace(known, "the host").replace("the host:443", "the host")
    text = text.removeprefix("the host: ").removeprefix("the host ")
    return (text if len(text) <= LONGEST else text[: LONGEST - 1] + "…") or "no reason is known"


def _astray(pulses: Sequence[Pulse], total: int) -> str:
    """`hub-1 1d ahead`; ages and deadlines of what such a cluster says are wrong by as much."""
    if len(pulses) == total > 1:
        return f"every cluster is {_off(pulses[0])}: is this machine's clock right?"
    worst = sorted(pulses, key=lambda pulse: -abs(pulse.ahead))
    return _listed([f"{pulse.cluster} {_off(pulse)}" for pulse in worst])


def _off(pulse: Pulse) -> str:
    minutes = round(abs(pulse.ahead) / 60)  # the date of an answer is up to a second old
    return f"{when.age(minutes * 60)} {'ahead' if pulse.ahead > 0 else 'behind'}"


def _kinds(partly: Sequence[Pulse], now: float) -> str:
    """`secrets denied in 8, pods stale in 4`."""
    counted = Counter(pair for pulse in partly for pair in _lasting(pulse, now))
    return _listed([f"{kind} {state.value} in {number:,}" for (kind, state), number in counted.most_common()])


def _listed(parts: Sequence[str]) -> str:
    more = len(parts) - MOST
    return "; ".join(parts[:MOST]) + (f"; and {more:,} more" if more > 0 else "")


def plain(lines: Iterable[Line]) -> str:
    """The sentences as one line of text."""
    return "; ".join("".join(cell.text for cell in line) for line in lines)
