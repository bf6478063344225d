"""The user's own clone: found, asked who its user is and how its remote is reached, and never written to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.adapters import runner
from tui.adapters.git.command import Git, GitTrouble, Login, Refused, environment, explain
from tui.domain import giturl

# What is taken over from the clone's effective configuration: it may come from includeIf rules that hold only there.
_SECTIONS = ("user.", "author.", "committer.", "gpg.", "credential.", "http.", "url.", "ssh.")
_SINGLE = ("core.sshcommand", "core.askpass", "commit.gpgsign", "tag.gpgsign", "core.gitproxy", "i18n.commitencoding")
HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "pre-push")
_TRUE = ("true", "yes", "on", "1")
_TEMPLATE = 64 << 10  # bytes of a commit template that is read


@dataclass(frozen=True, slots=True)
class Checkout:
    """A clone of the user's. `url` is the remote it was matched by, as git resolves it (insteadOf applied), bare."""

    root: Path
    common: Path  # the folder with objects, refs and config
    remote: str  # name of that remote
    url: str
    push_url: str = ""
    hooks: tuple[str, ...] = ()  # hooks of the user's that would run on a commit or push by hand
    problem: str = ""  # why its objects cannot be used to start from, in words
    bare: bool = False  # it has no working tree; `root` is the repository itself

    def git(self) -> Git:
        """Git on this clone, to read from it."""
        return Git(self.root, checkout=not self.bare)


@dataclass(frozen=True, slots=True)
class User:
    """Who commits, whether commits are signed, and the settings git needs elsewhere to do so."""

    author: str  # `Name <mail> seconds zone`
    committer: str
    sign: bool
    config: tuple[tuple[str, str], ...]
    sign_tags: bool = False
    sign_off: bool = False  # format.signOff


def configuration(place: Path, *, checkout: bool = True) -> list[tuple[str, str]]:
    """Every effective setting at a place but fleet's own, in order, keys in git's canonical form. Reads only."""
    return [(key, value) for _, key, value in scoped(place, checkout=checkout)]


def scoped(place: Path, *, checkout: bool = True) -> list[tuple[str, str, str]]:
    """The same with where each is set: (system | global | local | worktree, key, value)."""
    git = Git(place, checkout=checkout)
    words = git("config", "--list", "-z", "--show-scope", "--includes").out.decode("utf-8", "surrogateescape")
    found = []
    parts = iter(words.split("\0"))
    for scope, item in zip(parts, parts, strict=False):
        key, separator, value = item.partition("\n")
        if scope != "command":
            found.append((scope, key, value if separator else "true"))
    return found


def find_checkouts(folder: Path) -> list[Checkout]:
    """The clone that `folder` lies in, once for each of its remotes; empty when it lies in none.

    Raises Refused for a bare repository without a remote, or inside another's files, and for one that git does not
    trust.
    """
    found = _discover(folder)
    if found is None:
        return []
    root, bare = found
    clones = _inspect(root, bare)
    if bare and not clones:
        raise Refused(f"{folder} is in a bare repository without a remote; fleet starts from a clone")
    return clones


def known(root: Path, url: str) -> Checkout | None:
    """A clone that was found before, if it is still one of this remote."""
    bare = (root / "HEAD").is_file() and (root / "objects").is_dir()
    if not bare and not (root / ".git").exists():
        return None
    try:
        found = _inspect(root, bare)
    except (GitTrouble, runner.NotInstalled):
        return None
    return next((checkout for checkout in found if giturl.same(checkout.url, url)), None)


def _inspect(root: Path, bare: bool = False) -> list[Checkout]:
    # git asks who owns a repository only when it finds it by itself, so a bare one is not named here but found
    trust = ["-c", "safe.bareRepository=all"] if bare else []
    asked = runner.call(
        ["git", "-C", str(root), *trust, "rev-parse", "--path-format=absolute", "--git-common-dir"], env=environment()
    )
    if asked.code:
        raise Refused(explain(asked.errors), asked.errors)
    common = Path(asked.out.decode("utf-8", "surrogateescape").removesuffix("\n"))
    config = configuration(root, checkout=not bare)
    rewrites = _rewrites(config)
    urls = {key[7:-4]: value for key, value in reversed(config) if key.startswith("remote.") and key.endswith(".url")}
    pushes = {key[7:-8]: v for key, v in reversed(config) if key.startswith("remote.") and key.endswith(".pushurl")}
    values = dict(config)
    problem = ""
    if (common / "shallow").exists():
        problem = "the clone is shallow"
    elif (
        any(key.endswith((".promisor", ".partialclonefilter")) for key in values) or "extensions.partialclone" in values
    ):
        problem = "the clone is partial"
    hooks = runnable(hooks_folder(common, root, values.get("core.hookspath")))
    return [
        Checkout(
            root,
            common,
            name,
            giturl.bare(_rewritten(_absolute(url, root), rewrites)),
            giturl.bare(pushes.get(name, "")),
            hooks,
            problem,
            bare,
        )
        for name, url in sorted(urls.items(), key=lambda item: (item[0] != "origin", item[0]))
    ]


def match(folders: Iterable[tuple[Path, str]], url: str) -> Checkout | None:
    """The first clone whose remote is the repository at `url`; `folders` come with a URL that overrides the remote's.

    A folder that is gone, bare or not trusted is passed over: it cannot be the clone that is meant.
    """
    wanted = giturl.parse(url).key
    for folder, alias in folders:
        try:
            found = find_checkouts(folder)
        except (GitTrouble, runner.NotInstalled):
            continue
        if alias and found and giturl.same(alias, url):
            return found[0]
        for checkout in found:
            if key_of(checkout.url) == wanted:
                return checkout
    return None


def user(place: Path, *, checkout: bool) -> User:
    """Who commits at a place, never guessed from the machine's name. Raises GitTrouble when git does not know."""
    config = configuration(place, checkout=checkout)
    git = Git(place, checkout=checkout)
    git.config = (("user.useConfigOnly", "true"),)
    author = git.text("var", "GIT_AUTHOR_IDENT")
    apart = any(key.startswith(("author.", "committer.")) for key, _ in config) or any(
        name.startswith(("GIT_AUTHOR_", "GIT_COMMITTER_")) for name in os.environ
    )
    committer = git.text("var", "GIT_COMMITTER_IDENT") if apart else author
    held = {key: value.lower() in _TRUE for key, value in config}
    names = ("commit.gpgsign", "tag.gpgsign", "format.signoff")
    sign, sign_tags, sign_off = (held.get(name, False) for name in names)
    return User(author, committer, sign, taken_over(config), sign_tags, sign_off)


def commit_template(place: Path, *, checkout: bool) -> str:
    """The text of the user's `commit.template` without its comments; "" when there is none that can be read."""
    values = dict(configuration(place, checkout=checkout))
    named = values.get("commit.template", "")
    path = Path(named).expanduser() if named else None
    if path is None or not (path.is_absolute() or checkout):
        return ""
    try:
        with (place / path).open("rb") as file:
            raw = file.read(_TEMPLATE + 1)
    except OSError:
        return ""
    if len(raw) > _TEMPLATE:
        return ""
    mark = values.get("core.commentchar", "#")
    lines = raw.decode("utf-8", "replace").splitlines()
    return "\n".join(line.rstrip() for line in lines if not line.startswith(mark)).strip("\n")


def login(config: Sequence[tuple[str, str]], url: str) -> Login | None:
    """The user and password that a clone's remote with this (bare) URL has in it, or gets by an insteadOf rule."""
    rewrites = _rewrites(config)
    for key, value in config:
        if key.startswith("remote.") and key.endswith(".url"):
            full = _rewritten(value, rewrites)
            if giturl.bare(full) == url and (found := giturl.login(full)):
                return Login(url, *found)
    return None


def is_taken_over(key: str) -> bool:
    """Whether a setting of the clone is carried to where fleet runs git."""
    return key.startswith(_SECTIONS) or key in _SINGLE


def taken_over(config: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """What of a clone's effective settings git needs elsewhere, ready to be given through the environment."""
    kept = [(key, value) for key, value in config if is_taken_over(key)]
    lists = {key for key, _ in kept if key.endswith((".helper", ".extraheader"))}
    # an empty value empties a list, so that what the private repository inherits too is not there twice
    return (*((key, "") for key in sorted(lists)), *kept)


def _discover(folder: Path) -> tuple[Path, bool] | None:
    """(root, whether it is bare) of the repository a folder lies in."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git  # takes a tenth of a second, so only when a clone is looked for

    try:
        with git.Repo(folder, search_parent_directories=True, expand_vars=False) as found:
            if not found.bare and found.working_tree_dir is not None:
                return Path(found.working_tree_dir), False
            root = Path(found.git_dir)
        if _inside_files(root.parent):
            raise Refused(f"{folder} is in a bare repository inside another one's files; fleet does not read it")
        return root, True
    except git.NoSuchPathError as error:
        raise GitTrouble(f"{folder} is not there") from error
    except git.InvalidGitRepositoryError:
        return None


def hooks_folder(common: Path, root: Path, configured: str | None) -> Path:
    """Where the hooks of a clone are: `core.hooksPath` as seen from its root, else `hooks` beside its objects."""
    return common / "hooks" if configured is None else root / Path(configured or os.devnull).expanduser()


def runnable(folder: Path) -> tuple[str, ...]:
    """The hooks in a folder that a commit or push by hand would run, in their order."""
    return tuple(name for name in HOOKS if (folder / name).is_file() and os.access(folder / name, os.X_OK))


def _inside_files(folder: Path) -> bool:
    """Whether a folder is part of a working tree: then what lies there may have come with its content."""
    import git

    try:
        with git.Repo(folder, search_parent_directories=True, expand_vars=False) as found:
            return not found.bare or _inside_files(Path(found.git_dir).parent)
    except (git.NoSuchPathError, git.InvalidGitRepositoryError):
        return False


def _rewritten(url: str, rewrites: Sequence[tuple[str, str]]) -> str:
    """insteadOf as git applies it: the longest matching beginning wins."""
    best = max((pair for pair in rewrites if url.startswith(pair[0])), key=lambda pair: len(pair[0]), default=None)
    return best[1] + url[len(best[0]) :] if best else url


def _rewrites(config: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The insteadOf rules as (beginning, what stands for it)."""
    return [(value, key[4:-10]) for key, value in config if key.startswith("url.") and key.endswith(".insteadof")]


def _absolute(url: str, root: Path) -> str:
    """A remote given as a relative path, seen from the clone; every other URL as it is."""
    return os.path.normpath(root / url) if url.startswith(("./", "../")) or url in (".", "..") else url


def key_of(url: str) -> str:
    """What is equal for all spellings of a remote; "" when it is none that fleet accepts."""
    try:
        return giturl.parse(url).key
    except giturl.BadUrl:
        return ""
