"""Where a draft stands is derived: landed in whatever clothes, taken out again, or overtaken before it got there."""

from __future__ import annotations

import pytest

from tests.git.conftest import World, git
from tests.git.test_rebase import DB, TEN, WEB, made, moved, stands
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.model import Draft
from tui.domain.versions import newer


async def pushed(repository: GitRepository, draft: Draft) -> str:
    """The draft's branch on the remote."""
    draft = await repository.draft(draft.id)
    result = await repository.push(await repository.plan_push(draft, to_target=False))
    assert result.done
    return result.branch


def merge(world: World, *commands: tuple[str, ...]) -> str:
    """What a forge or a colleague does to the target."""
    other = world.clone.parent / "colleague"
    if not other.exists():
        git(other.parent, "clone", "-q", str(world.origin), str(other))
    git(other, "fetch", "-q")
    git(other, "checkout", "-q", "-B", "main", "origin/main")
    for command in commands:
        git(other, *command)
    git(other, "push", "-q", "origin", "main")
    return git(other, "rev-parse", "HEAD")


@pytest.mark.parametrize("way", ["merge commit", "squash", "squash with more", "rebase", "cherry-pick"])
async def test_a_draft_has_landed_in_whatever_way(world: World, repository: GitRepository, way: str) -> None:
    await moved(world, repository, {"ten": TEN})
    draft = await made(
        repository,
        {"ten": TEN.replace("line 2", "mine 2").encode()},
        {"ten": TEN.replace("line 2", "mine 2").replace("line 7", "mine 7").encode(), WEB: b"replicas: 3\n"},
    )
    branch = f"origin/{await pushed(repository, draft)}"
    await moved(world, repository, {"ten": TEN.replace("line 9", "theirs 9"), DB: "size: 9\n"})
    assert (await stands(repository, draft)).state == "pushed"
    other = world.clone.parent / "colleague"
    if way == "merge commit":
        merge(world, ("merge", "-q", "--no-ff", "-m", "Merge pull request #1", branch))
    elif way == "squash":
        merge(world, ("merge", "-q", "--squash", branch), ("commit", "-q", "-m", "squashed (#1)"))
    elif way == "squash with more":
        git(other, "fetch", "-q")
        git(other, "merge", "-q", "--squash", branch)
        text = (other / "ten").read_text().replace("line 5", "along 5")
        (other / "ten").write_text(text)
        git(other, "add", "-A")
        git(other, "commit", "-q", "-m", "squashed with more")
        git(other, "push", "-q", "origin", "main")
    elif way == "rebase":
        git(other, "fetch", "-q")
        git(other, "rebase", "-q", "main", branch)
        git(other, "push", "-q", "origin", "HEAD:main")
    else:
        git(other, "fetch", "-q")
        git(other, "cherry-pick", f"{branch}~1")
        (other / "between").write_text("x\n")
        git(other, "add", "-A")
        git(other, "commit", "-q", "-m", "between")
        git(other, "cherry-pick", branch)
        git(other, "push", "-q", "origin", "main")
    landing = git(world.origin, "rev-parse", "main")
    await moved(world, repository, {"unrelated": "x\n"})
    found = await stands(repository, draft)
    assert found.state == "merged"
    assert found.landed == (draft.tip if way == "merge commit" else landing)


async def test_several_drafts_squashed_into_one_commit_have_all_landed(world: World, repository: GitRepository) -> None:
    await moved(world, repository, {"ten": TEN})
    drafts = [
        await made(repository, {"ten": TEN.replace(f"line {number}", f"mine {number}").encode()}, name=f"d{number}")
        for number in (1, 4, 8)
    ]
    branches = [f"origin/{await pushed(repository, draft)}" for draft in drafts]
    merge(
        world, ("merge", "-q", "--no-ff", "-m", "one", branches[0]), ("merge", "-q", "--no-ff", "-m", "2", branches[1]),
        ("reset", "-q", "--soft", "origin/main"), ("commit", "-q", "-m", "both in one"),
    )  # fmt: skip
    await repository.fetch()
    assert [(await stands(repository, draft)).state for draft in drafts] == ["merged", "merged", "pushed"]


async def test_what_was_reverted_is_superseded_until_it_lands_again(world: World, repository: GitRepository) -> None:
    await moved(world, repository, {"ten": TEN})
    draft = await made(repository, {"ten": TEN.replace("line 2", "mine 2").encode(), "new": b"x\n"})
    branch = f"origin/{await pushed(repository, draft)}"
    landing = merge(world, ("merge", "-q", "--squash", branch), ("commit", "-q", "-m", "squashed"))
    await moved(world, repository, {"ten": TEN.replace("line 2", "mine 2").replace("line 8", "theirs 8")})
    assert (await stands(repository, draft)).state == "merged"
    back = merge(world, ("revert", "--no-edit", landing))
    await moved(world, repository, {"ten": TEN.replace("line 8", "theirs 8!")})
    found = await stands(repository, draft)
    assert found.state == "superseded" and found.landed == landing
    assert found.detail == f"landed as {landing[:7]}, taken out again by {back[:7]}"
    merge(world, ("revert", "--no-edit", back))
    await repository.fetch()
    assert (await stands(repository, draft)).state == "merged"


async def test_half_a_revert_or_a_later_change_takes_nothing_back(world: World, repository: GitRepository) -> None:
    draft = await made(repository, {WEB: b"replicas: 3\nimage: web:1\n", DB: b"size: 3\n"})
    branch = f"origin/{await pushed(repository, draft)}"
    merge(world, ("merge", "-q", "--squash", branch), ("commit", "-q", "-m", "squashed"))
    await moved(world, repository, {WEB: "replicas: 1\nimage: web:1\n"})
    assert (await stands(repository, draft)).state == "merged"
    await moved(world, repository, {DB: "size: 7\n"})
    assert (await stands(repository, draft)).state == "merged"


@pytest.mark.parametrize(
    ("mine", "theirs", "state", "words"),
    [
        (b"replicas: 1\nimage: web:2.1\n", "replicas: 1\nimage: web:2.10\n", "superseded", "newer than web:2.1"),
        (b"replicas: 1\nimage: web:2.1\n", "replicas: 1\nimage: web:2.0\n", "conflict", "upstream set image"),
        (b"replicas: 1\nimage: web:2.1\n", "replicas: 1\nimage: other:3.0\n", "conflict", "upstream set image"),
        (b"replicas: 2\nimage: web:2.1\n", "replicas: 1\nimage: web:2.10\n", "conflict", "upstream set image"),
        (b"replicas: 2\nimage: web:1\n", "replicas: 4\nimage: web:1\n", "conflict", "upstream set replicas"),
        (b"replicas: 2\nimage: web:1\n", None, "superseded", f"{WEB} was removed upstream"),
    ],
)
async def test_what_upstream_has_newer_or_no_more_is_superseded(
    world: World, repository: GitRepository, mine: bytes, theirs: str | None, state: str, words: str
) -> None:
    draft = await made(repository, {WEB: mine})
    await moved(world, repository, {WEB: theirs})
    found = await stands(repository, draft)
    assert found.state == state and words in found.detail
    assert found.clashes  # it may still be decided


async def test_what_came_in_piece_by_piece_is_superseded(world: World, repository: GitRepository) -> None:
    """No one commit of the target has all of it, the newest lacks nothing that is still wanted."""
    draft = await made(repository, {WEB: b"replicas: 3\nimage: web:1.1\n", DB: b"size: 3\n"})
    await moved(world, repository, {WEB: "replicas: 3\nimage: web:1.2\n"})
    assert (await stands(repository, draft)).state == "conflict"
    await moved(world, repository, {DB: "size: 3\n"})
    assert (await stands(repository, draft)).state == "superseded"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "is_newer"),
    [
        ("v1.2.3", "v1.2.4", "v1.3.0", True),
        ("1.2.3", "1.2.10", "1.2.9", False),
        ("r.io:5000/a/b:1.0", "r.io:5000/a/b:1.1", "r.io:5000/a/b:1.2", True),
        ("r.io:5000/a/b", "r.io:5000/a/c", "r.io:5000/a/d", False),
        ("1.0.0-rc.1", "1.0.0-rc.2", "1.0.0", True),
        ("1.0.0", "1.0.1-alpine", "1.0.2-alpine", True),
        ("1.1", "1.2", "1.1", False),
        ("1.3", "1.2", "1.4", False),
        ("1", "2", "3", False),
        ("", "1.2", "1.3", False),
        ("latest", "stable", "edge", False),
        ('"1.2"', "'1.3'", "1.4", True),
    ],
)
def test_which_version_is_newer(base: str, ours: str, theirs: str, is_newer: bool) -> None:
    assert newer(base, ours, theirs) is is_newer


async def test_the_same_line_at_another_depth_is_another_change(world: World, repository: GitRepository) -> None:
    world.upstream({"deep.yaml": "a:\n  b: 1\n"})
    await repository.fetch()
    draft = await repository.create("deep", "main", "deep")
    await repository.edit(draft.id, {"deep.yaml": b"a:\n  b: 2\n"})
    draft = await repository.commit(draft.id, "deep")
    world.upstream({"deep.yaml": "a:\nb: 2\n"})
    world.upstream({"deep.yaml": "a:\nb: 2\nc: 3\n"})
    await repository.fetch()
    assert (await repository.around(draft)).landed == ""
