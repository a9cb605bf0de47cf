"""Jobs: what is asked for, who offers to do it, and the money that waits for them.

A job is posted with a spec that never changes and a budget that goes into escrow; posting burns a
cost. While it is OPEN workers join against a deposit. With a cohort and its reserves it starts at
once; at the end of the open window it starts with the smallest cohort, or fails. RUNNING jobs take
workers and money too. After the open rounds that follow the last one, a cancellation or the longest
time the job may run, it goes on to REVIEW or ends. A job that has ended is in CLOSING until payouts
has paid out or returned its money; nothing stays in escrow.

spec        records
limits      what may be posted
lifecycle   state, phases, escrow
posting     PostJob, FundJob
joining     JoinJob, LeaveJob
ending      CancelJob, deadlines
"""

from __future__ import annotations

from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader
from app.learning.combine import CombineRule
from app.modules import bank, statistics
from app.modules.jobs.ending import (
    CancelJob,
    JobCancelRequested,
    NotTheRequester,
    cancel_job,
    check_requester,
    expire_due_jobs,
)
from app.modules.jobs.joining import (
    JobJoined,
    JobLeft,
    JoinJob,
    LeaveJob,
    drop_candidate,
    join_job,
    leave_job,
    note_attendance,
    return_deposits,
    settle_leaver,
)
from app.modules.jobs.lifecycle import (
    CANDIDATES,
    CLOSING,
    COUNT,
    DEPOSITS,
    DUE,
    ESCROW,
    FUNDERS,
    JOBS,
    NEXT_PHASES,
    OPEN_JOBS,
    PARAMS,
    READY,
    JobPhaseChanged,
    JobRefunded,
    NoSuchJob,
    WrongPhase,
    advance,
    ask_draw,
    find_job,
    get_candidates,
    has_funded,
    refund,
    require_job,
    round_pool_uflt,
    spend,
    store,
    worker_seat_bond_uflt,
)
from app.modules.jobs.limits import (
    check_blob,
    check_hash,
    check_number,
    check_text,
    compute_longest_round_s,
    has_threshold,
)
from app.modules.jobs.posting import (
    FundJob,
    JobFunded,
    JobPosted,
    PostJob,
    PostJobResponse,
    fund_job,
    post_job,
)
from app.modules.jobs.spec import (
    SCORING,
    Acceptance,
    Admission,
    Blob,
    Candidate,
    Combination,
    ContributionRule,
    Funding,
    Job,
    JobPhase,
    JobSpec,
    MetricDirection,
    Params,
    Pay,
    Profile,
    Schedule,
    SeatBonds,
    Slice,
    Work,
)

__all__ = [
    "CANDIDATES",
    "CLOSING",
    "DEPOSITS",
    "ESCROW",
    "JOBS",
    "NEXT_PHASES",
    "PAGE_DEFAULT",
    "PAGE_MAX",
    "PARAMS",
    "READY",
    "SCORING",
    "Acceptance",
    "Admission",
    "Blob",
    "CancelJob",
    "Candidate",
    "Combination",
    "CombineRule",
    "ContributionRule",
    "FundJob",
    "Funding",
    "Job",
    "JobPhase",
    "JobSpec",
    "JoinJob",
    "LeaveJob",
    "MetricDirection",
    "NoSuchJob",
    "NotTheRequester",
    "Params",
    "Pay",
    "PostJob",
    "PostJobResponse",
    "Profile",
    "Schedule",
    "SeatBonds",
    "Slice",
    "Work",
    "WrongPhase",
    "advance",
    "ask_draw",
    "check_blob",
    "check_hash",
    "check_number",
    "check_requester",
    "check_text",
    "compute_longest_round_s",
    "drop_candidate",
    "find_job",
    "get_candidates",
    "has_funded",
    "has_threshold",
    "note_attendance",
    "refund",
    "require_job",
    "return_deposits",
    "round_pool_uflt",
    "settle_leaver",
    "spend",
    "store",
    "worker_seat_bond_uflt",
]

PAGE_DEFAULT = 100
PAGE_MAX = 1_000


@frozen
class ParamsRequest:
    """Ask for the params of jobs."""


@frozen
class ParamsResponse:
    """The params of jobs."""

    params: Params


@frozen
class JobRequest:
    """Ask for one job."""

    job_id: U64


@frozen
class JobResponse:
    """One job."""

    job: Job


@frozen
class JobsRequest:
    """Ask for jobs by falling number, a page at a time."""

    before: U64
    limit: U32


@frozen
class JobsResponse:
    """A page of jobs."""

    jobs: tuple[Job, ...]


@frozen
class CandidatesRequest:
    """Ask who offers to train in a job, a page at a time."""

    job_id: U64
    after: Address
    limit: U32


@frozen
class CandidatesResponse:
    """A page of candidates, those who are leaving too."""

    candidates: tuple[Candidate, ...]


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def job(state: Reader, request: JobRequest) -> JobResponse:
    """Answer with one job."""
    return JobResponse(require_job(state, request.job_id))


def jobs(state: Reader, request: JobsRequest) -> JobsResponse:
    """Answer with a page of jobs, the newest first."""
    newest = COUNT.get(state).count
    last = min(request.before - 1, newest) if request.before else newest
    first = max(last - min(request.limit or PAGE_DEFAULT, PAGE_MAX), 0)
    return JobsResponse(tuple(JOBS.must(state, job_id) for job_id in range(last, first, -1)))


def candidates(state: Reader, request: CandidatesRequest) -> CandidatesResponse:
    """Answer with a page of candidates."""
    require_job(state, request.job_id)
    after = (request.job_id, request.after) if request.after else None
    limit = min(request.limit or PAGE_DEFAULT, PAGE_MAX)
    rows = CANDIDATES.items(state, (request.job_id,), after=after, limit=limit)
    return CandidatesResponse(tuple(row for _, row in rows))


def the_escrow_account_is_the_sum_of_all_escrows(state: Reader) -> None:
    """The account `escrow` holds what the jobs have in escrow, and held back no more than that."""
    rows = [row for _, row in JOBS.items(state)]
    total = sum(row.escrow_uflt for row in rows)
    if bank.get_balance(state, ESCROW) != total:
        broken(f"the account escrow holds the jobs' escrows, {total} uflt")
    if any(row.held_uflt > row.escrow_uflt for row in rows):
        broken("no job holds back more than it has in escrow")


def every_budget_is_escrowed_or_paid(state: Reader) -> None:
    """What funders paid into a job is its budget, all of it in escrow or paid until it returns."""
    for job_id, row in JOBS.items(state):
        funded = sum(funding.amount_uflt for _, funding in FUNDERS.items(state, (job_id,)))
        is_closed = row.phase in CLOSED_PHASES and not CLOSING.has(state, job_id)
        if is_closed:
            is_right = row.escrow_uflt == row.held_uflt == funded == 0
        else:
            is_right = row.budget_uflt == funded == row.escrow_uflt + row.paid_uflt
        if not is_right:
            broken(f"the budget of job {job_id} is in escrow or paid, and nothing stays behind")


def every_open_job_is_due_once(state: Reader) -> None:
    """Every open job is due once, a running one at most once, each at its own time."""
    rows = [row for _, row in JOBS.items(state) if row.phase in (JobPhase.OPEN, JobPhase.RUNNING)]
    due = [(row.due_clock_ms, row.job_id) for row in rows if row.due_clock_ms]
    if sorted(due) != list(DUE.keys(state)):
        broken("every job is due at its own time, once")
    if any(row.phase == JobPhase.OPEN and not row.due_clock_ms for row in rows):
        broken("every open job is due")


def every_job_is_found_by_requester_until_it_ends(state: Reader) -> None:
    """A requester's jobs that have not ended are found by requester, and no other."""
    rows = [row for _, row in JOBS.items(state) if row.phase not in CLOSED_PHASES]
    if sorted((row.requester, row.job_id) for row in rows) != sorted(OPEN_JOBS.keys(state)):
        broken("the jobs that have not ended are found by requester")


def candidates_are_counted(state: Reader) -> None:
    """A job counts those who offer to train, until it has ended."""
    for job_id, row in JOBS.items(state):
        count = sum(1 for _ in get_candidates(state, job_id))
        if row.phase not in CLOSED_PHASES and row.candidate_count != count:
            broken(f"job {job_id} counts its {count} candidates")


def statistics_count_the_jobs(state: Reader) -> None:
    """As many jobs were posted and have ended, in each way, and have paid as much as is counted."""
    rows = [row for _, row in JOBS.items(state)]
    ended: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.phase in CLOSED_PHASES:
            end = row.phase.name, row.reason
            ended[end] = ended.get(end, 0) + 1
    totals, paid = statistics.TOTALS.get(state), sum(row.paid_uflt for row in rows)
    if (totals.job_count, totals.paid_uflt) != (len(rows), paid):
        broken(f"statistics count {len(rows)} jobs that have paid {paid} uflt")
    if statistics.get_endings(state, statistics.JOB) != ended:
        broken(f"statistics count the jobs that have ended, by reason: {ended}")


CLOSED_PHASES = tuple(phase for phase, following in NEXT_PHASES.items() if not following)

MODULE = Module(
    name="jobs",
    package="pollen.jobs.v1",
    tables=(JOBS, FUNDERS, CANDIDATES, OPEN_JOBS, DUE, READY, CLOSING, COUNT),
    params=PARAMS,
    messages={
        PostJob: Message(
            post_job, gas=100_000, amino_name="pollen/PostJob", response=PostJobResponse
        ),
        FundJob: Message(fund_job, gas=30_000, amino_name="pollen/FundJob"),
        JoinJob: Message(join_job, gas=30_000, amino_name="pollen/JoinJob"),
        LeaveJob: Message(leave_job, gas=30_000, amino_name="pollen/LeaveJob"),
        CancelJob: Message(cancel_job, gas=20_000, amino_name="pollen/CancelJob"),
    },
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        JobRequest: Query(job, JobResponse),
        JobsRequest: Query(jobs, JobsResponse),
        CandidatesRequest: Query(candidates, CandidatesResponse),
    },
    events=(
        JobPosted,
        JobFunded,
        JobJoined,
        JobLeft,
        JobCancelRequested,
        JobPhaseChanged,
        JobRefunded,
    ),
    end_block=expire_due_jobs,
    invariants=(
        the_escrow_account_is_the_sum_of_all_escrows,
        every_budget_is_escrowed_or_paid,
        every_open_job_is_due_once,
        every_job_is_found_by_requester_until_it_ends,
        candidates_are_counted,
        statistics_count_the_jobs,
    ),
)
