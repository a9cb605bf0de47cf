"""Double signing: who votes twice at a height loses a part, and is kept out for good."""

from app.kernel.context import Misbehaviour
from app.kernel.record import U64
from app.modules import downtime, staking
from app.modules.downtime import FOREVER_MS, Slashed
from app.modules.staking import UNBONDINGS
from app.modules.staking.validators import KeyBanned
from tests.build import FLT, an_address
from tests.build_staking import (
    StakingWorld,
    a_consensus_key,
    a_creation,
    a_delegation,
    a_redelegation,
    an_operator,
    an_undelegation,
)

VITO = an_address("vito")


def evidence(height: int, power: int, who: bytes = VITO) -> tuple[Misbehaviour, ...]:
    """What the engine says of a validator that voted twice."""
    return (Misbehaviour("duplicate_vote", who, height, 0, power),)


def a_world() -> StakingWorld:
    """A world in which ada has staked 10 FLT with vito."""
    world = StakingWorld(["vera", "vito"])
    world.run(a_delegation(world.account("ada", 10 * FLT), "vito", 10 * FLT))
    world.pass_block()
    return world


def test_who_votes_twice_is_slashed_and_jailed_for_good() -> None:
    world = a_world()
    events = world.pass_block(misbehaviour=evidence(world.block.height, 20))
    row = world.row("vito")
    assert (row.tokens_uflt, row.jailed) == (19 * FLT, True)
    shown = downtime.consensus_text(VITO)
    assert Slashed(shown, "20", "double_sign", shown, "1000000uflt") in events
    info = downtime.find_info(world.state, VITO)
    assert (info.tombstoned, info.jailed_until_ms) == (True, FOREVER_MS)
    world.pass_block()
    assert world.powers() == {"vera": 10}


def test_what_left_since_loses_its_part() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    fault = world.block.height
    world.run(an_undelegation(ada, "vito", 4 * FLT))
    world.run(a_redelegation(ada, "vito", "vera", 2 * FLT))
    world.pass_block()
    world.pass_block(misbehaviour=evidence(fault + 1, 20))
    entries = UNBONDINGS.must(world.state, (ada, an_operator("vito"))).entries
    assert [entry.balance_uflt for entry in entries] == [4 * FLT * 95 // 100]
    assert world.row("vera").tokens_uflt == 12 * FLT - 2 * FLT * 5 // 100
    assert world.row("vito").tokens_uflt == 14 * FLT - (20 - 6) * FLT * 5 // 100


def test_nobody_is_punished_twice_and_strangers_are_not() -> None:
    world = a_world()
    found = evidence(world.block.height, 20)
    world.pass_block(misbehaviour=found + found)
    world.pass_block(misbehaviour=found + evidence(3, 5, an_address("eve")))
    assert world.row("vito").tokens_uflt == 19 * FLT


def test_the_key_is_kept_out_even_when_its_validator_is_no_more() -> None:
    world = StakingWorld(["vera"], params={"staking": {"unbonding_s": U64(100)}})
    vito = world.account("vito")
    world.run(a_creation("vito"))
    world.pass_block()
    address = staking.consensus_address(a_consensus_key("vito"))
    world.pass_block(misbehaviour=evidence(world.block.height, 10, address))
    left_uflt = world.row("vito").tokens_uflt
    world.run(an_undelegation(vito, "vito", left_uflt))
    world.wait(100)
    assert staking.find_validator(world.state, address) is None
    world.refused(a_creation("vito"), KeyBanned, "kept out for good", "another key")
    world.run(a_creation("vito", changes={"pubkey": a_consensus_key("another")}))
