"""What a table makes of rows of the store: cells, what they sort by, and what the filter looks for."""

from __future__ import annotations

import pytest

from tests.ui import shop
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.domain.settings import Settings
from tui.fleet.derive import StoreFacts
from tui.store import Store
from tui.ui.panes.rows import Shape
from tui.ui.scope import APPLICATIONS


@pytest.fixture(scope="module")
def store() -> Store:
    filled = Store()
    shop.fill(filled)
    return filled


@pytest.mark.parametrize("resource", [APPLICATIONS, "pods", "nodes", "ciliumnetworkpolicies.cilium.io"])
def test_the_filter_looks_into_every_cell_but_ages(store: Store, resource: str) -> None:
    facts = StoreFacts(store, Settings(), lambda: shop.NOW)
    shape = Shape([KINDS[resource]])
    found = {row.ref: shape.searched(row, facts) for row in store.rows(resource)}
    assert found
    for row in store.rows(resource):
        own, common = found[row.ref]
        for column, cell in zip(shape.columns, shape.row(row, facts).cells, strict=True):
            text = cell.text.lower()
            if not column.time:
                assert text in own or text in common, column.id
    assert any(column.time for column in shape.columns)


def test_a_column_that_is_left_out_is_not_looked_into(store: Store) -> None:
    facts = StoreFacts(store, Settings(), lambda: shop.NOW)
    row = next(iter(store.rows("pods")))
    whole, less = (Shape([KINDS["pods"]], left_out).searched(row, facts) for left_out in ((), ("cluster",)))
    assert " ".join(whole).count(row.ref.cluster) == " ".join(less).count(row.ref.cluster) + 1


def test_texts_of_a_column_with_many_words_are_each_rows_own(store: Store) -> None:
    facts = StoreFacts(store, Settings(), lambda: shop.NOW)
    shape = Shape([KINDS["pods"]])
    like = next(iter(store.rows("pods")))
    refs = [Ref(like.ref.cluster, "pods", like.ref.namespace, f"pod-{at}") for at in range(200)]
    found = [shape.searched(Row(ref, like.obj), facts) for ref in refs][100:]
    assert [own.split()[0] for own, _ in found] == [ref.name for ref in refs[100:]]
    assert len({common for _, common in found}) == 1
