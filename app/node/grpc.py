"""The node's gRPC services: each module's questions, Cosmos' own, and Pollen's node service.

Questions are answered from the last committed block, or from an earlier one whose height the header
`x-cosmos-block-height` gives; the height that was answered from comes back in the same.
Transactions go through the engine's RPC. A refusal carries the chain's code and module in the
trailers `pollen-code` and `pollen-codespace`.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from functools import partial
from typing import Any

import grpc
import grpc.aio
from cosmpy.protos.cosmos.base.tendermint.v1beta1 import query_pb2 as node_query
from cosmpy.protos.cosmos.staking.v1beta1 import query_pb2 as staking_query
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2
from cosmpy.protos.tendermint.abci.types_pb2 import RequestQuery
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from app.chain import MODULES, find_broken_invariants
from app.node.abci import INVARIANT_SHARE, Application
from app.node.blocks import BlockService
from app.node.config import VERSION, OperatorError
from app.node.question import Method, Refusal
from app.node.rpc import EngineFault, EngineRpc, EngineUnreachable
from app.node.stream import Feed, TooEarly, TooManyWatchers, TooSlow
from app.node.tls import Certificate
from app.node.txs import TxService
from app.node.views import METHODS, Call
from app.pb.pollen.node.v1 import node_pb2

HEIGHT_KEY = "x-cosmos-block-height"
HEIGHT_DIGITS_MAX = 19
CODE_KEY, CODESPACE_KEY = "pollen-code", "pollen-codespace"
RECEIVE_BYTES_MAX = 8 << 20
OPTIONS = (("grpc.max_receive_message_length", RECEIVE_BYTES_MAX), ("grpc.so_reuseport", 0))
STOP_S = 1.0
CALLS_MAX = 4_000
ANSWERS_KEPT = 16
"""So many answers of a method, each of a megabyte at most, are given again at the same height."""
INVARIANTS = [
    f"{module.name}: {rule.__name__}".replace("_", " ")
    for module in MODULES
    for rule in module.invariants
]
NODE_SERVICE = "pollen.node.v1.Service"
TX, NODE = "/cosmos.tx.v1beta1.Service", "/cosmos.base.tendermint.v1beta1.Service"
STAKING = "/cosmos.staking.v1beta1.Query"
BROADCAST = f"{TX}/BroadcastTx"


class GrpcServer:
    """A gRPC server that runs until it is stopped."""

    def __init__(
        self, server: Any, port: int, calls: dict[str, Call], stack: AsyncExitStack
    ) -> None:
        self._server = server
        self._stack = stack
        self.port = port
        self.methods = {path: call.serve for path, call in calls.items()}
        """What answers the requests to each path but the streams'."""

    async def stop(self, grace_s: float = STOP_S) -> None:
        """End every stream, let calls finish for so long, and close."""
        await self._server.stop(grace_s)
        await self._stack.aclose()


class NodeService:
    """What a node says of itself, and a job's stream."""

    def __init__(self, application: Application, engine: EngineRpc) -> None:
        self._application = application
        self._engine = engine
        self._checked = node_pb2.CheckInvariantsResponse()
        self._check_due_s = 0.0
        self.feed = Feed(application)

    async def status(self, request: Any) -> Any:
        """Answer with the last block, and whether the node follows the chain."""
        try:
            engine = await self._engine.call("status")
            version = engine["node_info"]["version"]
            is_behind = engine["sync_info"]["catching_up"]
        except (EngineFault, EngineUnreachable):
            version, is_behind = "", True
        last = self._application.last
        return node_pb2.StatusResponse(
            chain_id=last.chain_id,
            height=last.height,
            time_unix_ms=last.time_ms,
            clock_ms=last.clock_ms,
            app_hash=last.app_hash,
            app_version=VERSION,
            engine_version=version,
            ready=last.height > 0 and not is_behind,
        )

    async def check_invariants(self, request: Any) -> Any:
        """Answer with every sentence that was checked, and those that don't hold.

        Checking holds up the node, so it takes one part in twenty of its time; else the last
        answer, which says its height, is given again.
        """
        started_s = time.monotonic()
        if started_s >= self._check_due_s:
            last = self._application.last
            self._checked = node_pb2.CheckInvariantsResponse(
                broken=list(find_broken_invariants(self._application.state)),
                checked=INVARIANTS,
                height=last.height,
                app_hash=last.app_hash,
            )
            ended_s = time.monotonic()
            self._check_due_s = ended_s + INVARIANT_SHARE * (ended_s - started_s)
        return self._checked

    async def watch(self, request: Any, context: Any) -> AsyncIterator[bytes]:
        """Stream a job's serialized responses until the caller leaves."""
        responses = self.feed.watch(request.job_id, request.from_height)
        try:
            async with aclosing(responses):
                async for response in responses:
                    yield response
        except TooEarly as refusal:
            await context.abort(grpc.StatusCode.OUT_OF_RANGE, str(refusal))
        except Refusal as refusal:
            await refuse(context, refusal)
        except TooSlow:
            text = "reader too slow: blocks pile up; open a new stream from the height reached"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        except TooManyWatchers:
            text = "this node serves no more streams; ask another, or later"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)


async def start_grpc(
    application: Application,
    host: str,
    port: int,
    engine_rpc_url: str,
    certificate: Certificate | None = None,
) -> GrpcServer:
    """Serve gRPC on a port, 0 for any free one; OperatorError if it is taken."""
    stack = AsyncExitStack()
    engine = EngineRpc(engine_rpc_url)
    stack.push_async_callback(engine.close)
    node = NodeService(application, engine)
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=CALLS_MAX)
    helped = engine_calls(TxService(application, engine), BlockService(engine, application.view))
    calls = find_calls(application, node) | helped
    add_services(server, application, node, calls)
    application.engine_calls = {path: helped[path] for path in helped if path != BROADCAST}
    try:
        place = f"{host}:{port}"
        if certificate is None:
            bound = server.add_insecure_port(place)
        else:
            bound = server.add_secure_port(place, certificate.for_grpc())
    except RuntimeError as error:
        await stack.aclose()
        raise OperatorError(f"grpc_address {host}:{port}: can't be bound: {error}") from None
    await server.start()
    stack.push_async_callback(cancel, asyncio.create_task(node.feed.follow()))
    return GrpcServer(server, bound, calls, stack)


def find_calls(application: Application, node: NodeService) -> dict[str, Call]:
    """Return how each path is served by the node alone but the streams'; REST has the same."""
    return {
        "/pollen.node.v1.Service/Status": at_present(node_pb2.StatusRequest, node.status),
        "/pollen.node.v1.Service/CheckInvariants": at_present(
            node_pb2.CheckInvariantsRequest, node.check_invariants
        ),
        "/cosmos.base.tendermint.v1beta1.Service/ABCIQuery": at_present(
            node_query.ABCIQueryRequest, partial(abci_query, application)
        ),
        **{path: from_view(application, method) for path, method in METHODS.items()},
    }


def add_services(
    server: Any, application: Application, node: NodeService, calls: dict[str, Call]
) -> None:
    """Give a server all its paths, reflection and health."""
    services: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, call in calls.items():
        service, name = path[1:].split("/")
        services[service][name] = unary(application, call)
    services[NODE_SERVICE]["WatchJob"] = grpc.unary_stream_rpc_method_handler(
        node.watch, request_deserializer=node_pb2.WatchJobRequest.FromString
    )
    for service, methods in services.items():
        generic = grpc.method_handlers_generic_handler(service, methods)
        server.add_generic_rpc_handlers((generic,))
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)


def engine_calls(txs: TxService, blocks: BlockService) -> dict[str, Call]:
    """Return how each path is served for which the engine's RPC is needed."""
    heights = node_query.GetValidatorSetByHeightRequest
    served = {
        BROADCAST: (service_pb2.BroadcastTxRequest, txs.broadcast),
        f"{TX}/GetTx": (service_pb2.GetTxRequest, txs.get_tx),
        f"{TX}/GetTxsEvent": (service_pb2.GetTxsEventRequest, txs.get_txs),
        f"{TX}/GetBlockWithTxs": (service_pb2.GetBlockWithTxsRequest, blocks.get_block_with_txs),
        f"{STAKING}/HistoricalInfo": (
            staking_query.QueryHistoricalInfoRequest,
            blocks.get_historical_info,
        ),
        f"{NODE}/GetSyncing": (node_query.GetSyncingRequest, blocks.get_syncing),
        f"{NODE}/GetLatestBlock": (node_query.GetLatestBlockRequest, blocks.get_latest_block),
        f"{NODE}/GetBlockByHeight": (node_query.GetBlockByHeightRequest, blocks.get_block),
        f"{NODE}/GetLatestValidatorSet": (
            node_query.GetLatestValidatorSetRequest,
            blocks.get_latest_validators,
        ),
        f"{NODE}/GetValidatorSetByHeight": (heights, blocks.get_validators),
    }
    return {path: at_present(*call) for path, call in served.items()}


def from_view(application: Application, method: Method) -> Call:
    """Return the call that answers a question from committed state.

    Everybody who follows a job asks the same after each block: until the next one they are given
    the same answer.
    """
    kept: dict[bytes, Any] = {}
    kept_height = 0

    async def serve(request: Any, height: int) -> Any:
        nonlocal kept_height
        last = application.last.height
        if height not in (0, last):
            return method.answer(application.view(height), request)
        if kept_height != last:
            kept.clear()
            kept_height = last
        question = request.SerializeToString()
        answer = kept.get(question) or method.answer(application.view(), request)
        if len(kept) < ANSWERS_KEPT:
            kept[question] = answer
        return answer

    return Call(method.request, serve)


def at_present(request_class: Any, serve: Callable[[Any], Awaitable[Any]]) -> Call:
    """Return a call that no height is given to."""

    async def serve_now(request: Any, height: int) -> Any:
        if height:
            raise Refusal(f"{HEIGHT_KEY}: this method has no height; leave it out")
        return await serve(request)

    return Call(request_class, serve_now)


def unary(application: Application, call: Call) -> Any:
    """Return what gRPC runs for a call: the answer with the height, or a refusal."""

    async def run(request: Any, context: Any) -> Any:
        try:
            height = read_height(context)
            response = await call.serve(request, height)
        except Refusal as refusal:
            await refuse(context, refusal)
        except EngineUnreachable as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"the engine doesn't answer: {error}")
        except EngineFault as fault:
            await context.abort(grpc.StatusCode.INTERNAL, str(fault))
        answered = str(height or application.last.height)
        await context.send_initial_metadata(((HEIGHT_KEY, answered),))
        return response

    return grpc.unary_unary_rpc_method_handler(
        run,
        request_deserializer=call.request.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


def read_height(context: Any) -> int:
    """Return the height that a caller asks for, 0 for the last."""
    text = dict(context.invocation_metadata()).get(HEIGHT_KEY, "0")
    if not text.isdecimal() or len(text) > HEIGHT_DIGITS_MAX:
        raise Refusal(f"{HEIGHT_KEY}: {text[:80]!r} is no height; write a whole number")
    return int(text)


async def refuse(context: Any, refusal: Refusal) -> None:
    """End a call with a refusal."""
    status = grpc.StatusCode.NOT_FOUND if refusal.is_missing else grpc.StatusCode.INVALID_ARGUMENT
    trailers = ((CODE_KEY, str(refusal.code)), (CODESPACE_KEY, refusal.codespace))
    await context.abort(status, str(refusal), trailers if refusal.code else ())


async def abci_query(application: Application, request: Any) -> Any:
    """Answer what the engine's `abci_query` answers, such as rows of a store and their proofs."""
    asked = RequestQuery(
        path=request.path, data=request.data, height=request.height, prove=request.prove
    )
    found = application.query(asked)
    answer = await found if asyncio.iscoroutine(found) else found
    data = answer.SerializeToString()
    return node_query.ABCIQueryResponse.FromString(data)  # The same fields by number.


async def cancel(task: asyncio.Task[None]) -> None:
    """End a task."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
