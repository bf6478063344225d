"""Who may talk to whom in a large cluster: the compiled form beside one verdict after the other.

    python -m tests.benchmarks.policy_reach [--endpoints N] [--policies N] [--rounds N]

The cluster is made up: namespaces with applications of one to thirty replicas, jobs with labels of their own, and the
policies that such clusters have (default deny, DNS, ingress by application, egress to namespaces, prefixes and names,
denials, rules above layer 4, cluster-wide ones), of which one, an endpoint or a namespace's labels then change. "Every
pair" is what each pair of endpoints may say to each other on every port, counted. The naive form is `verdict`: its time
is that of a sample of pairs, extrapolated to all of them, and it would tell one port of each. Processor time, the best
of interleaved rounds. Budgets: every pair 10,000 times as fast as the naive form, and what a change of one policy does
in half the time of a new start.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.impacts.impact import impact
from tui.domain.cilium.model import Endpoint, Flow, Surroundings, Written
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy
from tui.domain.cilium.reachability.reach import Reach
from tui.domain.cilium.reading import identity

TEAMS = ("payments", "catalog", "checkout", "search", "identity", "shipping", "pricing", "media")
PARTS = ("web", "api", "worker", "db", "cache", "queue", "admin", "proxy", "report", "sync")
LEAST = 10_000.0  # times as fast as the naive form, for every pair
MOST = 0.5  # of a new start, for the impact of one policy
NAMESPACE = "k8s:io.kubernetes.pod.namespace"


def namespaces(count: int) -> dict[str, dict[str, str]]:
    """Name -> labels."""
    return {
        f"{TEAMS[number % len(TEAMS)]}-{number // len(TEAMS)}": {
            "kubernetes.io/metadata.name": f"{TEAMS[number % len(TEAMS)]}-{number // len(TEAMS)}",
            "team": TEAMS[number % len(TEAMS)],
            "stage": ("prod", "test", "dev")[number % 3],
        }
        for number in range(count)
    }


def endpoints(count: int, spaces: dict[str, dict[str, str]], random: Random) -> dict[str, Endpoint]:
    """Pods by name; an eighth are of jobs, whose labels no other pod has."""
    found: dict[str, Endpoint] = {}
    numbers = {space: 0 for space in spaces}
    while len(found) < count:
        space = random.choice(list(spaces))
        part, number = PARTS[numbers[space] % len(PARTS)], numbers[space] // len(PARTS)
        numbers[space] += 1
        app = f"{part}-{number}" if number else part
        labels = {"app.kubernetes.io/name": app, "app.kubernetes.io/instance": f"{space}-{app}"}
        labels |= {"app.kubernetes.io/version": f"1.{random.randrange(9)}", "app.kubernetes.io/part-of": space}
        if random.randrange(3) == 0:
            labels = {"app": app, "tier": random.choice(["front", "back"])}
        jobs = random.randrange(8) == 0
        for replica in range(random.choice([1, 1, 2, 2, 3, 3, 4, 6, 10, 30])):
            own = {**labels, "batch.kubernetes.io/job-name": f"{app}-{replica}"} if jobs else labels
            name = f"{space}/{app}-{replica}"
            bare = [f"k8s:{key}={value}" for key, value in own.items()]
            ports = {"http/TCP": 8080 + random.randrange(2), "metrics/TCP": 9090}
            held = identity(bare, space, spaces[space], "default")
            found[name] = Endpoint(
                held, name, f"10.{len(found) >> 16}.{len(found) >> 8 & 255}.{len(found) & 255}", ports
            )
    return dict(list(found.items())[:count])


def policies(count: int, spaces: dict[str, dict[str, str]], random: Random) -> list[Written]:
    """What a cluster has: a default deny in most namespaces, some cluster-wide policies, the rest by application."""
    found: list[Written] = [
        written(CCNP, "dns", "", {"endpointSelector": {}, "egress": [dns()], "enableDefaultDeny": {"egress": False}}),
        written(
            CCNP,
            "metadata",
            "",
            {
                "endpointSelector": {},
                "egressDeny": [{"toCIDR": ["169.254.169.254/32"]}],
                "enableDefaultDeny": {"egress": False},
            },
        ),
        written(
            CCNP,
            "health",
            "",
            {
                "endpointSelector": {"matchLabels": {"reserved:health": ""}},
                "ingress": [{"fromEntities": ["remote-node"]}],
            },
        ),
    ]
    for number, space in enumerate(spaces):
        if number % 4 != 3:
            spec = {"podSelector": {}, "policyTypes": ["Ingress"] if number % 3 else ["Ingress", "Egress"]}
            found.append(written(KNP, "default-deny", space, spec))
    while len(found) < count:
        space = random.choice(list(spaces))
        found.append(of_application(f"p-{len(found)}", space, spaces, random))
    return found[:count]


def of_application(name: str, space: str, spaces: dict[str, dict[str, str]], random: Random) -> Written:
    """A policy for one application of a namespace."""
    mine, peer = random.choice(PARTS), random.choice(PARTS)
    other = random.choice(list(spaces))
    shape = random.randrange(8)
    selector = {"matchLabels": {"app.kubernetes.io/name": mine}}
    if shape < 2:
        peers = [{"matchLabels": {"app.kubernetes.io/name": peer}}, {"matchLabels": {"app": peer, NAMESPACE: other}}]
        return written(
            CNP, name, space, {"endpointSelector": selector, "ingress": [{"fromEndpoints": peers, **tcp("8080")}]}
        )
    if shape == 2:
        rule = {"from": [{"namespaceSelector": {"matchLabels": {"team": spaces[other]["team"]}}}, {"podSelector": {}}]}
        rule["ports"] = [{"port": random.choice(["http", 8080, 5432]), "protocol": "TCP"}]
        return written(KNP, name, space, {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": [rule]})
    if shape == 3:
        egress = [{"toEndpoints": [{"matchLabels": {NAMESPACE: other}}], **tcp("http")}, dns()]
        return written(CNP, name, space, {"endpointSelector": selector, "egress": egress})
    if shape == 4:
        egress = [{"toFQDNs": [{"matchPattern": f"*.{peer}.example.com"}], **tcp("443")}, dns()]
        return written(CNP, name, space, {"endpointSelector": {"matchLabels": {"app": mine}}, "egress": egress})
    if shape == 5:
        sets = [{"cidr": f"10.{random.randrange(40, 60)}.0.0/16", "except": []}]
        return written(CNP, name, space, {"endpointSelector": selector, "egress": [{"toCIDRSet": sets, **tcp("5432")}]})
    if shape == 6:
        rules = {"http": [{"method": "GET", "path": "/metrics"}]}
        ports = [{"ports": [{"port": "9090", "protocol": "TCP"}], "rules": rules}]
        watch = [
            {"fromEndpoints": [{"matchLabels": {NAMESPACE: other}}], "toPorts": ports},
            {"fromEntities": ["ingress"]},
        ]
        return written(CNP, name, space, {"endpointSelector": {}, "ingress": watch})
    deny = [{"fromEndpoints": [{"matchLabels": {"k8s:io.cilium.k8s.namespace.labels.stage": "dev"}}]}]
    return written(
        CNP,
        name,
        space,
        {"endpointSelector": selector, "ingressDeny": deny, "ingress": [{"fromEntities": ["cluster"]}]},
    )


def tcp(port: str) -> dict[str, Any]:
    return {"toPorts": [{"ports": [{"port": port, "protocol": "TCP"}]}]}


def dns() -> dict[str, Any]:
    peers = [{"matchLabels": {NAMESPACE: "kube-system", "k8s-app": "kube-dns"}}]
    return {
        "toEndpoints": peers,
        "toPorts": [{"ports": [{"port": "53", "protocol": "UDP"}], "rules": {"dns": [{"matchPattern": "*"}]}}],
    }


def written(resource: str, name: str, namespace: str, spec: dict[str, Any]) -> Written:
    return Written(
        resource,
        msgspec.convert({"metadata": {"name": name, "namespace": namespace}, "spec": spec}, Policy),
        f"{name}.yaml",
    )


# ---- measuring


class Cluster:
    """A cluster, and the same after a change of each kind."""

    def __init__(self, count: int, written: int) -> None:
        random = Random(7)
        self.spaces = namespaces(60)
        self.endpoints = endpoints(count, self.spaces, random)
        self.policies = policies(written, self.spaces, random)
        self.around = Surroundings(namespaces=self.spaces)
        self.book = rulebook(self.policies, self.around)
        self.before = Reach(self.book, self.endpoints)
        self.before.pairs()
        changed = of_application("changed", next(iter(self.spaces)), self.spaces, Random(3))
        self.other_book = rulebook([*self.policies[:-1], changed], self.around)
        self.key = list(self.endpoints)[count // 2]
        old = self.endpoints[self.key]
        self.relabelled = msgspec.structs.replace(old, labels=tuple(sorted((*old.labels, "k8s:canary=true"))))
        space = list(self.spaces)[7]
        label = "k8s:io.cilium.k8s.namespace.labels.stage=canary"
        self.moved = {
            key: msgspec.structs.replace(each, labels=tuple(sorted((*each.labels, label))))
            for key, each in self.endpoints.items()
            if key.startswith(f"{space}/")
        }

    def ways(self) -> dict[str, Callable[[], object]]:
        """What is measured, by name."""
        after = self.before.with_book(self.other_book)
        after.pairs()
        names = list(self.endpoints)
        ends = [(names[number], names[-1 - number * 3]) for number in range(1000)]
        return {
            "rulebook of all policies": lambda: rulebook(self.policies, self.around),
            "every pair, from nothing": lambda: Reach(self.book, self.endpoints).pairs(),
            "every pair, one policy changed": lambda: self.before.with_book(self.other_book).pairs(),
            "every pair, one endpoint changed": lambda: self.before.put(self.key, self.relabelled).pairs(),
            "every pair, one namespace's labels": lambda: self.before.changed(self.moved).pairs(),
            "impact of one policy": lambda: impact(self.before, after),
            "one pair, one policy changed": lambda: self.before.with_book(self.other_book).between(*ends[0]),
            "one endpoint, whom it may reach": lambda: after.reachable_from([self.key]),
            "1,000 pairs": lambda: [after.between(*each) for each in ends],
        }

    def sample(self, count: int) -> float:
        """Seconds of one verdict, the mean of so many pairs drawn by lot."""
        random, held = Random(11), list(self.endpoints.values())
        flows = [Flow(random.choice(held), random.choice(held), 8080) for _ in range(count)]
        start = time.process_time()
        for flow in flows:
            verdict(self.book, flow)
        return (time.process_time() - start) / count


def best(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each."""
    found = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, run in ways.items():
            gc.collect()
            start = time.process_time()
            run()
            found[name] = min(found[name], time.process_time() - start)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=5000)
    parser.add_argument("--policies", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=int, default=300, help="verdicts of the naive form")
    given = parser.parse_args()
    cluster = Cluster(given.endpoints, given.policies)
    count = len(cluster.endpoints) * (len(cluster.endpoints) - 1)
    naive = cluster.sample(given.sample) * count
    found = best(cluster.ways(), given.rounds)
    classes = cluster.before.classes.inside.bit_count()
    print(f"{given.endpoints:,} endpoints in {classes:,} classes, {given.policies} policies, {count:,} pairs")
    print(f"{'':36}{'ms':>10}{'of a new start':>16}{'naive form':>20}")
    whole = found["every pair, from nothing"]
    for name, seconds in found.items():
        pairs = "every pair" in name
        share = f"{seconds / whole:.3f}" if pairs or "impact" in name else ""
        faster = f"{naive / seconds:,.0f} times" if pairs else ""
        print(f"{name:36}{seconds * 1000:10.1f}{share:>16}{faster:>20}")
    print(f"naive form: {naive / count * 1000:.2f} ms a verdict of {given.sample}, extrapolated to {naive:,.0f} s")
    missed = naive / whole < LEAST or found["impact of one policy"] > MOST * whole
    print(f"budgets: every pair ≥ {LEAST:,.0f} times as fast, impact of one policy ≤ {MOST} of a new start")
    sys.exit(missed)


if __name__ == "__main__":
    main()
