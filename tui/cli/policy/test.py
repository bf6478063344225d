"""`fleet policy test`: policy unit tests for CI."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.output import complain, emit, json_text
from tui.cli.policy.common import DIFFERENT, MALFORMED, TROUBLE, matching, refuse, text_of

if TYPE_CHECKING:
    from tui.domain.cilium.model import Invalid
    from tui.domain.cilium.suite import Outcome, Suite


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Choice(("table", "json")), default="table", help="Lines for people, or JSON."
)
@click.option("--failed", is_flag=True, help="Only the cases that fail.")
def test(files: Sequence[Path], output: str, failed: bool) -> None:
    """Run policy tests: what may talk to what, checked against the policies as Cilium enforces them.

    \b
    A FILE (- is standard input) is YAML with one suite a document, or JSON with one suite or a list of them:
      name: checkout
      policies: [../policies/*.yaml]     paths relative to FILE, globs, folders, or objects
      namespaces: {shop: {team: web}}    labels of namespaces
      endpoints:
        web: {namespace: shop, labels: {app: web}}
        api: {namespace: shop, labels: {app: api}, named_ports: {http/TCP: 8080}}
        node: {labels: ["reserved:remote-node"]}
        office: {ip: 192.0.2.7}          an address outside the cluster
      settings: {version: "1.18", enforcement: default, cluster: prod, host_firewall: true}
      cases:
      - {name: web calls api, from: web, to: api, port: 8080, expect: allowed}
      - {name: office does not, from: office, to: api, port: 8080, expect: denied, denied_at: ingress}
      - {from: web, to: api, port: 8080, http: {method: GET, path: /}, expect: allowed}

    `from` and `to` are names, addresses, or endpoints written inline; `port` is a number, or the type with
    `protocol: ICMP`; `expect` is allowed, denied or unknown; also `dns: {query: …}` and `sni`. A policy that Cilium
    would reject is not enforced and is told on standard error.

    Exit codes: 0 every case passes, 1 some do not, 2 wrong usage or a malformed file (line and column are told),
    3 a file could not be read.
    """
    suites, code = _read(files)
    if code:
        sys.exit(code)
    from tui.domain.cilium.suite import run

    outcomes: list[Outcome] = []
    invalid: list[tuple[str, Invalid]] = []
    for suite in suites:
        done, rejected = run(suite)
        outcomes += done
        invalid += [(suite.name, each) for each in rejected]
    for name, each in invalid:
        file = f" ({each.where.file})" if each.where.file else ""
        complain(f"{name}: {each.where.name}{file} is invalid, so that it is not enforced: {each.reason}")
    shown = [each for each in outcomes if not (failed and each.passed)]
    if output == "json":
        emit(json_text([_record(each) for each in shown], 2) + "\n")
    else:
        _print(shown, outcomes)
    sys.exit(0 if all(each.passed for each in outcomes) else DIFFERENT)


def _read(files: Sequence[Path]) -> tuple[list[Suite], int]:
    """The suites of all files, and the exit code when some cannot be read: everything wrong is told at once."""
    from tui.domain.cilium.suitefile import suites
    from tui.domain.yamledit import Refused

    found: list[Suite] = []
    code = 0
    for file in files:
        folder = Path() if str(file) == "-" else file.parent
        try:
            text = text_of(file)
        except OSError as error:
            refuse(error, file)
            code = code or TROUBLE
            continue
        except ValueError as error:
            refuse(error, file)
            code = MALFORMED
            continue
        try:
            found += suites(
                text, "standard input" if str(file) == "-" else str(file), functools.partial(matching, folder=folder)
            )
        except Refused as error:
            complain(str(error))
            code = MALFORMED
    return found, code


def _record(outcome: Outcome) -> dict[str, Any]:
    found = outcome.verdict
    return {
        "suite": outcome.suite,
        "case": outcome.case.name,
        "expect": outcome.case.expect,
        "egress": found.egress.verdict,
        "ingress": found.ingress.verdict,
        "verdict": found.verdict,
        "reason": found.reason,
        "pass": outcome.passed,
    }


def _print(shown: Sequence[Outcome], outcomes: Sequence[Outcome]) -> None:
    from tui.ui.text import safe

    lines = []
    for each in shown:
        case = each.case
        name = f"{each.suite} / {case.name}"
        if each.passed:
            lines.append(safe(f"pass  {name}"))
            continue
        wanted = f"{case.expect} at {case.denied_at}" if case.denied_at else case.expect
        lines.append(safe(f"FAIL  {name}: expected {wanted}, got {each.verdict.verdict}: {_why(each)}"))
    wrong = sum(not each.passed for each in outcomes)
    total = f"{len(outcomes):,} {'case' if len(outcomes) == 1 else 'cases'}"
    lines.append(f"{total}, {wrong:,} failed" if wrong else f"{total}, all passed")
    emit("\n".join(lines) + "\n")


def _why(outcome: Outcome) -> str:
    """The reason; both sides' where the wrong one denied."""
    found, case = outcome.verdict, outcome.case
    if case.denied_at and found.verdict == case.expect:
        return f"egress {found.egress.reason}; ingress {found.ingress.reason}"
    return found.reason
