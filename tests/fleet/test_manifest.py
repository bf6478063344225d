"""What a person sees of an object never holds a secret value."""

from __future__ import annotations

import json

from tui.domain.redact import MASK
from tui.fleet.manifest import cleaned


def test_bookkeeping_goes_and_the_rest_stays() -> None:
    found = {"kind": "Pod", "metadata": {"name": "a", "managedFields": [1]}, "spec": {"x": 1}}
    assert cleaned(found) == {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"x": 1}}
    assert "managedFields" in found["metadata"]


def test_a_secret_keeps_its_keys_and_loses_its_values() -> None:
    applied = json.dumps({"data": {"password": "aHVudGVyMg=="}})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
        "data": {"password": "aHVudGVyMg=="},
        "stringData": {"token": "hunter2"},
    }
    shown = json.dumps(cleaned(secret))
    assert "hunter2" not in shown
    assert "aHVudGVyMg==" not in shown
    assert cleaned(secret)["data"] == {"password": MASK}
