"""Pull requests: the forge is told by its host or the configuration; `gh` and `glab` are asked without a shell."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tests.git.test_remote import make, push
from tui.adapters.git import forge
from tui.adapters.git.command import Refused
from tui.adapters.git.history import Commit
from tui.adapters.git.service import GitRepository
from tui.domain import giturl
from tui.domain.drafts.model import Draft
from tui.domain.settings import Settings

GITHUB = giturl.parse("git@github.com:ops/deploy.git")
GITLAB = giturl.parse("https://git.example.test:8443/ops/team/deploy.git")
SELF_HOSTED = {"git.example.test": "gitlab"}


class Program:
    """A stand-in for `gh` or `glab` on PATH: keeps its arguments and stdin, then says what it is told to."""

    def __init__(self, folder: Path, name: str) -> None:
        self.asked = folder / f"{name}.asked"
        self.said = folder / f"{name}.said"
        path = folder / name
        path.write_text(
            "#!/usr/bin/env python3\nimport json, os, sys\n"
            'if sys.argv[1:2] == ["auth"]:\n'
            f"    sys.exit(0 if os.path.exists({str(self.said)!r}) else 1)\n"
            f"with open({str(self.asked)!r}, 'w') as file:\n"
            "    json.dump([sys.argv[1:], sys.stdin.read(), os.getcwd(), os.environ.get('NO_COLOR')], file)\n"
            f"code, out, err = json.load(open({str(self.said)!r}))\n"
            "print(out)\nprint(err, file=sys.stderr)\nsys.exit(code)\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def says(self, out: str = "", err: str = "", code: int = 0) -> None:
        """From now on logged in, and answering with this."""
        self.said.write_text(json.dumps([code, out, err]))

    @property
    def arguments(self) -> list[str]:
        found: list[str] = json.loads(self.asked.read_text())[0]
        return found


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Program]:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return {name: Program(folder, name) for name in ("gh", "glab")}


@pytest.mark.parametrize(
    ("url", "forges", "kind"),
    [
        ("git@github.com:a/b", {}, "github"),
        ("https://github.corp.example/a/b", {}, "github"),
        ("ssh://git@ssh.github.com:443/a/b", {}, "github"),
        ("https://gitlab.com/a/b/c/d", {}, "gitlab"),
        ("https://codeberg.org/a/b", {}, "gitea"),
        ("git@forgejo.example:a/b", {}, "gitea"),
        ("git@bitbucket.org:a/b", {}, "bitbucket"),
        ("https://bitbucket.corp.example/scm/ab/c.git", {}, "bitbucket-server"),
        ("git@ssh.dev.azure.com:v3/org/project/repo", {}, "azure"),
        ("https://org.visualstudio.com/project/_git/repo", {}, "azure"),
        ("https://git.example.test/a/b", {}, ""),
        ("https://git.example.test/a/b", {"git.example.test": "gitea"}, "gitea"),
        ("ssh://git@GIT.example.test:2222/a/b", {"Git.Example.Test": "gitlab"}, "gitlab"),
        ("https://git.example.test:8443/a/b", {"git.example.test:8443": "gitea", "git.example.test": "azure"}, "gitea"),
        ("https://github.corp.example/a/b", {"github.corp.example": "gitea"}, "gitea"),
        ("/srv/git/gitlab/b.git", {}, ""),
    ],
)
def test_which_forge_it_is(url: str, forges: dict[str, str], kind: str) -> None:
    assert forge.kind_of(giturl.parse(url), forges) == kind


@pytest.mark.parametrize(
    ("url", "kind", "page"),
    [
        ("git@github.com:a/b.git", "github",
         "https://github.com/a/b/compare/main...fleet/x?quick_pull=1&title=T%20%26&body=B%0A"),
        ("ssh://git@git.example.test:2222/a/s/b", "gitlab",
         "https://git.example.test/a/s/b/-/merge_requests/new?merge_request%5Bsource_branch%5D=fleet%2Fx"
         "&merge_request%5Btarget_branch%5D=main&merge_request%5Btitle%5D=T%20%26&merge_request%5Bdescription%5D=B%0A"),
        ("https://me:token@git.example.test:3000/a/b.git", "gitea",
         "https://git.example.test:3000/a/b/compare/main...fleet/x"),
        ("git@bitbucket.org:a/b.git", "bitbucket", "https://bitbucket.org/a/b/pull-requests/new?source=fleet%2Fx&dest=main&t=1"),
        ("https://bb.example.test/scm/ab/c.git", "bitbucket-server",
         "https://bb.example.test/projects/ab/repos/c/pull-requests?create&sourceBranch=fleet%2Fx&targetBranch=main"),
        ("ssh://git@bb.example.test:7999/~ada/c.git", "bitbucket-server",
         "https://bb.example.test/projects/~ada/repos/c/pull-requests?create&sourceBranch=fleet%2Fx&targetBranch=main"),
        ("git@ssh.dev.azure.com:v3/org/my%20project/repo", "azure",
         "https://dev.azure.com/org/my%20project/_git/repo/pullrequestcreate?sourceRef=fleet%2Fx&targetRef=main"),
        ("org@vs-ssh.visualstudio.com:v3/org/project/repo", "azure",
         "https://dev.azure.com/org/project/_git/repo/pullrequestcreate?sourceRef=fleet%2Fx&targetRef=main"),
    ],
)  # fmt: skip
def test_the_page_of_each_forge(url: str, kind: str, page: str) -> None:
    assert giturl.pull_request_url(url, kind, "fleet/x", "main", "T &", "B\n") == page


def test_title_and_description_come_from_the_commits() -> None:
    draft = Draft("i", "n", "Raise the web", "r", "main", "b", "t", "t")
    one = Commit("o", "t", (), "a", "c", "payments: raise\n\nBecause.\n\nFleet-Cluster: x\n")
    assert forge.words(draft, [one]) == ("payments: raise", "Because.\n\nFleet-Cluster: x")
    assert forge.words(draft, [one, one]) == ("Raise the web", "- payments: raise\n- payments: raise")


async def test_programs_are_used_only_when_logged_in(programs: dict[str, Program]) -> None:
    assert await forge.tool_for(GITHUB, {}) == ""
    programs["gh"].says()
    assert await forge.tool_for(GITHUB, {}) == "gh"
    assert await forge.tool_for(GITLAB, SELF_HOSTED) == ""
    programs["glab"].says()
    assert await forge.tool_for(GITLAB, SELF_HOSTED) == "glab"
    assert await forge.tool_for(GITLAB, {}) == ""


async def test_no_program_no_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await forge.tool_for(GITHUB, {}) == ""


async def test_gh_gets_every_value_as_a_value(programs: dict[str, Program]) -> None:
    programs["gh"].says("Creating pull request…\nhttps://evil.example/x\nhttps://github.com/ops/deploy/pull/7")
    made = await forge.create("gh", GITHUB, "--web", "-B", "--fill; touch x\n$(id)", "body -- $(id)\n")
    assert (made.url, made.made, made.tool) == ("https://github.com/ops/deploy/pull/7", True, "gh")
    arguments, stdin, folder, colour = json.loads(programs["gh"].asked.read_text())
    assert arguments == [
        "pr", "create", "--repo=github.com/ops/deploy", "--head=--web", "--base=-B",
        "--title=--fill; touch x $(id)", "--body-file=-",
    ]  # fmt: skip
    assert stdin == "body -- $(id)\n" and colour == "1" and not Path(folder).exists()


async def test_glab_gets_the_whole_address(programs: dict[str, Program]) -> None:
    programs["glab"].says(err="!12 Raise (fleet/x)\n https://git.example.test:8443/ops/team/deploy/-/merge_requests/12")
    made = await forge.create("glab", GITLAB, "fleet/x", "main", "Raise", "b")
    assert made.url == "https://git.example.test:8443/ops/team/deploy/-/merge_requests/12"
    assert programs["glab"].arguments == [
        "mr", "create", "--repo=https://git.example.test:8443/ops/team/deploy", "--source-branch=fleet/x",
        "--target-branch=main", "--title=Raise", "--description=b", "--yes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "remote", "said", "url"),
    [
        ("gh", GITHUB, 'a pull request for branch "x" into branch "main" already exists:\nhttps://github.com/ops/deploy'
         "/pull/3", "https://github.com/ops/deploy/pull/3"),
        ("glab", GITLAB, "Another open merge request already exists for this source branch: !5",
         "https://git.example.test:8443/ops/team/deploy/-/merge_requests/5"),
    ],
)  # fmt: skip
async def test_what_is_there_already_is_as_good(
    programs: dict[str, Program], tool: str, remote: giturl.Remote, said: str, url: str
) -> None:
    programs[tool].says(err=said, code=1)
    made = await forge.create(tool, remote, "x", "main", "t", "b")
    assert made.made and made.url == url


async def test_a_failure_says_why(programs: dict[str, Program]) -> None:
    programs["gh"].says(err="pull request create failed: \033[31mGraphQL: No commits between main and x\033[0m", code=1)
    with pytest.raises(Refused, match=r"gh could not make the pull request: .*No commits between"):
        await forge.create("gh", GITHUB, "x", "main", "t", "b")


async def test_the_whole_way(world: World, repository: GitRepository, programs: dict[str, Program]) -> None:
    draft = await make(repository)
    with pytest.raises(Refused, match="push it first"):
        await repository.pull_request(draft)
    assert (await push(repository, draft)).done
    plain = await repository.pull_request(draft)
    assert (plain.url, plain.made) == ("", False) and "named no page" in plain.message
    repository.repository.remote = GITHUB  # as if the remote were there: its programs know no other
    programs["gh"].says("https://github.com/ops/deploy/pull/9")
    assert (await repository.pull_request(draft, make=False)).tool == "gh" and not programs["gh"].asked.exists()
    made = await repository.pull_request(draft)
    assert made.made and (await repository.draft(draft.id)).page == made.url == "https://github.com/ops/deploy/pull/9"
    assert f"--head={(await repository.draft(draft.id)).branch}" in programs["gh"].arguments
    assert "--title=more web" in programs["gh"].arguments
    repository.settings = Settings(pull_request="page")
    programs["gh"].asked.unlink()
    assert (await repository.pull_request(draft)).url == made.url and not programs["gh"].asked.exists()
    await repository.edit(draft.id, {"x": b"x\n"})
    with pytest.raises(Refused, match="changed since it was pushed"):
        await repository.pull_request(draft)
    assert git(world.origin, "branch", "--list", "fleet/*") != ""
