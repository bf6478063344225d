"""Which files may be edited as text, and in what words the others are refused."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tui.adapters.git.command import Refused
from tui.adapters.git.objects import EXECUTABLE, FILE, FOLDER, LINK, MODULE, Entry, Missing, Objects, path_parts
from tui.domain.draft import Content

_LFS = b"version https://git-lfs.github.com/spec/"
_SOPS = re.compile(r"""^sops:\s*$(?:\n(?:[ \t].*)?)*?\n[ \t]+mac:|^[ \t]*"sops":\s*\{""", re.MULTILINE)


def read(objects: Objects, root: str, path: str) -> Content:
    """The text of a file below a tree. Raises Missing when it is not there, Refused when it is not to be edited."""
    entry = objects.entry(root, path)
    if entry is None:
        raise Missing(f"{path} is not there")
    editable(path, entry)
    raw = objects.read(entry.oid, "blob")
    text = decoded(path, raw)
    refuse_attributes(objects, root, path)
    return Content(path, text, entry.oid, entry.mode)


def editable(path: str, entry: Entry) -> None:
    """Raises Refused for anything that is not a plain file."""
    if entry.mode not in (FILE, EXECUTABLE, 0o100664):
        what = {FOLDER: "a folder", LINK: "a symbolic link", MODULE: "a submodule"}.get(entry.mode, "not a file")
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
    """Raises Refused when a `.gitattributes` on the way says that Git converts this file with a program.

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
    words = (b"filter", b"working-tree-encoding")
    if not any(word in objects.read(entry.oid, "blob") for _, entry in found for word in words):
        return
    with tempfile.TemporaryDirectory(prefix="fleet-") as place:
        env = {"GIT_INDEX_FILE": str(Path(place) / "index"), "GIT_WORK_TREE": place, "GIT_ATTR_NOSYSTEM": "1"}
        lines = b"".join(b"%o %s\t%s\0" % (entry.mode, entry.oid.encode(), name) for name, entry in found)
        objects.git("update-index", "-z", "--index-info", data=lines, env=env, cwd=place)
        raw = objects.git(
            "check-attr", "--cached", "-z", "--stdin", "filter", "working-tree-encoding",
            data=path.encode() + b"\0", env=env, cwd=place,
        ).out  # fmt: skip
    values = raw.decode("utf-8", "replace").split("\0")
    for name, value in zip(values[1::3], values[2::3], strict=False):
        if value not in ("unspecified", "unset", ""):
            raise Refused(f"{path} is converted by Git ({name}={value}); fleet edits files as they are stored")
