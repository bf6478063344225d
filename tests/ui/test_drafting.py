"""What an edit is called in a draft, and what of a live object is put into a new file."""

from __future__ import annotations

from tests.ui import shop
from tests.ui.still import StillFleet
from tui.domain.drafts.model import Operation
from tui.domain.drafts.told import MOST_TOLD, operations
from tui.domain.ports import Found
from tui.ui.drafting.editing import used_first

ABOUT = Operation("shop/web.yaml", application="web", cluster="prod-eu")
DEPLOYMENT = """\
kind: Deployment
spec:
  replicas: 3  # never below 2
  template:
    spec:
      containers:
        - name: web
          image: web:1
"""


def test_changed_values_are_named_with_their_place() -> None:
    after = DEPLOYMENT.replace("replicas: 3", "replicas: 5").replace("web:1", "web:2")
    found = operations(ABOUT, DEPLOYMENT, after)
    assert [(each.op, each.path, each.old, each.new) for each in found] == [
        ("set", "spec.replicas", "3", "5"),
        ("set", "spec.template.spec.containers[name=web].image", "web:1", "web:2"),
    ]
    assert {each.application for each in found} == {"web"}


def test_many_changes_and_texts_that_are_no_yaml_are_edited_text() -> None:
    many = "\n".join(f"key{number}: {number}" for number in range(MOST_TOLD + 5))
    assert operations(ABOUT, many, many.replace(": ", ": 1")) == [ABOUT]
    assert operations(ABOUT, "a: 1", "a: [") == [ABOUT]
    assert operations(ABOUT, "a: 1", "a: 1\n---\nb: 2") == [ABOUT]
    assert operations(ABOUT, "a: 1", "a: 1  # said") == [ABOUT]


def test_repositories_that_applications_of_the_cluster_use_come_first(fleet: StillFleet) -> None:
    app = shop.application("elsewhere", "shop", "staging-eu", "x", "Synced", "Healthy", "x", True, "")
    app["spec"]["source"]["repoURL"] = "https://git.example.test/shop/elsewhere.git"
    fleet.store.apply([shop.row(shop.HUB, "applications.argoproj.io", app)])
    urls = [
        "https://git.example.test/me/notes.git",
        "git@git.example.test:shop/elsewhere.git",
        "git@git.example.test:shop/deploy.git",
    ]
    found = used_first(fleet, "prod-eu", [Found(url, url) for url in urls])  # type: ignore[arg-type]
    assert [each.url for each in found] == urls[::-1]
