"""CommitMeasurement: a member binds itself before it has seen what the others measured."""

from dataclasses import replace

from app.modules.committees import (
    AlreadyMeasured,
    MeasurementCommitted,
    NotAMember,
    WrongCommitteeStep,
    WrongMeasurementLength,
)
from tests.build_committees import a_measurement, commitment_of, granted, members, rejected

FOUND = a_measurement(1_500_000)


def test_a_commitment_is_kept_once() -> None:
    play = granted()
    first = members(play)[0].evaluator
    message = commitment_of(play, first, FOUND)
    play.world.run(message)
    assert members(play)[0].commitment == message.commitment
    assert play.world.said(MeasurementCommitted) == [MeasurementCommitted(1, first)]
    play.world.refused(message, AlreadyMeasured, "job 1", "once")


def test_what_is_no_commitment_is_refused() -> None:
    play = granted()
    message = commitment_of(play, members(play)[0].evaluator, FOUND)
    play.world.refused(replace(message, commitment=b"1"), WrongMeasurementLength, "commitment", 32)
    stranger = commitment_of(play, play.evaluators[0], FOUND)
    play.world.refused(stranger, NotAMember, "the 7 members of the committee of job 1")
    early = rejected()
    message = commitment_of(early, members(early)[0].evaluator, FOUND)
    early.world.refused(message, WrongCommitteeStep, "is at GRANT", "limit is COMMIT")
