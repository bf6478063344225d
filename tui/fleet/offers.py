"""What the clusters serve, gathered into one catalogue whenever somebody is about to ask for a kind by its name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from tui.domain import redact
from tui.domain.kinds.catalogue import Ambiguous, Catalogue
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref
from tui.domain.ports import ServerError, Trouble
from tui.fleet.sync.session import METADATA_ONLY

if TYPE_CHECKING:
    from tui.fleet.sync import Network

MOST = 500  # whole objects that are read at once
QUICK = 0.3  # seconds to wait for those that have not been asked before
PATIENT = 15.0  # seconds to wait for them when what was asked for is not found without
FRESH = 5.0  # seconds in which the answers are not gathered again


class _Items(msgspec.Struct):
    items: list[dict[str, Any]] | None = None


class Offers:
    """Belongs to the loop of the main thread; the clusters are asked in the network thread, which keeps the answers."""

    def __init__(self, network: Network, notify: Callable[[], None]) -> None:
        self._network = network
        self._notify = notify
        self._gathered = -FRESH
        self._lock = asyncio.Lock()
        self.catalogue = Catalogue()

    async def gather(self, patience: float = QUICK) -> Catalogue:
        """The catalogue as of now: of every cluster that is there and answers within `patience` seconds."""
        async with self._lock:
            if patience > QUICK or time.monotonic() - self._gathered >= FRESH:
                self.catalogue = await self._network.offered(patience)
                self._gathered = time.monotonic()
                self._notify()
        return self.catalogue

    async def find(self, word: str) -> Kind | None:
        """The kind that a word means, asking the clusters when it is not known. Raises Ambiguous."""
        for patience in (QUICK, PATIENT):
            if self.catalogue.find(word) is None:
                try:
                    await self.gather(patience)
                except Trouble:
                    break  # there is nobody to ask
        return self.catalogue.find(word)

    async def all(self, word: str) -> list[Kind]:
        """Every kind that a word means."""
        try:
            found = await self.find(word)
        except Ambiguous:
            word = word.strip().lower()
            return [offer.kind for offer in self.catalogue if word in offer.words]
        return [found] if found is not None else []

    async def wholes(self, cluster: str, resource: str, namespace: str) -> list[tuple[Ref, dict[str, Any]]]:
        """The objects of a resource in a namespace ("" = all), whole, as of now; at most `MOST`. Raises Trouble.

        [] for what the cluster does not serve, and for Secrets, which nobody reads.
        """
        served = (await self._network.served(cluster)).get(resource)
        if served is None or resource in METADATA_ONLY:
            return []
        parts = ["apis", served.group, served.versions[0]] if served.group else ["api", served.versions[0]]
        if namespace and served.namespaced:
            parts += ["namespaces", quote(namespace, safe="")]
        data = await self._network.read(cluster, f"/{'/'.join([*parts, served.plural])}?limit={MOST}")
        try:
            items = msgspec.json.decode(data, type=_Items).items or []
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ServerError(f"the list of {resource} cannot be read: {error}") from None
        made = []
        for item in map(redact.plain, items):
            meta = item.get("metadata")
            if isinstance(meta, dict) and isinstance(name := meta.get("name"), str):
                made.append((Ref(cluster, resource, str(meta.get("namespace") or ""), name), item))
        return made
