"""Fixed point: a vector is little-endian signed integers that count steps of 2^-20.

A model's values take 8 bytes, an update's (the difference to its base) 4, so that the next model is
an exact sum of integers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

FRACTION_BITS = 20
UPDATE_WIDTH = 4
MODEL_WIDTH = 8


def value_count(data: bytes, width: int) -> int:
    """Return how many values of 4 or 8 bytes the data holds; ValueError unless they fill it."""
    if width not in (UPDATE_WIDTH, MODEL_WIDTH):
        raise ValueError(f"a value has {UPDATE_WIDTH} or {MODEL_WIDTH} bytes, not {width}")
    if len(data) % width:
        raise ValueError(f"{len(data)} bytes don't hold whole values of {width} bytes")
    return len(data) // width


def decode_values(data: bytes, width: int) -> list[int]:
    """Return the values that the data holds."""
    return list(struct.unpack(form(value_count(data, width), width), data))


def encode_values(values: Iterable[int], width: int) -> bytes:
    """Return the data that holds the values; ValueError if one doesn't fit its width."""
    numbers = tuple(values)
    try:
        return struct.pack(form(len(numbers), width), *numbers)
    except struct.error:
        raise ValueError(f"a value doesn't fit {width} bytes") from None


def form(count: int, width: int) -> str:
    """Return struct's name of so many values, little-endian whatever the machine."""
    return f"<{count}{'i' if width == UPDATE_WIDTH else 'q'}"
