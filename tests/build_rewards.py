"""Fees that become rewards: a world in which some are paid, and what they come to."""

from app.kernel.crypto import module_address
from app.kernel.record import Address
from app.modules import bank, distribution
from tests.build import FLT, World
from tests.build_staking import StakingWorld, a_creation, a_delegation, an_operator


def a_world_with_stake() -> StakingWorld:
    """Vera has 10 FLT staked with herself and takes a tenth; Ada and Ben have 20 and 10 with her.

    Vito has 10 FLT staked with himself, and takes a tenth too.
    """
    world = StakingWorld([])
    for name in ("vera", "vito"):
        world.account(name)
        world.run(a_creation(name))
    for name, flt in (("ada", 20), ("ben", 10)):
        world.run(a_delegation(world.account(name), "vera", flt * FLT))
    world.account("eve")
    world.pass_block()
    return world


def pay_fees(world: World, uflt: int) -> None:
    """Let a block pass in which Eve has paid so much in fees."""
    world.do(bank.move, world.account("eve", 0), module_address("fee_collector"), uflt)
    world.pass_block()


def reward(world: World, who: Address, name: str) -> int | None:
    """What an account's stake with a validator has earned, with 18 decimals."""
    return distribution.find_reward(world.state, who, an_operator(name))


def commission(world: World, name: str) -> int:
    """A validator's commission, with 18 decimals."""
    row = distribution.find_earner(world.state, an_operator(name))
    return -1 if row is None else row.commission
