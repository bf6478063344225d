"""The way back: every state a draft has had is listed, and gone back to."""

from __future__ import annotations

import pytest

from tests.git.conftest import World, git
from tui.adapters.git.command import Refused
from tui.adapters.git.journal import FileJournal
from tui.adapters.git.objects import Missing
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.model import Draft, Operation
from tui.domain.ports import Missing as NotThere
from tui.fleet.drafts import Drafts

WEB = "shop/web.yaml"


async def lived(repository: GitRepository) -> Draft:
    """A draft with an edit, a commit, another edit that was taken back, and text typed."""
    draft = await repository.create("More web", "main", "more-web")
    await repository.edit(draft.id, {WEB: b"replicas: 2\n"}, [Operation(WEB, "set", path="replicas", old="1", new="2")])
    await repository.commit(draft.id, "more of it")
    await repository.edit(draft.id, {WEB: b"replicas: 3\n"})
    await repository.undo(draft.id)
    return await repository.keep_unsaved(draft.id, WEB, "replicas: 9 # typ", "x")


async def test_every_action_is_a_line_in_words(repository: GitRepository) -> None:
    draft = await lived(repository)
    found = await repository.states(draft.id)
    assert [state.words for state in found] == [
        f"type in {WEB}",
        "undo",
        f"edit {WEB}",
        f"commit {draft.tip[:7]} more of it",
        f"edit {WEB}: replicas 1 → 2",
        f"start on main at {draft.base[:7]}",
    ]
    assert found[0].unsaved == (WEB,) and found[2].files == (WEB,) and found[2].dirty and not found[3].dirty
    assert all(state.at > 0 and state.repo == repository.url for state in found)


async def test_pages_meet_without_gap_or_overlap(repository: GitRepository) -> None:
    draft = await lived(repository)
    whole = await repository.states(draft.id)
    paged: list[str] = []
    while page := await repository.states(draft.id, 2, paged[-1] if paged else ""):
        assert len(page) <= 2
        paged += [state.id for state in page]
    assert paged == [state.id for state in whole]


async def test_an_overwritten_state_comes_back_and_undo_takes_that_back(repository: GitRepository) -> None:
    draft = await lived(repository)
    overwritten = (await repository.states(draft.id))[2]
    revived = await repository.revive(draft.id, overwritten.id[:8])
    assert (await repository.read(revived.head, WEB)).text == "replicas: 3\n" and revived.dirty
    assert await repository.unsaved(revived) == {WEB: "replicas: 9 # typ"}
    assert (await repository.states(draft.id, 1))[0].words == "go back to an earlier state"
    back = await repository.undo(draft.id)
    assert (back.head, back.tip) == (draft.head, draft.tip)
    git(repository.repository.path, "fsck", "--strict", "--no-dangling")


async def test_text_that_was_given_up_comes_back_with_its_state(repository: GitRepository) -> None:
    draft = await lived(repository)
    await repository.keep_unsaved(draft.id, WEB, None)
    given_up, typed = await repository.states(draft.id, 2)
    assert given_up.words == f"forget typed text of {WEB}" and typed.unsaved == (WEB,)
    revived = await repository.revive(draft.id, typed.id)
    assert await repository.unsaved(revived) == {WEB: "replicas: 9 # typ"}


async def test_states_that_are_not_the_drafts_are_refused(repository: GitRepository) -> None:
    draft = await lived(repository)
    other = await repository.create("Other", "main", "other")
    with pytest.raises(Missing, match="more-web has had no state"):
        await repository.revive(draft.id, other.state)
    with pytest.raises(Refused, match="at least 6 digits"):
        await repository.revive(draft.id, draft.state[:3])
    with pytest.raises(Refused, match="is in that state"):
        await repository.revive(draft.id, draft.state)
    assert (await repository.draft(draft.id)).state == draft.state


async def test_a_dropped_draft_keeps_its_states_and_comes_out_of_the_trash_for_one(
    world: World, repository: GitRepository
) -> None:
    from tui.adapters.git.repositories import GitRepositories

    draft = await lived(repository)
    drafts = Drafts(GitRepositories(world.data, world.clone), FileJournal(world.data / "journal"))
    try:
        await drafts.drop(draft)
        assert [one.draft.name for one in await drafts.dropped()] == ["more-web"]
        states = await drafts.states("more-web")
        assert states[0].words == "drop the draft"
        wanted = next(state for state in states if state.words == f"edit {WEB}")
        revived = await drafts.revive("more-web", wanted.id)
        assert (await drafts.open(revived, WEB)).text == "replicas: 3\n"
        assert await drafts.dropped() == []
        with pytest.raises(NotThere, match="has had no state"):
            await drafts.revive("more-web", "0123456789")
    finally:
        await drafts.close()


async def test_the_journal_says_when_a_text_was_kept(world: World) -> None:
    journal = FileJournal(world.data / "journal")
    await journal.keep("one", "text")
    assert (await journal.times())["one"] == pytest.approx((world.data / "journal").stat().st_mtime, abs=60)
