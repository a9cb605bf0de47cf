"""The tree with numpy's sums is the tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.learning import tree as pure
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, encode_values
from fl_worker.update import tree as fast

LAYOUT_HASH = b"\x07" * 32
INT32 = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([-(2**31), 2**31 - 1])
MODEL_VALUES = INT32 | st.integers(-(2**44), 2**44)


@given(st.lists(INT32, min_size=1, max_size=700), st.integers(1, 3))
def test_updates_have_equal_roots_and_proofs(values: list[int], repeat: int) -> None:
    data = encode_values(values * repeat, UPDATE_WIDTH)
    root = fast.tree_root(data, UPDATE_WIDTH, LAYOUT_HASH)
    assert root == pure.tree_root(data, UPDATE_WIDTH, LAYOUT_HASH)
    last = (len(values) * repeat - 1) // pure.CHUNK_VALUES
    proof = fast.chunk_proof(data, UPDATE_WIDTH, LAYOUT_HASH, last)
    assert proof == pure.chunk_proof(data, UPDATE_WIDTH, LAYOUT_HASH, last)
    assert pure.verify_chunk(root, proof)


@given(st.lists(MODEL_VALUES, min_size=1, max_size=700))
def test_models_have_equal_roots(values: list[int]) -> None:
    data = encode_values(values, MODEL_WIDTH)
    wanted = pure.tree_root(data, MODEL_WIDTH, LAYOUT_HASH)
    assert fast.tree_root(data, MODEL_WIDTH, LAYOUT_HASH) == wanted


@pytest.mark.parametrize("value", [2**50 - 1, 1 - 2**50, 2**50, -(2**50), 2**63 - 1, -(2**63)])
def test_both_have_the_same_limit(value: int) -> None:
    data = encode_values([value], MODEL_WIDTH)
    if abs(value) < 2**50:
        wanted = pure.tree_root(data, MODEL_WIDTH, LAYOUT_HASH)
        assert fast.tree_root(data, MODEL_WIDTH, LAYOUT_HASH) == wanted
        return
    for tree_root in (pure.tree_root, fast.tree_root):
        with pytest.raises(ValueError, match="too large"):
            tree_root(data, MODEL_WIDTH, LAYOUT_HASH)


@pytest.mark.parametrize(
    ("data", "width", "sentence"),
    [(b"", 4, "without values"), (b"\x00" * 6, 4, "6 bytes"), (b"\x00" * 4, 2, "4 or 8")],
)
def test_both_refuse_the_same_data(data: bytes, width: int, sentence: str) -> None:
    for tree_root in (pure.tree_root, fast.tree_root):
        with pytest.raises(ValueError, match=sentence):
            tree_root(data, width, LAYOUT_HASH)
