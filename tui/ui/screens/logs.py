"""Logs on the screen: of the pods of some objects, live, since some time, or of before the last restart."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain import when
from tui.domain.kinds.kind import Tone
from tui.domain.logs.asked import PERIODS, TAIL, Asked
from tui.domain.logs.lines import NOTE, SECOND, LogLine, as_bytes, since
from tui.domain.logs.merged import KEPT
from tui.domain.logs.targets import title
from tui.fleet.logs import Follow
from tui.fleet.logs.finding import Found
from tui.ui import keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.prompt import ask
from tui.ui.saving import save, suggested
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.dialogs import Choice
from tui.ui.screens.words_view import wrapped
from tui.ui.text import safe
from tui.ui.widgets.follow_view import FollowView
from tui.ui.widgets.log_view import LogView, copied
from tui.ui.words import plain

PORTION = 1_500  # lines taken in at once: keys wait meanwhile
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")


class LogsScreen(FleetScreen):
    """The logs that `find` finds the pods of."""

    PLACES = ("logs",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("logs")]

    def __init__(self, find: Callable[[], Awaitable[Found]], words: str = "", asked: Asked | None = None) -> None:
        super().__init__()
        self.asked = asked or Asked()
        self.words = words
        self.follow: Follow | None = None
        self._find = find
        self._found: Found | None = None
        self._called = 0  # sources that have names
        self._only = ""  # whose lines alone are shown
        self._query = ""  # what is searched for

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="logs", classes="pane"):
            yield LogView()
        yield Footer()

    @property
    def lines(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    def on_mount(self) -> None:
        """Find the pods, and read."""
        self.lines.focus()
        self._say()
        self.fleet_app.do(self._begin(), f"finding the pods of {self.words}", hold=False)

    def on_unmount(self) -> None:
        """Nobody reads any more."""
        if self.follow is not None:
            self.follow.close()

    async def _begin(self) -> None:
        self._found = await self._find()
        if not self.is_attached:
            return
        self.words = self.words or title(self._found.refs)
        self._read()

    def _read(self, asked: Asked | None = None) -> None:
        """Read anew, what is asked for now."""
        self.asked = asked or self.asked
        if self.follow is not None:
            self.follow.close()
            self.follow = None
        if self._found is not None and self._found.selections:
            self.follow = self.fleet.logs.follow(self._found.selections, self.asked)
        self._called, self._only = 0, ""
        self.lines.set_only(None)
        self.lines.clear()
        self.lines.follow()
        self.pull()

    # -- what is shown ----------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Take in a portion of what came; the rest follows after the keys that wait."""
        super().pull()
        if not self.query(LogView):
            return
        lines, follow = self.lines, self.follow
        lines.tick(self.fleet.facts.now)
        if follow is not None:
            if len(follow.sources) != self._called:
                self._called = len(follow.sources)
                lines.call([source.place for source in follow.sources])
            if not lines.paused and follow.waiting:
                self._take(follow)
        self._say()

    def _take(self, follow: Follow) -> None:
        missed = follow.missed
        came = follow.take(PORTION)
        if follow.missed > missed and came:
            words = f"{follow.missed - missed:,} lines came in between and were dropped; memory holds {KEPT:,}"
            came.append(LogLine(came[0].time, follow.book.sequence(), NOTE, words))
        self.lines.add(came)
        if follow.waiting:
            self.fleet_app.tick_again()

    def _say(self) -> None:
        lines, follow = self.lines, self.follow
        behind = follow.waiting if follow is not None else 0
        state = f"paused, {behind:,} behind" if lines.paused else "" if lines.following else "looking back"
        query = lines.merged.query
        parts = ("Logs", self.words, self.asked.words(), self._only, state, f"/{query}" if query else "",
                 f"find {self._query}" if self._query else "", "selecting" if lines.selecting else "")  # fmt: skip
        told = self._told()
        for box in self.query("#logs"):
            box.border_title = Content(safe(" · ".join(part for part in parts if part)))
            first = f"{len(told)} things to say (C): {told[0]}" if len(told) > 1 else "".join(told)
            below = " · ".join(part for part in (*self._held_words(), first) if part)
            box.border_subtitle = Content(safe(below[: max(0, box.size.width - 6)]))
        width = max(20, lines.size.width - 4)
        lines.say(tuple("".join(cell.text for cell in piece) for text in told
                        for piece in wrapped((plain(text),), width)))  # fmt: skip

    def _held_words(self) -> list[str]:
        merged = self.lines.merged
        if not len(merged):
            return []
        shown = f"{len(merged.shown):,} of " if len(merged.shown) != len(merged) else ""
        dropped = merged.dropped + (self.follow.missed if self.follow is not None else 0)
        return [f"{shown}{len(merged):,} lines", *([f"{dropped:,} older dropped"] if dropped else [])]

    def _told(self) -> list[str]:
        """What is to be said about logs that do not come."""
        if self._found is None:
            return ["finding the pods"]
        told = self.follow.words() if self.follow is not None else []
        told += self._found.problems
        if not told and self.follow is not None and not len(self.lines.merged):
            told.append("nothing has been written" if self.follow.done else "nothing yet")
        return told

    # -- keys: what is asked for --------------------------------------------------------------------------------------

    async def on_key(self, event: events.Key) -> None:
        """A digit chooses how far back."""
        digits = self.fleet_app.key_table.keys_of("log_since")
        if event.key in digits:
            event.stop()
            _, seconds = PERIODS[digits.index(event.key)]
            self._read(msgspec.structs.replace(
                self.asked, seconds=max(0, seconds), time=0, tail=KEPT, head=seconds < 0
            ))  # fmt: skip
        else:
            await super().on_key(event)

    def action_log_time(self) -> None:
        """Since a time."""

        def done(text: str | None) -> None:
            if not text:
                return
            moment = _moment(text.strip(), self.fleet.facts.now)
            if moment is None:
                self.fleet_app.say(f"{text}: a time is 10m, 2h, 14:05 or 2026-11-29T14:05:00Z", Tone.WARN)
            else:
                at = int(moment * SECOND)
                self._read(msgspec.structs.replace(self.asked, seconds=0, time=at, tail=KEPT, head=False))

        ask(self, "since ", done)

    def action_log_previous(self) -> None:
        """The instances before the last restart, or the present ones again."""
        self._read(Asked(previous=not self.asked.previous, tail=TAIL, containers=self.asked.containers))

    def action_log_containers(self) -> None:
        """Choose one container; how it stands with each is said."""
        follow = self.follow
        if follow is None or not follow.sources:
            return
        choices = [("", "all", f"{len(follow.sources)} containers")]
        for source in follow.sources:
            kind = f"{source.container.kind} · " if source.container.kind else ""
            state = source.reason or source.state
            name = f"{source.place.pod}/{source.place.container}"
            choices.append((str(source.number), name, f"{kind}{source.reader.read:,} lines · {state}"))

        def chosen(number: str | None) -> None:
            if number is not None:
                self._show_only([int(number)] if number else None)

        self.app.push_screen(Choice("Containers", choices, ("CONTAINER", "STATE")), chosen)

    def action_log_only(self) -> None:
        """Only the container under the cursor, or all again."""
        line = self.lines.line
        if self._only or line is None:
            self._show_only(None)
            return
        source = line.about if line.source == NOTE else line.source
        if source != NOTE:
            self._show_only([source])

    def _show_only(self, sources: Sequence[int] | None) -> None:
        place = self.follow.sources[sources[0]].place if sources and self.follow is not None else None
        self._only = f"only {place.pod}/{place.container}" if place is not None else ""
        self.lines.set_only(sources)
        self._say()

    # -- keys: how it is shown ----------------------------------------------------------------------------------------

    def action_log_pause(self) -> None:
        """Pause, or take in all that came meanwhile."""
        self.lines.toggle_pause()
        self.pull()

    def action_log_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.lines.set_wrap(not self.lines.wrap)

    def action_log_times(self) -> None:
        """Show when lines were written, or not."""
        self.lines.set_times(not self.lines.times)

    def action_log_filter(self) -> None:
        """Filter as one types."""
        before = self.lines.merged.query

        def changed(text: str) -> None:
            self.lines.set_filter(text)
            self._say()

        ask(self, "/", lambda text: changed(before if text is None else text), value=before, changed=changed)

    def action_log_find(self) -> None:
        """Find a text."""

        def done(text: str | None) -> None:
            if text is None:
                return
            self._query = text
            found = self.lines.find(text)
            if text:
                self.fleet_app.say(f"{text}: in {found:,} lines" if found else f"{text}: not found",
                                   Tone.PLAIN if found else Tone.WARN)  # fmt: skip
            self._say()

        ask(self, "find ", done, value=self._query)

    def action_log_next(self) -> None:
        """The next match."""
        self.lines.next_match(1)

    def action_log_back(self) -> None:
        """The match before."""
        self.lines.next_match(-1)

    def action_log_mark(self) -> None:
        """A line of one's own, to see later what came after it."""
        if self.follow is not None:
            now = time.time()
            last = self.lines.merged.shown[-1].time if self.lines.merged.shown else 0
            words = f"marked at {time.strftime('%H:%M:%S', time.localtime(now))}"
            at = max(int(now * SECOND), last) if self.lines.following else last
            self.lines.add([LogLine(at, self.follow.book.sequence(), NOTE, words)])
            self._say()

    # -- keys: what is taken away -------------------------------------------------------------------------------------

    def action_log_copy(self) -> None:
        """Copy the selected lines, or the one under the cursor."""
        chosen = self.lines.selected
        if text := copied(chosen):
            self.app.copy_to_clipboard(text)
            self.fleet_app.say("copied the line" if len(chosen) == 1 else f"copied {len(chosen):,} lines")
            if self.lines.selecting:
                self.lines.key_select()
                self._say()

    def action_log_save(self) -> None:
        """Write what is shown to a file."""
        view, shown = self.lines, list(self.lines.merged.shown)

        def data(ending: str) -> bytes:
            return b"".join(
                f"{since(line.time)} {label + ' ' if (label := view.label_of(line.source)) else ''}".encode()
                + as_bytes(line.text) + b"\n"
                for line in shown if line.source != NOTE
            )  # fmt: skip

        save(self.fleet_app, f"{len(shown):,} lines", suggested(self.words, self.fleet.facts.now, ".log"), data)

    def on_log_view_opened(self, event: LogView.Opened) -> None:
        """Enter: the line in full."""
        from tui.ui.screens.logline import LineScreen

        event.stop()
        number = event.line.about if event.line.source == NOTE else event.line.source
        follow = self.follow
        place = follow.sources[number].place if follow is not None and 0 <= number < len(follow.sources) else None
        self.app.push_screen(LineScreen(event.line, place))

    async def action_back(self) -> None:
        """Clear what narrows, go on following, else close."""
        lines = self.lines
        if lines.selecting:
            lines.key_select()
        elif lines.merged.query:
            lines.set_filter("")
        elif self._query:
            self._query = ""
            lines.find("")
        elif self._only:
            self._show_only(None)
        elif lines.paused or not lines.following:
            lines.follow()
            self.pull()
        else:
            await super().action_back()
            return
        self._say()

    async def action_leave(self) -> None:
        """Close."""
        self.dismiss()

    def on_follow_view_state_changed(self, event: FollowView.StateChanged) -> None:
        """Say in the title how it stands."""
        event.stop()
        self._say()

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A pane of the header or a key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)


def _moment(text: str, now: float) -> float | None:
    """Seconds since the epoch of `10m`, `14:05` (the last time it was so late here) or an RFC 3339 time."""
    if (found := re.fullmatch(r"(\d+)([smhd])", text)) is not None:
        return now - int(found[1]) * _UNITS[found[2]]
    if (found := _CLOCK.fullmatch(text)) is None:
        return when.seconds(text)
    hour, minute, second = (int(part or 0) for part in found.groups())
    if hour > 23 or minute > 59 or second > 59:
        return None
    local = time.localtime(now)
    moment = time.mktime((*local[:3], hour, minute, second, *local[6:8], -1))
    return moment if moment <= now else moment - 86_400
