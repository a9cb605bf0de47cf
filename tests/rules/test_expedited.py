"""Proposals in a hurry: a larger deposit, a shorter vote, a higher threshold; then like others."""

from app.kernel.record import U64
from app.modules import fees
from app.modules.gov import AddDeposit, ProposalStatus, VoteOption
from app.modules.gov.proposing import InvalidDeposit
from app.modules.gov.records import VOTES
from app.modules.gov.voting import ProposalDecided
from tests.build import FLT, RICH, World, an_address
from tests.build_gov import (
    DEPOSIT_UFLT,
    a_governed_world,
    a_proposal,
    coins,
    find,
    replace_params,
    vote,
)

DAY_S = 86_400
HURRY_UFLT = 5 * DEPOSIT_UFLT
CHEAPER = fees.Params(gas_per_row=U64(7))
YES, NO = VoteOption.YES, VoteOption.NO
PASSED, REJECTED, VOTING = (
    ProposalStatus.PASSED,
    ProposalStatus.REJECTED,
    ProposalStatus.VOTING_PERIOD,
)


def a_hurried_world(deposit_uflt: int = HURRY_UFLT, **votes: VoteOption) -> World:
    """A world with a proposal in a hurry, and votes on it."""
    world = a_governed_world()
    message = a_proposal(replace_params(CHEAPER), deposit_uflt=deposit_uflt, expedited=True)
    world.run(message)
    vote(world, 1, **votes)
    return world


def status_of(world: World) -> tuple[ProposalStatus, bool]:
    """How far the proposal is, and whether it is still in a hurry."""
    found = find(world, 1)
    assert found is not None
    return found.status, found.expedited


def test_two_thirds_pass_it_in_half_the_time() -> None:
    world = a_hurried_world(vera=YES, vito=YES)
    world.wait(DAY_S)
    assert status_of(world) == (PASSED, True)
    assert (fees.PARAMS.get(world.state), world.balance(an_address("rita"))) == (CHEAPER, RICH)


def test_where_fewer_say_yes_it_is_voted_on_for_the_rest_of_the_time() -> None:
    world = a_hurried_world(vera=YES, vito=NO)  # 1,000 of 1,500 are less than 0.667
    before = find(world, 1)
    assert before is not None
    world.wait(DAY_S)
    after = find(world, 1)
    assert after is not None
    assert status_of(world) == (VOTING, False)
    assert world.said(ProposalDecided) == [
        ProposalDecided(U64(1), "expedited_proposal_rejected", "")
    ]
    assert after.voting_end_time == before.voting_end_time + DAY_S * 1_000
    assert (world.balance("gov"), len(list(VOTES.items(world.state)))) == (HURRY_UFLT, 2)
    world.wait(DAY_S)
    assert (status_of(world), world.balance(an_address("rita"))) == ((PASSED, False), RICH)


def test_what_nobody_votes_for_is_rejected_in_the_end() -> None:
    world = a_hurried_world()
    world.wait(DAY_S)
    assert status_of(world) == (VOTING, False)
    world.wait(DAY_S)
    assert status_of(world) == (REJECTED, False)
    assert fees.PARAMS.get(world.state) == fees.Params()


def test_it_needs_more_of_a_deposit() -> None:
    world = a_hurried_world(HURRY_UFLT - 5 * FLT)
    assert status_of(world) == (ProposalStatus.DEPOSIT_PERIOD, True)
    dora = world.account("dora")
    few = AddDeposit(U64(1), dora, coins(5 * FLT - 1))
    world.refused(few, InvalidDeposit, f"{5 * FLT}uflt or more")
    world.run(AddDeposit(U64(1), an_address("dora"), coins(5 * FLT)))
    assert status_of(world) == (VOTING, True)
