"""The remote: pushes and their refusals, a target that moved, and a draft that landed in other clothes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tui.adapters.git.command import GitTrouble, Refused
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.model import Draft
from tui.domain.drafts.standing import standing

WEB = "shop/web.yaml"
TEN = "".join(f"line {number}\n" for number in range(10))


async def make(repository: GitRepository, files: dict[str, bytes | None] | None = None, name: str = "more") -> Draft:
    draft = await repository.create(name, "main", name)
    await repository.edit(draft.id, files or {WEB: b"replicas: 2\nimage: web:1\n"})
    return await repository.commit(draft.id, "more web")


async def state(repository: GitRepository, draft: Draft) -> str:
    draft = await repository.draft(draft.id)
    return standing(draft, await repository.around(draft)).state


async def push(repository: GitRepository, draft: Draft, *, to_target: bool = False):  # type: ignore[no-untyped-def]
    draft = await repository.draft(draft.id)
    return await repository.push(await repository.plan_push(draft, to_target=to_target))


def hook(world: World, name: str, script: str) -> None:
    path = world.origin / "hooks" / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)


async def test_the_plan_says_exactly_what_goes_where(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    plan = await repository.plan_push(draft, to_target=False)
    assert (plan.commit, plan.lease, plan.problem) == (draft.tip, "", "")
    assert plan.commits == ((draft.tip, "more web"),) and [file.path for file in plan.files] == [WEB]
    assert plan.remote == str(world.origin)


@pytest.mark.parametrize("to_target", [False, True])
async def test_what_is_not_committed_is_not_pushed(world: World, repository: GitRepository, to_target: bool) -> None:
    draft = await repository.create("x", "main", "x")
    plan = await repository.plan_push(draft, to_target=to_target)
    assert plan.problem == "the draft has no commit yet"
    draft = await repository.edit(draft.id, {WEB: b"x\n"})
    plan = await repository.plan_push(draft, to_target=to_target)
    assert plan.problem == "there are edits that are not committed yet"
    with pytest.raises(Refused, match="not committed"):
        await repository.push(plan)


async def test_a_plan_that_is_out_of_date_is_not_done(world: World, repository: GitRepository) -> None:
    plan = await repository.plan_push(await make(repository), to_target=False)
    await repository.edit(plan.draft, {WEB: b"later\n"})
    with pytest.raises(Refused, match="since the push was shown"):
        await repository.push(plan)
    assert git(world.origin, "branch", "--list", "fleet/*") == ""


async def test_pushing_again_replaces_only_what_fleet_left(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    first = await push(repository, draft)
    assert first.done and await state(repository, draft) == "pushed"
    await repository.edit(draft.id, {WEB: b"replicas: 3\n"})
    draft = await repository.commit(draft.id, "even more")
    assert await state(repository, draft) == "local"
    assert (await push(repository, draft)).done
    assert git(world.origin, "rev-parse", first.branch) == draft.tip
    # rewritten by an undo: still ours to replace
    await repository.undo(draft.id)
    await repository.undo(draft.id)
    assert (await push(repository, draft)).done
    assert git(world.origin, "rev-parse", first.branch) == (await repository.draft(draft.id)).tip
    # a colleague's commit on it is not
    theirs = world.upstream({"theirs.txt": "x\n"}, branch=first.branch)
    await repository.edit(draft.id, {WEB: b"replicas: 9\n"})
    draft = await repository.commit(draft.id, "nine")
    refused = await push(repository, draft)
    assert not refused.done and "somebody else has pushed" in refused.message
    assert git(world.origin, "rev-parse", first.branch) == theirs


async def test_a_push_that_fleet_did_not_live_to_record_is_taken_back(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    branch = (await push(repository, draft)).branch
    await repository.undo(draft.id)
    await repository.edit(draft.id, {WEB: b"replicas: 7\n"})
    draft = await repository.commit(draft.id, "seven")
    # the remote has it, no state says so
    git(repository.repository.path, "push", "-q", "-f", str(world.origin), f"{draft.tip}:refs/heads/{branch}")
    assert (await push(repository, draft)).done
    await repository.undo(draft.id)
    await repository.edit(draft.id, {WEB: b"replicas: 8\n"})
    draft = await repository.commit(draft.id, "eight")
    git(repository.repository.path, "push", "-q", "-f", str(world.origin), f"{draft.tip}:refs/heads/{branch}")
    await repository.edit(draft.id, {WEB: b"replicas: 9\n"})
    draft = await repository.commit(draft.id, "nine")
    assert (await push(repository, draft)).done
    assert git(world.origin, "rev-parse", branch) == draft.tip


async def test_a_branch_that_the_remote_deleted_is_made_anew(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    branch = (await push(repository, draft)).branch
    git(world.origin, "update-ref", "-d", f"refs/heads/{branch}")
    await repository.fetch()
    await repository.edit(draft.id, {WEB: b"later\n"})
    draft = await repository.commit(draft.id, "later")
    assert (await push(repository, draft)).done


async def test_the_targets_hook_has_the_last_word(world: World, repository: GitRepository) -> None:
    hook(
        world,
        "pre-receive",
        "echo 'Change \033[31mnot\033[0m approved' >&2; echo 'ask the [bold]owners[/]' >&2; exit 1\n",
    )
    draft = await make(repository)
    result = await push(repository, draft, to_target=True)
    assert not result.done and "hook of the remote refused" in result.message
    assert result.lines == ("Change \033[31mnot\033[0m approved", "ask the [bold]owners[/]")
    assert await state(repository, draft) == "local"
    assert (await repository.draft(draft.id)).tip == draft.tip


async def test_a_protected_target_is_said_so(world: World, repository: GitRepository) -> None:
    hook(
        world,
        "update",
        '[ "$1" = refs/heads/main ] && { echo "GH006: Protected branch update failed" >&2; exit 1; }; exit 0\n',
    )
    draft = await make(repository)
    result = await push(repository, draft, to_target=True)
    assert not result.done and any("Protected branch" in line for line in result.lines)
    assert (await push(repository, draft)).done


async def test_the_page_that_the_server_names_is_used(world: World, repository: GitRepository) -> None:
    hook(world, "post-receive", "echo; echo 'Create a pull request:'; echo '  https://git.example/a/b/pull/new/x'\n")
    draft = await make(repository)
    result = await push(repository, draft)
    assert result.page == "https://git.example/a/b/pull/new/x"
    assert (await repository.draft(draft.id)).page == result.page


async def test_a_target_that_moved_elsewhere_is_rebased_onto(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    upstream = world.upstream({"shop/db.yaml": "size: 2\n"})
    refused = await push(repository, draft, to_target=True)
    assert not refused.done and "has moved on" in refused.message
    await repository.fetch()
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == () and draft.base == upstream
    assert (await push(repository, draft, to_target=True)).done
    assert world.at_origin(WEB) == "replicas: 2\nimage: web:1\n"
    assert world.at_origin("shop/db.yaml") == "size: 2\n"
    assert git(world.origin, "log", "-1", "--format=%s", "main") == "more web"
    back = await repository.undo(draft.id)
    assert back.base != upstream


async def test_the_same_file_changed_elsewhere_is_merged_by_lines(world: World, repository: GitRepository) -> None:
    world.upstream({"ten": TEN})
    await repository.fetch()
    draft = await make(repository, {"ten": TEN.replace("line 2", "mine 2").encode()})
    await repository.edit(draft.id, {"ten": TEN.replace("line 2", "mine two").encode(), "new": b"new\n"})
    world.upstream({"ten": TEN.replace("line 7", "theirs 7")})
    await repository.fetch()
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == () and draft.dirty
    merged = TEN.replace("line 7", "theirs 7")
    assert (await repository.read(draft.tip, "ten")).text == merged.replace("line 2", "mine 2")
    assert (await repository.read(draft.head, "ten")).text == merged.replace("line 2", "mine two")
    assert (await repository.read(draft.head, "new")).text == "new\n"
    author = git(repository.repository.path, "log", "-1", "--format=%an %s", draft.tip)
    assert author == "Ada Lovelace more web"


async def test_the_same_line_changed_twice_is_a_conflict_and_changes_nothing(
    world: World, repository: GitRepository
) -> None:
    draft = await make(repository)
    world.upstream({WEB: "replicas: 4\nimage: web:1\n"})
    await repository.fetch()
    after, clashes = await repository.rebase(draft.id)
    assert after == draft
    assert [(clash.path, clash.lines) for clash in clashes] == [(WEB, (1,))]
    assert (clashes[0].field, clashes[0].ours, clashes[0].theirs) == ("replicas", "2", "4")
    assert await state(repository, draft) == "conflict"
    plan = await repository.plan_push(draft, to_target=True)
    assert plan.problem and plan.clashes == clashes
    assert (await push(repository, draft)).done  # its own branch may still be pushed


async def test_text_that_clashes_by_lines_names_the_lines(world: World, repository: GitRepository) -> None:
    world.upstream({"ten": TEN})
    await repository.fetch()
    draft = await make(repository, {"ten": TEN.replace("line 2", "mine 2").replace("line 8", "mine 8").encode()})
    world.upstream({"ten": "new first\n" + TEN.replace("line 2", "theirs 2").replace("line 8", "theirs 8")})
    await repository.fetch()
    _, clashes = await repository.rebase(draft.id)
    assert [(clash.key, clash.lines, clash.field) for clash in clashes] == [("ten@1", (3,), ""), ("ten@2", (9,), "")]
    assert [(clash.ours, clash.base, clash.theirs) for clash in clashes] == [
        ("mine 2\n", "line 2\n", "theirs 2\n"),
        ("mine 8\n", "line 8\n", "theirs 8\n"),
    ]
    assert [clash.theirs_span for clash in clashes] == [(4, 1), (10, 1)]


async def test_neighbouring_fields_are_merged(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    world.upstream({WEB: "replicas: 1\nimage: web:7\n"})
    await repository.fetch()
    assert await state(repository, draft) == "local"
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == ()
    assert (await repository.read(draft.head, WEB)).text == "replicas: 2\nimage: web:7\n"
    assert (await push(repository, draft, to_target=True)).done


async def test_a_change_that_came_in_with_its_neighbour_has_landed(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    world.upstream({WEB: "replicas: 2\nimage: web:7\n"})
    await repository.fetch()
    assert await state(repository, draft) == "merged"


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [
        ({WEB: b"x\n"}, {WEB: None}, "removed from the target"),
        ({WEB: None}, {WEB: "x\n"}, "removed in the draft"),
        ({"new": b"a\n"}, {"new": "b\n"}, "added on both sides"),
    ],
)
async def test_other_conflicts_are_named(
    world: World,
    repository: GitRepository,
    mine: dict[str, bytes | None],
    theirs: dict[str, str | bytes | None],
    words: str,
) -> None:
    draft = await make(repository, mine)
    world.upstream(theirs)
    await repository.fetch()
    after, clashes = await repository.rebase(draft.id)
    assert after == draft and words in clashes[0].reason


async def test_crlf_and_no_final_newline_survive_a_merge(world: World, repository: GitRepository) -> None:
    text = TEN.replace("\n", "\r\n").removesuffix("\r\n")
    world.upstream({"ten": text.encode()})
    await repository.fetch()
    draft = await make(repository, {"ten": text.replace("line 1", "mine 1").encode()})
    world.upstream({"ten": text.replace("line 8", "theirs 8").encode()})
    await repository.fetch()
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == ()
    expected = text.replace("line 1", "mine 1").replace("line 8", "theirs 8")
    assert (await repository.read(draft.head, "ten")).text == expected


async def test_a_force_pushed_target_does_not_bring_back_what_it_dropped(
    world: World, repository: GitRepository
) -> None:
    world.upstream({"dropped": "secret\n"})
    await repository.fetch()
    draft = await make(repository)
    git(world.origin, "update-ref", "refs/heads/main", git(world.origin, "rev-parse", "main~1"))
    world.upstream({"kept": "x\n"})
    await repository.fetch()
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == ()
    names = [name for name, _, _ in await repository.entries(draft.head)]
    assert "kept" in names and "dropped" not in names
    assert (await push(repository, draft, to_target=True)).done


async def test_a_target_that_is_gone_is_said_so(world: World, repository: GitRepository) -> None:
    git(world.origin, "branch", "release", "main")
    await repository.fetch()
    draft = await repository.create("x", "release", "x")
    await repository.edit(draft.id, {WEB: b"x\n"})
    draft = await repository.commit(draft.id, "x")
    git(world.origin, "branch", "-D", "release")
    await repository.fetch()
    assert await state(repository, draft) == "conflict"
    with pytest.raises(GitTrouble, match=r"release is not on the remote any more.*--onto main"):
        await repository.rebase(draft.id)


async def test_merged_squashed_and_rebased_drafts_have_landed(world: World, repository: GitRepository) -> None:
    world.upstream({"ten": TEN})
    await repository.fetch()
    drafts = []
    for number in (1, 4, 8):
        draft = await make(repository, {"ten": TEN.replace(f"line {number}", f"mine {number}").encode()}, f"d{number}")
        await repository.edit(draft.id, {f"extra{number}": b"x\n"})
        drafts.append(await repository.commit(draft.id, "and an extra"))
        assert (await push(repository, draft)).done
    other = world.clone.parent / "colleague"
    git(other, "fetch", "-q")
    branches = [(await repository.draft(draft.id)).branch for draft in drafts]
    git(other, "merge", "-q", "--no-ff", "-m", "merge", f"origin/{branches[0]}")
    git(other, "merge", "-q", "--squash", f"origin/{branches[1]}")
    git(other, "commit", "-q", "-m", "squashed")
    git(other, "push", "-q", "origin", "main")
    world.upstream({"unrelated": "x\n"})
    await repository.fetch()
    assert [await state(repository, draft) for draft in drafts] == ["merged", "merged", "pushed"]
    draft, clashes = await repository.rebase(drafts[2].id)
    assert clashes == ()
    assert (await push(repository, draft, to_target=True)).done
    world.upstream({"ten": "everything else\n"})  # later changes do not take the landing back
    await repository.fetch()
    assert [await state(repository, draft) for draft in drafts] == ["merged", "merged", "merged"]
    draft, clashes = await repository.rebase(drafts[0].id)
    plan = await repository.plan_push(draft, to_target=True)
    assert plan.problem


async def test_a_draft_whose_whole_change_is_there_already_loses_its_commits(
    world: World, repository: GitRepository
) -> None:
    draft = await make(repository)
    upstream = world.upstream({WEB: "replicas: 2\nimage: web:1\n"}, message="same idea")
    await repository.fetch()
    assert await state(repository, draft) == "merged"
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == () and draft.tip == draft.head == draft.base == upstream


async def test_a_branch_in_the_way_is_said_so(world: World, repository: GitRepository) -> None:
    git(world.origin, "branch", "fleet", "main")
    result = await push(repository, await make(repository))
    assert not result.done and "in its way" in result.message


@pytest.mark.parametrize("what", ["moved", "emptied"])
async def test_a_remote_that_is_gone_keeps_everything(world: World, repository: GitRepository, what: str) -> None:
    draft = await make(repository)
    world.origin.rename(world.origin.with_name("elsewhere"))
    if what == "emptied":
        world.origin.mkdir()
    with pytest.raises(GitTrouble, match="remote repository is not there"):
        await push(repository, draft)
    with pytest.raises(GitTrouble, match="remote repository is not there"):
        await repository.fetch()
    draft = await repository.edit(draft.id, {WEB: b"offline\n"})
    assert (await repository.commit(draft.id, "offline")).tip != draft.tip


async def test_the_user_clone_may_be_moved_away(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    draft = await make(repository)
    world.clone.rename(world.clone.with_name("elsewhere"))
    await repository.edit(draft.id, {WEB: b"still\n"})
    draft = await repository.commit(draft.id, "still")
    assert (await push(repository, draft)).done


async def test_tags_are_not_pushed_along(world: World, home: Path, repository: GitRepository) -> None:
    with (home / ".gitconfig").open("a") as file:
        file.write("[push]\n\tfollowTags = true\n")
    draft = await make(repository)
    git(
        repository.repository.path, "-c", "user.name=x", "-c", "user.email=x@x", "tag", "-a", "-m", "x", "v1", draft.tip
    )
    assert (await push(repository, draft)).done
    assert git(world.origin, "tag") == ""
