"""WithdrawDelegatorReward: fees are shared by power, commission and shares, and paid."""

import pytest

from app.kernel.crypto import module_address
from app.kernel.decimals import ONE
from app.kernel.record import U64
from app.modules import distribution, staking
from app.modules.distribution import (
    POT,
    NothingStaked,
    RewardsWithdrawn,
    WithdrawDelegatorReward,
)
from app.modules.staking import EditValidator
from app.modules.staking.validators import KEEP
from tests.build import FLT, RICH, an_address
from tests.build_rewards import a_world_with_stake, commission, pay_fees, reward
from tests.build_staking import (
    DAY_S,
    StakingWorld,
    a_delegation,
    a_redelegation,
    an_operator,
    an_undelegation,
)

ADA, BEN, VERA, VITO = map(an_address, ("ada", "ben", "vera", "vito"))
DESCRIPTION = staking.Description(*[KEEP] * 5)


def withdraw(world: StakingWorld, name: str, validator: str) -> int:
    """Let somebody be paid; return what arrived."""
    who = an_address(name)
    before = world.balance(who)
    answer = world.run(WithdrawDelegatorReward(who, an_operator(validator)))
    paid = world.balance(who) - before
    assert sum(coin.amount for coin in answer.amount) == paid
    return paid


def test_fees_are_shared_by_power_then_commission_then_shares() -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    # 2 % are the treasury's; of the rest Vera has 40 of 50 parts, and takes a tenth of hers.
    assert world.balance("treasury") == 100_000
    assert world.balance("distribution") == 4_900_000
    assert commission(world, "vera") == 392_000 * ONE
    assert commission(world, "vito") == 98_000 * ONE
    rewards = [reward(world, who, "vera") for who in (VERA, ADA, BEN)]
    assert rewards == [882_000 * ONE, 1_764_000 * ONE, 882_000 * ONE]
    assert reward(world, VITO, "vito") == 882_000 * ONE
    assert reward(world, ADA, "vito") is None


def test_a_delegator_is_paid_once_and_then_earns_on() -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    assert withdraw(world, "ada", "vera") == 1_764_000
    assert withdraw(world, "ada", "vera") == 0
    said = world.said(RewardsWithdrawn)
    assert said[-2:] == [
        RewardsWithdrawn("1764000uflt", an_operator("vera"), ADA),
        RewardsWithdrawn("0uflt", an_operator("vera"), ADA),
    ]
    pay_fees(world, 5_000_000)
    assert withdraw(world, "ada", "vera") == 1_764_000
    assert withdraw(world, "ben", "vera") == 2 * 882_000


def test_less_than_a_uflt_waits_and_nothing_is_lost() -> None:
    world = a_world_with_stake()
    for _ in range(30):
        pay_fees(world, 7)
        withdraw(world, "ada", "vera")
    # 210 uflt, 80 % Vera's, of which nine tenths, half of them Ada's; no tax on less than 50.
    assert world.balance(ADA) == RICH - 20 * FLT + 75
    left = reward(world, ADA, "vera")
    assert left is not None
    assert 6 * ONE // 10 - ONE // 10**6 < left <= 6 * ONE // 10
    assert world.balance("distribution") == 210 - 75


def test_who_changes_its_stake_is_paid_first_and_earns_by_the_new_one() -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    before = world.balance(ADA)
    world.run(a_delegation(ADA, "vera", 40 * FLT))
    assert world.balance(ADA) == before - 40 * FLT + 1_764_000
    assert reward(world, ADA, "vera") == 0
    assert reward(world, BEN, "vera") == 882_000 * ONE
    world.pass_block()
    pay_fees(world, 9_000_000)  # Vera has 80 of 90, Ada 60 of these 80.
    assert reward(world, ADA, "vera") == 9_000_000 * 98 * 80 * 9 * 60 // (100 * 90 * 10 * 80) * ONE
    before = world.balance(ADA)
    world.run(an_undelegation(ADA, "vera", 60 * FLT))
    assert world.balance(ADA) == before + 5_292_000
    assert reward(world, ADA, "vera") is None


def test_stake_that_is_moved_earns_at_both_places() -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    before = world.balance(ADA)
    world.run(a_redelegation(ADA, "vera", "vito", 20 * FLT))
    assert world.balance(ADA) == before + 1_764_000
    world.pass_block()
    pay_fees(world, 5_000_000)  # Vito has 30 of 50 now, Ada 20 of these.
    assert reward(world, ADA, "vito") == 4_900_000 * 6 // 10 * 9 // 10 * 2 // 3 * ONE


def test_a_slash_leaves_what_was_earned_and_how_it_is_shared() -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    world.slash("vera", ONE // 2)
    assert reward(world, ADA, "vera") == 1_764_000 * ONE
    world.pass_block()
    pay_fees(world, 3_000_000)  # Vera has 20 of 30 now, Ada still half of hers.
    assert reward(world, ADA, "vera") == (1_764_000 + 2_940_000 * 2 // 3 * 9 // 20) * ONE


def test_who_takes_no_part_earns_nothing() -> None:
    world = a_world_with_stake()
    staking.set_jailed(world.state, an_operator("vera"), True)
    world.pass_block()
    pay_fees(world, 1_000_000)
    assert reward(world, ADA, "vera") == 0
    assert reward(world, VITO, "vito") == 980_000 * 9 // 10 * ONE


def test_another_commission_counts_from_then_on() -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    world.pass_block(DAY_S)
    rate = str(11 * ONE // 100)
    world.run(EditValidator(DESCRIPTION, an_operator("vera"), rate, ""))
    assert commission(world, "vera") == 392_000 * ONE
    pay_fees(world, 5_000_000)
    assert commission(world, "vera") == (392_000 + 431_200) * ONE


def test_without_validators_fees_wait() -> None:
    world = StakingWorld([])
    world.account("eve")
    pay_fees(world, 100)
    assert (world.balance("fee_collector"), world.balance("distribution")) == (100, 0)


def test_of_who_is_a_validator_no_more_the_operator_is_paid_and_the_others_get_the_rest() -> None:
    world = StakingWorld(["vito"], params={"staking": {"unbonding_s": U64(5)}})
    world.validator("vera", 20 * FLT)
    world.account("eve")
    pay_fees(world, 1)  # A third of a uflt goes to Vito.
    world.run(an_undelegation(VERA, "vera", 20 * FLT))
    world.wait(10)
    assert distribution.find_earner(world.state, an_operator("vera")) is None
    assert POT.get(world.state).power == 10
    before = world.balance(VITO)
    pay_fees(world, 1)
    withdraw(world, "vito", "vito")
    assert world.balance(VITO) == before + 1
    assert world.balance("distribution") == 1


def test_a_block_without_fees_writes_nothing_and_one_with_fees_no_validator_s_row() -> None:
    world = a_world_with_stake()
    before = dict(world.state.items(b"distribution"))
    world.pass_block()
    assert dict(world.state.items(b"distribution")) == before
    pay_fees(world, 5_000_000)
    after = dict(world.state.items(b"distribution"))
    assert [key for key in after if after[key] != before[key]] == [b"distribution/pot"]
    assert world.balance("fee_collector") == 0


@pytest.mark.parametrize("name", ["eve", "vito"])
def test_only_who_has_staked_is_paid(name: str) -> None:
    world = a_world_with_stake()
    message = WithdrawDelegatorReward(an_address(name), an_operator("vera"))
    world.refused(message, NothingStaked, "no delegation distribution info", "pollenvaloper1")


def test_the_account_is_a_module_s() -> None:
    assert module_address("distribution") == distribution.REWARDS
    assert distribution.REWARDS in distribution.bank.MODULE_ADDRESSES
