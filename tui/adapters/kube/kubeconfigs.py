"""The kubeconfig files: read, merged, and read again when they are others by now.

Rules: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ (the first file that sets
a name wins).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tui.adapters.kube.contexts import (
    LARGEST,
    NULLS,
    ClusterSpec,
    Entry,
    Problem,
    Spec,
    UserSpec,
    entries,
    in_cluster,
    spec_of,
    text_of,
)
from tui.adapters.kube.flatyaml import TooDeep, document
from tui.domain.ports import Context

Content = Mapping[str, Any]
Stamp = tuple[tuple[int, ...], ...]
KEPT = "its clusters are kept as they were read before"


@dataclass(slots=True)
class _Merged:
    clusters: dict[str, Entry] = field(default_factory=dict)
    users: dict[str, Entry] = field(default_factory=dict)
    contexts: dict[str, Entry] = field(default_factory=dict)


def files(kubeconfig: str = "", env: Mapping[str, str] | None = None) -> tuple[list[Path], bool]:
    """The kubeconfig files to read, in order, and whether a missing one is the user's mistake (named explicitly)."""
    env = os.environ if env is None else env
    if kubeconfig:
        return [Path(part).expanduser() for part in kubeconfig.split(os.pathsep) if part], True
    if listed := [Path(part).expanduser() for part in env.get("KUBECONFIG", "").split(os.pathsep) if part]:
        return list(dict.fromkeys(listed)), False
    return [Path(env.get("HOME", "") or str(Path.home())) / ".kube" / "config"], False


def load(
    kubeconfig: str = "", wanted: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> tuple[list[Spec], list[str]]:
    """What `Kubeconfigs.read` gives the first time."""
    return Kubeconfigs(kubeconfig, wanted, env).read()


class Kubeconfigs:
    """The files that fleet was started with. Every method reads the disk; one caller at a time."""

    def __init__(self, kubeconfig: str = "", wanted: Sequence[str] = (), env: Mapping[str, str] | None = None) -> None:
        """`wanted` are names or globs of contexts; none means all."""
        self._env = os.environ if env is None else env
        self._wanted = tuple(wanted)
        self._paths, self._must_exist = files(kubeconfig, self._env)
        self._held: dict[Path, Content] = {}  # as last readable
        self._read: Stamp = ()
        self._seen: Stamp = ()

    def changed(self) -> bool:
        """Whether the files are others than those read, and the same as at the last call: nobody is writing them."""
        seen, self._seen = self._seen, self._stamp()
        return self._seen == seen != self._read

    def read(self) -> tuple[list[Spec], list[str]]:
        """All contexts, in file order, and what is wrong with the files or the globs, in words.

        A file that cannot be read gives one unusable context named after it, so that it is seen where clusters are
        seen; one that could be read before counts as it was then. A file of KUBECONFIG that never existed counts as
        empty, as for kubectl; it is named when nothing else is found.
        """
        self._read = self._seen = self._stamp()  # before the content: what is written meanwhile is seen next time
        merged = _Merged()
        specs: list[Spec] = []
        problems: list[str] = []
        absent: list[str] = []
        for path in self._paths:
            try:
                content = self._content(path, problems)
            except FileNotFoundError:
                (problems if self._must_exist else absent).append(f"{path}: no such file")
            except (OSError, Problem) as error:
                reason = _reason(error)
                problems.append(f"{path}: {reason}")
                broken = Context(name=str(path), cluster="", source=str(path), problem=f"cannot be read: {reason}")
                specs.append(Spec(broken, ClusterSpec(), UserSpec()))
            else:
                _merge(merged, content, path)
        specs = [spec_of(name, each, merged.clusters, merged.users) for name, each in merged.contexts.items()] + specs
        if not specs and (inside := in_cluster(self._env)):
            specs.append(inside)
        if not specs:
            problems += absent
        return self._chosen(specs, problems), problems

    def _content(self, path: Path, problems: list[str]) -> Content:
        """A file's content, as read before when it cannot be read now. Raises OSError and `Problem` otherwise."""
        held = self._held.get(path)
        try:
            content = _parse(path)
            if held and not content:
                raise Problem("is empty")
        except FileNotFoundError:
            if held is None:
                raise
            problems.append(f"{path} is gone; {KEPT}: put it back, or start fleet again to be without them")
            return held
        except (OSError, Problem) as error:
            if held is None:
                raise
            problems.append(f"{path}: {_reason(error)}; {KEPT} until it can be read again")
            return held
        self._held[path] = content
        return content

    def _chosen(self, specs: list[Spec], problems: list[str]) -> list[Spec]:
        if not self._wanted:
            return specs
        chosen = {s.context.name for s in specs for glob in self._wanted if _matches(s.context.name, glob)}
        unused = [glob for glob in self._wanted if not any(_matches(s.context.name, glob) for s in specs)]
        problems += [f"no context is called {glob}" for glob in unused]
        return [spec for spec in specs if spec.context.name in chosen]

    def _stamp(self) -> Stamp:
        """What changes with every write, replacement, swap of a link, removal and change of rights of the files."""
        return tuple(_identity(path) for path in self._paths)


def _identity(path: Path) -> tuple[int, ...]:
    """Follows links: the files of a mounted Secret are swapped by swapping a link to their folder."""
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _matches(name: str, glob: str) -> bool:
    return name == glob or fnmatchcase(name, glob)


def _parse(path: Path) -> Mapping[str, Any]:
    if path.is_dir():
        raise Problem("is a directory")
    with path.open("rb") as handle:
        data = handle.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Problem(f"larger than {LARGEST // 1024 // 1024} MiB")
    try:
        value = document(data)
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise Problem(f"not valid YAML: {error.problem or 'syntax'}{where}") from None
    except TooDeep as error:
        raise Problem(str(error)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise Problem(f"not valid YAML: {_one_line(error)}") from None
    if value is None or (isinstance(value, str) and value in NULLS):
        return {}
    if not isinstance(value, dict):
        raise Problem("not a kubeconfig")
    if (kind := text_of(value, "kind")) not in ("", "Config"):
        raise Problem(f"not a kubeconfig but a {kind[:80]}")
    return value


def _merge(merged: _Merged, config: Mapping[str, Any], path: Path) -> None:
    for key, body_key, into in (
        ("clusters", "cluster", merged.clusters),
        ("users", "user", merged.users),
        ("contexts", "context", merged.contexts),
    ):
        here: dict[str, Entry] = {}
        for item in entries(config, key):
            name = text_of(item, "name")
            if not name:
                continue
            body = item.get(body_key)
            entry = Entry(body if isinstance(body, dict) else {}, path)
            if name in here:
                if here[name].value != entry.value:
                    here[name].problem = f"{path} has two different {key} named {name}"
                continue
            here[name] = entry
        for name, entry in here.items():
            into.setdefault(name, entry)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
