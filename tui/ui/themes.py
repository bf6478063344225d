"""The themes: one table of colours per theme, as plain values, so that the first frame needs no Textual.

Hues of the states are those of the Argo CD web page (`ui/src/app/shared/components/colors.ts`); their lightness is
moved until each is readable on every background it is painted on (contrast at least 4.5, in high contrast 7; tested).
Every state also has a shape of its own, so that no colour carries meaning alone. Users add themes as files: `made`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which takes as long to import as Python to start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from textual.theme import Theme

TONES = ("muted", "accent", "good", "busy", "warn", "bad", "paused", "unknown", "loud")
_HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI = (*_HUES, *(f"bright_{hue}" for hue in _HUES))  # the terminal's own 16 colours, in the order of their codes
OWN = "default"  # whatever the terminal paints without being told


class Palette:
    """Every colour of a theme, as `#rrggbb`, as a name of ANSI, or OWN. The tones are `tui.domain.kinds.kind.Tone`.

    No dataclass, for the same reason.
    """

    name: str
    dark: bool
    background: str
    surface: str  # header, footer, dialogs
    foreground: str
    muted: str
    accent: str
    good: str
    busy: str
    warn: str
    bad: str
    paused: str
    unknown: str
    border: str  # around a panel without the focus, and lines that guide the eye: seen, but nobody need see them
    thumb: str  # of the scrollbar
    focus: str  # around the panel with the focus
    cursor: str  # the chosen line of the panel with the focus
    resting: str  # the chosen line elsewhere
    mark: str  # background of marked rows and of search matches
    added: str  # background of added lines in a diff
    removed: str  # background of removed lines in a diff
    loud: str  # the accent of production, where a mistake would cost most; also as a background

    def __init__(self, *, name: str, dark: bool, bold: tuple[str, ...] = (), **colours: str) -> None:
        self.name = name
        self.dark = dark
        self.bold = bold  # tones that weight tells apart, where hardly any colour does
        self.__dict__.update(colours)

    def colours(self) -> dict[str, str]:
        """Every colour by its name."""
        return {name: colour for name, colour in vars(self).items() if name not in ("name", "dark", "bold")}

    def tones(self) -> dict[str, str]:
        """Tone word -> colour."""
        return {"plain": self.foreground} | {name: getattr(self, name) for name in TONES}

    @property
    def ansi(self) -> bool:
        """Whether some colour is the terminal's own."""
        return not all(colour.startswith("#") for colour in self.colours().values())

    def changed(self, name: str, dark: bool | None = None, **colours: str) -> Palette:
        """A palette like this one but for some colours."""
        dark = self.dark if dark is None else dark
        return Palette(name=name, dark=dark, bold=self.bold, **(self.colours() | colours))


PALETTES: dict[str, Palette] = {
    palette.name: palette
    for palette in (
        Palette(
            name="fleet-dark",
            dark=True,
            background="#0f1318",
            surface="#161c24",
            foreground="#d3dae3",
            muted="#95a2b1",
            accent="#8fb9f4",
            good="#18be94",
            busy="#0dadea",
            warn="#f4c030",
            bad="#f0808a",
            paused="#a49bc9",
            unknown="#ccd6dd",
            border="#2c3541",
            focus="#5b8cc7",
            cursor="#233449",
            resting="#1b232d",
            mark="#37351b",
            added="#12332c",
            removed="#3d1f25",
            thumb="#5d6b7c",
            loud="#ff86cf",
        ),
        Palette(
            name="fleet-light",
            dark=False,
            background="#fcfdfe",
            surface="#eef2f6",
            foreground="#1d2733",
            muted="#56626f",
            accent="#1558b0",
            good="#076e56",
            busy="#07689a",
            warn="#805800",
            bad="#b62a39",
            paused="#5e557f",
            unknown="#4c5a66",
            border="#ccd5de",
            focus="#2f6dba",
            cursor="#d5e5f8",
            resting="#e9eef4",
            mark="#fbf0c4",
            added="#dcf5ea",
            removed="#fbe3e5",
            thumb="#7f8b98",
            loud="#a5147a",
        ),
        Palette(  # pure colours: what remains of it in 16 colours is still right
            name="fleet-contrast",
            dark=True,
            background="#000000",
            surface="#000000",
            foreground="#ffffff",
            muted="#c0c0c0",
            accent="#00ffff",
            good="#00ff00",
            busy="#00ffff",
            warn="#ffff00",
            bad="#ff9d9d",
            paused="#ffa0ff",
            unknown="#ffffff",
            border="#808080",
            focus="#ffffff",
            cursor="#000080",
            resting="#242424",
            mark="#262600",
            added="#002e00",
            removed="#4a0000",
            thumb="#c0c0c0",
            loud="#ffc04d",
        ),
        Palette(  # states apart for the colour-blind: distances under simulated vision are tested
            name="fleet-safe",
            dark=True,
            background="#0f1318",
            surface="#161c24",
            foreground="#d3dae3",
            muted="#95a2b1",
            accent="#bcc4ff",
            good="#71b3fd",
            busy="#a2cfc7",
            warn="#e7cf0d",
            bad="#f98461",
            paused="#c993c0",
            unknown="#e8edf2",
            border="#2c3541",
            focus="#7f9ccc",
            cursor="#233449",
            resting="#1b232d",
            mark="#37351b",
            added="#12304a",
            removed="#45210f",
            thumb="#5d6b7c",
            loud="#ff9ad5",
        ),
        Palette(  # the terminal's own 16 colours; the cursor is drawn in reverse
            name="fleet-ansi",
            dark=True,
            background="black",
            surface="black",
            foreground="bright_white",
            muted="white",
            accent="bright_cyan",
            good="bright_green",
            busy="bright_cyan",
            warn="bright_yellow",
            bad="bright_red",
            paused="bright_magenta",
            unknown="bright_white",
            border="bright_black",
            focus="bright_white",
            cursor="black",
            resting="black",
            mark="black",
            added="black",
            removed="black",
            thumb="white",
            loud="bright_magenta",
        ),
        Palette(  # no hue at all: shapes, words and weight say it
            name="fleet-mono",
            dark=True,
            bold=("bad", "warn", "loud"),
            background="#101010",
            surface="#1a1a1a",
            foreground="#dcdcdc",
            muted="#a4a4a4",
            accent="#ffffff",
            good="#c0c0c0",
            busy="#dcdcdc",
            warn="#ffffff",
            bad="#ffffff",
            paused="#b0b0b0",
            unknown="#dcdcdc",
            border="#3a3a3a",
            focus="#a4a4a4",
            cursor="#363636",
            resting="#262626",
            mark="#333333",
            added="#262626",
            removed="#333333",
            thumb="#707070",
            loud="#ffffff",
        ),
    )
}
BUILT_IN = tuple(PALETTES)
DEFAULT = "fleet-dark"
FEW = "fleet-ansi"  # for terminals of 16 colours


def palette(name: str) -> Palette:
    """The palette of that name, the default one when there is none."""
    return PALETTES.get(name, PALETTES[DEFAULT])


class BadTheme(ValueError):
    """A theme of the user that cannot be used; the message says what is wrong with it."""


def made(name: str, values: Mapping[str, Any]) -> Palette:
    """A theme of the user: `base` names the theme it starts from, the rest are colours by name, or `dark`.

    Raises BadTheme for anything that is not exactly understood.
    """
    if name in BUILT_IN:
        raise BadTheme(f"{name} is a theme of fleet's own: choose another name")
    base = values.get("base", DEFAULT)
    if base not in BUILT_IN:
        raise BadTheme(f"base: there is no theme {base}: {', '.join(BUILT_IN)}")
    found = PALETTES[base]
    dark = values.get("dark", found.dark)
    if not isinstance(dark, bool):
        raise BadTheme("dark: true or false is expected")
    known, colours = found.colours(), {}
    for key, value in values.items():
        if key in ("base", "dark"):
            continue
        if key not in known:
            raise BadTheme(f"there is no colour called {key}: {', '.join(known)}")
        if not _is_colour(value):
            raise BadTheme(f"{key}: {value!r} is no colour: '#rrggbb', {OWN}, or one of {', '.join(ANSI)}")
        colours[key] = value
    return found.changed(name, dark, **colours)


def own(found: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Palette], list[str]]:
    """(the user's themes that can be used, why the others cannot)."""
    usable, wrong = {}, []
    for name, values in found.items():
        try:
            usable[name] = made(name, values)
        except BadTheme as error:
            wrong.append(f"theme {name}: {error}")
    return usable, wrong


def _is_colour(value: object) -> bool:
    """Whether it is a colour in one of the three forms."""
    if not isinstance(value, str) or value in ANSI or value == OWN:
        return isinstance(value, str)
    return len(value) == 7 and value[0] == "#" and all(each in "0123456789abcdefABCDEF" for each in value[1:])


def use(own: Mapping[str, Palette]) -> None:
    """Have these themes of the user beside fleet's own, instead of those that were there."""
    for name in [name for name in PALETTES if name not in BUILT_IN]:
        del PALETTES[name]
    PALETTES.update(own)


def _css(colour: str) -> str:
    """A colour as style sheets write it."""
    return colour if colour.startswith("#") else f"ansi_{colour}"


def variables(colours: Palette) -> dict[str, str]:
    """What style sheets and widgets may name: `$tone-good`, `$fleet-border` … and Textual's own where they differ."""
    made = {f"tone-{tone}": colour for tone, colour in colours.tones().items()}
    made |= {f"fleet-{name}": colour for name, colour in colours.colours().items()}
    made |= {
        "block-cursor-background": colours.cursor,
        "block-cursor-foreground": colours.foreground,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": colours.resting,
        "block-cursor-blurred-foreground": colours.foreground,
        "block-hover-background": colours.resting,
        "border": colours.focus,
        "border-blurred": colours.border,
        "input-cursor-background": colours.foreground,
        "input-cursor-foreground": colours.background,
        "input-selection-background": colours.thumb if colours.ansi else colours.cursor,
        "input-selection-foreground": colours.background if colours.ansi else colours.foreground,
        "footer-background": colours.surface,
        "footer-foreground": colours.muted,
        "footer-key-foreground": colours.accent,
        "footer-description-foreground": colours.muted,
        "scrollbar": colours.thumb,
        "scrollbar-hover": colours.muted,
        "scrollbar-active": colours.focus,
        "scrollbar-background": colours.background,
        "scrollbar-background-hover": colours.background,
        "scrollbar-background-active": colours.background,
        "scrollbar-corner-color": colours.background,
        "link-color": colours.accent,
        "ansi-background": colours.background,  # Textual's own style sheets want these two of a theme of ANSI
        "ansi-foreground": colours.foreground,
    }
    made = {name: value if value == "none" else _css(value) for name, value in made.items()}
    return made | {f"style-{tone}": "bold" if tone in colours.bold else "none" for tone in TONES}


def theme(colours: Palette) -> Theme:
    """The palette as a Textual theme."""
    from textual.theme import Theme

    return Theme(
        name=colours.name,
        primary=_css(colours.focus),
        secondary=_css(colours.accent),
        accent=_css(colours.accent),
        foreground=_css(colours.foreground),
        background=_css(colours.background),
        surface=_css(colours.surface),
        panel=_css(colours.surface),
        success=_css(colours.good),
        warning=_css(colours.warn),
        error=_css(colours.bad),
        dark=colours.dark,
        text_alpha=1.0,
        ansi=colours.ansi,
        variables=variables(colours),
    )
