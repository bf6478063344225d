"""Shown while there is no cluster to show: what fleet looked for, what to do, and the demo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.domain.kinds.kind import Cell, Tone
from tui.ui.screens.words_view import WordsView
from tui.ui.words import BLANK, Line, heading


class Welcome(ModalScreen[str]):
    """Ends with "demo", "quit", "command", or "" to look around; is closed when a cluster is found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "choose('demo')", show=False),
        Binding("q", "choose('quit')", show=False),
        Binding("enter,escape", "choose('')", show=False),
        Binding("colon", "choose('command')", show=False),
    ]

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as box:
            box.border_title = "Welcome to fleet"
            box.border_subtitle = "d demo · enter look around · q quit"
            yield WordsView()

    def on_mount(self) -> None:
        """Fill the box."""
        view = self.query_one(WordsView)
        view.keys.pop("enter", None)
        view.show(self._lines)
        view.focus()

    def action_choose(self, answer: str) -> None:
        """Close with what was chosen."""
        self.dismiss(answer)


def told(kubeconfig: str, problems: Sequence[str]) -> list[Line]:
    """What there is to say; `kubeconfig` as it was named when fleet was started, "" when it was not."""
    named = kubeconfig or os.environ.get("KUBECONFIG", "")
    source = "--kubeconfig" if kubeconfig else "KUBECONFIG" if named else "the usual place"
    paths = [Path(part).expanduser() for part in named.split(os.pathsep) if part] or [
        Path("~/.kube/config").expanduser()
    ]
    others = [problem for problem in problems if not any(str(path) in problem for path in paths)]
    return [
        (Cell("fleet shows Kubernetes clusters, and knows of none yet."),),
        BLANK,
        heading("What it looked for"),
        *((Cell(f"  {path}  "), Cell(_state(path), Tone.WARN), Cell(f"  ({source})", Tone.MUTED)) for path in paths),
        *((Cell(f"  {problem}", Tone.WARN),) for problem in others),
        BLANK,
        heading("See your clusters"),
        (Cell("  Put a kubeconfig there: it is noticed, and this closes by itself."),),
        (Cell("  fleet --kubeconfig FILE", Tone.ACCENT), Cell("  reads another one.")),
        (Cell("  fleet doctor", Tone.ACCENT), Cell("  says what else may be missing.")),
        BLANK,
        heading("Try it without any"),
        (Cell("  d", Tone.ACCENT), Cell("  opens the demo: eleven living clusters, Argo CD and a Git")),
        (Cell("     repository on this machine, without a network."),),
        (Cell("     It shows you around, and leaves nothing behind."),),
        BLANK,
        (Cell("fleet never changes a cluster: it reads them, and drafts commits.", Tone.MUTED),),
    ]


def _state(path: Path) -> str:
    if not path.exists():
        return "does not exist"
    return "has no context that matches" if os.access(path, os.R_OK) else "may not be read by you"
