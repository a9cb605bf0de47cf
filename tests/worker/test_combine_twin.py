"""Combining by numpy gives the very bytes that the chain's rule gives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.learning.combine import CombineRule, clip_values, combine_chunk
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, encode_values
from fl_worker.update import combine as twin
from fl_worker.update.combine import Included, combine

RULES = (CombineRule.FEDAVG, CombineRule.MEDIAN, CombineRule.TRIMMED_MEAN)
INT32 = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([-(2**31), 2**31 - 1])
WEIGHTS = st.integers(1, 100) | st.integers(2**31, 2**33) | st.integers(2**62, 2**64 - 1)
NORMS = st.just(0) | st.integers(1, 1_000) | st.integers(2**30, 2**50)


@st.composite
def rounds(draw: st.DrawFn) -> tuple[list[int], list[list[int]], list[int]]:
    """A base, one to nine updates, and their weights."""
    size, count = draw(st.integers(0, 40)), draw(st.integers(1, 9))
    base = draw(st.lists(st.integers(-(2**62), 2**62), min_size=size, max_size=size))
    scale = draw(st.sampled_from([1, 2**20, 2**31]))
    update = st.lists(INT32.map(lambda v: v * scale >> 31), min_size=size, max_size=size)
    updates = draw(st.lists(update, min_size=count, max_size=count))
    return base, updates, draw(st.lists(WEIGHTS, min_size=count, max_size=count))


def by_the_rule(rule: CombineRule, round: Any, trim: int, norm_max: int) -> bytes:
    """What app.learning makes of a round."""
    base, updates, weights = round
    clipped = [clip_values(u, norm_max, sum(v * v for v in u)) for u in updates]
    return encode_values(combine_chunk(rule, base, clipped, weights, trim), MODEL_WIDTH)


def by_the_twin(rule: CombineRule, round: Any, trim: int, norm_max: int) -> bytes:
    """What numpy makes of it."""
    base, updates, weights = round
    included = [
        Included(encode_values(update, UPDATE_WIDTH), sum(v * v for v in update), weight)
        for update, weight in zip(updates, weights, strict=True)
    ]
    data = encode_values(base, MODEL_WIDTH)
    return combine(rule, data, included, trim=trim, norm_max=norm_max)


@given(st.sampled_from(RULES), rounds(), NORMS, st.integers(0, 4), st.sampled_from([1, 7, 2**20]))
def test_twins_are_equal_to_the_byte(
    rule: CombineRule, round: Any, norm_max: int, trim: int, block_values: int
) -> None:
    trim = min(trim, (len(round[1]) - 1) // 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twin, "BLOCK_VALUES", block_values)
        assert by_the_twin(rule, round, trim, norm_max) == by_the_rule(rule, round, trim, norm_max)


@pytest.mark.parametrize("rule", RULES)
def test_twins_refuse_the_same_overflow(rule: CombineRule) -> None:
    for base, change in ((2**63 - 1, 1), (-(2**63), -1)):
        for make in (by_the_rule, by_the_twin):
            with pytest.raises(ValueError, match="doesn't fit 8 bytes"):
                make(rule, ([base], [[change]], [1]), 0, 0)


@pytest.mark.parametrize(
    ("rule", "round", "sentence"),
    [
        (CombineRule.TRIMMED_MEAN, ([0], [[1], [2]], [1, 1]), "can't lose 1"),
        (CombineRule.FEDAVG, ([0], [], []), "no update"),
        (CombineRule.FEDAVG, ([0], [[1]], [0]), "at least 1"),
        (CombineRule.MEDIAN, ([0], [[1, 2]], [1]), "base's 1 values"),
    ],
)
def test_twins_refuse_the_same_rounds(rule: CombineRule, round: Any, sentence: str) -> None:
    for make in (by_the_rule, by_the_twin):
        with pytest.raises(ValueError, match=sentence):
            make(rule, round, 1, 0)


def test_the_published_vectors_hold_for_the_twin(vectors: Any) -> None:
    for case in vectors("learning/combine.json").load():
        round = (case["base"], case["updates"], case["weights"])
        rule = CombineRule[case["rule"]]
        model = by_the_twin(rule, round, case["trim"], case["norm_max"])
        assert decode_values(model, MODEL_WIDTH) == case["model"]
