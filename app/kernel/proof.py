"""Proofs that a key of a module has a value, or has none, under an application hash.

A proof has two stages, both in the form of ICS-23: of the key under its module's root (spec
`ics23:iavl`), then of that root under the application hash (`ics23:simple`). A key that is there is
proved by the hashes along the way from its leaf to the root. One that isn't is proved by its two
neighbours, which stand side by side; at an end of the keys there is but one. Every module has a row
from genesis on, its sentinel, so that there is always a neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.kernel.crypto import sha256
from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.record import Malformed, read_varint
from app.kernel.store import Reader
from app.kernel.trie import (
    HASH_LENGTH,
    LEAF_HEAD,
    MAP_INNER,
    MAP_LEAF,
    Forest,
    Inner,
    Node,
    find_split,
    inner_head,
    leaf_hash,
    merkle_root,
)

HASH_BYTES = 32


class ProofRefused(Exception):
    """A proof that doesn't show what it should; the text says where it fails."""


@frozen
class Step:
    """One node above: what stands before and after the hash of the node below."""

    prefix: bytes
    suffix: bytes


@frozen
class Existence:
    """A key, its value, and the way from the leaf up to the root."""

    key: bytes
    value: bytes
    leaf_head: bytes
    path: tuple[Step, ...]


@frozen
class Absence:
    """The nearest keys on both sides of one that isn't there; None at an end."""

    key: bytes
    left: Existence | None
    right: Existence | None


@frozen
class StateProof:
    """Both stages: of a key under its module's root, of that root under the application hash."""

    row: Existence | Absence
    module: Existence


def prove(state: Reader, forest: Forest, module: bytes, key: bytes) -> StateProof:
    """Return the proof of what a module's key holds; `forest` has the tries of `state`.

    KeyError: there is no such module.
    """
    tree = forest.trees[module]
    left, right = find_neighbours(tree, key)
    if left == key:
        row: Existence | Absence = prove_row(state, tree, module, key)
    else:
        row = Absence(
            key,
            None if left is None else prove_row(state, tree, module, left),
            None if right is None else prove_row(state, tree, module, right),
        )
    return StateProof(row, prove_module(forest, module))


def find_neighbours(tree: Node, key: bytes) -> tuple[bytes | None, bytes | None]:
    """Return the greatest key up to this one, which may be itself, and the smallest above it."""
    above = None
    while isinstance(tree, Inner):
        if key < tree.right.key:
            above, tree = tree.right.key, tree.left
        else:
            tree = tree.right
    return (tree.key, above) if tree.key <= key else (None, tree.key)


def prove_row(state: Reader, tree: Node, module: bytes, key: bytes) -> Existence:
    """Return the proof of a key that is there under its module's root."""
    path = []
    while isinstance(tree, Inner):
        head = inner_head(tree.height, tree.size)
        if key < tree.right.key:
            path.append(Step(head, HASH_LENGTH + tree.right.hash))
            tree = tree.left
        else:
            path.append(Step(head + tree.left.hash + HASH_LENGTH, b""))
            tree = tree.right
    value = state.get(module + b"/" + key) or broken(f"a trie has {key!r}, the state has not")
    return Existence(key, value, LEAF_HEAD, tuple(reversed(path)))


def prove_module(forest: Forest, module: bytes) -> Existence:
    """Return the proof of a module's root under the application hash."""
    path = prove_leaf(forest.leaves(), sorted(forest.trees).index(module))
    return Existence(module, forest.trees[module].hash, MAP_LEAF, tuple(path))


def prove_leaf(leaves: Sequence[bytes], at: int) -> list[Step]:
    """Return the way from one leaf of a Merkle tree up to its root."""
    if len(leaves) == 1:
        return []
    split = find_split(len(leaves))
    left, right = leaves[:split], leaves[split:]
    if at < split:
        return [*prove_leaf(left, at), Step(MAP_INNER, merkle_root(right))]
    return [*prove_leaf(right, at - split), Step(MAP_INNER + merkle_root(left), b"")]


def verify(proof: StateProof, app_hash: bytes, module: bytes, key: bytes) -> bytes | None:
    """Return what a key holds as the proof shows, None if nothing; else `ProofRefused`."""
    root = proof.module
    for step in root.path:
        is_left_in_map(step)
    check(root.key == module, "it is about another module")
    check(root.leaf_head == MAP_LEAF, "its way to the application hash begins at no leaf")
    check(compute_root(root) == app_hash, "it leads to another application hash")
    row = proof.row
    check(row.key == key, "it is about another key")
    if isinstance(row, Existence):
        check_row(row, root.value)
        return row.value
    check_absence(row, root.value)
    return None


def check_row(proof: Existence, root: bytes) -> list[bool]:
    """Return for each step up to a module's root whether it comes from the left."""
    sides = [is_left_in_trie(step) for step in proof.path]
    check(proof.leaf_head == LEAF_HEAD, "its way begins at no leaf")
    check(compute_root(proof) == root, "it leads to another root of the module")
    return sides


def check_absence(proof: Absence, root: bytes) -> None:
    """Refuse neighbours that aren't on both sides of the key, side by side."""
    left, right = proof.left, proof.right
    left_sides = [] if left is None else check_row(left, root)[::-1]
    right_sides = [] if right is None else check_row(right, root)[::-1]
    check(left is None or left.key < proof.key, "its left neighbour isn't below the key")
    check(right is None or proof.key < right.key, "its right neighbour isn't above the key")
    if left is not None and right is not None:
        shared = count_shared(left.path[::-1], right.path[::-1])
        left_sides, right_sides = left_sides[shared:], right_sides[shared:]
        parted = left_sides[:1] == [True] and right_sides[:1] == [False]
        check(parted, "its neighbours are in the wrong order")
        left_sides, right_sides = left_sides[1:], right_sides[1:]
    check(left is not None or right is not None, "it has no neighbour")
    check(not any(left_sides) and all(right_sides), "its neighbours aren't side by side")


def count_shared(left: Sequence[Step], right: Sequence[Step]) -> int:
    """Return how many steps from the root two ways have in common."""
    count = 0
    while count < min(len(left), len(right)) and left[count] == right[count]:
        count += 1
    return count


def is_left_in_map(step: Step) -> bool:
    """Whether a step in the map over modules comes from the left."""
    check(step.prefix.startswith(MAP_INNER), "a node of the map isn't one")
    return is_left(step, len(MAP_INNER), HASH_BYTES)


def is_left_in_trie(step: Step) -> bool:
    """Whether a step in a trie comes from the left."""
    try:
        height, at = read_varint(step.prefix, 0)
        size, _ = read_varint(step.prefix, at)
    except Malformed:
        raise ProofRefused("a node of the trie isn't one") from None
    head = inner_head(height >> 1, size >> 1)
    check(height > 0 and step.prefix.startswith(head), "a node of the trie isn't one")
    return is_left(step, len(head), len(HASH_LENGTH) + HASH_BYTES)


def is_left(step: Step, head_bytes: int, child_bytes: int) -> bool:
    """Whether the other child follows, rather than precede; a node has exactly two."""
    rest = len(step.prefix) - head_bytes, len(step.suffix)
    check(rest in ((0, child_bytes), (child_bytes, 0)), "a node hasn't two children")
    return rest[0] == 0


def compute_root(proof: Existence) -> bytes:
    """Return the root that a way leads to."""
    node = leaf_hash(proof.leaf_head, proof.key, proof.value)
    for step in proof.path:
        node = sha256(step.prefix + node + step.suffix)
    return node


def check(is_so: bool, words: str) -> None:
    """Refuse the proof unless something is so."""
    if not is_so:
        raise ProofRefused(words)
