"""`fleet config`: what it writes, what it finds wrong and where, and what it lists."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result

from tui.adapters.config import read_config
from tui.cli.commands import fleet
from tui.domain.settings import Settings
from tui.domain.settingsfile import readme
from tui.ui import keytable
from tui.ui.keys import ACTIONS


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner(env={"FLEET_STATE": str(folder)}).invoke(fleet, ["config", *arguments])


def test_what_init_writes_is_read_as_the_defaults_and_never_overwrites(tmp_path: Path) -> None:
    assert "`fleet config init` writes one" in run(tmp_path, "check").output
    assert run(tmp_path, "init").exit_code == 0
    written = tmp_path / "config.yaml"
    assert read_config(written).settings == Settings()
    schema = json.loads((tmp_path / "config.schema.json").read_text())
    assert schema["properties"]["keys"]["properties"]["yaml"]["description"] == "Show the manifest."
    assert "nothing is wrong" in run(tmp_path, "check").output
    written.write_text("mouse: false\n")
    (tmp_path / "config.schema.json").unlink()
    again = run(tmp_path, "init")
    assert written.read_text() == "mouse: false\n"
    assert "# yaml-language-server: $schema=./config.schema.json" in again.output
    assert run(tmp_path, "schema").output == (tmp_path / "config.schema.json").read_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("keys:\n  yaml: f4\n  edit: f4\n", ":3:3: f4 already means YAML"),
        ("preset: vim\nkeys:\n  top: x\n", ":3:3: there is no action called top"),
        ("keys: {wide: ctrl+foo}\n", ":1:8: 'ctrl+foo' is no key"),
        ("mouse: true\ntheme: dusk\n", ":2:1: there is no theme dusk; themes: fleet-dark"),
        ("repositories:\n- path: /nowhere/at/all\n", ":2:3: /nowhere/at/all: no such folder"),
        ("templates: /nowhere/at/all\n", ":1:1: templates: /nowhere/at/all"),
        ("preset: emacs\n", ":1:9: preset: Invalid enum value 'emacs'"),
    ],
)
def test_check_says_where_and_why(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    checked = run(tmp_path, "check")
    assert checked.exit_code == 1
    assert f"config.yaml{told}" in checked.output


def test_the_examples_of_the_readme_can_all_be_used_together() -> None:
    settings = msgspec.convert(yaml.safe_load(readme()), Settings)
    assert keytable.of(settings)[1] == []


def test_keys_lists_every_action_as_configured(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("keys: {yaml: 'f4, g y', first_line: home}\n")
    listed = run(tmp_path, "keys").output
    assert all(action.id in listed for action in ACTIONS)
    assert "f4, gy" in listed
    assert "first_line" in listed
    assert "gg, Home" in run(tmp_path, "keys", "--preset", "vim").output
    assert "presets: fleet, k9s" in run(tmp_path, "keys", "--preset", "emacs").output
