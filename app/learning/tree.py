"""A Merkle sum tree over a vector: one chunk proves a false norm, range, length or result.

A chunk is 256 values, the last one short. Each node carries the sum of the squares below it, 16
bytes and less than 2^100; whoever verifies computes it from the chunk. The shape is RFC 6962's.
Values are little-endian, every other number big-endian; H is SHA-256.

    leaf = H(0 ‖ u64 index ‖ u32 size of the chunk ‖ chunk ‖ sum)
    node = H(1 ‖ left ‖ sum on the left ‖ right ‖ sum on the right)
    root = H(2 ‖ u64 value count ‖ u8 value width ‖ layout hash ‖ top node ‖ sum)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from app.kernel.frozen import frozen
from app.kernel.record import U128
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, value_count

CHUNK_VALUES = 256
SUM_LIMIT = 1 << 100
HASH_BYTES = 32


@frozen
class Root:
    """What stands for a whole vector: a hash of 32 bytes, and the sum of squares that it binds."""

    root: bytes
    sum_squares: int


@frozen
class Node:
    """A hash of 32 bytes within the tree, and the sum of squares below it."""

    digest: bytes
    sum_squares: U128


@frozen
class SumTree:
    """All nodes over a vector: `levels` from the leaves up to the top.

    A node is 48 bytes, as it is hashed in the one above: its hash and the sum below it.
    """

    data: bytes
    width: int
    layout_hash: bytes
    levels: tuple[tuple[bytes, ...], ...]


@frozen
class ChunkProof:
    """A chunk and what its root is made of: `path` has the siblings from the leaf upwards."""

    value_count: int
    width: int
    layout_hash: bytes
    index: int
    chunk: bytes
    path: tuple[Node, ...]


def tree_root(data: bytes, width: int, layout_hash: bytes) -> Root:
    """Return the root of a vector of 4-byte or 8-byte values."""
    return root_of(build_tree(data, width, layout_hash, chunk_sums(data, width)))


def chunk_proof(data: bytes, width: int, layout_hash: bytes, index: int) -> ChunkProof:
    """Return the proof of one chunk of a vector, counted from 0."""
    return proof_of(build_tree(data, width, layout_hash, chunk_sums(data, width)), index)


def verify_chunk(root: Root, proof: ChunkProof) -> bool:
    """Whether the root commits to this chunk at this index, with this length, width and layout."""
    return find_root(proof) == root


def find_root(proof: ChunkProof) -> Root | None:
    """Return the one root that commits to a chunk by its path, or None if none can."""
    if not is_well_formed(proof):
        return None
    total = sum_of_squares(proof.chunk, proof.width)
    if total + sum(node.sum_squares for node in proof.path) >= SUM_LIMIT:
        return None
    node = leaf(proof.index, proof.chunk, total)
    for sibling, is_left in zip(proof.path, sides(proof.index, proof.value_count), strict=True):
        total += sibling.sum_squares
        other = sibling.digest + sum_bytes(sibling.sum_squares)
        node = parent(other, node, total) if is_left else parent(node, other, total)
    return seal(node, proof.value_count, proof.width, proof.layout_hash)


def is_well_formed(proof: ChunkProof) -> bool:
    """Whether each part of a proof has the size that its length and index ask."""
    chunk_values = min(CHUNK_VALUES, proof.value_count - proof.index * CHUNK_VALUES)
    return (
        proof.width in (UPDATE_WIDTH, MODEL_WIDTH)
        and proof.index >= 0
        and chunk_values > 0
        and proof.value_count < 1 << 64
        and len(proof.layout_hash) == HASH_BYTES
        and len(proof.chunk) == chunk_values * proof.width
        and len(proof.path) == len(tuple(sides(proof.index, proof.value_count)))
        and all(len(node.digest) == HASH_BYTES and node.sum_squares >= 0 for node in proof.path)
    )


def sides(index: int, count: int) -> Iterator[bool]:
    """Yield, from a chunk upwards, whether its sibling is on the left; a lone node has none."""
    nodes = -(-count // CHUNK_VALUES)
    while nodes > 1:
        if index ^ 1 < nodes:
            yield index & 1 == 1
        index >>= 1
        nodes = (nodes + 1) >> 1


def sum_of_squares(chunk: bytes, width: int) -> int:
    """Return the sum of the squares of the values."""
    return sum(value * value for value in decode_values(chunk, width))


def chunk_sums(data: bytes, width: int) -> list[int]:
    """Return each chunk's sum of squares."""
    return [sum_of_squares(chunk, width) for chunk in chunks(data, width)]


def chunks(data: bytes, width: int) -> Iterator[bytes]:
    """Yield the chunks of a vector; the last one may be shorter."""
    step = CHUNK_VALUES * width
    return (data[start : start + step] for start in range(0, len(data), step))


def build_tree(data: bytes, width: int, layout_hash: bytes, sums: Sequence[int]) -> SumTree:
    """Return the tree over a vector whose chunks have these sums of squares.

    ValueError for an empty vector, or if the squares sum to 2^100 or more.
    """
    if not value_count(data, width):
        raise ValueError("a vector without values has no root")
    if len(layout_hash) != HASH_BYTES:
        raise ValueError(f"a layout hash has {HASH_BYTES} bytes, not {len(layout_hash)}")
    if sum(sums) >= SUM_LIMIT:
        raise ValueError("the values are too large: their squares must sum to less than 2^100")
    pairs = zip(chunks(data, width), sums, strict=True)
    levels = [tuple([leaf(index, chunk, own_sum) for index, (chunk, own_sum) in enumerate(pairs)])]
    while len(levels[-1]) > 1:
        below = levels[-1]
        joined = [left + right for left, right in zip(sums[::2], sums[1::2])]
        sums = joined + list(sums[2 * len(joined) :])  # a lone last node rises as it is
        level = tuple(map(parent, below[::2], below[1::2], joined))
        levels.append(level + below[2 * len(joined) :])
    return SumTree(data, width, layout_hash, tuple(levels))


def root_of(tree: SumTree) -> Root:
    """Return the root of a tree."""
    top = tree.levels[-1][0]
    return seal(top, value_count(tree.data, tree.width), tree.width, tree.layout_hash)


def proof_of(tree: SumTree, index: int) -> ChunkProof:
    """Return the proof of one chunk, counted from 0; ValueError if there is none of that index."""
    leaf_count = len(tree.levels[0])
    if not 0 <= index < leaf_count:
        raise ValueError(f"there is no chunk {index}: the vector has {leaf_count}, counted from 0")
    steps = ((level, index >> height ^ 1) for height, level in enumerate(tree.levels))
    path = tuple(split_node(level[sibling]) for level, sibling in steps if sibling < len(level))
    step = CHUNK_VALUES * tree.width
    chunk = tree.data[index * step : (index + 1) * step]
    count = value_count(tree.data, tree.width)
    return ChunkProof(count, tree.width, tree.layout_hash, index, chunk, path)


def leaf(index: int, chunk: bytes, own_sum: int) -> bytes:
    """Return the node of a chunk."""
    place = index.to_bytes(8, "big") + len(chunk).to_bytes(4, "big")
    last = sum_bytes(own_sum)
    return sha256(b"\x00" + place + chunk + last).digest() + last


def parent(left: bytes, right: bytes, own_sum: int) -> bytes:
    """Return the node above two whose sums add up to this."""
    return sha256(b"\x01" + left + right).digest() + sum_bytes(own_sum)


def split_node(node: bytes) -> Node:
    """Return the hash and the sum that a node's bytes hold."""
    return Node(node[:HASH_BYTES], U128(int.from_bytes(node[HASH_BYTES:], "big")))


def seal(top: bytes, count: int, width: int, layout_hash: bytes) -> Root:
    """Return the root that binds a tree to the length, width and layout of its vector."""
    shape = count.to_bytes(8, "big") + width.to_bytes(1, "big") + layout_hash
    return Root(sha256(b"\x02" + shape + top).digest(), split_node(top).sum_squares)


def sum_bytes(sum_squares: int) -> bytes:
    """Return a sum of squares as 16 bytes, big-endian."""
    return sum_squares.to_bytes(16, "big")
