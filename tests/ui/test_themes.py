"""The themes: readable, complete, apart for all eyes, and never by colour alone."""

from __future__ import annotations

from itertools import combinations

import pytest

from tests.ui.colours import EYES, contrast, distance, linear, seen
from tui.domain.kinds.columns import HEALTH_ORDER, WORDS
from tui.domain.kinds.kind import Tone
from tui.ui import frame, themes

READABLE = 4.5  # WCAG 2.1, level AA, text of ordinary size
ENHANCED = 7.0  # level AAA
SEEN = 3.0  # for parts that are no text
APART = 0.08  # in OKLab: four times what is just noticeable
STATES = ("good", "busy", "warn", "bad", "paused", "unknown")
BEHIND = ("background", "surface", "cursor", "resting", "mark", "added", "removed")
# The 16 colours as terminals have them that nobody has changed.
TERMINALS = {
    "VGA and the Linux console": "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    "xterm": "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff "
    "ffffff",
    "Windows": "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc 767676 e74856 16c60c f9f1a5 3b78ff b4009e "
    "61d6d6 f2f2f2",
    "GNOME": "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3 d0cfcc 5e5c64 f66151 33da7a e9ad0c 2a7bde c061cb 33c7de "
    "ffffff",
}


def _built_in() -> list[themes.Palette]:
    """fleet's own themes; that of 16 colours once for each terminal."""
    return [
        shown
        for palette in map(themes.palette, themes.BUILT_IN)
        for shown in ([_on(palette, *each) for each in TERMINALS.items()] if palette.ansi else [palette])
    ]


def _on(palette: themes.Palette, terminal: str, colours: str) -> themes.Palette:
    """A palette of names in the colours of a terminal."""
    known = dict(zip(themes.ANSI, colours.split(), strict=True))
    values = {name: f"#{known[colour]}" for name, colour in palette.colours().items()}
    return palette.changed(f"{palette.name} on {terminal}", **values)


every_theme = pytest.mark.parametrize("palette", _built_in(), ids=lambda palette: palette.name)


@every_theme
@pytest.mark.parametrize("behind", BEHIND)
def test_every_tone_is_readable(palette: themes.Palette, behind: str) -> None:
    needed = ENHANCED if palette.name == "fleet-contrast" else READABLE
    if palette.name == "fleet-ansi on Windows":
        needed = SEEN  # its bright magenta and red are what they are; every word stands in it with a shape
    for tone, colour in palette.tones().items():
        found = contrast(colour, getattr(palette, behind))
        assert found >= needed, f"{tone} on {behind}: {found:.1f}"


@every_theme
def test_marks_are_seen_and_reversed_text_is_read(palette: themes.Palette) -> None:
    assert contrast(palette.focus, palette.background) >= SEEN
    assert contrast(palette.thumb, palette.background) >= SEEN
    assert contrast(palette.background, palette.focus) >= READABLE  # the header's name
    assert contrast(palette.background, palette.warn) >= READABLE  # a match of a search
    if palette.name != "fleet-ansi on Windows":  # as above
        assert contrast(palette.background, palette.loud) >= READABLE  # the name of production
    assert contrast(palette.foreground, palette.background) > contrast(palette.muted, palette.background)


@pytest.mark.parametrize("eyes", EYES)
def test_states_are_apart_for_the_colour_blind(eyes: str) -> None:
    tones = themes.palette("fleet-safe").tones()
    for one, other in combinations(STATES, 2):
        found = distance(seen(tones[one], eyes), seen(tones[other], eyes))
        assert found >= APART, f"{one} and {other}: {found:.3f}"
    usual = themes.palette("fleet-dark").tones()
    assert min(distance(seen(usual[a], eyes), seen(usual[b], eyes)) for a, b in combinations(STATES, 2)) < APART


@pytest.mark.parametrize("name", [name for name in themes.BUILT_IN if name not in ("fleet-mono", "fleet-ansi")])
def test_states_have_colours_of_their_own(name: str) -> None:
    tones = themes.palette(name).tones()
    for one, other in combinations(STATES, 2):
        assert distance(linear(tones[one]), linear(tones[other])) >= 0.04, f"{one} and {other}"


def test_without_hues_there_are_none() -> None:
    for colour in themes.palette("fleet-mono").colours().values():
        assert len(set(linear(colour))) == 1


def test_the_formulas_know_black_and_white_and_red_and_green() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert distance(linear("#000000"), linear("#ffffff")) == pytest.approx(1.0, abs=0.001)
    apart = distance(linear("#c04040"), linear("#60803a"))
    assert distance(seen("#c04040", "deuteranopia"), seen("#60803a", "deuteranopia")) < apart / 2


@pytest.mark.parametrize("palette", themes.PALETTES.values(), ids=lambda palette: palette.name)
def test_every_tone_is_a_variable(palette: themes.Palette) -> None:
    made = themes.variables(palette)
    for tone in Tone:
        assert made[f"tone-{tone.value}"].startswith(("#", "ansi_"))
        assert tone is Tone.PLAIN or made[f"style-{tone.value}"] in ("none", "bold")
    assert themes.theme(palette).dark is palette.dark
    assert themes.theme(palette).ansi is palette.ansi


def test_states_differ_by_shape_too() -> None:
    health = [WORDS[word][0] for word in HEALTH_ORDER]
    assert len(set(health)) == len(health)
    assert len({WORDS[word][0] for word in ("Synced", "OutOfSync", "Unknown")}) == 3
    assert len({WORDS[word][0] for word in ("Live", "Connecting", "Stale", "Unreachable", "Denied")}) == 5


def test_the_header_draws_health_as_the_tables_do() -> None:
    for word, shape, tone in frame.HEALTH:
        assert (shape, Tone(tone)) == WORDS[word]


def test_an_unknown_theme_is_the_default() -> None:
    assert themes.palette("no such theme").name == themes.DEFAULT


def test_a_theme_of_the_user_starts_from_another() -> None:
    made = themes.made("mine", {"base": "fleet-light", "good": "#006000", "background": "default", "dark": True})
    assert (made.name, made.dark, made.good, made.background, made.ansi) == ("mine", True, "#006000", "default", True)
    assert made.bad == themes.palette("fleet-light").bad


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("fleet-dark", {}, "choose another name"),
        ("mine", {"base": "gone"}, "no theme gone"),
        ("mine", {"godo": "#112233"}, "no colour called godo"),
        ("mine", {"good": "greenish"}, "'greenish' is no colour"),
        ("mine", {"good": "#12345"}, "'#12345' is no colour"),
        ("mine", {"good": 7}, "7 is no colour"),
        ("mine", {"dark": "yes"}, "dark: true or false"),
    ],
)
def test_a_theme_that_cannot_be_used_says_why(name: str, values: dict[str, object], said: str) -> None:
    with pytest.raises(themes.BadTheme, match=said):
        themes.made(name, values)
