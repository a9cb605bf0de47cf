"""The sentences that always hold of stake, each broken once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.kernel.crypto import module_address
from app.kernel.errors import InvariantBroken
from app.modules import bank, distribution, staking
from app.modules.staking import records
from tests.build import FLT
from tests.build_staking import (
    StakingWorld,
    a_delegation,
    a_redelegation,
    an_operator,
    an_undelegation,
)

VERA, VITO = an_operator("vera"), an_operator("vito")


def a_world() -> StakingWorld:
    """A world with a delegation, an unbonding, a redelegation and an unbonding validator."""
    world = StakingWorld(["vera", "vito", "vida"])
    ada = world.account("ada")
    world.run(a_delegation(ada, "vera", 5 * FLT))
    world.run(an_undelegation(ada, "vera", FLT))
    world.run(a_redelegation(ada, "vera", "vito", FLT))
    staking.set_jailed(world.state, an_operator("vida"), True)
    world.pass_block()
    return world


def change(world: StakingWorld, **fields: object) -> None:
    """Write vera with other values, as no rule would."""
    staking.VALIDATORS.put(world.state, VERA, replace(world.row("vera"), **fields))


def first(index: object, world: StakingWorld) -> object:
    """The first key of an index."""
    return next(iter(index.keys(world.state)))


def check_all(world: StakingWorld) -> None:
    """Check every invariant."""
    for invariant in staking.MODULE.invariants:
        invariant(world.state)


TAMPERING: list[tuple[Callable[[StakingWorld], None], str]] = [
    (lambda w: bank.mint(w.state, module_address("bonded_tokens_pool"), 1), "the pools hold"),
    (lambda w: bank.mint(w.state, module_address("not_bonded_tokens_pool"), 1), "the pools hold"),
    (lambda w: change(w, shares=5), "the sum of those of its delegations"),
    (
        lambda w: records.DELEGATIONS.put(
            w.state, (VERA, an_operator("eve")), staking.Delegation(VERA, an_operator("eve"), 1)
        ),
        "shares in a validator that there is",
    ),
    (lambda w: records.OPERATORS.delete(w.state, VITO), "found by its key"),
    (lambda w: records.RANKS.remove(w.state, first(records.RANKS, w)), "by its rank"),
    (lambda w: records.BONDED.remove(w.state, VERA), "by being bonded"),
    (lambda w: change(w, power=0), "has power if it is bonded"),
    (
        lambda w: records.VALIDATORS_DUE.remove(w.state, first(records.VALIDATORS_DUE, w)),
        "unbonding validator is due once",
    ),
    (lambda w: records.DELEGATORS.add(w.state, (VITO, VERA)), "staking/delegator finds"),
    (lambda w: records.LEAVING.remove(w.state, first(records.LEAVING, w)), "staking/leaving finds"),
    (lambda w: records.MOVED_FROM.add(w.state, (VITO, VERA, VITO)), "staking/moved_from finds"),
    (lambda w: records.MOVED_TO.add(w.state, (VITO, VERA, VITO)), "staking/moved_to finds"),
    (
        lambda w: records.ENTRIES_DUE.remove(w.state, first(records.ENTRIES_DUE, w)),
        "every entry is due",
    ),
    (
        lambda w: distribution.set_validator(w.state, an_operator("vera"), 9, 0),
        "rewards go by the power",
    ),
]


@pytest.mark.parametrize(("tamper", "sentence"), TAMPERING, ids=[s for _, s in TAMPERING])
def test_an_invariant_that_does_not_hold_says_so(
    tamper: Callable[[StakingWorld], None], sentence: str
) -> None:
    world = a_world()
    check_all(world)
    tamper(world)
    with pytest.raises(InvariantBroken, match=sentence):
        check_all(world)
