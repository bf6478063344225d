"""The surgical editor beside ruamel.yaml's round trip on the same files and edits, and its cost in parses.

    pip install -e '.[dev,bench]'
    python -m tests.benchmarks.yaml_editor [--every N] [--write]

Each file gets one edit of each kind at a place drawn by lot; the file after it is judged by PyYAML's composer and by a
comparison of lines. ruamel.yaml is given quotes to keep, no folding and the indentation it guesses. `--write` records
the tables beside this module. Budget: one edit costs at most four parses of its document.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import io
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.domain import yamlgen as gen
from tui.domain import yamledit

BUDGET = 4.0
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LARGEST = 30_000  # characters of a file; ruamel.yaml takes seconds for more
KINDS = ("set", "insert", "append", "delete")
NEW = "edited-1.2"
SEVERAL = "set a mapping, 4 changes at once"
RECORD = Path(__file__).with_suffix(".md")


@dataclass
class Edit:
    """One edit: `path` is the place to set or delete, or the collection to add to."""

    text: str
    kind: str
    doc: int
    path: tuple[str | int, ...]
    documents: list[Any]


@dataclass
class Tally:
    """What became of a tool's edits. Times in seconds."""

    done: int = 0
    refused: int = 0
    wrong: int = 0
    beyond: int = 0  # right, but lines changed elsewhere
    lines: int = 0  # how many such lines
    times: list[float] = field(default_factory=list)


# ---- files


def corpus(every: int) -> Iterator[str]:
    for path in sorted(path for suffix in ("*.yaml", "*.yml") for path in DATA.rglob(suffix))[::every]:
        text = path.read_bytes().decode("utf-8")
        if len(text) <= LARGEST:
            yield text


def demo() -> Iterator[str]:
    from tui.demo.content.tree import final_tree

    for name, text in sorted(final_tree("https://git.example.com/platform.git").items()):
        if name.endswith((".yaml", ".yml")):
            yield text


def generated() -> Iterator[str]:
    for seed in range(300):
        yield gen.text(Random(seed))


def edits(text: str, random: Random) -> Iterator[Edit]:
    """One edit of each kind that the file has a place for; files with anchors are left to the tests."""
    documents = gen.compose(text)
    if not documents or "&" in text or "\ufeff" in text:
        return
    for kind in KINDS:
        doc = random.randrange(len(documents))
        data = documents[doc]
        places = [path for path in gen.paths(data) if fits(data, path, kind)]
        if places:
            yield Edit(text, kind, doc, random.choice(places), documents)


def fits(data: Any, path: tuple[str | int, ...], kind: str) -> bool:
    target = gen.at(data, path)
    if kind == "insert":
        return gen.is_map(target) and bool(target[1])
    if kind == "append":
        return gen.is_list(target) and bool(target[1])
    if not path or kind == "set":
        return bool(path) and not isinstance(target[1], list) and target[1] not in ("", NEW)
    return len(gen.at(data, path[:-1])[1]) > 1


# ---- tools


def surgical(edit: Edit) -> str:
    if edit.kind == "set":
        return yamledit.set_value(edit.text, edit.path, NEW, edit.doc).text
    if edit.kind == "insert":
        return yamledit.insert_key(edit.text, (*edit.path, NEW), NEW, edit.doc).text
    if edit.kind == "append":
        return yamledit.append_item(edit.text, edit.path, NEW, edit.doc).text
    return yamledit.delete(edit.text, edit.path, edit.doc).text


def round_trip() -> Callable[[Edit], str]:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.util import load_yaml_guess_indent
    except ImportError:
        sys.exit("ruamel.yaml is missing: pip install -e '.[bench]'")

    def apply(edit: Edit) -> str:
        tool = YAML()
        tool.preserve_quotes = True
        tool.width = 10**6
        _, indent, offset = load_yaml_guess_indent(edit.text) if len(edit.documents) == 1 else (None, None, None)
        tool.indent(mapping=indent or 2, sequence=indent or 2, offset=offset or 0)
        tool.explicit_start = edit.text.startswith("---")
        documents = list(tool.load_all(edit.text))
        holder: Any = [part for part in documents if part is not None][edit.doc]
        adds = edit.kind in ("insert", "append")
        for step in edit.path if adds else edit.path[:-1]:
            holder = holder[named(holder, step)]
        if adds:
            holder.append(NEW) if edit.kind == "append" else holder.update({NEW: NEW})
        elif edit.kind == "set":
            holder[named(holder, edit.path[-1])] = NEW
        else:
            del holder[named(holder, edit.path[-1])]
        out = io.StringIO()
        tool.dump_all(documents, out)
        return out.getvalue()

    return apply


def named(holder: Any, step: str | int) -> Any:
    """The key that is spelt so; ruamel.yaml has typed it."""
    if isinstance(step, int) or step in holder:
        return step
    typed = yaml.safe_load(step)
    return typed if typed in holder else next(key for key in holder if str(key) == step)


# ---- judging


def right(edit: Edit, after: str) -> bool:
    documents = gen.compose(after)
    if documents is None or len(documents) != len(edit.documents):
        return False
    data, found = edit.documents[edit.doc], documents[edit.doc]
    others = [part for index, part in enumerate(documents) if index != edit.doc]
    if list(map(valued, others)) != [valued(part) for index, part in enumerate(edit.documents) if index != edit.doc]:
        return False
    try:
        wanted = intended(edit, data, found)
    except (StopIteration, IndexError, TypeError):
        return False
    return bool(valued(found) == valued(wanted))


def valued(data: Any) -> Any:
    """Composed data with its scalars read: `~` is `null`."""
    tag, content = data
    if isinstance(content, str):
        return (tag, content if tag.endswith(":str") else repr(yaml.safe_load(content)))
    if tag.endswith(":map"):
        return (tag, [(valued(key), valued(part)) for key, part in content])
    return (tag, list(map(valued, content)))


def intended(edit: Edit, data: Any, found: Any) -> Any:
    if edit.kind == "set":
        return gen.changed(data, edit.path, gen.intended(NEW))
    if edit.kind == "delete":
        return gen.changed(data, edit.path, None)
    tag, parts = gen.at(data, edit.path)
    if edit.kind == "append":
        return gen.changed(data, edit.path, (tag, [*parts, gen.intended(NEW)]))
    place = next(index for index, (key, _) in enumerate(gen.at(found, edit.path)[1]) if key[1] == NEW)
    pair = (gen.intended(NEW), gen.intended(NEW))
    return gen.changed(data, edit.path, (tag, [*parts[:place], pair, *parts[place:]]))


def beyond(edit: Edit, after: str) -> int:
    """Lines of the file that changed or went although the edit is not about them."""
    first, last = own_lines(edit)
    matcher = difflib.SequenceMatcher(None, edit.text.splitlines(), after.splitlines(), autojunk=False)
    changed = {line for word, i, j, _, _ in matcher.get_opcodes() if word != "equal" for line in range(i, j)}
    return sum(not first <= line < last for line in changed)


def own_lines(edit: Edit) -> tuple[int, int]:
    """The lines, from 0, that the edit may change: of the value, the entry, or the flow collection it is added to."""
    nodes = [node for node in yaml.compose_all(edit.text, Loader=yaml.CSafeLoader) if node and not gen.empty(node)]
    node: Any = nodes[edit.doc]
    start = node.start_mark.line
    for step in edit.path:
        if isinstance(step, int):
            node = node.value[step]
            start = node.start_mark.line
        else:
            key, node = next(pair for pair in node.value if pair[0].value == step)
            start = key.start_mark.line
    if edit.kind in ("insert", "append") and not node.flow_style:
        return 0, 0
    end = node.end_mark
    beside = edit.kind == "delete" and edit.text.splitlines()[start].lstrip().startswith("- ")  # what follows moves up
    return start, max(end.line + (end.column > 0), start + 1) + beside


def tally(texts: Iterator[str], tools: dict[str, Callable[[Edit], str]]) -> tuple[int, int, dict[str, Tally]]:
    files = count = 0
    tallies = {name: Tally() for name in tools}
    for number, text in enumerate(texts):
        found = list(edits(text, Random(number)))
        files += bool(found)
        for edit in found:
            count += 1
            for name, tool in tools.items():
                judge(edit, tool, tallies[name])
    return files, count, tallies


def judge(edit: Edit, tool: Callable[[Edit], str], into: Tally) -> None:
    start = time.perf_counter()
    try:
        after = tool(edit)
    except Exception:  # noqa: BLE001 - whatever a tool raises, it did not make the edit
        into.refused += 1
        return
    finally:
        into.times.append(time.perf_counter() - start)
    if not right(edit, after):
        into.wrong += 1
        return
    into.done += 1
    lines = beyond(edit, after)
    into.beyond += bool(lines)
    into.lines += lines


# ---- cost


def item(number: int) -> str:
    return f'  item{number}:\n    name: web-{number} # c\n    image: "nginx:1.{number}"\n    args: [a, b]\n'


def document(items: int) -> str:
    return "kind: Values\nmetadata:\n  name: x\nspec:\n" + "".join(map(item, range(items)))


def costs(rounds: int) -> Iterator[tuple[str, str, float, float]]:
    """(file, edit, milliseconds, times one parse of the document); the best of interleaved rounds."""
    small, medium, large = document(10), document(350), document(20_000)
    shapes = {
        "1 kB": (small, small, None, 5 * rounds),
        "30 kB": (medium, medium, None, rounds),
        "2 MB": (large, large, None, 3),
        "30 kB of 3 MB": ("---\n".join([medium] * 100), medium, 50, rounds),
    }
    for name, (text, own, doc, times) in shapes.items():
        ways: dict[str, Callable[[], Any]] = {
            "parse": lambda own=own: list(yaml.parse(own, Loader=yaml.CLoader)),
            "set": lambda text=text, doc=doc: yamledit.set_value(text, "spec.item5.image", NEW, doc),
            SEVERAL: lambda text=text, doc=doc: yamledit.set_value(
                text, "spec.item5", {"name": "x", "image": "y", "args": ["b", "c"]}, doc
            ),
            "insert": lambda text=text, doc=doc: yamledit.insert_key(text, "spec.item5.new", NEW, doc),
            "append": lambda text=text, doc=doc: yamledit.append_item(text, "spec.item5.args", NEW, doc),
            "delete": lambda text=text, doc=doc: yamledit.delete(text, "spec.item5.image", doc),
            "rename": lambda text=text, doc=doc: yamledit.rename_key(text, "spec.item5.image", "img", doc),
        }
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(times):
            for way, run in ways.items():
                gc.collect()
                start = time.process_time()
                run()
                best[way] = min(best[way], time.process_time() - start)
        for way in list(ways)[1:]:
            yield name, way, best[way] * 1000, best[way] / best["parse"]


# ---- report


def report(every: int, rounds: int) -> tuple[str, float]:
    """The tables as Markdown, and the largest cost."""
    tools = {"fleet": surgical, "ruamel.yaml": round_trip()}
    out = [
        "| files | tool | edits | wrong | refused | other lines changed too | such lines | median ms | total s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    sources = {"demo": demo(), "generated": generated()}
    if DATA.is_dir():
        sources = {"manifests of public projects": corpus(every), **sources}
    for source, texts in sources.items():
        files, count, tallies = tally(texts, tools)
        for name, found in tallies.items():
            numbers = (count, found.wrong, found.refused, found.beyond, found.lines)
            median, total = statistics.median(found.times) * 1000, sum(found.times)
            cells = " | ".join(map(str, numbers))
            out.append(f"| {source} ({files}) | {name} | {cells} | {median:.1f} | {total:.1f} |")
    out += ["", "| document | edit | ms | times one parse of it |", "|---|---|---|---|"]
    most = 0.0
    for name, way, milliseconds, ratio in costs(rounds):
        out.append(f"| {name} | {way} | {milliseconds:.2f} | {ratio:.1f} |")
        most = max(most, ratio if way != SEVERAL else 0)
    return "\n".join(out), most


HEAD = """\
# The surgical editor and a round trip

    python -m tests.benchmarks.yaml_editor --write

Every file got one edit of each kind (set a scalar, insert a key, append an item, delete an entry) at a place drawn by
lot. Wrong: not the intended data, or no YAML any more, as PyYAML's composer reads it. Refused: the tool raised an
error. Other lines: the edit is right, and lines that it is not about changed or went; the next column counts them.
ruamel.yaml {ruamel} was given `preserve_quotes`, unlimited width and the indentation it guesses. Times are of text to
text, fleet's proof included; compare them within this table only. The second table counts parses of the edited document
into events by libyaml, in processor time; the budget of one edit is four. Python {python}, PyYAML {pyyaml}.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=8, help="take every nth of the shared test data's files")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--write", action="store_true", help=f"record the tables in {RECORD.name}")
    given = parser.parse_args()
    tables, most = report(given.every, given.rounds)
    print(tables)
    print(f"\nmost parses for one edit: {most:.1f} (budget {BUDGET:.0f})")
    if given.write:
        from importlib.metadata import version

        words = {"ruamel": version("ruamel.yaml"), "python": platform.python_version(), "pyyaml": yaml.__version__}
        RECORD.write_text(HEAD.format(**words) + tables + "\n", encoding="utf-8")
    if most > BUDGET:
        sys.exit(f"an edit costs {most:.1f} parses of its document")


if __name__ == "__main__":
    main()
