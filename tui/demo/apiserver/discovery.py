"""Discovery documents, legacy and aggregated: which groups, versions and resources this server has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from tui.demo.apiserver.resource import ResourceType

# Groups whose resources are only ever posted, and never stored.
REVIEWS: dict[str, tuple[tuple[str, str], ...]] = {
    "authentication.k8s.io": (("SelfSubjectReview", "selfsubjectreviews"),),
    "authorization.k8s.io": (
        ("SelfSubjectAccessReview", "selfsubjectaccessreviews"),
        ("SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    ),
}
SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "status": ("", "", "", ("get", "patch", "update")),
    "log": ("", "", "", ("get",)),
    "exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "proxy": ("", "", "", ("create", "delete", "get", "patch", "update")),
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"


def aggregated_version(accept: str) -> str:
    """ "v2" or "v2beta1" when an Accept header prefers aggregated discovery, else ""."""
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        values = dict(p.split("=", 1) for p in parameters if "=" in p)
        if media == "application/json" and not values.get("as"):
            return ""
        group = values.get("as") == "APIGroupDiscoveryList" and values.get("g") == "apidiscovery.k8s.io"
        if group and values.get("v") in ("v2", "v2beta1"):
            return values["v"]
    return ""


class Discovery:
    """The documents for one set of resources."""

    def __init__(self, resources: Iterable[ResourceType]) -> None:
        self.groups: dict[str, dict[str, list[ResourceType]]] = {}
        for resource in sorted(resources, key=lambda r: (r.group, r.version, r.plural)):
            self.groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
        for group in REVIEWS:
            self.groups.setdefault(group, {}).setdefault("v1", [])

    def api(self, address: str) -> dict[str, Any]:
        """GET /api of the server at an address."""
        servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": servers}

    def apis(self) -> dict[str, Any]:
        """GET /apis."""
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [self._group(g) for g in self.groups if g]}

    def group(self, group: str) -> dict[str, Any] | None:
        """GET /apis/<group>; None when there is no such group."""
        if not group or group not in self.groups:
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **self._group(group)}

    def version(self, group: str, version: str) -> dict[str, Any] | None:
        """GET /api/v1 or /apis/<group>/<version>; None when it is not served."""
        resources = self.groups.get(group, {}).get(version)
        if resources is None:
            return None
        rows: list[dict[str, Any]] = [
            {"name": plural, "singularName": kind.lower(), "namespaced": False, "kind": kind, "verbs": ["create"]}
            for kind, plural in REVIEWS.get(group, ())
        ]
        for resource in resources:
            rows.append(self._row(resource))
            rows.extend(self._subresource_row(resource, name) for name in resource.subresources)
        name = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": rows}

    def aggregated(self, core: bool, version: str) -> dict[str, Any]:
        """The aggregated document of /api (`core`) or of /apis."""
        items = [
            {
                "metadata": {"creationTimestamp": None} | ({"name": group} if group else {}),
                "versions": [
                    {"version": v, "resources": self._aggregated_rows(group, v, rows), "freshness": "Current"}
                    for v, rows in versions.items()
                ],
            }
            for group, versions in self.groups.items()
            if (group == "") == core
        ]
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{version}",
            "metadata": {},
            "items": items,
        }

    def _group(self, group: str) -> dict[str, Any]:
        versions = [{"groupVersion": f"{group}/{v}", "version": v} for v in self.groups[group]]
        return {"name": group, "versions": versions, "preferredVersion": versions[0]}

    @staticmethod
    def _row(resource: ResourceType) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": resource.plural,
            "singularName": resource.singular_name,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(resource.verbs),
        }
        if resource.short_names:
            row["shortNames"] = list(resource.short_names)
        if resource.categories:
            row["categories"] = list(resource.categories)
        row["storageVersionHash"] = hashlib.sha256(resource.name.encode()).hexdigest()[:11] + "="
        return row

    @staticmethod
    def _subresource_row(resource: ResourceType, name: str) -> dict[str, Any]:
        group, version, kind, verbs = SUBRESOURCE_KINDS.get(name, ("", "", "", ("get",)))
        row: dict[str, Any] = {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": kind or resource.kind,
            "verbs": list(verbs),
        }
        return row | ({"group": group, "version": version} if group else {})

    def _aggregated_rows(self, group: str, version: str, resources: list[ResourceType]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            {
                "resource": plural,
                "responseKind": {"group": group, "version": version, "kind": kind},
                "scope": "Cluster",
                "singularResource": kind.lower(),
                "verbs": ["create"],
            }
            for kind, plural in REVIEWS.get(group, ())
        ]
        for resource in resources:
            row: dict[str, Any] = {
                "resource": resource.plural,
                "responseKind": {"group": group, "version": version, "kind": resource.kind},
                "scope": "Namespaced" if resource.namespaced else "Cluster",
                "singularResource": resource.singular_name,
                "verbs": list(resource.verbs),
            }
            if resource.short_names:
                row["shortNames"] = list(resource.short_names)
            if resource.categories:
                row["categories"] = list(resource.categories)
            if resource.subresources:
                row["subresources"] = [self._aggregated_subresource(resource, name) for name in resource.subresources]
            rows.append(row)
        return rows

    @staticmethod
    def _aggregated_subresource(resource: ResourceType, name: str) -> dict[str, Any]:
        group, version, kind, verbs = SUBRESOURCE_KINDS.get(name, ("", "", "", ("get",)))
        kind_of = {
            "group": group or resource.group,
            "version": version or resource.version,
            "kind": kind or resource.kind,
        }
        return {"subresource": name, "responseKind": kind_of, "verbs": list(verbs)}


def encoded(document: dict[str, Any]) -> bytes:
    """A document as JSON bytes."""
    return msgspec.json.encode(document)
