"""`fleet doctor --watch`: the pulse of the fleet, once a second until Ctrl-C."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tui.cli.output import complain, json_text, record
from tui.domain import sight, when
from tui.domain.kinds import pulse as kind
from tui.domain.kinds.kind import Facts
from tui.domain.pulse import Pulse

if TYPE_CHECKING:
    from tui.cli.options import Options

PERIOD = 1.0  # seconds between two takings
_GAP = 2  # cells between two columns
Show = Callable[[Sequence[Pulse], Facts], str]


async def watch(options: Options, pattern: str, output: str) -> int:
    """Print until the task is cancelled, as Ctrl-C does; exit code 3 when fleet does not see all there is by then."""
    from tui.cli.wire import make_fleet

    show: Show = documents if output == "json" else Screen() if sys.stdout.isatty() else Changes()
    async with make_fleet(options, drafts=False, background=True) as fleet:
        fleet.start()
        pulses: list[Pulse] = []
        told: set[str] = set()
        try:
            await fleet.announced()
            while True:
                while fleet.news:
                    complain(fleet.news.popleft())
                told.intersection_update(fleet.problems)  # what is mended and comes back is told again
                for problem in fleet.problems:
                    if problem not in told:
                        told.add(problem)
                        complain(problem)
                pulses = [pulse for pulse in fleet.pulse() if fnmatchcase(pulse.cluster, pattern)]
                sys.stdout.write(show(pulses, fleet.facts))
                sys.stdout.flush()
                await asyncio.sleep(PERIOD)
        except asyncio.CancelledError:
            seen = sight.sight(pulses, fleet.facts.now)
            return 3 if len(seen.live) < len(pulses) or seen.partly else 0


def documents(pulses: Sequence[Pulse], facts: Facts) -> str:
    """One JSON document on a line: the sentences, and every cluster under the names of the pane's columns."""
    found = sight.sight(pulses, facts.now)
    document: dict[str, Any] = {
        "time": when.rfc3339(facts.now),
        "summary": [sight.plain([line]) for line in sight.summary(pulses, facts.now)],
        "counts": {name: len(getattr(found, name)) for name in found._fields},
        "clusters": [_entry(pulse, facts) for pulse in pulses],
    }
    return json_text(document) + "\n"


def _entry(pulse: Pulse, facts: Facts) -> dict[str, Any]:
    made = record(kind.row(pulse), kind.PULSE, facts)
    for name in ("cluster", "kind", "namespace"):
        del made[name]
    trouble = [{"resource": each.resource, "state": each.state.value} for each in pulse.trouble]
    return {**made, "watches": pulse.watches, "kinds": pulse.kinds, "trouble": trouble}


class Changes:
    """For a file or a pipe: the sentences when they say something else, and each cluster that stands elsewhere."""

    def __init__(self) -> None:
        self._before: dict[str, object] | None = None
        self._told: dict[str, tuple[str, str]] = {}  # state and note of each cluster

    def __call__(self, pulses: Sequence[Pulse], facts: Facts) -> str:
        """The lines for what is new; "" when nothing is."""
        from tui.ui.text import safe

        now = facts.now
        partly = {pulse.cluster for pulse in sight.sight(pulses, now).partly}
        here = {p.cluster: (p.state, bool(p.objects), p.trouble if p.cluster in partly else (), p.note) for p in pulses}
        if here == self._before:
            return ""
        at = datetime.fromtimestamp(now).strftime("%Y-%m-%d %H:%M:%S")
        lines = []
        for pulse in pulses if self._before is not None else ():
            old, noted = self._told.get(pulse.cluster, ("unknown", ""))
            new = pulse.state.value
            if old != new:
                lines.append(f"{at}  {pulse.cluster}  {old} → {new}" + (f"  {pulse.reason}" if pulse.reason else ""))
            if pulse.note != noted:
                lines.append(f"{at}  {pulse.cluster}  {pulse.note}")
        self._before, self._told = {**here}, {pulse.cluster: (pulse.state.value, pulse.note) for pulse in pulses}
        lines.append(f"{at}  {sight.plain(sight.summary(pulses, now))}")
        return "".join(f"{safe(line)}\n" for line in lines)


class Screen:
    """For a terminal: the sentences and the table, painted over what was there; as much of it as there is room for."""

    def __init__(self) -> None:
        self._painted = False

    def __call__(self, pulses: Sequence[Pulse], facts: Facts) -> str:
        """The escape codes that paint it anew, without a flicker."""
        from tui.ui.text import fit

        width, height = shutil.get_terminal_size()
        told = time.strftime("%H:%M:%S", time.localtime(facts.now))
        lines = [f"{told}  Ctrl-C ends", ""]
        lines += [sight.plain([line]) for line in sight.summary(pulses, facts.now)]
        lines = [*(fit(line, width) for line in lines), "", *table(pulses, facts, width)]
        if len(lines) >= height:
            more = len(lines) - height + 2
            lines = [*lines[: height - 2], f"and {more} more lines than the terminal has"]
        start, self._painted = "\x1b[H" if self._painted else "\x1b[2J\x1b[H", True
        return start + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"


def table(pulses: Sequence[Pulse], facts: Facts, width: int) -> list[str]:
    """The pane's table in lines of at most `width` cells, what is in the way first."""
    from tui.ui.text import padded, safe, width_of
    from tui.ui.widgets.columns import lay_out, natural_widths

    columns = kind.PULSE.columns
    rows = [kind.row(pulse) for pulse in sorted(pulses, key=_order)]
    cells = [[safe(column.show(column.value(row, facts), facts.now).text) for column in columns] for row in rows]
    longest = [max((width_of(line[at]) for line in cells), default=0) for at in range(len(columns))]
    slots = lay_out(columns, natural_widths(columns, longest), width, _GAP, 0, False).slots
    made = []
    for line in [[column.title for column in columns], *cells]:
        parts = [padded(line[slot.column], slot.width, columns[slot.column].right) for slot in slots]
        made.append((" " * _GAP).join(parts).rstrip())
    return made


def _order(pulse: Pulse) -> tuple[str, str]:
    from tui.domain.kinds.columns import severity

    return str(severity(pulse.state.value)), pulse.cluster
