"""Clones found, private repositories made, and hostile surroundings."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.git.conftest import World, fingerprint, git
from tui.adapters import runner
from tui.adapters.git import checkout as clones
from tui.adapters.git import repository as private
from tui.adapters.git.command import GitTrouble, Refused, environment, explain, trouble
from tui.adapters.git.objects import Missing
from tui.adapters.git.repositories import GitRepositories
from tui.domain import giturl

WEB = "shop/web.yaml"


async def test_a_clone_is_found_from_inside_and_only_read(world: World, repositories: GitRepositories) -> None:
    world.seal()
    found = await repositories.find(str(world.origin))
    assert (found.checkout, found.ready) == (str(world.clone), False)
    assert [(here.url, here.checkout) for here in await repositories.here()] == [(str(world.origin), str(world.clone))]
    inside = await repositories.open(str(world.clone / "shop"))
    assert inside is await repositories.open(str(world.origin)) is await repositories.open(f"file://{world.origin}")
    assert (await repositories.find(str(world.origin))).ready
    assert await inside.default_branch() == "main"
    assert await inside.branches() == {"main": git(world.clone, "rev-parse", "HEAD")}


async def test_the_private_repository_is_private_and_quiet(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    path = repository.repository.path
    assert path == private.location(world.data, str(world.origin))
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    for name, value in (("gc.auto", "0"), ("maintenance.auto", "false"), ("core.fsync", "committed")):
        assert git(path, "config", name) == value
    assert git(path, "config", "remote.origin.fetch") == "+refs/heads/*:refs/remotes/origin/*"
    assert not (path / "hooks").exists() or not list((path / "hooks").iterdir())
    assert not (path / "objects" / "info" / "alternates").exists()


async def test_a_clone_may_go_once_the_private_repository_is_made(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    shutil.rmtree(world.clone)
    assert (await repository.read("main", WEB)).text.startswith("replicas")
    await repositories.close()
    again = GitRepositories(world.data)
    opened, broken = await again.existing()
    assert broken == [] and [held.url for held in opened] == [str(world.origin)]
    assert (await opened[0].read("main", WEB)).text.startswith("replicas")
    await again.close()


async def test_without_a_clone_fleet_asks_before_it_makes_one(world: World) -> None:
    service = GitRepositories(world.data)
    with pytest.raises(Missing, match="fleet can make one of its own"):
        await service.open("https://git.example/acme/shop.git")
    with pytest.raises(Refused, match="bare repository"):
        await service.open(str(world.origin), clone=True)
    assert not (world.data / "git").exists() or not list((world.data / "git").glob("*.git"))
    await service.close()


@pytest.mark.parametrize("url", ["ext::sh -c 'touch /tmp/owned'", "-u./payload", "http://host/x", "git://host/x", ""])
async def test_hostile_urls_reach_no_git(world: World, repositories: GitRepositories, url: str) -> None:
    with pytest.raises((Refused, giturl.BadUrl)):
        await repositories.open(url, clone=True)
    with pytest.raises((Refused, giturl.BadUrl)):
        await repositories.find(url)


async def test_configured_clones_and_their_urls_match(world: World) -> None:
    url = "https://git.example/acme/shop"
    service = GitRepositories(world.data, None, [(world.clone.parent / "gone", ""), (world.clone, url)])
    found = await service.find(url + ".git")
    assert found.checkout == str(world.clone)
    repository = await service.open(url)
    assert (await repository.read("main", WEB)).text.startswith("replicas")
    assert await service.open(url + ".git") is repository
    await service.close()


async def test_instead_of_is_honoured(world: World, home: Path) -> None:
    with (home / ".gitconfig").open("a") as file:
        file.write(f'[url "{world.origin}"]\n\tinsteadOf = shop:\n[url "/nowhere"]\n\tinsteadOf = sh\n')
    git(world.clone, "remote", "set-url", "origin", "shop:")
    service = GitRepositories(world.data, world.clone)
    repository = await service.open(str(world.clone))
    assert repository.url == str(world.origin)
    await repository.fetch()
    await service.close()


async def test_a_second_remote_is_found_by_its_url(world: World) -> None:
    git(world.clone, "remote", "add", "fork", "git@git.example:ada/shop.git")
    found = clones.match([(world.clone, "")], "https://git.example/ada/shop")
    assert found is not None and found.remote == "fork"


async def test_a_linked_worktree_is_a_clone_too(world: World) -> None:
    tree = world.clone.parent / "tree"
    git(world.clone, "worktree", "add", "-q", str(tree))
    world.seal()
    before = fingerprint(tree)
    service = GitRepositories(world.data, tree / "shop")
    repository = await service.open(str(tree))
    assert (await repository.read("main", WEB)).text.startswith("replicas")
    assert fingerprint(tree) == before
    await service.close()


async def test_a_shallow_clone_is_completed_from_the_remote(world: World) -> None:
    world.upstream({"a": "1\n"})
    shallow = world.clone.parent / "shallow"
    git(world.clone.parent, "clone", "-q", "--depth=1", f"file://{world.origin}", str(shallow))
    before = fingerprint(shallow)
    service = GitRepositories(world.data, shallow)
    with pytest.raises(Missing, match="shallow"):
        await service.open(str(shallow))
    repository = await service.open(str(shallow), clone=True)
    assert git(repository.repository.path, "rev-list", "--count", "refs/remotes/origin/main") == "2"
    assert fingerprint(shallow) == before
    await service.close()


async def test_a_bare_repository_is_refused(world: World, repositories: GitRepositories) -> None:
    with pytest.raises(Refused, match="bare repository"):
        await repositories.open(str(world.origin / "objects"))


async def test_a_bare_repository_inside_a_clone_decides_nothing(world: World, tmp_path: Path) -> None:
    evil = world.clone / "evil"
    git(world.clone, "init", "-q", "--bare", str(evil))
    git(evil, "config", "core.fsmonitor", f"touch {tmp_path}/owned; false")
    git(evil, "config", "core.sshCommand", f"touch {tmp_path}/owned; false")
    git(evil, "config", "remote.origin.url", "git@git.example:a/b")
    service = GitRepositories(world.data, evil)
    assert await service.here() == []
    with pytest.raises(Refused):
        await service.open(str(evil))
    assert not (tmp_path / "owned").exists()


async def test_nothing_that_a_repository_defines_is_run(world: World, tmp_path: Path) -> None:
    owned = tmp_path / "owned"
    command = f"touch {owned}; cat"
    for key, value in (
        ("core.fsmonitor", command),
        ("core.pager", command),
        ("diff.external", command),
        ("diff.evil.textconv", command),
        ("diff.evil.command", command),
        ("filter.evil.clean", command),
        ("filter.evil.smudge", command),
        ("alias.log", f"!{command}"),
        ("alias.diff-tree", f"!{command}"),
        ("uploadpack.packObjectsHook", command),
        ("core.hooksPath", str(tmp_path / "hooks")),
        ("merge.evil.driver", command),
        ("core.editor", command),
    ):
        git(world.clone, "config", key, value)
    (tmp_path / "hooks").mkdir()
    # pre-commit, commit-msg and pre-push are the user's word on commits and pushes: test_hooks.py
    for hook in ("reference-transaction", "post-checkout", "post-index-change", "post-rewrite", "pre-auto-gc"):
        path = tmp_path / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {owned}\n")
        path.chmod(0o755)
    world.upstream({".gitattributes": "*.yaml diff=evil merge=evil\n", ".gitconfig": "[core]\n\tpager = touch x\n"})
    service = GitRepositories(world.data, world.clone)
    repository = await service.open(str(world.clone))
    await repository.fetch()
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: b"replicas: 2\nimage: web:1\n"})
    draft = await repository.commit(draft.id, "x")
    await repository.diff(draft.base, draft.head)
    world.upstream({WEB: "replicas: 1\nimage: web:1\nmore: x\n", "b": "x\n"})
    await repository.fetch()
    await repository.rebase(draft.id)
    await repository.around(draft)
    await repository.push(await repository.plan_push(await repository.draft(draft.id), to_target=False))
    await service.close()
    assert not owned.exists()


async def test_a_clone_that_git_does_not_trust_is_refused(world: World, repositories: GitRepositories) -> None:
    if os.getuid() != 0:
        pytest.skip("needs a file that belongs to somebody else")
    for path in (world.clone, world.clone / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(Refused, match=r"does not trust .* \(see safe\.directory\)"):
        await repositories.open(str(world.clone))
    assert await repositories.here() == []


def test_foreign_git_variables_do_not_reach_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_CONFIG"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i key")
    env = environment()
    assert not {"GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF", "GIT_TRACE"} & env.keys()
    assert env["GIT_SSH_COMMAND"] == "ssh -i key" and env["GIT_TERMINAL_PROMPT"] == "0"


async def test_fleet_started_from_a_hook_works_on_its_own_repository(
    world: World, repositories: GitRepositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.seal()
    monkeypatch.setenv("GIT_DIR", str(world.clone / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(world.clone / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(world.clone))
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: b"x\n"})
    await repository.fetch()


async def test_tokens_are_not_on_a_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    git(world.clone, "config", "http.extraHeader", "Authorization: Bearer SECRET")
    git(world.clone, "config", "credential.helper", "store --file=SECRET")
    service = GitRepositories(world.data, world.clone)
    repository = await service.open(str(world.clone))
    await repository.fetch()
    config = dict(repository.repository.git.config)
    assert config["http.extraheader"].endswith("SECRET")
    assert not any("SECRET" in word for word in repository.repository.git.argv("fetch"))
    await service.close()


async def test_leftovers_of_a_killed_fleet_are_swept(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("x", "main", "x")
    path = repository.repository.path
    await repositories.close()
    old = time.time() - 100_000
    locks = [f"refs/fleet/drafts/{draft.id}.lock", "refs/remotes/origin/main.lock", "packed-refs.lock", "config.lock"]
    for name in (*locks, "objects/aa/tmp_obj_x"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).touch()
        os.utime(path / name, (old, old))
    half = path.with_name(f"{path.stem}.new-1")
    half.mkdir()
    again = await repositories.open(str(world.clone))
    assert not any((path / name).exists() for name in locks)
    await again.tidy()
    assert not (path / "objects/aa/tmp_obj_x").exists()
    await again.edit(draft.id, {WEB: b"x\n"})
    await again.fetch()


async def test_a_fetch_steps_over_a_lock_that_nobody_holds(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    new = world.upstream({"a": "1\n"})
    lock = repository.repository.path / "refs/remotes/origin/main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 60, time.time() - 60))
    await repository.fetch()
    assert (await repository.branches())["main"] == new


async def test_work_goes_on_after_a_git_was_killed_a_moment_ago(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("x", "main", "x")
    path = repository.repository.path
    new = world.upstream({"a": "1\n"})
    for name in ("refs/remotes/origin/main.lock", "packed-refs.lock", f"refs/fleet/drafts/{draft.id}.lock"):
        (path / name).touch()
    await asyncio.gather(repository.fetch(), repository.drop(draft.id))
    assert (await repository.branches())["main"] == new
    assert (await repository.drafts(trash=True))[0][0].id == draft.id


async def test_a_lock_that_is_held_is_waited_for_and_then_named(
    world: World, repositories: GitRepositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("x", "main", "x")
    with private.locked(repository.repository.path.with_suffix(".lock")):
        waiting = asyncio.create_task(repository.edit(draft.id, {WEB: b"x\n"}))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
    assert (await asyncio.wait_for(waiting, 60)).dirty
    lock = repository.repository.path.with_suffix(".lock")
    with private.locked(lock), pytest.raises(GitTrouble, match="another fleet"), private.locked(lock, 0.05):
        pass


async def test_a_read_only_data_folder_is_said_plainly(world: World, repositories: GitRepositories) -> None:
    if os.getuid() == 0:
        world.data.write_text("a file where the folder should be")
        with pytest.raises(GitTrouble, match="data"):
            await repositories.open(str(world.clone))
        return
    world.data.mkdir(mode=0o500)
    with pytest.raises(GitTrouble, match="cannot be written"):
        await repositories.open(str(world.clone))


async def test_a_private_repository_that_was_taken_away(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("x", "main", "x")
    path = repository.repository.path
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(GitTrouble):
        await repository.edit(draft.id, {WEB: b"x\n"})
    path.with_name("elsewhere").rename(path)
    assert (await repository.edit(draft.id, {WEB: b"x\n"})).dirty


async def test_the_reading_process_may_be_killed(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    await repository.read("main", WEB)
    process = repository.repository.objects._process
    assert process is not None
    process.kill()
    process.wait()
    assert (await repository.read("main", "README.md")).text == "hello\n"


async def test_gc_and_repack_may_run_meanwhile(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("x", "main", "x")
    for number in range(5):
        await repository.edit(draft.id, {WEB: b"%d\n" % number})
        git(repository.repository.path, "gc", "-q", "--prune=now")
        git(repository.repository.path, "pack-refs", "--all")
    for number in range(5):
        assert (await repository.read((await repository.draft(draft.id)).head, WEB)).text == f"{4 - number}\n"
        await repository.undo(draft.id)


async def test_tidying_packs_and_loses_nothing(
    world: World, repositories: GitRepositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "_LOOSE", 10)
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("x", "main", "x")
    for number in range(5):
        await repository.edit(draft.id, {WEB: b"%d\n" % number})
    await asyncio.gather(repository.tidy(), repository.edit(draft.id, {WEB: b"meanwhile\n"}))
    assert "in-pack: 0" not in git(repository.repository.path, "count-objects", "-v")
    for _ in range(6):
        await repository.undo(draft.id)
    git(repository.repository.path, "fsck", "--strict")


async def test_a_sha256_remote(tmp_path: Path, world: World) -> None:
    origin, clone = tmp_path / "o256.git", tmp_path / "c256"
    git(tmp_path, "init", "-q", "--bare", "--object-format=sha256", str(origin))
    git(tmp_path, "init", "-q", "--object-format=sha256", str(clone))
    git(clone, "remote", "add", "origin", str(origin))
    (clone / "a.yaml").write_text("a: 1\n")
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "x")
    git(clone, "push", "-q", "origin", "HEAD:main")
    service = GitRepositories(world.data, clone)
    repository = await service.open(str(clone))
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {"a.yaml": b"a: 2\n"})
    draft = await repository.commit(draft.id, "two")
    assert len(draft.tip) == 64
    assert (await repository.push(await repository.plan_push(draft, to_target=True))).done
    assert git(origin, "cat-file", "-p", "main:a.yaml") == "a: 2"
    await service.close()


async def test_the_clone_is_remembered_and_the_one_in_use_wins(world: World, home: Path) -> None:
    first = GitRepositories(world.data, world.clone)
    await first.open(str(world.clone))
    await first.close()
    second = GitRepositories(world.data)
    opened, _ = await second.existing()
    assert opened[0].checkout == str(world.clone)
    other = world.clone.parent / "other"
    git(world.clone.parent, "clone", "-q", str(world.origin), str(other))
    git(other, "config", "user.email", "other@example.com")
    repository = await second.open(str(other))
    assert repository is opened[0] and repository.checkout == str(other)
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: b"x\n"})
    draft = await repository.commit(draft.id, "x")
    assert git(repository.repository.path, "log", "-1", "--format=%ae", draft.tip) == "other@example.com"
    await second.close()


async def test_two_fleets_may_fetch_at_once(world: World, repositories: GitRepositories) -> None:
    repository = await repositories.open(str(world.clone))
    other = GitRepositories(world.data, world.clone)
    second = await other.open(str(world.clone))
    for number in range(5):
        new = world.upstream({"a": f"{number}\n"})
        await asyncio.gather(repository.fetch(), second.fetch())
        assert (await repository.branches())["main"] == new
    await other.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "fatal: unable to access 'https://x/': Could not resolve host: x.example",
            "the host name x.example is not known",
        ),
        ("ssh: Could not resolve hostname x.example: Name or service", "the host name x.example is not known"),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", "asks for a user name"),
        ("git@github.com: Permission denied (publickey).\nfatal: Could not read", "refuses these credentials"),
        ("fatal: transport 'ext' not allowed", "does not speak the protocol ext"),
        ("error: something odd\nfatal: the end\nhint: try this", "the end"),
        ("", ""),
    ],
)
def test_what_git_says_in_plain_words(said: str, words: str) -> None:
    assert words in explain(said)


async def test_hooks_and_user_are_those_of_the_clone_fleet_is_started_in(world: World) -> None:
    """Drafts are found without a clone being named: that of the folder counts, or any other when the last is gone."""
    other = world.clone.parent / "other"
    git(world.clone.parent, "clone", "-q", str(world.origin), str(other))
    for started, used in ((world.clone / "shop", world.clone), (other, other)):
        service = GitRepositories(world.data, started)
        await service.open(str(started))
        await service.close()
        again = GitRepositories(world.data, world.data.parent)  # in no clone: the one used last
        assert [held.checkout for held in (await again.existing())[0]] == [str(used)]
        await again.close()
    service = GitRepositories(world.data, world.clone / "shop")
    assert [held.checkout for held in (await service.existing())[0]] == [str(world.clone)]
    await service.close()
    service = GitRepositories(world.data, other)
    await service.existing()
    await service.close()
    shutil.rmtree(other)
    service = GitRepositories(world.data, world.data.parent, [(world.clone, "")])
    assert [held.checkout for held in (await service.existing())[0]] == [str(world.clone)]
    await service.close()


@pytest.mark.parametrize(
    ("code", "words"), [(-signal.SIGXFSZ, "ulimit"), (-signal.SIGKILL, "SIGKILL"), (3, "code 3"), (-999, "code -999")]
)
def test_how_a_git_ended_that_said_nothing(code: int, words: str) -> None:
    assert words in str(trouble(runner.Result(("git",), code, b"", b"")))
