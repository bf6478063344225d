"""Commit messages proposed from what changed."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.drafts.message import SUBJECT, Touched, describe_file, propose, signed_off
from tui.domain.settings import CommitStyle
from tui.domain.yamledit import set_value

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: app
        image: nginx:1.27
        args: [a]
"""


def touched(after: str | None, before: str | None = WEB, **names: tuple[str, ...]) -> Touched:
    return Touched("apps/shop/web.yaml", before, after, **names)


def changed(path: str, value: object) -> str:
    return set_value(WEB, path, value).text


def test_the_words_of_the_issue() -> None:
    one = touched(changed("spec.replicas", 5), applications=("payments",), clusters=("prod-eu-1", "prod-us-1"))
    message = propose([one])
    assert message.subject == "payments: raise replicas 3 → 5 in prod-eu-1, prod-us-1"
    assert message.body == ""
    assert message.text == (
        "payments: raise replicas 3 → 5 in prod-eu-1, prod-us-1\n\n"
        "Fleet-Application: payments\nFleet-Cluster: prod-eu-1\nFleet-Cluster: prod-us-1\n"
        "Fleet-Object: Deployment shop/web\n"
    )


def said(after: str | None, before: str | None = WEB) -> list[str]:
    return [words for entry in describe_file(touched(after, before)) for words in entry.changes]


def test_changes_in_plain_words() -> None:
    container = "spec.template.spec.containers[name=app]"
    assert said(changed("spec.replicas", 1)) == ["lower replicas 3 → 1"]
    assert said(changed(f"{container}.image", "nginx:1.28")) == ["set image nginx 1.27 → 1.28"]
    assert said(changed("metadata.labels.tier", "front")) == ["set label tier to front"]
    assert said(changed("spec.paused", True)) == ["set spec.paused to true"]
    assert said(changed(f"{container}.args", ["a", "b"])) == [f"add b to {container}.args"]
    assert said(changed(f"{container}.args", [])) == [f"remove a from {container}.args"]
    assert said(changed(f"{container}.resources.limits.cpu", "1")) == [f"add {container}.resources"]
    assert said(changed("metadata.name", "api")) == ["remove Deployment shop/web", "add Deployment shop/api"]
    assert said(WEB.replace("  replicas: 3\n", "")) == ["set replicas 3 → none"]
    assert said(WEB + "# why\n") == ["edit comments in apps/shop/web.yaml"]
    assert said(WEB) == []


def test_new_gone_and_unreadable_files() -> None:
    assert said(WEB, None) == ["add Deployment shop/web"]
    assert said(None) == ["remove Deployment shop/web"]
    assert said("a: [", WEB) == ["edit apps/shop/web.yaml"]
    assert propose([touched("{{ x }}\n- a: b", "")]).subject.endswith("edit apps/shop/web.yaml")


def test_many_files_are_summed_up() -> None:
    many = [
        Touched(f"clusters/c{n}/web.yaml", WEB, changed("spec.replicas", 5), (f"web-{n}",), (f"cluster-{n}",))
        for n in range(9)
    ]
    message = propose(many)
    assert message.subject == "9 applications: raise replicas 3 → 5 in cluster-0 and 8 more clusters"
    assert message.body == "- Deployment shop/web and 8 more: raise replicas 3 → 5"
    two = set_value(changed("spec.replicas", 5), "metadata.labels.a", "b").text
    message = propose([touched(two, applications=("shop",))])
    assert message.subject == "shop: raise replicas 3 → 5 and set label a to b"
    assert message.body.splitlines() == [
        "- Deployment shop/web: raise replicas 3 → 5",
        "- Deployment shop/web: set label a to b",
    ]


def test_what_differs_from_place_to_place_is_said_for_each() -> None:
    five, six = changed("spec.replicas", 5), changed("spec.replicas", 6)
    by_folder = [Touched("web/eu/deployment.yaml", WEB, five), Touched("web/us/deployment.yaml", WEB, six)]
    message = propose(by_folder)
    assert message.subject == "web: raise replicas 3 → 5 in eu, 3 → 6 in us"
    assert message.body.splitlines() == [
        "- Deployment shop/web in eu: raise replicas 3 → 5",
        "- Deployment shop/web in us: raise replicas 3 → 6",
    ]
    alike = [msgspec.structs.replace(one, after=five) for one in by_folder]
    assert propose(alike).subject == "web: raise replicas 3 → 5 in eu, us"
    by_cluster = [msgspec.structs.replace(one, clusters=(f"prod-{n}",)) for n, one in enumerate(by_folder)]
    assert propose(by_cluster).subject == "web: raise replicas 3 → 5 in prod-0, 3 → 6 in prod-1"
    unlike = [Touched("a/eu/web.yaml", WEB, five), Touched("b/us/web.yaml", WEB, six)]
    assert propose(unlike).subject == "web: raise replicas 3 → 5 and raise replicas 3 → 6"


def test_the_users_own_subject_is_kept() -> None:
    message = propose([touched(changed("spec.replicas", 5), applications=("shop",))], "Ready for\n  Friday")
    assert message.subject == "Ready for Friday" and ("Fleet-Application", "shop") in message.trailers


@given(st.text(), st.text(), st.text())
def test_foreign_names_cannot_write_lines_or_controls(application: str, cluster: str, value: str) -> None:
    after = (
        set_value(WEB, "metadata.annotations", {"note": value.replace("\ud800", "")}).text if _writable(value) else WEB
    )
    message = propose([touched(after, applications=(application,), clusters=(cluster,))])
    assert "\n" not in message.subject and len(message.subject) <= SUBJECT
    assert all(char.isprintable() or char == "\n" for char in message.text)
    for key, trailer in message.trailers:
        assert key.startswith("Fleet-") and trailer.isprintable()


def _writable(value: str) -> bool:
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in value)


PROD = {"applications": ("payments",), "clusters": ("prod-eu-1", "prod-us-1")}


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (CommitStyle(), "payments: raise replicas 3 → 5 in prod-eu-1, prod-us-1"),
        (CommitStyle(style="conventional"), "chore(payments): raise replicas 3 → 5 in prod-eu-1, prod-us-1"),
        (
            CommitStyle(style="conventional", types={"replicas": "fix"}, scope="infra (eu)"),
            "fix(infra eu): raise replicas 3 → 5 in prod-eu-1, prod-us-1",
        ),
        (
            CommitStyle(template="[{draft}] {scope}: {summary}\n\n{body}\n\n{clusters} {{x}}\n{files}", type="ops"),
            "[More web] payments: raise replicas 3 → 5 in prod-eu-1, prod-us-1\n\nprod-eu-1, prod-us-1 {x}\n"
            "apps/shop/web.yaml",
        ),
        (CommitStyle(template="{type}: {objects}"), "chore: Deployment shop/web"),
    ],
)
def test_styles(style: CommitStyle, text: str) -> None:
    message = propose([touched(changed("spec.replicas", 5), **PROD)], style=style, draft="More\nweb")
    head = message.text.partition("\n\nFleet-Application")[0]
    assert head == text
    assert message.text.endswith("Fleet-Object: Deployment shop/web\n")


def test_types_follow_the_kind_of_edit() -> None:
    style = CommitStyle(style="conventional", types={"add": "feat", "remove": "revert", "image": "build"})
    after = changed("spec.replicas", 5)
    assert propose([touched(after, None)], style=style).subject.startswith("feat(web): add Deployment")
    assert propose([touched(None, after)], style=style).subject.startswith("revert(web): remove Deployment")
    assert propose([touched(after)], style=style).subject.startswith("chore(web): raise replicas")
    mixed = [touched(after), Touched("new.yaml", None, "kind: A\nmetadata: {name: a}\n")]
    assert propose(mixed, style=style).subject.startswith("chore: raise replicas 3 → 5 and add")


def test_the_users_own_template_is_added() -> None:
    message = propose([touched(changed("spec.replicas", 5))], more="Ticket:\nReviewed-with:")
    assert "\n\nTicket:\nReviewed-with:\n\nFleet-Object: " in message.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n", "a\n\nS\n"),
        ("a\n\nbody: text\nmore\n", "a\n\nbody: text\nmore\n\nS\n"),
        ("a\n\nFleet-Cluster: x\n", "a\n\nFleet-Cluster: x\nS\n"),
        ("a\n\nS\n", "a\n\nS\n"),
        ("a\n\nb\n\nS\nFleet-Cluster: x\n", "a\n\nb\n\nFleet-Cluster: x\nS\n"),
    ],
)
def test_signing_off_once_and_last(before: str, after: str) -> None:
    line = "Signed-off-by: Ada <a@b>"
    before, after = (re.sub(r"(?m)^S$", line, text) for text in (before, after))
    assert signed_off(before, "Ada <a@b>") == after
    assert signed_off(after, "Ada <a@b>") == after
