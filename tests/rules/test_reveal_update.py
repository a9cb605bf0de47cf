"""RevealUpdate: a worker shows exactly what its commitment bound."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.kernel.errors import Rejected
from app.kernel.record import I64, U32, U64, U128
from app.modules.jobs.limits import InvalidCid, NumberOutOfRange
from app.modules.rounds import (
    DeadlinePassed,
    Metric,
    NoSeat,
    RoundPhase,
    SeatState,
    UpdateRevealed,
    WrongLength,
    WrongRoundPhase,
)
from app.modules.rounds.reveal import (
    InvalidMetrics,
    NoExamples,
    NotCommitted,
    SumOfSquaresTooLarge,
    WrongBlobSize,
    WrongCommitment,
)
from tests.build import a_blob
from tests.build_rounds import a_play


def test_a_reveal_is_kept_with_the_seat() -> None:
    play = a_play().to_reveal()
    worker = play.seats(1, SeatState.COMMITTED)[0].worker
    message = play.revelation(worker)
    play.world.run(message)
    assert play.seat(worker).state is SeatState.REVEALED
    assert play.seat(worker).reveal == message.reveal
    assert play.round().revealed_count == 1
    assert play.world.said(UpdateRevealed) == [UpdateRevealed(1, 1, worker)]


def test_the_phase_ends_when_all_who_committed_have_revealed() -> None:
    play = a_play().to_reveal()
    first, *others = [seat.worker for seat in play.seats(1, SeatState.COMMITTED)]
    play.reveal(workers=[first])
    assert play.round().phase is RoundPhase.REVEAL
    play.reveal(workers=others)
    assert play.round().phase is RoundPhase.INCLUDE


def test_a_called_reserve_reveals_under_its_own_attempt() -> None:
    play = a_play()
    play.commit(workers=play.asked()[1:])
    play.end_phase()
    play.commit()
    assert {seat.attempt for seat in play.seats(1, SeatState.COMMITTED)} == {1, 2}
    play.reveal()
    assert play.round().phase is RoundPhase.INCLUDE


def test_the_round_must_be_in_reveal() -> None:
    play = a_play()
    play.world.refused(play.revelation(play.asked()[0]), WrongRoundPhase, "COMMIT", "REVEAL")


def test_after_the_deadline_it_is_too_late() -> None:
    play = a_play().to_reveal()
    worker = play.seats(1, SeatState.COMMITTED)[0].worker
    deadline = play.round().deadline_clock_ms
    play.world.pass_block(play.job().spec.schedule.reveal_s)
    play.world.refused(play.revelation(worker), DeadlinePassed, deadline)


def test_only_who_was_drawn_has_a_seat() -> None:
    play = a_play().to_reveal()
    stranger = play.world.participant("stranger")
    play.world.refused(play.revelation(stranger), NoSeat)


def test_only_a_committed_seat_reveals_and_once() -> None:
    play = a_play()
    missing, *others = play.asked()
    play.commit(workers=others)
    play.end_phase()
    play.commit()
    play.world.refused(play.revelation(missing), NotCommitted, "MISSED")
    play.world.run(play.revelation(others[0]))
    play.world.refused(play.revelation(others[0]), NotCommitted, "REVEALED")


WRONG: list[tuple[dict[str, Any], type[Rejected], tuple[object, ...]]] = [
    ({"root": bytes(31)}, WrongLength, ("update_root", 31, 32)),
    ({"sealed_root": bytes(32)}, WrongLength, ("sealed_root", 32, "exactly 0")),
    ({"salt": b"pepper"}, WrongLength, ("salt", 6, 32)),
    ({"blob": replace(a_blob("x", 4_000), cid="Qm")}, InvalidCid, ("reveal.blob.cid", 59)),
    ({"blob": a_blob("x", 0)}, NumberOutOfRange, ("reveal.blob.size_bytes", 0)),
    ({"blob": a_blob("x", 3_999)}, WrongBlobSize, ("reveal.blob.size_bytes", 3_999, 4_000)),
    ({"sum_squares": U128(1 << 100)}, SumOfSquaresTooLarge, (1 << 100,)),
    ({"examples": 0}, NoExamples, (0, 1)),
    ({"metrics": (Metric("m", I64(0)),) * 17}, InvalidMetrics, ("metrics", 17, 16)),
    ({"metrics": (Metric("", I64(0)),)}, InvalidMetrics, ("metric name", 0)),
    ({"metrics": (Metric("ä" * 33, I64(0)),)}, InvalidMetrics, ("metric name", 66, 64)),
]


@pytest.mark.parametrize(("changes", "rejection", "words"), WRONG)
def test_what_no_update_can_be_is_refused_even_if_committed(
    changes: dict[str, Any], rejection: type[Rejected], words: tuple[object, ...]
) -> None:
    play = a_play()
    worker = play.asked()[0]
    play.world.run(play.commitment(worker, **changes))
    play.commit()
    play.world.refused(play.revelation(worker, **changes), rejection, *words)


def test_the_largest_sum_of_squares_is_taken() -> None:
    play = a_play()
    play.commit(sum_squares=U128((1 << 100) - 1))
    play.reveal(sum_squares=U128((1 << 100) - 1))
    assert play.round().phase is RoundPhase.INCLUDE


CHANGES: list[Callable[..., Any]] = [
    lambda reveal: replace(reveal, example_count=U64(101)),
    lambda reveal: replace(reveal, salt=bytes(32)),
    lambda reveal: replace(reveal, update_root=bytes(32)),
    lambda reveal: replace(reveal, metrics=()),
]


@pytest.mark.parametrize("change", CHANGES)
def test_anything_but_what_was_committed_is_refused(change: Callable[..., Any]) -> None:
    play = a_play().to_reveal()
    worker = play.seats(1, SeatState.COMMITTED)[0].worker
    message = play.revelation(worker)
    changed = replace(message, reveal=change(message.reveal))
    play.world.refused(changed, WrongCommitment, play.seat(worker).commitment.hex(), "attempt 1")


def test_anothers_commitment_cannot_be_copied() -> None:
    play = a_play()
    first, second, *_ = play.asked()
    copied = replace(play.commitment(first), worker=second)
    play.world.run(play.commitment(first))
    play.world.run(copied)
    play.commit()
    stolen = replace(play.revelation(first), worker=second)
    play.world.refused(stolen, WrongCommitment)


def test_a_commitment_is_not_good_for_another_round() -> None:
    play = a_play().to_challenge()
    worker = play.asked(2)[0]
    replayed = replace(play.commitment(worker, 1), round=U32(2))
    play.world.run(replayed)
    play.commit(2)
    play.world.refused(play.revelation(worker, 2), WrongCommitment)
