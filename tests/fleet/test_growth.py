"""A fleet that changes for ever keeps no more than one that has changed a while: counted in blocks of memory in use."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from tests.benchmarks.applications import application
from tui.domain import when
from tui.domain.argo import brief, dedupe
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.domain.settings import Settings
from tui.domain.tail import Tail
from tui.fleet import tailing
from tui.fleet.derive import StoreFacts
from tui.fleet.sync import codec
from tui.fleet.sync.held import Held
from tui.store import Store

APPLICATIONS = 20
ROUND = 500  # changes
NOW = 1_800_000_000.0


class Wire:
    """From the bytes of a watch to the store, the facts and the tail, in one thread."""

    def __init__(self) -> None:
        self.now, self.made = NOW, 0
        self.store = Store()
        self.tailing = tailing.Tailing(Tail(100), None, Settings(), lambda: self.now)
        self.facts = StoreFacts(self.store, Settings(), lambda: self.now)
        kind = KINDS["applications.argoproj.io"]
        self.held = Held("hub", kind, self, self.tailing.observers()[kind.resource])  # type: ignore[arg-type]
        self.objects = [application(number) for number in range(APPLICATIONS)]
        for number, obj in enumerate(self.objects):
            obj["metadata"] |= {"uid": f"uid-{number}", "managedFields": []}
            del obj["status"]["resources"][2:]
        self.round(APPLICATIONS)
        self.held.keep_only({row.ref for row in self.store.rows(kind.resource)})

    def add(self, changes: Mapping[Ref, Row | None]) -> None:
        """The outbox, without a thread between."""
        self.store.apply([row for row in changes.values() if row], [ref for ref, row in changes.items() if row is None])
        for row in changes.values():
            if row is not None:
                self.facts.destination(row)
        self.tailing.drain()

    def round(self, changes: int) -> None:
        """Every change has texts that nothing had before: a version, a moment, a commit, a label."""
        for _ in range(changes):
            self.made += 1
            self.now += 1.0
            obj = self.objects[self.made % APPLICATIONS]
            self.held.put(msgspec.Raw(json.dumps(_moved(obj, self.made, when.rfc3339(self.now))).encode()))
            self.held.hand_over()


def _moved(obj: dict[str, Any], made: int, moment: str) -> dict[str, Any]:
    obj["metadata"] |= {"resourceVersion": str(made), "labels": {"made": str(made)}, "creationTimestamp": moment}
    obj["spec"]["source"]["targetRevision"] = obj["status"]["sync"]["revision"] = f"{made:040x}"
    obj["spec"]["destination"]["name"] = f"cluster-{made}"
    obj["status"]["reconciledAt"] = moment
    obj["status"]["health"]["status"] = "Healthy" if made // APPLICATIONS % 2 else "Degraded"
    obj["status"]["resources"][0]["status"] = "Synced" if made // APPLICATIONS % 2 else "OutOfSync"
    return obj


def test_changes_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "KEPT", 100)
    monkeypatch.setattr(tailing, "REMEMBERED", 200)
    monkeypatch.setattr(tailing.events, "Deduplicator", lambda: dedupe.Deduplicator(100))
    monkeypatch.setattr(codec, "MOST_SHARED", 100)
    monkeypatch.setattr(brief, "MOST_SHARED", 100)
    brief._shared.clear()
    wire = Wire()
    wire.round(ROUND)
    used = []
    for _ in range(3):
        wire.round(ROUND)
        gc.collect()
        used.append(sys.getallocatedblocks())
    assert used[-1] - used[0] < ROUND  # one block for each change would be twice as many
