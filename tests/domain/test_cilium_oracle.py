"""The verdict engine against the real one: every case of its answers, and its tables of name patterns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tui.domain.cilium.engine.fqdn import pattern_regex
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.model import Endpoint, Flow, Request, Rulebook, Service, Settings, Surroundings, Written
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy

PATH = Path(__file__).parents[3] / "shared" / "data" / "cilium" / "oracle.json"
RESOURCES = {"CiliumNetworkPolicy": CNP, "CiliumClusterwideNetworkPolicy": CCNP, "NetworkPolicy": KNP}
ANSWERS = {"allow": "allowed", "redirect": "allowed", "deny": "denied", "default-deny": "denied", "n/a": "n/a"}
# What a case tells in its text alone.
AUDIT = ("ENF05",)
SERVICES = {"SVC03": (Service("default", "db", {}, {}, ("203.0.113.7",)),)}


def of(name: str) -> list[Any]:
    if not PATH.exists():
        return [pytest.param(None, marks=pytest.mark.skip("the engine's answers are not at hand"))]
    return [pytest.param(each, id=each.get("id")) for each in json.loads(PATH.read_text())[name]]


def newest(case: dict[str, Any]) -> tuple[int, int]:
    """The newest version that a case holds for."""
    return (1, 18) if "1.18" in case.get("versions", "") and ">=" not in case["versions"] else (1, 19)


def settings(case: dict[str, Any], version: tuple[int, int]) -> Settings:
    held = case.get("config") or {}
    return Settings(
        version=version,
        audit=case["id"] in AUDIT,
        enforcement=held.get("enable_policy", "default"),
        cluster=held.get("cluster_name", "default"),
        default_local_cluster=held.get("policy_default_local_cluster", False),
        host_firewall=held.get("host_firewall", False),
        node_selector_labels=held.get("node_selector_labels", False),
        ipv4=held.get("ipv4", True),
        ipv6=held.get("ipv6", False),
    )


def book(case: dict[str, Any], version: tuple[int, int]) -> Rulebook:
    policies = [Written(RESOURCES[each["kind"]], msgspec.convert(each, Policy), "p.yaml") for each in case["policies"]]
    return rulebook(policies, Surroundings(settings(case, version), services=SERVICES.get(case["id"], ()), dns={}))


def end(held: dict[str, Any]) -> Endpoint:
    labels = tuple(sorted(held.get("labels", ())))
    return Endpoint(labels, ip=held.get("ip", ""), named_ports=held.get("named_ports", {}))


def flow(case: dict[str, Any], request: Request | None = None) -> Flow:
    return Flow(end(case["from"]), end(case["to"]), case["port"], case["proto"], request)


@pytest.mark.parametrize("case", of("cases"))
def test_the_answer_is_the_real_engines(case: dict[str, Any]) -> None:
    found = verdict(book(case, newest(case)), flow(case))
    assert found.verdict == case["expected"], found.reason
    if case.get("denied_at"):
        assert getattr(found, case["denied_at"]).verdict == "denied"


@pytest.mark.parametrize("case", of("cases"))
def test_each_end_answers_as_the_real_one_does(case: dict[str, Any]) -> None:
    """But for pods of other clusters: the real engine was asked alone, here their own policies decide."""
    engine = case["engine"] or {}
    found = verdict(book(case, newest(case)), flow(case))
    for side, at in (("egress", "from"), ("ingress", "to")):
        said = str(engine.get(side, "")).partition("+")
        if not said[0] or "k8s:io.cilium.k8s.policy.cluster=cluster2" in case[at].get("labels", ()):
            continue
        answer = getattr(found, side)
        assert answer.verdict == ANSWERS[said[0]]
        assert answer.redirected or said[0] != "redirect"
        if said[2]:
            assert answer.authentication == {"auth:spire": "required"}.get(said[2], said[2].removeprefix("auth:"))


@pytest.mark.parametrize("case", of("cases"))
def test_what_the_real_engine_rejects_is_invalid(case: dict[str, Any]) -> None:
    assert bool(book(case, newest(case)).invalid) == bool(case.get("policy_invalid"))


@pytest.mark.parametrize("case", [each for each in of("cases") if each.values[0] and each.values[0].get("l7")])
@pytest.mark.parametrize("version", [(1, 16), (1, 17), (1, 18), (1, 19)])
def test_what_is_asked_above_layer_4_is_answered(case: dict[str, Any], version: tuple[int, int]) -> None:
    http, dns = case["l7"].get("http", {}), case["l7"].get("dns", {})
    request = Request(**{key: http[key] for key in ("method", "path", "host", "headers") if http.get(key)})
    request = msgspec.structs.replace(request, dns=dns.get("query", ""))
    expected = case["expected_l7"].partition(" ")[0]
    if "1.16-1.17" in case["expected_l7"] and version < (1, 18):
        expected = "denied"
    assert verdict(book(case, version), flow(case, request)).verdict == expected


@pytest.mark.parametrize("table", of("fqdn_patterns"))
def test_patterns_match_the_names_of_the_tables(table: dict[str, Any]) -> None:
    regex = pattern_regex(table["pattern"])
    assert [name for name in table["accept"] if not regex.match(name)] == []
    assert [name for name in table["reject"] if regex.match(name)] == []
