"""Where Events about an object are asked for, and what is made of the answer."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.obj import Ref
from tui.domain.ports import ServerError
from tui.fleet.objectevents import decode, path


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_names_from_a_cluster_cannot_leave_their_place_in_the_path(namespace: str, name: str) -> None:
    found = urlsplit("https://x" + path(Ref("c", "pods", namespace, name), "Pod"))
    assert found.path.count("/") == 5 and found.path.endswith("/events") and not found.fragment
    assert set(parse_qs(found.query)) == {"fieldSelector", "limit"}


def test_events_of_cluster_scoped_objects_are_looked_for_in_every_namespace() -> None:
    assert path(Ref("c", "nodes", "", "node-1"), "Node").startswith("/api/v1/events?fieldSelector=involvedObject.kind")


def test_the_newest_comes_first_and_what_is_no_list_is_refused() -> None:
    items = [
        {"reason": "old", "lastTimestamp": "2026-11-22T08:00:00Z"},
        {"reason": "new", "eventTime": "2026-11-22T09:00:00.5Z"},
    ]
    assert [event.reason for event in decode(msgspec.json.encode({"items": items}))] == ["new", "old"]
    for odd in (b"<html>", b'{"items": 3}', b"\xff"):
        with pytest.raises(ServerError, match="cannot be read"):
            decode(odd)
