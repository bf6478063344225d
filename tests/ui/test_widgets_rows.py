"""The rows behind a table against a naive model, and the arithmetic of columns."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Column, Tone
from tui.domain.listfilter import parse
from tui.domain.obj import Ref
from tui.ui.widgets import rows as rows_module
from tui.ui.widgets.columns import lay_out, natural_widths
from tui.ui.widgets.rows import Rows, TableRow, order_of

KEYS = st.integers(0, 12).map(lambda at: Ref(f"cluster-{at % 2}", "pods", f"namespace-{at % 3}", f"{at}"))
FRACTIONS = st.floats(allow_nan=True, width=16).filter(lambda number: not number.is_integer())  # 0.0 would equal 0
VALUES = st.one_of(st.none(), st.integers(-3, 3), FRACTIONS, st.sampled_from(["a", "B", "ab"]))
PAIR = (c.of("first", "FIRST", lambda obj: None), c.of("second", "SECOND", lambda obj: None))
TEXTS = ["", "a", "b", "ab", "abc", "!a", "!ab", "!", "B"]
TYPED = [
    "first=a",
    "first!=a",
    "second>0",
    "first<2 a",
    "second=a,b*",
    "/^a/",
    "!/b/",
    "-f ab",
    "-l odd=1",
    "/(/",
    "first<",
]
WORDS = st.sampled_from([*TEXTS, *TYPED])


def row(key, first, second):
    return TableRow(key, (Cell(str(first)), Cell(str(second), Tone.MUTED)), (first, second))


class RowsMachine(RuleBasedStateMachine):
    """Any sequence of changes, sorts and filters shows what starting from scratch would show."""

    def __init__(self):
        super().__init__()
        self.many, rows_module.MANY = rows_module.MANY, 3
        self.rows = Rows(self)
        self.model = {}  # key -> row, in the order given
        self.column, self.reverse, self.by, self.query = None, False, None, ""

    def teardown(self):
        rows_module.MANY = self.many

    @rule(values=st.dictionaries(KEYS, st.tuples(VALUES, VALUES), max_size=8))
    def replace(self, values):
        self.model = {key: row(key, *pair) for key, pair in values.items()}
        self.rows.replace(list(self.model.values()))

    @rule(values=st.dictionaries(KEYS, st.tuples(VALUES, VALUES), max_size=4), gone=st.sets(KEYS, max_size=3))
    def update(self, values, gone):
        changed = [row(key, *pair) for key, pair in values.items()]
        before = self.shown()
        for key in gone:
            self.model.pop(key, None)
        for one in changed:
            self.model[one.key] = one
        touched, moved = self.rows.update(changed, gone)
        if not moved:
            assert self.shown() == before
        assert touched <= {one.key for one in changed}

    def row(self, key):
        return self.model.get(key)

    def values(self, keys, column):
        return [self.model[key].sort_values[column] if key in self.model else None for key in keys]

    def searched(self, key):
        return tuple(cell.text.lower() for cell in self.model[key].cells) if key in self.model else None

    @rule(values=st.dictionaries(KEYS, st.tuples(VALUES, VALUES), max_size=8))
    def note(self, values):
        for key, pair in values.items():
            self.model[key] = row(key, *pair)
        before = self.shown()
        _, moved = self.rows.note(values)
        if not moved:
            assert self.shown() == before

    @rule()
    def paint(self):
        for entry in self.rows.window(0, len(self.rows)):
            assert self.rows.cells(entry).texts == tuple(cell.text for cell in self.model[entry.key].cells)

    @rule(column=st.sampled_from([None, 0, 1]), reverse=st.booleans(), by=st.sampled_from([None, repr]))
    def sort(self, column, reverse, by):
        self.column, self.reverse, self.by = column, reverse, by
        self.rows.sort(column, reverse, by)

    def labels(self, key):
        return {"odd": str(int(key.name) % 2)}

    @rule(query=WORDS)
    def filter(self, query):
        self.query = query
        self.rows.filter(query, PAIR)

    def shown(self):
        return [entry.key for entry in self.rows.window(0, len(self.rows))]

    def expected(self):
        wanted = parse(self.query, PAIR)

        def passes(one):
            line = " ".join(cell.text for cell in one.cells).lower()
            held = all(each.holds(one.sort_values[each.column], 0.0) for each in wanted.conditions)
            return held and wanted.finds(f"{one.key.name}\n{line}") and wanted.labelled(self.labels(one.key))

        keys = [key for key, one in self.model.items() if passes(one)]
        if self.column is not None:
            values = {key: self.model[key].sort_values[self.column] for key in keys}
            keys.sort(key=lambda key: (order_of(self.by(values[key]) if self.by else values[key], self.reverse), key))
        return keys[::-1] if self.reverse else keys

    @invariant()
    def same_as_model(self):
        while self.rows.unread:
            before = self.shown()
            assert self.rows.read(2) or self.shown() == before
        shown = self.shown()
        assert shown == self.expected()
        assert self.rows.total == len(self.model)
        for at, key in enumerate(shown):
            assert self.rows.index(key) == at
        for key in self.model:
            if key not in shown:
                assert self.rows.index(key) is None


RowsMachine.TestCase.settings = settings(max_examples=settings.default.max_examples, stateful_step_count=20)
TestRows = RowsMachine.TestCase


def test_unknown_values_come_last_in_both_directions():
    rows = Rows()
    rows.replace([row("x", None, 0), row("y", 2, 0), row("z", float("nan"), 0), row("w", "text", 0)])
    rows.sort(0)
    assert [entry.key for entry in rows.window(0, 9)][:2] == ["y", "w"]
    rows.sort(0, reverse=True)
    assert [entry.key for entry in rows.window(0, 9)][:2] == ["w", "y"]


def test_rows_of_equal_value_stand_in_the_order_of_their_keys_whatever_those_are():
    rows = Rows()
    keys = [Ref("b", "pods", "", "a"), "10", 9, Ref("a", "pods", "", "b"), "9", ("x", None)]
    rows.replace([row(key, "same", 0) for key in keys])
    rows.sort(0)
    shown = [entry.key for entry in rows.window(0, 9)]
    assert shown == [9, "10", "9", ("x", None), Ref("a", "pods", "", "b"), Ref("b", "pods", "", "a")]
    rows.update([row("9", "other", 0), row(9, "same", 1)], ["10"])
    assert [entry.key for entry in rows.window(0, 9)] == ["9", 9, *shown[3:]]


@pytest.mark.parametrize("values", [(1, 2), ("one", "two"), (None, 1), ("one", 2)])
@pytest.mark.parametrize("columns", [(0, None), (None, 0), (0, 1), (1, 0)])
def test_where_a_row_stood_that_has_gone_is_told_also_when_rows_are_sorted_otherwise(values, columns):
    rows = Rows()
    rows.sort(columns[0])
    rows.replace([row("gone", *values)])
    gone = rows.at(0)
    rows.update([], ["gone"])
    rows.sort(columns[1])
    rows.replace([row(key, *values[::-1]) for key in ("a", "b")])
    assert 0 <= rows.index_near(gone) <= 2


def test_an_unchanged_row_is_not_touched():
    rows = Rows()
    rows.replace([row("x", 1, 2), row("y", 1, 2)])
    assert rows.update([row("x", 1, 2)], []) == (set(), False)
    assert rows.update([row("x", 1, 3)], []) == ({"x"}, False)


COLUMNS = st.lists(
    st.builds(
        lambda at, width, least, wide, grow: Column(
            str(at), "T" * (at % 6), None, None, width, least, False, wide, grow
        ),
        st.integers(0, 99),
        st.integers(1, 60),
        st.integers(1, 12),
        st.booleans(),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=8,
)


@given(COLUMNS, st.integers(1, 200), st.integers(0, 2), st.integers(0, 7), st.booleans(), st.data())
def test_columns_never_overlap_and_stay_inside(columns, width, gap, skip, wide, data):
    longest = data.draw(st.lists(st.integers(0, 80), min_size=len(columns), max_size=len(columns)))
    natural = natural_widths(columns, longest)
    layout = lay_out(columns, natural, width, gap, skip, wide)
    end = 0
    for number, slot in enumerate(layout.slots):
        assert slot.width >= 1
        assert slot.x >= end
        end = slot.x + slot.width
        assert number == 0 or slot.width >= min(columns[slot.column].least, natural[slot.column])
        assert wide or not columns[slot.column].wide
    assert end <= width
    eligible = [at for at, column in enumerate(columns) if wide or not column.wide]
    assert [slot.column for slot in layout.slots] == sorted({slot.column for slot in layout.slots} & set(eligible))
    if not layout.more_right and not layout.more_left:
        assert [slot.column for slot in layout.slots] == eligible


def test_left_over_width_goes_to_growing_columns():
    columns = [Column("a", "A", None, None, 10), Column("b", "B", None, None, 10, grow=1)]
    layout = lay_out(columns, [10, 10], 50, 2, 0, False)
    assert [slot.width for slot in layout.slots] == [10, 38]


def test_columns_drop_wide_first_then_from_the_right():
    columns = [
        Column("name", "NAME", None, None, 20, 10),
        Column("node", "NODE", None, None, 20, 10, wide=True),
        Column("age", "AGE", None, None, 6, 6),
    ]
    layout = lay_out(columns, [20, 20, 6], 18, 1, 0, True)
    assert [slot.column for slot in layout.slots] == [0, 2]
    layout = lay_out(columns, [20, 20, 6], 12, 1, 0, True)
    assert [slot.column for slot in layout.slots] == [0]
    assert layout.more_right


def test_words_that_are_shown_no_more_are_forgotten():
    rows = Rows()
    for number in range(2 * rows_module.WORDS):
        rows.update([row("one", number, "word")], ())
    assert len(rows._words) <= rows_module.WORDS + 2
    rows.update([row("other", 0, "word")], ())
    assert rows.get("one").texts[1] is rows.get("other").texts[1]
