import pytest

from app.kernel.errors import InvariantBroken
from app.modules import jobs, reputation
from app.modules.jobs import JobPhase, JoinJob
from app.modules.jobs.ending import JobCancelRequested
from tests.build import FLT, RICH, World, a_job, a_running_job


def test_an_open_window_that_ends_with_the_smallest_cohort_starts_the_job() -> None:
    world = World()
    job_id = world.run(a_job(world.account("rita"))).job_id
    for i in range(2):
        world.run(JoinJob(world.participant(f"worker {i}"), job_id))

    world.wait(58)
    assert world.job(job_id).phase == JobPhase.OPEN
    world.wait(1)
    assert world.job(job_id).phase == JobPhase.RUNNING


def test_an_open_window_that_ends_with_too_few_workers_fails_the_job_and_refunds_it() -> None:
    world = World()
    rita = world.account("rita")
    job_id = world.run(a_job(rita)).job_id
    wanda = world.participant("wanda")
    world.run(JoinJob(wanda, job_id))

    world.wait(60)

    job = world.job(job_id)
    assert (job.phase, job.reason) == (JobPhase.FAILED, "too_few_workers")
    assert (world.balance(rita), world.balance(wanda)) == (RICH - 10 * FLT, RICH - 100 * FLT)
    assert reputation.find_requester(world.state, rita).failed_count == 1


def test_a_job_that_ran_for_its_longest_time_begins_no_further_round() -> None:
    world = World()
    job_id, _ = a_running_job(world, {"schedule.job_s_max": 600})

    world.wait(600)

    job = world.job(job_id)
    assert (job.phase, job.cancel_requested, job.reason) == (JobPhase.RUNNING, True, "job_s_max")
    assert world.said(JobCancelRequested) == [JobCancelRequested(job_id, job.requester)]


def test_a_job_that_is_to_end_anyway_is_not_asked_twice() -> None:
    world = World()
    job_id, _ = a_running_job(world, {"schedule.job_s_max": 600})

    world.run(jobs.CancelJob(world.job(job_id).requester, job_id))
    world.wait(600)

    assert world.job(job_id).reason == "requester"
    assert len(world.said(JobCancelRequested)) == 1


def test_a_block_handles_so_many_due_jobs_and_the_next_goes_on() -> None:
    world = World({"jobs": {"due_per_block_max": 2}})
    rita = world.account("rita")
    numbers = [world.run(a_job(rita)).job_id for _ in range(3)]

    world.pass_block(60)
    world.pass_block()
    assert [world.job(n).phase for n in numbers] == [
        JobPhase.FAILED,
        JobPhase.FAILED,
        JobPhase.OPEN,
    ]
    world.pass_block()
    assert world.job(numbers[2]).phase == JobPhase.FAILED


@pytest.mark.parametrize("phase", [p for p in JobPhase if p != JobPhase.RUNNING])
def test_a_job_takes_no_step_that_its_life_does_not_have(phase: JobPhase) -> None:
    world = World()
    job_id = world.run(a_job(world.account("rita"))).job_id
    if phase in jobs.NEXT_PHASES[JobPhase.OPEN]:
        world.do(jobs.advance, world.job(job_id), phase)

    with pytest.raises(InvariantBroken, match="to a phase that follows it"):
        world.do(jobs.advance, world.job(job_id), phase)
