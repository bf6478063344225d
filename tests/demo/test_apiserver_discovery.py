"""Discovery and OpenAPI: the same resources in every form, and changes of them seen at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.conftest import Fetch
from tests.support import Factory, thing
from tui.demo.apiserver.crds import definition_of
from tui.demo.apiserver.discovery import AGGREGATED
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.resources import BUILTIN, builtin

V2 = AGGREGATED.format("v2")
V2BETA1 = AGGREGATED.format("v2beta1")

Row = tuple[str, str, str, str, bool, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


async def legacy(fetch: Fetch, server: Any) -> dict[str, Row]:
    """All resources, by following the documents one by one."""
    assert (await fetch(server, "/api")).json["versions"] == ["v1"]
    documents = [(await fetch(server, "/api/v1")).json]
    for group in (await fetch(server, "/apis")).json["groups"]:
        single = (await fetch(server, f"/apis/{group['name']}")).json
        assert single["versions"] == group["versions"]
        for version in group["versions"]:
            documents.append((await fetch(server, f"/apis/{version['groupVersion']}")).json)
    rows = {}
    for document in documents:
        group, _, version = document["groupVersion"].rpartition("/")
        plain = [row for row in document["resources"] if "/" not in row["name"]]
        for row in plain:
            below = [r["name"] for r in document["resources"] if r["name"].startswith(row["name"] + "/")]
            rows[f"{row['name']}.{group}"] = (
                group,
                version,
                row["kind"],
                row["singularName"],
                row["namespaced"],
                tuple(row["verbs"]),
                tuple(row.get("shortNames", ())) + tuple(row.get("categories", ())),
                tuple(name.partition("/")[2] for name in below),
            )
    return rows


async def aggregated(fetch: Fetch, server: Any, accept: str) -> dict[str, Row]:
    rows = {}
    for path in ("/api", "/apis"):
        answer = await fetch(server, path, accept=accept + ",application/json")
        assert answer.headers["Content-Type"] == accept
        for group in answer.json["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                for row in version["resources"]:
                    rows[f"{row['resource']}.{name}"] = (
                        name,
                        version["version"],
                        row["responseKind"]["kind"],
                        row["singularResource"],
                        row["scope"] == "Namespaced",
                        tuple(row["verbs"]),
                        tuple(row.get("shortNames", ())) + tuple(row.get("categories", ())),
                        tuple(sub["subresource"] for sub in row.get("subresources", ())),
                    )
    return rows


async def test_legacy_and_aggregated_discovery_say_the_same(api_server: Factory, fetch: Fetch):
    server = await api_server()
    rows = await legacy(fetch, server)
    assert {f"{r.plural}.{r.group}" for r in BUILTIN} <= set(rows)
    assert rows["pods."][2:5] == ("Pod", "pod", True)
    assert rows["selfsubjectaccessreviews.authorization.k8s.io"][5] == ("create",)
    assert await aggregated(fetch, server, V2) == rows
    assert await aggregated(fetch, server, V2BETA1) == rows


async def test_plain_json_gets_the_legacy_documents(api_server: Factory, fetch: Fetch):
    server = await api_server()
    for accept in ("", "application/json", "application/json," + V2, V2.replace("v=v2", "v=v9")):
        answer = await fetch(server, "/apis", accept=accept)
        assert answer.json["kind"] == "APIGroupList"


async def test_a_cluster_may_lack_what_is_not_installed(api_server: Factory, fetch: Fetch):
    server = await api_server(resources=builtin("cilium.io"))
    groups = [group["name"] for group in (await fetch(server, "/apis")).json["groups"]]
    assert "cilium.io" in groups
    assert "argoproj.io" not in groups
    assert (await fetch(server, "/apis/argoproj.io/v1alpha1/applications")).status == 404


async def test_a_new_definition_is_discovered_and_served_with_its_columns(api_server: Factory, fetch: Fetch):
    server = await api_server()
    before = (await fetch(server, "/apis")).json
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    kind = ResourceType("example.org", "v1", "gadgets", "Gadget", schema=schema, custom=True)
    definition = definition_of(kind)
    definition["spec"]["versions"][0]["additionalPrinterColumns"] = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "First", "type": "string", "jsonPath": ".spec.list[0].name", "priority": 1},
        {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    server.storage.create(definition)
    after = (await fetch(server, "/apis")).json
    assert len(after["groups"]) == len(before["groups"]) + 1
    status = {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}
    server.storage.create(thing("Gadget", "g", "shop", "example.org/v1", spec={"size": 3}, status=status))
    table = (
        await fetch(server, "/apis/example.org/v1/gadgets", accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    ).json
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Size", "Ready", "First", "Since"]
    assert table["rows"][0]["cells"][:4] == ["g", 3, "True", None]
    assert table["rows"][0]["cells"][4].endswith("s")
    schemas = (await fetch(server, "/openapi/v3/apis/example.org/v1")).json["components"]["schemas"]
    gadget = schemas["org.example.v1.Gadget"]
    assert gadget["properties"]["spec"] == schema["properties"]["spec"]
    assert gadget["x-kubernetes-group-version-kind"] == [{"group": "example.org", "version": "v1", "kind": "Gadget"}]


async def test_openapi_v3_index_leads_to_documents_with_resolvable_references(api_server: Factory, fetch: Fetch):
    server = await api_server()
    paths = (await fetch(server, "/openapi/v3")).json["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/argoproj.io/v1alpha1"} <= set(paths)
    for entry in paths.values():
        document = (await fetch(server, entry["serverRelativeURL"])).json
        schemas = document["components"]["schemas"]

        def references(value: Any) -> list[str]:
            if isinstance(value, dict):
                own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
                return own + [ref for child in value.values() for ref in references(child)]
            return [ref for child in value for ref in references(child)] if isinstance(value, list) else []

        for reference in references(document):
            assert reference.removeprefix("#/components/schemas/") in schemas
        kinds = {gvk["kind"] for s in schemas.values() for gvk in s.get("x-kubernetes-group-version-kind", ())}
        for path in document["paths"].values():
            assert path["get"]["x-kubernetes-group-version-kind"]["kind"] in kinds
    assert (await fetch(server, "/openapi/v3/apis/nope/v1")).status == 404


async def test_openapi_v2_is_json_only(api_server: Factory, fetch: Fetch):
    server = await api_server()
    document = (await fetch(server, "/openapi/v2")).json
    assert document["swagger"] == "2.0"
    assert "io.k8s.api.core.v1.Pod" in document["definitions"]
    protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert (await fetch(server, "/openapi/v2", accept=protobuf)).status == 406


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/etcd"])
async def test_health(api_server: Factory, fetch: Fetch, path: str):
    server = await api_server()
    answer = await fetch(server, path)
    assert (answer.status, answer.body) == (200, b"ok")


async def test_version(api_server: Factory, fetch: Fetch):
    server = await api_server(version="v1.29.8")
    facts = (await fetch(server, "/version")).json
    assert (facts["gitVersion"], facts["major"], facts["minor"]) == ("v1.29.8", "1", "29")
