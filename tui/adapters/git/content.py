"""Which files may be edited as text, and in what words the others are refused."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from tui.adapters.git.command import Refused
from tui.adapters.git.objects import EXECUTABLE, FILE, FOLDER, LINK, MODULE, Entry, Missing, Objects, path_parts
from tui.domain.drafts.model import Content
from tui.domain.gitpath import folded, unfit

_LFS = b"version https://git-lfs.github.com/spec/"
_SOPS = re.compile(r"""^sops:\s*$(?:\n(?:[ \t].*)?)*?\n[ \t]+mac:|^[ \t]*"sops":\s*\{""", re.MULTILINE)


def read(objects: Objects, root: str, path: str) -> Content:
    """The text of a file below a tree. Raises Missing when it is not there, Refused when it is not to be edited."""
    entry = objects.entry(root, path)
    if entry is None:
        raise Missing(f"{path} is not there")
    editable(path, entry, objects)
    raw = objects.read(entry.oid, "blob")
    text = decoded(path, raw)
    refuse_attributes(objects, root, path)
    return Content(path, text, entry.oid, entry.mode)


def editable(path: str, entry: Entry, objects: Objects) -> None:
    """Raises Refused for anything that is not a plain file."""
    if entry.mode in (LINK, MODULE):
        raise Refused(objects.special(path, entry))
    if entry.mode not in (FILE, EXECUTABLE, 0o100664):
        what = "a folder" if entry.mode == FOLDER else "not a file"
        raise Refused(f"{path} is {what}; fleet edits plain files only")


def decoded(path: str, raw: bytes) -> str:
    """The text of a file's bytes. Raises Refused for what would be damaged by editing it as text."""
    if raw.startswith(_LFS):
        raise Refused(f"{path} is kept in Git LFS; what Git has is only a pointer to it")
    if raw.startswith(b"\0GITCRYPT"):
        raise Refused(f"{path} is encrypted with git-crypt")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(f"{path} is UTF-16; fleet edits UTF-8")
    if b"\0" in raw:
        raise Refused(f"{path} is binary")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refused(f"{path}, line {line}: not UTF-8 (byte 0x{raw[error.start]:02x})") from error
    if _SOPS.search(text.replace("\r\n", "\n")):
        raise Refused(f"{path} is encrypted with sops; an edit would break its checksum, use `sops edit`")
    return text


def refuse_attributes(objects: Objects, root: str, path: str) -> None:
    """Raises Refused when a `.gitattributes` on the way says that Git converts this file with a program."""
    names = ("filter", "working-tree-encoding")
    for name, value in attributes(objects, root, path, names).items():
        raise Refused(f"{path} is converted by Git ({name}={value}); fleet edits files as they are stored")


def stored_ends(objects: Objects, root: str, path: str, data: bytes) -> bytes:
    """A new file's content with the line ends that Git would store it with: LF where its attributes make it text."""
    if b"\r\n" not in data:
        return data
    held = attributes(objects, root, path, ("text", "eol"))
    return data.replace(b"\r\n", b"\n") if held else data


def attributes(objects: Objects, root: str, path: str, names: Sequence[str]) -> dict[str, str]:
    """The values of attributes that the `.gitattributes` files on the way to a path set; those unset are left out.

    Asks git itself, with an index of its own that holds nothing but those `.gitattributes` files.
    """
    parts = path_parts(path)
    found: list[tuple[bytes, Entry]] = []
    folder = root
    for depth in range(len(parts)):
        entries = objects.tree(folder)
        if (held := entries.get(b".gitattributes")) and held.mode in (FILE, EXECUTABLE):
            found.append((b"/".join([*parts[:depth], b".gitattributes"]), held))
        inner = entries.get(parts[depth])
        if inner is None or inner.mode != FOLDER:
            break
        folder = inner.oid
    if not any(name.encode() in objects.read(entry.oid, "blob") for _, entry in found for name in names):
        return {}
    with tempfile.TemporaryDirectory(prefix="fleet-") as place:
        env = {"GIT_INDEX_FILE": str(Path(place) / "index"), "GIT_WORK_TREE": place, "GIT_ATTR_NOSYSTEM": "1"}
        lines = b"".join(b"%o %s\t%s\0" % (entry.mode, entry.oid.encode(), name) for name, entry in found)
        objects.git("update-index", "-z", "--index-info", data=lines, env=env, cwd=place)
        raw = objects.git(
            "check-attr", "--cached", "-z", "--stdin", *names, data=path.encode() + b"\0", env=env, cwd=place
        ).out
    values = raw.decode("utf-8", "replace").split("\0")
    told = zip(values[1::3], values[2::3], strict=False)
    return {name: value for name, value in told if value not in ("unspecified", "unset", "")}


def refuse_name(objects: Objects, root: str, path: str, besides: Collection[str] = ()) -> None:
    """Raises Refused for a new file that some checkout could not hold, or not beside what is there.

    Anywhere on its way a name may differ from one that is there in more than case or the form of accents; `besides`
    are files that go.
    """
    if why := unfit(path):
        raise Refused(f"{path[:60]}: {why}; it could not be checked out")
    if there := twin(objects, root, path, besides):
        raise Refused(
            f"{path} differs from {there}, which is there, only in case or accents: many checkouts could not hold both"
        )


def twin(objects: Objects, root: str, path: str, besides: Collection[str] = ()) -> str:
    """What is there that a file system which ignores case would take for a new file, or a folder on its way; "" = none.

    Costs the folders on the way. `besides` are files that go.
    """
    folder, gone = root, {name.encode("utf-8", "surrogateescape") for name in besides}
    parts = path_parts(path)
    for depth, part in enumerate(parts):
        entries = objects.tree(folder)
        wanted = folded(part.decode("utf-8"))
        for name in entries if part not in entries else ():
            other = b"/".join([*parts[:depth], name])
            if other not in gone and folded(name.decode("utf-8", "replace")) == wanted:
                return other.decode("utf-8", "replace")
        inner = entries.get(part)
        if inner is None or inner.mode != FOLDER:
            break
        folder = inner.oid
    return ""
