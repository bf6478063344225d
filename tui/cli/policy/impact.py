"""`fleet policy impact`: what a range of commits changes about who may talk to whom."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tui.cli.output import complain, emit, json_text
from tui.cli.policy.common import DIFFERENT, ENDINGS, TROUBLE, refuse, text_of

if TYPE_CHECKING:
    from tui.adapters.git.revisions import Revisions
    from tui.domain.cilium.impacts.amending import Said
    from tui.domain.cilium.impacts.impact import Impact, Replay
    from tui.domain.cilium.model import Endpoint, Flow, Rulebook
    from tui.domain.cilium.reading import Placed
    from tui.domain.cilium.suitefile import Known

MOST = 200  # lines of changed pairs and of flows
# A file that has none of these words has nothing to say about policies.
_VERBS = {
    "allowed": "newly allowed",
    "denied": "newly denied",
    "unknown": "no longer known",
    "restricted": "newly filtered",
    "freed": "filtered no more",
}
_TELLING = ("NetworkPolicy", "CiliumCIDRGroup", "Namespace", "Service", "EndpointSlice")


@click.command()
@click.argument("revisions", metavar="BASE..HEAD")
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path())
@click.option("--endpoints", "ends", metavar="FILE", type=click.Path(path_type=Path), help="Who there is; - is stdin.")
@click.option(
    "--flows", "seen", metavar="FILE", type=click.Path(path_type=Path), help="Hubble flows (JSON) to decide again."
)
@click.option(
    "-o", "--output", type=click.Choice(("table", "json")), default="table", help="Lines for people, or JSON."
)
def impact(revisions: str, paths: Sequence[str], ends: Path | None, seen: Path | None, output: str) -> None:
    """Say what commits change about network policies, in any Git checkout.

    Policies of both revisions are read from the YAML and JSON files below the PATHs, or of the whole repository; all
    of them together are taken for one cluster's, so name the folder of one cluster where there are several. BASE...HEAD
    compares with where both parted. The checkout is only read, whatever is in its working tree.

    Told are the policies that came, went, or say more or less than before, default deny switched on or off, and
    policies that Cilium rejects. With --endpoints (as in `fleet policy verdict`), also who may newly talk to whom, who
    no longer may, who is closed by default from now on and which policies select nothing; with --flows, which recorded
    flows would be decided otherwise.

    Exit codes: 0 no difference, 1 differences, 2 wrong usage, 3 something could not be read.
    """
    from tui.adapters.git.revisions import Revisions
    from tui.domain.cilium import reading, suitefile
    from tui.domain.ports import Trouble

    try:
        known = suitefile.known(text_of(ends), str(ends)) if ends else suitefile.Known({}, reading.bare())
        flows = _flows(seen) if seen else []
        place = Revisions(Path.cwd())
        try:
            base, head = place.range(revisions)
            sides = _sides(place, base, head, paths, known)
        finally:
            place.close()
    except Trouble as error:
        complain(str(error))
        sys.exit(TROUBLE)
    except (OSError, ValueError) as error:
        if "range of revisions" in str(error):
            raise click.BadParameter(str(error), param_hint="BASE..HEAD") from None
        refuse(error, ends or seen or "")
        sys.exit(TROUBLE)
    found = _compared(sides, known if ends else None, flows)
    for line in sides.trouble:
        complain(line)
    if output == "json":
        emit(json_text(_document(base, head, found), 2) + "\n")
    else:
        _print(found)
    if sides.trouble:
        sys.exit(TROUBLE)
    sys.exit(DIFFERENT if found.different else 0)


# -- both revisions ------------------------------------------------------------------------------------------------


class Sides(NamedTuple):
    """The rulebooks of both revisions, and what could not be read."""

    before: Rulebook
    after: Rulebook
    said: Sequence[Said]
    trouble: Sequence[str]


def _sides(place: Revisions, base: str, head: str, paths: Sequence[str], known: Known) -> Sides:
    from tui.domain.cilium import reading
    from tui.domain.cilium.engine.rulebook import rulebook
    from tui.domain.cilium.impacts.amending import key_of, said

    trouble: dict[str, None] = {}
    held: dict[tuple[str, str], list[Placed]] = {}
    listings = _listed(place, (base, head), paths)
    texts = place.texts(oid for listing in listings for oid in listing.values())
    books, policies = [], []
    for listing in listings:
        objects: list[Placed] = []
        for file, oid in sorted(listing.items()):
            if (file, oid) not in held:
                held[file, oid] = _objects(file, texts[oid], trouble)
            objects += held[file, oid]
        written = reading.policies(objects)
        policies.append(written)
        books.append(rulebook(written, reading.surroundings(objects, known.surroundings)))
        for key, count in Counter(map(key_of, written)).items():
            name = "/".join(part for part in key[1:] if part)
            if count > 1 and listing is listings[-1]:
                complain(f"{name} is declared more than once: name the folder of one cluster to compare it alone")
    return Sides(books[0], books[1], said(*policies), tuple(trouble))


def _listed(place: Revisions, commits: Sequence[str], paths: Sequence[str]) -> list[dict[str, str]]:
    found = []
    for commit in commits:
        files = place.files(commit, paths)
        found.append({file: oid for file, oid in files.items() if file.endswith(ENDINGS)})
    if paths and not any(found):
        raise ValueError(f"no YAML or JSON file below {', '.join(paths)} in either revision")
    return found


def _objects(file: str, text: str | None, trouble: dict[str, None]) -> list[Placed]:
    """What a file says of policies. A template is told, and its policies are not known."""
    from tui.domain.cilium import reading
    from tui.domain.yamledit import Refused

    if text is None:
        trouble[f"{file}: not readable as text"] = None
        return []
    if not any(word in text for word in _TELLING):
        return []
    try:
        return list(reading.objects(text, file))
    except Refused as error:
        if "{{" in text:
            complain(f"unread: {file} is a template: render it first")
        else:
            trouble[str(error.at(file))] = None
        return []


def _flows(path: Path) -> list[Flow]:
    """The flows of a file, answers left out. Raises OSError and ValueError."""
    from tui.domain.cilium.hubble.flows import read
    from tui.domain.cilium.hubble.observed import Observed

    lines = text_of(path).encode().splitlines(keepends=True)
    return [each.flow() for each in read(lines) if isinstance(each, Observed) and not each.answer]


# -- comparing -----------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """What is different. `effect` None: nobody said who there is; `flows` None: nor what was seen."""

    said: Sequence[Said]
    invalid: Sequence[tuple[str, str, str]]  # policy, file, reason: of the newer revision
    effect: Impact | None = None
    flows: Replay | None = None

    @property
    def different(self) -> bool:
        """Whether anything is."""
        return bool(self.said or self.effect or (self.flows and self.flows.changed))


def _compared(sides: Sides, known: Known | None, flows: Sequence[Flow]) -> Found:
    from tui.domain.cilium.impacts.impact import impact as effect_of
    from tui.domain.cilium.impacts.impact import replay
    from tui.domain.cilium.reachability.reach import Reach

    invalid = [(each.where.name, each.where.file, each.reason) for each in sides.after.invalid]
    if known is None and not flows:
        return Found(sides.said, invalid)
    ends: dict[Hashable, Endpoint] = {}
    ends.update(known.endpoints.items() if known is not None else ())
    before = Reach(sides.before, ends)
    after = before.with_book(sides.after)
    effect = effect_of(before, after, MOST) if known is not None else None
    return Found(sides.said, invalid, effect, replay(before, after, flows, MOST) if flows else None)


def _document(base: str, head: str, found: Found) -> Mapping[str, Any]:
    from tui.domain.cilium.impacts.changes import sentence

    return {
        "base": base,
        "head": head,
        "policies": [
            {
                "policy": each.name,
                "resource": each.key[0],
                "namespace": each.key[1],
                "name": each.key[2],
                "file": each.file,
                "changes": [{"how": one.how, "what": sentence(one), "path": one.path} for one in each.changes],
            }
            for each in found.said
        ],
        "invalid": [{"policy": name, "file": file, "reason": reason} for name, file, reason in found.invalid],
        "effect": _effect(found.effect) if found.effect is not None else None,
        "flows": _replay(found.flows) if found.flows is not None else None,
    }


def _effect(effect: Impact) -> dict[str, Any]:
    return {
        "changes": [
            {
                "kind": each.kind,
                "from": [group.words for group in each.source.groups],
                "to": [group.words for group in each.destination.groups],
                "ports": each.ports.words,
                "pairs": each.pairs,
            }
            for each in effect.changes
        ],
        "more": effect.more,
        "pairs": dict(effect.pairs),
        "outside": dict(effect.outside),
        "default_deny": [
            {"who": each.group.words, "direction": each.direction, "on": each.on, "endpoints": each.endpoints}
            for each in effect.default_deny
        ],
        "selection": [
            {
                "who": each.group.words,
                "policy": "/".join(filter(None, each.policy[1:])) if each.policy else None,
                "selected": each.now,
                "endpoints": each.endpoints,
            }
            for each in effect.selection
        ],
        "selecting_nothing": ["/".join(filter(None, each[1:])) for each in effect.selecting_nothing],
    }


def _replay(flows: Replay) -> dict[str, Any]:
    changed = [
        {
            "from": each.flow.source.name,
            "to": each.flow.destination.name,
            "port": each.flow.port,
            "protocol": each.flow.protocol,
            "before": each.before,
            "after": each.after,
            "reason": each.reason,
            "flows": each.flows,
        }
        for each in flows.changed
    ]
    return {"changed": changed, "more": flows.more, "flows": flows.flows}


def _print(found: Found) -> None:
    from tui.domain.cilium.impacts.changes import sentence
    from tui.ui.text import safe

    lines: list[str] = []
    for each in found.said:
        lines.append(f"{each.name}  {each.file}")
        lines += [f"  {one.how:<16} {sentence(one)}" for one in each.changes]
    for name, file, reason in found.invalid:
        lines.append(f"invalid  {name} ({file}) is not enforced: {reason}")
    if (effect := found.effect) is not None:
        lines += [f"{_VERBS[each.kind]:<16} {each.words}" for each in effect.changes]
        lines += [f"and {effect.more} more"] if effect.more else []
        lines += [each.words for each in effect.default_deny]
        lines += [each.words for each in effect.selection if each.policy is None]
        lines += [f"{'/'.join(filter(None, each[1:]))} selects nothing" for each in effect.selecting_nothing]
    for flow in found.flows.changed if found.flows is not None else ():
        ends = f"{flow.flow.source.name} → {flow.flow.destination.name} {flow.flow.protocol} {flow.flow.port}"
        lines.append(f"{flow.before} → {flow.after}  {ends}  seen {flow.flows}×: {flow.reason}")
    emit("".join(f"{safe(line)}\n" for line in lines or ["no difference"]))
