"""The state root: one path-compressed radix trie a module, and a Merkle map over their roots.

A trie's nodes are hashed as IAVL nodes of version 1, so that standard ICS-23 proofs verify; its
shape depends on the keys alone. A key reads as nine bits a byte: a one, then the byte; a zero ends
it, which keeps the order of keys where one is a prefix of another. Nodes are immutable: a changed
trie shares what did not change, and old roots stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256

from app.kernel.record import write_varint

VERSION_BYTES = b"\x02"
HASH_LENGTH = b"\x20"
LEAF_HEAD = b"\x00\x02" + VERSION_BYTES
"""Of a leaf: height 0, size 1, version 1, each zig-zag."""
MAP_LEAF, MAP_INNER = b"\x00", b"\x01"
"""What the nodes of the map over the modules' roots begin with."""
HEADS_REMEMBERED = 1 << 16
EMPTY_ROOT = sha256(b"").digest()
SENTINEL = b"_"
SENTINEL_VALUE = b"\x01"


class Leaf:
    """One row."""

    __slots__ = ("hash", "key")
    height = 0
    size = 1
    hash: bytes
    key: bytes

    def __init__(self, key: bytes, value: bytes) -> None:
        self.key = key
        self.hash = leaf_hash(LEAF_HEAD, key, value)

    @property
    def last(self) -> bytes:
        """Return the last key, as of an inner node."""
        return self.key


class Inner:
    """Two subtrees whose keys first differ in one bit."""

    __slots__ = ("bit", "hash", "height", "key", "last", "left", "right", "size")
    hash: bytes
    key: bytes
    """The first of all keys here."""
    last: bytes
    """The last of them."""
    height: int
    size: int

    def __init__(self, bit: int, left: Node, right: Node) -> None:
        self.bit = bit
        self.key = left.key
        self.left = left
        self.right = right
        self.last = right.last
        below, other = left.height, right.height
        self.height = height = (below if below > other else other) + 1
        self.size = size = left.size + right.size
        head = inner_head(height, size)
        self.hash = sha256(head + left.hash + HASH_LENGTH + right.hash).digest()


Node = Leaf | Inner
Change = tuple[bytes, bytes | None]


@lru_cache(maxsize=HEADS_REMEMBERED)
def inner_head(height: int, size: int) -> bytes:
    """Return what stands before the children's hashes where an inner node is hashed."""
    head = bytearray()
    write_varint(head, height << 1)
    write_varint(head, size << 1)
    return bytes(head) + VERSION_BYTES + HASH_LENGTH


@lru_cache
def key_head(head: bytes, key_bytes: int) -> bytes:
    """Return what stands before a key where it is hashed."""
    out = bytearray(head)
    write_varint(out, key_bytes)
    return bytes(out)


def leaf_hash(head: bytes, key: bytes, value: bytes) -> bytes:
    """Return the hash of a key and its value, in a trie as in the map over modules."""
    value_hash = sha256(value).digest()
    return sha256(key_head(head, len(key)) + key + HASH_LENGTH + value_hash).digest()


def first_difference(a: bytes, b: bytes) -> int:
    """Return the position of the first bit in which two keys differ, or the end of equal ones."""
    shorter = min(len(a), len(b))
    x = int.from_bytes(a[:shorter], "big") ^ int.from_bytes(b[:shorter], "big")
    if x == 0:
        return 9 * shorter if len(a) != len(b) else 9 * shorter + 1
    leading = 8 * shorter - x.bit_length()
    return 9 * (leading // 8) + 1 + leading % 8


def bit_at(key: bytes, position: int) -> int:
    """Return one bit of a key's nine-bit reading."""
    at, bit = divmod(position, 9)
    if at >= len(key):
        return 0
    return 1 if bit == 0 else key[at] >> (8 - bit) & 1


def split_at(changes: Sequence[Change], low: int, high: int, position: int) -> int:
    """Return where, in sorted keys equal before a bit, those with a one in it begin."""
    while low < high:
        middle = (low + high) // 2
        if bit_at(changes[middle][0], position):
            high = middle
        else:
            low = middle + 1
    return low


def join(bit: int, left: Node | None, right: Node | None) -> Node | None:
    """Return the tree of two subtrees, of which either may be empty."""
    if left is None:
        return right
    return left if right is None else Inner(bit, left, right)


def build(changes: Sequence[Change], low: int, high: int) -> Node | None:
    """Return the tree of sorted rows; rows without a value are left out."""
    if low == high:
        return None
    if high - low == 1:
        key, value = changes[low]
        return None if value is None else Leaf(key, value)
    bit = first_difference(changes[low][0], changes[high - 1][0])
    middle = split_at(changes, low, high, bit)
    return join(bit, build(changes, low, middle), build(changes, middle, high))


def update(node: Node | None, changes: Sequence[Change], low: int, high: int) -> Node | None:
    """Return a tree with sorted changes made; None as a value removes a row."""
    if low == high:
        return node
    if node is None:
        return build(changes, low, high)
    if high - low == 1:
        return change(node, *changes[low])
    bit = node.bit if isinstance(node, Inner) else 9 * len(node.key) + 1
    first, last = changes[low][0], changes[high - 1][0]
    if first < node.key or last > node.last:
        bit = min(bit, first_difference(first, node.key), first_difference(last, node.key))
    middle = split_at(changes, low, high, bit)
    if isinstance(node, Inner) and bit == node.bit:
        left = update(node.left, changes, low, middle)
        right = update(node.right, changes, middle, high)
        return node if left is node.left and right is node.right else join(bit, left, right)
    if bit_at(node.key, bit):
        return join(bit, build(changes, low, middle), update(node, changes, middle, high))
    return join(bit, update(node, changes, low, middle), build(changes, middle, high))


def change(node: Node, key: bytes, value: bytes | None) -> Node | None:
    """Return a tree with one change made."""
    path = list[Inner]()
    found = node
    while isinstance(found, Inner):
        path.append(found)
        found = found.left if key < found.right.key else found.right
    if found.key != key:
        return node if value is None else insert(node, Leaf(key, value))
    below: Node | None = None if value is None else Leaf(key, value)
    for above in reversed(path):
        if key < above.right.key:
            below = join(above.bit, below, above.right)
        else:
            below = join(above.bit, above.left, below)
    return below


def insert(node: Node, leaf: Leaf) -> Node:
    """Return a tree with a leaf whose key it doesn't have."""
    nearest = node
    while isinstance(nearest, Inner):
        nearest = nearest.right if bit_at(leaf.key, nearest.bit) else nearest.left
    return place(node, leaf, first_difference(leaf.key, nearest.key))


def place(node: Node, leaf: Leaf, bit: int) -> Node:
    """Return a tree with a leaf where its key leaves the others: at a bit."""
    if isinstance(node, Inner) and node.bit < bit:
        if bit_at(leaf.key, node.bit):
            return Inner(node.bit, node.left, place(node.right, leaf, bit))
        return Inner(node.bit, place(node.left, leaf, bit), node.right)
    return Inner(bit, node, leaf) if bit_at(leaf.key, bit) else Inner(bit, leaf, node)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, in the shape of RFC 6962."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = find_split(len(leaves))
    halves = merkle_root(leaves[:split]) + merkle_root(leaves[split:])
    return sha256(MAP_INNER + halves).digest()


def find_split(count: int) -> int:
    """Return how many of two or more leaves are on the left: the greatest power of two below."""
    return 1 << ((count - 1).bit_length() - 1)


class Forest:
    """The tries of all modules; immutable."""

    __slots__ = ("trees",)

    def __init__(self, trees: Mapping[bytes, Node] | None = None) -> None:
        self.trees = dict(trees or {})

    def apply(self, changes: Mapping[bytes, bytes | None]) -> Forest:
        """Return the forest with a draft's changes made; keys are `<module>/<row key>`."""
        by_module: dict[bytes, list[Change]] = {}
        for key in sorted(changes):
            module, _, row_key = key.partition(b"/")
            by_module.setdefault(module, []).append((row_key, changes[key]))
        trees = dict(self.trees)
        for module, rows in by_module.items():
            tree = update(trees.pop(module, None), rows, 0, len(rows))
            if tree is not None:
                trees[module] = tree
        return Forest(trees)

    def leaves(self) -> list[bytes]:
        """Return the leaves of the map over the modules' roots, in order of their names."""
        return [leaf_hash(MAP_LEAF, name, tree.hash) for name, tree in sorted(self.trees.items())]

    def root(self) -> bytes:
        """Return the application hash: CometBFT's simple Merkle map of module name to root."""
        return merkle_root(self.leaves())
