"""Destinations matched to clusters by evidence, and repositories that are one."""

from __future__ import annotations

import msgspec
import pytest

from tests.domain.rows import row
from tui.domain.argo.application import (
    RESOURCE,
    Application,
    auto_sync,
    instance_name,
    main_source,
    of_row,
    operation_title,
    short,
    sources,
)
from tui.domain.argo.application import decode as decode_application
from tui.domain.argo.destinations import Candidate, Registered, Verdict, match, normalise_url
from tui.domain.argo.repourl import normalise, same
from tui.domain.argo.tracking import parse as parse_tracking

EU = Candidate("prod-eu", ("https://eu.example.com:6443",), ("prod-eu", "admin@eu"), ("ca1",), ("eks:eu",), "uid-eu")
US = Candidate("prod-us", ("https://us.example.com",), ("prod-us",), ("ca2",), (), "uid-us")
TWIN = Candidate("twin", ("https://eu.example.com:6443",), ("twin",), (), (), "uid-twin")


def verdict(server: str = "", name: str = "", *candidates: Candidate, **more: object) -> tuple[Verdict, str]:
    found = match(Registered(server, name), "hub", candidates or (EU, US), **more)  # type: ignore[arg-type]
    return found.verdict, found.cluster


def test_the_same_url_is_certain() -> None:
    assert verdict("HTTPS://EU.example.com:6443/") == (Verdict.CERTAIN, "prod-eu")
    assert verdict("https://us.example.com:443") == (Verdict.CERTAIN, "prod-us")
    assert verdict("https://eu.example.com") == (Verdict.NONE, "")


def test_the_same_name_alone_is_a_suggestion() -> None:
    assert verdict("", "admin@eu") == (Verdict.SUGGESTION, "prod-eu")
    assert verdict("https://gone.example.com", "prod-us") == (Verdict.SUGGESTION, "prod-us")


def test_authority_with_name_or_identity_is_strong_and_alone_weak() -> None:
    for registered, expected in (
        (Registered("https://proxy", "prod-eu", "ca1"), Verdict.STRONG),
        (Registered("https://proxy", "x", "ca1", ("eks:eu",)), Verdict.STRONG),
        (Registered("https://proxy", "x", "ca1"), Verdict.SUGGESTION),
        (Registered("https://proxy", "x", "", ("eks:eu",)), Verdict.SUGGESTION),
    ):
        found = match(registered, "hub", (EU, US))
        assert (found.verdict, found.cluster) == (expected, "prod-eu")


def test_the_hub_itself() -> None:
    assert verdict("https://kubernetes.default.svc") == (Verdict.CERTAIN, "hub")
    assert verdict("", "in-cluster") == (Verdict.CERTAIN, "hub")


def test_two_clusters_that_match_alike_are_ambiguous_and_both_named() -> None:
    found = match(Registered("https://eu.example.com:6443"), "hub", (EU, TWIN))
    assert (found.verdict, found.cluster, found.candidates) == (Verdict.AMBIGUOUS, "", ("prod-eu", "twin"))
    assert "prod-eu" in found.words and "twin" in found.words
    one = Candidate("alias", EU.servers, uid=EU.uid)
    assert match(Registered("https://eu.example.com:6443"), "hub", (EU, one)).verdict is Verdict.CERTAIN


def test_a_url_that_leads_to_two_clusters_is_no_proof() -> None:
    assert verdict("https://eu.example.com:6443", "twin", EU, TWIN) == (Verdict.STRONG, "twin")
    assert verdict("https://eu.example.com:6443", "twin", EU, TWIN, proven=["prod-eu"]) == (Verdict.CERTAIN, "prod-eu")


def test_what_lies_in_the_cluster_decides() -> None:
    assert verdict("https://proxy/k8s/1", "", EU, US, proven=["prod-us"]) == (Verdict.CERTAIN, "prod-us")
    assert verdict("", "prod-eu", EU, US, proven=["prod-eu", "prod-us"]) == (Verdict.CERTAIN, "prod-eu")
    assert verdict("https://proxy", "", EU, US, proven=["prod-eu", "prod-us"]) == (Verdict.AMBIGUOUS, "")
    found = match(Registered("https://us.example.com"), "hub", (EU, US), disproven=["prod-us"])
    assert found.verdict is Verdict.SUGGESTION and "another Application" in found.words


def test_a_url_and_objects_that_contradict_each_other_are_both_shown() -> None:
    found = match(Registered("https://us.example.com"), "hub", (EU, US), proven=["prod-eu"])
    assert (found.verdict, found.cluster) == (Verdict.AMBIGUOUS, "")
    assert found.words == "the URL leads to prod-us, but its objects lie in prod-eu"


def test_the_users_own_answer_wins() -> None:
    pins = {"hub/https://eu.example.com:6443": "twin", "hub/staging": "gone", "other/prod-us": "prod-eu"}
    assert verdict("https://eu.example.com:6443", "", EU, TWIN, pins=pins) == (Verdict.CERTAIN, "twin")
    assert verdict("", "staging", EU, US, pins=pins) == (Verdict.NONE, "")
    assert verdict("", "prod-us", EU, US, pins=pins) == (Verdict.SUGGESTION, "prod-us")


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Host.Example.com:443/", "https://host.example.com"),
        ("HTTPS://host:6443", "https://host:6443"),
        ("https://rancher/k8s/clusters/C-1/", "https://rancher/k8s/clusters/C-1"),
        ("http://host:80", "http://host"),
        ("https://[FD00::1]:6443", "https://[fd00::1]:6443"),
        ("https://host:nonsense", "https://host:nonsense"),
        ("host", "host"),
        ("", ""),
    ],
)
def test_urls_of_api_servers(url: str, normal: str) -> None:
    assert normalise_url(url) == normal


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("https://Git.example.com/Shop/Deploy.git", "https://git.example.com/shop/deploy", True),
        ("git@git.example.com:shop/deploy.git", "ssh://git@git.example.com/shop/deploy", True),
        ("https://user@git.example.com/a", "https://git.example.com/a/", True),
        ("https://git.example.com/a", "ssh://git@git.example.com/a", False),
        ("ssh://git@git.example.com:2222/a", "ssh://git@git.example.com/a", False),
        ("https://git.example.com/a", "https://git.example.com/b", False),
        ("/srv/git/deploy.git", "/srv/git/deploy", True),
    ],
)
def test_repositories_that_are_one(one: str, other: str, equal: bool) -> None:
    assert same(one, other) is equal
    assert normalise(normalise(one)) == normalise(one)


def test_tracking_ids() -> None:
    found = parse_tracking("checkout:apps/Deployment:shop/web")
    assert found is not None and found == ("checkout", "apps", "Deployment", "shop", "web")
    assert found.application == ("", "checkout") and found.is_of("apps", "Deployment", "shop", "web")
    assert not found.is_of("apps", "Deployment", "shop", "copied")
    core = parse_tracking("team_checkout:/Namespace:shop/shop")
    assert core is not None and core.application == ("team", "checkout") and core.is_of("", "Namespace", "", "shop")
    for wrong in ("", "x", "a:b:c", "a:b/c:d", ":/Pod:a/b"):
        assert parse_tracking(wrong) is None


def app(text: str) -> Application:
    return decode_application(text.encode())


def test_which_sources_are_in_force() -> None:
    both = '{"spec":{"source":{"repoURL":"a"},"sources":[{"repoURL":"v","ref":"v"},{"repoURL":"b","chart":"c"}]}}'
    assert [each.repo_url for each in sources(app(both))] == ["v", "b"]
    assert main_source(app(both)).chart == "c"
    dry_source = '{"repoURL":"d","path":"p","targetRevision":"main"}'
    dry = f'{{"spec":{{"source":{{"repoURL":"a"}},"sourceHydrator":{{"drySource":{dry_source}}}}}}}'
    assert [(each.repo_url, each.path) for each in sources(app(dry))] == [("d", "p")]
    assert sources(app("{}")) == () and main_source(app("{}")).repo_url == ""


@pytest.mark.parametrize(
    ("automated", "on"),
    [
        ("null", False),
        ("{}", True),
        ('{"enabled":true}', True),
        ('{"enabled":false,"prune":true}', False),
        ('{"enabled":null}', True),
    ],
)
def test_when_auto_sync_is_on(automated: str, on: bool) -> None:
    assert bool(auto_sync(app(f'{{"spec":{{"syncPolicy":{{"automated":{automated}}}}}}}')) is not None) is on


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("{}", ""),
        ('{"operation":{}}', "Waiting to start"),
        ('{"operation":{},"status":{"operationState":{"phase":"Succeeded"}}}', "Waiting to start"),
        ('{"operation":{},"status":{"operationState":{"phase":"Running"}}}', "Syncing"),
        (
            '{"status":{"operationState":{"phase":"Running","finishedAt":"2026-11-22T09:00:00Z","retryCount":3}}}',
            "Waiting for retry 3",
        ),
        ('{"status":{"operationState":{"phase":"Terminating"}}}', "Terminated"),
        ('{"status":{"operationState":{"phase":"Error"}}}', "Sync error"),
        (
            '{"metadata":{"deletionTimestamp":"2026-11-22T09:00:00Z"},"status":{"operationState":{"phase":"Succeeded"}}}',
            "Deleting",
        ),
        ('{"status":{"operationState":{"phase":"Odd"}}}', "Odd"),
    ],
)
def test_operations_in_argo_cds_words(text: str, title: str) -> None:
    assert operation_title(app(text)) == title


def test_names_and_revisions() -> None:
    assert short("a" * 40) == "aaaaaaa" and short("v1.2.3") == "v1.2.3" and short("z" * 40) == "z" * 40
    held = app('{"metadata":{"name":"checkout","namespace":"team"}}')
    assert instance_name(held, "argocd") == "team_checkout" and instance_name(held, "team") == "checkout"


def test_the_whole_application_of_a_row_is_had_as_far_as_it_can_be_read() -> None:
    whole = row(
        "hub", RESOURCE, {"metadata": {"name": "a", "annotations": {"x": "y"}}, "status": {"history": [{"id": 3}]}}
    )
    assert [each.id for each in of_row(whole).status.history or ()] == [3]
    known = row(
        "hub",
        RESOURCE,
        {"metadata": {"name": "a"}, "spec": {"source": {"path": "p"}}, "status": {"sync": {"status": "Synced"}}},
    )
    for data in (b"", b'{"metadata":{"name":"a"},"status":{"history":[{"id":"three"}]}}'):
        found = of_row(msgspec.structs.replace(known, packed=data))
        assert (found.metadata.name, found.status.sync.status, main_source(found).path) == ("a", "Synced", "p")
