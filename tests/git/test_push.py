"""What goes along with a push: the user's pre-push hook, tags, push options; and what refusals mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tests.git.test_hooks import install, leftovers
from tests.git.test_remote import hook, make
from tui.adapters.git import push as pushing
from tui.adapters.git.command import Refused
from tui.adapters.git.hooks import HookRefused
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.sending import PushOptions, PushPlan, PushResult
from tui.domain.drafts.standing import standing
from tui.domain.settings import Settings
from tui.fleet.drafts import Drafts

ZERO = "0" * 40


async def send(repository: GitRepository, draft_id: str, *, to_target: bool = False, **options: object) -> PushResult:
    draft = await repository.draft(draft_id)
    plan = await repository.plan_push(draft, to_target=to_target, options=PushOptions(**options))  # type: ignore[arg-type]
    return await repository.push(plan)


async def test_pre_push_is_told_what_goes_where(world: World, repositories: GitRepositories, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    install(
        world,
        "pre-push",
        f'{{ echo "$@"; cat; git rev-parse HEAD; cat shop/web.yaml; }} >>{seen}; echo fine$GIT_INDEX_FILE\n',
    )
    world.seal()
    repository = await repositories.open(str(world.clone))
    draft = await make(repository)
    plan = await repository.plan_push(draft, to_target=False)
    assert plan.hooks == ("pre-push",) and plan.skipped == ()
    told: list[str] = []
    result = await repository.push(plan, told.append)
    assert result.done and result.said == ("fine",) and "fine" in told
    name = f"refs/heads/{plan.branch}"
    assert seen.read_text().splitlines() == [
        f"origin {world.origin}", f"{name} {draft.tip} {name} {ZERO}", draft.tip, "replicas: 2", "image: web:1",
    ]  # fmt: skip
    assert leftovers(repository) == []
    seen.unlink()
    result = await send(repository, draft.id, to_target=True, tag="v1")
    assert result.done
    lines = seen.read_text().splitlines()
    assert lines[1] == f"refs/heads/main {draft.tip} refs/heads/main {draft.base}"
    assert lines[2] == f"refs/tags/v1 {git(world.origin, 'rev-parse', 'v1')} refs/tags/v1 {ZERO}"


async def test_a_pre_push_that_refuses_keeps_everything_here(world: World, repositories: GitRepositories) -> None:
    install(world, "pre-push", "echo not on a Friday >&2; exit 1\n")
    world.seal()
    repository = await repositories.open(str(world.clone))
    draft = await make(repository)
    before = git(world.origin, "for-each-ref")
    with pytest.raises(HookRefused, match="your hook pre-push refused") as caught:
        await send(repository, draft.id, tag="v1")
    assert caught.value.lines == ("not on a Friday",)
    assert git(world.origin, "for-each-ref") == before and await repository.draft(draft.id) == draft
    plan = await repository.plan_push(draft, to_target=False, options=PushOptions(hooks=False))
    assert plan.hooks == () and plan.skipped == ("pre-push",)
    assert (await repository.push(plan)).done


async def test_the_configuration_may_skip_hooks(world: World) -> None:
    install(world, "pre-push", "exit 1\n")
    service = GitRepositories(world.data, world.clone, settings=Settings(hooks="skip"))
    repository = await service.open(str(world.clone))
    plan = await repository.plan_push(await make(repository), to_target=False)
    assert plan.skipped == ("pre-push",) and (await repository.push(plan)).done
    await service.close()


async def test_a_tag_goes_with_the_branch_or_not_at_all(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    result = await send(repository, draft.id, to_target=True, tag="v1.2.0")
    assert result.done and "with the tag v1.2.0" in result.message
    assert git(world.origin, "rev-parse", "v1.2.0^{commit}") == draft.tip == git(world.origin, "rev-parse", "main")
    assert git(world.origin, "cat-file", "-t", "v1.2.0") == "tag"
    told = git(world.origin, "for-each-ref", "--format=%(taggername) %(subject)", "refs/tags")
    assert told == "Ada Lovelace more"
    assert git(repository.repository.path, "tag") == ""  # what the remote has, only the remote says

    second = await make(repository, {"shop/db.yaml": b"size: 9\n"}, "second")
    plan = await repository.plan_push(second, to_target=False, options=PushOptions(tag="v1.2.0"))
    assert "the tag v1.2.0 exists already on the remote" in plan.problem
    plan = await repository.plan_push(second, to_target=False, options=PushOptions(tag="v2"))
    git(world.origin, "tag", "v2", "main")  # meanwhile
    result = await repository.push(plan)
    assert not result.done and result.message == "the tag v2 exists already on the remote; nothing was pushed"
    assert git(world.origin, "branch", "--list", "fleet/*") == ""


@pytest.mark.parametrize("name", ["-d", "a b", "a..b", "", "x.lock", "--upload-pack=touch /tmp/x", "a\nb"])
async def test_odd_tag_names_are_refused(world: World, repository: GitRepository, name: str) -> None:
    draft = await make(repository)
    if not name:
        assert (await send(repository, draft.id, tag=name)).done  # no tag at all
        return
    with pytest.raises(Refused, match="not a name for a tag"):
        await send(repository, draft.id, tag=name)


async def test_a_refused_branch_takes_the_tag_with_it(world: World, repository: GitRepository) -> None:
    hook(world, "update", '[ "$1" = refs/heads/main ] && { echo "no main today" >&2; exit 1; }; exit 0\n')
    draft = await make(repository)
    result = await send(repository, draft.id, to_target=True, tag="v1")
    assert not result.done and "hook of the remote refused" in result.message and "no main today" in result.lines
    assert git(world.origin, "tag") == ""


async def test_push_options_arrive(world: World, repository: GitRepository, tmp_path: Path, home: Path) -> None:
    hook(world, "post-receive", f'echo "$GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0|$GIT_PUSH_OPTION_1" >{tmp_path}/o\n')
    git(world.origin, "config", "receive.advertisePushOptions", "true")
    draft = await make(repository)
    assert (await send(repository, draft.id, options=("ci.skip", "a=b c"))).done
    assert (tmp_path / "o").read_text() == "2 ci.skip|a=b c\n"
    git(home, "config", "--global", "push.pushOption", "from.git")
    repository.settings = Settings(push_options=("always",))
    await repository.edit(draft.id, {"x": b"x\n"})
    draft = await repository.commit(draft.id, "x")
    plan = await repository.plan_push(draft, to_target=False)
    assert plan.options == ("from.git", "always")
    assert (await repository.push(plan)).done
    assert (tmp_path / "o").read_text() == "2 from.git|always\n"


async def test_a_server_without_push_options(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    asked = await send(repository, draft.id, options=("ci.skip",))
    assert not asked.done and "takes no push options; nothing was pushed" in asked.message
    assert git(world.origin, "branch", "--list", "fleet/*") == ""
    repository.settings = Settings(push_options=("ci.skip",))
    wished = await send(repository, draft.id)
    assert wished.done and "takes no push options" in wished.message
    with pytest.raises(Refused, match="one line"):
        await send(repository, draft.id, options=("a\nb",))


async def test_a_merge_request_by_push_option_is_asked_of_gitlab_only(world: World, repository: GitRepository) -> None:
    draft = await make(repository)
    repository.settings = Settings(pull_request="push-option", forges={"git.example.test": "gitlab"})
    plan = await repository.plan_push(draft, to_target=False)
    assert plan.options == ()  # a local path is no GitLab
    from tui.adapters.git import forge
    from tui.domain import giturl

    remote = giturl.parse("ssh://git@git.example.test:2222/ops/deploy.git")
    assert forge.push_options(remote, repository.settings.forges, "main", "Raise\nit") == (
        "merge_request.create", "merge_request.target=main", "merge_request.title=Raise it",
    )  # fmt: skip
    assert forge.push_options(remote, {}, "main", "x") == ()


@pytest.mark.parametrize(
    ("summary", "lines", "words"),
    [
        ("[remote rejected] (protected branch hook declined)", [], "main is protected"),
        ("[remote rejected] (pre-receive hook declined)", ["GitLab: You are not allowed to push code to protected "
         "branches on this project."], "main is protected"),
        ("[remote rejected] (pre-receive hook declined)", ["Branch refs/heads/main can only be modified through pull "
         "requests."], "main is protected"),
        ("[remote rejected] (TF402455: Pushes to this branch are not permitted; you must use a pull request)", [],
         "main is protected"),
        ("[remote rejected] (push declined due to email privacy restrictions)", ["error: GH007: Your push would "
         "publish a private email address."], "does not want your e-mail"),
        ("[remote rejected] (push declined due to repository rule violations)", ["error: GH013: Repository rule "
         "violations found for refs/heads/main.", "- Commits must have verified signatures."], "wants signed commits"),
        ("[remote rejected] (push declined due to repository rule violations)", ["error: GH013: Repository rule "
         "violations found", "- Something else"], "the remote's rules refused it"),
        ("[remote rejected] (pre-receive hook declined)", ["this one is ours"], "a hook of the remote refused"),
        ("[remote rejected] (shallow update not allowed)", [], "the remote refused main: (shallow update not allowed)"),
        ("[rejected] (fetch first)", [], "main has moved on the remote"),
    ],
)  # fmt: skip
def test_refusals_are_explained(summary: str, lines: list[str], words: str) -> None:
    what = PushPlan("id", "remote", "main", "c" * 40)
    assert words in pushing._refusal(summary, lines, what, "refs/heads/main")


async def test_what_was_taken_off_the_target_does_not_come_back(world: World) -> None:
    """The target is rolled back to before the draft's base: the push would bring the dropped commit along, unseen."""
    world.upstream({"dropped": "secret\n"})
    git(world.clone, "fetch", "-q")
    service = GitRepositories(world.data, world.clone)
    repository = await service.open(str(world.clone))
    await repository.fetch()
    draft = await make(repository)
    plan = await repository.plan_push(draft, to_target=True)
    git(world.origin, "update-ref", "refs/heads/main", "main~1")
    before = git(world.origin, "rev-parse", "main")
    result = await repository.push(plan)  # after it was shown
    assert not result.done and "main has moved on the remote" in result.message
    await repository.fetch()
    around = await repository.around(draft)
    assert around.lost == 1 and "main was force-pushed" in standing(draft, around).detail
    assert "was force-pushed" in (await repository.plan_push(draft, to_target=True)).problem
    assert git(world.origin, "rev-parse", "main") == before
    drafts = Drafts(service)
    assert (await drafts.push(await drafts.plan_push(draft.id, to_target=True))).done
    assert git(world.origin, "log", "--format=%s", "main").splitlines() == ["more web", "change"]
    await drafts.close()


async def test_what_was_pushed_to_the_target_and_taken_off_again_is_said(
    world: World, repository: GitRepository
) -> None:
    draft = await make(repository)
    assert (await send(repository, draft.id, to_target=True)).done
    git(world.origin, "update-ref", "refs/heads/main", "main~1")
    await repository.fetch()
    draft = await repository.draft(draft.id)
    stands = standing(draft, await repository.around(draft))
    assert "it was pushed to main, and is not there any more" in stands.detail and not stands.landed


async def test_a_draft_dropped_before_or_while_it_is_pushed(world: World, repositories: GitRepositories) -> None:
    install(world, "pre-push", "echo here\n")
    world.seal()
    repository = await repositories.open(str(world.clone))
    draft = await make(repository)
    plan = await repository.plan_push(draft, to_target=False)
    await repository.drop(draft.id)
    with pytest.raises(Refused, match="in the trash"):
        await repository.push(plan)
    assert git(world.origin, "branch", "--list", "fleet/*") == ""
    await repository.restore(draft.id)
    refs = repository.refs
    result = await repository.push(plan, lambda line: refs.drop(draft.id) if line == "here" else None)
    assert result.done and result.message.endswith("the draft was dropped meanwhile")
