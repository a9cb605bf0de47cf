"""AddProofPart: a long proof comes in parts, in order, each full but the last, within its time."""

from dataclasses import replace

import pytest

from app.kernel.record import U32, U64
from app.learning import proof
from app.modules.disputes import DisputePhase
from app.modules.disputes.challenge import (
    NotTheChallenger,
    TooLate,
    WrongDisputePhase,
    WrongPart,
    WrongPartSize,
)
from app.modules.disputes.lifecycle import NoSuchDispute
from app.modules.disputes.records import PARTS, DisputePhaseChanged, ProofPartAdded
from app.modules.rounds import RoundPhase
from tests.build import FLT, RICH
from tests.build_disputes import Court, a_court

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
