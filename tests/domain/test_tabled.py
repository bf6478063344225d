"""Columns and cells as API servers tell them, whatever they tell."""

from __future__ import annotations

import pytest

from tests.domain.test_kinds import NOW, Answers
from tui.domain import redact
from tui.domain.kinds.kind import Tone, Value
from tui.domain.kinds.tabled import (
    LONGEST_CELL,
    LONGEST_TITLE,
    MOST_COLUMNS,
    Definition,
    Layout,
    Tabled,
    fitted,
    kind_of,
    layout,
    seconds_of,
    shaped,
)
from tui.domain.obj import Meta, Ref, Row

CERTIFICATES = layout(
    [
        Definition("Name", format="name"),
        Definition("Ready"),
        Definition("Sync Status"),
        Definition("Issuer", priority=1),
        Definition("Renewals", "integer"),
        Definition("Renewed", "date"),
        Definition("Age", "date"),
    ]
)
KIND = kind_of("certificates", "Certificate", "cert-manager.io", "v1", True)


def row(cells: list[object], of: Layout = CERTIFICATES) -> Row:
    meta = Meta("web", "shop", creation_timestamp="2026-11-22T08:59:00Z")
    return Row(Ref("c1", KIND.resource, "shop", "web"), Tabled(meta, fitted(cells, of, NOW), of))


def shown(of: Row, layouts: list[Layout]) -> dict[str, str]:
    kind = shaped(KIND, layouts)
    return {each.title: each.show(each.value(of, Answers({})), NOW).text for each in kind.columns}


def test_the_servers_columns_stand_between_name_and_age_and_their_own_name_and_age_do_not() -> None:
    kind = shaped(KIND, [CERTIFICATES])
    assert [each.title for each in kind.columns] == [
        *("CLUSTER", "NAMESPACE", "NAME", "READY", "SYNC STATUS", "ISSUER", "RENEWALS", "RENEWED"),
        *("LABELS", "APPLICATION", "AGE"),
    ]  # fmt: skip
    assert [each.title for each in kind.columns if each.wide] == ["ISSUER", "LABELS", "APPLICATION"]
    assert [each.id for each in kind.columns][3:6] == ["ready", "syncStatus", "issuer"]
    assert shown(row(["web", "True", "Synced", "acme", 3, "5m20s", "9y"]), [CERTIFICATES]) == {
        **{"CLUSTER": "c1", "NAMESPACE": "shop", "NAME": "web", "READY": "✔ True", "SYNC STATUS": "✔ Synced"},
        **{"ISSUER": "acme", "RENEWALS": "3", "RENEWED": "5m20s", "LABELS": "", "APPLICATION": "", "AGE": "60s"},
    }


def test_an_age_grows_from_when_it_was_told() -> None:
    column = next(each for each in shaped(KIND, [CERTIFICATES]).columns if each.id == "renewed")
    told = column.value(row(["web", "True", "", "", 0, "5m", "1h"]), Answers({}))
    assert (column.show(told, NOW).text, column.show(told, NOW + 3600).text) == ("5m", "65m")


def test_clusters_that_differ_share_a_list() -> None:
    other = layout([Definition("Name", format="name"), Definition("Expires"), Definition("Ready")])
    both = [CERTIFICATES, other]
    assert [each.title for each in shaped(KIND, both).columns][3:9] == [
        *("READY", "SYNC STATUS", "ISSUER", "RENEWALS", "RENEWED", "EXPIRES")
    ]  # fmt: skip
    old = shown(row(["web", "soon", "False"], other), both)
    assert (old["EXPIRES"], old["READY"], old["SYNC STATUS"], old["RENEWALS"]) == ("soon", "✖ False", "", "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("5m20s", 320), ("4d6h", 367200), ("1y20d", 33264000), ("9y", 283824000), ("2h", 7200)],
)
def test_ages_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "<unknown>", "<invalid>", "-5s", "s", "5m 20s", "2026-11-22"])
def test_what_is_no_age_is_unknown(text: str) -> None:
    assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("Token", "s3cr3t-value", redact.MASK),
        ("Admin Password", "hunter2", redact.MASK),
        ("Endpoint", "https://me:hunter2@git.example/x", f"https://{redact.MASK}@git.example/x"),
        ("Secret", "gateway-tls", "gateway-tls"),
        ("Text", "x" * 2_000_000, "x" * LONGEST_CELL + "…"),
        ("List", ["a", {"b": 1}], '["a",{"b":1}]'),
        ("Nothing", None, None),
        ("Yes", True, True),
    ],
)
def test_cells_are_cut_and_masked(name: str, cell: object, value: Value) -> None:
    assert fitted([cell], layout([Definition(name)]), NOW) == (value,)


def test_a_thousand_columns_and_titles_of_escape_codes_are_harmless() -> None:
    absurd = layout([Definition(f"\x1b[31mC{at}\n" + "x" * 500) for at in range(1_000)])
    assert (len(absurd.columns), absurd.left_out) == (MOST_COLUMNS, 1_000 - MOST_COLUMNS)
    titles = [each.title for each in shaped(KIND, [absurd]).columns]
    assert len(titles) == MOST_COLUMNS + 6
    assert all(title.isprintable() and len(title) <= LONGEST_TITLE for title in titles)


@pytest.mark.parametrize("cells", [[], ["web"], ["web"] * 50])
def test_rows_with_too_few_or_too_many_cells_are_shown_as_far_as_they_go(cells: list[object]) -> None:
    assert shown(row(cells), [CERTIFICATES])["NAME"] == "web"


@pytest.mark.parametrize(
    ("title", "cell", "tone"),
    [
        ("Ready", "Unknown", Tone.UNKNOWN),
        ("Ready", "False", Tone.BAD),
        ("Suspended", "True", Tone.PLAIN),
        ("Phase", "Running", Tone.GOOD),
        ("Phase", "", Tone.MUTED),
        ("Class", "<none>", Tone.MUTED),
        ("Class", "<unknown>", Tone.UNKNOWN),
    ],
)
def test_words_for_states_have_their_tone_where_a_column_tells_states(title: str, cell: str, tone: Tone) -> None:
    of = layout([Definition(title)])
    column = shaped(KIND, [of]).columns[3]
    assert column.show(column.value(row([cell], of), Answers({})), NOW).tone is tone
