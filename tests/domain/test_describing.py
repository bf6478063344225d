"""Objects as readable text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.kinds.core import Event
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Meta
from tui.domain.objects.describing import LONGEST, MOST_LINES, describe, text_of, title

NOW = 1_795_338_000.0  # 2026-11-22T09:00:00Z
CERTIFICATE = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "u1",
        "creationTimestamp": "2026-11-22T08:00:00Z",
        "labels": {"b": "2", "a": "1"},
        "finalizers": ["keep/it"],
        "ownerReferences": [{"apiVersion": "x.io/v1", "kind": "Site", "name": "web", "uid": "2", "controller": True}],
    },
    "spec": {
        "dnsNames": ["a.example", "b.example"],
        "issuerRef": {"name": "acme", "kind": "ClusterIssuer"},
        "keystores": [{"name": "jks", "create": True}, {"ip": "10.0.0.1"}],
        "script": "one\ntwo\n" * 20,
        "empty": {},
    },
    "status": {
        "phase": "Failed",
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "Pending",
                "message": "waits\nfor DNS",
                "lastTransitionTime": "2026-11-22T08:55:00Z",
            }
        ],
    },
}
EVENTS = [
    Event(Meta(), reason="Issuing", message="a message", type="Warning", count=3, last_timestamp="2026-11-22T08:58:00Z")  # type: ignore[arg-type]
]


def test_the_whole_text() -> None:
    assert (
        text_of(describe(CERTIFICATE, "prod-eu", "Certificate", EVENTS, NOW))
        == """\
Certificate web
  Cluster                prod-eu
  Namespace              shop
  API version            cert-manager.io/v1
  UID                    u1
  Created                60m ago  2026-11-22T08:00:00Z
  Finalizers             keep/it
  Labels                 a=1
                         b=2

Conditions
  Ready                  False   5m    Pending  waits for DNS

Spec
  Dns Names              a.example, b.example
  Issuer Ref
    Name                 acme
    Kind                 ClusterIssuer
  Keystores
    - jks
      Create             true
    - Ip 10.0.0.1
  Script
    one
    two
    one
    two
    one
    two
    one
    two
    one
    two
    one
    two
    … 28 more lines
  Empty                  –

Status
  Phase                  ✖ Failed

References
  controls it            Site/web
  issuerRef              ClusterIssuer/acme

Events
  2m    Issuing          a message  ×3
"""
    )


@pytest.mark.parametrize(
    ("type_", "status", "tone"),
    [
        ("Ready", "True", Tone.GOOD),
        ("Ready", "False", Tone.BAD),
        ("Ready", "Unknown", Tone.UNKNOWN),
        ("DiskPressure", "True", Tone.BAD),
        ("DiskPressure", "False", Tone.GOOD),
        ("Progressing", "True", Tone.PLAIN),
    ],
)
def test_a_condition_is_good_or_bad_by_what_it_means(type_: str, status: str, tone: Tone) -> None:
    manifest = {"metadata": {"name": "x"}, "status": {"conditions": [{"type": type_, "status": status}]}}
    lines = describe(manifest, "c", "X", [], NOW)
    (told,) = [line for line in lines if line and line[0].text.strip() == type_]
    assert told[1].tone is tone


def test_why_there_are_no_events_is_said() -> None:
    assert "forbidden" in text_of(describe({}, "c", "X", "events is forbidden", NOW))
    assert "none of the last hour" in text_of(describe({}, "c", "X", [], NOW))


@pytest.mark.parametrize(
    ("name", "shown"),
    [("podCIDRs", "Pod CIDRs"), ("hostIP", "Host IP"), ("dnsPolicy", "Dns Policy"), ("a-b.c/d", "a-b.c/d"), ("", "")],
)
def test_fields_as_people_say_them(name: str, shown: str) -> None:
    assert title(name) == shown


def test_what_is_huge_is_cut() -> None:
    lines = describe({"spec": {f"k{at}": "x" * 10_000 for at in range(10_000)}}, "c", "X", [], NOW)
    assert len(lines) < MOST_LINES + 20 and max(len(text_of([line])) for line in lines) < LONGEST + 60
    deep: Any = "end"
    for _ in range(300):
        deep = {"a": [deep]}
    assert "…" in text_of(describe({"spec": deep}, "c", "X", [], NOW))


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "a", ""]), inner),
    max_leaves=12,
)
PARTS = ["metadata", "spec", "status", "data", "kind", "apiVersion"]


@given(st.dictionaries(st.sampled_from(PARTS), st.one_of(anything, st.fixed_dictionaries({"conditions": anything}))))
def test_no_object_is_too_odd(manifest: dict[str, Any]) -> None:
    assert text_of(describe(manifest, "c", "X", [], NOW)).startswith("X")
