"""Conflicts as data, decided one by one, kept, and carried out as one state; and a target that moves in odd ways."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.git.conftest import World, git
from tui.adapters.git.command import Git, GitTrouble, Refused
from tui.adapters.git.merging import merge_contents
from tui.adapters.git.objects import Missing
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.conflict import Decision, Ledger
from tui.domain.drafts.model import Draft
from tui.domain.drafts.standing import Standing, standing

WEB, DB = "shop/web.yaml", "shop/db.yaml"
TEN = "".join(f"line {number}\n" for number in range(10))
OURS, THEIRS, BASE = Decision("ours"), Decision("theirs"), Decision("base")


async def made(repository: GitRepository, *steps: dict[str, bytes | None], name: str = "mine") -> Draft:
    """A draft with one commit for each step."""
    draft = await repository.create(name, "main", name)
    for number, files in enumerate(steps):
        await repository.edit(draft.id, files)
        draft = await repository.commit(draft.id, f"step {number + 1}")
    return draft


async def moved(world: World, repository: GitRepository, files: dict[str, str | bytes | None]) -> str:
    tip = world.upstream(files)
    await repository.fetch()
    return tip


async def stands(repository: GitRepository, draft: Draft) -> Standing:
    draft = await repository.draft(draft.id)
    return standing(draft, await repository.around(draft))


async def text(repository: GitRepository, draft: Draft, path: str) -> str:
    return (await repository.read((await repository.draft(draft.id)).head, path)).text


@pytest.mark.parametrize(
    ("decision", "result"),
    [
        (OURS, "replicas: 5\nimage: web:1\n"),
        (THEIRS, None),
        (BASE, "replicas: 1\nimage: web:1\n"),
        (Decision("text", "9"), "replicas: 9\nimage: web:1\n"),
    ],
)
async def test_a_field_is_told_in_words_and_decided(
    world: World, repository: GitRepository, decision: Decision, result: str | None
) -> None:
    draft = await made(repository, {WEB: b"replicas: 5\nimage: web:1\n"})
    upstream = await moved(world, repository, {WEB: "replicas: 4\nimage: web:1\n"})
    after, clashes = await repository.rebase(draft.id)
    assert after == draft
    (clash,) = clashes
    assert (clash.key, clash.kind, clash.base, clash.ours, clash.theirs) == (f"{WEB}:replicas", "field", "1", "5", "4")
    assert clash.reason == "upstream set replicas to 4, you set 5 (it was 1)"
    assert (clash.commit, clash.subject) == (draft.tip, "step 1")
    assert (await stands(repository, draft)).detail == f"{WEB}: {clash.reason}"
    kept = await repository.choose(draft.id, {clash.key: decision})
    assert kept.tip == draft.tip and kept.undo == draft.undo
    assert (await stands(repository, draft)).detail == "1 conflict decided; rebase to go on"
    done, left = await repository.rebase(draft.id)
    assert left == () and done.base == upstream and done.choices == {}
    if result is None:
        assert done.head == upstream
    else:
        assert await text(repository, done, WEB) == result
    back = await repository.undo(done.id)
    assert (back.base, back.tip) == (draft.base, draft.tip) and back.choices == kept.choices
    assert (await repository.redo(done.id)).tip == done.tip


async def test_removed_and_added_fields_are_told_in_words(world: World, repository: GitRepository) -> None:
    await moved(world, repository, {WEB: "a: 1\nb: 1\nc: 1\n"})
    draft = await made(repository, {WEB: b"b: 2\nc: 1\nd: x y\n"})
    await moved(world, repository, {WEB: "a: 3\nc: 1\nd: z\n"})
    _, clashes = await repository.rebase(draft.id)
    assert {clash.reason for clash in clashes} == {
        "upstream set a to 3, you removed it (it was 1)",
        "upstream removed b, you set 2 (it was 1)",
        "upstream set d to z, you set x y",
    }
    decisions = {f"{WEB}:a": OURS, f"{WEB}:b": OURS, f"{WEB}:d": OURS}
    done, left = await repository.rebase(draft.id, decisions=decisions)
    assert left == ()
    assert sorted((await text(repository, done, WEB)).splitlines()) == ["b: 2", "c: 1", "d: x y"]


async def test_lines_are_decided_one_by_one_and_survive_a_restart(
    world: World, repositories: GitRepositories, repository: GitRepository
) -> None:
    await moved(world, repository, {"ten": TEN})
    mine = TEN.replace("line 2", "mine 2").replace("line 5\n", "").replace("line 8", "mine 8")
    draft = await made(repository, {"ten": mine.encode()})
    theirs = "first\n" + TEN.replace("line 2", "theirs 2").replace("line 5", "theirs 5").replace("line 8", "theirs 8")
    await moved(world, repository, {"ten": theirs})
    found = await repository.conflicts(draft)
    assert [clash.key for clash in found.clashes] == ["ten@1", "ten@2", "ten@3"]
    assert [clash.span for clash in found.clashes] == [(3, 1), (6, 0), (8, 1)]
    assert [clash.theirs_span for clash in found.clashes] == [(4, 1), (7, 1), (10, 1)]
    assert "you removed" in found.clashes[1].reason
    await repository.choose(draft.id, {"ten@1": OURS})
    await repository.choose(draft.id, {"ten@3": Decision("text", "both 8\n")})
    await repositories.close()
    again = await GitRepositories(world.data, world.clone).open(str(world.clone))
    found = await again.conflicts(await again.draft(draft.id))
    assert [(clash.key, clash.choice, clash.chosen) for clash in found.clashes] == [
        ("ten@1", "ours", ""),
        ("ten@2", "", ""),
        ("ten@3", "text", "both 8\n"),
    ]
    assert [clash.key for clash in found.open] == ["ten@2"]
    assert (await stands(again, draft)).detail == "1 conflict with main in ten, 2 decided"
    _, left = await again.rebase(draft.id)
    assert [clash.key for clash in left] == ["ten@2"]
    await again.choose(draft.id, {"ten@1": None})
    done, left = await again.rebase(draft.id, decisions={"ten@1": Decision("both"), "ten@2": THEIRS})
    assert left == ()
    assert await text(again, done, "ten") == theirs.replace("theirs 2\n", "theirs 2\nmine 2\n").replace(
        "theirs 8\n", "both 8\n"
    )
    git(again.repository.path, "gc", "-q", "--prune=now")
    assert (await again.undo(done.id)).choices.keys() == {"ten@3"}
    await again.close()


async def test_a_decision_holds_only_for_what_it_was_made_about(world: World, repository: GitRepository) -> None:
    draft = await made(repository, {WEB: b"replicas: 5\nimage: web:1\n"})
    await moved(world, repository, {WEB: "replicas: 4\nimage: web:1\n"})
    await repository.choose(draft.id, {f"{WEB}:replicas": OURS})
    await moved(world, repository, {DB: "size: 2\n"})
    assert (await repository.conflicts(await repository.draft(draft.id))).open == ()
    await moved(world, repository, {WEB: "replicas: 40\nimage: web:1\n"})
    (clash,) = (await repository.conflicts(await repository.draft(draft.id))).open
    assert clash.theirs == "40"
    _, left = await repository.rebase(draft.id)
    assert len(left) == 1


async def test_a_conflict_of_a_later_commit_is_shown_after_the_first_is_decided(
    world: World, repository: GitRepository
) -> None:
    draft = await made(
        repository, {WEB: b"replicas: 2\nimage: web:1\n"}, {WEB: b"replicas: 3\nimage: web:1\n"}, {DB: b"size: 5\n"}
    )
    await moved(world, repository, {WEB: "replicas: 7\nimage: web:1\n", DB: "size: 4\n"})
    found = await repository.conflicts(draft)
    assert [(clash.key, clash.subject) for clash in found.clashes] == [
        (f"{WEB}:replicas", "step 1"),
        (f"{DB}:size", "step 3"),
    ]
    _, left = await repository.rebase(draft.id, decisions={f"{WEB}:replicas": THEIRS, f"{DB}:size": OURS})
    assert [(clash.key, clash.base, clash.ours, clash.theirs, clash.subject) for clash in left] == [
        (f"{WEB}:replicas~2", "2", "3", "7", "step 2")
    ]
    done, left = await repository.rebase(draft.id, decisions={f"{WEB}:replicas~2": OURS})
    assert left == () and await text(repository, done, WEB) == "replicas: 3\nimage: web:1\n"
    assert [subject for _, subject in await repository.commits(done)] == ["step 2", "step 3"]


async def test_picked_and_open_edits_clash_once(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    await repository.edit(draft.id, {WEB: b"replicas: 5\nimage: web:1\n"})
    await moved(world, repository, {WEB: "replicas: 4\nimage: web:1\n"})
    found = await repository.conflicts(await repository.draft(draft.id))
    assert [(clash.key, clash.commit) for clash in found.clashes] == [(f"{WEB}:replicas", "")]
    done, left = await repository.rebase(draft.id, decisions={f"{WEB}:replicas": OURS})
    assert left == () and done.dirty and done.tip == done.base


@pytest.mark.parametrize(
    ("mine", "theirs", "decision", "result"),
    [
        (b"replicas: 2\n", None, OURS, "replicas: 2\n"),
        (b"replicas: 2\n", None, THEIRS, None),
        (b"replicas: 2\n", None, Decision("text", "replicas: 3\n"), "replicas: 3\n"),
        (None, "replicas: 2\n", OURS, None),
        (None, "replicas: 2\n", THEIRS, "replicas: 2\n"),
    ],
)
async def test_a_file_that_one_side_removed(
    world: World,
    repository: GitRepository,
    mine: bytes | None,
    theirs: str | None,
    decision: Decision,
    result: str | None,
) -> None:
    draft = await made(repository, {WEB: mine})
    await moved(world, repository, {WEB: theirs})
    (clash,) = (await repository.conflicts(draft)).clashes
    assert (clash.key, clash.kind, clash.gone) == (WEB, "file", "theirs" if theirs is None else "ours")
    done, left = await repository.rebase(draft.id, decisions={WEB: decision})
    assert left == ()
    if result is None:
        with pytest.raises(Missing):
            await text(repository, done, WEB)
    else:
        assert await text(repository, done, WEB) == result


async def test_a_file_renamed_upstream_takes_the_drafts_change(world: World, repository: GitRepository) -> None:
    await moved(world, repository, {"old.yaml": TEN})
    draft = await made(repository, {"old.yaml": TEN.replace("line 1", "mine 1").encode()},
                       {"old.yaml": TEN.replace("line 1", "mine 1").replace("line 9", "mine 9").encode()})  # fmt: skip
    await moved(world, repository, {"old.yaml": None, "new/name.yaml": TEN.replace("line 5", "theirs 5")})
    found = await repository.conflicts(draft)
    assert found.clashes == () and "renamed old.yaml to new/name.yaml" in found.notes[0]
    done, left = await repository.rebase(draft.id)
    assert left == ()
    wanted = TEN.replace("line 1", "mine 1").replace("line 5", "theirs 5").replace("line 9", "mine 9")
    assert await text(repository, done, "new/name.yaml") == wanted
    assert [file.path for file in await repository.changes(done.base, done.head)] == ["new/name.yaml"]
    assert {operation.file for operation in done.ops} == {"new/name.yaml"}


async def test_a_file_renamed_in_the_draft_takes_upstreams_change(world: World, repository: GitRepository) -> None:
    await moved(world, repository, {"old.yaml": TEN})
    draft = await made(repository, {"old.yaml": None, "a.yaml": TEN.replace("line 1", "mine 1").encode()})
    await moved(world, repository, {"old.yaml": TEN.replace("line 8", "theirs 8")})
    done, left = await repository.rebase(draft.id)
    assert left == ()
    assert await text(repository, done, "a.yaml") == TEN.replace("line 1", "mine 1").replace("line 8", "theirs 8")
    with pytest.raises(Missing):
        await text(repository, done, "old.yaml")


async def test_a_file_renamed_upstream_and_removed_in_the_draft(world: World, repository: GitRepository) -> None:
    await moved(world, repository, {"old.yaml": TEN})
    draft = await made(repository, {"old.yaml": None})
    await moved(world, repository, {"old.yaml": None, "new.yaml": TEN})
    (clash,) = (await repository.conflicts(draft)).clashes
    assert clash.reason == "upstream renamed it to new.yaml, you removed it"
    done, left = await repository.rebase(draft.id, decisions={clash.key: OURS})
    assert left == ()
    with pytest.raises(Missing):
        await text(repository, done, "new.yaml")


async def test_a_folder_where_upstream_has_a_file(world: World, repository: GitRepository) -> None:
    draft = await made(repository, {"place/inner.yaml": b"a: 1\n"})
    await moved(world, repository, {"place": "a file\n"})
    (clash,) = (await repository.conflicts(draft)).clashes
    assert "upstream has a file place" in clash.reason and clash.takes == ("ours", "theirs")
    done, left = await repository.rebase(draft.id, decisions={clash.key: OURS})
    assert left == () and await text(repository, done, "place/inner.yaml") == "a: 1\n"


@pytest.mark.parametrize(("side", "names"), [("ours", ["New.yaml", "new.yaml"]), ("theirs", ["New.yaml"])])
async def test_names_that_differ_only_in_case(
    world: World, repository: GitRepository, side: str, names: list[str]
) -> None:
    draft = await made(repository, {"new.yaml": b"a: 1\n"}, {"new.yaml": b"a: 2\n"})
    await moved(world, repository, {"New.yaml": "b: 1\n"})
    (clash,) = (await repository.conflicts(draft)).clashes
    assert clash.reason == "upstream has New.yaml, which differs only in case or accents"
    done, left = await repository.rebase(draft.id, decisions={"new.yaml": Decision(side)})
    while left:  # the second commit changes a file that was left out
        done, left = await repository.rebase(draft.id, decisions={clash.key: Decision(side) for clash in left})
    held = [name for name, _, _ in await repository.entries(done.head) if name.lower() == "new.yaml"]
    assert held == names


@pytest.mark.parametrize("side", ["ours", "theirs"])
async def test_no_final_newline_and_crlf_are_kept_by_what_is_taken(
    world: World, repository: GitRepository, side: str
) -> None:
    base = "one\r\ntwo\r\nthree"
    await moved(world, repository, {"end.txt": base.encode()})
    mine, theirs = base.replace("three", "mine"), base.replace("three", "theirs")
    draft = await made(repository, {"end.txt": mine.encode()})
    tip = await moved(world, repository, {"end.txt": theirs.encode()})
    done, left = await repository.rebase(draft.id, decisions={"end.txt@1": Decision(side)})
    assert left == ()
    assert (await repository.read(done.head, "end.txt")).text == (mine if side == "ours" else theirs)
    assert (done.head == tip) == (side == "theirs")


async def test_text_that_is_no_yaml_is_refused_unless_forced(world: World, repository: GitRepository) -> None:
    draft = await made(repository, {WEB: b"# mine\nreplicas: 5\nimage: web:1\n"})
    await moved(world, repository, {WEB: "# theirs\nreplicas: 4\nimage: web:1\n"})
    (clash,) = (await repository.conflicts(draft)).clashes
    assert clash.key == f"{WEB}@1"
    broken = "replicas: [1\nimage: x\n"
    with pytest.raises(Refused, match="no valid YAML"):
        await repository.choose(draft.id, {WEB: Decision("text", broken)})
    with pytest.raises(Refused, match="no choice here"):
        await repository.choose(draft.id, {WEB: Decision("both")})
    with pytest.raises(Missing, match="has no conflict nowhere"):
        await repository.choose(draft.id, {"nowhere": OURS})
    assert (await repository.draft(draft.id)) == draft
    _, left = await repository.rebase(draft.id, decisions={clash.key: Decision("text", "replicas: [1\n")})
    assert "no valid YAML" in left[0].problem and left[0].open
    done, left = await repository.rebase(draft.id, decisions={WEB: Decision("text", broken, force=True)})
    assert left == () and await text(repository, done, WEB) == broken


async def test_a_value_that_is_no_yaml_is_refused(world: World, repository: GitRepository) -> None:
    draft = await made(repository, {WEB: b"replicas: 5\nimage: web:1\n"})
    await moved(world, repository, {WEB: "replicas: 4\nimage: web:1\n"})
    with pytest.raises(Refused, match="no YAML value"):
        await repository.choose(draft.id, {f"{WEB}:replicas": Decision("text", "[1")})


async def test_lines_that_merge_into_what_is_no_yaml_are_a_conflict(world: World, repository: GitRepository) -> None:
    text_ = "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\n"
    await moved(world, repository, {WEB: text_})
    draft = await made(repository, {WEB: (text_ + "# mine\nnew: 1\n").encode()})
    await moved(world, repository, {WEB: "new: 2\n" + text_})
    (clash,) = (await repository.conflicts(draft)).clashes
    assert "together are no valid YAML" in clash.reason and clash.key == WEB
    _done, left = await repository.rebase(draft.id, decisions={WEB: THEIRS})
    assert left == ()


async def test_giving_up_forgets_decisions_and_the_other_branch(world: World, repository: GitRepository) -> None:
    git(world.origin, "branch", "release", "main")
    draft = await made(repository, {WEB: b"replicas: 5\nimage: web:1\n"})
    world.upstream({WEB: "replicas: 4\nimage: web:1\n"}, branch="release")
    await repository.fetch()
    held, left = await repository.rebase(draft.id, "release")
    assert len(left) == 1 and (held.onto, held.target) == ("release", "main")
    plan = await repository.plan_push(held, to_target=True)
    assert "rebase onto release has been begun" in plan.problem
    held = await repository.choose(draft.id, {f"{WEB}:replicas": OURS})
    assert held.onto == "release"
    held = await repository.abort_rebase(draft.id)
    assert (held.onto, held.choices, held.tip) == ("", {}, draft.tip)
    done, left = await repository.rebase(draft.id, "release", {f"{WEB}:replicas": OURS})
    assert left == () and (done.target, done.onto) == ("release", "")
    assert (await repository.undo(draft.id)).target == "main"


async def test_a_default_branch_that_was_renamed_is_offered(world: World, repository: GitRepository) -> None:
    draft = await made(repository, {WEB: b"replicas: 5\nimage: web:1\n"})
    git(world.origin, "branch", "-m", "main", "trunk")
    git(world.origin, "symbolic-ref", "HEAD", "refs/heads/trunk")
    await repository.fetch()
    found = await stands(repository, draft)
    assert (
        found.state == "conflict"
        and "its default branch is trunk: fleet draft rebase mine --onto trunk" in found.detail
    )
    with pytest.raises(GitTrouble, match="--onto trunk"):
        await repository.rebase(draft.id)
    plan = await repository.plan_push(draft, to_target=True)
    assert "--onto trunk" in plan.problem
    done, left = await repository.rebase(draft.id, "trunk")
    assert left == () and done.target == "trunk" and done.tip == draft.tip
    assert (await stands(repository, draft)).state == "local"


async def test_a_force_pushed_target_is_said_loudly(world: World, repository: GitRepository) -> None:
    world.upstream({"dropped": "secret\n"})
    await moved(world, repository, {WEB: "replicas: 2\nimage: web:1\n"})
    draft = await made(repository, {WEB: b"replicas: 3\nimage: web:1\n"})
    git(world.origin, "update-ref", "refs/heads/main", git(world.origin, "rev-parse", "main~2"))
    await moved(world, repository, {"kept": "x\n"})
    found = await repository.conflicts(draft)
    assert found.notes == ("main was force-pushed: 2 commits that the draft started from are gone",)
    assert "main was force-pushed: 2 commits" in (await stands(repository, draft)).detail
    done, left = await repository.rebase(draft.id, decisions={f"{WEB}:replicas": OURS})
    assert left == ()
    names = [name for name, _, _ in await repository.entries(done.head)]
    assert "kept" in names and "dropped" not in names


async def test_an_unrelated_history_is_refused_until_it_is_asked_for(world: World, repository: GitRepository) -> None:
    draft = await made(repository, {WEB: b"replicas: 5\nimage: web:1\n"})
    tree = git(world.origin, "rev-parse", "main^{tree}")
    fresh = git(
        world.clone.parent / "origin.git", "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-m", "anew"
    )
    git(world.origin, "update-ref", "refs/heads/main", fresh)
    await repository.fetch()
    assert (await stands(repository, draft)).detail == "main has no commit in common with the draft any more"
    with pytest.raises(Refused, match=r"another history now.*--onto main"):
        await repository.rebase(draft.id)
    assert "--onto main" in (await repository.conflicts(draft)).problem
    assert "no commit in common" in (await repository.plan_push(draft, to_target=True)).problem
    done, left = await repository.rebase(draft.id, "main")
    assert left == () and done.base == fresh
    assert await text(repository, done, WEB) == "replicas: 5\nimage: web:1\n"


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\r\n", "<<<<<<< ours\n", "=======\n"]), max_size=9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=settings.default.max_examples // 4)
@given(LINES, LINES, LINES, st.booleans())
def test_taking_one_side_everywhere_is_what_git_makes_of_it(
    tmp_path_factory: pytest.TempPathFactory, base: list[str], ours: list[str], theirs: list[str], cut: bool
) -> None:
    place = tmp_path_factory.mktemp("merge")
    git(place, "init", "-q", "--bare", ".")
    runner = SimpleNamespace(git=Git(place))
    texts = ["".join(lines).removesuffix("\n" if cut else "") for lines in (ours, base, theirs)]
    for name, content in zip(("ours", "base", "theirs"), texts, strict=True):
        (place / name).write_bytes(content.encode())
    for side in ("ours", "theirs"):
        ledger = Ledger()
        found = merge_contents(runner, "f", *(text.encode() for text in texts), ledger)  # type: ignore[arg-type]
        if isinstance(found, list):
            own = texts[0].splitlines(keepends=True)
            for clash in found:
                first, count = clash.span
                assert "".join(own[first - 1 : first - 1 + count]) == clash.ours
            everything = Ledger({key: (Decision(side), "") for key in ledger.found})
            found = merge_contents(runner, "f", *(text.encode() for text in texts), everything)  # type: ignore[arg-type]
        assert isinstance(found, bytes)
        wanted = subprocess.run(
            ["git", "merge-file", "-p", f"--{side}", "ours", "base", "theirs"],
            cwd=place,
            capture_output=True,
            check=True,
        )
        assert found == wanted.stdout
