"""The sum tree of app.learning with its sums taken by numpy: the same roots and proofs, fast."""

from __future__ import annotations

import numpy as np

from app.sdk.protocol import (
    CHUNK_VALUES,
    ChunkProof,
    Root,
    build_tree,
    proof_of,
    root_of,
    value_count,
)
from fl_worker.update.combine import peak

SQUARE_BITS = 27  # 256 squares of values below 2^27 fit 64 bits
HALF_BITS = 25  # a value below 2^50 is cut in two, so that 256 products of halves fit 64 bits


def tree_root(data: bytes, width: int, layout_hash: bytes) -> Root:
    """Return the root of a vector of 4-byte or 8-byte values."""
    return root_of(build_tree(data, width, layout_hash, chunk_sums(data, width)))


def chunk_proof(data: bytes, width: int, layout_hash: bytes, index: int) -> ChunkProof:
    """Return the proof of one chunk of a vector, counted from 0."""
    return proof_of(build_tree(data, width, layout_hash, chunk_sums(data, width)), index)


def chunk_sums(data: bytes, width: int) -> list[int]:
    """Return each chunk's sum of squares; ValueError for a value that is beyond any tree."""
    values = np.frombuffer(data, f"<i{width}", value_count(data, width)).astype(np.int64)
    starts = np.arange(0, values.size, CHUNK_VALUES)
    largest = peak(values)
    if largest < 1 << SQUARE_BITS:
        return list(np.add.reduceat(values * values, starts).tolist())
    if largest > 1 << 2 * HALF_BITS:
        raise ValueError("the values are too large: their squares must sum to less than 2^100")
    high, low = values >> HALF_BITS, values & ((1 << HALF_BITS) - 1)
    products = (high * high, high * low, low * low)
    sums = (np.add.reduceat(product, starts).tolist() for product in products)
    return [
        (square_high << 2 * HALF_BITS) + (both << HALF_BITS + 1) + square_low
        for square_high, both, square_low in zip(*sums, strict=True)
    ]
