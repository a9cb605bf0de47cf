"""Contributions: medians, what is left out, what adds up, and how a pool is shared by it."""

from collections.abc import Callable
from fractions import Fraction
from math import floor
from statistics import median as exact_median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.record import Address
from app.learning.contribution import (
    UTILITY_MAX,
    add_up,
    distance,
    leave_one_out,
    median,
    medians,
    quality_ppm,
    split_by_weight,
)

UTILITY = st.integers(-UTILITY_MAX, UTILITY_MAX)
UTILITIES = st.lists(UTILITY, min_size=1, max_size=15)
WEIGHTS = st.lists(st.integers(0, 10**20), min_size=1, max_size=20)


def addresses(count: int) -> list[Address]:
    return [Address(bytes([i]) * 20) for i in range(count)]


@given(UTILITIES)
def test_a_median_is_the_floor_of_the_exact_one(values: list[int]) -> None:
    assert median(values) == floor(exact_median(map(Fraction, values)))
    assert min(values) <= median(values) <= max(values)


def test_there_is_no_median_of_nothing() -> None:
    with pytest.raises(ValueError, match="no median of nothing"):
        median([])


@given(st.lists(UTILITY, min_size=3, max_size=9), UTILITIES)
def test_a_minority_of_liars_moves_a_median_no_further_than_the_honest_differ(
    honest: list[int], lies: list[int]
) -> None:
    lies = lies[: len(honest) - 1]
    assert min(honest) <= median([*honest, *lies]) <= max(honest)


@given(UTILITIES)
def test_what_is_left_out_is_worth_what_is_lost(utilities: list[int]) -> None:
    contributions = leave_one_out(utilities)
    assert [utilities[0] - value for value in contributions] == utilities[1:]


@given(st.lists(st.tuples(st.integers(1, 40), UTILITY), max_size=30), st.integers(1, 40))
def test_worth_is_the_sum_of_the_last_rounds_and_never_below_nothing(
    values: list[tuple[int, int]], newest: int
) -> None:
    wanted = sum(value for round, value in values if newest - 8 < round <= newest)
    assert add_up(values, newest, 8) == max(wanted, 0)


@given(st.integers(1, 50), st.lists(st.integers(-100, 100), min_size=8, max_size=8))
def test_noise_cancels_and_work_adds_up(work: int, noise: list[int]) -> None:
    rounds = [(number, value) for number, value in enumerate(noise)]
    still = [(number, -value) for number, value in rounds]
    assert add_up(rounds + still, 7, 8) == 0
    assert add_up([(number, work) for number in range(8)], 7, 8) == 8 * work


@given(UTILITIES)
def test_a_quality_lies_between_nothing_and_one(own_scores: list[int]) -> None:
    quality = quality_ppm(own_scores)
    assert 0 <= quality <= 1_000_000
    assert quality == min(max(median(own_scores), 0), 1_000_000)


def test_one_odd_value_puts_nobody_far_from_the_others() -> None:
    middles = [900, 500, 800, 900, 850]
    assert distance(middles, middles) == 0
    assert distance([900, 500, 10**9, 900, 850], middles) == 0
    assert distance([0, 0, 0, 0, 0], middles) == 850


@given(st.integers(0, 10**15), WEIGHTS)
def test_every_unit_of_a_pool_is_a_share_or_excess(pool: int, weights: list[int]) -> None:
    people = addresses(len(weights))
    shares, excess = split_by_weight(pool, list(zip(people, weights, strict=True)), len(weights))
    if not any(weights):
        assert (shares, excess) == ({}, 0)
        return
    assert sum(shares.values()) + excess == pool
    assert all(share <= 2 * pool // len(weights) for share in shares.values())
    assert all(shares[who] == 0 for who, weight in zip(people, weights) if not weight)


@given(st.integers(0, 10**12), WEIGHTS, st.integers(1, 10**6))
def test_shares_depend_on_proportions_alone(pool: int, weights: list[int], factor: int) -> None:
    people = addresses(len(weights))
    plain = split_by_weight(pool, list(zip(people, weights)), len(weights))
    scaled = [weight * factor for weight in weights]
    assert split_by_weight(pool, list(zip(people, scaled)), len(weights)) == plain


def a_case(name: str, pool: int, rows: list[list[int]], **told: Any) -> dict[str, Any]:
    """Scores of one round and what is paid for them, as JSON; histories and qualities if given."""
    utilities = medians(rows)
    contributions = leave_one_out(utilities)
    people = addresses(len(contributions))
    histories = told.get("histories", [[] for _ in people])
    worths = [
        add_up([*map(tuple, history), (9, value)], 9, 8)
        for history, value in zip(histories, contributions, strict=True)
    ]
    own_scores = told.get("own_scores", [[1_000_000] * len(people)])
    qualities = [quality_ppm(column) for column in zip(*own_scores)]
    weights = [worth * quality for worth, quality in zip(worths, qualities, strict=True)]
    shares, excess = split_by_weight(pool, list(zip(people, weights)), len(people))
    return {
        "case": name,
        "pool_uflt": pool,
        "scores_by_evaluator": rows,
        "round": 9,
        "histories": histories,
        "own_scores_by_evaluator": own_scores,
        "utilities": utilities,
        "contributions": contributions,
        "worths": worths,
        "qualities_ppm": qualities,
        "shares_uflt": [shares.get(who, 0) for who in people],
        "excess_uflt": excess,
        "distances": [distance(row, utilities) for row in rows],
    }


def test_contributions_are_what_is_published(vectors: Callable[[str], Any]) -> None:
    agreed = [1_000_000, 600_000, 900_000, 700_000]
    cases = [
        a_case("three evaluators agree", 1_000_001, [agreed] * 3),
        a_case("an even number: the mean of the middle two, rounded down", 1_000_001,
               [[10, -5, 3, 0], [7, -4, 4, 1], [6, 0, 5, 2], [1, -9, 9, 3]]),
        a_case("one of three lies", 1_000_001, [agreed, agreed, [0, 10**12, -(10**12), 5]]),
        a_case("quality", 1_000_001, [agreed] * 3,
               own_scores=[[900_000, 100_000, 500_000], [800_000, 0, 400_000],
                           [700_000, 50_000, 600_000]]),
        a_case("no one gets more than twice an equal share", 1_000_001,
               [[1_000_000, 0, 999_999, 999_999]] * 3),
        a_case("nobody is worth anything", 1_000_001, [[0, 5, 5, 0]] * 3),
        a_case("quality takes what was worth something", 1_000_001, [[5, 0, 5, 5]] * 3,
               own_scores=[[0, 1_000_000, 1_000_000]] * 3),
        a_case("eight rounds add up, negative ones too", 1_000_001, [[10, 0, 20, 10]] * 3,
               histories=[[[1, 1_000], [2, -4]], [[2, 15], [8, 5]], [[8, -1]]]),
    ]  # fmt: skip
    vectors("learning/contribution.json").check(cases)
