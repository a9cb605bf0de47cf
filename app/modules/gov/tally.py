"""How votes are counted: by stake, delegators in place of their validators."""

from __future__ import annotations

from typing import NamedTuple

from app.kernel import decimals
from app.kernel.record import U128, Address
from app.kernel.store import Reader
from app.modules import staking
from app.modules.gov.records import (
    PARAMS,
    PROPOSALS,
    VOTES,
    TallyResult,
    Vote,
    VoteOption,
    find_terms,
    read_decimal,
)

OPTIONS = (VoteOption.YES, VoteOption.ABSTAIN, VoteOption.NO, VoteOption.NO_WITH_VETO)


class Outcome(NamedTuple):
    """What became of a vote."""

    passes: bool
    burns_deposits: bool
    result: TallyResult


def decide(state: Reader, proposal_id: int) -> Outcome:
    """Count a proposal's votes: quorum first, then veto, then the threshold (Cosmos SDK)."""
    params = PARAMS.get(state)
    counts = count_votes(state, proposal_id)
    result = TallyResult(*[U128(decimals.truncate(counts[option])) for option in OPTIONS])
    total, bonded_uflt = sum(counts.values()), staking.bonded_uflt(state)
    if not bonded_uflt:
        return Outcome(False, False, result)
    if decimals.quo(total, decimals.to_dec(bonded_uflt)) < read_decimal("quorum", params.quorum):
        return Outcome(False, params.burn_vote_quorum, result)
    decided = total - counts[VoteOption.ABSTAIN]
    if not decided:
        return Outcome(False, False, result)
    veto_threshold = read_decimal("veto_threshold", params.veto_threshold)
    if decimals.quo(counts[VoteOption.NO_WITH_VETO], total) > veto_threshold:
        return Outcome(False, params.burn_vote_veto, result)
    proposal = PROPOSALS.must(state, proposal_id).proposal
    threshold = read_decimal("threshold", find_terms(params, proposal).threshold)
    return Outcome(decimals.quo(counts[VoteOption.YES], decided) > threshold, False, result)


def count_votes(state: Reader, proposal_id: int) -> dict[VoteOption, int]:
    """Return how much stake says what, each with 18 decimals.

    A validator that votes does so for all its delegators who don't.
    """
    votes = [vote for _, vote in VOTES.items(state, (proposal_id,))]
    by_voter: dict[Address, Vote] = {vote.voter: vote for vote in votes}
    counts = dict.fromkeys(OPTIONS, 0)
    bonded = {row.operator: row for row in staking.bonded_validators(state)}
    left = {operator: int(row.shares) for operator, row in bonded.items()}
    for vote in votes:
        for delegation, validator in staking.find_stakes(state, vote.voter):
            operator = validator.operator
            if operator in bonded:
                left[operator] -= delegation.shares
                add(counts, vote, delegation.shares, validator)
    for operator, validator in bonded.items():
        own = by_voter.get(staking.account_of(operator))
        if own is not None:
            add(counts, own, left[operator], validator)
    return counts


def add(
    counts: dict[VoteOption, int], vote: Vote, shares: int, validator: staking.Validator
) -> None:
    """Add the stake of shares in a validator to what a vote says; no shares are none."""
    if not shares:
        return
    power = decimals.quo(shares * validator.tokens_uflt, validator.shares)
    for part in vote.options:
        counts[part.option] += decimals.mul(power, read_decimal("weight", part.weight))
