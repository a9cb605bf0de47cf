"""CommitScores: an evaluator binds itself to scores before it has seen the others'."""

from dataclasses import replace

from app.modules.rounds import ScoresCommitted, ScoreStep, WrongLength
from app.modules.rounds.score import AlreadyScored, NotAScorer, WrongScoreStep
from tests.build_rounds import a_play
from tests.build_scores import AGREED, SCORED, committed, granted


def test_a_commitment_is_kept_and_all_of_them_end_the_step() -> None:
    play = granted()
    first, *others = play.evaluators
    message = play.scores_commitment(first, AGREED)
    play.world.run(message)
    assert play.scorer(first).commitment == message.commitment
    assert play.world.said(ScoresCommitted) == [ScoresCommitted(1, 1, first)]
    play.world.pass_block()
    assert play.round().score_step is ScoreStep.COMMIT
    play.commit_scores(dict.fromkeys(others, AGREED))
    assert play.round().score_step is ScoreStep.REVEAL
    assert play.round().deadline_clock_ms == play.round().phase_clock_ms + 20_000


def test_a_quorum_at_the_deadline_goes_on() -> None:
    play = granted({**SCORED, "evaluator_count": 5}, evaluator_count=5)
    quorum = [scorer.evaluator for scorer in play.scorers()][:3]
    play.commit_scores(dict.fromkeys(quorum, AGREED))
    play.end_phase()
    assert play.round().score_step is ScoreStep.REVEAL


def test_what_is_no_commitment_is_refused() -> None:
    play = granted()
    message = play.scores_commitment(play.evaluators[0], AGREED)
    play.world.refused(replace(message, commitment=b"1"), WrongLength, "commitment", 32)
    play.world.refused(
        replace(message, evaluator=play.workers[0]), NotAScorer, "isn't to score round 1"
    )
    play.world.run(message)
    play.world.refused(message, AlreadyScored, "once")


def test_nothing_is_committed_before_the_grant_or_after_the_step() -> None:
    early = a_play(SCORED).to_score()
    message = early.scores_commitment(early.evaluators[0], AGREED)
    early.world.refused(message, WrongScoreStep, "at GRANT", "limit is COMMIT")
    late = committed()
    message = late.scores_commitment(late.evaluators[0], AGREED)
    late.world.refused(message, WrongScoreStep, "at REVEAL", "limit is COMMIT")
