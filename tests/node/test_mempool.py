"""Which transactions may wait, from one block to the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.node import mempool
from tests.node.bank_chain import ALICE, BALANCE_UFLT, BORIS, FEE_UFLT, BankChain, a_send

WRONG_SEQUENCE, INSUFFICIENT_FUNDS = 205, 101


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path)
    node.init()
    node.run()
    yield node
    node.store.close()


def test_many_transactions_of_an_account_wait_and_survive_commits(node: BankChain) -> None:
    txs = [a_send(ALICE, at) for at in range(10)]
    assert [node.check(tx).code for tx in txs[:8]] == [0] * 8
    node.run(txs[:3])
    assert [node.check(tx, again=True).code for tx in txs[3:8]] == [0] * 5
    assert [node.check(tx).code for tx in txs[8:]] == [0, 0]
    assert node.app.mempool.count(node.app.state) == 7
    node.run(txs[3:])
    assert node.app.mempool.count(node.app.state) == 0


def test_sequences_are_strict(node: BankChain) -> None:
    assert node.check(a_send(ALICE, 1)).code == WRONG_SEQUENCE
    assert node.check(a_send(ALICE, 0)).code == 0
    assert node.check(a_send(ALICE, 2)).code == WRONG_SEQUENCE


def test_fees_that_wait_are_counted(node: BankChain) -> None:
    half = BALANCE_UFLT // 2 + 1
    assert node.check(a_send(ALICE, 0, fee_uflt=half)).code == 0
    assert node.check(a_send(ALICE, 1, fee_uflt=half)).code == INSUFFICIENT_FUNDS
    assert node.check(a_send(ALICE, 1, fee_uflt=FEE_UFLT)).code == 0
    node.run()
    assert node.check(a_send(ALICE, 2, fee_uflt=half)).code == INSUFFICIENT_FUNDS


def test_the_committed_sequence_is_admitted_again_once_a_block(node: BankChain) -> None:
    for at in range(3):
        node.check(a_send(ALICE, at))
    assert node.check(a_send(ALICE, 0, 5)).code == 0
    assert node.check(a_send(ALICE, 0, 6)).code == WRONG_SEQUENCE
    assert node.check(a_send(ALICE, 1, 5)).code == 0
    node.run()
    assert node.check(a_send(ALICE, 0, 7)).code == 0


def test_what_waits_behind_a_lost_transaction_is_let_go(node: BankChain) -> None:
    lost, behind = a_send(ALICE, 0), a_send(ALICE, 1)
    node.check(lost)
    node.check(behind)
    node.run()
    assert node.check(a_send(ALICE, 0, 9)).code == 0
    assert node.check(behind, again=True).code != 0


def test_a_transaction_whose_place_was_taken_is_let_go(node: BankChain) -> None:
    loser = a_send(ALICE, 0, 5)
    node.check(loser)
    node.run([a_send(ALICE, 0, 6)])
    assert node.check(loser, again=True).code != 0


def test_an_account_may_have_so_many_waiting(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mempool, "WAITING_PER_ACCOUNT_MAX", 3)
    codes = [node.check(a_send(ALICE, at)).code for at in range(5)]
    assert codes == [0, 0, 0, 20, 20]
    node.run([a_send(ALICE, 0)])
    assert node.check(a_send(ALICE, 3)).code == 0


def test_so_many_accounts_are_remembered(node: BankChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mempool, "ACCOUNTS_MAX", 1)
    assert node.check(a_send(ALICE, 0)).code == 0
    assert node.check(a_send(BORIS, 0)).code == 0
    assert node.app.mempool.count(node.app.state) == 1


def test_a_signature_is_verified_once(node: BankChain) -> None:
    tx = a_send(ALICE, 0)
    node.check(tx)
    node.accepts(node.prepare([tx]))
    node.run([tx])
    info = node.app.verify.cache_info()
    assert (info.misses, info.hits) == (1, 2)


def test_bytes_that_are_no_transaction_are_refused_with_a_code(node: BankChain) -> None:
    for raw in (b"", b"\xff\xff", b"\0injected"):
        assert node.check(raw).code == 2
        assert node.check(raw).log
