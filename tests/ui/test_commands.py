"""The `:` line: what it understands, what it proposes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.kinds import KINDS, find
from tui.ui.commands import VERBS, Command, Known, NotUnderstood, parse, propose

KNOWN = Known(
    clusters=("dev-1", "prod-eu", "prod-us"),
    groups=("dev", "prod"),
    namespaces=("checkout", "payments", "shop"),
    columns=("name", "sync", "health"),
)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("q", Command("quit")),
        ("q!", Command("quit")),
        ("apps", Command("applications")),
        ("pol", Command("policies")),
        ("ev", Command("events")),
        ("ctx prod-eu", Command("cluster", "prod-eu")),
        ("cls dev", Command("cluster", "dev-1")),
        ("ctx", Command("cluster")),
        ("prod-us", Command("cluster", "prod-us")),
        ("ns shop", Command("namespace", "shop")),
        ("ns", Command("kind", "", "namespaces")),
        ("po", Command("kind", "", "pods")),
        ("PODS", Command("kind", "", "pods")),
        ("deploy shop @prod-eu /web", Command("kind", "", "deployments.apps", "shop", "prod-eu", "web")),
        ("svc -A", Command("kind", "", "services", "*")),
        ("po all", Command("kind", "", "pods", "*")),
        ("po -n shop", Command("kind", "", "pods", "shop")),
        ("po --namespace=shop --selector app=web", Command("kind", "", "pods", "shop", labels="app=web")),
        ("po -nshop -lapp=web,tier!=db", Command("kind", "", "pods", "shop", labels="app=web,tier!=db")),
        ("po -l app in (a, b) @dev", Command("kind", "", "pods", labels="app in (a, b)", group="dev")),
        ("po @dev", Command("kind", "", "pods", group="dev")),
        ("po @prod-eu @prod", Command("kind", "", "pods", group="prod")),
        ("po @prod @prod-eu", Command("kind", "", "pods", cluster="prod-eu")),
        ("po /two words", Command("kind", "", "pods", filter="two words")),
        ("deployments.apps", Command("kind", "", "deployments.apps")),
        ("theme light", Command("theme", "fleet-light")),
        ("sort health", Command("sort", "health")),
        ("faults", Command("faults")),
        ("filter two words", Command("filter", "two words")),
    ],
)
def test_lines_are_understood(line: str, meant: Command) -> None:
    assert parse(line, KNOWN) == meant


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "nothing was typed"),
        ("pdos", "no kind and no command called pdos"),
        ("ctx prod", "prod could be prod-eu, prod-us"),
        ("ctx mars", "no cluster called mars"),
        ("theme pink", "no theme called pink"),
        ("po -n", "-n wants a value"),
        ("po -l app in", "not a label selector"),
        ("po -x", "no option -x"),
    ],
)
def test_what_is_not_understood_is_said(line: str, told: str) -> None:
    with pytest.raises(NotUnderstood, match=told):
        parse(line, KNOWN)


@given(st.text(max_size=30))
def test_any_line_is_understood_or_refused(line: str) -> None:
    try:
        parse(line, KNOWN)
    except NotUnderstood as error:
        assert str(error)
    assert len(propose(line, KNOWN)) <= 50


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.resource)
def test_every_word_of_every_kind_opens_something(kind: object) -> None:
    for word in (kind.plural, *kind.short):  # type: ignore[attr-defined]
        assert parse(word, KNOWN).verb


def test_exact_words_come_first() -> None:
    assert propose("po", KNOWN)[0].line == "pods"
    assert propose("deploy", KNOWN)[0].line == "deployments"
    assert propose("drafts", KNOWN)[0].line == "drafts"


def test_arguments_are_completed() -> None:
    assert [found.line for found in propose("ctx prod", KNOWN)] == ["ctx prod-eu", "ctx prod-us"]
    assert [found.line for found in propose("pods @dev", KNOWN)] == ["pods @dev", "pods @dev-1"]
    assert [found.line for found in propose("pods pay", KNOWN)] == ["pods payments"]
    assert [found.line for found in propose("pods -n pay", KNOWN)] == ["pods -n payments"]
    assert [found.line for found in propose("pods -", KNOWN)] == ["pods -n", "pods -l", "pods -A"]
    labelled = replace(KNOWN, labels=lambda resource: [f"app={resource}"])
    assert [found.line for found in propose("pods -l a", labelled)] == ["pods -l app=pods"]
    assert propose("theme ", KNOWN)[0].line.startswith("theme fleet-")
    assert propose("sort h", KNOWN)[0].line == "sort health"


def test_verbs_do_not_take_each_others_words() -> None:
    words = [word for verb in VERBS for word in verb.words]
    assert len(words) == len(set(words))


def test_words_of_kinds_that_verbs_take_mean_the_same() -> None:
    same = {"applications", "policies", "clusters", "drafts", "events", "cluster", "namespace"}
    for verb in VERBS:
        for word in verb.words:
            if find(word) is not None:
                assert verb.id in same, f"{word} is both {verb.id} and {find(word)}"


def test_what_is_said_of_a_command_finds_it_after_what_is_called_so() -> None:
    known = Known(actions=[("yaml", "yaml", "Show the manifest · y"), ("manifesto", "x", "Nothing")])
    assert [found.line for found in propose("manifest", known)] == ["manifesto", "yaml"]
    assert propose("man", known)[0].line == "manifesto"
    assert "yaml" not in [found.line for found in propose("man", known)]
