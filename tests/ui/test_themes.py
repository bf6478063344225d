"""The themes: readable, complete, and never by colour alone."""

from __future__ import annotations

import pytest
from textual.color import Color

from tui.domain.kinds.columns import HEALTH_ORDER, WORDS
from tui.domain.kinds.kind import Tone
from tui.ui import frame, themes

READABLE = 4.5  # WCAG 2.1, level AA, text of ordinary size
SEEN = 3.0  # for parts that are no text


@pytest.mark.parametrize("palette", themes.PALETTES.values(), ids=lambda palette: palette.name)
@pytest.mark.parametrize("behind", ["background", "surface", "cursor", "resting"])
def test_every_tone_is_readable(palette: themes.Palette, behind: str) -> None:
    background = Color.parse(getattr(palette, behind))
    for tone, colour in palette.tones().items():
        contrast = _contrast(Color.parse(colour), background)
        assert contrast >= READABLE, f"{tone} on {behind}: {contrast:.1f}"


@pytest.mark.parametrize("palette", themes.PALETTES.values(), ids=lambda palette: palette.name)
def test_text_on_marks_and_diffs_is_readable(palette: themes.Palette) -> None:
    for behind in ("mark", "added", "removed"):
        assert _contrast(Color.parse(palette.foreground), Color.parse(getattr(palette, behind))) >= READABLE
    assert _contrast(Color.parse(palette.focus), Color.parse(palette.background)) >= SEEN
    assert _contrast(Color.parse(palette.background), Color.parse(palette.focus)) >= SEEN  # the name in the header


def _contrast(one: Color, other: Color) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    parts = (part / 255 for part in (colour.r, colour.g, colour.b))
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_contrast_formula_knows_black_and_white() -> None:
    assert _contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21.0)


@pytest.mark.parametrize("palette", themes.PALETTES.values(), ids=lambda palette: palette.name)
def test_every_tone_is_a_variable(palette: themes.Palette) -> None:
    made = themes.variables(palette)
    for tone in Tone:
        assert made[f"tone-{tone.value}"].startswith("#")
    assert themes.theme(palette).dark is palette.dark


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
