"""The configuration file: exact, or refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.adapters.config import BadConfig, read_settings
from tui.adapters.paths import paths
from tui.domain.settings import GroupRule, Settings


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_and_an_empty_file_are_the_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none.yaml") == Settings()
    assert read_settings(written(tmp_path, "# nothing yet\n")) == Settings()


def test_values_arrive(tmp_path: Path) -> None:
    text = "theme: fleet-light\ngroups:\n- {group: prod/eu, match: 'prod-eu-*'}\n"
    settings = read_settings(written(tmp_path, text))
    assert settings.theme == "fleet-light"
    assert settings.groups == (GroupRule(group="prod/eu", match="prod-eu-*"),)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("theme: x\nteme: y\n", ":2:1", "unknown field `teme`; did you mean theme"),
        ("groups:\n- group: a\n  mach: b\n", ":3:3", "unknown field `mach`; did you mean match"),
        ("zzz: 1\n", ":1:1", "`zzz`; `fleet config init --stdout` shows all there are"),
        ("mouse: maybe\n", ":1:8", "mouse: Expected `bool`"),
        ("confirm_share: 25\n", ":1:16", "confirm_share: Expected `float` <= 1"),
        ("confirm_share: -0.1\n", ":1:16", "confirm_share: Expected `float` >= 0"),
        ("hooks: maybe\n", ":1:8", "hooks: Invalid enum value 'maybe'"),
        ("hook_timeout: 0\n", ":1:15", "hook_timeout: Expected `float` > 0"),
        ("forges:\n  a.example: guthib\n", ":2:3", "Invalid enum value 'guthib'"),
        ("commit:\n  style: fancy\n", ":2:10", "Invalid enum value 'fancy'"),
        ("commit:\n  template: '{summry}'\n", ":2:3", "template has no field {summry}: summary, type, scope"),
        ("commit: {template: '{summary!r}'}\n", ":1:9", "template has no field {summary!r}"),
        ("commit: {template: '{a.__class__}'}\n", ":1:9", "template has no field {a.__class__}"),
        ("commit: {template: '{summary'}\n", ":1:9", "braces that are meant are written twice"),
        ("commit: {type: 'two words'}\n", ":1:9", "'two words' is no type of a conventional commit"),
        ("commit: {types: {moved: fix}}\n", ":1:9", "types has no edit called 'moved': add, remove, image"),
        ("a: [1\nb: 2\n", ":2:2", "expected"),
        ("- a\n", ":1:1", "Expected `object`"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadConfig) as raised:
        read_settings(path)
    assert str(raised.value).startswith(f"{path}{place}")
    assert words in str(raised.value)


def test_hostile_files_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"theme: \xff\xfe")
    with pytest.raises(BadConfig, match="not UTF-8"):
        read_settings(path)
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(BadConfig, match="larger than"):
        read_settings(path)
    with pytest.raises(BadConfig, match="cannot be read"):
        read_settings(tmp_path)


def test_one_folder_holds_everything_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_STATE", str(tmp_path / "env"))
    assert paths().data == tmp_path / "env" / "data"
    assert paths(state=tmp_path / "given").config == tmp_path / "given" / "config.yaml"
    assert paths(config=tmp_path / "other.yaml").config == tmp_path / "other.yaml"
