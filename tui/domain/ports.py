"""What the runtime asks of the outside world, and the errors it may answer with. Adapters implement these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from tui.domain.drafts.conflict import Clash, Conflicts, Decision
from tui.domain.drafts.model import Change, Content, Draft, Operation
from tui.domain.drafts.rewriting import OwnCommit, Pick, Rewritten
from tui.domain.drafts.sending import (
    AS_CONFIGURED,
    PUSH_AS_CONFIGURED,
    CommitOptions,
    PullRequest,
    PushOptions,
    PushPlan,
    PushResult,
)
from tui.domain.drafts.standing import Surroundings
from tui.domain.drafts.states import StateInfo
from tui.domain.pulse import Meter
from tui.domain.tail import TailEvent


class Trouble(Exception):
    """The outside world said no. `str(error)` is one plain line that says what happened and, if known, what to do."""

    status = 0  # the HTTP status, where the kind of trouble does not tell it; 0 = none


class Unreachable(Trouble):
    """No answer: refused, timed out, TLS failure, name not found."""


class Unauthorized(Trouble):
    """401: credentials missing, expired or refused; one refresh has been tried."""


class Denied(Trouble):
    """403: these credentials may not read this."""


class Absent(Trouble):
    """404: the API server does not serve this resource, or the object is gone."""


class Gone(Trouble):
    """410: the resourceVersion or continue token is too old; list again."""


class Throttled(Trouble):
    """429 or 503 (`status`); `retry_after` in seconds, 0 when the server did not say."""

    def __init__(self, message: str, retry_after: float = 0.0, status: int = 429) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class ServerError(Trouble):
    """Any other status, or an answer that is not what was asked for; `status` is the HTTP status, 0 for no status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Context(msgspec.Struct, frozen=True):
    """A usable kubeconfig context, without any secret: what the tree, matching and `fleet doctor` need."""

    name: str
    cluster: str  # name of the kubeconfig's cluster entry
    user: str = ""
    namespace: str = ""
    server: str = ""
    ca_sha256: str = ""  # hex digest of the first CA certificate (DER); "" = none given
    identity: tuple[str, ...] = ()  # what exec arguments or names tell: EKS ARN tail, GKE location/name, --cluster-id
    source: str = ""  # file it was read from
    problem: str = ""  # why it cannot be used, in words; "" = usable


class Served(msgspec.Struct, frozen=True):
    """A resource that an API server serves, as its discovery says."""

    plural: str
    kind: str
    group: str = ""
    versions: tuple[str, ...] = ()  # the server's order, preferred first
    namespaced: bool = True
    singular: str = ""
    short: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """`plural.group`, the key of a kind everywhere in fleet."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Connection(Protocol):
    """One cluster, read only. All methods may raise any `Trouble`."""

    async def get(self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = "application/json") -> bytes:
        """One GET, the whole body."""

    def stream(
        self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = "application/json", quiet: float = 60.0
    ) -> AsyncIterator[bytes]:
        """One GET, the body in chunks as they arrive; `quiet` seconds without a byte are Unreachable.

        An empty chunk comes first, when the API server has agreed to answer.
        """

    async def review(self, kind: str, body: Mapping[str, object]) -> bytes:
        """POST to `selfsubject{access,rules}reviews` (`kind` is that plural), the only POST: it stores nothing."""

    async def served(self, fresh: bool = False) -> Mapping[str, Served]:
        """Everything the API server serves, by `plural.group`; cached for minutes unless `fresh`."""

    def renew(self) -> None:
        """Send no more requests over the sockets there are: they may be dead. What runs over them goes on."""

    async def close(self) -> None:
        """Give up every request and socket."""


class Clusters(Protocol):
    """All contexts of the kubeconfigs."""

    @property
    def problems(self) -> Sequence[str]:
        """Kubeconfig files and patterns that could not be used, one line each."""

    def contexts(self) -> Sequence[Context]:
        """Every context that was asked for, broken ones too (with `problem`)."""

    async def reread(self) -> frozenset[str] | None:
        """Read the kubeconfigs again if their files are others by now; None when they are not.

        Afterwards `contexts` and `problems` are new. Returns the contexts of before to which connections must be made
        anew: they lead elsewhere, or log in differently.
        """

    def connect(self, context: str, meter: Meter | None = None) -> Connection:
        """A connection, which counts on `meter`; nothing is sent before its first request."""

    async def close(self) -> None:
        """Stop what still runs on behalf of all connections, such as credential plugins."""


class EventKeeper(Protocol):
    """Keeps the event tail beyond this run."""

    problem: str  # why events are not being kept, in words; "" = they are

    def read(self, since: float, most: int) -> list[TailEvent]:
        """Kept events at or after `since`, oldest first. Blocks: call it off the loop."""

    def append(self, events: Sequence[TailEvent]) -> None:
        """Keep these; returns at once."""

    def close(self) -> None:
        """Write what is queued. Blocks."""


class Refused(Trouble):
    """fleet will not do this, for the reason given; nothing was changed."""


class Moved(Trouble):
    """Somebody else changed the same thing first; nothing was changed by this attempt."""


class Clashing(Refused):
    """Changes that do not go together; nothing was changed. `clashes` says where."""

    def __init__(self, message: str, clashes: Sequence[Clash] = ()) -> None:
        super().__init__(message)
        self.clashes = tuple(clashes)


class Missing(Trouble):
    """What was named does not exist."""


class NeedsTerminal(Trouble):
    """Git wanted to ask something and had no terminal to ask on; nothing was changed. Given one, it may succeed."""


class HookRefused(Refused):
    """A hook of the user's said no. The draft is as before, but for the files that the hook itself has corrected."""

    def __init__(self, message: str, hook: str = "", lines: Sequence[str] = (), fixed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.hook = hook
        self.lines = tuple(lines)  # what it wrote, verbatim: data, never markup
        self.fixed = tuple(fixed)  # files that it changed: staged in the draft


class Found(msgspec.Struct, frozen=True):
    """How a remote repository can be worked with."""

    url: str  # as git is given it
    key: str  # equal for every spelling of the same remote
    checkout: str = ""  # root of the user's clone; "" = none was found
    ready: bool = False  # fleet has its private repository of it already


class CommitInfo(msgspec.Struct, frozen=True, gc=False):
    """What a person wants to know of a commit. Texts are foreign."""

    oid: str
    subject: str
    author: str  # name, without the address
    time: float | None = None  # when it was written, seconds since the epoch; None when it does not say


class DraftRepository(Protocol):
    """One remote's private repository and its drafts. Every method may raise `Trouble` and changes no checkout."""

    url: str
    key: str
    checkout: str

    async def fetch(self, progress: Callable[[str], None] | None = None, *, terminal: bool = False) -> None:
        """Bring in the remote's branches."""

    async def tidy(self) -> None:
        """House-keeping that may take a second; loses nothing."""

    async def branches(self) -> dict[str, str]:
        """The remote's branches as of the last fetch: name -> commit."""

    async def default_branch(self) -> str:
        """The remote's default branch; "" when unknown."""

    async def resolve(self, revision: str) -> str:
        """The commit a branch, tag, HEAD or id means."""

    async def about(self, revision: str) -> CommitInfo:
        """Subject, author and time of a commit, as of the last fetch."""

    async def contains(self, commit: str, ancestor: str) -> bool | None:
        """Whether `ancestor` is in the history of `commit`; None when either is unknown."""

    async def entries(self, revision: str, folder: str = "") -> list[tuple[str, int, str]]:
        """(name, Git mode, id) of what a folder holds at a revision."""

    async def read(self, revision: str, path: str) -> Content:
        """A text file at a revision."""

    async def search(
        self, revision: str, words: Sequence[str], names: Sequence[str], folder: str = "", anycase: bool = False
    ) -> list[str]:
        """The text files below a folder whose name is one of `names` (globs) and that hold one of `words`."""

    async def log(self, old: str, new: str, paths: Sequence[str]) -> list[tuple[str, str]]:
        """(id, subject) of the commits from `old` to `new` that changed something below paths, newest first."""

    async def drafts(self, *, trash: bool = False) -> tuple[list[Draft], list[str]]:
        """Every draft, oldest first, and a line about each that cannot be read."""

    async def draft(self, draft_id: str) -> Draft:
        """The newest state of one draft."""

    async def create(self, title: str, target: str, name: str, draft_id: str = "", base: str = "") -> Draft:
        """A new draft on the target branch as of the last fetch, or on a commit of it."""

    async def edit(
        self,
        draft_id: str,
        files: Mapping[str, bytes | None],
        operations: Sequence[Operation] = (),
        over: Mapping[str, str] | None = None,
    ) -> Draft:
        """Stage new contents; None removes a file."""

    async def bring_back(self, draft_id: str, revision: str, paths: Sequence[str], about: Operation) -> Draft:
        """Stage what lies at `paths` ("" is everything) as it was at a commit: modes, links and binary files too."""

    async def take_back(
        self, draft_id: str, revision: str, paths: Sequence[str], about: Operation
    ) -> tuple[Draft, Sequence[Clash]]:
        """Stage the opposite of what one commit did below `paths`; with clashes nothing changes."""

    async def commit(
        self,
        draft_id: str,
        message: str,
        expected: str = "",
        options: CommitOptions = AS_CONFIGURED,
        progress: Callable[[str], None] | None = None,
    ) -> Draft:
        """Commit what is staged, as the user; `progress` gets what hooks say. Raises HookRefused, NeedsTerminal."""

    async def pick(
        self,
        draft_id: str,
        files: Mapping[str, bytes | None],
        *,
        whole: Iterable[str] = (),
        back: Iterable[str] = (),
        shown: Draft | None = None,
    ) -> Draft:
        """Pick edits for the next commit: files with these contents, whole files, or files not any more."""

    async def discard(
        self,
        draft_id: str,
        files: Mapping[str, bytes | None],
        *,
        whole: Iterable[str] = (),
        shown: Draft | None = None,
    ) -> Draft:
        """Take back edits that are not committed: files get these contents, whole files those of the tip."""

    async def own_commits(self, draft: Draft) -> list[OwnCommit]:
        """The draft's commits, oldest first, with their messages and files."""

    async def rewrite(
        self, draft_id: str, picks: Sequence[Pick], *, action: str = "rewrite", shown: Draft | None = None,
        keep: bool = False, options: CommitOptions = AS_CONFIGURED, progress: Callable[[str], None] | None = None,
    ) -> Rewritten:  # fmt: skip
        """Make the draft's commits anew; with clashes nothing changes."""

    async def split(
        self, draft_id: str, oid: str, first: Mapping[str, bytes | None], messages: tuple[str, str], *,
        whole: Iterable[str] = (), shown: Draft | None = None,
        options: CommitOptions = AS_CONFIGURED, progress: Callable[[str], None] | None = None,
    ) -> Draft:  # fmt: skip
        """Make two commits of one."""

    async def blob(self, revision: str, path: str) -> bytes | None:
        """The bytes of a file at a revision, whatever they are; None when it is not there."""

    async def undo(self, draft_id: str) -> Draft:
        """Back to before the last edit, commit or rebase."""

    async def redo(self, draft_id: str) -> Draft:
        """What the last undo took back."""

    async def drop(self, draft_id: str) -> Draft:
        """To the trash."""

    async def restore(self, draft_id: str) -> Draft:
        """Out of the trash."""

    async def update(self, draft_id: str, **fields: object) -> Draft:
        """Change title, name, target or what is known about pushes."""

    async def keep_unsaved(self, draft_id: str, path: str, text: str | None, over: str = "") -> Draft:
        """Keep typed text (None forgets it)."""

    async def unsaved(self, draft: Draft) -> dict[str, str]:
        """Typed and unsaved texts by file."""

    async def states(self, draft_id: str, limit: int = 50, before: str = "") -> list[StateInfo]:
        """A page of what a draft has been, newest first; `before` is the last state of the page before."""

    async def revive(self, draft_id: str, state: str) -> Draft:
        """Give a draft the content of one of its earlier states, named by its id or the first digits of it."""

    async def mark(self) -> object:
        """Equal as long as no draft and no branch has changed. Cheap."""

    async def changes(self, old: str, new: str) -> list[Change]:
        """The files that differ between two commits."""

    async def diff(self, old: str, new: str) -> tuple[list[Change], str]:
        """The files and the patch between two commits."""

    async def commits(self, draft: Draft) -> list[tuple[str, str]]:
        """(id, subject) of the draft's commits, oldest first."""

    async def around(self, draft: Draft) -> Surroundings:
        """What Git knows of where the draft stands, as of the last fetch; without Applications."""

    async def conflicts(self, draft: Draft, onto: str = "") -> Conflicts:
        """What stands between the draft and its target, or the branch `onto`; nothing changes."""

    async def choose(self, draft_id: str, decisions: Mapping[str, Decision | None], onto: str = "") -> Draft:
        """Keep decisions by key (None takes one back), for the rebase onto that branch."""

    async def abort_rebase(self, draft_id: str) -> Draft:
        """Forget all decisions."""

    async def rebase(
        self, draft_id: str, onto: str = "", decisions: Mapping[str, Decision | None] | None = None
    ) -> tuple[Draft, tuple[Clash, ...]]:
        """Put the draft on top of its target, or of `onto`; returns what is still to be decided, and then only the
        decisions are kept."""

    async def message_template(self) -> str:
        """The user's `commit.template` without comments; "" = none."""

    async def plan_push(
        self, draft: Draft, *, to_target: bool, options: PushOptions = PUSH_AS_CONFIGURED, terminal: bool = False
    ) -> PushPlan:
        """Exactly what a push would send where. Asks the remote only about a tag."""

    async def push(
        self, plan: PushPlan, progress: Callable[[str], None] | None = None, *, terminal: bool = False
    ) -> PushResult:
        """Run the user's pre-push hook, send what the plan says and remember it. Raises HookRefused, NeedsTerminal."""

    async def pull_request(self, draft: Draft, *, make: bool = True) -> PullRequest:
        """Make the pull request of a pushed draft with the forge's own program, or name the page that makes it.

        Without `make` nothing is made: `tool` says which program would.
        """


class Repositories(Protocol):
    """Where drafts live: the private repositories, found by remote URL, by clone, or all there are."""

    async def find(self, url: str) -> Found:
        """What there is for a remote: a clone of the user's, a private repository, or neither."""

    async def here(self) -> list[Found]:
        """The clones known without asking: of the current folder first, then the configured ones."""

    async def open(
        self, url: str, *, clone: bool = False, progress: Callable[[str], None] | None = None, terminal: bool = False
    ) -> DraftRepository:
        """The private repository of a remote URL or of the clone at a path. Talks to a remote only with `clone`."""

    async def existing(self) -> tuple[Sequence[DraftRepository], list[str]]:
        """Every private repository, and a line about each that cannot be opened."""

    async def close(self) -> None:
        """End everything that runs."""


class Journal(Protocol):
    """Typed text that has no draft to live in yet. Every method may raise `Trouble`."""

    async def keep(self, key: str, text: str | None) -> None:
        """Keep a text under a key (None forgets it); on disk when it returns."""

    async def texts(self) -> dict[str, str]:
        """All that is kept."""

    async def times(self) -> dict[str, float]:
        """When each text was kept last, seconds since the epoch."""
