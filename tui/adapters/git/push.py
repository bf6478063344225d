"""A draft on its way to the remote: its own branch with a lease, or the target branch fast-forward only."""

from __future__ import annotations

import re
import threading
from urllib.parse import urlsplit

import msgspec

from tui.adapters import runner
from tui.adapters.git import checkout as clones
from tui.adapters.git import committing, forge, history, hooks
from tui.adapters.git.command import Refused, trouble
from tui.adapters.git.repository import NETWORK, UPSTREAM, Progress, Repository
from tui.domain import giturl
from tui.domain.drafts.model import Draft, branch_name
from tui.domain.drafts.sending import PUSH_AS_CONFIGURED, PushOptions, PushPlan, PushResult
from tui.domain.drafts.standing import Surroundings, gone_words, lost_words
from tui.domain.settings import Settings

_PAGE = re.compile(r"https://[^\s\x00-\x1f\x7f]+")
_WORDS = ("merge_requests/new", "pull/new", "/compare/", "pull-requests", "pullrequestcreate", "pulls/new")


def plan(
    repository: Repository,
    draft: Draft,
    user: str,
    around: Surroundings,
    *,
    to_target: bool,
    settings: Settings,
    wish: PushOptions = PUSH_AS_CONFIGURED,
) -> PushPlan:
    """What a push would send: the draft's commits as they are, to its branch or to the target."""
    clashes = tuple(clash for clash in around.clashes if clash.open) if to_target else ()
    landed = around.landed
    own = history.commits(repository.objects, draft.base, draft.tip)
    sent = [history.commit(repository.objects, draft.base), *own] if draft.unborn and own else own
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
    elif to_target:
        problem = _not_onto(draft, around)
    run = wish.hooks and settings.hooks == "run"
    found = tuple(name for name in hooks.find(repository).names if name == "pre-push")
    title = own[-1].subject if own else draft.title
    asked = wish.options or (*configured_options(repository), *settings.push_options)
    if settings.pull_request == "push-option" and not to_target:
        asked += forge.push_options(repository.remote, settings.forges, draft.target, title)
    if any("\n" in option or "\0" in option for option in asked):
        raise Refused("a push option is one line")
    return PushPlan(
        draft=draft.id,
        remote=giturl.shown(repository.url),
        branch=branch,
        commit=draft.tip,
        repo=draft.repo,
        # a branch that the remote has lost, merged and deleted perhaps, is made anew
        lease=there if to_target else draft.pushed if there else "",
        to_target=to_target,
        commits=tuple((commit.oid, commit.subject) for commit in sent),
        files=tuple(history.files(repository, draft.base, draft.tip)) if own else (),
        hooks=found if run else (),
        skipped=() if run else found,
        options=asked,
        optional=not wish.options,
        tag=wish.tag,
        sign_tag=wish.sign_tag,
        timeout=wish.timeout,
        clashes=clashes,
        problem=problem,
        landed=bool(problem and own and not draft.dirty and not draft.dropped and to_target and landed),
    )


def configured_options(repository: Repository) -> tuple[str, ...]:
    """`push.pushOption` of the user's Git; an empty value empties the list, as git has it."""
    place, is_checkout = repository.place()
    found: list[str] = []
    for key, value in clones.configuration(place, checkout=is_checkout):
        if key == "push.pushoption":
            found = [*found, value] if value else []
    return tuple(found)


def prepare(
    repository: Repository,
    draft: Draft,
    what: PushPlan,
    *,
    terminal: bool,
    listen: Progress | None,
    stop: threading.Event,
) -> tuple[str, tuple[str, ...]]:
    """What comes before the sending: the tag object ("" = none), and what the user's pre-push hook said.

    Raises HookRefused when the hook says no, and what `committing.tag` raises.
    """
    tag = ""
    if what.tag:
        message = f"{draft.title}\n\n" + "\n".join(f"- {subject}" for _, subject in what.commits)
        tag = committing.tag(repository, what.tag, what.commit, message, what.sign_tag, terminal)
    if not what.hooks:
        return tag, ()
    name = f"refs/heads/{what.branch}"
    there = repository.objects.resolve(UPSTREAM + what.branch) or what.lease
    refs = [(name, what.commit, name, there)]
    if tag:
        refs.append((f"refs/tags/{what.tag}", tag, f"refs/tags/{what.tag}", ""))
    said = hooks.check_push(
        repository, what.commit, draft.base, refs, timeout=what.timeout, listen=listen, stop=stop
    )  # fmt: skip
    return tag, said


def _not_onto(draft: Draft, around: Surroundings) -> str:
    """Why a draft cannot go straight to its target, in words; "" when it can."""
    if around.target_gone:
        return gone_words(draft, around.default)
    if draft.onto:
        return f"a rebase onto {draft.onto} has been begun: finish it (fleet draft rebase {draft.name}) or give it up"
    if around.unrelated:
        return f"{draft.target} has no commit in common with the draft any more"
    if around.lost:
        return (
            f"{lost_words(draft.target, around.lost)}, and a push would bring back what it lost: rebase the draft first"
        )
    left = next((clash for clash in around.clashes if clash.open), None)
    if left:
        return f"the draft and {draft.target} changed the same: {left.path}: {left.reason}"
    return f"{draft.target} has moved on: rebase the draft first" if around.behind else ""


async def push(
    repository: Repository,
    draft: Draft,
    what: PushPlan,
    settings: Settings,
    progress: Progress | None = None,
    *,
    tag: str = "",
    terminal: bool = False,
) -> PushResult:
    """Send what the plan says. A refusal by the remote is a result, not an error; only no answer at all is.

    The draft's own branch is replaced only while it is what fleet last saw there (a lease); the target is only ever
    moved forward, and that from where it was when the push was shown: else commits that were taken off it meanwhile
    would come back. With a `tag` object the remote takes both or neither.
    """
    name = f"refs/heads/{what.branch}"
    lease = f"--force-with-lease={name}:{what.lease}"
    both = ["--atomic", f"--force-with-lease=refs/tags/{what.tag}:"] if tag else []
    result = await runner.run(
        repository.git.argv(
            "push", "--porcelain", "--progress", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
            "--no-verify", lease, *both, *(f"--push-option={option}" for option in what.options),
            "--end-of-options", "origin", f"{what.commit}:{name}", *([f"{tag}:refs/tags/{what.tag}"] if tag else []),
        ),
        env=repository.git.environment(terminal, [("push.pushOption", "")]),
        terminal=terminal, on_error_line=progress, timeout=NETWORK,
    )  # fmt: skip
    said = result.err.decode("utf-8", "replace")
    lines = _remote_lines(said)
    if what.options and "does not support push options" in said:
        if not what.optional:
            return PushResult(
                False, "the remote takes no push options; nothing was pushed", what.branch, what.commit, tuple(lines)
            )
        plain = msgspec.structs.replace(what, options=())
        done = await push(repository, draft, plain, settings, progress, tag=tag, terminal=terminal)
        return msgspec.structs.replace(done, message=f"{done.message}; the remote takes no push options")
    outcomes = _outcomes(result.out.decode("utf-8", "replace"))
    flag, _ = outcomes.get(name, ("", ""))
    if flag in ("*", " ", "+", "=") and result.code == 0:
        page = "" if what.to_target else _page(lines) or _built(repository, draft, what, settings)
        done_words = "is there already" if flag == "=" else "pushed"
        message = f"{what.branch}: {done_words} ({what.commit[:10]})" + (f", with the tag {what.tag}" if tag else "")
        return PushResult(True, message, what.branch, what.commit, tuple(lines), page)
    refused = {ref: summary for ref, (mark, summary) in outcomes.items() if mark == "!"}
    if not refused:
        raise trouble(result)
    # of refs that go together one says why, the others that it did
    ref = next((one for one, summary in refused.items() if "atomic" not in summary), next(iter(refused)))
    words = _refusal(refused[ref], lines, what, ref)
    stale = ref == name and "stale info" in refused[ref] and not what.to_target
    return PushResult(False, words, what.branch, what.commit, tuple(lines), stale=stale)


def _outcomes(porcelain: str) -> dict[str, tuple[str, str]]:
    """Ref on the remote -> (flag, summary): blank is fast-forward, `*` new, `+` forced, `=` there already, `!` not."""
    found = {}
    for line in porcelain.splitlines():
        flag, _, rest = line.partition("\t")
        refs, _, summary = rest.partition("\t")
        if len(flag) == 1 and ":" in refs:
            found[refs.partition(":")[2]] = flag, summary
    return found


# What forges say when they refuse, and what can be done about it: GitHub's codes (GH006 and so on) and the texts that
# GitLab, Gitea, Bitbucket and Azure DevOps send.
_REASONS = (
    (
        r"protected branch|GH006|TF402455|only be modified through pull requests|Changes must be made through a (pull|"
        r"merge) request",
        "{branch} is protected on the remote; push the draft's own branch and open a pull request",
    ),
    (r"GH007|publish a private email", "the remote does not want your e-mail address in commits; set user.email"),
    (r"verified signatures|[Uu]nsigned commit|must be signed", "the remote wants signed commits; set commit.gpgSign"),
    (r"[Ss]igned-off-by|\bDCO\b", "the remote wants commits signed off; set commit.sign_off in the configuration"),
    (r"commit message does not follow", "the remote wants another form of commit message; its own words follow"),
    (r"GH013|rule violations", "the remote's rules refused it; its own words follow"),
    (r"hook declined", "a hook of the remote refused it; its own words follow"),
)


def _refusal(summary: str, lines: list[str], what: PushPlan, ref: str) -> str:
    """Why the remote did not take it and what can be done, in words."""
    if ref == f"refs/tags/{what.tag}" and ("already exists" in summary or "stale info" in summary):
        return f"the tag {what.tag} exists already on the remote; nothing was pushed"
    if "stale info" in summary and not what.to_target:
        return f"{what.branch} on the remote is not what fleet left there: somebody else has pushed to it"
    if "non-fast-forward" in summary or "fetch first" in summary or "stale info" in summary:
        return f"{what.branch} has moved on the remote; fetch, and the draft is put on top of it"
    if "failed to update ref" in summary or "cannot lock ref" in summary:
        return f"the remote cannot make {what.branch}: another branch is in its way, or it is being changed"
    told = "\n".join([summary, *lines])
    for pattern, words in _REASONS:
        if re.search(pattern, told):
            return words.format(branch=what.branch)
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


def _built(repository: Repository, draft: Draft, what: PushPlan, settings: Settings) -> str:
    """The forge's page for a pull request, by the rules of its kind."""
    title, body = forge.words(draft, history.commits(repository.objects, draft.base, what.commit))
    kind = forge.kind_of(repository.remote, settings.forges)
    return giturl.pull_request_url(repository.url, kind, what.branch, draft.target, title, body)
