"""What Cilium rejects and what it takes, by its version and settings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from tui.domain.cilium.engine.goregex import Unreadable, compiled, sound
from tui.domain.cilium.engine.validity import problems
from tui.domain.cilium.model import Settings
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy

DEFAULTS = Settings()


def found(text: str, resource: str = CNP, settings: Settings | None = DEFAULTS) -> list[str]:
    return problems(msgspec.convert({"metadata": {"name": "p"}, **yaml.safe_load(text)}, Policy), resource, settings)


def ingress(rule: str) -> str:
    return f"spec: {{endpointSelector: {{}}, ingress: [{rule}]}}"


def egress(rule: str) -> str:
    return f"spec: {{endpointSelector: {{}}, egress: [{rule}]}}"


def port(held: str, rules: str = "") -> str:
    return f"{{toPorts: [{{ports: [{held}]{rules and ', ' + rules}}}]}}"


def on_80(rules: str) -> str:
    return port("{port: '80', protocol: TCP}", rules)


MANY = ", ".join(f"{{port: '{number}'}}" for number in range(1, 42))
TYPES = ", ".join(f"{{type: {number}}}" for number in range(1, 42))

REJECTED = [
    # -- a policy and whom it selects
    ("{}", "it has neither spec nor specs"),
    ("spec: []", "spec must be a mapping"),
    ("specs: [{}]", "specs[0]: a rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny"),
    ("spec: {endpointSelector: {}, egress: []}", "a rule must have at least one of"),
    ("spec: {ingress: [{}]}", "it must have an EndpointSelector or a NodeSelector"),
    ("spec: {endpointSelector: {}, nodeSelector: {}, ingress: [{}]}", "EndpointSelector and NodeSelector exclude"),
    ("spec: {nodeSelector: {}, ingress: [{}]}", "NodeSelector is only for CiliumClusterwideNetworkPolicy"),
    ("spec: {endpointSelector: {}, ingress: {}}", "ingress must be a list"),
    ("spec: {endpointSelector: {}, ingress: [1]}", "ingress[0]: it must be a mapping"),
    ("spec: {endpointSelector: {}, enableDefaultDeny: {ingress: 'no'}, ingress: [{}]}", "must be true or false"),
    # -- selectors
    ("spec: {endpointSelector: {matchLabels: {'a b': c}}, ingress: [{}]}", "invalid label key a b"),
    ("spec: {endpointSelector: {matchLabels: {'k8s:a:b': c}}, ingress: [{}]}", "invalid label key k8s:a:b"),
    ("spec: {endpointSelector: {matchLabels: {a: '-c'}}, ingress: [{}]}", "invalid label value -c"),
    (f"spec: {{endpointSelector: {{matchLabels: {{a: {'c' * 64}}}}}, ingress: [{{}}]}}", "invalid label value ccc"),
    (f"spec: {{endpointSelector: {{matchLabels: {{{'a' * 60}: c}}}}, ingress: [{{}}]}}", "invalid label key aaa"),
    ("spec: {endpointSelector: {matchLabels: {a: 1}}, ingress: [{}]}", "label value 1 must be a string: quote it"),
    (ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: Is}]}]}"), "Is is no valid selector operator"),
    (ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]}"), "operator In needs values"),
    (
        ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]}"),
        "operator Exists takes no values",
    ),
    (ingress("{fromEndpoints: [{matchExpressions: [{operator: Exists}]}]}"), "invalid label key"),
    (ingress("{fromEndpoints: [app]}"), "a selector must be a mapping"),
    # -- peers
    (ingress("{fromEndpoints: [{}], fromEntities: [world]}"), "combining FromEndpoints and FromEntities"),
    (egress("{toFQDNs: [{matchName: a.b}], toEndpoints: [{}]}"), "combining ToEndpoints and ToFQDNs"),
    (egress("{toServices: [{k8sService: {serviceName: a}}], toCIDR: [1.1.1.1]}"), "combining ToCIDR and ToServices"),
    (ingress("{fromEntities: [moon]}"), "unsupported entity moon"),
    (ingress("{fromEntities: [World]}"), "unsupported entity World"),
    (ingress("{fromCIDR: [10.0.0.0/33]}"), "10.0.0.0/33 is no CIDR"),
    (ingress("{fromCIDR: ['']}"), "is no CIDR"),
    (ingress("{fromCIDR: [10.0.0.0/255.0.0.0]}"), "is no CIDR"),
    (ingress("{fromCIDRSet: [{cidr: 10.0.0.1}]}"), "10.0.0.1 has no prefix"),
    (ingress("{fromCIDRSet: [{}]}"), "one of cidr, cidrGroupRef, cidrGroupSelector is required"),
    (ingress("{fromCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: a}]}"), "cidr cannot be combined with cidrGroupRef"),
    (ingress("{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/8]}]}"), "11.0.0.0/8 is not contained in 10.0.0.0/8"),
    (ingress("{fromCIDRSet: [{cidr: 10.0.0.0/8, except: ['fd00::/8']}]}"), "is not contained"),
    (ingress("{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.1.1]}]}"), "except 10.1.1.1 is no CIDR"),
    (ingress("{fromCIDRSet: [{cidrGroupSelector: {matchLabels: {'a b': c}}}]}"), "invalid label key a b"),
    (ingress("{fromNodes: [{}]}"), "FromNodes/ToNodes rules need enable-node-selector-labels"),
    (egress("{toFQDNs: [{matchName: a.b, matchPattern: '*'}]}"), "matchName and matchPattern exclude each other"),
    (egress("{toFQDNs: [{matchName: 'a*.b'}]}"), "invalid characters in matchName a*.b"),
    (egress("{toFQDNs: [{matchPattern: 'a/b'}]}"), "invalid characters in matchPattern a/b"),
    (egress(f"{{toFQDNs: [{{matchPattern: {'a' * 256}}}]}}"), "matchPattern is longer than 255 characters"),
    # -- ports
    (ingress(port(MANY)), "too many ports: 41, at most 40 are allowed"),
    (ingress(port("{protocol: TCP}")), "port must be specified"),
    (ingress(port("{port: 80}")), "port 80 must be a string: quote it"),
    (ingress(port("{port: '65536'}")), "unable to parse port 65536"),
    (ingress(port("{port: '-1'}")), "unable to parse port -1"),
    (ingress(port("{port: a--b}")), "unable to parse port a--b"),
    (ingress(port("{port: a-name-too-long-for-it}")), "unable to parse port"),
    (ingress(port("{port: '80', protocol: ICMP}")), "invalid protocol ICMP"),
    (ingress(port("{port: '80', protocol: HTTP}")), "invalid protocol HTTP"),
    (ingress(port("{port: '80', protocol: VRRP}")), "port must be empty or 0 for VRRP"),
    (ingress(port("{port: '80', endPort: 70000}")), "endPort 70000 must be a number up to 65535"),
    (f"spec: {{endpointSelector: {{}}, ingressDeny: [{port(MANY)}]}}", "ingressDeny[0]: too many ports"),
    # -- ICMP
    (ingress("{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '80'}]}]}"), "ICMP rules cannot be combined"),
    (ingress(f"{{icmps: [{{fields: [{TYPES}]}}]}}"), "too many ICMP types: 41"),
    (ingress("{icmps: [{fields: [{type: 8, family: IPv5}]}]}"), "wrong ICMP family IPv5"),
    (ingress("{icmps: [{fields: [{type: Ping}]}]}"), "ICMP type Ping is not known for IPv4"),
    (ingress("{icmps: [{fields: [{type: Echo, family: IPv6}]}]}"), "ICMP type Echo is not known for IPv6"),
    (ingress("{icmps: [{fields: [{type: 256}]}]}"), "ICMP type 256 is above 255"),
    (ingress("{icmps: [{fields: [{family: IPv4}]}]}"), "an ICMP field needs a type"),
    # -- above layer 4
    (ingress(port("{port: '80'}", "rules: {http: [{}]}")), "L7 rules can only apply to TCP (not ANY)"),
    (ingress(port("{port: '80', protocol: UDP}", "rules: {kafka: [{}]}")), "L7 rules can only apply to TCP (not UDP)"),
    (ingress(port("{port: '0', protocol: TCP}", "rules: {http: [{}]}")), "L7 rules cannot be used when a port is 0"),
    (ingress(on_80("rules: {http: [{}], kafka: [{}]}")), "only one kind of L7 rules is allowed, not http and kafka"),
    (ingress(on_80("rules: {http: [{}], dns: []}")), "only one kind of L7 rules is allowed, not http and dns"),
    (ingress(on_80("rules: {dns: [{matchPattern: '*'}]}")), "L7 protocol DNS is not supported on ingress"),
    (egress("{toPorts: [{rules: {dns: [{matchPattern: '*'}]}}]}"), "DNS rules need a port"),
    (egress(port("{port: '50', endPort: 60}", "rules: {dns: [{matchPattern: '*'}]}")), "DNS rules do not support port"),
    (egress(port("{port: '53'}", "rules: {dns: [{matchName: 'a b'}]}")), "invalid characters in matchName a b"),
    (ingress(on_80("rules: {l7: [{a: b}]}")), "l7 needs an l7proto"),
    (ingress(on_80("rules: {l7proto: x, l7: [{'': b}]}")), "an empty key is not allowed in l7"),
    (ingress(on_80("rules: {http: [{path: '('}]}")), "path ( is no regular expression"),
    (ingress(on_80("rules: {http: [{method: '(?!GET)'}]}")), "method (?!GET) is no regular expression"),
    (ingress(on_80("rules: {http: [{headerMatches: [{value: a}]}]}")), "a header match needs a name"),
    (ingress(on_80("rules: {http: [{headerMatches: [{name: a, mismatch: DROP}]}]}")), "invalid header action DROP"),
    (ingress(on_80("rules: {http: [{headerMatches: [{name: a, secret: {}}]}]}")), "secret of a header match needs"),
    (ingress(on_80("rules: {kafka: [{role: produce, apiKey: fetch}]}")), "Kafka role and apiKey exclude each other"),
    (ingress(on_80("rules: {kafka: [{role: admin}]}")), "invalid Kafka role admin"),
    (ingress(on_80("rules: {kafka: [{apiKey: flush}]}")), "invalid Kafka apiKey flush"),
    (ingress(on_80("rules: {kafka: [{apiVersion: '-1'}]}")), "invalid Kafka apiVersion -1"),
    (ingress(on_80("rules: {kafka: [{topic: 'a b'}]}")), "invalid Kafka topic a b"),
    (ingress(on_80("serverNames: ['']")), "an empty server name is not allowed"),
    (ingress(on_80("serverNames: ['a.*.b']")), "invalid server name a.*.b"),
    (ingress(on_80("serverNames: [a.b], rules: {http: [{}]}")), "serverNames are not allowed with L7 rules"),
    (ingress(on_80("listener: {name: l, envoyConfig: {name: c}}")), "a listener is not allowed on ingress (l)"),
    (
        egress(on_80("listener: {name: l, envoyConfig: {name: c}}, rules: {http: [{}]}")),
        "a listener is not allowed with L7 rules (l)",
    ),
    (egress(on_80("listener: {name: l}")), "a listener needs a name and an envoyConfig with a name"),
    (ingress("{fromEndpoints: [{}], authentication: {mode: maybe}}"), "authentication mode maybe is none of"),
]


@pytest.mark.parametrize(("text", "reason"), REJECTED)
def test_what_cilium_rejects(text: str, reason: str) -> None:
    said = found(text)
    assert any(reason in each for each in said), said


@pytest.mark.parametrize(
    "text",
    [
        ingress("{}"),
        ingress("{fromEndpoints: [], fromEntities: [world]}"),
        ingress("{fromEntities: [world-ipv4, none, kube-apiserver]}"),
        ingress("{fromCIDR: [10.1.2.3, 10.0.0.1/8, 'fd00::/8', '::1']}"),
        ingress("{fromCIDRSet: [{cidr: 10.0.0.1/8, except: [10.1.0.0/7]}]}"),
        ingress("{fromCIDRSet: [{cidrGroupSelector: {}}]}"),
        ingress("{fromEndpoints: [{matchLabels: {'k8s:app.kubernetes.io/name': '', 'reserved:host': ''}}]}"),
        ingress("{fromEndpoints: [{matchLabels: {$host: '', 'cidr:10.0.0.0/8': ''}}]}"),
        ingress(port("{port: HTTP}, {port: '010'}, {port: '0', protocol: udp}, {port: 9p}")),
        ingress(port("{port: '80', endPort: 70}")),
        ingress(port("{protocol: VRRP}, {port: '0', protocol: IGMP}")),
        ingress("{icmps: [{fields: [{type: 8}, {type: '8'}, {type: EchoReply}, {type: 128, family: IPv6}]}]}"),
        ingress("{icmps: [{}]}"),
        ingress(on_80("rules: {http: []}")),
        ingress(port("{port: '80', protocol: UDP}", "rules: {l7proto: x}")),
        ingress(on_80("rules: {http: [{path: '/[^/]+$', host: '('}]}")),
        ingress(on_80("terminatingTLS: {secret: {name: a}}, serverNames: [a.b], rules: {http: [{}]}")),
        egress(port("{port: '53'}", "rules: {dns: [{matchName: a.b, matchPattern: '*'}]}")),
        egress(port("{port: '53', endPort: 10}", "rules: {dns: [{matchPattern: '*'}]}")),
        egress("{toServices: [{k8sService: {serviceName: a}}], toPorts: [{ports: [{port: '80'}]}]}"),
        "spec: {endpointSelector: {}, ingressDeny: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]}]}",
        "spec: {endpointSelector: {}, egressDeny: [{toFQDNs: [{}], toEndpoints: [{}]}]}",
    ],
)
def test_what_cilium_takes(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "resource", "bad", "good"),
    [
        ("spec: {endpointSelector: {}, ingress: []}", CNP, {"version": (1, 18)}, {"version": (1, 17)}),
        (ingress("{fromNodes: [{}]}"), CNP, {}, {"node_selector_labels": True}),
        (ingress("{fromNodes: [{}]}"), CNP, {}, {"version": (1, 15)}),
        (ingress("{fromEntities: [world-ipv6]}"), CNP, {"version": (1, 14)}, {"version": (1, 15)}),
        (ingress("{fromCIDRSet: [{cidrGroupSelector: {}}]}"), CNP, {"version": (1, 16)}, {"version": (1, 17)}),
        (ingress("{icmps: [{fields: [{type: Echo}]}]}"), CNP, {"version": (1, 15)}, {"version": (1, 16)}),
        (ingress("{icmps: [{fields: [{type: 8}]}]}"), CNP, {"icmp_rules": False}, {}),
        (ingress(on_80("rules: {http: [{}]}")), CNP, {"l7_proxy": False}, {}),
        (ingress(port("{protocol: VRRP}")), CNP, {"version": (1, 18)}, {"version": (1, 19)}),
        (
            egress("{toServices: [{k8sService: {serviceName: a}}], toPorts: [{ports: [{port: '80'}]}]}"),
            CNP,
            {"version": (1, 16)},
            {"version": (1, 17)},
        ),
        (
            "spec: {nodeSelector: {}, egress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: "
            "[{matchPattern: a}]}}]}]}",
            CCNP,
            {"version": (1, 16)},
            {"version": (1, 17)},
        ),
    ],
)
def test_what_depends_on_the_agents(text: str, resource: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    assert found(text, resource, Settings(**bad))
    assert found(text, resource, Settings(**good)) == []
    assert found(text, resource, None) == []  # nothing is known of the agents


@pytest.mark.parametrize(
    ("section", "rules", "reason"),
    [
        ("ingress", "http: [{}]", "L7 policy is not supported on host ingress"),
        ("egress", "http: [{}]", "L7 protocol HTTP is not supported on host egress"),
    ],
)
def test_hosts_have_little_above_layer_4(section: str, rules: str, reason: str) -> None:
    text = f"spec: {{nodeSelector: {{}}, {section}: [{on_80('rules: {' + rules + '}')}]}}"
    assert found(text, CCNP) == [f"{section}[0]: {reason}"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("ingress: [{ports: [{port: 80, protocol: ICMP}]}]", "ingress[0]: invalid protocol ICMP"),
        ("ingress: [{ports: [{port: 0}]}]", "port 0 is not between 1 and 65535"),
        ("ingress: [{ports: [{port: '80'}]}]", "port 80 is neither a number nor a name"),
        ("ingress: [{ports: [{port: http, endPort: 90}]}]", "endPort 90 needs a port in numbers"),
        ("egress: [{to: [{ipBlock: {cidr: 10.0.0.0}}]}]", "egress[0]: 10.0.0.0 is no CIDR"),
        ("egress: [{to: [{}]}]", "a peer needs a podSelector, a namespaceSelector or an ipBlock"),
        ("egress: [{to: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]", "ipBlock cannot be combined"),
        ("policyTypes: [Both]", "policyTypes: Both is neither Ingress nor Egress"),
        ("ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: Is}]}}]}]", "no valid selector"),
    ],
)
def test_network_policies(spec: str, reason: str) -> None:
    said = found(f"spec: {{podSelector: {{}}, {spec}}}", KNP)
    assert any(reason in each for each in said), said
    assert (
        found("spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: http}]}]}", KNP) == []
    )


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("/a/.*", "/a/b", "/b"),
        ("(GET|POST)", "POST", "PUT"),
        ("[]a]+", "]a", "b"),
        ("[^]]", "a", "]"),
        ("[a[b]", "[", "c"),
        ("[[:upper:][:digit:]]+", "A1", "a"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        (r"\x{41}\x42", "AB", "ab"),
        ("(?i)get", "GET", "PUT"),
        ("(?P<x>a)(?<y>b)", "ab", "a"),
        (r"a\z", "a", "b"),
        ("a{,2}", "a{,2}", "aa"),
        (r"\d+", "12", "\u0661"),
    ],
)
def test_regexes_match_as_re2_does(text: str, yes: str, no: str) -> None:
    regex = compiled(text)
    assert regex is not None
    assert regex.fullmatch(yes) and not regex.fullmatch(no)


@pytest.mark.parametrize(
    "text", ["(", "[", "a)", "*", "a**", "a++", "a{1001}", "(?=a)", "(?<!a)", r"(a)\1", r"\y", "(?x)a"]
)
def test_regexes_that_re2_cannot_read(text: str) -> None:
    assert not sound(text)
    with pytest.raises(Unreadable):
        compiled(text)


@pytest.mark.parametrize("text", [r"\pL", r"\p{Greek}+", "a(?i)b", "(?U)a+", "[[:^alpha:]]"])
def test_regexes_that_only_re2_can_tell(text: str) -> None:
    assert sound(text) and compiled(text) is None
