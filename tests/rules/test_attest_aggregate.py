"""AttestAggregate: a majority of the evaluators makes the posted model the job's."""

from dataclasses import replace

from app.kernel.record import U32
from app.modules.rounds import (
    AggregateAttested,
    DeadlinePassed,
    NotAReader,
    RoundPhase,
    WrongRoundPhase,
)
from app.modules.rounds.aggregate import AlreadyAttested, NotThePostedRoot, WrongAttempt
from tests.build_rounds import Play, a_model, a_play


def posted() -> Play:
    play = a_play().to_aggregate()
    play.post()
    return play


def test_an_attestation_is_kept_with_the_evaluator() -> None:
    play = posted()
    evaluator = play.evaluators[0]
    play.world.run(play.attestation_of(evaluator))
    assert play.reader(evaluator).attested_attempt == 1
    assert play.round().attested_count == 1
    assert play.world.said(AggregateAttested) == [AggregateAttested(1, 1, evaluator, 1)]


def test_half_is_no_majority() -> None:
    play = a_play({"evaluator_count": U32(4)})
    assert len(play.readers(is_aggregator=False)) == 3
    play.to_aggregate().post()
    play.attest(evaluators=play.evaluators[:1])
    assert play.round().phase is RoundPhase.AGGREGATE
    play.attest(evaluators=play.evaluators[1:2])
    assert play.round().phase is RoundPhase.CHALLENGE


def test_the_attested_model_is_the_jobs() -> None:
    play = posted()
    play.attest()
    assert (play.job().model_root, play.job().model) == a_model()
    assert play.job().completed_round_count == 1


def test_who_comes_after_the_majority_may_still_attest() -> None:
    play = posted()
    play.attest(evaluators=play.evaluators[:2])
    assert play.round().phase is RoundPhase.CHALLENGE
    play.attest(evaluators=play.evaluators[2:])
    assert play.round().attested_count == 3
    assert play.round().phase is RoundPhase.CHALLENGE


def test_the_round_must_have_an_aggregate() -> None:
    play = a_play().to_include()
    message = play.attestation_of(play.evaluators[0])
    play.world.refused(message, WrongRoundPhase, "INCLUDE", "AGGREGATE or SCORE or CHALLENGE")
    play.vote()
    play.world.refused(message, NotThePostedRoot, "posted ''")


def test_after_the_deadline_it_is_too_late() -> None:
    play = posted()
    message = play.attestation_of(play.evaluators[0])
    play.world.pass_block(play.job().spec.schedule.aggregate_s)
    play.world.refused(message, DeadlinePassed, play.round().deadline_clock_ms)


def test_only_drawn_evaluators_attest() -> None:
    play = posted()
    play.world.refused(play.attestation_of(play.aggregators[0]), NotAReader, "evaluator")
    play.world.refused(play.attestation_of(play.workers[0]), NotAReader, "evaluator")


def test_the_attempt_must_be_the_present_one() -> None:
    play = posted()
    play.end_phase()
    play.post()
    message = play.attestation_of(play.evaluators[0])
    play.world.refused(message, WrongAttempt, "attempt 1", "present attempt 2")


def test_the_root_must_be_the_posted_one() -> None:
    play = posted()
    message = replace(play.attestation_of(play.evaluators[0]), model_root=bytes(32))
    play.world.refused(message, NotThePostedRoot, bytes(32).hex(), a_model()[0].hex())


def test_one_attestation_an_attempt() -> None:
    play = posted()
    message = play.attestation_of(play.evaluators[0])
    play.world.run(message)
    play.world.refused(message, AlreadyAttested, "attempt 1", "once")


def test_an_evaluator_may_attest_again_in_the_next_attempt() -> None:
    play = posted()
    play.attest(evaluators=play.evaluators[:1])
    play.end_phase()
    play.post()
    play.attest()
    assert play.round().attested_count == 3
