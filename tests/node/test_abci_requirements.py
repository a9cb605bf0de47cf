"""CometBFT's requirements of an application, by their numbers (spec/abci, v0.38)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app import chain
from app.modules.clock import HALTS
from app.node import abci as application
from app.node.abci import proto_bytes
from app.node.views import Call
from tests.node.bank_chain import ALICE, BALANCE_UFLT, BORIS, CLARA, BankChain, a_send

INJECTED = b"\0pollen"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path)
    node.init()
    node.run()
    yield node
    node.store.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path / "other")
    node.init()
    node.run()
    yield node
    node.store.close()


def test_requirement_1_a_proposal_is_made_without_executing_it_and_in_time(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    txs = [a_send(ALICE, at) for at in range(3)]
    before = node.app.metrics.execution_s._sum.get()
    assert node.prepare(txs) == txs
    assert node.app.metrics.execution_s._sum.get() == before
    monkeypatch.setattr(application, "PREPARE_S_MAX", 0)
    assert node.prepare(txs) == txs[:1]


@pytest.mark.parametrize("room", [0, 1, 300, 301, 700, 10_000])
def test_requirement_2_a_proposal_keeps_to_max_tx_bytes(node: BankChain, room: int) -> None:
    txs = [a_send(ALICE, at) for at in range(5)] + [a_send(BORIS, 0, memo="m" * 400)]
    chosen = node.prepare(txs, room)
    proto = abci.RequestPrepareProposal(txs=chosen)
    assert sum(map(proto_bytes, chosen)) <= room
    assert len(proto.SerializeToString()) - 1 <= sum(map(proto_bytes, chosen))


def test_requirement_3_what_is_prepared_is_accepted(node: BankChain, other: BankChain) -> None:
    mixed = [
        b"", b"\xff", INJECTED, a_send(ALICE, 1), a_send(ALICE, 0), a_send(BORIS, 5),
        a_send(CLARA, 0, 2 * BALANCE_UFLT), a_send(ALICE, 2, chain_id="elsewhere"),
    ]  # fmt: skip
    chosen = node.prepare(mixed)
    assert chosen == [mixed[4], mixed[3], mixed[6]]
    assert node.accepts(chosen)
    assert other.accepts(chosen)
    assert node.accepts([])


def test_requirement_3_failing_transactions_do_not_make_a_block_wrong(node: BankChain) -> None:
    assert node.accepts([a_send(ALICE, 7), a_send(BORIS, 0, 2 * BALANCE_UFLT)])


def test_what_piles_up_in_the_engine_is_let_fail(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "REFUSED_MAX", 2)
    stale = [a_send(BORIS, 5, at) for at in range(3)]
    good = a_send(ALICE, 0)
    assert node.prepare([*stale[:2], good]) == [good]
    chosen = node.prepare([*stale, good])
    assert chosen == [good, *stale[:2]]
    assert node.accepts(chosen)
    assert [result.code for result in node.run(chosen).tx_results] == [0, 205, 205]


@pytest.mark.parametrize("raw", [b"", b"\xff", INJECTED, b"\x0a\x05abc"])
def test_requirement_4_and_5_acceptance_follows_from_block_and_state(
    node: BankChain, other: BankChain, raw: bytes
) -> None:
    good = a_send(ALICE, 0)
    assert node.accepts([good])
    for txs in ([raw], [raw, good], [good, raw]):
        assert not node.accepts(txs)
        assert not other.accepts(txs)
    node.check(a_send(BORIS, 0))
    assert node.accepts([good])


def test_requirement_4_too_large_a_block_is_rejected(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    tx = a_send(ALICE, 0)
    monkeypatch.setattr(application, "BLOCK_BYTES_MAX", proto_bytes(tx))
    assert node.accepts([tx])
    assert not node.accepts([tx, a_send(BORIS, 0)])


def test_requirement_6_to_8_the_empty_extension_passes_and_no_other(node: BankChain) -> None:
    extension = node.app.extend_vote(abci.RequestExtendVote()).vote_extension
    verdict = abci.ResponseVerifyVoteExtension
    for data, status in ((extension, verdict.ACCEPT), (b"x", verdict.REJECT)):
        request = abci.RequestVerifyVoteExtension(vote_extension=data)
        assert node.app.verify_vote_extension(request).status == status


def test_requirement_9_proposals_change_nothing_committed(node: BankChain) -> None:
    rows, info = list(node.store.items(b"")), node.info()
    node.accepts(node.prepare([a_send(ALICE, 0), a_send(BORIS, 0)]))
    node.accepts([a_send(CLARA, 0)])
    node.check(a_send(ALICE, 0))
    node.finalize([a_send(ALICE, 0)])
    assert list(node.store.items(b"")) == rows
    assert node.info() == info
    assert node.balance() == 0


def test_requirement_10_a_block_does_not_depend_on_extensions(
    node: BankChain, other: BankChain
) -> None:
    node.app.verify_vote_extension(abci.RequestVerifyVoteExtension(vote_extension=b"x"))
    assert node.run([a_send(ALICE, 0)]) == other.run([a_send(ALICE, 0)])


def test_requirement_11_and_12_state_and_results_follow_from_the_blocks(
    node: BankChain, other: BankChain
) -> None:
    blocks = [[a_send(ALICE, 0), b"\xff"], [], [a_send(ALICE, 1), a_send(BORIS, 3)]]
    for txs in blocks:
        node.accepts([a_send(CLARA, 0)])
        node.accepts(txs)
        response = node.run(txs)
        assert response == other.run(txs)
        assert len(response.tx_results) == len(txs)
        assert node.info() == other.info()


def test_requirement_13_a_transaction_stops_oscillating(node: BankChain) -> None:
    tx = a_send(ALICE, 0)
    assert node.check(tx).code == 0
    assert [node.check(tx, again=True).code for _ in range(3)] == [0, 0, 0]
    node.run([tx])
    codes = [node.check(tx, again=again).code for again in (False, True, False, True)]
    node.run()
    assert 0 not in codes
    assert codes == [node.check(tx, again=again).code for again in (False, True, False, True)]


def test_an_empty_block_does_not_change_the_root(node: BankChain) -> None:
    first = node.run([a_send(ALICE, 0)]).app_hash
    assert [node.run().app_hash for _ in range(3)] == [first] * 3


def test_misbehaviour_reaches_the_block(node: BankChain) -> None:
    found = abci.Misbehavior(type=abci.MisbehaviorType.DUPLICATE_VOTE, height=1)
    found.validator.address = b"v" * 20
    node.finalize(misbehavior=[found])
    assert node.app._decided is not None
    caught = node.app._decided.result.block.misbehaviour[0]
    assert (caught.kind, caught.validator, caught.height) == ("duplicate_vote", b"v" * 20, 1)


def test_the_clock_stands_still_over_a_long_gap(node: BankChain) -> None:
    before = node.app.last
    block = node.block(node.app.last.height + 1)
    block["time"].FromMilliseconds(before.time_ms + 3_600_000)
    node.app.finalize_block(abci.RequestFinalizeBlock(**block))
    node.commit()
    assert node.app.last.clock_ms == before.clock_ms
    assert HALTS.get(node.app.state).total_ms == 3_600_000


def test_at_most_four_proposals_are_remembered(node: BankChain) -> None:
    for at in range(10):
        node.accepts([a_send(ALICE, 0, at + 1)])
    assert len(node.app._candidates) == application.CANDIDATES_MAX
    node.run([a_send(ALICE, 0, 1)])
    assert node.balance() == 1


def test_a_proposal_that_was_executed_is_not_executed_again(node: BankChain) -> None:
    txs = [a_send(ALICE, 0)]
    node.accepts(txs)
    count = node.app.metrics.execution_s._sum.get()
    node.run(txs)
    assert node.app.metrics.execution_s._sum.get() == count


def test_numbers_beyond_the_engines_do_not_stop_the_node(node: BankChain) -> None:
    greedy = a_send(ALICE, 0, gas_limit=(1 << 64) - 1)
    assert node.check(greedy).code != 0
    assert node.accepts([greedy])
    assert node.run([greedy]).tx_results[0].gas_wanted == (1 << 63) - 1


def test_a_fault_of_ours_is_an_answer_to_who_asks(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(application, "answer_engine", fail)
    monkeypatch.setattr(node.app.mempool, "admit", fail)
    node.app.engine_calls = {"/y": Call(abci.RequestQuery, fail)}  # type: ignore[arg-type]
    assert node.app.query(abci.RequestQuery(path="/x")).code == chain.INTERNAL
    later = node.app.query(abci.RequestQuery(path="/y"))
    assert asyncio.run(later).code == chain.INTERNAL
    assert node.check(a_send(ALICE, 0)).code == chain.INTERNAL
