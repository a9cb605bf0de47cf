"""The sum tree: its shape, its vectors, and what a proof can't be bent to say."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, encode_values
from app.learning.tree import (
    CHUNK_VALUES,
    SUM_LIMIT,
    ChunkProof,
    Node,
    Root,
    chunk_proof,
    tree_root,
    verify_chunk,
)

LAYOUT_HASH = sha256(b"layout").digest()
COUNTS = (1, 2, 255, 256, 257, 512, 513, 769, 1_280, 1_793)


def pattern(count: int, width: int) -> bytes:
    """The values of the vectors: i × 2654435761 mod 2^20, less 2^19."""
    return encode_values([i * 2_654_435_761 % (1 << 20) - (1 << 19) for i in range(count)], width)


def naive_root(values: list[int], width: int) -> tuple[bytes, int]:
    """The definition, with RFC 6962's own recursion."""

    def climb(leaves: list[tuple[bytes, int]]) -> tuple[bytes, int]:
        if len(leaves) == 1:
            return leaves[0]
        split = 1
        while 2 * split < len(leaves):
            split *= 2
        (left, left_sum), (right, right_sum) = climb(leaves[:split]), climb(leaves[split:])
        content = left + left_sum.to_bytes(16, "big") + right + right_sum.to_bytes(16, "big")
        return sha256(b"\x01" + content).digest(), left_sum + right_sum

    leaves = []
    for index in range(0, len(values), CHUNK_VALUES):
        chunk = values[index : index + CHUNK_VALUES]
        data, total = encode_values(chunk, width), sum(v * v for v in chunk)
        head = (index // CHUNK_VALUES).to_bytes(8, "big") + len(data).to_bytes(4, "big")
        leaves.append((sha256(b"\x00" + head + data + total.to_bytes(16, "big")).digest(), total))
    top, total = climb(leaves)
    shape = len(values).to_bytes(8, "big") + bytes([width]) + LAYOUT_HASH
    return sha256(b"\x02" + shape + top + total.to_bytes(16, "big")).digest(), total


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=1_100))
def test_a_root_follows_the_definition(values: list[int]) -> None:
    for width in (UPDATE_WIDTH, MODEL_WIDTH):
        root = tree_root(encode_values(values, width), width, LAYOUT_HASH)
        assert (root.root, root.sum_squares) == naive_root(values, width)


@pytest.mark.parametrize("count", COUNTS)
def test_every_chunk_is_proved_by_its_path(count: int) -> None:
    data = pattern(count, UPDATE_WIDTH)
    root = tree_root(data, UPDATE_WIDTH, LAYOUT_HASH)
    for index in range(-(-count // CHUNK_VALUES)):
        assert verify_chunk(root, chunk_proof(data, UPDATE_WIDTH, LAYOUT_HASH, index))


def bend_node(node: Node) -> tuple[Node, ...]:
    """A node with another hash, sum or length."""
    flipped = bytes([node.digest[0] ^ 1]) + node.digest[1:]
    return (
        replace(node, digest=flipped),
        replace(node, digest=node.digest[:-1]),
        replace(node, sum_squares=node.sum_squares + 1),
        replace(node, sum_squares=-node.sum_squares - 1),
        replace(node, sum_squares=SUM_LIMIT),
    )


def bend(proof: ChunkProof) -> tuple[ChunkProof, ...]:
    """The proof with one thing changed, in every way that could matter."""
    chunk, path = proof.chunk, proof.path
    first, last = path[0], path[-1]
    return (
        *(replace(proof, value_count=proof.value_count + step) for step in (-1, 1, 256, -256)),
        *(replace(proof, value_count=count) for count in (0, -1, 1 << 64)),
        *(replace(proof, index=index) for index in (-1, proof.index ^ 1, proof.index + 2, 1 << 70)),
        *(replace(proof, width=width) for width in (0, 1, 8, -4)),
        replace(proof, layout_hash=sha256(b"other").digest()),
        replace(proof, layout_hash=b""),
        replace(proof, chunk=bytes([chunk[0] ^ 1]) + chunk[1:]),
        replace(proof, chunk=chunk[:-4]),
        replace(proof, chunk=chunk + b"\x00" * 4),
        replace(proof, chunk=b""),
        replace(proof, path=path[:-1]),
        replace(proof, path=(*path, last)),
        replace(proof, path=(last, *path[1:-1], first)),
        *(replace(proof, path=(node, *path[1:])) for node in bend_node(first)),
        *(replace(proof, path=(*path[:-1], node)) for node in bend_node(last)),
    )


@pytest.mark.parametrize("index", [0, 1, 3, 6])
def test_a_bent_proof_is_refused(index: int) -> None:
    data = pattern(1_793, UPDATE_WIDTH)
    root = tree_root(data, UPDATE_WIDTH, LAYOUT_HASH)
    proof = chunk_proof(data, UPDATE_WIDTH, LAYOUT_HASH, index)
    assert verify_chunk(root, proof)
    for bent in bend(proof):
        assert bent == proof or not verify_chunk(root, bent), bent


def test_a_root_that_claims_another_norm_is_refused() -> None:
    data = pattern(600, UPDATE_WIDTH)
    root = tree_root(data, UPDATE_WIDTH, LAYOUT_HASH)
    proof = chunk_proof(data, UPDATE_WIDTH, LAYOUT_HASH, 1)
    for claimed in (0, root.sum_squares - 1, root.sum_squares + 1, SUM_LIMIT, -1):
        assert not verify_chunk(Root(root.root, claimed), proof)


def test_a_chunk_beyond_the_limit_of_sums_is_refused_quietly() -> None:
    chunk = encode_values([-(2**63)] * 256, MODEL_WIDTH)
    proof = ChunkProof(256, MODEL_WIDTH, LAYOUT_HASH, 0, chunk, ())
    assert not verify_chunk(Root(b"\x00" * 32, 256 << 126), proof)
    assert not verify_chunk(Root(b"\x00" * 32, 1), proof)


@pytest.mark.parametrize(
    ("data", "width", "layout_hash", "sentence"),
    [
        (b"", 4, LAYOUT_HASH, "without values"),
        (b"\x00" * 6, 4, LAYOUT_HASH, "6 bytes"),
        (b"\x00" * 4, 3, LAYOUT_HASH, "4 or 8"),
        (b"\x00" * 4, 4, b"short", "32 bytes"),
        (encode_values([1 << 50], 8), 8, LAYOUT_HASH, "too large"),
    ],
)
def test_what_has_no_root(data: bytes, width: int, layout_hash: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tree_root(data, width, layout_hash)


@pytest.mark.parametrize("index", [-1, 3, 1 << 40])
def test_a_chunk_that_is_not_there_has_no_proof(index: int) -> None:
    with pytest.raises(ValueError, match="there is no chunk"):
        chunk_proof(pattern(600, 4), 4, LAYOUT_HASH, index)


def test_the_published_vectors(vectors: Callable[[str], Any]) -> None:
    trees = []
    for width in (UPDATE_WIDTH, MODEL_WIDTH):
        for count in COUNTS:
            data = pattern(count, width)
            root = tree_root(data, width, LAYOUT_HASH)
            index = (count - 1) // CHUNK_VALUES // 2
            path = chunk_proof(data, width, LAYOUT_HASH, index).path
            trees.append(
                {
                    "value_count": count,
                    "width": width,
                    "root": root.root.hex(),
                    "sum_squares": str(root.sum_squares),
                    "index": index,
                    "path": [[node.digest.hex(), str(node.sum_squares)] for node in path],
                }
            )
    content = {"values": pattern.__doc__, "layout_hash": LAYOUT_HASH.hex(), "trees": trees}
    vectors("learning/tree.json").check(content)
