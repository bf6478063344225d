"""From what is staged to the remote: the message, the commit, the push, the pull request.

Each function runs as a worker of the app, so that it may wait for the user, for hooks and for Git.
"""

from __future__ import annotations

import asyncio
import re
import webbrowser
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from textual.app import SuspendNotSupported

from tui.domain import giturl
from tui.domain.argo import application
from tui.domain.drafts.blast import confirmation
from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import PushOptions, PushPlan, PushResult
from tui.domain.kinds.kind import Tone
from tui.domain.ports import HookRefused, Missing, NeedsTerminal, Trouble
from tui.ui.accents import named
from tui.ui.drafting import blast_words
from tui.ui.prompt import ask
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.dialogs import Choice, Confirm, TypeToConfirm
from tui.ui.screens.message import KEEP, MessageScreen
from tui.ui.screens.said import Said

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts
    from tui.ui.app import FleetApp

Done = TypeVar("Done")
_COMMIT_ID = re.compile(r"[0-9a-f]{7,64}")
WHOLE = "ctrl-o whole message"


async def commit(app: FleetApp, name: str) -> bool:
    """Commit what is staged in a draft with a message proposed from the edits; True when it was done."""
    drafts = _drafts(app)
    listed = await drafts.show(name)
    dirty = [part.draft for part in listed.whole if part.draft.dirty]
    if not dirty:
        app.say(f"{listed.draft.name} has nothing that is not committed")
        return False
    draft: Draft | str = dirty[0] if len(dirty) == 1 else listed.draft.id  # the whole: a commit in each repository
    name = listed.draft.name
    if not await _sure(app, name):
        return False
    message = await _ask_message(app, drafts, draft, dirty)
    if message is None:
        return False
    if not message.strip():
        await drafts.keep_message(draft, None)
        app.say(f"{name}: without a message there is no commit; c proposes one again")
        return False
    options = drafts.commit_options()
    if not options.hooks:
        app.say("hooks are not run: the configuration says so", Tone.WARN)

    async def made(draft: Draft | str, run: bool, terminal: bool) -> Draft:
        how = drafts.commit_options(hooks=None if run else False, terminal=terminal)
        return await drafts.commit(draft, message, how, progress=_telling(app))

    try:
        done = await with_terminal(app, lambda terminal: made(draft, True, terminal))
    except HookRefused as error:
        if not await _without_hooks(app, error, "commits without hooks"):
            app.say(f"{name}: not committed; the message is kept", Tone.WARN)
            return False
        if isinstance(draft, Draft):  # a hook may have corrected files in it
            draft = (await drafts.find(draft))[1]
        again = draft
        done = await with_terminal(app, lambda terminal: made(again, False, terminal))
    if done is None:
        app.say(f"{name}: not committed; the message is kept", Tone.WARN)
        return False
    what = done.tip[:7] if len(dirty) == 1 else f"in {len(dirty)} repositories"
    app.say(f"{done.name}: committed {what}; P in Drafts pushes it", Tone.GOOD)
    return True


async def _ask_message(app: FleetApp, drafts: Drafts, draft: Draft | str, dirty: Sequence[Draft]) -> str | None:
    """Ask for the subject, or with ctrl-o for the whole message; None when the user gave up. What is typed is kept.

    `dirty` are the parts that will get a commit.
    """
    subject, _, body = (await drafts.message(draft)).strip("\n").partition("\n")
    answer: asyncio.Future[tuple[str | None, bool]] = asyncio.get_running_loop().create_future()
    keeper = _Keeper(app, drafts, draft)

    def whole(text: str) -> str:
        return f"{text}\n{body}" if body and text.strip() else text

    loud = named(_production(app, dirty[0].name))
    what = "commit" if len(dirty) == 1 else f"commit in {len(dirty)} repositories"
    asked = ask(
        app.screen,
        f"{what} for {loud}: " if loud else f"{what}: ",
        lambda text: answer.set_result((text, False)),
        value=subject,
        changed=lambda text: keeper.keep(whole(text)),
        more=lambda text: answer.set_result((text, True)),
        hint=WHOLE,
        loud=bool(loud),
    )
    if not asked:
        app.say("something else is being typed: press c again after it", Tone.WARN)
        return None
    text, edit = await app.answer_of(answer)
    await keeper.flush()
    if text is None:
        return None
    return await app.wait_for(MessageScreen(dirty[0], f"{text}\n{body}")) if edit else whole(text)


class _Keeper:
    """Keeps what is typed on disk a moment after each key, and at the end."""

    def __init__(self, app: FleetApp, drafts: Drafts, draft: Draft | str) -> None:
        self._app, self._drafts, self._draft = app, drafts, draft
        self._text: str | None = None
        self._waiting = False

    def keep(self, text: str) -> None:
        """Keep this text soon; who types without a pause is kept as well."""
        self._text = text
        if not self._waiting:
            self._waiting = True
            self._app.set_timer(KEEP, lambda: self._app.do(self.flush(), "keeping the message", hold=False))

    async def flush(self) -> None:
        """Keep what was typed last, now."""
        self._waiting = False
        text, self._text = self._text, None
        if text is not None:
            await self._drafts.keep_message(self._draft, text)


async def push(app: FleetApp, name: str, to_target: bool = False) -> None:
    """Push a draft after showing what goes where; of one that spans repositories, each part that has changes."""
    drafts = _drafts(app)
    listed = await drafts.show(name)
    draft, name = listed.draft, listed.draft.name
    parts = [part.draft for part in listed.whole if not part.draft.empty] or [draft]
    tag = ""
    if not to_target:
        choices = [
            ("branch", "a branch of its own", "for a pull request"),
            ("target", f"{draft.target} itself", "Argo CD applies it at once"),
        ]
        if followed := await _tags_followed(app, drafts, draft):
            choices.append(("tag", f"{draft.target} with a new tag", f"Applications follow {followed}"))
        chosen = await app.wait_for(Choice(f"Push {name} to", choices, ("BRANCH", "")))
        if chosen is None:
            return
        to_target = chosen != "branch"
        if chosen == "tag":
            tag = (await app.ask_line("tag: ", "") or "").strip()
            if not tag:
                return
    options = drafts.push_options(tag=tag or None)
    for part in parts:
        await _push_part(app, part, to_target, options)


async def _push_part(app: FleetApp, draft: Draft, to_target: bool, options: PushOptions) -> None:
    """Push what a draft is in one repository; what the target has changed as well is shown to be decided."""
    from tui.ui.drafting import draftwork

    drafts, name = _drafts(app), draft.name
    plan = await with_terminal(app, lambda terminal: drafts.plan_push(draft, to_target, options, terminal=terminal))
    if plan is None:
        return
    if plan.problem:
        clashes = [f"{clash.path}: {clash.reason}" for clash in plan.clashes]
        app.say("\n".join([plan.problem, *clashes]), Tone.BAD)
        if plan.clashes:
            await draftwork.conflicts(app, draft.id)
        return
    if not await _agreed(app, name, f"Push to {plan.branch}?", _facts(plan)):
        return
    result = await _send(app, drafts, draft, plan, options)
    if result is None:
        return
    if result.done or not result.lines:
        app.say("\n".join([result.message, *result.lines]), Tone.GOOD if result.done else Tone.BAD)
    else:
        await app.wait_for(Said(result.message, result.lines))


def _facts(plan: PushPlan) -> list[str]:
    """Exactly what goes where."""
    facts = [f"remote  {plan.remote}", f"branch  {plan.branch}", *(f"{oid[:7]} {text}" for oid, text in plan.commits)]
    facts += [f"tag     {plan.tag}"] if plan.tag else []
    facts += [f"{change.status} {change.path}" for change in plan.files]
    facts += [f"push option {option}" for option in plan.options]
    facts += [f"your hook {hook} runs first" for hook in plan.hooks]
    return [*facts, *(f"your hook {hook} is not run" for hook in plan.skipped)]


async def _send(app: FleetApp, drafts: Drafts, draft: Draft, plan: PushPlan, options: PushOptions) -> PushResult | None:
    """Push what was agreed to; None when the user turned back."""
    name = draft.name
    app.say(f"pushing {name}")
    try:
        return await with_terminal(app, lambda terminal: drafts.push(plan, terminal=terminal))
    except HookRefused as error:
        if not await _without_hooks(app, error, "pushes without hooks"):
            app.say(f"{name}: not pushed", Tone.WARN)
            return None
    skipping = drafts.push_options(tag=options.tag or None, hooks=False)
    again = await drafts.plan_push(draft, plan.to_target, skipping)
    if (again.commit, again.branch, again.problem) != (plan.commit, plan.branch, ""):
        app.say(again.problem or f"{name} has changed since the push was shown", Tone.BAD)
        return None
    return await with_terminal(app, lambda terminal: drafts.push(again, terminal=terminal))


async def _agreed(app: FleetApp, name: str, question: str, facts: Sequence[str]) -> bool:
    """Ask before a push, with what it touches; for a deletion or a large share of the fleet the name must be typed."""
    radius = await app.fleet.blast_of(name)
    policies, alarms = await _on_policies(app, name)
    told = [*facts, *blast_words.facts(radius), *policies]
    needed = confirmation(radius, app.fleet.settings, name, alarms)
    loud = app.accents.loud(radius.clusters)
    if needed is None:
        sure = await app.wait_for(Confirm(question, told, yes="push", production=loud))
    else:
        sure = await app.wait_for(TypeToConfirm(question, [*told, *needed.reasons], needed.word, loud))
    return sure is True


async def _sure(app: FleetApp, name: str) -> bool:
    """Have the draft's name typed before a commit that cuts traffic which was seen, or a policy that does nothing."""
    told, alarms = await _on_policies(app, name)
    asked = TypeToConfirm(f"Commit {name}?", [*told, *alarms], name, _production(app, name))
    return not alarms or await app.wait_for(asked) is True


def _production(app: FleetApp, name: str) -> list[str]:
    """The clusters of production that a draft touches, as far as it is known by now."""
    radius = app.fleet.blast(name)
    return [] if isinstance(radius, str) else app.accents.loud(radius.clusters)


async def _on_policies(app: FleetApp, name: str) -> tuple[list[str], tuple[str, ...]]:
    """(what a draft does to network policies, reasons to think twice); nothing for one that has none to do with."""
    if app.fleet.impacts is None:
        return [], ()
    from tui.ui.drafting import impact_words

    try:
        found = await app.fleet.impacts.of(name)
    except Trouble as error:
        return [f"network policies: not known: {error}"], ()
    return impact_words.facts(found), found.alarms


async def _tags_followed(app: FleetApp, drafts: Drafts, draft: Draft) -> str:
    """A targetRevision of this repository that is no branch: Applications there wait for a tag. "" = there is none."""
    branches = await (await drafts.repository(draft.repo)).branches()
    for row in app.fleet.store.rows(APPLICATIONS):
        for source in application.sources(row.obj):
            wanted = source.target_revision.removeprefix("refs/heads/")
            if wanted in ("", "HEAD") or wanted in branches or _COMMIT_ID.fullmatch(wanted):
                continue
            if not source.chart and giturl.same(source.repo_url, draft.repo):
                return wanted
    return ""


async def page(app: FleetApp, name: str) -> None:
    """Make the pull request with the forge's program, or open the page that makes it."""
    drafts = _drafts(app)
    pushed = [part.draft for part in (await drafts.show(name)).whole if part.draft.pushed]
    if not pushed:
        app.say(f"{name}: push it first", Tone.WARN)
    for draft in pushed:
        await _page(app, drafts, draft)


async def _page(app: FleetApp, drafts: Drafts, draft: Draft) -> None:
    """The same for the part of a draft in one repository."""
    found = await drafts.pull_request(draft, make=False)
    if found.tool and not found.made:
        facts = (draft.title, f"{draft.branch} into {draft.target}", giturl.shown(draft.repo))
        if await app.wait_for(Confirm(f"Make the pull request with {found.tool}?", facts, yes="make it")):
            done = await drafts.pull_request(draft)
            app.say(done.message, Tone.GOOD)
        return
    if not found.url:
        app.say(f"{draft.name}: {found.message}", Tone.WARN)
        return
    app.say(found.url)
    webbrowser.open(found.url)


async def with_terminal(app: FleetApp, work: Callable[[bool], Awaitable[Done]]) -> Done | None:
    """Do something with git that may ask for a passphrase: quietly first, then on the terminal when the user agrees.

    `work` is called with whether git may ask. None when the user does not agree.
    """
    try:
        return await work(False)
    except NeedsTerminal as error:
        facts = (str(error), "The screen comes back when git is through.")
        if not await app.wait_for(Confirm("Git needs to ask you something: give it the terminal?", facts, yes="give")):
            return None
    done: Done | None = None
    failure: Exception | None = None
    try:
        with app.suspend(), app.batch_update():
            try:
                done = await work(True)
            except Exception as error:  # noqa: BLE001 - the screen has to come back first
                failure = error
    except SuspendNotSupported as error:
        raise Missing("this terminal cannot be given away; unlock the key first, or use `fleet draft`") from error
    if failure is not None:
        raise failure
    return done


async def _without_hooks(app: FleetApp, error: HookRefused, skip: str) -> bool:
    """Show what a hook said; True when the user wants to go on without hooks."""
    if error.fixed:
        skip = ""  # what it has corrected is to be seen first
    lines = [*error.lines, *(f"changed  {path}" for path in error.fixed)] or ["It said nothing."]
    sure: bool | None = await app.wait_for(Said(str(error), lines, skip))
    return sure is True


def _telling(app: FleetApp) -> Callable[[str], None]:
    """Shows the first line of what a hook says while it runs; all of it is shown when it refuses."""
    told = False

    def tell(line: str) -> None:
        nonlocal told
        if not told and line.strip():
            told = True
            app.say(f"hook: {line}")

    return tell


def _drafts(app: FleetApp) -> Drafts:
    if app.fleet.drafts is None:
        raise Missing("there is no Git here to draft in")
    return app.fleet.drafts
