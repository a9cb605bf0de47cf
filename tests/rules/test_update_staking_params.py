"""UpdateStakingParams: governance replaces how many validators there are, and more."""

from dataclasses import replace
from typing import Any

import pytest

from app.kernel.record import U32, U64, Duration
from app.modules import staking
from tests.build_gov import a_governed_world
from tests.build_params import HALF, OVER, STAKING, check_authority, check_refused

WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"unbonding_time": Duration(0)}, ("unbonding_time 0ms", "whole seconds")),
    ({"unbonding_time": Duration(1_500)}, ("unbonding_time 1500ms",)),
    ({"max_validators": U32(0)}, ("max_validators 0", "1 to 1000")),
    ({"max_entries": U32(101)}, ("max_entries 101",)),
    ({"historical_entries": U32(10)}, ("historical_entries 10",)),
    ({"bond_denom": "atom"}, ("bond_denom atom", "uflt")),
    ({"min_commission_rate": OVER}, ("min_commission_rate",)),
]


def test_what_cosmos_does_not_know_stays() -> None:
    world = a_governed_world()
    few = replace(staking.PARAMS.get(world.state), releases_per_block_max=U32(5))
    staking.PARAMS.put(world.state, few)
    world.run(STAKING)
    assert staking.PARAMS.get(world.state) == staking.Params(U64(60), U32(1), U32(3), HALF, U32(5))


def test_fewer_validators_take_part_from_the_next_block_on() -> None:
    world = a_governed_world()
    world.run(STAKING)
    world.pass_block()
    names = [row.description.moniker for row in staking.bonded_validators(world.state)]
    assert names == ["vera's"]


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_what_it_could_not_go_on_with_is_refused(
    fields: dict[str, Any], words: tuple[str, ...]
) -> None:
    check_refused(STAKING, fields, *words)


def test_only_governance_does_so() -> None:
    check_authority(STAKING)
