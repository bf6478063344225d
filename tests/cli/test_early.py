"""The first frame, painted before the command line is read in earnest: only when that opens the screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tui.adapters.paths import paths
from tui.cli import early

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((), {}),
        (("--theme", "fleet-light", "--context=a*", "--context", "b"), {"--theme": "fleet-light", "--context": "b"}),
        (("--read-only", "--theme", "fleet-light"), {"--theme": "fleet-light"}),
        (("--theme", "--read-only"), None),
        (("--read-only=yes",), None),
        (("demo",), None),
        (("--state", "/tmp/x", "get", "pods"), None),
        (("--help",), None),
        (("--theme",), None),
        (("--theme", "--help"), None),
        (("--theme=-x",), None),
        (("--no-such-option", "x"), None),
    ],
)
def test_only_what_opens_the_screen_for_certain_is_understood(
    arguments: tuple[str, ...], options: dict[str, str] | None
) -> None:
    assert early.given(arguments) == options


def test_every_option_of_fleet_itself_is_known() -> None:
    from tui.cli.commands import fleet

    takes_a_value = {option for p in fleet.params for option in p.opts if not getattr(p, "is_flag", True)}
    assert set(early.OPTIONS) == takes_a_value
    opens_the_screen = {option for p in fleet.params for option in p.opts if not p.is_eager} - takes_a_value
    assert set(early.FLAGS) == opens_the_screen


@pytest.mark.parametrize("state", ["", "~/fleet", "/srv/fleet"])
@pytest.mark.parametrize("config", ["", "/etc/fleet.yaml"])
@pytest.mark.parametrize("variables", [{}, {"FLEET_STATE": "~/s"}, {"FLEET_CONFIG": "/c.yaml", "FLEET_STATE": "/s"}])
@pytest.mark.parametrize("home", ["", "/xdg"])
@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_the_configuration_is_looked_for_where_it_is_read_later(
    state: str, config: str, variables: dict[str, str], home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FLEET_STATE", "FLEET_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    environ = variables | ({"XDG_CONFIG_HOME": home} if home else {})
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    options = {name: value for name, value in (("--state", state), ("--config", config)) if value}
    used = paths(Path(state) if state else None, Path(config) if config else None)
    assert early.config_file(options, environ) == str(used.config)


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("mouse: false\ntheme: fleet-light  # by day\n", "fleet-light"),
        ("theme: 'fleet-contrast'", "fleet-contrast"),
        ("groups:\n  theme: no\n", ""),
        ("theme:\n  fleet-light\n", ""),
        ("\xff\x00", ""),
    ],
)
def test_the_theme_of_a_configuration_is_found_at_a_glance(text: str, theme: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="latin-1")
    assert early.values_in(str(tmp_path / "config.yaml"), ("theme",)) == [theme]
    for path in (str(tmp_path / "missing"), str(tmp_path), ""):
        assert early.values_in(path, ("theme", "icons")) == ["", ""]


def test_next_to_nothing_is_imported_before_the_first_frame() -> None:
    code = (
        "import sys; before = set(sys.modules);"
        "import tui.cli, tui.cli.early, tui.ui.frame, tui.ui.ending;"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} & set("
        "'typing dataclasses inspect re pathlib click collections.abc contextlib asyncio threading "
        "textual msgspec yaml'.split())))"
    )
    found = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
                           capture_output=True, text=True, check=True)  # fmt: skip
    assert found.stdout.strip() == "[]", found.stdout


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("theme: fleet-light\nthemes: x\n", "config.yaml:2:1"),
        ("theme: fleet-dusk\nmouse: maybe\n", "mouse: Expected `bool`"),
    ],
)
def test_what_is_wrong_with_the_configuration_is_said_on_the_own_screen(
    config: str, complaint: str, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(config)
    environ = {"FLEET_STATE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with Terminal([sys.executable, "-m", "tui"], 100, 30, environ) as terminal:
        assert terminal.wait_end() == 2
        frame, _, after = bytes(terminal.raw).decode().rpartition("\x1b[?1049l")
        assert "connecting…" in frame
        assert ("48;2;252;253;254" if "light" in config else "48;2;15;19;24") in frame  # the theme's, or the default's
        assert complaint in after, after
