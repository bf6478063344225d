"""Base of all long lists: draws the lines in view from cached strips, scrolls itself, and paints at once on a key.

Nothing is mounted per row. A line is painted again only when its stamp (what it shows) changes. The scrollbar is one
column of the lines themselves, so that scrolling costs no layout.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.domain.kinds.kind import Tone
from tui.ui import paint

# How a line stands: part of its stamp and of its style.
PLAIN, CURSOR, RESTING, MARKED, HEADER = "plain", "cursor", "resting", "marked", "header"
_STATES = {state: f"line--{state}" for state in (CURSOR, RESTING, MARKED, HEADER)}
_TONES = {tone: f"tone--{tone.value}" for tone in Tone if tone is not Tone.PLAIN}
_WHEEL = 3  # lines
_BAR = "┃"
_LEAST = 6  # cells; a narrower widget shows nothing


class LineView(Widget, can_focus=True):
    """Lines with a cursor. A subclass gives `line_count`, `stamp` and `paint_line`, and may answer `cursor_moved`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *_STATES.values(),
        *_TONES.values(),
        "line--bar",
        "line--guide",
        "line--match",
    }
    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        width: 1fr;
        background: $background;
        color: $foreground;
        & > .line--header { color: $text-muted; text-style: bold; }
        & > .line--cursor { background: $block-cursor-blurred-background; text-style: bold; }
        & > .line--resting { background: $surface; }
        & > .line--marked { background: $boost; }
        & > .line--match { background: $warning; color: $background; }
        & > .line--bar { color: $scrollbar; }
        & > .line--guide { color: $border-blurred; }
        & > .tone--muted { color: $text-muted; }
        & > .tone--good { color: $text-success; }
        & > .tone--busy { color: $text-primary; }
        & > .tone--warn { color: $text-warning; }
        & > .tone--bad { color: $text-error; }
        & > .tone--paused { color: $text-secondary; }
        & > .tone--unknown { color: $text-muted; }
        & > .tone--accent { color: $text-accent; }
        & > .tone--loud { color: $text-accent; text-style: bold; }
    }
    """

    # key -> method without its `key_` prefix; a method that returns False leaves the key to the parents
    KEYS: ClassVar[dict[str, str]] = {
        "up": "up",
        "k": "up",
        "down": "down",
        "j": "down",
        "pageup": "page_up",
        "ctrl+b": "page_up",
        "pagedown": "page_down",
        "ctrl+f": "page_down",
        "home": "top",
        "g": "top",
        "end": "bottom",
        "G": "bottom",
        "upper_g": "bottom",
        "left": "left",
        "h": "left",
        "right": "right",
        "l": "right",
        "enter": "open",
    }
    header_lines = 0

    def __init__(self, *, id: str | None = None, classes: str | None = None, name: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.keys = dict(self.KEYS)  # a pane may take a key away from its own list
        self.leaves: Collection[str] = ()  # keys that mean something else in its pane
        self.top = 0  # first line in view
        self.cursor = 0  # line of the cursor
        self._strips: dict[Hashable, Strip] = {}
        self._styles_made: dict[tuple[Tone, str], Style] = {}
        self._bar_made: Style | None = None
        self._behind: Color | None = None  # the background
        self._guide_made: Style | None = None
        self._reverse: bool | None = None
        self._dragging = False

    # --- what a subclass gives -------------------------------------------------------------------------------

    def line_count(self) -> int:
        """How many lines there are."""
        return 0

    def stamp(self, index: int) -> Hashable:
        """Identity of what line `index` shows; an equal stamp means the same strip. Without cursor and width."""
        raise NotImplementedError

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """Line `index` in exactly `width` cells; every segment with a style."""
        raise NotImplementedError

    def paint_header(self, y: int, width: int) -> list[Segment]:
        """Header line `y` in exactly `width` cells."""
        raise NotImplementedError

    def paint_empty(self, y: int, width: int) -> list[Segment]:
        """What stands on body line `y` below the last line."""
        return [Segment(" " * width, self.tone_style(Tone.PLAIN))]

    def cursor_moved(self) -> None:
        """The user has moved the cursor (`self.cursor`)."""

    def is_marked(self, index: int) -> bool:
        """Whether the line is marked by the user."""
        return False

    # --- styles ----------------------------------------------------------------------------------------------

    def tone_style(self, tone: Tone, state: str = PLAIN) -> Style:
        """The Rich style of a tone on a line in that state."""
        key = (tone, state)
        style = self._styles_made.get(key)
        if style is None:
            style = self._styles_made[key] = self._make_style(tone, state)
        return style

    def guide_style(self, state: str = PLAIN) -> Style:
        """Lines that only guide the eye: as quiet as the borders."""
        if self._guide_made is None:
            self._guide_made = Style(color=self.component("line--guide").color, bold=False)
        return self.tone_style(Tone.PLAIN, state) + self._guide_made

    def _bar_style(self) -> Style:
        if self._bar_made is None:
            self._bar_made = self.component("line--bar")
        return self._bar_made

    def component(self, name: str) -> Style:
        """The Rich style of a component class, on the widget's background."""
        return self.get_component_rich_style(name)

    def _make_style(self, tone: Tone, state: str) -> Style:
        style = self.rich_style if state == PLAIN else self.component(_STATES[state])
        if tone is not Tone.PLAIN:
            own = self.component(_TONES[tone])
            style += Style(color=own.color, bold=own.bold or None, italic=own.italic or None, dim=own.dim or None)
        if state == CURSOR and self._few_colours():
            style = self.rich_style + Style(reverse=True, bold=True)
        elif state == RESTING and self._few_colours():
            style += Style(underline=True)
        return style

    def _few_colours(self) -> bool:
        """Whether a background may vanish on this terminal, so that the cursor needs reverse video."""
        if self._reverse is None:
            app = self.app
            few = app.console.color_system == "standard" and not app.is_headless
            self._reverse = app.no_color or few or app.native_ansi_color
        return self._reverse

    def notify_style_update(self) -> None:
        """Textual tells that styles have changed (theme, focus, classes)."""
        super().notify_style_update()
        self.forget()

    def forget(self) -> None:
        """Make every strip and style anew when next painted."""
        self._strips.clear()
        self._styles_made.clear()
        self._bar_made = self._guide_made = self._behind = self._reverse = None

    # --- painting --------------------------------------------------------------------------------------------

    @property
    def body_height(self) -> int:
        """Lines in view below the header."""
        return max(0, self.size.height - self.header_lines)

    def render_line(self, y: int) -> Strip:
        """One line of the widget, the header first."""
        return self._lines_at(range(y, y + 1))[0]

    def _lines_at(self, lines: Iterable[int]) -> list[Strip]:
        """Lines of the widget. What they have in common is worked out once: `size` alone costs microseconds."""
        width, height = self.size
        if width < _LEAST:
            return [paint.strip([Segment(" " * width, self.tone_style(Tone.PLAIN))], width) for _ in lines]
        header, top, count = self.header_lines, self.top, self.line_count()
        thumb = self._thumb(height - header, count)
        strips, kept = self._strips, max(256, 6 * height)
        made: list[Strip] = []
        for y in lines:
            row = y - header
            index = top + row
            if row < 0:
                made.append(self._filtered(self.paint_header(y, width), width))
                continue
            if index >= count:
                made.append(self._filtered(self.paint_empty(row, width), width))
                continue
            state, bar = self.state_of(index), row in thumb
            key = (self.stamp(index), state, bar, width)
            line = strips.get(key)
            if line is None:
                segments = self.paint_line(index, width - 1, state)
                segments.append(Segment(_BAR if bar else " ", self._bar_style()))
                line = self._filtered(segments, width)
                if len(strips) >= kept:
                    del strips[next(iter(strips))]  # one by one: clearing thousands at once is a pause
                strips[key] = line
            made.append(line)
        return made

    def state_of(self, index: int) -> str:
        """CURSOR, RESTING (cursor without focus), MARKED or PLAIN."""
        if index == self.cursor:
            return CURSOR if self.has_focus else RESTING
        return MARKED if self.is_marked(index) else PLAIN

    def _thumb(self, height: int, count: int) -> range:
        """The body lines that the scrollbar's thumb covers; empty when everything is in view."""
        if count <= height or height <= 0:
            return range(0)
        size = max(1, height * height // count)
        start = self.top * (height - size) // max(1, count - height)
        return range(start, start + size)

    def _filtered(self, segments: list[Segment], width: int) -> Strip:
        # Segments, not the strip: what `Strip.apply_filter` makes is not lean, and refers to itself once it is painted.
        for line_filter in self.get_line_filters():
            if self._behind is None:
                self._behind = self.background_colors[1]  # asks all ancestors: as dear as the line itself
            segments = line_filter.apply(segments, self._behind)
        return paint.strip(segments, width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines of the widget for the compositor, past Textual's style cache when there is no border or padding."""
        if self.gutter.totals != (0, 0):
            return super().render_lines(crop)
        strips = self._lines_at(crop.line_range)
        if crop.column_span != (0, self.size.width):
            strips = [made.crop(*crop.column_span) for made in strips]
        return strips

    def mark_line(self, index: int) -> None:
        """Line `index` shall be painted again, if it is in view."""
        row = index - self.top
        if 0 <= row < self.body_height:
            self.refresh(Region(0, row + self.header_lines, self.size.width, 1))

    # --- moving ----------------------------------------------------------------------------------------------

    def go(self, index: int) -> None:
        """Put the cursor on a line, bring it into view, and paint at once."""
        count = self.line_count()
        if not count:
            return
        index = max(0, min(index, count - 1))
        old, self.cursor = self.cursor, index
        if self.bring_into_view():
            self.refresh()
        elif old != index:
            self.mark_line(old)
            self.mark_line(index)
        paint.now(self)
        if old != index:
            self.cursor_moved()

    def bring_into_view(self) -> bool:
        """Scroll until the cursor is in view; True when that changed the first line."""
        old = self.top
        height = max(1, self.body_height)
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + height:
            self.top = self.cursor - height + 1
        self.clamp_top()
        return self.top != old

    def clamp_top(self) -> None:
        """Never scroll past the last line."""
        self.top = max(0, min(self.top, self.line_count() - self.body_height))

    def scroll_lines(self, delta: int) -> None:
        """Scroll without moving the cursor, and paint at once."""
        old = self.top
        self.top += delta
        self.clamp_top()
        if self.top != old:
            self.refresh()
            paint.now(self)

    def key_up(self) -> bool | None:
        """One line up."""
        self.go(self.cursor - 1)
        return None

    def key_down(self) -> bool | None:
        """One line down."""
        self.go(self.cursor + 1)
        return None

    def key_page_up(self) -> bool | None:
        """One page up."""
        self.go_page(-1)
        return None

    def key_page_down(self) -> bool | None:
        """One page down."""
        self.go_page(1)
        return None

    def key_half_up(self) -> bool | None:
        """Half a page up."""
        self.go(self.cursor - max(1, self.body_height // 2))
        return None

    def key_half_down(self) -> bool | None:
        """Half a page down."""
        self.go(self.cursor + max(1, self.body_height // 2))
        return None

    def go_page(self, direction: int) -> None:
        """Move window and cursor by a page, one line kept."""
        step = max(1, self.body_height - 1) * direction
        self.top += step
        self.clamp_top()
        old, count = self.cursor, self.line_count()
        if count:
            self.cursor = max(0, min(old + step, count - 1))
            self.bring_into_view()
            self.refresh()
            paint.now(self)
            if self.cursor != old:
                self.cursor_moved()

    def key_top(self) -> bool | None:
        """First line."""
        self.go(0)
        return None

    def key_bottom(self) -> bool | None:
        """Last line."""
        self.go(self.line_count() - 1)
        return None

    def key_left(self) -> bool | None:
        """Nothing to the left: the key goes to the parents."""
        return False

    def key_right(self) -> bool | None:
        """Nothing to the right: the key goes to the parents."""
        return False

    def key_open(self) -> bool | None:
        """Nothing to open: the key goes to the parents."""
        return False

    # --- events ----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Take the keys that the user has given to moving instead of the usual ones."""
        moves: dict[str, tuple[str, ...]] = getattr(self.app, "moves", {})
        for name, pressed in moves.items():
            if hasattr(self, f"key_{name}"):
                others = {key: found for key, found in self.keys.items() if found != name}
                self.keys = others | dict.fromkeys(pressed, name)

    async def _on_key(self, event: events.Key) -> None:
        event.prevent_default()  # Textual itself calls `key_down` for the key of that name, whatever `keys` says
        if event.key in self.leaves:
            return
        name = self.keys.get(event.key) or (self.keys.get(event.character) if event.character else None)
        if name is None or getattr(self, "key_" + name)() is False:
            return
        event.stop()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in view when the window changes."""
        self._strips.clear()
        if not self.bring_into_view():
            self.clamp_top()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.scroll_lines(_WHEEL)
        event.stop()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.scroll_lines(-_WHEEL)
        event.stop()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A press on the scrollbar starts dragging it."""
        if event.x == self.size.width - 1 and self.line_count() > self.body_height:
            self._dragging = True
            self.capture_mouse()
            self._drag_to(event.y)
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scrollbar."""
        if self._dragging:
            self._drag_to(event.y)
            event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let the scrollbar go."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()
            event.stop()

    def _drag_to(self, y: int) -> None:
        height = max(1, self.body_height - 1)
        share = max(0, min(y - self.header_lines, height)) / height
        target = round(share * (self.line_count() - self.body_height))
        self.scroll_lines(target - self.top)

    def on_click(self, event: events.Click) -> None:
        """Cursor on the clicked line; twice opens it; on the header, `header_clicked`."""
        event.stop()
        if event.x == self.size.width - 1 and self.line_count() > self.body_height:
            return
        if event.y < self.header_lines:
            self.header_clicked(event.x)
            return
        index = self.top + event.y - self.header_lines
        if 0 <= index < self.line_count():
            self.line_clicked(index, event.x, event.chain)

    def line_clicked(self, index: int, x: int, chain: int) -> None:
        """A click on line `index` at column `x`; `chain` is 2 for a double click."""
        self.go(index)
        if chain == 2:
            self.key_open()

    def header_clicked(self, x: int) -> None:
        """A click on the header."""

    def __rich_repr__(self) -> Any:
        yield from super().__rich_repr__()
        yield "lines", self.line_count()
