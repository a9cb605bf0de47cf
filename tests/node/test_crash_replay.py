"""The node stops anywhere, starts again, and is where the engine takes it to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import plyvel
import pytest
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app import chain
from app.kernel.context import Block
from app.kernel.crypto import verify_secp256k1
from app.kernel.store import MemoryStore, Overlay
from app.kernel.trie import Forest
from app.node.config import OperatorError
from app.node.leveldb import LevelStore
from app.wire.tx import decode_tx
from tests.node.bank_chain import (
    ALICE,
    BLOCK_MS,
    BORIS,
    CHAIN_ID,
    START_MS,
    BankChain,
    a_send,
)

BLOCKS = [[a_send(ALICE, 0)], [], [a_send(ALICE, 1, 5), a_send(BORIS, 0)], [b"\xff"]]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path)
    node.init()
    yield node
    node.store.close()


def test_a_repeated_init_chain_begins_again(node: BankChain) -> None:
    root = node.init()
    assert node.init() == root
    node.finalize([a_send(ALICE, 0)])
    assert node.init() == root
    assert node.info() == (0, b"")
    node.run([a_send(ALICE, 0)])
    assert node.balance() == 1


def test_a_crash_before_the_first_commit_leaves_nothing(node: BankChain) -> None:
    node.finalize([a_send(ALICE, 0)])
    node.restart()
    assert node.info() == (0, b"")
    assert list(node.store.items(b"")) == []
    node.init()
    assert node.run([a_send(ALICE, 0)]).tx_results[0].code == 0


def test_a_crash_between_finalize_and_commit_replays_to_the_same(node: BankChain) -> None:
    for txs in BLOCKS:
        response = node.finalize(txs)
        before = node.info()
        node.restart()
        assert node.info() == before
        if node.info()[0] == 0:
            node.init()
        assert node.finalize(txs) == response
        node.commit()
        assert node.info()[1] == response.app_hash


def test_a_block_finalized_twice_counts_once(node: BankChain) -> None:
    first = node.finalize([a_send(ALICE, 0)])
    assert node.finalize([a_send(ALICE, 0)]) == first
    node.commit()
    assert node.balance() == 1


def test_another_block_may_be_decided_than_the_one_proposed(node: BankChain) -> None:
    node.accepts([a_send(ALICE, 0, 7)])
    node.finalize([a_send(ALICE, 0, 7)])
    node.finalize([a_send(ALICE, 0, 8)])
    node.commit()
    assert node.balance() == 8


def test_a_restart_after_each_block_changes_nothing(node: BankChain, tmp_path: Path) -> None:
    steady = BankChain(tmp_path / "steady")
    steady.init()
    for txs in BLOCKS:
        assert node.run(txs) == steady.run(txs)
        node.restart()
        assert node.info() == steady.info()
    steady.store.close()


def test_memory_and_disk_give_the_same_root(node: BankChain) -> None:
    state, forest = MemoryStore(), Forest()
    genesis = Overlay(MemoryStore())
    for key, value in node.app.state.items(b""):
        genesis.put(key, value)
    genesis.merge_into(state)
    forest = forest.apply(genesis.changes)
    for height, txs in enumerate(BLOCKS, 1):
        draft = Overlay(state)
        previous_ms = START_MS + (height - 1) * BLOCK_MS if height > 1 else 0
        block = Block(CHAIN_ID, height, START_MS + height * BLOCK_MS, previous_ms)
        chain.execute_block(draft, block, [decode_tx(raw) for raw in txs], verify_secp256k1)
        draft.merge_into(state)
        forest = forest.apply(draft.changes)
        assert node.run(txs).app_hash == forest.root()
    assert list(node.store.items(b"")) == list(state.items(b""))


def test_commit_without_a_decision_is_a_broken_promise(node: BankChain) -> None:
    with pytest.raises(chain.InvariantBroken, match="Commit follows FinalizeBlock"):
        node.app.commit(abci.RequestCommit())


def test_a_wrong_genesis_is_the_operators_to_mend(node: BankChain) -> None:
    for state in (b"", b"[]", b'{"bank": 1}', b"not JSON"):
        request = abci.RequestInitChain(chain_id=CHAIN_ID, initial_height=1, app_state_bytes=state)
        with pytest.raises(OperatorError, match="genesis"):
            node.app.init_chain(request)


def test_a_second_process_is_told_that_the_state_is_in_use(node: BankChain) -> None:
    with pytest.raises(OperatorError, match="in use by another process"):
        LevelStore(node.path / "state")


def test_state_of_another_version_is_refused(tmp_path: Path) -> None:
    with plyvel.DB(str(tmp_path / "state"), create_if_missing=True) as db:
        db.put(b"m/committed", b"what is this")
    with pytest.raises(OperatorError, match="written by another version of pollend"):
        LevelStore(tmp_path / "state")
