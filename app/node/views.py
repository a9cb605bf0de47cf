"""The one read interface: questions about the last committed block, by their gRPC path.

A question never waits for consensus: it is answered at once from what is committed. The same
methods serve gRPC and the engine's `abci_query`.
"""

from __future__ import annotations

from typing import Any

from cosmpy.protos.tendermint.abci.types_pb2 import RequestQuery, ResponseQuery
from google.protobuf.message import DecodeError

from app.chain import QUERIES, run_query
from app.kernel.errors import Rejected
from app.node.cosmos import COSMOS_METHODS
from app.node.question import Method, Refusal, View, to_refusal
from app.wire.records import KINDS, BadField, from_protobuf, query_path, to_protobuf

CODE_INVALID_REQUEST, CODE_UNKNOWN_PATH = 18, 6
CODESPACE_SDK = "sdk"


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


METHODS: dict[str, Method] = {
    **{query_path(kind): module_method(kind, query.response) for kind, query in QUERIES.items()},
    **COSMOS_METHODS,
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


def answer_engine(view: View, request: RequestQuery) -> ResponseQuery:
    """Return the answer to a question that came through the engine's `abci_query`."""
    height = max(view.height, 1)
    try:
        value = answer(view, request.path, request.data)
    except Refusal as refusal:
        status = "NotFound" if refusal.is_missing else "InvalidArgument"
        return ResponseQuery(
            code=refusal.code or CODE_INVALID_REQUEST,
            codespace=refusal.codespace or CODESPACE_SDK,
            log=f"rpc error: code = {status} desc = {refusal}",
            height=height,
        )
    return ResponseQuery(value=value, height=height)
