"""What a table shows where there is little room."""

from __future__ import annotations

from tui.domain.kinds import KINDS, POLICY_RESOURCES
from tui.domain.kinds.kind import Column
from tui.ui.widgets.columns import lay_out


def shown(columns: tuple[Column, ...], width: int) -> list[str]:
    natural = [column.width for column in columns]
    return [columns[slot[0]].id for slot in lay_out(columns, natural, width, 1, 0, False).slots]


def test_columns_that_matter_stay_longest() -> None:
    columns = (
        Column("name", "NAME", lambda row, facts: None, lambda value, now: None, 20, 20),  # type: ignore[arg-type,return-value]
        Column("path", "PATH", lambda row, facts: None, lambda value, now: None, 10, 10),  # type: ignore[arg-type,return-value]
        Column("state", "STATE", lambda row, facts: None, lambda value, now: None, 10, 10, keep=5),  # type: ignore[arg-type,return-value]
    )
    assert shown(columns, 45) == ["name", "path", "state"]
    assert shown(columns, 35) == ["name", "state"]
    assert shown(columns, 25) == ["name"]


def test_state_of_applications_is_shown_at_80_columns() -> None:
    room = 80 - 24 - 2 - 3  # tree, border, cursor and scrollbar
    assert {"name", "sync", "health"} <= set(shown(KINDS["applications.argoproj.io"].columns, room))
    assert {"name", "valid"} <= set(shown(KINDS[POLICY_RESOURCES[0]].columns, room))
    assert {"name", "status"} <= set(shown(KINDS["pods"].columns, room))
    assert {"name", "state", "applications"} <= set(shown(KINDS["clusters"].columns, room))


def test_conditions_of_applications_are_shown_at_160_columns() -> None:
    assert {"condition", "operation", "revision", "destination"} <= set(
        shown(KINDS["applications.argoproj.io"].columns, 160 - 32 - 5)
    )
