"""What the server knows about a resource: its names, verbs, table columns and schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.demo.apiserver.status import qualified

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

Cell = Callable[[Mapping[str, Any], float], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a Table. `cell(object, now)` is its value; columns with a priority above 0 show with `-o wide`."""

    name: str
    cell: Cell
    type: str = "string"
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A resource that shows the objects of another one: `convert` rewrites their JSON, `fields` selector paths."""

    of: str
    convert: Callable[[bytes], bytes]
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ResourceType:
    """One served resource. `name` ("deployments.apps") is how storage and fleet refer to it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    schema: Mapping[str, Any] | None = field(default=None, repr=False)
    verbs: tuple[str, ...] = VERBS
    subresources: tuple[str, ...] = ()
    custom: bool = False  # defined by a CustomResourceDefinition
    singular: str = ""
    generation: bool = False  # metadata.generation counts changes of the desired state
    view: View | None = None

    @property
    def name(self) -> str:
        """`plural.group`, or the plural alone in the core group."""
        return qualified(self.plural, self.group)

    @property
    def stored_as(self) -> str:
        """Name of the resource whose objects it shows: its own, but for views."""
        return self.view.of if self.view else self.name

    @property
    def api_version(self) -> str:
        """`group/version`, or the version alone in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular_name(self) -> str:
        """The singular that discovery publishes."""
        return self.singular or self.kind.lower()

    @property
    def list_kind(self) -> str:
        """Kind of its lists."""
        return self.kind + "List"

    @property
    def item_prefix(self) -> bytes:
        """How every stored object of it begins, since kind and apiVersion are always written first."""
        return f'{{"apiVersion":"{self.api_version}","kind":"{self.kind}",'.encode()
