"""What has become of the contexts of the kubeconfigs, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.domain.ports import Context

NAMED = 3  # contexts that are named; more are counted


def reread(before: Iterable[Context], after: Iterable[Context], renewed: Sequence[str]) -> str:
    """What reading the kubeconfigs again has changed, as one line; "" when no context is another.

    `renewed` are those that lead elsewhere or log in differently.
    """
    old, new = {context.name: None for context in before}, {context.name: None for context in after}
    found = (
        ("new", [name for name in new if name not in old]),
        ("gone", [name for name in old if name not in new]),
        ("connected anew", list(renewed)),
    )
    parts = [f"{word}: {_names(names)}" for word, names in found if names]
    return f"kubeconfig read again · {' · '.join(parts)}" if parts else ""


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
