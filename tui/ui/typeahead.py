"""Keys take effect in the order they were typed, however fast, and each where the one before has led.

Textual hands a key to what has the focus when the key arrives; its effect (an opened prompt, a shown pane) comes some
messages later, and a key typed meanwhile would go to the widget before. Here a key waits until the one before is
through: until it has bubbled up to the app, and what it opened stands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

PATIENCE = 0.5  # seconds after which the next key goes on, whatever work the one before has set going
STUCK = 5.0  # seconds after which it goes on in any case; a busy machine may take long to open a prompt


class TypeAhead(App[None]):
    """An app whose keys wait for each other."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead: deque[events.Key] = deque()
        self._released: events.Key | None = None
        self._serial = 0  # of the key that is under way
        self._under_way = False
        self._waiting: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self.work: set[asyncio.Future[None]] = set()  # what keys have set going and the next key should find done
        self.patience = PATIENCE  # of the next key with that work
        self._holds_all = False  # keys wait until what they are meant for stands

    @property
    def typing(self) -> bool:
        """Whether a key is under way or waits for one that is."""
        return self._under_way or bool(self._ahead)

    def hold(self) -> None:
        """Keys wait from now on, but for those that `passes`."""
        self._holds_all = True

    def release(self) -> None:
        """What the keys are meant for stands: those that waited go, one after the other."""
        self._holds_all = False
        if not self._under_way:
            self._next()

    def passes(self, key: events.Key) -> bool:
        """Whether a key goes on while others wait."""
        return False

    def waits(self, held: Sequence[events.Key]) -> None:
        """One more key waits; `held` are all that do."""

    async def on_event(self, event: events.Event) -> None:
        """Hold keys that come while another is under way."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._holds_all and not self.passes(event):
            self._ahead.append(event)
            self.waits(self._ahead)
            return
        if self._under_way and event is not self._released:
            self._ahead.append(event)
            return
        self._released = None
        self._under_way = True
        self._serial += 1
        serial = self._serial
        self._alarm = asyncio.get_running_loop().call_later(STUCK, self._through, serial)
        target: MessagePump | None = self.focused or self.screen
        await super().on_event(event)
        self._trail(target, serial)

    def _trail(self, pump: MessagePump | None, serial: int) -> None:
        """Go the way the key bubbles: behind it in every queue, up to the app's own."""
        while pump is not None and pump is not self:
            following = pump._parent
            if pump.call_later(self._trail, following, serial):
                return
            pump = following
        if pump is self or pump is None:
            self.call_later(self._arrived, serial)

    def _arrived(self, serial: int) -> None:
        if serial == self._serial and self._under_way:
            self._waiting = asyncio.create_task(self._stands(serial))

    async def _stands(self, serial: int) -> None:
        """Wait for what the key has set going, then for the screen to be painted."""
        if self.work:
            await asyncio.wait(self.work, timeout=max(PATIENCE, self.patience))
            self.work.clear()  # what takes longer goes on alone
        self.patience = PATIENCE
        if not self.is_running or self._exit:
            return
        painted, screen = asyncio.Event(), self.screen
        if screen.call_after_refresh(painted.set):
            # a screen that is left meanwhile does not paint any more; `STUCK` ends any other wait
            while self._under_way and serial == self._serial and screen in self.screen_stack[-1:]:
                with suppress(TimeoutError):
                    await asyncio.wait_for(painted.wait(), 0.05)
                    break
        self._through(serial)

    def _through(self, serial: int) -> None:
        """The key is through: the next one goes."""
        if serial != self._serial or not self._under_way:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._under_way = False
        if not self._holds_all:
            self._next()

    def _next(self) -> None:
        if self._ahead:
            self._released = self._ahead.popleft()
            self._under_way = True  # keys that arrive before it is handled queue behind it
            self.post_message(self._released)
