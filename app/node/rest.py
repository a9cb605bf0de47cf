"""The REST gateway: each gRPC method by the path that its proto file gives it, with Cosmos' JSON.

A method without such a path is asked at `/<package>/<method>`: `/pollen/jobs/v1/job?job_id=1`. So a
new service needs nothing here. Web pages of other origins may ask. All there is stands in
`/openapi.json`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from aiohttp import web
from google.api.annotations_pb2 import http
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from app.node.abci import Application
from app.node.openapi import make_openapi
from app.node.question import Refusal
from app.node.rest_json import from_json, set_field, to_json
from app.node.rpc import EngineFault, EngineUnreachable
from app.node.tls import Certificate

log = logging.getLogger("pollend")

BODY_BYTES_MAX = 8 << 20
HEIGHT_KEY = "x-cosmos-block-height"
INVALID, NOT_FOUND, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 5, 12, 13, 14
STATUSES = {INVALID: 400, NOT_FOUND: 404, UNIMPLEMENTED: 501, INTERNAL: 500, UNAVAILABLE: 503}
"""gRPC's status codes as HTTP has them."""
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": f"content-type, accept, {HEIGHT_KEY}",
    "Access-Control-Expose-Headers": f"{HEIGHT_KEY}, grpc-metadata-{HEIGHT_KEY}",
    "Access-Control-Max-Age": "86400",
}
TEMPLATE = re.compile(r"\{([a-z_.]+)(=\*\*)?\}")
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Answer = Callable[[web.Request], Awaitable[web.Response]]
Serve = Callable[[Any, int], Awaitable[Any]]
"""Answers a request from the state after a height, 0 for the last."""


class Route(NamedTuple):
    """One way to ask a gRPC method over HTTP."""

    verb: str
    template: str
    method: Any
    """Its descriptor."""


def find_routes(paths: Mapping[str, Any]) -> list[Route]:
    """Return the routes of the methods at these gRPC paths, fixed ones before those with gaps."""
    routes = []
    for path in paths:
        service, name = path[1:].split("/")
        method = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
        rule = method.GetOptions().Extensions[http]
        given = [r for r in (rule, *rule.additional_bindings) if r.get or r.post]
        routes += [Route("GET" if r.get else "POST", r.get or r.post, method) for r in given]
        if not given:
            package = service.rpartition(".")[0].replace(".", "/")
            routes.append(Route("GET", f"/{package}/{CAPITAL.sub('_', name).lower()}", method))
    return sorted(routes, key=lambda route: ("{" in route.template, route.template))


async def start_rest(
    methods: Mapping[str, Serve],
    application: Application,
    host: str,
    port: int,
    certificate: Certificate | None = None,
) -> web.AppRunner:
    """Serve the methods at these gRPC paths on a port until the runner is cleaned up."""
    routes = find_routes(methods)
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[answer_always])
    app.router.add_get("/openapi.json", describe(routes))
    for route in routes:
        path = f"/{route.method.containing_service.full_name}/{route.method.name}"
        template = TEMPLATE.sub(to_pattern, route.template)
        app.router.add_route(route.verb, template, handle(route, methods[path], application))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = certificate.for_http() if certificate else None
    await web.TCPSite(runner, host, port, ssl_context=tls).start()
    return runner


def to_pattern(gap: re.Match[str]) -> str:
    """Return a gap of a path as the router has it; `=**` may have slashes."""
    return f"{{{gap[1]}:{'.+' if gap[2] else '[^/]+'}}}"


def handle(route: Route, serve_method: Serve, application: Application) -> Answer:
    """Return what answers the requests of one route."""
    request_class = GetMessageClass(route.method.input_type)

    async def serve(request: web.Request) -> web.Response:
        message = await read_request(request, request_class)
        text = request.headers.get(HEIGHT_KEY) or "0"
        if not text.isdecimal():
            raise Refusal(f"{HEIGHT_KEY}: {text[:80]!r} is no height; write a whole number")
        response = await serve_method(message, int(text))
        height = text if int(text) else str(application.last.height)
        shown = {HEIGHT_KEY: height, f"Grpc-Metadata-{HEIGHT_KEY.title()}": height}
        return reply(200, to_json(response), shown)

    return serve


async def read_request(request: web.Request, request_class: Any) -> Any:
    """Return the request that path, parameters and body state."""
    message = request_class()
    if request.method == "POST":
        try:
            body = json.loads(await request.read())
        except ValueError as error:
            raise Refusal(f"body: not JSON: {error}") from None
        message = from_json(request_class, body)
    for name in dict.fromkeys(request.query):
        set_field(message, name, request.query.getall(name))
    for name, value in request.match_info.items():
        set_field(message, name, [value])
    return message


@web.middleware
async def answer_always(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer with JSON whatever happens, and let pages of other origins read it."""
    if request.method == "OPTIONS":
        return web.Response(status=204, headers=CORS)
    try:
        answer: web.StreamResponse = await handler(request)
        return answer
    except Refusal as refusal:
        return fail(NOT_FOUND if refusal.is_missing else INVALID, str(refusal))
    except EngineUnreachable as error:
        return fail(UNAVAILABLE, f"the engine doesn't answer: {error}")
    except EngineFault as fault:
        return fail(INTERNAL, str(fault))
    except web.HTTPRequestEntityTooLarge:
        return fail(INVALID, f"body: more than {BODY_BYTES_MAX} bytes; send less")
    except web.HTTPException:
        return fail(UNIMPLEMENTED, f"{request.method} {request.path}: there is no such method")
    except Exception:  # a fault of ours; who asks must not be able to stop the node
        log.exception("%s %s", request.method, request.path)
        return fail(INTERNAL, "internal error")


def fail(code: int, text: str) -> web.Response:
    """Return an error as Cosmos' gateway shows it: gRPC's status code and a text."""
    return reply(STATUSES[code], {"code": code, "message": text, "details": []})


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return JSON."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    shown = {**CORS, **(headers or {})}
    return web.Response(status=status, text=text, content_type="application/json", headers=shown)


def describe(routes: list[Route]) -> Answer:
    """Return what answers with the OpenAPI document, made when it is first asked for."""
    make = cache(lambda: make_openapi([(r.verb, r.template, r.method) for r in routes]))

    async def serve(request: web.Request) -> web.Response:
        return reply(200, make())

    return serve
