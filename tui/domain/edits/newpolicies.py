"""The form of a new policy for a workload: its kind, name and file, and the first rule."""

from __future__ import annotations

from collections.abc import Mapping

from tui.domain.cilium.policy import KNP
from tui.domain.cilium.ruling import ruleform
from tui.domain.cilium.ruling.catalogue import Catalogue
from tui.domain.cilium.ruling.newpolicy import new_policy, policy_file, policy_name
from tui.domain.cilium.ruling.writing import KINDS
from tui.domain.edits.base import Field

_OFFERED = ("CiliumNetworkPolicy", "NetworkPolicy")
DENIED, PASSES = "is denied", "passes as before"


class NewPolicy:
    """Selects the pods of a workload by `subject`, its labels; the file goes into `folder`."""

    def __init__(self, workload: str, namespace: str, subject: Mapping[str, str], folder: str) -> None:
        self.catalogue = Catalogue()
        self._workload = workload
        self._namespace = namespace
        self._subject = subject
        self._folder = folder

    def fields(self, chosen: Mapping[str, str]) -> tuple[Field, ...]:
        """The form; what depends on choices follows `chosen`."""
        resource = KINDS[chosen.get("kind", _OFFERED[0])]
        name = policy_name(self._workload)
        found = [
            Field("kind", "Kind", _OFFERED[0], _OFFERED, free=False),
            Field("name", "Name", name),
            Field("file", "File", f"{self._folder}/{policy_file(KINDS[_OFFERED[0]], name)}".lstrip("/")),
        ]
        found += ruleform.fields(self.catalogue, resource, self._namespace, self._subject, chosen)
        if resource != KNP:
            text = "what no policy allows in the direction of the rule"
            found.append(Field("rest", "The rest", DENIED, (DENIED, PASSES), free=False, help=text))
        return tuple(found)

    def text(self, values: Mapping[str, str]) -> str:
        """The text of the new file. Raises Refused."""
        resource = KINDS[values.get("kind") or _OFFERED[0]]
        rule = ruleform.rule_of(values, resource)
        deny = resource == KNP or values.get("rest", DENIED) == DENIED
        name = values.get("name", "").strip()
        return new_policy(resource, name, self._namespace, self._subject, [rule], default_deny=deny)
