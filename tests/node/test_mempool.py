"""Which transactions may wait, from one block to the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.kernel.record import U128, Time
from app.kernel.tx import Coin
from app.modules import feegrant
from app.node import mempool
from app.sdk.signer import Signing, Terms, sign_tx
from tests.node.bank_chain import (
    ALICE,
    BALANCE_UFLT,
    BORIS,
    CHAIN_ID,
    FEE_UFLT,
    BankChain,
    a_send,
)

WRONG_SEQUENCE, INSUFFICIENT_FUNDS = 205, 101
NO_ALLOWANCE, EXCEEDED = 2001, 2005


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
    info = node.app.verify_once.cache_info()
    assert (info.misses, info.hits) == (1, 2)


def test_bytes_that_are_no_transaction_are_refused_with_a_code(node: BankChain) -> None:
    for raw in (b"", b"\xff\xff", b"\0injected"):
        assert node.check(raw).code == 2
        assert node.check(raw).log


def grant(node: BankChain, limit_uflt: int, sequence: int = 0) -> None:
    """Let Boris pay Alice's fees, up to a limit; 0 is none."""
    limit = (Coin("uflt", U128(limit_uflt)),) if limit_uflt else ()
    allowance = feegrant.BasicAllowance(limit, Time(0))
    message = feegrant.GrantAllowance(BORIS.address, ALICE.address, allowance)
    terms = Terms(chain_id=CHAIN_ID, gas_limit=200_000, fee_uflt=FEE_UFLT)
    node.run([sign_tx([message], [Signing(BORIS, 1, sequence)], terms)])


def at_expense(sequence: int, fee_uflt: int = FEE_UFLT) -> bytes:
    """A transaction of Alice at the expense of Boris."""
    return a_send(ALICE, sequence, fee_uflt=fee_uflt, granter=BORIS.address)


def test_a_granter_pays_for_who_has_nothing(node: BankChain) -> None:
    assert node.check(at_expense(0)).code == NO_ALLOWANCE
    grant(node, 0)
    rest = a_send(ALICE, 0, BALANCE_UFLT - FEE_UFLT)
    node.run([rest])
    assert node.balance(ALICE.address) == 0
    tx = at_expense(1)
    assert node.check(a_send(ALICE, 1)).code == INSUFFICIENT_FUNDS
    assert node.check(tx).code == 0
    assert node.prepare([tx]) == [tx]


def test_what_waits_at_a_granter_s_expense_is_kept_from_its_allowance(node: BankChain) -> None:
    grant(node, 3 * FEE_UFLT)
    codes = [node.check(at_expense(at)).code for at in range(4)]
    assert codes == [0, 0, 0, EXCEEDED]
    assert node.prepare([at_expense(at) for at in range(4)]) == [at_expense(at) for at in range(3)]
    node.run([at_expense(0), at_expense(1)])
    assert node.check(at_expense(3)).code == EXCEEDED
    node.run([at_expense(2)])
    assert node.check(at_expense(3)).code == NO_ALLOWANCE


def test_what_waits_at_a_granter_s_expense_is_kept_from_its_balance(node: BankChain) -> None:
    grant(node, 0)
    left = node.balance(BORIS.address)
    assert node.check(at_expense(0, left - 2 * FEE_UFLT)).code == 0
    assert node.check(a_send(BORIS, 1)).code == 0
    assert node.check(at_expense(1)).code == 0
    assert node.check(at_expense(2)).code == INSUFFICIENT_FUNDS
    assert node.check(a_send(BORIS, 2)).code == INSUFFICIENT_FUNDS
    node.run()
    assert node.check(a_send(BORIS, 2)).code == INSUFFICIENT_FUNDS
    node.run([at_expense(0, FEE_UFLT)])  # Another with the sequence of the dear one came first.
    assert node.check(a_send(BORIS, 2)).code == 0


def test_what_is_lost_behind_a_transaction_burdens_its_granter_no_more(node: BankChain) -> None:
    grant(node, 0)
    dear = (node.balance(BORIS.address) - FEE_UFLT) // 2
    assert [node.check(at_expense(at, dear)).code for at in range(2)] == [0, 0]
    node.run()
    assert node.check(at_expense(0)).code == 0  # In place of the first; the second is forgotten.
    node.run()
    assert node.check(a_send(BORIS, 1, fee_uflt=2 * dear - FEE_UFLT)).code == 0


def test_so_many_granters_are_remembered(node: BankChain, monkeypatch: pytest.MonkeyPatch) -> None:
    grant(node, 3 * FEE_UFLT)
    monkeypatch.setattr(mempool, "ACCOUNTS_MAX", 0)
    assert [node.check(at_expense(0)).code for _ in range(5)] == [0] * 5
