from app.modules import bank, jobs, payouts, reputation
from app.modules.jobs import JobPhase
from app.modules.jobs.ending import NotTheRequester
from app.modules.jobs.limits import TextMissing, TextTooLong
from app.modules.payouts import AcceptJob, AlreadyRejected, JobAccepted, JobRejected, RejectJob
from tests.build import FLT, RICH, World, a_payout_address, a_running_job

DAY_S = 24 * 3_600


def a_reviewed_job(world: World) -> tuple[int, bytes]:
    """A job in review, and its requester."""
    job_id, _ = a_running_job(world)
    world.do(payouts.begin_review, job_id)
    return job_id, world.job(job_id).requester


def test_rejecting_takes_a_deposit_and_waits_for_the_committee() -> None:
    world = World()
    job_id, rita = a_reviewed_job(world)

    world.run(RejectJob(rita, job_id, "worse than the baseline"))

    assert world.balance(rita) == RICH - 40 * FLT  # cost, budget, deposit
    assert world.balance("deposits") == 14 * FLT
    said = JobRejected(job_id, rita, "worse than the baseline", 10 * FLT)
    assert world.said(JobRejected) == [said]
    assert reputation.find_requester(world.state, rita).rejected_count == 1
    world.wait(DAY_S - 2)
    job = world.job(job_id)
    assert (job.phase, job.rejected) == (JobPhase.REVIEW, True)


def test_a_committee_without_quorum_accepts_and_the_deposit_is_lost() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    rita = world.job(job_id).requester
    world.do(payouts.pay_shares, job_id, 1, {workers[0]: FLT})
    world.do(payouts.begin_review, job_id)

    world.run(RejectJob(rita, job_id, "no"))
    world.wait(DAY_S)

    assert world.job(job_id).phase == JobPhase.SETTLED
    assert world.said(JobAccepted) == [JobAccepted(job_id, "no_committee_quorum")]
    assert world.balance(a_payout_address(workers[0])) == 990_000
    assert world.balance("treasury") == 10 * FLT + 10_000
    assert world.balance("deposits") == 0


def test_a_requester_that_accepts_after_all_has_lost_its_deposit() -> None:
    world = World()
    job_id, rita = a_reviewed_job(world)

    world.run(RejectJob(rita, job_id, "no"))
    world.run(AcceptJob(rita, job_id))
    world.pass_block()

    assert (world.balance("treasury"), world.balance("deposits")) == (10 * FLT, 0)
    assert world.said(JobAccepted) == [JobAccepted(job_id, "requester")]


def test_what_cannot_be_rejected_is_refused() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    rita = world.job(job_id).requester

    world.refused(RejectJob(rita, 9, "no"), jobs.NoSuchJob, "job_id 9", "the newest is 1")
    world.refused(RejectJob(rita, job_id, "no"), jobs.WrongPhase, "is RUNNING", "needs REVIEW")
    world.do(payouts.begin_review, job_id)
    world.refused(RejectJob(workers[0], job_id, "no"), NotTheRequester, "requester pollen1")
    world.refused(RejectJob(rita, job_id, ""), TextMissing, "reason: has 0 bytes")
    world.refused(RejectJob(rita, job_id, "x" * 1_025), TextTooLong, "reason", 1_025, 1_024)
    world.run(RejectJob(rita, job_id, "no"))
    world.refused(RejectJob(rita, job_id, "no"), AlreadyRejected, f"job_id {job_id}", "once")


def test_the_deposit_must_be_there() -> None:
    world = World()
    job_id, rita = a_reviewed_job(world)
    world.do(bank.move, rita, world.account("safe"), world.balance(rita) - FLT)

    world.refused(RejectJob(rita, job_id, "no"), bank.InsufficientFunds, "10000000uflt")
