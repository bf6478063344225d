"""Base of the tails: lines that grow at their end. On the last line it follows; the cursor moved up, it stands still;
paused, it takes nothing in until resumed."""

from __future__ import annotations

from textual import events
from textual.message import Message

from tui.ui.widgets.line_view import LineView


class FollowView(LineView):
    """A subclass gives `pull`, which takes in what came, and calls `keep_up` when lines have come or gone."""

    class StateChanged(Message):
        """`following`, `paused` or how much is behind has changed."""

        def __init__(self, view: FollowView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> FollowView:
            """The widget it comes from."""
            return self.view

        def can_replace(self, message: Message) -> bool:
            """Only the last one matters."""
            return isinstance(message, FollowView.StateChanged) and message.view is self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None, name: str | None = None) -> None:
        super().__init__(id=id, classes=classes, name=name)
        self.paused = False
        self.following = True

    def pull(self) -> None:
        """Take in what came since the last call, unless paused."""

    def toggle_pause(self) -> None:
        """Pause, or take in all that came meanwhile."""
        if self.paused:
            self.resume()
        else:
            self.pause()

    def pause(self) -> None:
        """Take nothing in: what is in view stays, whatever happens."""
        self.paused = True
        self.told()

    def resume(self) -> None:
        """Take in everything since the pause, and go on following if it did."""
        self.paused = False
        self.pull()
        self.told()

    def follow(self) -> None:
        """Go to the newest line and stay there; ends a pause."""
        self.paused = False
        self.following = True
        self.pull()
        self.keep_up(0)
        self.told()

    def go(self, index: int) -> None:
        """Move; on the last line the tail follows, elsewhere it stands still."""
        super().go(index)
        self._stand()

    def go_page(self, direction: int) -> None:
        """A page; the same rule."""
        super().go_page(direction)
        self._stand()

    def scroll_lines(self, delta: int) -> None:
        """The wheel takes the cursor along, so that following stops when one looks back."""
        old = self.top
        super().scroll_lines(delta)
        if self.top != old:
            self.go(max(self.top, min(self.cursor + self.top - old, self.top + self.body_height - 1)))

    def on_resize(self, event: events.Resize) -> None:
        """Stay at the end when following."""
        super().on_resize(event)
        if self.following:
            self.keep_up(0)

    def keep_up(self, dropped: int) -> None:
        """Lines have come at the end and `dropped` have gone at the start."""
        if self.following:
            self.cursor = max(0, self.line_count() - 1)
        else:
            self.cursor = max(0, self.cursor - dropped)
            self.top -= dropped
        self.bring_into_view()
        self.refresh()

    def told(self) -> None:
        """Tell the pane how it stands."""
        self.post_message(self.StateChanged(self))

    def _stand(self) -> None:
        following = self.cursor >= self.line_count() - 1
        if following != self.following:
            self.following = following
            self.told()
