"""What Argo CD has deployed of an Application: which revision, who asked, how long it took, and the commit in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.application import History
from tui.domain.kinds import columns as c
from tui.domain.kinds.argo import short_repository
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.obj import Row
from tui.domain.ports import CommitInfo
from tui.ui import words
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet


def _known(value: Value, now: float) -> Cell:
    """Text; "?" for what nobody knows."""
    return Cell(str(value), Tone.PLAIN) if value else Cell("?", Tone.UNKNOWN)


def _number(value: Value) -> Value:
    return -value if isinstance(value, int | float) else None


def _took(value: Value, now: float) -> Cell:
    return Cell(when.age(value), Tone.MUTED) if isinstance(value, int | float) else Cell("?", Tone.UNKNOWN)


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


COLUMNS = (
    _column("id", "ID", c.show_muted, 5, 2, right=True, keep=9, sort=_number),
    _column("deployed", "DEPLOYED", c.show_age, 9, 8, keep=8, right=True, time=True, sort=c.youngest),
    _column("took", "TOOK", _took, 7, 4, right=True, keep=3),
    _column("revision", "REVISION", c.show_name, 20, 9, keep=8),
    _column("by", "BY", _known, 30, 10, keep=7),
    _column("commit", "COMMIT", _known, 70, 20, keep=6, grow=3),
    _column("author", "AUTHOR", _known, 24, 8, keep=5),
    _column("source", "SOURCE", c.show_muted, 40, 12),
)


class HistoryTable(Table):
    """The history of one Application, newest first. `note` says why commits are not known, if so."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, empty="Argo CD has kept no history: nothing has been deployed yet")
        self.note = ""
        self._made: list[TableRow] = []

    def show(self, row: Row, fleet: Fleet) -> None:
        """Take in what has changed, commits that have been read meanwhile too."""
        rows, why = [], ""
        now = fleet.facts.now
        for entry in reversed(argo.of_row(row).status.history or ()):
            commit = _commit(entry, fleet)
            values = _values(entry, commit)
            cells = tuple(column.show(value, now) for column, value in zip(COLUMNS, values, strict=True))
            rows.append(TableRow(entry.id, cells, values))
            why = why or (commit if isinstance(commit, str) else "")
        if rows != self._made:
            self._made = rows
            self.replace(rows)
        self.note = f"commits: {why}" if why else ""


def _values(entry: History, commit: CommitInfo | str) -> tuple[Value, ...]:
    begun, over = when.seconds(entry.deploy_started_at), when.seconds(entry.deployed_at)
    by = words.initiator(entry.initiated_by)
    subject, author = (commit.subject, commit.author) if isinstance(commit, CommitInfo) else ("", "")
    return (
        entry.id,
        over,
        over - begun if over is not None and begun is not None else None,
        argo.short_revisions(entry),
        "" if by.tone is Tone.UNKNOWN else by.text,
        subject,
        author,
        _source(entry),
    )


def _sources(entry: History) -> tuple[argo.Source, ...]:
    return entry.sources or ((entry.source,) if entry.source is not None else ())


def _source(entry: History) -> str:
    return ", ".join(
        f"{short_repository(source.repo_url)} {source.path or source.chart}".strip() for source in _sources(entry)
    )


def _commit(entry: History, fleet: Fleet) -> CommitInfo | str:
    """The commit of the first source that is in Git."""
    found: CommitInfo | str = ""
    for source, revision in zip(_sources(entry), argo.revisions(entry), strict=False):
        if source.chart or not revision:
            continue
        found = fleet.commit(source.repo_url, revision)
        if isinstance(found, CommitInfo):
            return found
    return found
