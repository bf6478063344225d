"""Measures drafts in a repository of 100,000 files against the same steps by plain git plumbing, in one run.

    python -m tests.benchmarks.git_commit [--files 100000] [--commits 5000] [--rounds 30] [--keep DIR]

Prints a line per step: median milliseconds by fleet, by plumbing, and their ratio; ends with 1 when one costs more than
twice the plumbing, a commit more than 50 ms above it, or memory grows. The plumbing commit is what a script would do
without a checkout: hash-object, then ls-tree and mktree for each folder on the way, commit-tree, update-ref.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tui.adapters.git import history, replay
from tui.adapters.git import repository as private
from tui.adapters.git.checkout import find_checkouts
from tui.adapters.git.drafts import DraftRefs
from tui.adapters.git.objects import Pack
from tui.domain.drafts.model import Draft, Operation

BUDGET = 2.0  # times the plumbing
ABOVE = 50.0  # milliseconds a commit may cost above the plumbing
GROWTH = 8.0  # MiB that hundreds of edits may add to the process
LATER = 300  # edits after which memory is looked at again
AHEAD = 100  # commits by which the target moves on


def git(place: Path, *arguments: str, data: bytes | None = None) -> bytes:
    """One git command, as a script would run it."""
    return subprocess.run(["git", *arguments], cwd=place, input=data, capture_output=True, check=True).stdout


def build(place: Path, files: int, commits: int) -> Path:
    """A remote with so many files and commits, and a clone of it without a checkout of the files."""
    origin, clone = place / "origin.git", place / "clone"
    git(place, "init", "-q", "--bare", "-b", "main", str(origin))
    lines: list[bytes] = []
    stamp = b"Bench <bench@example.com> 1700000000 +0000"
    names = [name(number) for number in range(files)]
    lines.append(b"commit refs/heads/main\ncommitter %s\ndata 4\nbase\n" % stamp)
    for number, path in enumerate(names):
        text = b"apiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: %d\n" % number
        lines.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text))
    for number in range(commits - 1):
        text = b"apiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: %d\n# %d\n" % (number, number)
        path = names[number * 7919 % files].encode()
        lines.append(b"commit refs/heads/main\ncommitter %s\ndata 6\nchange\n" % stamp)
        lines.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(text), text))
    git(origin, "fast-import", "--quiet", data=b"".join(lines))
    git(origin, "repack", "-adq")
    git(place, "clone", "-q", "--no-checkout", str(origin), str(clone))
    return clone


def name(number: int) -> str:
    """clusters/c01/ns03/app07/2.yaml: 50 clusters, 25 namespaces, 20 applications, 4 files."""
    rest, file = divmod(number, 4)
    rest, app = divmod(rest, 20)
    cluster, namespace = divmod(rest, 25)
    return f"clusters/c{cluster:03}/ns{namespace:02}/app{app:02}/{file}.yaml"


def plumbing_commit(bare: Path, ref: str, path: str, text: bytes) -> None:
    """One file committed on top of a ref with git's own low-level commands."""
    old = git(bare, "rev-parse", ref).decode().strip()
    oid, kind, mode = git(bare, "hash-object", "-w", "--stdin", data=text).decode().strip(), "blob", "100644"
    parts = path.split("/")
    for depth in range(len(parts) - 1, -1, -1):
        folder = f"{old}:{'/'.join(parts[:depth])}"
        entries = git(bare, "ls-tree", folder).decode().splitlines()
        kept = [line for line in entries if line.partition("\t")[2] != parts[depth]]
        kept.append(f"{mode} {kind} {oid}\t{parts[depth]}")
        oid, kind, mode = git(bare, "mktree", data="\n".join(kept).encode() + b"\n").decode().strip(), "tree", "040000"
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
    commit = git(bare, *who, "commit-tree", "-p", old, "-m", "change", oid).decode().strip()
    git(bare, "update-ref", ref, commit, old)


def medians(rounds: int, *steps: Callable[[int], object]) -> list[float]:
    """Median milliseconds of each step. They take turns, so that what else the machine does falls on all of them."""
    took: list[list[float]] = [[] for _ in steps]
    for number in range(rounds + 1):
        for step, times in zip(steps, took, strict=True):
            start = time.perf_counter()
            step(number)
            times.append((time.perf_counter() - start) * 1000)
    return [statistics.median(times[1:]) for times in took]


class Report:
    """Prints the lines and remembers which budgets were missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def line(self, what: str, ours: float, theirs: float, note: str = "") -> None:
        """One step: median milliseconds of both."""
        ratio = ours / theirs
        print(f"{what:34} fleet {ours:9.2f} ms   plumbing {theirs:9.2f} ms   ratio {ratio:6.2f}   {note}")
        if ratio > BUDGET:
            self.missed.append(f"{what}: {ratio:.2f} times the plumbing")


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--commits", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="build here, and use what is there already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as scratch:
        place = (options.keep or Path(scratch)).absolute()
        place.mkdir(parents=True, exist_ok=True)
        if not (place / "clone").exists():
            print(f"building {options.files:,} files, {options.commits:,} commits …", file=sys.stderr)
            clone = build(place, options.files, options.commits)
            for key, value in (("user.name", "Bench"), ("user.email", "bench@example.com")):
                git(clone, "config", key, value)
        missed = measure(place, options.files, options.rounds)
    if missed:
        sys.exit("budget missed: " + "; ".join(missed))


def measure(place: Path, files: int, rounds: int) -> list[str]:
    """Each step by fleet and by git, in the same repository; returns the budgets that were missed."""
    report = Report()
    checkout = find_checkouts(place / "clone")[0]
    data = place / f"data-{os.getpid()}"
    start = time.perf_counter()
    repository = private.create_repository(data, checkout.url, checkout)
    print(f"first opening, seeded from the clone: {time.perf_counter() - start:.2f} s")
    bare = repository.path
    report.line(
        "open the repository",
        *medians(
            rounds,
            lambda _: _closed(private.open_repository(data, checkout.url, checkout)),
            lambda _: git(bare, "config", "--list"),
        ),
        "configuration, lock and sweep included",
    )
    refs, objects = DraftRefs(repository), repository.objects
    base = repository.resolve("main")
    root = objects.root(base)
    paths = [name(number * 6151 % files) for number in range(rounds + 1)]
    folders = [path.rpartition("/")[0] for path in paths]

    def listing(number: int) -> object:
        entry = objects.entry(root, folders[number])
        assert entry is not None
        return objects.tree(entry.oid)

    def read(number: int) -> bytes:
        entry = objects.entry(root, paths[number])
        assert entry is not None
        return objects.read(entry.oid)

    report.line("list a directory", *medians(rounds, listing, lambda n: git(bare, "ls-tree", f"{base}:{folders[n]}")))
    report.line("read a file", *medians(rounds, read, lambda n: git(bare, "cat-file", "-p", f"{base}:{paths[n]}")))

    draft = refs.create("bench", "main", "bench")
    git(bare, "update-ref", "refs/heads/plumbing", base)

    def edit(number: int) -> object:
        text = read(number % len(paths)) + b"# edited %d\n" % number
        return refs.edit(draft.id, {paths[number % len(paths)]: text}, [Operation(paths[number % len(paths)])])

    def commit(number: int) -> object:
        edit(number)
        return refs.commit(draft.id, "change")

    def plumbing(number: int) -> None:
        plumbing_commit(bare, "refs/heads/plumbing", paths[number], read(number) + b"# edited\n")

    report.line("stage a one-file edit", *medians(rounds, edit, plumbing), "one state, undoable")
    refs.commit(draft.id, "edits")
    paths[:] = [name((number * 6151 + 3001) % files) for number in range(rounds + 1)]
    ours, theirs = medians(rounds, commit, plumbing)
    report.line("stage and commit a one-file edit", ours, theirs, f"two states; budget: {ABOVE:.0f} ms above too")
    if ours - theirs > ABOVE:
        report.missed.append(f"a commit takes {ours - theirs:.0f} ms more than by plumbing")
    now = refs.get(draft.id)
    shape = ("diff-tree", "-r", "-p", "-M", now.base, now.head)
    patches = medians(rounds, lambda _: history.patch(repository, now.base, now.head), lambda _: git(bare, *shape))
    report.line("diff of the draft", *patches)
    moved = _move_on(bare, base)
    report.line(
        f"rebase over {AHEAD} commits",
        *medians(5, lambda _: _replayed(repository, now, moved), lambda _: _merge_trees(bare, now, moved)),
        "plumbing: git merge-tree for each commit",
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for number in range(LATER):
        edit(number)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    print(f"memory of this process: {before:.0f} MiB, {grown:+.1f} MiB after {LATER} more edits")
    if grown > GROWTH:
        report.missed.append(f"memory grew by {grown:.1f} MiB")
    repository.close()
    return report.missed


def _move_on(bare: Path, base: str) -> str:
    """The target, commits ahead, in files that no draft here changes."""
    stamp = b"Bench <bench@example.com> 1700000001 +0000"
    lines = []
    for number in range(AHEAD):
        lines.append(b"commit refs/bench/moved\ncommitter %s\ndata 4\nmore\n" % stamp)
        lines.append(b"from %s\n" % base.encode() if not number else b"")
        lines.append(b"M 100644 inline upstream/%d.yaml\ndata 5\na: 1\n\n" % number)
    git(bare, "fast-import", "--quiet", "--force", data=b"".join(lines))
    return git(bare, "rev-parse", "refs/bench/moved").decode().strip()


def _replayed(repository: private.Repository, draft: Draft, onto: str) -> None:
    stamp = "Bench <bench@example.com> 1700000000 +0000"
    pack = Pack(repository.objects)
    if replay.replay(repository, draft, onto, pack, stamp, False).clashes:
        raise AssertionError("nothing clashes here")
    pack.store()


def _merge_trees(bare: Path, draft: Draft, onto: str) -> None:
    """Cherry-picks by plumbing: the trees merged, a commit made of each."""
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
    for oid in git(bare, "rev-list", "--reverse", f"{draft.base}..{draft.tip}").decode().split():
        tree = git(bare, "merge-tree", "--write-tree", onto, oid).decode().split()[0]
        onto = git(bare, *who, "commit-tree", "-p", onto, "-m", "change", tree).decode().strip()


def _closed(repository: private.Repository | None) -> None:
    if repository is not None:
        repository.close()


if __name__ == "__main__":
    main()
