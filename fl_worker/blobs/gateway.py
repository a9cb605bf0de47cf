"""A store over HTTP, in the form of an IPFS trustless gateway that also takes blocks.

    GET, HEAD /ipfs/<cid>?format=raw            a block, whole or a range; anyone may ask
    … &job=7&round=3                            the same, if it is kept for that round
    PUT /ipfs/<cid>?job=7&round=3               a block, from whom a permit and `authorize` let in
    GET /healthz                                whether the gateway runs

Answers: 400 bad CID, numbers or bytes, 401 bad permit, 403 not allowed, 404 not here, 406 another
format, 408 too slow, 411 and 413 no length or too long, 416 bad range, 429 too many requests at
once, 503 the store is out of order, 507 no room. A PUT is ruled on before its body is read, and
hashed before it is kept.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from fl_worker.blobs.cids import (
    BLOCK_SIZE_BYTES,
    BlobFault,
    MalformedCid,
    WrongBytes,
    parse_cid,
)
from fl_worker.blobs.permit import SCHEME, Access, BadPermit, MalformedTag, check_permit, parse_tag
from fl_worker.blobs.store import DiskFull, QuotaExceeded, Store, StoreUnusable

log = logging.getLogger("pollen")

RAW = "application/vnd.ipld.raw"
STATUS: dict[type[BlobFault], type[web.HTTPException]] = {
    MalformedCid: web.HTTPBadRequest,
    MalformedTag: web.HTTPBadRequest,
    WrongBytes: web.HTTPBadRequest,
    BadPermit: web.HTTPUnauthorized,
    QuotaExceeded: web.HTTPInsufficientStorage,
    DiskFull: web.HTTPInsufficientStorage,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """How much a gateway does at once, and how long it waits for a peer."""

    requests_max: int = 128
    # By network address and, for a push, by account.
    requests_per_peer_max: int = 32
    request_timeout_s: float = 120.0
    idle_timeout_s: float = 15.0


class Gateway:
    """Serves a store; takes blocks only where an access is given."""

    def __init__(
        self,
        store: Store,
        access: Access | None = None,
        limits: GatewayLimits = GatewayLimits(),
    ) -> None:
        self._store = store
        self._access = access
        self._limits = limits
        self._busy: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 asks for a free one, OSError says why it can't be had."""
        app = web.Application(client_max_size=BLOCK_SIZE_BYTES + 1, middlewares=[self._limited])
        app.router.add_get("/ipfs/{cid}", self._serve)
        app.router.add_put("/ipfs/{cid}", self._receive)
        app.router.add_get("/healthz", self._answer_health)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=self._limits.idle_timeout_s,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise OSError(
                f"listen on {host}:{port}: {reason}; choose another address, or end what has it"
            ) from None
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and end what is under way."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer_health(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        cid = request.match_info["cid"]
        parse_cid(cid)
        if request.query.get("format") != "raw" and RAW not in request.headers.get("Accept", ""):
            raise web.HTTPNotAcceptable(text=f"only raw blocks: add ?format=raw or Accept: {RAW}")
        is_asked_for = "job" not in request.query or await asyncio.to_thread(
            self._store.is_held, cid, str(parse_tag(request.query))
        )
        block = await asyncio.to_thread(self._store.get, cid) if is_asked_for else None
        if block is None:
            raise web.HTTPNotFound(text=f"block {cid} is not here: try another gateway")
        return respond(request, cid, block)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        if self._access is None:
            raise web.HTTPForbidden(text="this gateway takes no blocks: push to a reader")
        cid, tag = request.match_info["cid"], parse_tag(request.query)
        parse_cid(cid)
        if request.content_length is None:
            raise web.HTTPLengthRequired(text="send Content-Length")
        if request.content_length > BLOCK_SIZE_BYTES:
            raise web.HTTPRequestEntityTooLarge(BLOCK_SIZE_BYTES, request.content_length)
        header = request.headers.get("Authorization", "")
        push = check_permit(header, cid, tag, self._access, time.time())
        with self._seat(push.account, self._limits.requests_per_peer_max):
            verdict = await self._access.authorize(push)
            if not verdict.is_allowed:
                raise web.HTTPForbidden(text=f"{push.account} may not push: {verdict.reason}")
            block = await request.read()
            await asyncio.to_thread(self._store.put, cid, block, str(tag), push.account)
        return web.Response(status=web.HTTPCreated.status_code)

    @web.middleware
    async def _limited(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Answer within the limits of number and time, and give each fault its status."""
        response: web.StreamResponse | None = None
        try:
            with (
                self._seat("", self._limits.requests_max),
                self._seat(request.remote or "unknown", self._limits.requests_per_peer_max),
            ):
                async with asyncio.timeout(self._limits.request_timeout_s):
                    response = await handler(request)
                    await response.prepare(request)
                    await response.write_eof()
        except StoreUnusable as fault:
            log.warning("%s", fault)
            raise web.HTTPServiceUnavailable(text="out of order: try another gateway") from fault
        except BlobFault as fault:
            status = STATUS.get(type(fault), web.HTTPInternalServerError)
            challenge = {"WWW-Authenticate": SCHEME} if status is web.HTTPUnauthorized else None
            raise status(text=str(fault), headers=challenge) from fault
        except ConnectionResetError:  # the client has gone: nobody to tell, nothing to mend
            if response is None:
                raise
        except TimeoutError:
            limit = f"no more than {self._limits.request_timeout_s:g} s for one request"
            if response is None:
                raise web.HTTPRequestTimeout(text=f"{limit}: send faster") from None
            if request.transport is not None:
                request.transport.abort()
        return response

    @contextmanager
    def _seat(self, peer: str, requests_max: int) -> Iterator[None]:
        """Count a request of a peer while it runs; 429 beyond the limit."""
        if self._busy[peer] >= requests_max:
            raise web.HTTPTooManyRequests(
                text=f"{requests_max} requests of {peer or 'all peers'} run already: retry later",
                headers={"Retry-After": "1"},
            )
        self._busy[peer] += 1
        try:
            yield
        finally:
            self._busy[peer] -= 1
            self._busy += Counter()  # forgets peers that count nothing


def respond(request: web.Request, cid: str, block: bytes) -> web.Response:
    """A block as a trustless gateway answers: whole, a range of it, or 304 to who has it."""
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=29030400, immutable",
        "Content-Disposition": f'attachment; filename="{cid}.bin"',
        "Content-Type": RAW,
        "ETag": f'"{cid}.raw"',
        "X-Content-Type-Options": "nosniff",
        "X-Ipfs-Path": f"/ipfs/{cid}",
        "X-Ipfs-Roots": cid,
    }
    if any(tag.value in (f"{cid}.raw", "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    try:
        span = request.http_range if request.method == "GET" else slice(None)
    except ValueError:
        span = slice(None)  # a range nobody understands is ignored (RFC 9110, 14.2)
    start, stop, _ = span.indices(len(block))
    if (span.start, span.stop) == (None, None):
        return web.Response(body=block, headers=headers)
    if start >= stop:
        headers["Content-Range"] = f"bytes */{len(block)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(block)}"
    return web.Response(status=206, body=block[start:stop], headers=headers)
