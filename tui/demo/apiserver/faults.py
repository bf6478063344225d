"""Bad weather on demand: what a server does to some requests instead of answering them properly.

Faults are tried in the order they were added; the first that matches a request is used, and is gone after `times` uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus

from aiohttp import web

from tui.demo.apiserver.status import ApiError

_PF = (("FlowSchema", 1), ("PriorityLevel", 2))  # what API priority and fairness tells of itself


class Action(Enum):
    """What happens to the request."""

    DELAY = "delay"  # the proper answer, later
    HANG = "hang"  # no answer at all
    CLOSE = "close"  # the connection is closed without an answer
    ANSWER = "answer"  # a fixed answer
    TRUNCATE = "truncate"  # the proper answer, cut off after some bytes
    GARBAGE = "garbage"  # a watch: proper headers, then a line that is no JSON
    SILENCE = "silence"  # a watch: proper headers, then nothing ever
    EXPIRE = "expire"  # a watch: 410 as an ERROR event in the stream
    EOF = "eof"  # a watch: proper headers, then a clean end
    INSERT = "insert"  # a watch: these bytes, then what it properly says
    TRICKLE = "trickle"  # the proper answer, slowly
    SPOIL = "spoil"  # the proper list or watch, its first object spoiled


@dataclass(slots=True)
class Fault:
    """One rule. `match` is searched in "METHOD path?query"; `times` None lasts until cleared; `hits` counts uses."""

    action: Action
    match: str = ""
    times: int | None = None
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 0  # bytes of the proper answer that still go out
    seconds: float = 0.0
    rate: float = 0.0  # bytes a second
    hits: int = 0
    over: bool = False  # it has been cleared


@dataclass(slots=True)
class Faults:
    """The rules of one server."""

    rules: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        """Add a rule; the returned one counts its `hits`."""
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """Fair weather again. Requests that already hang stay so until their connection ends."""
        for rule in self.rules:
            rule.over = True
        self.rules.clear()

    def delay(self, seconds: float, match: str = "", times: int | None = None) -> Fault:
        """Answer properly, but so many seconds later: a cluster that is far away or busy."""
        return self.add(Fault(Action.DELAY, match, times, seconds=seconds))

    def hang(self, match: str = "", times: int | None = None) -> Fault:
        """Accept requests and never answer."""
        return self.add(Fault(Action.HANG, match, times))

    def close(self, match: str = "", times: int | None = None) -> Fault:
        """Close the connection instead of answering."""
        return self.add(Fault(Action.CLOSE, match, times))

    def throttle(self, retry_after: int = 1, match: str = "", times: int | None = None) -> Fault:
        """429 with Retry-After (seconds), as API priority and fairness answers."""
        body = b"Too many requests, please try again later.\n"
        headers = {"Retry-After": str(retry_after)}
        headers |= {f"X-Kubernetes-PF-{what}-UID": f"00000000-0000-0000-0000-00000000000{digit}" for what, digit in _PF}
        return self.add(Fault(Action.ANSWER, match, times, 429, body, "text/plain", headers))

    def refuse(self, code: int, message: str, match: str = "", times: int | None = None) -> Fault:
        """A Status object with this code and message."""
        return self.add(Fault(Action.ANSWER, match, times, code, ApiError(code, message).body()))

    def unavailable(self, match: str = "", times: int | None = None) -> Fault:
        """503 with a Status object."""
        return self.refuse(503, "the server is currently unable to handle the request", match, times)

    def html(self, status: int = 502, match: str = "", times: int | None = None) -> Fault:
        """A proxy's HTML page."""
        said = HTTPStatus(status).phrase.encode()
        body = b"<html>\n<head><title>%b</title></head>\n<body><h1>%b</h1></body>\n</html>\n" % (said, said)
        return self.add(Fault(Action.ANSWER, match, times, status, body, "text/html"))

    def answer(self, status: int, body: bytes, match: str = "", times: int | None = None) -> Fault:
        """Any JSON answer."""
        return self.add(Fault(Action.ANSWER, match, times, status, body))

    def truncate(self, after: int, match: str = "", times: int | None = None) -> Fault:
        """Cut the connection after so many bytes of the proper answer's body; works for watches too."""
        return self.add(Fault(Action.TRUNCATE, match, times, after=after))

    def garbage(self, match: str = "watch=", times: int | None = 1) -> Fault:
        """A watch whose first line is not JSON."""
        return self.add(Fault(Action.GARBAGE, match, times))

    def silence(self, match: str = "watch=", times: int | None = None) -> Fault:
        """A watch that never says anything."""
        return self.add(Fault(Action.SILENCE, match, times))

    def expire(self, match: str = "watch=", times: int | None = 1) -> Fault:
        """A watch that ends at once with an ERROR event of code 410."""
        return self.add(Fault(Action.EXPIRE, match, times))

    def gone(self, match: str = "watch=", times: int | None = 1) -> Fault:
        """HTTP 410 instead of a watch."""
        return self.refuse(410, "too old resource version: 1 (2)", match, times)

    def eof(self, match: str = "watch=", times: int | None = None) -> Fault:
        """A watch that ends cleanly before its first event."""
        return self.add(Fault(Action.EOF, match, times))

    def insert(self, line: bytes, match: str = "watch=", times: int | None = None) -> Fault:
        """A watch that says this first."""
        return self.add(Fault(Action.INSERT, match, times, body=line))

    def trickle(self, rate: float = 1024.0, match: str = "", times: int | None = None) -> Fault:
        """Answer properly, `rate` bytes a second."""
        return self.add(Fault(Action.TRICKLE, match, times, rate=rate))

    def spoil(self, body: bytes, match: str = "", times: int | None = None) -> Fault:
        """Lists and watches whose first object has these bytes instead of `"metadata":{`."""
        return self.add(Fault(Action.SPOIL, match, times, body=body))

    def take(self, request: web.BaseRequest) -> Fault | None:
        """The fault that this request meets, counted as used."""
        line = f"{request.method} {request.raw_path}"
        for rule in self._live():
            if rule.match in line:
                rule.hits += 1
                return rule
        return None

    def _live(self) -> Iterator[Fault]:
        return (rule for rule in self.rules if rule.times is None or rule.hits < rule.times)
