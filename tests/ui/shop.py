"""A small fleet as it stood at one moment: clusters, Applications, policies and workloads of a shop, held still."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.domain import when
from tui.domain.cilium.hubble.observed import Lost, Observed, Party, Record, Told
from tui.domain.cilium.model import Request
from tui.domain.cluster import CLUSTERS, Cluster, ClusterState, KindState, KindStatus
from tui.domain.kinds import KINDS
from tui.domain.kinds.core import Event
from tui.domain.kinds.fleet import DRAFTS_RESOURCE, DraftRecord
from tui.domain.kinds.kind import Tone
from tui.domain.kinds.single import SINGLE
from tui.domain.obj import Meta, Ref, Row
from tui.domain.ports import CommitInfo
from tui.domain.pulse import Pulse
from tui.domain.tail import Tail, TailEvent
from tui.store import Store

NOW = when.seconds("2026-11-22T09:00:00Z") or 0.0
HUB = "hub-eu"
SHA = "3f2a9c1d5e8b47a06c9d2e1f00aa11bb22cc33dd"
OLDER = "91be04d7c2f3a5b6d8e9f0a1b2c3d4e5f6a7b8c9"
REPO = "https://git.example.test/shop/deploy.git"

COMMITS = {
    SHA: CommitInfo(SHA, "Raise the limits of checkout", "Mira Lind", NOW - 6_000),
    OLDER: CommitInfo(OLDER, "Pin images by digest", "Sam Okafor", NOW - 90_000),
}

# name, groups, state, reason, version, hub
FLEET = (
    (HUB, ("platform",), ClusterState.LIVE, "", "v1.33.2", True),
    ("prod-eu", ("prod",), ClusterState.LIVE, "", "v1.33.2", False),
    ("prod-us", ("prod",), ClusterState.LIVE, "", "v1.32.6", False),
    ("prod-eu-tenant", ("prod",), ClusterState.LIVE, "", "v1.33.0", False),
    ("staging-eu", ("staging",), ClusterState.LIVE, "", "v1.33.2", False),
    ("dev-1", ("dev",), ClusterState.STALE, "connection reset by peer", "v1.34.0", False),
    ("edge-kiosk-7", ("edge",), ClusterState.UNREACHABLE, "connection refused", "", False),
    ("edge-kiosk-9", ("edge",), ClusterState.LIVE, "", "v1.31.9", False),
)

# name, project, destination, namespace, sync, health, path, auto-sync, condition
APPLICATIONS: tuple[tuple[str, str, str, str, str, str, str, bool, str], ...] = (
    ("fleet-of-apps", "default", HUB, "argocd", "Synced", "Healthy", "apps", True, ""),
    ("storefront-prod-eu", "shop", "prod-eu", "storefront", "Synced", "Healthy", "shop/storefront/prod-eu", True, ""),
    (
        "storefront-prod-us",
        "shop",
        "prod-us",
        "storefront",
        "Synced",
        "Progressing",
        "shop/storefront/prod-us",
        True,
        "",
    ),
    ("checkout-prod-eu", "shop", "prod-eu", "checkout", "OutOfSync", "Healthy", "shop/checkout/prod-eu", False, ""),
    ("checkout-prod-us", "shop", "prod-us", "checkout", "Synced", "Healthy", "shop/checkout/prod-us", True, ""),
    ("payments-prod-eu", "payments", "prod-eu", "payments", "Synced", "Degraded", "payments/prod-eu", True, ""),
    (
        "payments-prod-us",
        "payments",
        "prod-us",
        "payments",
        "OutOfSync",
        "Missing",
        "payments/prod-us",
        True,
        "SyncError: Failed last sync attempt to [3f2a9c1]: one or more objects failed to apply",
    ),
    ("search-staging", "shop", "staging-eu", "search", "Synced", "Healthy", "shop/search/staging", True, ""),
    ("reports-nightly", "data", "staging-eu", "reports", "Synced", "Suspended", "data/reports", True, ""),
    (
        "catalogue-dev",
        "shop",
        "dev-1",
        "catalogue",
        "Unknown",
        "Unknown",
        "shop/catalogue/dev",
        True,
        "ComparisonError: Failed to load target state: path shop/catalogue/dev does not exist",
    ),
    ("kiosk-edge-7", "edge", "edge-kiosk-7", "kiosk", "Unknown", "Unknown", "edge/kiosk-7", True, ""),
    ("kiosk-edge-9", "edge", "edge-kiosk-9", "kiosk", "Synced", "Healthy", "edge/kiosk-9", True, ""),
)


def row(cluster: str, resource: str, manifest: dict[str, Any]) -> Row:
    """A manifest as the store holds it."""
    kind = KINDS[resource]
    data = msgspec.json.encode(manifest)
    meta = manifest["metadata"]
    ref = Ref(cluster, resource, meta.get("namespace", ""), meta["name"])
    return Row(ref, msgspec.json.decode(data, type=kind.record), packed=data)


def meta(name: str, namespace: str = "", age: float = 86_400 * 40, **more: Any) -> dict[str, Any]:
    """Metadata of an object created `age` seconds before NOW."""
    made: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{namespace}-{name}",
        "resourceVersion": "100",
        "creationTimestamp": when.rfc3339(NOW - age),
        **more,
    }
    if namespace:
        made["namespace"] = namespace
    return made


def clusters() -> list[Row]:
    """The cluster rows."""
    made = []
    for name, groups, state, reason, version, hub in FLEET:
        live = state is ClusterState.LIVE
        status = KindStatus(KindState.LIVE if live else KindState.FAILED, reason, 10, NOW - 2)
        record = Cluster(
            metadata=Meta(name=name, creation_timestamp=""),
            state=state,
            reason=reason,
            since=NOW - (3_600 if live else 300),
            retry_at=0.0 if live else NOW + 20,
            heard=0.0 if state is ClusterState.UNREACHABLE else NOW - (2 if live else 300),
            version=version,
            uid=f"uid-{name}",
            server=f"https://{name}.example.test:6443",
            contexts=(name,),
            groups=groups,
            hub=hub,
            host="prod-eu" if name == "prod-eu-tenant" else "",
            kinds={resource: status for resource in KINDS | SINGLE},
        )
        made.append(Row(Ref(name, CLUSTERS, "", name), record))
    return made


def pulses(store: Store) -> tuple[Pulse, ...]:
    """What is counted of the clusters that are held."""
    made = []
    for at, row in enumerate(sorted(store.rows(CLUSTERS), key=lambda row: row.ref.name)):
        cluster, live = row.obj, row.obj.state is ClusterState.LIVE
        made.append(
            Pulse(
                cluster=row.ref.name,
                server=cluster.server,
                state=cluster.state,
                reason=cluster.reason,
                since=cluster.since,
                heard=cluster.heard,
                retry_at=cluster.retry_at,
                hub=cluster.hub,
                objects=1_200 + 37 * at if cluster.heard else 0,
                kinds=20,
                watches=20 if live else 0,
                requests=62 + at,
                errors=0 if live else 11,
                received=3_400_000 + 250_000 * at if cluster.heard else 0,
                latency=0.013 + at / 500 if cluster.heard else 0.0,
                typical=0.011 + at / 900 if cluster.heard else 0.0,
                reconnects=at % 2,
            )
        )
    return tuple(made)


def application(
    name: str,
    project: str,
    destination: str,
    namespace: str,
    sync: str,
    health: str,
    path: str,
    auto: bool,
    condition: str,
) -> dict[str, Any]:
    """An Application as Argo CD writes it."""
    kind, _, message = condition.partition(": ")
    revision = OLDER if sync == "OutOfSync" else SHA
    resources = [
        {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": namespace,
            "name": namespace,
            "status": sync,
        },
        {"version": "v1", "kind": "Service", "namespace": namespace, "name": namespace, "status": "Synced"},
        {
            "version": "v1",
            "kind": "ConfigMap",
            "namespace": namespace,
            "name": f"{namespace}-settings",
            "status": "Synced",
        },
    ]
    source = {"repoURL": REPO, "path": path, "targetRevision": "main"}
    failed = kind == "SyncError"
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": meta(name, "argocd", 86_400 * 90),
        "spec": {
            "project": project,
            "source": source,
            "destination": {"name": destination, "namespace": namespace},
            **({"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}} if auto else {}),
        },
        "status": {
            "sync": {"status": sync, "revision": SHA},
            "health": {"status": health, "lastTransitionTime": when.rfc3339(NOW - 1_800)},
            "reconciledAt": when.rfc3339(NOW - 45),
            "resources": resources,
            "summary": {"images": [f"registry.example.test/shop/{namespace}:1.14.2"]},
            "operationState": {
                "phase": "Failed" if failed else "Succeeded",
                "message": message if failed else "successfully synced (all tasks run)",
                "startedAt": when.rfc3339(NOW - 5_400),
                "finishedAt": when.rfc3339(NOW - 5_380),
                "operation": {"initiatedBy": {"automated": True}, "sync": {"revision": revision}},
                "syncResult": {
                    "revision": revision,
                    "source": source,
                    "resources": [
                        {
                            **{key: value for key, value in resource.items() if key != "status"},
                            "status": "SyncFailed" if failed and resource["kind"] == "Deployment" else "Synced",
                            "message": f"{resource['kind'].lower()}/{resource['name']} configured",
                            "hookPhase": "Running",
                            "syncPhase": "Sync",
                        }
                        for resource in resources
                    ],
                },
            },
            "history": [
                {
                    "id": number,
                    "revision": revision if number == 3 else OLDER,
                    "source": source,
                    "deployStartedAt": when.rfc3339(NOW - 5_400 - 86_400 * (3 - number)),
                    "deployedAt": when.rfc3339(NOW - 5_380 - 86_400 * (3 - number)),
                    "initiatedBy": {"username": "mira"} if number == 2 else {"automated": True},
                }
                for number in (1, 2, 3)
            ],
            "conditions": [{"type": kind, "message": message, "lastTransitionTime": when.rfc3339(NOW - 900)}]
            if condition
            else [],
        },
    }


def workloads(cluster: str, namespace: str, app: str) -> list[Row]:
    """A Deployment with its pods and Service, in its namespace."""
    labels = {"app": namespace}
    tracking = {"argocd.argoproj.io/tracking-id": f"{app}:apps/Deployment:{namespace}/{namespace}"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(namespace, namespace, labels=labels, annotations=tracking),
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}},
        "status": {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
    }
    replicas = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta(
            f"{namespace}-6d4f",
            namespace,
            labels=labels,
            ownerReferences=[
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": namespace,
                    "uid": f"uid-{namespace}-{namespace}",
                    "controller": True,
                }
            ],
        ),
        "spec": {"replicas": 2},
        "status": {"replicas": 2, "readyReplicas": 2},
    }
    made = [
        row(cluster, "namespaces", {"kind": "Namespace", "metadata": meta(namespace), "status": {"phase": "Active"}}),
        row(cluster, "deployments.apps", deployment),
        row(cluster, "replicasets.apps", replicas),
        row(
            cluster,
            "services",
            {
                "kind": "Service",
                "metadata": meta(namespace, namespace, labels=labels),
                "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.12", "ports": [{"port": 80, "protocol": "TCP"}]},
            },
        ),
    ]
    for suffix, crash in (("x7k2p", False), ("z9q4m", namespace == "payments")):
        state = (
            {"waiting": {"reason": "CrashLoopBackOff"}}
            if crash
            else {"running": {"startedAt": when.rfc3339(NOW - 9_000)}}
        )
        pod = {
            "kind": "Pod",
            "metadata": meta(
                f"{namespace}-6d4f-{suffix}",
                namespace,
                9_000,
                labels=labels,
                ownerReferences=[
                    {
                        "apiVersion": "apps/v1",
                        "kind": "ReplicaSet",
                        "name": f"{namespace}-6d4f",
                        "uid": f"uid-{namespace}-{namespace}-6d4f",
                        "controller": True,
                    }
                ],
            ),
            "spec": {"nodeName": f"{cluster}-node-1", "containers": [{"name": "main", "image": f"{namespace}:1.14.2"}]},
            "status": {
                "phase": "Running",
                "podIP": "10.1.0.7",
                "containerStatuses": [
                    {
                        "name": "main",
                        "ready": not crash,
                        "restartCount": 17 if crash else 0,
                        "state": state,
                        "image": "x",
                    }
                ],
            },
        }
        made.append(row(cluster, "pods", pod))
    return made


def policies(cluster: str, namespace: str, valid: bool = True) -> list[Row]:
    """One Cilium and one Kubernetes policy of a namespace, with an endpoint that they select."""
    labels = {"app": namespace}
    conditions = [{"type": "Valid", "status": "True" if valid else "False", "message": "" if valid else "Invalid CIDR"}]
    cilium = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": meta(f"{namespace}-ingress", namespace),
        "spec": {
            "endpointSelector": {"matchLabels": labels},
            "ingress": [
                {
                    "fromEndpoints": [{"matchLabels": {"app": "storefront"}}],
                    "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}],
                }
            ],
        },
        "status": {"conditions": conditions},
    }
    plain = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta(f"{namespace}-default-deny", namespace),
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    return [
        row(cluster, "ciliumnetworkpolicies.cilium.io", cilium),
        row(cluster, "networkpolicies.networking.k8s.io", plain),
    ]


def nodes(cluster: str) -> list[Row]:
    """Three nodes, one of them not ready where things are wrong."""
    return [
        row(
            cluster,
            "nodes",
            {
                "kind": "Node",
                "metadata": meta(f"{cluster}-node-{number}", labels={"node-role.kubernetes.io/worker": ""}),
                "spec": {},
                "status": {
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "nodeInfo": {"kubeletVersion": "v1.33.2", "osImage": "Talos", "kernelVersion": "6.12.1"},
                    "addresses": [{"type": "InternalIP", "address": f"10.0.1.{number}"}],
                },
            },
        )
        for number in (1, 2, 3)
    ]


def drafts() -> list[Row]:
    """Three drafts: being edited, arriving, in conflict."""
    made = []
    for name, title, state, detail, commits, waiting, files, applications in (
        (
            "edit-checkout",
            "Edit checkout",
            "local",
            "1 edit not committed",
            1,
            1,
            ("shop/checkout/prod-eu/deployment.yaml",),
            ("checkout-prod-eu",),
        ),
        (
            "raise-replicas",
            "Raise replicas for the sale",
            "arriving 2/3",
            "",
            2,
            0,
            ("shop/storefront/prod-eu/deployment.yaml", "shop/storefront/prod-us/deployment.yaml"),
            ("storefront-prod-eu", "storefront-prod-us"),
        ),
        (
            "new-limits",
            "New limits",
            "conflict",
            "main changed the same lines",
            1,
            0,
            ("payments/prod-eu/deployment.yaml",),
            ("payments-prod-eu",),
        ),
    ):
        record = DraftRecord(
            metadata=Meta(name=name, uid=f"uid-{name}", creation_timestamp=when.rfc3339(NOW - 7_200 * (len(made) + 1))),
            title=title,
            state=state,
            detail=detail,
            target="main",
            commits=commits,
            files=files,
            applications=applications,
            base=SHA,
            repository=REPO,
            open_changes=waiting,
        )
        made.append(Row(Ref("", DRAFTS_RESOURCE, "", name), record))
    return made


def happened(ref: Ref) -> list[Event]:
    """The Kubernetes Events about an object, newest first."""
    if ref.name != "payments-6d4f-z9q4m":
        return []
    made = []
    for number, (age, type, reason, message, count) in enumerate(
        (
            (40, "Warning", "BackOff", "Back-off restarting failed container main in pod payments-6d4f-z9q4m", 211),
            (2_700, "Normal", "Pulled", 'Container image "payments:1.14.2" already present on machine', 17),
            (9_000, "Normal", "Scheduled", "Successfully assigned payments/payments-6d4f-z9q4m to prod-eu-node-1", 1),
        )
    ):
        event = {
            "metadata": meta(f"{ref.name}.{number}", ref.namespace, age),
            "involvedObject": {"kind": "Pod", "namespace": ref.namespace, "name": ref.name},
            "type": type,
            "reason": reason,
            "message": message,
            "count": count,
            "lastTimestamp": when.rfc3339(NOW - age),
            "source": {"component": "default-scheduler" if reason == "Scheduled" else "kubelet"},
        }
        made.append(msgspec.convert(event, Event))
    return made


def flows() -> list[Record]:
    """What the agents of prod-eu have told in the last minutes."""

    def end(app: str, pod: str) -> Party:
        labels = (
            f"k8s:app={app}",
            "k8s:io.cilium.k8s.policy.cluster=prod-eu",
            f"k8s:io.kubernetes.pod.namespace={app}",
        )
        return Party(app, f"{app}-6d4f-{pod}", app, "Deployment", labels, "10.1.0.7", "prod-eu", 4000)

    checkout, payments = end("checkout", "x7k2p"), end("payments", "z9q4m")
    bank = Party(labels=("reserved:world",), ip="203.0.113.9", identity=2, names=("api.bank.example",))
    made: list[Record] = [Lost(NOW - 240, 42, "HUBBLE_RING_BUFFER", "prod-eu/prod-eu-node-1")]
    for age, verdict, source, destination, way, port, more in (
        (
            200,
            "FORWARDED",
            checkout,
            payments,
            "egress",
            8080,
            {"told": (Told("egress", True, "CNP", "checkout", "checkout"),)},
        ),
        (
            199,
            "REDIRECTED",
            checkout,
            payments,
            "ingress",
            8080,
            {"told": (Told("ingress", True, "CNP", "payments", "payments"),)},
        ),
        (
            198,
            "DROPPED",
            checkout,
            payments,
            "ingress",
            8080,
            {"event": 129, "layer7": "GET /pay", "request": Request("GET", "/pay", "payments")},
        ),
        (197, "FORWARDED", payments, checkout, "egress", 40100, {"reply": True, "source_port": 8080}),
        (120, "FORWARDED", payments, bank, "egress", 443, {}),
        (90, "DROPPED", checkout, payments, "ingress", 9090, {"reason": "POLICY_DENIED", "event": 1}),
        (
            60,
            "DROPPED",
            Party(labels=("reserved:world",), ip="198.51.100.7"),
            payments,
            "ingress",
            8443,
            {"reason": "POLICY_DENY", "event": 1, "told": (Told("ingress", False, "CNP", "payments", "payments"),)},
        ),
        (30, "AUDIT", checkout, Party(labels=("reserved:host",), ip="10.0.1.1"), "egress", 22, {}),
    ):
        given: dict[str, Any] = {"direction": way, "protocol": "TCP", "port": port, "reply": False, **more}
        made.append(Observed(NOW - age, verdict, source, destination, node="prod-eu/prod-eu-node-1", **given))
    return made


def fill(store: Store) -> None:
    """Put the whole shop into a store."""
    rows = [*clusters(), *drafts()]
    for each in APPLICATIONS:
        rows.append(row(HUB, "applications.argoproj.io", application(*each)))
        if each[2] not in (HUB, "edge-kiosk-7"):
            rows += workloads(each[2], each[3], each[0])
            rows += policies(each[2], each[3], valid=each[3] != "payments")
    for name, _, state, *_ in FLEET:
        if state is ClusterState.LIVE:
            rows += nodes(name)
    store.apply(rows)


def tell(tail: Tail) -> None:
    """A quarter of an hour of the tail."""
    app = Ref(HUB, "applications.argoproj.io", "argocd", "payments-prod-us")
    for before, cluster, name, reason, message, actor, tone in (
        (900, "prod-eu", "storefront-prod-eu", "OperationStarted", "sync requested", "auto-sync", Tone.BUSY),
        (
            880,
            "prod-eu",
            "storefront-prod-eu",
            "Succeeded",
            "successfully synced (all tasks run)",
            "auto-sync",
            Tone.GOOD,
        ),
        (879, "prod-eu", "storefront-prod-eu", "Deployed", "deployed main", "", Tone.GOOD),
        (600, "prod-us", "payments-prod-us", "OperationStarted", "sync requested", "mira", Tone.BUSY),
        (590, "prod-us", "payments-prod-us", "Failed", "one or more objects failed to apply", "mira", Tone.BAD),
        (300, "dev-1", "", "Stale", "connection reset by peer", "", Tone.WARN),
        (120, "prod-eu", "payments-prod-eu", "Degraded", "Healthy -> Degraded", "", Tone.BAD),
        (30, "prod-us", "storefront-prod-us", "Progressing", "Healthy -> Progressing", "", Tone.BUSY),
    ):
        tail.add(
            TailEvent(
                time=NOW - before,
                cluster=cluster,
                application=f"argocd/{name}" if name else "",
                reason=reason,
                message=message,
                revision=SHA if name else "",
                actor=actor,
                tone=tone,
                ref=Ref(HUB, app.resource, "argocd", name) if name else None,
                key=f"{name}{reason}",
            )
        )
