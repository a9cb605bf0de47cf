"""RevealScores: an evaluator shows what it bound itself to; the medians are the round's scores."""

from typing import Any

import pytest

from app.kernel.errors import Rejected
from app.modules.rounds import (
    DeadlinePassed,
    RoundPhase,
    RoundScored,
    ScoreOutcome,
    Scores,
    ScoresRevealed,
    WrongLength,
)
from app.modules.rounds.score import (
    NotAScorer,
    ScoreOutOfRange,
    ScoresNotCommitted,
    WrongScoreCommitment,
    WrongScoreCount,
    WrongScoreStep,
)
from tests.build_rounds import a_score
from tests.build_scores import AGREED, WITH_QUALITY, committed, granted, players

BAD: list[tuple[Scores, type[Rejected], tuple[Any, ...]]] = [
    (a_score([0] * 3), WrongScoreCount, ("utilities", "has 3", "exactly 4 for 3 different")),
    (a_score([0] * 4, [0] * 3), WrongScoreCount, ("own_scores", "has 3", "exactly 0")),
    (a_score([10**12 + 1, 0, 0, 0]), ScoreOutOfRange, ("utilities 1000000000001", "-10000000000")),
    (a_score([0, 0, 0, -(10**12) - 1]), ScoreOutOfRange, ("utilities -1000000000001",)),
    (Scores((0,) * 4, (), b"salt"), WrongLength, ("scores.salt: has 4 bytes", "exactly 32")),  # type: ignore[arg-type]
]


def test_scores_are_kept_and_all_of_them_end_the_scoring() -> None:
    play = committed()
    first, *others = play.evaluators
    play.world.run(play.scores_revelation(first, AGREED))
    assert play.scorer(first).scores == AGREED
    assert play.world.said(ScoresRevealed) == [ScoresRevealed(1, 1, first)]
    play.reveal_scores(dict.fromkeys(others, AGREED))
    round = play.round()
    assert (round.phase, round.reason) == (RoundPhase.CHALLENGE, "")
    assert (round.score_outcome, round.utility_millionths) == (ScoreOutcome.SCORED, 900)
    assert play.world.said(RoundScored) == [RoundScored(1, 1, ScoreOutcome.SCORED, 900)]


def test_each_update_is_worth_what_is_lost_without_it() -> None:
    play = committed()
    first, second, third = players(play)
    play.reveal_scores(dict.fromkeys(play.evaluators, AGREED))
    found = [play.seat(who).contribution_millionths for who in (first, second, third)]
    assert found == [400, 100, 0]


def test_the_median_is_what_counts() -> None:
    play = granted()
    given = dict(
        zip(
            play.evaluators,
            [a_score([900, 500, 0, 0]), a_score([800, 0, 0, 10**12]), a_score([0, 700, 0, 10])],
        )
    )
    play.commit_scores(given)
    play.reveal_scores(given)
    assert play.round().utility_millionths == 800
    found = [play.seat(who).contribution_millionths for who in players(play)]
    assert found == [300, 800, 790]


@pytest.mark.parametrize(("scores", "rejection", "words"), BAD)
def test_what_is_no_score_is_refused(
    scores: Scores, rejection: type[Rejected], words: tuple[Any, ...]
) -> None:
    play = committed(scores)
    message = play.scores_revelation(play.evaluators[0], scores)
    play.world.refused(message, rejection, *words)


def test_a_quality_beyond_one_is_refused() -> None:
    scores = a_score([0] * 4, [0, 0, 1_000_001])
    play = granted(WITH_QUALITY)
    play.commit_scores(dict.fromkeys(play.evaluators, scores))
    message = play.scores_revelation(play.evaluators[0], scores)
    play.world.refused(message, ScoreOutOfRange, "own_scores 1000001", "0 to 1000000")


def test_other_scores_than_the_committed_are_refused() -> None:
    play = committed()
    message = play.scores_revelation(play.evaluators[0], a_score([900, 500, 800, 901]))
    bound = play.scorer(play.evaluators[0]).commitment.hex()
    play.world.refused(message, WrongScoreCommitment, "attempt 1", bound)


def test_who_has_not_committed_or_has_revealed_is_refused() -> None:
    play = granted({**WITH_QUALITY, "pay.weighs_quality": False, "evaluator_count": 4},
                   evaluator_count=4)  # fmt: skip
    silent, *others = [scorer.evaluator for scorer in play.scorers()]
    play.commit_scores(dict.fromkeys(others, AGREED))
    play.end_phase()
    play.world.refused(play.scores_revelation(silent, AGREED), ScoresNotCommitted, "round 1")
    message = play.scores_revelation(others[0], AGREED)
    play.world.run(message)
    play.world.refused(message, ScoresNotCommitted, "reveal once")
    stranger = play.scores_revelation(play.workers[0], AGREED)
    play.world.refused(stranger, NotAScorer, "the 4 evaluators")


def test_scores_are_shown_after_all_have_committed_and_in_time() -> None:
    early = granted()
    message = early.scores_revelation(early.evaluators[0], AGREED)
    early.world.refused(message, WrongScoreStep, "at COMMIT", "limit is REVEAL")
    late = committed()
    late.world.pass_block(20)
    late.world.refused(late.scores_revelation(late.evaluators[0], AGREED), DeadlinePassed, "SCORE")
