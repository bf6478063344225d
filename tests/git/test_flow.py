"""The whole way of a draft, and that the user's clone never notices."""

from __future__ import annotations

from tests.git.conftest import MAIL, NAME, World, fingerprint, git
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.model import Operation
from tui.domain.drafts.standing import standing


async def test_a_draft_from_the_first_edit_to_the_target(world: World, repositories: GitRepositories) -> None:
    before = fingerprint(world.clone)
    repository = await repositories.open(str(world.clone))
    draft = await repository.create("More web", "main", "more-web")
    held = await repository.read(draft.head, "shop/web.yaml")
    assert held.text == "replicas: 1\nimage: web:1\n"
    operation = Operation("shop/web.yaml", "set", path="replicas", old="1", new="3", application="web", cluster="eu")
    text = held.text.replace("1\n", "3\n", 1)
    draft = await repository.edit(draft.id, {held.path: text.encode()}, [operation], {held.path: held.oid})
    assert draft.dirty and draft.open_ops == 1
    files, patch = await repository.diff(draft.base, draft.head)
    assert [(file.path, file.status, file.added, file.removed) for file in files] == [("shop/web.yaml", "M", 1, 1)]
    assert "-replicas: 1\n+replicas: 3\n" in patch
    draft = await repository.commit(draft.id, "web: raise replicas 1 → 3")
    assert not draft.dirty
    message = git(repository.repository.path, "log", "-1", "--format=%an <%ae>%n%B", draft.tip)
    assert message.startswith(f"{NAME} <{MAIL}>\nweb: raise replicas 1 → 3\n\n")
    assert "Fleet-Application: web\nFleet-Cluster: eu" in message
    plan = await repository.plan_push(draft, to_target=False)
    assert plan.problem == "" and plan.branch == f"fleet/ada/more-web-{draft.id[-6:]}"
    result = await repository.push(plan)
    assert result.done, result
    draft = await repository.draft(draft.id)
    assert standing(draft, await repository.around(draft)).state == "pushed"
    assert git(world.origin, "rev-parse", plan.branch) == draft.tip
    result = await repository.push(await repository.plan_push(draft, to_target=True))
    assert result.done, result
    assert world.at_origin("shop/web.yaml") == text
    draft = await repository.draft(draft.id)
    assert standing(draft, await repository.around(draft)).state == "merged"
    assert fingerprint(world.clone) == before


async def test_undo_and_redo_reach_back_through_a_commit(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    heads = [draft.head]
    for number in (2, 3):
        draft = await repository.edit(draft.id, {"shop/web.yaml": b"replicas: %d\n" % number})
        heads.append(draft.head)
    draft = await repository.commit(draft.id, "message")
    heads.append(draft.head)
    for head in reversed(heads[:-1]):
        draft = await repository.undo(draft.id)
        assert draft.head == head
    assert draft.empty and draft.undo == ""
    for head in heads[1:]:
        draft = await repository.redo(draft.id)
        assert draft.head == head
    assert draft.redo == ""
    for head in reversed(heads[:-1]):
        draft = await repository.undo(draft.id)
        assert draft.head == head
