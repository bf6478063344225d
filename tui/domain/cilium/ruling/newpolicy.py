"""A policy that does not exist yet: its text, its name, its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tui.domain.cilium.engine.validity import problems
from tui.domain.cilium.policy import CCNP, CNP, DIRECTIONS, KNP, SECTIONS
from tui.domain.cilium.ruling.choice import NewRule
from tui.domain.cilium.ruling.spelling import endpoint_selector, entry
from tui.domain.cilium.ruling.writing import kind_name, policies
from tui.domain.objects.new import file_name, to_yaml
from tui.domain.yamledit import Edited, Refused, append_document

_API = {CNP: "cilium.io/v2", CCNP: "cilium.io/v2", KNP: "networking.k8s.io/v1"}


def new_policy(
    resource: str,
    name: str,
    namespace: str,
    subject: Mapping[str, str],
    rules: Sequence[NewRule] = (),
    *,
    default_deny: bool = True,
    comment: str = "",
) -> str:
    """The text of a new policy that selects pods by labels ({} = all). `namespace` "" leaves it to whoever applies it.

    Without `default_deny` its rules allow without denying the rest (Cilium 1.16 and later). `comment` stands above it.
    """
    sections: dict[str, list[Any]] = {}
    for rule in rules:
        sections.setdefault(rule.section, []).append(entry(rule, resource))
    metadata = {"name": name, **({"namespace": namespace} if namespace and resource != CCNP else {})}
    spec: dict[str, Any] = {"podSelector" if resource == KNP else "endpointSelector": endpoint_selector(subject)}
    if resource == KNP:
        if not default_deny:
            raise Refused("a NetworkPolicy always denies the rest; a CiliumNetworkPolicy need not")
        spec["policyTypes"] = [each.capitalize() for each in DIRECTIONS if each in sections] or ["Ingress", "Egress"]
    elif not sections:
        raise Refused("a policy without entries does nothing: add a rule")
    elif not default_deny:
        spec["enableDefaultDeny"] = {
            each: False for each in DIRECTIONS if each in sections or f"{each}Deny" in sections
        }
    spec |= {section: sections[section] for section in SECTIONS if section in sections}
    made = {"apiVersion": _API[resource], "kind": kind_name(resource), "metadata": metadata, "spec": spec}
    text = "".join(f"# {line}\n" for line in comment.splitlines()) + to_yaml(made)
    if found := problems(policies(text)[0].policy, resource):
        raise Refused(found[0])
    return text


def add_policy(text: str, document: str) -> Edited:
    """A file with one more policy at its end; one with the same kind, namespace and name is refused."""
    new = policies(document)
    for held in policies(text):
        if any(held[2:5] == each[2:5] for each in new):
            raise Refused(f"the file has a {kind_name(held.resource)} {held.name} already")
    return append_document(text, document)


def policy_name(workload: str, purpose: Literal["", "allow", "deny"] = "", taken: Sequence[str] = ()) -> str:
    """A conventional name for a policy of a workload: its own, or `allow-web`; numbered when it is taken."""
    base = f"{purpose}-{workload}" if purpose else workload
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def policy_file(resource: str, name: str) -> str:
    """The conventional name of a policy's file: `web-ciliumnetworkpolicy.yaml`."""
    return file_name(kind_name(resource), name)
