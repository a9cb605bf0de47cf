"""UpdateDistributionParams: governance replaces what the community takes."""

from typing import Any

import pytest

from app.kernel.record import Dec
from app.modules import bank, distribution, fees
from tests.build_gov import a_governed_world
from tests.build_params import DISTRIBUTION, HALF, OVER, check_authority, check_refused

WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"community_tax": OVER}, ("community_tax",)),
    ({"base_proposer_reward": Dec(1)}, ("base_proposer_reward 1", "0 to 0")),
    ({"bonus_proposer_reward": Dec(1)}, ("bonus_proposer_reward 1",)),
]


def test_the_treasury_has_its_new_part_of_the_next_fees() -> None:
    world = a_governed_world()
    world.run(DISTRIBUTION)
    assert distribution.PARAMS.get(world.state) == distribution.Params(HALF, False)
    bank.mint(world.state, fees.FEE_COLLECTOR, 1_000)
    world.pass_block()
    assert (world.balance("treasury"), world.balance("distribution")) == (500, 500)


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_what_it_could_not_go_on_with_is_refused(
    fields: dict[str, Any], words: tuple[str, ...]
) -> None:
    check_refused(DISTRIBUTION, fields, *words)


def test_only_governance_does_so() -> None:
    check_authority(DISTRIBUTION)
