"""The files of a draft by whom they are for."""

from __future__ import annotations

import pytest

from tui.domain.drafts.grouping import grouped, patch_by
from tui.domain.drafts.model import Operation

OPERATIONS = [
    Operation("b.yaml", application="web", cluster="prod-eu"),
    Operation("a.yaml", application="web", cluster="prod-us"),
    Operation("a.yaml", application="api", cluster="prod-us"),
    Operation("all.yaml", application="api", cluster="prod-us"),
    Operation("all.yaml", application="web", cluster="prod-eu"),
]
GROUPS = {"prod-eu": "prod", "prod-us": "prod"}
PATHS = ["a.yaml", "all.yaml", "b.yaml", "z.yaml"]


@pytest.mark.parametrize(
    ("by", "found"),
    [
        (
            "cluster",
            [
                ("prod-eu", ["b.yaml"]),
                ("prod-us", ["a.yaml"]),
                ("prod-eu, prod-us", ["all.yaml"]),
                ("", ["z.yaml"]),
            ],
        ),
        ("group", [("prod", ["a.yaml", "all.yaml", "b.yaml"]), ("", ["z.yaml"])]),
        ("application", [("web", ["b.yaml"]), ("api, web", ["a.yaml", "all.yaml"]), ("", ["z.yaml"])]),
    ],
)
def test_files_stand_under_whom_they_are_for(by: str, found: list[tuple[str, list[str]]]) -> None:
    assert grouped(PATHS, OPERATIONS, by, GROUPS) == found


def one(path: str) -> str:
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+diff --git x\n"


def test_a_patch_gets_headings_and_loses_nothing() -> None:
    patch = "".join(map(one, PATHS))
    shown = patch_by(patch, OPERATIONS, "cluster")
    files = ("b.yaml", "a.yaml", "all.yaml", "z.yaml")
    order = ("cluster prod-eu", "cluster prod-us", "cluster prod-eu, prod-us", "no cluster is known")
    assert shown == "".join(f"{head}\n{one(path)}" for head, path in zip(order, files, strict=True))
    assert patch_by("", OPERATIONS, "cluster") == ""
