"""CreateValidator: an account becomes a validator, with a first delegation of its own."""

from typing import Any

import pytest

from app.kernel.decimals import ONE
from app.kernel.errors import Rejected
from app.kernel.record import U128, Dec
from app.kernel.tx import Coin
from app.modules import bank, staking
from app.modules.staking import BondStatus
from app.modules.staking.records import WrongStakeDenom
from app.modules.staking.validators import (
    BadCommission,
    BadConsensusKey,
    BadDescription,
    BadSelfDelegation,
    ConsensusKeyTaken,
    OperatorTaken,
    OtherDelegator,
    ValidatorCreated,
)
from tests.build import FLT, an_address
from tests.build_staking import RATES, StakingWorld, a_consensus_key, a_creation, an_operator


def test_a_new_validator_takes_part_from_the_end_of_the_block() -> None:
    world = StakingWorld(["vera"])
    vito = world.account("vito", 100 * FLT)

    world.run(a_creation("vito", 25 * FLT))

    row = world.row("vito")
    assert (row.status, row.power, row.tokens_uflt) == (BondStatus.UNBONDED, 0, 25 * FLT)
    assert (row.shares, world.shares(vito, "vito")) == (25 * FLT * ONE, 25 * FLT * ONE)
    assert world.balance(vito) == 75 * FLT
    assert world.balance("not_bonded_tokens_pool") == 25 * FLT
    assert world.said(ValidatorCreated) == [ValidatorCreated(an_operator("vito"), "25000000uflt")]
    assert staking.find_validator(world.state, staking.consensus_address(row.key)) == row

    world.pass_block()

    assert world.powers() == {"vera": 10, "vera's": 25}
    assert world.row("vito").status is BondStatus.BONDED
    assert world.balance("bonded_tokens_pool") == 35 * FLT


def test_the_delegator_may_be_named_if_it_is_the_operator() -> None:
    world = StakingWorld(["vera"])
    vito = world.account("vito")
    world.run(a_creation("vito", changes={"delegator_address": vito}))
    assert world.shares(vito, "vito") == 10 * FLT * ONE


CASES: list[tuple[dict[str, Any], type[Rejected], tuple[object, ...]]] = [
    ({"delegator_address": an_address("eve")}, OtherDelegator, ("pollen1", "leave it empty")),
    ({"value": Coin("atom", U128(5))}, WrongStakeDenom, ("5atom", "uflt", "denomination")),
    ({"value": Coin("uflt", U128(0))}, WrongStakeDenom, ("0uflt",)),
    ({"description.moniker": ""}, BadDescription, ("moniker", "0 letters", 70)),
    ({"description.moniker": "m" * 71}, BadDescription, ("71 letters",)),
    ({"description.details": "d" * 281}, BadDescription, ("details", 281, 280)),
    ({"commission.max_rate": Dec(ONE + 1)}, BadCommission, ("max_rate", "1.000000000000000000")),
    ({"commission.rate": Dec(ONE // 5 + 1)}, BadCommission, ("rate", "0.200000000000000000")),
    ({"commission.max_change_rate": Dec(ONE)}, BadCommission, ("max_change_rate",)),
    ({"min_self_delegation": U128(0)}, BadSelfDelegation, ("more than 0",)),
    ({"min_self_delegation": U128(11 * FLT)}, BadSelfDelegation, (11 * FLT, 10 * FLT)),
    ({"pubkey": a_consensus_key("eve")[1:]}, BadConsensusKey, ("32 bytes",)),
    ({"pubkey": b"vera"}, BadConsensusKey, (b"vera".hex(),)),
]


@pytest.mark.parametrize(("changes", "rejection", "words"), CASES)
def test_what_makes_no_validator_is_refused(
    changes: dict[str, Any], rejection: type[Rejected], words: tuple[object, ...]
) -> None:
    world = StakingWorld(["vera"])
    vito = world.account("vito", 100 * FLT)
    world.refused(a_creation("vito", changes=changes), rejection, *words)
    assert world.balance(vito) == 100 * FLT


def test_an_account_operates_one_validator_and_a_key_belongs_to_one() -> None:
    world = StakingWorld(["vera"])
    world.account("vito")
    world.run(a_creation("vito"))
    again = {"pubkey": a_consensus_key("another")}
    world.refused(a_creation("vito", changes=again), OperatorTaken, "pollenvaloper1", 1)
    world.account("eve")
    same = {"pubkey": a_consensus_key("vito")}
    world.refused(a_creation("eve", changes=same), ConsensusKeyTaken, "already exist")


def test_who_has_too_little_money_becomes_no_validator() -> None:
    world = StakingWorld(["vera"])
    world.account("vito", FLT)
    world.refused(a_creation("vito", 2 * FLT), bank.InsufficientFunds, 2 * FLT, FLT)


def test_a_commission_below_the_least_is_refused() -> None:
    world = StakingWorld(["vera"])
    staking.PARAMS.put(world.state, staking.Params(min_commission_rate=Dec(ONE // 8)))
    world.account("vito")
    words = ("0.100000000000000000", "less than", "0.125000000000000000")
    assert RATES.rate == ONE // 10
    world.refused(a_creation("vito"), BadCommission, *words)
