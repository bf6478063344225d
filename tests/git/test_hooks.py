"""The user's own hooks: they run on a draft's commit, their word is kept, and nothing of the clone is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tui.adapters.git import hooks
from tui.adapters.git.hooks import HookRefused
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import CommitOptions

WEB = "shop/web.yaml"
NEW = b"replicas: 2\nimage: web:1\n"


def install(world: World, name: str, script: str, folder: Path | None = None) -> Path:
    path = (folder or world.clone / ".git" / "hooks") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script if script.startswith("#!") else "#!/bin/sh\n" + script)
    path.chmod(0o755)
    return path


async def opened(world: World, repositories: GitRepositories) -> GitRepository:
    world.seal()
    return await repositories.open(str(world.clone))


async def edited(repository: GitRepository, files: dict[str, bytes | None] | None = None) -> Draft:
    draft = await repository.create("more", "main", "more")
    return await repository.edit(draft.id, files or {WEB: NEW})


def leftovers(repository: GitRepository) -> list[Path]:
    private = repository.repository.path
    found = [*private.with_suffix(".work").glob("*"), *(private / "worktrees").glob("*")]
    return found


async def test_hooks_see_the_commit_and_change_its_message(world: World, repositories: GitRepositories) -> None:
    seen = world.data / "seen"
    world.data.mkdir()
    install(
        world,
        "pre-commit",
        f"exec >{seen}; git diff --cached --name-only; cat {WEB}; git config user.email; git rev-parse HEAD; pwd\n"
        'git status --porcelain; ls; [ -z "$GIT_DIR" ]\n',
    )
    install(world, "prepare-commit-msg", 'echo "[$2] $(cat "$1")" >"$1"\n')
    install(world, "commit-msg", 'printf "\\nTicket: OPS-1   \\n\\n\\n\\n" >>"$1"\n')
    repository = await opened(world, repositories)
    draft = await edited(repository)
    done = await repository.commit(draft.id, "more web\n")
    lines = seen.read_text().splitlines()
    assert lines[:5] == [WEB, "replicas: 2", "image: web:1", "ada@example.com", draft.tip]
    assert not lines[5].startswith(str(world.clone))
    assert lines[6:] == [f"M  {WEB}", "README.md", "shop"]
    message = git(repository.repository.path, "log", "-1", "--format=%B", done.tip)
    assert message == "[message] more web\n\nTicket: OPS-1\n"
    assert not done.dirty and leftovers(repository) == []


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg"])
async def test_a_hook_that_refuses_loses_nothing(world: World, repositories: GitRepositories, name: str) -> None:
    install(world, name, "echo out; echo '[bold]\033[31merr' >&2; exit 3\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    told: list[str] = []
    with pytest.raises(HookRefused, match=rf"your hook {name} refused \(exit code 3\)") as caught:
        await repository.commit(draft.id, "more web", progress=told.append)
    assert caught.value.lines == ("out", "[bold]\033[31merr") and caught.value.hook == name
    assert caught.value.fixed == () and told == ["out", "[bold]\033[31merr"]
    assert await repository.draft(draft.id) == draft
    assert leftovers(repository) == []
    done = await repository.commit(draft.id, "more web", options=CommitOptions(hooks=False))
    assert not done.dirty


async def test_a_hook_that_rewrites_a_file_leaves_it_in_the_draft(world: World, repositories: GitRepositories) -> None:
    script = f"grep -q '^# checked' {WEB} && exit 0; sed -i '1i # checked' {WEB}; echo fixed {WEB}; exit 1\n"
    install(world, "pre-commit", script)
    repository = await opened(world, repositories)
    draft = await edited(repository)
    with pytest.raises(HookRefused, match=r"it changed 1 file; .*commit again") as caught:
        await repository.commit(draft.id, "more web", draft.head)
    assert caught.value.fixed == (WEB,)
    draft = await repository.draft(draft.id)
    assert draft.dirty and (await repository.read(draft.head, WEB)).text == "# checked\nreplicas: 2\nimage: web:1\n"
    done = await repository.commit(draft.id, "more web", draft.head)
    assert (await repository.read(done.tip, WEB)).text.startswith("# checked")
    for text in ("# checked\nreplicas: 2\nimage: web:1\n", "replicas: 2\nimage: web:1\n"):
        draft = await repository.undo(draft.id)
        assert (await repository.read(draft.head, WEB)).text == text


async def test_what_a_hook_stages_is_committed(world: World, repositories: GitRepositories) -> None:
    install(world, "pre-commit", "echo made >shop/list.txt; sed -i s/2/3/ shop/web.yaml; git add shop; exit 0\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    done = await repository.commit(draft.id, "more web")
    assert (await repository.read(done.tip, "shop/list.txt")).text == "made\n"
    assert (await repository.read(done.head, WEB)).text == "replicas: 3\nimage: web:1\n"
    assert not done.dirty
    assert (await repository.undo(draft.id)).head == draft.head


async def test_changes_left_unstaged_are_not_thrown_away(world: World, repositories: GitRepositories) -> None:
    install(world, "pre-commit", "sed -i s/2/3/ shop/web.yaml\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    with pytest.raises(HookRefused, match="left changes unstaged: it changed 1 file"):
        await repository.commit(draft.id, "more web")
    held = await repository.draft(draft.id)
    assert (await repository.read(held.head, WEB)).text == "replicas: 3\nimage: web:1\n" and held.tip == draft.tip


async def test_a_hook_that_hangs_is_ended(world: World, repositories: GitRepositories, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    install(world, "pre-commit", f"echo working; sleep 600 & echo $! >{pid}; wait\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    with pytest.raises(HookRefused, match=r"took more than 0\.5 seconds and was ended"):
        await repository.commit(draft.id, "more web", options=CommitOptions(timeout=0.5))
    assert await repository.draft(draft.id) == draft and leftovers(repository) == []
    with pytest.raises(ProcessLookupError):  # what it started is ended too
        while True:
            os.kill(int(pid.read_text()), 0)


async def test_the_repository_can_be_read_while_a_hook_runs(
    world: World, repositories: GitRepositories, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    install(world, "pre-commit", f"echo waiting; read line <{gate}\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    import asyncio

    started = asyncio.Event()
    running = asyncio.create_task(repository.commit(draft.id, "more web", progress=lambda line: started.set()))
    await started.wait()
    other = await repository.create("other", "main", "other")
    assert (await repository.read(other.head, "README.md")).text == "hello\n"
    later = await repository.edit(draft.id, {"new": b"x\n"})
    gate.write_text("go\n")
    from tui.adapters.git.drafts import Moved

    with pytest.raises(Moved, match="has changed since it was shown"):
        await running
    assert await repository.draft(draft.id) == later


@pytest.mark.parametrize("script", ['true >"$1"', 'rm "$1"', 'printf "\\000" >"$1"'])
async def test_an_empty_message_left_by_a_hook_is_refused(
    world: World, repositories: GitRepositories, script: str
) -> None:
    install(world, "commit-msg", script + "\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    with pytest.raises(HookRefused, match="left no commit message"):
        await repository.commit(draft.id, "more web")
    assert await repository.draft(draft.id) == draft


async def test_where_hooks_are_found(world: World, repositories: GitRepositories, home: Path, tmp_path: Path) -> None:
    """`core.hooksPath` as the user has it: in his checkout, in his home, or nowhere."""
    says = f'echo "$0" >{tmp_path}/ran\n'
    install(world, "pre-commit", says)
    install(world, "pre-commit", says, world.clone / ".husky")
    install(world, "pre-commit", says, home / "hooks")
    install(world, "commit-msg", "exit 1\n").chmod(0o644)
    git(world.clone, "add", "-A")
    git(world.clone, "-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "husky")
    git(world.clone, "push", "-q", "origin", "main")
    repository = await repositories.open(str(world.clone))
    for configured, expected in (
        (None, world.clone / ".git/hooks"),
        (".husky", world.clone / ".husky"),
        ("~/hooks", home / "hooks"),
        ("/dev/null", None),
    ):
        if configured is not None:
            git(world.clone, "config", "core.hooksPath", configured)
        (tmp_path / "ran").unlink(missing_ok=True)
        draft = await edited(repository)
        await repository.commit(draft.id, "more web")
        ran = (tmp_path / "ran").read_text().strip() if (tmp_path / "ran").exists() else None
        assert ran == (str(expected / "pre-commit") if expected else None)


async def test_without_a_clone_no_file_of_the_repository_is_a_hook(
    world: World, repositories: GitRepositories, home: Path, tmp_path: Path
) -> None:
    install(world, "pre-commit", f"touch {tmp_path}/ran\n", world.clone / ".husky")
    world.commit({"x": "x\n"})
    git(world.clone, "push", "-q", "origin", "main")
    git(home, "config", "--global", "core.hooksPath", ".husky")
    repository = await repositories.open(str(world.clone))
    repository.repository.checkout = None
    draft = await edited(repository)
    assert not (await repository.commit(draft.id, "more web")).dirty
    assert not (tmp_path / "ran").exists()


async def test_only_what_the_edit_needs_is_checked_out_of_a_large_repository(
    world: World, repositories: GitRepositories, tmp_path: Path
) -> None:
    many: dict[str, str | bytes] = {f"clusters/c{number:04}/app/values.yaml": "a: 1\n" for number in range(1100)}
    many |= {"clusters/c0001/[odd]*/x.yaml": "x: 1\n", "clusters/top.yaml": "t: 1\n", "shop/deep/er/x": "x\n"}
    world.upstream(many)
    install(
        world, "pre-commit", f"find . -type f | sort >{tmp_path}/files; git status --porcelain >>{tmp_path}/files\n"
    )
    repository = await opened(world, repositories)
    await repository.fetch()
    draft = await edited(repository, {"clusters/c0001/[odd]*/x.yaml": b"x: 2\n", WEB: NEW})
    await repository.commit(draft.id, "x")
    assert (tmp_path / "files").read_text().splitlines() == [
        "./.git", "./README.md", "./clusters/c0001/[odd]*/x.yaml", "./clusters/top.yaml", "./shop/db.yaml",
        "./shop/deep/er/x", "./shop/web.yaml", "M  clusters/c0001/[odd]*/x.yaml", f"M  {WEB}",
    ]  # fmt: skip
    draft = await edited(repository, {"clusters/top.yaml": b"t: 2\n"})
    await repository.commit(draft.id, "x")
    assert (tmp_path / "files").read_text().splitlines() == [
        "./.git", "./README.md", "./clusters/top.yaml", "M  clusters/top.yaml",
    ]  # fmt: skip


async def test_no_filter_of_the_repository_runs(
    world: World, repositories: GitRepositories, home: Path, tmp_path: Path
) -> None:
    git(home, "config", "--global", "filter.evil.smudge", f"touch {tmp_path}/ran; cat")
    git(home, "config", "--global", "filter.evil.clean", f"touch {tmp_path}/ran; cat")
    git(home, "config", "--global", "filter.evil.required", "true")
    world.upstream({".gitattributes": "other.txt filter=evil\n", "shop/other.txt": "raw\n"})
    (tmp_path / "ran").unlink()
    install(world, "pre-commit", "touch shop/other.txt; git status; git diff\n")
    repository = await opened(world, repositories)
    await repository.fetch()
    draft = await edited(repository)
    await repository.commit(draft.id, "x")
    assert not (tmp_path / "ran").exists()


_KILLED = """
import asyncio, sys
from pathlib import Path
from tui.adapters.git.repositories import GitRepositories
async def main():
    repository = await GitRepositories(Path(sys.argv[1]), Path(sys.argv[2])).open(sys.argv[2])
    await repository.commit(sys.argv[3], "more web")
asyncio.run(main())
"""


async def test_killed_while_a_hook_runs_nothing_is_lost_and_the_rest_swept(
    world: World, repositories: GitRepositories, tmp_path: Path
) -> None:
    ready, gate = tmp_path / "ready", tmp_path / "gate"
    os.mkfifo(ready)
    os.mkfifo(gate)
    install(world, "pre-commit", f"chmod a-w shop; echo here >{ready}; read line <{gate}\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    argv = [sys.executable, "-c", _KILLED, str(world.data), str(world.clone), draft.id]
    with subprocess.Popen(argv, cwd=Path(__file__).parents[2], env={**os.environ}) as process:
        assert ready.read_text() == "here\n"
        assert leftovers(repository) != []
        other = GitRepositories(world.data, world.clone)  # another fleet starts meanwhile: what is in use stays
        await other.open(str(world.clone))
        await other.close()
        assert leftovers(repository) != []
        os.kill(process.pid, signal.SIGKILL)
    gate.write_text("go\n")
    assert await repository.draft(draft.id) == draft
    fresh = GitRepositories(world.data, world.clone)
    again = await fresh.open(str(world.clone))
    assert leftovers(again) == []
    assert git(again.repository.path, "fsck", "--no-dangling") == ""
    install_free = await again.commit(draft.id, "more web", options=CommitOptions(hooks=False))
    assert not install_free.dirty
    await fresh.close()


async def test_signing_off(world: World, repositories: GitRepositories) -> None:
    install(world, "commit-msg", 'grep -q "^Signed-off-by: Ada Lovelace <ada@example.com>$" "$1"\n')
    repository = await opened(world, repositories)
    draft = await edited(repository)
    with pytest.raises(HookRefused, match="did not say why"):
        await repository.commit(draft.id, "more web")
    done = await repository.commit(draft.id, "more web", options=CommitOptions(sign_off=True))
    message = git(repository.repository.path, "log", "-1", "--format=%B", done.tip)
    assert message == "more web\n\nSigned-off-by: Ada Lovelace <ada@example.com>\n"


async def test_messages_are_kept_as_git_keeps_them() -> None:
    assert hooks.cleaned("\n\na  \n\n\n\nb\t\nc\n\n") == "a\n\nb\nc\n"


@pytest.mark.parametrize("script", ["git stash -q", "git reset -q --hard", "git checkout -q HEAD -- ."])
async def test_a_hook_that_takes_everything_away_makes_no_empty_commit(
    world: World, repositories: GitRepositories, script: str
) -> None:
    install(world, "pre-commit", script + "\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    with pytest.raises(HookRefused, match="left nothing to commit"):
        await repository.commit(draft.id, "more web")
    assert await repository.draft(draft.id) == draft


async def test_a_hook_that_removes_git_from_its_folder_lets_git_find_no_other_repository(
    world: World, repositories: GitRepositories
) -> None:
    """Data folders lie in homes, and homes may be repositories."""
    install(world, "pre-commit", "rm -rf .git; sed -i s/2/3/ shop/web.yaml\n")
    repository = await opened(world, repositories)
    git(world.data, "init", "-q")
    draft = await edited(repository)
    with pytest.raises(HookRefused, match="left changes unstaged: it changed 1 file"):
        await repository.commit(draft.id, "more web")
    assert not (world.data / ".git" / "index").exists()
    assert (await repository.read((await repository.draft(draft.id)).head, WEB)).text.startswith("replicas: 3")


async def test_a_hook_that_never_stops_talking_is_not_listened_to_for_long(
    world: World, repositories: GitRepositories
) -> None:
    install(world, "pre-commit", "yes\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    told: list[str] = []
    with pytest.raises(HookRefused, match="wrote more than 4 MiB and was ended"):
        await repository.commit(draft.id, "more web", progress=told.append)
    assert len(told) <= 2000 and await repository.draft(draft.id) == draft


@pytest.mark.parametrize("script", ['rm -rf "$PWD"', 'rm "$GIT_INDEX_FILE"'])
async def test_a_hook_that_removes_all_it_was_given(world: World, repositories: GitRepositories, script: str) -> None:
    install(world, "pre-commit", script + "\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    with pytest.raises(HookRefused, match="removed the folder or the index"):
        await repository.commit(draft.id, "more web")
    assert await repository.draft(draft.id) == draft and leftovers(repository) == []


async def test_a_hook_that_commits_leaves_the_message_alone(world: World, repositories: GitRepositories) -> None:
    install(world, "pre-commit", "git commit --no-verify -qm mine; git commit --no-verify --amend -qm other\n")
    repository = await opened(world, repositories)
    draft = await edited(repository)
    done = await repository.commit(draft.id, "more web")
    assert [subject for _, subject in await repository.commits(done)] == ["more web"]
    assert git(world.clone, "log", "--format=%s") == "change"
