"""Every kind there is to look at: fleet's own table, and the union of what the clusters serve, by all their words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from tui.domain.kinds import KINDS, OWN, find
from tui.domain.kinds.kind import Kind
from tui.domain.kinds.tabled import kind_of
from tui.domain.ports import Served

MOST_NAMED = 4  # kinds that a refusal names


class Offered(NamedTuple):
    """A resource, and the clusters that serve it."""

    served: Served
    clusters: frozenset[str]


class Offer(NamedTuple):
    """A kind as it is found: what it is called, and where it is served."""

    kind: Kind
    words: frozenset[str]  # lower case
    clusters: frozenset[str] = frozenset()  # that serve it; of fleet's own table those that were asked


class Ambiguous(ValueError):
    """A word means several kinds; the text names them."""


def union(answers: Iterable[tuple[str, Mapping[str, Served]]]) -> dict[str, Offered]:
    """What (cluster, what it serves) come to together. Where they differ, the first one says what a kind is."""
    first: dict[str, Served] = {}
    where: dict[str, list[str]] = {}
    for cluster, answer in answers:
        for resource, served in answer.items():
            first.setdefault(resource, served)
            where.setdefault(resource, []).append(cluster)
    return {resource: Offered(served, frozenset(where[resource])) for resource, served in first.items()}


class Catalogue:
    """Immutable. Without clusters it is fleet's own table."""

    def __init__(self, offered: Mapping[str, Offered] = {}, clusters: Collection[str] = ()) -> None:
        """`clusters` are those that have answered."""
        self.clusters = frozenset(clusters)
        self.offers: dict[str, Offer] = {
            resource: Offer(kind, _words(kind, _served(offered, resource)), _where(offered, resource))
            for resource, kind in KINDS.items()
        }
        for resource, (served, where) in offered.items():
            if resource in self.offers or (served.verbs and "list" not in served.verbs):
                continue
            version = served.versions[0] if served.versions else "v1"
            kind = kind_of(served.plural, served.kind, served.group, version, served.namespaced, served.short)
            self.offers[resource] = Offer(kind, _words(kind, served), where)
        self._by_kind = {
            (offer.kind.group, offer.kind.kind): resource
            for resource, offer in self.offers.items()
            if resource not in OWN
        }
        self._by_word: dict[str, list[Kind]] = {}
        for offer in self.offers.values():
            for word in offer.words:
                self._by_word.setdefault(word, []).append(offer.kind)

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.offers.values())

    def get(self, resource: str) -> Kind | None:
        """The kind of a resource; None when nobody has told of one."""
        offer = self.offers.get(resource)
        return offer.kind if offer else None

    def resource_of(self, kind: str, groups: Iterable[str], only: bool = False) -> str:
        """The resource of a Kind in the first of these API groups that has it; "" when none has.

        With `only`, then the one group at all that has a kind of this name.
        """
        for group in groups:
            if (found := self._by_kind.get((group, kind))) is not None:
                return found
        others = [resource for (_, name), resource in self._by_kind.items() if name == kind] if only else []
        return others[0] if len(others) == 1 else ""

    def find(self, word: str) -> Kind | None:
        """The kind a word means: plural, singular, short name, Kind, `plural.group`, `plural.beginning-of-group`.

        None for none. Words of fleet's own table mean its kinds. Raises Ambiguous.
        """
        word = word.strip().lower()
        if (own := find(word)) is not None:
            return own
        kinds = self._by_word.get(word) or self._partly(word)
        if len(kinds) > 1:
            names = sorted(kind.resource for kind in kinds)
            more = f" … ({len(names)})" if len(names) > MOST_NAMED else ""
            raise Ambiguous(f"{word} could be {', '.join(names[:MOST_NAMED])}{more}")
        return kinds[0] if kinds else None

    def means(self, word: str, kind: Kind) -> bool:
        """Whether a word in lower case means this kind and no other."""
        own = find(word)
        return own is kind if own is not None else len(self._by_word.get(word, ())) == 1

    def _partly(self, word: str) -> list[Kind]:
        name, dot, group = word.partition(".")
        if not dot:
            return []
        return [kind for kind in self._by_word.get(name, ()) if kind.group.startswith(group)]

    def where(self, offer: Offer) -> str:
        """`3 of 12 clusters`, where a kind is not served by all; "" where it is, or nobody knows."""
        if offer.kind.resource in OWN or len(offer.clusters) == len(self.clusters):
            return ""
        return f"{len(offer.clusters) or 'none'} of {len(self.clusters)} clusters"


def _served(offered: Mapping[str, Offered], resource: str) -> Served | None:
    return offered[resource].served if resource in offered else None


def _where(offered: Mapping[str, Offered], resource: str) -> frozenset[str]:
    return offered[resource].clusters if resource in offered else frozenset()


def _words(kind: Kind, served: Served | None) -> frozenset[str]:
    singular = (served.singular if served else "") or kind.kind
    names = [kind.plural, kind.kind, singular, *kind.short, *(served.short if served else ())]
    full = [f"{name}.{kind.group}" for name in (kind.plural, singular)] if kind.group else []
    return frozenset(word.lower() for word in (*names, *full) if word)
