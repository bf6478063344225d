"""Copying through the terminal (OSC 52), also through tmux and GNU screen, which keep such sequences to themselves."""

from __future__ import annotations

import base64
from collections.abc import Mapping

_PART = 512  # bytes: GNU screen drops longer strings


def copying(text: str, environ: Mapping[str, str]) -> str:
    """What to send so that the terminal that a person sits at copies a text.

    tmux takes it for its own (`set-clipboard on`), or passes on what is wrapped for that (`allow-passthrough on`): it
    gets both. GNU screen passes on strings of limited length.
    """
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode()
    plain = f"\x1b]52;c;{encoded}\a"
    if environ.get("TMUX") or environ.get("TERM", "").startswith("tmux"):
        doubled = plain.replace("\x1b", "\x1b\x1b")
        return f"{plain}\x1bPtmux;{doubled}\x1b\\"
    if environ.get("STY"):
        parts = [plain[at : at + _PART] for at in range(0, len(plain), _PART)]
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return plain
