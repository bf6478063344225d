"""Places that are written once and used in several: anchors, their aliases, and what merge keys bring in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from tui.domain.yamledit import plans
from tui.domain.yamledit.errors import Shared
from tui.domain.yamledit.insertion import insert
from tui.domain.yamledit.locate import Found, owner
from tui.domain.yamledit.path import Match, Step, format_path
from tui.domain.yamledit.session import Edited, Session

Sharing = Literal["ask", "all", "here"]

MOST_LINES = 10
"""Users of an anchor that a message names by their lines."""


def content(session: Session, found: Found) -> Found:
    """The place itself, or what its alias stands for: where its content is written."""
    tree = session.tree
    if not tree.is_alias(found.node):
        return found
    there = owner(tree, tree.target(found.node))
    there.steps, there.alias, there.holder = found.steps, found.alias, found.holder
    there.anchors = [*found.anchors, there.node]
    return there


def guard(session: Session, found: Found, shared: Sharing) -> None:
    """Raises Shared when the place is used elsewhere and the caller has not said what it means."""
    if found.alias < 0 and not found.anchors:
        return
    tree = session.tree
    if shared == "all":
        return
    anchored = found.anchors[0] if found.anchors else tree.target(found.alias)
    node = found.alias if found.alias >= 0 else anchored
    anchor = tree.events[anchored].anchor or ""
    what = "inherited through <<" if found.merged else f"{'an alias of' if found.alias >= 0 else 'part of'} &{anchor}"
    users = session.lines_of(tree.users(anchored))
    more = f" and {len(users) - MOST_LINES} more" if len(users) > MOST_LINES else ""
    lines = f"line{'s' if len(users) > 1 else ''} {', '.join(map(str, users[:MOST_LINES]))}{more}"
    where = format_path(found.steps) or "it"
    ask = "it can only be changed for all" if shared == "here" else "change it for all, or only here?"
    raise Shared(f"{where} is {what}, used on {lines}: {ask}", anchor, users, *session.place_at(node))


def here(session: Session, found: Found, change: Callable[[Any, tuple[Step, ...]], Any]) -> Edited | None:
    """The edit made to a copy of what an alias or merge brings in; None when the path passes neither."""
    if found.alias < 0:
        return None
    node, key, parent, used = found.holder
    rest = found.steps[used:]
    tree = session.tree
    _copyable(session, node)
    if not found.merged:
        value = change(tree.value(node), rest)
        place_ = Found(node, key, parent, found.steps[:used])
        outer = session.find(found.steps[:used])
        if [a for a in outer.anchors if tree.start(a) < tree.start(node) and tree.ends[a] > node]:
            guard(session, outer, "here")
        return session.commit(plans.put(tree, place_, value, session.layout()), tree.start(node))
    value = change(tree.value(node), rest)
    name = rest[0]
    if not isinstance(name, str) or name not in value:
        raise session.moved(tree.refuse("what << brings in cannot be deleted here", tree.start(found.alias)))
    return insert(session, Found(node, key, parent, found.steps[:used]), name, value[name], None)


def _copyable(session: Session, node: int) -> None:
    """Raises Refused when a copy would turn a key such as `on:`, which Go reads as `true`, into another."""
    tree = session.tree
    part = tree.target(node) if tree.is_alias(node) else node
    for inner in range(part, tree.ends[part] + 1):
        for key, _ in tree.pairs(inner) if tree.is_map(inner) else ():
            name = tree.scalar(key) if tree.is_scalar(key) else None
            if isinstance(name, bool) or not isinstance(name, str | int):
                raise session.moved(tree.refuse("a key that is no text cannot be copied", tree.start(key)))


def within(value: Any, steps: tuple[Step, ...], change: Callable[[Any, Step], None]) -> Any:
    """`value` with `change` applied to the plain collection that the last step names something in."""
    at = value
    for step in steps[:-1]:
        at = at[slot(at, step)]
    change(at, steps[-1])
    return value


def slot(value: Any, step: Step) -> Any:
    """The key or index at which a step's value is kept in a plain collection."""
    if isinstance(step, Match):
        return next(
            index
            for index, item in enumerate(value)
            if (isinstance(item, dict) and str(item.get(step.key)) == step.value)
            or (not step.key and str(item) == step.value)
        )
    return step
