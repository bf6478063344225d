"""The row of a draft: the same words before and after it has landed."""

from __future__ import annotations

from tui.domain.drafts.model import Draft, Operation
from tui.domain.drafts.standing import Follower, Standing
from tui.fleet.draftrows import Listed, row


def applications(standing: Standing, *named: str) -> tuple[str, ...]:
    repo = "https://git.example.test/shop/deploy.git"
    ops = tuple(Operation("web.yaml", application=name) for name in named)
    draft = Draft("id", "more-web", "More web", repo, "main", "base", "tip", "tip", ops=ops)
    found: tuple[str, ...] = row(Listed(draft, standing)).obj.applications
    return found


def test_applications_are_called_the_same_before_and_after_landing() -> None:
    landed = Standing("arriving", followers=(Follower("argocd/web"), Follower("argocd/api")))
    assert applications(Standing("local"), "web", "api") == ("api", "web")
    assert applications(landed, "web", "api") == ("api", "web")


def test_two_of_one_name_are_told_apart_by_their_namespace() -> None:
    landed = Standing("arriving", followers=(Follower("argocd/web"), Follower("team/web"), Follower("argocd/api")))
    assert applications(landed, "web") == ("api", "argocd/web", "team/web")
