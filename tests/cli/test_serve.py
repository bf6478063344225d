"""`fleet serve` and `--read-only` on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.conftest import Commands
from tui.cli.commands import fleet as command_line
from tui.cli.options import Options
from tui.cli.serve import arguments


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_let_in_only_when_that_is_said(host: str) -> None:
    ran = CliRunner().invoke(command_line, ["serve", "--host", host])
    assert ran.exit_code == 2 and "--open-to-network" in ran.output and "ssh -L" in ran.output


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    ran = CliRunner().invoke(command_line, ["serve", "--host", "192.0.2.1", "--open-to-network"])
    assert ran.exit_code == 2 and "cannot listen on 192.0.2.1" in ran.output


def test_the_screen_gets_every_option_that_serve_was_given() -> None:
    given = Options(
        kubeconfig="/a b/config",
        contexts=("prod-*", "-x"),
        repositories=(Path("/src/deploy"),),
        config=Path("/c.yaml"),
        state=Path("/s"),
        theme="fleet-light",
        read_only=True,
        log=Path("/l"),
        log_level="debug",
    )
    context = command_line.make_context("fleet", [*arguments(given), "serve"], obj=None)
    assert Options(**context.params) == given


async def test_a_read_only_fleet_shows_drafts_and_refuses_all_that_changes_one(tmp_path: Path) -> None:
    (tmp_path / "read.yaml").write_text("read_only: true\n")
    command = Commands(tmp_path)
    assert (await command("--read-only", "draft", "list")).code == 0
    for how in (["--read-only"], ["--config", str(tmp_path / "read.yaml")]):
        ran = await command(*how, "draft", "undo", "x")
        assert ran.code == 1 and "fleet is read-only" in ran.err, ran
    assert not list(tmp_path.glob("state/**/refs/fleet"))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("textual_serve") or name == "tui.adapters.browser"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    ran = CliRunner().invoke(command_line, ["serve"])
    assert ran.exit_code == 2 and "pip install 'fleet-tui[serve]'" in ran.output, ran.output
