"""A round's scores: the metric of what some of its updates give together, as integers.

    utility        the metric times its direction: of all updates, then of all without each
    own score      the metric of each update alone, cut off at 0 and 1

Both in millionths, to the nearest, ties to even. A metric that is no number is the worst there is.
A trimmed mean of fewer updates than its trim leaves trims as many as it can; no update leaves the
base.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from app.sdk.protocol import UTILITY_MAX, Combination, MetricDirection
from fl_worker.scoring.bench import Bench
from fl_worker.update.combine import Included, combine

MILLIONTHS = 1_000_000


async def score_updates(
    bench: Bench, base: bytes, updates: Sequence[Included], round_number: int
) -> tuple[list[int], list[int]]:
    """Return utilities and own scores of different updates, given in address order.

    Own scores are none where the job doesn't weigh quality.
    """
    spec = bench.spec
    others = [[*updates[:left_out], *updates[left_out + 1 :]] for left_out in range(len(updates))]

    async def measure(together: Sequence[Included]) -> float:
        model = await asyncio.to_thread(combine_some, spec.combination, base, together)
        return await bench.measure(model, round_number)

    direction = spec.work.metric_direction
    utilities = [utility_of(await measure(some), direction) for some in (updates, *others)]
    alone = updates if spec.pay.weighs_quality else ()
    return utilities, [own_score_of(await measure([update])) for update in alone]


def combine_some(combination: Combination, base: bytes, updates: Sequence[Included]) -> bytes:
    """Return the model that some of a round's updates give by the job's rule."""
    if not updates:
        return base
    trim = min(combination.trim_count, (len(updates) - 1) // 2)
    return combine(combination.rule, base, updates, trim=trim, norm_max=combination.norm_max)


def utility_of(value: float, direction: MetricDirection) -> int:
    """Return a metric's utility: higher is better."""
    if math.isnan(value):
        return -UTILITY_MAX
    return to_millionths(value if direction == MetricDirection.HIGHER else -value)


def metric_of(value: float, direction: MetricDirection) -> int:
    """Return a metric in millionths; one that is no number is the worst there is."""
    utility = utility_of(value, direction)
    return utility if direction == MetricDirection.HIGHER else -utility


def own_score_of(value: float) -> int:
    """Return a metric from 0 to 1 as a score."""
    return 0 if math.isnan(value) else min(max(to_millionths(value), 0), MILLIONTHS)


def to_millionths(value: float) -> int:
    """Return a number in millionths, cut off at the largest utility."""
    limit = UTILITY_MAX // MILLIONTHS
    return round(min(max(value, -limit), limit) * MILLIONTHS)
