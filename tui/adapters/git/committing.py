"""Every commit that fleet makes in the user's name goes through here: identity, trailers, hooks, signature."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tui.adapters import runner
from tui.adapters.git import checkout as clones
from tui.adapters.git import hooks
from tui.adapters.git.command import Git, GitTrouble, NeedsTerminal, Refused, explain, inherited
from tui.adapters.git.objects import Pack
from tui.adapters.git.repository import Repository
from tui.domain.drafts import message as messages
from tui.domain.drafts.sending import AS_CONFIGURED, CommitOptions

Listener = Callable[[str], None]


class Made(NamedTuple):
    """A commit that is stored and that no ref points to yet. `lines` is what the hooks said."""

    oid: str
    tree: str
    message: str
    lines: tuple[str, ...] = ()


def make(
    repository: Repository,
    parents: Sequence[str],
    tree: str,
    message: str,
    options: CommitOptions = AS_CONFIGURED,
    *,
    author: str = "",
    source: Sequence[str] = ("message",),
    listen: Listener | None = None,
    stop: threading.Event | None = None,
) -> Made:
    """Make a commit by the user: the hooks run, the message is signed off and the commit signed as configured.

    `author` is Git's `Name <mail> seconds zone` when it is somebody else's or an earlier commit, `source` as in
    `hooks.check_commit`. It takes as long as the hooks do and needs no lock: afterwards move the ref under the lock,
    if what it points to is still what `parents` says. Raises HookRefused, NeedsTerminal when a key is locked, and
    GitTrouble when git does not know who the user is or cannot sign.
    """
    place, is_checkout = repository.place()
    user = clones.user(place, checkout=is_checkout)
    repository.git.config = user.config
    if options.sign_off if options.sign_off is not None else user.sign_off:
        message = messages.signed_off(message, user_of(user.committer))
    checked = hooks.Checked(tree, message)
    if options.hooks:
        checked = hooks.check_commit(
            repository, parents[0], tree, message, source=source, timeout=options.timeout, listen=listen, stop=stop
        )
    sign = user.sign if options.sign is None else options.sign
    if sign:
        oid = signed(repository, parents, checked.tree, checked.message, author or user.author, options.terminal)
    else:
        pack = Pack(repository.objects)
        oid = pack.commit(checked.tree, parents, author or user.author, user.committer, checked.message)
        pack.store()
    return Made(oid, checked.tree, checked.message, checked.lines)


def signed(
    repository: Repository, parents: Sequence[str], tree: str, message: str, author: str, terminal: bool = False
) -> str:
    """A signed commit made by git itself, with the user's key and settings; returns its id."""
    arguments = [part for parent in parents for part in ("-p", parent)]
    parts = re.fullmatch(r"(.*?) ?<(.*)> (.*)", author)
    if parts is None:
        raise Refused("the author of the commit cannot be read")
    env = dict(zip(("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"), parts.groups(), strict=True))
    with _told(repository.git.config, user_of(author)):
        return repository.git.text(
            "commit-tree", "-S", *arguments, "-F", "-", tree, data=message.encode("utf-8"), env=env, terminal=terminal
        )


def tag(repository: Repository, name: str, commit: str, message: str, sign: bool | None, terminal: bool = False) -> str:
    """An annotated tag object of the user's on a commit; returns its id. No ref points to it.

    Git itself makes it, because only git signs tags, but in a repository for the moment that shares the objects: a
    tag that is never pushed must not look like one of the remote's.
    """
    check_tag_name(repository, name)
    place, is_checkout = repository.place()
    user = clones.user(place, checkout=is_checkout)
    how = "-s" if (user.sign_tags if sign is None else sign) else "-a"
    objects = repository.path / "objects"
    with tempfile.TemporaryDirectory(prefix="fleet-tag-") as folder:
        git = Git(Path(folder))
        git("init", "--bare", "--quiet", "--template=", f"--object-format={repository.objects.algorithm}")
        git.config = user.config if how == "-s" else (*user.config, ("tag.gpgSign", "false"))
        env = {"GIT_OBJECT_DIRECTORY": str(objects)}
        with _told(user.config, user_of(user.committer)):
            git("tag", how, "-F", "-", "--", name, commit, data=message.encode("utf-8"), env=env, terminal=terminal)
        return git.text("rev-parse", "--verify", f"refs/tags/{name}", env=env)


def user_of(ident: str) -> str:
    """`Name <mail>` of Git's `Name <mail> seconds zone`."""
    return ident.partition(">")[0] + ">"


@contextmanager
def _told(config: Sequence[tuple[str, str]], signer: str) -> Iterator[None]:
    """Say what was wrong with a signature by gpg: older gits keep gpg's own words to themselves."""
    try:
        yield
    except GitTrouble as error:
        values = dict(config)
        if "gpg failed to sign" not in error.said or isinstance(error, NeedsTerminal):
            raise
        if values.get("gpg.format", "openpgp") != "openpgp":
            raise
        program = values.get("gpg.openpgp.program") or values.get("gpg.program") or "gpg"
        key = values.get("user.signingkey") or signer
        found = runner.call([program, "--batch", "--list-secret-keys", "--", key], env=inherited(), timeout=20)
        if found.code:
            words = f"gpg has no secret key for {key}; set user.signingKey, or import the key"
            raise GitTrouble(words, error.said + "\n" + found.errors) from error
        raise NeedsTerminal(explain("no pinentry"), error.said) from error


def check_tag_name(repository: Repository, name: str) -> None:
    """Raises Refused for a name that git does not take for a tag."""
    if name.startswith("-") or repository.git("check-ref-format", f"refs/tags/{name}", codes=(0, 1)).code:
        raise Refused(f"not a name for a tag: {name!r}")
