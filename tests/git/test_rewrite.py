"""Staging by file and line, and a draft's commits made anew: what is made, kept, refused, and given back by undo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.git.conftest import MAIL, NAME, World, git
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts import hunks
from tui.domain.drafts.model import Draft, Operation
from tui.domain.drafts.rewriting import EDITS, OwnCommit, Pick
from tui.domain.ports import Clashing, HookRefused, Missing, Moved, Refused
from tui.fleet.drafts import Drafts

WEB, DB, LONG = "shop/web.yaml", "shop/db.yaml", "long.yaml"
TEXT = b"".join(b"line%d: %d\n" % (number, number) for number in range(1, 21))
FOREIGN = b"caf\xe9: 1\r\nother: 2\r\nlast: 3"  # Latin-1, CRLF, no line end


def lines(**changes: str) -> bytes:
    """The long file with some lines replaced: `_3="x"` is line 3."""
    found = TEXT.split(b"\n")
    for name, text in changes.items():
        found[int(name[1:]) - 1] = text.encode()
    return b"\n".join(found)


class Bench:
    """One draft, `x`, and ways to look at it."""

    def __init__(self, world: World, repositories: GitRepositories, drafts: Drafts, repository: GitRepository) -> None:
        self.world, self.repositories, self.drafts, self.repository = world, repositories, drafts, repository
        self.path = repository.repository.path

    async def now(self) -> Draft:
        return (await self.drafts.parts("x"))[0][1]

    async def edit(self, files: dict[str, bytes | None], *operations: Operation) -> Draft:
        return await self.drafts.edit_files("x", files, operations)

    async def commit(self, message: str, files: dict[str, bytes | None], *operations: Operation) -> Draft:
        await self.edit(files, *operations)
        return await self.drafts.commit("x", message)

    async def three(self) -> Draft:
        """Three commits on different files, and one edit on top."""
        for number, (path, data) in enumerate({WEB: b"a\n", DB: b"b\n", "new.yaml": b"c\n"}.items(), 1):
            await self.commit(f"commit {number}\n\nText {number}.\n\nFleet-Cluster: c{number}", {path: data})
        return await self.edit({LONG: lines(_1="open")})

    async def own(self) -> list[OwnCommit]:
        return (await self.drafts.log("x"))[0][1]

    async def subjects(self) -> list[str]:
        return [one.subject for one in await self.own()]

    async def at(self, revision: str, path: str) -> bytes | None:
        return await self.repository.blob(revision, path)

    def git(self, *arguments: str) -> str:
        return git(self.path, *arguments)

    def tree(self, oid: str) -> str:
        return self.git("rev-parse", f"{oid}^{{tree}}")

    async def chosen(self, patch: str, path: str, *texts: str) -> dict[str, list[int]]:
        """The lines of a file in a patch with these texts."""
        (file,) = [one for one in hunks.parse(patch) if one.path == path]
        found = [line for hunk in file.hunks for line in hunk.lines if line.text in texts and line.kind in "+-"]
        assert {line.text for line in found} == set(texts)
        return {path: [line.number for line in found]}

    async def undo_gives_back(self, before: Draft) -> None:
        """Undo gives back exactly the commits, what was picked and the edits; redo what was undone."""
        after = await self.now()
        assert (after.tip, after.index, after.head) != (before.tip, before.index, before.head)
        undone = await self.drafts.undo("x")
        assert (undone.tip, undone.index, undone.head) == (before.tip, before.index, before.head)
        assert (undone.ops, undone.open_ops) == (before.ops, before.open_ops)
        redone = await self.drafts.redo("x")
        assert (redone.tip, redone.index, redone.head) == (after.tip, after.index, after.head)
        assert (redone.ops, redone.open_ops) == (after.ops, after.open_ops)
        self.git("fsck", "--strict", "--no-dangling")


@pytest.fixture
async def bench(world: World, repositories: GitRepositories) -> AsyncIterator[Bench]:
    world.commit({LONG: TEXT, "latin.conf": FOREIGN})
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    drafts = Drafts(repositories)
    await drafts.new("x", str(world.clone))
    yield Bench(world, repositories, drafts, await repositories.open(str(world.clone)))


# -- what the next commit takes ---------------------------------------------------------------------------------------


async def test_picked_lines_become_the_commit_and_the_rest_stays_open(bench: Bench) -> None:
    before = await bench.edit({LONG: lines(_2="two", _3="three", _18="last"), DB: b"size: 2\n"})
    chosen = await bench.chosen(await bench.drafts.unpicked(before), LONG, "line3: 3", "three")
    picked = await bench.drafts.stage_lines(before, chosen)
    assert await bench.at(picked.index, LONG) == lines(_3="three")
    assert await bench.at(picked.index, DB) == b"size: 1\n"
    assert picked.head == before.head
    await bench.undo_gives_back(before)
    done = await bench.drafts.commit("x", "three")
    assert await bench.at(done.tip, LONG) == lines(_3="three")
    assert await bench.at(done.head, LONG) == lines(_2="two", _3="three", _18="last")
    assert done.dirty and done.index == "" and {op.file for op in done.ops[-done.open_ops :]} == {LONG, DB}
    await bench.undo_gives_back(picked)


async def test_lines_are_picked_and_put_back_one_after_the_other(bench: Bench) -> None:
    await bench.edit({LONG: lines(_2="two", _3="three", _18="last")})
    for texts in (("line2: 2", "two"), ("line18: 18", "last")):
        await bench.drafts.stage_lines("x", await bench.chosen(await bench.drafts.unpicked("x"), LONG, *texts))
    held = await bench.now()
    assert await bench.at(held.index, LONG) == lines(_2="two", _18="last")
    held = await bench.drafts.unstage_lines(
        held, await bench.chosen(await bench.drafts.picked(held), LONG, "line2: 2", "two")
    )
    assert await bench.at(held.index, LONG) == lines(_18="last")
    rest = await bench.drafts.stage_files(held)
    assert rest.index == rest.head, "all is picked, by name: a later edit is not"
    later = await bench.edit({DB: b"later\n"})
    assert later.index == rest.index
    done = await bench.drafts.commit("x", "all that was picked")
    assert await bench.at(done.tip, LONG) == lines(_2="two", _3="three", _18="last")
    assert await bench.at(done.tip, DB) == b"size: 1\n" and await bench.at(done.head, DB) == b"later\n"
    assert [operation.file for operation in done.ops[-done.open_ops :]] == [DB]


async def test_files_are_picked_and_nothing_picked_means_all(bench: Bench) -> None:
    before = await bench.edit({LONG: None, DB: b"2\n", "new.yaml": b"new\n"}, Operation(DB, "set", application="a/db"))
    picked = await bench.drafts.stage_files("x", ["new.yaml", LONG])
    assert await bench.at(picked.index, "new.yaml") == b"new\n" and await bench.at(picked.index, LONG) is None
    await bench.drafts.unstage("x", [LONG])
    nothing = await bench.drafts.unstage("x", ["new.yaml"])
    assert nothing.index == "" and nothing.head == before.head
    with pytest.raises(Refused, match="takes all edits"):
        await bench.drafts.unstage("x")
    without = await bench.drafts.unstage("x", [DB])
    assert await bench.at(without.index, DB) == b"size: 1\n" and await bench.at(without.index, LONG) is None
    done = await bench.drafts.commit("x", "without the database")
    assert "Fleet-Application" not in bench.git("log", "-1", "--format=%B", done.tip)
    assert done.open_ops == 1
    with pytest.raises(Refused, match="nothing to take"):
        await bench.drafts.unstage("x", [DB])
    with pytest.raises(Refused, match=f"{WEB} has no edit"):
        await bench.drafts.stage_files("x", [WEB])
    done = await bench.drafts.commit("x", "database")
    assert "Fleet-Application: a/db" in bench.git("log", "-1", "--format=%B", done.tip) and not done.dirty


async def test_an_edit_taken_back_while_it_is_picked_stays_picked(bench: Bench) -> None:
    await bench.edit({LONG: lines(_1="one"), DB: b"2\n"})
    await bench.drafts.stage_files("x", [DB])
    held = await bench.edit({DB: b"size: 1\n"})
    assert await bench.at(held.index, DB) == b"2\n"
    done = await bench.drafts.commit("x", "database")
    assert await bench.at(done.tip, DB) == b"2\n" and await bench.at(done.head, DB) == b"size: 1\n"
    held = await bench.drafts.unstage("x", [DB])
    assert await bench.at(held.index, LONG) == lines(_1="one")


async def test_other_bytes_than_text_are_kept_to_the_last(bench: Bench) -> None:
    """What fleet does not edit itself may still be in a draft, and is picked and split byte for byte."""
    held = await bench.now()
    changed = b"caf\xe9: 2\r\nother: 2\r\nlast: 4"

    def step(draft: Draft, pack: object) -> Draft:
        from tui.adapters.git.objects import FILE, Entry
        from tui.domain.drafts.model import edited

        refs = bench.repository.refs
        tree = pack.replace(refs.objects.root(draft.head), {"latin.conf": Entry(FILE, pack.add("blob", changed))})  # type: ignore[attr-defined]
        return edited(draft, refs.uncommitted(pack, tree, draft.tip), [], 1.0)  # type: ignore[arg-type]

    await asyncio.to_thread(bench.repository.refs.apply, held.id, step)
    chosen = await bench.chosen(await bench.drafts.unpicked("x"), "latin.conf", "last: 3", "last: 4")
    picked = await bench.drafts.stage_lines("x", chosen)
    assert await bench.at(picked.index, "latin.conf") == FOREIGN.replace(b"last: 3", b"last: 4")
    await bench.drafts.unstage("x")
    done = await bench.drafts.commit("x", "both")
    chosen = await bench.chosen(await bench.drafts.commit_patch("x", "1"), "latin.conf", "last: 3", "last: 4")
    split = await bench.drafts.split_lines("x", done.tip, chosen, "last")
    assert await bench.at(f"{split.tip}", "latin.conf") == changed
    assert await bench.at((await bench.own())[0].oid, "latin.conf") == FOREIGN.replace(b"last: 3", b"last: 4")


async def test_a_rename_is_picked_as_a_whole(bench: Bench) -> None:
    moved = lines(_5="five")
    await bench.edit({LONG: None, "moved.yaml": moved, DB: b"2\n"})
    patch = await bench.drafts.unpicked("x")
    assert [(one.status, one.path) for one in hunks.parse(patch)] == [("R", "moved.yaml"), ("M", DB)]
    for pick in (
        lambda: bench.drafts.stage_files("x", ["moved.yaml"]),
        lambda: bench.drafts.stage_files("x", [LONG]),
        lambda: bench.drafts.stage_lines("x", {"moved.yaml": [0]}),
    ):
        held = await pick()
        assert await bench.at(held.index, "moved.yaml") == moved and await bench.at(held.index, LONG) is None
        assert await bench.at(held.index, DB) == b"size: 1\n"
        await bench.drafts.undo("x")
    await bench.drafts.stage_files("x", [LONG])
    done = await bench.drafts.commit("x", "move")
    assert bench.git("show", "--format=", "--name-status", "-M", done.tip).startswith("R")


async def test_edits_are_taken_back_by_file_and_by_line(bench: Bench) -> None:
    operation = Operation(DB, "set", path="size", old="1", new="2")
    before = await bench.edit({LONG: lines(_2="two", _18="last"), DB: b"size: 2\n", "new.yaml": b"n\n"}, operation)
    chosen = await bench.chosen(await bench.drafts.unpicked(before), LONG, "line2: 2", "two")
    held = await bench.drafts.discard_lines(before, chosen)
    assert await bench.at(held.head, LONG) == lines(_18="last") and await bench.at(held.head, DB) == b"size: 2\n"
    await bench.undo_gives_back(before)
    held = await bench.drafts.stage_files("x", [DB, LONG])
    held = await bench.drafts.discard(held, [DB, "new.yaml"])
    assert await bench.at(held.head, DB) == await bench.at(held.index, DB) == b"size: 1\n"
    assert await bench.at(held.head, "new.yaml") is None
    assert await bench.at(held.index, LONG) == lines(_18="last")
    assert {one.file for one in held.ops} == {LONG}
    held = await bench.drafts.discard(held, [LONG])
    assert not held.dirty and held.index == "" and held.ops == () and held.open_ops == 0
    assert await bench.at((await bench.drafts.undo("x")).head, LONG) == lines(_18="last")


async def test_picking_other_than_what_was_shown_is_noticed(bench: Bench) -> None:
    shown = await bench.edit({LONG: lines(_2="two"), DB: b"2\n"})
    chosen = await bench.chosen(await bench.drafts.unpicked(shown), LONG, "two")
    await bench.drafts.stage_files("x", [DB])
    for late in (
        lambda: bench.drafts.stage_lines(shown, chosen),
        lambda: bench.drafts.discard(shown, [LONG]),
        lambda: bench.drafts.amend(shown),
    ):
        with pytest.raises((Moved, Refused)):
            await late()
    assert (await bench.now()).head == shown.head
    with pytest.raises(Refused, match="no changed line"):
        await bench.drafts.stage_lines("x", {LONG: [0]})
    with pytest.raises(Missing, match="not in the patch"):
        await bench.drafts.stage_lines("x", {WEB: [0]})


# -- commits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "subjects"),
    [
        (lambda drafts: drafts.move("x", "1", up=True), ["commit 2", "commit 1", "commit 3"]),
        (lambda drafts: drafts.move("x", "3", up=False), ["commit 1", "commit 3", "commit 2"]),
        (lambda drafts: drafts.squash("x", "2"), ["commit 1", "commit 3"]),
        (lambda drafts: drafts.squash("x", "3", "both"), ["commit 1", "both"]),
        (lambda drafts: drafts.fixup("x", "3"), ["commit 1", "commit 2"]),
        (lambda drafts: drafts.reword("x", "1", "first"), ["first", "commit 2", "commit 3"]),
        (lambda drafts: drafts.drop_commit("x", "2"), ["commit 1", "commit 3"]),
        (lambda drafts: drafts.uncommit("x", "1"), ["commit 2", "commit 3"]),
        (lambda drafts: drafts.uncommit("x"), ["commit 1", "commit 2"]),
        (lambda drafts: drafts.amend("x", "1"), ["commit 1", "commit 2", "commit 3"]),
        (lambda drafts: drafts.amend("x", "", "last"), ["commit 1", "commit 2", "last"]),
    ],
)
@pytest.mark.parametrize("pick", [False, True])
async def test_every_way_to_rewrite_keeps_the_content_and_can_be_undone(
    bench: Bench, act: Callable[[Drafts], Awaitable[object]], subjects: list[str], pick: bool
) -> None:
    await bench.three()
    before = await bench.edit({"late.yaml": b"late\n"})
    if pick:
        before = await bench.drafts.stage_files("x", [LONG])
    old = await bench.own()
    await act(bench.drafts)
    after = await bench.now()
    assert await bench.subjects() == subjects
    dropped = [one for one in old if subjects == ["commit 1", "commit 3"] and one.subject == "commit 2"]
    if dropped and after.action == "drop commit":
        assert await bench.at(after.head, DB) == b"size: 1\n"
    else:
        assert bench.tree(after.head) == bench.tree(before.head)
    assert await bench.at(after.head, LONG) == lines(_1="open")
    if after.action == "amend":
        assert await bench.at(after.tip, LONG) == lines(_1="open") and after.dirty == pick and after.index == ""
    elif pick:
        assert await bench.at(after.index, LONG) == lines(_1="open")
        assert await bench.at(after.index, "late.yaml") is None
    author, committer = bench.git("log", "-1", "--format=%an <%ae>%n%cn <%ce>", after.tip).split("\n")
    assert author == committer == f"{NAME} <{MAIL}>"
    await bench.undo_gives_back(before)


async def test_messages_and_trailers_are_joined_once(bench: Bench) -> None:
    await bench.commit("one\n\nText one.\n\nFleet-Cluster: eu\nFleet-Application: a/web", {WEB: b"a\n"})
    await bench.commit("two\n\nFleet-Cluster: us\nFleet-Application: a/web", {DB: b"b\n"})
    await bench.drafts.squash("x", "2")
    (one,) = await bench.own()
    text = "one\n\nText one.\n\ntwo\n\nFleet-Cluster: eu\nFleet-Application: a/web\nFleet-Cluster: us\n"
    assert one.message == text and one.files == (DB, WEB)
    await bench.drafts.undo("x")
    await bench.drafts.fixup("x", "2")
    (one,) = await bench.own()
    assert one.message == "one\n\nText one.\n\nFleet-Cluster: eu\nFleet-Application: a/web\nFleet-Cluster: us\n"


async def test_author_and_its_date_stay(bench: Bench, home: Path) -> None:
    await bench.three()
    before = bench.git("log", "-1", "--format=%an %ae %ad", (await bench.own())[0].oid)
    config = home / ".gitconfig"
    config.write_text(config.read_text().replace(NAME, "Grace Hopper").replace(MAIL, "grace@example.com"))
    await bench.drafts.reword("x", "1", "by another")
    await bench.drafts.squash("x", "2")
    found = bench.git("log", "-1", "--format=%an %ae %ad%n%cn", (await bench.own())[0].oid).split("\n")
    assert found == [before, "Grace Hopper"]


async def test_commits_before_the_first_changed_one_stay_the_same(bench: Bench, home: Path) -> None:
    await bench.three()
    old = await bench.own()
    config = home / ".gitconfig"
    config.write_text(config.read_text().replace(NAME, "Grace Hopper"))  # made anew they would be hers
    await bench.drafts.reword("x", "3", "third")
    new = await bench.own()
    assert [one.oid for one in new[:2]] == [one.oid for one in old[:2]] and new[2].oid != old[2].oid
    before = await bench.now()
    assert (await bench.drafts.reword("x", "3", "third")).draft.state == before.state, "nothing is new"


async def test_an_order_that_does_not_fit_changes_nothing_and_says_which(bench: Bench) -> None:
    await bench.commit("first", {LONG: lines(_5="five")})
    await bench.commit("second", {LONG: lines(_5="cinq")})
    before = await bench.edit({DB: b"open\n"})
    with pytest.raises(Clashing) as caught:
        await bench.drafts.move("x", "2", up=False)
    assert "“second” and “first” change the same lines" in str(caught.value)
    assert caught.value.clashes[0].path == LONG and caught.value.clashes[0].lines == (5,)
    with pytest.raises(Clashing, match="“second” and “first” change the same lines"):
        await bench.drafts.drop_commit("x", "1")
    await bench.drafts.drop_commit("x", "2")
    assert await bench.at((await bench.now()).head, LONG) == lines(_5="five")
    await bench.drafts.undo("x")
    assert (await bench.now()).state != before.state and (await bench.now()).head == before.head


async def test_commits_that_need_each_other_are_named(bench: Bench) -> None:
    await bench.commit("add it", {"new.yaml": b"a: 1\nb: 2\n"})
    await bench.commit("change it", {"new.yaml": b"a: 2\nb: 2\n"})
    await bench.edit({"new.yaml": b"a: 3\nb: 2\n"})
    with pytest.raises(Clashing, match="“change it” needs “add it”"):
        await bench.drafts.move("x", "1", up=True)
    with pytest.raises(Clashing, match="“change it” needs “add it”"):
        await bench.drafts.drop_commit("x", "1")
    with pytest.raises(Clashing, match="the edits not committed yet and “change it” change a"):
        await bench.drafts.drop_commit("x", "2")


async def test_edits_go_into_an_older_commit_unless_later_ones_change_the_same(bench: Bench) -> None:
    await bench.commit("first", {LONG: lines(_1="one")})
    await bench.commit("second", {LONG: lines(_1="one", _10="ten")})
    await bench.edit({LONG: lines(_1="uno", _10="ten", _20="open")})
    await bench.drafts.amend("x", "1")
    first, second = await bench.own()
    assert await bench.at(first.oid, LONG) == lines(_1="uno", _20="open")
    assert await bench.at(second.oid, LONG) == lines(_1="uno", _10="ten", _20="open")
    assert not (await bench.now()).dirty
    await bench.edit({LONG: lines(_1="uno", _10="zehn", _20="open")})
    with pytest.raises(Clashing, match="the edits not committed yet and “second” change the same lines"):
        await bench.drafts.amend("x", "1")


async def test_only_what_was_picked_is_amended(bench: Bench) -> None:
    await bench.commit("first", {WEB: b"a\n"})
    await bench.edit({DB: b"2\n"}, Operation(DB, "set", application="a/db"))
    await bench.edit({LONG: lines(_2="two", _3="three")}, Operation(LONG, "set", application="a/long"))
    await bench.drafts.stage_lines("x", await bench.chosen(await bench.drafts.unpicked("x"), LONG, "line2: 2", "two"))
    before = await bench.now()
    done = (await bench.drafts.amend("x")).draft
    assert await bench.at(done.tip, LONG) == lines(_2="two") and await bench.at(done.tip, DB) == b"size: 1\n"
    assert done.index == "" and bench.tree(done.head) == bench.tree(before.head)
    (only,) = await bench.own()
    assert "Fleet-Application: a/long" in only.message and "a/db" not in only.message
    assert [one.file for one in done.ops[-done.open_ops :]] == [DB, LONG], "two lines of the long file, one is open"


async def test_a_commit_with_nothing_left_is_left_out(bench: Bench) -> None:
    await bench.commit("first", {WEB: b"a\n"})
    await bench.commit("second", {DB: b"b\n"})
    await bench.edit({DB: b"size: 1\n"})
    done = await bench.drafts.amend("x")
    assert done.emptied == ("second",) and await bench.subjects() == ["first"] and not done.draft.dirty
    await bench.commit("there", {DB: b"b\n"})
    await bench.commit("and back", {DB: b"size: 1\n"})
    done = await bench.drafts.squash("x", "3")
    assert await bench.subjects() == ["first"] and done.emptied == ("there",)


@pytest.mark.parametrize("whole", [True, False])
async def test_a_commit_is_split_by_file_and_by_line(bench: Bench, whole: bool) -> None:
    await bench.commit("before", {WEB: b"a\n"})
    await bench.commit("all", {LONG: lines(_1="one", _20="end"), "new.yaml": b"new\n", DB: None})
    await bench.commit("after", {WEB: b"b\n"})
    before = await bench.edit({WEB: b"open\n"})
    if whole:
        await bench.drafts.split("x", "2", ["new.yaml", DB], "files", "lines")
        first = {"new.yaml": b"new\n", DB: None, LONG: TEXT}
    else:
        chosen = await bench.chosen(await bench.drafts.commit_patch("x", "2"), LONG, "line1: 1", "one")
        await bench.drafts.split_lines("x", "2", chosen, "files", "lines")
        first = {"new.yaml": None, DB: b"size: 1\n", LONG: lines(_1="one")}
    own, after = await bench.own(), await bench.now()
    assert [one.subject for one in own] == ["before", "files", "lines", "after"]
    assert {path: await bench.at(own[1].oid, path) for path in first} == first
    assert bench.tree(after.head) == bench.tree(before.head) and bench.tree(after.tip) == bench.tree(before.tip)
    await bench.undo_gives_back(before)
    with pytest.raises(Refused, match="the second of the two commits would have nothing"):
        await bench.drafts.split("x", "1", [WEB])
    with pytest.raises(Missing, match="not in the commit"):
        await bench.drafts.split("x", "1", [LONG])


async def test_operations_follow_their_commits(bench: Bench) -> None:
    await bench.commit("web", {WEB: b"a\n"}, Operation(WEB, "set", path="replicas"))
    await bench.commit("db", {DB: b"b\n"}, Operation(DB, "set", path="size"), Operation(DB, "set", path="more"))
    await bench.edit({LONG: lines(_1="open")}, Operation(LONG, "set"))
    dropped = (await bench.drafts.drop_commit("x", "2")).draft
    assert [one.file for one in dropped.ops] == [WEB, LONG] and dropped.open_ops == 1
    await bench.drafts.undo("x")
    opened = (await bench.drafts.uncommit("x", "1")).draft
    assert [one.file for one in opened.ops] == [DB, DB, WEB, LONG] and opened.open_ops == 2


async def test_a_pushed_draft_is_rewritten_and_pushed_over_what_fleet_left_there(bench: Bench) -> None:
    await bench.commit("one", {WEB: b"a\n"})
    await bench.commit("two", {DB: b"b\n"})
    first = await bench.drafts.push(await bench.drafts.plan_push("x"))
    assert first.done
    await bench.drafts.move("x", "1", up=True)
    plan = await bench.drafts.plan_push("x")
    assert plan.lease == first.commit and plan.commit != first.commit
    assert (await bench.drafts.push(plan)).done
    assert git(bench.world.origin, "log", "--format=%s", "-2", plan.branch).split("\n") == ["one", "two"]
    foreign = bench.world.upstream({"by-others.yaml": "x\n"})
    git(bench.world.origin, "update-ref", f"refs/heads/{plan.branch}", foreign)
    await bench.drafts.reword("x", "1", "third")
    refused = await bench.drafts.push(await bench.drafts.plan_push("x"))
    assert not refused.done and refused.stale
    assert git(bench.world.origin, "rev-parse", plan.branch) == foreign


async def test_two_fleets_rewrite_one_draft_and_one_of_them_is_told(bench: Bench) -> None:
    await bench.three()
    other = GitRepositories(bench.world.data, bench.world.clone)
    shown = await bench.now()
    second = Drafts(other)
    results = await asyncio.gather(
        bench.drafts.reword(shown, "1", "mine"), second.reword(shown, "1", "theirs"), return_exceptions=True
    )
    await other.close()
    assert sorted(isinstance(result, Moved) for result in results) == [False, True]
    assert (await bench.subjects())[0] in ("mine", "theirs")
    await bench.undo_gives_back(shown)


async def test_hooks_see_what_is_new_and_a_refusal_changes_nothing(bench: Bench) -> None:
    await bench.commit("one", {WEB: b"a\n"})
    await bench.commit("two", {DB: b"b\n"})
    before = await bench.now()
    bench.world.sealed = None  # the hook is put into the user's clone
    hook = bench.world.clone / ".git/hooks/commit-msg"
    hook.write_text('#!/bin/sh\nread -r line < "$1"\ncase $line in bad*) echo no bad words; exit 1;; esac\n')
    hook.chmod(0o755)
    bench.world.seal()
    with pytest.raises(HookRefused) as caught:
        await bench.drafts.reword("x", "1", "bad")
    assert "no bad words" in caught.value.lines
    assert (await bench.now()).state == before.state
    await bench.drafts.reword("x", "1", "good")
    await bench.drafts.move("x", "1", up=True)
    assert await bench.subjects() == ["two", "good"]


@pytest.mark.parametrize("oid", ["9", "zzzz", "0" * 40])
async def test_a_commit_that_is_not_there_is_named(bench: Bench, oid: str) -> None:
    await bench.commit("one", {WEB: b"a\n"})
    with pytest.raises(Missing, match=r"no commit|has 1 commit"):
        await bench.drafts.drop_commit("x", oid)


async def test_what_makes_no_sense_is_refused(bench: Bench) -> None:
    with pytest.raises(Refused, match="no commit yet"):
        await bench.drafts.amend("x")
    await bench.commit("one", {WEB: b"a\n"})
    own = await bench.own()
    for act, words in (
        (lambda: bench.drafts.squash("x", "1"), "oldest commit"),
        (lambda: bench.drafts.move("x", "1", up=True), "newest commit"),
        (lambda: bench.drafts.move("x", "1", up=False), "oldest commit"),
        (lambda: bench.drafts.amend("x"), "no edit to amend"),
        (lambda: bench.drafts.reword("x", "1", " \n"), "message is empty"),
        (lambda: bench.drafts.rewrite("x", [Pick((own[0].oid,)), Pick((own[0].oid,))]), "twice"),
    ):
        with pytest.raises(Refused, match=words):
            await act()


async def test_edits_can_become_a_commit_of_their_own_anywhere(bench: Bench) -> None:
    await bench.three()
    own = await bench.own()
    picks = [Pick((own[0].oid,)), Pick((EDITS,), "in between"), *(Pick((one.oid,)) for one in own[1:])]
    done = (await bench.drafts.rewrite("x", picks)).draft
    assert await bench.subjects() == ["commit 1", "in between", "commit 2", "commit 3"] and not done.dirty
    assert await bench.at((await bench.own())[1].oid, LONG) == lines(_1="open")


async def test_a_draft_that_spans_repositories_is_picked_and_rewritten_where_it_was_edited(
    bench: Bench, tmp_path: Path
) -> None:
    """Files and commits are found in the part that has them; what was picked is committed and no other part."""
    (tmp_path / "second").mkdir()
    second = World(tmp_path / "second")
    second.seal()
    part = await bench.drafts.extend("x", str(second.clone))
    await bench.drafts.edit_files("x", {DB: b"here\n", LONG: lines(_1="one")}, repo=bench.repository.url)
    await bench.drafts.edit_files("x", {"there.yaml": b"there\n", WEB: b"web\n"}, repo=part.repo)
    await bench.drafts.discard("x", [WEB])
    with pytest.raises(Refused, match="name a file"):
        await bench.drafts.stage_files("x")
    picked = await bench.drafts.stage_files("x", ["there.yaml"])
    assert picked.repo == part.repo
    done = await bench.drafts.commit("x", "there")
    assert done.repo == part.repo and not done.dirty and (await bench.now()).tip == (await bench.now()).base
    await bench.drafts.stage_files("x", [DB])
    await bench.drafts.commit("x", "here")
    (first, own), (other, theirs) = await bench.drafts.log("x")
    assert [one.subject for one in (*own, *theirs)] == ["here", "there"] and first.repo != other.repo == part.repo
    with pytest.raises(Refused, match="by its id"):
        await bench.drafts.reword("x", "1", "which?")
    await bench.drafts.reword("x", theirs[0].oid[:8], "over there")
    assert [one.subject for _, every in await bench.drafts.log("x") for one in every] == ["here", "over there"]
    await bench.drafts.undo("x")
    assert [one.subject for _, every in await bench.drafts.log("x") for one in every] == ["here", "there"]


async def test_what_is_picked_is_carried_through_a_rebase(bench: Bench) -> None:
    await bench.commit("one", {WEB: b"a\n"})
    await bench.edit({LONG: lines(_2="two", _18="last"), DB: b"2\n"})
    chosen = await bench.chosen(await bench.drafts.unpicked("x"), LONG, "line18: 18", "last")
    await bench.drafts.stage_lines("x", chosen)
    bench.world.upstream({LONG: lines(_10="upstream")})
    await bench.repository.fetch()
    await bench.drafts.rebase("x")
    held = await bench.now()
    assert await bench.at(held.index, LONG) == lines(_10="upstream", _18="last")
    assert await bench.at(held.head, LONG) == lines(_2="two", _10="upstream", _18="last")
    await bench.drafts.amend("x")
    held = await bench.now()
    assert await bench.at(held.tip, LONG) == lines(_10="upstream", _18="last") and held.index == ""
    assert await bench.at(held.head, LONG) == lines(_2="two", _10="upstream", _18="last")
    assert await bench.at(held.head, DB) == b"2\n"


async def test_edits_of_adjacent_lines_are_amended_one_by_one(bench: Bench) -> None:
    """The rest of an edit lies on what was picked of it, not on the commit below: neighbours would clash there."""
    await bench.commit("one", {WEB: b"a\n"})
    await bench.commit("two", {DB: b"b\n"})
    await bench.edit({LONG: lines(_2="two", _3="three")})
    await bench.drafts.stage_lines("x", await bench.chosen(await bench.drafts.unpicked("x"), LONG, "line2: 2", "two"))
    own = await bench.own()
    done = (await bench.drafts.rewrite("x", [Pick((own[0].oid, EDITS), "first")], "amend")).draft
    assert await bench.at(done.tip, LONG) == lines(_2="two") and await bench.at(done.head, DB) == b"size: 1\n"
    assert await bench.at(done.head, LONG) == lines(_2="two", _3="three")


async def test_what_a_hook_corrects_stays_corrected_below_open_edits(bench: Bench) -> None:
    await bench.commit("one", {WEB: b"a\n"})
    await bench.commit("two", {"two.yaml": b"2\n"})
    await bench.edit({DB: b"bad\n", LONG: lines(_1="bad", _20="open")})
    await bench.drafts.stage_files("x", [DB])
    bench.world.sealed = None  # the hook is put into the user's clone
    hook = bench.world.clone / ".git/hooks/pre-commit"
    hook.write_text(
        "#!/bin/sh\nfor f in $(git diff --cached --name-only); do sed -i s/bad/good/ $f; git add $f; done\n"
    )
    hook.chmod(0o755)
    bench.world.seal()
    before = await bench.now()
    with pytest.raises(HookRefused, match="“one”, which another commit follows"):
        await bench.drafts.amend(before, "1")
    assert (await bench.now()).state == before.state
    done = (await bench.drafts.amend(before)).draft
    assert await bench.at(done.tip, DB) == await bench.at(done.head, DB) == b"good\n"
    assert await bench.at(done.head, LONG) == lines(_1="bad", _20="open"), "it was not part of the commit"
    await bench.undo_gives_back(before)
    await bench.drafts.stage_lines("x", await bench.chosen(await bench.drafts.unpicked("x"), LONG, "line1: 1", "bad"))
    done = await bench.drafts.commit("x", "three")
    assert await bench.at(done.tip, LONG) == lines(_1="good")
    assert await bench.at(done.head, LONG) == lines(_1="bad", _20="open"), "nobody asked for this file as a whole"
