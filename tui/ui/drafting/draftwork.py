"""What the Drafts pane and a draft's screen do beside editing and pushing: rebase, conflicts, revert, a file's editor.

Each function runs as a worker of the app, so that it may wait for the user and for Git.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.domain import giturl
from tui.domain.drafts.model import Content, Draft, Operation
from tui.domain.kinds.kind import Tone
from tui.domain.ports import Missing, Trouble
from tui.ui.drafting import editing
from tui.ui.screens.dialogs import Choice, Confirm
from tui.ui.screens.editor import EditorScreen, Opened

if TYPE_CHECKING:
    from tui.fleet.draftrows import Recovered
    from tui.fleet.drafts import Drafts
    from tui.fleet.drafts.looking import CommitView
    from tui.ui.app import FleetApp


def drafts_of(app: FleetApp) -> Drafts:
    """The drafts. Raises Missing when there is no Git."""
    if app.fleet.drafts is None:
        raise Missing("there is no Git here to draft in")
    return app.fleet.drafts


async def reread(app: FleetApp) -> None:
    """Ask the remotes where the drafts stand."""
    await drafts_of(app).refresh(fetch=True)


async def edit_file(app: FleetApp, draft: Draft, path: str) -> None:
    """The editor on a file of a draft."""
    drafts = drafts_of(app)
    held = (await drafts.find(draft))[1]
    try:
        content = await drafts.open(held, path)
        text, over = content.text, content.oid
    except Missing:
        if path not in held.unsaved:
            app.say(f"{path} is removed in this draft: z or d brings it back", Tone.WARN)
            return
        text, over = "", ""
    about = next((operation for operation in reversed(held.ops) if operation.file == path), Operation(path))
    opened = Opened(held.repo, held.target, path, text, over, held, title=held.title, operation=about)
    await editing.open_editor(app, opened)


async def rebase(app: FleetApp, name: str) -> None:
    """Fetch, and put a draft on top of what its target has now; conflicts are shown to be decided."""
    drafts = drafts_of(app)
    app.say("asking the remote")
    await drafts.fetch(name)
    before = {held.repo: held.base for _, held in await drafts.parts(name)}
    done = await drafts.rebase(name)
    for note in done.notes:
        app.say(note, Tone.WARN)
    if done.clashes:
        await conflicts(app, name)
        return
    moved = [held for _, held in await drafts.parts(name) if before.get(held.repo) != held.base]
    if moved:
        app.say(", ".join(f"on top of {held.target} at {held.base[:7]}" for held in moved) + "; z undoes it", Tone.GOOD)
    elif not done.notes:
        app.say(f"{done.draft.name} is on top of {done.draft.target} already")


async def conflicts(app: FleetApp, name: str) -> None:
    """Decide what stands between a draft and its target, as far as there is something."""
    from tui.ui.screens.conflicts import ConflictScreen

    found = await drafts_of(app).conflicts(name)
    problems = [each.problem for _, each in found if each.problem]
    if not any(each.clashes for _, each in found):
        app.say("\n".join(problems) or "the target and the draft go together", Tone.WARN if problems else Tone.GOOD)
        return
    await app.wait_for(ConflictScreen(name))


async def revert_commit(app: FleetApp, draft: Draft, commit: CommitView) -> None:
    """Draft the opposite of one of a draft's own commits as an edit, where nothing has changed its files since."""
    drafts = drafts_of(app)
    repository, held = await drafts.find(draft)
    files: dict[str, bytes | None] = {}
    for change in await repository.changes(commit.parent, commit.oid):
        for path in dict.fromkeys((change.path, change.old_path)):
            if not path:
                continue
            before, after = await repository.blob(commit.parent, path), await repository.blob(commit.oid, path)
            if await repository.blob(held.head, path) != after:
                app.say(f"{path} has changed since: drop the commit (d), or edit the file", Tone.WARN)
                return
            files[path] = before
    facts = (f"{commit.oid[:7]} {commit.subject}", *files, "It becomes an edit that is not committed.")
    if await app.wait_for(Confirm("Draft the opposite?", facts, yes="revert")):
        about = [Operation(path) for path in files]
        await drafts.edit_files(held, files, about)
        app.say("the opposite is an edit now; c commits it")


async def go_on(app: FleetApp, kept: Recovered) -> None:
    """Open the editor with text that was typed and not saved."""
    drafts = drafts_of(app)
    if kept.path.endswith(")") and " (conflict of " in kept.path:
        app.say("x on the draft, then e on the conflict, goes on with it", Tone.WARN)
        return
    if kept.draft:
        try:
            held = (await drafts.find(kept.draft, path=kept.path))[1]
        except Missing:
            app.say(f"the draft {kept.draft} is not open: restore it first", Tone.WARN)
            return
        try:
            content = await drafts.open(held, kept.path)
            text, over = content.text, content.oid
        except Missing:
            text, over = "", ""
        opened = Opened(
            held.repo, held.target, kept.path, text, over, held, title=held.title, operation=Operation(kept.path)
        )
        app.push_screen(EditorScreen(opened, kept.text))
        return
    found = await _where(app, kept)
    if found is None:
        return
    repo, target, there = found
    text, over, base = (there.text, there.oid, there.commit) if there is not None else ("", "", "")
    title = f"Edit {kept.path.rpartition('/')[2]}"
    opened = Opened(repo, target, kept.path, text, over, None, base, title, operation=Operation(kept.path))
    app.push_screen(EditorScreen(opened, kept.text))


async def _where(app: FleetApp, kept: Recovered) -> tuple[str, str, Content | None] | None:
    """The repository that text without a draft belongs to: the one that has what it was typed over, else as chosen."""
    held: list[tuple[str, str, Content | None]] = []
    for repository in (await drafts_of(app).repositories.existing())[0]:
        target = await repository.default_branch()
        try:
            there = await repository.read(target, kept.path)
        except Trouble:  # not there, or not to be read: then it is no file that this was typed over
            held.append((repository.url, target, None))
            continue
        if there.oid == kept.over:
            return repository.url, target, there
        held.append((repository.url, target, there))
    having = [place for place in held if place[2] is not None] or held
    if len(having) < 2:
        return having[0] if having else None
    choices = [(url, giturl.shown(url), target) for url, target, _ in having]
    chosen = await app.wait_for(Choice(f"Where {kept.path} is", choices, ("REMOTE", "BRANCH")))
    return next((place for place in having if place[0] == chosen), None)
