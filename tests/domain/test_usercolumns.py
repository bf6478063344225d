"""Columns of the user's own: for which kinds, with what in them, and at no cost where they are not shown."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from tests.domain import rows
from tui.domain.kinds import KINDS
from tui.domain.kinds.kind import Column, Facts, Kind
from tui.domain.kinds.own import extended, means
from tui.domain.obj import Row
from tui.domain.settings import Settings
from tui.domain.usercolumns import UserColumn

NOBODY = cast(Facts, None)  # own columns ask no facts
POD: dict[str, Any] = {
    "metadata": rows.meta("web-1", resourceVersion="5", annotations={"team/owner": "blue"}),
    "spec": {"containers": [{"image": "a:1"}, {"image": "b:2"}], "hostNetwork": True, "priority": 10},
}


def values(*columns: UserColumn, pod: dict[str, Any] = POD) -> list[Any]:
    kind = extended(KINDS["pods"], columns)
    row = rows.row("c1", "pods", pod)
    return [column.value(row, NOBODY) for column in added(kind)]


def added(kind: Kind) -> list[Column]:
    """The columns that pods do not have by themselves."""
    return [column for column in kind.columns if column not in KINDS["pods"].columns]


def test_a_value_is_what_it_is_and_several_are_a_text() -> None:
    assert values(
        UserColumn("pods", "Team", ".metadata.annotations['team/owner']"),
        UserColumn("po", "IMAGES", ".spec.containers[*].image"),
        UserColumn("Pod", "PRIO", ".spec.priority"),
        UserColumn("pods", "HOST", ".spec.hostNetwork"),
        UserColumn("pods", "NONE", ".spec.nothing"),
        UserColumn("pods", "FIRST", ".spec.containers[0]"),
        UserColumn("nodes", "NOT HERE", ".x"),
    ) == ["blue", "a:1, b:2", 10, True, None, '{"image":"a:1"}']


def test_an_id_that_the_kind_has_already_gets_another() -> None:
    kind = extended(KINDS["pods"], [UserColumn("pods", "NAME", ".spec.priority"), UserColumn("pods", "A b", ".x")])
    assert [column.id for column in added(kind)] == ["user_name", "a_b"]


def test_an_object_is_unpacked_once_for_all_columns_and_again_when_it_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unpacked: list[str] = []
    whole = Row.manifest
    monkeypatch.setattr(Row, "manifest", lambda row: unpacked.append(row.ref.name) or whole(row))
    kind = extended(KINDS["pods"], [UserColumn("pods", "A", ".spec.priority"), UserColumn("pods", "B", ".spec")])
    first, second = added(kind)
    row = rows.row("c1", "pods", POD)
    assert [first.value(row, NOBODY), first.value(row, NOBODY), bool(second.value(row, NOBODY))] == [10, 10, True]
    assert unpacked == ["web-1"]
    changed = {**POD, "metadata": {**POD["metadata"], "resourceVersion": "6"}, "spec": {"priority": 11}}
    assert first.value(rows.row("c1", "pods", changed), NOBODY) == 11


def test_without_columns_for_a_kind_it_is_the_kind_itself_and_wide_ones_are_not_there_in_narrow_tables() -> None:
    wide = UserColumn("pods", "A", ".spec", wide=True)
    assert extended(KINDS["nodes"], [wide]) is KINDS["nodes"]
    assert extended(KINDS["pods"], [wide], wide=False) is KINDS["pods"]
    assert added(extended(KINDS["pods"], [wide]))[0].wide


def test_what_is_not_held_whole_has_no_value() -> None:
    row = rows.row("c1", "pods", POD)
    bare = Row(row.ref, row.obj)
    (column,) = added(extended(KINDS["pods"], [UserColumn("pods", "A", ".spec")]))
    assert column.value(bare, NOBODY) is None


@pytest.mark.parametrize("word", ["deploy", "Deployment", "deployments", "deployments.apps"])
def test_any_word_means_its_kind(word: str) -> None:
    assert means(word, KINDS["deployments.apps"])
    assert not means(word, KINDS["pods"])


def test_a_wrong_path_names_the_column_and_the_position() -> None:
    given = {
        "columns": [{"kind": "pods", "title": "OK", "path": ".a"}, {"kind": "pods", "title": "BAD", "path": ".a["}]
    }
    with pytest.raises(
        msgspec.ValidationError, match=r"the path of column BAD is wrong at character 4: .*columns\[1\]"
    ):
        msgspec.convert(given, Settings)
