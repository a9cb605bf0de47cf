from app.modules import jobs, payouts, reputation
from app.modules.jobs import JobPhase
from app.modules.jobs.ending import NotTheRequester
from app.modules.payouts import AcceptJob, HeldPaid, JobAccepted
from tests.build import FLT, RICH, World, a_payout_address, a_running_job


def a_reviewed_job(world: World, share_uflt: int = FLT) -> tuple[int, list[bytes]]:
    """A job in review that has paid each of its workers one share."""
    job_id, workers = a_running_job(world)
    for worker in workers:
        world.do(payouts.pay_shares, job_id, 1, {worker: share_uflt})
    world.do(payouts.begin_review, job_id)
    return job_id, workers


def test_accepting_pays_what_was_held_back_and_refunds_the_rest() -> None:
    world = World()
    job_id, workers = a_reviewed_job(world)
    rita = world.job(job_id).requester

    world.run(AcceptJob(rita, job_id))
    world.pass_block()

    job = world.job(job_id)
    assert (job.phase, job.escrow_uflt, job.held_uflt) == (JobPhase.SETTLED, 0, 0)
    assert job.paid_uflt == 4 * FLT
    for worker in workers:
        assert world.balance(a_payout_address(worker)) == 990_000  # a share less one percent
        assert world.balance(worker) == RICH - 100 * FLT
    assert world.balance("treasury") == 40_000
    assert world.balance(rita) == RICH - 14 * FLT
    assert (world.balance("escrow"), world.balance("deposits")) == (0, 0)
    assert world.said(JobAccepted) == [JobAccepted(job_id, "requester")]
    assert {(event.paid_uflt, event.fee_uflt) for event in world.said(HeldPaid)} == {
        (198_000, 2_000)
    }
    record = reputation.find_requester(world.state, rita)
    assert (record.accepted_count, record.paid_uflt) == (1, 4 * FLT)


def test_silence_past_the_review_accepts() -> None:
    world = World()
    job_id, workers = a_reviewed_job(world)

    world.wait(3_598)
    assert world.job(job_id).phase == JobPhase.REVIEW
    world.wait(1)

    assert world.job(job_id).phase == JobPhase.SETTLED
    assert world.balance(a_payout_address(workers[0])) == 990_000
    assert world.said(JobAccepted) == [JobAccepted(job_id, "silence")]


def test_what_cannot_be_accepted_is_refused() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    rita = world.job(job_id).requester

    world.refused(AcceptJob(rita, 9), jobs.NoSuchJob, "job_id 9", "the newest is 1")
    world.refused(AcceptJob(rita, job_id), jobs.WrongPhase, "is RUNNING", "needs REVIEW")
    world.do(payouts.begin_review, job_id)
    world.refused(AcceptJob(workers[0], job_id), NotTheRequester, "requester pollen1", job_id)
    world.run(AcceptJob(rita, job_id))
    world.refused(AcceptJob(rita, job_id), jobs.WrongPhase, "is SETTLED", "needs REVIEW")


def test_a_block_makes_so_many_payments_and_the_next_goes_on() -> None:
    world = World({"payouts": {"payments_per_block_max": 3}})
    job_id, _ = a_reviewed_job(world)

    world.run(AcceptJob(world.job(job_id).requester, job_id))
    world.pass_block()
    assert (len(world.said(HeldPaid)), world.balance("deposits")) == (3, 4 * FLT)
    world.pass_block()
    assert (len(world.said(HeldPaid)), world.balance("deposits")) == (4, 2 * FLT)
    world.pass_block()
    assert (world.balance("escrow"), world.balance("deposits")) == (0, 0)
    assert list(jobs.CLOSING.keys(world.state)) == []


def test_a_block_ends_so_many_reviews_and_the_next_goes_on() -> None:
    world = World({"payouts": {"reviews_per_block_max": 1}})
    job_id, _ = a_reviewed_job(world)
    other = world.run(jobs.PostJob(world.job(job_id).requester, world.job(job_id).spec, FLT)).job_id
    world.do(jobs.advance, world.job(other), JobPhase.RUNNING)
    world.do(payouts.begin_review, other)

    world.pass_block(3_600)
    world.pass_block()
    assert [world.job(n).phase for n in (job_id, other)] == [JobPhase.SETTLED, JobPhase.REVIEW]
    world.pass_block()
    assert world.job(other).phase == JobPhase.SETTLED
