"""The one read interface: questions about committed state, by their gRPC path.

A question never waits for consensus: it is answered at once from what is committed, by the last
block or by an earlier one that history still has. The same methods serve gRPC and the engine's
`abci_query`, through which rows can be read as they lie in a module's store too, and proved.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from cosmpy.protos.tendermint.abci.types_pb2 import RequestQuery, ResponseQuery
from google.protobuf.message import DecodeError

from app.chain import INTERNAL, QUERIES, run_query
from app.kernel.errors import Rejected
from app.kernel.proof import prove
from app.node.cosmos import COSMOS_METHODS
from app.node.distribution import DISTRIBUTION_METHODS
from app.node.downtime import DOWNTIME_METHODS
from app.node.gov_v1beta1 import older_methods
from app.node.question import CODESPACE_SDK, Method, Refusal, View, to_refusal
from app.node.rpc import EngineFault, EngineUnreachable
from app.node.staking import STAKING_METHODS
from app.wire.proofs import encode_proof
from app.wire.records import KINDS, BadField, from_protobuf, query_path, to_protobuf

log = logging.getLogger("pollend.abci")

CODE_INVALID_REQUEST, CODE_UNKNOWN_PATH, CODE_UNAVAILABLE = 18, 6, 35
ENGINE_ANSWERS_S = 3
STORE_PATH = re.compile("/?store/([^/]+)/key")
"""Of a row as it lies in a module's store; Hermes leaves out the first slash."""


class Call(NamedTuple):
    """How the requests to one path are read and served, from state after a height or the last."""

    request: Any
    serve: Callable[[Any, int], Awaitable[Any]]


def module_method(request_class: Any, response_class: Any) -> Method:
    """Return how a module's question is answered."""

    def answer_module(view: View, request: Any) -> Any:
        try:
            return to_protobuf(run_query(view.state, from_protobuf(request_class, request)))
        except BadField as error:
            raise Refusal(str(error)) from None
        except Rejected as rejection:
            raise to_refusal(rejection) from None

    return Method(KINDS[request_class].protobuf, KINDS[response_class].protobuf, answer_module)


MODULE_METHODS = {
    query_path(kind): module_method(kind, query.response) for kind, query in QUERIES.items()
}
METHODS: dict[str, Method] = {
    **MODULE_METHODS,
    **older_methods(MODULE_METHODS),
    **COSMOS_METHODS,
    **STAKING_METHODS,
    **DOWNTIME_METHODS,
    **DISTRIBUTION_METHODS,
}


def answer(view: View, path: str, data: bytes) -> bytes:
    """Return the serialized answer to a serialized question; `Refusal` says why there is none."""
    method = METHODS.get(path)
    if method is None:
        raise Refusal(f"unknown query path {path}", CODE_UNKNOWN_PATH, CODESPACE_SDK)
    try:
        request = method.request.FromString(data)
    except DecodeError as error:
        raise Refusal(f"{path}: {error}") from None
    return bytes(method.answer(view, request).SerializeToString())


def answer_store(view: View, module: bytes, key: bytes, *, with_proof: bool) -> ResponseQuery:
    """Return what a module's store holds under a key, nothing if it doesn't, and the proof of it.

    The proof leads to the application hash that the header of the next block has.
    """
    if module not in view.forest.trees:
        names = ", ".join(name.decode() for name in sorted(view.forest.trees))
        text = f"no store {module.decode()!r}; there are {names}"
        raise Refusal(text, CODE_UNKNOWN_PATH, CODESPACE_SDK)
    if view.height == 0:
        raise Refusal("no block is committed yet; ask again after the first")
    if not key:
        raise Refusal("data: give the key in the store, of one byte at least")
    value = view.state.get(module + b"/" + key) or b""
    response = ResponseQuery(key=key, value=value, height=view.height)
    if with_proof:
        response.proof_ops.CopyFrom(encode_proof(prove(view.state, view.forest, module, key)))
    return response


def answer_engine(find_view: Callable[[int], View], request: RequestQuery) -> ResponseQuery:
    """Return the answer to a question that came through the engine's `abci_query`."""
    height = find_view(0).height
    try:
        view = find_view(request.height)
        height = view.height
        if store := STORE_PATH.fullmatch(request.path):
            module = store[1].encode()
            return answer_store(view, module, request.data, with_proof=request.prove)
        value = answer(view, request.path, request.data)
    except Refusal as refusal:
        return refuse(refusal, height)
    return ResponseQuery(value=value, height=max(height, 1))


async def answer_later(call: Call, request: RequestQuery, height: int) -> ResponseQuery:
    """Return the answer to a question that came through `abci_query` and needs the engine's RPC.

    Other questions on the engine's connection wait behind it, and nothing else does.
    """
    try:
        asked = call.request.FromString(request.data)
        async with asyncio.timeout(ENGINE_ANSWERS_S):
            found = await call.serve(asked, request.height)
    except Refusal as refusal:
        return refuse(refusal, height)
    except DecodeError as error:
        return refuse(Refusal(f"{request.path}: {error}"), height)
    except (EngineFault, EngineUnreachable, TimeoutError) as error:
        return refuse(Refusal(f"the engine doesn't answer: {error}", CODE_UNAVAILABLE), height)
    return ResponseQuery(value=found.SerializeToString(), height=max(height, 1))


def refuse(refusal: Refusal, height: int) -> ResponseQuery:
    """Return a refusal as the engine hands it on."""
    status = "NotFound" if refusal.is_missing else "InvalidArgument"
    return ResponseQuery(
        code=refusal.code or CODE_INVALID_REQUEST,
        codespace=refusal.codespace or CODESPACE_SDK,
        log=f"rpc error: code = {status} desc = {refusal}",
        height=max(height, 1),
    )


def excuse(request: RequestQuery) -> ResponseQuery:
    """Answer a query that met a fault of ours; who asks must not be able to stop the node."""
    log.exception("query %s", request.path)
    return ResponseQuery(code=INTERNAL, log="internal error", height=1)
