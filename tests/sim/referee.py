"""An independent opinion of scores: who of the evaluators counts, and what each worker is worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from statistics import median
from typing import Any

MILLION = 1_000_000
WINDOW, DISTANCE_MAX, SCORES_MIN = 8, 10_000, 3

Place = tuple[int, int]


def middle(values: Sequence[int]) -> int:
    """Return the median, rounded down."""
    return floor(median(map(Fraction, values)))


@dataclass
class Attempt:
    """What was heard of one group of evaluators that was to score one round."""

    asked: int
    is_granted: bool = False
    refused: set[bytes] = field(default_factory=set)
    scores: dict[bytes, Any] = field(default_factory=dict)

    @property
    def is_enough(self) -> bool:
        """Whether a quorum has revealed."""
        return len(self.scores) >= SCORES_MIN and 2 * len(self.scores) > self.asked

    @property
    def is_void(self) -> bool:
        """Whether there were no slices to score on."""
        return not self.is_granted or 2 * len(self.refused) > self.asked


class Referee:
    """Remembers scores by round, and what workers were worth by job."""

    def __init__(self) -> None:
        self.attempts: dict[Place, list[Attempt]] = defaultdict(list)
        self.worths: dict[tuple[int, bytes], dict[int, int]] = defaultdict(dict)
        self.measured: dict[int, dict[bytes, int]] = defaultdict(dict)

    def hear(self, message: Any) -> str:
        """Remember what bears on scores; say what it was, or nothing."""
        kind = type(message).__name__
        if kind in ("GrantSlices", "RefuseSlices", "RevealScores"):
            attempt = self.attempts[message.job_id, message.round][-1]
            if kind == "GrantSlices":
                attempt.is_granted = True
            elif kind == "RefuseSlices":
                attempt.refused.add(message.evaluator)
            else:
                attempt.scores[message.evaluator] = message.scores
            return kind
        if kind == "RevealMeasurement":
            metric = message.measurement.metric_millionths
            self.measured[message.job_id][message.evaluator] = metric
            return kind
        return ""

    def outcome(self, place: Place) -> str:
        """Say how a round's scoring ended."""
        last = self.attempts[place][-1]
        if last.is_void:
            return "NO_SLICES"
        return "SCORED" if last.is_enough else "NO_QUORUM"

    def earners(self, place: Place, attesters: Sequence[bytes]) -> list[bytes]:
        """Return the evaluators who are paid for a round that was to be scored."""
        outcome = self.outcome(place)
        if outcome == "NO_SLICES":
            return list(attesters)
        earners: list[bytes] = []
        for number, attempt in enumerate(self.attempts[place], 1):
            is_judged = outcome == "SCORED" and number == len(self.attempts[place])
            for who, scores in attempt.scores.items():
                is_near = not is_judged or self.gap(attempt, scores) <= DISTANCE_MAX
                if is_near and (number > 1 or who in attesters):
                    earners.append(who)
        return earners

    def gap(self, attempt: Attempt, scores: Any) -> int:
        """Return how far an evaluator typically is from the medians."""
        rows = [(*s.utilities, *s.own_scores) for s in attempt.scores.values()]
        middles = [middle(column) for column in zip(*rows, strict=True)]
        mine = (*scores.utilities, *scores.own_scores)
        return middle([abs(value - mid) for value, mid in zip(mine, middles, strict=True)])

    def weigh(self, place: Place, groups: Mapping[bytes, Sequence[bytes]]) -> dict[bytes, int]:
        """Add a scored round to what its workers are worth; return worth × quality of each."""
        job_id, number = place
        rows = self.attempts[place][-1].scores.values()
        whole, *without = [middle(column) for column in zip(*(s.utilities for s in rows))]
        own = [middle(column) for column in zip(*(s.own_scores for s in rows))]
        weights = {}
        for at, (workers, lost) in enumerate(zip(groups.values(), without, strict=True)):
            quality = own[at] if own else MILLION
            for who in workers:
                history = self.worths[job_id, who]
                history[number] = floor(Fraction(whole - lost, len(workers)))
                recent = [value for n, value in history.items() if number - WINDOW < n <= number]
                weights[who] = max(0, sum(recent)) * quality
        return weights
