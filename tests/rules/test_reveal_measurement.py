"""RevealMeasurement: a member shows what it measured, as it committed to it."""

from app.modules.committees import (
    Measurement,
    MeasurementRevealed,
    WrongCommitteeStep,
    WrongMeasurement,
    WrongMeasurementLength,
)
from tests.build_committees import (
    a_measurement,
    commitment_of,
    end_step,
    granted,
    members,
    revelation_of,
)
from tests.build_rounds import Play

FOUND = a_measurement(1_500_000)


def committed(metric: Measurement = FOUND) -> Play:
    play = granted()
    for member in members(play):
        play.world.run(commitment_of(play, member.evaluator, metric))
    end_step(play, 7)
    return play


def test_a_measurement_is_kept_once() -> None:
    play = committed()
    first = members(play)[0].evaluator
    message = revelation_of(first, FOUND)
    play.world.run(message)
    assert members(play)[0].measurement == FOUND
    assert play.world.said(MeasurementRevealed) == [MeasurementRevealed(1, first, 1_500_000)]
    play.world.refused(message, WrongMeasurement, "measurement 1500000", "once")


def test_what_was_not_committed_is_refused() -> None:
    play = committed()
    first = members(play)[0]
    other = revelation_of(first.evaluator, a_measurement(1_500_001))
    play.world.refused(other, WrongMeasurement, "measurement 1500001", first.commitment.hex())
    short = revelation_of(first.evaluator, Measurement(FOUND.metric_millionths, b"salt"))
    play.world.refused(short, WrongMeasurementLength, "measurement.salt: has 4 bytes", 32)


def test_a_number_that_no_metric_gives_is_refused() -> None:
    huge = a_measurement(10**12 + 1)
    play = committed(huge)
    message = revelation_of(members(play)[0].evaluator, huge)
    play.world.refused(message, WrongMeasurement, "measurement 1000000000001", 10**12)


def test_nothing_is_revealed_before_all_have_had_their_time_to_commit() -> None:
    play = granted()
    first = members(play)[0].evaluator
    play.world.run(commitment_of(play, first, FOUND))
    message = revelation_of(first, FOUND)
    play.world.refused(message, WrongCommitteeStep, "is at COMMIT", "limit is REVEAL")
