"""Commits and tags signed with real keys of ssh and gpg, and keys that are locked."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git.conftest import MAIL, NAME, World, git
from tests.git.test_push import send
from tui.adapters import runner
from tui.adapters.git.command import GitTrouble, NeedsTerminal, trouble
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import CommitOptions

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
WEB = "shop/web.yaml"


def configure(home: Path, **values: str) -> None:
    for key, value in values.items():
        git(home, "config", "--global", key.replace("_", "."), value)


def ssh_key(home: Path, passphrase: str = "") -> Path:
    key = home / "signing key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(key)], check=True)
    signers = home / "signers"
    signers.write_text(f"{MAIL} {key.with_suffix('.pub').read_text()}")
    configure(home, gpg_format="ssh", user_signingkey=str(key))
    git(home, "config", "--global", "gpg.ssh.allowedSignersFile", str(signers))
    return key


@pytest.fixture
def gpg_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A key ring of its own; its path is short because the agent's socket lies there."""
    with tempfile.TemporaryDirectory(prefix="gpg", dir="/tmp") as folder:
        place = Path(folder)
        place.chmod(0o700)
        monkeypatch.setenv("GNUPGHOME", folder)
        yield place
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)


def gpg_key(home: Path, passphrase: str = "") -> None:
    argv = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase]
    argv += ["--quick-generate-key", f"{NAME} <{MAIL}>", "ed25519", "sign", "never"]
    subprocess.run(argv, check=True, capture_output=True)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True, capture_output=True)  # it remembers the passphrase
    configure(home, user_signingkey=MAIL)


async def edited(repository: GitRepository) -> Draft:
    draft = await repository.create("more", "main", "more")
    return await repository.edit(draft.id, {WEB: b"replicas: 2\n"})


def verified(repository: GitRepository, oid: str) -> str:
    """git's judgement: G good, U good by an unknown key, N none."""
    return git(repository.repository.path, "log", "-1", "--format=%G?", oid)


@needs_ssh
async def test_ssh(world: World, home: Path, repository: GitRepository) -> None:
    ssh_key(home)
    draft = await repository.commit((await edited(repository)).id, "unsigned")
    assert verified(repository, draft.tip) == "N"
    await repository.undo(draft.id)
    draft = await repository.commit(draft.id, "asked for", options=CommitOptions(sign=True))
    assert verified(repository, draft.tip) == "G"
    await repository.undo(draft.id)
    configure(home, commit_gpgsign="true", tag_gpgsign="true")
    draft = await repository.commit(draft.id, "as configured")
    assert verified(repository, draft.tip) == "G"
    assert (await send(repository, draft.id, to_target=True, tag="v1")).done
    git(world.origin, "verify-tag", "v1")
    await repository.undo(draft.id)
    draft = await repository.commit(draft.id, "told not to", options=CommitOptions(sign=False))
    assert verified(repository, draft.tip) == "N"


@needs_ssh
async def test_tags_are_signed_when_asked_or_configured(world: World, home: Path, repository: GitRepository) -> None:
    ssh_key(home)
    draft = await repository.commit((await edited(repository)).id, "x")
    assert (await send(repository, draft.id, tag="plain")).done
    assert (await send(repository, draft.id, tag="signed", sign_tag=True)).done
    configure(home, tag_gpgsign="yes")
    assert (await send(repository, draft.id, tag="unsigned", sign_tag=False)).done
    for name, signed in (("plain", False), ("signed", True), ("unsigned", False)):
        assert ("BEGIN SSH SIGNATURE" in git(world.origin, "cat-file", "tag", name)) is signed


@needs_gpg
async def test_gpg(world: World, home: Path, gpg_home: Path, repository: GitRepository) -> None:
    gpg_key(home)
    configure(home, commit_gpgsign="1")
    draft = await repository.commit((await edited(repository)).id, "x")
    assert verified(repository, draft.tip) in ("G", "U")
    assert (await send(repository, draft.id, tag="v1", sign_tag=True)).done
    git(world.origin, "verify-tag", "v1")


async def refused(repository: GitRepository, words: str, kind: type[GitTrouble]) -> None:
    draft = await edited(repository)
    with pytest.raises(kind, match=words) as caught:
        await repository.commit(draft.id, "x", options=CommitOptions(sign=True))
    assert caught.value.said
    assert await repository.draft(draft.id) == draft


@needs_ssh
async def test_a_locked_ssh_key_says_what_to_do(home: Path, repository: GitRepository) -> None:
    ssh_key(home, "secret")
    await refused(repository, r"the key is locked .*ssh-add", NeedsTerminal)


@needs_gpg
async def test_a_locked_gpg_key_says_what_to_do(
    home: Path, gpg_home: Path, repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is asked on the terminal that fleet paints on, although the shell has told gpg of it."""
    gpg_key(home, "secret")
    master, slave = pty.openpty()
    try:
        monkeypatch.setenv("GPG_TTY", os.ttyname(slave))
        await refused(repository, "the key is locked", NeedsTerminal)
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    finally:
        os.close(master)
        os.close(slave)


@needs_ssh
async def test_a_key_that_is_gone(home: Path, repository: GitRepository) -> None:
    key = ssh_key(home)
    key.unlink()
    key.with_suffix(".pub").unlink()
    await refused(repository, "could not be signed", GitTrouble)


@needs_gpg
async def test_a_gpg_key_that_is_not_here(home: Path, gpg_home: Path, repository: GitRepository) -> None:
    configure(home, user_signingkey="nobody@example.com")
    await refused(repository, "gpg has no secret key for nobody@example.com", GitTrouble)


_ON_A_TERMINAL = """
import asyncio, sys
from pathlib import Path
from tui.adapters.git.repositories import GitRepositories
from tui.domain.drafts.sending import CommitOptions
async def main():
    repository = await GitRepositories(Path(sys.argv[1]), Path(sys.argv[2])).open(sys.argv[2])
    done = await repository.commit(sys.argv[3], "x", options=CommitOptions(sign=True, terminal=True))
    print("committed", done.tip)
asyncio.run(main())
"""


@needs_ssh
async def test_with_the_terminal_the_passphrase_is_asked_for(
    world: World, home: Path, repository: GitRepository
) -> None:
    import sys

    from tests.terminal import Terminal

    ssh_key(home, "secret")
    draft = await edited(repository)
    argv = [sys.executable, "-c", _ON_A_TERMINAL, str(world.data), str(world.clone), draft.id]
    env = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with Terminal(argv, env=env) as terminal:
        terminal.wait("passphrase")
        terminal.press("secret", "enter")
        terminal.wait("committed")
    assert verified(repository, (await repository.draft(draft.id)).tip) == "G"


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("fatal: could not read Username for 'https://git.example': terminal prompts disabled", True),
        ("git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository.", True),
        ("Host key verification failed.", True),
        ("fatal: Authentication failed for 'https://git.example/x'", False),
        ("fatal: unable to access 'https://git.example/': Could not resolve host: git.example", False),
    ],
)
def test_a_remote_that_wants_to_ask_is_told_from_one_that_says_no(said: str, asks: bool) -> None:
    result = runner.Result(("git", "push"), 128, b"", said.encode())
    assert isinstance(trouble(result), NeedsTerminal) is asks
