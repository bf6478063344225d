"""Drafts in their repository: what an action keeps, what it refuses, and what two writers do to each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.git.conftest import World, fingerprint, git
from tui.adapters.git.command import GitTrouble, Refused
from tui.adapters.git.drafts import OPEN, TRASH, Moved
from tui.adapters.git.objects import Missing
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts import model
from tui.domain.drafts.model import Operation

WEB = "shop/web.yaml"


async def committed(repository: GitRepository, text: str = "replicas: 2\nimage: web:1\n") -> model.Draft:
    draft = await repository.create("More web", "main", "more-web")
    await repository.edit(draft.id, {WEB: text.encode()})
    return await repository.commit(draft.id, "more")


def fsck(repository: GitRepository) -> None:
    git(repository.repository.path, "fsck", "--strict", "--connectivity-only")
    git(repository.repository.path, "fsck", "--strict", "--no-dangling")


async def test_a_new_draft_is_empty_and_starts_from_the_target(world: World, repository: GitRepository) -> None:
    draft = await repository.create("More web", "main", "more-web")
    assert draft.base == draft.tip == draft.head == git(world.clone, "rev-parse", "origin/main")
    assert draft.empty and not draft.dirty
    assert await repository.drafts() == ([draft], [])
    fsck(repository)


async def test_an_edit_that_changes_nothing_makes_no_state(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    assert await repository.edit(draft.id, {WEB: b"replicas: 1\nimage: web:1\n"}) == draft


async def test_editing_back_leaves_nothing_to_commit(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: b"other\n"})
    draft = await repository.edit(draft.id, {WEB: b"replicas: 1\nimage: web:1\n"})
    assert not draft.dirty and draft.ops == () and draft.open_ops == 0
    with pytest.raises(Refused, match="nothing to commit"):
        await repository.commit(draft.id, "x")
    assert (await repository.undo(draft.id)).dirty


async def test_several_files_are_one_step(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    files = {WEB: b"a\n", "new/deep/file.yaml": b"b\n", "shop/db.yaml": None}
    draft = await repository.edit(draft.id, files)
    found, _ = await repository.diff(draft.base, draft.head)
    assert [(file.status, file.path) for file in found] == [
        ("A", "new/deep/file.yaml"),
        ("D", "shop/db.yaml"),
        ("M", WEB),
    ]
    assert {operation.file for operation in draft.ops} == set(files)
    draft = await repository.undo(draft.id)
    assert draft.empty
    fsck(repository)


async def test_removing_the_last_file_of_a_folder_removes_the_folder(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {WEB: None, "shop/db.yaml": None})
    assert [name for name, _, _ in await repository.entries(draft.head)] == ["README.md"]
    draft = await repository.edit(draft.id, {"README.md": None})
    assert await repository.entries(draft.head) == []
    fsck(repository)


async def test_operations_are_kept_and_become_trailers(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    first = Operation(WEB, "set", path="replicas", old="1", new="2", application="argocd/web", cluster="eu")
    second = Operation(
        WEB, "set", path="image", old="web:1", new="web:2", application="argocd/web", object="Deployment web"
    )
    await repository.edit(draft.id, {WEB: b"replicas: 2\nimage: web:1\n"}, [first])
    draft = await repository.edit(draft.id, {WEB: b"replicas: 2\nimage: web:2\n"}, [second])
    assert [operation.path for operation in draft.ops] == ["replicas", "image"]
    assert draft.ops[0].after == draft.ops[1].before != ""
    draft = await repository.commit(draft.id, "web: more\n\nBecause.")
    message = git(repository.repository.path, "log", "-1", "--format=%B", draft.tip).strip()
    assert message == (
        "web: more\n\nBecause.\n\nFleet-Application: argocd/web\nFleet-Cluster: eu\nFleet-Object: Deployment web"
    )
    assert draft.open_ops == 0 and len(draft.ops) == 2
    await repository.edit(draft.id, {"shop/db.yaml": b"x\n"})
    draft = await repository.commit(draft.id, "db")
    assert git(repository.repository.path, "log", "-1", "--format=%B", draft.tip).strip() == "db"
    assert [subject for _, subject in await repository.commits(draft)] == ["web: more", "db"]


async def test_typing_over_a_file_that_changed_meanwhile_is_noticed(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    held = await repository.read(draft.head, WEB)
    await repository.edit(draft.id, {WEB: b"by somebody else\n"})
    with pytest.raises(Moved, match="changed in this draft since"):
        await repository.edit(draft.id, {WEB: b"mine\n"}, (), {WEB: held.oid})
    with pytest.raises(Moved):
        await repository.edit(draft.id, {"shop/db.yaml": b"mine\n"}, (), {"shop/db.yaml": ""})
    assert (await repository.read((await repository.draft(draft.id)).head, WEB)).text == "by somebody else\n"


async def test_committing_other_than_what_was_shown_is_noticed(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    shown = await repository.edit(draft.id, {WEB: b"a\n"})
    await repository.edit(draft.id, {WEB: b"b\n"})
    with pytest.raises(Moved, match="since its diff was shown"):
        await repository.commit(draft.id, "x", shown.head)


async def test_an_edit_after_an_undo_forgets_the_redo(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: b"a\n"})
    await repository.undo(draft.id)
    draft = await repository.edit(draft.id, {WEB: b"b\n"})
    with pytest.raises(Refused, match="nothing to redo"):
        await repository.redo(draft.id)
    await repository.undo(draft.id)
    with pytest.raises(Refused, match="nothing to undo"):
        await repository.undo(draft.id)


async def test_every_state_ever_made_stays_reachable(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    heads = []
    for number in range(4):
        draft = await repository.edit(draft.id, {WEB: b"%d\n" % number})
        heads.append(draft.head)
        draft = await repository.keep_unsaved(draft.id, WEB, f"typing {number}")
        draft = await repository.keep_unsaved(draft.id, WEB, f"typing more {number}")
        await repository.undo(draft.id)
    git(repository.repository.path, "gc", "-q", "--prune=now")
    fsck(repository)
    for head in heads:
        assert repository.repository.objects.resolve(head) == head


async def test_typed_text_is_kept_until_it_is_saved(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    await repository.keep_unsaved(draft.id, WEB, "half a li", "over")
    draft = await repository.keep_unsaved(draft.id, "../odd\nname", "x\ud800y")
    assert await repository.unsaved(draft) == {WEB: "half a li", "../odd\nname": "x\ud800y"}
    assert draft.unsaved[WEB].over == "over"
    draft = await repository.edit(draft.id, {WEB: b"saved\n"})
    assert list(draft.unsaved) == ["../odd\nname"]
    draft = await repository.keep_unsaved(draft.id, "../odd\nname", None)
    assert draft.unsaved == {}
    assert (await repository.undo(draft.id)).empty


async def test_a_thousand_keystrokes_make_one_state_in_the_chain(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    for number in range(20):
        draft = await repository.keep_unsaved(draft.id, WEB, f"{number}")
    assert (
        git(repository.repository.path, "rev-list", "--count", "--first-parent", f"{draft.base}..{draft.state}") == "2"
    )


async def test_drop_and_restore_keep_everything(world: World, repository: GitRepository) -> None:
    draft = await committed(repository)
    dropped = await repository.drop(draft.id)
    assert dropped.dropped and dropped.tip == draft.tip
    assert await repository.drafts() == ([], [])
    assert [held.id for held in (await repository.drafts(trash=True))[0]] == [draft.id]
    with pytest.raises(Missing):
        await repository.edit(draft.id, {WEB: b"x\n"})
    git(repository.repository.path, "gc", "-q", "--prune=now")
    back = await repository.restore(draft.id)
    assert (back.tip, back.ops, back.undo) == (draft.tip, draft.ops, draft.undo)
    assert (await repository.undo(draft.id)).dirty
    with pytest.raises(Missing):
        await repository.restore(draft.id)
    fsck(repository)


async def test_a_move_to_the_trash_that_was_cut_short_is_completed(
    world: World, repositories: GitRepositories, repository: GitRepository
) -> None:
    draft = await committed(repository)
    path = repository.repository.path
    await repository.drop(draft.id)
    git(path, "update-ref", OPEN + draft.id, draft.state)  # as if killed before the delete
    await repositories.close()
    again = await repositories.open(str(world.clone))
    assert (await again.drafts())[0] == [] and len((await again.drafts(trash=True))[0]) == 1
    old = git(path, "rev-parse", TRASH + draft.id)
    await again.restore(draft.id)
    git(path, "update-ref", TRASH + draft.id, old)
    await repositories.close()
    again = await repositories.open(str(world.clone))
    assert len((await again.drafts())[0]) == 1 and (await again.drafts(trash=True))[0] == []


async def test_a_damaged_or_newer_draft_is_named_and_hides_no_other(world: World, repository: GitRepository) -> None:
    good = await committed(repository)
    path = repository.repository.path
    tree = git(path, "hash-object", "-t", "tree", "-w", "--stdin", data=b"")
    for number, stored in enumerate(("not json", msgspec.json.encode({"v": 99}).decode(), "{}", "")):
        message = f"fleet: edit\n\n{stored}".encode() if stored else b"by hand"
        state = git(path, "-c", "user.name=x", "-c", "user.email=x@x", "commit-tree", tree, data=message)
        git(path, "update-ref", f"{OPEN}bad{number}", state)
    found, broken = await repository.drafts()
    assert [draft.id for draft in found] == [good.id]
    assert len(broken) == 4 and "newer fleet" in broken[1]


async def test_a_writer_that_does_not_know_the_lock_is_noticed(
    world: World, repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await committed(repository)
    path, refs = repository.repository.path, repository.refs
    meddled: list[str] = []
    store = refs.repository.git.__class__.__call__

    def meddle(self: object, *arguments: str, **options: object) -> object:
        if arguments[0] == "update-ref" and len(meddled) < 2:
            now = git(path, "rev-parse", OPEN + draft.id)
            tree = git(path, "rev-parse", f"{now}^{{tree}}")
            message = git(path, "log", "-1", "--format=%B", now).encode()
            who = ("-c", "user.name=x", "-c", "user.email=x@x")
            other = git(path, *who, "commit-tree", "-p", now, tree, data=message)
            git(path, "update-ref", OPEN + draft.id, other, now)
            meddled.append(other)
        return store(self, *arguments, **options)

    monkeypatch.setattr(refs.repository.git.__class__, "__call__", meddle)
    after = await repository.edit(draft.id, {WEB: b"mine\n"})
    assert len(meddled) == 2
    assert git(path, "merge-base", "--is-ancestor", meddled[1], after.state) == ""
    assert (await repository.read(after.head, WEB)).text == "mine\n"


WRITER = """
import asyncio, sys
from pathlib import Path
from tui.adapters.git.repositories import GitRepositories

async def main(data, clone, draft, name, count):
    service = GitRepositories(Path(data))
    repository = await service.open(clone)
    for number in range(count):
        await repository.edit(draft, {f"{name}/{number}.yaml": b"x: %d\\n" % number})
    await service.close()

asyncio.run(main(*sys.argv[1:5], int(sys.argv[5])))
"""


@pytest.mark.parametrize("writers", [2, 5])
async def test_fleets_that_write_at_once_lose_nothing(world: World, repository: GitRepository, writers: int) -> None:
    draft = await repository.create("x", "main", "x")
    count = 8
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(world.data), str(world.clone), draft.id, f"w{number}", str(count)],
            cwd=Path(__file__).parents[2],
        )
        for number in range(writers)
    ]
    assert [process.wait(120) for process in processes] == [0] * writers
    final = await repository.draft(draft.id)
    for number in range(writers):
        assert len(await repository.entries(final.head, f"w{number}")) == count
    assert len(final.ops) == writers * count
    for _ in range(writers * count):
        await repository.undo(draft.id)
    assert (await repository.draft(draft.id)).empty
    fsck(repository)


async def test_the_user_may_commit_by_hand_meanwhile(world: World, repository: GitRepository) -> None:
    draft = await committed(repository)
    (world.clone / ".git" / "index.lock").touch()
    world.seal()
    draft = await repository.edit(draft.id, {WEB: b"while the index is locked\n"})
    (world.clone / ".git" / "index.lock").unlink()
    world.commit({"mine.txt": "by hand\n"})
    world.seal()
    draft = await repository.commit(draft.id, "more")
    assert len(await repository.commits(draft)) == 2


async def test_a_clone_with_every_kind_of_work_in_progress_stays_as_it_is(
    world: World, repositories: GitRepositories
) -> None:
    (world.clone / "shop/web.yaml").write_text("dirty\n")
    git(world.clone, "stash", "-q")
    (world.clone / "staged").write_text("staged\n")
    git(world.clone, "add", "staged")
    (world.clone / "untracked").write_text("untracked\n")
    git(world.clone, "checkout", "-q", "--detach")
    before = fingerprint(world.clone)
    repository = await repositories.open(str(world.clone))
    draft = await committed(repository)
    await repository.fetch()
    await repository.push(await repository.plan_push(draft, to_target=False))
    await repository.rebase(draft.id)
    await repository.drop(draft.id)
    assert fingerprint(world.clone) == before


async def test_a_missing_identity_keeps_the_edits(
    world: World, home: Path, repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".gitconfig").write_text("")
    monkeypatch.delenv("EMAIL", raising=False)
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {WEB: b"x\n"})
    with pytest.raises(GitTrouble, match=r"git does not know who you are; set user\.name and user\.email"):
        await repository.commit(draft.id, "message")
    assert (await repository.draft(draft.id)).dirty
    (home / ".gitconfig").write_text("[user]\n\tname = Later\n\temail = later@example.com\n")
    draft = await repository.commit(draft.id, "message")
    assert git(repository.repository.path, "log", "-1", "--format=%an", draft.tip) == "Later"


async def test_the_identity_is_the_one_of_the_clone(world: World, home: Path, repositories: GitRepositories) -> None:
    with (home / ".gitconfig").open("a") as file:
        file.write(f'[includeIf "gitdir:{world.clone}/"]\n\tpath = work\n')
    (home / "work").write_text("[user]\n\temail = ada@work.example\n")
    repository = await repositories.open(str(world.clone))
    draft = await committed(repository)
    assert (
        git(repository.repository.path, "log", "-1", "--format=%ae %ce", draft.tip)
        == "ada@work.example ada@work.example"
    )


async def test_commits_are_signed_when_the_user_signs(world: World, home: Path, repositories: GitRepositories) -> None:
    key = home / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (home / "signers").write_text(f"ada@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in (
        ("commit.gpgsign", "true"),
        ("gpg.format", "ssh"),
        ("user.signingkey", str(key)),
        ("gpg.ssh.allowedSignersFile", str(home / "signers")),
    ):
        git(world.clone, "config", name, value)
    repository = await repositories.open(str(world.clone))
    draft = await committed(repository)
    path = repository.repository.path
    verify = ["-c", f"gpg.ssh.allowedSignersFile={home / 'signers'}", "verify-commit", draft.tip]
    git(path, *verify)
    world.upstream({"other.yaml": "x\n"})
    await repository.fetch()
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == ()
    git(path, *verify[:-1], draft.tip)
    git(world.clone, "config", "user.signingkey", str(home / "gone"))
    draft = await repository.edit(draft.id, {WEB: b"x\n"})
    with pytest.raises(GitTrouble, match="could not be signed"):
        await repository.commit(draft.id, "message")
    assert (await repository.draft(draft.id)).dirty


async def test_a_message_may_hold_anything(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: b"x\n"})
    draft = await repository.commit(draft.id, "nul \0 and \ud800 — ünïcode\n\n-- not an option\n# not a comment\n")
    message = git(repository.repository.path, "log", "-1", "--format=%B", draft.tip)
    assert message.startswith("nul   and ? — ünïcode\n\n-- not an option\n# not a comment")
    with pytest.raises(Refused, match="empty"):
        await repository.commit(draft.id, " \n")
    fsck(repository)
