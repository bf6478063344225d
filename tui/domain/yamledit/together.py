"""Many small edits of one document as one plan: parsed once, proven once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tui.domain import yamlvalue
from tui.domain.yamledit import plans
from tui.domain.yamledit.errors import Refused
from tui.domain.yamledit.insertion import add_item, add_key, beside_dash
from tui.domain.yamledit.locate import locate
from tui.domain.yamledit.path import Step
from tui.domain.yamledit.place import natural
from tui.domain.yamledit.removal import remove
from tui.domain.yamledit.session import Edited, Session
from tui.domain.yamledit.sharing import Sharing, content, guard
from tui.domain.yamledit.verify import Plan

Small = tuple[str, tuple[Step, ...], Any]
"""What `differ.differences` gives: set, replace, insert or delete; where; the new value."""


def together(
    session: Session, steps: tuple[Step, ...], edits: Iterable[Small], new: Any, shared: Sharing
) -> Edited | None:
    """The edits made at once, so that `new` stands at `steps`; None when they get in each other's way.

    Raises Shared, and Refused where one of them is refused.
    """
    if session.template:
        return None
    changes: list[tuple[int, int, str]] = []
    model: list[tuple[int, int, list[Any]]] = []
    try:
        # What is inserted at one offset stands in the order of its events: an inner collection's before the outer's.
        for plan in sorted(_plans(session, edits, shared), key=lambda plan: plan.model[0][0]):
            changes += plan.changes
            model += plan.model
        whole = Plan(changes, model)
        after = session.proven(whole)
        if after is None or not yamlvalue.same(after.value(locate(after, steps).node), new):
            return None
    except ValueError as error:
        if isinstance(error, Refused):
            raise session.moved(error) from None
        return None
    return session.edited(whole)


def _plans(session: Session, edits: Iterable[Small], shared: Sharing) -> Iterator[Plan]:
    """The best plan of every edit; those that insert at one place in the order in which they must stand."""
    added: dict[tuple[Step, ...], list[tuple[Step, Any]]] = {}
    for word, where, value in edits:
        if word == "insert":
            added.setdefault(where[:-1], []).append((where[-1], value))
            continue
        found = session.find(where)
        if word == "delete":
            above = content(session, session.find(where[:-1]))
            guard(session, found if found.merged else above, shared)
            if found.parent != above.node:
                raise ValueError("it comes from <<")
            yield next(remove(session.tree, found, session.layout(), above))
        else:
            found = content(session, found)
            guard(session, found, shared)
            yield next(plans.put(session.tree, found, value, session.layout()))
    for where, entries in added.items():
        found = content(session, session.find(where))
        guard(session, found, shared)
        yield from _insertions(session, found.node, entries)


def _insertions(session: Session, node: int, entries: list[tuple[Step, Any]]) -> Iterator[Plan]:
    tree, how = session.tree, session.layout()
    if tree.is_list(node):  # the differ names items of one place from the last to the first
        for index, value in reversed(entries):
            assert isinstance(index, int)
            yield next(add_item(tree, node, index, value, how))
        return
    known = [tree.key_text(key) or "" for key, _ in tree.pairs(node)]
    names, values = list(known), {str(key): value for key, value in entries}
    lead = not beside_dash(tree, node)
    for key in values:
        names.insert(natural(names, key, lead), key)
    index = 0
    for name in names:
        if name in values:
            yield next(add_key(tree, node, index, name, values[name], how))
        else:
            index += 1
