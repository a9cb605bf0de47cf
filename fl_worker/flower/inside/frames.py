"""Frames between us and an app's process: a JSON header, arrays, and a blob.

    frame = u32be size of the head | head (JSON) | each array's bytes, in order | blob

Arrays are little-endian, in C order, and of booleans, integers or floats only: reading a frame
never runs code, whoever wrote it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

HEAD_BYTES_MAX = 16 * 1024 * 1024
BODY_BYTES_MAX = 4 * 1024 * 1024 * 1024
PREFIX_BYTES = 4

Arrays = Mapping[str, NDArray[Any]]


class BadFrame(Exception):
    """Bytes that are no frame, or an array that no frame may carry."""


class AppRefused(Exception):
    """The app does something that can't be done here; the text says what."""


@dataclass(frozen=True)
class Frame:
    """One request or reply; `header` is JSON, `arrays` keep their order."""

    header: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)
    blob: bytes = b""


def encode(frame: Frame) -> bytes:
    """Write a frame as bytes."""
    arrays = {name: _portable(name, array) for name, array in frame.arrays.items()}
    described = [
        {"name": name, "dtype": array.dtype.str, "shape": array.shape}
        for name, array in arrays.items()
    ]
    head = json.dumps({"header": frame.header, "arrays": described, "blob": len(frame.blob)})
    head_bytes = head.encode()
    prefix = len(head_bytes).to_bytes(PREFIX_BYTES, "big")
    return b"".join([prefix, head_bytes, *(a.tobytes() for a in arrays.values()), frame.blob])


def head_size(prefix: bytes) -> int:
    """Read how many bytes the head has."""
    size = int.from_bytes(prefix, "big")
    if size > HEAD_BYTES_MAX:
        raise BadFrame(f"a head of {size:,} bytes; the limit is {HEAD_BYTES_MAX:,}")
    return size


def read_head(data: bytes) -> tuple[dict[str, Any], int]:
    """Read a head, and how many bytes of body follow it."""
    try:
        head = json.loads(data)
        sizes = [_array_size(described) for described in head["arrays"]]
        body_size = sum(sizes) + _count(head["blob"])
        if not isinstance(head["header"], dict):
            raise BadFrame("the header is no JSON object")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadFrame(f"not a head: {error}") from None
    if body_size > BODY_BYTES_MAX:
        raise BadFrame(f"a body of {body_size:,} bytes; the limit is {BODY_BYTES_MAX:,}")
    return head, body_size


def decode(head: dict[str, Any], body: bytes) -> Frame:
    """Put a frame together from its head and its body; the arrays are views of the body."""
    arrays: dict[str, NDArray[Any]] = {}
    view, start = memoryview(body), 0
    for described in head["arrays"]:
        end = start + _array_size(described)
        flat = np.frombuffer(view[start:end], np.dtype(described["dtype"]))
        arrays[str(described["name"])] = flat.reshape(described["shape"])
        start = end
    return Frame(head["header"], arrays, bytes(view[start:]))


def read(stream: BinaryIO) -> Frame | None:
    """Read the next frame of a blocking stream; None at its end."""
    prefix = stream.read(PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES:
        return None
    head, body_size = read_head(stream.read(head_size(prefix)))
    return decode(head, stream.read(body_size))


def _portable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Bring an array into C order and little-endian bytes, or refuse its type."""
    if array.dtype.kind not in "biuf":
        raise BadFrame(
            f"array {name!r} has type {array.dtype}; only booleans, integers and floats are sent"
        )
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _array_size(described: dict[str, Any]) -> int:
    """Compute the bytes of a described array, refusing types and shapes no array has."""
    dtype = np.dtype(str(described["dtype"]))
    if dtype.kind not in "biuf":
        raise BadFrame(f"an array of type {dtype}")
    return dtype.itemsize * math.prod(_count(length) for length in described["shape"])


def _count(value: object) -> int:
    """Check that a number is a count."""
    if not isinstance(value, int) or value < 0:
        raise BadFrame(f"{value!r} is no count")
    return value
