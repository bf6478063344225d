"""`fleet draft commit`, `push` and `pr`: from what is staged to the remote."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from tui.cli.draft.blast import agreed
from tui.cli.draft.common import NOT_DONE, OUTPUT, print_listed, progress, run, say
from tui.cli.draft.many import BY, groups_of
from tui.cli.output import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from tui.cli.options import Options
    from tui.domain.drafts.sending import PullRequest, PushPlan, PushResult
    from tui.fleet.drafts import Drafts

_NO_VERIFY = click.option("--no-verify", "skip", is_flag=True, help="Run none of your hooks.")


@click.command()
@click.argument("name")
@click.option("-m", "--message", multiple=True, help="Commit message, a paragraph each; without it the one proposed.")
@click.option("-F", "--file", "source", type=click.File("rb"), help="Read the message from a file; - is stdin.")
@click.option("-s", "--signoff", is_flag=True, help="Add Signed-off-by in your name (Developer Certificate of Origin).")
@click.option("--sign/--no-sign", "sign", default=None, help="Sign it or not; else as commit.gpgSign says.")
@click.option("--by", type=BY, help="One commit per cluster, group or Application; -m is the subject of each.")
@_NO_VERIFY
@OUTPUT
@click.pass_obj
def commit(
    options: Options,
    name: str,
    message: tuple[str, ...],
    source: BinaryIO | None,
    signoff: bool,
    sign: bool | None,
    by: str | None,
    skip: bool,
    output: str,
) -> None:
    """Commit what is staged in a draft, in your name; prints the commit.

    Your own hooks of the clone run first (pre-commit, prepare-commit-msg, commit-msg). When one refuses, its words are
    printed, the draft stays as it is, and the message is kept for the next commit. Files that a hook corrects are
    staged in the draft.
    """
    from tui.domain.ports import HookRefused

    if message and source is not None:
        raise click.UsageError("-m or -F, not both")
    typed = "\n\n".join(message) if source is None else source.read().decode("utf-8", "replace")
    if (message or source is not None) and not typed.strip():
        raise click.UsageError("the commit message is empty")

    async def work(drafts: Drafts) -> int:
        _, held = await drafts.find(name)
        how = drafts.commit_options(
            hooks=False if skip else None, sign=sign, sign_off=signoff or None, terminal=sys.stdin.isatty()
        )
        if not how.hooks:
            complain("your hooks are not run")
        try:
            if by is not None:
                groups = groups_of(options, await drafts.parts(name))
                made = await drafts.commit_by_group(name, by, groups, typed, how, progress=_told)
                if output == "json":
                    return print_listed([await drafts.show(name)], output)
                return say("\n".join(f"{one.name} {one.tip[:10]}" for one in made))
            done = await drafts.commit(name, typed or await drafts.message(held), how, progress=_told)
        except HookRefused:
            complain(f"the message is kept: fleet draft commit {held.name} uses it again; --no-verify runs no hook")
            raise
        return (
            print_listed([await drafts.show(done)], output) if output == "json" else say(f"{done.name} {done.tip[:10]}")
        )

    run(options, work)


@click.command()
@click.argument("name")
@click.option("--to-target", is_flag=True, help="The target branch itself, instead of a branch of the draft's own.")
@click.option(
    "--tag", metavar="TAG", default="", help="Make an annotated tag on it too; the remote takes both or none."
)
@click.option("--sign/--no-sign", "sign", default=None, help="Sign the tag or not; else as tag.gpgSign says.")
@click.option("--push-option", "asked", multiple=True, metavar="OPTION", help="Give the server a push option.")
@_NO_VERIFY
@click.option("--yes", is_flag=True, help="Do not ask, unless the draft's name must be typed.")
@click.option("--confirm", metavar="NAME", default="", help="The draft's name, where it must be typed.")
@click.option("--offline", is_flag=True, help="Ask no cluster what the draft touches.")
@OUTPUT
@click.pass_obj
def push(
    options: Options,
    name: str,
    to_target: bool,
    tag: str,
    sign: bool | None,
    asked: tuple[str, ...],
    skip: bool,
    yes: bool,
    confirm: str,
    offline: bool,
    output: str,
) -> None:
    """Push a draft after showing exactly what goes where; of one that spans repositories, one after the other.

    What it touches is shown too. A draft that deletes anything, or touches more of all Applications than
    `confirm_share` of the configuration, is pushed only when its name is typed, or given with --confirm. The
    Applications are those of the hubs that answer within ten seconds; when none is known although clusters are
    configured, the name must be typed too, unless --yes.

    Your own pre-push hook runs first. Passwords and passphrases are asked for by git and ssh themselves.
    """
    from tui.domain.ports import HookRefused

    async def work(drafts: Drafts) -> int:
        terminal = sys.stdin.isatty()
        how = drafts.push_options(hooks=False if skip else None, options=asked or None, tag=tag or None, sign_tag=sign)
        plans = await drafts.plan_pushes(name, to_target, how, progress=progress(), terminal=terminal)
        if any(plan.problem for plan in plans):
            return _refuse(plans, output)
        for plan in plans:
            _show(plan)
        if not await agreed(options, drafts, name, yes, confirm, offline):
            return NOT_DONE
        results: list[PushResult] = []
        for plan in plans:
            shown = progress()  # overwrites its line, so that what a hook said is told afterwards
            try:
                result = await drafts.push(plan, progress=shown or _told_by_hooks, terminal=terminal)
            except HookRefused as error:
                for line in error.lines if shown else ():
                    complain(line)
                complain("nothing was pushed; --no-verify runs no hook")
                _json(results, output)
                raise
            for line in result.said if shown else ():
                complain(line)
            for line in result.lines:
                complain(f"remote: {line}")
            results.append(result)
            if output != "json":
                (say if result.done else complain)(result.message)
                if result.page:
                    say(result.page)
            if not result.done:
                break
        _json(results, output)
        return 0 if all(result.done for result in results) else NOT_DONE

    run(options, work)


@click.command()
@click.argument("name")
@click.option("--page", is_flag=True, help="Only print the page that makes it.")
@OUTPUT
@click.pass_obj
def pr(options: Options, name: str, page: bool, output: str) -> None:
    """Make the pull request of a pushed draft; prints its address.

    With gh (GitHub) or glab (GitLab) installed and logged in they make it; else the page is printed that makes it.
    """

    async def work(drafts: Drafts) -> int:
        parts = [held for _, held in await drafts.parts(name)]
        made: list[PullRequest] = []
        for held in [held for held in parts if held.pushed] or parts[:1]:
            made.append(await drafts.pull_request(held, make=not page))
            if output != "json":
                complain(made[-1].message)
                if made[-1].url:
                    say(made[-1].url)
        _json(made, output)
        return 0 if all(done.url or done.made for done in made) else NOT_DONE

    run(options, work)


def _show(plan: PushPlan) -> None:
    """Exactly what goes where, on stderr."""
    complain(f"{plan.remote}: {plan.branch} -> {plan.commit[:10]}")
    for oid, subject in plan.commits:
        complain(f"  {oid[:10]} {subject}")
    if plan.tag:
        complain(f"  with the tag {plan.tag}")
    for option in plan.options:
        complain(f"  push option {option}")
    for hook in plan.hooks:
        complain(f"  your hook {hook} runs first")
    for hook in plan.skipped:
        complain(f"  your hook {hook} is not run")


def _refuse(plans: list[PushPlan], output: str) -> int:
    from tui.domain.drafts.sending import PushResult

    refused = [plan for plan in plans if plan.problem]
    _json([PushResult(False, plan.problem, plan.branch, plan.commit) for plan in refused], output)
    for plan in refused:
        complain(f"{plan.remote}: {plan.problem}" if len(plans) > 1 else plan.problem)
        for clash in plan.clashes:
            complain(f"{clash.path}: {clash.reason}")
    return NOT_DONE


def _told(line: str) -> None:
    """A line of a hook's, as it comes."""
    complain(line)


# what git says while it pushes; the remote's words are told at the end
_GITS = re.compile(
    r"remote:|To |Everything up-to-date|Pushing to |POST |Delta compression using |Total \d+ "
    r"|(Enumerating|Counting|Compressing|Writing) objects: "
)


def _told_by_hooks(line: str) -> None:
    """The same while something is pushed: what git itself counts there is for people who look on."""
    if not _GITS.match(line):
        complain(line)


def _json(values: Sequence[msgspec.Struct], output: str) -> None:
    """With `-o json` one document: what happened, or a list of it where a draft spans repositories."""
    import msgspec

    from tui.cli.output import json_text

    if output == "json" and values:
        told = [msgspec.to_builtins(value) for value in values]
        sys.stdout.write(json_text(told[0] if len(told) == 1 else told) + "\n")


VERBS = (push, pr)
