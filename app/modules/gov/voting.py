"""Votes, and what happens when the time for deposits or votes is over."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from app.kernel.context import Context
from app.kernel.decimals import ONE
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U64, Address, Time
from app.kernel.store import State
from app.modules.gov.proposing import close_deposits, drop_votes, forget, set_due
from app.modules.gov.records import (
    DUE,
    DUE_PER_BLOCK_MAX,
    METADATA_LENGTH_MAX,
    PARAMS,
    PROPOSALS,
    VOTES,
    KeptProposal,
    ProposalStatus,
    Vote,
    VoteOption,
    WeightedVoteOption,
    read_decimal,
    require_proposal,
)
from app.modules.gov.running import run_messages
from app.modules.gov.tally import decide

WHOLE = "1.000000000000000000"


@frozen
class CastVote:
    """Say one thing of a proposal, in place of what was said before."""

    proposal_id: U64
    voter: Address
    option: VoteOption
    metadata: str


@frozen
class CastWeightedVote:
    """Say several things of a proposal, each with part of the stake."""

    proposal_id: U64
    voter: Address
    options: tuple[WeightedVoteOption, ...]
    metadata: str


@frozen
class ProposalVoted:
    """Somebody said something of a proposal."""

    EVENT_TYPE: ClassVar[str] = "proposal_vote"
    voter: Address
    option: str
    proposal_id: U64


@frozen
class ProposalDropped:
    """A proposal's deposit wasn't reached."""

    EVENT_TYPE: ClassVar[str] = "inactive_proposal"
    proposal_id: U64
    proposal_result: str


@frozen
class ProposalDecided:
    """A proposal was voted on: `proposal_passed`, `proposal_rejected` or `proposal_failed`.

    Or `expedited_proposal_rejected`: the vote goes on.
    """

    EVENT_TYPE: ClassVar[str] = "active_proposal"
    proposal_id: U64
    proposal_result: str
    proposal_log: str


class InvalidVote(Rejected):
    """A vote that says nothing, or too much."""

    code = 2408
    text = "{field} {value}: no valid vote, the limit is {limit}; change it"


def cast_vote(state: State, ctx: Context, msg: CastVote) -> None:
    """Say one thing of a proposal."""
    options = (WeightedVoteOption(msg.option, WHOLE),)
    keep(state, ctx, Vote(msg.proposal_id, msg.voter, options, msg.metadata))


def cast_weighted_vote(state: State, ctx: Context, msg: CastWeightedVote) -> None:
    """Say several things of a proposal."""
    keep(state, ctx, Vote(msg.proposal_id, msg.voter, msg.options, msg.metadata))


def keep(state: State, ctx: Context, vote: Vote) -> None:
    """Keep a vote while its proposal is voted on."""
    require_proposal(state, vote.proposal_id, ProposalStatus.VOTING_PERIOD)
    check_vote(vote)

    VOTES.put(state, (vote.proposal_id, vote.voter), vote)
    parts = [f'{{"option":{part.option.value},"weight":"{part.weight}"}}' for part in vote.options]
    ctx.emit(ProposalVoted(vote.voter, f"[{','.join(parts)}]", vote.proposal_id))


def check_vote(vote: Vote) -> None:
    """Refuse a vote whose parts aren't each something, once, and all of it together."""
    options = [part.option for part in vote.options]
    names = ", ".join([option.name for option in options[:8]]) or "none"
    is_each_once = 0 < len(options) == len(dict.fromkeys(options)) <= 4
    is_said = VoteOption.UNSPECIFIED not in options
    weights = [read_decimal("weight", part.weight) for part in vote.options]
    words = f"{METADATA_LENGTH_MAX} letters"
    for field, value, is_valid, limit in (
        ("options", names, is_each_once and is_said, "YES, ABSTAIN, NO, NO_WITH_VETO, each once"),
        ("weights", sum(weights), all(weights) and sum(weights) == ONE, "a sum of 1, none zero"),
        ("metadata", len(vote.metadata), len(vote.metadata) <= METADATA_LENGTH_MAX, words),
    ):
        require(is_valid, InvalidVote, field=field, value=value, limit=limit)


def close_due(state: State, ctx: Context) -> None:
    """Drop the proposals whose deposit wasn't reached in time, decide those voted on."""
    due = DUE.keys(state, up_to=ctx.block.clock_ms, limit=DUE_PER_BLOCK_MAX)
    for _, proposal_id in list(due):
        kept = PROPOSALS.must(state, proposal_id)
        if kept.proposal.status is ProposalStatus.DEPOSIT_PERIOD:
            drop(state, ctx, kept)
        else:
            close_vote(state, ctx, kept)


def drop(state: State, ctx: Context, kept: KeptProposal) -> None:
    """Forget a proposal whose deposit wasn't reached."""
    proposal_id = kept.proposal.id
    close_deposits(state, ctx, proposal_id, burns=PARAMS.get(state).burn_proposal_deposit_prevote)
    forget(state, proposal_id)
    ctx.emit(ProposalDropped(proposal_id, "proposal_dropped"))


def close_vote(state: State, ctx: Context, kept: KeptProposal) -> None:
    """Count the votes, settle the deposits, and run the messages of a proposal that passes.

    One in a hurry that doesn't pass is voted on like any other from then on.
    """
    proposal_id = kept.proposal.id
    outcome = decide(state, proposal_id)
    if kept.proposal.expedited and not outcome.passes:
        slow_down(state, ctx, kept)
        return
    drop_votes(state, proposal_id)
    close_deposits(state, ctx, proposal_id, burns=outcome.burns_deposits)
    reason = run_messages(state, ctx, kept.proposal) if outcome.passes else ""
    status = ProposalStatus.REJECTED
    if outcome.passes:
        status = ProposalStatus.FAILED if reason else ProposalStatus.PASSED
    decided = replace(
        kept.proposal, status=status, final_tally_result=outcome.result, failed_reason=reason
    )
    set_due(state, replace(kept, proposal=decided), 0)
    ctx.emit(ProposalDecided(proposal_id, f"proposal_{status.name.lower()}", reason))


def slow_down(state: State, ctx: Context, kept: KeptProposal) -> None:
    """Give a proposal that was in a hurry the rest of the time; what was said of it counts on."""
    params, proposal = PARAMS.get(state), kept.proposal
    more_ms = max(0, params.voting_period - params.expedited_voting_period)
    end = Time(proposal.voting_end_time + more_ms)
    slower = replace(proposal, expedited=False, voting_end_time=end)
    set_due(state, replace(kept, proposal=slower), kept.due_clock_ms + more_ms)
    ctx.emit(ProposalDecided(proposal.id, "expedited_proposal_rejected", ""))
