"""Every kind: object in, row out. A fixture per kind says what its columns give to scripts and show on the screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.domain import kinds
from tui.domain.cluster import Cluster
from tui.domain.kinds import KINDS, POLICY_RESOURCES, find, resources
from tui.domain.kinds import columns as c
from tui.domain.kinds.fleet import DraftRecord
from tui.domain.kinds.kind import Kind, Tone
from tui.domain.kinds.tabled import kind_of
from tui.domain.obj import Object, Ref, Row

FIXTURES = Path(__file__).parent.parent / "fixtures" / "kinds"
NOW = 1795338000.0  # 2026-11-22T09:00:00Z
OWN_RECORDS = {"clusters": Cluster, "drafts": DraftRecord}  # rows that are no Kubernetes objects


class Answers:
    """Facts as a fixture gives them."""

    now = NOW

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def selected(self, row: Row) -> int | None:
        return self.given.get("selected")

    def application(self, row: Row) -> str:
        return self.given.get("application", "")

    def source_file(self, row: Row) -> str:
        return self.given.get("file", "")

    def destination(self, row: Row) -> str:
        return self.given.get("destination", "?")

    def health_counts(self, cluster: str) -> dict[str, int]:
        return self.given.get("health", {})

    def count(self, cluster: str, resource: str) -> int | None:
        return self.given.get("count")


def cases() -> list[Any]:
    found = []
    for path in sorted(FIXTURES.glob("*.yaml")):
        for case in yaml.safe_load_all(path.read_text()):
            name = case["object"]["metadata"]["name"]
            found.append(pytest.param(path.stem, case, id=f"{path.stem}/{name}"))
    return found


def row_of(resource: str, obj: dict[str, Any]) -> Row:
    kind = KINDS[resource]
    if resource in OWN_RECORDS:
        record: Any = msgspec.convert(obj, OWN_RECORDS[resource], strict=False)
        # Metadata is written as Kubernetes writes it; the record itself is fleet's own.
        meta = msgspec.convert(obj, Object, strict=False).metadata
        record = msgspec.structs.replace(record, metadata=meta)
    else:
        record = msgspec.json.decode(msgspec.json.encode(obj), type=kind.record)
    meta = record.metadata
    return Row(Ref("prod-eu", resource, meta.namespace, meta.name), record)


@pytest.mark.parametrize(("resource", "case"), cases())
def test_a_fixture_becomes_the_row_it_says(resource: str, case: dict[str, Any]) -> None:
    kind, facts = KINDS[resource], Answers(case.get("facts", {}))
    row = row_of(resource, case["object"])
    values = {column.id: column.value(row, facts) for column in kind.columns}
    cells = {column.id: column.show(values[column.id], NOW).text for column in kind.columns}
    expected = {"cluster": "prod-eu", **case["row"]} if "cluster" in values else case["row"]
    shown = {name: cell for name, cell in cells.items() if cell != ("" if values[name] is None else str(values[name]))}
    assert (values, shown) == (expected, case.get("shown", {}))
    assert (kind.state(row.obj, facts).text if kind.state else None) == case.get("state")


@pytest.mark.parametrize("resource", KINDS)
def test_every_kind_has_a_fixture(resource: str) -> None:
    assert (FIXTURES / f"{resource}.yaml").exists()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.resource)
def test_a_half_filled_object_breaks_no_column(kind: Kind) -> None:
    record: Any = (
        OWN_RECORDS[kind.resource](metadata=Object().metadata) if kind.resource in OWN_RECORDS else kind.record()
    )
    row, facts = Row(Ref("c", kind.resource, "", "x"), record), Answers({})
    for column in kind.columns:
        column.show(column.value(row, facts), NOW)
    if kind.state:
        kind.state(row.obj, facts)
    if kind.health:
        kind.health(row.obj)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.resource)
def test_columns_have_ids_for_scripts_and_titles_for_people(kind: Kind) -> None:
    ids = [column.id for column in kind.columns]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-zA-Z]*", name) for name in ids)
    assert all(column.title == column.title.upper() and column.least <= column.width for column in kind.columns)


def test_values_of_known_words_that_nobody_knows_are_never_green() -> None:
    facts = Answers({})
    for kind in KINDS.values():
        if kind.state is None or kind.resource in OWN_RECORDS:
            continue
        bare = kind.record()
        word = kind.state(bare, facts)
        if kind.resource in ("applications.argoproj.io", "nodes", "pods", "namespaces", *POLICY_RESOURCES[:2]):
            assert word.tone is not Tone.GOOD, kind.resource


@pytest.mark.parametrize(
    ("word", "resource"),
    [
        ("po", "pods"),
        ("Pod", "pods"),
        ("PODS", "pods"),
        ("deploy", "deployments.apps"),
        ("deployments.apps", "deployments.apps"),
        ("deployment", "deployments.apps"),
        ("app", "applications.argoproj.io"),
        ("applications", "applications.argoproj.io"),
        ("cnp", POLICY_RESOURCES[0]),
        ("ccnp", POLICY_RESOURCES[1]),
        ("netpol", POLICY_RESOURCES[2]),
        ("ctx", "clusters"),
        ("ns", "namespaces"),
        ("draft", "drafts"),
    ],
)
def test_a_kind_is_found_by_what_people_call_it(word: str, resource: str) -> None:
    kind = find(word)
    assert kind is not None and kind.resource == resource
    assert resources(word) == (resource,)


def test_words_of_kinds_do_not_clash() -> None:
    owners: dict[str, str] = {}
    for kind in KINDS.values():
        for word in kinds._words(kind):
            assert owners.setdefault(word, kind.resource) == kind.resource, word
    assert find("nonsense") is None
    assert resources("Policies") == POLICY_RESOURCES
    assert resources("nonsense") == ()


def test_a_kind_nobody_described_shows_name_and_age() -> None:
    kind = kind_of("widgets", "Widget", "example.com", "v1beta1", False)
    text = b'{"metadata":{"name":"a","creationTimestamp":"2026-11-22T08:59:00Z"},"spec":[1]}'
    record = msgspec.json.decode(text, type=kind.record)
    row = Row(Ref("c", kind.resource, "", "a"), record)
    shown = {column.id: column.show(column.value(row, Answers({})), NOW).text for column in kind.columns}
    assert (shown["name"], shown["created"]) == ("a", "60s")
    assert "namespace" not in shown and kind.resource == "widgets.example.com"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "name", "key"]), inner, max_size=2)
    ),
    max_leaves=4,
)
policy_specs = st.dictionaries(
    st.sampled_from(
        ["endpointSelector", "nodeSelector", "podSelector", "ingress", "egress", "ingressDeny", "policyTypes"]
    ),
    st.one_of(
        json_values,
        st.lists(
            st.dictionaries(
                st.sampled_from(["fromEndpoints", "toPorts", "fromCIDRSet", "toFQDNs", "from", "to", "ports", "icmps"]),
                json_values,
                max_size=2,
            ),
            max_size=2,
        ),
    ),
    max_size=3,
)


@given(spec=policy_specs, resource=st.sampled_from(POLICY_RESOURCES))
def test_no_policy_text_breaks_its_row(spec: dict[str, Any], resource: str) -> None:
    text = msgspec.json.encode({"metadata": {"name": "a"}, "spec": spec})
    record = msgspec.json.decode(text, type=KINDS[resource].record)
    row = Row(Ref("c", resource, "n", "a"), record)
    for column in KINDS[resource].columns:
        column.show(column.value(row, Answers({})), NOW)


def test_state_words_have_a_shape_as_well_as_a_colour() -> None:
    for word, (glyph, _) in c.WORDS.items():
        assert glyph and glyph not in word
    assert c.state_cell("").text == "?"
    assert c.state_cell("CreateContainerConfigError").tone is Tone.BAD
    assert c.state_cell("ImagePullBackOff").tone is Tone.BAD
    assert c.state_cell("Init:0/2").tone is Tone.BUSY
    assert c.state_cell("SomethingNew") == ("SomethingNew", Tone.PLAIN)


def test_states_sort_by_severity_in_the_order_argo_cd_aggregates_by() -> None:
    words = ["Healthy", "Unknown", "Progressing", "Missing", "Suspended", "Degraded"]
    assert sorted(words, key=c.severity) == list(reversed(c.HEALTH_ORDER))
    assert sorted(["Synced", "Unknown", "OutOfSync"], key=c.severity) == ["Unknown", "OutOfSync", "Synced"]
    operations = ["Sync OK", "Waiting for retry 2", "Sync failed", "Syncing"]
    assert sorted(operations, key=c.severity) == ["Sync failed", "Syncing", "Waiting for retry 2", "Sync OK"]
    assert c.severity("") is None, "what nobody knows comes last in both directions"


def test_what_lacks_most_comes_first() -> None:
    assert sorted(["3/3", "1/3", "0/2", "10/10", "0/10"], key=c.share) == [
        "0/10",
        "0/2",
        "1/3",
        "10/10",
        "3/3",
    ]
    assert c.share("none") is None


def test_versions_quantities_and_ages_sort_as_numbers() -> None:
    assert sorted(["v1.10.2", "v1.9.30", "v1.10.10"], key=c.natural) == ["v1.9.30", "v1.10.2", "v1.10.10"]
    assert sorted(["10Gi", "500Mi", "2G", "1Ti"], key=c.quantity) == ["500Mi", "2G", "10Gi", "1Ti"]
    assert [c.quantity(odd) for odd in ("", "x", "1.2.3", ".", "3 apples")] == [None] * 5
    assert c.youngest(200.0) < c.youngest(100.0), "the younger first: ages grow downwards"


def test_every_state_and_age_column_has_an_order_of_its_own() -> None:
    for kind in KINDS.values():
        for column in kind.columns:
            if column.show in (c.show_state, c.show_age, c.show_ratio):
                assert column.sort is not None, f"{kind.resource}: {column.id}"


def test_a_file_is_named_before_its_folder() -> None:
    shown = [c.show_file(path, NOW).text for path in ("shop/prod/web.yaml", "web.yaml", "shop/prod/", "")]
    assert shown == ["web.yaml (shop/prod)", "web.yaml", "shop/prod/", ""]
