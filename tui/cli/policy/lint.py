"""`fleet policy lint`: traps of network policies with file and line, for people, programs and code hosts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.output import complain, json_text, print_table

if TYPE_CHECKING:
    from tui.domain.cilium.lint import Finding, Known, Read

FOUND, USAGE, UNREADABLE = 1, 2, 3  # exit codes
_SUFFIXES = (".yaml", ".yml", ".json")


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--endpoints",
    "endpoints",
    metavar="FILE",
    multiple=True,
    type=click.Path(),
    help="What there is in the cluster: kubectl get cep,ns,svc,ciliumnodes,ciliumcidrgroups -A -o yaml, or a policy "
    "test suite. May be given several times; - is standard input.",
)
@click.option(
    "--severity",
    type=click.Choice(("error", "warning", "info")),
    default="info",
    help="Print findings of this severity or worse (the default is info: all).",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(("table", "json", "sarif", "name")),
    default="table",
    help="How to print: table (the default), json, sarif (2.1.0), or name: the policies that have findings.",
)
def lint(paths: tuple[str, ...], endpoints: tuple[str, ...], severity: str, output: str) -> None:
    """Find traps in network policies: what is rejected, what does nothing, what was mistyped.

    PATH is a file, a folder that is searched for .yaml, .yml and .json, or - for standard input. All of them together
    are taken for one cluster's policies. Kinds other than network policies are passed over. Helm templates are told
    as unread: render them first.

    Without --endpoints nothing is said about labels, namespaces, Services, addresses and ports that may not exist.

    Exit codes: 0 nothing of severity warning or error, 1 such findings, 2 wrong usage, 3 something could not be read.
    """
    from tui.domain.cilium import lint as linting

    trouble: list[str] = []
    read = _policies(paths, trouble)
    known = _known(endpoints, read, trouble)
    found = linting.lint(read.policies, known)
    shown = [each for each in found if _rank(each.severity) <= _rank(severity)]
    for line in trouble:
        complain(line)
    _print(shown, output)
    if output == "table":
        _sum_up(found, len(read.policies))
    if trouble:
        sys.exit(UNREADABLE)
    if any(each.severity != "info" for each in found):
        sys.exit(FOUND)


def _rank(severity: str) -> int:
    return ("error", "warning", "info").index(severity)


# -- reading -------------------------------------------------------------------------------------------------------


def _policies(paths: Sequence[str], trouble: list[str]) -> Read:
    """The policies of every path. What cannot be read is told in `trouble`; templates in folders are only told."""
    from tui.domain.cilium.lint import Read, read
    from tui.domain.yamledit import Refused

    found = Read()
    for word in dict.fromkeys(paths):
        if word != "-" and not Path(word).exists():
            raise click.UsageError(f"there is no file or folder {word}")
        searched = word != "-" and Path(word).is_dir()
        for file in _files(word):
            try:
                one = read(_text(file), "" if file == "-" else Path(file).as_posix())
            except Refused as error:
                trouble.append(str(error.at(file)))
                continue
            except OSError as error:
                trouble.append(f"{file}: {error.strerror or error}")
                continue
            for unread in one.unread:
                told = f"{unread if unread.file else f'standard input:{unread}'}"
                if unread.template and searched:
                    complain(f"unread: {told}")
                else:
                    trouble.append(f"unread: {told}")
            found = Read((*found.policies, *one.policies), (*found.cidr_groups, *one.cidr_groups), ())
    return found


def _files(word: str) -> Iterator[str]:
    """The files that a path means, in order; hidden folders are not searched."""
    if word == "-" or not Path(word).is_dir():
        yield word
        return
    for path in sorted(Path(word).rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(word).parts)
        if path.suffix in _SUFFIXES and not hidden and path.is_file():
            yield str(path)


def _text(file: str) -> str:
    from tui.adapters import textfile

    return textfile.read_bounded(sys.stdin.buffer) if file == "-" else textfile.read(Path(file)).text


def _known(files: Sequence[str], read: Read, trouble: list[str]) -> Known:
    """What the files of --endpoints tell, with the CIDR groups that stand beside the policies."""
    import msgspec

    from tui.domain.cilium.lint.known import of_texts
    from tui.domain.cilium.lint.values import Known
    from tui.domain.yamledit import Refused

    texts = []
    for file in files:
        if file != "-" and not Path(file).is_file():
            raise click.UsageError(f"--endpoints: there is no file {file}")
        try:
            texts.append((_text(file), file))
        except (OSError, Refused) as error:
            trouble.append(f"--endpoints: {file}: {error}")
    known = Known()
    try:
        known = of_texts(texts)
    except Refused as error:
        trouble.append(f"--endpoints: {error}")
    if known.cidr_groups is None and not read.cidr_groups:
        return known
    return msgspec.structs.replace(known, cidr_groups=(*(known.cidr_groups or ()), *read.cidr_groups))


# -- printing ------------------------------------------------------------------------------------------------------


def _print(found: Sequence[Finding], output: str) -> None:
    from tui.cli.output import emit

    if output == "json":
        emit(json_text([_record(each) for each in found], 2) + "\n")
    elif output == "sarif":
        from tui import __version__
        from tui.domain.cilium.lint import sarif

        emit(json_text(sarif.document(found, __version__), 2) + "\n")
    elif output == "name":
        names = dict.fromkeys(
            "/".join(filter(None, (e.resource or "namespaces", e.namespace, e.policy))) for e in found
        )
        emit("".join(f"{name}\n" for name in names))
    elif found:
        body = [[e.place, e.severity, e.rule, f"{e.message} {e.advice}"] for e in found]
        print_table(["PLACE", "SEVERITY", "RULE", "FINDING"], body, sys.stdout)


def _record(found: Finding) -> dict[str, Any]:
    import msgspec

    from tui.domain.cilium.lint.values import KIND_OF

    record = msgspec.structs.asdict(found)
    kind = KIND_OF.get(record.pop("resource"), "")
    return {"rule": record.pop("rule"), "severity": record.pop("severity"), "kind": kind, **record}


def _sum_up(found: Sequence[Finding], policies: int) -> None:
    counts = [
        f"{number:,} {severity if severity == 'info' else severity + 's' * (number != 1)}"
        for severity in ("error", "warning", "info")
        if (number := sum(each.severity == severity for each in found))
    ]
    noun = "policy" if policies == 1 else "policies"
    sys.stdout.write(f"{', '.join(counts) or 'nothing found'} in {policies:,} {noun}\n")
