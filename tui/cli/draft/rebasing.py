"""`fleet draft rebase` and `fleet draft conflicts`: a draft put on top of what moved, conflicts decided by key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.draft.common import NOT_DONE, OUTPUT, progress, run, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui.cli.options import Options
    from tui.domain.drafts.conflict import Clash, Conflicts, Decision
    from tui.domain.drafts.model import Draft
    from tui.fleet.drafts import Drafts

_SHOWN = 12  # lines of each side that are printed


@click.command()
@click.argument("name")
@click.option("--onto", metavar="BRANCH", default="", help="Another branch, which becomes the draft's target.")
@click.option("--repository", metavar="URL|DIR", default="", help="Only the draft's part in this repository.")
@click.option("--fetch", is_flag=True, help="Ask the remote first.")
@click.option("--ours", metavar="KEY", multiple=True, help="Keep the draft's side of this conflict.")
@click.option("--theirs", metavar="KEY", multiple=True, help="Take upstream's side of this conflict.")
@click.option("--base", metavar="KEY", multiple=True, help="Take what was there before both changes.")
@click.option("--both", metavar="KEY", multiple=True, help="Of lines, keep upstream's followed by the draft's.")
@click.option("--take", metavar="KEY=VALUE", multiple=True, help="Take this value or text; @FILE reads it, @- stdin.")
@click.option("--force", is_flag=True, help="Take a text also when it makes a file no valid YAML.")
@click.option("--abort", is_flag=True, help="Forget what was decided so far.")
@OUTPUT
@click.pass_obj
def rebase(
    options: Options, name: str, onto: str, repository: str, fetch: bool,
    ours: tuple[str, ...], theirs: tuple[str, ...], base: tuple[str, ...], both: tuple[str, ...],
    take: tuple[str, ...], force: bool, abort: bool, output: str,
) -> None:  # fmt: skip
    """Put a draft on top of its target, as of the last fetch; `fleet draft undo` takes it back.

    What both sides changed is printed as conflicts, with exit code 1, and the draft stays as it was. Decide about each
    by its KEY (the path of a file decides about all of it), in one call or in several: decisions are kept, and the
    rebase is done once nothing is open.
    """
    from tui.domain.drafts.conflict import Decision

    async def work(drafts: Drafts) -> int:
        meant = (await drafts.find(name, repo=repository))[1] if repository else name
        if abort:
            return _told(await drafts.abort_rebase(meant), output)
        if fetch:
            await drafts.fetch(meant, progress=progress())
        decisions = {key: Decision(side, force=force) for side, keys in
                     (("ours", ours), ("theirs", theirs), ("base", base), ("both", both)) for key in keys}  # fmt: skip
        if take:
            found = await drafts.conflicts(meant, onto)
            known = [place for _, one in found for clash in one.clashes for place in (clash.key, clash.path)]
            for word in take:
                key, text = _split(word, known)
                decisions[key] = Decision("text", _read(text), force)
        return await _rebased(drafts, meant, onto, decisions, output)

    run(options, work)


async def _rebased(drafts: Drafts, meant: Draft | str, onto: str, decisions: dict[str, Decision], output: str) -> int:
    from tui.cli.output import complain

    before = {held.repo: held.base for _, held in await drafts.parts(meant)}
    done = await drafts.rebase(meant, onto, decisions)
    if output == "json":
        _json({"draft": done.draft.name, "done": not done.clashes, "target": done.draft.target,
               "base": done.draft.base, "clashes": done.clashes, "notes": done.notes})  # fmt: skip
        return NOT_DONE if done.clashes else 0
    for note in done.notes:
        complain(note)
    if done.clashes:
        _clashes(done.clashes)
        complain("decide with --ours, --theirs, --base, --both KEY or --take KEY=VALUE; the draft is as it was")
        return NOT_DONE
    if all(before.get(held.repo) == held.base for _, held in await drafts.parts(meant)) and not onto:
        return say(f"{done.draft.name} is on top of {done.draft.target} already")
    return say(f"{done.draft.name} is on top of {done.draft.target} at {done.draft.base[:10]}")


@click.command()
@click.argument("name")
@click.option("--onto", metavar="BRANCH", default="", help="Against this branch instead of the draft's target.")
@OUTPUT
@click.pass_obj
def conflicts(options: Options, name: str, onto: str, output: str) -> None:
    """Print what stands between a draft and its target, and what has been decided; changes nothing.

    Exit code 1 when something is still open.
    """

    async def work(drafts: Drafts) -> int:
        return _found([found for _, found in await drafts.conflicts(name, onto)], output)

    run(options, work)


def _found(found: Sequence[Conflicts], output: str) -> int:
    from tui.cli.output import complain

    left = any(one.open or one.problem for one in found)
    if output == "json":
        _json(found)
        return NOT_DONE if left else 0
    for one in found:
        for words in (*one.notes, *([one.problem] if one.problem else [])):
            complain(words)
        _clashes(one.clashes)
    return NOT_DONE if left else 0


def _clashes(clashes: Iterable[Clash]) -> None:

    for clash in clashes:
        decided = f"  [{clash.choice}]" if clash.choice else ""
        say(f"{clash.key}{decided}")
        say(f"    {clash.reason}" + (f" (commit {clash.commit[:7]} {clash.subject})" if clash.commit else ""))
        if clash.problem:
            say(f"    {clash.problem}")
        if clash.kind == "lines":
            for mark, side in (("=", clash.base), ("<", clash.theirs), (">", clash.ours)):
                lines = side.splitlines()
                for line in lines[:_SHOWN]:
                    say(f"    {mark} {line}")
                if len(lines) > _SHOWN:
                    say(f"    {mark} … {len(lines) - _SHOWN} lines more")


def _told(draft: Draft, output: str) -> int:

    if output == "json":
        return _json({"draft": draft.name, "done": False, "target": draft.target, "base": draft.base})
    return say(f"{draft.name} is as before; nothing is decided")


def _split(word: str, known: Sequence[str]) -> tuple[str, str]:
    """KEY and VALUE; a key may hold `=`, so the longest that is known is taken."""
    fits = [key for key in known if word.startswith(key + "=")]
    if fits:
        key = max(fits, key=len)
        return key, word[len(key) + 1 :]
    if "=" not in word:
        raise click.UsageError(f"--take {word}: KEY=VALUE is needed")
    return word.rpartition("=")[0], word.rpartition("=")[2]


def _read(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        with click.open_file(text[1:], "rb") if text == "@-" else Path(text[1:]).open("rb") as file:
            return bytes(file.read()).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{text[1:]}: {error}") from None


def _json(value: object) -> int:
    import msgspec

    from tui.cli.output import json_text

    return say(json_text(msgspec.to_builtins(value)))


VERBS = (conflicts, rebase)
