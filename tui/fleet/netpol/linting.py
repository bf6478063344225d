"""Lint of the policies of running clusters, with the lines of the files that declare them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tui.domain.cilium.lint import Finding, Known, KnownService, lint, of_written, read
from tui.domain.cilium.lint.values import Parsed
from tui.domain.cilium.model import Service
from tui.domain.obj import Ref, Row
from tui.domain.ports import Trouble
from tui.fleet.netpol.background import Background
from tui.fleet.netpol.needs import GROUPS
from tui.fleet.netpol.watching import WORKING

if TYPE_CHECKING:
    from tui.fleet.netpol.state import State
    from tui.fleet.runtime import Fleet

SERVICES = "services"


class Declared(NamedTuple):
    """The text that declares a policy: its file, and the policy as it is written there."""

    file: str
    parsed: Parsed


class Lints:
    """Findings per cluster, kept up with what is known of it. `close` when nobody needs them."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._answers: Background[list[Finding]] = Background(fleet.notify)

    def findings(self, cluster: str) -> tuple[list[Finding] | None, str]:
        """(What is to be said of a cluster's policies, what that does not count), in words; None: not known yet.

        Only of clusters that `fleet.netpol` looks at. Where endpoints cannot be had, the policies alone are looked at.
        """
        state = self._fleet.netpol.state(cluster)
        services = self._services(cluster)
        groups = self._fleet.facts.known(cluster, GROUPS)
        if isinstance(state, str):
            written = self._fleet.netpol.written(cluster)
            if not written:
                return None, state
            stamp: object = written
            found = self._answers.get(cluster, stamp, lambda: partial(lint, [of_written(each) for each in written]))
        else:
            stamp = (state.serial, self._fleet.store.resource_rev(SERVICES) if services is not None else -1, groups)
            found = self._answers.get(cluster, stamp, lambda: partial(_lint, state, services, groups))
        if found is None or isinstance(found, str):
            return None, found or WORKING
        return found, state if isinstance(state, str) else ""

    def _services(self, cluster: str) -> list[Row] | None:
        known = self._fleet.facts.known(cluster, SERVICES)
        return list(self._fleet.store.rows(SERVICES, cluster)) if known else None

    def close(self) -> None:
        """Work out nothing any more."""
        self._answers.close()


def _lint(state: State, services: list[Row] | None, groups: bool) -> list[Finding]:
    around = state.surroundings
    addresses = {(each.namespace, each.name): each.addresses for each in around.services}
    served = None
    if services is not None:
        served = tuple(
            KnownService(_service(row, addresses.get((row.ref.namespace, row.ref.name), ())), tuple(_ports(row)))
            for row in services
        )
    ends = [end for end in state.ends.values() if end.ref is not None]
    known = Known(
        settings=around.settings,
        endpoints=tuple(end.endpoint for end in ends if end.ref is not None and end.ref.resource == state.told_from),
        namespaces=around.namespaces,
        services=served,
        cidr_groups=around.cidr_groups if groups else None,
        node_addresses=tuple(end.endpoint.ip for end in ends if end.ref is not None and end.ref.resource == "nodes"),
    )
    return lint([of_written(each) for each in state.written], known)


def _service(row: Row, addresses: tuple[str, ...]) -> Service:
    obj = row.obj
    return Service(row.ref.namespace, row.ref.name, obj.metadata.labels or {}, obj.spec.selector or {}, addresses)


def _ports(row: Row) -> list[tuple[int, int | str, str]]:
    found = []
    for port in row.obj.spec.ports or ():
        target = port.target_port or port.port
        found.append((port.port, int(target) if str(target).isdigit() else target, port.protocol))
    return found


async def declared(fleet: Fleet, ref: Ref) -> Declared | str:
    """The text that declares a policy, or in words why there is none that can be read."""
    located = await fleet.locate(ref)
    place = next((each for each in located.places if each.confidence == "exact" and each.doc is not None), None)
    if place is None or fleet.drafts is None:
        return located.reason or "it is rendered: no file holds it as it is"
    try:
        repository = await fleet.drafts.repository(place.repo)
        text = (await repository.read(place.target, place.file)).text
    except Trouble as error:
        return str(error)
    for parsed in read(text, place.file).policies:
        if (parsed.resource, parsed.name) == (ref.resource, ref.name) and parsed.namespace in ("", ref.namespace):
            return Declared(place.file, parsed)
    return f"{place.file} does not hold it as it is"
