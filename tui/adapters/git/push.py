"""A draft on its way to the remote: its own branch with a lease, or the target branch fast-forward only."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tui.adapters import runner
from tui.adapters.git import history
from tui.adapters.git.command import GitTrouble, environment, explain
from tui.adapters.git.repository import NETWORK, UPSTREAM, Progress, Repository
from tui.domain import giturl
from tui.domain.draft import Draft, PushPlan, PushResult, Surroundings, branch_name

_PAGE = re.compile(r"https://[^\s\x00-\x1f\x7f]+")
_WORDS = ("merge_requests/new", "pull/new", "/compare/", "pull-requests", "pullrequestcreate", "pulls/new")


def plan(repository: Repository, draft: Draft, user: str, around: Surroundings, *, to_target: bool) -> PushPlan:
    """What a push would send: the draft's commits as they are, to its branch or to the target."""
    clashes = around.clashes if to_target else ()
    landed = around.landed
    own = history.commits(repository.objects, draft.base, draft.tip)
    branch = draft.target if to_target else draft.branch or branch_name(draft, user)
    there = repository.objects.resolve(UPSTREAM + branch)
    problem = ""
    if draft.dropped:
        problem = "the draft is in the trash; restore it first"
    elif draft.dirty:
        problem = "there are edits that are not committed yet"
    elif not own:
        problem = "the draft has no commit yet"
    elif to_target and landed:
        problem = f"{draft.target} has these changes already"
    elif clashes:
        problem = f"the draft and {draft.target} changed the same lines"
    return PushPlan(
        draft=draft.id,
        remote=giturl.shown(repository.url),
        branch=branch,
        commit=draft.tip,
        repo=draft.repo,
        # a branch that the remote has lost, merged and deleted perhaps, is made anew
        lease=draft.pushed if there and not to_target else "",
        to_target=to_target,
        commits=tuple((commit.oid, commit.subject) for commit in own),
        files=tuple(history.files(repository, draft.base, draft.tip)) if own else (),
        hooks=repository.checkout.hooks if repository.checkout else (),
        clashes=clashes,
        problem=problem,
    )


async def push(
    repository: Repository, draft: Draft, what: PushPlan, progress: Progress | None = None, *, terminal: bool = False
) -> PushResult:
    """Send what the plan says. A refusal by the remote is a result, not an error; only no answer at all is.

    The draft's own branch is replaced only while it is what fleet last saw there (a lease); the target is only ever
    moved forward, which the remote checks.
    """
    name = f"refs/heads/{what.branch}"
    lease = [] if what.to_target else [f"--force-with-lease={name}:{what.lease}"]
    result = await runner.run(
        repository.git.argv(
            "push", "--porcelain", "--progress", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", *lease,
            "--end-of-options", "origin", f"{what.commit}:{name}",
        ),
        env=environment(repository.git.config, local=repository.git.local, terminal=terminal),
        terminal=terminal, on_error_line=progress, timeout=NETWORK,
    )  # fmt: skip
    lines = _remote_lines(result.err.decode("utf-8", "replace"))
    flag, summary = _outcome(result.out.decode("utf-8", "replace"), name)
    if flag in ("*", " ", "+", "=") and result.code == 0:
        page = "" if what.to_target else _page(lines) or _built(repository, draft, what)
        done = "is there already" if flag == "=" else "pushed"
        message = f"{what.branch}: {done} ({what.commit[:10]})"
        return PushResult(True, message, what.branch, what.commit, tuple(lines), page)
    if flag != "!":
        raise GitTrouble(explain(result.errors) or f"git push ended with code {result.code}", result.errors)
    words = _refusal(summary, what)
    return PushResult(False, words, what.branch, what.commit, tuple(lines), stale="stale info" in summary)


def _outcome(porcelain: str, name: str) -> tuple[str, str]:
    """(flag, summary) of one ref: blank is fast-forward, `*` new, `+` forced, `=` there already, `!` rejected."""
    for line in porcelain.splitlines():
        flag, _, rest = line.partition("\t")
        refs, _, summary = rest.partition("\t")
        if len(flag) == 1 and refs.endswith(f":{name}"):
            return flag, summary
    return "", ""


def _refusal(summary: str, what: PushPlan) -> str:
    """Why the remote did not take it and what can be done, in words."""
    if "stale info" in summary:
        return f"{what.branch} on the remote is not what fleet left there: somebody else has pushed to it"
    if "non-fast-forward" in summary or "fetch first" in summary:
        return f"{what.branch} has moved on the remote; fetch, and the draft is put on top of it"
    if "failed to update ref" in summary or "cannot lock ref" in summary:
        return f"the remote cannot make {what.branch}: another branch is in its way, or it is being changed"
    if "protected branch" in summary:
        return f"{what.branch} is protected on the remote; push the draft's own branch and open a pull request"
    if "hook declined" in summary:
        return "a hook of the remote refused it; its own words follow"
    return f"the remote refused {what.branch}: {summary.removeprefix('[remote rejected] ').removeprefix('[rejected] ')}"


def _remote_lines(said: str) -> list[str]:
    """What the server itself said: lines that git marks with `remote:`, progress left out."""
    found = []
    for line in re.split(r"[\r\n]", said):
        text = line.removeprefix("remote: ").rstrip()
        if line.startswith("remote:") and text and not re.search(r"\d+% \(\d+/\d+\)|^(Total|Resolving|Counting)", text):
            found.append("" if text == "remote:" else text.removesuffix("\x1b[K").rstrip())
    return [line for line in found if line]


def _page(lines: list[str]) -> str:
    """The page for a pull request that the server named."""
    for line in lines:
        for url in _PAGE.findall(line):
            if any(word in url for word in _WORDS) and urlsplit(url).hostname:
                return str(url)
    return ""


def _built(repository: Repository, draft: Draft, what: PushPlan) -> str:
    remote = repository.remote
    title = what.commits[-1][1] if what.commits else draft.title
    return giturl.pull_request_url(repository.url, giturl.forge(remote), what.branch, draft.target, title)
