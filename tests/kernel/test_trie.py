"""The root depends on the rows alone, whatever way they came about."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.crypto import sha256
from app.kernel.trie import EMPTY_ROOT, Forest, Inner, Leaf, first_difference

KEYS = st.binary(min_size=1, max_size=4).map(lambda key: b"m/" + key)
VALUES = st.one_of(st.none(), st.binary(min_size=1, max_size=2))
BATCHES = st.lists(st.dictionaries(KEYS, VALUES, max_size=12), max_size=6)


def naive_root(rows: dict[bytes, bytes]) -> bytes:
    """The module's root by its definition, without any incremental step."""

    def bits(key: bytes) -> str:
        return "".join("1" + format(byte, "08b") for byte in key) + "0"

    def varint(number: int) -> bytes:
        out = b""
        while number > 127:
            out, number = out + bytes([number & 127 | 128]), number >> 7
        return out + bytes([number])

    def build(keys: list[bytes]) -> tuple[bytes, int, int]:
        if len(keys) == 1:
            (key,) = keys
            value = hashlib.sha256(rows[key]).digest()
            leaf = b"\x00\x02\x02" + varint(len(key)) + key + b"\x20" + value
            return hashlib.sha256(leaf).digest(), 0, 1
        position = next(
            i for i in range(10_000) if len({bits(k).ljust(10_000, "0")[i] for k in keys}) == 2
        )
        halves = [[k for k in keys if bits(k).ljust(10_000, "0")[position] == b] for b in "01"]
        (left, left_height, left_size), (right, right_height, right_size) = map(build, halves)
        height, size = 1 + max(left_height, right_height), left_size + right_size
        head = varint(2 * height) + varint(2 * size) + b"\x02"
        node = head + b"\x20" + left + b"\x20" + right
        return hashlib.sha256(node).digest(), height, size

    return build(sorted(rows))[0] if rows else hashlib.sha256(b"").digest()


@given(BATCHES)
def test_the_root_follows_from_the_rows_alone(batches: list[dict[bytes, bytes | None]]) -> None:
    forest, rows = Forest(), dict[bytes, bytes]()
    for batch in batches:
        forest = forest.apply(batch)
        for key, value in batch.items():
            rows.pop(key, None)
            if value is not None:
                rows[key] = value
    tree = forest.trees.get(b"m")
    root = EMPTY_ROOT if tree is None else tree.hash
    assert root == naive_root({key.removeprefix(b"m/"): value for key, value in rows.items()})
    assert forest.root() == Forest().apply(rows).root()


@given(BATCHES)
def test_an_old_root_stays_readable(batches: list[dict[bytes, bytes | None]]) -> None:
    forest, roots = Forest(), []
    for batch in batches:
        forest = forest.apply(batch)
        roots.append((forest, forest.root()))
    assert all(old.root() == root for old, root in roots)


def test_a_key_may_begin_with_another() -> None:
    tree = Forest().apply({b"m/a": b"1", b"m/ab": b"2"}).trees[b"m"]
    assert isinstance(tree, Inner)
    assert (tree.left.key, tree.right.key) == (b"a", b"ab")
    assert first_difference(b"a", b"ab") == 9


def test_the_application_hash_is_the_simple_map_over_the_modules_roots() -> None:
    one = Forest().apply({b"a/k": b"1"})
    leaf = Leaf(b"k", b"1").hash
    assert one.root() == sha256(b"\x00\x01a\x20" + sha256(leaf))
    two = one.apply({b"b/k": b"1"})
    other = sha256(b"\x00\x01b\x20" + sha256(leaf))
    assert two.root() == sha256(b"\x01" + one.root() + other)
