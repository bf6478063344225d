"""`fleet policy verdict`: may A talk to B?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.output import emit, json_text
from tui.cli.policy.common import TROUBLE, objects_of, refuse, text_of

if TYPE_CHECKING:
    from tui.domain.cilium.model import Endpoint, Flow, Rulebook, Side, Verdict


@click.command()
@click.option(
    "--policies",
    "given",
    metavar="PATH",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file or folder of policies; may be repeated, and more may follow as arguments.",
)
@click.argument("more", metavar="[PATH…]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--endpoints", "ends", metavar="FILE", type=click.Path(path_type=Path), help="Who there is; - is stdin.")
@click.option("--from", "source", metavar="NAME", required=True, help="Who calls: a name of FILE, or an IP address.")
@click.option("--to", "destination", metavar="NAME", required=True, help="Who is called.")
@click.option("--port", metavar="PORT[/PROTOCOL]", required=True, help="8080, 53/UDP, or the type as in 8/ICMP.")
@click.option("--method", metavar="METHOD", default="", help="HTTP: the method, GET unless told.")
@click.option("--path", metavar="PATH", default="", help="HTTP: the path with its query.")
@click.option("--host", metavar="HOST", default="", help="HTTP: the Host header.")
@click.option("--header", "headers", metavar="NAME:VALUE", multiple=True, help="HTTP: a header; may be repeated.")
@click.option("--dns", metavar="NAME", default="", help="DNS: the name that is looked up.")
@click.option("--sni", metavar="NAME", default="", help="TLS: the server name.")
@click.option(
    "-o", "--output", type=click.Choice(("table", "json")), default="table", help="Lines for people, or JSON."
)
def verdict(
    given: Sequence[Path], more: Sequence[Path], ends: Path | None, port: str, output: str, **asked: Any
) -> None:
    """Say whether one end may talk to another, and why, as Cilium would decide.

    The file of endpoints is written as in `fleet policy test` (`endpoints`, `namespaces`, `settings`), or holds
    Kubernetes objects, as from `kubectl get ciliumendpoints,pods,namespaces,services -A -o yaml`. Namespaces, Services
    and CiliumCIDRGroups beside the policies count too.

    Exit codes: 0 answered, whatever the answer; 2 wrong usage; 3 a file could not be read.
    """
    from tui.domain.cilium import reading, suitefile
    from tui.domain.cilium.engine.rulebook import rulebook
    from tui.domain.cilium.engine.verdict import verdict as decide
    from tui.domain.cilium.model import Flow

    try:
        number, protocol = suitefile.target(port)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--port") from None
    try:
        found = objects_of([*given, *more])
        known = suitefile.known(text_of(ends), _told(ends)) if ends else suitefile.Known({}, reading.bare())
        around = reading.surroundings(found, known.surroundings)
        endpoints = {**reading.endpoints(found, around), **known.endpoints}
        book = rulebook(reading.policies(found), around)
    except (OSError, ValueError) as error:
        refuse(error, ends or "")
        sys.exit(TROUBLE)
    flow = Flow(
        _end(endpoints, asked["source"], "--from"),
        _end(endpoints, asked["destination"], "--to"),
        number,
        protocol,
        _request(**asked),
    )
    found_verdict = decide(book, flow)
    if output == "json":
        emit(json_text(record(book, flow, found_verdict), 2) + "\n")
    else:
        _print(book, flow, found_verdict)


def _told(path: Path) -> str:
    return "standard input" if str(path) == "-" else str(path)


def _end(endpoints: Mapping[str, Endpoint], name: str, option: str) -> Endpoint:
    from tui.domain.cilium import suitefile
    from tui.domain.cilium.model import Endpoint

    if name in endpoints:
        return endpoints[name]
    if address := suitefile.address(name):
        return Endpoint((), name, address)
    near = suitefile.close(name, endpoints)
    known = near or (f"; there are {', '.join(sorted(endpoints)[:8])}" if endpoints else "; name them with --endpoints")
    raise click.BadParameter(f"no endpoint is called {name}{known}", param_hint=option)


def _request(method: str, path: str, host: str, headers: Sequence[str], dns: str, sni: str, **others: str) -> Any:
    from tui.domain.cilium.model import Request

    given: dict[str, Any] = {}
    if method or path or host or headers:
        pairs = (each.partition(":") for each in headers)
        held = {name.strip(): value.strip() for name, _, value in pairs}
        given = {"method": method or "GET", "path": path or "/", "host": host, "headers": held}
    if dns or sni or given:
        return Request(**given, dns=dns, sni=sni)
    return None


def record(book: Rulebook, flow: Flow, found: Verdict) -> dict[str, Any]:
    """A verdict as `-o json` prints it."""
    return {
        "from": flow.source.name,
        "to": flow.destination.name,
        "port": flow.port,
        "protocol": flow.protocol,
        "verdict": found.verdict,
        "egress": found.egress.verdict,
        "ingress": found.ingress.verdict,
        "reason": found.reason,
        "sides": {side.direction: _side(side) for side in (found.egress, found.ingress)},
        "caveats": list(found.caveats),
        "invalid": [
            {"policy": each.where.name, "file": each.where.file, "reason": each.reason} for each in book.invalid
        ],
    }


def _side(side: Side) -> dict[str, Any]:
    def places(held: Sequence[Any]) -> list[dict[str, str]]:
        return [{"policy": each.name, "rule": each.path, "file": each.file} for each in held]

    return {
        "verdict": side.verdict,
        "because": side.because,
        "reason": side.reason,
        "decided_by": places(side.where),
        "default_deny_by": places(side.enforced_by),
        "missing": list(side.missing),
        "authentication": side.authentication,
        "redirected": side.redirected,
        "steps": list(side.steps),
    }


def _print(book: Rulebook, flow: Flow, found: Verdict) -> None:
    from tui.ui.text import safe

    lines = [f"{found.verdict}: {flow.source.name} → {flow.destination.name} {flow.protocol} {flow.port}"]
    for side in (found.egress, found.ingress):
        lines.append(f"  {side.direction:<8} {side.verdict:<8} {side.reason}")
        lines += [f"{'':<20}{step}" for step in side.steps]
    lines += [f"  note     {text}" for text in found.caveats]
    for each in book.invalid:
        file = f" ({each.where.file})" if each.where.file else ""
        lines.append(f"  invalid  {each.where.name}{file} is not enforced: {each.reason}")
    emit("\n".join(map(safe, lines)) + "\n")
