"""CastWeightedVote: a vote is divided."""

import pytest

from app.kernel.errors import Rejected
from app.kernel.record import U64
from app.modules.gov import CastWeightedVote, ProposalStatus, VoteOption, WeightedVoteOption
from app.modules.gov.records import InvalidNumber
from app.modules.gov.voting import InvalidVote
from tests.build import an_address
from tests.build_gov import a_governed_world, find, pass_vote, propose, vote
from tests.rules.test_cast_vote import ABSTAIN, NO, VETO, YES, tally

VERA = an_address("vera")


def a_vote(proposal_id: int, **parts: str) -> CastWeightedVote:
    """What Vera says, by the names of options."""
    options = [WeightedVoteOption(VoteOption[name], weight) for name, weight in parts.items()]
    return CastWeightedVote(U64(proposal_id), VERA, tuple(options), "")


def test_each_part_has_its_share_of_the_stake() -> None:
    world = a_governed_world()
    proposal_id = propose(world)
    parts = {"YES": "0.4", "ABSTAIN": "0.3", "NO": "0.2", "NO_WITH_VETO": "0.1"}
    world.run(a_vote(proposal_id, **parts))
    vote(world, proposal_id, dora=NO)
    pass_vote(world)
    found = find(world, proposal_id)
    assert found is not None
    assert found.final_tally_result == tally(280, 210, 440, 70)
    assert found.status is ProposalStatus.REJECTED


WRONG: list[tuple[tuple[tuple[VoteOption, str], ...], type[Rejected], tuple[object, ...]]] = [
    ((), InvalidVote, ("options none", "each once")),
    (((YES, "0.5"), (YES, "0.5")), InvalidVote, ("options YES, YES",)),
    (((YES, "0.5"), (NO, "0.4")), InvalidVote, ("weights 900000000000000000", "a sum of 1")),
    (((YES, "1"), (NO, "0")), InvalidVote, ("weights", "none zero")),
    (((YES, "0.5"), (VoteOption.UNSPECIFIED, "0.5")), InvalidVote, ("UNSPECIFIED",)),
    (((YES, "1.5"),), InvalidNumber, ("weight 1.5", "0 to 1")),
    (((YES, "half"), (ABSTAIN, "0.5")), InvalidNumber, ("weight half",)),
    (((YES, "-1"), (VETO, "1")), InvalidNumber, ("weight -1",)),
]


@pytest.mark.parametrize(("parts", "rejection", "words"), WRONG)
def test_a_vote_that_is_not_divided_rightly_is_refused(
    parts: tuple[tuple[VoteOption, str], ...],
    rejection: type[Rejected],
    words: tuple[object, ...],
) -> None:
    world = a_governed_world()
    proposal_id = U64(propose(world))
    options = tuple([WeightedVoteOption(*part) for part in parts])
    world.refused(CastWeightedVote(proposal_id, VERA, options, ""), rejection, *words)
