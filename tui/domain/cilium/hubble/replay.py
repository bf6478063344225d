"""Many recorded flows against policies out of files: each answer once, and in the end what there was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

import msgspec

from tui.domain.cilium import reading
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.hubble.judging import Judged, judge
from tui.domain.cilium.hubble.observed import Observed
from tui.domain.cilium.model import Rulebook, Surroundings
from tui.domain.cilium.reading import Placed

REMEMBERED = 16_384  # answers kept
CLUSTERS = 64  # cluster names whose rulebooks are kept: flows of a mesh name several


class Replay:
    """Flows put to the policies among some objects. Which names DNS has learned is known only from flows."""

    def __init__(self, placed: Iterable[Placed]) -> None:
        """Raises yamledit.Refused for a policy that cannot be read."""
        held = list(placed)
        self._policies = reading.policies(held)
        self._around = reading.surroundings(held, Surroundings(dns=None))
        config = [each for each in held if (each.object.get("metadata") or {}).get("name") == "cilium-config"]
        self._named = bool(config)  # the cluster's name is given and not that of the flows
        self._books: dict[str, Rulebook] = {}
        self._answers: dict[Hashable, Judged] = {}
        self.counts: Counter[str] = Counter()  # "allowed", "denied", "unknown", "" -> flows
        self.changed = 0
        self._unknown = ""  # why the first one that cannot be decided cannot

    @property
    def invalid(self) -> tuple[str, ...]:
        """The policies that Cilium rejects, so that they decide nothing: a line each."""
        return tuple(
            f"{each.where.file}: {each.where.name} is invalid: {each.reason}" for each in self._book("").invalid
        )

    def take(self, record: Observed) -> Judged:
        """What the policies say of a flow; it is counted."""
        key = record.key
        judged = self._answers.get(key)
        if judged is None:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            judged = self._answers[key] = judge(self._book(record.subject.cluster), record)
        self.counts[judged.word] += 1
        if judged.word == "unknown" and not self._unknown:
            self._unknown = judged.reason
        self.changed += judged.changes(record)
        return judged

    def told(self) -> Iterator[str]:
        """What came of it, a line each."""
        yield from self.invalid
        counts = self.counts
        asked = counts["allowed"] + counts["denied"] + counts["unknown"]
        unknown = f"; {counts['unknown']:,} cannot be decided, the first: {self._unknown}" if counts["unknown"] else ""
        aside = f"; {counts['']:,} are replies or no policy's matter" if counts[""] else ""
        noun = "flow" if asked == 1 else "flows"
        yield f"{self.changed:,} of {asked:,} {noun} would change{aside}{unknown}"

    def _book(self, cluster: str) -> Rulebook:
        name = "" if self._named else cluster
        if (held := self._books.get(name)) is not None:
            return held
        around = self._around
        if name:
            settings = msgspec.structs.replace(around.settings, cluster=name)
            around = msgspec.structs.replace(around, settings=settings)
        if len(self._books) >= CLUSTERS:
            self._books.clear()
        made = self._books[name] = rulebook(self._policies, around)
        return made
