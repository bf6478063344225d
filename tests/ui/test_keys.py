"""The key table: one meaning a place, everything made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.ui import keys
from tui.ui.app import FleetApp
from tui.ui.panes.base import Pane
from tui.ui.panes.drafts import DraftsPane
from tui.ui.panes.events import EventsPane
from tui.ui.panes.flows import FlowsPane
from tui.ui.panes.policies import PoliciesPane
from tui.ui.panes.table import TablePane
from tui.ui.panes.tree import TreePane
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.conflicts import ConflictScreen
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.diff import DiffScreen
from tui.ui.screens.draft import DraftScreen
from tui.ui.screens.draft_panels import CommitsPanel, FilesPanel
from tui.ui.screens.draft_patch import PatchPanel
from tui.ui.screens.editor import EditorScreen
from tui.ui.screens.fleetwide import FleetwideScreen
from tui.ui.screens.flow import FlowScreen
from tui.ui.screens.message import MessageScreen
from tui.ui.screens.recovery import RecoveryScreen
from tui.ui.screens.rule import RuleScreen
from tui.ui.screens.shell import Shell
from tui.ui.screens.verdict import VerdictScreen

# Who answers an action of each place; moving keys and `sort` are answered by the lists themselves.
WHO: dict[str, tuple[type, ...]] = {
    "everywhere": (FleetApp, FleetScreen, Shell),
    "list": (Pane, TablePane, EventsPane, TreePane),
    "table": (TablePane,),
    "object": (Pane, TablePane),
    "policies": (PoliciesPane,),
    "fleetwide": (FleetwideScreen,),
    "events": (EventsPane,),
    "flows": (FlowsPane,),
    "flow": (FlowScreen,),
    "drafts": (DraftsPane,),
    "draft": (DraftScreen,),
    "draft_files": (FilesPanel,),
    "draft_commits": (CommitsPanel,),
    "draft_lines": (PatchPanel,),
    "conflicts": (ConflictScreen,),
    "recovery": (RecoveryScreen,),
    "document": (DetailScreen,),
    "verdict": (VerdictScreen,),
    "diff": (DiffScreen,),
    "editor": (EditorScreen,),
    "rule": (RuleScreen,),
    "message": (MessageScreen,),
}
ANSWERED_BY_KEY = {"sort", "favourite", "open", "mark", "panel"}


def test_no_key_means_two_things_in_one_place() -> None:
    assert keys.clashes() == []


def test_the_clash_test_can_fail() -> None:
    twice = (*keys.ACTIONS, keys.Action("again", ("y",), "Again", "Twice.", "object"))
    assert keys.clashes(twice) == ["y means both yaml and again"]


@pytest.mark.parametrize("action", keys.ACTIONS, ids=lambda action: action.id)
def test_every_action_is_answered(action: keys.Action) -> None:
    if action.instead or action.id in ANSWERED_BY_KEY:
        return
    assert any(hasattr(who, f"action_{action.id}") for who in WHO[action.where]), action.id


def test_ids_are_unique_and_texts_are_whole() -> None:
    ids = [action.id for action in keys.ACTIONS]
    assert len(ids) == len(set(ids))
    for action in keys.ACTIONS:
        assert action.where in keys.PLACES
        assert action.help.endswith("."), action.id
        assert len(action.label) <= 16, action.id
        assert (action.where == "instead") == bool(action.instead), action.id


def test_remapping_reaches_footer_help_and_bindings() -> None:
    remap = {"yaml": "f4", "reread": "f5,ctrl+g"}
    assert ("f4", "YAML", "yaml") in keys.footer(["object"], remap)
    assert any(pressed == "f5 ctrl-g" for _, pressed, _ in keys.help_lines(["everywhere"], remap))
    assert keys.keymap(remap) == {"yaml": "f4", "reread": "f5,ctrl+g"}
    assert "`f4`" in keys.keys_markdown(remap)


@pytest.mark.parametrize(
    ("remap", "told"),
    [({"yamll": "f4"}, "no action called yamll"), ({"yaml": "e"}, "e means both yaml and edit")],
)
def test_a_remapping_that_cannot_be_used_says_why(remap: dict[str, str], told: str) -> None:
    with pytest.raises(keys.KeyProblem, match=told):
        keys.keymap(remap)


def test_what_fleet_never_does_says_what_to_do_instead() -> None:
    refused = {action.id: action for action in keys.ACTIONS if action.instead}
    assert {"no_sync", "no_shell", "no_scale", "no_rollback"} <= set(refused)
    pressed = {key for action in refused.values() for key in action.keys}
    assert {"s", "x", "R"} <= pressed
    assert all("\n" not in action.instead for action in refused.values())


def test_delete_is_never_bound_to_anything_but_the_draft_of_a_removal() -> None:
    found = [action for action in keys.ACTIONS if {"ctrl+d", "ctrl+k", "delete"} & set(action.keys)]
    assert {action.id for action in found if action.where != "draft_commits"} == {"remove", "document_remove"}
    assert not any({"ctrl+d", "delete"} & set(action.keys) for action in found if action.where == "draft_commits")


def test_the_readme_shows_the_table() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    squeezed = re.sub(r"[ \t]+", " ", readme)
    missing = [line for line in keys.keys_markdown().splitlines() if re.sub(r"[ \t]+", " ", line) not in squeezed]
    assert not missing
