"""The user's configuration as values, with what each means: the one table that all else is made from.

`adapters/config.py` reads files into it; `domain/settingsfile.py` makes the commented file, the JSON schema and the
README's section of it. Every default here is the documented default.
"""

from __future__ import annotations

import re
import string
from typing import Annotated, Literal

import msgspec

from tui.domain.describing import doc
from tui.domain.usercolumns import UserColumn
from tui.domain.usercommands import UserCommand

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Days = Annotated[int, msgspec.Meta(ge=0)]
KINDS_OF_EDIT = ("add", "remove", "image", "replicas", "revision", "auto-sync", "policy", "metadata")
"""What a commit can be about, for `commit.types`: objects that come or go, and the forms of `tui.domain.edits`."""
TEMPLATE_FIELDS = (
    "summary", "type", "scope", "applications", "clusters", "objects", "files", "draft", "body",
)  # fmt: skip
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class GroupRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which clusters belong to a group of the tree: by name pattern (glob) or by labels of the Argo CD cluster."""

    group: Annotated[str, doc("`prod`, or `prod/eu` for nested groups.")]
    match: Annotated[str, doc("Glob on the cluster's name.")] = ""
    labels: Annotated[dict[str, str], doc("Labels of the Argo CD cluster; all must be equal.")] = {}


class AccentRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How clusters are marked that must not be mistaken for others: by name, by group, or both."""

    match: Annotated[str, doc("Glob on the cluster's name.")] = ""
    group: Annotated[str, doc("Path of a group of the tree, `prod` or `prod/eu`; what is below it belongs to it.")] = ""
    tone: Annotated[
        Literal["loud", "accent", "busy", "good", "warn", "paused", "none"],
        doc("`loud` is for production: it is told in the header and before every commit and push."),
    ] = "loud"


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clone the user already has; it is only ever read."""

    path: Annotated[str, doc("Folder of the clone.")]
    url: Annotated[str, doc("The repoURL that Applications use for it, when its own remotes do not say so.")] = ""


class CommitStyle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How commit messages are proposed. Raises ValueError, naming what is wrong, for a template nobody can fill."""

    style: Annotated[
        Literal["plain", "conventional"], doc("`conventional`: `chore(payments): raise replicas 3 → 5`.")
    ] = "plain"
    type: Annotated[str, doc("Type of a conventional commit.")] = "chore"
    types: Annotated[dict[str, str], doc("Other types by kind of edit: " + ", ".join(KINDS_OF_EDIT) + ".")] = (
        msgspec.field(default_factory=lambda: {"add": "feat"})
    )
    scope: Annotated[str, doc("Scope of a conventional commit, instead of the Applications.")] = ""
    template: Annotated[
        str,
        doc(
            "The whole message, with fields in braces: " + ", ".join(TEMPLATE_FIELDS) + ".",
            "{type}({scope}): {summary}\n\n{body}",
        ),
    ] = ""
    sign_off: Annotated[bool, doc("Signed-off-by on every commit; else as `format.signOff` of the clone says.")] = False

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
Forge = Literal["github", "gitlab", "gitea", "bitbucket", "bitbucket-server", "azure"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`config.yaml`. Unknown keys are refused with file and line, so that a typing error is not silently ignored."""

    theme: Annotated[str, doc("Theme of the screen. `:theme` lists and shows them; also `--theme`.")] = "fleet-dark"
    groups: Annotated[
        tuple[GroupRule, ...],
        doc(
            "The tree of clusters; the first match wins. Without rules: labels of Argo CD's clusters, then names.",
            [{"group": "prod/eu", "match": "prod-eu-*"}, {"group": "edge", "labels": {"env": "edge"}}],
        ),
    ] = ()
    icons: Annotated[
        Literal["auto", "unicode", "ascii"],
        doc("Shapes of states and borders; `auto`: ASCII where the terminal or the locale has no others."),
    ] = "auto"
    accents: Annotated[
        tuple[AccentRule, ...],
        doc(
            "Marks on clusters, in the tree, the columns and the header; the first match wins. Where none does, names "
            "and groups that say prod, prd or production are loud.",
            [{"match": "live-*"}, {"group": "staging", "tone": "accent"}, {"match": "prod-like-test", "tone": "none"}],
        ),
    ] = ()
    repositories: Annotated[
        tuple[Repository, ...], doc("Clones you already have; they are only read.", [{"path": "~/src/deploy"}])
    ] = ()
    destinations: Annotated[
        dict[str, str],
        doc(
            "Pins where fleet cannot be sure which context a destination means: `hub/server or name: context`.",
            {"hub/https://10.0.0.1:6443": "prod-eu-1"},
        ),
    ] = {}
    editor: Annotated[
        str, doc("The command of ctrl-o and `fleet draft edit`; else VISUAL, then EDITOR.", "code --wait")
    ] = ""
    templates: Annotated[
        str,
        doc(
            "Folder of your own templates for new objects: `<name>.yaml` with `${name}`, `${namespace}`.", "~/templates"
        ),
    ] = ""
    mouse: Annotated[bool, doc("Whether the screen listens to the mouse.")] = True
    read_only: Annotated[bool, doc("Show drafts, but begin, change and push none; also `--read-only`.")] = False
    preset: Annotated[
        Literal["fleet", "k9s", "lazygit", "vim", "arrows"], doc("The keys of another program, where they differ.")
    ] = "fleet"
    keys: Annotated[
        dict[str, str],
        doc(
            "Other keys by action, over the preset's: commas between several, blanks in a sequence; "
            "`fleet config keys` lists all actions.",
            {"yaml": "f4, Y", "describe": "z d"},
        ),
    ] = {}
    commands: Annotated[
        tuple[UserCommand, ...],
        doc(
            "Commands of your own on the object under the cursor, by key and after `:`.",
            [
                {
                    "name": "top",
                    "key": "ctrl-y",
                    "scope": ["pods"],
                    "run": ["kubectl", "top", "pod", "$NAME", "--context", "$CONTEXT", "-n", "$NAMESPACE"],
                },
                {"name": "k9s", "show": "terminal", "run": ["k9s", "--readonly", "--context", "$CONTEXT"]},
                {"name": "sorted", "draft": True, "run": ["yq", "-i", "sort_keys(..)", "$FILE"]},
            ],
        ),
    ] = ()
    columns: Annotated[
        tuple[UserColumn, ...],
        doc(
            "Columns of your own, by kind and JSONPath.",
            [
                {"kind": "pods", "title": "QOS", "path": ".status.qosClass"},
                {
                    "kind": "nodes",
                    "title": "READY SINCE",
                    "wide": True,
                    "path": '.status.conditions[?(@.type=="Ready")].lastTransitionTime',
                },
            ],
        ),
    ] = ()
    tail_days: Annotated[Days, doc("Days that the event tail on disk reaches back.")] = 14
    confirm_share: Annotated[
        Share,
        doc(
            "Share of all Applications: to push what touches more, or deletes anything, the draft's name must be typed."
        ),
    ] = 0.25
    commit: Annotated[CommitStyle, doc("How commit messages are proposed.")] = PLAIN
    hooks: Annotated[
        Literal["run", "skip"],
        doc("Your clone's pre-commit, prepare-commit-msg, commit-msg and pre-push, on commits and pushes of drafts."),
    ] = "run"
    hook_timeout: Annotated[Seconds, doc("Seconds that each hook may take.")] = 300.0
    push_options: Annotated[tuple[str, ...], doc("Sent with every push to a server that takes them.", ["ci.skip"])] = ()
    pull_request: Annotated[
        Literal["cli", "page", "push-option"],
        doc("By gh or glab where logged in, else the page; or always the page; or with the push (GitLab)."),
    ] = "cli"
    forges: Annotated[dict[str, Forge], doc("What a self-hosted host is.", {"git.corp.example": "gitlab"})] = {}
    exec_timeout: Annotated[Seconds, doc("Seconds that a credential plugin may take.")] = 30.0
    request_timeout: Annotated[Seconds, doc("Seconds without a byte before a list is given up.")] = 15.0
    gzip: Annotated[bool, doc("Ask API servers for compressed answers.")] = True
