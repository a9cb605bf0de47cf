"""A challenge in three steps: commit to a proof, open it, add its further parts."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.learning import proof
from app.learning.commitment import CHALLENGE_COMMITMENT, commitment
from app.modules import bank, jobs, rounds
from app.modules.disputes.lifecycle import (
    advance,
    begin,
    has_passed,
    require_dispute,
    set_deadline,
    set_due,
)
from app.modules.disputes.records import (
    CHALLENGERS,
    COUNT,
    DISPUTES_ACCOUNT,
    PARAMS,
    PARTS,
    ChallengeCommitted,
    Dispute,
    DisputeCount,
    DisputePhase,
    ProofPart,
    ProofPartAdded,
)
from app.modules.disputes.verdict import claim_of
from app.modules.rounds import Round

HASH_BYTES = 32


@frozen
class CommitChallenge:
    """Bind oneself, against a deposit, to a proof that a round's aggregate is false."""

    challenger: Address
    job_id: U64
    round: U32
    commitment: bytes


@frozen
class CommitChallengeResponse:
    """Which dispute was begun, and when it must be opened."""

    dispute_id: U64
    deadline_clock_ms: U64


@frozen
class OpenChallenge:
    """Show what a commitment bound, with the first part of the proof."""

    challenger: Address
    job_id: U64
    round: U32
    dispute_id: U64
    proof_hash: bytes
    salt: bytes
    part_count: U32
    part: bytes


@frozen
class AddProofPart:
    """Add the next part of an opened proof."""

    challenger: Address
    job_id: U64
    round: U32
    dispute_id: U64
    number: U32
    """From 1; the first part, 0, came with the opening."""
    part: bytes


class AlreadyChallenged(Rejected):
    """A second open challenge of one round."""

    code = 1202
    text = (
        "challenger {challenger}: has an open challenge of round {round} of job {job_id}, the "
        "limit is one; open it, or wait until it has ended"
    )


class TooManyChallenges(Rejected):
    """A round with as many open disputes as strangers may add to."""

    code = 1203
    text = (
        "round {round} of job {job_id}: has {value} open disputes, the limit is {limit} for who "
        "has no seat in it; wait until one has ended, or let who has a seat challenge"
    )


class NotTheChallenger(Rejected):
    """Somebody else's dispute."""

    code = 1204
    text = (
        "challenger {challenger}: didn't commit dispute {dispute_id}, the limit is its challenger "
        "{limit}; sign with that account"
    )


class WrongDisputePhase(Rejected):
    """A dispute in whose phase this can't be done."""

    code = 1205
    text = (
        "dispute_id {dispute_id}: is {phase}, the limit is {limit}; "
        "look at the dispute, then do its next step"
    )


class TooLate(Rejected):
    """A step of a dispute after its deadline."""

    code = 1206
    text = (
        "dispute_id {dispute_id}: clock_ms {value}, the limit was {limit}; "
        "commit a new challenge while the round can be challenged"
    )


class WrongOpening(Rejected):
    """An opening that is not what the challenger bound itself to."""

    code = 1207
    text = (
        "proof_hash and salt: their commitment in attempt {attempt} is {value}, the limit is the "
        "committed {limit}; open exactly what was committed"
    )


class WrongPartCount(Rejected):
    """More parts than a proof of this round can have, or none."""

    code = 1208
    text = "part_count {value}: the limits are 1 to {limit} in this round; cut the proof so"


class WrongPart(Rejected):
    """A part that isn't the next."""

    code = 1209
    text = (
        "number {value}: the limit is the next part {limit} of {part_count}; add parts in order, "
        "each once"
    )


class WrongPartSize(Rejected):
    """A part that isn't full, though not the last, or longer than a part."""

    code = 1210
    text = "part: has {value} bytes, the limits are {low} to {high} for this one; cut the proof so"


def commit_challenge(state: State, ctx: Context, msg: CommitChallenge) -> CommitChallengeResponse:
    """Begin a dispute of an attested aggregate; the earliest commitment with a proof earns."""
    params = PARAMS.get(state)
    round = rounds.require_phase(state, ctx, msg.job_id, msg.round, rounds.ATTESTED)
    rounds.require_length("commitment", msg.commitment, HASH_BYTES, "give the commitment's hash")
    names = {"round": msg.round, "job_id": msg.job_id}
    shown = to_bech32(msg.challenger)
    has_open = CHALLENGERS.has(state, (msg.job_id, msg.round, msg.challenger))
    require(not has_open, AlreadyChallenged, **names, challenger=shown)
    count, limit = round.dispute_count, params.open_max
    is_free = count < limit or has_seat(state, round, msg.challenger)
    require(is_free, TooManyChallenges, **names, value=count, limit=limit)

    bank.move(state, ctx, msg.challenger, DISPUTES_ACCOUNT, params.deposit_uflt)
    dispute_id = U64(COUNT.get(state).count + 1)
    COUNT.put(state, DisputeCount(dispute_id))
    dispute = Dispute(
        job_id=msg.job_id,
        round=msg.round,
        dispute_id=dispute_id,
        challenger=msg.challenger,
        attempt=round.aggregate_attempt,
        commitment=msg.commitment,
        deposit_uflt=params.deposit_uflt,
    )
    dispute = set_deadline(ctx, dispute, params.open_s, deadline_blocks(state))
    begin(state, dispute)
    place = msg.job_id, msg.round, dispute_id
    ctx.emit(ChallengeCommitted(*place, msg.challenger, params.deposit_uflt))
    return CommitChallengeResponse(dispute_id, dispute.deadline_clock_ms)


def open_challenge(state: State, ctx: Context, msg: OpenChallenge) -> None:
    """Show a proof's hash and first part; a proof of one part is then checked."""
    dispute = require_step(state, ctx, msg, DisputePhase.COMMITTED)
    rounds.require_length("proof_hash", msg.proof_hash, HASH_BYTES, "give the proof's hash")
    rounds.require_length("salt", msg.salt, HASH_BYTES, "give the salt of the commitment")
    check_opening(ctx, dispute, msg)
    round = rounds.ROUNDS.must(state, (msg.job_id, msg.round))
    job, seats = jobs.JOBS.must(state, msg.job_id), rounds.get_seats(state, round)
    limit = proof.part_count(proof.proof_bytes_max(claim_of(job, round, seats)))
    count = msg.part_count
    require(1 <= count <= limit, WrongPartCount, value=count, limit=limit)

    dispute = advance(state, ctx, dispute, DisputePhase.OPENED)
    dispute = replace(dispute, proof_hash=msg.proof_hash, part_count=count)
    seconds = PARAMS.get(state).parts_s
    dispute = set_deadline(ctx, dispute, seconds, deadline_blocks(state))
    take_part(state, ctx, dispute, msg.part)


def add_proof_part(state: State, ctx: Context, msg: AddProofPart) -> None:
    """Add the next part of a proof; when all are there the proof is checked."""
    dispute = require_step(state, ctx, msg, DisputePhase.OPENED)
    names = {"value": msg.number, "part_count": dispute.part_count}
    require(msg.number == dispute.received_count, WrongPart, **names, limit=dispute.received_count)

    take_part(state, ctx, dispute, msg.part)


def take_part(state: State, ctx: Context, dispute: Dispute, part: bytes) -> None:
    """Keep a part; the last one lets the proof be checked at the end of this block."""
    number, count = dispute.received_count, U32(dispute.received_count + 1)
    is_last = count == dispute.part_count
    high = proof.PART_BYTES_MAX
    low = 1 if is_last else high
    names = {"value": len(part), "low": low, "high": high}
    require(low <= len(part) <= high, WrongPartSize, **names)

    PARTS.put(state, (dispute.dispute_id, number), ProofPart(part))
    place = dispute.job_id, dispute.round, dispute.dispute_id
    ctx.emit(ProofPartAdded(*place, number, dispute.part_count))
    dispute = replace(dispute, received_count=count)
    due = dispute.deadline_clock_ms
    if is_last:
        dispute = advance(state, ctx, dispute, DisputePhase.COMPLETE)
        due = U64(ctx.block.clock_ms)
    set_due(state, dispute, due)


def require_step(
    state: Reader, ctx: Context, msg: OpenChallenge | AddProofPart, phase: DisputePhase
) -> Dispute:
    """Return the challenger's own dispute in the phase that its step needs, in time, or refuse."""
    dispute = require_dispute(state, msg.job_id, msg.round, msg.dispute_id)
    names = {"dispute_id": msg.dispute_id}
    shown = {"challenger": to_bech32(msg.challenger), "limit": to_bech32(dispute.challenger)}
    require(msg.challenger == dispute.challenger, NotTheChallenger, **names, **shown)
    is_right, now = dispute.phase is phase, dispute.phase.name
    require(is_right, WrongDisputePhase, **names, phase=now, limit=phase.name)
    clock, deadline = ctx.block.clock_ms, dispute.deadline_clock_ms
    require(not has_passed(dispute, ctx.block), TooLate, **names, value=clock, limit=deadline)
    return dispute


def check_opening(ctx: Context, dispute: Dispute, msg: OpenChallenge) -> None:
    """Refuse anything but what the dispute's commitment bound."""
    found = commitment(
        CHALLENGE_COMMITMENT,
        ctx.block.chain_id,
        dispute.job_id,
        dispute.round,
        dispute.attempt,
        account=dispute.challenger,
        payload=msg.proof_hash + msg.salt,
    )
    names = {"value": found.hex(), "limit": dispute.commitment.hex()}
    require(found == dispute.commitment, WrongOpening, **names, attempt=dispute.attempt)


def has_seat(state: Reader, round: Round, account: Address) -> bool:
    """Whether an account was drawn for a round, to work or to read."""
    key = (round.job_id, round.round, account)
    return rounds.SEAT_OF.has(state, key) or rounds.READER_OF.has(state, key)


def deadline_blocks(state: Reader) -> int:
    """Return how many blocks must pass beside the time before a deadline has passed."""
    return rounds.PARAMS.get(state).deadline_blocks
