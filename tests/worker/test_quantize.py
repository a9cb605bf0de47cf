"""The border between floats and fixed point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, encode_values
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import (
    SCALE,
    ModelRefused,
    UpdateRefused,
    apply_update,
    from_model,
    to_model,
    to_update,
)

STEP = 1 / SCALE
VALUE_MAX = 8 * SCALE


def one(*values: float, dtype: str = "float64") -> tuple[dict[str, np.ndarray], Layout]:
    """A model of one array, and its layout."""
    arrays = {"weight": np.array(values, dtype)}
    return arrays, Layout.from_arrays(arrays)


def test_ties_go_to_even() -> None:
    steps = [0.5, 1.5, 2.5, -0.5, -1.5, 0.4999, 0.5001]
    arrays, layout = one(*(step * STEP for step in steps))
    assert decode_values(to_model(arrays, layout), MODEL_WIDTH) == [0, 2, 2, 0, -2, 0, 1]


@given(arrays_of.arrays("float32", 20, elements=st.floats(-(2**20), 2**20, width=32)))
def test_a_model_comes_back_within_half_a_step(values: np.ndarray) -> None:
    arrays = {"weight": values}
    layout = Layout.from_arrays(arrays)
    back = from_model(to_model(arrays, layout), layout)["weight"]
    assert back.dtype == np.float32
    exact = values.astype(np.float64)
    assert np.all(np.abs(back - exact) <= np.maximum(STEP / 2, np.abs(exact) * 2.0**-24))


def test_constants_keep_the_bases_value_whatever_the_trainer_returns() -> None:
    arrays = {"weight": np.zeros((2, 2), np.float32), "batches": np.array(7)}
    layout = Layout.from_arrays(arrays)
    base = to_model(arrays, layout)
    trained = {"batches": np.array(99), "weight": np.ones((2, 2), np.float32)}
    update = to_update(trained, base, layout, VALUE_MAX).update
    back = from_model(apply_update(base, update), layout)
    assert list(back) == ["weight", "batches"]
    assert back["batches"] == 7
    assert back["batches"].dtype == np.int64
    np.testing.assert_array_equal(back["weight"], np.ones((2, 2)))


@given(
    arrays_of.arrays("float32", (3, 4), elements=st.floats(-100, 100, width=32)),
    arrays_of.arrays("float32", (3, 4), elements=st.floats(-100, 100, width=32)),
)
def test_a_base_and_its_update_make_the_trained_model(old: np.ndarray, new: np.ndarray) -> None:
    layout = Layout.from_arrays({"weight": old})
    base = to_model({"weight": old}, layout)
    made = to_update({"weight": np.asfortranarray(new)}, base, layout, 300 * SCALE)
    values = decode_values(made.update, UPDATE_WIDTH)
    assert apply_update(base, made.update) == to_model({"weight": new}, layout)
    assert made.sum_squares == sum(value * value for value in values)
    assert made.saturated_count == 0


def test_one_in_ten_thousand_may_saturate_and_is_counted() -> None:
    arrays, layout = one(*[0.0] * 20_000)
    base = to_model(arrays, layout)
    trained = arrays["weight"].copy()
    trained[:2] = 9, -1e300
    made = to_update({"weight": trained}, base, layout, VALUE_MAX)
    assert made.saturated_count == 2
    assert decode_values(made.update[:12], UPDATE_WIDTH) == [VALUE_MAX, -VALUE_MAX, 0]

    trained[2] = 8 + STEP
    with pytest.raises(UpdateRefused, match=r"3 of 20000 .*±8 .*8388608.*'weight'.*learning rate"):
        to_update({"weight": trained}, base, layout, VALUE_MAX)


def test_a_change_at_the_limit_is_not_saturated() -> None:
    arrays, layout = one(1.0, 1.0)
    trained = {"weight": np.array([9.0, -7.0])}
    made = to_update(trained, to_model(arrays, layout), layout, VALUE_MAX)
    assert (made.saturated_count, made.sum_squares) == (0, 2 * VALUE_MAX**2)


def test_a_limit_beyond_32_bits_is_that_of_32_bits() -> None:
    arrays, layout = one(0.0)
    with pytest.raises(UpdateRefused, match="1 of 1 values"):
        to_update({"weight": np.array([2048.0])}, to_model(arrays, layout), layout, 2**32 - 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_name(bad: float) -> None:
    arrays, layout = one(0.0, 1.0, dtype="float16")
    base = to_model(arrays, layout)
    broken = {"weight": np.array([0.0, bad], np.float16)}
    with pytest.raises(UpdateRefused, match=r"'weight' has NaN or infinite.*learning rate"):
        to_update(broken, base, layout, VALUE_MAX)
    with pytest.raises(ModelRefused, match=r"'weight' has a value that is not finite"):
        to_model(broken, layout)


def test_a_model_too_large_for_a_root_is_refused() -> None:
    for values in ([2.0**30], [-1e300], [2.0**29] * 4):
        with pytest.raises(ModelRefused):
            to_model(*one(*values))


def test_a_half_that_overflows_stops_at_its_largest() -> None:
    _, layout = one(0.0, 0.0, dtype="float16")
    model = encode_values([100_000 * SCALE, -100_000 * SCALE], MODEL_WIDTH)
    np.testing.assert_array_equal(from_model(model, layout)["weight"], [65_504, -65_504])


def test_a_model_of_another_length_is_refused() -> None:
    arrays, layout = one(0.0, 1.0)
    for call in (
        lambda: from_model(b"\x00" * 8, layout),
        lambda: to_update(arrays, b"\x00" * 24, layout, VALUE_MAX),
        lambda: apply_update(b"\x00" * 8, b"\x00" * 8),
    ):
        with pytest.raises(ValueError, match=r"2 values has 16 bytes|differ in length"):
            call()


def test_a_sum_beyond_64_bits_is_refused() -> None:
    base, update = encode_values([2**63 - 1], MODEL_WIDTH), encode_values([1], UPDATE_WIDTH)
    with pytest.raises(ValueError, match="doesn't fit 8 bytes"):
        apply_update(base, update)
