"""GrantSlices: the requester gives the evaluators the keys of the slices that were drawn."""

from dataclasses import replace

from app.kernel.record import U32
from app.modules.jobs.ending import NotTheRequester
from app.modules.rounds import (
    DeadlinePassed,
    GrantSlices,
    ScoreStep,
    SlicesDrawn,
    SlicesGranted,
    WrongLength,
    WrongRoundPhase,
)
from app.modules.rounds.score import AlreadyGranted, WrongKeyCount, WrongScoreStep
from tests.build_rounds import Play, a_play
from tests.build_scores import SCORED


def drawn() -> Play:
    return a_play(SCORED).to_score()


def test_two_slices_are_drawn_once_the_model_is_attested() -> None:
    play = drawn()
    round = play.round()
    assert len(set(round.slices)) == 2
    assert all(each < 8 for each in round.slices)
    assert (round.score_step, round.score_attempt) == (ScoreStep.GRANT, 1)
    assert [scorer.evaluator for scorer in play.scorers()] == [
        reader.participant for reader in play.readers(is_aggregator=False)
    ]
    assert play.world.said(SlicesDrawn) == [SlicesDrawn(1, 1, U32(1), round.slices, U32(3))]


def test_the_slices_kept_for_acceptance_are_never_drawn() -> None:
    play = a_play({**SCORED, "schedule.round_count": U32(6)})
    for number in range(1, 7):
        play.to_challenge(number)
    seen = {each for number in range(1, 7) for each in play.round(number).slices}
    assert len(seen) > 2
    assert max(seen) < 8


def test_each_evaluator_gets_its_keys_in_order() -> None:
    play = drawn()
    message = play.grant_of()
    play.world.run(message)
    assert [scorer.slice_keys for scorer in play.scorers()] == [
        message.keys[0:2],
        message.keys[2:4],
        message.keys[4:6],
    ]
    assert play.world.said(SlicesGranted) == [SlicesGranted(1, 1, play.job().requester)]
    assert play.round().score_step is ScoreStep.GRANT
    play.world.pass_block()
    round = play.round()
    assert round.score_step is ScoreStep.COMMIT
    assert round.deadline_clock_ms == round.phase_clock_ms + 20_000


def test_only_the_requester_grants() -> None:
    play = drawn()
    message = replace(play.grant_of(), requester=play.evaluators[0])
    play.world.refused(message, NotTheRequester, "job 1")


def test_the_keys_are_as_many_and_as_long_as_they_must_be() -> None:
    play = drawn()
    message = play.grant_of()
    few = replace(message, keys=message.keys[:5])
    play.world.refused(few, WrongKeyCount, "has 5 sealed boxes", "exactly 6", "the 2 drawn slices")
    short = replace(message, keys=(*message.keys[:5], bytes(79)))
    play.world.refused(short, WrongLength, "keys: has 79 bytes", "exactly 80")


def test_keys_are_granted_once_and_in_time() -> None:
    play = drawn()
    message = play.grant_of()
    play.world.run(message)
    play.world.refused(message, AlreadyGranted, "round 1 of job 1")
    play.world.pass_block()
    play.world.refused(message, WrongScoreStep, "its scoring is at COMMIT", "limit is GRANT")
    late = drawn()
    late.world.pass_block(20)
    late.world.refused(late.grant_of(), DeadlinePassed, "SCORE")


def test_before_the_model_is_attested_there_is_nothing_to_grant() -> None:
    play = a_play(SCORED).to_aggregate()
    message = GrantSlices(play.job().requester, play.round().job_id, U32(1), ())
    play.world.refused(message, WrongRoundPhase, "AGGREGATE", "SCORE")
