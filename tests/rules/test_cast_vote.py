"""CastVote: one thing is said of a proposal; and what all that was said comes to."""

from dataclasses import replace

import pytest

from app.kernel.context import Context
from app.kernel.errors import InvariantBroken
from app.kernel.module import Message
from app.kernel.page import PageRequest
from app.kernel.record import U64, U128
from app.kernel.store import State
from app.modules import bank, fees, gov
from app.modules.gov import (
    GOVERNANCE,
    PARAMS,
    CastVote,
    CommunityPoolSpend,
    ProposalStatus,
    TallyResult,
    VoteOption,
    running,
)
from app.modules.gov.cosmos_params import ParamsReplaced
from app.modules.gov.records import VOTES, NoSuchProposal, WrongStatus, amount_of
from app.modules.gov.voting import InvalidVote, ProposalDecided, ProposalVoted
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
from tests.build_staking import an_undelegation

FIRST = PageRequest(b"", U64(0), U64(0), count_total=False, reverse=False)
YES, ABSTAIN, NO, VETO = (
    VoteOption.YES,
    VoteOption.ABSTAIN,
    VoteOption.NO,
    VoteOption.NO_WITH_VETO,
)
RITA = an_address("rita")
CHEAPER = fees.Params(gas_per_row=U64(7))


def tally(*flt: int) -> TallyResult:
    """So many FLT for yes, abstain, no and veto."""
    return TallyResult(*[U128(each * FLT) for each in flt])


def decided(**votes: VoteOption) -> tuple[World, ProposalStatus, TallyResult]:
    """What becomes of a proposal of cheaper gas after these votes."""
    world = a_governed_world()
    proposal_id = propose(world, replace_params(CHEAPER))
    vote(world, proposal_id, **votes)
    asked = gov.tally_result(world.state, gov.TallyResultRequest(U64(proposal_id))).tally
    pass_vote(world)
    found = find(world, proposal_id)
    assert found is not None
    assert asked == found.final_tally_result
    assert list(VOTES.items(world.state)) == []
    return world, found.status, found.final_tally_result


def test_what_passes_is_run() -> None:
    world, status, result = decided(vera=YES)
    assert (status, result) == (ProposalStatus.PASSED, tally(1_000, 0, 0, 0))
    assert fees.PARAMS.get(world.state) == CHEAPER
    assert world.balance(RITA) == RICH
    assert world.said(ProposalDecided) == [ProposalDecided(U64(1), "proposal_passed", "")]


CASES: list[tuple[dict[str, VoteOption], ProposalStatus, TallyResult]] = [
    ({}, ProposalStatus.REJECTED, tally(0, 0, 0, 0)),
    ({"vito": YES}, ProposalStatus.REJECTED, tally(500, 0, 0, 0)),  # A third isn't the quorum.
    ({"vera": NO, "vito": YES}, ProposalStatus.REJECTED, tally(500, 0, 1_000, 0)),
    ({"vera": YES, "vito": NO}, ProposalStatus.PASSED, tally(1_000, 0, 500, 0)),
    ({"vera": ABSTAIN, "vito": YES}, ProposalStatus.PASSED, tally(500, 1_000, 0, 0)),
    ({"vera": ABSTAIN}, ProposalStatus.REJECTED, tally(0, 1_000, 0, 0)),
    # Delegators say something else than their validator.
    ({"vera": YES, "dora": NO}, ProposalStatus.PASSED, tally(700, 0, 300, 0)),
    ({"vera": NO, "dora": YES, "vito": YES}, ProposalStatus.PASSED, tally(800, 0, 700, 0)),
    ({"dora": YES, "dirk": YES}, ProposalStatus.REJECTED, tally(400, 0, 0, 0)),
    # Who has no stake says nothing.
    ({"vera": NO, "dora": YES, "eve": YES}, ProposalStatus.REJECTED, tally(300, 0, 700, 0)),
    ({"vera": NO, "dora": YES, "dirk": YES}, ProposalStatus.REJECTED, tally(400, 0, 600, 0)),
    # A third is a veto only beyond the threshold.
    ({"vera": YES, "vito": VETO}, ProposalStatus.PASSED, tally(1_000, 0, 0, 500)),
    ({"vera": VETO, "vito": YES}, ProposalStatus.REJECTED, tally(500, 0, 0, 1_000)),
]  # fmt: skip


@pytest.mark.parametrize(("votes", "status", "result"), CASES)
def test_votes_weigh_what_is_staked(
    votes: dict[str, VoteOption], status: ProposalStatus, result: TallyResult
) -> None:
    world, found, counted = decided(**votes)
    assert (found, counted) == (status, result)
    is_cheaper = fees.PARAMS.get(world.state) == CHEAPER
    assert is_cheaper == (status is ProposalStatus.PASSED)


def test_deposits_are_burned_after_a_veto_and_come_back_else() -> None:
    world, _, _ = decided(vera=VETO)
    assert (world.balance(RITA), world.balance("gov")) == (RICH - DEPOSIT_UFLT, 0)
    for votes in ({}, {"vera": NO}, {"vera": ABSTAIN}):
        world, _, _ = decided(**votes)
        assert (world.balance(RITA), world.balance("gov")) == (RICH, 0)


def test_they_are_burned_for_want_of_a_quorum_if_the_params_say_so() -> None:
    world = a_governed_world()
    PARAMS.put(world.state, replace(PARAMS.get(world.state), burn_vote_quorum=True))
    propose(world)
    pass_vote(world)
    assert world.balance(RITA) == RICH - DEPOSIT_UFLT


def test_where_nothing_is_staked_nothing_passes() -> None:
    world = a_governed_world({})
    proposal_id = propose(world)
    vote(world, proposal_id, rita=YES)
    pass_vote(world)
    assert find(world, 1).status is ProposalStatus.REJECTED  # type: ignore[union-attr]


def test_messages_are_run_all_or_none_and_the_reason_is_kept() -> None:
    world = a_governed_world()
    spend = CommunityPoolSpend(GOVERNANCE, RITA, coins(FLT))
    proposal_id = propose(world, replace_params(CHEAPER), spend)
    vote(world, proposal_id, vera=YES, vito=YES)
    pass_vote(world)
    found = find(world, proposal_id)
    assert found is not None
    assert found.status is ProposalStatus.FAILED
    assert "insufficient funds" in found.failed_reason
    assert fees.PARAMS.get(world.state) == fees.Params()
    assert world.balance(RITA) == RICH
    assert world.said(ProposalDecided)[0].proposal_result == "proposal_failed"


def failing(error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> tuple[World, int]:
    """A proposal that passes, whose second message pays somebody and then raises an error."""

    def spend(state: State, ctx: Context, msg: CommunityPoolSpend) -> None:
        bank.mint(state, msg.recipient, amount_of(msg.amount))
        raise error

    url = "/cosmos.distribution.v1beta1.MsgCommunityPoolSpend"
    monkeypatch.setitem(running.KNOWN, url, (CommunityPoolSpend, Message(spend, 20_000, "")))
    world = a_governed_world()
    message = CommunityPoolSpend(GOVERNANCE, RITA, coins(FLT))
    proposal_id = propose(world, replace_params(CHEAPER), message)
    vote(world, proposal_id, vera=YES)
    return world, proposal_id


def test_a_bug_in_a_message_fails_its_proposal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world, proposal_id = failing(KeyError, monkeypatch)
    other = propose(world, replace_params(CHEAPER))
    vote(world, other, vera=YES)
    assert fees.PARAMS.get(world.state) == fees.Params()
    pass_vote(world)
    found, also = find(world, proposal_id), find(world, other)
    assert found is not None
    assert also is not None
    assert (found.status, also.status) == (ProposalStatus.FAILED, ProposalStatus.PASSED)
    assert found.failed_reason == "internal error: KeyError"
    assert world.balance(RITA) == RICH
    results = [said.proposal_result for said in world.said(ProposalDecided)]
    assert results == ["proposal_failed", "proposal_passed"]
    assert world.said(ParamsReplaced) == [ParamsReplaced("fees")]


@pytest.mark.parametrize("error", [InvariantBroken, MemoryError, RecursionError])
def test_a_broken_promise_in_a_message_stops_the_node(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = failing(error, monkeypatch)
    with pytest.raises(error):
        pass_vote(world)


def test_the_last_word_of_somebody_counts() -> None:
    world = a_governed_world()
    proposal_id = propose(world)
    vote(world, proposal_id, vera=NO)
    vote(world, proposal_id, vera=YES)
    rows = gov.votes(world.state, gov.VotesRequest(U64(proposal_id), FIRST)).votes
    assert [part.option for row in rows for part in row.options] == [YES]
    whole = '[{"option":1,"weight":"1.000000000000000000"}]'
    assert world.said(ProposalVoted)[-1] == ProposalVoted(an_address("vera"), whole, U64(1))
    one = gov.vote(world.state, gov.VoteRequest(U64(1), an_address("vera"))).vote
    assert one == rows[0]
    with pytest.raises(gov.NoSuchVote, match="voter"):
        gov.vote(world.state, gov.VoteRequest(U64(1), an_address("vito")))


def test_a_vote_is_cast_while_it_is_voted_on() -> None:
    world = a_governed_world()
    vera = an_address("vera")
    world.refused(CastVote(U64(1), vera, YES, ""), NoSuchProposal, "no such proposal")
    waiting = U64(propose(world, deposit_uflt=0))
    world.refused(CastVote(waiting, vera, YES, ""), WrongStatus, "is DEPOSIT_PERIOD")
    voted = U64(propose(world))
    pass_vote(world)
    world.refused(CastVote(voted, vera, YES, ""), WrongStatus, "is REJECTED", "VOTING_PERIOD")


def test_a_vote_says_something_and_not_too_much() -> None:
    world = a_governed_world()
    proposal_id = U64(propose(world))
    for option, metadata, words in (
        (VoteOption.UNSPECIFIED, "", ("options UNSPECIFIED", "NO_WITH_VETO")),
        (YES, "m" * 256, ("metadata 256", "255 letters")),
    ):
        message = CastVote(proposal_id, an_address("vera"), option, metadata)
        world.refused(message, InvalidVote, *words)


def test_proposals_are_found_by_their_state_and_who_bears_on_them() -> None:
    world = a_governed_world()
    waiting, voted = propose(world, deposit_uflt=0), propose(world)
    vote(world, voted, vera=YES)

    def ask(status: int = 0, voter: str = "", depositor: str = "") -> list[int]:
        who = [an_address(name) if name else b"" for name in (voter, depositor)]
        request = gov.ProposalsRequest(ProposalStatus(status), *who, FIRST)  # type: ignore[arg-type]
        return [int(row.id) for row in gov.proposals(world.state, request).proposals]

    assert ask() == [waiting, voted]
    assert (ask(1), ask(2), ask(3)) == ([waiting], [voted], [])
    assert (ask(voter="vera"), ask(depositor="rita"), ask(voter="vito")) == ([voted], [voted], [])
    assert gov.proposal(world.state, gov.ProposalRequest(U64(voted))).proposal.id == voted


def test_nothing_is_written_while_nothing_is_due() -> None:
    world = a_governed_world()
    propose(world)
    before = dict(world.state.items(b"gov"))
    world.pass_block(3_600)
    world.pass_block(3_600)
    assert dict(world.state.items(b"gov")) == before


def test_who_has_nothing_staked_any_more_says_nothing() -> None:
    world = a_governed_world({"vera": {"vera": 600}})
    proposal_id = propose(world)
    vote(world, proposal_id, vera=YES)
    world.run(an_undelegation(an_address("vera"), "vera", 600 * FLT))
    pass_vote(world)  # vera alone takes part, and goes on doing so
    decided = find(world, proposal_id)
    assert decided is not None
    assert (decided.status, decided.final_tally_result) == (ProposalStatus.REJECTED, TallyResult())
