"""What tests of scoring share: a job of one round that pays by scores."""

from collections.abc import Mapping
from typing import Any

from app.kernel.record import I64, U32, Address
from app.modules.jobs import Acceptance, ContributionRule, MetricDirection
from app.modules.rounds import Scores
from tests.build_rounds import Play, a_play, a_score

SCORED: Mapping[str, Any] = {
    "schedule.round_count": U32(1),
    "pay.contribution": ContributionRule.LEAVE_ONE_OUT,
}
WITH_QUALITY: Mapping[str, Any] = {
    **SCORED,
    "work.metric": "accuracy",
    "work.metric_direction": MetricDirection.HIGHER,
    "acceptance": Acceptance(I64(100_000), I64(900_000)),
    "pay.weighs_quality": True,
}
AGREED = a_score([900, 500, 800, 900])
"""Contributions of 400, 100 and 0."""


def granted(changes: Mapping[str, Any] = SCORED, **options: Any) -> Play:
    """A round whose evaluators are to commit."""
    play = a_play(changes, **options).to_score()
    play.grant()
    return play


def players(play: Play, number: int = 1) -> list[Address]:
    """The workers whose updates are in a round, in address order."""
    return sorted(seat.worker for seat in play.seats(number) if seat.reveal.update_root)


def committed(scores: Scores = AGREED) -> Play:
    """A round whose evaluators are to reveal the same scores."""
    play = granted()
    play.commit_scores(dict.fromkeys(play.evaluators, scores))
    return play
