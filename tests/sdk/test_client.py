"""The client: what is submitted happens once, what is watched has no gap, and nodes may go away."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from cosmpy.protos.tendermint.abci.types_pb2 import RequestQuery, ResponseQuery

from app.kernel.record import U64, Address
from app.modules import auth, bank, jobs
from app.node import txs
from app.sdk import client as client_module
from app.sdk import delivery
from app.sdk.client import (
    ChainError,
    Client,
    Fee,
    QueryRefused,
    TxRejected,
    TxUnconfirmed,
    Unreachable,
)
from app.sdk.protocol import U128, Coin, JobFunded, JobRequest, PostJobResponse, Send
from app.sdk.signer import Signer, Signing, Terms, sign_tx
from tests.build import a_job
from tests.node.fake_engine import CHAIN_ID, Node

ANNA, BERT = Signer(sha256(b"anna").digest()), Signer(sha256(b"bert").digest())
FEE = Fee(20_000_000, 1_000_000)


@pytest.fixture
async def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(delivery, "RESEND_S", 0.05)
    monkeypatch.setattr(client_module, "RECONNECT_S_MIN", 0.01)
    node = Node(tmp_path / "state")
    node.engine.begin(ANNA, BERT)
    await node.start()
    yield node
    await node.close()


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Client]:
    async with await Client.connect(node.address) as client:
        yield client


def send(amount: int = 5, target: Address = BERT.address) -> Send:
    return Send(ANNA.address, target, (Coin("uflt", U128(amount)),))


def fund() -> jobs.FundJob:
    return jobs.FundJob(ANNA.address, U64(1), U64(5))


def sequence_of(node: Node, signer: Signer) -> int:
    account = auth.find_account(node.application.state, signer.address)
    assert account is not None
    return account.sequence


async def test_what_is_submitted_is_answered_and_can_be_asked_for(client: Client) -> None:
    outcome = await client.submit(ANNA, [a_job(ANNA.address)], memo="hi")
    assert (outcome.code, outcome.height) == (0, 2)
    assert outcome.responses == (PostJobResponse(U64(1)),)
    found = await client.query(JobRequest(U64(1)))
    assert found.job.requester == ANNA.address
    assert await client.find_tx(outcome.hash) == outcome
    assert await client.wait(outcome.hash) == outcome


async def test_a_fee_that_is_not_stated_is_estimated(node: Node, client: Client) -> None:
    before = await client.balance(ANNA.address)
    outcome = await client.submit(ANNA, [send(7)])
    paid = before - await client.balance(ANNA.address) - 7
    estimate = await client.estimate_fee(ANNA, [send(7)])
    assert outcome.gas_used < estimate.gas_limit
    assert paid <= estimate.amount_uflt + 1


async def test_a_missing_job_is_refused_by_name(client: Client) -> None:
    with pytest.raises(QueryRefused, match="9") as caught:
        await client.query(JobRequest(U64(9)))
    assert caught.value.is_called("NoSuchJob")
    assert not caught.value.is_called("NotTheRequester")


async def test_a_rejection_carries_code_module_and_text(client: Client) -> None:
    with pytest.raises(TxRejected, match="insufficient funds") as caught:
        await client.submit(ANNA, [send(10**15)])
    assert (caught.value.codespace, caught.value.height) == ("bank", 0)
    with pytest.raises(TxRejected, match="insufficient funds") as caught:
        await client.submit(ANNA, [send(10**15)], fee=FEE)
    assert caught.value.is_called("InsufficientFunds")
    assert (caught.value.code, caught.value.height) == (bank.InsufficientFunds.code, 2)
    assert (await client.submit(ANNA, [send()], fee=FEE)).height == 3


async def test_submissions_of_one_account_wait_for_one_another(node: Node, client: Client) -> None:
    outcomes = await asyncio.gather(*[client.submit(ANNA, [send()], fee=FEE) for _ in range(5)])
    assert sorted(outcome.height for outcome in outcomes) == [2, 3, 4, 5, 6]
    assert sequence_of(node, ANNA) == 5


async def test_a_sequence_that_another_program_used_is_recovered(
    node: Node, client: Client
) -> None:
    async with await Client.connect(node.address) as other:
        await client.submit(ANNA, [send()], fee=FEE)
        await other.submit(ANNA, [send()], fee=FEE)
        await client.submit(ANNA, [send()], fee=FEE)
    assert sequence_of(node, ANNA) == 3


async def test_a_transaction_the_engine_lost_is_sent_again_not_signed_again(
    node: Node, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(txs, "COMMIT_WAIT_S", 0.05)
    node.engine.commits_at_once = False
    submitted = asyncio.create_task(client.submit(ANNA, [send()], fee=FEE))
    while not node.engine.waiting:
        await asyncio.sleep(0.001)
    node.engine.waiting.clear()
    node.engine.known.clear()
    node.engine.make_block()
    node.engine.commits_at_once = True
    await submitted
    assert len(node.engine.broadcasts) > 1
    assert len(set(node.engine.broadcasts)) == 1
    assert sequence_of(node, ANNA) == 1


async def test_a_transaction_whose_sequence_another_took_is_signed_again(
    node: Node, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine still holds it, and would for ever."""
    monkeypatch.setattr(txs, "COMMIT_WAIT_S", 0.05)
    account = await client.account(ANNA.address)
    terms = Terms(chain_id=CHAIN_ID, gas_limit=FEE.gas_limit, fee_uflt=FEE.amount_uflt)
    other = sign_tx([send(9)], [Signing(ANNA, account.number, 0)], terms)
    node.engine.commits_at_once = False
    submitted = asyncio.create_task(client.submit(ANNA, [send(5)], fee=FEE))
    while not node.engine.waiting:
        await asyncio.sleep(0.001)
    node.engine.waiting[:] = [other]
    node.engine.make_block()
    node.engine.commits_at_once = True
    outcome = await submitted
    assert outcome.height == 3
    assert len(set(node.engine.broadcasts)) == 2
    assert sequence_of(node, ANNA) == 2


async def test_a_transaction_that_is_not_indexed_yet_is_not_signed_again(
    node: Node, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account's sequence is used, but by this one."""
    monkeypatch.setattr(txs, "COMMIT_WAIT_S", 0.05)
    node.engine.commits_at_once = False
    submitted = asyncio.create_task(client.submit(ANNA, [send()], fee=FEE))
    while not node.engine.waiting:
        await asyncio.sleep(0.001)
    node.engine.make_block()
    index, node.engine.found = node.engine.found, {}
    while len(node.engine.broadcasts) < 4:
        await asyncio.sleep(0.01)
    node.engine.found = index
    assert (await submitted).height == 2
    assert len(set(node.engine.broadcasts)) == 1
    assert sequence_of(node, ANNA) == 1


async def test_a_transaction_no_block_takes_is_unconfirmed_and_bounded(
    node: Node, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(txs, "COMMIT_WAIT_S", 0.05)
    node.engine.commits_at_once = False
    with pytest.raises(TxUnconfirmed, match="can't enter any more") as caught:
        await client.submit(ANNA, [send()], fee=FEE, timeout_s=0.2)
    assert client_module.BLOCKS_PER_S_MAX < caught.value.timeout_height < 200
    node.engine.make_block()
    assert (await client.wait(caught.value.hash)).height == 2
    with pytest.raises(TxUnconfirmed):
        await client.wait("AB" * 32, timeout_s=0.05)


async def test_the_next_node_is_asked_when_one_is_gone(node: Node) -> None:
    async with await Client.connect("127.0.0.1:1", node.address) as client:
        assert await client.balance(ANNA.address) == 10**12
    with pytest.raises(Unreachable, match="is one running there"):
        await Client.connect("127.0.0.1:1", "127.0.0.1:2")


async def test_a_node_that_is_far_behind_another_is_not_heeded(node: Node, tmp_path: Path) -> None:
    behind = Node(tmp_path / "behind")
    behind.engine.begin(ANNA, BERT)
    await behind.start()
    async with await Client.connect(behind.address, node.address) as client:
        for _ in range(12):
            node.engine.make_block()
        client._connection.note_height(node.application.last.height)
        assert (await client.status()).height == node.application.last.height
        await node.stop()
        with pytest.raises(Unreachable, match="only at height 1"):
            await client.balance(ANNA.address)
    await behind.close()


async def test_a_node_of_another_chain_is_refused(node: Node) -> None:
    assert (await Client.connect(node.address, chain_id=CHAIN_ID)).chain_id == CHAIN_ID
    with pytest.raises(ChainError, match="is a node of 'pollen-test'"):
        await Client.connect(node.address, chain_id="pollen-1")


async def test_a_submission_survives_its_node(node: Node, client: Client) -> None:
    await client.submit(ANNA, [send()], fee=FEE)
    port = node.server.port
    await node.stop()
    submitted = asyncio.create_task(client.submit(ANNA, [send()], fee=FEE))
    await asyncio.sleep(0.1)
    await node.start(port)
    assert (await submitted).height == 3


async def test_a_watch_goes_on_after_its_node_without_gap_or_repeat(
    node: Node, client: Client
) -> None:
    await client.submit(ANNA, [a_job(ANNA.address)])
    watched = client.watch_job(1)
    first = await anext(watched)
    assert first.snapshot is not None
    assert first.snapshot.job.job_id == 1
    await client.submit(ANNA, [fund()], fee=FEE)
    port = node.server.port
    await node.stop()
    node.engine.make_block()
    await node.start(port)
    await client.submit(ANNA, [fund()], fee=FEE)
    await client.submit(ANNA, [fund()], fee=FEE)
    updates = [first, *[await anext(watched) for _ in range(3)]]
    assert [update.height for update in updates] == [2, 3, 5, 6]
    assert updates[1].events == (JobFunded(U64(1), ANNA.address, U64(5)),)


async def test_a_node_without_the_events_asked_for_is_left_for_the_next(
    node: Node, client: Client
) -> None:
    await client.submit(ANNA, [a_job(ANNA.address)])
    node.store.replace(node.store.last, list(node.store.items(b"")))
    with pytest.raises(QueryRefused, match="has events from height 3 on"):
        await anext(client.watch_job(1, from_height=1))
    assert client._connection.failover_count == 1


async def test_watching_no_job_is_refused(client: Client) -> None:
    with pytest.raises(QueryRefused) as caught:
        await anext(client.watch_job(9))
    assert caught.value.is_called("NoSuchJob")


async def test_the_node_is_asked_for_its_state(client: Client) -> None:
    assert (await client.status()).ready
    assert list((await client.check_invariants()).broken) == []
    assert (await client.account(ANNA.address)).sequence == 0
    with pytest.raises(QueryRefused, match="not found"):
        await client.account(Address(b"x" * 20))


# ---- rows and their proofs


async def test_a_row_is_believed_by_its_proof_alone(
    node: Node, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = bank.BALANCES.key.encode((ANNA.address, "uflt")).removeprefix(b"bank/")
    row = await client.read_store("bank", key)
    assert row.value == node.application.state.get(b"bank/" + key)
    assert (row.height, row.app_hash) == (1, node.application.last.app_hash)
    node.engine.make_block()
    assert await client.read_store("bank", key, height=1, app_hash=row.app_hash) == row
    assert (await client.read_store("bank", key + b"x")).value is None
    with pytest.raises(ChainError, match="another application hash"):
        await client.read_store("bank", key, height=1, app_hash=bytes(32))
    with pytest.raises(QueryRefused, match="no store 'honey'"):
        await client.read_store("honey", key)
    honest = node.application.query
    other = bank.BALANCES.key.encode((BERT.address, "uflt")).removeprefix(b"bank/")

    def lie(request: RequestQuery) -> ResponseQuery:
        return honest(RequestQuery(path=request.path, data=other, height=1, prove=True))

    monkeypatch.setattr(node.application, "query", lie)
    with pytest.raises(ChainError, match="about another key; ask another node"):
        await client.read_store("bank", key)
