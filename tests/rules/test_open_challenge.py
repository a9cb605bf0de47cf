"""OpenChallenge: what was committed is shown, with the first part of the proof."""

from dataclasses import replace

import pytest

from app.kernel.record import U32, U64
from app.learning import proof
from app.modules.disputes import DisputePhase
from app.modules.disputes.challenge import (
    NotTheChallenger,
    TooLate,
    WrongDisputePhase,
    WrongOpening,
    WrongPartCount,
    WrongPartSize,
)
from app.modules.disputes.lifecycle import NoSuchDispute
from app.modules.disputes.records import PARTS, DisputePhaseChanged, ProofPartAdded
from app.modules.rounds import WrongLength
from tests.build_disputes import Court, a_court


def a_committed_court() -> tuple[Court, int]:
    court = a_court().to_challenge(lie=1)
    return court, court.commit(court.stranger, court.proof())


def test_a_proof_of_one_part_is_whole_and_checked_at_the_end_of_the_block() -> None:
    court, dispute_id = a_committed_court()
    world = court.play.world
    world.run(court.opening(dispute_id))
    dispute = court.dispute(dispute_id)
    assert (dispute.part_count, dispute.received_count) == (1, 1)
    assert dispute.phase is DisputePhase.COMPLETE
    assert dispute.due_clock_ms == world.block.clock_ms
    assert world.said(ProofPartAdded) == [
        ProofPartAdded(U64(1), U32(1), U64(dispute_id), U32(0), U32(1))
    ]
    world.pass_block()
    phases = [event.phase.name for event in world.said(DisputePhaseChanged)]
    assert phases == ["OPENED", "COMPLETE", "PROVEN", "UPHELD"]
    assert list(PARTS.items(world.state)) == []


def test_a_proof_of_several_parts_waits_for_them() -> None:
    court, dispute_id = a_committed_court()
    world = court.play.world
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "PART_BYTES_MAX", 2_000)
        world.block = replace(world.block, clock_ms=world.block.clock_ms + 50_000)
        world.run(court.opening(dispute_id))
    dispute = court.dispute(dispute_id)
    assert dispute.phase is DisputePhase.OPENED
    assert (dispute.part_count, dispute.received_count) == (2, 1)
    assert dispute.deadline_clock_ms == dispute.due_clock_ms == world.block.clock_ms + 120_000


def test_a_dispute_that_does_not_exist_is_not_opened() -> None:
    court, dispute_id = a_committed_court()
    wrong = court.opening(dispute_id, dispute_id=U64(7))
    court.play.world.refused(wrong, NoSuchDispute, "dispute_id 7", "round 1 of job 1", "is 1")


def test_only_the_challenger_opens() -> None:
    court, dispute_id = a_committed_court()
    wrong = court.opening(dispute_id, challenger=court.play.workers[0])
    court.play.world.refused(wrong, NotTheChallenger, "dispute 1")


def test_a_challenge_is_opened_once() -> None:
    court, dispute_id = a_committed_court()
    court.play.world.run(court.opening(dispute_id))
    court.play.world.refused(court.opening(dispute_id), WrongDisputePhase, "COMPLETE", "COMMITTED")


def test_a_challenge_is_opened_within_two_minutes() -> None:
    court, dispute_id = a_committed_court()
    world, deadline = court.play.world, court.dispute(dispute_id).deadline_clock_ms
    world.block = replace(world.block, height=world.block.height + 1, clock_ms=deadline)
    world.refused(court.opening(dispute_id), TooLate, deadline, "commit a new challenge")
    world.block = replace(world.block, clock_ms=deadline - 1)
    world.run(court.opening(dispute_id))


def test_a_deadline_needs_its_blocks_too() -> None:
    court, dispute_id = a_committed_court()
    world, deadline = court.play.world, court.dispute(dispute_id).deadline_clock_ms
    world.block = replace(world.block, clock_ms=deadline + 10_000)
    world.run(court.opening(dispute_id))


@pytest.mark.parametrize("field", ["proof_hash", "salt"])
def test_hash_and_salt_have_32_bytes(field: str) -> None:
    court, dispute_id = a_committed_court()
    wrong = court.opening(dispute_id, **{field: bytes(31)})
    court.play.world.refused(wrong, WrongLength, field, 31, 32)


@pytest.mark.parametrize("field", ["proof_hash", "salt"])
def test_exactly_what_was_committed_is_opened(field: str) -> None:
    court, dispute_id = a_committed_court()
    wrong = court.opening(dispute_id, **{field: bytes(32)})
    committed = court.dispute(dispute_id).commitment.hex()
    court.play.world.refused(wrong, WrongOpening, "attempt 1", committed)


def test_a_commitment_can_not_be_copied() -> None:
    court, dispute_id = a_committed_court()
    world, thief = court.play.world, court.play.workers[0]
    copied = replace(court.commitment(court.stranger, court.proof()), challenger=thief)
    stolen = world.run(copied).dispute_id
    wrong = court.opening(dispute_id, challenger=thief, dispute_id=U64(stolen))
    world.refused(wrong, WrongOpening)


@pytest.mark.parametrize("count", [0, 2])
def test_a_proof_has_no_more_parts_than_the_round_allows(count: int) -> None:
    court, dispute_id = a_committed_court()
    wrong = court.opening(dispute_id, part_count=U32(count))
    court.play.world.refused(wrong, WrongPartCount, count, "1 to 1")


@pytest.mark.parametrize("size", [0, proof.PART_BYTES_MAX + 1])
def test_a_part_has_at_most_256_kib(size: int) -> None:
    court, dispute_id = a_committed_court()
    wrong = court.opening(dispute_id, part=bytes(size))
    court.play.world.refused(wrong, WrongPartSize, size, "1 to 262144")
