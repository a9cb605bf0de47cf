"""BeginRedelegate: staked money is moved to another validator at once."""

from app.kernel.decimals import ONE
from app.kernel.record import U32, U64, Time
from app.modules.staking import REDELEGATIONS, BeginRedelegateResponse
from app.modules.staking.delegating import (
    NotStaked,
    Redelegated,
    SameValidator,
    StillMoving,
    TooLittleToMove,
    TooManyEntries,
)
from app.modules.staking.queues import RedelegationCompleted
from app.modules.staking.records import NoSuchDelegation, NoSuchValidator
from tests.build import FLT
from tests.build_staking import (
    StakingWorld,
    a_creation,
    a_delegation,
    a_redelegation,
    an_operator,
)

SHORT = {"staking": {"unbonding_s": U64(100), "max_entries": U32(2)}}
VERA, VITO = an_operator("vera"), an_operator("vito")


def a_world() -> StakingWorld:
    """A world in which ada has staked 5 FLT with vera, of three validators."""
    world = StakingWorld(["vera", "vito", "vida"], params=SHORT)
    world.run(a_delegation(world.account("ada", 5 * FLT), "vera", 5 * FLT))
    world.pass_block()
    return world


def test_stake_is_moved_at_once_and_remembered_for_the_unbonding_time() -> None:
    world = a_world()
    ada = world.account("ada", 0)

    answer = world.run(a_redelegation(ada, "vera", "vito", 2 * FLT))

    end = Time(world.block.time_ms + 100_000)
    assert answer == BeginRedelegateResponse(end)
    assert world.said(Redelegated) == [Redelegated(VERA, VITO, "2000000uflt", end)]
    assert world.shares(ada, "vera") == 3 * FLT * ONE
    assert world.shares(ada, "vito") == 2 * FLT * ONE
    world.pass_block(100)
    assert world.powers() == {"vera": 13, "vito": 12, "vida": 10}
    assert REDELEGATIONS.has(world.state, (ada, VERA, VITO))
    ended = [each for each in world.pass_block() if isinstance(each, RedelegationCompleted)]
    assert ended == [RedelegationCompleted("2000000uflt", ada, VERA, VITO)]
    assert not REDELEGATIONS.has(world.state, (ada, VERA, VITO))


def test_what_was_moved_to_a_validator_is_not_moved_on_meanwhile() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    world.run(a_redelegation(ada, "vera", "vito", 2 * FLT))
    onwards = a_redelegation(ada, "vito", "vida", FLT)
    world.refused(onwards, StillMoving, "already in progress", world.block.time_ms // 1_000 + 100)
    world.run(a_redelegation(ada, "vera", "vida", FLT))
    world.wait(100)
    world.run(onwards)


def test_what_leaves_an_unbonding_validator_is_free_when_that_is() -> None:
    world = a_world()
    vida, ada = world.account("vida", 0), world.account("ada", 0)
    world.run(a_redelegation(vida, "vida", "vito", 10 * FLT))
    world.run(a_delegation(world.account("ben", FLT), "vida", FLT))
    world.pass_block(40)
    row = world.row("vida")
    assert row.power == 0
    answer = world.run(a_redelegation(world.account("ben", 0), "vida", "vito", FLT))
    assert answer.completion_time == row.unbonding_ms == world.block.clock_ms + 60_000
    assert world.shares(ada, "vera") == 5 * FLT * ONE


def test_what_leaves_an_unbonded_validator_is_free_at_once() -> None:
    world = a_world()
    world.account("eve")
    world.run(a_creation("eve", FLT // 2))
    world.pass_block()
    answer = world.run(a_redelegation(world.account("eve"), "eve", "vito", FLT // 2))
    assert answer.completion_time == world.block.time_ms
    assert list(REDELEGATIONS.items(world.state)) == []


def test_what_cannot_be_moved_is_refused() -> None:
    world = a_world()
    ada, eve = world.account("ada", 0), world.account("eve")
    world.refused(a_redelegation(ada, "vera", "vera", 1), SameValidator, "same validator")
    world.refused(a_redelegation(ada, "vera", "eve", 1), NoSuchValidator, "does not exist")
    world.refused(a_redelegation(eve, "vera", "vito", 1), NoSuchDelegation, "key not found")
    world.refused(a_redelegation(ada, "vera", "vito", 6 * FLT), NotStaked, 6 * FLT, 5 * FLT)
    for _ in range(2):
        world.run(a_redelegation(ada, "vera", "vito", FLT))
    third = a_redelegation(ada, "vera", "vito", FLT)
    world.refused(third, TooManyEntries, "redelegation entries 3", "the limit is 2")


def test_shares_that_are_worth_no_uflt_are_not_moved() -> None:
    world = a_world()
    ada = world.account("ada", 0)
    world.slash("vera", ONE // 3)
    world.refused(a_redelegation(ada, "vera", "vito", 1), TooLittleToMove, "1uflt")
