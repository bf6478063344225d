"""A verdict in words: the question, the answer, what each side says step by step, and what is not counted."""

from __future__ import annotations

from collections.abc import Sequence

from tui.domain.cilium.model import Request, Side, Where
from tui.domain.kinds.kind import Cell, Tone
from tui.fleet.netpol.asking import Answer, Question
from tui.fleet.netpol.state import End
from tui.ui.words import BLANK, Line, fact, heading, plain

_WORDS = {
    "allowed": Cell("✔ allowed", Tone.GOOD),
    "denied": Cell("✖ denied", Tone.BAD),
    "unknown": Cell("? unknown", Tone.UNKNOWN),
    "n/a": Cell("– not judged", Tone.MUTED),
}
_UNSURE = Cell("◐ allowed", Tone.WARN)  # unless what is not counted says otherwise
_WIDTH = 10


def word_cell(word: str, sure: bool = True) -> Cell:
    """A verdict as a cell; what is allowed as far as it is known is not green."""
    return _UNSURE if word == "allowed" and not sure else _WORDS[word]


def traffic(question: Question) -> str:
    """`TCP 8080`, `ICMP type 8`; "" when no port has been chosen."""
    if question.protocol.upper().startswith("ICMP"):
        return f"{question.protocol} type {question.port}"
    return f"{question.protocol} {question.port}" if question.port else ""


def asked_above(request: Request | None) -> str:
    """What is asked above layer 4: `GET /orders of shop.example`, `DNS db.example`, `SNI db.example`."""
    if request is None:
        return ""
    parts = []
    if request.method or request.path:
        parts.append(f"{request.method or 'GET'} {request.path or '/'}")
        if request.host:
            parts.append(f"of {request.host}")
    if request.dns:
        parts.append(f"DNS {request.dns}")
    if request.sni:
        parts.append(f"SNI {request.sni}")
    return " ".join(parts)


def question_lines(question: Question, answer: Answer | None) -> list[Line]:
    """Who, to whom, and how; what has not been chosen yet says by which key it is."""
    source, destination = (answer.source, answer.destination) if answer else (None, None)
    return [
        _end("From", question.source, question.source_cluster, source, "f chooses"),
        _end("To", question.destination, question.cluster, destination, "t chooses"),
        fact("Port", plain(traffic(question)) if traffic(question) else Cell("p chooses", Tone.MUTED), width=_WIDTH),
        fact(
            "Asked",
            plain(asked_above(question.request))
            if question.request
            else Cell("r adds an HTTP request, a DNS name or a server name", Tone.MUTED),
            width=_WIDTH,
        ),
    ]


def _end(title: str, name: str, cluster: str, end: End | None, otherwise: str) -> Line:
    if not name:
        return fact(title, Cell(otherwise, Tone.MUTED), width=_WIDTH)
    where = (Cell("  in ", Tone.MUTED), plain(cluster, Tone.MUTED)) if cluster else ()
    node = (Cell("  on ", Tone.MUTED), plain(end.node, Tone.MUTED)) if end and end.node not in ("", name) else ()
    return fact(title, plain(name, Tone.ACCENT), *where, *node, width=_WIDTH)


def answer_lines(answer: Answer, clusters: tuple[str, str]) -> list[Line]:
    """The verdict and the reason, then each side with its steps, then what is not counted."""
    found = answer.verdict
    sure = not found.caveats
    lines: list[Line] = [(word_cell(found.verdict, sure), Cell("  "), plain(_sentence(found.reason)))]
    for side, end, cluster in (
        (found.egress, answer.source, clusters[0]),
        (found.ingress, answer.destination, clusters[1]),
    ):
        told = side.reason == found.reason  # it stands above already
        lines += [BLANK, *side_lines(side, end.name, cluster if clusters[0] != clusters[1] else "", told)]
    if found.caveats:
        lines += [BLANK, heading("Not counted")]
        lines += [(Cell("  · ", Tone.WARN), plain(_sentence(each), Tone.MUTED)) for each in found.caveats]
    return lines


def side_lines(side: Side, name: str, cluster: str = "", told: bool = False) -> list[Line]:
    """What one side says, step by step; with `told` its reason stands above already."""
    way = "Egress of" if side.direction == "egress" else "Ingress of"
    where = (Cell(" in ", Tone.MUTED), plain(cluster, Tone.MUTED)) if cluster else ()
    lines: list[Line] = [
        (Cell(f"{way} ", Tone.ACCENT), plain(name, Tone.ACCENT), *where, Cell("  "), word_cell(side.verdict))
    ]
    steps = side.steps[:-1] if told and len(side.steps) > 1 and side.reason in side.steps[-1] else side.steps
    lines += [(Cell(f"  {number}  ", Tone.MUTED), plain(step)) for number, step in enumerate(steps, 1)]
    if not side.steps:
        lines.append((Cell("  "), plain(_sentence(side.reason))))
    lines += _places("decided by", side.where)
    lines += [(Cell("  missing  ", Tone.UNKNOWN), plain(each)) for each in side.missing]
    if side.authentication:
        lines.append((Cell("  authentication  ", Tone.MUTED), plain(side.authentication)))
    if side.redirected:
        lines.append((Cell("  it passes Cilium's proxy, which looks at each request", Tone.MUTED),))
    return lines


def _places(title: str, found: Sequence[Where], most: int = 4) -> list[Line]:
    lines: list[Line] = []
    for number, each in enumerate(found[:most]):
        lead = f"  {title}  " if not number else " " * (len(title) + 4)
        file = (Cell("  "), plain(each.file, Tone.MUTED)) if each.file else ()
        lines.append((Cell(lead, Tone.MUTED), plain(place(each)), *file))
    if len(found) > most:
        lines.append((Cell(f"{' ' * (len(title) + 4)}and {len(found) - most} more", Tone.MUTED),))
    return lines


def place(where: Where) -> str:
    """`shop/allow-web ingress[0]`: the policy and the rule within it."""
    return f"{where.name} {where.path.removeprefix('spec.')}".rstrip()


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""
