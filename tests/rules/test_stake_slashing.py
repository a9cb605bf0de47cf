"""Slashing of stake: who staked with a validator when it did wrong loses the same part."""

from app.kernel.decimals import ONE
from app.kernel.record import U64
from app.modules import bank, staking
from app.modules.staking import UNBONDINGS
from tests.build import FLT
from tests.build_staking import (
    StakingWorld,
    a_delegation,
    a_redelegation,
    an_operator,
    an_undelegation,
)

TENTH = ONE // 10


def a_world() -> StakingWorld:
    """A world in which ada has staked 10 FLT with vera."""
    world = StakingWorld(params={"staking": {"unbonding_s": U64(100)}})
    world.run(a_delegation(world.account("ada", 10 * FLT), "vera", 10 * FLT))
    world.pass_block()
    return world


def test_tokens_are_burned_and_shares_stay() -> None:
    world = a_world()
    supply = bank.get_supply(world.state)
    assert world.slash("vera", TENTH) == 2 * FLT
    row = world.row("vera")
    assert (row.tokens_uflt, row.shares) == (18 * FLT, 20 * FLT * ONE)
    assert staking.whole_tokens_of(row, world.shares(world.account("ada", 0), "vera")) == 9 * FLT
    assert supply - bank.get_supply(world.state) == 2 * FLT
    world.pass_block()
    assert world.powers() == {"vera": 18, "vito": 10}


def test_what_left_after_the_fault_loses_its_part_and_what_left_before_none() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    world.run(an_undelegation(ada, "vera", FLT))
    world.pass_block()
    fault = world.block.height
    world.run(an_undelegation(ada, "vera", 2 * FLT))
    world.pass_block()

    burned = world.do(staking.slash, an_operator("vera"), height=fault, power=19, fraction=TENTH)

    assert burned == 19 * FLT // 10 - 2 * FLT // 10
    entries = UNBONDINGS.must(world.state, (ada, an_operator("vera"))).entries
    assert [entry.balance_uflt for entry in entries] == [FLT, 18 * FLT // 10]
    world.wait(100)
    assert world.balance(ada) == FLT + 18 * FLT // 10


def test_what_was_moved_away_after_the_fault_loses_its_part() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    fault = world.block.height
    world.run(a_redelegation(ada, "vera", "vito", 4 * FLT))
    world.pass_block()

    burned = world.do(staking.slash, an_operator("vera"), height=fault, power=20, fraction=TENTH)

    assert burned == 2 * FLT - 4 * FLT // 10
    assert world.shares(ada, "vito") == 36 * FLT // 10 * ONE
    assert world.row("vito").tokens_uflt == 136 * FLT // 10


def test_who_moved_and_took_out_since_has_nothing_left_to_lose_there() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    fault = world.block.height
    world.run(a_redelegation(ada, "vera", "vito", 4 * FLT))
    world.run(an_undelegation(ada, "vito", 4 * FLT))
    world.pass_block()
    world.do(staking.slash, an_operator("vera"), height=fault, power=20, fraction=TENTH)
    assert world.row("vito").tokens_uflt == 10 * FLT


def test_all_may_be_lost_and_never_more() -> None:
    world = a_world()
    assert world.slash("vera", ONE) == 20 * FLT
    assert (
        world.do(
            staking.slash, an_operator("vera"), height=world.block.height, power=20, fraction=ONE
        )
        == 0
    )
    world.pass_block()
    assert world.powers() == {"vito": 10}


def test_who_is_unbonded_loses_nothing_more() -> None:
    world = a_world()
    staking.set_jailed(world.state, an_operator("vera"), True)
    world.wait(100)
    world.wait(100)
    place = {"height": 1, "power": 20, "fraction": ONE}
    assert world.do(staking.slash, an_operator("vera"), **place) == 0
    assert world.row("vera").tokens_uflt == 20 * FLT
