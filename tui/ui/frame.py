"""The first frame: header, borders and titles, painted with escape codes before Textual is imported.

Textual then paints the same cells in the same colours. The measures of the screen live here because both painters need
them. Only modules written in C are imported: `typing` or `dataclasses` alone take as long as Python's own start.
"""

from __future__ import annotations

import os
import sys
import unicodedata

from tui.ui.icons import ascii_of, poor
from tui.ui.themes import ANSI, OWN, Palette, palette

TYPE_CHECKING = False  # as `typing` has it
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from textual.driver import Driver

    Piece = tuple[str, str, str, bool]  # text, foreground, background, boldness

TABS: tuple[tuple[str, str, str], ...] = (  # pane id, title, title where there is little room
    ("clusters", "Clusters", "Clusters"),
    ("applications", "Applications", "Apps"),
    ("policies", "Policies", "Policies"),
    ("events", "Events", "Events"),
    ("drafts", "Drafts", "Drafts"),
)
WHILE_SHOWN: tuple[tuple[str, str, str], ...] = (  # tabs that stand there while chosen
    ("flows", "Flows", "Flows"),
    ("pulse", "Pulse", "Pulse"),
)
FIRST = "applications"
LOADING = "connecting…"
NO_CLUSTERS = "no clusters"
HEALTH: tuple[tuple[str, str, str], ...] = (  # health word, shape, tone: as the Argo CD page draws them
    ("Healthy", "♥", "good"),
    ("Progressing", "◌", "busy"),
    ("Suspended", "⏸", "paused"),
    ("Missing", "∅", "warn"),
    ("Degraded", "✖", "bad"),
    ("Unknown", "?", "unknown"),
)
_FRESH = ("good", "busy", "paused")  # tones that say how it is now
# Mouse, focus, paste and key reports off, the main screen, a cursor, no colours.
_LEAVE = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
ON = "on-"  # before a tone: the tone is the background
NARROW = 60  # columns below which there is one panel at a time
LEAST_TREE = 16  # columns of the tree with its border
BESIDE = 36  # columns that the pane keeps beside the tree
SMALLEST = 30  # columns below which the first frame is left to Textual
SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class _Value:
    """Equal when everything in it is."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Span(_Value):
    """Text and how it looks: a tone word, `brand`, `tab` or `chosen`; `click` is the pane that a click opens."""

    def __init__(self, text: str, look: str = "plain", click: str = "") -> None:
        self.text = text
        self.look = look
        self.click = click


class Geometry(_Value):
    """Rows and columns of the parts of the screen."""

    def __init__(self, tree: int, strip: int, framed: bool) -> None:
        self.tree = tree  # columns of the tree with its border; 0 = there is no room for it
        self.strip = strip  # rows of the event strip with its border
        self.framed = framed  # the strip has a border of its own


class Layout(_Value):
    """How the user has divided the screen; 0 is as the terminal's size suggests. Kept between two runs."""

    def __init__(self, tree: int = 0, strip: int = 0, tree_shown: bool = True, strip_shown: bool = True) -> None:
        self.tree = tree  # columns of the tree
        self.strip = strip  # rows of the event strip
        self.tree_shown = tree_shown
        self.strip_shown = strip_shown

    def text(self) -> str:
        """One line a fact, for the file it is kept in."""
        return "".join(f"{name} {int(value)}\n" for name, value in vars(self).items())

    def but(self, **changed: int | bool) -> Layout:
        """This layout but for some facts."""
        return Layout(**(vars(self) | changed))


def layout_of(text: str) -> Layout:
    """What `Layout.text` wrote; whatever is not understood is left as the terminal's size suggests."""
    made = Layout()
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name in vars(made) and value.isascii() and value.isdigit() and len(value) < 5:
            setattr(made, name, type(getattr(made, name))(int(value)))
    return made


class Counts(_Value):
    """What the header counts; None where nothing is known yet."""

    def __init__(
        self,
        live: int | None = None,
        clusters: int = 0,
        health: Mapping[str, int] | None = None,
        out_of_sync: int = 0,
        answered: int = 0,
        objects: int = 0,
        loading: bool = True,
        none: bool = False,
        stale: str = "",
        doing: str = "",
    ) -> None:
        self.live = live
        self.clusters = clusters
        self.health = health
        self.out_of_sync = out_of_sync
        self.answered = answered
        self.objects = objects
        self.loading = loading
        self.none = none  # the kubeconfigs have been read, and there is no cluster in them
        self.doing = doing  # what the user waits for
        self.stale = stale  # `◐ 5m`: Applications are counted as some hub had them so long ago


def geometry(width: int, height: int, layout: Layout | None = None) -> Geometry:
    """How a terminal of that size is divided: as the user has it, as far as there is room."""
    layout = layout or Layout()
    tree = layout.tree or min(44, max(24, width // 5))
    tree = min(width - BESIDE, max(LEAST_TREE, tree)) if layout.tree_shown and width >= NARROW else 0
    framed = height >= 36
    strip = layout.strip or (7 if height >= 60 else 5 if framed else 2)
    strip = min(max(2, height // 2), max(3 if framed else 1, strip)) if layout.strip_shown else 0
    return Geometry(tree, strip, framed and strip > 0)


def cells(text: str) -> int:
    """Columns that our own texts take; foreign text is measured by the widgets."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def header(width: int, active: str, counts: Counts, spin: int = 0, badge: Span | None = None) -> list[Span]:
    """The header's one line, exactly `width` cells: name and panes on the left, what the fleet says on the right.

    `badge` names the cluster that must not be mistaken for another; it stays however little room there is.
    """
    for short in (False, True):
        right = [*_counted(counts, spin, "" if short else " "), *([badge] if badge else [])]
        left = [Span(" fleet ", "brand"), Span(" ")]
        for name, title, brief in (*TABS, *(tab for tab in WHILE_SHOWN if tab[0] == active)):
            if width < NARROW and name != (active or FIRST):
                continue  # the counts say more
            look = "chosen" if name == active else "tab"
            left.append(Span(f" {brief if short else title} ", look, name))
        if _width(left) + _width(right) + 1 <= width:
            break
    while right and _width(left) + _width(right) + 1 > width:
        right.pop(0)
    gap = width - _width(left) - _width(right)
    if gap < 0:
        return [Span(" fleet ", "brand"), Span(" " * max(0, width - 7))]
    return [*left, Span(" " * gap), *right]


def _counted(counts: Counts, spin: int, gap: str) -> list[Span]:
    """The right side, least important part first: it is the first to go when there is little room."""
    made = []
    if counts.none:
        made.append(Span(f"{NO_CLUSTERS} ", "warn"))
    elif counts.loading:
        told = f"{SPIN[spin % len(SPIN)]} {counts.answered}/{counts.clusters} answered"
        made.append(Span(f"{told} · {counts.objects:,} objects  " if counts.clusters else f"{LOADING}  ", "muted"))
    if counts.live is not None and counts.clusters:
        made.append(
            Span(f"●{gap}{counts.live}/{counts.clusters}{gap}", "good" if counts.live == counts.clusters else "warn")
        )
    if counts.health:
        if counts.stale:
            made.append(Span(f" {counts.stale}", "warn"))
        for word, shape, tone in HEALTH:
            if number := counts.health.get(word, 0):
                made.append(Span(f" {shape}{gap}{number}", "muted" if counts.stale and tone in _FRESH else tone))
        if counts.out_of_sync:
            made.append(Span(f" ↑{gap}{counts.out_of_sync}", "warn"))
        made.append(Span(" "))
    if counts.doing:
        made.append(Span(f"{SPIN[spin % len(SPIN)]} {counts.doing}… ", "accent"))
    return made


def _width(spans: Sequence[Span]) -> int:
    return sum(cells(span.text) for span in spans)


def draw(width: int, height: int, colours: Palette, depth: int, layout: Layout | None = None) -> str:
    """The whole first frame as escape codes. `depth`: 24, 8 or 0 (no colours)."""
    lines = paint(width, height, colours, layout=layout)
    body = "".join(f"\x1b[{row};1H{_escaped(line, depth)}" for row, line in enumerate(lines, 1))
    return f"\x1b[?1049h\x1b[?25l{body}\x1b[0m"


def paint(
    width: int, height: int, colours: Palette, typed: str = "", layout: Layout | None = None
) -> list[list[Piece]]:
    """The first frame's lines, each exactly `width` cells; none where there is no room for borders.

    `typed` stands in the last line: the keys that wait for the screen.
    """
    measure = geometry(width, height, layout)
    tall = height - 2 - measure.strip
    if tall < 2 or width < SMALLEST:
        return []
    title = next(title for name, title, _ in TABS if name == FIRST)
    left = _box(colours, measure.tree, tall, "Clusters") if measure.tree else [[]] * tall
    right = _box(colours, width - measure.tree, tall, title, focused=True, text=LOADING)
    lines = [[(span.text, *look(colours, span.look)) for span in header(width, FIRST, Counts())]]
    lines += [a + b for a, b in zip(left, right, strict=True)]
    if measure.framed:
        lines += _box(colours, width, measure.strip, "Events")
    else:
        lines += [[(" " * width, colours.foreground, colours.background, False)]] * measure.strip
    room = " " * (width - cells(typed))
    lines.append([(typed, colours.accent, colours.surface, True), (room, colours.foreground, colours.surface, False)])
    return lines


def _box(
    colours: Palette, width: int, height: int, title: str, focused: bool = False, text: str = ""
) -> list[list[Piece]]:
    """A bordered panel; `text` stands where a table says why it has no rows."""
    behind = colours.background

    def border(text: str) -> Piece:
        return text, colours.focus if focused else colours.border, behind, False

    inner = width - 2
    named = (f" {title} ", colours.foreground if focused else colours.muted, behind, focused)
    side, blank = border("│"), (" " * inner, colours.foreground, behind, False)
    lines = [[border("╭─"), named, border("─" * (inner - 3 - cells(title)) + "╮")]]
    lines += [[side, blank, side]] * max(0, height - 2)
    at = 2 + (height - 3) // 3  # below the table's own header
    if text and at < height - 1:
        before = (inner - cells(text)) // 2
        said = f"{' ' * before}{text}{' ' * (inner - before - cells(text))}"
        lines[at] = [side, (said, colours.muted, behind, False), side]
    return [*lines, [border(f"╰{'─' * inner}╯")]]


def _escaped(line: list[Piece], depth: int) -> str:
    """A line with the escape codes of the terminal's depth."""
    made = []
    for text, foreground, background, bold in line:
        extra = ";1" if bold else ""
        if depth:
            extra += f";{_code(foreground, depth, 38)};{_code(background, depth, 48)}"
        made.append(f"\x1b[0{extra}m{text}")
    return "".join(made)


def _code(colour: str, depth: int, which: int) -> str:
    """The code of a colour; `which` is 38 for the foreground, 48 for the background."""
    if colour == OWN:
        return str(which + 1)
    if colour in ANSI:
        code = ANSI.index(colour)
        return str(which - 8 + code if code < 8 else which + 44 + code)
    return f"{which};{_colour(colour, depth)}"


def _colour(colour: str, depth: int) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    if depth == 24:
        return f"2;{red};{green};{blue}"
    spread = max(red, green, blue) - min(red, green, blue)
    if spread < 24:  # the 24 greys of the 256 colours
        grey = round((red + green + blue) / 3 / 255 * 25)
        return f"5;{16 if grey == 0 else 231 if grey == 25 else 231 + grey}"
    levels = [round(part / 255 * 5) for part in (red, green, blue)]
    return f"5;{16 + 36 * levels[0] + 6 * levels[1] + levels[2]}"


def look(colours: Palette, name: str) -> tuple[str, str, bool]:
    """Foreground, background and boldness of a header span."""
    if name == "brand":
        return colours.background, colours.focus, True
    if name == "chosen":
        return (
            (colours.background, colours.foreground, True)
            if colours.ansi
            else (colours.foreground, colours.cursor, True)
        )
    if name.startswith(ON):
        return colours.background, colours.tones()[name.removeprefix(ON)], True
    if name == "key":
        return colours.accent, colours.surface, True
    if name == "quiet":
        return colours.muted, colours.background, False
    if name == "tab":
        return colours.muted, colours.surface, False
    return colours.tones()[name], colours.surface, False


def _encoding() -> str:
    """What Textual writes in."""
    return getattr(sys.__stderr__, "encoding", None) or "utf-8"


class Terminal:
    """The terminal before Textual has it: keeps its settings, and gives it back when nothing takes over."""

    def __init__(self, fd: int = 2) -> None:
        self.fd = fd
        self._saved: list[Any] | None = None
        self._painted = False

    def paint(
        self, theme: str, environ: Mapping[str, str] = os.environ, layout: Layout | None = None, shapes: str = ""
    ) -> bool:
        """Paint the first frame; returns whether there was a terminal to paint on. `shapes` is the setting `icons`."""
        if not (os.isatty(self.fd) and sys.__stdin__ is not None and sys.__stdin__.isatty()):
            return False
        size = os.get_terminal_size(self.fd)
        self._quiet()
        drawn = draw(size.columns, size.lines, palette(theme), colour_depth(environ), layout)
        data = (ascii_of(drawn) if poor(shapes, environ, _encoding()) else drawn).encode()
        self._painted = True
        while data:
            data = data[os.write(self.fd, data) :]
        return True

    def _quiet(self) -> None:
        """Keys typed while Textual is being imported wait for it instead of being echoed over the frame."""
        try:
            import termios
        except ImportError:  # Windows: its console echoes nothing by itself
            return
        self._saved = termios.tcgetattr(0)
        quiet = termios.tcgetattr(0)
        quiet[0] &= ~termios.ICRNL  # else enter would come as ctrl-j
        quiet[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(0, termios.TCSANOW, quiet)

    def handing_over(self, driver: type[Driver]) -> type[Driver]:
        """The driver, for a Textual that finds the terminal as it was before the first frame.

        So it leaves it to whatever it hands the terminal to: `$EDITOR`, a program of the user's, the shell of ctrl-z.
        """
        terminal = self

        class Handing(driver):  # type: ignore[valid-type,misc]
            def start_application_mode(self) -> None:
                terminal._put_back()
                super().start_application_mode()

        return Handing

    def leave(self) -> None:
        """Give the terminal back when Textual has not taken over."""
        if self._painted:
            try:  # noqa: SIM105 - contextlib is not to be imported here
                os.write(self.fd, _LEAVE)
            except OSError:
                pass  # there is no terminal any more
            self._painted = False
        self.restore()

    def taken(self) -> None:
        """Textual has had the terminal, and has given it back."""
        self._painted = False
        self.restore()

    def restore(self) -> None:
        """Put the terminal's settings back to what they were before the first frame."""
        self._put_back()
        self._saved = None

    def _put_back(self) -> None:
        if self._saved is None:
            return
        import termios

        try:  # noqa: SIM105 - as above
            termios.tcsetattr(0, termios.TCSANOW, self._saved)
        except termios.error:
            pass  # there is no terminal any more


def colour_depth(environ: Mapping[str, str]) -> int:
    """Bits of colour that the terminal says it has: 24, 8, or 0 for 16 colours, none, and NO_COLOR."""
    if "NO_COLOR" in environ or environ.get("TERM", "") in ("", "dumb"):
        return 0
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return 24
    return 8 if environ.get("TERM", "").endswith(("256color", "kitty")) else 0
