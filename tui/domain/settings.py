"""The user's configuration as values. `adapters/config.py` reads it; every default here is the documented default."""

from __future__ import annotations

import re
import string
from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
KINDS_OF_EDIT = ("add", "remove", "image", "replicas", "revision", "auto-sync", "policy", "metadata")
"""What a commit can be about, for `commit.types`: objects that come or go, and the forms of `tui.domain.edits`."""
TEMPLATE_FIELDS = (
    "summary", "type", "scope", "applications", "clusters", "objects", "files", "draft", "body",
)  # fmt: skip
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class GroupRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which clusters belong to a group of the tree: by name pattern (glob) or by labels of the Argo CD cluster."""

    group: str  # "prod" or "prod/eu" for nested groups
    match: str = ""  # glob on the cluster's name
    labels: dict[str, str] = {}  # all must be equal


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clone the user already has; it is only ever read."""

    path: str
    url: str = ""  # the repoURL Applications use for it, when its own remotes do not say so


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class CommitStyle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How commit messages are proposed. Raises ValueError, naming what is wrong, for a template nobody can fill."""

    style: Literal["plain", "conventional"] = "plain"
    type: str = "chore"  # of a conventional commit
    types: dict[str, str] = msgspec.field(default_factory=lambda: {"add": "feat"})  # kind of edit -> other type
    scope: str = ""  # instead of the Applications
    template: str = ""  # the whole message, with fields in braces; "" = subject, body
    sign_off: bool = False  # Signed-off-by, as the Developer Certificate of Origin asks for

    def __post_init__(self) -> None:
        for name in (self.type, *self.types.values()):
            if not _TYPE.fullmatch(name):
                raise ValueError(f"{name!r} is no type of a conventional commit: one word is")
        for kind in self.types:
            if kind not in KINDS_OF_EDIT:
                raise ValueError(f"types has no edit called {kind!r}: {', '.join(KINDS_OF_EDIT)}")
        for name in template_fields(self.template):
            if name not in TEMPLATE_FIELDS:
                raise ValueError(f"template has no field {{{name}}}: {', '.join(TEMPLATE_FIELDS)}")


def template_fields(template: str) -> list[str]:
    """The fields of a template, `{name}` each; `{{` and `}}` are braces. Raises ValueError for a lone brace."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"template: {error}; braces that are meant are written twice") from error
    named = [(name, form, how) for _, name, form, how in parts if name is not None]
    return [name + (f"!{how}" if how else "") + (f":{form}" if form else "") for name, form, how in named]


PLAIN = CommitStyle()


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`config.yaml`. Unknown keys are refused with file and line, so that a typing error is not silently ignored."""

    theme: str = "fleet-dark"
    groups: tuple[GroupRule, ...] = ()
    repositories: tuple[Repository, ...] = ()
    destinations: dict[str, str] = {}  # pins: "<hub>/<server or name>" -> context
    editor: str = ""  # command; "" = built-in editor
    templates: str = ""  # folder with templates of your own for new objects: one <name>.yaml each
    mouse: bool = True
    keys: dict[str, str] = {}  # action id -> key
    tail_days: int = 14  # how long the event ring on disk reaches back
    confirm_share: Share = 0.25  # of all Applications: to push what touches more, the draft's name must be typed
    exec_timeout: float = 30.0  # seconds an exec plugin may take
    request_timeout: float = 15.0  # seconds without a byte before a list is given up
    commit: CommitStyle = PLAIN
    hooks: Literal["run", "skip"] = "run"  # the clone's own hooks, on commits and pushes of drafts
    hook_timeout: Seconds = 300.0  # seconds each may take
    push_options: tuple[str, ...] = ()  # sent with every push to a server that takes them
    pull_request: Literal["cli", "page", "push-option"] = "cli"  # gh or glab if there; the page; with the push (GitLab)
    forges: dict[str, Literal["github", "gitlab", "gitea", "bitbucket", "bitbucket-server", "azure"]] = {}  # by host
    gzip: bool = True  # ask API servers for compressed answers
