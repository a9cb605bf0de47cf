"""The draw: who acts in a round, what each locks, and what happens where there are too few."""

from typing import Any

import pytest

from app.kernel.record import U32, U64, Address
from app.learning.draw import WORKER_DRAW, Candidate, draw
from app.modules import beacon, bonds, jobs, reputation, rounds
from app.modules.bonds import Role
from app.modules.jobs import JobPhase
from app.modules.rounds import RoundDrawn, RoundPhase, RoundPhaseChanged, SeatKind, SeatState
from tests.build import FLT, World, a_job
from tests.build_rounds import ALL, QUICK, Play, a_play, join_all


def seat_locks(play: Play, who: bytes) -> tuple[int, int]:
    lock = bonds.find_lock(play.world.state, Address(who), play.job_id)
    return lock.seat_count, lock.amount_uflt


def pause(play: Play, who: bytes) -> None:
    known = play.world.registration(Address(who))
    message = bonds.EditRegistration(
        known.participant, known.payout_address, known.endpoint, known.reader_key, True
    )
    play.world.run(message)


def test_the_first_round_is_drawn_in_the_block_after_the_job_has_started() -> None:
    play = a_play()
    round = play.round()
    assert round.drawn_height == play.world.block.height
    assert beacon.BEACON.get(play.world.state).seed_height == play.world.block.height
    assert round.seed == beacon.BEACON.get(play.world.state).seed
    assert play.world.said(RoundDrawn) == [RoundDrawn(1, 1, round.seed, 3, 1, 6)]
    phases = [event.phase for event in play.world.said(RoundPhaseChanged)]
    assert phases == [RoundPhase.OPEN, RoundPhase.COMMIT]
    assert (round.base_root, round.base_round) == (play.job().spec.work.base_root, 0)


def test_the_first_drawn_are_the_cohort_and_the_rest_are_reserves() -> None:
    play = a_play()
    kinds = [seat.kind for seat in play.seats()]
    assert kinds == [SeatKind.COHORT] * 3 + [SeatKind.RESERVE]
    assert [seat.seat for seat in play.seats()] == [0, 1, 2, 3]
    assert all(seat.state is SeatState.DRAWN for seat in play.seats())


def test_anyone_can_recompute_the_cohort() -> None:
    play = a_play(worker_count=4)
    weight = 1_000 * FLT * (250_000 + 50_000)
    candidates = [Candidate(worker, weight, is_newcomer=True) for worker in play.workers]
    seed = play.round().seed
    drawn = draw(seed, 1, 1, candidates, 4, newcomer_seats=0, domain=WORKER_DRAW)
    assert drawn == tuple(seat.worker for seat in play.seats())


def test_aggregators_are_numbered_by_turn_and_evaluators_follow() -> None:
    play = a_play()
    readers = play.readers()
    assert [reader.is_aggregator for reader in readers] == [True] * 3 + [False] * 3
    assert sorted(r.participant for r in readers[:3]) == sorted(play.aggregators)
    assert sorted(r.participant for r in readers[3:]) == sorted(play.evaluators)


def test_the_pool_is_an_equal_part_of_the_budget() -> None:
    assert a_play().round().pool_uflt == 10 * FLT
    assert a_play({"schedule.round_count": U32(3)}).round().pool_uflt == 20 * FLT // 3


def test_each_seat_locks_its_bond() -> None:
    play = a_play()
    shares = 10 * (10 * FLT * 70 // 100 // 3)
    for seat in play.seats():
        assert seat.locked_uflt == pytest.approx(shares, abs=10)
        assert seat_locks(play, seat.worker) == (1, seat.locked_uflt)
    for reader in play.readers():
        pools, fees = 10 * 10 * FLT, 10 * FLT
        assert seat_locks(play, reader.participant) == (1, pools if reader.is_aggregator else fees)


def test_no_seat_locks_less_than_the_job_asks() -> None:
    play = a_play({"seat_bonds": jobs.SeatBonds(U64(60 * FLT), U64(300 * FLT), U64(70 * FLT))})
    assert {seat.locked_uflt for seat in play.seats()} == {60 * FLT}
    amounts = [seat_locks(play, reader.participant)[1] for reader in play.readers()]
    assert amounts == [300 * FLT] * 3 + [70 * FLT] * 3


def test_a_reader_locks_once_a_job_and_a_worker_once_a_seat() -> None:
    play = a_play().to_challenge()
    seat = play.seats(2)[0]
    assert seat_locks(play, seat.worker) == (2, 2 * seat.locked_uflt)
    assert seat_locks(play, play.aggregators[0]) == (2, 100 * FLT)
    play.end_phase(1)
    assert seat_locks(play, seat.worker)[0] == 1
    assert seat_locks(play, play.aggregators[0]) == (1, 100 * FLT)


def test_a_reader_locks_more_when_the_pool_has_grown() -> None:
    play = a_play().to_include()
    play.world.run(jobs.FundJob(play.world.account("donor"), U64(1), U64(20 * FLT)))
    play.vote()
    assert play.round(2).pool_uflt == 20 * FLT
    assert seat_locks(play, play.aggregators[0]) == (2, 200 * FLT)


def test_all_bonds_are_free_when_the_job_has_ended() -> None:
    play = a_play({"schedule.round_count": U32(1)}).to_settled()
    everyone = [*play.workers, *play.evaluators, *play.aggregators]
    assert [play.world.registration(who).locked_uflt for who in everyone] == [0] * 10


def test_with_fewer_candidates_than_the_cohort_there_are_no_reserves() -> None:
    play = a_play(worker_count=2)
    assert [seat.kind for seat in play.seats()] == [SeatKind.COHORT] * 2
    assert play.round().selected_count == 2


def test_newcomers_have_a_seat_in_five() -> None:
    world = World(QUICK, ALL)
    old = [world.participant(f"old {i}", bond_uflt=100_000 * FLT) for i in range(8)]
    for worker in old:
        for _ in range(5):
            world.do(reputation.move, worker, success=True)
    play = join_all(
        world,
        a_job(
            world.account("rita"),
            {"schedule.cohort_size": U32(5), "schedule.reserve_count": U32(4)},
        ),
        None,
        1_000 * FLT,
    )
    newcomers = [seat.seat for seat in play.seats() if seat.worker in play.workers]
    assert 0 in newcomers


@pytest.mark.parametrize("goes", [True, False])
def test_who_is_paused_or_gone_is_not_drawn(goes: bool) -> None:
    play = a_play().to_include()
    worker = play.seats()[0].worker
    if goes:
        play.world.run(jobs.LeaveJob(worker, U64(1)))
    else:
        pause(play, worker)
    play.vote()
    assert worker not in [seat.worker for seat in play.seats(2)]


def test_who_has_too_little_free_bond_is_drawn_when_the_round_before_has_settled() -> None:
    bonds_asked = jobs.SeatBonds(U64(600 * FLT), U64(0), U64(0))
    play = a_play({"seat_bonds": bonds_asked}).to_aggregate()
    assert (play.round(2).seat_count, play.round(2).reason) == (0, "too_few_workers")
    play.post()
    play.attest()
    play.end_phase(1)
    play.world.wait(2)
    assert (play.round(2).phase, play.round(2).seat_count) == (RoundPhase.COMMIT, 4)


def test_a_worker_below_the_jobs_reputation_is_not_drawn() -> None:
    play = a_play({"admission.reputation_ppm_min": U32(250_000)}).to_include()
    worker = play.seats()[0].worker
    play.world.do(reputation.move, worker, success=False)
    play.vote()
    assert worker not in [seat.worker for seat in play.seats(2)]


def test_the_requester_never_reads_its_own_job() -> None:
    world = World(QUICK, ALL)
    for i in range(3):
        world.participant(f"more {i}", Role.EVALUATOR, 1_000 * FLT)
    requester = world.participant("rita", Role.EVALUATOR, 1_000 * FLT)
    play = join_all(world, a_job(requester, {"evaluator_count": U32(7)}), None, 1_000 * FLT)
    assert len(play.readers(is_aggregator=False)) == 6
    assert requester not in [reader.participant for reader in play.readers()]


def test_fewer_aggregators_than_turns_are_enough() -> None:
    play = a_play().to_include()
    for aggregator in play.aggregators[:2]:
        pause(play, aggregator)
    play.vote()
    assert [r.participant for r in play.readers(2, is_aggregator=True)] == [play.aggregators[2]]


def waiting(**kwargs: Any) -> Play:
    """A job whose second round waits, with two of its four workers paused."""
    play = a_play({"schedule.cohort_size_min": U32(3)}, **kwargs).to_include()
    for seat in play.seats()[:2]:
        pause(play, seat.worker)
    play.vote()
    assert play.round(2).phase is RoundPhase.OPEN
    return play


def test_a_round_waits_for_enough_workers() -> None:
    play = waiting()
    assert (play.round(2).seat_count, play.round(2).reason) == (0, "too_few_workers")
    play.post()
    play.attest()
    assert play.round(2).phase is RoundPhase.OPEN
    newcomers = [play.world.participant(f"late {i}", bond_uflt=1_000 * FLT) for i in range(2)]
    for worker in newcomers:
        play.world.run(jobs.JoinJob(worker, U64(1)))
    play.world.wait(2)
    assert play.round(2).phase is RoundPhase.COMMIT
    assert play.round(2).reason == ""
    assert play.round(2).base_round == 1


def test_a_round_that_waits_in_vain_aborts_but_not_while_another_locks_bonds() -> None:
    play = waiting()
    play.post()
    play.attest()
    play.world.wait(20)
    assert play.round(2).phase is RoundPhase.OPEN
    play.end_phase(1)
    play.world.wait(2)
    assert play.round(1).phase is RoundPhase.SETTLED
    assert (play.round(2).phase, play.round(2).reason) == (RoundPhase.ABORTED, "too_few_workers")
    assert play.job().aborted_in_row == 1


@pytest.mark.parametrize(
    ("role", "reason"),
    [(Role.EVALUATOR, "too_few_evaluators"), (Role.AGGREGATOR, "too_few_aggregators")],
)
def test_a_round_needs_its_readers(role: Role, reason: str) -> None:
    play = a_play({"schedule.round_count": U32(5)}).to_include()
    for who in play.evaluators[:1] if role is Role.EVALUATOR else play.aggregators:
        pause(play, who)
    play.vote()
    assert play.round(2).reason == reason


def test_three_rounds_that_wait_in_vain_fail_the_job() -> None:
    play = a_play().to_include()
    for worker in play.workers:
        pause(play, worker)
    play.vote()
    play.post()
    play.attest()
    for _ in range(80):
        play.world.wait(2)
    assert (play.job().phase, play.job().reason) == (JobPhase.FAILED, "three_aborted_rounds")
    ended = [play.round(number).phase for number in range(1, play.job().next_round)]
    assert ended == [RoundPhase.SETTLED] + [RoundPhase.ABORTED] * 3


def test_a_round_that_waits_is_dropped_when_the_job_is_cancelled() -> None:
    play = waiting()
    play.post()
    play.attest()
    play.world.run(jobs.CancelJob(play.job().requester, U64(1)))
    play.world.wait(2)
    play.world.pass_block()
    assert (play.round(2).phase, play.round(2).reason) == (RoundPhase.ABORTED, "job_ends")
    assert play.job().aborted_in_row == 0
    play.end_phase(1)
    assert play.job().phase is JobPhase.CANCELLED


def test_a_draw_that_comes_twice_changes_nothing() -> None:
    play = a_play()
    before = play.round()
    for height in (1, 2):
        rounds.DRAWS.add(play.world.state, (U64(height), U64(1)))
    play.world.do(beacon.ask)
    play.world.pass_block()
    assert play.round() == before
    assert play.job().next_round == 2
    assert list(rounds.DRAWS.keys(play.world.state)) == []


@pytest.mark.parametrize(("limit", "bits"), [(1, 11), (3, 0)])
def test_a_block_draws_a_limited_number_of_rounds(
    limit: int, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.modules.rounds.draw.CANDIDATES_BITS", bits)
    world = World({"rounds": {**QUICK["rounds"], "draws_per_block_max": limit}}, ALL)
    first = join_all(world, a_job(world.account("rita")), None, 10_000 * FLT)
    message = a_job(world.account("paul"))
    second, third = world.run(message).job_id, world.run(message).job_id
    for worker in first.workers:
        for job_id in (second, third):
            world.run(jobs.JoinJob(worker, job_id))
    world.pass_block()
    drawn = [event.job_id for event in world.said(RoundDrawn)]
    assert drawn == [1, second]
    world.pass_block()
    assert [event.job_id for event in world.said(RoundDrawn)] == [1, second, third]
