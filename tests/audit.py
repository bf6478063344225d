"""Asks OSV (https://osv.dev) for known vulnerabilities of every package that is installed here.

    python -m tests.audit

Ends with 1 when one is known and not among `ACCEPTED`. When the service cannot be reached nothing is known: that is
said, and is no failure, because the gate must pass where there is no network.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from importlib import metadata

SERVICE = "https://api.osv.dev/v1/querybatch"
PATIENCE = 10.0  # seconds for the whole question
ACCEPTED: Mapping[str, str] = {}  # id of an advisory -> why it does not concern fleet


def installed() -> dict[str, str]:
    """Name -> version of every installed distribution but fleet itself."""
    found = {_plain(each.name): each.version for each in metadata.distributions() if each.name}
    found.pop("fleet-tui", None)
    return dict(sorted(found.items()))


def shipped(packages: Mapping[str, str]) -> set[str]:
    """Those of them that come with fleet: what it requires, and what that requires."""
    known: set[str] = set()
    waiting = ["fleet-tui"]
    while waiting:
        try:
            requires = metadata.requires(waiting.pop()) or []
        except metadata.PackageNotFoundError:
            continue
        for line in requires:
            name = _plain(re.match(r"[\w.-]+", line)[0])  # type: ignore[index]
            if "extra ==" not in line and name in packages and name not in known:
                known.add(name)
                waiting.append(name)
    return known


def _plain(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def advisories(packages: Mapping[str, str], service: str) -> dict[str, list[str]]:
    """Name -> ids of the advisories about the version that is here. Raises OSError and ValueError."""
    asked = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages.items()]
    request = urllib.request.Request(
        service, json.dumps({"queries": asked}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        results = json.load(answer)["results"]
    if len(results) != len(packages):
        raise ValueError(f"{len(results)} answers to {len(packages)} questions")
    return {
        name: [each["id"] for each in result["vulns"]]
        for name, result in zip(packages, results, strict=True)
        if result.get("vulns")
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is known; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--service", default=SERVICE, help="where to ask (an address that answers as OSV does)")
    service = parser.parse_args(arguments).service
    packages = installed()
    mine = shipped(packages)
    try:
        found = advisories(packages, service)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"NOT AUDITED: {service} cannot be asked ({error}); nothing is known about {len(packages)} packages")
        return 0
    open_ = 0
    for name, ids in found.items():
        for one in ids:
            open_ += one not in ACCEPTED
            whose = "comes with fleet" if name in mine else "for development"
            print(f"{name} {packages[name]} ({whose}): {one} {ACCEPTED.get(one, 'https://osv.dev/' + one)}")
    print(f"{len(packages)} packages asked about, {len(mine)} of them come with fleet: {open_} known vulnerabilities")
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main())
