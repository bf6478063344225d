"""Lists as files."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml

from tui.domain.kinds import columns as c
from tui.domain.kinds.export import ENDINGS, Line, export
from tui.domain.obj import Ref

COLUMNS = (c.of("name", "NAME", lambda obj: ""), c.of("restarts", "RESTARTS", lambda obj: 0), c.AGE)
LINES: list[Line] = [
    (Ref("prod", "pods", "shop", "web"), ("web", -3, 1_800_000_000.0)),
    (Ref("dev", "pods", "shop", '=cmd|"/c calc"!A1'), ('=cmd|"/c calc"!A1', None, None)),
    (Ref("dev", "pods", "shop", "é\n\x1b[31m"), ("é\n\x1b[31m", 0, None)),
]
RECORDS = [
    {"cluster": "prod", "namespace": "shop", "name": "web", "restarts": -3, "created": "2027-01-15T08:00:00Z"},
    {"cluster": "dev", "namespace": "shop", "name": '=cmd|"/c calc"!A1', "restarts": None, "created": None},
    {"cluster": "dev", "namespace": "shop", "name": "é\n\x1b[31m", "restarts": 0, "created": None},
]


def test_programs_get_the_values() -> None:
    assert json.loads(export(LINES, COLUMNS, ".json")) == RECORDS
    assert yaml.safe_load(export(LINES, COLUMNS, ".yaml")) == RECORDS == yaml.safe_load(export(LINES, COLUMNS, ".yml"))


def test_spreadsheets_get_lines_and_no_formula() -> None:
    head, *rows = csv.reader(io.StringIO(export(LINES, COLUMNS, ".csv").decode(), newline=""))
    assert head == list(RECORDS[0])
    assert rows[0] == ["prod", "shop", "web", "-3", "2027-01-15T08:00:00Z"]
    assert rows[1][2] == '\'=cmd|"/c calc"!A1' and rows[2][2] == "é\n\x1b[31m"
    assert len(rows) == 3


def test_a_lone_half_of_a_character_is_written_and_nothing_is_an_empty_list() -> None:
    odd: list[Line] = [(Ref("a", "pods", "", "\udcff"), ("\udcff", 1, None))]
    assert all(export(odd, COLUMNS, ending) for ending in ENDINGS)
    assert json.loads(export([], COLUMNS, ".json")) == []


@pytest.mark.parametrize("ending", ["", ".xlsx"])
def test_other_endings_mean_nothing(ending: str) -> None:
    with pytest.raises(ValueError, match=r"it says the format: \.csv, \.json, \.yaml"):
        export(LINES, COLUMNS, ending)
