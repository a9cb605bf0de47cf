"""Unjail: a validator takes part again once its time in jail is over."""

from dataclasses import replace

from app.kernel.context import Misbehaviour
from app.kernel.record import U64
from app.modules import downtime, staking
from app.modules.downtime import NotJailed, SelfDelegationTooLow, StillJailed, Unjail
from app.modules.staking.records import NoSuchValidator
from tests.build import FLT, an_address
from tests.build_staking import StakingWorld, a_creation, an_operator, an_undelegation

VITO = an_address("vito")
FREE = Unjail(an_operator("vito"))


def a_world() -> StakingWorld:
    """A world in which vito is jailed for a minute."""
    world = StakingWorld(["vera", "vito"])
    staking.set_jailed(world.state, an_operator("vito"), True)
    until = U64(world.block.clock_ms + 60_000)
    info = replace(downtime.find_info(world.state, VITO), jailed_until_ms=until)
    downtime.SIGNING_INFOS.put(world.state, VITO, info)
    return world


def test_a_validator_is_free_when_its_time_is_over() -> None:
    world = a_world()
    world.pass_block(59)
    world.refused(FREE, StillJailed, "still jailed", world.block.time_ms // 1_000 + 1)
    assert world.powers() == {"vera": 10}
    world.pass_block()
    world.run(FREE)
    world.pass_block()
    assert world.powers() == {"vera": 10, "vito": 10}


def test_who_is_free_or_unknown_is_refused() -> None:
    world = a_world()
    world.refused(Unjail(an_operator("vera")), NotJailed, "not jailed", "pollenvaloper1")
    world.refused(Unjail(an_operator("eve")), NoSuchValidator, "does not exist")


def test_who_voted_twice_is_never_free() -> None:
    world = a_world()
    found = Misbehaviour("duplicate_vote", VITO, world.block.height, 0, 10)
    world.pass_block(misbehaviour=(found,))
    world.pass_block(10**9)
    world.refused(FREE, StillJailed, "before ever")


def test_who_has_too_little_staked_of_its_own_delegates_first() -> None:
    world = StakingWorld(["vera"])
    vida = world.account("vida")
    world.run(a_creation("vida", 10 * FLT, {"min_self_delegation": 8 * FLT}))
    world.run(an_undelegation(vida, "vida", 3 * FLT))
    free = Unjail(an_operator("vida"))
    world.refused(free, SelfDelegationTooLow, 7 * FLT, 8 * FLT)
    world.run(staking.Delegate(vida, an_operator("vida"), a_creation("vida", FLT).value))
    world.run(free)
    assert not world.row("vida").jailed
