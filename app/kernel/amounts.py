"""Checked integer money: every division has a name and a stated rounding."""

from __future__ import annotations

from collections.abc import Sequence

from app.kernel.errors import broken
from app.kernel.record import Address

PPM = 1_000_000
UFLT_PER_FLT = 1_000_000


def mul_div_floor(value: int, multiplier: int, divisor: int) -> int:
    """Return value times multiplier divided by divisor, rounded down; all non-negative."""
    if value < 0 or multiplier < 0 or divisor <= 0:
        broken(f"a share of {value} by {multiplier}/{divisor} is not defined")
    return value * multiplier // divisor


def share_ppm(amount: int, ppm: int) -> int:
    """Return a part of an amount, in parts per million, rounded down."""
    return mul_div_floor(amount, ppm, PPM)


def split_exactly(total: int, weights: Sequence[tuple[Address, int]]) -> dict[Address, int]:
    """Give the whole total away in proportion to the weights.

    Each share is rounded down; what is left goes one unit each in address order to those with a
    weight. The shares sum to the total.
    """
    weight_sum = sum(weight for _, weight in weights)
    if weight_sum <= 0:
        broken(f"{total} can't be split: no one has a weight")
    shares = {who: mul_div_floor(total, weight, weight_sum) for who, weight in weights}
    left = total - sum(shares.values())
    for who in sorted(who for who, weight in weights if weight > 0)[:left]:
        shares[who] += 1
    return shares
