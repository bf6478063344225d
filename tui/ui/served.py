"""The screen behind a browser: Textual's web driver, which ends with whoever serves it."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

from textual import messages
from textual.drivers.web_driver import WebDriver

PATIENCE = 8.0  # seconds for an orderly end once nobody looks any more
MOST = 1000  # columns, and rows, that a browser may ask for


class ServedDriver(WebDriver):
    """Ends the app when its server or its browser has gone, which may happen in any way."""

    def write(self, data: str) -> None:
        try:
            super().write(data)
        except BrokenPipeError:
            self._gone()

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._gone()

    def on_meta(self, packet_type: str, payload: dict[str, Any]) -> None:
        if packet_type == "resize":
            payload = payload | {side: min(MOST, max(1, int(payload[side]))) for side in ("width", "height")}
        elif packet_type == "quit":
            self._gone()
        super().on_meta(packet_type, payload)

    def _gone(self) -> None:
        """Ask the app to leave, and leave without it when it does not."""
        if self._leaving is None:
            self._leaving = threading.Timer(PATIENCE, os._exit, (1,))
            self._leaving.daemon = True
            self._leaving.start()
            asyncio.run_coroutine_threadsafe(self._app._post_message(messages.ExitApp()), loop=self._loop)

    _leaving: threading.Timer | None = None
