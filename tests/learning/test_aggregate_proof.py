"""One chunk proves a posted model false: always a false one, never a right one, nothing bent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import isqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.record import U64, U128, Address
from app.learning.combine import CombineRule, clip_values, combine_chunk
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, encode_values
from app.learning.proof import (
    PART_BYTES_MAX,
    AggregateClaim,
    AggregateProof,
    Opening,
    ProofRefused,
    RevealedUpdate,
    counted_updates,
    encode_proof,
    is_proven_false,
    join_proof,
    part_count,
    proof_bytes_max,
    proof_hash,
    split_proof,
)
from app.learning.tree import CHUNK_VALUES, SUM_LIMIT, Node, chunk_proof, tree_root

LAYOUT_HASH = sha256(b"layout").digest()
RULES = (CombineRule.FEDAVG, CombineRule.MEDIAN, CombineRule.TRIMMED_MEAN)
COUNTS = (1, 2, 255, 256, 257, 512, 600, 769)


@dataclass(frozen=True)
class Aggregation:
    """A round's vectors, its right model, and the claim that this model was posted."""

    claim: AggregateClaim
    base: bytes
    updates: dict[Address, bytes]
    model: bytes

    def prove(self, index: int, posted: bytes) -> bytes:
        """The proof of one chunk of a posted model."""
        counted = [self.updates[update.worker] for update in counted_updates(self.claim)]
        proof = AggregateProof(
            U64(index),
            open_at(posted, MODEL_WIDTH, index),
            open_at(self.base, MODEL_WIDTH, index),
            tuple(open_at(update, UPDATE_WIDTH, index) for update in counted),
        )
        return encode_proof(proof)

    def with_posted(self, posted: bytes) -> AggregateClaim:
        """The claim when that model was posted."""
        root = tree_root(posted, MODEL_WIDTH, LAYOUT_HASH).root
        return replace(self.claim, posted_root=root)


def open_at(data: bytes, width: int, index: int) -> Opening:
    """One chunk of a vector and its path."""
    proof = chunk_proof(data, width, LAYOUT_HASH, index)
    return Opening(proof.chunk, proof.path)


def combine_all(claim: AggregateClaim, base: bytes, updates: Sequence[bytes]) -> bytes:
    """The right model, straight from the rules; the updates are those that count."""
    clipped = [
        clip_values(decode_values(data, UPDATE_WIDTH), claim.norm_max, update.sum_squares)
        for data, update in zip(updates, counted_updates(claim), strict=True)
    ]
    weights = [
        min(update.example_count, claim.example_count_max) for update in counted_updates(claim)
    ]
    values = decode_values(base, MODEL_WIDTH)
    return encode_values(
        combine_chunk(claim.rule, values, clipped, weights, claim.trim), MODEL_WIDTH
    )


def aggregate(
    rule: CombineRule,
    base: Sequence[int],
    rows: Sequence[Sequence[int]],
    *,
    weights: Sequence[int] = (),
    **terms: int,
) -> Aggregation:
    """The round of workers 1, 2, … with these updates; `terms` are fields of the claim."""
    updates = {
        Address(bytes([number + 1]) * 20): encode_values(row, UPDATE_WIDTH)
        for number, row in enumerate(rows)
    }
    roots = {who: tree_root(data, UPDATE_WIDTH, LAYOUT_HASH) for who, data in updates.items()}
    weights = weights or [1] * len(rows)
    revealed = tuple(
        RevealedUpdate(who, root.root, root.sum_squares, weight)
        for (who, root), weight in zip(roots.items(), weights, strict=True)
    )
    model_base = encode_values(base, MODEL_WIDTH)
    base_root = tree_root(model_base, MODEL_WIDTH, LAYOUT_HASH).root
    limits = {"trim": 0, "norm_max": 0, "example_count_max": 1 << 32} | terms
    claim = AggregateClaim(b"", base_root, LAYOUT_HASH, len(base), revealed, rule, **limits)
    firsts = [updates[update.worker] for update in counted_updates(claim)]
    model = combine_all(claim, model_base, firsts)
    posted_root = tree_root(model, MODEL_WIDTH, LAYOUT_HASH).root
    claim = replace(claim, posted_root=posted_root)
    return Aggregation(claim, model_base, updates, model)


@st.composite
def aggregations(draw: st.DrawFn) -> Aggregation:
    """One to seven updates, some of them alike, by any rule, clipped or not."""
    rule, count = draw(st.sampled_from(RULES)), draw(st.integers(1, 7))
    chance: Random = draw(st.randoms(use_true_random=False))
    length = draw(st.sampled_from(COUNTS))
    peak = draw(st.sampled_from([1, 1 << 14, (1 << 31) - 1]))
    base = [chance.randint(-(1 << 44), 1 << 44) for _ in range(length)]
    rows = [[chance.randint(-peak, peak) for _ in range(length)] for _ in range(count)]
    if draw(st.booleans()):
        rows[chance.randrange(count)] = rows[0]
    norms = [isqrt(sum(value * value for value in row)) for row in rows]
    unlike = len({tuple(row) for row in rows})
    return aggregate(
        rule,
        base,
        rows,
        weights=draw(st.lists(st.integers(1, 2**40), min_size=count, max_size=count)),
        trim=draw(st.integers(0, (unlike - 1) // 2)),
        norm_max=draw(st.sampled_from([0, 1, max(norms) // 2, max(norms)])),
        example_count_max=draw(st.sampled_from([1, 1_000, 2**40])),
    )


def change_value(model: bytes, place: int, step: int) -> bytes:
    """The model with one value moved."""
    values = decode_values(model, MODEL_WIDTH)
    values[place] += step
    return encode_values(values, MODEL_WIDTH)


def refuse(claim: AggregateClaim, data: bytes, *words: str) -> None:
    """Hold that a proof is refused with these words."""
    with pytest.raises(ProofRefused) as refused:
        is_proven_false(claim, data)
    for word in words:
        assert word in str(refused.value)


def small_case() -> tuple[Aggregation, AggregateClaim, bytes]:
    """Three updates and a short last chunk, in which a value is false; the claim, the proof."""
    rows = [[n * (i % 7 - 3) * 1_000 for i in range(550)] for n in (1, -2, 5)]
    case = aggregate(
        CombineRule.FEDAVG, range(550), rows, weights=(3, 1, 2), norm_max=40_000, trim=1
    )
    posted = change_value(case.model, 540, 1)
    return case, case.with_posted(posted), case.prove(2, posted)


@given(aggregations())
def test_a_right_aggregate_is_never_proven_false(case: Aggregation) -> None:
    for index in range(-(-case.claim.value_count // CHUNK_VALUES)):
        assert not is_proven_false(case.claim, case.prove(index, case.model))


@given(aggregations(), st.data())
def test_a_false_aggregate_is_proven_by_each_chunk_that_is_false(
    case: Aggregation, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, case.claim.value_count - 1))
    step = data.draw(st.sampled_from([-1, 1, 1 << 30, -(1 << 45)]))
    posted = change_value(case.model, place, step)
    claim = case.with_posted(posted)
    for index in range(-(-claim.value_count // CHUNK_VALUES)):
        is_false = is_proven_false(claim, case.prove(index, posted))
        assert is_false == (index == place // CHUNK_VALUES)


@given(aggregations(), st.data())
def test_a_proof_of_another_model_says_nothing(case: Aggregation, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, case.claim.value_count - 1))
    other = change_value(case.model, place, 1)
    refuse(case.claim, case.prove(place // CHUNK_VALUES, other), "posted: chunk and path lead to")


def test_every_byte_of_a_proof_is_bound() -> None:
    _, claim, data = small_case()
    assert is_proven_false(claim, data)
    for at in range(len(data)):
        bent = bytearray(data)
        bent[at] ^= 1 << at % 8
        refuse(claim, bytes(bent))
        refuse(claim, data[:at], "bytes")
    refuse(claim, data + b"\x00", "1 bytes too many")


def test_every_number_of_the_claim_matters() -> None:
    case, claim, data = small_case()
    first = claim.updates[0]
    for other in (
        replace(claim, posted_root=claim.base_root),
        replace(claim, base_root=claim.posted_root),
        replace(claim, layout_hash=sha256(b"other").digest()),
        replace(claim, value_count=549),
        replace(claim, value_count=300),
        replace(claim, updates=claim.updates[1:]),
        replace(claim, updates=(replace(first, update_root=b"\x05" * 32), *claim.updates[1:])),
    ):
        refuse(other, data)
    right = case.prove(2, case.model)
    assert not is_proven_false(case.claim, right)
    for terms in (
        {"rule": CombineRule.MEDIAN},
        {"rule": CombineRule.TRIMMED_MEAN},
        {"norm_max": 0},
        {"example_count_max": 1},
        {"updates": (replace(first, example_count=4), *claim.updates[1:])},
        {"updates": (replace(first, sum_squares=SUM_LIMIT - 1), *claim.updates[1:])},
    ):
        assert is_proven_false(replace(case.claim, **terms), right)


def test_the_order_of_the_claim_is_no_matter_that_of_the_proof_is() -> None:
    _, claim, data = small_case()
    assert is_proven_false(replace(claim, updates=claim.updates[::-1]), data)
    case, claim, _ = small_case()
    posted = change_value(case.model, 540, 1)
    openings = [open_at(data, UPDATE_WIDTH, 2) for data in case.updates.values()]
    models = open_at(posted, MODEL_WIDTH, 2), open_at(case.base, MODEL_WIDTH, 2)
    swapped = AggregateProof(U64(2), *models, tuple(openings[::-1]))
    refuse(claim, encode_proof(swapped), "updates[0]: chunk and path lead to")


def test_identical_updates_are_opened_once() -> None:
    alike, other = [8] * 300, [-1] * 300
    case = aggregate(CombineRule.FEDAVG, [0] * 300, [alike, other, alike], weights=(1, 1, 6))
    assert decode_values(case.model, MODEL_WIDTH)[0] == (8 - 1) // 2
    assert not is_proven_false(case.claim, case.prove(0, case.model))
    model, base = open_at(case.model, MODEL_WIDTH, 1), open_at(case.base, MODEL_WIDTH, 1)
    openings = tuple(open_at(data, UPDATE_WIDTH, 1) for data in case.updates.values())
    thrice = encode_proof(AggregateProof(U64(1), model, base, openings))
    refuse(case.claim, thrice, "updates: 3 are opened, the limit is exactly 2")
    counted_twice = encode_values([(8 - 1 + 8) // 3] * 300, MODEL_WIDTH)
    assert is_proven_false(case.with_posted(counted_twice), case.prove(0, counted_twice))


def test_a_revealed_norm_clips_even_where_it_is_false() -> None:
    case = aggregate(CombineRule.MEDIAN, [0] * 4, [[6, -8, 0, 0]], norm_max=5)
    assert decode_values(case.model, MODEL_WIDTH) == [3, -4, 0, 0]
    update = replace(case.claim.updates[0], sum_squares=20 * 20)
    claim = replace(case.claim, updates=(update,))
    assert is_proven_false(claim, case.prove(0, case.model))
    model = encode_values([1, -2, 0, 0], MODEL_WIDTH)
    claim = replace(claim, posted_root=tree_root(model, MODEL_WIDTH, LAYOUT_HASH).root)
    assert not is_proven_false(claim, case.prove(0, model))


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"rule": CombineRule.TRIMMED_MEAN, "trim": 2}, "3 updates can't lose 2 on each side"),
        ({"rule": CombineRule.UNSPECIFIED}, "no rule says how to combine"),
        ({"example_count_max": 0}, "at least 1"),
    ],
)
def test_what_can_not_be_combined_is_not_false(terms: Any, sentence: str) -> None:
    _, claim, data = small_case()
    refuse(replace(claim, **terms), data, sentence, "none is false")


def test_a_proof_keeps_to_the_shape_of_the_tree() -> None:
    case, claim, _ = small_case()
    posted = change_value(case.model, 540, 1)
    models = open_at(posted, MODEL_WIDTH, 2), open_at(case.base, MODEL_WIDTH, 2)
    updates = tuple(open_at(data, UPDATE_WIDTH, 2) for data in case.updates.values())
    right = AggregateProof(U64(2), *models, updates)
    long = replace(models[0], chunk=models[0].chunk + bytes(8))
    bare = replace(models[1], path=models[1].path[1:])
    large = replace(updates[1], path=(replace(updates[1].path[0], sum_squares=U128(SUM_LIMIT)),))
    short = replace(updates[1], path=(Node(b"\x07" * 31, U128(1)),))
    for wrong, words in (
        (replace(right, index=U64(3)), "index 3: the limit is below 3"),
        (replace(right, index=U64(1)), "posted: 304 bytes of chunk, the limit is exactly 2048"),
        (replace(right, posted=long), "posted: 312 bytes of chunk, the limit is exactly 304"),
        (replace(right, base=bare), "base: 0 nodes of path, the limit is exactly 1"),
        (replace(right, updates=updates[:2]), "updates: 2 are opened, the limit is exactly 3"),
        (replace(right, updates=(updates[0], large, updates[2])), "updates[1]: chunk and path"),
        (replace(right, updates=(updates[0], short, updates[2])), "updates[1]: chunk and path"),
    ):
        refuse(claim, encode_proof(wrong), words)


def test_a_proof_is_never_longer_than_its_limit() -> None:
    values = [(1 << 31) - 1] * 1_100
    case = aggregate(CombineRule.MEDIAN, [(1 << 44) - 1] * 1_100, [values, [1] * 1_100])
    data, limit = case.prove(0, case.model), proof_bytes_max(case.claim)
    assert not is_proven_false(case.claim, data)
    assert 0 < limit - len(data) < len(data) // 10
    refuse(case.claim, data + bytes(limit + 1 - len(data)), f"the limit is {limit}")


def test_a_proof_in_parts_is_joined_in_one_way() -> None:
    data = bytes(range(251)) * 2_500
    parts = split_proof(data)
    assert [len(part) for part in parts] == [PART_BYTES_MAX, PART_BYTES_MAX, 103_212]
    assert part_count(len(data)) == 3
    named = proof_hash(data)
    assert join_proof(parts, named) == data
    for wrong, words in (
        ((parts[1], parts[0], parts[2]), "joined they have the hash"),
        (parts[:2], "joined they have the hash"),
        ((*parts, b""), "the limit is exactly 262144"),
        ((parts[0][:-1], parts[0][-1:] + parts[1], parts[2]), "the limit is exactly 262144"),
    ):
        with pytest.raises(ProofRefused, match=words):
            join_proof(wrong, named)


def test_a_proof_of_whole_parts_has_no_empty_one() -> None:
    data = bytes(2 * PART_BYTES_MAX)
    assert [len(part) for part in split_proof(data)] == [PART_BYTES_MAX] * 2
    assert join_proof(split_proof(data), proof_hash(data)) == data


def outcome(claim: AggregateClaim, data: bytes) -> str:
    """What a vector says of a proof."""
    try:
        return "FALSE" if is_proven_false(claim, data) else "RIGHT"
    except ProofRefused:
        return "REFUSED"


def test_the_published_vectors(vectors: Callable[[str], Any]) -> None:
    rows = [[n * (i % 7 - 3) * 1_000 for i in range(270)] for n in (1, -2, 5, 1)]
    cases = []
    for rule, trim, norm_max in ((RULES[0], 0, 0), (RULES[1], 0, 40_000), (RULES[2], 1, 40_000)):
        case = aggregate(rule, range(270), rows, weights=(3, 1, 9, 2), trim=trim, norm_max=norm_max)
        posted = change_value(case.model, 262, 1)
        false, right = case.prove(1, posted), case.prove(1, case.model)
        bent = false[:-1] + bytes([false[-1] ^ 1])
        pairs = ((case.with_posted(posted), false), (case.claim, right), (case.claim, false))
        for claim, data in (*pairs, (case.with_posted(posted), bent)):
            cases.append(
                {
                    "posted_root": claim.posted_root.hex(),
                    "base_root": claim.base_root.hex(),
                    "layout_hash": LAYOUT_HASH.hex(),
                    "value_count": claim.value_count,
                    "updates": [
                        {
                            "worker": update.worker.hex(),
                            "update_root": update.update_root.hex(),
                            "sum_squares": str(update.sum_squares),
                            "example_count": update.example_count,
                        }
                        for update in claim.updates
                    ],
                    "rule": rule.name,
                    "trim": trim,
                    "norm_max": norm_max,
                    "example_count_max": claim.example_count_max,
                    "proof": data.hex(),
                    "outcome": outcome(claim, data),
                }
            )
    assert [case["outcome"] for case in cases] == ["FALSE", "RIGHT", "REFUSED", "REFUSED"] * 3
    vectors("learning/aggregate_proof.json").check(cases)
