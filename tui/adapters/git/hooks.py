"""The user's own hooks, run on a commit or push that no checkout has.

Hooks come from the user's clone (`core.hooksPath`, else its `hooks` folder), or without a clone from an absolute
`core.hooksPath` of the user's own; never from what a repository contains, unless the user pointed `core.hooksPath`
there, and then the file in his checkout is run. They see a working tree made for the moment.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tui.adapters import runner
from tui.adapters.git import checkout as clones
from tui.adapters.git import history
from tui.adapters.git.command import Refused, configured, inherited
from tui.adapters.git.objects import EXECUTABLE, FILE
from tui.adapters.git.repository import Repository
from tui.adapters.git.worktree import Worktree, worktree
from tui.domain import ports

TIMEOUT = 300.0  # seconds a hook may take unless the configuration says otherwise
OUTPUT = 4 << 20  # bytes of a hook's output
_SHOWN = 2000  # lines of it that are kept
Listener = Callable[[str], None]

# Settings of the clone that hooks may ask for are given to them; these mean another repository or another program.
_NOT_PASSED = re.compile(
    r"(core|extensions|branch|remote|submodule|gc|maintenance|pack|repack|index|include|includeif|safe|fleet|receive"
    r"|protocol|filter|sparse|worktree|fetch|push|transfer|uploadpack|lfs)\."
)
_PASSED = ("core.whitespace", "core.commentchar", "core.autocrlf", "core.eol", "core.safecrlf", "core.quotepath")


class HookRefused(Refused, ports.HookRefused):
    """A hook said no. `fixes` are the contents it left in files that it changed; None = it removed the file."""

    def __init__(self, message: str, hook: str, lines: Sequence[str], fixes: dict[str, bytes | None]) -> None:
        ports.HookRefused.__init__(self, message, hook, lines, sorted(fixes))
        self.said = "\n".join(lines)
        self.fixes = fixes


class Hooks(NamedTuple):
    """The hooks that a commit or push by hand would run, and what they get to see of the clone's settings."""

    folder: Path
    names: tuple[str, ...]
    config: tuple[tuple[str, str], ...] = ()
    clone: Path | None = None


class Checked(NamedTuple):
    """What hooks made of a commit: its tree, its message, and what they said."""

    tree: str
    message: str
    lines: tuple[str, ...] = ()


def find(repository: Repository) -> Hooks:
    """The user's hooks as they are now."""
    place, is_checkout = repository.place()
    found = clones.scoped(place, checkout=is_checkout)
    named = {key: value for _, key, value in found}.get("core.hookspath")
    if is_checkout and repository.checkout is not None:
        folder = clones.hooks_folder(repository.checkout.common, place, named)
    else:
        folder = Path(named or os.devnull).expanduser()
        if not folder.is_absolute():  # it would be looked for among the repository's own files
            folder = Path(os.devnull)
    config = [(key, value) for scope, key, value in found if scope in ("local", "worktree") and _is_passed(key)]
    reach = clones.taken_over([(key, value) for _, key, value in found])
    return Hooks(folder, clones.runnable(folder), (*reach, *config), place if is_checkout else None)


def _is_passed(key: str) -> bool:
    return key in _PASSED or not (_NOT_PASSED.match(key) or clones.is_taken_over(key))


def check_commit(
    repository: Repository,
    parent: str,
    tree: str,
    message: str,
    *,
    source: Sequence[str] = ("message",),
    timeout: float = TIMEOUT,
    listen: Listener | None = None,
    stop: threading.Event | None = None,
) -> Checked:
    """Run pre-commit, prepare-commit-msg and commit-msg on a commit-to-be, in git's order; call it before each commit.

    `parent` is the commit it goes on top of, `source` the further arguments of prepare-commit-msg (`message`, or
    `commit` and an id for an amend). What a hook stages is in the tree that comes back, what it writes into the
    message file in the message. Raises HookRefused when one says no, takes longer than `timeout` seconds, or changes
    files without staging them. Takes no lock and moves no ref.
    """
    hooks = find(repository)
    names = [name for name in hooks.names if name != "pre-push"]
    if not names:
        return Checked(tree, message)
    touched = _touched(repository, parent, tree)
    said: list[str] = []
    with worktree(repository, parent, tree, touched, hooks.config) as place:
        run = _Runner(hooks, place, timeout, listen, stop, said)
        if "pre-commit" in names:
            tree = _pre_commit(repository, run, tree)
        file = place.admin / "COMMIT_EDITMSG"  # after it, as git does: a commit that it makes has one of its own
        file.write_text(message, encoding="utf-8")
        for name, more in (("prepare-commit-msg", tuple(source)), ("commit-msg", ())):
            if name in names:
                run(name, str(file), *more)
        left = file.read_bytes() if file.is_file() else b""
        message = cleaned(left.replace(b"\0", b" ").decode("utf-8", "replace"))
    if not message.strip():
        raise HookRefused("your hooks left no commit message", "commit-msg", said, {})
    if tree == repository.objects.root(parent):
        raise HookRefused("your hook pre-commit left nothing to commit", "pre-commit", said, {})
    return Checked(tree, message, tuple(said))


def check_push(
    repository: Repository,
    tip: str,
    base: str,
    refs: Sequence[tuple[str, str, str, str]],
    *,
    timeout: float = TIMEOUT,
    listen: Listener | None = None,
    stop: threading.Event | None = None,
) -> tuple[str, ...]:
    """Run pre-push before anything is sent; returns what it said. Raises HookRefused when it says no.

    `refs` are (local ref, local id, remote ref, remote id, "" = none there), as git tells the hook on its stdin.
    """
    hooks = find(repository)
    if "pre-push" not in hooks.names:
        return ()
    said: list[str] = []
    zero = "0" * repository.objects.size
    data = "".join(f"{ours} {oid} {theirs} {there or zero}\n" for ours, oid, theirs, there in refs).encode()
    tree = repository.objects.root(tip)
    with worktree(repository, tip, tree, _touched(repository, base, tree), hooks.config) as place:
        _Runner(hooks, place, timeout, listen, stop, said)("pre-push", "origin", repository.url, data=data)
    return tuple(said)


class _Runner:
    """Runs hooks of one worktree; what they say is collected and told line by line."""

    def __init__(
        self, hooks: Hooks, place: Worktree, timeout: float, listen: Listener | None, stop: threading.Event | None,
        said: list[str],
    ) -> None:  # fmt: skip
        self.hooks, self.place, self.timeout, self.listen, self.stop, self.said = (
            hooks, place, timeout, listen, stop, said,
        )  # fmt: skip

    def __call__(self, name: str, *arguments: str, data: bytes = b"") -> None:
        """Run one to its end. Raises HookRefused unless it ends with 0."""
        code, why = self.attempt(name, *arguments, data=data)
        if code:
            raise HookRefused(why, name, self.said, {})

    def attempt(self, name: str, *arguments: str, data: bytes = b"") -> tuple[int, str]:
        """Run one to its end: exit code, and in words why it is not 0."""
        # As git does: what it prints goes to stderr, and a file without `#!` is a shell script.
        argv = ["/bin/sh", "-c", 'exec "$@" >&2', name, str(self.hooks.folder / name), *arguments]
        told = itertools.count()

        def tell(line: str) -> None:  # millions of lines would keep whoever listens busy for minutes
            if self.listen is not None and next(told) < _SHOWN:
                self.listen(line)

        try:
            result = runner.call(
                argv, cwd=self.place.folder, env=self._environment(name), data=data, timeout=self.timeout, limit=OUTPUT,
                on_error_line=tell if self.listen else None, stop=self.stop,
            )  # fmt: skip
        except runner.TimedOut:
            return -1, f"your hook {name} took more than {self.timeout:g} seconds and was ended"
        except runner.TooMuch:
            return -1, f"your hook {name} wrote more than {OUTPUT >> 20} MiB and was ended"
        lines = [line.rstrip() for line in re.split(r"\r\n|\r|\n", result.err.decode("utf-8", "replace"))]
        self.said += [line for line in lines if line][-_SHOWN:]
        if result.code == 0:
            return 0, ""
        how = f"exit code {result.code}" if result.code > 0 else f"signal {-result.code}"
        return result.code, f"your hook {name} refused ({how})" + ("" if any(lines) else " and did not say why")

    def _environment(self, name: str) -> dict[str, str]:
        settings = (("core.hooksPath", str(self.hooks.folder)), ("core.fsmonitor", "false"), *self.place.config)
        env = inherited() | configured(settings)
        env |= {
            "GIT_INDEX_FILE": str(self.place.index),
            "GIT_PREFIX": "",
            "GIT_EDITOR": ":",
            "GIT_TERMINAL_PROMPT": "0",
        }
        env |= {"GIT_LFS_SKIP_SMUDGE": "1", "FLEET_CHECKOUT": str(self.hooks.clone or "")}
        env.pop("GPG_TTY", None)
        if name == "pre-push":  # git names the index to hooks of commits only; elsewhere it would be the wrong one
            del env["GIT_INDEX_FILE"]
        return env


def _pre_commit(repository: Repository, run: _Runner, tree: str) -> str:
    """Run it; returns the tree to commit: with what the hook staged. Raises HookRefused, with what it changed."""
    code, why = run.attempt("pre-commit")
    if not run.place.folder.is_dir() or not run.place.index.is_file():
        raise HookRefused(
            "your hook pre-commit removed the folder or the index it was given", "pre-commit", run.said, {}
        )
    # Told by `git diff` first: in a large repository it is cheap where writing a tree is not.
    staged = _written(run.place) if _differs(run.place, "--cached", tree) else tree
    final = staged
    if _differs(run.place):
        with _index_kept(run.place):
            run.place.git("add", "--update", "--", ".")
            final = _written(run.place)
    if code == 0 and final == staged:
        return staged
    fixes = dict(_fixes(repository, tree, final))
    if code == 0 and not fixes:
        return staged
    if fixes:
        number = f"{len(fixes)} file{'s' if len(fixes) > 1 else ''}"
        why = f"{why or 'your hook pre-commit left changes unstaged'}: it changed {number}"
    raise HookRefused(why, "pre-commit", run.said, fixes)


@contextmanager
def _index_kept(place: Worktree) -> Iterator[None]:
    """Work in a copy of the index, so that the hooks that follow find it as it was."""
    before = place.index.read_bytes()
    yield
    place.index.write_bytes(before)


def _differs(place: Worktree, *what: str) -> bool:
    """Whether files differ from the index, or with `--cached` and a tree the index from that."""
    arguments = ("diff", "--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", *what, "--")
    return place.git(*arguments, codes=(0, 1)).code == 1


def _written(place: Worktree) -> str:
    return place.git.text("write-tree")


def _fixes(repository: Repository, before: str, after: str) -> Iterator[tuple[str, bytes | None]]:
    """The plain files that differ between two trees, as they are in the second."""
    for path, _, entry in history.changed(repository.objects, before, after):
        if entry is None:
            yield path.decode("utf-8", "surrogateescape"), None
        elif entry.mode in (FILE, EXECUTABLE):
            yield path.decode("utf-8", "surrogateescape"), repository.objects.read(entry.oid, "blob")


def _touched(repository: Repository, parent: str, tree: str) -> list[str]:
    objects = repository.objects
    changed = history.changed(objects, objects.root(parent), tree)
    return [path.decode("utf-8", "surrogateescape") for path, _, _ in changed]


def cleaned(message: str) -> str:
    """A message as git keeps one that was not typed in its editor: no blanks at line ends, one empty line at most."""
    lines = [line.rstrip() for line in message.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
