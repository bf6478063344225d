"""Git objects without a checkout: read through one long-lived `git cat-file --batch`, written as one small pack."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tui.adapters.git.command import CODE, Git, GitTrouble, Refused, environment
from tui.domain import ports
from tui.domain.drafts.model import one_line
from tui.domain.gitpath import destination, means_git

FILE, EXECUTABLE, LINK, MODULE, FOLDER = 0o100644, 0o100755, 0o120000, 0o160000, 0o40000
_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_ENTRIES = 100_000  # lines of parsed folders kept, about 30 MiB
LARGEST = 8 << 20  # bytes of a file that fleet opens


class Entry(NamedTuple):
    """One line of a folder: Git mode and object id."""

    mode: int
    oid: str


class Missing(GitTrouble, ports.Missing):
    """The object, revision or path is not in the repository."""


Tree = Mapping[bytes, Entry]


class Objects:
    """Reads objects of one repository. Safe to share between threads: one request is on the pipe at a time."""

    def __init__(self, git: Git, algorithm: str = "sha1") -> None:
        self.git = git
        self.algorithm = algorithm
        self.size = 64 if algorithm == "sha256" else 40  # digits of an object id
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._packed: tuple[int, ...] = ()  # what told one state of packed-refs from another when the process started
        self._known = threading.Lock()
        self._trees: OrderedDict[str, dict[bytes, Entry]] = OrderedDict()  # the one used last comes last
        self._entries = 0

    def read(self, name: str, kind: str = "", limit: int = LARGEST) -> bytes:
        """The content of an object by id or by full ref name. Raises Missing, Refused above `limit` bytes."""
        found, _, data = self._request(name, limit)
        if kind and found != kind:
            raise Missing(f"{name} is a {found}, not a {kind}")
        return data

    def resolve(self, name: str) -> str:
        """The id of the commit a full ref name or id stands for; "" when there is none. Tags are followed."""
        try:
            kind, oid, data = self._request(name, LARGEST)
        except Missing:
            return ""
        while kind == "tag":
            kind, oid, data = self._request(data[7 : 7 + self.size].decode("ascii"), LARGEST)
        return oid if kind == "commit" else ""

    def tree(self, oid: str) -> Tree:
        """A folder's entries by name, in Git's order."""
        with self._known:
            known = self._trees.get(oid)
            if known is not None:
                self._trees.move_to_end(oid)
                return known
        known = parse_tree(self.read(oid, "tree", limit=256 << 20), self.size // 2)
        with self._known:
            if oid not in self._trees:
                self._trees[oid] = known
                self._entries += len(known)
            while self._entries > _ENTRIES and len(self._trees) > 1:
                self._entries -= len(self._trees.popitem(last=False)[1])
        return known

    def root(self, commit: str) -> str:
        """The id of a commit's tree."""
        return self.read(commit, "commit")[5 : 5 + self.size].decode("ascii")

    def entry(self, root: str, path: str) -> Entry | None:
        """What is at `path` below a tree; None when nothing is. Raises Refused when the way leads through a link."""
        here = Entry(FOLDER, root)
        parts = path_parts(path)
        for depth, part in enumerate(parts):
            if here.mode != FOLDER:
                if here.mode in (LINK, MODULE):
                    raise Refused(self.special("/".join(p.decode("utf-8", "replace") for p in parts[:depth]), here))
                return None
            found = self.tree(here.oid).get(part)
            if found is None:
                return None
            here = found
        return here

    def special(self, path: str, entry: Entry) -> str:
        """What a symbolic link or submodule at `path` is, in words, and where a link leads."""
        if entry.mode == MODULE:
            return f"{path} is a submodule: its files are in a repository of their own, edit them there"
        target = self.read(entry.oid, "blob", 1 << 16).decode("utf-8", "replace")
        inside = destination(path, target)
        if inside is None:
            return f"{path} is a symbolic link that leads out of the repository, to {one_line(target)}"
        return f"{path} is a symbolic link to {one_line(inside) or 'the root'}: edit it there"

    def close(self) -> None:
        """End the reading process; the next request starts another."""
        with self._lock:
            self._stop()

    def _request(self, name: str, limit: int) -> tuple[str, str, bytes]:
        if not CODE.fullmatch(name) and (not name.startswith("refs/") or not name.isprintable() or " " in name):
            raise Missing(f"not an object id or a ref: {name!r}")
        with self._lock:
            for attempt in (1, 2):
                try:
                    return self._exchange(name, limit)
                except (OSError, EOFError) as error:  # the process is gone: killed, or the repository moved
                    self._stop()
                    if attempt == 2:
                        raise GitTrouble(f"the repository at {self.git.place} cannot be read") from error
        raise AssertionError("unreachable")

    def _exchange(self, name: str, limit: int) -> tuple[str, str, bytes]:
        if name.startswith("refs/") and (packed := self._packed_refs()) != self._packed:
            # git compares whole seconds, size and inode: refs packed twice in a second may look unchanged to it
            self._stop()
            self._packed = packed
        if self._process is None:
            self._process = subprocess.Popen(
                self.git.argv("cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(local=self.git.local),
                start_new_session=True,
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("opened with pipes")
        stdin.write(name.encode() + b"\n")
        stdin.flush()
        header = stdout.readline()
        if not header:
            raise EOFError("git cat-file has ended")
        words = header.decode("utf-8", "replace").split()
        if len(words) != 3 or not words[2].isdigit():
            raise Missing(f"{name} is not in the repository")
        size = int(words[2])
        if size > limit:
            self._stop()  # cheaper than to read it all and throw it away
            raise Refused(f"too large: {size / (1 << 20):.0f} MiB, fleet opens files up to {limit >> 20} MiB")
        data = stdout.read(size + 1)
        if len(data) != size + 1:
            raise EOFError("git cat-file ended in the middle of an object")
        return words[1], words[0], data[:-1]

    def _packed_refs(self) -> tuple[int, ...]:
        try:
            found = (self.git.place / "packed-refs").stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # a request that was never taken
                    continue
        process.wait()


class Pack:
    """Objects made in memory, to be stored together. Ids are known at once, nothing is on disk before `store`."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._made: dict[str, tuple[int, bytes]] = {}
        self._folders: dict[str, dict[bytes, Entry]] = {}

    def add(self, kind: str, data: bytes) -> str:
        """The id that this object has in the repository."""
        oid = hashlib.new(self.objects.algorithm, b"%s %d\0" % (kind.encode(), len(data)) + data).hexdigest()
        self._made[oid] = (_KINDS[kind], data)
        return oid

    def folder(self, entries: Mapping[bytes, Entry]) -> str:
        """The id of a tree with these entries."""
        ordered = sorted(entries.items(), key=lambda item: item[0] + (b"/" if item[1].mode == FOLDER else b""))
        raw = b"".join(b"%o %s\0" % (entry.mode, name) + bytes.fromhex(entry.oid) for name, entry in ordered)
        oid = self.add("tree", raw)
        self._folders[oid] = dict(ordered)
        return oid

    def replace(self, root: str, changes: Mapping[str, Entry | None]) -> str:
        """The id of a tree like `root` with some paths replaced (None removes). Reads only the folders on the way.

        Raises Refused when a path leads through a file, a symbolic link or a submodule.
        """
        below: dict[bytes, dict[str, Entry | None]] = {}
        entries = dict(self._entries(root))
        for path, entry in changes.items():
            head, _, rest = path.partition("/")
            path_parts(path)
            name = head.encode("utf-8")
            if rest:
                below.setdefault(name, {})[rest] = entry
            elif entry is None:
                entries.pop(name, None)
            else:
                entries[name] = entry
        for name, inner in below.items():
            held = entries.get(name)
            if held is not None and held.mode != FOLDER:
                what = {LINK: "symbolic link", MODULE: "submodule"}.get(held.mode, "file")
                raise Refused(f"{name.decode('utf-8', 'replace')} is a {what}, not a folder")
            folder = self.replace(held.oid if held else "", inner)
            if folder:
                entries[name] = Entry(FOLDER, folder)
            else:
                entries.pop(name, None)
        return self.folder(entries) if entries else ""

    def commit(self, tree: str, parents: Iterable[str], author: str, committer: str, message: str) -> str:
        """The id of a commit; author and committer in Git's form `Name <mail> seconds zone`."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {author}"]
        lines += [f"committer {committer}", "", message if message.endswith("\n") else message + "\n"]
        return self.add("commit", "\n".join(lines).encode("utf-8"))

    def store(self) -> None:
        """Write every object; returns when they are in the repository. Nothing refers to them yet."""
        if not self._made:
            return
        body = b"PACK" + (2).to_bytes(4, "big") + len(self._made).to_bytes(4, "big")
        for kind, data in self._made.values():
            body += _size(kind, len(data)) + zlib.compress(data, 1)
        body += hashlib.new(self.objects.algorithm, body).digest()
        self.objects.git("unpack-objects", "-q", "--strict", data=body)
        self._made.clear()

    def _entries(self, root: str) -> Tree:
        if not root:
            return {}
        return self._folders[root] if root in self._folders else self.objects.tree(root)


def parse_tree(raw: bytes, width: int) -> dict[bytes, Entry]:
    """The entries of a tree object; `width` is the bytes of an object id."""
    entries: dict[bytes, Entry] = {}
    at = 0
    while at < len(raw):
        space = raw.index(b" ", at)
        end = raw.index(b"\0", space)
        entries[raw[space + 1 : end]] = Entry(int(raw[at:space], 8), raw[end + 1 : end + 1 + width].hex())
        at = end + 1 + width
    return entries


def path_parts(path: str) -> list[bytes]:
    """The names on the way to `path` ("" is the root). Raises Refused for one that leaves the tree or means `.git`."""
    if not path:
        return []
    try:
        parts = path.encode("utf-8").split(b"/")
    except UnicodeEncodeError as error:
        raise Refused(f"the file name is not UTF-8: {path!r}") from error
    for part in parts:
        if part in (b"", b".", b"..") or b"\0" in part or means_git(part.decode("utf-8")):
            raise Refused(f"not a path inside a repository: {path!r}")
    return parts


def _size(kind: int, size: int) -> bytes:
    """The header of an object in a pack: three bits of type, then the size in groups of seven bits."""
    byte, size = (kind << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    out.append(byte)
    return bytes(out)
