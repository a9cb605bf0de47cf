"""Who pays in another's place: what is taken of an allowance, and when it is refused."""

from dataclasses import replace
from typing import Any

import pytest

from app.chain import OK
from app.kernel.bech32 import to_bech32
from app.kernel.record import Time
from app.kernel.tx import Tx
from app.modules import feegrant
from app.modules.bank import InsufficientFunds
from app.modules.feegrant import (
    ALLOWANCES,
    AllowanceRevoked,
    AllowanceUpdated,
    AllowanceUsed,
    AllowedMsgAllowance,
    GrantAllowance,
    RevokeAllowance,
)
from app.modules.fees import FeePaid
from app.wire.events import tx_events
from tests.build import FLT
from tests.build_chain import FEE_UFLT, GENESIS_MS, Ledger, a_send, a_signer
from tests.rules.test_grant_allowance import DAY_MS, basic, coins, periodic

RITA, WANDA = a_signer("rita").address, a_signer("wanda").address
SEND_URL = "/cosmos.bank.v1beta1.MsgSend"


def a_ledger(allowance: feegrant.Allowance, rich_uflt: int = 1_000 * FLT) -> Ledger:
    """Rita lets Wanda, who has one unit of money, pay fees."""
    ledger = Ledger("rita", uflt=rich_uflt)
    ledger.signers[WANDA] = a_signer("wanda")
    result = ledger.run([GrantAllowance(RITA, WANDA, allowance), a_send(RITA, WANDA, 1)])
    assert result.code == OK, result.detail
    return ledger


def a_tx(ledger: Ledger, **terms: Any) -> Tx:
    """Wanda moves nothing much, at Rita's expense."""
    return ledger.tx([a_send(WANDA, WANDA, 1)], granter=RITA, **terms)


def left(ledger: Ledger) -> feegrant.Allowance | None:
    """What is left of the allowance."""
    grant = ALLOWANCES.get(ledger.state, (WANDA, RITA))
    return grant.allowance if grant else None


def test_the_fee_is_taken_from_the_granter_and_off_the_allowance() -> None:
    ledger = a_ledger(basic(3 * FEE_UFLT))
    before = ledger.balance(RITA)

    tx = a_tx(ledger)
    (result,) = ledger.execute(tx).tx_results

    assert (result.code, ledger.balance(WANDA)) == (OK, 1)
    assert ledger.balance(RITA) == before - FEE_UFLT
    assert ledger.balance("fee_collector") == 2 * FEE_UFLT
    assert left(ledger) == basic(2 * FEE_UFLT)
    events = [event for index, event in result.events if index == -1]
    assert events[:2] == [AllowanceUsed(RITA, WANDA), AllowanceUpdated(RITA, WANDA)]
    assert FeePaid(f"{FEE_UFLT}uflt", RITA) in events
    assert ledger.sequence(WANDA) == 1
    shown = b"".join(tx_events(result, tx.messages))
    assert b"use_feegrant" in shown
    assert to_bech32(RITA).encode() in shown


def test_a_failing_transaction_keeps_the_granter_s_fee() -> None:
    ledger = a_ledger(basic(3 * FEE_UFLT))
    (result,) = ledger.execute(ledger.tx([a_send(WANDA, RITA, 2)], granter=RITA)).tx_results
    assert result.code == InsufficientFunds.code
    assert left(ledger) == basic(2 * FEE_UFLT)


def test_an_allowance_that_is_used_up_is_gone() -> None:
    ledger = a_ledger(basic(FEE_UFLT))
    (result,) = ledger.execute(a_tx(ledger)).tx_results
    said = [event for index, event in result.events if index == -1][:2]
    assert said == [AllowanceUsed(RITA, WANDA), AllowanceRevoked(RITA, WANDA)]
    assert left(ledger) is None
    ledger.refused(a_tx(ledger), 2001, "fee allowance", "not found", to_bech32(RITA))


def test_without_a_limit_nothing_is_used_up() -> None:
    ledger = a_ledger(basic(0))
    ledger.execute(a_tx(ledger))
    assert left(ledger) == basic(0)


def test_a_fee_above_the_allowance_is_refused() -> None:
    ledger = a_ledger(basic(FEE_UFLT - 1))
    words = (f"fee {FEE_UFLT}uflt", "fee limit exceeded", f"{FEE_UFLT - 1}uflt in all")
    ledger.refused(a_tx(ledger), 2005, *words)


def test_other_coins_of_an_allowance_stay() -> None:
    atoms = coins(5, "atom")
    ledger = a_ledger(replace(basic(), spend_limit=(*atoms, *coins(FEE_UFLT))))
    ledger.execute(a_tx(ledger))
    assert left(ledger) == replace(basic(), spend_limit=atoms)
    ledger.refused(a_tx(ledger), 2005, "0uflt in all")


def test_an_allowance_counts_up_to_its_end() -> None:
    ledger = a_ledger(basic(until_ms=GENESIS_MS + 1_000))
    assert ledger.execute(a_tx(ledger)).tx_results[0].code == OK
    ledger.refused(a_tx(ledger), 2004, "expired", GENESIS_MS + 1_000, GENESIS_MS + 2_000)


def test_a_revoked_allowance_pays_nothing() -> None:
    ledger = a_ledger(basic())
    ledger.run([RevokeAllowance(RITA, WANDA)])
    ledger.refused(a_tx(ledger), 2001, "not found")


def test_a_granter_without_money_pays_nothing() -> None:
    ledger = a_ledger(basic(), rich_uflt=FEE_UFLT + 1)
    ledger.refused(a_tx(ledger), InsufficientFunds.code, to_bech32(RITA), "insufficient funds")
    assert left(ledger) == basic()


def test_an_allowance_for_some_messages_is_for_them_alone() -> None:
    ledger = a_ledger(AllowedMsgAllowance(basic(3 * FEE_UFLT), (SEND_URL,)))
    ledger.execute(a_tx(ledger))
    assert left(ledger) == AllowedMsgAllowance(basic(2 * FEE_UFLT), (SEND_URL,))
    mixed = ledger.tx([a_send(WANDA, RITA, 1), RevokeAllowance(WANDA, RITA)], granter=RITA)
    words = ("message not allowed", "MsgRevokeAllowance", SEND_URL)
    ledger.refused(mixed, 2006, *words)


def test_each_period_has_its_limit_and_those_missed_are_lost() -> None:
    tenth = FEE_UFLT // 10
    reset = Time(GENESIS_MS + DAY_MS)
    allowance = periodic(
        basic=basic(3 * FEE_UFLT),
        period_spend_limit=coins(FEE_UFLT + tenth),
        period_can_spend=coins(FEE_UFLT + tenth),
        period_reset=reset,
    )
    ledger = a_ledger(allowance)
    ledger.execute(a_tx(ledger))
    spent = replace(allowance, basic=basic(2 * FEE_UFLT), period_can_spend=coins(tenth))
    assert left(ledger) == spent
    ledger.refused(a_tx(ledger), 2005, f"{tenth}uflt in this period")

    ledger.execute(a_tx(ledger), seconds=86_400)

    again = replace(spent, basic=basic(FEE_UFLT), period_reset=Time(reset + DAY_MS))
    assert left(ledger) == again
    ledger.execute(seconds=10 * 86_400)
    ledger.execute(a_tx(ledger, fee_uflt=FEE_UFLT - 1, gas_limit=900_000))
    last = left(ledger)
    assert isinstance(last, feegrant.PeriodicAllowance)
    assert last.period_can_spend == coins(1)  # The lesser of a period's limit and what is left.
    assert last.period_reset == ledger.block.time_ms + DAY_MS
    assert last.basic == basic(1)


def test_a_periodic_allowance_ends_with_what_it_is_in_all() -> None:
    ledger = a_ledger(periodic(basic=basic(FEE_UFLT)))
    ledger.execute(a_tx(ledger))
    assert left(ledger) is None
    unlimited = periodic(basic=basic(0), period_reset=Time(GENESIS_MS + 10 * DAY_MS))
    ledger = a_ledger(unlimited)
    ledger.execute(a_tx(ledger))
    assert left(ledger) == replace(unlimited, period_can_spend=coins(FLT // 10 - FEE_UFLT))


def test_who_grants_itself_needs_no_allowance() -> None:
    ledger = a_ledger(basic())
    assert ledger.run([a_send(RITA, WANDA)], granter=RITA).code == OK


@pytest.mark.parametrize("rich_uflt", [2 * FEE_UFLT + 1, 2 * FEE_UFLT])
def test_a_granter_who_signs_too_pays_once(rich_uflt: int) -> None:
    ledger = a_ledger(basic(), rich_uflt=rich_uflt)
    tx = ledger.tx([a_send(WANDA, RITA, 1), a_send(RITA, WANDA, 1)], granter=RITA)
    assert tx.signers == (WANDA, RITA)
    code = ledger.execute(tx).tx_results[0].code
    assert code == (OK if rich_uflt > 2 * FEE_UFLT else InsufficientFunds.code)
