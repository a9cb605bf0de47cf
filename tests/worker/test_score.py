"""What evaluators say of updates: the metric of each coalition, as integers that all agree on."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.sdk.protocol import (
    U32,
    U64,
    UTILITY_MAX,
    Combination,
    CombineRule,
    JobSpec,
    MetricDirection,
    leave_one_out,
)
from fl_worker.scoring.score import combine_some, metric_of, own_score_of, score_updates, utility_of
from fl_worker.update.combine import Included
from tests.build import SPEC

LOWER, HIGHER = MetricDirection.LOWER, MetricDirection.HIGHER
ONE = 1 << 20
BASE = np.zeros(2, "<i8").tobytes()


class MeanBench:
    """Measures how far a model's mean is from 1."""

    def __init__(self, spec: JobSpec) -> None:
        self.spec = spec

    async def measure(self, model: bytes, round_number: int) -> float:
        return abs(float(np.frombuffer(model, "<i8").mean()) / ONE - 1)


def a_spec(direction: MetricDirection = LOWER, *, weighs_quality: bool = False) -> JobSpec:
    work = replace(SPEC.work, metric_direction=direction)
    return replace(SPEC, work=work, pay=replace(SPEC.pay, weighs_quality=weighs_quality))


def an_update(value: float, weight: int = 1) -> Included:
    values = np.full(2, value * ONE, "<i4")
    return Included(values.tobytes(), int(2 * (value * ONE) ** 2), weight)


async def score(spec: JobSpec, *updates: Included) -> tuple[list[int], list[int]]:
    bench: Any = MeanBench(spec)
    return await score_updates(bench, BASE, updates, 3)


async def test_utilities_are_of_all_then_of_all_without_each() -> None:
    utilities, own = await score(a_spec(), an_update(1.0), an_update(0.5), an_update(0.0))
    assert utilities == [-500_000, -750_000, -500_000, -250_000]
    assert leave_one_out(utilities) == [250_000, 0, -250_000]
    assert own == []


async def test_a_higher_metric_is_a_higher_utility() -> None:
    assert (await score(a_spec(HIGHER), an_update(0.5)))[0] == [500_000, 1_000_000]


async def test_updates_weigh_by_their_examples() -> None:
    utilities, _ = await score(a_spec(), an_update(1.0, weight=3), an_update(0.0))
    assert utilities == [-250_000, -1_000_000, 0]


async def test_without_the_only_update_there_is_the_base() -> None:
    assert (await score(a_spec(), an_update(0.75)))[0] == [-250_000, -1_000_000]


async def test_own_scores_are_of_each_alone_where_quality_counts() -> None:
    spec = a_spec(HIGHER, weighs_quality=True)
    utilities, own = await score(spec, an_update(0.75), an_update(0.5))
    assert (len(utilities), own) == (3, [250_000, 500_000])


def test_the_rule_is_the_job_s_and_trims_what_it_can() -> None:
    trimmed = Combination(CombineRule.TRIMMED_MEAN, U32(1), U64(0), U64(100), U32(2047 << 20))
    updates = [an_update(value) for value in (0.0, 0.25, 9.0)]

    def mean_of(count: int) -> float:
        return float(np.frombuffer(combine_some(trimmed, BASE, updates[:count]), "<i8")[0]) / ONE

    assert [mean_of(count) for count in range(4)] == [0.0, 0.0, 0.125, 0.25]


@pytest.mark.parametrize(
    ("value", "direction", "utility"),
    [
        (0.1234567, HIGHER, 123_457),
        (0.1234567, LOWER, -123_457),
        (2.5e-6, HIGHER, 2),  # ties to even
        (3.5e-6, HIGHER, 4),
        (-3.0, LOWER, 3_000_000),
        (1e30, HIGHER, UTILITY_MAX),
        (float("inf"), LOWER, -UTILITY_MAX),
        (float("nan"), HIGHER, -UTILITY_MAX),
        (float("nan"), LOWER, -UTILITY_MAX),
    ],
)
def test_a_utility_is_in_millionths(value: float, direction: Any, utility: int) -> None:
    assert utility_of(value, direction) == utility


@pytest.mark.parametrize(
    ("value", "score"),
    [(0.5, 500_000), (1.0, 1_000_000), (7.0, 1_000_000), (-1.0, 0), (float("nan"), 0)],
)
def test_an_own_score_is_from_0_to_1(value: float, score: int) -> None:
    assert own_score_of(value) == score


@pytest.mark.parametrize(
    ("value", "direction", "metric"),
    [
        (0.25, LOWER, 250_000),
        (-0.25, HIGHER, -250_000),
        (float("nan"), LOWER, UTILITY_MAX),
        (float("nan"), HIGHER, -UTILITY_MAX),
        (float("inf"), LOWER, UTILITY_MAX),
    ],
)
def test_a_metric_is_measured_in_millionths_and_without_a_number_it_is_the_worst(
    value: float, direction: MetricDirection, metric: int
) -> None:
    assert metric_of(value, direction) == metric
