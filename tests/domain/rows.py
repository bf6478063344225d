"""Rows of a store from plain manifests, as the reading side would make them."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.domain.cluster import CLUSTERS, Cluster, ClusterState, KindState, KindStatus
from tui.domain.kinds import KINDS
from tui.domain.obj import Meta, Ref, Row
from tui.store import Store


def row(cluster: str, resource: str, manifest: dict[str, Any]) -> Row:
    """The row of one object."""
    data = msgspec.json.encode(manifest)
    record = msgspec.json.decode(data, type=KINDS[resource].record)
    return Row(Ref(cluster, resource, record.metadata.namespace, record.metadata.name), record, data)


def cluster(name: str, listed: tuple[str, ...] = (), **fields: Any) -> Row:
    """The row of a live cluster in which these resources have been listed."""
    kinds = {resource: KindStatus(KindState.LIVE) for resource in listed}
    record = Cluster(Meta(name=name), state=ClusterState.LIVE, contexts=(name,), kinds=kinds, **fields)
    return Row(Ref(name, CLUSTERS, "", name), record)


def store(*rows: Row) -> Store:
    """A store that holds these rows."""
    made = Store()
    made.apply(rows)
    return made


def meta(name: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    """Metadata with a uid of its own."""
    return {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}", **more}


def owned(name: str, kind: str, owner: str, namespace: str = "shop") -> dict[str, Any]:
    """Metadata of an object with a controller."""
    owners = [{"uid": f"{namespace}/{owner}", "kind": kind, "name": owner, "controller": True, "apiVersion": "v1"}]
    return meta(name, namespace, ownerReferences=owners)
