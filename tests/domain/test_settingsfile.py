"""What is made from the table of settings: it agrees with what is read."""

from __future__ import annotations

import re
from typing import Any, get_args, get_type_hints

import msgspec
import yaml

from tui.domain.settings import CommitStyle, GroupRule, Repository, Settings
from tui.domain.settingsfile import SCHEMA_FILE, commented, readme, schema


def uncommented(text: str) -> str:
    """The file with every setting switched on, as a user would do it: the first # of a line taken away."""
    return "\n".join(line[1:] if re.match(r"#(?!#| yaml-language)", line) else line for line in text.splitlines())


def test_the_commented_file_is_the_defaults_commented_and_not() -> None:
    text = commented()
    assert text.splitlines()[0] == f"# yaml-language-server: $schema=./{SCHEMA_FILE}"
    assert yaml.safe_load(text) is None
    found = yaml.safe_load(uncommented(text))
    assert msgspec.convert(found, Settings) == Settings()
    assert list(found) == list(Settings.__struct_fields__)


def test_every_example_is_understood_alone_and_in_the_readme() -> None:
    shown = yaml.safe_load(readme())
    assert list(shown) == list(Settings.__struct_fields__)
    assert msgspec.convert(shown, Settings) != Settings()
    for name, value in schema()["properties"].items():
        for example in value.get("examples", ()):
            assert msgspec.convert({name: example}, Settings) != Settings(), name


def test_every_setting_says_what_it_means() -> None:
    for struct in (Settings, GroupRule, Repository, CommitStyle):
        for name, hint in get_type_hints(struct, include_extras=True).items():
            metas = [found for found in get_args(hint)[1:] if isinstance(found, msgspec.Meta)]
            assert any(meta.description and meta.description.endswith(".") for meta in metas), name


def test_the_schema_refuses_what_is_refused_when_read() -> None:
    made = schema({"keys": {"yaml": "Show the manifest."}})
    assert made["additionalProperties"] is False
    assert made["properties"]["keys"]["properties"]["yaml"] == {"description": "Show the manifest.", "type": "string"}
    assert made["properties"]["keys"]["additionalProperties"] is False
    assert all(part["additionalProperties"] is False for part in made["$defs"].values())
    assert made["properties"]["confirm_share"]["maximum"] == 1
    assert {reference.removeprefix("#/$defs/") for reference in references(made)} <= set(made["$defs"])


def references(value: Any) -> list[str]:
    """Every `$ref` in a schema."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for each in value.values() for found in references(each)]
    return [found for each in value for found in references(each)] if isinstance(value, list) else []
