"""Why an edit was not made."""

from __future__ import annotations


class Refused(ValueError):
    """The text cannot be read, or the edit cannot be made exactly; nothing was changed.

    `line` and `column` count from 1, 0 when no place can be named; `reason` is one plain sentence.
    `file` is filled in by whoever knows it: see `at`.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0, file: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
        self.file = file

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.reason}" if place else self.reason

    def at(self, file: str) -> Refused:
        """The same refusal with the file's name, for messages."""
        self.file = file
        return self


class Unreadable(Refused):
    """The text is no YAML that can be read: broken, not UTF-8, too large or too deeply nested."""


class Missing(Refused):
    """Nothing is there: no such key, item or document. `depth` is the number of steps of the path that do exist."""

    depth = 0


class Shared(Refused):
    """The place is written once and used in several places; the caller must say which it means.

    `anchor` is its name, `users` the lines that use it. Ask, then call again with `shared="all"` to change the
    anchor for all of them, or `shared="here"` to change only the place the path names.
    """

    def __init__(self, reason: str, anchor: str, users: tuple[int, ...], line: int = 0, column: int = 0) -> None:
        super().__init__(reason, line, column)
        self.anchor = anchor
        self.users = users
