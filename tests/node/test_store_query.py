"""`abci_query` reads a module's store as it lies, at a height and with a proof if asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.cosmos.bank.v1beta1 import query_pb2 as bank_query
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app.kernel.bech32 import to_bech32
from app.kernel.proof import ProofRefused, verify
from app.modules import bank
from app.wire.proofs import decode_proof
from tests.node.bank_chain import ALICE, BORIS, NOBODY, BankChain, a_send

ROW = bank.BALANCES.key.encode((NOBODY, "uflt")).removeprefix(b"bank/")
ABSENT = bank.BALANCES.key.encode((NOBODY, "other")).removeprefix(b"bank/")
WINDOW = 100


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path)
    node.init()
    yield node
    node.store.close()


def ask(node: BankChain, path: str = "/store/bank/key", **fields: Any) -> abci.ResponseQuery:
    return node.app.query(abci.RequestQuery(path=path, **{"data": ROW, **fields}))


def check_proof(answer: abci.ResponseQuery, app_hash: bytes, key: bytes) -> None:
    """The answer's proof shows the answer's value under the next header's application hash."""
    proof = decode_proof(answer.proof_ops)
    assert verify(proof, app_hash, b"bank", key) == (answer.value or None)


def test_a_row_is_read_as_it_lies(node: BankChain) -> None:
    node.run([a_send(ALICE, 0, 7)])
    answer = ask(node)
    assert (answer.code, answer.height, answer.key) == (0, 1, ROW)
    assert answer.value == node.store.get(b"bank/" + ROW)
    assert not answer.HasField("proof_ops")
    assert ask(node, "store/bank/key") == answer
    absent = ask(node, data=ABSENT)
    assert (absent.code, absent.height, absent.value) == (0, 1, b"")


def test_rows_there_and_not_are_proved_at_every_height_of_the_window(node: BankChain) -> None:
    hashes = {}
    for at in range(WINDOW + 20):
        if at % 7 == 3:
            node.restart()
        if at % 3 == 0:
            txs = [a_send(ALICE, at // 3, at + 1)]
        else:
            txs = []
        hashes[at + 1] = node.run(txs).app_hash
    last = WINDOW + 20
    values = set()
    for height in range(last - WINDOW, last + 1):
        for key in (ROW, ABSENT, b"\0", b"\xff"):
            answer = ask(node, data=key, height=height, prove=True)
            assert (answer.code, answer.height) == (0, height)
            check_proof(answer, hashes[height], key)
        values.add(ask(node, height=height).value)
        with pytest.raises(ProofRefused):
            check_proof(ask(node, height=height, prove=True), hashes[last], b"other")
    assert len(values) == 34
    assert ask(node, prove=True) == ask(node, prove=True, height=last)
    for height in (1, last - WINDOW - 1, last + 1, 1 << 62, -1):
        for prove in (False, True):
            answer = ask(node, height=height, prove=prove)
            assert (answer.code, answer.codespace, answer.height) == (26, "sdk", last)
            assert f"keeps the states of heights {last - WINDOW} to {last}" in answer.log


def test_the_engine_sees_the_hash_that_proofs_lead_to(node: BankChain) -> None:
    node.run([a_send(ALICE, 0)])
    node.run([a_send(BORIS, 0)])
    info = node.app.info(abci.RequestInfo())
    answer = ask(node, prove=True)
    assert answer.height == info.last_block_height
    check_proof(answer, info.last_block_app_hash, ROW)


def test_other_questions_are_answered_at_a_height_too(node: BankChain) -> None:
    for at in range(3):
        node.run([a_send(ALICE, at, 10)])
    request = bank_query.QueryBalanceRequest(address=to_bech32(NOBODY), denom="uflt")
    path, data = "/cosmos.bank.v1beta1.Query/Balance", request.SerializeToString()
    for height, held in ((0, 30), (1, 10), (2, 20), (3, 30)):
        answer = ask(node, path, data=data, height=height)
        assert answer.height == (height or 3)
        balance = bank_query.QueryBalanceResponse.FromString(answer.value).balance
        assert balance.amount == str(held)
    assert ask(node, path, data=data, height=4).code == 26


def test_what_no_store_has_is_refused(node: BankChain) -> None:
    early = ask(node, prove=True)
    assert (early.code, early.height) == (18, 1)
    assert "no block is committed yet" in early.log
    node.run()
    unknown = ask(node, "/store/honey/key", prove=True)
    assert (unknown.code, unknown.height) == (6, 1)
    assert "no store 'honey'; there are auth, " in unknown.log
    empty = ask(node, data=b"", prove=True)
    assert (empty.code, empty.height) == (18, 1)
    assert "give the key in the store" in empty.log
    assert ask(node, "/store/bank/subspace").code == 6
