"""A job's life and money: the only ways to change its phase and to take money out of its escrow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.kernel.amounts import mul_div_floor, share_ppm, split_exactly
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.kernel.table import Index, Singleton, Table
from app.modules import bank, beacon, reputation, statistics
from app.modules.jobs.spec import Candidate, Funding, Job, JobPhase, JobSpec, Params

ESCROW = module_address("escrow")
DEPOSITS = module_address("deposits")


@frozen
class JobCount:
    """How many jobs were posted."""

    count: U64 = U64(0)


@frozen
class JobPhaseChanged:
    """A job is in another phase."""

    job_id: U64
    phase: JobPhase
    reason: str


@frozen
class JobRefunded:
    """Money that wasn't earned returned to a funder."""

    job_id: U64
    funder: Address
    amount_uflt: U64


class NoSuchJob(Rejected):
    """A job that was never posted."""

    code = 501
    text = "job_id {job_id}: no such job, the newest is {limit}; list the jobs and choose one"


class WrongPhase(Rejected):
    """A job in whose phase this can't be done."""

    code = 502
    text = (
        "job_id {job_id}: is {phase}, this needs {limit}; wait until it is there, or choose another"
    )


PARAMS = Singleton("jobs/params", Params)
COUNT = Singleton("jobs/count", JobCount)
JOBS = Table("jobs/job", key=(U64,), record=Job)
FUNDERS = Table("jobs/funder", key=(U64, Address), record=Funding)
"""Who has paid into a job that has money in escrow."""
CANDIDATES = Table("jobs/candidate", key=(U64, Address), record=Candidate)
"""Who offers to train in a job, is leaving it, or has missed and left."""
OPEN_JOBS = Index("jobs/open", key=(Address, U64))
"""Jobs that have not ended, by requester."""
DUE = Index("jobs/due", key=(U64, U64))
"""Open and running jobs by the clock at which something is due."""
READY = Index("jobs/ready", key=(U64, U64))
"""Jobs that have started, or were rejected, by the height: a round or a committee is drawn."""
CLOSING = Index("jobs/closing", key=(U64,))
"""Jobs that have ended and still hold money."""

NEXT_PHASES = {
    JobPhase.OPEN: (JobPhase.RUNNING, JobPhase.CANCELLED, JobPhase.FAILED),
    JobPhase.RUNNING: (JobPhase.REVIEW, JobPhase.CANCELLED, JobPhase.FAILED),
    JobPhase.REVIEW: (JobPhase.SETTLED,),
    JobPhase.SETTLED: (),
    JobPhase.CANCELLED: (),
    JobPhase.FAILED: (),
}
"""The whole life of a job; `advance` is the only way to change it."""

ON_RECORD = {
    JobPhase.SETTLED: reputation.note_accepted_job,
    JobPhase.CANCELLED: reputation.note_cancelled_job,
    JobPhase.FAILED: reputation.note_failed_job,
}
"""What the requester's record says of each end."""


def find_job(state: Reader, job_id: int) -> Job | None:
    """Return a job, or None."""
    return JOBS.get(state, job_id)


def require_job(state: Reader, job_id: int, *phases: JobPhase) -> Job:
    """Return a job that the user named if it is in one of the phases, or refuse."""
    job = JOBS.require(state, job_id, NoSuchJob, job_id=job_id, limit=COUNT.get(state).count)
    needed = " or ".join(phase.name for phase in phases)
    is_right = not phases or job.phase in phases
    require(is_right, WrongPhase, job_id=job_id, phase=job.phase.name, limit=needed)
    return job


def store(state: State, job: Job) -> None:
    """Write a job whose phase, due time and money are as they were."""
    JOBS.put(state, job.job_id, job)


def get_candidates(state: Reader, job_id: int) -> Iterator[Candidate]:
    """Walk the workers that offer to train in a job, in key order; who is leaving is left out."""
    for _, candidate in CANDIDATES.items(state, (job_id,)):
        if not candidate.leaving:
            yield candidate


def has_funded(state: Reader, job: Job, account: Address) -> bool:
    """Whether an account posted a job or paid into it; known until the job's money has returned."""
    return account == job.requester or FUNDERS.has(state, (job.job_id, account))


def round_pool_uflt(spec: JobSpec, budget_uflt: int) -> int:
    """Return a round's equal part of a budget."""
    return mul_div_floor(budget_uflt, 1, spec.schedule.round_count)


def worker_seat_bond_uflt(spec: JobSpec, budget_uflt: int, params: Params) -> int:
    """Return what a worker's seat locks: equal shares, at least the job's and the least bond."""
    workers_pool = share_ppm(round_pool_uflt(spec, budget_uflt), spec.pay.worker_ppm)
    shares = mul_div_floor(workers_pool, params.worker_bond_shares, spec.schedule.cohort_size)
    return max(shares, spec.seat_bonds.worker_uflt, params.seat_bond_min_uflt)


def advance(state: State, ctx: Context, job: Job, phase: JobPhase, reason: str = "") -> Job:
    """Put a job into its next phase and say so."""
    if phase not in NEXT_PHASES[job.phase]:
        broken(f"job {job.job_id} goes from {job.phase.name} to a phase that follows it")
    job = set_due(state, replace(job, phase=phase, reason=reason), 0)
    if phase == JobPhase.RUNNING:
        started = ctx.block.clock_ms
        job = replace(job, started_clock_ms=U64(started))
        job = set_due(state, job, started + job.spec.schedule.job_s_max * 1_000)
        ask_draw(state, ctx, job.job_id)
    elif phase in ON_RECORD:
        OPEN_JOBS.remove(state, (job.requester, job.job_id))
        CLOSING.add(state, job.job_id)
        ON_RECORD[phase](state, job.requester)
        statistics.count_ending(state, statistics.JOB, phase.name, reason)
    store(state, job)
    ctx.emit(JobPhaseChanged(job.job_id, phase, reason))
    return job


def ask_draw(state: State, ctx: Context, job_id: int) -> None:
    """Have the next block draw what a job waits for: its first round, or a committee."""
    READY.add(state, (ctx.block.height, job_id))
    beacon.ask(state, ctx)


def set_due(state: State, job: Job, due_clock_ms: int) -> Job:
    """Return a job with another due time, found under it; the caller writes the job."""
    DUE.remove(state, (job.due_clock_ms, job.job_id))
    if due_clock_ms:
        DUE.add(state, (due_clock_ms, job.job_id))
    return replace(job, due_clock_ms=U64(due_clock_ms))


def fund(state: State, ctx: Context, job: Job, funder: Address, amount_uflt: int) -> Job:
    """Move money into a job's escrow."""
    row = FUNDERS.get(state, (job.job_id, funder))
    paid_in = amount_uflt + (row.amount_uflt if row else 0)
    bank.move(state, ctx, funder, ESCROW, amount_uflt)
    FUNDERS.put(state, (job.job_id, funder), Funding(funder, U64(paid_in)))
    job = replace(
        job,
        budget_uflt=U64(job.budget_uflt + amount_uflt),
        escrow_uflt=U64(job.escrow_uflt + amount_uflt),
        funder_count=U32(job.funder_count + (row is None)),
    )
    store(state, job)
    return job


def spend(state: State, job: Job, held_uflt: int, paid_uflt: int) -> None:
    """Write what a job has paid out of its escrow, and what of the rest is held back."""
    if held_uflt < 0 or held_uflt + paid_uflt > job.escrow_uflt:
        broken(f"job {job.job_id} pays and holds back no more than it has in escrow")
    job = replace(
        job,
        escrow_uflt=U64(job.escrow_uflt - paid_uflt),
        held_uflt=U64(held_uflt),
        paid_uflt=U64(job.paid_uflt + paid_uflt),
    )
    store(state, job)
    reputation.note_payment(state, job.requester, paid_uflt)
    statistics.count(state, paid_uflt=paid_uflt)


def refund(state: State, ctx: Context, job: Job) -> int:
    """Return what is left of an ended job to its funders, in proportion; say how many they are."""
    rows = list(FUNDERS.items(state, (job.job_id,)))
    paid_in = [(funder, row.amount_uflt) for (_, funder), row in rows]
    store(state, replace(job, escrow_uflt=U64(0)))
    CLOSING.remove(state, job.job_id)
    for funder, amount in split_exactly(job.escrow_uflt, paid_in).items():
        FUNDERS.delete(state, (job.job_id, funder))
        bank.move(state, ctx, ESCROW, funder, amount)
        if amount:
            ctx.emit(JobRefunded(job.job_id, funder, U64(amount)))
    return len(rows)
