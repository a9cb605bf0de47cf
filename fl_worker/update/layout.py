"""The layout of a model: its arrays by name, shape and type, in the order in which they are stored.

Floating arrays are trained: their values make up the vector, one array after the other, each in C
order. Integer and bool arrays keep the base's value, which stands in the layout itself.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

TRAINED_TYPES = ("float16", "float32", "float64")
CONSTANT_TYPES = (
    *("bool", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)
ARRAYS_MAX = 65_536
DIMENSIONS_MAX = 64
NAME_LENGTH_MAX = 1_024


class LayoutRefused(ValueError):
    """The arrays or bytes are no layout that a job can have."""


class LayoutMismatch(ValueError):
    """The arrays are not those of the layout."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array: numpy's name of its type, and its bytes (C order, little-endian) if constant."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    constant: bytes | None = None

    @property
    def size(self) -> int:
        """The number of values."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Layout:
    """The arrays of a model, in order; made by `from_arrays` and `from_bytes` alone."""

    arrays: tuple[ArraySpec, ...]

    @staticmethod
    def from_arrays(arrays: Mapping[str, Array]) -> Layout:
        """Return the layout of a base model; LayoutRefused for a type that can't be stored."""
        layout = Layout(tuple(describe(name, array) for name, array in arrays.items()))
        check_layout(layout)
        return layout

    @staticmethod
    def from_bytes(data: bytes) -> Layout:
        """Return the layout that the bytes encode; LayoutRefused unless they are its only form."""
        try:
            layout = Layout(tuple(map(parse_spec, json.loads(data)["arrays"])))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise LayoutRefused(f"the bytes are no layout: {error}") from None
        check_layout(layout)
        if layout.to_bytes() != data:
            raise LayoutRefused("the layout isn't in its canonical form")
        return layout

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: JSON in ASCII with sorted keys and no spaces."""
        content = {"arrays": [spec_to_json(spec) for spec in self.arrays]}
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")

    @property
    def hash(self) -> bytes:
        """The SHA-256 of the canonical bytes."""
        return sha256(self.to_bytes()).digest()

    @property
    def trained(self) -> tuple[ArraySpec, ...]:
        """The arrays whose values make up the vector."""
        return tuple(spec for spec in self.arrays if spec.constant is None)

    @property
    def value_count(self) -> int:
        """The number of values in the vector."""
        return sum(spec.size for spec in self.trained)

    def match(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return the trained arrays in the layout's order, each in C order and native byte order.

        LayoutMismatch names the first array that is missing, unknown, or of other shape or type.
        """
        known = {spec.name: spec for spec in self.arrays}
        for name in arrays:
            if name not in known:
                raise LayoutMismatch(f"array {name!r} is not in the job's layout: leave it out")
        for spec in self.arrays:
            if spec.name not in arrays:
                raise LayoutMismatch(f"array {spec.name!r} is missing: return every array")
            found = (arrays[spec.name].shape, arrays[spec.name].dtype.name)
            if found != (spec.shape, spec.dtype):
                raise LayoutMismatch(
                    f"array {spec.name!r} is {found[1]}{list(found[0])}, but the job's layout "
                    f"has {spec.dtype}{list(spec.shape)}: return it as it was sent"
                )
        return {
            spec.name: np.asarray(arrays[spec.name], np.dtype(spec.dtype), order="C")
            for spec in self.trained
        }


def describe(name: str, array: Array) -> ArraySpec:
    """Return the description of an array; LayoutRefused for a type that can't be stored."""
    dtype = array.dtype.name
    if dtype in TRAINED_TYPES:
        return ArraySpec(name, array.shape, dtype)
    if dtype in CONSTANT_TYPES:
        return ArraySpec(name, array.shape, dtype, array.astype(little_endian(dtype)).tobytes())
    raise LayoutRefused(
        f"array {name!r} has type {dtype}, which can't be stored: "
        f"use {', '.join(TRAINED_TYPES)}, an integer type or bool"
    )


def constant_array(spec: ArraySpec) -> Array:
    """Return a constant array as it stands in the layout."""
    stored = np.frombuffer(spec.constant or b"", little_endian(spec.dtype))
    return stored.astype(spec.dtype).reshape(spec.shape)


def little_endian(dtype: str) -> np.dtype[Any]:
    """Return the type of that name as it is stored."""
    return np.dtype(dtype).newbyteorder("<")


def spec_to_json(spec: ArraySpec) -> dict[str, Any]:
    """Return an array's entry in the layout."""
    entry = {"name": spec.name, "shape": spec.shape, "dtype": spec.dtype}
    if spec.constant is not None:
        entry["constant"] = b64encode(spec.constant).decode("ascii")
    return entry


def parse_spec(entry: Any) -> ArraySpec:
    """Return the description that an entry holds; `from_bytes` catches what a bad one raises."""
    constant = b64decode(entry["constant"], validate=True) if "constant" in entry else None
    return ArraySpec(entry["name"], tuple(entry["shape"]), entry["dtype"], constant)


def check_layout(layout: Layout) -> None:
    """Raise LayoutRefused unless every array is well described, named once, and one is trained."""
    if len(layout.arrays) > ARRAYS_MAX:
        raise LayoutRefused(f"the model has {len(layout.arrays)} arrays, {ARRAYS_MAX} at most")
    for spec in layout.arrays:
        if not is_well_described(spec):
            raise LayoutRefused(
                f"array {spec.name!r}: its name, shape, type or constant is invalid"
            )
    if len({spec.name for spec in layout.arrays}) < len(layout.arrays):
        raise LayoutRefused("two arrays have one name")
    if not layout.value_count:
        raise LayoutRefused("the model has no values to train: no floating array")


def is_well_described(spec: ArraySpec) -> bool:
    """Whether name, shape and type are in their limits, and a constant has the bytes they ask."""
    if type(spec.name) is not str or len(spec.name) > NAME_LENGTH_MAX:
        return False
    if len(spec.shape) > DIMENSIONS_MAX:
        return False
    if any(type(length) is not int or length < 0 for length in spec.shape):
        return False
    if spec.constant is None:
        return spec.dtype in TRAINED_TYPES
    if spec.dtype not in CONSTANT_TYPES:
        return False
    is_truth = spec.dtype != "bool" or not spec.constant.strip(b"\x00\x01")
    return is_truth and len(spec.constant) == spec.size * np.dtype(spec.dtype).itemsize
