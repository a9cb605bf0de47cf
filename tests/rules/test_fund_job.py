from app.modules import jobs
from app.modules.jobs import CancelJob, FundJob, posting
from app.modules.jobs.lifecycle import WrongPhase
from tests.build import FLT, World, a_job, a_running_job


def test_funding_adds_to_budget_and_escrow() -> None:
    world = World()
    rita, fred = world.account("rita"), world.account("fred")
    job_id = world.run(a_job(rita, budget_uflt=20 * FLT)).job_id

    world.run(FundJob(fred, job_id, 5 * FLT))
    world.run(FundJob(fred, job_id, 5 * FLT))
    world.run(FundJob(rita, job_id, 10 * FLT))

    job = world.job(job_id)
    assert (job.budget_uflt, job.escrow_uflt, job.funder_count) == (40 * FLT, 40 * FLT, 2)
    assert world.balance("escrow") == 40 * FLT
    assert world.said(posting.JobFunded)[0] == posting.JobFunded(job_id, fred, 5 * FLT)


def test_a_running_job_takes_money_until_it_is_to_end() -> None:
    world = World()
    job_id, _ = a_running_job(world)
    rita = world.job(job_id).requester

    world.run(FundJob(rita, job_id, 1))
    world.run(CancelJob(rita, job_id))
    world.refused(FundJob(rita, job_id, 1), posting.JobCancelled, f"job_id {job_id}")


def test_what_cannot_be_funded_is_refused() -> None:
    world = World({"jobs": {"funders_max": 2}})
    rita, fred, gina = (world.account(name) for name in ("rita", "fred", "gina"))
    job_id = world.run(a_job(rita)).job_id
    world.run(FundJob(fred, job_id, 1))

    world.refused(FundJob(fred, 9, 1), jobs.NoSuchJob, "job_id 9", "the newest is 1")
    world.refused(FundJob(fred, job_id, 0), posting.NothingToFund, "amount_uflt 0", "limit of 1")
    world.refused(FundJob(gina, job_id, 1), posting.TooManyFunders, "funders 3", "limit is 2")
    world.run(FundJob(fred, job_id, 1))
    world.run(CancelJob(rita, job_id))
    world.refused(FundJob(fred, job_id, 1), WrongPhase, "is CANCELLED", "OPEN or RUNNING")
