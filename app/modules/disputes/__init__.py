"""Disputes: a posted model is proven false by one chunk, and what was built on it is undone.

While a round's aggregate is attested and not settled anyone may challenge it. First comes a
commitment to a proof, with a deposit; within a time it is opened with the proof's hash, a salt and
the first part, and further parts follow in order within another. A round has a limited number of
open disputes, beyond which only those may challenge who have a seat in it; an account has one. The
round settles when all of them have ended.

A proof is checked at the end of the block in which it is whole, or a later one: a limited number of
parts a block. A wrong one costs the deposit, which goes to the accused aggregator; one that is not
opened, or not whole in time, costs it too, and it goes to the treasury, for the accused might hold
up others with challenges that cost it nothing. Of the right ones the earliest commitment earns: a
proof waits until all earlier challenges have ended. Deposits of the others return.

A proven cheat loses all that the job locks of its bond and is barred from reading in the job; each
evaluator that attested loses a part of its bond. A quarter goes to the prover, then those who
delivered in the voided rounds get what they lost (`rounds/losses` says what that is), the rest is
burned.
The round and those built on it are voided with all their disputes, and the job goes on from the
last good model, in a new round with newly drawn readers: those of the false one attested it by a
majority.

records     params, records, events, tables
lifecycle   NEXT_PHASES, deadlines, deposits
challenge   CommitChallenge, OpenChallenge, AddProofPart
verdict     proofs, verdicts
"""

from __future__ import annotations

from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.record import U32, U64
from app.kernel.store import Reader
from app.modules import bank, rounds
from app.modules.disputes.challenge import (
    AddProofPart,
    CommitChallenge,
    CommitChallengeResponse,
    OpenChallenge,
    add_proof_part,
    commit_challenge,
    open_challenge,
)
from app.modules.disputes.lifecycle import NEXT_PHASES, get_open, require_dispute
from app.modules.disputes.records import (
    CHALLENGERS,
    COUNT,
    DISPUTES,
    DISPUTES_ACCOUNT,
    DUE,
    OPEN,
    PARAMS,
    PARTS,
    ChallengeCommitted,
    Dispute,
    DisputePhase,
    DisputePhaseChanged,
    Params,
    ProofPartAdded,
)
from app.modules.disputes.verdict import claim_of, decide_due_disputes

__all__ = [
    "DISPUTES",
    "MODULE",
    "NEXT_PHASES",
    "PARAMS",
    "AddProofPart",
    "ChallengeCommitted",
    "CommitChallenge",
    "CommitChallengeResponse",
    "Dispute",
    "DisputePhase",
    "DisputePhaseChanged",
    "DisputeRequest",
    "DisputeResponse",
    "DisputesRequest",
    "DisputesResponse",
    "OpenChallenge",
    "Params",
    "ParamsRequest",
    "ParamsResponse",
    "ProofPartAdded",
    "claim_of",
]


@frozen
class ParamsRequest:
    """Ask for the params of disputes."""


@frozen
class ParamsResponse:
    """The params of disputes."""

    params: Params


@frozen
class DisputeRequest:
    """Ask for one dispute."""

    job_id: U64
    round: U32
    dispute_id: U64


@frozen
class DisputeResponse:
    """One dispute."""

    dispute: Dispute


@frozen
class DisputesRequest:
    """Ask for a round's disputes, those that have ended too, a page at a time."""

    job_id: U64
    round: U32
    after: U64
    """The last dispute of the page before; 0: none."""
    limit: U32


@frozen
class DisputesResponse:
    """A page of a round's disputes, the earliest commitment first."""

    disputes: tuple[Dispute, ...]


PAGE_DEFAULT = 100
PAGE_MAX = 1_000


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def dispute(state: Reader, request: DisputeRequest) -> DisputeResponse:
    """Answer with one dispute."""
    found = require_dispute(state, request.job_id, request.round, request.dispute_id)
    return DisputeResponse(found)


def disputes(state: Reader, request: DisputesRequest) -> DisputesResponse:
    """Answer with a page of a round's disputes."""
    place = request.job_id, request.round
    rounds.require_round(state, *place)
    limit = min(request.limit or PAGE_DEFAULT, PAGE_MAX)
    rows = DISPUTES.items(state, place, after=(*place, request.after), limit=limit)
    return DisputesResponse(tuple(row for _, row in rows))


def the_disputes_account_is_the_sum_of_the_open_deposits(state: Reader) -> None:
    """The account `disputes` holds the deposits of the open disputes."""
    deposits = sum(DISPUTES.must(state, key).deposit_uflt for key in OPEN.keys(state))
    if bank.get_balance(state, DISPUTES_ACCOUNT) != deposits:
        broken(f"the account disputes holds the deposits of open disputes, {deposits} uflt")


def every_round_counts_its_open_disputes(state: Reader) -> None:
    """A round counts its open disputes, each of another challenger, and has an aggregate then."""
    counts: dict[tuple[int, int], int] = {}
    challengers = []
    for key, row in DISPUTES.items(state):
        if OPEN.has(state, key) != bool(NEXT_PHASES[row.phase]):
            broken(f"dispute {row.dispute_id} is found among the open ones until it has ended")
        if NEXT_PHASES[row.phase]:
            counts[key[:2]] = counts.get(key[:2], 0) + 1
            challengers.append((*key[:2], row.challenger))
    if sorted(challengers) != sorted(CHALLENGERS.keys(state)):
        broken("who has an open dispute of a round is found by it, and has one")
    for place, round in rounds.ROUNDS.items(state):
        if round.dispute_count != counts.get(place, 0):
            broken(f"round {place[1]} of job {place[0]} counts its open disputes")
        if round.dispute_count and round.phase not in rounds.ATTESTED:
            broken(f"round {place[1]} of job {place[0]} has an aggregate that is disputed")


def every_open_dispute_is_due_once_or_waits_for_an_earlier_one(state: Reader) -> None:
    """Every open dispute is due once, at its own time, or is proven and waits for another."""
    due = []
    for job_id, number, dispute_id in OPEN.keys(state):
        row = DISPUTES.must(state, (job_id, number, dispute_id))
        if row.phase is not DisputePhase.PROVEN:
            due.append((row.due_clock_ms, job_id, number, dispute_id))
        elif get_open(state, job_id, number)[0] == row:
            broken(f"dispute {dispute_id} is proven and waits for an earlier one")
    if sorted(due) != list(DUE.keys(state)):
        broken("every open dispute is due once, at its own time, or proven")


def parts_are_kept_until_a_proof_is_checked(state: Reader) -> None:
    """The parts of a proof that is not checked yet are kept, in order, and no other."""
    phases = DisputePhase.OPENED, DisputePhase.COMPLETE
    rows = [DISPUTES.must(state, key) for key in OPEN.keys(state)]
    wanted = [
        (row.dispute_id, number)
        for row in rows
        if row.phase in phases
        for number in range(row.received_count)
    ]
    if sorted(wanted) != [key for key, _ in PARTS.items(state)]:
        broken("the parts that have arrived of proofs not checked yet are kept, and no other")


MODULE = Module(
    name="disputes",
    package="pollen.disputes.v1",
    tables=(DISPUTES, PARTS, OPEN, CHALLENGERS, DUE, COUNT),
    params=PARAMS,
    messages={
        CommitChallenge: Message(
            commit_challenge,
            gas=40_000,
            amino_name="pollen/CommitChallenge",
            response=CommitChallengeResponse,
        ),
        OpenChallenge: Message(open_challenge, gas=300_000, amino_name="pollen/OpenChallenge"),
        AddProofPart: Message(add_proof_part, gas=100_000, amino_name="pollen/AddProofPart"),
    },
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        DisputeRequest: Query(dispute, DisputeResponse),
        DisputesRequest: Query(disputes, DisputesResponse),
    },
    events=(ChallengeCommitted, ProofPartAdded, DisputePhaseChanged),
    end_block=decide_due_disputes,
    invariants=(
        the_disputes_account_is_the_sum_of_the_open_deposits,
        every_round_counts_its_open_disputes,
        every_open_dispute_is_due_once_or_waits_for_an_earlier_one,
        parts_are_kept_until_a_proof_is_checked,
    ),
)
