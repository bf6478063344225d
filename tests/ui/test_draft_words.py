"""Files of a draft are told apart, and what the next commit takes, also without colours."""

from __future__ import annotations

import msgspec

from tui.domain.drafts.blast import Blast, Deletion
from tui.domain.drafts.model import Change, Draft
from tui.domain.drafts.standing import Standing
from tui.fleet.draftrows import Listed
from tui.fleet.drafts.looking import CommitView, FileView, PartView
from tui.ui.drafting import draft_words

DRAFT = Draft("id", "more-web", "More web", "https://git.example.test/shop/deploy.git", "main", "b" * 40, "t" * 40, "h")
CHANGE = Change("shop/web.yaml", "M", "", 2, 1)


def part(*files: FileView, index: str = "", commits: tuple[CommitView, ...] = ()) -> PartView:
    draft = msgspec.structs.replace(DRAFT, index=index)
    return PartView(Listed(draft, Standing("local")), files, commits)


def lines(*parts: PartView) -> list[str]:
    return ["".join(cell.text for cell in (*item.cells, *item.right)) for item in draft_words.file_items(parts, ())]


def test_files_of_one_name_are_told_by_their_folders() -> None:
    found = draft_words.tails(["shop/eu/deployment.yaml", "shop/us/deployment.yaml", "shop/eu/policy.yaml", "web.yaml"])
    assert found == {
        "shop/eu/deployment.yaml": "eu/deployment.yaml",
        "shop/us/deployment.yaml": "us/deployment.yaml",
        "shop/eu/policy.yaml": "policy.yaml",
        "web.yaml": "web.yaml",
    }
    assert draft_words.tails(["web.yaml", "shop/web.yaml"]) == {
        "web.yaml": "web.yaml",
        "shop/web.yaml": "shop/web.yaml",
    }


def test_what_the_next_commit_takes_has_a_shape() -> None:
    taken = FileView("shop/a.yaml", CHANGE, None)
    partly = FileView("shop/b.yaml", CHANGE, CHANGE)
    left = FileView("shop/c.yaml", None, CHANGE)
    typed = FileView("shop/d.yaml", unsaved=True)
    shapes = [line[0] for line in lines(part(taken, partly, left, typed, index="i"))]
    assert shapes == ["●", "◐", "○", "…"]
    assert draft_words.picked_words([part(taken, partly, left, index="i")]) == "2 of 3 picked"
    assert [line[0] for line in lines(part(left, left))] == ["○", "○"]
    assert draft_words.picked_words([part(left)]) == "a commit takes all"


def test_files_stand_below_their_repository_when_there_are_several() -> None:
    found = lines(part(FileView("a.yaml", None, CHANGE)), part(FileView("b.yaml", None, CHANGE)))
    assert found == ["shop/deploy", "  ○ M a.yaml +2 −1 ", "shop/deploy", "  ○ M b.yaml +2 −1 "]


def test_commits_say_whether_the_remote_has_them() -> None:
    commits = (CommitView("a" * 40, "newer", "b" * 40), CommitView("b" * 40, "older", "c" * 40, pushed=True))
    found = draft_words.commit_items([part(commits=commits)])
    assert ["pushed" in "".join(cell.text for cell in item.right) for item in found] == [False, True]


def test_what_is_deleted_is_read_before_a_narrow_terminal_cuts_the_line() -> None:
    radius = Blast(known=3, deleted=(Deletion("object", "ConfigMap shop/old", "old.yaml"),))
    second = draft_words.standing([part()], Standing("local"), radius)[1]
    assert "".join(cell.text for cell in second) == "1 object deleted; touches 0 Applications, 0 workloads"
