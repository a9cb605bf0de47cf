"""What comes next for a job: its rounds end here, and here the next one or the job's end follows.

`continue_job` may be called at any time and does at most what is due: it starts the drawn round
when the one before has its model, asks for a draw when a round may follow, and ends the job when
none may and all have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.amounts import mul_div_floor, share_ppm
from app.kernel.context import Context
from app.kernel.errors import broken
from app.kernel.record import U32, Address
from app.kernel.store import Reader as View
from app.kernel.store import State
from app.modules import beacon, bonds, jobs, payouts, reputation, slashing
from app.modules.jobs import Job, JobPhase
from app.modules.rounds.lifecycle import (
    ATTESTED,
    TRAINING,
    advance_round,
    get_readers,
    get_unsettled,
    place_of,
    set_due,
)
from app.modules.rounds.losses import compute_losses
from app.modules.rounds.records import BARRED, DRAWS, PARAMS, ROUNDS, Round, RoundPhase
from app.modules.rounds.settle import judge, note_pay, pay_delivered, pay_settled, release

COVER_PPM = 750_000
"""The part of an unsettled aggregator's locked bond that covers the rounds built on its result."""

SETTLE_RETRY_MS = 1_000
"""How often a round that could settle looks whether what it waits for has ended."""
THREE_ABORTED_ROUNDS = "three_aborted_rounds"


def continue_job(state: State, ctx: Context, job_id: int) -> None:
    """Let the next round of a running job begin, or the job end."""
    job = jobs.JOBS.must(state, job_id)
    if job.phase is not JobPhase.RUNNING:
        return
    rounds = get_unsettled(state, job_id)
    opened = find_open(rounds)
    training = find_training(rounds)
    if opened is not None:
        if training is None and opened.seat_count:
            start_round(state, ctx, opened)
    elif may_draw(rounds) and compute_pool_uflt(state, job, rounds):
        ask_draw(state, ctx, job_id)
    elif not rounds:
        end_job(state, ctx, job)


def ask_draw(state: State, ctx: Context, job_id: int) -> None:
    """Have the next block draw a job's round: who may be drawn, and with what weight, is fixed."""
    DRAWS.add(state, (ctx.block.height, job_id))
    beacon.ask(state, ctx)


def find_open(rounds: Sequence[Round]) -> Round | None:
    """Return the one round of a job's unsettled ones that has no base yet, or None."""
    return next((round for round in rounds if round.phase is RoundPhase.OPEN), None)


def find_training(rounds: Sequence[Round]) -> Round | None:
    """Return the one round of a job's unsettled ones whose model is not known yet, or None."""
    return next((round for round in rounds if round.phase in TRAINING), None)


def may_draw(rounds: Sequence[Round]) -> bool:
    """Whether a job's unsettled rounds let another be drawn: the last one is AGGREGATE or later."""
    opened, training = find_open(rounds), find_training(rounds)
    is_waiting = opened is None or not opened.seat_count
    return is_waiting and (training is None or training.phase is RoundPhase.AGGREGATE)


def compute_pool_uflt(state: View, job: Job, rounds: Sequence[Round]) -> int:
    """Return the pool of one more round of a job; 0: none may follow its unsettled rounds now."""
    round_count = job.spec.schedule.round_count
    is_training = find_training(rounds) is not None
    is_complete = job.completed_round_count + is_training >= round_count
    if is_complete or job.cancel_requested or has_failed(state, job):
        return 0
    promised = sum(round.pool_uflt for round in rounds)
    free = job.escrow_uflt - job.held_uflt - promised
    pool = min(mul_div_floor(job.budget_uflt, 1, round_count), free)
    return pool if is_covered(state, rounds, pool) else 0


def has_failed(state: View, job: Job) -> bool:
    """Whether too many rounds of a job aborted one after the other."""
    return job.aborted_in_row >= PARAMS.get(state).aborts_in_row_max


def is_covered(state: View, rounds: Sequence[Round], pool_uflt: int) -> bool:
    """Whether the bonds behind unsettled aggregates cover what is built on them, and one more."""
    for attested in (round for round in rounds if round.phase in ATTESTED):
        built = sum(round.pool_uflt for round in rounds if round.round > attested.round)
        locked = bonds.find_lock(state, attested.aggregator, attested.job_id).amount_uflt
        if share_ppm(locked, COVER_PPM) < built + pool_uflt:
            return False
    return True


def start_round(state: State, ctx: Context, round: Round) -> None:
    """Let a drawn round train on the job's last good model."""
    job = jobs.JOBS.must(state, round.job_id)
    started = replace(
        round,
        base_root=job.model_root,
        base=job.model,
        base_round=U32(find_last_attested(state, job)),
        commit_attempt=U32(1),
    )
    advance_round(state, ctx, started, RoundPhase.COMMIT)


def find_last_attested(state: View, job: Job) -> int:
    """Return the number of the round whose aggregate is a job's model; 0: it is the job's base."""
    for number in range(job.next_round - 1, 0, -1):
        phase = ROUNDS.must(state, (job.job_id, number)).phase
        if phase in (*ATTESTED, RoundPhase.SETTLED):
            return number
    return 0


def end_job(state: State, ctx: Context, job: Job) -> None:
    """End a running job whose rounds have all ended; one with all its models is reviewed."""
    slashing.forget_sitting_out(state, job.job_id)
    is_complete = job.completed_round_count >= job.spec.schedule.round_count
    if job.cancel_requested and not is_complete:
        payouts.finish_cancelled(state, ctx, job.job_id)
    elif has_failed(state, job):
        payouts.fail_job(state, ctx, job.job_id, THREE_ABORTED_ROUNDS)
    else:
        payouts.begin_review(state, ctx, job.job_id)


def settle_round(state: State, ctx: Context, round: Round) -> None:
    """Pay a round that nobody disproved.

    It waits for its open disputes, and for the rounds before it: what voids them voids it too.
    """
    first = get_unsettled(state, round.job_id)[0]
    if round.dispute_count or first.round != round.round:
        set_due(state, round, ctx.block.clock_ms + SETTLE_RETRY_MS)
        return
    pay_settled(state, ctx, round)
    note_pay(state, round)
    judge(state, ctx, round)
    end_round(state, ctx, round, RoundPhase.SETTLED)
    continue_job(state, ctx, round.job_id)


def abort_round(state: State, ctx: Context, round: Round, reason: str) -> None:
    """End a round that gives no model; what was delivered to it is paid by half, or better."""
    pay_delivered(state, ctx, round)
    note_pay(state, round)
    judge(state, ctx, round)
    end_round(state, ctx, round, RoundPhase.ABORTED, reason)
    job = jobs.JOBS.must(state, round.job_id)
    job = replace(job, aborted_in_row=U32(job.aborted_in_row + 1))
    jobs.store(state, job)
    reputation.note_aborted_round(state, job.requester)
    opened = find_open(get_unsettled(state, job.job_id))
    if opened is not None and has_failed(state, job):
        drop_round(state, ctx, opened, THREE_ABORTED_ROUNDS)
    else:
        continue_job(state, ctx, job.job_id)


def drop_round(state: State, ctx: Context, round: Round, reason: str) -> None:
    """End a round that has not begun and is not wanted any more; nobody is at fault."""
    end_round(state, ctx, round, RoundPhase.ABORTED, reason)
    continue_job(state, ctx, round.job_id)


def bar(state: State, job_id: int, participant: Address) -> None:
    """Let a participant not be drawn to read in a job any more."""
    BARRED.add(state, (job_id, participant))


def void_round(state: State, ctx: Context, job_id: int, number: int, reason: str) -> None:
    """Void an unsettled round and those built on it; the job goes on from the model before it.

    Who proves what was wrong slashes and pays the prover first; of what is left in the rounds' pots
    who delivered to them is paid what it lost. Nobody is paid from escrow, and no reputation moves.
    A round that is drawn and has not begun goes on too, unless it seats who is barred: then another
    is drawn.
    """
    first = ROUNDS.must(state, (job_id, number))
    if first.phase not in (*TRAINING, *ATTESTED):
        broken(f"round {number} of job {job_id} is voided after it began and before it ended")
    voided = get_built(state, job_id, number)
    places = [place_of(round) for round in voided]
    slashing.compensate(state, ctx, places, compute_losses(state, voided))
    for round in voided:
        end_round(state, ctx, round, RoundPhase.VOIDED, reason)
    job = jobs.JOBS.must(state, job_id)
    lost = len([round for round in voided if round.phase in ATTESTED])
    job = replace(
        job,
        completed_round_count=U32(job.completed_round_count - lost),
        model_root=first.base_root,
        model=first.base,
    )
    jobs.store(state, job)
    opened = find_open(get_unsettled(state, job_id))
    if opened is not None and seats_barred(state, opened):
        drop_round(state, ctx, opened, reason)
    else:
        continue_job(state, ctx, job_id)


def get_built(state: View, job_id: int, number: int) -> list[Round]:
    """Return an unsettled round and those that train or have trained on it, in order."""
    rounds = [round for round in get_unsettled(state, job_id) if round.phase is not RoundPhase.OPEN]
    return [round for round in rounds if round.round >= number]


def seats_barred(state: View, round: Round) -> bool:
    """Whether a round has a reader who was barred from its job."""
    readers = [reader.participant for reader in get_readers(state, round)]
    return any(BARRED.has(state, (round.job_id, participant)) for participant in readers)


def end_round(
    state: State, ctx: Context, round: Round, phase: RoundPhase, reason: str = ""
) -> None:
    """Put a round into a phase that ends it, burn what is left in its pot and free its seats."""
    slashing.burn_rest(state, ctx, place_of(round))
    release(state, ctx, round)
    advance_round(state, ctx, round, phase, reason)
    job = jobs.JOBS.must(state, round.job_id)
    left = job.unsettled_round_count - 1
    jobs.store(state, replace(job, unsettled_round_count=U32(left)))
