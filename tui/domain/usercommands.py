"""Commands of the user's own on an object: an argument vector, never a shell.

What is known to change clusters is refused: of the usual programs only the words that read. It keeps accidents away;
what other programs do is theirs. With `draft` a program may change the file that declares the object, as a draft.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Literal

import msgspec

from tui.domain.describing import doc

VALUES: dict[str, str] = {
    "NAME": "the object's name",
    "NAMESPACE": 'its namespace, "" when it has none',
    "CLUSTER": "the cluster it is in, as fleet calls it",
    "CONTEXT": "the context of that cluster",
    "KUBECONFIG": "the kubeconfig files fleet reads",
    "KIND": "its kind, such as Deployment",
    "RESOURCE": "its resource, such as deployments.apps",
    "APPLICATION": 'the Application that tracks it, as namespace/name; "" for none',
    "FILE": "with `draft`: a copy of the file that declares it",
}
SHELLS = frozenset(["sh", "bash", "dash", "zsh", "fish", "ksh", "csh", "tcsh", "cmd", "powershell", "pwsh"])
# Words that only read, of programs that could also change clusters; a word of two stands with a blank. (`kubectl diff`
# sends a dry run, which is a write.)
READS: dict[str, tuple[str, ...]] = {
    "kubectl": (
        "get", "describe", "logs", "top", "explain", "events", "version", "api-resources", "api-versions",
        "cluster-info", "wait", "kustomize", "config view", "config get-contexts", "config current-context",
        "auth can-i", "auth whoami", "rollout status", "rollout history",
    ),
    "argocd": (
        "app get", "app list", "app diff", "app manifests", "app history", "app logs", "app resources", "appset get",
        "appset list", "proj get", "proj list", "cluster get", "cluster list", "repo get", "repo list",
    ),
    "helm": ("get", "history", "list", "ls", "status", "show", "template", "version", "search", "lint"),
    "flux": ("get", "logs", "tree", "trace", "version", "check", "stats", "events"),
    "hubble": ("observe", "status", "list", "version", "watch"),
    "cilium": ("status", "version"),
}  # fmt: skip
_SAME = {"oc": "kubectl", "kubecolor": "kubectl"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_VALUE = re.compile(r"\$(?:\$|\{(\w*)\}|(\w+))")


class UserCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command. Raises ValueError, naming it and what to do, for one that fleet does not run."""

    name: Annotated[str, doc("What it is called in help and after `:`.")]
    run: Annotated[
        tuple[str, ...],
        doc(
            "The program and its arguments, one by one; no shell. In them "
            + ", ".join(f"`${name}`" for name in VALUES)
            + " (`$$` is a dollar)."
        ),
    ]
    key: Annotated[str, doc("Its key, or keys, as in `keys`.")] = ""
    scope: Annotated[tuple[str, ...], doc("Kinds it is for, by their words of `:`; without, for all.")] = ()
    help: Annotated[str, doc("One sentence for help.")] = ""
    show: Annotated[
        Literal["output", "terminal"],
        doc("`output`: it runs in the background and what it prints is shown. `terminal`: it has the terminal."),
    ] = "output"
    draft: Annotated[bool, doc("It changes `$FILE`; what it leaves there becomes a draft, after a look at it.")] = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name for a command: one word of letters, digits, - and _ is")
        if not self.run or not self.run[0]:
            raise ValueError(f"command {self.name}: run needs a program")
        program = PurePath(self.run[0]).name.lower().removesuffix(".exe")
        if program in SHELLS:
            raise ValueError(f"command {self.name}: fleet runs no shell: put the line into a script of its own")
        for word in self.run:
            for match in _VALUE.finditer(word):
                self._check_value(match)
        if self.draft != any("FILE" in (match[1], match[2]) for each in self.run for match in _VALUE.finditer(each)):
            raise ValueError(f"command {self.name}: draft and $FILE go together")
        if told := _changes(_SAME.get(program, program), self.run[1:]):
            raise ValueError(f"command {self.name}: {told}")

    def _check_value(self, match: re.Match[str]) -> None:
        name = match[1] if match[1] is not None else match[2]
        if name is not None and name not in VALUES:
            known = ", ".join(f"${each}" for each in VALUES)
            raise ValueError(f"command {self.name}: there is no ${name}: {known}; $$ is a dollar")

    @property
    def id(self) -> str:
        """Its id among the actions that have keys."""
        return f"own:{self.name}"  # as `tui.ui.keys.OWN` begins

    @property
    def told(self) -> str:
        """What it does, in a sentence."""
        return self.help or f"Run {' '.join(self.run)}."

    def argv(self, values: Mapping[str, str]) -> list[str]:
        """The arguments with the values in their places, each within one argument.

        Raises ValueError when a value would be taken for an option, or cannot stand in an argument at all.
        """
        made = [_VALUE.sub(lambda match: _value(match, values), word) for word in self.run]
        for word, found in zip(self.run, made, strict=True):
            if "\0" in found:
                raise ValueError(f"{self.name}: a value for {word} has a NUL character")
            if found.startswith("-") and not word.startswith("-"):
                raise ValueError(f"{self.name}: {word} is {found!r} here, which would be taken for an option")
        return made


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    name = match[1] if match[1] is not None else match[2]
    return "$" if name is None else values[name]


def _changes(program: str, arguments: tuple[str, ...]) -> str:
    """Why a program with these arguments is not run, in words; "" when nothing speaks against it."""
    if program == "k9s":
        return "" if "--readonly" in arguments else "k9s can change clusters: give it --readonly"
    reads = READS.get(program)
    if reads is None or " ".join(arguments[:1]) in reads or " ".join(arguments[:2]) in reads:
        return ""
    words = ", ".join(reads)
    if not arguments or arguments[0].startswith("-"):
        return f"the word of {program} comes first, options after it: {words}"
    return (
        f"{program} {arguments[0]} may change a cluster, which fleet leaves to Git: `draft: true` with $FILE makes a "
        f"draft; what only reads is {words}"
    )
