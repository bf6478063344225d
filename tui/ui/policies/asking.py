"""Questions from where one stands: an object under the cursor, or words of the `:` line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.domain.cilium.policy import CNP, KNP
from tui.domain.cluster import CLUSTERS
from tui.domain.obj import Ref, Row
from tui.fleet.netpol.asking import Question
from tui.fleet.netpol.typed import parse_port, parse_request
from tui.ui.policies.subjects import ENDPOINTS, WORKLOADS, pods_of

if TYPE_CHECKING:
    from tui.domain.cilium.hubble.observed import Observed, Party
    from tui.fleet.runtime import Fleet


def question_about(ref: Ref, fleet: Fleet) -> Question:
    """The question with this object as the one who is called; with its cluster alone where it is nobody who talks."""
    cluster = ref.cluster
    name = ""
    if ref.resource in ENDPOINTS:
        name = f"{ref.namespace}/{ref.name}"
    elif ref.resource == "nodes":
        name = ref.name
    elif ref.resource in WORKLOADS:
        row = fleet.store.get(ref)
        pods = pods_of(row, fleet) if row is not None else []
        name = f"{pods[0].namespace}/{pods[0].name}" if pods else ""
    elif ref.resource in (CNP, KNP):
        row = fleet.store.get(ref)
        name = _first_selected(row, fleet) if row is not None else ""
    elif ref.resource == CLUSTERS:
        cluster = ref.name
    return Question(source_cluster=cluster, cluster=cluster, destination=name)


def _first_selected(row: Row, fleet: Fleet) -> str:
    refs, told_from = fleet.facts.selected_refs(row)
    first = next(iter(refs), None)
    return "" if first is None else first.name if told_from == "nodes" else f"{first.namespace}/{first.name}"


def question_of_flow(flow: Observed, cluster: str) -> Question:
    """The flow that was seen as a question: whether policies as they are now would let it pass."""
    source, destination = _party(flow.source), _party(flow.destination)
    return Question(cluster, source, cluster, destination, flow.port, flow.protocol or "TCP", flow.request)


def _party(party: Party) -> str:
    """A pod by its name, the outside by its address, and what is Cilium's own by that."""
    if party.pod:
        return f"{party.namespace}/{party.pod}"
    own = [each for each in party.reserved if not each.startswith("world")]
    return party.ip if party.ip and not own else own[0] if own else "world"


def question_of(words: str, cluster: str) -> Question:
    """`shop/web shop/api 8080/TCP GET /orders @prod-eu`: as much of it as is given. Raises ValueError."""
    rest = words.split()
    places = [word[1:] for word in rest if word.startswith("@") and len(word) > 1]
    rest = [word for word in rest if not word.startswith("@")]
    here = places[0] if places else cluster
    there = places[1] if len(places) > 1 else here
    source, destination, port, *above = [*rest, "", "", ""][: max(3, len(rest))]
    number, protocol = parse_port(port) if port else (0, "TCP")
    return Question(here, source, there, destination, number, protocol, parse_request(" ".join(above)))
