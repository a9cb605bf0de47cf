"""The border that no float crosses: arrays become fixed-point vectors, and vectors arrays.

A float times 2^20 is exact, and rounds to the nearest integer, ties to even.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.sdk.protocol import FRACTION_BITS, MODEL_WIDTH, SUM_LIMIT, UPDATE_WIDTH
from fl_worker.update.combine import add_exactly
from fl_worker.update.layout import Array, Layout, constant_array
from fl_worker.update.tree import chunk_sums

SCALE = 1 << FRACTION_BITS
UPDATE_VALUE_MAX = (1 << 31) - 1
MODEL_VALUE_LIMIT = 1 << 50  # the square of a larger one alone is beyond the tree's limit
SATURATED_ONE_IN = 10_000


class ModelRefused(ValueError):
    """A base model that can't be stored in fixed point."""


class UpdateRefused(ValueError):
    """A trained model from which no update can be made; nothing has been committed."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """An update's bytes, how many of its values were cut to the limit, and its sum of squares."""

    update: bytes
    saturated_count: int
    sum_squares: int


def to_model(arrays: Mapping[str, Array], layout: Layout) -> bytes:
    """Return the model's vector; ModelRefused for a value that is not finite or too large."""
    vectors = []
    for name, array in layout.match(arrays).items():
        vector = scale(array)
        if not np.all(np.abs(vector) < MODEL_VALUE_LIMIT):  # false for a NaN too
            raise ModelRefused(
                f"array {name!r} has a value that is not finite or not within "
                f"±{MODEL_VALUE_LIMIT // SCALE}: check the base model"
            )
        vectors.append(vector.astype("<i8"))
    model = np.concatenate(vectors).tobytes()
    if sum(chunk_sums(model, MODEL_WIDTH)) >= SUM_LIMIT:
        raise ModelRefused("the squares of the model's values sum to 2^100 or more: scale it down")
    return model


def from_model(model: bytes, layout: Layout) -> dict[str, Array]:
    """Return the model's arrays in the layout's order, cut to what their types can hold."""
    values = model_values(model, layout)
    arrays: dict[str, Array] = {}
    at = 0
    for spec in layout.arrays:
        if spec.constant is not None:
            arrays[spec.name] = constant_array(spec)
            continue
        limits = np.finfo(spec.dtype)
        floats = (values[at : at + spec.size] / SCALE).clip(float(limits.min), float(limits.max))
        arrays[spec.name] = floats.astype(spec.dtype).reshape(spec.shape)
        at += spec.size
    return arrays


def to_update(
    arrays: Mapping[str, Array], base: bytes, layout: Layout, value_max: int
) -> Quantized:
    """Return the difference of trained arrays to the base model, each value cut to ±`value_max`.

    `value_max` counts steps of 2^-20. UpdateRefused for a NaN, an infinity, or if more than one
    value in ten thousand had to be cut.
    """
    base_values = model_values(base, layout)
    limit = min(value_max, UPDATE_VALUE_MAX)
    update = np.empty(layout.value_count, "<i4")
    saturated: dict[str, int] = {}
    at = 0
    for name, array in layout.match(arrays).items():
        if not np.isfinite(array).all():
            raise UpdateRefused(
                f"array {name!r} has NaN or infinite values after training: "
                "lower the learning rate or clip the gradients"
            )
        here = slice(at, at + array.size)
        wanted = scale(array).clip(-(2.0**62), 2.0**62).astype(np.int64)
        change = wanted - base_values[here]
        saturated[name] = int(np.count_nonzero(np.abs(change) > limit))
        update[here] = change.clip(-limit, limit)
        at += array.size
    check_saturation(saturated, layout.value_count, limit)
    data = update.tobytes()
    return Quantized(data, sum(saturated.values()), sum(chunk_sums(data, UPDATE_WIDTH)))


def check_saturation(saturated: Mapping[str, int], value_count: int, limit: int) -> None:
    """Raise UpdateRefused if more values were cut than may be."""
    count = sum(saturated.values())
    if count * SATURATED_ONE_IN > value_count:
        worst = max(saturated, key=lambda name: saturated[name])
        raise UpdateRefused(
            f"{count} of {value_count} values changed by more than the job's ±{limit / SCALE:g} "
            f"(value_max {limit}), most of them in array {worst!r}; one in {SATURATED_ONE_IN} may. "
            "Lower the learning rate or train less; or the job needs a larger value_max"
        )


def apply_update(base: bytes, update: bytes) -> bytes:
    """Return the base model moved by one update."""
    if len(base) // MODEL_WIDTH != len(update) // UPDATE_WIDTH:
        raise ValueError("the update and the base model differ in length")
    return add_exactly(np.frombuffer(base, "<i8"), np.frombuffer(update, "<i4"))


def scale(array: Array) -> npt.NDArray[np.float64]:
    """Return an array in C order as whole steps of 2^-20, still floats."""
    with np.errstate(over="ignore"):
        return np.rint(array.astype(np.float64).ravel() * SCALE)


def model_values(model: bytes, layout: Layout) -> npt.NDArray[Any]:
    """Return the vector of a model; ValueError unless it has the layout's length."""
    if len(model) != layout.value_count * MODEL_WIDTH:
        raise ValueError(
            f"a model of {layout.value_count} values has {layout.value_count * MODEL_WIDTH} bytes, "
            f"not {len(model)}"
        )
    return np.frombuffer(model, "<i8")
