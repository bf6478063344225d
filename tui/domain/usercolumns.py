"""Columns of the user's own: a title and a JSONPath into the whole object, beside those of a kind."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from tui.domain.describing import doc


class UserColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column. Raises ValueError, naming the column and the position, for a path that is none."""

    kind: Annotated[str, doc("The kind: a word of `:`, such as `pods`, `deploy` or `applications`.")]
    title: Annotated[str, doc("What stands above it; `:sort` knows it by this.")]
    path: Annotated[str, doc("JSONPath as in kubectl; of several values all are shown, with commas.")]
    width: Annotated[int, doc("Cells, at most."), msgspec.Meta(ge=3, le=200)] = 16
    wide: Annotated[bool, doc("Only where more columns were asked for.")] = False
    right: Annotated[bool, doc("Aligned to the right, as numbers are.")] = False

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ValueError("a column needs a title")
        from tui.domain import jsonpath  # most configurations have no columns, and every start reads one

        try:
            jsonpath.compiled(self.path)
        except jsonpath.BadPath as error:
            raise ValueError(f"the path of column {self.title} is wrong {error}") from error

    @property
    def id(self) -> str:
        """What the column is called in `-o json`."""
        return re.sub(r"\W+", "_", self.title.strip().lower())
