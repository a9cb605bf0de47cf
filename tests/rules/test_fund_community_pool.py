"""FundCommunityPool: somebody gives money to the treasury."""

import pytest

from app.kernel.tx import Coin
from app.modules import bank
from app.modules.distribution import FundCommunityPool, InvalidGift
from tests.build import FLT, an_address
from tests.build_gov import coins
from tests.build_rewards import a_world_with_stake

EVE = an_address("eve")


def test_money_goes_to_the_treasury() -> None:
    world = a_world_with_stake()
    before = world.balance(EVE)
    world.run(FundCommunityPool(coins(3 * FLT), EVE))
    assert (before - world.balance(EVE), world.balance("treasury")) == (3 * FLT, 3 * FLT)


@pytest.mark.parametrize("amount", [(), coins(1, "atom"), coins(1) * 2])
def test_only_uflt_is_taken(amount: tuple[Coin, ...]) -> None:
    world = a_world_with_stake()
    world.refused(FundCommunityPool(amount, EVE), InvalidGift, "amount", "uflt")


def test_nobody_gives_more_than_it_has() -> None:
    world = a_world_with_stake()
    much = FundCommunityPool(coins(world.balance(EVE) + 1), EVE)
    world.refused(much, bank.InsufficientFunds, "insufficient funds")
