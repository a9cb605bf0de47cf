"""Delegate: money is staked with a validator."""

from app.kernel.decimals import ONE
from app.kernel.record import U128
from app.kernel.tx import Coin
from app.modules import bank
from app.modules.staking import Delegate
from app.modules.staking.delegating import Delegated
from app.modules.staking.records import NoExchangeRate, NoSuchValidator, WrongStakeDenom
from tests.build import FLT
from tests.build_staking import StakingWorld, a_creation, a_delegation, an_operator


def test_money_becomes_shares_and_power() -> None:
    world = StakingWorld()
    ada = world.account("ada", 10 * FLT)

    world.run(a_delegation(ada, "vera", 3 * FLT))
    world.run(a_delegation(ada, "vera", FLT))

    assert (world.balance(ada), world.shares(ada, "vera")) == (6 * FLT, 4 * FLT * ONE)
    assert world.said(Delegated)[0] == Delegated(
        an_operator("vera"), ada, "3000000uflt", "3000000.000000000000000000"
    )
    assert world.powers() == {"vera": 10, "vito": 10}
    world.pass_block()
    assert world.powers() == {"vera": 14, "vito": 10}


def test_after_a_slash_the_same_money_buys_more_shares() -> None:
    world = StakingWorld()
    ada = world.account("ada")
    world.slash("vera", ONE // 3)
    assert world.row("vera").tokens_uflt == 6_666_667

    world.run(a_delegation(ada, "vera", 1_000_000))

    shares = 10 * FLT * ONE * 1_000_000 // 6_666_667
    assert world.shares(ada, "vera") == shares
    assert world.row("vera").shares == 10 * FLT * ONE + shares


def test_what_cannot_be_staked_is_refused() -> None:
    world = StakingWorld()
    ada = world.account("ada", FLT)
    world.refused(a_delegation(ada, "eve", FLT), NoSuchValidator, "pollenvaloper1", "of the 2")
    world.refused(a_delegation(ada, "vera", 0), WrongStakeDenom, "0uflt")
    other = Delegate(ada, an_operator("vera"), Coin("atom", U128(1)))
    world.refused(other, WrongStakeDenom, "1atom", "uflt")
    world.refused(a_delegation(ada, "vera", FLT + 1), bank.InsufficientFunds, FLT + 1, FLT)


def test_a_validator_that_lost_everything_takes_no_stake() -> None:
    world = StakingWorld()
    ada = world.account("ada")
    world.slash("vera", ONE)
    assert world.row("vera").tokens_uflt == 0
    world.refused(a_delegation(ada, "vera", FLT), NoExchangeRate, "(zero) ex-rate")


def test_stake_with_who_takes_no_part_lies_in_the_other_pool() -> None:
    world = StakingWorld(["vera"])
    world.account("vito")
    world.run(a_creation("vito", FLT // 2))
    world.pass_block()
    assert world.powers() == {"vera": 10}
    world.run(a_delegation(world.account("ada"), "vito", FLT // 4))
    assert world.balance("not_bonded_tokens_pool") == FLT * 3 // 4
    world.run(a_delegation(world.account("ben"), "vito", FLT // 4))
    world.pass_block()
    assert world.powers() == {"vera": 10, "vera's": 1}
    assert world.balance("not_bonded_tokens_pool") == 0
