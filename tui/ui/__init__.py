"""The screen. A first frame is painted before anything heavy is imported; Textual then takes over."""

from __future__ import annotations

import gc

TYPE_CHECKING = False  # as `typing` has it, which takes as long to import as Python to start
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from tui.domain.settings import Settings
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp

    Place = Callable[[Sequence[str | int]], str]

    class Memory(Protocol):
        """A small text that is kept between two runs."""

        def read(self) -> str:
            """The text; "" when there is none."""

        def write(self, text: str) -> None:
            """Keep a text. Raises OSError."""

    class OwnThemes(Protocol):
        """The user's themes, as their files are now."""

        def stamp(self) -> object:
            """What tells whether they have changed."""

        def read(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
            """(values by name, what cannot be read and why)."""


class Stage:
    """The terminal from the first frame until Textual has it. Signals that come meanwhile give it back."""

    def __init__(self) -> None:
        from tui.ui.ending import Ending
        from tui.ui.frame import Terminal

        self.terminal = Terminal()
        self.ending = Ending(self.terminal)
        self._painted = False

    def paint(self, theme: str, layout: str = "", icons: str = "") -> None:
        """Paint the first frame, if it does not stand."""
        if not self._painted:
            gc.disable()  # importing makes no garbage worth looking for; the app turns it on again
            from tui.ui.frame import layout_of

            self._painted = self.terminal.paint(theme, layout=layout_of(layout), shapes=icons)

    def leave(self) -> None:
        """Give the terminal back when nothing takes over."""
        gc.enable()
        self.terminal.leave()


def run(
    fleet_factory: Callable[[], Fleet],
    settings: Settings,
    stage: Stage | None = None,
    place: Place | None = None,
    kubeconfig: str = "",
    tour: bool = False,
    memory: Memory | None = None,
    own: OwnThemes | None = None,
) -> bool:
    """Show the fleet until the user leaves; whether for the demo. The factory is called once that answers keys.

    `place` says where in which file a setting stands, for what is wrong with it; `kubeconfig` names the files that
    programs of the user's read, where they are not those of the environment; `tour` begins with the tour;
    `memory` keeps how the screen is divided, `own` has the user's themes.

    Raises whatever the factory raises, with the terminal given back.
    """
    stage = stage or Stage()
    try:
        stage.paint(settings.theme, memory.read() if memory is not None else "", settings.icons)
        from tui.ui.app import FleetApp

        demo = _show(FleetApp(fleet_factory, settings, place, kubeconfig, tour, memory, own), stage)
    except BaseException:  # Ctrl-C between two lines included
        stage.leave()
        raise
    if stage.ending.code:
        raise SystemExit(stage.ending.code)
    return demo


def _show(app: FleetApp, stage: Stage) -> bool:
    app.driver_class = stage.terminal.handing_over(app.driver_class)
    stage.ending.app = app
    try:
        stage.ending.check()
        app.run(mouse=app.settings.mouse)
    finally:
        gc.enable()
        stage.terminal.restore()
    stage.terminal.taken()
    if app.failure is not None:
        raise app.failure
    if app.return_code and not stage.ending.code:  # something unforeseen has ended it, and was told
        raise SystemExit(app.return_code)
    return app.wants_demo
