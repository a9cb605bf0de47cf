"""The next model from the included updates: sum exactly, divide once, round toward minus infinity.

    clip            v × norm_max / norm        where norm = isqrt(sum of squares) exceeds norm_max
    fedavg          base + sum(weight × update) / sum(weight)
    median          base + middle value; for an even count the mean of the two middle values
    trimmed_mean    base + mean of what is left without the `trim` smallest and largest

Each value is computed alone, so one chunk can be recomputed. Updates come in address order and
clipped; of those with one and the same root only the first counts. Only fedavg heeds the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import isqrt

from app.kernel.record import Address


class CombineRule(IntEnum):
    """How a round's updates become one."""

    UNSPECIFIED = 0
    FEDAVG = 1
    MEDIAN = 2
    TRIMMED_MEAN = 3


def combine_chunk(
    rule: CombineRule,
    base: Sequence[int],
    updates: Sequence[Sequence[int]],
    weights: Sequence[int],
    trim: int,
) -> list[int]:
    """Return the new model's values from the base's and the clipped updates' at the same places."""
    check_combination(rule, len(updates), weights, trim)
    if any(len(update) != len(base) for update in updates):
        raise ValueError(f"every update must have the base's {len(base)} values")
    columns = zip(*updates, strict=True)
    if rule == CombineRule.FEDAVG:
        divisor = sum(weights)
        sums = (sum(w * u for w, u in zip(weights, column, strict=True)) for column in columns)
    else:
        cut = middle_cut(rule, len(updates), trim)
        divisor = len(updates) - 2 * cut
        sums = (sum(sorted(column)[cut : cut + divisor]) for column in columns)
    return [value + total // divisor for value, total in zip(base, sums, strict=True)]


def clip_values(update: Sequence[int], norm_max: int, sum_squares: int) -> list[int]:
    """Return part of an update scaled so that the whole keeps to a norm; 0 is no bound.

    The norm is the L2 norm in fixed point, `sum_squares` that of the whole update.
    """
    norm = isqrt(sum_squares)
    if not is_clipped(norm_max, sum_squares):
        return list(update)
    return [value * norm_max // norm for value in update]


def is_clipped(norm_max: int, sum_squares: int) -> bool:
    """Whether an update of this sum of squares is longer than the bound; 0 is no bound."""
    return 0 < norm_max < isqrt(sum_squares)


def middle_cut(rule: CombineRule, count: int, trim: int) -> int:
    """Return how many of the sorted values a median or a trimmed mean leaves out on each side."""
    return trim if rule == CombineRule.TRIMMED_MEAN else (count - 1) // 2


def check_combination(
    rule: CombineRule, update_count: int, weights: Sequence[int], trim: int
) -> None:
    """Raise ValueError if the rule can't combine so many updates."""
    if not update_count:
        raise ValueError("there is no update to combine")
    if rule == CombineRule.UNSPECIFIED:
        raise ValueError("no rule says how to combine")
    if rule == CombineRule.FEDAVG and len(weights) != update_count:
        raise ValueError(f"{update_count} updates need as many weights, not {len(weights)}")
    if rule == CombineRule.FEDAVG and min(weights) < 1:
        raise ValueError("a weight is an example count: at least 1")
    if rule == CombineRule.TRIMMED_MEAN and not 0 <= 2 * trim < update_count:
        raise ValueError(f"{update_count} updates can't lose {trim} on each side")


def shares_of_identical(
    roots: Sequence[tuple[Address, bytes]],
) -> dict[Address, tuple[Address, ...]]:
    """Return, for each first of its kind, all who sent the same update, itself included.

    In address order, as the (worker, update root) pairs must come. The keys are the updates that
    count; those of one entry share one worker's pay.
    """
    addresses = [address for address, _ in roots]
    if addresses != sorted(dict.fromkeys(addresses)):
        raise ValueError("updates come in address order, one a worker")
    groups: dict[bytes, tuple[Address, ...]] = {}
    for address, root in roots:
        groups[root] = (*groups.get(root, ()), address)
    return {group[0]: group for group in groups.values()}
