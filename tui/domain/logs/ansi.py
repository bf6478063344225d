"""Colours in log lines: SGR sequences (ECMA-48) become tones; all else that a terminal would act on stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tui.domain.kinds.kind import Tone

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
# black, red, green, yellow, blue, magenta, cyan, white: as tones, which every theme has readable colours for
_TONES = (Tone.MUTED, Tone.BAD, Tone.GOOD, Tone.WARN, Tone.BUSY, Tone.PAUSED, Tone.ACCENT, Tone.PLAIN)


def plain(text: str) -> str:
    """The text without its colours."""
    return _SGR.sub("", text) if "\x1b" in text else text


def pieces(text: str) -> Iterator[tuple[str, Tone]]:
    """The text in pieces of one tone each."""
    tone, at = Tone.PLAIN, 0
    for found in _SGR.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], tone
        tone, at = _tone(found[1], tone), found.end()
    if at < len(text):
        yield text[at:], tone


def _tone(codes: str, tone: Tone) -> Tone:
    """The tone after an SGR sequence. Backgrounds, blinking, hiding and colours beyond the sixteen say nothing here."""
    numbers = [int(code) if code.isdigit() and len(code) < 4 else 0 for code in re.split("[;:]", codes)]
    at = 0
    while at < len(numbers):
        code = numbers[at]
        if code in (0, 39):
            tone = Tone.PLAIN
        elif 30 <= code <= 37:
            tone = _TONES[code - 30]
        elif code == 90:
            tone = Tone.MUTED
        elif 91 <= code <= 97:
            tone = _TONES[code - 90]
        elif code in (38, 48):
            kind = numbers[at + 1] if at + 1 < len(numbers) else 0
            if code == 38:
                index = numbers[at + 2] if kind == 5 and at + 2 < len(numbers) else 16
                tone = Tone.MUTED if index == 8 else _TONES[index % 8] if index < 16 else Tone.PLAIN
            at += 2 if kind == 5 else 4
        at += 1
    return tone
