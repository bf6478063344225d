"""Pull requests on the forge: its page, its push options, and `gh` and `glab` when they are installed and logged in.

Both programs are foreign: they get no shell, every value as `--name=value`, a time limit, and what they say is data.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from tui.adapters import runner
from tui.adapters.git.command import Refused, inherited
from tui.adapters.git.history import Commit
from tui.domain import giturl
from tui.domain.drafts.model import Draft, one_line
from tui.domain.drafts.sending import PullRequest

TIMEOUT = 60.0  # seconds a forge's program may take
_BODY = 30_000  # characters of a description
_TOOLS = {"github": "gh", "gitlab": "glab"}
_QUIET = {
    "NO_COLOR": "1", "CLICOLOR": "0", "GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_PROMPT": "1",
    "GLAB_CHECK_UPDATE": "false", "GIT_TERMINAL_PROMPT": "0", "GH_PAGER": "cat", "PAGER": "cat",
}  # fmt: skip
_URL = re.compile(r"https://[^\s\x00-\x1f\x7f\"'<>]+")


def kind_of(remote: giturl.Remote, forges: Mapping[str, str]) -> str:
    """Which of `giturl.FORGES` serves a remote: as the configuration says for its host, else as the name tells."""
    configured = {host.lower(): kind for host, kind in forges.items()}
    return configured.get(f"{remote.host}:{remote.port}") or configured.get(remote.host) or giturl.forge(remote)


def push_options(remote: giturl.Remote, forges: Mapping[str, str], target: str, title: str) -> tuple[str, ...]:
    """The push options that make a merge request of the pushed branch; none where the forge has none (GitLab has)."""
    if kind_of(remote, forges) != "gitlab":
        return ()
    asked = ("merge_request.create", f"merge_request.target={target}", f"merge_request.title={one_line(title)}")
    return tuple(option.replace("\0", " ") for option in asked)


def words(draft: Draft, commits: Sequence[Commit]) -> tuple[str, str]:
    """Title and description of a pull request: those of the only commit, else the draft's title and what is in it."""
    if len(commits) == 1:
        subject, _, body = commits[0].message.strip().partition("\n")
        return one_line(subject), body.strip()[:_BODY]
    return draft.title, "\n".join(f"- {one_line(commit.subject)}" for commit in commits)[:_BODY]


async def tool_for(remote: giturl.Remote, forges: Mapping[str, str]) -> str:
    """The program that can make a pull request at this remote: installed and logged in there; "" when none is."""
    name = _TOOLS.get(kind_of(remote, forges), "")
    if not name or not shutil.which(name):
        return ""
    try:
        result = await _run([name, "auth", "status", f"--hostname={remote.host}"])
    except (runner.NotInstalled, runner.TimedOut, runner.TooMuch):
        return ""
    return name if result.code == 0 else ""


async def create(tool: str, remote: giturl.Remote, branch: str, target: str, title: str, body: str) -> PullRequest:
    """Make the pull request with `gh` or `glab`; one that is there already is as good. Raises Refused."""
    title, body = one_line(title), body.replace("\0", "")
    if tool == "gh":
        argv = [
            "gh", "pr", "create", f"--repo={remote.host}/{remote.path}", f"--head={branch}", f"--base={target}",
            f"--title={title}", "--body-file=-",
        ]  # fmt: skip
        result = await _run(argv, (body or "\n").encode("utf-8", "replace"))
    else:
        argv = [
            "glab", "mr", "create", f"--repo={giturl.web(remote)}/{remote.path}", f"--source-branch={branch}",
            f"--target-branch={target}", f"--title={title}", f"--description={body}", "--yes",
        ]  # fmt: skip
        result = await _run(argv)
    said = (result.out + b"\n" + result.err).decode("utf-8", "replace")
    url = _page(said, remote)
    if result.code == 0:
        return PullRequest(url, f"{tool} made {url or 'the pull request'}", True, tool)
    if "already exists" in said:
        if not url and (number := re.search(r"!(\d+)", said)):
            url = f"{giturl.web(remote)}/{remote.path}/-/merge_requests/{number[1]}"
        return PullRequest(url, f"it is there already: {url}" if url else "it is there already", True, tool)
    telling = [line.strip() for line in said.splitlines() if line.strip()]
    raise Refused(
        f"{tool} could not make the pull request: {one_line(telling[-1]) if telling else 'it said nothing'}", said
    )


def _page(said: str, remote: giturl.Remote) -> str:
    """The first page of the forge itself that was named."""
    found: list[str] = _URL.findall(said)
    return next((url for url in found if (urlsplit(url).hostname or "") == remote.host), "")


async def _run(argv: Sequence[str], data: bytes = b"") -> runner.Result:
    """In an empty folder: both programs look at the repository they are started in."""
    with tempfile.TemporaryDirectory(prefix="fleet-forge-") as folder:
        return await runner.run(
            argv, cwd=folder, env=inherited() | _QUIET, data=data, timeout=TIMEOUT, limit=1 << 20
        )  # fmt: skip
