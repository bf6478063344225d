"""Commit messages proposed from what an edit did: `payments: raise replicas 3 → 5 in prod-eu-1, prod-us-1`.

What changed is read from the documents before and after, so that it says the same whether a form, a command or an
editor made the change. Names out of files and clusters are put on one line and lose their control characters.
"""

from __future__ import annotations

import posixpath
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tui.domain.edits import EDITS, kind_of
from tui.domain.edits.base import arrow, show
from tui.domain.settings import PLAIN, CommitStyle
from tui.domain.yamledit import Match, Refused, Session, Step, documents, format_path
from tui.domain.yamlvalue import same

SUBJECT = 72
"""Characters of a subject line that Git's own tools and forges show without cutting."""

MOST_LINES = 40
"""Changes listed in a message's body."""


class Touched(msgspec.Struct, frozen=True):
    """One file of an edit; `before` or `after` is None when it is new or gone."""

    file: str
    before: str | None
    after: str | None
    applications: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    old_file: str = ""  # its path before; "" = the same


class Message(msgspec.Struct, frozen=True):
    """A commit message in its three parts."""

    subject: str
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The whole message, as `git commit -F` takes it."""
        trailers = "\n".join(f"{key}: {value}" for key, value in self.trailers)
        return "\n\n".join(part for part in (self.subject, self.body, trailers) if part) + "\n"


class Difference(msgspec.Struct, frozen=True):
    """One value that differs. `there` says on which sides it exists: "both", "old" or "new".

    An item of a list that has come or gone stands at number -1.
    """

    path: tuple[Step, ...]
    old: Any
    new: Any
    there: str = "both"


class Described(msgspec.Struct, frozen=True):
    """What changed in one object: `object` is `Kind namespace/name`, "" for files that hold none.

    `kind` is the kind of edit (`settings.KINDS_OF_EDIT`) when all of it is of one kind, else "".
    """

    object: str
    name: str
    changes: tuple[str, ...]
    kind: str = ""


def clean(text: str) -> str:
    """One line without control or invisible formatting characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def differences(old: Any, new: Any, path: tuple[Step, ...] = ()) -> Iterator[Difference]:
    """Where two documents differ, as deep as possible; items of lists that have names are compared by name."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _entry(old, new, key, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        left, right = _by_name(old), _by_name(new)
        if left is not None and right is not None:
            for name in [*left, *(name for name in right if name not in left)]:
                yield from _entry(left, right, name, (*path, Match("name", name)))
        elif len(old) == len(new):
            for index, (was, now) in enumerate(zip(old, new, strict=True)):
                yield from differences(was, now, (*path, index))
        else:
            gone = [item for item in old if not any(same(item, other) for other in new)]
            come = [item for item in new if not any(same(item, other) for other in old)]
            yield from (Difference((*path, -1), item, None, "old") for item in gone)
            yield from (Difference((*path, -1), None, item, "new") for item in come)
            if not gone and not come:
                yield Difference(path, old, new)
    else:
        yield Difference(path, old, new)


def _entry(old: Mapping[str, Any], new: Mapping[str, Any], key: str, path: tuple[Step, ...]) -> Iterator[Difference]:
    if key not in new:
        yield Difference(path, old[key], None, "old")
    elif key not in old:
        yield Difference(path, None, new[key], "new")
    else:
        yield from differences(old[key], new[key], path)


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    names = {item["name"]: item for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)}
    return names if len(names) == len(items) else None


_POLICY = re.compile(
    r"specs?(\[\d+\])?\.(ingress|egress|enableDefaultDeny|endpointSelector|nodeSelector|podSelector|policyTypes)"
)
_COVERED: dict[str, Callable[[str], bool]] = {
    "image": lambda path: path.endswith((".image", ".newTag", ".digest", ".tag")) or path.startswith("images["),
    "replicas": lambda path: path.endswith((".replicas", ".count", "replicaCount")) or path == "replicas",
    "revision": lambda path: path.endswith(".targetRevision"),
    "auto-sync": lambda path: ".syncPolicy" in path and (".automated" in path or path.endswith(".syncPolicy")),
    "policy": lambda path: bool(_POLICY.match(path)),
    "metadata": lambda path: path.startswith(("metadata.labels", "metadata.annotations")),
}
"""Which differences an edit's own words already tell."""


def describe_document(file: str, old: Any, new: Any) -> list[str]:
    """What changed from one document (plain values) to another, in plain words: the forms' words first, then paths."""
    return _describe(file, old, new)[0]


def _describe(file: str, old: Any, new: Any) -> tuple[list[str], str]:
    """The words, and the kind of edit when all of it is of one kind."""
    kind = kind_of(new, file)
    out: list[str] = []
    told: list[Callable[[str], bool]] = []
    kinds: list[str] = []
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name, edit in EDITS.items():
            words = edit.describe(kind, old, new)
            if words:
                out += words
                told.append(_COVERED[name])
                kinds.append(name)
    for difference in differences(old, new):
        path = format_path(difference.path)
        if not any(covers(path) for covers in told):
            out.append(_words(path or "the document", difference))
            kinds.append("")
    return [clean(line) for line in out], kinds[0] if len(set(kinds)) == 1 else ""


def _words(path: str, difference: Difference) -> str:
    if difference.there == "both":
        return f"set {path} {arrow(difference.old, difference.new)}"
    last = difference.path[-1] if difference.path else ""
    value = difference.new if difference.there == "new" else difference.old
    if isinstance(last, str) and last:
        if difference.there == "old":
            return f"remove {path}"
        return f"set {path} to {show(value)}" if not isinstance(value, dict | list) else f"add {path}"
    if isinstance(last, Match):
        return f"{'add' if difference.there == 'new' else 'remove'} {path}"
    word, by = ("add", "to") if difference.there == "new" else ("remove", "from")
    return f"{word} {show(value)} {by} {format_path(difference.path[:-1]) or 'the list'}"


def describe_file(touched: Touched) -> list[Described]:
    """What changed in each object of a file; one entry without an object for text that is no YAML."""
    try:
        old = _objects(touched.before, touched.file)
        new = _objects(touched.after, touched.file)
    except Refused:
        return [Described("", "", (f"{_file_verb(touched)} {clean(touched.file)}",), _file_kind(touched))]
    out = []
    if touched.old_file and touched.old_file != touched.file:
        out.append(Described("", "", (f"move {clean(touched.old_file)} to {clean(touched.file)}",), ""))
    for key in [*old, *(key for key in new if key not in old)]:
        words, kind = _object_words(touched.file, old.get(key), new.get(key), key[0])
        if words:
            out.append(Described(clean(key[0]), clean(key[1]), tuple(words), kind))
    if not out and touched.before != touched.after:
        verb = "edit comments in" if touched.before is not None and touched.after is not None else _file_verb(touched)
        out.append(Described("", "", (f"{verb} {clean(touched.file)}",), _file_kind(touched)))
    return out


def _file_verb(touched: Touched) -> str:
    return "add" if touched.before is None else "remove" if touched.after is None else "edit"


def _file_kind(touched: Touched) -> str:
    return "add" if touched.before is None else "remove" if touched.after is None else ""


def _object_words(file: str, old: Any, new: Any, name: str) -> tuple[list[str], str]:
    if old is None:
        return [clean(f"add {name or file}")], "add"
    if new is None:
        return [clean(f"remove {name or file}")], "remove"
    return _describe(file, old, new)


def _objects(text: str | None, file: str) -> dict[tuple[str, str, int], Any]:
    """(object, name, number among those of that name) → plain values."""
    out: dict[tuple[str, str, int], Any] = {}
    for document in documents(text or ""):
        session = Session(text or "", document.index)
        if session.template:
            raise Refused("a template, of which only parts can be read")
        place = f"{document.namespace}/{document.name}" if document.namespace else document.name
        label = f"{document.kind} {place}".strip() if document.name else ""
        number = 0
        while (label, document.name, number) in out:
            number += 1
        out[label, document.name, number] = session.value()
    return out


def propose(
    touched: Sequence[Touched], subject: str = "", style: CommitStyle = PLAIN, draft: str = "", more: str = ""
) -> Message:
    """The message for an edit of these files, in the configured style.

    A `subject` of the user's own is kept; the rest is added to it. `draft` is the draft's title, `more` what the
    user's `commit.template` wants in every message.
    """
    described = [(one, entry) for one in touched for entry in describe_file(one)]
    where = _places(touched)
    applications = _unique(name for one in touched for name in one.applications)
    clusters = _unique(name for one in touched for name in one.clusters)
    places = _unique(name for one in touched for name in where[one.file])
    objects = _unique(entry.object for _, entry in described if entry.object)
    trailers = [("Fleet-Application", name) for name in applications]
    trailers += [("Fleet-Cluster", name) for name in clusters]
    trailers += [("Fleet-Object", name) for name in objects[:MOST_LINES]]
    lines = _unique(words for _, entry in described for words in entry.changes)
    apart = _apart(described, where)
    scope = clean(style.scope) or _scope(touched, described, applications)
    kinds = {entry.kind for _, entry in described}
    type = style.types.get(next(iter(kinds)), style.type) if len(kinds) == 1 else style.type
    body = "" if len(lines) <= 1 and len(described) <= 1 else "\n".join(_body(described, where))
    if style.template and not subject:
        fields = {
            "summary": _subject("", lines, places, apart),
            "type": type, "scope": scope, "draft": clean(draft), "body": body,
            "applications": ", ".join(applications), "clusters": ", ".join(clusters),
            "objects": ", ".join(objects[:MOST_LINES]),
            "files": ", ".join(_unique(one.file for one in touched)[:MOST_LINES]),
        }  # fmt: skip
        first, _, body = filled(style.template, fields).partition("\n")
    elif subject:
        first = clean(subject)
    else:
        head = f"{scope}: " if scope else ""
        if style.style == "conventional":
            head = f"{type}({scope.translate(_NO_SCOPE)}): " if scope else f"{type}: "
        first = _subject(head, lines, places, apart)
    body = "\n\n".join(part for part in (body.strip("\n"), more if not style.template else "") if part)
    return Message(first, body, tuple(trailers))


_NO_SCOPE = {ord(char): None for char in "()\n"}


def filled(template: str, fields: Mapping[str, str]) -> str:
    """A template with its fields; what stays empty leaves no blank lines. The first line is the subject."""
    parts = string.Formatter().parse(template)
    text = "".join(literal + (fields.get(name, "") if name else "") for literal, name, _, _ in parts)
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def signed_off(message: str, who: str) -> str:
    """The message with `Signed-off-by: Name <mail>` as its last line, once (Developer Certificate of Origin)."""
    line = f"Signed-off-by: {clean(who)}"
    body, separator, last = message.rstrip().rpartition("\n\n")
    trailers = [each for each in last.splitlines() if each != line]
    if separator and trailers and all(re.match(r"[A-Za-z0-9-]+: |[ \t]", each) for each in trailers):
        return "\n".join([f"{body}\n", *trailers, line]) + "\n"
    kept = "\n".join(trailers) if separator else last
    return "\n\n".join(part for part in (body, kept, line) if part.strip()) + "\n"


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(cleaned for name in names if (cleaned := clean(name))))


def _scope(touched: Sequence[Touched], described: Sequence[tuple[Touched, Described]], applications: list[str]) -> str:
    """What the message is about: its Applications, else the object, else the folder."""
    if applications:
        return ", ".join(applications) if len(applications) < 3 else f"{len(applications)} applications"
    names = _unique(entry.name for _, entry in described if entry.name)
    if len(names) == 1:
        return names[0]
    folder = posixpath.commonpath([posixpath.dirname("/" + one.file) for one in touched]) if touched else "/"
    return clean(posixpath.basename(folder))


def _places(touched: Sequence[Touched]) -> dict[str, tuple[str, ...]]:
    """Where each file takes effect, by file: its clusters, or the one folder or file name by which the files differ."""
    where = {one.file: one.clusters for one in touched}
    if any(where.values()):
        return where
    parts = [one.file.split("/") for one in touched]
    if len({len(each) for each in parts}) == 1:
        differing = [number for number, names in enumerate(zip(*parts, strict=True)) if len(set(names)) > 1]
        if len(differing) == 1:
            return {one.file: (each[differing[0]],) for one, each in zip(touched, parts, strict=True)}
    return where


def _apart(described: Sequence[tuple[Touched, Described]], where: Mapping[str, tuple[str, ...]]) -> str:
    """`raise replicas 3 → 5 in eu, 3 → 6 in us` when one thing was done in each place, differently; else ""."""
    done: dict[str, list[str]] = {}
    for one, entry in described:
        if len(entry.changes) != 1 or not where[one.file]:
            return ""
        done.setdefault(entry.changes[0], []).extend(where[one.file])
    if len(done) < 2 or len(_unique(place for each in done.values() for place in each)) < len(done):
        return ""
    said: list[str] = []
    shared = posixpath.commonprefix([words.split(" ")[:-3] for words in done])
    for words, places in done.items():
        own = words.split(" ")[len(shared) if said else 0 :]
        said.append(f"{' '.join(own)} in {', '.join(_unique(places))}")
    return ", ".join(said)


def _subject(head: str, lines: list[str], clusters: list[str], apart: str = "") -> str:
    """One line of at most SUBJECT characters: `head`, what was done, and where."""
    if apart and len(head) + len(apart) <= SUBJECT:
        return head + apart
    if not lines:
        what = "no change"
    elif len(lines) == 1:
        what = lines[0]
    elif len(lines) == 2 and sum(map(len, lines)) < SUBJECT - 30:
        what = " and ".join(lines)
    else:
        what = f"{lines[0]} and {len(lines) - 1} more"
    head += what
    for tail in _tails(clusters):
        if len(head) + len(tail) <= SUBJECT:
            return head + tail
    return head if len(head) <= SUBJECT else head[: SUBJECT - 1] + "…"


def _tails(clusters: list[str]) -> Iterator[str]:
    if clusters:
        yield " in " + ", ".join(clusters)
        if len(clusters) > 2:
            yield f" in {clusters[0]} and {len(clusters) - 1} more clusters"
        yield f" in {len(clusters)} clusters" if len(clusters) > 1 else ""


def _body(described: Sequence[tuple[Touched, Described]], where: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """One line per object and change; the same change in many objects once, with its count."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for one, entry in described:
        place = f" in {', '.join(map(clean, where[one.file]))}" if where[one.file] and entry.object else ""
        for words in entry.changes:
            groups.setdefault(words, []).append((entry.object or clean(one.file), place))
    for number, (words, places) in enumerate(groups.items()):
        if number == MOST_LINES:
            yield f"- and {len(groups) - MOST_LINES} more"
            return
        object, place = places[0]
        if len(places) > 1:
            yield f"- {object} and {len(places) - 1} more: {words}"
        else:
            yield f"- {object}{place}: {words}" if object not in words else f"- {words}{place}"
