"""How the screen looks: its theme, the user's themes while their files change, ASCII shapes, how it is divided."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.timer import Timer

from tui.ui import frame, icons, themes
from tui.ui.readonly import ReadOnly

if TYPE_CHECKING:
    from tui.ui import Memory, OwnThemes

KEEP = 0.5  # seconds after the last change of the layout: then it is written
RELOOK = 1.0  # seconds between two looks whether a theme of the user's has changed
_ascii = lru_cache(maxsize=4096)(icons.ascii_of)


class Ascii(LineFilter):
    """Shapes and everything else that is not ASCII, as ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.control or segment.text.isascii() else Segment(_ascii(segment.text), segment.style)
            for segment in segments
        ]


class Looks(ReadOnly):
    """An app in a theme, divided as the user has it."""

    def dress(self, memory: Memory | None, own: OwnThemes | None) -> None:
        """Begin with what the configuration says and what is kept from the last run. Once, before the app runs."""
        self.memory = memory
        self.own_themes = own
        self.layout_kept = frame.layout_of(memory.read() if memory is not None else "")
        self._keeping: Timer | None = None
        self._dressing: object = own.stamp() if own is not None else None
        self._plain = Ascii() if icons.poor(self.settings.icons, os.environ, _encoding(self.is_headless)) else None
        for colours in themes.PALETTES.values():
            self.register_theme(themes.theme(colours))
        self.theme = self.settings.theme if self.settings.theme in themes.PALETTES else themes.DEFAULT

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and ASCII where it is wanted."""
        made = super().get_line_filters()
        return made if self._plain is None else [*made, self._plain]

    def follow_themes(self) -> None:
        """From now on, take in what changes in the folder of the user's themes."""
        if self.own_themes is not None:
            self.set_interval(RELOOK, lambda: self.run_worker(self._look(), group="themes", exclusive=True))

    async def _look(self) -> None:
        own = self.own_themes
        assert own is not None
        stamp = await asyncio.to_thread(own.stamp)
        if stamp != self._dressing:
            self._dressing = stamp
            self.take_themes(*await asyncio.to_thread(own.read))

    def take_themes(self, found: dict[str, dict[str, Any]], problems: Sequence[str]) -> None:
        """Have these themes of the user's; the one that is shown changes at once. What is wrong is said."""
        from tui.domain.kinds.kind import Tone

        own, wrong = themes.own(found)
        for problem in (*problems, *wrong):
            self.say(problem, Tone.WARN)
        kept = {name: palette for name, palette in themes.PALETTES.items() if name in found and name not in own}
        themes.use(own | kept)  # one that has become unusable stays as it was
        for palette in own.values():
            self.register_theme(themes.theme(palette))
        if self.theme in own:
            self._watch_theme(self.theme)
        elif self.theme not in themes.PALETTES:
            self.theme = themes.DEFAULT

    def choose_theme(self, name: str) -> None:
        """Change the theme; without a name the next one."""
        names = list(themes.PALETTES)
        self.theme = name or names[(names.index(self.theme) + 1) % len(names)]

    def keep_layout(self, layout: frame.Layout) -> None:
        """Keep how the screen is divided, for this run and the next ones."""
        if layout == self.layout_kept:
            return
        self.layout_kept = layout
        if self._keeping is not None:
            self._keeping.stop()
        self._keeping = self.set_timer(KEEP, self._write_layout)  # a border that is dragged is written once

    def _write_layout(self) -> None:
        if self.memory is not None:
            written = asyncio.to_thread(self.memory.write, self.layout_kept.text())
            self.do(written, "keeping the layout", hold=False)


def _encoding(headless: bool) -> str:
    """What the terminal is written in."""
    return "utf-8" if headless else getattr(sys.__stderr__, "encoding", None) or "utf-8"
