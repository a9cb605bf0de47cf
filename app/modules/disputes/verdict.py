"""What becomes of a proof: it is checked, it waits for earlier ones, it voids what it disproves."""

from __future__ import annotations

from collections.abc import Sequence

from app.kernel.context import Context
from app.kernel.record import Address
from app.kernel.store import Reader as View
from app.kernel.store import State
from app.learning.proof import (
    AggregateClaim,
    ProofRefused,
    RevealedUpdate,
    is_proven_false,
    join_proof,
)
from app.modules import jobs, rounds, slashing
from app.modules.disputes.lifecycle import advance, drop_parts, end, get_open, has_passed, set_due
from app.modules.disputes.records import DISPUTES, DUE, PARAMS, PARTS, Dispute, DisputePhase
from app.modules.jobs import Job
from app.modules.rounds import Round, Seat, SeatState

FALSE_AGGREGATE = "false_aggregate"
RIGHT_CHUNK = "the opened chunk of the model is right"


def claim_of(job: Job, round: Round, seats: Sequence[Seat]) -> AggregateClaim:
    """Return all that a proof against a round's aggregate is held to."""
    work, combination = job.spec.work, job.spec.combination
    updates = [
        RevealedUpdate(
            worker=seat.worker,
            update_root=seat.reveal.update_root,
            sum_squares=seat.reveal.sum_squares,
            example_count=seat.reveal.example_count,
        )
        for seat in seats
        if seat.state is SeatState.INCLUDED
    ]
    return AggregateClaim(
        posted_root=round.model_root,
        base_root=round.base_root,
        layout_hash=work.layout_hash,
        value_count=work.value_count,
        updates=tuple(updates),
        rule=combination.rule,
        trim=combination.trim_count,
        norm_max=combination.norm_max,
        example_count_max=combination.example_count_max,
    )


def decide_due_disputes(state: State, ctx: Context) -> None:
    """Check the proofs that are whole and end what is late, a limited number a block."""
    left = int(PARAMS.get(state).due_per_block_max)
    for key in list(DUE.keys(state, up_to=ctx.block.clock_ms, limit=left)):
        if left <= 0:
            return
        if not DUE.has(state, key):
            continue  # ended with another of its round
        dispute = DISPUTES.must(state, key[1:])
        left -= 1
        if dispute.phase is DisputePhase.COMPLETE:
            left -= dispute.part_count
            check_proof(state, ctx, dispute)
        elif has_passed(dispute, ctx.block):
            end(state, ctx, dispute, DisputePhase.EXPIRED)
        else:
            set_due(state, dispute, ctx.block.clock_ms + 1)
            continue
        conclude(state, ctx, dispute.job_id, dispute.round)


def check_proof(state: State, ctx: Context, dispute: Dispute) -> None:
    """Find a proof right, or wrong at the cost of its deposit."""
    fault = find_fault(state, dispute)
    if fault:
        end(state, ctx, dispute, DisputePhase.REFUTED, fault)
        return
    drop_parts(state, dispute)
    set_due(state, advance(state, ctx, dispute, DisputePhase.PROVEN), 0)


def find_fault(state: View, dispute: Dispute) -> str:
    """Return why a proof doesn't show that its round's aggregate is false; empty: it does."""
    round = rounds.ROUNDS.must(state, (dispute.job_id, dispute.round))
    job, seats = jobs.JOBS.must(state, dispute.job_id), rounds.get_seats(state, round)
    numbers = range(dispute.part_count)
    parts = [PARTS.must(state, (dispute.dispute_id, number)).data for number in numbers]
    try:
        data = join_proof(parts, dispute.proof_hash)
        is_false = is_proven_false(claim_of(job, round, seats), data)
    except ProofRefused as refusal:
        return str(refusal)
    return "" if is_false else RIGHT_CHUNK


def conclude(state: State, ctx: Context, job_id: int, number: int) -> None:
    """Void a round if the earliest of its open disputes is proven."""
    earliest = next(iter(get_open(state, job_id, number)), None)
    if earliest is not None and earliest.phase is DisputePhase.PROVEN:
        uphold(state, ctx, earliest)


def uphold(state: State, ctx: Context, dispute: Dispute) -> None:
    """Void a proven round and those built on it, at the cost of who made and attested it."""
    voided = rounds.get_built(state, dispute.job_id, dispute.round)
    for round in voided:
        for each in get_open(state, round.job_id, round.round):
            is_first = each.dispute_id == dispute.dispute_id
            phase = DisputePhase.UPHELD if is_first else DisputePhase.RETURNED
            end(state, ctx, each, phase)
    false, place = voided[0], rounds.place_of(voided[0])
    slashed = slashing.slash(state, ctx, place, false.aggregator, slashing.Fault.FALSE_AGGREGATE)
    for who in get_attesters(state, false):
        slashed += slashing.slash(state, ctx, place, who, slashing.Fault.FALSE_ATTESTATION)
    slashing.pay_prover(state, ctx, place, dispute.challenger, slashed)
    rounds.bar(state, dispute.job_id, false.aggregator)
    rounds.void_round(state, ctx, dispute.job_id, dispute.round, FALSE_AGGREGATE)


def get_attesters(state: View, round: Round) -> list[Address]:
    """Return the evaluators that attested a round's aggregate."""
    readers, attempt = rounds.get_readers(state, round), round.aggregate_attempt
    return [reader.participant for reader in readers if reader.attested_attempt == attempt]
