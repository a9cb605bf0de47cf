"""Who may enter a block: signatures, sequences, fees, gas, limits; and what a failure costs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.chain import OK
from app.kernel.bech32 import to_bech32
from app.kernel.context import Block
from app.kernel.crypto import SECP256K1_ORDER
from app.kernel.record import U128, encode
from app.kernel.store import Overlay
from app.kernel.tx import Coin, SignerInfo, Tx
from app.modules import auth, fees
from app.modules.auth import AccountSequence
from app.modules.bank import BALANCES, Amount, CoinReceived, CoinSpent, InsufficientFunds
from app.modules.fees import FeePaid
from tests.build import FLT
from tests.build_chain import FEE_UFLT, GAS_LIMIT, Ledger, a_send, a_signer

FREE = {"fees": {"uflt_per_million_gas_min": "0"}}


def a_ledger(**params: Any) -> tuple[Ledger, Tx]:
    """Ada and Ben, and a transaction in which Ada sends Ben one FLT."""
    ledger = Ledger("ada", "ben", **params)
    ada, ben = ledger.people("ada", "ben")
    return ledger, ledger.tx([a_send(ada, ben)])


def high_s(signature: bytes) -> bytes:
    """The other signature that a curve takes for the same."""
    s = SECP256K1_ORDER - int.from_bytes(signature[32:], "big")
    return signature[:32] + s.to_bytes(32, "big")


def test_admission_takes_the_fee_and_the_sequence() -> None:
    ledger, tx = a_ledger()
    ada, ben = ledger.people("ada", "ben")

    (result,) = ledger.execute(tx).tx_results

    assert (result.code, result.gas_wanted) == (OK, GAS_LIMIT)
    assert ledger.balance("fee_collector") == FEE_UFLT
    assert ledger.balance(ada) == 999 * FLT - FEE_UFLT
    assert ledger.balance(ben) == 1_001 * FLT
    assert auth.find_account(ledger.state, ada) == auth.Account(0, 1, a_signer("ada").pubkey)
    admission = [event for index, event in result.events if index == -1]
    assert admission[0] == CoinSpent(ada, f"{FEE_UFLT}uflt")
    assert admission[1] == CoinReceived(fees.FEE_COLLECTOR, f"{FEE_UFLT}uflt")
    assert admission[3:] == [
        FeePaid(f"{FEE_UFLT}uflt", ada),
        AccountSequence(f"{to_bech32(ada)}/0"),
    ]


Change = Callable[[Tx], dict[str, Any]]
BEN = a_signer("ben")
REFUSED: list[tuple[str, Change, int, tuple[object, ...]]] = [
    ("a large one", lambda tx: {"size_bytes": 1_048_577}, 801, ("tx_size_bytes", "1048576")),
    ("many messages", lambda tx: {"messages": tx.messages * 513}, 801, ("messages 513", "512")),
    ("many signers", lambda tx: {"signers": tx.signers * 65}, 801, ("signers 65", "64")),
    ("a long memo", lambda tx: {"memo": "m" * 513}, 801, ("memo length 513", "512")),
    ("much gas", lambda tx: {"gas_limit": 100_000_001}, 801, ("gas_limit", "100000000")),
    ("no gas", lambda tx: {"gas_limit": 0}, 804, ("gasWanted: 0", "gasUsed: 4", "at least 4")),
    (
        "gas below its bytes and signatures",
        lambda tx: {"gas_limit": 10 * tx.size_bytes + 999},
        804,
        ("out of gas", "raise gas_limit"),
    ),
    (
        "a foreign fee",
        lambda tx: {"fee": (Coin("atom", U128(FEE_UFLT)),)},
        803,
        ("fee 10000atom", "uflt"),
    ),
    ("two fees", lambda tx: {"fee": tx.fee * 2}, 803, ("10000uflt,10000uflt", "one coin")),
    (
        "a small fee",
        lambda tx: {"fee": (Coin("uflt", U128(9_999)),)},
        802,
        ("insufficient fee", "fee 9999uflt", "1000000 gas", "10000uflt"),
    ),
    ("no fee", lambda tx: {"fee": ()}, 802, ("fee 0uflt", "raise it")),
    ("a strange payer", lambda tx: {"payer": BEN.address}, 805, (to_bech32(BEN.address), "sign")),
    ("no signature", lambda tx: {"signatures": ()}, 202, ("0 with 1 signer_infos", "need 1")),
    ("one too many", lambda tx: {"signatures": tx.signatures * 2}, 202, ("2 with 1", "need 1")),
    ("no signer info", lambda tx: {"signer_infos": ()}, 202, ("1 with 0", "each signer")),
    ("one late", lambda tx: {"timeout_height": 1}, 207, ("timeout_height 1", "height 2", "later")),
    (
        "an unknown account",
        lambda tx: {"signers": (a_signer("eve").address,), "payer": a_signer("eve").address},
        201,
        (to_bech32(a_signer("eve").address), "account not found", "send it"),
    ),
    (
        "a sequence ahead",
        lambda tx: {"signer_infos": (SignerInfo(tx.signer_infos[0].pubkey, 7),)},
        205,
        ("account sequence mismatch, expected 1, got 7: incorrect account sequence",),
    ),
    (
        "a foreign key",
        lambda tx: {"signer_infos": (SignerInfo(BEN.pubkey, 1),)},
        204,
        (to_bech32(BEN.address), "right key"),
    ),
    (
        "a wrong signature",
        lambda tx: {"body_bytes": tx.body_bytes + b"\0"},
        206,
        ("verification failed", "pollen-test", "account number (0)", "sequence (1)"),
    ),
    ("high s", lambda tx: {"signatures": (high_s(tx.signatures[0]),)}, 206, ("s is low",)),
    ("half a signature", lambda tx: {"signatures": (b"half",)}, 206, ("verification failed",)),
]


@pytest.mark.parametrize(
    ("change", "code", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_may_not_enter_leaves_no_trace(
    change: Change, code: int, words: tuple[object, ...]
) -> None:
    ledger, first = a_ledger()
    ledger.execute(first)
    ada, ben = ledger.people("ada", "ben")
    tx = ledger.tx([a_send(ada, ben)])

    ledger.refused(replace(tx, **change(tx)), code, *words)

    assert ledger.execute(tx).tx_results[0].code == OK


def test_a_first_transaction_carries_its_key() -> None:
    ledger, tx = a_ledger()
    ada = tx.payer
    without = replace(tx, signer_infos=(SignerInfo(b"", 0),))

    ledger.refused(without, 203, to_bech32(ada), "include the key")
    ledger.execute(tx)

    later = ledger.tx([a_send(ada, BEN.address)])
    (result,) = ledger.execute(replace(later, signer_infos=(SignerInfo(b"", 1),))).tx_results
    assert result.code == OK


def test_a_transaction_runs_once() -> None:
    ledger, tx = a_ledger()
    ledger.execute(tx)
    ledger.refused(tx, 205, "expected 1, got 0")


def test_a_transaction_of_another_chain_is_refused() -> None:
    ledger, tx = a_ledger()
    other = ledger.tx(tx.messages, chain_id="pollen-other")
    ledger.refused(replace(other, signer_infos=tx.signer_infos), 206, "check chain-id")


def test_the_height_of_the_timeout_itself_is_in_time() -> None:
    ledger, tx = a_ledger()
    assert ledger.run(tx.messages, timeout_height=ledger.block.height + 1).code == OK
    late = ledger.tx(tx.messages, timeout_height=ledger.block.height)
    ledger.refused(late, 207, "passed at height 2")


def test_who_cannot_pay_the_fee_does_not_enter() -> None:
    ledger, tx = a_ledger(uflt=FEE_UFLT - 1)
    ledger.refused(tx, InsufficientFunds.code, "insufficient funds", "10000uflt", "only 9999uflt")


def test_where_gas_is_free_no_fee_is_taken() -> None:
    ledger, tx = a_ledger(params=FREE)

    result = ledger.run(tx.messages, fee_uflt=0)

    assert (result.code, ledger.balance("fee_collector")) == (OK, 0)
    assert [event for index, event in result.events if index == -1] == [
        FeePaid("0uflt", tx.payer),
        AccountSequence(f"{to_bech32(tx.payer)}/0"),
    ]


def test_a_fee_is_rounded_up() -> None:
    params = fees.Params()
    assert [fees.compute_fee_min(params, gas) for gas in (0, 1, 100, 101)] == [0, 1, 1, 2]


def test_another_signer_may_pay() -> None:
    ledger, _ = a_ledger()
    ada, ben = ledger.people("ada", "ben")
    tx = ledger.tx([a_send(ada, ben), a_send(ben, ada)])

    (result,) = ledger.execute(replace(tx, payer=ben)).tx_results

    assert (result.code, tx.signers) == (OK, (ada, ben))
    assert (ledger.balance(ada), ledger.balance(ben)) == (1_000 * FLT, 1_000 * FLT - FEE_UFLT)
    assert (ledger.sequence(ada), ledger.sequence(ben)) == (1, 1)


def test_each_of_several_signers_must_sign() -> None:
    ledger, _ = a_ledger()
    ada, ben = ledger.people("ada", "ben")
    tx = ledger.tx([a_send(ada, ben), a_send(ben, ada)])
    first, second = tx.signatures

    ledger.refused(replace(tx, signatures=(first, first)), 206, to_bech32(ben))
    ledger.refused(replace(tx, signatures=(second, first)), 206, to_bech32(ada))
    ledger.refused(replace(tx, signatures=(first,)), 202, "1 with 2 signer_infos", "need 2")
    assert ledger.execute(tx).tx_results[0].code == OK


def test_a_failing_transaction_pays_its_fee_and_does_nothing_else() -> None:
    ledger, _ = a_ledger()
    ada, ben = ledger.people("ada", "ben")

    result = ledger.run([a_send(ada, ben), a_send(ada, ben, 2_000 * FLT)])

    assert (result.code, result.codespace) == (InsufficientFunds.code, "bank")
    assert "amount 2000000000uflt" in result.detail
    assert "insufficient funds" in result.detail
    assert result.responses == ()
    assert [index for index, _ in result.events] == [-1] * len(result.events)
    assert (ledger.balance(ada), ledger.balance(ben)) == (1_000 * FLT - FEE_UFLT, 1_000 * FLT)
    assert (ledger.balance("fee_collector"), ledger.sequence(ada)) == (FEE_UFLT, 1)


def test_gas_is_bytes_signatures_messages_and_the_rows_that_are_left_behind() -> None:
    ledger, tx = a_ledger()
    ada, ben = ledger.people("ada", "ben")

    (result,) = ledger.execute(tx).tx_results

    rows = [
        (BALANCES.key.encode((who, "uflt")), BALANCES.key.original((who, "uflt")), amount)
        for who, amount in ((ada, 999 * FLT - FEE_UFLT), (ben, 1_001 * FLT))
    ]
    stored = [key + head + encode(Amount(U128(amount))) for key, head, amount in rows]
    assert result.gas_used == (
        10 * tx.size_bytes + 1_000 + 20_000 + 2 * 2_000 + 30 * sum(map(len, stored))
    )


def test_gas_does_not_depend_on_what_is_remembered() -> None:
    ledger, tx = a_ledger()
    draft = Overlay(ledger.state)
    fees.admit(draft, ledger.next_block(), tx, lambda *_: True)
    again = Ledger("ada", "ben").execute(tx).tx_results[0]
    assert ledger.execute(tx).tx_results[0] == again


def test_out_of_gas_is_told_before_the_messages_run_where_it_is_known() -> None:
    ledger, tx = a_ledger()
    entry_gas = 10 * tx.size_bytes + 1_000

    result = ledger.run(tx.messages, gas_limit=entry_gas + 19_000)

    assert (result.code, result.codespace) == (804, "fees")
    assert f"gasWanted: {entry_gas + 19_000}, gasUsed: {result.gas_used}" in result.detail
    assert "out of gas" in result.detail


def test_out_of_gas_for_rows_leaves_only_the_fee() -> None:
    ledger, tx = a_ledger()
    gas_used = Ledger("ada", "ben").execute(tx).tx_results[0].gas_used

    result = ledger.run(tx.messages, gas_limit=gas_used - 1)
    assert (result.code, result.gas_used) == (804, gas_used)
    assert f"raise gas_limit to at least {gas_used}" in result.detail
    assert ledger.balance(BEN.address) == 1_000 * FLT

    assert Ledger("ada", "ben").run(tx.messages, gas_limit=gas_used).code == OK


def test_an_account_is_numbered_when_money_first_arrives() -> None:
    ledger, tx = a_ledger()
    eve = a_signer("eve").address
    assert auth.find_account(ledger.state, eve) is None

    ledger.run([a_send(tx.payer, eve)])

    account = auth.find_account(ledger.state, eve)
    assert account == auth.Account(3, 0, b"")  # 0 and 1 are genesis', 2 is the fee collector


def test_the_sign_doc_leaves_out_account_number_zero() -> None:
    _, tx = a_ledger()
    with_number = auth.compute_sign_bytes(tx, "c", 300)
    assert with_number == auth.compute_sign_bytes(tx, "c", 0) + b"\x20\xac\x02"


def test_a_module_account_cannot_sign() -> None:
    ledger, tx = a_ledger()
    ledger.execute(tx)
    collector = replace(
        tx, signers=(fees.FEE_COLLECTOR,), payer=fees.FEE_COLLECTOR, messages=tx.messages
    )
    ledger.refused(collector, 204, to_bech32(fees.FEE_COLLECTOR))


def test_limits_follow_the_params() -> None:
    block = Block("c", 1, 1, 0)
    ledger, tx = a_ledger(params={"fees": {"memo_length_max": 3}})
    with pytest.raises(fees.TooLarge, match="memo length 4: the limit is 3"):
        fees.admit(Overlay(ledger.state), block, replace(tx, memo="four"), lambda *_: True)
