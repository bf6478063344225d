"""What a kind is: how it is found, decoded, watched and shown. A new kind is one `Kind(...)` beside its siblings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, NamedTuple, Protocol

from tui.domain.obj import Object, Row

Value = str | int | float | bool | None


class Tone(Enum):
    """What a cell says, for the theme to colour. The words are the theme's variables; no colour is named here."""

    PLAIN = "plain"
    MUTED = "muted"  # present but unimportant
    GOOD = "good"  # Healthy, Synced, Ready
    BUSY = "busy"  # Progressing, Running, Pending
    WARN = "warn"  # OutOfSync, Missing
    BAD = "bad"  # Degraded, Failed, Unreachable
    PAUSED = "paused"  # Suspended
    UNKNOWN = "unknown"  # nobody knows: never green by default
    ACCENT = "accent"  # names, things to follow
    LOUD = "loud"  # production: a mistake would cost most here


class Cell(NamedTuple):
    """A cell as painted: plain text (never markup) and its tone."""

    text: str
    tone: Tone = Tone.PLAIN


class Health(NamedTuple):
    """A health as Argo CD words it, with its message ("" when there is none)."""

    status: str  # Healthy | Suspended | Progressing | Missing | Degraded | Unknown
    message: str = ""


class Facts(Protocol):
    """Facts that need more than the row itself; `fleet.derive` answers them from the store, memoised by revision."""

    @property
    def now(self) -> float:
        """Seconds since the epoch."""

    def selected(self, row: Row) -> int | None:
        """How many endpoints a policy selects in its cluster; None when endpoints could not be read."""

    def application(self, row: Row) -> str:
        """Name of the Application that tracks this object; "" when none does."""

    def source_file(self, row: Row) -> str:
        """`path/file.yaml` the object comes from, as far as it is known without asking; "" when unknown."""

    def destination(self, row: Row) -> str:
        """fleet's name of the cluster an Application deploys to, "?" appended unless the match is certain or strong."""

    def health_counts(self, cluster: str) -> dict[str, int]:
        """Applications that deploy to this cluster, by health word."""

    def count(self, cluster: str, resource: str) -> int | None:
        """Objects of a resource held for a cluster; None when they are not known."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `value` is what scripts get and sorting uses, `show` is what the screen paints.

    `value` must not raise on a half-filled object. Times are seconds since the epoch, or None.
    """

    id: str
    title: str
    value: Callable[[Row, Facts], Value]
    show: Callable[[Value, float], Cell]
    width: int = 12  # cells; the widest it asks for
    least: int = 4  # cells; the narrowest it is still useful at, before it is dropped
    right: bool = False
    wide: bool = False  # only in wide mode and in -o wide
    grow: int = 0  # share of the left-over width
    keep: int = 0  # the higher, the later it is dropped where there is little room; equals go from the right
    time: bool = False  # the value is a moment in seconds since the epoch: RFC 3339 in JSON, an age on the screen
    sort: Callable[[Value], Value] | None = None  # what a value sorts by, where that is not the value itself


@dataclass(frozen=True, slots=True)
class Kind:
    """A Kubernetes resource that fleet knows how to show."""

    plural: str
    kind: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)  # best first; discovery decides which one is served
    namespaced: bool = True
    short: tuple[str, ...] = ()  # `po`, `deploy`: what `:` and `fleet get` accept beside plural and singular
    record: type[Object] = Object
    columns: tuple[Column, ...] = ()
    watch: Literal["hub", "always", "view"] = "view"  # hub: where Applications live; view: only while looked at
    metadata_only: bool = False  # asked for as PartialObjectMetadata: Secrets never leave the API server
    discreet: Callable[[Any], bool] | None = None  # whether, by its record, nothing but URLs can be secret in an object
    tabled: bool = False  # asked for as the server's own Table: its metadata and the cells of its row, no more
    state: Callable[[Any, Facts], Cell] | None = None  # the object's state in one word, for trees
    health: Callable[[Any], Health | None] | None = None  # Argo CD's built-in health rule over the record
    field_selector: str = ""  # of its list and watch, where the API server can leave out what nobody reads
    within: str = ""  # the one namespace that is listed and watched; "" = all
    called: str = ""  # its key in fleet where it is a part of another kind, as one object of known name
    depends: tuple[str, ...] = ()  # resources that are watched along with it, for the facts in its columns
    needs: tuple[str, ...] = ()  # resources whose changes alter its cells too, but which nobody watches for its sake

    @property
    def resource(self) -> str:
        """`pods`, `deployments.apps`: the key of this kind everywhere in fleet."""
        return self.called or self.collection

    @property
    def collection(self) -> str:
        """`pods`, `deployments.apps`: what API servers serve it as."""
        return f"{self.plural}.{self.group}" if self.group else self.plural
