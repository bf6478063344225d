"""Files at two revisions of a checkout, only read: nothing is checked out, no index and no ref is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tui.adapters.git.command import Git, GitTrouble
from tui.adapters.git.objects import LARGEST, Missing, Objects
from tui.domain.yamledit import decode

_FILES = (b"100644", b"100755")


class Revisions:
    """Reads the repository that a folder belongs to."""

    def __init__(self, folder: Path) -> None:
        """Raises Missing when the folder is in no checkout."""
        self._git = Git(folder, checkout=True, local=True)
        try:
            algorithm = self._git.text("rev-parse", "--show-object-format")
        except GitTrouble as error:
            raise Missing(f"{folder}: {error}", error.said) from None
        self._objects = Objects(self._git, algorithm)

    def close(self) -> None:
        """End the reading process."""
        self._objects.close()

    def range(self, words: str) -> tuple[str, str]:
        """The commits of `BASE..HEAD`; with three dots the base is where both parted. A side left out is HEAD.

        Raises ValueError for what is no range, Missing for a side that names no commit.
        """
        dots = "..." if "..." in words else ".."
        base, found, head = words.partition(dots)
        if not found or ".." in head:
            raise ValueError(f"{words!r} is no range of revisions: write BASE..HEAD")
        old, new = self.resolve(base or "HEAD"), self.resolve(head or "HEAD")
        if dots == "...":
            old = self._git.text("merge-base", old, new, codes=(0, 1)) or old
        return old, new

    def resolve(self, word: str) -> str:
        """The commit that a word names. Raises Missing."""
        result = self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}", codes=(0, 1, 128)
        )
        oid = result.out.decode("ascii", "replace").strip()
        if result.code or not oid:
            raise Missing(f"{word} names no commit here")
        return oid

    def files(self, commit: str, paths: Sequence[str] = ()) -> dict[str, str]:
        """Path from the repository's root -> id of the content, of plain files below the paths (as from the folder).

        Raises Missing for a path that is not there.
        """
        found: dict[str, str] = {}
        for path in paths or ("",):
            where = ["--", path] if path else []
            whole = ["--full-name"] if path else ["--full-tree"]
            listed = self._git("ls-tree", "-r", "-z", *whole, commit, *where).out
            for line in listed.split(b"\0"):
                head, _, name = line.partition(b"\t")
                mode, _, rest = head.partition(b" ")
                if mode in _FILES:
                    found[name.decode("utf-8", "surrogateescape")] = rest.partition(b" ")[2].decode("ascii")
        return found

    def texts(self, oids: Iterable[str]) -> Mapping[str, str | None]:
        """Content by id; None for what is no text, or larger than fleet opens."""
        found: dict[str, str | None] = {}
        for oid in dict.fromkeys(oids):
            try:
                found[oid] = decode(self._objects.read(oid, "blob", LARGEST))
            except (GitTrouble, ValueError):
                found[oid] = None
        return found
