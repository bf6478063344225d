"""What the row of an Application keeps, and what many rows keep once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui.domain.argo.application import operation_title
from tui.domain.kinds import KINDS
from tui.domain.obj import Row
from tui.fleet.sync.codec import Codec

MOMENT = "2026-11-03T10:05:00Z"


def rows(*parts: dict[str, Any]) -> list[Row]:
    codec = Codec("hub", KINDS["applications.argoproj.io"])
    made = []
    for at, part in enumerate(parts):
        metadata = {"name": f"app-{at}", "namespace": "argocd", "uid": str(at), "resourceVersion": "1"}
        made.append(codec.row(json.dumps({"metadata": metadata, **part}).encode()))
    return made


def operated(phase: str, finished: str | None = MOMENT) -> dict[str, Any]:
    state = {"phase": phase, "startedAt": "2026-11-03T10:04:58Z", "finishedAt": finished}
    return {"status": {"operationState": state}}


def test_a_namespace_is_kept_once() -> None:
    own, first, second = rows(
        *({"spec": {"destination": {"namespace": name}}} for name in ("app-0", "monitoring", "monitoring"))
    )
    assert own.obj.spec.destination.namespace is own.ref.name
    assert first.obj.spec.destination.namespace is second.obj.spec.destination.namespace
    assert first.obj.spec.destination.namespace == "monitoring"


def test_what_was_synced_in_the_same_second_is_kept_once() -> None:
    first, second, third = rows(operated("Succeeded"), operated("Succeeded"), operated("Failed"))
    assert first.obj.status.operation_state is second.obj.status.operation_state
    assert operation_title(third.obj) == "Sync failed"


@pytest.mark.parametrize(
    ("phase", "finished", "kept"),
    [("Succeeded", MOMENT, False), ("Running", None, True), ("Running", MOMENT, True), ("Failed", None, True)],
)
def test_when_an_operation_began_is_kept_until_it_is_over(phase: str, finished: str | None, kept: bool) -> None:
    (row,) = rows(operated(phase, finished))
    assert bool(row.obj.status.operation_state.started_at) is kept
    assert row.obj.status.operation_state.finished_at == finished
