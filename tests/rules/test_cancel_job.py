from app.modules import jobs, payouts, reputation
from app.modules.jobs import CancelJob, FundJob, JobPhase, JoinJob, ending
from app.modules.jobs.lifecycle import JobPhaseChanged, JobRefunded
from app.modules.jobs.posting import JobCancelled
from tests.build import FLT, RICH, World, a_job, a_running_job


def test_an_open_job_ends_at_once_and_all_money_returns() -> None:
    world = World()
    rita, fred = world.account("rita"), world.account("fred")
    job_id = world.run(a_job(rita, budget_uflt=20 * FLT)).job_id
    world.run(FundJob(fred, job_id, 5 * FLT))
    wanda = world.participant("wanda")
    world.run(JoinJob(wanda, job_id))

    world.run(CancelJob(rita, job_id))
    world.pass_block()

    job = world.job(job_id)
    assert (job.phase, job.reason, job.escrow_uflt) == (JobPhase.CANCELLED, "requester", 0)
    assert world.balance(rita) == RICH - 10 * FLT  # the posting cost is gone
    assert (world.balance(fred), world.balance(wanda)) == (RICH, RICH - 100 * FLT)
    assert (world.balance("escrow"), world.balance("deposits")) == (0, 0)
    changed = JobPhaseChanged(job_id, JobPhase.CANCELLED, "requester")
    assert world.said(JobPhaseChanged) == [changed]
    assert sorted(event.amount_uflt for event in world.said(JobRefunded)) == [5 * FLT, 20 * FLT]
    assert reputation.find_requester(world.state, rita).cancelled_count == 1


def test_a_running_job_goes_on_until_its_open_rounds_are_done() -> None:
    world = World()
    job_id, _ = a_running_job(world)
    rita = world.job(job_id).requester

    world.run(CancelJob(rita, job_id))
    world.pass_block()
    job = world.job(job_id)
    assert (job.phase, job.cancel_requested) == (JobPhase.RUNNING, True)
    assert world.said(ending.JobCancelRequested) == [ending.JobCancelRequested(job_id, rita)]

    world.do(payouts.finish_cancelled, job_id)
    world.pass_block()
    job = world.job(job_id)
    assert (job.phase, job.reason, job.escrow_uflt) == (JobPhase.CANCELLED, "requester", 0)


def test_what_cannot_be_cancelled_is_refused() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    rita = world.job(job_id).requester

    world.refused(CancelJob(rita, 9), jobs.NoSuchJob, "job_id 9", "the newest is 1")
    world.refused(CancelJob(workers[0], job_id), ending.NotTheRequester, "requester pollen1", 1)
    world.run(CancelJob(rita, job_id))
    world.refused(CancelJob(rita, job_id), JobCancelled, f"job_id {job_id}")
    world.do(payouts.finish_cancelled, job_id)
    world.refused(CancelJob(rita, job_id), jobs.WrongPhase, "is CANCELLED", "OPEN or RUNNING")
