"""CommitUpdate: the cohort, and the reserves that are called, bind themselves to updates."""

from dataclasses import replace

from app.kernel.record import U32, U64
from app.modules import jobs
from app.modules.rounds import (
    DeadlinePassed,
    NoSeat,
    NoSuchRound,
    RoundPhase,
    SeatKind,
    SeatState,
    UpdateCommitted,
    WrongLength,
    WrongRoundPhase,
)
from app.modules.rounds.commit import AlreadyCommitted, SeatNotAsked
from tests.build_rounds import a_play


def test_a_commitment_is_kept_with_the_seat() -> None:
    play = a_play()
    worker = play.asked()[0]
    message = play.commitment(worker)
    play.world.run(message)
    assert play.seat(worker).state is SeatState.COMMITTED
    assert play.seat(worker).commitment == message.commitment
    assert play.round().committed_count == 1
    assert play.world.said(UpdateCommitted) == [UpdateCommitted(1, 1, worker)]


def test_the_phase_stays_open_until_all_have_committed() -> None:
    play = a_play()
    first, *others = play.asked()
    play.commit(workers=[first])
    assert play.round().phase is RoundPhase.COMMIT
    play.commit(workers=others)
    assert play.round().phase is RoundPhase.REVEAL


def test_the_round_must_exist() -> None:
    play = a_play()
    message = play.commitment(play.asked()[0])
    unknown = replace(message, job_id=U64(7))
    play.world.refused(unknown, jobs.NoSuchJob, 7)
    play.world.refused(replace(message, round=U32(2)), NoSuchRound, 2, "the newest is 1")
    play.world.refused(replace(message, round=U32(0)), NoSuchRound, 0)


def test_the_round_must_be_in_commit() -> None:
    play = a_play()
    message = play.commitment(play.asked()[0])
    play.to_reveal()
    play.world.refused(message, WrongRoundPhase, "REVEAL", "COMMIT")


def test_after_the_deadline_it_is_too_late() -> None:
    play = a_play()
    message = play.commitment(play.asked()[0])
    deadline = play.round().deadline_clock_ms
    play.world.pass_block(play.job().spec.schedule.commit_s)
    play.world.refused(message, DeadlinePassed, deadline)


def test_a_deadline_needs_its_blocks_too() -> None:
    play = a_play(params={"rounds": {"deadline_blocks": 3}})
    message = play.commitment(play.asked()[0])
    play.world.pass_block(play.job().spec.schedule.commit_s)
    play.world.pass_block()
    play.world.run(message)
    assert play.round().committed_count == 1


def test_only_who_was_drawn_has_a_seat() -> None:
    play = a_play()
    message = play.commitment(play.asked()[0])
    stranger = play.world.participant("stranger")
    play.world.refused(replace(message, worker=stranger), NoSeat, "the 4 drawn")


def test_a_commitment_has_32_bytes() -> None:
    play = a_play()
    message = play.commitment(play.asked()[0])
    play.world.refused(replace(message, commitment=b"short"), WrongLength, 5, 32)
    play.world.refused(replace(message, commitment=bytes(33)), WrongLength, 33, 32)


def test_a_reserve_waits_until_it_is_called() -> None:
    play = a_play()
    reserve = next(seat.worker for seat in play.seats() if seat.kind is SeatKind.RESERVE)
    play.world.refused(play.commitment(reserve), SeatNotAsked, "RESERVE")
    play.commit(workers=play.asked()[1:])
    play.end_phase()
    play.world.run(play.commitment(reserve))
    assert play.seat(reserve).state is SeatState.COMMITTED


def test_who_has_missed_its_attempt_is_not_asked_again() -> None:
    play = a_play()
    missing = play.asked()[0]
    play.commit(workers=play.asked()[1:])
    play.end_phase()
    play.world.refused(play.commitment(missing), SeatNotAsked, "MISSED")


def test_a_second_commitment_is_refused() -> None:
    play = a_play()
    worker = play.asked()[0]
    play.world.run(play.commitment(worker))
    play.world.refused(play.commitment(worker, examples=7), AlreadyCommitted, "once")
