"""What a user does with drafts, whatever the screen: start, edit, commit, push, take back, and see where they stand."""

from __future__ import annotations

from tui.fleet.drafts.applying import Applying
from tui.fleet.drafts.book import Part
from tui.fleet.drafts.grouped import Grouped
from tui.fleet.drafts.looking import Looking
from tui.fleet.drafts.rebasing import Rebasing
from tui.fleet.drafts.recovering import Recovering
from tui.fleet.drafts.reverting import Reverting
from tui.fleet.drafts.rewriting import Rewriting
from tui.fleet.drafts.sending import Sending
from tui.fleet.drafts.typed import Typed

__all__ = ["Drafts", "Part"]


class Drafts(Applying, Grouped, Looking, Reverting, Recovering, Rewriting, Rebasing, Typed, Sending):
    """All drafts of this machine. Methods belong to one event loop; each may raise `Trouble` and then changed nothing.

    A draft is given by its name, its id or the end of its id, or as a `Draft`, which means its part in one repository.
    What differs between what was shown and what is there is noticed: editing over a changed file or committing a
    changed draft raises `Moved`. What is done to a whole draft (drop, undo, rebase) is done in all its repositories.
    """
