"""VoteInclusion: readers say which updates they hold, and more than half of the answers decide."""

from dataclasses import replace

from app.modules.rounds import (
    DeadlinePassed,
    InclusionVoted,
    NotAReader,
    RoundPhase,
    SeatKind,
    SeatState,
    WrongLength,
    WrongRoundPhase,
    has_bit,
)
from app.modules.rounds.include import AlreadyVoted, NotRevealed
from tests.build_rounds import Play, a_play


def everyone(play: Play) -> list[bytes]:
    return [reader.participant for reader in play.readers()]


def test_a_vote_is_kept_with_the_reader() -> None:
    play = a_play().to_include()
    reader = play.readers()[0].participant
    message = play.vote_of(reader)
    play.world.run(message)
    assert play.reader(reader).voted
    assert play.reader(reader).bitmap == message.bitmap
    assert play.round().voted_count == 1
    assert play.world.said(InclusionVoted) == [InclusionVoted(1, 1, reader)]


def test_the_phase_ends_when_all_readers_have_voted() -> None:
    play = a_play().to_include()
    play.vote(readers=everyone(play)[1:])
    assert play.round().phase is RoundPhase.INCLUDE
    play.vote(readers=everyone(play)[:1])
    assert play.round().phase is RoundPhase.AGGREGATE
    assert play.round().included_count == 3


def test_an_update_that_half_of_the_answers_hold_is_excluded() -> None:
    play = a_play().to_include()
    doubted = play.seats(1, SeatState.REVEALED)[0].worker
    play.vote(readers=everyone(play)[:3], without=[doubted])
    play.vote(readers=everyone(play)[3:])
    assert play.seat(doubted).state is SeatState.EXCLUDED
    assert play.round().included_count == 2
    assert play.round().phase is RoundPhase.AGGREGATE


def test_an_update_that_most_answers_hold_is_included() -> None:
    play = a_play().to_include()
    doubted = play.seats(1, SeatState.REVEALED)[0].worker
    play.vote(readers=everyone(play)[:2], without=[doubted])
    play.vote(readers=everyone(play)[2:5])
    play.end_phase()
    assert play.seat(doubted).state is SeatState.INCLUDED


def test_three_answers_decide_after_the_deadline() -> None:
    play = a_play().to_include()
    play.vote(readers=everyone(play)[:3])
    play.end_phase()
    assert play.round().phase is RoundPhase.AGGREGATE


def test_with_fewer_than_three_answers_the_round_aborts() -> None:
    play = a_play().to_include()
    play.vote(readers=everyone(play)[:2])
    play.end_phase()
    assert play.round().phase is RoundPhase.ABORTED
    assert play.round().reason == "too_few_readers"


def test_with_fewer_than_the_smallest_cohort_the_round_aborts() -> None:
    play = a_play().to_include()
    play.vote(without=[seat.worker for seat in play.seats(1, SeatState.REVEALED)[1:]])
    assert play.round().reason == "too_few_updates"


def test_identical_updates_count_once() -> None:
    play = a_play()
    play.commit(root=bytes(32))
    play.reveal(root=bytes(32))
    play.vote()
    assert play.round().reason == "too_few_updates"
    assert play.round().included_count == 3


def test_the_round_must_be_in_include() -> None:
    play = a_play().to_reveal()
    message = play.vote_of(play.readers()[0].participant)
    play.world.refused(message, WrongRoundPhase, "REVEAL", "INCLUDE")


def test_after_the_deadline_it_is_too_late() -> None:
    play = a_play().to_include()
    message = play.vote_of(play.readers()[0].participant)
    play.world.pass_block(play.job().spec.schedule.include_s)
    play.world.refused(message, DeadlinePassed, play.round().deadline_clock_ms)


def test_only_readers_vote() -> None:
    play = a_play().to_include()
    message = replace(play.vote_of(play.readers()[0].participant), reader=play.workers[0])
    play.world.refused(message, NotAReader, "reader", "6 readers")


def test_a_bitmap_has_one_bit_a_seat() -> None:
    play = a_play().to_include()
    message = play.vote_of(play.readers()[0].participant)
    play.world.refused(replace(message, bitmap=b""), WrongLength, "bitmap", 0, 1)
    play.world.refused(replace(message, bitmap=bytes(2)), WrongLength, "bitmap", 2, 1)


def test_a_second_vote_is_refused() -> None:
    play = a_play().to_include()
    message = play.vote_of(play.readers()[0].participant)
    play.world.run(message)
    play.world.refused(message, AlreadyVoted, "once")


def test_bits_stand_for_revealed_updates_only() -> None:
    play = a_play().to_include()
    message = play.vote_of(play.readers()[0].participant)
    reserve = next(seat.seat for seat in play.seats() if seat.kind is SeatKind.RESERVE)
    assert not has_bit(message.bitmap, reserve)
    unrevealed = bytes([message.bitmap[0] | 1 << reserve])
    play.world.refused(replace(message, bitmap=unrevealed), NotRevealed, f"bit {reserve}")
    padding = bytes([message.bitmap[0] | 1 << 7])
    play.world.refused(replace(message, bitmap=padding), NotRevealed, "bit 7")
