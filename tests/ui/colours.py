"""Arithmetic of colours for the tests of themes: contrast, distance, and what people with other eyes see."""

from __future__ import annotations

from textual.color import Color

Linear = tuple[float, float, float]

# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009).
EYES: dict[str, tuple[Linear, Linear, Linear]] = {
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour: str) -> Linear:
    """`#rrggbb` as linear red, green and blue, 0 to 1 (sRGB)."""
    found = Color.parse(colour)
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (found.r / 255, found.g / 255, found.b / 255)
    )
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.1, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def seen(colour: str, eyes: str) -> Linear:
    """What people with such eyes see of a colour, linear; `eyes` is a key of EYES."""
    light = linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(part * weight for part, weight in zip(light, row, strict=True)))) for row in EYES[eyes]
    )
    return red, green, blue


def distance(one: Linear, other: Linear) -> float:
    """How different two linear colours look: Euclidean in OKLab, where 0.02 is just noticeable side by side."""
    return sum((a - b) ** 2 for a, b in zip(_oklab(one), _oklab(other), strict=True)) ** 0.5


def _oklab(light: Linear) -> Linear:
    """Björn Ottosson: A perceptual color space for image processing (2020)."""
    red, green, blue = light
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )
