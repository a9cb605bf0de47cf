from app.modules import bonds, jobs
from app.modules.jobs import CancelJob, LeaveJob, joining
from tests.build import FLT, World, a_job, a_running_job


def test_leaving_returns_the_deposit_at_once_to_who_sits_in_no_round() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    before = world.balance(workers[0])

    world.run(LeaveJob(workers[0], job_id))

    assert world.balance(workers[0]) == before + FLT
    assert world.job(job_id).candidate_count == 3
    assert workers[0] not in [row.worker for row in jobs.get_candidates(world.state, job_id)]
    assert world.said(joining.JobLeft) == [joining.JobLeft(job_id, workers[0])]


def test_leaving_returns_the_deposit_after_the_last_seat_to_who_sits_in_rounds() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    wanda = workers[0]
    before = world.balance(wanda)
    bonds.lock(world.state, wanda, job_id, 3)
    bonds.lock(world.state, wanda, job_id, 4)

    world.run(LeaveJob(wanda, job_id))
    bonds.unlock(world.state, wanda, job_id, 3)
    world.do(jobs.settle_leaver, job_id, wanda)
    assert world.balance(wanda) == before
    bonds.unlock(world.state, wanda, job_id, 4)
    world.do(jobs.settle_leaver, job_id, wanda)
    world.do(jobs.settle_leaver, job_id, wanda)

    assert world.balance(wanda) == before + FLT
    assert list(jobs.CANDIDATES.items(world.state, (job_id, wanda))) == []


def test_settling_a_worker_that_stays_does_nothing() -> None:
    world = World()
    job_id, workers = a_running_job(world)

    world.do(jobs.settle_leaver, job_id, workers[0])

    assert world.balance("deposits") == 4 * FLT


def test_who_did_not_join_cannot_leave() -> None:
    world = World()
    rita = world.account("rita")
    job_id = world.run(a_job(rita)).job_id
    wanda = world.participant("wanda")

    world.refused(LeaveJob(wanda, 9), jobs.NoSuchJob, "job_id 9")
    world.refused(LeaveJob(wanda, job_id), joining.NotJoined, "worker pollen1", f"job {job_id}")
    world.run(jobs.JoinJob(wanda, job_id))
    bonds.lock(world.state, wanda, job_id, 1)
    world.run(LeaveJob(wanda, job_id))
    world.refused(LeaveJob(wanda, job_id), joining.NotJoined, "worker pollen1")
    world.run(CancelJob(rita, job_id))
    world.refused(LeaveJob(wanda, job_id), jobs.WrongPhase, "is CANCELLED")
