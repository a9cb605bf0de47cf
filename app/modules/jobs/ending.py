"""What ends a job's phases: the requester's cancellation and the clock."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U64, Address
from app.kernel.store import State
from app.modules.jobs.lifecycle import DUE, JOBS, PARAMS, advance, require_job, set_due, store
from app.modules.jobs.posting import JobCancelled
from app.modules.jobs.spec import Job, JobPhase


@frozen
class CancelJob:
    """End a job after its open rounds; what is earned is paid, the rest returns."""

    requester: Address
    job_id: U64


@frozen
class JobCancelRequested:
    """A job is to end after its open rounds."""

    job_id: U64
    requester: Address


class NotTheRequester(Rejected):
    """Somebody else's job."""

    code = 537
    text = (
        "requester {requester}: didn't post job {job_id}, the limit is its requester {limit}; "
        "sign with that account"
    )


def check_requester(job: Job, signer: Address) -> None:
    """Refuse who didn't post a job."""
    names = {"requester": to_bech32(signer), "limit": to_bech32(job.requester)}
    require(signer == job.requester, NotTheRequester, job_id=job.job_id, **names)


def cancel_job(state: State, ctx: Context, msg: CancelJob) -> None:
    """End an open job at once, a running one at its next round."""
    job = require_job(state, msg.job_id, JobPhase.OPEN, JobPhase.RUNNING)
    check_requester(job, msg.requester)
    require(not job.cancel_requested, JobCancelled, job_id=msg.job_id)

    if job.phase == JobPhase.OPEN:
        advance(state, ctx, job, JobPhase.CANCELLED, "requester")
    else:
        request_cancel(state, ctx, job, "requester")


def request_cancel(state: State, ctx: Context, job: Job, reason: str) -> None:
    """Let no further round of a job begin."""
    store(state, replace(job, cancel_requested=True, reason=reason))
    ctx.emit(JobCancelRequested(job.job_id, job.requester))


def expire_due_jobs(state: State, ctx: Context) -> None:
    """Start or fail open jobs whose window has ended, and stop jobs that ran for long enough."""
    limit = PARAMS.get(state).due_per_block_max
    for _, job_id in list(DUE.keys(state, up_to=ctx.block.clock_ms, limit=limit)):
        job = JOBS.must(state, job_id)
        if job.phase == JobPhase.OPEN:
            is_enough = job.candidate_count >= job.spec.schedule.cohort_size_min
            if is_enough:
                advance(state, ctx, job, JobPhase.RUNNING)
            else:
                advance(state, ctx, job, JobPhase.FAILED, "too_few_workers")
            continue
        job = set_due(state, job, 0)
        store(state, job)
        if not job.cancel_requested:
            request_cancel(state, ctx, job, "job_s_max")
