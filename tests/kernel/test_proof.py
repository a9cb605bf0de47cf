"""What a key holds can be proved, and nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.proof import Absence, ProofRefused, StateProof, find_neighbours, verify
from app.kernel.trie import SENTINEL, SENTINEL_VALUE, Inner, Node
from tests.build_proofs import STORE, State, a_state, tampered

KEYS = st.binary(min_size=1, max_size=4)


@given(st.dictionaries(KEYS, st.binary(min_size=1, max_size=2), max_size=20), st.lists(KEYS))
def test_each_key_there_or_not_is_proved(rows: dict[bytes, bytes], others: list[bytes]) -> None:
    state = State({SENTINEL: SENTINEL_VALUE, **rows})
    for key in (*rows, SENTINEL, *others):
        value = state.store.get(STORE + b"/" + key)
        assert state.verify(state.prove(key), key) == value


def test_every_change_to_a_proof_is_refused() -> None:
    state, refused = a_state(60), 0
    keys = [key.removeprefix(b"bank/") for key in state.rows if key.startswith(b"bank/")]
    for key in (*keys, *(key + b"x" for key in keys), b"\0", b"\xff" * 30):
        for proof in tampered(state.prove(key)):
            with pytest.raises(ProofRefused):
                state.verify(proof, key)
            refused += 1
    assert refused > 5_000


def test_a_proof_shows_nothing_about_another_key_module_or_root() -> None:
    state = a_state(60)
    for key in (sha256(b"0").digest()[:2], b"absent"):
        proof = state.prove(key)
        with pytest.raises(ProofRefused, match="another key"):
            state.verify(proof, b"other")
        with pytest.raises(ProofRefused, match="another module"):
            verify(proof, state.forest.root(), b"auth", key)
        with pytest.raises(ProofRefused, match="another application hash"):
            verify(proof, a_state(61).forest.root(), STORE, key)


def test_neighbours_that_are_not_side_by_side_prove_no_absence() -> None:
    state = State({b"%02d" % at: b"x" for at in range(40)})
    ways = {at: state.prove(b"%02d" % at).row for at in range(40)}
    module = state.prove(b"00").module
    for left, right in ((10, 13), (0, 39), (15, 17), (7, 9)):
        forged = StateProof(Absence(b"%02dx" % left, ways[left], ways[right]), module)
        with pytest.raises(ProofRefused, match="side by side"):
            state.verify(forged, b"%02dx" % left)
    with pytest.raises(ProofRefused, match="side by side"):
        state.verify(StateProof(Absence(b"99", ways[38], None), module), b"99")
    with pytest.raises(ProofRefused, match="side by side"):
        state.verify(StateProof(Absence(b"!", None, ways[1]), module), b"!")
    with pytest.raises(ProofRefused, match="above the key"):
        state.verify(StateProof(Absence(b"20", ways[19], ways[20]), module), b"20")


def test_a_store_with_nothing_but_its_sentinel_proves_that_all_else_is_absent() -> None:
    state = State({SENTINEL: SENTINEL_VALUE})
    for key in (b"\0", b"A", b"_\0", b"z"):
        proof = state.prove(key)
        assert state.verify(proof, key) is None
        assert isinstance(proof.row, Absence)
        assert (proof.row.left is None) == (key < SENTINEL)
    assert state.verify(state.prove(SENTINEL), SENTINEL) == SENTINEL_VALUE


def test_keys_that_begin_with_one_another_are_told_apart() -> None:
    keys = [b"a" * length for length in range(1, 40)] + [b"a" * 7 + b"\0" * 3]
    state = State(dict.fromkeys(keys, b"v"))
    for key in keys:
        assert state.verify(state.prove(key), key) == b"v"
        assert state.verify(state.prove(key + b"\0"), key + b"\0") is None


@given(st.lists(KEYS, min_size=1, unique=True), KEYS)
def test_neighbours_are_the_nearest_keys(keys: list[bytes], key: bytes) -> None:
    tree = State(dict.fromkeys(keys, b"v")).forest.trees[STORE]
    below = [each for each in keys if each <= key]
    above = [each for each in keys if each > key]
    found = find_neighbours(tree, key)
    assert found[0] == (max(below) if below else None)
    if found[0] != key:
        assert found[1] == (min(above) if above else None)


def compute_depth(tree: Node) -> int:
    return tree.height if isinstance(tree, Inner) else 0


def test_proofs_grow_with_the_logarithm_of_the_keys() -> None:
    tree = State({sha256(b"%d" % at).digest()[:20]: b"v" for at in range(4_096)}).forest
    assert compute_depth(tree.trees[STORE]) < 40
