"""Combining: exact sums, one division, rounded toward minus infinity, in any order."""

from collections.abc import Callable
from fractions import Fraction
from math import floor, isqrt
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.record import Address
from app.learning.combine import CombineRule, clip_values, combine_chunk, shares_of_identical

INT32 = st.integers(-(2**31), 2**31 - 1)
FEDAVG, MEDIAN, TRIMMED_MEAN = (
    CombineRule.FEDAVG,
    CombineRule.MEDIAN,
    CombineRule.TRIMMED_MEAN,
)


@st.composite
def rounds(draw: st.DrawFn) -> tuple[list[int], list[list[int]], list[int]]:
    """A base, one to nine updates, and their weights."""
    size, count = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    base = draw(st.lists(st.integers(-(2**50), 2**50), min_size=size, max_size=size))
    update = st.lists(INT32, min_size=size, max_size=size)
    updates = draw(st.lists(update, min_size=count, max_size=count))
    return base, updates, draw(st.lists(st.integers(1, 2**40), min_size=count, max_size=count))


@given(rounds())
def test_fedavg_is_the_floor_of_the_weighted_mean(round: Any) -> None:
    base, updates, weights = round
    wanted = [
        value + floor(Fraction(sum(w * u for w, u in zip(weights, column)), sum(weights)))
        for value, column in zip(base, zip(*updates))
    ]
    assert combine_chunk(FEDAVG, base, updates, weights, 0) == wanted


@given(rounds())
def test_median_is_the_floor_of_the_median(round: Any) -> None:
    base, updates, _ = round
    columns = zip(*updates)
    wanted = [v + floor(Fraction(median(map(Fraction, c)))) for v, c in zip(base, columns)]
    assert combine_chunk(MEDIAN, base, updates, (), 0) == wanted


@given(rounds(), st.integers(0, 4))
def test_a_trimmed_mean_leaves_the_extremes_out(round: Any, trim: int) -> None:
    base, updates, _ = round
    if len(updates) <= 2 * trim:
        with pytest.raises(ValueError, match=f"can't lose {trim} on each side"):
            combine_chunk(TRIMMED_MEAN, base, updates, (), trim)
        return
    kept = [sorted(column)[trim : len(column) - trim] for column in zip(*updates)]
    wanted = [v + floor(Fraction(sum(k), len(k))) for v, k in zip(base, kept)]
    assert combine_chunk(TRIMMED_MEAN, base, updates, (), trim) == wanted


@given(rounds(), st.randoms(use_true_random=False))
def test_the_order_of_updates_changes_nothing(round: Any, chance: Any) -> None:
    base, updates, weights = round
    order = list(range(len(updates)))
    chance.shuffle(order)
    for rule in (FEDAVG, MEDIAN, TRIMMED_MEAN):
        straight = combine_chunk(rule, base, updates, weights, 0)
        shuffled = combine_chunk(
            rule, base, [updates[i] for i in order], [weights[i] for i in order], 0
        )
        assert straight == shuffled


@given(st.lists(INT32, min_size=1, max_size=20), st.integers(1, 2**40))
def test_a_clipped_update_keeps_to_the_norm(update: list[int], norm_max: int) -> None:
    sum_squares = sum(value * value for value in update)
    clipped = clip_values(update, norm_max, sum_squares)
    if isqrt(sum_squares) <= norm_max:
        assert clipped == update
        return
    assert clipped == [floor(Fraction(v * norm_max, isqrt(sum_squares))) for v in update]
    assert all(-(2**31) <= value < 2**31 for value in clipped)


def test_a_bound_of_zero_clips_nothing() -> None:
    assert clip_values([3, -4], 0, 25) == [3, -4]


@pytest.mark.parametrize(
    ("rule", "updates", "weights", "sentence"),
    [
        (FEDAVG, [], [], "no update"),
        (FEDAVG, [[1]], [], "as many weights"),
        (FEDAVG, [[1], [2]], [1, 0], "at least 1"),
        (FEDAVG, [[1, 2]], [1], "base's 1 values"),
        (MEDIAN, [[1], []], [], "base's 1 values"),
        (TRIMMED_MEAN, [[1], [2]], [], "can't lose 1 on each side"),
        (CombineRule.UNSPECIFIED, [[1]], [1], "no rule"),
    ],
)
def test_what_can_not_be_combined(rule: Any, updates: Any, weights: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        combine_chunk(rule, [0], updates, weights, 1)


def test_identical_updates_are_one_players() -> None:
    anna, ben, cleo, dora = (Address(bytes([i]) * 20) for i in range(4))
    rows = [(anna, b"x"), (ben, b"y"), (cleo, b"x"), (dora, b"x")]
    assert shares_of_identical(rows) == {anna: (anna, cleo, dora), ben: (ben,)}
    assert list(shares_of_identical(rows)) == [anna, ben]
    for wrong in (rows[::-1], [rows[0], rows[0]]):
        with pytest.raises(ValueError, match="address order"):
            shares_of_identical(wrong)


def test_the_published_vectors(vectors: Callable[[str], Any]) -> None:
    updates = [[7, -7, 2**31 - 1, 0], [-8, 8, 2**31 - 1, -1], [1, 2, -(2**31), -1], [5, -6, 3, 0]]
    base = [10, -10, 2**40, -(2**40)]
    weights = [1, 2, 3, 2**32]
    cases = []
    for rule in (FEDAVG, MEDIAN, TRIMMED_MEAN):
        for count in (1, 3, 4):
            for norm_max in (0, 6):
                rows = updates[:count]
                squares = [sum(v * v for v in row) for row in rows]
                clipped = [clip_values(r, norm_max, s) for r, s in zip(rows, squares, strict=True)]
                trim = 1 if rule == TRIMMED_MEAN and count > 2 else 0
                cases.append(
                    {
                        "rule": rule.name,
                        "base": base,
                        "updates": rows,
                        "weights": weights[:count],
                        "norm_max": norm_max,
                        "trim": trim,
                        "clipped": clipped,
                        "model": combine_chunk(rule, base, clipped, weights[:count], trim),
                    }
                )
    vectors("learning/combine.json").check(cases)
