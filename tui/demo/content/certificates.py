"""cert-manager's kinds, on the clusters that take requests from outside: what fleet itself has no columns for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tui.demo.content.clusters import ClusterSpec

Obj = dict[str, Any]

GROUP = "cert-manager.io"
DAYS = 86400
_READY = '.status.conditions[?(@.type=="Ready")]'
_CERTIFICATES = (  # namespace, name, DNS name, days to its end, why it is not ready
    ("ingress", "gateway-tls", "{region}.harbour.example", 61, ""),
    ("ingress", "shop-tls", "shop.{region}.harbour.example", 23, ""),
    ("payments", "payments-tls", "pay.{region}.harbour.example", 5, "the order is pending: DNS-01 is not answered yet"),
)


def certificate_objects(spec: ClusterSpec, now: float) -> list[Obj]:
    """The definitions and the certificates of a cluster; [] where cert-manager is not installed."""
    if spec.env not in ("prod", "staging") or spec.host:
        return []
    issued = [
        _certificate(namespace, name, host.format(region=spec.region), now + days * DAYS, wrong * (spec.number == 13))
        for namespace, name, host, days, wrong in _CERTIFICATES
    ]
    return [
        _definition("clusterissuers", "ClusterIssuer", "ciss", "Cluster", (_READY_COLUMN, _STATUS, _AGE)),
        _definition("certificates", "Certificate", "cert certs", "Namespaced", _CERTIFICATE_COLUMNS),
        _issuer("letsencrypt"),
        *issued,
    ]


def _column(name: str, path: str, type_: str = "string", priority: int = 0) -> Obj:
    return {"name": name, "type": type_, "jsonPath": path} | ({"priority": priority} if priority else {})


_READY_COLUMN = _column("Ready", f"{_READY}.status")
_STATUS = _column("Status", f"{_READY}.message", priority=1)
_AGE = _column("Age", ".metadata.creationTimestamp", "date")
_CERTIFICATE_COLUMNS = (
    _READY_COLUMN,
    _column("Secret", ".spec.secretName"),
    _column("Issuer", ".spec.issuerRef.name", priority=1),
    _STATUS,
    _AGE,
)


def _definition(plural: str, kind: str, short: str, scope: str, columns: tuple[Obj, ...]) -> Obj:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": list(columns),
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "shortNames": short.split()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": scope, "names": names, "versions": [version]},
    }


def _condition(wrong: str, fine: str) -> list[Obj]:
    state = {"status": "False", "reason": "DoesNotExist"} if wrong else {"status": "True", "reason": "Ready"}
    return [{"type": "Ready", **state, "message": wrong or fine}]


def _issuer(name: str) -> Obj:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": name},
        "spec": {"acme": {"server": "https://acme.example/directory", "solvers": [{"dns01": {}}]}},
        "status": {"conditions": _condition("", "The ACME account was registered with the ACME server")},
    }


def _certificate(namespace: str, name: str, host: str, ends: float, wrong: str) -> Obj:
    status: Obj = {"conditions": _condition(wrong, "Certificate is up to date and has not expired")}
    if not wrong:
        status["notAfter"] = datetime.fromtimestamp(int(ends), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "gateway"}},
        "spec": {
            "secretName": name,
            "dnsNames": [host],
            "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"},
        },
        "status": status,
    }
