"""Get, list and watch of stored objects."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from tui.demo.apiserver import answer
from tui.demo.apiserver.access import User
from tui.demo.apiserver.faults import Action, Fault
from tui.demo.apiserver.options import Continue, ListOptions, Target, list_options
from tui.demo.apiserver.render import OBJECT, Renderer, negotiate
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.selectors import Selector
from tui.demo.apiserver.spoiled import spoil, through
from tui.demo.apiserver.status import ApiError, expired_continue, expired_version, no_such_path, too_large_version
from tui.demo.apiserver.storage import Page
from tui.demo.apiserver.watching import Watch

if TYPE_CHECKING:
    from tui.demo.apiserver.server import ApiServer

WATCH_SECONDS = 1800.0  # a watch without timeoutSeconds ends after this


async def read(
    server: ApiServer, request: web.BaseRequest, user: User, resource: ResourceType, target: Target, fault: Fault | None
) -> web.StreamResponse:
    """Answer a GET or HEAD of a resource, an object, or its status or scale."""
    if resource.namespaced and target.name and target.namespace is None:
        raise no_such_path()
    if not resource.namespaced and target.namespace is not None:
        raise no_such_path()
    if target.name:
        return await _get(server, request, user, resource, target, fault)
    options = list_options(request.query, server.watch_list)
    verb = "watch" if options.watch else "list"
    server.access.check(user, verb, resource, target.namespace or "")
    if options.watch and request.method == "GET":
        return await _watch(server, request, resource, target.namespace, options, fault)
    return await _list(server, request, resource, target.namespace, options, fault)


async def _get(
    server: ApiServer, request: web.BaseRequest, user: User, resource: ResourceType, target: Target, fault: Fault | None
) -> web.StreamResponse:
    namespace = target.namespace or (target.name if resource.name == "namespaces" else "")
    server.access.check(user, "get", resource, namespace, target.name)
    if target.subresource not in ("", "status", "scale") or (
        target.subresource and target.subresource not in resource.subresources
    ):
        raise no_such_path()
    form = negotiate(request.headers.get("Accept", ""), request.query.get("includeObject", ""))
    data = server.storage.get_bytes(resource.stored_as, target.namespace or "", target.name)
    if target.subresource == "scale":
        return answer.document(_scale(msgspec.json.decode(data)))
    return await answer.body_of(request, [Renderer(resource, form, server.storage.clock()).one(data)], fault)


def _scale(obj: dict[str, Any]) -> bytes:
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    scale = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": spec.get("replicas", 1)},
        "status": {
            "replicas": status.get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }
    return msgspec.json.encode(scale)


async def _list(
    server: ApiServer,
    request: web.BaseRequest,
    resource: ResourceType,
    namespace: str | None,
    options: ListOptions,
    fault: Fault | None,
) -> web.StreamResponse:
    form = negotiate(request.headers.get("Accept", ""), options.include)
    selector = Selector(options.labels, options.fields, resource)
    page = _page(server, resource, namespace, options, limited=not selector)
    metadata: dict[str, Any] = {"resourceVersion": str(page.resource_version)}
    items: Iterator[bytes] = (data for _, data in page.items)
    if selector:
        chosen: list[bytes] = []
        last = ""
        for index, (key, data) in enumerate(page.items):
            if selector.matches_bytes(data):
                if options.limit and len(chosen) == options.limit and not _from_cache(server, options):
                    metadata["continue"] = Continue(page.resource_version, last).text()
                    break
                chosen.append(data)
                last = key
            if index % 500 == 499:
                await asyncio.sleep(0)
        items = iter(chosen)
    elif page.next_key is not None:
        metadata["continue"] = Continue(page.resource_version, page.next_key).text()
        metadata["remainingItemCount"] = page.remaining
    if fault is not None and fault.action is Action.SPOIL and form == OBJECT:
        first = next(items, None)
        items = chain([] if first is None else [spoil(first, fault)], items)
    render = Renderer(resource, form, server.storage.clock())
    return await answer.body_of(request, render.listing(items, metadata), fault)


def _from_cache(server: ApiServer, options: ListOptions) -> bool:
    """resourceVersion=0 is answered from the watch cache, which does not page."""
    return server.cache_ignores_limit and options.version == 0 and not options.continue_


def _page(
    server: ApiServer, resource: ResourceType, namespace: str | None, options: ListOptions, limited: bool
) -> Page:
    storage = server.storage
    limit = options.limit if limited and not _from_cache(server, options) else 0
    if options.continue_:
        token = Continue.read(options.continue_)
        if token.rv > storage.resource_version:
            raise expired_continue()  # of a history that a restored backup has ended
        return storage.page(resource.stored_as, namespace, token.rv, token.start, limit)
    wanted = options.version or 0
    if wanted > storage.resource_version:
        raise too_large_version(wanted, storage.resource_version)
    # A version with a limit but no match means exactly that version; without a limit, at least that version.
    exact = options.match == "Exact" or (not options.match and wanted and options.limit)
    if exact:
        try:
            return storage.page(resource.stored_as, namespace, wanted, "", limit)
        except ApiError as error:
            raise ApiError(410, "The resourceVersion for the provided list is too old.", "Expired") from error
    return storage.page(resource.stored_as, namespace, None, "", limit)


async def _watch(
    server: ApiServer,
    request: web.BaseRequest,
    resource: ResourceType,
    namespace: str | None,
    options: ListOptions,
    fault: Fault | None,
) -> web.StreamResponse:
    form = negotiate(request.headers.get("Accept", ""), options.include)
    selector = Selector(options.labels, options.fields, resource)
    storage = server.storage
    if options.initial_events and (options.version or 0) > storage.resource_version:
        raise too_large_version(options.version or 0, storage.resource_version)
    render = Renderer(resource, form, storage.clock())
    watch = Watch(storage, render, namespace, selector, options.bookmarks, server.watch_buffer)
    watch.request = request
    # A version that is yet to come is waited for without a word (kubernetes/kubernetes#107457).
    watch.after = options.version or 0
    problem: ApiError | None = None
    initial: list[bytes] = []
    initial_end = b""
    # From here to start() nothing is awaited, so that no change falls between the initial state and the live ones.
    if options.initial_events or (options.initial_events is None and not options.version):
        initial = [data for _, data in storage.page(resource.stored_as, namespace).items]
        if options.initial_events and options.bookmarks:
            initial_end = render.bookmark(storage.resource_version, initial_end=True)
    elif options.version:
        try:
            for event in storage.events_since(resource.stored_as, options.version):
                watch.push(event)
                event.forget()
        except ApiError as error:
            problem = error
    if fault and fault.action is Action.EXPIRE:
        problem = expired_version(options.version or 0, storage.resource_version)
    response = web.StreamResponse(headers={"Content-Type": answer.JSON})
    response.enable_chunked_encoding()
    watch.start()
    server.watches.add(watch)
    seconds = options.timeout or WATCH_SECONDS
    timer = asyncio.get_running_loop().call_later(seconds, _time_out, watch)
    try:
        await response.prepare(request)
        if problem is not None:
            await response.write(msgspec.json.encode({"type": "ERROR", "object": problem.document()}) + b"\n")
            await response.write_eof()
        elif fault and fault.action in _WATCH_FAULTS:
            await _WATCH_FAULTS[fault.action](request, response)
        else:
            if fault and fault.action is Action.INSERT:
                await response.write(fault.body)
            await watch.run(through(response, request, fault), initial, initial_end)
    except ConnectionError:
        pass  # the client has gone; there is nobody to tell
    finally:
        timer.cancel()
        server.watches.remove(watch)
        watch.stop()
    return response


def _time_out(watch: Watch) -> None:
    watch.bookmark()
    watch.close()


async def _garbage(request: web.BaseRequest, response: web.StreamResponse) -> None:
    await response.write(b'{"type":"ADDED","object":{"metadata":{"name":"cut\n')
    await response.write_eof()


async def _silence(request: web.BaseRequest, response: web.StreamResponse) -> None:
    await asyncio.get_running_loop().create_future()


async def _eof(request: web.BaseRequest, response: web.StreamResponse) -> None:
    await response.write_eof()


_WATCH_FAULTS = {Action.GARBAGE: _garbage, Action.SILENCE: _silence, Action.EOF: _eof}
