"""A rule of a network policy: added, changed or removed, and the default deny of a direction switched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from tui.domain.cilium.describe import entry_text
from tui.domain.cilium.impacts.changes import changes, sentence
from tui.domain.cilium.model import Direction
from tui.domain.cilium.policy import KNP, SECTIONS, Policy, Rule, enforced, mapping, rules, sequence
from tui.domain.cilium.ruling import ruleform, writing
from tui.domain.cilium.ruling.catalogue import Catalogue
from tui.domain.cilium.ruling.choice import NewRule
from tui.domain.cilium.ruling.chosen import chosen as read_back
from tui.domain.cilium.ruling.writing import KINDS, Held
from tui.domain.edits.base import Field
from tui.domain.obj import Meta
from tui.domain.yamledit import Edited, Refused, Session

ADD, CHANGE, REMOVE, DENY = "add a rule", "change one", "remove one", "default deny"
ON, OFF, UNSAID = "on", "off", "as its rules make it"
STAYS, ENDS = "stays", "ends with it"


class PolicyRule:
    """The rules of a policy. `catalogue` is what the form proposes; `namespace` counts where the file names none."""

    id = "policy"
    title = "Rules of the policy"

    def __init__(self, catalogue: Catalogue | None = None, namespace: str = "") -> None:
        self.catalogue = catalogue or Catalogue()
        self.namespace = namespace

    def applies(self, kind: str, document: Mapping[str, Any]) -> bool:
        held = _held(document)
        return held is not None and bool(writing.rule_paths(held))

    def fields(self, kind: str, document: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Field, ...]:
        held = _held(document)
        if held is None:
            return ()
        has = _listed(held, _number(held, chosen))
        what = [ADD, *([CHANGE, REMOVE] if has else []), DENY]
        found = [Field("do", "Do", ADD, tuple(what), free=False)]
        paths = [_path_word(path) for path in writing.rule_paths(held)]
        if len(paths) > 1:
            found.append(Field("rule", "Of", paths[0], tuple(paths), free=False))
        match chosen.get("do", ADD):
            case "add a rule":
                found += self._rule_fields(held, chosen, "", {})
            case "change one" if has:
                found += self._change_fields(held, chosen, has)
            case "remove one" if has:
                found += self._remove_fields(held, chosen, has)
            case "default deny":
                found += _deny_fields(held, chosen)
        return tuple(found)

    def _rule_fields(
        self, held: Held, chosen: Mapping[str, str], fixed: str, current: Mapping[str, str]
    ) -> Sequence[Field]:
        rule = _rule(held, chosen)
        subject = {str(key): str(value) for key, value in mapping((rule.selector or {}).get("matchLabels")).items()}
        namespace = held.namespace or ("" if held.resource == writing.CCNP else self.namespace)
        made = ruleform.fields(self.catalogue, held.resource, namespace, subject, {**current, **chosen}, fixed)
        return [replace(field, value=current.get(field.name, field.value)) for field in made]

    def _change_fields(self, held: Held, chosen: Mapping[str, str], has: Sequence[str]) -> Sequence[Field]:
        entry = Field("entry", "Rule", has[0], tuple(has), free=False)
        section, index = _place(chosen.get("entry") or has[0])
        found = read_back(_entries(held, chosen, section)[index], section, held.resource)
        try:
            current = ruleform.values_of(found) if found is not None else None
        except Refused:
            current = None
        if current is None:
            text = "the form cannot show this rule: e edits it as YAML"
            return [replace(entry, help=text)]
        return [entry, *self._rule_fields(held, chosen, section, current)]

    def _remove_fields(self, held: Held, chosen: Mapping[str, str], has: Sequence[str]) -> Sequence[Field]:
        entry = Field("entry", "Rule", has[0], tuple(has), free=False)
        section, _ = _place(chosen.get("entry") or has[0])
        if held.resource == KNP or len(_entries(held, chosen, section)) > 1:
            return [entry]
        direction = section.removesuffix("Deny")
        text = f"it is the last {section} rule; what no policy allows is denied only as long as there is one"
        return [entry, Field("keep", f"Deny of {direction}", STAYS, (STAYS, ENDS), free=False, help=text)]

    def apply(self, text: str, doc: int | None, kind: str, values: Mapping[str, str]) -> Edited:
        document = Session(text, doc).value()
        held = _held(document, doc or 0)
        if held is None:
            raise Refused("the document is no network policy")
        number = _number(held, values)
        what = values.get("do") or ADD
        if what == ADD:
            return writing.add_rule(text, held, ruleform.rule_of(values, held.resource), number)
        if what == DENY:
            return _switch(text, held, values, number)
        has = _listed(held, number)
        if values.get("entry") not in has:
            raise Refused("say which rule")
        section, index = _place(values["entry"])
        if what == REMOVE:
            keep = values.get("keep", STAYS) == STAYS
            return writing.remove_entry(text, held, section, index, number, keep_deny=keep)
        rule = self._changed(held, values, section, index)
        return writing.change_entry(text, held, section, index, rule, number)

    def _changed(self, held: Held, values: Mapping[str, str], section: str, index: int) -> NewRule:
        """What an entry is to say; what the form has no field for stays as it is."""
        found = read_back(_entries(held, values, section)[index], section, held.resource)
        if found is None:
            raise Refused("the form cannot show this rule: edit it as YAML")
        ruleform.values_of(found)
        rule = ruleform.rule_of(values, held.resource, section)
        return replace(rule, authentication=rule.authentication or found.authentication)

    def describe(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        resource = KINDS.get(kind, "")
        if not resource:
            return []
        return [sentence(each) for each in changes(_policy(old), _policy(new), resource)]


# -- what is there -------------------------------------------------------------------------------------------------


def _held(document: Mapping[str, Any], doc: int = 0) -> Held | None:
    return writing.held_in(document, doc)


def _policy(document: Mapping[str, Any]) -> Policy:
    metadata = mapping(document.get("metadata"))
    meta = Meta(name=str(metadata.get("name") or ""), namespace=str(metadata.get("namespace") or ""))
    return Policy(metadata=meta, spec=document.get("spec"), specs=document.get("specs"))


def _path_word(path: Sequence[Any]) -> str:
    return str(path[0]) if len(path) == 1 else f"{path[0]}[{path[1]}]"


def _number(held: Held, chosen: Mapping[str, str]) -> int:
    """Which of the rules of a policy is meant."""
    words = [_path_word(path) for path in writing.rule_paths(held)]
    return words.index(chosen["rule"]) if chosen.get("rule") in words else 0


def _rule(held: Held, chosen: Mapping[str, str]) -> Rule:
    return rules(held.policy, held.resource)[_number(held, chosen)]


def _entries(held: Held, chosen: Mapping[str, str], section: str) -> list[Mapping[str, Any]]:
    return [mapping(each) for each in sequence(_rule(held, chosen).raw.get(section))]


def _listed(held: Held, number: int) -> list[str]:
    """The entries of a rule, each with its place: `ingress[0] app=web → TCP 8080`."""
    every = rules(held.policy, held.resource)
    if number >= len(every):
        return []
    raw = every[number].raw
    return [
        f"{section}[{index}] {entry_text(entry, section, held.resource) or 'nobody'}"
        for section in SECTIONS
        for index, entry in enumerate(sequence(raw.get(section)))
    ]


def _place(word: str) -> tuple[str, int]:
    """(section, index) of an entry that `_listed` named."""
    section, _, rest = word.partition("[")
    return section, int(rest.partition("]")[0])


# -- default deny --------------------------------------------------------------------------------------------------


def _deny_fields(held: Held, chosen: Mapping[str, str]) -> list[Field]:
    direction = chosen.get("direction", "ingress")
    rule = _rule(held, chosen)
    is_on = enforced(rule, direction, held.resource)
    told = rule.default_deny.get(direction)
    choices = (ON, OFF) if held.resource == KNP else (ON, OFF, UNSAID)
    now = (ON if is_on else OFF) if held.resource == KNP or told is not None or not is_on else UNSAID
    text = f"{direction} that no policy allows is {'denied now' if is_on else 'not denied by this rule now'}"
    return [
        Field("direction", "Direction", "ingress", ("ingress", "egress"), free=False),
        Field("deny", "Default deny", now, choices, free=False, help=text),
    ]


def _switch(text: str, held: Held, values: Mapping[str, str], number: int) -> Edited:
    direction: Direction = "egress" if values.get("direction") == "egress" else "ingress"
    wanted = values.get("deny", ON)
    if wanted != ON:
        return writing.set_default_deny(text, held, direction, False if wanted == OFF else None, number)
    raw = rules(held.policy, held.resource)[number].raw
    if not (sequence(raw.get(direction)) or sequence(raw.get(f"{direction}Deny"))):
        return writing.deny_all(text, held, direction, number)
    return writing.set_default_deny(text, held, direction, True, number)
