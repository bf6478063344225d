"""Paints the first frame when the screen is asked for, before the command line has been read in earnest.

What cannot be told at a glance is left alone: the frame is then painted a moment later. Next to nothing is imported.
"""

from __future__ import annotations

import os
import sys

from tui.ui import Stage

TYPE_CHECKING = False  # as `typing` has it, which takes as long to import as Python to start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPTIONS = (
    "--kubeconfig",
    "--context",
    "--repo",
    "--config",
    "--state",
    "--theme",
    "--log",
    "--log-level",
)  # of `fleet` itself, each has a value
DUMB = ("dumb", "unknown")  # terminals that cannot place text
FLAGS = ("--read-only",)  # of `fleet` itself, none has one
MOST = 1 << 16  # bytes of a configuration that are looked through for its theme


def first_frame(arguments: Sequence[str], environ: Mapping[str, str]) -> Stage | None:
    """The terminal with the first frame on it; None when these arguments do not open the screen, or are not understood.

    Whoever gets it hands it on to `tui.ui.run`, or leaves it.
    """
    options = given(arguments)
    if (
        environ.get("TERM") in DUMB
        or options is None
        or "_FLEET_COMPLETE" in environ
        or not (sys.stdin.isatty() and sys.stdout.isatty())
    ):
        return None
    stage = Stage()
    try:
        config = config_file(options, environ)
        theme, icons = values_in(config, ("theme", "icons"))
        theme = options.get("--theme") or theme
        if os.path.exists(f"{os.path.dirname(config)}/themes/{theme}.yaml"):  # noqa: PTH110, PTH120 - as below
            return stage  # one of the user's: painted as soon as it has been read
        stage.paint(theme, layout_in(layout_file(options, environ)), icons)
    except BaseException:
        stage.leave()
        raise
    return stage


def given(arguments: Sequence[str]) -> dict[str, str] | None:
    """The options in front of no command, each with its last value; None for anything else."""
    found: dict[str, str] = {}
    waiting = ""
    for argument in arguments:
        if waiting:
            name, value = waiting, argument
        else:
            name, equals, value = argument.partition("=")
            if argument in FLAGS:
                continue
            if name not in OPTIONS:
                return None
            if not equals:
                waiting = name
                continue
        if value.startswith("-"):
            return None
        found[name] = value
        waiting = ""
    return None if waiting else found


def config_file(options: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Where `tui.adapters.paths` finds the configuration; "" on systems whose places are not known here."""
    named = options.get("--config") or environ.get("FLEET_CONFIG", "")
    if named:
        return named
    if root := options.get("--state") or environ.get("FLEET_STATE", ""):
        return f"{_home(root)}/config.yaml"
    if sys.platform == "darwin":
        return _home("~/Library/Application Support/fleet/config.yaml")
    if sys.platform == "win32":
        return ""
    return f"{environ.get('XDG_CONFIG_HOME', '').strip() or _home('~/.config')}/fleet/config.yaml"


def layout_file(options: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Where `tui.adapters.paths` keeps how the screen is divided; "" on systems whose places are not known here."""
    if root := options.get("--state") or environ.get("FLEET_STATE", ""):
        return f"{_home(root)}/state/layout"
    if sys.platform == "darwin":
        return _home("~/Library/Application Support/fleet/layout")
    if sys.platform == "win32":
        return ""
    return f"{environ.get('XDG_STATE_HOME', '').strip() or _home('~/.local/state')}/fleet/layout"


def layout_in(path: str) -> str:
    """The text in that file; "" when there is none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return file.read(MOST).decode("ascii", "replace")
    except (OSError, ValueError):
        return ""


def _home(path: str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111 - pathlib takes as long to import as Python to start


def values_in(path: str, names: Sequence[str]) -> list[str]:
    """What a configuration says of these settings; "" for one that it does not name, or not in one plain line.

    What is wrong with the file is said by who reads it in earnest.
    """
    found = dict.fromkeys(names, "")
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            lines = file.read(MOST).splitlines()
    except (OSError, ValueError):
        return list(found.values())
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon and (key := name.decode("ascii", "replace")) in found and not found[key]:
            found[key] = value.partition(b" #")[0].strip().strip(b"'\"").decode("ascii", "replace")
    return list(found.values())
