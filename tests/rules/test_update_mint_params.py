"""UpdateMintParams: governance replaces how much inflation there may be."""

from typing import Any

import pytest

from app.kernel.decimals import ONE
from app.kernel.record import U64
from app.modules import bank, mint
from tests.build_gov import a_governed_world
from tests.build_params import HALF, MINT, OVER, ZERO, check_authority, check_refused

WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"mint_denom": "atom"}, ("mint_denom atom",)),
    ({"goal_bonded": ZERO}, ("goal_bonded 0",)),
    ({"blocks_per_year": U64(525_961)}, ("blocks_per_year 525961", "1 to 525960")),
    ({"inflation_max": OVER}, ("inflation_max",)),
    ({"inflation_min": HALF}, ("inflation_min", f"0 to {ONE // 5}")),
]


def test_inflation_begins_with_its_params() -> None:
    world = a_governed_world()
    world.run(MINT)
    supply = bank.get_supply(world.state)
    world.pass_block()
    world.wait(86_500)  # a 365th of 365.25 days
    assert mint.PARAMS.get(world.state) == MINT.params
    assert mint.MINTER.get(world.state).inflation >= ONE // 10
    assert bank.get_supply(world.state) > supply


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_what_it_could_not_go_on_with_is_refused(
    fields: dict[str, Any], words: tuple[str, ...]
) -> None:
    check_refused(MINT, fields, *words)


def test_only_governance_does_so() -> None:
    check_authority(MINT)
