"""Undelegate: staked money is taken out, and arrives after the unbonding time."""

from app.kernel.crypto import module_address
from app.kernel.decimals import ONE
from app.kernel.record import U32, U64, Time
from app.kernel.tx import Coin
from app.modules import clock, staking
from app.modules.staking import BondStatus, UndelegateResponse
from app.modules.staking.delegating import NotStaked, TooManyEntries, Undelegated
from app.modules.staking.queues import UnbondingCompleted
from app.modules.staking.records import NoSuchDelegation, NoSuchValidator
from tests.build import FLT
from tests.build_staking import (
    StakingWorld,
    a_creation,
    a_delegation,
    an_operator,
    an_undelegation,
)

SHORT = {"staking": {"unbonding_s": U64(100), "max_entries": U32(2)}}


def a_world(stake_uflt: int = 5 * FLT) -> StakingWorld:
    """A world in which ada has staked all she has with vera."""
    world = StakingWorld(params=SHORT)
    world.run(a_delegation(world.account("ada", stake_uflt), "vera", stake_uflt))
    world.pass_block()
    return world


def test_money_arrives_after_the_unbonding_time() -> None:
    world = a_world()
    ada = world.account("ada", 0)

    answer = world.run(an_undelegation(ada, "vera", 2 * FLT))

    end = Time(world.block.time_ms + 100_000)
    assert answer == UndelegateResponse(end, Coin("uflt", 2 * FLT))
    assert world.said(Undelegated) == [Undelegated(an_operator("vera"), ada, "2000000uflt", end)]
    assert world.balance("not_bonded_tokens_pool") == 2 * FLT
    assert world.powers()["vera"] == 15
    world.pass_block(99)
    assert world.powers()["vera"] == 13
    world.pass_block(1)
    assert world.balance(ada) == 0
    world.pass_block()
    assert (world.balance(ada), world.balance("not_bonded_tokens_pool")) == (2 * FLT, 0)
    told = UnbondingCompleted("2000000uflt", an_operator("vera"), ada)
    assert world.said(UnbondingCompleted) == [told]


def test_a_chain_that_stood_still_pays_later_and_says_so() -> None:
    world = a_world()
    clock.HALTS.put(world.state, clock.Halts(U64(7_000_000)))
    ada = world.account("ada", 0)
    answer = world.run(an_undelegation(ada, "vera", 2 * FLT))
    assert answer.completion_time == world.block.clock_ms + 100_000 + 7_000_000


def test_two_in_one_block_arrive_together() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    for amount in (FLT, 3 * FLT):
        world.run(an_undelegation(ada, "vera", amount))
    world.wait(100)
    assert world.balance(ada) == 4 * FLT


def test_a_limited_number_ends_in_one_block() -> None:
    world = a_world()
    params = staking.Params(unbonding_s=U64(10), releases_per_block_max=U32(1))
    staking.PARAMS.put(world.state, params)
    ada, ben = world.account("ada", 0), world.account("ben", FLT)
    world.run(a_delegation(ben, "vera", FLT))
    for who in (ada, ben):
        world.run(an_undelegation(who, "vera", FLT))
    world.wait(10)
    assert world.balance(ada) + world.balance(ben) == FLT
    world.pass_block()
    assert world.balance(ada) + world.balance(ben) == 2 * FLT


def test_no_more_is_taken_out_than_is_staked() -> None:
    world = a_world()
    ada, eve = world.account("ada", 0), world.account("eve")
    world.refused(an_undelegation(ada, "vera", 5 * FLT + 1), NotStaked, 5 * FLT + 1, 5 * FLT)
    world.refused(an_undelegation(eve, "vera", 1), NoSuchDelegation, "key not found", "pollen1")
    world.refused(an_undelegation(ada, "eve", 1), NoSuchValidator, "does not exist")


def test_so_many_are_on_their_way_at_a_time() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    for _ in range(2):
        world.run(an_undelegation(ada, "vera", FLT))
        world.pass_block()
    message = an_undelegation(ada, "vera", FLT)
    world.refused(message, TooManyEntries, "unbonding delegation entries 3", "the limit is 2")
    world.wait(100)
    world.run(message)


def test_who_takes_all_out_has_no_delegation_left() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    world.run(an_undelegation(ada, "vera", 5 * FLT))
    assert world.shares(ada, "vera") == 0
    assert list(staking.find_stakes(world.state, ada)) == []


def test_an_operator_that_takes_out_what_it_promised_is_jailed() -> None:
    world = StakingWorld(params=SHORT)
    vida = world.account("vida")
    world.run(a_creation("vida", 10 * FLT, {"min_self_delegation": 8 * FLT}))
    world.pass_block()
    world.run(an_undelegation(vida, "vida", 2 * FLT))
    assert not world.row("vida").jailed
    world.run(an_undelegation(vida, "vida", 1))
    assert world.row("vida").jailed
    world.pass_block()
    row = world.row("vida")
    assert (row.status, row.power) == (BondStatus.UNBONDING, 0)


def test_a_validator_whose_last_share_is_taken_is_forgotten_once_it_is_unbonded() -> None:
    world = StakingWorld(params=SHORT)
    vito = world.account("vito", 0)
    before = world.balance(vito)
    world.run(an_undelegation(vito, "vito", 10 * FLT))
    world.pass_block()
    assert world.row("vito").status is BondStatus.UNBONDING
    world.wait(100)
    assert staking.VALIDATORS.get(world.state, an_operator("vito")) is None
    assert world.balance(vito) == before + 10 * FLT
    assert world.powers() == {"vera": 10}


def test_money_is_rounded_down_and_nothing_is_lost() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    world.slash("vera", ONE // 7)
    left = world.row("vera").tokens_uflt
    given = world.run(an_undelegation(ada, "vera", 1_000_001)).amount.amount
    assert given == 1_000_000
    row = world.row("vera")
    pools = [module_address("bonded_tokens_pool"), module_address("not_bonded_tokens_pool")]
    assert row.tokens_uflt < left
    assert sum(map(world.balance, pools)) == left + 10 * FLT
