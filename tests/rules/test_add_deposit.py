"""AddDeposit: others put money in, until a proposal is voted on; and what becomes of it."""

import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.page import PageRequest
from app.kernel.record import U64
from app.modules import gov
from app.modules.gov import AddDeposit, ProposalStatus
from app.modules.gov.proposing import InvalidDeposit
from app.modules.gov.records import DEPOSITS, DUE, PROPOSALS, NoSuchProposal, WrongStatus
from app.modules.gov.voting import ProposalDropped
from tests.build import FLT, RICH, an_address
from tests.build_gov import (
    DEPOSIT_UFLT,
    a_governed_world,
    coins,
    find,
    pass_vote,
    propose,
)

FIRST = PageRequest(b"", U64(0), U64(0), count_total=False, reverse=False)
RITA = an_address("rita")


def test_a_proposal_is_voted_on_once_its_deposit_is_there() -> None:
    world = a_governed_world()
    ben = world.account("ben")
    proposal_id = U64(propose(world, deposit_uflt=60 * FLT))
    world.run(AddDeposit(proposal_id, ben, coins(39 * FLT)))
    assert find(world, 1).status is ProposalStatus.DEPOSIT_PERIOD  # type: ignore[union-attr]
    world.run(AddDeposit(proposal_id, RITA, coins(FLT)))
    assert find(world, 1).status is ProposalStatus.VOTING_PERIOD  # type: ignore[union-attr]
    world.run(AddDeposit(proposal_id, ben, coins(5 * FLT)))
    rows = gov.deposits(world.state, gov.DepositsRequest(proposal_id, FIRST)).deposits
    amounts = {row.depositor: row.amount for row in rows}
    assert amounts == {RITA: coins(61 * FLT), ben: coins(44 * FLT)}
    one = gov.deposit(world.state, gov.DepositRequest(proposal_id, ben)).deposit
    assert one.amount == coins(44 * FLT)
    with pytest.raises(gov.NoSuchVote, match="depositor"):
        gov.deposit(world.state, gov.DepositRequest(proposal_id, an_address("eve")))


def test_a_deposit_that_is_not_reached_in_time_comes_back_and_the_proposal_goes() -> None:
    world = a_governed_world()
    proposal_id = propose(world, deposit_uflt=DEPOSIT_UFLT - 1)
    pass_vote(world)
    assert find(world, proposal_id) is None
    assert (world.balance("gov"), world.balance(RITA)) == (0, RICH)
    assert world.said(ProposalDropped) == [ProposalDropped(U64(1), "proposal_dropped")]
    message = AddDeposit(U64(1), RITA, coins(DEPOSIT_UFLT))
    world.refused(message, NoSuchProposal, "proposal_id 1", "1 to 1")


def test_it_is_burned_if_the_params_say_so() -> None:
    world = a_governed_world()
    gov.PARAMS.put(world.state, gov.Params(burn_proposal_deposit_prevote=True))
    propose(world, deposit_uflt=5 * FLT)
    pass_vote(world)
    assert (world.balance("gov"), world.balance(RITA)) == (0, RICH - 5 * FLT)


def test_a_deposit_too_small_to_count_is_refused() -> None:
    world = a_governed_world()
    proposal_id = U64(propose(world, deposit_uflt=0))
    for amount in (coins(FLT - 1), (), coins(5, "atom")):
        message = AddDeposit(proposal_id, RITA, amount)
        world.refused(message, InvalidDeposit, "the limit is 1000000uflt")


def test_nothing_is_put_in_for_a_proposal_that_is_decided() -> None:
    world = a_governed_world()
    proposal_id = U64(propose(world))
    pass_vote(world)
    message = AddDeposit(proposal_id, RITA, coins(FLT))
    world.refused(message, WrongStatus, "is REJECTED", "DEPOSIT_PERIOD or VOTING_PERIOD")


def test_money_and_times_that_do_not_agree_are_noticed() -> None:
    money = gov.the_account_of_governance_is_the_sum_of_all_deposits
    times = gov.every_open_proposal_is_due_once
    for check, spoil in (
        (money, lambda world: DEPOSITS.delete(world.state, (1, RITA))),
        (times, lambda world: DUE.remove(world.state, next(DUE.keys(world.state)))),
        (times, lambda world: PROPOSALS.delete(world.state, 1)),
    ):
        world = a_governed_world()
        propose(world)
        spoil(world)
        with pytest.raises(InvariantBroken):
            check(world.state)
