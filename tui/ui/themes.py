"""The themes: one table of colours per theme, as plain values, so that the first frame needs no Textual.

Hues of the states are those of the Argo CD web page (`ui/src/app/shared/components/colors.ts`); their lightness is
moved until each is readable on the theme's backgrounds (contrast at least 4.5, tested). Every state also has a shape of
its own, so that no colour carries meaning alone.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which takes as long to import as Python to start
if TYPE_CHECKING:
    from textual.theme import Theme


class Palette:
    """Every colour of a theme as `#rrggbb`. The tones carry the names of `tui.domain.kinds.kind.Tone`.

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
    border: str  # around a panel without the focus
    focus: str  # around the panel with the focus
    cursor: str  # the chosen line of the panel with the focus
    resting: str  # the chosen line elsewhere
    mark: str  # background of marked rows and of search matches
    added: str  # background of added lines in a diff
    removed: str  # background of removed lines in a diff

    def __init__(self, *, name: str, dark: bool, **colours: str) -> None:
        self.name = name
        self.dark = dark
        self.__dict__.update(colours)

    def colours(self) -> dict[str, str]:
        """Every colour by its name."""
        return {name: colour for name, colour in vars(self).items() if name not in ("name", "dark")}

    def tones(self) -> dict[str, str]:
        """Tone word -> colour."""
        named = ("muted", "accent", "good", "busy", "warn", "bad", "paused", "unknown")
        return {"plain": self.foreground} | {name: getattr(self, name) for name in named}


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
            mark="#3d3a1e",
            added="#12332c",
            removed="#3d1f25",
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
            focus="#3d7cc9",
            cursor="#d5e5f8",
            resting="#e9eef4",
            mark="#fbf0c4",
            added="#dcf5ea",
            removed="#fbe3e5",
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
            bad="#ff6060",
            paused="#ff80ff",
            unknown="#ffffff",
            border="#808080",
            focus="#ffffff",
            cursor="#000080",
            resting="#242424",
            mark="#404000",
            added="#004000",
            removed="#500000",
        ),
    )
}
DEFAULT = "fleet-dark"
FEW = "fleet-contrast"  # for terminals of 16 colours


def palette(name: str) -> Palette:
    """The palette of that name, the default one when there is none."""
    return PALETTES.get(name, PALETTES[DEFAULT])


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
        "input-selection-background": colours.cursor,
        "footer-background": colours.surface,
        "footer-foreground": colours.muted,
        "footer-key-foreground": colours.accent,
        "footer-description-foreground": colours.muted,
        "scrollbar": colours.border,
        "scrollbar-hover": colours.muted,
        "scrollbar-active": colours.focus,
        "scrollbar-background": colours.background,
        "scrollbar-background-hover": colours.background,
        "scrollbar-background-active": colours.background,
        "scrollbar-corner-color": colours.background,
        "link-color": colours.accent,
    }
    return made


def theme(colours: Palette) -> Theme:
    """The palette as a Textual theme."""
    from textual.theme import Theme

    return Theme(
        name=colours.name,
        primary=colours.focus,
        secondary=colours.accent,
        accent=colours.accent,
        foreground=colours.foreground,
        background=colours.background,
        surface=colours.surface,
        panel=colours.surface,
        success=colours.good,
        warning=colours.warn,
        error=colours.bad,
        dark=colours.dark,
        text_alpha=1.0,
        variables=variables(colours),
    )
