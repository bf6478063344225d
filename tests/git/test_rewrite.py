"""Staging by file and line, and a draft's commits made anew: what is made, kept, refused, and given back by undo."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.git.conftest import World, git
from tui.adapters.git.service import GitRepositories
from tui.domain import hunks
from tui.domain.draft import Draft
from tui.fleet.drafts import Drafts

WEB, DB = "shop/web.yaml", "shop/db.yaml"
TEXT = b"".join(b"line%d: %d\n" % (number, number) for number in range(1, 21))


def lines(**changes: str) -> bytes:
    """The long file with some lines replaced: `_3="x"` is line 3."""
    found = TEXT.split(b"\n")
    for name, text in changes.items():
        found[int(name[1:]) - 1] = text.encode()
    return b"\n".join(found)


@pytest.fixture
async def drafts(world: World, repositories: GitRepositories) -> AsyncIterator[Drafts]:
    world.commit({"long.yaml": TEXT})
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    yield Drafts(repositories)


@pytest.fixture
async def draft(world: World, drafts: Drafts) -> Draft:
    return await drafts.new("x", str(world.clone))


async def tree_of(drafts: Drafts, oid: str) -> str:
    repository = (await drafts.repositories.existing())[0][0]
    return git(repository.repository.path, "rev-parse", f"{oid}^{{tree}}")  # type: ignore[attr-defined]


async def bytes_at(drafts: Drafts, revision: str, path: str) -> bytes | None:
    return await (await drafts.repositories.existing())[0][0].blob(revision, path)


async def commit(drafts: Drafts, files: dict[str, bytes | None], message: str) -> Draft:
    await drafts.edit_files("x", files)
    return await drafts.commit("x", message)


async def subjects(drafts: Drafts) -> list[str]:
    return [one.subject for _, own in await drafts.log("x") for one in own]


async def undo_gives_back(drafts: Drafts, before: Draft) -> None:
    """Undo gives back exactly the commits, what was picked and the edits; redo what was undone."""
    after = await drafts.show("x")
    undone = await drafts.undo("x")
    assert (undone.tip, undone.index, undone.head) == (before.tip, before.index, before.head)
    assert (undone.ops, undone.open_ops) == (before.ops, before.open_ops)
    redone = await drafts.redo("x")
    assert (redone.tip, redone.index, redone.head) == (after.draft.tip, after.draft.index, after.draft.head)
    repository = (await drafts.repositories.existing())[0][0]
    git(repository.repository.path, "fsck", "--strict", "--no-dangling")  # type: ignore[attr-defined]


async def test_picked_lines_become_the_commit_and_the_rest_stays_open(drafts: Drafts, draft: Draft) -> None:
    await drafts.edit_files("x", {"long.yaml": lines(_2="two", _3="three", _18="last"), DB: b"size: 2\n"})
    before = (await drafts.show("x")).draft
    (patch,) = [one for one in hunks.parse(await drafts.unpicked(before)) if one.path == "long.yaml"]
    chosen = [line.number for hunk in patch.hunks for line in hunk.lines if line.text in ("line3: 3", "three")]
    picked = await drafts.stage_lines(before, {"long.yaml": chosen})
    assert await bytes_at(drafts, picked.index, "long.yaml") == lines(_3="three")
    assert await bytes_at(drafts, picked.index, DB) == b"size: 1\n"
    assert picked.head == before.head
    await undo_gives_back(drafts, before)
    done = await drafts.commit("x", "three")
    assert await bytes_at(drafts, done.tip, "long.yaml") == lines(_3="three")
    assert await bytes_at(drafts, done.head, "long.yaml") == lines(_2="two", _3="three", _18="last")
    assert done.dirty and done.index == "" and {op.file for op in done.ops[-done.open_ops :]} == {"long.yaml", DB}
    await undo_gives_back(drafts, picked)


async def test_commits_change_places_and_join(drafts: Drafts, draft: Draft) -> None:
    for number, (path, data) in enumerate({WEB: b"a\n", DB: b"b\n", "new.yaml": b"c\n"}.items(), 1):
        await commit(drafts, {path: data}, f"commit {number}")
    before = (await drafts.show("x")).draft
    moved = await drafts.move("x", "1", up=True)
    assert await subjects(drafts) == ["commit 2", "commit 1", "commit 3"]
    await undo_gives_back(drafts, before)
    assert await tree_of(drafts, moved.draft.tip) == await tree_of(drafts, before.tip)
    await drafts.squash("x", "3")
    assert await subjects(drafts) == ["commit 2", "commit 1"]
