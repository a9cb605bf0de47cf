"""Governance: who has staked decides what messages are run in the chain's own name.

Anybody proposes messages, against a deposit; others may add to it. With the deposit a proposal is
voted on for a time. Votes weigh what is staked with validators that take part in consensus; a
validator votes for its delegators unless they do so themselves, and a vote may be divided. Quorum,
veto and threshold are as in the Cosmos SDK. What passes is run at the end of that block, all or
none: a module's params are replaced, the treasury pays, an upgrade is planned, or whatever else a
message of governance does. Times are the chain's clock, shown as dates. One in a hurry is
voted on for a shorter time, with a higher threshold; if it fails it has the rest of the time. Who
proposed may take it back, which costs part of the deposits.

records      what is known, and the params
proposing    proposals and deposits
running      what proposals may hold, and how it is run
cosmos_params  the params that Cosmos has messages for
tally        how votes are counted
voting       votes, and what happens when a time is over
"""

from __future__ import annotations

from collections.abc import Iterator

from app.kernel.bech32 import to_bech32
from app.kernel.errors import Rejected, broken
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.page import PAGE_MAX, PageRequest, PageResponse, get_page
from app.kernel.record import U64, Address, Duration
from app.kernel.store import Reader
from app.kernel.tx import Coin
from app.modules import bank
from app.modules.gov.cosmos_params import ParamsReplaced
from app.modules.gov.proposing import (
    AddDeposit,
    CancelProposal,
    CancelProposalResponse,
    ProposalCancelled,
    ProposalDeposited,
    ProposalSubmitted,
    SubmitProposal,
    SubmitProposalResponse,
    VotingBegun,
    add_deposit,
    cancel_proposal,
    submit_proposal,
)
from app.modules.gov.records import (
    COUNT,
    DEPOSITS,
    DUE,
    GOVERNANCE,
    OPEN,
    PARAMS,
    PROPOSALS,
    VOTES,
    Deposit,
    Params,
    Proposal,
    ProposalStatus,
    TallyResult,
    Vote,
    VoteOption,
    WeightedVoteOption,
    amount_of,
    require_proposal,
)
from app.modules.gov.running import (
    OWN,
    CommunityPoolSpend,
    ReplaceParams,
    UpdateParams,
)
from app.modules.gov.tally import decide
from app.modules.gov.voting import (
    CastVote,
    CastWeightedVote,
    ProposalDecided,
    ProposalDropped,
    ProposalVoted,
    cast_vote,
    cast_weighted_vote,
    close_due,
)

__all__ = [
    "GOVERNANCE",
    "PARAMS",
    "AddDeposit",
    "CancelProposal",
    "CancelProposalResponse",
    "CastVote",
    "CastWeightedVote",
    "CommunityPoolSpend",
    "Deposit",
    "Params",
    "Proposal",
    "ProposalStatus",
    "ReplaceParams",
    "SubmitProposal",
    "SubmitProposalResponse",
    "TallyResult",
    "UpdateParams",
    "Vote",
    "VoteOption",
    "WeightedVoteOption",
]


@frozen
class VotingParams:
    """The part of the params that older clients ask for."""

    voting_period: Duration


@frozen
class DepositParams:
    """The part of the params that older clients ask for."""

    min_deposit: tuple[Coin, ...]
    max_deposit_period: Duration


@frozen
class TallyParams:
    """The part of the params that older clients ask for."""

    quorum: str
    threshold: str
    veto_threshold: str


@frozen
class ParamsRequest:
    """Ask for the params of governance, whatever part is named."""

    params_type: str


@frozen
class ParamsResponse:
    """The params of governance, and the parts of them that older clients know."""

    voting_params: VotingParams
    deposit_params: DepositParams
    tally_params: TallyParams
    params: Params


@frozen
class ProposalRequest:
    """Ask for one proposal."""

    proposal_id: U64


@frozen
class ProposalResponse:
    """One proposal."""

    proposal: Proposal


@frozen
class ProposalsRequest:
    """Ask for proposals: all, or those in a state, that somebody votes on or has put money in."""

    proposal_status: ProposalStatus
    voter: Address
    depositor: Address
    pagination: PageRequest


@frozen
class ProposalsResponse:
    """A page of proposals; where only some were asked for, the last thousand at most."""

    proposals: tuple[Proposal, ...]
    pagination: PageResponse


@frozen
class VoteRequest:
    """Ask for one vote."""

    proposal_id: U64
    voter: Address


@frozen
class VoteResponse:
    """One vote."""

    vote: Vote


@frozen
class VotesRequest:
    """Ask for the votes on a proposal, while there are any, a page at a time."""

    proposal_id: U64
    pagination: PageRequest


@frozen
class VotesResponse:
    """A page of votes."""

    votes: tuple[Vote, ...]
    pagination: PageResponse


@frozen
class DepositRequest:
    """Ask for one deposit."""

    proposal_id: U64
    depositor: Address


@frozen
class DepositResponse:
    """One deposit."""

    deposit: Deposit


@frozen
class DepositsRequest:
    """Ask for the deposits of a proposal, while there are any, a page at a time."""

    proposal_id: U64
    pagination: PageRequest


@frozen
class DepositsResponse:
    """A page of deposits."""

    deposits: tuple[Deposit, ...]
    pagination: PageResponse


@frozen
class TallyResultRequest:
    """Ask how the votes on a proposal stand, or how they stood."""

    proposal_id: U64


@frozen
class TallyResultResponse:
    """How the votes stand."""

    tally: TallyResult


class NoSuchVote(Rejected):
    """A vote or a deposit that isn't there."""

    code = 2409
    text = "{field} {account}: none for proposal {proposal_id}, the limit is one; list them"


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    known = PARAMS.get(state)
    return ParamsResponse(
        VotingParams(known.voting_period),
        DepositParams(known.min_deposit, known.max_deposit_period),
        TallyParams(known.quorum, known.threshold, known.veto_threshold),
        known,
    )


def proposal(state: Reader, request: ProposalRequest) -> ProposalResponse:
    """Answer with one proposal."""
    return ProposalResponse(require_proposal(state, request.proposal_id).proposal)


def proposals(state: Reader, request: ProposalsRequest) -> ProposalsResponse:
    """Answer with proposals."""
    if request.proposal_status or request.voter or request.depositor:
        found = list(find_proposals(state, request))[-PAGE_MAX:]
        if request.pagination.reverse:
            found = found[::-1]
        return ProposalsResponse(tuple(found), PageResponse(b"", U64(len(found))))
    rows, page = get_page(PROPOSALS, state, (), request.pagination)
    return ProposalsResponse(tuple([row.proposal for row in rows]), page)


def find_proposals(state: Reader, request: ProposalsRequest) -> Iterator[Proposal]:
    """Walk the proposals that a question is about."""
    for proposal_id, kept in PROPOSALS.items(state):
        found = kept.proposal
        is_asked = request.proposal_status in (ProposalStatus.UNSPECIFIED, found.status)
        is_voted = not request.voter or VOTES.has(state, (proposal_id, request.voter))
        is_paid = not request.depositor or DEPOSITS.has(state, (proposal_id, request.depositor))
        if is_asked and is_voted and is_paid:
            yield found


def vote(state: Reader, request: VoteRequest) -> VoteResponse:
    """Answer with one vote."""
    names = {"field": "voter", "account": to_bech32(request.voter)}
    place = (request.proposal_id, request.voter)
    found = VOTES.require(state, place, NoSuchVote, proposal_id=request.proposal_id, **names)
    return VoteResponse(found)


def votes(state: Reader, request: VotesRequest) -> VotesResponse:
    """Answer with the votes on a proposal."""
    return VotesResponse(*get_page(VOTES, state, (request.proposal_id,), request.pagination))


def deposit(state: Reader, request: DepositRequest) -> DepositResponse:
    """Answer with one deposit."""
    names = {"field": "depositor", "account": to_bech32(request.depositor)}
    place = (request.proposal_id, request.depositor)
    found = DEPOSITS.require(state, place, NoSuchVote, proposal_id=request.proposal_id, **names)
    return DepositResponse(found)


def deposits(state: Reader, request: DepositsRequest) -> DepositsResponse:
    """Answer with the deposits of a proposal."""
    return DepositsResponse(*get_page(DEPOSITS, state, (request.proposal_id,), request.pagination))


def tally_result(state: Reader, request: TallyResultRequest) -> TallyResultResponse:
    """Answer with how the votes on a proposal stand, or stood when they were over."""
    found = require_proposal(state, request.proposal_id).proposal
    if found.status is ProposalStatus.VOTING_PERIOD:
        return TallyResultResponse(decide(state, request.proposal_id).result)
    return TallyResultResponse(found.final_tally_result)


def the_account_of_governance_is_the_sum_of_all_deposits(state: Reader) -> None:
    """Governance holds what was put in for open proposals, and each knows its own sum."""
    sums: dict[int, int] = {}
    for (proposal_id, _), row in DEPOSITS.items(state):
        sums[proposal_id] = sums.get(proposal_id, 0) + amount_of(row.amount)
    rows = [kept.proposal for _, kept in PROPOSALS.items(state)]
    stated = {row.id: amount_of(row.total_deposit) for row in rows if row.status in OPEN}
    if sums != {proposal_id: total for proposal_id, total in stated.items() if total}:
        broken(f"the deposits of open proposals {stated} are those there are {sums}")
    if bank.get_balance(state, GOVERNANCE) != sum(sums.values()):
        broken("the account of governance is the sum of all deposits")


def every_open_proposal_is_due_once(state: Reader) -> None:
    """Every open proposal is due once, at its own time, and only those voted on have votes."""
    due, voted = [], {}
    for proposal_id, kept in PROPOSALS.items(state):
        voted[proposal_id] = kept.proposal.status is ProposalStatus.VOTING_PERIOD
        if (kept.proposal.status in OPEN) != (kept.due_clock_ms > 0):
            broken(f"proposal {proposal_id} is due while it is open")
        if kept.due_clock_ms:
            due.append((kept.due_clock_ms, proposal_id))
    if sorted(due) != list(DUE.keys(state)):
        broken("every open proposal is due once, at its own time")
    if not all(voted.get(proposal_id, False) for (proposal_id, _), _ in VOTES.items(state)):
        broken("only proposals that are voted on have votes")


MODULE = Module(
    name="gov",
    package="cosmos.gov.v1",
    tables=(PROPOSALS, DEPOSITS, VOTES, DUE, COUNT),
    params=PARAMS,
    messages={
        SubmitProposal: Message(
            submit_proposal,
            gas=50_000,
            amino_name="cosmos-sdk/v1/MsgSubmitProposal",
            response=SubmitProposalResponse,
            signer="proposer",
        ),
        AddDeposit: Message(
            add_deposit,
            gas=30_000,
            amino_name="cosmos-sdk/v1/MsgDeposit",
            type_url="/cosmos.gov.v1.MsgDeposit",
            signer="depositor",
        ),
        CastVote: Message(
            cast_vote,
            gas=30_000,
            amino_name="cosmos-sdk/v1/MsgVote",
            type_url="/cosmos.gov.v1.MsgVote",
            signer="voter",
        ),
        CastWeightedVote: Message(
            cast_weighted_vote,
            gas=30_000,
            amino_name="cosmos-sdk/v1/MsgVoteWeighted",
            type_url="/cosmos.gov.v1.MsgVoteWeighted",
            signer="voter",
        ),
        CancelProposal: Message(
            cancel_proposal,
            gas=30_000,
            amino_name="cosmos-sdk/v1/MsgCancelProposal",
            response=CancelProposalResponse,
            signer="proposer",
        ),
        **OWN,
    },
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        ProposalRequest: Query(proposal, ProposalResponse),
        ProposalsRequest: Query(proposals, ProposalsResponse),
        VoteRequest: Query(vote, VoteResponse),
        VotesRequest: Query(votes, VotesResponse),
        DepositRequest: Query(deposit, DepositResponse),
        DepositsRequest: Query(deposits, DepositsResponse),
        TallyResultRequest: Query(tally_result, TallyResultResponse),
    },
    events=(
        ProposalSubmitted,
        ProposalDeposited,
        ProposalCancelled,
        VotingBegun,
        ProposalVoted,
        ProposalDropped,
        ProposalDecided,
        ParamsReplaced,
    ),
    end_block=close_due,
    invariants=(
        the_account_of_governance_is_the_sum_of_all_deposits,
        every_open_proposal_is_due_once,
    ),
)
