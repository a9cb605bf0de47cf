"""PruneAllowances: anybody clears away what has ended."""

from app.modules.feegrant import (
    ALLOWANCES,
    PRUNED_MAX,
    AllowancesPruned,
    GrantAllowance,
    PruneAllowances,
)
from tests.build import World, an_address
from tests.rules.test_grant_allowance import NOW_MS, RITA, a_world, basic


def left(world: World) -> int:
    """How many allowances there are."""
    return len(list(ALLOWANCES.items(world.state)))


def test_allowances_that_have_ended_go_and_others_stay() -> None:
    world = a_world()
    for name, until_ms in (("now", NOW_MS), ("then", NOW_MS + 1_000), ("never", 0)):
        world.run(GrantAllowance(RITA, an_address(name), basic(until_ms=until_ms)))
    eve = world.account("eve")
    counts = []
    for _ in range(3):
        world.run(PruneAllowances(eve))
        counts.append(left(world))
        world.pass_block()
    assert counts == [3, 2, 1]
    assert world.said(AllowancesPruned) == [AllowancesPruned(eve)] * 3


def test_so_many_go_at_a_time_those_first_that_ended_first() -> None:
    world = a_world()
    for number in range(PRUNED_MAX + 1):
        until_ms = NOW_MS + PRUNED_MAX - number
        world.run(GrantAllowance(RITA, an_address(f"{number}"), basic(until_ms=until_ms)))
    world.pass_block()
    world.run(PruneAllowances(RITA))
    assert [grant.grantee for _, grant in ALLOWANCES.items(world.state)] == [an_address("0")]
    world.run(PruneAllowances(RITA))
    assert left(world) == 0
