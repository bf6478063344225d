"""The key table: one meaning a place, everything made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.ui import keys, keytable
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
from tui.ui.screens.find import FindScreen
from tui.ui.screens.fleetwide import FleetwideScreen
from tui.ui.screens.flow import FlowScreen
from tui.ui.screens.logs import LogsScreen
from tui.ui.screens.message import MessageScreen
from tui.ui.screens.output import OutputScreen
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
    "logs": (LogsScreen,),
    "found": (FindScreen,),
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
    "output": (OutputScreen,),
    "editor": (EditorScreen,),
    "rule": (RuleScreen,),
    "message": (MessageScreen,),
}
ANSWERED_BY_KEY = {"sort", "favourite", "open", "mark", "panel", "log_since"}


def test_no_key_means_two_things_in_one_place() -> None:
    assert keytable.clashes() == []


def test_the_clash_test_can_fail() -> None:
    twice = (*keys.ACTIONS, keys.Action("again", ("y",), "Again", "Twice.", "object"))
    assert keytable.clashes(twice) == ["y means both yaml and again"]


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
    table, problems = keytable.made("fleet", {"yaml": "f4", "reread": "F5, Ctrl-G", "describe": "g d"})
    assert [problem.where for problem in problems] == [("keys", "describe")]  # g is the first line
    assert ("f4", "YAML", "yaml") in table.footer(["object"])
    assert any(pressed == "f5 ctrl-g" for _, pressed, _ in table.help_lines(["everywhere"]))
    assert table.keymap() == {"yaml": "f4", "reread": "f5,ctrl+g"}
    assert "`f4`" in table.markdown()


@pytest.mark.parametrize("preset", keytable.PRESETS)
def test_presets_name_actions_and_have_one_meaning_a_place(preset: str) -> None:
    assert set(keytable.PRESETS[preset]) <= {action.id for action in (*keys.ACTIONS, *keys.MOVES)}
    table, problems = keytable.made(preset, {})
    # what gives way to a key of the user's is found only among the user's: here all of the preset counts as that
    own = {name: ", ".join(table.keys_of(name)) for name in keytable.PRESETS[preset]}
    assert (problems, keytable.made("fleet", own)[1]) == ([], [])


@pytest.mark.parametrize(
    ("remap", "told", "kept"),
    [
        ({"yamll": "f4"}, "there is no action called yamll; did you mean yaml", "y"),
        ({"yaml": "e"}, "e already means Draft edit (On an object, edit); give one of them another key", "y"),
        ({"yaml": "g z"}, "g already means First line", "y"),
        ({"yaml": "j"}, "j already means Down", "y"),
        ({"yaml": "ctrl+foo"}, "'ctrl+foo' is no key", "y"),
        ({"yaml": "f4, "}, "", "f4"),
        ({"yaml": "e", "edit": "y"}, "", "e"),
        ({"yaml": "e", "edit": "ctrl+foo"}, "'ctrl+foo' is no key", "y"),
        ({"yaml": "e", "edit": "f"}, "f already means Flows", "y"),
        ({"sort": "x"}, "each key of sort means another thing", "y"),
        ({"first_line": "home", "yaml": "g z"}, "", "g z"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_usual_key_stays(remap: dict[str, str], told: str, kept: str) -> None:
    table, problems = keytable.made("fleet", remap)
    assert (told in problems[0].text) if told else not problems
    assert table.keys_of("yaml") == (kept,)
    assert keytable.clashes(action for action in table.actions if action.where != "moves") == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ctrl-w", "ctrl+w"), ("Ctrl+W", "ctrl+w"), (":", "colon"), ("F4", "f4"), ("PgDn", "pagedown"), ("Y", "Y"),
        ("shift-y", "Y"), ("shift-tab", "shift+tab"), ("esc", "escape"), ("-", "minus"), ("<", "less_than_sign"),
        ("alt+ctrl+x", "ctrl+alt+x"), ("ctrl+left", "ctrl+left"),
    ],
)  # fmt: skip
def test_keys_are_understood_as_people_write_them(text: str, key: str) -> None:
    assert keys.key_of(text) == key
    assert keys.key_of(keys.shown(key)) == key


def test_what_may_follow_a_key_is_known_by_place() -> None:
    table, _ = keytable.made("vim", {})
    assert [rest for rest, _ in table.following("g", ["object"])] == ["y", "a"]
    assert ("g", "first_line") in [(rest, action.id) for rest, action in table.following("g", ["moves"])]
    assert table.following("y", ["drafts"]) == []
    assert "g" in table.taken(["object"])


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
    missing = [
        line for line in keytable.KeyTable().markdown().splitlines() if re.sub(r"[ \t]+", " ", line) not in squeezed
    ]
    assert not missing
