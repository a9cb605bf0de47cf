"""CancelUnbondingDelegation: money on its way out is staked again."""

from app.kernel.decimals import ONE
from app.kernel.record import U64
from app.modules import staking
from app.modules.staking.delegating import (
    NoSuchUnbonding,
    TooMuchToCancel,
    UnbondingCancelled,
    ValidatorJailed,
)
from tests.build import FLT
from tests.build_staking import (
    StakingWorld,
    a_cancellation,
    a_delegation,
    an_operator,
    an_undelegation,
)


def a_world() -> tuple[StakingWorld, int]:
    """A world in which 2 of ada's 5 FLT are on their way out of vera, and since which height."""
    world = StakingWorld(params={"staking": {"unbonding_s": U64(100)}})
    ada = world.account("ada", 5 * FLT)
    world.run(a_delegation(ada, "vera", 5 * FLT))
    world.run(an_undelegation(ada, "vera", 2 * FLT))
    height = world.block.height
    world.pass_block()
    return world, height


def test_all_of_it_is_staked_again() -> None:
    world, height = a_world()
    ada = world.account("ada", 0)
    world.run(a_cancellation(ada, "vera", 2 * FLT, height))
    assert world.shares(ada, "vera") == 5 * FLT * ONE
    assert world.balance("not_bonded_tokens_pool") == 0
    told = UnbondingCancelled("2000000uflt", an_operator("vera"), ada, str(height))
    assert world.said(UnbondingCancelled) == [told]
    world.wait(100)
    assert world.balance(ada) == 0


def test_a_part_is_staked_again_and_the_rest_arrives() -> None:
    world, height = a_world()
    ada = world.account("ada", 0)
    world.run(a_cancellation(ada, "vera", FLT // 2, height))
    assert world.shares(ada, "vera") == 7 * FLT // 2 * ONE
    world.wait(100)
    assert world.balance(ada) == 3 * FLT // 2


def test_only_what_is_on_its_way_is_staked_again() -> None:
    world, height = a_world()
    ada, eve = world.account("ada", 0), world.account("eve")
    too_much = a_cancellation(ada, "vera", 2 * FLT + 1, height)
    world.refused(too_much, TooMuchToCancel, 2 * FLT + 1, 2 * FLT)
    other = a_cancellation(ada, "vera", FLT, height + 1)
    world.refused(other, NoSuchUnbonding, "is not found", f"those of heights {height}")
    world.refused(a_cancellation(eve, "vera", FLT, height), NoSuchUnbonding, "heights none")


def test_nothing_is_staked_again_with_who_is_jailed() -> None:
    world, height = a_world()
    ada = world.account("ada", 0)
    staking.set_jailed(world.state, an_operator("vera"), True)
    world.refused(a_cancellation(ada, "vera", FLT, height), ValidatorJailed, "jailed validator")


def test_what_slashing_has_left_nothing_of_ends_in_its_time() -> None:
    world, height = a_world()
    ada = world.account("ada", 0)
    world.run(an_undelegation(ada, "vera", FLT))
    at = {"height": world.block.height, "power": 1, "fraction": ONE}
    world.pass_block()
    assert world.do(staking.slash, an_operator("vera"), **at) == 0
    world.run(a_cancellation(ada, "vera", 2 * FLT, height))
    left = staking.records.UNBONDINGS.must(world.state, (ada, an_operator("vera")))
    assert [each.balance_uflt for each in left.entries] == [0]
    world.wait(100)
    assert not staking.records.UNBONDINGS.has(world.state, (ada, an_operator("vera")))
    assert world.balance(ada) == 0
