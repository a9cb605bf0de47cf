"""A proof made by numpy is the one that the chain's own tree gives, and finds the first fault."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.learning.combine import CombineRule
from app.learning.proof import decode_proof, is_proven_false
from fl_worker.update.proof import WrongRoot, find_false_chunk, prove_false
from tests.learning.test_aggregate_proof import Aggregation, aggregate, aggregations, change_value


def a_case() -> Aggregation:
    """Three updates, one of them twice, in three chunks."""
    chance = Random(7)
    rows = [[chance.randint(-9_999, 9_999) for _ in range(600)] for _ in range(3)]
    return aggregate(CombineRule.MEDIAN, range(600), [*rows, rows[0]], norm_max=100_000)


def bend(data: bytes) -> bytes:
    """The same vector with its first value changed."""
    return bytes([data[0] ^ 1]) + data[1:]


@given(aggregations(), st.data())
def test_both_make_the_same_proof_of_the_first_false_chunk(
    case: Aggregation, data: st.DataObject
) -> None:
    places = data.draw(
        st.lists(st.integers(0, case.claim.value_count - 1), min_size=1, max_size=3, unique=True)
    )
    posted = case.model
    for place in places:
        posted = change_value(posted, place, data.draw(st.sampled_from([-1, 1 << 40])))
    claim = case.with_posted(posted)
    proof = prove_false(claim, case.base, case.updates, posted)
    assert proof == case.prove(min(places) // 256, posted)
    assert is_proven_false(claim, proof)


@given(aggregations())
def test_of_a_right_model_there_is_no_proof(case: Aggregation) -> None:
    assert prove_false(case.claim, case.base, case.updates, case.model) is None


def test_a_false_value_in_the_last_chunk_is_found() -> None:
    case = a_case()
    posted = change_value(case.model, 599, -1)
    claim = case.with_posted(posted)
    proof = prove_false(claim, case.base, case.updates, posted)
    assert proof is not None
    assert decode_proof(claim, proof).index == 2
    assert find_false_chunk(case.model, case.model) is None


def test_bytes_without_their_root_are_named() -> None:
    case = a_case()
    posted = change_value(case.model, 300, 1)
    claim = case.with_posted(posted)
    first = min(case.updates)
    bent = {**case.updates, first: bend(case.updates[first])}
    for arguments, name in (
        ((case.base, case.updates, bend(posted)), "the posted model: these bytes have the root"),
        ((case.base, case.updates, case.model), "the posted model: these bytes have the root"),
        ((case.base, case.updates, posted[:-8]), "the posted model: 4792 bytes"),
        ((bend(case.base), case.updates, posted), "the base model: these bytes have the root"),
        ((case.base, bent, posted), r"updates\[0\]: these bytes have the root"),
    ):
        with pytest.raises(WrongRoot, match=name):
            prove_false(claim, *arguments)


def test_only_updates_that_count_are_needed() -> None:
    case = a_case()
    posted = change_value(case.model, 0, 1)
    needed = dict(sorted(case.updates.items())[:3])
    claim = case.with_posted(posted)
    assert prove_false(claim, case.base, needed, posted) == case.prove(0, posted)
