"""The rules, in one table: a rule is one row here, and one passing and one failing case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tui.domain.cilium.lint import above, around, fields, targets, together, written
from tui.domain.cilium.lint.around import Around
from tui.domain.cilium.lint.values import Hit, Known, Parsed, Severity


class Rule(NamedTuple):
    """A rule: its id, its severity where a finding names no other, and what it finds, in one sentence.

    One of `alone` (a policy as it is written), `beside` (with what is known of the cluster) and `together` (every
    policy at once) makes its findings; a rule with none of them gets them from `lint` itself.
    """

    id: str
    severity: Severity
    title: str
    alone: Callable[[Parsed, Known], Iterator[Hit]] | None = None
    beside: Callable[[Parsed, Around], Iterator[Hit]] | None = None
    together: Callable[[Sequence[Parsed], Known], Iterator[tuple[Parsed, Hit]]] | None = None


INVALID = "policy-invalid"
NO_DEFAULT_DENY = "namespace-without-default-deny"

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        # wrong whatever the cluster
        Rule(INVALID, "error", "Cilium rejects the policy, and enforces nothing of it"),
        Rule("field-unknown", "error", "a field that the API does not know and drops", fields.unknown_fields),
        Rule("except-outside", "error", "an exception outside its block", beside=targets.excepts),
        Rule("policy-twice", "error", "one policy in two places", together=together.policy_twice),
        Rule("policy-duplicate", "warning", "two policies with the same rules", together=together.policy_duplicate),
        Rule("rule-duplicate", "warning", "one entry twice in a policy", together=together.rule_duplicate),
        Rule("namespace-missing", "warning", "a policy without a namespace", written.namespace_missing),
        Rule("subject-elsewhere", "warning", "a subject in another namespace", written.subject_elsewhere),
        # lists and directions
        Rule("empty-peers", "warning", "an empty list of peers", written.empty_peers),
        Rule("empty-missing", "error", "an empty list that counts as missing", written.empty_missing),
        Rule("empty-ports", "warning", "an empty port rule", written.empty_ports),
        Rule("empty-entry", "info", "an empty entry, which allows nothing", written.empty_entry),
        Rule("empty-direction", "warning", "an empty direction, which has no effect", written.empty_direction),
        Rule("deny-nothing", "warning", "a deny entry that only switches default deny on", written.deny_nothing),
        Rule("default-deny-nothing", "warning", "enableDefaultDeny without entries", written.default_deny_nothing),
        Rule("any-peer", "info", "ports for any peer", written.any_peer),
        Rule("allow-all-policy", "warning", "everything allowed to everybody", written.allow_all),
        Rule("policy-types", "warning", "policyTypes that other network plugins read otherwise", written.policy_types),
        # whom it means
        Rule("entity", "warning", "an entity that means more or less than it seems to", written.entities),
        Rule("clusterwide-everybody", "warning", "a subject with health and ingress", written.clusterwide_everybody),
        Rule("host-policy", "warning", "a rule for nodes, which needs the host firewall", written.host_policy),
        Rule("requires", "warning", "fromRequires, which Cilium 1.19 drops", written.requires),
        Rule("label-never", "warning", "a label that is no part of an identity", beside=around.never_in_identity),
        Rule("label-mistyped", "warning", "a label close to one that exists", beside=around.mistyped),
        Rule("policy-selects-nothing", "warning", "a subject that no endpoint has", beside=around.selects_nothing),
        Rule("peer-selects-nothing", "warning", "a peer that no endpoint is", beside=around.peer_selects_nothing),
        Rule("namespace-unknown", "warning", "a namespace that does not exist", beside=around.namespace_unknown),
        Rule("cidr-of-pods", "warning", "a CIDR where pods or nodes are", beside=targets.cidr_of_pods),
        Rule("cidr-group-missing", "warning", "a CIDR group that does not exist", beside=targets.group_missing),
        Rule("service-unresolved", "warning", "a Service that cannot be found", beside=targets.service_unresolved),
        # ports and what is above
        Rule("service-port", "warning", "a Service's port instead of the pods'", beside=targets.service_port),
        Rule("named-port-unknown", "warning", "a named port that no pod has", beside=targets.named_port),
        Rule("port-range", "warning", "an endPort that is ignored", above.port_range),
        Rule("icmp-any-type", "warning", "ICMP type 0, which is every type", above.icmp),
        Rule("dns-over-tcp", "warning", "port 53 for TCP alone", above.dns_over_tcp),
        Rule("fqdn-without-dns", "warning", "toFQDNs without a DNS rule", together=together.fqdn_without_dns),
        Rule("fqdn-pattern", "warning", "a name or pattern that matches other names", above.names),
        Rule(
            "layer7-not-enforced",
            "warning",
            "requests asked for without default deny",
            above.layer7_without_default_deny,
        ),
        Rule("authentication", "warning", "authentication that drops everything", above.authentication),
        # rules beside each other
        Rule("unreachable", "warning", "an allow under a deny that covers it"),
        Rule("layer7-voided", "warning", "requests asked for on ports that another rule opens"),
        Rule("redundant", "info", "an entry that a broader one covers"),
        Rule(NO_DEFAULT_DENY, "info", "pods under no default deny"),
    )
}
