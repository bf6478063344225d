"""Make `screenshots/` from the demo fleet, or check that they are current.

    python -m tests.screenshots [--check]

The demo lives, so ages, times, ports and states differ from run to run. The check makes the pictures anew and compares
what they say with such things masked; a picture is stale when more than a fifth of its words differ, or its footer.
"""

from __future__ import annotations

import asyncio
import difflib
import html
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from tests.demos import Demo, served
from tui.cli.options import Options
from tui.cli.wire import assemble, settings_of
from tui.ui.app import FleetApp

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
CURRENT = 0.8  # share of words that must agree; the footer must agree whole
CURRENT_MOVING = 0.6  # the same where lines come and go
SEED = "7"
_UNTIL = "until "  # begins what stands among the keys and is none


@dataclass(frozen=True)
class Picture:
    """One picture: how to get there from the first screen, in which theme and size."""

    name: str
    keys: tuple[str, ...]
    theme: str = "fleet-dark"
    size: tuple[int, int] = (160, 48)
    shows: str = ""  # text that is there when the picture is complete
    moving: bool = False  # its lines come and go: only which words it has is compared, not where and how often

    @property
    def file(self) -> Path:
        shade = self.theme.removeprefix("fleet-")
        return FOLDER / f"{self.name}-{shade}-{self.size[0]}x{self.size[1]}.svg"


def typed(text: str) -> tuple[str, ...]:
    """The key names of a text."""
    named = {" ": "space", "/": "slash", ":": "colon", "-": "minus"}
    return tuple(named.get(character, character) for character in text)


def until(text: str) -> tuple[str, ...]:
    """Among the keys: wait until the screen shows a text, where the next key means what is there then."""
    return (_UNTIL + text,)


def command(text: str) -> tuple[str, ...]:
    """The keys of a `:` command."""
    return ("colon", *typed(text), "enter")


CATALOG = (*command("policies"), "slash", *typed("catalog-prod-eu"), "enter")
PEER = (*CATALOG, "enter", "tab", "tab", *until("nothing else"), "down", "down")  # in the matrix of the policy
RENAME = ("ctrl+f", *typed("name: search"), "enter", "end", *typed("-v2"))  # of a peer in its policy
EDIT = (*command("deploy"), "slash", *typed("prod-eu-1"), "enter", "e", "enter")  # into a new draft

PICTURES = (
    Picture("applications", (), shows="payments-prod-us-1"),
    Picture("applications", (), theme="fleet-light", shows="payments-prod-us-1"),
    Picture("applications", (), size=(80, 24), shows="staging-e…"),
    Picture("clusters", command("clusters"), shows="edge-gdansk-03"),
    Picture("pulse", command("pulse"), shows="blind in", moving=True),
    Picture("policies", command("policies"), shows="26"),
    Picture("fleetwide", (*command("policies"), "w"), shows="partner-feed"),
    Picture(
        "reach",
        (*PEER, "enter"),
        shows="nothing else",
    ),
    Picture("verdict", (*PEER, "v"), shows="Ingress of"),
    Picture("flows", (*command("ctx prod-eu-1"), *command("flows")), shows="POLICY_DENIED", moving=True),
    Picture("application", ("slash", *typed("payments-prod-us"), "enter", "enter"), shows="payments"),
    Picture("events", command("events"), shows="Healthy"),
    Picture("editor", EDIT, shows="replicas"),
    Picture("drafts", command("drafts"), shows="raise-catalog"),
    Picture("diff", (*command("drafts"), "slash", *typed("raise"), "enter", "d"), shows="replicas: 5"),
    Picture(
        "draft", (*command("drafts"), "slash", *typed("raise"), "enter", "enter", "space", "enter"), shows="picked"
    ),
    Picture("conflict", (*command("drafts"), "slash", *typed("settle"), "enter", "enter"), shows="theirs"),
    Picture("impact", (*CATALOG, "e", "enter", *RENAME, "ctrl+s"), shows="it cuts traffic"),  # last: it makes a draft
)


@asynccontextmanager
async def alarm(app: FleetApp, picture: Picture) -> AsyncIterator[None]:
    """Give up after three minutes, which only a busy machine needs, saying what the screen shows instead."""
    try:
        async with asyncio.timeout(180):
            yield
    except TimeoutError:
        sys.exit(f"{picture.file.name} never showed {picture.shows!r}:\n{text_of(app.export_screenshot())}")


async def shown(app: FleetApp, pilot: Pilot[None], text: str) -> None:
    """Wait until the screen shows a text."""
    while text not in text_of(app.export_screenshot(title="fleet")):
        await pilot.pause(0.05)


async def take(demo: Demo, state: Path, picture: Picture) -> str:
    """The picture as SVG."""
    options = Options(
        kubeconfig=str(demo.kubeconfig), repositories=(demo.repository,), state=state, theme=picture.theme
    )
    settings = settings_of(options)
    app = FleetApp(lambda: assemble(options, settings), settings)
    async with app.run_test(size=picture.size) as pilot, alarm(app, picture):
        while not app.stands:
            await pilot.pause(0.01)
        await app.fleet.settled(lambda: app.fleet.store.count("applications.argoproj.io") > 0)
        for key in picture.keys:
            if key.startswith(_UNTIL):
                await shown(app, pilot, key.removeprefix(_UNTIL))
                continue
            await pilot.press(key)
            await app.fleet.settled()
        await shown(app, pilot, picture.shows)
        await app.fleet.settled()
        await pilot.pause(0.2)
        svg = app.export_screenshot(title="fleet")
    return re.sub(r"fleet-demo-\w{8}", "fleet-demo-xxxxxxxx", svg)


def text_of(svg: str) -> str:
    """The lines of text in a picture."""
    rows: dict[str, list[tuple[float, str]]] = {}
    for match in re.finditer(r'<text[^>]*? x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        rows.setdefault(match[2], []).append((float(match[1]), html.unescape(match[3]).replace("\xa0", " ")))
    ordered = sorted(rows.items(), key=lambda item: float(item[0]))
    return "\n".join("".join(text for _, text in sorted(parts)) for _, parts in ordered)


def masked(svg: str) -> list[str]:
    """The words of a picture, without what moves: numbers, states, spacing, the endings of pods' names."""
    text = re.sub(r"(?<=[a-z])-[a-z0-9]{8,10}-[a-z0-9]{5}\b", "", text_of(svg))
    text = re.sub(r"\b[0-9a-f]{7,40}\b|\d+[smhdy]?", "0", text)
    text = re.sub(r"[◌◔✔✖♥⏸∅↑▲●?…┃▌↓]|Healthy|Progressing|Degraded|Synced|OutOfSync|Sync \w+|Running|Waiting", "", text)
    return text.split()


def alike(held: str, fresh: str, moving: bool = False) -> float:
    """The share of words that two pictures have in common; 0 when their footers differ."""
    if text_of(held).split("\n")[-1:] != text_of(fresh).split("\n")[-1:]:
        return 0.0
    words = [masked(held), masked(fresh)]
    if moving:
        words = [sorted(set(each)) for each in words]
    return difflib.SequenceMatcher(None, *words, autojunk=False).ratio()


def disputed(demo: Demo) -> tuple[str, str, str, str]:
    """(file, commit before, line before, line after) of the newest change of one value in the demo's history."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(demo.origin), *arguments]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    for commit in git("log", "--no-merges", "--format=%H", "main").split():
        patch = git("show", "--format=", "-U0", commit)
        removed = [line for line in patch.splitlines() if line.startswith("-") and not line.startswith("---")]
        added = [line for line in patch.splitlines() if line.startswith("+") and not line.startswith("+++")]
        if len(removed) == len(added) == 1 and "replicas: " in removed[0]:
            path = git("show", "--format=", "--name-only", commit).strip()
            return path, git("rev-parse", f"{commit}^").strip(), removed[0][1:], added[0][1:]
    raise AssertionError("no commit of the demo changes just a number of replicas")


async def prepare(demo: Demo, state: Path) -> None:
    """A draft with a commit and open edits, and one in conflict with its target."""
    from tui.cli.wire import make_drafts

    options = Options(kubeconfig=str(demo.kubeconfig), repositories=(demo.repository,), state=state)
    drafts = make_drafts(options, settings_of(options))
    try:
        file = "shop/catalog/prod-eu-1/deployment.yaml"
        draft = await drafts.new("Raise catalog", str(demo.repository))
        content = await drafts.open(draft, file)
        draft = await drafts.edit(draft, file, content.text.replace("replicas: 3", "replicas: 5"), over=content.oid)
        await drafts.commit(draft, await drafts.propose(draft))
        for file, old, new in (
            ("shop/catalog/prod-us-1/deployment.yaml", "replicas: 3", "replicas: 4"),
            ("shop/catalog/prod-eu-1/deployment.yaml", "revisionHistoryLimit: 3", "revisionHistoryLimit: 5"),
        ):
            content = await drafts.open("raise-catalog", file)
            await drafts.edit("raise-catalog", file, content.text.replace(old, new), over=content.oid)
        file, base, before, _ = disputed(demo)
        draft = await drafts.new("Settle replicas", str(demo.repository), base=base)
        content = await drafts.open(draft, file)
        line = before.partition(":")[0] + ": 9"
        draft = await drafts.edit(draft, file, content.text.replace(before, line, 1), over=content.oid)
        await drafts.commit(draft, await drafts.propose(draft))
    finally:
        await drafts.close()


async def main() -> None:
    check = "--check" in sys.argv
    stale = []
    FOLDER.mkdir(exist_ok=True)
    with served("--seed", SEED) as demo, tempfile.TemporaryDirectory() as folder:
        await prepare(demo, Path(folder))
        for picture in PICTURES:
            svg = await take(demo, Path(folder), picture)
            if not check:
                picture.file.write_text(svg, encoding="utf-8")
                print(picture.file.name)
                continue
            held = picture.file.read_text(encoding="utf-8") if picture.file.exists() else ""
            share = alike(held, svg, picture.moving)
            print(f"{picture.file.name}: {share:.0%}")
            if share < (CURRENT_MOVING if picture.moving else CURRENT):
                stale.append(picture.file.name)
    kept = {picture.file for picture in PICTURES}
    stale += [f"{path.name} (made by nothing)" for path in FOLDER.glob("*.svg") if path not in kept]
    if stale:
        sys.exit(f"not current: {', '.join(stale)}: run `python -m tests.screenshots` and look at the pictures")


if __name__ == "__main__":
    asyncio.run(main())
