"""Who takes part in consensus, and what the engine is told of it."""

from dataclasses import replace

from app.kernel.context import Context
from app.kernel.record import U32, U64
from app.kernel.store import Overlay
from app.modules import staking
from app.modules.staking import BondStatus, Params
from app.modules.staking.powers import end_block
from tests.build import FLT
from tests.build_staking import (
    StakingWorld,
    a_creation,
    a_delegation,
    an_operator,
    an_undelegation,
)


def told(world: StakingWorld) -> dict[bytes, int]:
    """What the engine is told at the end of this block."""
    ctx = Context(world.block)
    end_block(Overlay(world.state), ctx)
    return ctx.powers


def test_the_engine_is_told_what_changed_and_nothing_else() -> None:
    world = StakingWorld(["vera", "vito"])
    assert told(world) == {}
    world.run(a_delegation(world.account("ada"), "vito", FLT - 1))
    assert told(world) == {}
    world.run(a_delegation(world.account("ada"), "vito", 1))
    assert told(world) == {b"vito": 11}
    world.account("vida")
    world.run(a_creation("vida", 5 * FLT, {"pubkey": b"v" * 32}))
    assert told(world) == {b"vito": 11, b"v" * 32: 5}
    world.pass_block()
    assert told(world) == {}


def test_a_block_in_which_nothing_is_due_writes_nothing() -> None:
    world = StakingWorld(["vera", "vito"])
    world.run(an_undelegation(world.account("vito"), "vito", FLT))
    world.pass_block()
    draft = Overlay(world.state)
    end_block(draft, Context(replace(world.block, height=9, clock_ms=world.block.clock_ms + 9_000)))
    assert draft.changes == {}


def test_only_so_many_take_part_and_the_most_powerful_do() -> None:
    world = StakingWorld(["vera", "vito"])
    staking.PARAMS.put(world.state, Params(max_validators=U32(2), unbonding_s=U64(50)))
    world.account("vida")
    world.run(a_creation("vida", 9 * FLT, {"pubkey": b"v" * 32}))
    world.pass_block()
    assert world.powers() == {"vera": 10, "vito": 10}
    world.run(a_delegation(world.account("ada"), "vida", 2 * FLT))
    world.run(a_delegation(world.account("ada"), "vera", FLT))
    assert told(world) == {b"vito": 0, b"vera": 11, b"v" * 32: 11}
    world.pass_block()
    row = world.row("vito")
    assert (row.status, row.power) == (BondStatus.UNBONDING, 0)
    world.run(a_delegation(world.account("ada"), "vito", 2 * FLT))
    assert told(world)[b"vito"] == 12
    world.pass_block()
    assert world.row("vito").status is BondStatus.BONDED
    statuses = [world.row(name).status for name in ("vera", "vida")]
    assert sorted(statuses) == [BondStatus.UNBONDING, BondStatus.BONDED]
    world.wait(50)
    assert BondStatus.UNBONDED in [world.row(name).status for name in ("vera", "vida")]


def test_who_is_jailed_leaves_and_comes_back_when_freed() -> None:
    world = StakingWorld(["vera", "vito"])
    staking.set_jailed(world.state, an_operator("vito"), True)
    assert told(world) == {b"vito": 0}
    world.pass_block()
    assert world.powers() == {"vera": 10}
    staking.set_jailed(world.state, an_operator("vito"), False)
    assert told(world) == {b"vito": 10}


def test_a_chain_keeps_its_validators_while_nobody_else_may_be_one() -> None:
    world = StakingWorld(["vera"])
    staking.set_jailed(world.state, an_operator("vera"), True)
    assert told(world) == {}
    world.pass_block()
    assert world.powers() == {"vera": 10}
    world.account("vito")
    world.run(a_creation("vito", 3 * FLT))
    world.pass_block()
    assert world.powers() == {"vera's": 3}
    assert world.row("vera").status is BondStatus.UNBONDING
