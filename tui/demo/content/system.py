"""What clusters hold that no Application declares: DNS, Argo CD itself, the virtual cluster's host."""

from __future__ import annotations

import base64
import json
from typing import Any

from tui.demo.content.clusters import VIRTUAL_NAME, VIRTUAL_NAMESPACE, ClusterSpec

Obj = dict[str, Any]

ARGOCD_VERSION = "v3.5.1"


def workload(kind: str, namespace: str, name: str, image: str, replicas: int = 1, **more: Any) -> Obj:
    """A plain workload; `labels` go to the object and its pods, `host` puts it on the node's network."""
    labels = more.get("labels") or {"app.kubernetes.io/name": name}
    port = more.get("port")
    container: Obj = {"name": more.get("container", name), "image": image}
    if port:
        container["ports"] = [{"name": more.get("port_name", "http"), "containerPort": port}]
    container["resources"] = {"requests": {"cpu": "50m", "memory": more.get("memory", "64Mi")}}
    pod: Obj = {"serviceAccountName": more.get("account", name), "containers": [container]}
    if more.get("host"):
        pod |= {
            "hostNetwork": True,
            "tolerations": [{"operator": "Exists"}],
            "priorityClassName": "system-node-critical",
        }
    spec: Obj = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels, **(more.get("own") or {})}},
        "spec": spec,
    }


def config_map(namespace: str, name: str, data: dict[str, str], labels: dict[str, str] | None = None) -> Obj:
    """A ConfigMap."""
    meta: Obj = {"name": name, "namespace": namespace}
    if labels:
        meta["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def service(namespace: str, name: str, selector: dict[str, str], port: int, port_name: str = "http") -> Obj:
    """A Service with one port."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": selector},
        "spec": {
            "selector": selector,
            "ports": [{"name": port_name, "port": port, "protocol": "TCP", "targetPort": port}],
        },
    }


def dns_objects() -> list[Obj]:
    """The cluster's DNS."""
    labels = {"k8s-app": "kube-dns"}
    ports = (("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP"))
    deployment = workload(
        "Deployment", "kube-system", "coredns", "registry.harbour.example/k8s/coredns:v1.12.1", 2, labels=labels
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["ports"] = [{"name": name, "containerPort": port, "protocol": protocol} for name, port, protocol in ports]
    front = service("kube-system", "kube-dns", labels, 53, "dns")
    front["spec"]["ports"] = [
        {"name": name, "port": port, "protocol": protocol, "targetPort": port} for name, port, protocol in ports
    ]
    return [deployment, front]


def argocd_objects() -> list[Obj]:
    """Argo CD on the hub."""
    image = f"registry.harbour.example/argoproj/argocd:{ARGOCD_VERSION}"
    part = {"app.kubernetes.io/part-of": "argocd"}
    rows = (
        ("StatefulSet", "argocd-application-controller", 1),
        ("Deployment", "argocd-applicationset-controller", 1),
        ("Deployment", "argocd-repo-server", 2),
        ("Deployment", "argocd-server", 2),
        ("Deployment", "argocd-redis", 1),
        ("Deployment", "argocd-notifications-controller", 1),
    )
    objects = [workload(kind, "argocd", name, image, count, own=part, memory="256Mi") for kind, name, count in rows]
    return [
        *objects,
        service("argocd", "argocd-server", {"app.kubernetes.io/name": "argocd-server"}, 443, "https"),
        config_map(
            "argocd",
            "argocd-cm",
            {
                "application.resourceTrackingMethod": "annotation",
                "timeout.reconciliation": "120s",
                "url": "https://argo.harbour.example",
            },
            part,
        ),
        config_map("argocd", "argocd-cmd-params-cm", {"controller.diff.server.side": "false"}, part),
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": "argocd"},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"namespace": "*", "server": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        },
    ]


def cluster_secret(spec: ClusterSpec, server: str, ca: bytes) -> Obj:
    """The Secret by which Argo CD knows a cluster; `server` is its URL. The token in it opens nothing."""
    host = server.removeprefix("https://").split("/")[0].split(":")[0]
    config = {
        "bearerToken": f"argocd-manager-{spec.name}",
        "tlsClientConfig": {"caData": base64.b64encode(ca).decode()},
    }
    data = {"name": spec.name, "server": server, "config": json.dumps(config)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"cluster-{host}-{fnv32(server)}",
            "namespace": "argocd",
            "labels": {
                "argocd.argoproj.io/secret-type": "cluster",
                "harbour.example/env": spec.env,
                "harbour.example/region": spec.region,
                **{f"harbour.example/{key}": value for key, value in spec.labels},
            },
            "annotations": {"managed-by": "argocd.argoproj.io"},
        },
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def fnv32(text: str) -> int:
    """FNV-1a, 32 bits: how Argo CD names the Secret of a cluster (`util/db/secrets.go URIToSecretName`)."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def virtual_host_objects() -> list[Obj]:
    """The host side of the virtual cluster."""
    labels = {"app": "vcluster", "release": VIRTUAL_NAME}
    image = "registry.harbour.example/vcluster/vcluster:0.30.0"
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": VIRTUAL_NAMESPACE, "labels": {"harbour.example/team": "web"}},
        },
        workload(
            "StatefulSet",
            VIRTUAL_NAMESPACE,
            VIRTUAL_NAME,
            image,
            labels=labels,
            container="syncer",
            port=8443,
            port_name="https",
            memory="256Mi",
        ),
        service(VIRTUAL_NAMESPACE, VIRTUAL_NAME, labels, 8443, "https"),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"vc-config-{VIRTUAL_NAME}", "namespace": VIRTUAL_NAMESPACE, "labels": labels},
            "type": "Opaque",
            "data": {"config.yaml": base64.b64encode(b"sync:\n  toHost:\n    pods:\n      enabled: true\n").decode()},
        },
    ]
