"""What each update was worth: the integer scores of several evaluators become shares of a pool.

    utility         of a coalition: the median over the evaluators
    contribution    utility(all) − utility(all without it), where one is left out
    worth           the sum of the job's last rounds, negative values included, then at least 0
    quality         the median own score, in [0, 1]; 1 where the job asks for none
    share           pool × worth × quality / Σ worth × quality, at most twice the equal share

A median of an even number of values is the mean of the two in the middle, rounded down. Utilities,
contributions and scores are in millionths.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.kernel.amounts import PPM, mul_div_floor, split_exactly
from app.kernel.record import Address

UTILITY_MAX = 10**12
"""The largest magnitude of a utility: a million, in millionths."""
SHARES_MAX = 2
"""No one gets more than so many equal shares: a requester's sybils can't take the pool."""


def median(values: Sequence[int]) -> int:
    """Return the middle value, or the mean of the two in the middle, rounded down."""
    if not values:
        raise ValueError("there is no median of nothing")
    ordered, middle = sorted(values), len(values) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


def medians(rows: Sequence[Sequence[int]]) -> list[int]:
    """Return the median of each column: what several evaluators say of each coalition."""
    return [median(column) for column in zip(*rows, strict=True)]


def distance(values: Sequence[int], middles: Sequence[int]) -> int:
    """Return how far an evaluator's values typically lie from the medians: the median distance."""
    return median([abs(value - middle) for value, middle in zip(values, middles, strict=True)])


def leave_one_out(utilities: Sequence[int]) -> list[int]:
    """Return each player's contribution from the utility of all, then of all without each."""
    whole, *without = utilities
    return [whole - each for each in without]


def add_up(values: Sequence[tuple[int, int]], newest: int, window: int) -> int:
    """Return what a worker is worth: its (round, contribution) pairs summed over the last rounds.

    `window` is how many rounds count, the newest included.
    """
    recent = (value for round, value in values if newest - window < round <= newest)
    return max(sum(recent), 0)


def quality_ppm(own_scores: Sequence[int]) -> int:
    """Return the quality that the evaluators' scores of one update alone give."""
    return min(max(median(own_scores), 0), PPM)


def split_by_weight(
    pool: int, weights: Sequence[tuple[Address, int]], player_count: int
) -> tuple[dict[Address, int], int]:
    """Return each one's share of a pool by weight, capped, and the excess over the caps.

    The cap is twice an equal share among the players. Without any weight nobody gets anything.
    """
    if not any(weight for _, weight in weights):
        return {}, 0
    share_max = mul_div_floor(pool, SHARES_MAX, player_count)
    shares = split_exactly(pool, weights)
    excess = sum(max(share - share_max, 0) for share in shares.values())
    return {who: min(share, share_max) for who, share in shares.items()}, excess
