"""A dispute's life: which phase follows which, when it is due, and where its deposit goes."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.amounts import share_ppm
from app.kernel.context import Block, Context
from app.kernel.errors import Rejected, broken
from app.kernel.record import U64
from app.kernel.store import Reader, State
from app.modules import bank, payouts, rounds, slashing
from app.modules.disputes.records import (
    CHALLENGERS,
    COUNT,
    DISPUTES,
    DISPUTES_ACCOUNT,
    DUE,
    OPEN,
    PARTS,
    Dispute,
    DisputePhase,
    DisputePhaseChanged,
)


class NoSuchDispute(Rejected):
    """A dispute that was never begun."""

    code = 1201
    text = (
        "dispute_id {dispute_id}: round {round} of job {job_id} has no such dispute, the newest of "
        "all is {limit}; look at the round's disputes"
    )


NEXT_PHASES = {
    DisputePhase.COMMITTED: (DisputePhase.OPENED, DisputePhase.EXPIRED, DisputePhase.RETURNED),
    DisputePhase.OPENED: (DisputePhase.COMPLETE, DisputePhase.EXPIRED, DisputePhase.RETURNED),
    DisputePhase.COMPLETE: (DisputePhase.PROVEN, DisputePhase.REFUTED, DisputePhase.RETURNED),
    DisputePhase.PROVEN: (DisputePhase.UPHELD, DisputePhase.RETURNED),
    DisputePhase.UPHELD: (),
    DisputePhase.REFUTED: (),
    DisputePhase.EXPIRED: (),
    DisputePhase.RETURNED: (),
}
"""The whole life of a dispute; `advance` is the only way to change it."""


def require_dispute(state: Reader, job_id: int, number: int, dispute_id: int) -> Dispute:
    """Return a dispute that the user named, or refuse."""
    rounds.require_round(state, job_id, number)
    names = {"job_id": job_id, "round": number, "dispute_id": dispute_id}
    limit = COUNT.get(state).count
    key = (job_id, number, dispute_id)
    return DISPUTES.require(state, key, NoSuchDispute, **names, limit=limit)


def get_open(state: Reader, job_id: int, number: int) -> list[Dispute]:
    """Return a round's open disputes, the earliest commitment first."""
    return [DISPUTES.must(state, key) for key in OPEN.keys(state, (job_id, number))]


def has_passed(dispute: Dispute, block: Block) -> bool:
    """Whether what is missing comes too late: the time and the blocks have passed."""
    is_over = block.clock_ms >= dispute.deadline_clock_ms
    return is_over and block.height >= dispute.deadline_height


def set_deadline(ctx: Context, dispute: Dispute, seconds: int, blocks: int) -> Dispute:
    """Return a dispute whose next step must come within a time; the caller writes it."""
    deadline = U64(ctx.block.clock_ms + seconds * 1_000)
    height = U64(ctx.block.height + blocks)
    return replace(dispute, deadline_clock_ms=deadline, deadline_height=height)


def set_due(state: State, dispute: Dispute, due_clock_ms: int) -> Dispute:
    """Write a dispute that the chain looks at next at this time; 0: not by itself."""
    key = (dispute.job_id, dispute.round, dispute.dispute_id)
    DUE.remove(state, (dispute.due_clock_ms, *key))
    if due_clock_ms:
        DUE.add(state, (due_clock_ms, *key))
    dispute = replace(dispute, due_clock_ms=U64(due_clock_ms))
    DISPUTES.put(state, key, dispute)
    return dispute


def advance(
    state: State, ctx: Context, dispute: Dispute, phase: DisputePhase, reason: str = ""
) -> Dispute:
    """Return a dispute in its next phase and say so; the caller writes it."""
    if phase not in NEXT_PHASES[dispute.phase]:
        broken(f"dispute {dispute.dispute_id} goes from {dispute.phase.name} to a phase after it")
    place = dispute.job_id, dispute.round, dispute.dispute_id
    ctx.emit(DisputePhaseChanged(*place, dispute.challenger, phase, reason))
    return replace(dispute, phase=phase)


def begin(state: State, dispute: Dispute) -> None:
    """Write a new dispute, which its round waits for."""
    key = (dispute.job_id, dispute.round)
    OPEN.add(state, (*key, dispute.dispute_id))
    CHALLENGERS.add(state, (*key, dispute.challenger))
    rounds.count_disputes(state, rounds.ROUNDS.must(state, key), 1)
    set_due(state, dispute, dispute.deadline_clock_ms)


def end(
    state: State, ctx: Context, dispute: Dispute, phase: DisputePhase, reason: str = ""
) -> None:
    """End a dispute: its deposit goes where the phase says, its round waits for it no longer."""
    key = (dispute.job_id, dispute.round)
    OPEN.remove(state, (*key, dispute.dispute_id))
    CHALLENGERS.remove(state, (*key, dispute.challenger))
    drop_parts(state, dispute)
    rounds.count_disputes(state, rounds.ROUNDS.must(state, key), -1)
    set_due(state, advance(state, ctx, dispute, phase, reason), 0)
    move_deposit(state, ctx, dispute, phase)


def move_deposit(state: State, ctx: Context, dispute: Dispute, phase: DisputePhase) -> None:
    """Return a deposit, or give what is lost of it to the accused or the treasury."""
    lost = 0
    if phase in (DisputePhase.REFUTED, DisputePhase.EXPIRED):
        fault = slashing.Fault.FALSE_CHALLENGE
        part = slashing.compute_part_ppm(slashing.PARAMS.get(state), fault)
        lost = share_ppm(dispute.deposit_uflt, part)
    recipient = payouts.TREASURY
    if phase is DisputePhase.REFUTED:
        accused = rounds.ROUNDS.must(state, (dispute.job_id, dispute.round)).aggregator
        recipient = slashing.payout_address_of(state, accused)
    left = dispute.deposit_uflt - lost
    bank.move(state, ctx, DISPUTES_ACCOUNT, recipient, lost)
    bank.move(state, ctx, DISPUTES_ACCOUNT, dispute.challenger, left)


def drop_parts(state: State, dispute: Dispute) -> None:
    """Forget a proof's parts."""
    for part in range(dispute.received_count):
        PARTS.delete(state, (dispute.dispute_id, part))
