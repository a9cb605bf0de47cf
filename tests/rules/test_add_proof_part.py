"""AddProofPart: a long proof comes in parts, in order, each full but the last, within its time."""

from dataclasses import replace

import pytest

from app.kernel.context import Context
from app.kernel.record import U32, U64, U128
from app.kernel.store import Overlay
from app.learning import proof
from app.learning.combine import CombineRule, combine_chunk
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, encode_values
from app.modules import rounds
from app.modules.disputes import DISPUTES, AddProofPart, DisputePhase, OpenChallenge
from app.modules.disputes.challenge import (
    NotTheChallenger,
    TooLate,
    WrongDisputePhase,
    WrongPart,
    WrongPartSize,
    add_proof_part,
    commit_challenge,
    open_challenge,
)
from app.modules.disputes.lifecycle import NoSuchDispute
from app.modules.disputes.records import PARTS, DisputePhaseChanged, ProofPart, ProofPartAdded
from app.modules.disputes.verdict import find_fault
from app.modules.rounds import RoundPhase, SeatState
from tests.build import FLT, RICH, an_address
from tests.build_disputes import BASE, Court, a_court, a_salt, open_at, root_of, train

PART_BYTES = 800


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> tuple[Court, int]:
    """A dispute of which the first of four short parts is there."""
    monkeypatch.setattr(proof, "PART_BYTES_MAX", PART_BYTES)
    court = a_court().to_challenge(lie=1)
    dispute_id = court.commit(court.stranger, court.proof())
    court.play.world.run(court.opening(dispute_id))
    assert court.dispute(dispute_id).part_count == 4
    return court, dispute_id


def test_parts_arrive_one_after_the_other_and_are_checked_as_one(
    opened: tuple[Court, int],
) -> None:
    court, dispute_id = opened
    world = court.play.world
    for number in (1, 2, 3):
        assert court.dispute(dispute_id).received_count == number
        assert len(list(PARTS.items(world.state))) == number
        world.run(court.part(dispute_id, number))
        assert court.play.round().phase is RoundPhase.CHALLENGE
    assert court.phase(dispute_id) is DisputePhase.COMPLETE
    world.pass_block()
    assert court.phase(dispute_id) is DisputePhase.UPHELD
    assert court.play.round().phase is RoundPhase.VOIDED
    assert [event.part for event in world.said(ProofPartAdded)] == [0, 1, 2, 3]
    assert list(PARTS.items(world.state)) == []


@pytest.mark.parametrize("number", [0, 2, 3, 4])
def test_parts_come_in_order(opened: tuple[Court, int], number: int) -> None:
    court, dispute_id = opened
    wrong = replace(court.part(dispute_id, 1), number=U32(number))
    court.play.world.refused(wrong, WrongPart, f"number {number}", "next part 1 of 4")


@pytest.mark.parametrize("size", [0, PART_BYTES - 1, PART_BYTES + 1])
def test_each_part_but_the_last_is_full(opened: tuple[Court, int], size: int) -> None:
    court, dispute_id = opened
    wrong = court.part(dispute_id, 1, part=bytes(size))
    court.play.world.refused(wrong, WrongPartSize, size, f"{PART_BYTES} to {PART_BYTES}")


def test_a_part_is_not_added_before_the_opening() -> None:
    court = a_court().to_challenge(lie=1)
    dispute_id = court.commit(court.stranger, court.proof())
    wrong = court.part(dispute_id, 0)
    court.play.world.refused(wrong, WrongDisputePhase, "COMMITTED", "OPENED")


def test_a_part_belongs_to_a_dispute_of_its_challenger(opened: tuple[Court, int]) -> None:
    court, dispute_id = opened
    world = court.play.world
    world.refused(court.part(dispute_id, 1, dispute_id=U64(9)), NoSuchDispute, 9)
    other = court.part(dispute_id, 1, challenger=court.play.workers[0])
    world.refused(other, NotTheChallenger, dispute_id)


def test_parts_come_within_two_minutes_of_the_opening(opened: tuple[Court, int]) -> None:
    court, dispute_id = opened
    world, deadline = court.play.world, court.dispute(dispute_id).deadline_clock_ms
    world.block = replace(world.block, height=world.block.height + 1, clock_ms=deadline)
    world.refused(court.part(dispute_id, 1), TooLate, deadline)
    world.pass_block()
    assert court.phase(dispute_id) is DisputePhase.EXPIRED
    assert world.balance("treasury") == 10 * FLT
    assert world.balance(court.stranger) == RICH - 10 * FLT
    assert list(PARTS.items(world.state)) == []


def test_parts_that_are_not_the_announced_proof_cost_the_deposit(
    opened: tuple[Court, int],
) -> None:
    court, dispute_id = opened
    world = court.play.world
    for number in (1, 2):
        world.run(court.part(dispute_id, number))
    world.run(court.part(dispute_id, 3, part=b"\x00"))
    world.pass_block()
    assert court.phase(dispute_id) is DisputePhase.REFUTED
    reason = world.said(DisputePhaseChanged)[-1].reason
    assert "joined they have the hash" in reason


def test_a_proof_over_256_updates_comes_in_two_parts_of_256_kib() -> None:
    court = a_court().to_challenge()
    play, draft = court.play, Overlay(court.play.world.state)
    base_root, first = play.round().base_root, play.seats()[0]
    workers = [an_address(f"crowd {i}") for i in range(256)]
    updates = {worker: train(worker, base_root) for worker in workers}
    for number, worker in enumerate(workers):
        root = root_of(updates[worker], UPDATE_WIDTH)
        squares = U128(root.sum_squares)
        reveal = replace(
            first.reveal, update_root=root.root, sum_squares=squares, example_count=U64(1)
        )
        state = {"state": SeatState.INCLUDED, "reveal": reveal}
        seat = replace(first, seat=U32(number), worker=worker, **state)
        rounds.SEATS.put(draft, (1, 1, number), seat)
    vectors = [decode_values(updates[worker], UPDATE_WIDTH) for worker in sorted(workers)]
    base = decode_values(BASE, MODEL_WIDTH)
    values = combine_chunk(CombineRule.FEDAVG, base, vectors, [1] * 256, 0)
    values[0] += 1
    model = encode_values(values, MODEL_WIDTH)
    rounds.ROUNDS.put(draft, (1, 1), replace(play.round(), model_root=root_of(model).root))
    models = [open_at(data, MODEL_WIDTH, 0) for data in (model, BASE)]
    openings = tuple(open_at(updates[worker], UPDATE_WIDTH, 0) for worker in sorted(workers))
    data = proof.encode_proof(proof.AggregateProof(U64(0), *models, openings))

    ctx = Context(play.world.block, court.stranger)
    dispute_id = commit_challenge(draft, ctx, court.commitment(court.stranger, data)).dispute_id
    place = court.stranger, U64(1), U32(1), dispute_id
    parts = proof.split_proof(data)
    assert [len(part) for part in parts] == [256 * 1024, len(data) - 256 * 1024]
    opening = OpenChallenge(
        *place, proof.proof_hash(data), a_salt(court.stranger), U32(2), parts[0]
    )
    open_challenge(draft, ctx, opening)
    add_proof_part(draft, ctx, AddProofPart(*place, U32(1), parts[1]))
    dispute = DISPUTES.must(draft, (1, 1, dispute_id))
    assert dispute.phase is DisputePhase.COMPLETE
    assert find_fault(draft, dispute) == ""
    PARTS.put(draft, (dispute_id, 1), ProofPart(parts[1][:-1] + b"\x00"))
    assert "the announced" in find_fault(draft, dispute)
