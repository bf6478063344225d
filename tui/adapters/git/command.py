"""One way to run git: nothing of the caller's environment or of a repository's content decides what else is run."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui.adapters import runner
from tui.domain import ports, redact

_log = logging.getLogger("fleet.git")

# The user's own way to reach remotes and to be known there; every other GIT_* variable could redirect a command to
# another repository, index or program, for example when fleet is started from a hook.
_KEPT = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_[A-Z]+|PROXY_[A-Z_]+|HTTP_[A-Z_]+|EXEC_PATH"
    r"|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|(AUTHOR|COMMITTER)_(NAME|EMAIL))"
)
_ALWAYS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("core.pager", "cat"),
    ("safe.bareRepository", "explicit"),
    ("protocol.allow", "never"),
    ("protocol.https.allow", "always"),
    ("protocol.ssh.allow", "always"),
    ("submodule.recurse", "false"),
)
# A credential helper that answers from its environment: URLs and arguments are seen by every user of the machine.
_ANSWER = (
    '!f() { test "$1" = get && '
    'printf \'username=%s\\npassword=%s\\n\' "$FLEET_LOGIN_USER" "$FLEET_LOGIN_PASSWORD"; }; f'
)
CODE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Login:
    """The user and password for one remote (`url`, bare) that the user's own configuration has in a URL."""

    url: str
    user: str = field(repr=False)
    password: str = field(repr=False)

    def settings(self) -> list[tuple[str, str]]:
        """Git asks the helper for this server only, and no rule of the user's puts the password back into the URL."""
        parts = urlsplit(self.url)
        helper = f"credential.{parts.scheme}://{parts.netloc}.helper"
        return [(f"url.{self.url}.insteadOf", self.url), (helper, ""), (helper, _ANSWER)]

    def environment(self) -> dict[str, str]:
        return {"FLEET_LOGIN_USER": self.user, "FLEET_LOGIN_PASSWORD": self.password}


class GitTrouble(ports.Trouble):
    """git said no. `said` is what it wrote, verbatim: data, never markup."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


class Refused(GitTrouble, ports.Refused):
    """fleet will not do this, for the reason given; nothing was changed."""


class NeedsTerminal(GitTrouble, ports.NeedsTerminal):
    """git, ssh or gpg wanted to ask something and had no terminal to ask on; nothing was changed."""


def inherited() -> dict[str, str]:
    """The caller's environment without what could redirect a command to another repository, index or program."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}


def environment(
    config: Sequence[tuple[str, str]] = (), *, local: bool = False, terminal: bool = False, login: Login | None = None
) -> dict[str, str]:
    """The environment git runs in: the caller's without foreign GIT_*, then `config`, then settings that always hold.

    Settings go through the environment because arguments are visible to every user of the machine and headers may
    hold tokens. `local` allows remotes that are local paths, `terminal` lets git and ssh ask on the terminal, `login`
    answers the remote that asks who this is.
    """
    env = inherited() | (login.environment() if login else {})
    settings = [
        *config,
        *(login.settings() if login else ()),
        *_ALWAYS,
        *([("protocol.file.allow", "always")] if local else []),
    ]
    env |= configured(settings)
    env |= {
        "LC_ALL": "C",  # messages are matched in English
        "LANGUAGE": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_EDITOR": "false",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "1" if terminal else "0",
    }
    if not terminal:
        env |= {"SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
        env.pop("DISPLAY", None)  # an older ssh opens a window whenever there is one
        env.pop("GPG_TTY", None)  # gpg's agent would ask on the terminal that fleet paints on
    elif sys.stdin is not None and "GPG_TTY" not in env:
        with suppress(OSError, ValueError):
            env["GPG_TTY"] = os.ttyname(sys.stdin.fileno())
    return env


def configured(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The environment variables that give git these settings, over those of its files."""
    env = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        env[f"GIT_CONFIG_KEY_{number}"], env[f"GIT_CONFIG_VALUE_{number}"] = key, value
    return env


class Git:
    """Runs git on one repository, named explicitly so that nothing is discovered."""

    def __init__(
        self, place: Path, *, checkout: bool = False, local: bool = False, worktree: Path | None = None
    ) -> None:
        """`place` is a bare repository, or with `checkout` the root of a working tree that is only read.

        With `worktree`, where it runs, `place` is what the repository keeps about that working tree.
        """
        self.place = place
        self.local = local
        self.config: tuple[tuple[str, str], ...] = ()
        self.login: Login | None = None
        self._where = ["-C", str(place)] if checkout else [f"--git-dir={place}"]
        if worktree is not None:
            self._where = ["-C", str(worktree), f"--git-dir={place}", f"--work-tree={worktree}"]

    def argv(self, *arguments: str) -> list[str]:
        return ["git", *self._where, *arguments]

    def environment(self, terminal: bool = False, config: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
        """What git runs in here, with more settings after its own."""
        return environment((*self.config, *config), local=self.local, terminal=terminal, login=self.login)

    def __call__(
        self,
        *arguments: str,
        data: bytes = b"",
        codes: Sequence[int] = (0,),
        env: Mapping[str, str] | None = None,
        terminal: bool = False,
        **options: Any,
    ) -> runner.Result:
        """Run to the end in this thread. Raises GitTrouble when the exit code is not one of `codes`."""
        result = runner.call(
            self.argv(*arguments),
            env=self.environment(terminal) | dict(env or {}),
            data=data,
            terminal=terminal,
            **options,
        )
        _log.debug("git %s: %d", arguments[0], result.code)
        return checked(result, codes)

    def text(self, *arguments: str, **options: Any) -> str:
        """stdout of a command as text, without the last newline."""
        return self(*arguments, **options).out.decode("utf-8", "surrogateescape").removesuffix("\n")

    async def run(
        self,
        *arguments: str,
        codes: Sequence[int] = (0,),
        terminal: bool = False,
        on_error_line: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        **options: Any,
    ) -> runner.Result:
        """The same for commands that talk to a remote: for coroutines, cancellable, with progress lines."""
        result = await runner.run(
            self.argv(*arguments),
            env=self.environment(terminal),
            terminal=terminal,
            on_error_line=on_error_line,
            **options,
        )
        _log.info("git %s: %d", arguments[0], result.code)
        return checked(result, codes)


def checked(result: runner.Result, codes: Sequence[int]) -> runner.Result:
    """The result itself when its exit code is one of `codes`; otherwise raises GitTrouble in plain words."""
    if result.code in codes:
        return result
    raise trouble(result)


def trouble(result: runner.Result) -> GitTrouble:
    """The error that a failed git command means."""
    said = redact.words(result.errors)
    kind = NeedsTerminal if _ASKING.search(said) else GitTrouble
    return kind(explain(said) or _ended(result.code), said)


def _ended(code: int) -> str:
    """How a git ended that said nothing."""
    if code == -signal.SIGXFSZ:
        return "git may not write files of that size (ulimit -f); nothing was changed"
    with suppress(ValueError):
        return f"git was ended by {signal.Signals(-code).name}"
    return f"git ended with code {code}"


# What git, ssh, ssh-keygen and gpg write when they have nobody to ask: measured with git 2.39, OpenSSH 9.2, GnuPG 2.2.
_ASKING = re.compile(
    r"terminal prompts disabled|could not read (Username|Password)|incorrect passphrase supplied|read_passphrase"
    r"|Host key verification failed|Permission denied \(publickey|Inappropriate ioctl for device|[Nn]o pinentry"
    r"|cannot open .*/dev/tty|can't open /dev/tty|signing failed: (No such|Timeout|End of file)"
)


_REASONS = (
    (r"\.lock': File exists", "another git is at work in fleet's repository; try again"),
    (r"dubious ownership", "git does not trust this folder because someone else owns it (see safe.directory)"),
    (r"No space left on device|Disk quota exceeded|File too large", "the disk is full; nothing was changed"),
    (r"unable to (write|create).*Permission denied|insufficient permission", "the data folder may not be written"),
    (r"Read-only file system", "the data folder is on a read-only file system"),
    (r"Could not resolve host(?:name)?:? ?([^\s;:]*)", "the host name {0} is not known"),
    (
        r"Failed to connect|Connection refused|Connection timed out|Network is unreachable|No route to host",
        "the remote does not answer",
    ),
    (r"terminal prompts disabled|could not read (Username|Password)", "the remote asks for a user name or password"),
    (
        r"Authentication failed|Permission denied \(publickey|HTTP Basic: Access denied|returned error: 40[13]",
        "the remote refuses these credentials",
    ),
    (r"Host key verification failed", "the host key of the remote is not known; connect to it once with ssh"),
    (
        r"[Rr]epository .* not found|does not appear to be a git repository|returned error: 404|"
        r"'[^']*' does not exist",
        "the remote repository is not there, or these credentials may not see it",
    ),
    (r"transport '([^']*)' not allowed", "fleet does not speak the protocol {0}"),
    (
        r"Please tell me who you are|empty ident name|no email was given|no name was given|unable to auto-detect email",
        "git does not know who you are; set user.name and user.email",
    ),
    (
        r"incorrect passphrase supplied|read_passphrase|Inappropriate ioctl for device|[Nn]o pinentry|"
        r"signing failed: (?:No such|Timeout|End of file)",
        "the key is locked and there is no terminal to ask for its passphrase on; unlock it first (ssh-add, or sign "
        "something with gpg once)",
    ),
    (r"No secret key|Couldn't load public key|[Nn]o private key", "it could not be signed: the key is not here"),
    (
        r"gpg failed to sign|failed to write commit object|unable to sign|passphrase",
        "it could not be signed; git's own words say why",
    ),
    (r"not a git repository", "the repository is not there"),
    (
        r"missing object|bad object|unable to read|loose object .* corrupt|object file .* is empty",
        "the repository lacks an object",
    ),
)


def explain(said: str) -> str:
    """What git's error output means, in one line; its own first telling line when it is none of the known ones."""
    for pattern, words in _REASONS:
        if match := re.search(pattern, said):
            return words.format(*(match.groups() or ("",)))
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("hint:")]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (telling or lines or [""])[-1].removeprefix("fatal: ").removeprefix("error: ")
