"""Every odd kind of repository and path, one by one: handled, or refused with a message that says what it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.git.conftest import World, fingerprint, git
from tests.git.test_content import opened
from tui.adapters.git.command import GitTrouble, Refused
from tui.adapters.git.objects import Missing
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.conflict import Conflicts
from tui.domain.drafts.model import Draft
from tui.domain.gitpath import destination, folded, means_git
from tui.fleet.drafts import Drafts

WEB = "shop/web.yaml"
NEW = b"replicas: 2\nimage: web:1\n"


async def edited(service: GitRepositories, place: Path, *, clone: bool = False) -> GitRepository:
    """A repository opened from a place, in which a draft has been made, committed and pushed."""
    repository = await service.open(str(place), clone=clone)
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: NEW})
    draft = await repository.commit(draft.id, "x")
    assert (await repository.push(await repository.plan_push(draft, to_target=True))).done
    return repository


async def test_a_partial_clone_is_completed_from_the_remote(world: World) -> None:
    git(world.origin, "config", "uploadpack.allowFilter", "true")
    partial = world.clone.parent / "partial"
    git(partial.parent, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{world.origin}", str(partial))
    before = fingerprint(partial)
    service = GitRepositories(world.data, partial)
    with pytest.raises(Missing, match="the clone is partial; fleet can make one of its own"):
        await service.open(str(partial))
    await edited(service, partial, clone=True)
    assert fingerprint(partial) == before
    await service.close()


async def test_a_sparse_checkout_hides_nothing(world: World) -> None:
    git(world.clone, "sparse-checkout", "set", "--cone", "elsewhere")
    assert not (world.clone / WEB).exists()
    world.seal()
    service = GitRepositories(world.data, world.clone)
    await edited(service, world.clone)
    await service.close()


async def test_a_linked_worktree_and_its_branch_are_left_alone(world: World) -> None:
    tree = world.clone.parent / "tree"
    git(world.clone, "worktree", "add", "-q", "-b", "side", str(tree))
    world.seal()
    before = fingerprint(tree)
    service = GitRepositories(world.data, tree)
    repository = await edited(service, tree)
    assert repository.checkout == str(tree) and fingerprint(tree) == before
    await service.close()


@pytest.mark.parametrize("how", ["--bare", "--mirror", "with its own refspec"])
async def test_a_bare_clone_is_a_clone(world: World, how: str) -> None:
    bare = world.clone.parent / "bare.git"
    git(bare.parent, "clone", "-q", how if how.startswith("--") else "--bare", str(world.origin), str(bare))
    if not how.startswith("--"):
        git(bare, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        git(bare, "fetch", "-q")
    git(bare, "config", "user.email", "bare@example.com")
    before = fingerprint(bare)
    service = GitRepositories(world.data, bare / "refs")
    assert [found.checkout for found in await service.here()] == [str(bare)]
    repository = await edited(service, bare)
    assert await repository.default_branch() == "main"
    assert git(world.origin, "log", "-1", "--format=%ae", "main") == "bare@example.com"
    await service.close()
    again = GitRepositories(world.data)
    assert (await again.existing())[0][0].checkout == str(bare)
    await again.close()
    assert fingerprint(bare) == before


async def test_a_bare_clone_that_someone_else_owns_is_not_trusted(world: World, home: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    bare = world.clone.parent / "bare.git"
    git(bare.parent, "clone", "-q", "--bare", str(world.origin), str(bare))
    for path in (bare, *bare.rglob("*")):
        os.chown(path, 12345, 12345)
    service = GitRepositories(world.data, bare)
    with pytest.raises(Refused, match=r"safe\.directory"):
        await service.open(str(bare))
    await service.close()


async def test_a_clone_that_is_moved_away_and_comes_back(world: World, repositories: GitRepositories) -> None:
    git(world.clone, "config", "user.email", "clone@example.com")
    repository = await repositories.open(str(world.clone))
    elsewhere = world.clone.with_name("elsewhere")
    world.clone.rename(elsewhere)
    upstream = git(world.origin, "rev-parse", "main")
    await repository.fetch()
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: NEW})
    assert (await repository.commit(draft.id, "x")).base == upstream
    elsewhere.rename(world.clone)
    await repository.edit(draft.id, {WEB: b"x\n"})
    draft = await repository.commit(draft.id, "y")
    assert git(repository.repository.path, "log", "-1", "--format=%ae", draft.tip) == "clone@example.com"


async def test_a_remote_that_is_moved_away_and_comes_back(world: World, repository: GitRepository) -> None:
    elsewhere = world.origin.with_name("elsewhere.git")
    world.origin.rename(elsewhere)
    with pytest.raises(GitTrouble, match="the remote repository is not there"):
        await repository.fetch()
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {WEB: NEW})
    draft = await repository.commit(draft.id, "x")
    with pytest.raises(GitTrouble, match="the remote repository is not there"):
        await repository.push(await repository.plan_push(draft, to_target=False))
    elsewhere.rename(world.origin)
    assert (await repository.push(await repository.plan_push(draft, to_target=False))).done


class Empty:
    """A remote without a commit, and a clone of it whose first branch is to be trunk."""

    def __init__(self, world: World) -> None:
        self.origin, self.clone = world.clone.parent / "empty.git", world.clone.parent / "fresh"
        git(world.clone.parent, "init", "-q", "--bare", "-b", "trunk", str(self.origin))
        git(world.clone.parent, "clone", "-q", str(self.origin), str(self.clone))
        self.drafts = Drafts(GitRepositories(world.data, self.clone))

    async def draft(self) -> Draft:
        made = await self.drafts.new("first", str(self.clone), fetch=True)
        await self.drafts.edit("first", "a/one.yaml", "a: 1\n")
        assert (await self.drafts.show("first")).standing.state == "local"
        return await self.drafts.commit(made.id, "one")


@pytest.mark.parametrize("to_target", [True, False])
async def test_the_first_commit_of_an_empty_remote(world: World, to_target: bool) -> None:
    empty = Empty(world)
    before = fingerprint(empty.clone)
    draft = await empty.draft()
    assert draft.target == "trunk" and draft.unborn
    assert await empty.drafts.conflicts(draft) == [(draft, Conflicts("trunk"))]
    plan = await empty.drafts.plan_push(draft, to_target)
    assert plan.problem == "" and [subject for _, subject in plan.commits] == ["Start with an empty tree", "one"]
    assert (await empty.drafts.push(plan)).done
    await empty.drafts.refresh(fetch=True)
    assert (await empty.drafts.show("first")).standing.state == ("merged" if to_target else "pushed")
    assert git(empty.origin, "cat-file", "-p", f"{plan.branch}:a/one.yaml") == "a: 1"
    assert git(empty.origin, "log", "--format=%s %ae", plan.branch).splitlines()[1].endswith("ada@example.com")
    assert fingerprint(empty.clone) == before
    await empty.drafts.close()


async def test_an_empty_remote_that_somebody_else_fills_first(world: World) -> None:
    empty = Empty(world)
    draft = await empty.draft()
    git(world.clone, "push", "-q", str(empty.origin), "main:trunk")
    plan = await empty.drafts.plan_push(draft, True)
    assert plan.problem == "" and [subject for _, subject in plan.commits] == ["one"]
    assert (await empty.drafts.push(plan)).done
    held = (await empty.drafts.show("first")).draft
    assert not held.unborn and held.base == git(world.clone, "rev-parse", "main")
    assert git(empty.origin, "ls-tree", "-r", "--name-only", "trunk").split() == [
        "README.md", "a/one.yaml", "shop/db.yaml", WEB,
    ]  # fmt: skip
    await empty.drafts.close()


async def test_links_say_where_they_lead(world: World, repositories: GitRepositories) -> None:
    other = world.clone.parent / "colleague"
    world.upstream({"real/file.yaml": "x\n"})
    for name, target in (
        ("link.yaml", "real/file.yaml"), ("real/up.yaml", "../shop/web.yaml"), ("folder", "real"),
        ("out.yaml", "../../etc/passwd"), ("absolute", "/etc"), ("config", ".git/config"),
    ):  # fmt: skip
        (other / name).symlink_to(target)
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "links")
    git(other, "push", "-q")
    repository = await repositories.open(str(world.clone))
    await repository.fetch()
    draft = await repository.create("x", "main", "x")
    for path, words in (
        ("link.yaml", "link.yaml is a symbolic link to real/file.yaml: edit it there"),
        ("real/up.yaml", "real/up.yaml is a symbolic link to shop/web.yaml"),
        ("folder/file.yaml", "folder is a symbolic link to real"),
        ("out.yaml", "leads out of the repository, to ../../etc/passwd"),
        ("absolute/passwd", "absolute is a symbolic link that leads out of the repository, to /etc"),
        ("config", "leads out of the repository, to .git/config"),
    ):
        with pytest.raises(Refused, match=words):
            await repository.read("main", path)
        with pytest.raises(Refused, match=words):
            await repository.edit(draft.id, {path: b"x\n"})
    assert (await repository.draft(draft.id)).empty


async def test_a_submodule_is_named(world: World, repositories: GitRepositories) -> None:
    world.upstream({"a": "x\n"})
    other = world.clone.parent / "colleague"
    git(other, "update-index", "--add", "--cacheinfo", f"160000,{git(other, 'rev-parse', 'HEAD')},lib/module")
    git(other, "commit", "-q", "-m", "module")
    git(other, "push", "-q")
    repository = await repositories.open(str(world.clone))
    await repository.fetch()
    draft = await repository.create("x", "main", "x")
    for path in ("lib/module", "lib/module/file.yaml"):
        with pytest.raises(Refused, match="lib/module is a submodule: its files are in a repository of their own"):
            await repository.edit(draft.id, {path: b"x\n"})
    draft = await repository.edit(draft.id, {"lib/beside.yaml": b"x\n"})  # and stays what it is
    assert {mode for name, mode, _ in await repository.entries(draft.head, "lib")} == {0o160000, 0o100644}


@pytest.mark.parametrize(
    ("attributes", "path", "typed", "stored"),
    [
        ("*.yaml text eol=crlf\n", "new.yaml", b"a: 1\r\nb: 2\r\n", b"a: 1\nb: 2\n"),
        ("* text=auto\n", "new.yaml", b"a: 1\r\nb: 2\r\n", b"a: 1\nb: 2\n"),
        ("*.yaml text eol=crlf\n", "new.yaml", b"a: 1\n", b"a: 1\n"),
        ("*.yaml -text\n", "new.yaml", b"a: 1\r\n", b"a: 1\r\n"),
        ("*.txt text\n", "new.yaml", b"a: 1\r\n", b"a: 1\r\n"),
        ("*.yaml text eol=crlf\n", "old.yaml", b"a: 2\r\n", b"a: 2\r\n"),
        ("*.yaml text eol=crlf\n", WEB, b"a: 2\n", b"a: 2\n"),
    ],
)
async def test_line_ends_are_stored_as_git_would(
    world: World, repositories: GitRepositories, attributes: str, path: str, typed: bytes, stored: bytes
) -> None:
    world.upstream({"old.yaml": b"a: 1\r\n"})  # stored with CRLF before there were attributes: its bytes are kept
    repository = await opened(world, repositories, {".gitattributes": attributes})
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {path: typed})
    assert repository.repository.objects.read((await repository.read(draft.head, path)).oid) == stored
    if path == "new.yaml":  # git agrees
        other = world.clone.parent / "colleague"
        (other / path).write_bytes(typed)
        oid = git(other, "hash-object", "--path", path, path)
        assert oid == (await repository.read(draft.head, path)).oid


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("shop/Web.yaml", "shop/web.yaml"),
        ("Shop/new.yaml", "shop"),
        ("SHOP/db.yaml", "shop"),
        ("readme.MD", "README.md"),
        ("shop/cafe\u0301.yaml", "shop/café.yaml"),
        ("straSSe", "straße"),
    ],
)
async def test_a_name_that_differs_only_in_case_is_refused(
    world: World, repositories: GitRepositories, path: str, there: str
) -> None:
    repository = await opened(world, repositories, {"shop/café.yaml": "x\n", "straße": "x\n"})
    draft = await repository.create("x", "main", "x")
    with pytest.raises(Refused, match=f"{path} differs from {there}, which is there, only in case or accents"):
        await repository.edit(draft.id, {path: b"x\n"})
    assert (await repository.draft(draft.id)).empty


async def test_a_rename_in_case_and_two_new_names(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {WEB: None, "shop/Web.yaml": b"x\n"})
    assert {name for name, _, _ in await repository.entries(draft.head, "shop")} == {"Web.yaml", "db.yaml"}
    with pytest.raises(Refused, match="differ only in case"):
        await repository.edit(draft.id, {"new/A.yaml": b"x\n", "new/a.yaml": b"x\n"})


async def test_names_that_differ_in_case_already_stay_usable(world: World, repositories: GitRepositories) -> None:
    repository = await opened(world, repositories, {"Twice": "1\n", "twice": "2\n"})
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {"Twice": b"3\n"})
    assert [(await repository.read(draft.head, name)).text for name in ("Twice", "twice")] == ["3\n", "2\n"]


GIT_NAMES = [
    ".git/config", ".GIT/config", "a/.git ", ".git./x", ".git::$INDEX_ALLOCATION/config", "GIT~1/config", "git~1",
    ".g\u200cit/config", ".\u200dGit", "a/.git\ufeff/x", ".git\\config", "a\\.git\\hooks", "git~1 .",
]  # fmt: skip


@pytest.mark.parametrize("path", [*GIT_NAMES, "../up", "a/../../up", "/etc/passwd", "a//b", "./a", "a/.", "a\0b"])
async def test_paths_out_of_the_tree_and_into_git_are_refused(
    world: World, repository: GitRepository, path: str
) -> None:
    draft = await repository.create("x", "main", "x")
    with pytest.raises(Refused, match="not a path inside a repository"):
        await repository.edit(draft.id, {path: b"x\n"})
    assert (await repository.draft(draft.id)).empty


@pytest.mark.parametrize(
    "name", [".gitignore", ".github", "git", "git~12", ".gitattributes", "a.git", "digit", ".gi t"]
)
def test_names_that_only_look_like_it_are_fine(name: str) -> None:
    assert not means_git(name)


@pytest.mark.parametrize(("path", "words"), [("a" * 256, "255 bytes"), ("ü" * 128, "255"), ("a/" * 2050 + "b", "4096")])
async def test_names_that_no_checkout_could_hold(
    world: World, repository: GitRepository, path: str, words: str
) -> None:
    draft = await repository.create("x", "main", "x")
    with pytest.raises(Refused, match=f"longer than {words}.*could not be checked out"):
        await repository.edit(draft.id, {path: b"x\n"})
    long = "/".join(["d" * 255] * 15) + "/f"
    draft = await repository.edit(draft.id, {long: b"x\n"})
    assert (await repository.read(draft.head, long)).text == "x\n"
    assert [file.path for file in (await repository.diff(draft.base, draft.head))[0]] == [long]


async def test_foreign_names_in_the_tree_break_nothing(world: World, repositories: GitRepositories) -> None:
    world.upstream({"a": "x\n"})
    other = world.clone.parent / "colleague"
    blob = git(other, "hash-object", "-w", "--stdin", data=b"x\n")
    names = [b"odd/new\nline", b'odd/"quoted"', b"odd/latin\xe9", b"odd/\x1b[31m", b"odd/tab\there"]
    lines = b"".join(b"100644 %s\t%s\0" % (blob.encode(), name) for name in names)
    git(other, "update-index", "-z", "--index-info", data=lines)
    git(other, "commit", "-q", "-m", "odd")
    git(other, "checkout", "-q", "--", ".")
    git(other, "push", "-q")
    repository = await repositories.open(str(world.clone))
    await repository.fetch()
    listed = {os.fsencode(name) for name, _, _ in await repository.entries("main", "odd")}
    assert listed == {name.removeprefix(b"odd/") for name in names}
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {"odd/mine": b"x\n", 'odd/"quoted"': b"y\n"})
    draft = await repository.commit(draft.id, "mine")
    other_tip = git(other, "rev-parse", "HEAD~1")
    files, patch = await repository.diff(other_tip, draft.head)
    assert {os.fsencode(file.path) for file in files} == {*names, b"odd/mine"} and "\x1b" not in patch
    world.upstream({"b": "x\n"})
    await repository.fetch()
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == ()
    assert {os.fsencode(name) for name, _, _ in await repository.entries(draft.head, "odd")} == listed | {b"mine"}
    with pytest.raises(Refused, match="not UTF-8"):
        await repository.edit(draft.id, {"odd/latin\udce9": b"x\n"})


async def test_a_private_repository_that_was_deleted_is_made_anew(world: World) -> None:
    service = GitRepositories(world.data, world.clone)
    repository = await service.open(str(world.clone))
    path = repository.repository.path
    shutil.rmtree(path)
    with pytest.raises(GitTrouble, match=r"cannot be read|is not there"):
        await repository.read("main", WEB)
    await service.close()
    again = GitRepositories(world.data, world.clone)
    await edited(again, world.clone)
    await again.close()


@pytest.mark.parametrize(
    ("link", "target", "inside"),
    [
        ("a/b", "c", "a/c"), ("a/b", "../c", "c"), ("a", "..", None), ("a/b", "..", ""), ("a", "/b", None),
        ("a", "C:\\x", None), ("a/b", "./c/./d/", "a/c/d"), ("a", ".GIT/x", None),
    ],
)  # fmt: skip
def test_where_a_link_leads(link: str, target: str, inside: str | None) -> None:
    assert destination(link, target) == inside


def test_names_that_file_systems_take_for_the_same() -> None:
    assert folded("Café") == folded("CAFE\u0301") and folded("a") != folded("b")
