"""CancelProposal: who proposed takes it back, which costs part of the deposits."""

from dataclasses import replace

import pytest

from app.kernel.bech32 import to_bech32
from app.kernel.record import U64
from app.modules import bank, fees
from app.modules.gov import (
    PARAMS,
    AddDeposit,
    CancelProposal,
    CastVote,
    VoteOption,
)
from app.modules.gov.proposing import NotTheProposer, ProposalCancelled
from app.modules.gov.records import DEPOSITS, DUE, PROPOSALS, VOTES, NoSuchProposal, WrongStatus
from tests.build import FLT, RICH, World, an_address
from tests.build_gov import (
    DEPOSIT_UFLT,
    a_governed_world,
    coins,
    find,
    pass_vote,
    propose,
    replace_params,
    vote,
)

RITA = an_address("rita")
SHORT_UFLT = DEPOSIT_UFLT - 9


def a_voted_world() -> World:
    """A world with a proposal to which Rita and Dora gave, and on which Vera votes."""
    world = a_governed_world()
    proposal_id = propose(world, deposit_uflt=SHORT_UFLT)
    dora = an_address("dora")
    world.account("dora")
    world.run(AddDeposit(U64(proposal_id), dora, coins(FLT + 1)))
    world.run(CastVote(U64(proposal_id), an_address("vera"), VoteOption.YES, ""))
    return world


def test_a_proposal_is_taken_back_and_half_of_each_deposit_is_burned() -> None:
    world = a_voted_world()
    supply, dora = bank.get_supply(world.state), world.balance(an_address("dora"))
    answer = world.run(CancelProposal(U64(1), RITA))
    assert (answer.proposal_id, answer.canceled_height) == (1, world.block.height)
    assert answer.canceled_time == world.block.time_ms
    lost = SHORT_UFLT // 2, (FLT + 1) // 2  # what is odd goes back
    assert world.balance(an_address("rita")) == RICH - lost[0]
    assert world.balance(an_address("dora")) == dora + FLT + 1 - lost[1]
    assert bank.get_supply(world.state) == supply - sum(lost)
    assert world.balance("gov") == 0
    for table in (PROPOSALS, DEPOSITS, VOTES):
        assert list(table.items(world.state)) == []
    assert list(DUE.keys(world.state)) == []
    assert world.said(ProposalCancelled) == [ProposalCancelled(RITA, U64(1))]


def test_what_it_costs_may_go_to_somebody() -> None:
    world = a_voted_world()
    changed = replace(
        PARAMS.get(world.state),
        proposal_cancel_dest=to_bech32(an_address("gus")),
        proposal_cancel_ratio="1.0",
    )
    PARAMS.put(world.state, changed)
    supply = bank.get_supply(world.state)
    world.run(CancelProposal(U64(1), RITA))
    assert world.balance(an_address("gus")) == SHORT_UFLT + FLT + 1
    assert (world.balance(an_address("rita")), bank.get_supply(world.state)) == (
        RICH - SHORT_UFLT,
        supply,
    )


def test_one_that_waits_for_its_deposit_is_taken_back_too() -> None:
    world = a_governed_world()
    propose(world, deposit_uflt=2)
    world.run(CancelProposal(U64(1), RITA))
    assert (find(world, 1), world.balance(an_address("rita"))) == (None, RICH - 1)


def test_nobody_else_takes_it_back() -> None:
    world = a_voted_world()
    words = (to_bech32(RITA), "let that one cancel")
    world.refused(CancelProposal(U64(1), an_address("dora")), NotTheProposer, *words)


@pytest.mark.parametrize("option", [VoteOption.YES, VoteOption.NO])
def test_what_is_decided_stays(option: VoteOption) -> None:
    world = a_governed_world()
    proposal_id = propose(world, replace_params(fees.Params()))
    vote(world, proposal_id, vera=option)
    pass_vote(world)
    world.refused(CancelProposal(U64(1), RITA), WrongStatus, "DEPOSIT_PERIOD or VOTING_PERIOD")
    world.refused(CancelProposal(U64(2), RITA), NoSuchProposal, "proposal_id 2")
