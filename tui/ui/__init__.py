"""The screen. `run` paints the first frame before anything heavy is imported; Textual then takes over."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.domain.settings import Settings
    from tui.fleet.runtime import Fleet
    from tui.ui.ending import Ending
    from tui.ui.frame import Terminal


def run(fleet_factory: Callable[[], Fleet], settings: Settings) -> None:
    """Show the fleet until the user leaves. The factory is called after the first frame stands.

    Raises whatever the factory raises, with the terminal given back.
    """
    from tui.ui.ending import Ending
    from tui.ui.frame import Terminal

    terminal = Terminal()
    ending = Ending(terminal)
    try:
        _show(fleet_factory, settings, terminal, ending)
    except BaseException:  # Ctrl-C between two lines included
        terminal.leave()
        raise
    if ending.code:
        raise SystemExit(ending.code)


def _show(fleet_factory: Callable[[], Fleet], settings: Settings, terminal: Terminal, ending: Ending) -> None:
    gc.disable()  # importing makes no garbage worth looking for; the app turns it on again after its first frame
    try:
        terminal.paint(settings.theme)
        from tui.ui.app import FleetApp

        app = FleetApp(fleet_factory(), settings)
    except BaseException:
        terminal.leave()
        raise
    ending.app = app
    try:
        ending.check()
        app.run(mouse=settings.mouse)
    finally:
        gc.enable()
        terminal.restore()
