"""Places that are written once and used in several: anchors, their aliases, and what merge keys bring in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from tui.domain.yamledit import plans
from tui.domain.yamledit.errors import Shared
from tui.domain.yamledit.insertion import insert
from tui.domain.yamledit.locate import Found
from tui.domain.yamledit.path import Match, Step, format_path
from tui.domain.yamledit.session import Edited, Session
from tui.domain.yamledit.split import place

Sharing = Literal["ask", "all", "here"]


def guard(session: Session, found: Found, shared: Sharing) -> None:
    """Raises Shared when the place is used elsewhere and the caller has not said what it means."""
    if found.alias < 0 and not found.anchors:
        return
    tree = session.tree
    if shared == "all":
        return
    if found.alias >= 0:
        node = found.alias
        anchor = next((tree.events[n].anchor for n in (found.alias, *found.anchors) if tree.events[n].anchor), "")
        what = "inherited through <<" if found.merged else f"an alias of &{anchor}"
    else:
        node = found.anchors[0]
        anchor = tree.events[node].anchor
        what = f"part of the anchor &{anchor}"
    owner = found.anchors[0] if found.anchors else node
    users = tuple(place(session.text, session.chunk.start + tree.start(user))[0] for user in tree.users(owner))
    line, column = place(session.text, session.chunk.start + tree.start(node))
    lines = ", ".join(map(str, users))
    where = format_path(found.steps) or "it"
    if shared == "here":
        raise Shared(
            f"{where} is {what}: it can only be changed for all that use it, lines {lines}", anchor, users, line, column
        )
    raise Shared(
        f"{where} is {what}, used on line {lines}: change it for all of them, or only here?",
        anchor,
        users,
        line,
        column,
    )


def here(session: Session, found: Found, change: Callable[[Any, tuple[Step, ...]], Any]) -> Edited | None:
    """The edit made to a copy of what an alias or merge brings in; None when the path passes neither."""
    if found.alias < 0:
        return None
    node, key, parent, used = found.holder
    rest = found.steps[used:]
    tree = session.tree
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


def within(value: Any, steps: tuple[Step, ...], change: Callable[[Any, Step], None]) -> Any:
    """`value` with `change` applied to the plain collection that the last step names something in."""
    at = value
    for step in steps[:-1]:
        at = at[slot(at, step)]
    change(at, steps[-1])
    return value


def slot(value: Any, step: Step) -> Any:
    if isinstance(step, Match):
        return next(
            index
            for index, item in enumerate(value)
            if (isinstance(item, dict) and str(item.get(step.key)) == step.value)
            or (not step.key and str(item) == step.value)
        )
    return step
