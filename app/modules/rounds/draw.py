"""OPEN: the chain draws a round's workers and readers, and waits where there are too few.

In SCORE it draws the slices that a round is scored on, and other evaluators if too few revealed.

Registrations, bonds and reputation freeze when the draw is asked for, at the end of a block; the
next one draws before its first transaction, with the beacon's seed, which nobody could know before.
Its proposer can only skip its turn: then the next proposer's proof makes the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.kernel.amounts import mul_div_floor, share_ppm
from app.kernel.context import Context
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader as View
from app.kernel.store import State
from app.learning.draw import (
    AGGREGATOR_DRAW,
    COMMITTEE_DRAW,
    EVALUATOR_DRAW,
    SCORER_DRAW,
    SLICE_DRAW,
    WORKER_DRAW,
    Candidate,
    draw,
    draw_numbers,
)
from app.modules import beacon, bonds, committees, jobs, reputation, slashing, statistics
from app.modules.jobs import Job, JobPhase
from app.modules.rounds.lifecycle import (
    get_readers,
    get_unsettled,
    has_passed,
    put_reader,
    put_seat,
    set_due,
)
from app.modules.rounds.progress import (
    abort_round,
    ask_draw,
    compute_pool_uflt,
    continue_job,
    drop_round,
    find_open,
    may_draw,
)
from app.modules.rounds.records import (
    BARRED,
    DRAWS,
    PARAMS,
    READ,
    READER_OF,
    SEAT_OF,
    UNSETTLED,
    Number,
    Params,
    Reader,
    Round,
    RoundDrawn,
    RoundPhase,
    RoundPhaseChanged,
    ScoreOutcome,
    ScoreStep,
    Seat,
    SeatKind,
    SeatState,
)
from app.modules.rounds.score import begin_grant, finish_score

DRAW_RETRY_MS = 2_000
"""How often a round that waits for candidates looks for them."""
CANDIDATES_BITS = 11
"""Each 2,048 candidates count as one more draw."""


@frozen
class Selection:
    """Who acts in a round, each group in the order drawn."""

    seed: bytes
    workers: tuple[Address, ...]
    """The cohort, then the reserves."""
    aggregators: tuple[Address, ...]
    evaluators: tuple[Address, ...]
    shortage: str
    """Of whom there are too few; empty: of nobody."""


def select(state: View, ctx: Context, job: Job, number: int, pool_uflt: int) -> Selection:
    """Draw who acts in a round with this pool."""
    params, spec = PARAMS.get(state), job.spec
    schedule, seed = spec.schedule, beacon.get_seed(state, ctx)
    place = seed, job.job_id, number
    seats = schedule.cohort_size + schedule.reserve_count
    kept = share_ppm(schedule.cohort_size, params.newcomer_seat_ppm)
    candidates = list(find_workers(state, job))
    workers = draw(*place, candidates, seats, newcomer_seats=kept, domain=WORKER_DRAW)
    bond, role = aggregator_bond_uflt(state, job, pool_uflt), bonds.Role.AGGREGATOR
    candidates, seats = list(find_readers(state, job, role, bond)), params.aggregators
    aggregators = draw(*place, candidates, seats, newcomer_seats=0, domain=AGGREGATOR_DRAW)
    bond, role = evaluator_bond_uflt(state, job, pool_uflt), bonds.Role.EVALUATOR
    candidates, seats = list(find_readers(state, job, role, bond)), spec.evaluator_count
    evaluators = draw(*place, candidates, seats, newcomer_seats=0, domain=EVALUATOR_DRAW)
    shortage = ""
    if len(workers) < schedule.cohort_size_min:
        shortage = "too_few_workers"
    elif len(evaluators) < jobs.PARAMS.get(state).evaluators_min:
        shortage = "too_few_evaluators"
    elif not aggregators:
        shortage = "too_few_aggregators"
    return Selection(seed, workers, aggregators, evaluators, shortage)


def worker_bond_uflt(state: View, job: Job) -> int:
    """Return what a worker's seat locks."""
    return jobs.worker_seat_bond_uflt(job.spec, job.budget_uflt, jobs.PARAMS.get(state))


def aggregator_bond_uflt(state: View, job: Job, pool_uflt: int) -> int:
    """Return what an aggregator locks while it has a seat in a job: ten pools."""
    least = jobs.PARAMS.get(state).seat_bond_min_uflt
    pools = pool_uflt * PARAMS.get(state).aggregator_bond_pools
    return max(pools, least, job.spec.seat_bonds.aggregator_uflt)


def evaluator_bond_uflt(state: View, job: Job, pool_uflt: int) -> int:
    """Return what an evaluator locks while it has a seat in a job: five of its fees."""
    least = jobs.PARAMS.get(state).seat_bond_min_uflt
    fees = share_ppm(pool_uflt, job.spec.pay.evaluator_ppm)
    fee = mul_div_floor(fees, 1, job.spec.evaluator_count)
    fees = fee * PARAMS.get(state).evaluator_bond_fees
    return max(fees, least, job.spec.seat_bonds.evaluator_uflt)


def find_workers(state: View, job: Job) -> Iterator[Candidate]:
    """Walk a job's candidates that can be drawn: not paused, admitted, with a bond that is free.

    Who was excused in an outage sits out some draws.
    """
    sitting_out = dict.fromkeys(slashing.get_sitting_out(state, job.job_id))
    bond, admission = worker_bond_uflt(state, job), job.spec.admission
    params, newcomer_rounds = PARAMS.get(state), reputation.PARAMS.get(state).newcomer_rounds
    for candidate in jobs.get_candidates(state, job.job_id):
        worker = bonds.REGISTRATIONS.must(state, candidate.worker)
        standing = reputation.find_standing(state, candidate.worker)
        is_admitted = (
            worker.bonded_uflt >= admission.bond_uflt_min
            and standing.reputation_ppm >= admission.reputation_ppm_min
        )
        is_absent = worker.paused or candidate.worker in sitting_out
        if is_admitted and not is_absent and bonds.free_uflt(worker) >= bond:
            is_newcomer = standing.round_count < newcomer_rounds
            yield Candidate(worker.participant, weigh(params, worker, standing), is_newcomer)


def find_readers(state: View, job: Job, role: bonds.Role, bond_uflt: int) -> Iterator[Candidate]:
    """Walk those of a role that can read a job: with enough bond, not paused or barred.

    Its requester can't.
    """
    params = PARAMS.get(state)
    for reader in bonds.participants(state, role):
        held = bonds.find_lock(state, reader.participant, job.job_id).amount_uflt
        is_enough = bonds.free_uflt(reader) + held >= bond_uflt
        is_barred = BARRED.has(state, (job.job_id, reader.participant))
        may_read = not (reader.paused or is_barred or reader.participant == job.requester)
        if is_enough and may_read:
            standing = reputation.find_standing(state, reader.participant)
            yield Candidate(reader.participant, weigh(params, reader, standing))


def weigh(params: Params, registration: bonds.Registration, standing: reputation.Standing) -> int:
    """Return a candidate's weight: min(bond, cap) × (reputation + floor)."""
    bond = min(registration.bonded_uflt, params.draw_bond_cap_uflt)
    return bond * (standing.reputation_ppm + params.draw_reputation_floor_ppm)


def draw_job(state: State, ctx: Context, job_id: int) -> None:
    """Draw all that a job waits for: slices, evaluators, its next round, or a committee."""
    if jobs.JOBS.must(state, job_id).phase is JobPhase.REVIEW:
        draw_committee(state, ctx, job_id)
        return
    for round in get_unsettled(state, job_id):
        if round.score_step is ScoreStep.DRAW:
            draw_score(state, ctx, jobs.JOBS.must(state, job_id), round)
    draw_round(state, ctx, job_id)


def draw_committee(state: State, ctx: Context, job_id: int) -> None:
    """Draw who measures a rejected result: evaluators that know none of the job's rounds."""
    job = jobs.JOBS.must(state, job_id)
    if not job.rejected or committees.COMMITTEES.has(state, job_id):
        return
    candidates = [
        candidate
        for candidate in find_readers(state, job, bonds.Role.EVALUATOR, 0)
        if not READ.has(state, (job_id, candidate.address))
    ]
    place, seats = (beacon.get_seed(state, ctx), job_id, 0), committees.PARAMS.get(state).members
    members = draw(*place, candidates, seats, newcomer_seats=0, domain=COMMITTEE_DRAW)
    committees.begin(state, ctx, job_id, members)


def draw_round(state: State, ctx: Context, job_id: int) -> None:
    """Draw a job's next round if one may follow now; a draw that came twice changes nothing."""
    job = jobs.JOBS.must(state, job_id)
    rounds = get_unsettled(state, job_id)
    if job.phase is not JobPhase.RUNNING or not may_draw(rounds):
        return
    opened = find_open(rounds)
    pool = compute_pool_uflt(state, job, rounds)
    if not pool and opened is not None:
        drop_round(state, ctx, opened, "job_ends")
        return
    if not pool:
        continue_job(state, ctx, job_id)
        return

    number = job.next_round if opened is None else opened.round
    selection = select(state, ctx, job, number, pool)
    slashing.count_draw(state, job_id)
    if opened is None:
        opened = open_round(state, ctx, job, selection.shortage)
    if selection.shortage:
        set_due(state, replace(opened, reason=selection.shortage), opened.due_clock_ms)
        return
    seat_round(state, ctx, job, replace(opened, pool_uflt=U64(pool)), selection)
    continue_job(state, ctx, job_id)


def open_round(state: State, ctx: Context, job: Job, reason: str) -> Round:
    """Begin a job's next round, which waits for its draw until a deadline."""
    params, now = PARAMS.get(state), ctx.block.clock_ms
    round = Round(
        job_id=job.job_id,
        round=job.next_round,
        phase_clock_ms=U64(now),
        deadline_clock_ms=U64(now + params.candidate_wait_s * 1_000),
        deadline_height=U64(ctx.block.height + params.deadline_blocks),
    )
    next_round, unsettled = U32(job.next_round + 1), U32(job.unsettled_round_count + 1)
    jobs.store(state, replace(job, next_round=next_round, unsettled_round_count=unsettled))
    UNSETTLED.add(state, (job.job_id, round.round))
    ctx.emit(RoundPhaseChanged(job.job_id, round.round, RoundPhase.OPEN, reason))
    return set_due(state, round, now + DRAW_RETRY_MS)


def seat_round(state: State, ctx: Context, job: Job, round: Round, selection: Selection) -> None:
    """Give everyone drawn a seat and lock what it may lose; the round waits for its base."""
    cohort_size = job.spec.schedule.cohort_size
    seat_workers(state, round, selection.workers, cohort_size, worker_bond_uflt(state, job))
    bond = aggregator_bond_uflt(state, job, round.pool_uflt)
    seat_readers(state, round, selection.aggregators, 0, bond)
    first = len(selection.aggregators)
    bond = evaluator_bond_uflt(state, job, round.pool_uflt)
    seat_readers(state, round, selection.evaluators, first, bond)

    seat_count, reader_count = len(selection.workers), first + len(selection.evaluators)
    selected = min(cohort_size, seat_count)
    drawn = replace(
        round,
        reason="",
        seed=selection.seed,
        drawn_height=U64(ctx.block.height),
        deadline_clock_ms=U64(0),
        deadline_height=U64(0),
        seat_count=U32(seat_count),
        selected_count=U32(selected),
        reader_count=U32(reader_count),
    )
    set_due(state, drawn, 0)
    counts = U32(selected), U32(seat_count - selected), U32(reader_count)
    statistics.count(state, round_count=1, seat_count=seat_count)
    ctx.emit(RoundDrawn(round.job_id, round.round, selection.seed, *counts))


def seat_workers(
    state: State, round: Round, workers: tuple[Address, ...], cohort_size: int, bond_uflt: int
) -> None:
    """Seat the cohort and behind it the reserves, each with its own lock."""
    for number, worker in enumerate(workers):
        kind = SeatKind.COHORT if number < cohort_size else SeatKind.RESERVE
        seat = Seat(
            seat=U32(number),
            worker=worker,
            kind=kind,
            state=SeatState.DRAWN,
            attempt=U32(1 if kind is SeatKind.COHORT else 0),
            locked_uflt=U64(bond_uflt),
        )
        put_seat(state, round, seat)
        SEAT_OF.put(state, (round.job_id, round.round, worker), Number(seat.seat))
        bonds.lock(state, worker, round.job_id, bond_uflt)


def seat_readers(
    state: State, round: Round, participants: tuple[Address, ...], first: int, bond_uflt: int
) -> None:
    """Seat readers from a number on; each locks its bond once a job, however many its seats."""
    for number, participant in enumerate(participants, first):
        reader = Reader(U32(number), participant, is_aggregator=first == 0)
        put_reader(state, round, reader)
        READER_OF.put(state, (round.job_id, round.round, participant), Number(reader.reader))
        lock_once(state, round, participant, bond_uflt)


def lock_once(state: State, round: Round, participant: Address, bond_uflt: int) -> None:
    """Lock what of a bond the other seats in the job don't, of one who now knows its rounds."""
    held = bonds.find_lock(state, participant, round.job_id).amount_uflt
    bonds.lock(state, participant, round.job_id, max(bond_uflt - held, 0))
    READ.add(state, (round.job_id, participant))


def draw_score(state: State, ctx: Context, job: Job, round: Round) -> None:
    """Draw the slices that a round is scored on; the second time, others who score it."""
    place = beacon.get_seed(state, ctx), job.job_id, round.round
    if not round.slices:
        params = PARAMS.get(state), jobs.PARAMS.get(state)
        count = len(job.spec.work.validation_slices) - params[1].slices_kept
        drawn = params[0].slices_drawn
        slices = draw_numbers(*place, count, drawn=drawn, domain=SLICE_DRAW)
        round = replace(round, slices=tuple(map(U32, slices)))
        readers = get_readers(state, round)
        evaluators = [each.participant for each in readers if not each.is_aggregator]
        begin_grant(state, ctx, round, evaluators)
        return
    others = draw_others(state, job, round, place)
    if len(others) < PARAMS.get(state).scores_min:
        finish_score(state, ctx, round, ScoreOutcome.NO_QUORUM)
        return
    begin_grant(state, ctx, round, others)
    for evaluator in others:
        lock_once(state, round, evaluator, evaluator_bond_uflt(state, job, round.pool_uflt))


def draw_others(
    state: View, job: Job, round: Round, place: tuple[bytes, int, int]
) -> tuple[Address, ...]:
    """Draw evaluators who don't read a round, as many as score one."""
    bond = evaluator_bond_uflt(state, job, round.pool_uflt)
    candidates = [
        candidate
        for candidate in find_readers(state, job, bonds.Role.EVALUATOR, bond)
        if not READER_OF.has(state, (job.job_id, round.round, candidate.address))
    ]
    seats = job.spec.evaluator_count
    return draw(*place, candidates, seats, newcomer_seats=0, domain=SCORER_DRAW)


def end_open(state: State, ctx: Context, round: Round) -> None:
    """Ask for another draw of a round that waits, or give it up.

    A round doesn't give up while another of the job's is unsettled: that one's seats lock bonds.
    """
    job = jobs.JOBS.must(state, round.job_id)
    if has_passed(round, ctx.block) and job.unsettled_round_count == 1:
        abort_round(state, ctx, round, round.reason)
        return
    ask_draw(state, ctx, round.job_id)
    set_due(state, round, ctx.block.clock_ms + DRAW_RETRY_MS)


def draw_due_rounds(state: State, ctx: Context) -> None:
    """Draw for jobs whose registrations froze before; the next block draws what is left over."""
    draw_some_rounds(state, ctx)
    if any(next(index.keys(state, limit=1), None) for index in (DRAWS, jobs.READY)):
        beacon.ask(state, ctx)


def draw_some_rounds(state: State, ctx: Context) -> None:
    """Draw for as many jobs as a block may."""
    left = int(PARAMS.get(state).draws_per_block_max)
    for height, job_id in list(jobs.READY.keys(state, limit=left)):
        jobs.READY.remove(state, (height, job_id))
        DRAWS.add(state, (height, job_id))
    for height, job_id in list(DRAWS.keys(state, up_to=ctx.block.height - 1, limit=left)):
        if left <= 0:
            return
        left -= 1 + (jobs.JOBS.must(state, job_id).candidate_count >> CANDIDATES_BITS)
        DRAWS.remove(state, (height, job_id))
        draw_job(state, ctx, job_id)
