"""RefuseSlices: a majority that can't open the slices ends the scoring at the requester's cost."""

from app.modules.rounds import (
    RoundPhase,
    RoundScored,
    ScoreOutcome,
    ScoreStep,
    SlicesRefused,
)
from app.modules.rounds.score import AlreadyScored, NotAScorer, WrongScoreStep
from tests.build import FLT
from tests.build_rounds import a_play
from tests.build_scores import AGREED, SCORED, granted

WORKERS = 14 * FLT


def test_a_majority_of_refusals_splits_the_whole_pool_equally_and_refunds_nothing() -> None:
    play = granted()
    first, second, third = play.evaluators
    for evaluator in (first, second):
        play.world.run(play.refusal_of(evaluator))
    play.commit_scores({third: AGREED})
    round = play.round()
    assert (round.phase, round.reason) == (RoundPhase.CHALLENGE, "no_slices")
    assert round.score_outcome is ScoreOutcome.NO_SLICES
    assert play.world.said(SlicesRefused)[0] == SlicesRefused(1, 1, first)
    assert play.world.said(RoundScored) == [RoundScored(1, 1, ScoreOutcome.NO_SLICES, 0)]
    play.end_phase()
    assert sum(seat.earned_uflt for seat in play.seats()[:3]) == WORKERS
    assert [play.reader(who).earned_uflt for who in play.evaluators] == [FLT] * 3


def test_a_minority_of_refusals_changes_nothing_for_the_others() -> None:
    play = granted({**SCORED, "evaluator_count": 5}, evaluator_count=5)
    refuser, *others = [scorer.evaluator for scorer in play.scorers()]
    play.world.run(play.refusal_of(refuser))
    play.commit_scores(dict.fromkeys(others, AGREED))
    assert play.round().score_step is ScoreStep.REVEAL
    play.reveal_scores(dict.fromkeys(others, AGREED))
    assert play.round().score_outcome is ScoreOutcome.SCORED
    before = play.reputation_ppm(refuser)
    play.end_phase()
    assert play.reader(refuser).earned_uflt == 0
    assert play.reputation_ppm(refuser) >= before


def test_one_answer_an_evaluator() -> None:
    play = granted()
    first = play.evaluators[0]
    play.world.run(play.refusal_of(first))
    play.world.refused(play.refusal_of(first), AlreadyScored, "round 1", "once")
    play.world.refused(play.scores_commitment(first, AGREED), AlreadyScored, "round 1")


def test_only_who_scores_refuses_and_only_what_was_granted() -> None:
    play = granted()
    refusal = play.refusal_of(play.aggregators[0])
    play.world.refused(refusal, NotAScorer, "attempt 1", "the 3 evaluators")
    early = a_play(SCORED).to_score()
    early.world.refused(early.refusal_of(early.evaluators[0]), WrongScoreStep, "at GRANT", "COMMIT")
