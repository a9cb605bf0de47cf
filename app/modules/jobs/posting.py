"""A job begins: it is posted and paid for."""

from __future__ import annotations

from app.kernel.amounts import PPM
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import State
from app.modules import bank, bonds, reputation, statistics
from app.modules.jobs.lifecycle import (
    COUNT,
    FUNDERS,
    OPEN_JOBS,
    PARAMS,
    JobCount,
    fund,
    require_job,
    set_due,
)
from app.modules.jobs.limits import check_budget, check_spec
from app.modules.jobs.spec import Job, JobPhase, JobSpec


@frozen
class PostJob:
    """Escrow a budget and open a job to workers."""

    requester: Address
    spec: JobSpec
    budget_uflt: U64


@frozen
class PostJobResponse:
    """The number of the posted job."""

    job_id: U64


@frozen
class FundJob:
    """Add to a job's escrow; what isn't earned returns in proportion."""

    funder: Address
    job_id: U64
    amount_uflt: U64


@frozen
class JobPosted:
    """A job is open to workers."""

    job_id: U64
    requester: Address
    budget_uflt: U64


@frozen
class JobFunded:
    """Money was added to a job's escrow."""

    job_id: U64
    funder: Address
    amount_uflt: U64


class TooManyOpenJobs(Rejected):
    """A requester with as many jobs as it may have."""

    code = 523
    text = "open jobs {value}: the limit is {limit} a requester; wait until one has ended"


class NothingToFund(Rejected):
    """An amount of zero."""

    code = 524
    text = "amount_uflt {value}: is below the limit of 1; state how much"


class TooManyFunders(Rejected):
    """A job that can't keep one more funder."""

    code = 525
    text = "funders {value}: the limit is {limit} a job; let one who has paid in pay more"


class JobCancelled(Rejected):
    """A job that takes no more workers or money."""

    code = 526
    text = "job_id {job_id}: is to end, the limit is its open rounds; choose another job"


def post_job(state: State, ctx: Context, msg: PostJob) -> PostJobResponse:
    """Burn the posting cost, escrow the budget and open the job to workers."""
    params = PARAMS.get(state)
    check_spec(msg.spec, params, bonds.PARAMS.get(state).unbonding_s)
    check_budget(msg.spec, msg.budget_uflt)
    limit = params.open_jobs_max
    open_count = sum(1 for _ in OPEN_JOBS.keys(state, (msg.requester,), limit=limit))
    require(open_count < limit, TooManyOpenJobs, value=open_count + 1, limit=limit)

    job_id = U64(COUNT.get(state).count + 1)
    COUNT.put(state, JobCount(job_id))
    OPEN_JOBS.add(state, (msg.requester, job_id))
    job = new_job(ctx, job_id, msg)
    job = set_due(state, job, ctx.block.clock_ms + msg.spec.schedule.open_s * 1_000)
    bank.burn(state, ctx, msg.requester, params.posting_cost_uflt)
    fund(state, ctx, job, msg.requester, msg.budget_uflt)
    reputation.note_posted_job(state, msg.requester)
    statistics.count(state, job_count=1)
    ctx.emit(JobPosted(job_id, msg.requester, msg.budget_uflt))
    return PostJobResponse(job_id)


def new_job(ctx: Context, job_id: U64, msg: PostJob) -> Job:
    """Return the posted job before any money is in it."""
    return Job(
        job_id=job_id,
        requester=msg.requester,
        spec=msg.spec,
        phase=JobPhase.OPEN,
        reason="",
        budget_uflt=U64(0),
        escrow_uflt=U64(0),
        held_uflt=U64(0),
        paid_uflt=U64(0),
        candidate_count=U32(0),
        funder_count=U32(0),
        posted_clock_ms=U64(ctx.block.clock_ms),
        started_clock_ms=U64(0),
        due_clock_ms=U64(0),
        next_round=U32(1),
        completed_round_count=U32(0),
        aborted_in_row=U32(0),
        unsettled_round_count=U32(0),
        model_root=msg.spec.work.base_root,
        model=msg.spec.work.base,
        cancel_requested=False,
        rejected=False,
        released_ppm=U32(PPM),
    )


def fund_job(state: State, ctx: Context, msg: FundJob) -> None:
    """Add to the escrow of a job that is open or running."""
    job = require_job(state, msg.job_id, JobPhase.OPEN, JobPhase.RUNNING)
    require(not job.cancel_requested, JobCancelled, job_id=msg.job_id)
    require(msg.amount_uflt > 0, NothingToFund, value=msg.amount_uflt)
    count = job.funder_count + (not FUNDERS.has(state, (msg.job_id, msg.funder)))
    limit = PARAMS.get(state).funders_max
    require(count <= limit, TooManyFunders, value=count, limit=limit)

    fund(state, ctx, job, msg.funder, msg.amount_uflt)
    ctx.emit(JobFunded(msg.job_id, msg.funder, msg.amount_uflt))
