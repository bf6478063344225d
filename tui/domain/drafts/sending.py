"""Commits and pushes in words: how they are to be made, what a push would send where, how it ended."""

from __future__ import annotations

import msgspec

from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Change


class CommitOptions(msgspec.Struct, frozen=True):
    """How a commit is made. None leaves it to the user's Git configuration."""

    hooks: bool = True  # run the user's hooks
    timeout: float = 300.0  # seconds each of them may take
    sign: bool | None = None
    sign_off: bool | None = None
    terminal: bool = False  # a locked key may ask for its passphrase on the terminal


AS_CONFIGURED = CommitOptions()


class PushOptions(msgspec.Struct, frozen=True):
    """How a push is made, beyond where it goes."""

    hooks: bool = True  # run the user's pre-push hook
    timeout: float = 300.0  # seconds it may take
    options: tuple[str, ...] = ()  # push options that the user asked for, so that they must arrive
    tag: str = ""  # annotated tag to make and push along
    sign_tag: bool | None = None


PUSH_AS_CONFIGURED = PushOptions()


class PushPlan(msgspec.Struct, frozen=True):
    """Exactly what a push would send where. Nothing has been sent; `push` does this and nothing else."""

    draft: str  # id
    remote: str  # URL for people, without credentials
    branch: str  # branch on the remote
    commit: str  # what the branch will point to
    repo: str = ""  # URL of the remote, as the draft has it
    lease: str = ""  # what the branch must point to now; "" = must not exist
    to_target: bool = False
    commits: tuple[tuple[str, str], ...] = ()  # (id, subject), oldest first
    files: tuple[Change, ...] = ()
    hooks: tuple[str, ...] = ()  # hooks of the user's that run before anything is sent
    skipped: tuple[str, ...] = ()  # those that do not, because the user said so
    options: tuple[str, ...] = ()  # push options for the server
    optional: bool = False  # without them when the server takes none: they are wishes of the configuration
    tag: str = ""  # annotated tag to be made on the commit and pushed with it, all or nothing
    sign_tag: bool | None = None  # None = as the user's Git is configured
    timeout: float = 300.0  # seconds a hook may take
    clashes: tuple[Clash, ...] = ()  # why it cannot be pushed
    problem: str = ""  # why it cannot be pushed, in words; "" = it can
    landed: bool = False  # the problem is that the target has it already


class PushResult(msgspec.Struct, frozen=True):
    """How a push ended. `lines` are the remote's own words, verbatim: data, never markup."""

    done: bool
    message: str  # in words
    branch: str = ""
    commit: str = ""
    lines: tuple[str, ...] = ()
    page: str = ""  # page for a pull request; "" = not known
    said: tuple[str, ...] = ()  # what the user's own hook said, verbatim
    stale: bool = False  # refused because the branch is not what fleet last saw there


class PullRequest(msgspec.Struct, frozen=True):
    """A pull request that was made, or the page where one makes it."""

    url: str  # "" = the forge is not known
    message: str = ""  # in words
    made: bool = False  # it exists
    tool: str = ""  # the program that made it: gh, glab
