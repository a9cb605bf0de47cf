"""The gRPC door: questions, transactions, a job's stream, and what Cosmos' clients look for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cosmpy.aerial.client import LedgerClient
from cosmpy.aerial.config import NetworkConfig
from cosmpy.aerial.exceptions import NotFoundError
from cosmpy.aerial.wallet import LocalWallet
from cosmpy.crypto.address import Address as CosmpyAddress
from cosmpy.crypto.keypairs import PrivateKey
from cosmpy.protos.cosmos.auth.v1beta1 import query_pb2 as auth_query
from cosmpy.protos.cosmos.bank.v1beta1 import query_pb2 as bank_query
from cosmpy.protos.cosmos.base.tendermint.v1beta1 import query_pb2 as node_query
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2
from cosmpy.protos.tendermint.abci.types_pb2 import RequestQuery
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from app.kernel.bech32 import to_bech32
from app.kernel.proof import verify
from app.kernel.record import U64
from app.kernel.trie import SENTINEL, SENTINEL_VALUE
from app.kernel.tx import Slot
from app.modules import jobs
from app.node import stream, views
from app.node.views import answer_engine, run_query
from app.pb.pollen.jobs.v1 import query_pb2 as jobs_query
from app.pb.pollen.node.v1 import node_pb2
from app.sdk.signer import Signer, Signing, Terms, sign_tx
from app.wire.proofs import decode_proof
from app.wire.records import unpack
from app.wire.tx import encode_slot
from tests.build import a_job
from tests.node.fake_engine import CHAIN_ID, Node

ANNA, BERT = Signer(sha256(b"anna").digest()), Signer(sha256(b"bert").digest())
ANNA_TEXT = to_bech32(ANNA.address)
WATCH = "/pollen.node.v1.Service/WatchJob"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(tmp_path / "state")
    node.engine.begin(ANNA)
    await node.start()
    yield node
    await node.close()


@pytest.fixture
async def channel(node: Node) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(node.address) as channel:
        yield channel


async def call(channel: Any, path: str, request: Any, response: Any) -> Any:
    method = channel.unary_unary(
        path,
        request_serializer=type(request).SerializeToString,
        response_deserializer=response.FromString,
    )
    return await method(request)


def watch(channel: Any, job_id: int, from_height: int = 0) -> Any:
    method = channel.unary_stream(
        WATCH,
        request_serializer=node_pb2.WatchJobRequest.SerializeToString,
        response_deserializer=node_pb2.WatchJobResponse.FromString,
    )
    return method(node_pb2.WatchJobRequest(job_id=job_id, from_height=from_height))


class Sequence:
    """Signs Anna's transactions one after the other."""

    def __init__(self) -> None:
        self.next = 0

    def sign(self, *messages: Any, gas_limit: int = 20_000_000) -> bytes:
        terms = Terms(chain_id=CHAIN_ID, gas_limit=gas_limit, fee_uflt=1_000_000)
        raw = sign_tx(messages, [Signing(ANNA, 0, self.next)], terms)
        self.next += 1
        return raw


def post_and_fund(node: Node, sequence: Sequence, *, times: int) -> None:
    """Post job 1, then fund it so often, each in a block of its own."""
    node.engine.waiting.append(sequence.sign(a_job(ANNA.address)))
    node.engine.make_block()
    for _ in range(times):
        fund_once(node, sequence)


def fund_once(node: Node, sequence: Sequence) -> None:
    node.engine.waiting.append(sequence.sign(jobs.FundJob(ANNA.address, U64(1), U64(5))))
    node.engine.make_block()


# ---- questions


async def test_a_module_answers_at_its_path(node: Node, channel: Any) -> None:
    post_and_fund(node, Sequence(), times=0)
    request = jobs_query.QueryJobRequest(job_id=1)
    answer = await call(channel, "/pollen.jobs.v1.Query/Job", request, jobs_query.QueryJobResponse)
    assert (answer.job.requester, answer.job.spec.title) == (ANNA_TEXT, "hospital readmission")


async def test_a_refused_question_says_module_and_code(channel: Any) -> None:
    request = jobs_query.QueryJobRequest(job_id=9)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "/pollen.jobs.v1.Query/Job", request, jobs_query.QueryJobResponse)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    trailers = dict(caught.value.trailing_metadata())
    assert trailers["pollen-codespace"] == "jobs"
    assert int(trailers["pollen-code"]) == jobs.NoSuchJob.code


async def test_answers_carry_their_height(node: Node, channel: Any) -> None:
    method = channel.unary_unary(
        "/cosmos.bank.v1beta1.Query/Balance",
        request_serializer=bank_query.QueryBalanceRequest.SerializeToString,
        response_deserializer=bank_query.QueryBalanceResponse.FromString,
    )
    asked = method(bank_query.QueryBalanceRequest(address=ANNA_TEXT, denom="uflt"))
    assert (await asked).balance.amount == str(10**12)
    assert dict(await asked.initial_metadata())["x-cosmos-block-height"] == "1"


async def test_a_question_is_answered_from_the_height_that_its_header_gives(
    node: Node, channel: Any
) -> None:
    node.engine.waiting.append(Sequence().sign(a_job(ANNA.address)))
    node.engine.make_block()
    method = channel.unary_unary(
        "/cosmos.bank.v1beta1.Query/Balance",
        request_serializer=bank_query.QueryBalanceRequest.SerializeToString,
        response_deserializer=bank_query.QueryBalanceResponse.FromString,
    )
    request, found = bank_query.QueryBalanceRequest(address=ANNA_TEXT, denom="uflt"), {}
    for height in ("0", "1", "2"):
        asked = method(request, metadata=(("x-cosmos-block-height", height),))
        found[height] = int((await asked).balance.amount)
        answered = dict(await asked.initial_metadata())["x-cosmos-block-height"]
        assert answered == ("2" if height == "0" else height)
    assert found["0"] == found["2"] < found["1"] == 10**12
    wrongs = ("3", "heights 1 to 2"), ("one", "is no height"), ("9" * 5_000, "is no height")
    for wrong, words in wrongs:
        with pytest.raises(grpc.aio.AioRpcError, match=words) as caught:
            await method(request, metadata=(("x-cosmos-block-height", wrong),))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_many_ask_after_a_block_is_answered_once(
    node: Node, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(state: Any, request: Any) -> Any:
        asked.append(request)
        return run_query(state, request)

    monkeypatch.setattr(views, "run_query", answer)

    async def count_jobs(before: int = 0) -> int:
        request = jobs_query.QueryJobsRequest(before=before)
        answer = jobs_query.QueryJobsResponse
        return len((await call(channel, "/pollen.jobs.v1.Query/Jobs", request, answer)).jobs)

    assert [await count_jobs() for _ in range(3)] == [0, 0, 0]
    assert len(asked) == 1
    node.engine.waiting.append(Sequence().sign(a_job(ANNA.address)))
    node.engine.make_block()
    assert [await count_jobs() for _ in range(3)] == [1, 1, 1]
    assert len(asked) == 2
    assert await count_jobs(before=1) == 0
    assert len(asked) == 3


async def test_what_is_present_has_no_height(channel: Any) -> None:
    method = channel.unary_unary(
        "/pollen.node.v1.Service/Status",
        request_serializer=node_pb2.StatusRequest.SerializeToString,
        response_deserializer=node_pb2.StatusResponse.FromString,
    )
    with pytest.raises(grpc.aio.AioRpcError, match="this method has no height"):
        await method(node_pb2.StatusRequest(), metadata=(("x-cosmos-block-height", "1"),))


async def test_a_row_is_proved_over_grpc_too(node: Node, channel: Any) -> None:
    path = "/cosmos.base.tendermint.v1beta1.Service/ABCIQuery"
    request = node_query.ABCIQueryRequest(path="/store/bank/key", data=SENTINEL, prove=True)
    answer = await call(channel, path, request, node_query.ABCIQueryResponse)
    assert (answer.code, answer.height, answer.value) == (0, 1, SENTINEL_VALUE)
    app_hash = node.application.last.app_hash
    assert verify(decode_proof(answer.proof_ops), app_hash, b"bank", SENTINEL) == SENTINEL_VALUE


async def test_an_unknown_account_is_not_found(channel: Any) -> None:
    request = auth_query.QueryAccountRequest(address=to_bech32(BERT.address))
    path = "/cosmos.auth.v1beta1.Query/Account"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, path, request, auth_query.QueryAccountResponse)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert "not found" in caught.value.details()


async def test_a_wrong_address_is_an_invalid_argument(channel: Any) -> None:
    request = bank_query.QueryBalanceRequest(address="cosmos1x", denom="uflt")
    path = "/cosmos.bank.v1beta1.Query/Balance"
    with pytest.raises(grpc.aio.AioRpcError, match="does not begin with pollen1") as caught:
        await call(channel, path, request, bank_query.QueryBalanceResponse)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_engines_queries_are_answered_alike(node: Node) -> None:
    view = node.application.view
    path = "/cosmos.auth.v1beta1.Query/Account"
    found = auth_query.QueryAccountRequest(address=ANNA_TEXT).SerializeToString()
    assert answer_engine(view, RequestQuery(path=path, data=found)).code == 0
    missing = auth_query.QueryAccountRequest(address=to_bech32(BERT.address)).SerializeToString()
    answer = answer_engine(view, RequestQuery(path=path, data=missing))
    assert (answer.code, answer.height) == (22, 1)
    assert answer.log.startswith("rpc error: code = NotFound")
    assert answer_engine(view, RequestQuery(path="/x.Y/Z")).code == 6
    assert answer_engine(view, RequestQuery(path=path, data=b"\xff")).code == 18


async def test_status_says_how_far_the_node_is(node: Node, channel: Any) -> None:
    path, request = "/pollen.node.v1.Service/Status", node_pb2.StatusRequest()
    status = await call(channel, path, request, node_pb2.StatusResponse)
    assert (status.chain_id, status.height, status.ready) == (CHAIN_ID, 1, True)
    assert (status.engine_version, status.app_hash) == ("0.38.26", node.application.last.app_hash)
    node.engine.is_deaf = True
    status = await call(channel, path, request, node_pb2.StatusResponse)
    assert (status.height, status.ready) == (1, False)


async def test_the_invariants_can_be_checked_from_outside(channel: Any) -> None:
    path, request = "/pollen.node.v1.Service/CheckInvariants", node_pb2.CheckInvariantsRequest()
    found = await call(channel, path, request, node_pb2.CheckInvariantsResponse)
    assert list(found.broken) == []
    assert "bank: supply is the sum of all balances" in found.checked


async def test_reflection_and_health_are_there(channel: Any) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    checked = await health.Check(health_pb2.HealthCheckRequest())
    assert checked.status == health_pb2.HealthCheckResponse.SERVING
    asked = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    )
    names = [each.name async for answer in asked for each in answer.list_services_response.service]
    assert {"pollen.jobs.v1.Query", "pollen.node.v1.Service", "cosmos.tx.v1beta1.Service"} <= {
        *names
    }


# ---- transactions


async def broadcast(channel: Any, raw: bytes, mode: Any) -> Any:
    request = service_pb2.BroadcastTxRequest(tx_bytes=raw, mode=mode)
    path = "/cosmos.tx.v1beta1.Service/BroadcastTx"
    return (await call(channel, path, request, service_pb2.BroadcastTxResponse)).tx_response


async def get_tx(channel: Any, tx_hash: str) -> Any:
    request, path = service_pb2.GetTxRequest(hash=tx_hash), "/cosmos.tx.v1beta1.Service/GetTx"
    return await call(channel, path, request, service_pb2.GetTxResponse)


async def test_a_transaction_is_handed_over_and_found(node: Node, channel: Any) -> None:
    raw = Sequence().sign(a_job(ANNA.address))
    handed = await broadcast(channel, raw, service_pb2.BROADCAST_MODE_SYNC)
    assert (handed.code, handed.height) == (0, 0)
    found = await get_tx(channel, handed.txhash)
    assert (found.tx_response.code, found.tx_response.height) == (0, 2)
    assert found.tx_response.timestamp == "2023-11-14T22:13:20Z"
    assert found.tx.signatures == found.tx.FromString(raw).signatures
    types = [event.type for event in found.tx_response.events]
    assert "pollen.jobs.v1.EventJobPosted" in types


async def test_a_proposer_s_slot_is_found_though_it_is_no_transaction(
    node: Node, channel: Any
) -> None:
    raw = encode_slot(Slot(bytes(20), bytes(80)))
    node.engine.waiting.append(raw)
    node.engine.make_block()
    found = await get_tx(channel, sha256(raw).hexdigest())
    assert (found.tx_response.code, found.tx_response.height) == (0, 2)
    assert found.tx_response.tx.value == raw
    assert found.tx == type(found.tx)()


async def test_mode_block_answers_when_a_block_has_it(node: Node, channel: Any) -> None:
    node.engine.commits_at_once = False
    raw = Sequence().sign(a_job(ANNA.address))
    mode = service_pb2.BROADCAST_MODE_BLOCK
    handed = asyncio.create_task(broadcast(channel, raw, mode))
    while not node.engine.waiting:
        await asyncio.sleep(0.001)
    node.engine.make_block()
    response = await handed
    assert (response.code, response.height) == (0, 2)


async def test_what_the_engine_knows_already_has_cosmos_code(node: Node, channel: Any) -> None:
    raw = Sequence().sign(a_job(ANNA.address))
    for expected in (0, 19):
        handed = await broadcast(channel, raw, service_pb2.BROADCAST_MODE_SYNC)
        assert handed.code == expected


async def test_a_missing_transaction_is_not_found(channel: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="tx not found: ABAB") as caught:
        await get_tx(channel, "ab" * 32)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError, match="not 32 bytes"):
        await get_tx(channel, "abcd")


async def test_without_its_engine_the_node_says_so(node: Node, channel: Any) -> None:
    node.engine.is_deaf = True
    with pytest.raises(grpc.aio.AioRpcError, match="engine doesn't answer") as caught:
        await broadcast(channel, b"x", service_pb2.BROADCAST_MODE_SYNC)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_simulation_needs_no_signature_and_says_what_fails(channel: Any) -> None:
    path = "/cosmos.tx.v1beta1.Service/Simulate"
    request = service_pb2.SimulateRequest(tx_bytes=Sequence().sign(a_job(ANNA.address)))
    answer = await call(channel, path, request, service_pb2.SimulateResponse)
    assert answer.gas_info.gas_used > 0
    assert unpack(answer.result.msg_responses[0]).job_id == 1
    missing = Sequence().sign(jobs.FundJob(ANNA.address, U64(9), U64(5)))
    with pytest.raises(grpc.aio.AioRpcError, match="9"):
        await call(
            channel,
            path,
            service_pb2.SimulateRequest(tx_bytes=missing),
            service_pb2.SimulateResponse,
        )


async def test_cosmpys_ledger_client_sends_money(node: Node) -> None:
    def work() -> None:
        config = NetworkConfig(
            chain_id=CHAIN_ID,
            fee_minimum_gas_price=1,
            fee_denomination="uflt",
            staking_denomination="uflt",
            url=f"grpc+http://{node.address}",
        )
        ledger = LedgerClient(config, query_interval_secs=0)
        wallet = LocalWallet(PrivateKey(ANNA.secret), prefix="pollen")
        target = CosmpyAddress(bytes(BERT.address), "pollen")
        with pytest.raises(NotFoundError):
            ledger.query_tx("AB" * 32)
        sent = ledger.send_tokens(target, 7, "uflt", wallet).wait_to_complete()
        assert sent.response is not None
        assert sent.response.is_successful()
        assert ledger.query_bank_balance(target, "uflt") == 7
        assert ledger.query_account(wallet.address()).sequence == 1
        assert ledger.query_height() == 2

    await asyncio.to_thread(work)


# ---- a job's stream


def names(response: Any) -> list[str]:
    return [type(unpack(packed)).__name__ for packed in response.events]


async def test_a_stream_begins_with_the_state_and_goes_on_with_each_block(
    node: Node, channel: Any
) -> None:
    sequence = Sequence()
    post_and_fund(node, sequence, times=1)
    responses = aiter(watch(channel, 1))
    first = await anext(responses)
    assert (first.height, first.snapshot.job.job_id) == (3, 1)
    fund_once(node, sequence)
    second = await anext(responses)
    assert (second.height, names(second)) == (4, ["JobFunded"])
    assert not second.HasField("snapshot")
    assert second.time_unix_ms == node.application.last.time_ms


async def test_a_stream_from_a_height_repeats_the_past_once(node: Node, channel: Any) -> None:
    sequence = Sequence()
    post_and_fund(node, sequence, times=3)
    responses = aiter(watch(channel, 1, from_height=3))
    past = [await anext(responses) for _ in range(3)]
    fund_once(node, sequence)
    heights = [response.height for response in (*past, await anext(responses))]
    assert heights == [3, 4, 5, 6]


async def test_a_node_that_began_from_a_snapshot_says_from_where_it_has_events(
    node: Node, channel: Any
) -> None:
    sequence = Sequence()
    post_and_fund(node, sequence, times=3)
    node.store.replace(node.store.last, list(node.store.items(b"")))
    fund_once(node, sequence)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(aiter(watch(channel, 1, from_height=5)))
    assert caught.value.code() == grpc.StatusCode.OUT_OF_RANGE
    assert "has events from height 6 on" in caught.value.details()
    assert (await anext(aiter(watch(channel, 1)))).snapshot.job.job_id == 1
    assert names(await anext(aiter(watch(channel, 1, from_height=6)))) == ["JobFunded"]


async def test_all_jobs_have_one_stream(node: Node, channel: Any) -> None:
    responses = aiter(watch(channel, 0))
    assert (await anext(responses)).height == 1
    post_and_fund(node, Sequence(), times=0)
    assert "JobPosted" in names(await anext(responses))


async def test_a_silent_job_still_tells_the_time(
    node: Node, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.01)
    post_and_fund(node, Sequence(), times=0)
    responses = aiter(watch(channel, 1))
    await anext(responses)
    node.engine.make_block()
    beat = await anext(responses)
    assert (beat.height, names(beat)) == (3, [])


async def test_a_stream_of_no_job_is_refused(channel: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(aiter(watch(channel, 9)))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_blocks_events_are_encoded_once_for_all_streams(
    node: Node, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = Sequence()
    post_and_fund(node, sequence, times=0)
    streams = [aiter(watch(channel, 1)) for _ in range(50)]
    for responses in streams:
        await anext(responses)
    encoded: list[int] = []
    encode_block: Callable[..., bytes] = stream.encode_block

    def count(events: Any) -> bytes:
        encoded.append(events[0].height)
        return encode_block(events)

    monkeypatch.setattr(stream, "encode_block", count)
    fund_once(node, sequence)
    for responses in streams:
        assert names(await anext(responses)) == ["JobFunded"]
    assert encoded == [3]


async def test_a_stream_that_is_left_leaves_nothing(node: Node) -> None:
    post_and_fund(node, Sequence(), times=0)
    feed = stream.Feed(node.application)
    responses = feed.watch(1, 0)
    await anext(responses)
    assert feed.watcher_count == 1
    await responses.aclose()
    assert feed.watcher_count == 0


async def test_only_so_many_streams_are_served(
    node: Node, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "WATCHERS_MAX", 0)
    with pytest.raises(grpc.aio.AioRpcError, match="no more streams") as caught:
        await anext(aiter(watch(channel, 0)))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_reader_too_slow_is_dropped(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BLOCKS_WAITING_MAX", 3)
    sequence = Sequence()
    post_and_fund(node, sequence, times=0)
    feed = stream.Feed(node.application)
    responses = feed.watch(1, 0)
    await anext(responses)
    for _ in range(4):
        fund_once(node, sequence)
        feed.publish()
    with pytest.raises(stream.TooSlow):
        await anext(responses)
