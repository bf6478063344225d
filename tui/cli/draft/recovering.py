"""`fleet draft recover`: what was dropped, overwritten or never saved, listed and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.draft.common import NOT_DONE, OUTPUT, emit, print_listed, run, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.options import Options
    from tui.domain.drafts.states import StateInfo
    from tui.fleet.draftrows import Listed, Recovered
    from tui.fleet.drafts import Drafts


@click.command()
@click.argument("name", default="")
@click.argument("state", default="")
@click.option("--text", "file", metavar="FILE", help="Print the text typed into FILE and never saved.")
@click.option("--limit", default=50, show_default=True, metavar="N", help="How many states to list.")
@OUTPUT
@click.pass_obj
def recover(options: Options, name: str, state: str, file: str | None, limit: int, output: str) -> None:
    """List what can be brought back, and bring it back.

    Without NAME: the drafts that were dropped and the texts that were typed and never saved. With NAME: every state
    that draft has been in, newest first, dropped or not. With STATE, as listed: the draft gets the content it had then,
    out of the trash if it is there; `undo` takes that back.

    fleet deletes none of this by itself, however old it is.
    """

    async def work(drafts: Drafts) -> int:
        if file is not None:
            return await _text(drafts, name, file, output)
        if state:
            return await _back(drafts, name, state, output)
        if name:
            return await _states(drafts, name, limit, output)
        typed = [*await drafts.recovered(), *await drafts.given_up()]
        return _all(await drafts.dropped(), typed, output)

    run(options, work)


async def _back(drafts: Drafts, name: str, state: str, output: str) -> int:

    done = await drafts.revive(name, state)
    if output == "json":
        return print_listed([await drafts.show(done)], output)
    return say(f"{done.name} is as in {state}; fleet draft undo {done.name} takes that back")


async def _text(drafts: Drafts, name: str, file: str, output: str) -> int:
    from tui.cli.output import complain, json_text

    typed = [*await drafts.given_up(), *await drafts.recovered()]  # the last that fits is printed
    kept = [text for text in typed if text.path == file and name in ("", text.draft)]
    if not kept:
        complain(f"no text of {file} was typed and not saved")
        return NOT_DONE
    if output == "json":
        return say(json_text(_typed(kept[-1], whole=True), 2))
    emit(kept[-1].text)
    return 0


async def _states(drafts: Drafts, name: str, limit: int, output: str) -> int:
    from tui.cli.output import json_text
    from tui.domain import giturl, when

    found: list[StateInfo] = []
    parts = await _parts(drafts, name)
    for repo in parts:
        page = await drafts.states(name, limit, repo=repo)
        found += page
        if output == "json":
            continue
        if len(parts) > 1:
            say(giturl.shown(repo))
        for state in page:
            say(f"{state.id[:10]}  {when.rfc3339(state.at)}  {state.words}")
    if output == "json":
        return say(json_text([_state(state) for state in found], 2))
    return 0


async def _parts(drafts: Drafts, name: str) -> list[str]:
    from tui.domain.ports import Missing

    try:
        return [held.repo for _, held in await drafts.parts(name)]
    except Missing:
        return [held.repo for _, held in await drafts.parts(name, trash=True)]


def _state(state: StateInfo) -> dict[str, object]:
    from tui.domain import giturl, when

    return {
        "state": state.id,
        "at": when.rfc3339(state.at),
        "action": state.action,
        "words": state.words,
        "repository": giturl.shown(state.repo),
        "tip": state.tip,
        "uncommitted": list(state.files),
        "unsaved": list(state.unsaved),
    }


def _all(dropped: Sequence[Listed], typed: Sequence[Recovered], output: str) -> int:
    from tui.cli.output import json_text
    from tui.domain import when

    if output == "json":
        return say(
            json_text({"dropped": [_dropped(one) for one in dropped], "texts": [_typed(text) for text in typed]}, 2)
        )
    for one in dropped:
        files = ", ".join(file.path for part in one.whole for file in part.files)
        say(f"dropped  {one.draft.name}  {when.rfc3339(one.draft.at)}  {one.draft.title}  {files}".rstrip())
    for text in typed:
        where = f"  draft {text.draft}" if text.draft else ""
        say(f"text     {text.path}  {when.rfc3339(text.at)}{where}  {text.text.count(chr(10)) + 1} lines")
    if not dropped and not typed:
        say("nothing was dropped, and nothing that was typed is unsaved")
    return 0


def _dropped(one: Listed) -> dict[str, object]:
    from tui.domain import giturl, when

    return {
        "name": one.draft.name,
        "id": one.draft.id,
        "title": one.draft.title,
        "dropped": when.rfc3339(one.draft.at),
        "repositories": [giturl.shown(part.draft.repo) for part in one.whole],
        "files": [file.path for part in one.whole for file in part.files],
        "commits": sum(len(part.commits) for part in one.whole),
    }


def _typed(text: Recovered, whole: bool = False) -> dict[str, object]:
    from tui.domain import when

    told: dict[str, object] = {
        "file": text.path,
        "draft": text.draft,
        "at": when.rfc3339(text.at),
        "lines": text.text.count("\n") + 1,
    }
    return {**told, "text": text.text} if whole else told


VERBS = (recover,)
