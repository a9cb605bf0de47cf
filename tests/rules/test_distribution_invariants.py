"""What always holds of rewards: each promise, and what breaks it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.record import U64, Dec
from app.modules import bank, distribution
from app.modules.distribution import EARNERS, POT, REWARDS
from tests.build_rewards import a_world_with_stake, pay_fees
from tests.build_staking import StakingWorld, an_operator


def change(world: StakingWorld, **fields: object) -> None:
    """Write what Vera has earned with other values, as no rule would."""
    row = EARNERS.must(world.state, an_operator("vera"))
    EARNERS.put(world.state, row.operator, replace(row, **fields))


def change_pot(world: StakingWorld, **fields: object) -> None:
    """Write what all have earned with other values."""
    POT.put(world.state, replace(POT.get(world.state), **fields))


def check_all(world: StakingWorld) -> None:
    """Check every invariant."""
    for invariant in distribution.MODULE.invariants:
        invariant(world.state)


TAMPERING: list[tuple[Callable[[StakingWorld], None], str]] = [
    (lambda w: bank.mint(w.state, REWARDS, 1), "holds what is owed"),
    (lambda w: change_pot(w, undivided=Dec(1)), "holds what is owed"),
    (lambda w: change(w, owed=Dec(1)), "holds what is owed"),
    (lambda w: change(w, commission=Dec(10**30)), "owes what was earned with it"),
    (lambda w: change(w, shares=Dec(10**30)), "owes what was earned with it"),
    (lambda w: change_pot(w, power=U64(1)), "shared among all who have power"),
]


@pytest.mark.parametrize(("tamper", "sentence"), TAMPERING)
def test_an_invariant_that_does_not_hold_says_so(
    tamper: Callable[[StakingWorld], None], sentence: str
) -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    tamper(world)
    with pytest.raises(InvariantBroken, match=sentence):
        check_all(world)
