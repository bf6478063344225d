"""An object as readable text: what it is, its conditions, what it says field by field, what it names, its Events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tui.domain import when
from tui.domain.kinds.columns import state_cell
from tui.domain.kinds.core import Event, event_time
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.objects.references import links, owners

Line = tuple[Cell, ...]

MOST_LINES = 2_000  # of one part; the manifest has the rest
LONGEST = 300  # characters of one value
MOST_TEXT = 12  # lines of a text of several lines
WIDTH = 22  # cells of a field's name
_BLANK: Line = ()
_SHOWN = frozenset({"apiVersion", "kind", "metadata", "status"})
_GOOD = frozenset({"Ready", "Available", "Healthy", "Established", "Initialized", "ContainersReady", "PodScheduled"})
_BAD_WORDS = re.compile(r"Pressure|Unavailable|Fail|Error|Degraded|Problem|Stalled|Invalid|Conflict")
_WORD = re.compile(r"[A-Z]+s?(?![a-z])|[A-Z]?[a-z0-9]+|.")


def describe(
    manifest: Mapping[str, Any], cluster: str, kind: str, events: Sequence[Event] | str, now: float
) -> list[Line]:
    """The whole text. `events` newest first, or why there are none; `now` in seconds since the epoch."""
    meta, status = _map(manifest.get("metadata")), _map(manifest.get("status"))
    parts = [
        _identity(manifest, meta, cluster, kind, now),
        _part("Conditions", _conditions(status.get("conditions"), now)),
        *(_part(title(key), _fields(manifest[key])) for key in manifest if key not in _SHOWN),
        _part("Status", _fields({key: value for key, value in status.items() if key != "conditions"})),
        _part("References", _references(manifest)),
        _part("Events", _events(events, now)),
    ]
    return [line for part in parts if part for line in (*part, _BLANK)][:-1]


def text_of(lines: Iterable[Line]) -> str:
    """Lines without their tones."""
    return "\n".join("".join(cell.text for cell in line).rstrip() for line in lines) + "\n"


def title(name: str) -> str:
    """A field as people say it: `podCIDRs` as `Pod CIDRs`, `service-account` as it is."""
    if not name.isalnum():
        return name
    return " ".join(_WORD.findall(name[:1].upper() + name[1:]))


def _part(name: str, lines: Iterable[Line]) -> list[Line]:
    found: list[Line] = []
    for line in lines:
        if len(found) == MOST_LINES:
            found.append((Cell("  … the manifest has the rest", Tone.MUTED),))
            break
        found.append(line)
    return [(Cell(name, Tone.ACCENT),), *found] if found else []


def _fact(name: str, *cells: Cell, depth: int = 0) -> Line:
    return (Cell(f"{'  ' * (depth + 1)}{name:<{max(0, WIDTH - 2 * depth)}} ", Tone.MUTED), *cells)


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else f"{flat[:LONGEST]}…"


# -- parts ------------------------------------------------------------------------------------------------------------


def _identity(manifest: Mapping[str, Any], meta: Mapping[str, Any], cluster: str, kind: str, now: float) -> list[Line]:
    lines: list[Line] = [(Cell(f"{kind} ", Tone.MUTED), Cell(_text(meta.get("name")), Tone.ACCENT))]
    for name, value in (
        ("Cluster", cluster),
        ("Namespace", _text(meta.get("namespace"))),
        ("API version", _text(manifest.get("apiVersion"))),
        ("UID", _text(meta.get("uid"))),
    ):
        if value:
            lines.append(_fact(name, Cell(value)))
    for name, key in (("Created", "creationTimestamp"), ("Deleting since", "deletionTimestamp")):
        if (moment := when.seconds(_text(meta.get(key)))) is not None:
            tone = Tone.PLAIN if key == "creationTimestamp" else Tone.WARN
            lines.append(_fact(name, Cell(f"{when.age(now - moment)} ago", tone), Cell(f"  {meta[key]}", Tone.MUTED)))
    finalizers = meta.get("finalizers")
    if isinstance(finalizers, list) and finalizers:
        lines.append(_fact("Finalizers", Cell(_one_line(", ".join(map(str, finalizers))))))
    for name, key in (("Labels", "labels"), ("Annotations", "annotations")):
        for number, (label, value) in enumerate(sorted(_map(meta.get(key)).items())):
            lines.append(_fact("" if number else name, Cell(_one_line(f"{label}={value}"))))
    return lines


def _conditions(conditions: Any, now: float) -> Iterator[Line]:
    for each in _maps(conditions):
        name, status = _text(each.get("type")), _text(each.get("status"))
        moment = when.seconds(_text(each.get("lastTransitionTime")))
        since = f"{when.age(now - moment)}" if moment is not None else ""
        reason = _text(each.get("reason"))
        message = _one_line(_text(each.get("message")))
        yield _fact(
            name,
            Cell(f"{status:<8}", _tone(name, status)),
            Cell(f"{since:<6}", Tone.MUTED),
            Cell(f"{reason}  " if reason else ""),
            Cell(message, Tone.MUTED),
        )


def _tone(name: str, status: str) -> Tone:
    """True is good of what should be so, bad of what should not; of other conditions nobody can tell."""
    if status not in ("True", "False"):
        return Tone.UNKNOWN
    if _BAD_WORDS.search(name):
        return Tone.BAD if status == "True" else Tone.GOOD
    if name in _GOOD or name.endswith("Ready"):
        return Tone.GOOD if status == "True" else Tone.BAD
    return Tone.PLAIN


def _references(manifest: Mapping[str, Any]) -> Iterator[Line]:
    for link in (*owners(manifest), *links(manifest)):
        yield _fact(link.how, Cell(f"{link.kind}/{link.name}", Tone.ACCENT))


def _events(events: Sequence[Event] | str, now: float) -> Iterator[Line]:
    if isinstance(events, str):
        yield (Cell(f"  {_one_line(events)}", Tone.UNKNOWN),)
        return
    for event in events:
        moment = event_time(event)
        age = when.age(now - moment) if moment else "?"
        times = f"  ×{event.count}" if event.count > 1 else ""
        tone = Tone.WARN if event.type == "Warning" else Tone.PLAIN
        said = (Cell(_one_line(event.message), tone), Cell(times, Tone.MUTED))
        yield _fact(f"{age:<5} {event.reason}", *said)
    if not events:
        yield (Cell("  none of the last hour or so", Tone.MUTED),)


# -- fields -----------------------------------------------------------------------------------------------------------


def _fields(value: Any, depth: int = 0) -> Iterator[Line]:
    """A value field by field: scalars beside their names, what is nested below them."""
    if isinstance(value, Mapping):
        for key, held in value.items():
            yield from _field(title(str(key)), held, depth)
    elif isinstance(value, list):
        for item in value:
            yield from _field("-", item, depth)
    elif value is not None:
        yield from _field("", value, depth)


def _field(name: str, value: Any, depth: int) -> Iterator[Line]:
    if depth > 12:
        yield _fact(name, Cell("…", Tone.MUTED), depth=depth)
    elif isinstance(value, str) and "\n" in value.strip():
        yield _fact(name, depth=depth)
        lines = value.strip("\n").split("\n")
        for line in lines[:MOST_TEXT]:
            yield (Cell("  " * (depth + 2) + line[:LONGEST]),)
        if len(lines) > MOST_TEXT:
            yield (Cell(f"{'  ' * (depth + 2)}… {len(lines) - MOST_TEXT:,} more lines", Tone.MUTED),)
    elif isinstance(value, list) and value and all(not isinstance(item, Mapping | list) for item in value):
        yield _fact(name, Cell(_one_line(", ".join(map(_scalar, value)))), depth=depth)
    elif isinstance(value, Mapping) and value and name == "-":
        yield from _item(value, depth)
    elif (isinstance(value, Mapping) and value) or (isinstance(value, list) and value):
        yield _fact(name, depth=depth)
        yield from _fields(value, depth + 1)
    else:
        text = _scalar(value)
        state = name in ("Phase", "State", "Status", "Health") and text
        yield _fact(name, state_cell(text) if state else Cell(_one_line(text)), depth=depth)


def _item(value: Mapping[str, Any], depth: int) -> Iterator[Line]:
    """An entry of a list: its name or type beside the dash, the rest below; one of a single field in one line."""
    key = next((key for key in ("name", "type") if isinstance(value.get(key), str)), "")
    first = value.get(key) if key else None
    rest = {other: held for other, held in value.items() if other != key}
    if not key and len(value) == 1 and not isinstance(next(iter(value.values())), Mapping | list):
        ((key, first),) = value.items()
        rest, first = {}, f"{title(key)} {_scalar(first)}"
    yield (Cell("  " * (depth + 1) + "- ", Tone.MUTED), Cell(_one_line(str(first or "")), Tone.ACCENT))
    yield from _fields(rest, depth + 1)


def _scalar(value: Any) -> str:
    if value is None or value in ([], {}):
        return "–"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
