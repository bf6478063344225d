"""Lint of network policies: every rule finds what it is for and is silent where nothing is wrong."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.policygen import FLOWS, endpoints, policies, surroundings
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.lint import RULES, Finding, Known, lint, read
from tui.domain.cilium.lint.distance import closest
from tui.domain.cilium.lint.known import of_texts
from tui.domain.cilium.lint.reading import of_written
from tui.domain.cilium.lint.sarif import document
from tui.domain.cilium.lint.together import covered
from tui.domain.cilium.model import Entry, Flow, Request, Settings, Surroundings, Written
from tui.domain.cilium.policy import CNP, Policy
from tui.domain.yamledit import format_path

ENDS = list(endpoints().values())
REQUESTS = (None, None, Request("GET", "/"), Request("POST", "/"), Request(sni="api.example.com"))
DATA = Path(__file__).parents[3] / "shared" / "data" / "cilium"

CLUSTER = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Namespace, metadata: {name: data}}
- apiVersion: cilium.io/v2
  kind: CiliumEndpoint
  metadata: {name: web-1, namespace: shop}
  status:
    identity: {labels: ['k8s:app=frontend', 'k8s:tier=web', 'k8s:io.kubernetes.pod.namespace=shop',
      'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop']}
    networking: {addressing: [{ipv4: 10.0.1.5}]}
    named-ports: [{name: http, port: 8080, protocol: TCP}]
- apiVersion: cilium.io/v2
  kind: CiliumEndpoint
  metadata: {name: db-1, namespace: data}
  status:
    identity: {labels: ['k8s:app=database', 'k8s:io.kubernetes.pod.namespace=data',
      'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=data']}
    networking: {addressing: [{ipv4: 10.0.2.7}]}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {selector: {app: frontend}, ports: [{port: 80, targetPort: 8080}]}
- apiVersion: cilium.io/v2
  kind: CiliumCIDRGroup
  metadata: {name: office}
  spec: {externalCIDRs: [192.0.2.0/24]}
- apiVersion: cilium.io/v2
  kind: CiliumNode
  metadata: {name: n1}
  spec: {addresses: [{type: InternalIP, ip: 10.9.0.1}]}
"""
KNOWN = of_texts([(CLUSTER, "cluster.yaml")])
HOST_FIREWALL = msgspec.structs.replace(KNOWN, settings=Settings(host_firewall=True))


def cnp(spec: str, name: str = "p", namespace: str = "shop") -> str:
    space = f", namespace: {namespace}" if namespace else ""
    return (
        f"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: {name}{space}}}\n"
        f"spec:\n  endpointSelector: {{matchLabels: {{app: frontend}}}}\n{indented(spec)}"
    )


def ccnp(spec: str) -> str:
    head = "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: c}\nspec:\n"
    return head + indented(spec)


def knp(spec: str) -> str:
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: shop}\nspec:\n"
    return head + indented(spec)


def indented(spec: str) -> str:
    return "".join(f"  {line}\n" for line in spec.strip().splitlines())


def both(*texts: str) -> str:
    return "---\n".join(texts)


DNS = """
egress:
- toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': kube-system, k8s-app: kube-dns}}]
  toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchPattern: '%s'}]}}]
"""
FQDN = """
- toFQDNs: [{matchName: api.example.com}]
  toPorts: [{ports: [{port: '443', protocol: TCP}]}]
"""
DENY_OUTSIDE = "egressDeny: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]"
HTTP = """
ingress:
- fromEndpoints: [{matchLabels: {tier: web}}]
  toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]
"""


class Case(NamedTuple):
    """A text that a rule must find something in, and one in which it must not; with what is known."""

    bad: str
    good: str
    known: Known | None = None
    at: str = ""  # path of the finding


CASES: dict[str, list[Case]] = {
    "policy-invalid": [
        Case(
            cnp("ingress: [{fromEntities: [cluster, everybody]}]"),
            cnp("ingress: [{fromEntities: [cluster]}]"),
            at="spec.ingress[0]",
        ),
        Case(
            cnp("ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]}]"),
            cnp("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}]"),
        ),
    ],
    "field-unknown": [
        Case(
            cnp("ingress: [{fromEndpoint: [{}], toPorts: [{ports: [{port: '80'}]}]}]"),
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '80'}]}]}]"),
            at="spec.ingress[0].fromEndpoint",
        ),
        Case(
            knp("podSelector: {}\ningress: [{from: [{podselector: {}}]}]"),
            knp("podSelector: {}\ningress: [{from: [{podSelector: {}}]}]"),
        ),
    ],
    "except-outside": [
        Case(
            knp("podSelector: {}\negress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}}]}]"),
            knp("podSelector: {}\negress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]"),
            at="spec.egress[0].to[0].ipBlock.except[0]",
        ),
        Case(
            cnp("egress: [{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.0/24]}]}]"),
            cnp("egress: [{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.0/25]}]}]"),
        ),
    ],
    "policy-twice": [
        Case(
            both(cnp("ingress: [{fromEntities: [host]}]"), cnp("ingress: [{fromEntities: [cluster]}]")),
            both(cnp("ingress: [{fromEntities: [host]}]"), cnp("ingress: [{fromEntities: [cluster]}]", "q")),
        )
    ],
    "policy-duplicate": [
        Case(
            both(cnp("ingress: [{fromEntities: [host]}]"), cnp("ingress: [{fromEntities: [host]}]", "q")),
            both(cnp("ingress: [{fromEntities: [host]}]"), cnp("ingress: [{fromEntities: [host]}]", "q", "data")),
        )
    ],
    "rule-duplicate": [
        Case(
            cnp("ingress: [{fromEntities: [host, health]}, {fromEntities: [health, host]}]"),
            cnp("ingress: [{fromEntities: [host]}, {fromEntities: [health]}]"),
            at="spec.ingress[1]",
        )
    ],
    "namespace-missing": [Case(cnp("ingress: [{}]", namespace=""), cnp("ingress: [{}]"), at="metadata")],
    "subject-elsewhere": [
        Case(
            knp("podSelector: {matchLabels: {io.kubernetes.pod.namespace: data}}"),
            cnp("ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': data}}]}]"),
        )
    ],
    "empty-peers": [
        Case(
            cnp("ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}]"),
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '80'}]}]}]"),
            at="spec.ingress[0].fromEndpoints",
        ),
        Case(knp("podSelector: {}\ningress: [{from: []}]"), knp("podSelector: {}\ningress: []")),
    ],
    "empty-missing": [
        Case(
            cnp("egress: [{toFQDNs: [], toPorts: [{ports: [{port: '443'}]}]}]"),
            cnp("egress: [{toFQDNs: [{matchName: a.example.com}], toPorts: [{ports: [{port: '443'}]}]}]"),
            at="spec.egress[0].toFQDNs",
        )
    ],
    "empty-ports": [
        Case(
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{}]}]"),
            cnp("ingress: [{fromEndpoints: [{}]}]"),
            at="spec.ingress[0].toPorts[0]",
        ),
        Case(
            cnp("ingress: [{fromEndpoints: [{}], toPorts: []}]"),
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '1'}]}]}]"),
        ),
    ],
    "empty-entry": [Case(cnp("ingress: [{}]"), knp("podSelector: {}\ningress: [{}]"), at="spec.ingress[0]")],
    "empty-direction": [
        Case(cnp("ingress: []\negress: [{}]"), cnp("egress: [{}]"), at="spec.ingress"),
        Case(
            knp("podSelector: {}\npolicyTypes: [Ingress]\negress: []"),
            knp("podSelector: {}\npolicyTypes: [Ingress, Egress]\negress: []"),
        ),
    ],
    "deny-nothing": [
        Case(
            cnp("ingressDeny: [{}]"),
            cnp("ingressDeny: [{fromEntities: [world]}]"),
            at="spec.ingressDeny[0]",
        )
    ],
    "default-deny-nothing": [
        Case(
            cnp("ingress: [{}]\nenableDefaultDeny: {egress: true}"),
            cnp("egress: [{}]\nenableDefaultDeny: {egress: true}"),
            at="spec.enableDefaultDeny.egress",
        )
    ],
    "any-peer": [
        Case(
            cnp("ingress: [{toPorts: [{ports: [{port: '80'}]}]}]"),
            cnp("ingress: [{fromEntities: [world], toPorts: [{ports: [{port: '80'}]}]}]"),
        )
    ],
    "allow-all-policy": [
        Case(knp("podSelector: {}\ningress: [{}]"), knp("podSelector: {}\ningress: [{from: [{podSelector: {}}]}]")),
        Case(
            ccnp("endpointSelector: {}\negress: [{toEntities: [world]}]"),
            ccnp("endpointSelector: {}\negress: [{toEntities: [world], toPorts: [{ports: [{port: '443'}]}]}]"),
        ),
    ],
    "policy-types": [
        Case(
            knp("podSelector: {}\npolicyTypes: [Ingress]\negress: [{to: [{podSelector: {}}]}]"),
            knp("podSelector: {}\npolicyTypes: [Egress]\negress: [{to: [{podSelector: {}}]}]"),
            at="spec.egress",
        ),
        Case(
            knp("podSelector: {}\negress: [{to: [{podSelector: {}}]}]"),
            knp("podSelector: {}\ningress: [{from: [{podSelector: {}}]}]"),
        ),
    ],
    "entity": [
        Case(cnp("ingress: [{fromEntities: [all]}]"), cnp("ingress: [{fromEntities: [world]}]")),
        Case(
            cnp("egress: [{toEntities: [kube-apiserver], toPorts: [{ports: [{port: '443'}]}]}]"),
            cnp("egress: [{toEntities: [kube-apiserver], toPorts: [{ports: [{port: '443'}, {port: '6443'}]}]}]"),
        ),
        Case(
            cnp("egress: [{toEntities: [world, world-ipv4]}]"),
            cnp("egress: [{toEntities: [world-ipv4]}]"),
            at="spec.egress[0].toEntities[1]",
        ),
    ],
    "clusterwide-everybody": [
        Case(
            ccnp("endpointSelector: {}\ningress: [{}]"),
            ccnp(
                "endpointSelector: {matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}\n"
                "ingress: [{}]"
            ),
            at="spec.endpointSelector",
        ),
        Case(
            ccnp(
                "endpointSelector: {matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, "
                "values: [kube-system]}]}\ningress: [{}]"
            ),
            ccnp("endpointSelector: {}\ningress: [{fromEntities: [cluster]}]"),
        ),
    ],
    "host-policy": [
        Case(
            ccnp("nodeSelector: {}\ningress: [{fromEntities: [cluster]}]"),
            ccnp("nodeSelector: {}\ningress: [{fromEntities: [cluster]}]"),
            at="spec.nodeSelector",
        )
    ],
    "requires": [
        Case(
            cnp("ingress: [{fromRequires: [{matchLabels: {a: b}}]}]"),
            cnp("ingress: [{fromEndpoints: [{matchLabels: {a: b}}]}]"),
        )
    ],
    "label-never": [
        Case(
            cnp("ingress: [{fromEndpoints: [{matchLabels: {pod-template-hash: abc}}]}]"),
            cnp("ingress: [{fromEndpoints: [{matchLabels: {app.kubernetes.io/name: abc}}]}]"),
            at="spec.ingress[0].fromEndpoints[0].matchLabels.pod-template-hash",
        )
    ],
    "label-mistyped": [
        Case(
            cnp("ingress: [{fromEndpoints: [{matchLabels: {tier: wbe}}]}]"),
            cnp("ingress: [{fromEndpoints: [{matchLabels: {tier: web}}]}]"),
            KNOWN,
            at="spec.ingress[0].fromEndpoints[0].matchLabels.tier",
        ),
        Case(
            knp("podSelector: {matchLabels: {App: frontend}}"),
            knp("podSelector: {matchLabels: {app: frontend}}"),
            KNOWN,
        ),
    ],
    "policy-selects-nothing": [
        Case(
            knp("podSelector: {matchLabels: {app: queue}}"),
            knp("podSelector: {matchLabels: {app: frontend}}"),
            KNOWN,
            at="spec.podSelector",
        )
    ],
    "peer-selects-nothing": [
        Case(
            cnp("egress: [{toEndpoints: [{matchLabels: {app: database}}]}]"),
            cnp("egress: [{toEndpoints: [{matchLabels: {app: database, 'k8s:io.kubernetes.pod.namespace': data}}]}]"),
            KNOWN,
            at="spec.egress[0].toEndpoints[0]",
        ),
        Case(
            knp("podSelector: {}\ningress: [{from: [{podSelector: {matchLabels: {app: database}}}]}]"),
            knp(
                "podSelector: {}\ningress: [{from: [{podSelector: {matchLabels: {app: database}}, "
                "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: data}}}]}]"
            ),
            KNOWN,
        ),
    ],
    "namespace-unknown": [
        Case(
            cnp("egress: [{toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': dta}}]}]"),
            cnp("egress: [{toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': data}}]}]"),
            KNOWN,
        ),
        Case(cnp("ingress: [{}]", namespace="nowhere"), cnp("ingress: [{}]"), KNOWN, at="metadata.namespace"),
    ],
    "cidr-of-pods": [
        Case(
            cnp("egress: [{toCIDR: [10.0.0.0/16]}]"),
            cnp("egress: [{toCIDR: [10.7.0.0/16]}]"),
            KNOWN,
            at="spec.egress[0].toCIDR[0]",
        ),
        Case(
            knp("podSelector: {}\negress: [{to: [{ipBlock: {cidr: 10.9.0.1/32}}]}]"),
            knp("podSelector: {}\negress: [{to: [{ipBlock: {cidr: 192.0.2.1/32}}]}]"),
            KNOWN,
        ),
    ],
    "cidr-group-missing": [
        Case(
            cnp("ingress: [{fromCIDRSet: [{cidrGroupRef: offices}]}]"),
            cnp("ingress: [{fromCIDRSet: [{cidrGroupRef: office}]}]"),
            KNOWN,
        )
    ],
    "service-unresolved": [
        Case(
            cnp("egress: [{toServices: [{k8sService: {serviceName: wbe, namespace: shop}}]}]"),
            cnp("egress: [{toServices: [{k8sService: {serviceName: web, namespace: shop}}]}]"),
            KNOWN,
        )
    ],
    "service-port": [
        Case(
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]"),
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]"),
            KNOWN,
            at="spec.ingress[0].toPorts[0].ports[0].port",
        )
    ],
    "named-port-unknown": [
        Case(
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: htpt}]}]}]"),
            cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: http}]}]}]"),
            KNOWN,
        )
    ],
    "port-range": [
        Case(
            cnp("ingress: [{toPorts: [{ports: [{port: '90', endPort: 80}]}]}]"),
            cnp("ingress: [{toPorts: [{ports: [{port: '80', endPort: 90}]}]}]"),
        )
    ],
    "icmp-any-type": [
        Case(
            cnp("ingress: [{icmps: [{fields: [{type: 0, family: IPv4}]}]}]"),
            cnp("ingress: [{icmps: [{fields: [{type: 8, family: IPv4}]}]}]"),
        )
    ],
    "dns-over-tcp": [
        Case(
            knp("podSelector: {}\negress: [{ports: [{port: 53}]}]"),
            knp("podSelector: {}\negress: [{ports: [{port: 53}, {port: 53, protocol: UDP}]}]"),
        )
    ],
    "fqdn-without-dns": [
        Case(cnp("egress:" + FQDN), cnp(DNS % "*" + FQDN.lstrip("\n")), at="spec.egress[0].toFQDNs"),
        Case(
            cnp(DNS % "*.example.org" + FQDN.lstrip("\n")),
            cnp(DNS % "*.example.com" + FQDN.lstrip("\n")),
            at="spec.egress[1].toFQDNs[0]",
        ),
    ],
    "fqdn-pattern": [
        Case(
            cnp("egress: [{toFQDNs: [{matchPattern: '*example.com'}]}]"),
            cnp("egress: [{toFQDNs: [{matchName: example.com}]}]"),
        ),
        Case(
            cnp("egress: [{toFQDNs: [{matchName: db.data.svc.cluster.local}]}]"),
            cnp("egress: [{toFQDNs: [{matchName: db.example.com}]}]"),
        ),
    ],
    "layer7-not-enforced": [
        Case(cnp(HTTP + "enableDefaultDeny: {ingress: false}"), cnp(HTTP + "enableDefaultDeny: {egress: false}"))
    ],
    "authentication": [
        Case(
            cnp("ingress: [{fromEndpoints: [{}], authentication: {mode: test-always-fail}}]"),
            cnp("ingress: [{fromEndpoints: [{}], authentication: {mode: required}}]"),
        )
    ],
    "unreachable": [
        Case(
            cnp("ingress: [{fromCIDR: [192.0.2.0/25]}]\ningressDeny: [{fromCIDR: [192.0.2.0/24]}]"),
            cnp("ingress: [{fromCIDR: [192.0.2.0/24]}]\ningressDeny: [{fromCIDR: [192.0.2.0/25]}]"),
            at="spec.ingress[0]",
        ),
        Case(
            cnp("egress: [{toCIDR: [192.0.2.0/24]}]\n" + DENY_OUTSIDE),
            cnp("egress: [{toCIDR: [10.0.0.0/8]}]\n" + DENY_OUTSIDE),
        ),
        Case(
            both(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {tier: web}}]}]"),
                ccnp("endpointSelector: {}\ningressDeny: [{fromEntities: [all]}]"),
            ),
            both(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {tier: web}}]}]"),
                ccnp("endpointSelector: {matchLabels: {app: other}}\ningressDeny: [{fromEntities: [all]}]"),
            ),
        ),
    ],
    "layer7-voided": [
        Case(
            cnp(HTTP + "- fromEndpoints: [{}]"),
            cnp(HTTP + "- fromEndpoints: [{matchLabels: {tier: batch}}]"),
            at="spec.ingress[0]",
        )
    ],
    "redundant": [
        Case(
            cnp("ingress: [{fromEndpoints: [{matchLabels: {tier: web}}]}, {fromEndpoints: [{}]}]"),
            cnp("ingress: [{fromEndpoints: [{matchLabels: {tier: web}}]}, {fromEndpoints: [{matchLabels: {a: b}}]}]"),
            at="spec.ingress[0]",
        )
    ],
    "namespace-without-default-deny": [
        Case(
            cnp("ingress: [{}]\negress: [{}]"),
            both(
                cnp("ingress: [{}]\negress: [{}]"),
                ccnp("endpointSelector: {matchLabels: {app: database}}\ningress: [{}]\negress: [{}]"),
            ),
            KNOWN,
        )
    ],
}
PAIRS = [pytest.param(rule, case, id=f"{rule}-{n}") for rule, cases in CASES.items() for n, case in enumerate(cases)]


def found(text: str, known: Known | None = None, file: str = "p.yaml") -> list[Finding]:
    return lint(read(text, file).policies, known)


def test_every_rule_has_cases() -> None:
    assert CASES.keys() == RULES.keys()


@pytest.mark.parametrize(("rule", "case"), PAIRS)
def test_a_rule_finds_what_it_is_for(rule: str, case: Case) -> None:
    hits = [each for each in found(case.bad, case.known) if each.rule == rule]
    assert hits
    if case.at:
        assert case.at in [each.path for each in hits]
    for each in hits:
        assert each.message.endswith(".")
        assert each.advice.endswith((".", "?"))
        assert bool(each.policy) == bool(each.line)


@pytest.mark.parametrize(("rule", "case"), PAIRS)
def test_a_rule_is_silent_where_nothing_is_wrong(rule: str, case: Case) -> None:
    known = HOST_FIREWALL if rule == "host-policy" else case.known
    assert [each for each in found(case.good, known) if each.rule == rule] == []


# -- places --------------------------------------------------------------------------------------------------------

SHAPES = {
    "documents": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n--- # next\n# comment\napiVersion: cilium.io/v2\n"
        "kind: CiliumNetworkPolicy\nmetadata:\n  name: p\n  namespace: shop\nspec:\n  endpointSelector: {}\n"
        "  ingress:\n  - fromEndpoints: []\n",
        (14, 5),
    ),
    "list": (
        "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n- apiVersion: cilium.io/v2\n  kind: CiliumNetworkPolicy\n"
        "  metadata: {name: p, namespace: shop}\n  spec:\n    endpointSelector: {}\n    ingress:\n"
        "    - fromEndpoints: []\n",
        (11, 7),
    ),
    "json": (
        '{"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy",\n "metadata": {"name": "p", "namespace": "x"},\n'
        ' "spec": {"endpointSelector": {},\n  "ingress": [{"fromEndpoints": []}]}}',
        (4, 16),
    ),
    "specs": (
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspecs:\n"
        "- {endpointSelector: {}, egress: [{}]}\n- endpointSelector: {}\n  ingress:\n  - fromEndpoints: []\n",
        (8, 5),
    ),
    "anchors": (
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspecs:\n"
        "- &one\n  endpointSelector: {}\n  ingress:\n  - fromEndpoints: []\n- *one\n",
        (8, 5),
    ),
    "windows": (
        "\ufeffapiVersion: cilium.io/v2\r\nkind: CiliumNetworkPolicy\r\nmetadata: {name: p, namespace: shop}\r\n"
        "spec:\r\n  endpointSelector: {}\r\n  ingress:\r\n  - fromEndpoints: []\r\n",
        (7, 5),
    ),
}


@pytest.mark.parametrize(("text", "place"), SHAPES.values(), ids=SHAPES)
def test_findings_name_line_and_column(text: str, place: tuple[int, int]) -> None:
    hit = next(each for each in found(text) if each.rule == "empty-peers")
    assert (hit.line, hit.column) == place


@pytest.mark.parametrize(
    "text",
    [
        "kind: CiliumNetworkPolicy\nmetadata:\n  name: {{ .Values.name }}\n",
        "{{- if .Values.on }}\nkind: CiliumNetworkPolicy\nmetadata:\n  name: p\n{{- end }}\n",
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: '{{ .Release.Name }}'}",
        "kind: CiliumNetworkPolicy\nspec:\n{{ toYaml .Values.spec | indent 2 }}\n",
    ],
)
def test_a_template_is_told_as_unread(text: str) -> None:
    told = read(text, "t.yaml")
    assert told.policies == ()
    assert [each.template for each in told.unread] == [True]


def test_what_is_broken_is_told_with_its_place_and_the_rest_is_read() -> None:
    told = read("kind: CiliumNetworkPolicy\nspec: [\n---\n" + cnp("ingress: [{}]"), "b.yaml")
    assert len(told.policies) == 1
    assert [(each.file, each.template) for each in told.unread] == [("b.yaml", False)]
    assert told.unread[0].line in (2, 3)


def test_kinds_of_other_groups_are_passed_over() -> None:
    assert read("apiVersion: example.com/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n").policies == ()


# -- together ------------------------------------------------------------------------------------------------------


def test_folders_with_a_policy_of_the_same_name_are_not_compared() -> None:
    """They are for different clusters: prod may deny what dev allows."""
    dev = read(cnp("ingress: [{fromEntities: [world]}]"), "dev/p.yaml").policies
    prod = read(
        both(cnp("ingress: [{}]"), ccnp("endpointSelector: {}\ningressDeny: [{fromEntities: [all]}]")), "prod/p.yaml"
    ).policies
    told = lint([*dev, *prod])
    assert [each.severity for each in told if each.rule == "policy-twice"] == ["info"]
    assert not [each for each in told if each.rule == "unreachable"]


def test_a_rejected_policy_says_nothing_of_others() -> None:
    text = both(
        cnp("ingress: [{fromEntities: [world]}]"),
        cnp("ingressDeny: [{fromEntities: [all]}]\negress: [{toEntities: [nobody]}]", "q"),
    )
    assert [each.rule for each in found(text) if each.rule in ("unreachable", "policy-invalid")] == ["policy-invalid"]


@pytest.mark.parametrize(
    ("word", "others", "meant"),
    [
        ("frotend", ["frontend", "backend"], "frontend"),
        ("Front-End", ["frontend"], "frontend"),
        ("wbe", ["web"], "web"),
        ("queue", ["web", "database"], ""),
        ("a", ["b"], ""),
    ],
)
def test_the_closest_word(word: str, others: list[str], meant: str) -> None:
    assert closest(word, others) == meant


def test_endpoints_of_a_policy_test_suite_are_known_too() -> None:
    suite = """
settings: {version: '1.18', host_firewall: true}
namespaces: {shop: {team: web}}
endpoints:
  web: {namespace: shop, labels: {app: frontend}, named_ports: {http/TCP: 8080}}
  office: {ip: 192.0.2.7}
"""
    known = of_texts([(suite, "suite.yaml")])
    assert known.settings is not None
    assert (known.settings.version, known.settings.host_firewall) == ((1, 18), True)
    assert known.namespaces is not None
    assert set(known.namespaces) == {"shop"}
    assert known.services is None
    told = found(cnp("ingress: [{fromEndpoints: [{matchLabels: {app: fronted}}]}]"), known)
    assert "label-mistyped" in {each.rule for each in told}
    both_known = of_texts([(suite, "suite.yaml"), (CLUSTER, "cluster.yaml")])
    assert len(both_known.endpoints or ()) == 4
    assert both_known.services


@given(policies(), surroundings, st.randoms(use_true_random=False))
def test_what_is_said_to_be_idle_changes_no_verdict(
    held: tuple[Written, ...], around: Surroundings, random: Random
) -> None:
    """By the engine itself: without the peers of an idle entry, or what it asks above layer 4, answers are equal."""
    book = rulebook(held, around)
    for rule, parsed, hit in covered([of_written(each) for each in held], book):
        at = (parsed.resource, parsed.namespace, parsed.name, format_path(hit.steps))
        changed = [
            entry if entry.where[:4] != at else _asking_nothing(entry) if rule == "layer7-voided" else _idle(entry)
            for entry in book.entries
        ]
        assert changed != list(book.entries)
        other = msgspec.structs.replace(book, entries=tuple(changed))
        for _ in range(60):
            request = random.choice(REQUESTS)
            flow = Flow(random.choice(ENDS), random.choice(ENDS), *random.choice(FLOWS), request=request)
            assert verdict(book, flow).verdict == verdict(other, flow).verdict, (rule, hit, flow)


def _idle(entry: Entry) -> Entry:
    return entry._replace(peers=())


def _asking_nothing(entry: Entry) -> Entry:
    return entry._replace(ports=tuple(each._replace(layer7=None) for each in entry.ports))


def test_policies_of_a_cluster_with_specs_alone_are_read_too() -> None:
    web, spec = ({"endpointSelector": {"matchLabels": {"app": app}}, "ingress": [{}]} for app in ("frontend", "x"))
    policy = msgspec.convert({"metadata": {"name": "p", "namespace": "shop"}, "specs": [web, spec]}, Policy)
    hits = lint([of_written(Written(CNP, policy))], KNOWN)
    assert [each.path for each in hits if each.rule == "policy-selects-nothing"] == ["specs[1].endpointSelector"]


# -- SARIF and real files ------------------------------------------------------------------------------------------


def test_sarif_names_rules_levels_and_places() -> None:
    made = document(found(cnp("ingress: [{fromEndpoints: []}]"), file="a b/p.yaml"), "1")
    assert made["version"] == "2.1.0"
    run = made["runs"][0]
    result = next(each for each in run["results"] if each["ruleId"] == "empty-peers")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "empty-peers"
    assert result["level"] == "warning"
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "a%20b/p.yaml"
    assert physical["region"] == {"startLine": 6, "startColumn": 14}


def test_published_examples_have_no_unknown_fields_but_old_ones() -> None:
    """Every field of the examples is known; only one of them was written for an unreleased version."""
    files = sorted((DATA / "examples").rglob("*.y*ml"))
    if not files:
        pytest.skip("the examples are not at hand")
    unknown = [
        (file.name, each.path)
        for file in files
        for each in found(file.read_text(), file=str(file))
        if each.rule == "field-unknown"
    ]
    assert unknown == [("auth.yaml", "spec.egress[0].auth")]
