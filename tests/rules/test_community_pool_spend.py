"""CommunityPoolSpend: governance pays somebody out of the treasury."""

import pytest

from app.kernel.crypto import module_address
from app.kernel.record import NO_ADDRESS, Address
from app.kernel.tx import Coin
from app.modules import bank, payouts
from app.modules.gov import GOVERNANCE, CommunityPoolSpend, VoteOption
from app.modules.gov.running import InvalidSpending
from app.modules.upgrade import NotGovernance
from tests.build import FLT, World, an_address
from tests.build_gov import a_governed_world, coins, pass_vote, propose, vote

OLGA = an_address("olga")


def a_rich_treasury() -> World:
    """A world whose treasury has five FLT."""
    world = a_governed_world()
    world.do(bank.move, an_address("rita"), payouts.TREASURY, 5 * FLT)
    return world


def test_the_treasury_pays_what_was_voted_for() -> None:
    world = a_rich_treasury()
    proposal_id = propose(world, CommunityPoolSpend(GOVERNANCE, OLGA, coins(3 * FLT)))
    vote(world, proposal_id, vera=VoteOption.YES)
    pass_vote(world)
    assert (world.balance(OLGA), world.balance("treasury")) == (3 * FLT, 2 * FLT)


@pytest.mark.parametrize(
    ("recipient", "amount", "words"),
    [
        (NO_ADDRESS, coins(1), ("recipient empty", "no module's")),
        (module_address("escrow"), coins(1), ("recipient pollen1",)),
        (OLGA, (), ("amount none", "uflt")),
        (OLGA, coins(1) * 2, ("amount 1uflt,1uflt",)),
        (OLGA, coins(1, "atom"), ("amount 1atom",)),
    ],
)
def test_it_pays_people_in_uflt(
    recipient: Address, amount: tuple[Coin, ...], words: tuple[object, ...]
) -> None:
    message = CommunityPoolSpend(GOVERNANCE, recipient, amount)
    a_rich_treasury().refused(message, InvalidSpending, *words)


def test_it_pays_what_it_has_at_governance_s_word_alone() -> None:
    world = a_rich_treasury()
    much = CommunityPoolSpend(GOVERNANCE, OLGA, coins(6 * FLT))
    world.refused(much, bank.InsufficientFunds, "insufficient funds")
    world.refused(CommunityPoolSpend(OLGA, OLGA, coins(1)), NotGovernance, "proposal")
