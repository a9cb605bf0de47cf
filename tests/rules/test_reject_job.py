"""RejectJob: a deposit, a committee, and what part of the held-back money its median releases."""

from dataclasses import replace

import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.record import I64, U32, U64
from app.kernel.store import Overlay
from app.modules import bank, committees, jobs, payouts, reputation
from app.modules.committees import (
    CommitteeRequest,
    CommitteeStep,
    NoCommittee,
    ResultMeasured,
    committee,
    released_ppm,
)
from app.modules.jobs import Acceptance, JobPhase
from app.modules.jobs.ending import NotTheRequester
from app.modules.jobs.limits import TextMissing, TextTooLong
from app.modules.payouts import (
    AcceptJob,
    AlreadyRejected,
    HeldPaid,
    JobAccepted,
    JobRejected,
    MemberPaid,
    NothingToMeasure,
    RejectJob,
)
from tests.build import FLT, World, a_payout_address, a_running_job
from tests.build_committees import (
    a_measurement,
    commitment_of,
    grant_of,
    granted,
    measure,
    members,
    rejected,
    revelation_of,
    reviewed,
)
from tests.build_rounds import Play

DEPOSIT = 10 * FLT


def held(play: Play) -> int:
    return play.job().held_uflt


def settled(play: Play) -> Play:
    for _ in range(3):
        play.world.pass_block()
    assert play.job().phase is JobPhase.SETTLED
    assert [play.world.balance(name) for name in ("escrow", "deposits")] == [0, 0]
    return play


def test_rejecting_takes_a_deposit_and_asks_for_a_committee() -> None:
    play = reviewed()
    rita, before = play.job().requester, play.world.balance(play.job().requester)
    deposits = play.world.balance("deposits")

    play.world.run(RejectJob(rita, U64(1), "worse than the baseline"))

    assert play.world.balance(rita) == before - DEPOSIT
    assert play.world.balance("deposits") == deposits + DEPOSIT
    said = JobRejected(U64(1), rita, "worse than the baseline", U64(DEPOSIT))
    assert play.world.said(JobRejected) == [said]
    assert reputation.find_requester(play.world.state, rita).rejected_count == 1
    with pytest.raises(NoCommittee):
        committee(play.world.state, CommitteeRequest(U64(1)))
    play.world.pass_block()
    answer = committee(play.world.state, CommitteeRequest(U64(1)))
    assert answer.committee.step is CommitteeStep.GRANT
    assert answer.committee.slices == (8, 9)
    drawn = [member.evaluator for member in answer.members]
    assert len(set(drawn)) == 7
    assert not set(drawn) & set(play.evaluators)
    assert play.job().phase is JobPhase.REVIEW


def test_a_result_at_its_threshold_is_released_whole_and_the_deposit_pays_the_committee() -> None:
    play = granted()
    rita, whole = play.job().requester, held(play)
    before, payout = play.world.balance(rita), a_payout_address(play.workers[0])
    who = measure(play, [1_000_000] * 7)
    settled(play)
    assert play.world.said(ResultMeasured) == [ResultMeasured(1, 7, 1_000_000, 1_000_000)]
    assert play.world.said(JobAccepted) == [JobAccepted(1, "committee")]
    paid = play.world.said(HeldPaid)
    assert sum(event.paid_uflt + event.fee_uflt for event in paid) == whole
    assert {event.returned_uflt for event in paid} == {0}
    shares = [event.paid_uflt + event.fee_uflt for event in play.world.said(MemberPaid)]
    assert (sum(shares), max(shares) - min(shares)) == (DEPOSIT, 1)
    assert play.world.balance(a_payout_address(who[0])) == 1_414_286
    assert play.world.balance(rita) == before
    assert play.world.balance(payout) > 0


def test_a_result_halfway_is_released_by_half_and_the_deposit_returns() -> None:
    play = granted()
    rita, whole, before = play.job().requester, held(play), play.world.balance
    had, deposits = before(rita), play.world.balance("deposits")
    assert deposits == DEPOSIT + 4 * FLT
    measure(play, [1_500_000, 1_500_000, 9_000_000, 1_400_000, 1_500_000, 0, 1_600_000])
    settled(play)
    assert play.job().released_ppm == 500_000
    paid = play.world.said(HeldPaid)
    released = sum(event.paid_uflt + event.fee_uflt for event in paid)
    assert released == pytest.approx(whole // 2, abs=10)
    assert sum(event.returned_uflt for event in paid) == whole - released
    fees = [event.paid_uflt + event.fee_uflt for event in play.world.said(MemberPaid)]
    assert sum(fees) == min(DEPOSIT, whole - released)
    assert play.world.balance(rita) == had + DEPOSIT + whole - released - sum(fees)


def test_a_result_no_better_than_the_baseline_releases_nothing() -> None:
    play = granted()
    measure(play, [2_000_001] * 7)
    settled(play)
    assert play.job().released_ppm == 0
    assert sum(event.paid_uflt for event in play.world.said(HeldPaid)) == 0


@pytest.mark.parametrize("committed", [0, 3])
def test_a_committee_without_quorum_accepts_and_the_deposit_is_lost(committed: int) -> None:
    play = granted()
    rita, whole = play.job().requester, held(play)
    before, treasury = play.world.balance(rita), play.world.balance("treasury")
    for member in members(play)[:committed]:
        play.world.run(commitment_of(play, member.evaluator, a_measurement(2_000_000)))
    play.world.wait(60)
    settled(play)
    assert play.world.said(JobAccepted) == [JobAccepted(1, "no_committee_quorum")]
    assert play.job().released_ppm == 1_000_000
    assert sum(e.paid_uflt + e.fee_uflt for e in play.world.said(HeldPaid)) == whole
    assert play.world.balance(rita) == before
    lost = play.world.balance("treasury") - treasury
    assert lost - sum(e.fee_uflt for e in play.world.said(HeldPaid)) == DEPOSIT


def test_those_who_revealed_without_a_quorum_share_the_deposit() -> None:
    play = granted()
    who = [member.evaluator for member in members(play)]
    for evaluator in who[:4]:
        play.world.run(commitment_of(play, evaluator, a_measurement(2_000_000)))
    play.world.wait(60)
    for evaluator in who[:3]:
        play.world.run(revelation_of(evaluator, a_measurement(2_000_000)))
    play.world.wait(60)
    settled(play)
    assert play.world.said(JobAccepted) == [JobAccepted(1, "no_committee_quorum")]
    assert {event.member for event in play.world.said(MemberPaid)} == set(who[:3])


def test_a_requester_that_grants_nothing_has_lost() -> None:
    play = rejected()
    play.world.wait(60)
    settled(play)
    assert play.world.said(JobAccepted) == [JobAccepted(1, "no_committee_quorum")]


@pytest.mark.parametrize(("others", "is_drawn"), [(2, False), (3, True), (5, True)])
def test_fewer_evaluators_make_a_smaller_committee_and_too_few_none(
    others: int, is_drawn: bool
) -> None:
    play = rejected(others=others)
    assert len(members(play)) == (others if is_drawn else 0)
    if not is_drawn:
        settled(play)
        assert play.world.said(JobAccepted) == [JobAccepted(1, "no_committee_quorum")]


def test_a_requester_that_accepts_after_all_has_lost_its_deposit() -> None:
    play = granted()
    rita, treasury = play.job().requester, play.world.balance("treasury")
    play.world.run(AcceptJob(rita, U64(1)))
    assert play.world.balance("treasury") == treasury + DEPOSIT
    play.world.wait(60)
    settled(play)
    assert play.world.said(JobAccepted) == [JobAccepted(1, "requester")]
    assert play.world.said(ResultMeasured) == []


@pytest.mark.parametrize(
    ("baseline", "threshold", "metric", "released"),
    [
        (100, 200, 100, 0),
        (100, 200, 99, 0),
        (100, 200, 150, 500_000),
        (100, 200, 200, 1_000_000),
        (100, 200, 999, 1_000_000),
        (200, 100, 200, 0),
        (200, 100, 201, 0),
        (200, 100, 134, 660_000),
        (200, 100, 100, 1_000_000),
        (0, -3, -1, 333_333),
        (0, 3, 2, 666_666),
    ],
)
def test_the_released_part_is_the_way_gone_from_baseline_to_threshold(
    baseline: int, threshold: int, metric: int, released: int
) -> None:
    assert released_ppm(Acceptance(I64(baseline), I64(threshold)), metric) == released


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


def test_a_job_without_a_threshold_has_nothing_to_be_rejected_for() -> None:
    world = World()
    job_id, _ = a_running_job(world, {"acceptance": Acceptance(I64(0), I64(0))})
    rita = world.job(job_id).requester
    world.do(payouts.begin_review, job_id)
    refusal = RejectJob(rita, job_id, "no")
    world.refused(refusal, NothingToMeasure, f"job_id {job_id}", "threshold_millionths")


def test_the_deposit_must_be_there() -> None:
    world = World()
    job_id, _ = a_running_job(world)
    rita = world.job(job_id).requester
    world.do(payouts.begin_review, job_id)
    world.do(bank.move, rita, world.account("safe"), world.balance(rita) - FLT)

    world.refused(RejectJob(rita, job_id, "no"), bank.InsufficientFunds, "10000000uflt")


def test_a_committee_that_is_not_due_once_breaks_an_invariant() -> None:
    play = rejected()
    draft = Overlay(play.world.state)
    committees.DUE.add(draft, (5, 1))
    with pytest.raises(InvariantBroken, match="due once"):
        committees.every_committee_at_work_is_due_once(draft)
    draft = Overlay(play.world.state)
    committees.MEMBERS.delete(draft, (1, 0))
    with pytest.raises(InvariantBroken, match="counts its members"):
        committees.every_committee_at_work_is_due_once(draft)


def test_blocks_must_pass_too_before_a_step_ends() -> None:
    play = rejected()
    params = committees.PARAMS.get(play.world.state)
    committees.PARAMS.put(play.world.state, replace(params, deadline_blocks=U32(5)))
    play.world.run(grant_of(play))
    play.world.pass_block()
    first = members(play)[0].evaluator
    play.world.pass_block(60)
    play.world.pass_block()
    play.world.run(commitment_of(play, first, a_measurement(0)))
    state = committee(play.world.state, CommitteeRequest(U64(1))).committee
    assert state.step is CommitteeStep.COMMIT
    for _ in range(5):
        play.world.pass_block()
    assert play.job().phase is JobPhase.SETTLED
