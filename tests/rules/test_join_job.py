from dataclasses import replace

import pytest

from app.kernel.record import Address
from app.modules import bank, bonds, jobs
from app.modules.bonds import EditRegistration, Role
from app.modules.jobs import CancelJob, JobPhase, JoinJob, LeaveJob, joining
from app.modules.jobs.posting import JobCancelled
from tests.build import (
    FLT,
    RICH,
    SPEC,
    World,
    a_job,
    a_payout_address,
    a_registration,
    a_running_job,
    changed,
)


def test_joining_takes_a_deposit_and_offers_to_train() -> None:
    world = World()
    job_id = world.run(a_job(world.account("rita"))).job_id
    wanda = world.participant("wanda")
    before = world.balance(wanda)

    world.run(JoinJob(wanda, job_id))

    assert list(jobs.get_candidates(world.state, job_id)) == [jobs.Candidate(wanda, FLT, False, 0)]
    assert world.job(job_id).candidate_count == 1
    assert (before - world.balance(wanda), world.balance("deposits")) == (FLT, FLT)
    assert world.said(joining.JobJoined) == [joining.JobJoined(job_id, wanda)]


def test_a_job_starts_with_its_cohort_and_reserves_and_is_ready_for_a_draw() -> None:
    world = World()
    job_id = world.run(a_job(world.account("rita"))).job_id
    workers = [world.participant(f"worker {i}") for i in range(5)]

    for worker in workers[:3]:
        world.run(JoinJob(worker, job_id))
    assert world.job(job_id).phase == JobPhase.OPEN
    world.run(JoinJob(workers[3], job_id))

    job = world.job(job_id)
    assert (job.phase, job.started_clock_ms) == (JobPhase.RUNNING, world.block.clock_ms)
    assert list(jobs.READY.keys(world.state)) == [(world.block.height, job_id)]
    world.run(JoinJob(workers[4], job_id))
    assert world.job(job_id).candidate_count == 5


def test_only_a_registered_worker_that_is_not_paused_joins() -> None:
    world = World()
    rita = world.account("rita")
    job_id = world.run(a_job(rita)).job_id
    emma = world.participant("emma", Role.EVALUATOR)
    wanda = world.participant("wanda")
    world.run(EditRegistration(wanda, a_payout_address(wanda), "", b"", True))

    world.refused(JoinJob(wanda, 9), jobs.NoSuchJob, "job_id 9", "the newest is 1")
    world.refused(JoinJob(rita, job_id), joining.OwnJob, "worker pollen1", "job 1")
    world.refused(JoinJob(world.account("x"), job_id), joining.NotAWorker, "not registered")
    world.refused(JoinJob(emma, job_id), joining.NotAWorker, "EVALUATOR", "WORKER")
    world.refused(JoinJob(wanda, job_id), joining.WorkerPaused, "worker pollen1", "is paused")


def test_who_a_job_asks_for() -> None:
    world = World()
    workers = [world.participant(f"worker {i}", bond_uflt=25 * FLT) for i in range(3)]
    conditions = (
        ({"admission.allow_list": tuple(workers[1:])}, joining.NotOnAllowList, (2,)),
        (
            {"admission.reputation_ppm_min": 250_001},
            joining.ReputationTooLow,
            ("reputation 250000 ppm", 250_001),
        ),
        (
            {"admission.bond_uflt_min": 26 * FLT},
            joining.SeatBondTooSmall,
            ("bonded_uflt 25000000", 26_000_000),
        ),
        (
            {"seat_bonds.worker_uflt": 25 * FLT + 1},
            joining.SeatBondTooSmall,
            ("free bond in uflt 25000000", 25_000_001),
        ),
    )
    for i, (changes, rejection, words) in enumerate(conditions):
        job_id = world.run(a_job(world.account(f"requester {i}"), changes)).job_id
        world.refused(JoinJob(workers[0], job_id), rejection, f"job {job_id}", *words)


def test_what_other_jobs_lock_is_not_free_for_this_one() -> None:
    world = World()
    job_id = world.run(a_job(world.account("rita"))).job_id
    wanda = world.participant("wanda", bond_uflt=24 * FLT)
    seat = jobs.worker_seat_bond_uflt(SPEC, 20 * FLT, jobs.PARAMS.get(world.state))

    bonds.lock(world.state, wanda, 7, 24 * FLT - seat + 1)
    world.refused(JoinJob(wanda, job_id), joining.SeatBondTooSmall, f"uflt {seat - 1}", seat)
    bonds.unlock(world.state, wanda, 7, 24 * FLT - seat + 1)
    world.run(JoinJob(wanda, job_id))


@pytest.mark.parametrize(
    ("budget_uflt", "asked_uflt", "seat_uflt"),
    [
        (60_000, 0, 10 * FLT),  # nobody under the least bond
        (60_000, 11 * FLT, 11 * FLT),  # what the job asks
        (60 * FLT, 11 * FLT, 70 * FLT),  # ten times 70 % of 30 FLT by three
    ],
)
def test_a_seat_locks_the_most_of_what_is_asked(
    budget_uflt: int, asked_uflt: int, seat_uflt: int
) -> None:
    spec = changed(SPEC, {"seat_bonds.worker_uflt": asked_uflt})

    assert jobs.worker_seat_bond_uflt(spec, budget_uflt, jobs.Params()) == seat_uflt


def test_a_second_join_is_refused_and_a_full_job_too() -> None:
    world = World({"jobs": {"candidates_max": 4}})
    job_id, workers = a_running_job(world)
    late = world.participant("late")

    world.refused(JoinJob(workers[0], job_id), joining.AlreadyJoined, f"job {job_id}", "once")
    world.refused(JoinJob(late, job_id), joining.JobFull, "candidates 5", "limit is 4")
    world.run(LeaveJob(workers[0], job_id))
    world.run(JoinJob(late, job_id))


def test_who_has_left_may_come_back() -> None:
    world = World()
    job_id = world.run(a_job(world.account("rita"))).job_id
    wanda = world.participant("wanda")

    for _ in range(2):
        world.run(JoinJob(wanda, job_id))
        world.run(LeaveJob(wanda, job_id))
    world.run(JoinJob(wanda, job_id))

    assert (world.job(job_id).candidate_count, world.balance("deposits")) == (1, FLT)


def test_who_comes_back_before_its_last_seat_is_free_pays_no_second_deposit() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    bonds.lock(world.state, workers[0], job_id, 1)

    world.run(LeaveJob(workers[0], job_id))
    world.run(JoinJob(workers[0], job_id))

    assert world.balance("deposits") == 4 * FLT


def test_a_job_that_is_to_end_takes_no_worker() -> None:
    world = World()
    job_id, _ = a_running_job(world)
    late = world.participant("late")

    world.run(CancelJob(world.job(job_id).requester, job_id))
    world.refused(JoinJob(late, job_id), JobCancelled, f"job_id {job_id}")
    world.do(jobs.advance, world.job(job_id), JobPhase.CANCELLED)
    world.refused(JoinJob(late, job_id), jobs.WrongPhase, "is CANCELLED", "OPEN or RUNNING")


def test_the_deposit_must_be_there() -> None:
    world = World()
    job_id = world.run(a_job(world.account("rita"))).job_id
    poor = world.account("poor", 100 * FLT)
    world.run(a_registration(poor, bond_uflt=100 * FLT))

    world.refused(JoinJob(poor, job_id), bank.InsufficientFunds, "1000000uflt")


def test_three_rounds_missed_in_a_row_put_a_worker_out_for_good() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    wanda = workers[0]

    for missed in (True, True, False, True, True):
        world.do(jobs.note_attendance, job_id, wanda, missed)
    assert world.job(job_id).candidate_count == 4
    world.do(jobs.note_attendance, job_id, wanda, True)

    assert world.job(job_id).candidate_count == 3
    assert world.balance(wanda) == RICH - 100 * FLT  # its deposit has returned
    assert world.said(joining.JobLeft) == [joining.JobLeft(job_id, wanda)]
    world.refused(JoinJob(wanda, job_id), joining.PutOut, "missed 3 rounds", "fewer than 3")


def test_leaving_does_not_wipe_out_missed_rounds() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    wanda = workers[0]

    world.do(jobs.note_attendance, job_id, wanda, True)
    world.run(LeaveJob(wanda, job_id))
    world.run(JoinJob(wanda, job_id))

    row = jobs.CANDIDATES.must(world.state, (job_id, wanda))
    assert row == jobs.Candidate(wanda, FLT, False, 1)


def test_candidates_are_listed_a_page_at_a_time() -> None:
    world = World()
    job_id, workers = a_running_job(world)

    first = jobs.candidates(world.state, jobs.CandidatesRequest(job_id, Address(b""), 3)).candidates
    after = jobs.CandidatesRequest(job_id, first[-1].worker, 3)
    second = jobs.candidates(world.state, after).candidates

    assert len(first) == 3
    assert sorted(row.worker for row in first + second) == sorted(workers)
    with pytest.raises(jobs.NoSuchJob, match="job_id 9"):
        jobs.candidates(world.state, replace(after, job_id=9))
