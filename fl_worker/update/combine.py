"""The integer rules of app.learning over whole vectors, by numpy: the same bytes, fast.

Where a product could leave 64 bits, that block of values is computed with Python's integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from app.sdk.protocol import CombineRule, check_combination, is_clipped, middle_cut

Values = npt.NDArray[Any]

BLOCK_VALUES = 1 << 20  # values of all updates together that are worked on at a time
INT64_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True)
class Included:
    """An update that counts: its bytes, the sum of its squares, and its capped example count."""

    update: bytes
    sum_squares: int
    weight: int


def combine(
    rule: CombineRule, base: bytes, updates: Sequence[Included], *, trim: int = 0, norm_max: int = 0
) -> bytes:
    """Return the new model; the same updates in any order give the same bytes.

    ValueError if the rule can't combine so many updates, a length differs from the base's, or a
    value leaves 64 bits.
    """
    weights = [included.weight for included in updates]
    check_combination(rule, len(updates), weights, trim)
    base_values = np.frombuffer(base, "<i8")
    rows = [np.frombuffer(included.update, "<i4") for included in updates]
    if any(row.size != base_values.size for row in rows):
        raise ValueError(f"every update must have the base's {base_values.size} values")

    blocks = []
    step = max(1, BLOCK_VALUES // len(rows))
    for start in range(0, base_values.size, step):
        here = slice(start, start + step)
        clipped = [
            clip(row[here], norm_max, included.sum_squares)
            for row, included in zip(rows, updates, strict=True)
        ]
        change = combine_change(rule, clipped, weights, trim)
        blocks.append(add_exactly(base_values[here], change))
    return b"".join(blocks)


def combine_change(
    rule: CombineRule, rows: Sequence[Values], weights: Sequence[int], trim: int
) -> Values:
    """Return what clipped updates, one a row, change together."""
    if rule == CombineRule.FEDAVG:
        total_weight = sum(weights)
        kind = exact_type(max(map(peak, rows)) * total_weight + total_weight)
        total = sum(row.astype(kind) * weight for row, weight in zip(rows, weights, strict=True))
        return np.asarray(total // total_weight).astype(np.int64)
    cut = middle_cut(rule, len(rows), trim)
    left = len(rows) - 2 * cut
    middle = np.sort(np.stack(rows), axis=0)[cut : cut + left]
    return np.asarray(middle.sum(axis=0, dtype=np.int64) // left)


def clip(update: Values, norm_max: int, sum_squares: int) -> Values:
    """Return part of an update scaled so that the whole keeps to a norm; 0 is no bound."""
    if not is_clipped(norm_max, sum_squares):
        return update
    kind = exact_type(peak(update) * norm_max + norm_max)
    return np.asarray(update.astype(kind) * norm_max // isqrt(sum_squares)).astype("<i4")


def add_exactly(base: Values, change: Values) -> bytes:
    """Return base plus change as a model's bytes; ValueError if a value leaves 64 bits."""
    result = base + change
    if np.any((result < base) != (change < 0)):
        raise ValueError("a value doesn't fit 8 bytes")
    return result.astype("<i8").tobytes()


def peak(values: Values) -> int:
    """Return the largest magnitude."""
    return max(-int(values.min()), int(values.max()), 0) if values.size else 0


def exact_type(bound: int) -> npt.DTypeLike:
    """Return the type in which numbers up to a bound are exact."""
    return np.int64 if bound < INT64_LIMIT else object
