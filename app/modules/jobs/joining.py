"""Workers offer to train in a job, against a deposit that returns, and stop offering.

A worker that leaves gets its deposit back at once, or, where it still sits in rounds, after the
last of them. Whoever is drawn three times in a row and doesn't commit is put out and can't come
back.
"""

from __future__ import annotations

from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.modules import bank, bonds, reputation
from app.modules.jobs.lifecycle import (
    CANDIDATES,
    DEPOSITS,
    PARAMS,
    advance,
    require_job,
    store,
    worker_seat_bond_uflt,
)
from app.modules.jobs.posting import JobCancelled
from app.modules.jobs.spec import Candidate, Job, JobPhase

MISSED_IN_ROW_MAX = 3
"""Rounds missed one after the other that put a worker out of a job."""


@frozen
class JoinJob:
    """Offer to train in a job's rounds, against a deposit that returns."""

    worker: Address
    job_id: U64


@frozen
class LeaveJob:
    """Stop offering; a round one is drawn for is still owed."""

    worker: Address
    job_id: U64


@frozen
class JobJoined:
    """A worker offers to train."""

    job_id: U64
    worker: Address


@frozen
class JobLeft:
    """A worker no longer offers to train."""

    job_id: U64
    worker: Address


class OwnJob(Rejected):
    """A requester that would train in its own job."""

    code = 527
    text = "worker {worker}: posted job {job_id}, the limit is other accounts; choose another job"


class NotAWorker(Rejected):
    """An account that isn't registered to train."""

    code = 528
    text = "worker {worker}: is {role}, the limit is a registered WORKER; register a worker"


class WorkerPaused(Rejected):
    """A worker that has said that it isn't to be drawn."""

    code = 529
    text = "worker {worker}: is paused, the limit is a worker that isn't; end the pause first"


class NotOnAllowList(Rejected):
    """A worker that the job doesn't name."""

    code = 530
    text = (
        "worker {worker}: isn't on the allow-list of job {job_id}, the limit is its {limit} "
        "workers; ask the requester or choose another job"
    )


class ReputationTooLow(Rejected):
    """A worker below the smallest reputation of the job."""

    code = 531
    text = (
        "reputation {value} ppm: job {job_id} asks for at least {limit}; take part in others first"
    )


class SeatBondTooSmall(Rejected):
    """A worker whose bond is too small for the job."""

    code = 532
    text = (
        "{field} {value}: job {job_id} asks for at least {limit}; "
        "bond more or wait until other jobs free some"
    )


class AlreadyJoined(Rejected):
    """A worker that offers to train already."""

    code = 533
    text = "worker {worker}: joined job {job_id} already, the limit is once; nothing is to be done"


class PutOut(Rejected):
    """A worker that missed too many rounds of the job."""

    code = 534
    text = (
        "worker {worker}: missed {value} rounds of job {job_id} in a row, the limit is fewer than "
        "{limit}; choose another job"
    )


class JobFull(Rejected):
    """A job with as many candidates as there may be."""

    code = 535
    text = "candidates {value}: the limit is {limit} a job; choose another job"


class NotJoined(Rejected):
    """A worker that doesn't offer to train in the job."""

    code = 536
    text = "worker {worker}: isn't a candidate of job {job_id}, the limit is those who joined"


def join_job(state: State, ctx: Context, msg: JoinJob) -> None:
    """Offer to train; the job starts when it has a cohort and its reserves."""
    params = PARAMS.get(state)
    job = require_job(state, msg.job_id, JobPhase.OPEN, JobPhase.RUNNING)
    require(not job.cancel_requested, JobCancelled, job_id=msg.job_id)
    check_worker(state, job, msg.worker)
    known = CANDIDATES.get(state, (msg.job_id, msg.worker))
    check_return(job, msg.worker, known)
    count, limit = job.candidate_count + 1, params.candidates_max
    require(count <= limit, JobFull, value=count, limit=limit)

    candidate = known or Candidate(msg.worker, U64(0), False, U32(0))
    deposit = U64(candidate.deposit_uflt or params.join_deposit_uflt)
    bank.move(state, ctx, msg.worker, DEPOSITS, deposit - candidate.deposit_uflt)
    candidate = replace(candidate, deposit_uflt=deposit, leaving=False)
    CANDIDATES.put(state, (msg.job_id, msg.worker), candidate)
    job = replace(job, candidate_count=U32(count))
    store(state, job)
    ctx.emit(JobJoined(msg.job_id, msg.worker))
    schedule = job.spec.schedule
    if job.phase == JobPhase.OPEN and count >= schedule.cohort_size + schedule.reserve_count:
        advance(state, ctx, job, JobPhase.RUNNING)


def check_worker(state: Reader, job: Job, worker: Address) -> None:
    """Refuse who may not train in a job."""
    job_id, shown = job.job_id, to_bech32(worker)
    require(worker != job.requester, OwnJob, worker=shown, job_id=job_id)
    registration = bonds.find_registration(state, worker)
    if registration is None or registration.role != bonds.Role.WORKER:
        role = registration.role.name if registration else "not registered"
        raise NotAWorker(worker=shown, role=role)
    require(not registration.paused, WorkerPaused, worker=shown)
    admission = job.spec.admission
    listed = not admission.allow_list or worker in admission.allow_list
    size = len(admission.allow_list)
    require(listed, NotOnAllowList, worker=shown, job_id=job_id, limit=size)
    value, limit = (
        reputation.find_standing(state, worker).reputation_ppm,
        admission.reputation_ppm_min,
    )
    require(value >= limit, ReputationTooLow, value=value, job_id=job_id, limit=limit)
    seat = worker_seat_bond_uflt(job.spec, job.budget_uflt, PARAMS.get(state))
    for field, bond, least in (
        ("bonded_uflt", registration.bonded_uflt, admission.bond_uflt_min),
        ("free bond in uflt", bonds.free_uflt(registration), seat),
    ):
        is_enough = bond >= least
        require(is_enough, SeatBondTooSmall, field=field, value=bond, job_id=job_id, limit=least)


def check_return(job: Job, worker: Address, known: Candidate | None) -> None:
    """Refuse who has joined already or was put out."""
    if known is None:
        return
    shown, missed = to_bech32(worker), known.missed_in_row
    require(known.leaving, AlreadyJoined, worker=shown, job_id=job.job_id)
    limit = MISSED_IN_ROW_MAX
    require(missed < limit, PutOut, worker=shown, job_id=job.job_id, value=missed, limit=limit)


def leave_job(state: State, ctx: Context, msg: LeaveJob) -> None:
    """Stop offering to train."""
    job = require_job(state, msg.job_id, JobPhase.OPEN, JobPhase.RUNNING)
    known = CANDIDATES.get(state, (msg.job_id, msg.worker))
    is_candidate = known is not None and not known.leaving
    require(is_candidate, NotJoined, worker=to_bech32(msg.worker), job_id=msg.job_id)

    drop_candidate(state, ctx, job, msg.worker)


def drop_candidate(state: State, ctx: Context, job: Job, worker: Address) -> Job:
    """Take a worker off a job's candidates; its deposit returns once it holds no seat."""
    candidate = CANDIDATES.must(state, (job.job_id, worker))
    CANDIDATES.put(state, (job.job_id, worker), replace(candidate, leaving=True))
    job = replace(job, candidate_count=U32(job.candidate_count - 1))
    store(state, job)
    ctx.emit(JobLeft(job.job_id, worker))
    settle_leaver(state, ctx, job.job_id, worker)
    return job


def settle_leaver(state: State, ctx: Context, job_id: int, worker: Address) -> None:
    """Return the deposit of a worker that has left and holds no seat; call after unlocking one.

    The row stays if the worker has missed rounds, so that leaving doesn't wipe them out.
    """
    candidate = CANDIDATES.get(state, (job_id, worker))
    if (
        candidate is None
        or not candidate.leaving
        or bonds.find_lock(state, worker, job_id).seat_count
    ):
        return
    bank.move(state, ctx, DEPOSITS, worker, candidate.deposit_uflt)
    if candidate.missed_in_row:
        CANDIDATES.put(state, (job_id, worker), replace(candidate, deposit_uflt=U64(0)))
    else:
        CANDIDATES.delete(state, (job_id, worker))


def note_attendance(state: State, ctx: Context, job_id: int, worker: Address, missed: bool) -> None:
    """Count a round that a drawn worker missed, or forget those it missed before; three in a row
    put it out of the job.
    """
    candidate = CANDIDATES.must(state, (job_id, worker))
    count = candidate.missed_in_row + 1 if missed else 0
    if count != candidate.missed_in_row:
        changed = replace(candidate, missed_in_row=U32(count))
        CANDIDATES.put(state, (job_id, worker), changed)
    if count >= MISSED_IN_ROW_MAX and not candidate.leaving:
        drop_candidate(state, ctx, require_job(state, job_id), worker)


def return_deposits(state: State, ctx: Context, job_id: int, limit: int) -> int:
    """Return the next deposits of a job that has ended, row by row; return how many."""
    rows = list(CANDIDATES.items(state, (job_id,), limit=limit))
    for (_, worker), candidate in rows:
        CANDIDATES.delete(state, (job_id, worker))
        bank.move(state, ctx, DEPOSITS, worker, candidate.deposit_uflt)
    return len(rows)
