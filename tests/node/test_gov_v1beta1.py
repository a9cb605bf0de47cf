"""What older clients see of governance."""

from typing import Any

import pytest
from cosmpy.protos.cosmos.gov.v1beta1 import gov_pb2, query_pb2

from app.kernel.bech32 import to_bech32
from app.kernel.decimals import ONE
from app.kernel.record import U64
from app.kernel.trie import Forest
from app.modules import fees
from app.modules.gov import CastWeightedVote, VoteOption, WeightedVoteOption
from app.node.question import Refusal, View
from app.node.views import answer
from tests.build import World, an_address
from tests.build_gov import DEPOSIT_UFLT, a_governed_world, propose, replace_params, vote

RITA, VERA, VITO = [to_bech32(an_address(name)) for name in ("rita", "vera", "vito")]


@pytest.fixture
def world() -> World:
    """A world in which Vera votes for a proposal, and Vito half for it."""
    world = a_governed_world()
    number = propose(world, replace_params(fees.Params()))
    vote(world, number, vera=VoteOption.YES)
    halves = tuple(
        [WeightedVoteOption(each, "0.5") for each in (VoteOption.YES, VoteOption.ABSTAIN)]
    )
    world.run(CastWeightedVote(U64(number), an_address("vito"), halves, ""))
    return world


def ask(world: World, name: str, **fields: Any) -> Any:
    """The answer to a question."""
    request = getattr(query_pb2, f"Query{name}Request")(**fields)
    path = f"/cosmos.gov.v1beta1.Query/{name}"
    data = answer(View(world.state, world.block, Forest()), path, request.SerializeToString())
    return getattr(query_pb2, f"Query{name}Response").FromString(data)


def test_a_proposal_is_its_words(world: World) -> None:
    found = ask(world, "Proposal", proposal_id=1).proposal
    text = gov_pb2.TextProposal.FromString(found.content.value)
    assert found.content.type_url == "/cosmos.gov.v1beta1.TextProposal"
    assert (text.title, text.description) == ("a title", "a summary")
    assert (found.proposal_id, found.status) == (1, gov_pb2.PROPOSAL_STATUS_VOTING_PERIOD)
    assert [(coin.denom, coin.amount) for coin in found.total_deposit] == [
        ("uflt", str(DEPOSIT_UFLT))
    ]
    assert found.voting_end_time.seconds - found.voting_start_time.seconds == 2 * 86_400
    assert list(ask(world, "Proposals").proposals) == [found]


def test_votes_weigh_parts_of_one(world: World) -> None:
    by_voter = {each.voter: each for each in ask(world, "Votes", proposal_id=1).votes}
    vera, vito = by_voter[VERA], by_voter[VITO]
    assert (vera.option, [each.weight for each in vera.options]) == (1, [str(ONE)])
    assert (vito.option, [each.weight for each in vito.options]) == (0, [str(ONE // 2)] * 2)
    assert ask(world, "Vote", proposal_id=1, voter=VITO).vote == vito
    tally = ask(world, "TallyResult", proposal_id=1).tally
    assert (tally.yes, tally.abstain) == ("1250000000", "250000000")


def test_deposits_are_the_same(world: World) -> None:
    (found,) = ask(world, "Deposits", proposal_id=1).deposits
    assert (found.depositor, found.amount[0].amount) == (RITA, str(DEPOSIT_UFLT))
    assert ask(world, "Deposit", proposal_id=1, depositor=RITA).deposit == found


def test_the_params_are_asked_for_in_parts(world: World) -> None:
    tally = ask(world, "Params", params_type="tallying")
    assert tally.tally_params.quorum == b"334000000000000000"
    assert not tally.HasField("voting_params")
    voting = ask(world, "Params", params_type="voting").voting_params
    assert voting.voting_period.seconds == 2 * 86_400
    deposit = ask(world, "Params", params_type="deposit").deposit_params
    assert deposit.min_deposit[0].amount == str(DEPOSIT_UFLT)


def test_what_is_not_there_is_said(world: World) -> None:
    with pytest.raises(Refusal, match="no such proposal"):
        ask(world, "Proposal", proposal_id=2)
    with pytest.raises(Refusal, match="none for proposal 1"):
        ask(world, "Vote", proposal_id=1, voter=RITA)
