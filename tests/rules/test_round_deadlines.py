"""Deadlines: what a quorum ends early, what only a full deadline may do, and who is at fault."""

from dataclasses import replace

import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.record import U32, U64, Address
from app.modules import jobs, rounds
from app.modules.rounds import (
    NEXT_PHASES,
    ReserveCalled,
    RoundPhase,
    SeatKind,
    SeatState,
)
from app.modules.rounds.lifecycle import advance_round
from tests.build import World, a_job
from tests.build_rounds import ALL, Play, a_play, join_all

QUORUM = {"schedule.cohort_size": U32(4), "schedule.quorum_ppm": U32(500_000)}


def missed_in_row(play: Play, worker: bytes) -> int:
    key = (play.job_id, Address(worker))
    return jobs.CANDIDATES.must(play.world.state, key).missed_in_row


def test_the_life_of_a_round_is_a_table() -> None:
    ended = [phase for phase, following in NEXT_PHASES.items() if not following]
    assert ended == [RoundPhase.SETTLED, RoundPhase.ABORTED, RoundPhase.VOIDED]
    for phase, following in NEXT_PHASES.items():
        assert all(after > phase for after in following)


def test_a_phase_that_does_not_follow_stops_the_node() -> None:
    play = a_play()
    with pytest.raises(InvariantBroken, match="round 1 goes from COMMIT"):
        play.world.do(advance_round, play.round(), RoundPhase.SETTLED)


def test_a_phase_gets_its_full_time_and_blocks() -> None:
    play = a_play(params={"rounds": {"deadline_blocks": 7}})
    round, block = play.round(), play.world.block
    assert round.phase_clock_ms == block.clock_ms
    assert round.deadline_clock_ms == block.clock_ms + 30_000
    assert round.deadline_height == block.height + 7
    assert not round.is_early


def test_a_deadline_waits_for_its_blocks() -> None:
    play = a_play(params={"rounds": {"deadline_blocks": 6}})
    play.world.wait(30)
    for _ in range(3):
        play.world.pass_block()
        assert play.round().commit_attempt == 1
    for _ in range(2):
        play.world.pass_block()
    assert play.round().phase is RoundPhase.ABORTED


def test_a_quorum_leaves_a_short_grace_and_no_fault() -> None:
    play = a_play(QUORUM, params={"rounds": {"deadline_blocks": 1_000}})
    first, second, late, *others = play.asked()
    play.commit(workers=[first, second])
    round = play.round()
    assert round.is_early
    assert round.deadline_clock_ms == play.world.block.clock_ms
    play.commit(workers=others)
    assert play.round().phase is RoundPhase.REVEAL
    assert play.seat(late).state is SeatState.LATE
    assert missed_in_row(play, late) == 0
    assert play.world.said(ReserveCalled) == []


def test_a_quorum_near_the_deadline_changes_nothing() -> None:
    play = a_play(QUORUM)
    play.world.pass_block(29)
    missing, *others = play.asked()[1:]
    play.commit(workers=others)
    assert not play.round().is_early
    play.world.pass_block()
    assert play.seat(missing).state is SeatState.MISSED


def test_a_quorum_below_the_smallest_cohort_ends_nothing() -> None:
    play = a_play({**QUORUM, "schedule.cohort_size_min": U32(2)}, worker_count=2)
    play.commit(workers=play.asked()[:1])
    assert not play.round().is_early


def test_the_missing_are_marked_and_as_many_reserves_called_once() -> None:
    play = a_play({"schedule.cohort_size": U32(4), "schedule.reserve_count": U32(3)})
    first, second, *missing = play.asked()
    play.commit(workers=[first, second])
    play.end_phase()
    assert [play.seat(worker).state for worker in missing] == [SeatState.MISSED] * 2
    assert [missed_in_row(play, worker) for worker in missing] == [1, 1]
    called = [seat for seat in play.seats() if seat.kind is SeatKind.CALLED]
    assert [seat.seat for seat in called] == [4, 5]
    assert [event.worker for event in play.world.said(ReserveCalled)] == [s.worker for s in called]
    round = play.round()
    assert (round.phase, round.commit_attempt, round.selected_count) == (RoundPhase.COMMIT, 2, 4)
    assert not round.is_early

    play.commit(workers=[called[0].worker])
    play.end_phase()
    assert play.round().phase is RoundPhase.REVEAL
    assert play.seat(called[1].worker).state is SeatState.MISSED
    assert [s.kind for s in play.seats()][6] is SeatKind.RESERVE


def test_reserves_are_not_called_where_they_cannot_help() -> None:
    play = a_play({"schedule.cohort_size_min": U32(3)})
    play.commit(workers=play.asked()[:1])
    play.end_phase()
    assert (play.round().phase, play.round().reason) == (RoundPhase.ABORTED, "too_few_commits")


def test_without_reserves_who_has_committed_goes_on() -> None:
    play = a_play({"schedule.reserve_count": U32(0)})
    play.commit(workers=play.asked()[:2])
    play.end_phase()
    assert play.round().phase is RoundPhase.REVEAL
    assert len(play.seats(1, SeatState.MISSED)) == 1


def test_too_few_commitments_abort_the_round() -> None:
    play = a_play()
    play.end_phase()
    assert (play.round().phase, play.round().reason) == (RoundPhase.ABORTED, "too_few_commits")
    assert play.job().aborted_in_row == 1
    assert play.round(2).phase is RoundPhase.COMMIT


def test_who_commits_is_forgiven_what_it_missed_before() -> None:
    play = a_play()
    worker = play.asked()[0]
    play.commit(workers=play.asked()[1:])
    play.end_phase()
    play.to_challenge()
    assert missed_in_row(play, worker) == 1
    if worker in play.asked(2):
        play.commit(2)
        assert missed_in_row(play, worker) == 0


def test_a_commitment_that_stays_closed_is_a_fault() -> None:
    play = a_play().to_reveal()
    closed, *others = [seat.worker for seat in play.seats(1, SeatState.COMMITTED)]
    play.reveal(workers=others)
    play.end_phase()
    assert play.seat(closed).state is SeatState.MISSED
    assert play.round().phase is RoundPhase.INCLUDE


def test_who_is_slower_than_a_quorum_of_reveals_is_late() -> None:
    play = a_play(QUORUM).to_reveal()
    slow, *others = [seat.worker for seat in play.seats(1, SeatState.COMMITTED)]
    play.reveal(workers=others)
    play.world.pass_block()
    assert play.seat(slow).state is SeatState.LATE
    assert play.round().phase is RoundPhase.INCLUDE


def test_too_few_reveals_abort_the_round() -> None:
    play = a_play().to_reveal()
    play.reveal(workers=[play.seats(1, SeatState.COMMITTED)[0].worker])
    play.end_phase()
    assert (play.round().phase, play.round().reason) == (RoundPhase.ABORTED, "too_few_reveals")


def many_jobs(limit: int) -> tuple[World, list[Play]]:
    """Three jobs with the same people, of which a block handles a limited number."""
    world = World({"rounds": {"deadline_blocks": 1, "due_per_block_max": limit}}, ALL)
    first = join_all(world, a_job(world.account("rita")), None, 10_000_000_000)
    plays = [first]
    for name in ("paul", "quinn"):
        job_id = world.run(a_job(world.account(name))).job_id
        for worker in first.workers:
            world.run(jobs.JoinJob(worker, job_id))
        plays.append(Play(world, job_id, first.workers, first.evaluators, first.aggregators))
    world.pass_block()
    return world, plays


def test_a_block_ends_a_limited_number_of_phases_the_oldest_first() -> None:
    world, plays = many_jobs(limit=1)
    world.pass_block(30)
    ended = []
    for _ in plays:
        world.pass_block()
        ended.append([play.job_id for play in plays if play.round().phase is RoundPhase.ABORTED])
    assert ended == [[1], [1, 2], [1, 2, 3]]


def test_a_large_round_counts_as_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SEATS_BITS", 0)
    world, plays = many_jobs(limit=6)
    world.pass_block(30)
    world.pass_block()
    assert [play.round().phase is RoundPhase.ABORTED for play in plays] == [True, True, False]


def test_a_round_whose_blocks_are_yet_to_pass_blocks_no_other() -> None:
    world, plays = many_jobs(limit=1)
    state, key = world.state, (1, 1)
    slow = rounds.ROUNDS.must(state, key)
    late = U64(slow.deadline_height + 100)
    rounds.ROUNDS.put(state, key, replace(slow, deadline_height=late))
    world.pass_block(30)
    for _ in range(6):
        world.pass_block()
    assert plays[0].round().phase is RoundPhase.COMMIT
    assert [play.round().phase for play in plays[1:]] == [RoundPhase.ABORTED] * 2
