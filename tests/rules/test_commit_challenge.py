"""CommitChallenge: an attested aggregate is challenged against a deposit, without saying how."""

from dataclasses import replace

import pytest

from app.kernel.record import U32, U64
from app.modules import disputes
from app.modules.bank import InsufficientFunds
from app.modules.disputes import DisputePhase
from app.modules.disputes.challenge import AlreadyChallenged, TooManyChallenges
from app.modules.disputes.records import ChallengeCommitted
from app.modules.rounds import DeadlinePassed, NoSuchRound, RoundPhase, WrongLength, WrongRoundPhase
from tests.build import FLT, RICH
from tests.build_disputes import Court, a_court

DEPOSIT = 10 * FLT


def a_challenged_court(**params: int) -> Court:
    return a_court(params={"disputes": params}).to_challenge(lie=1)


def test_a_challenge_is_kept_with_its_deposit_and_its_round_counts_it() -> None:
    court = a_challenged_court()
    world = court.play.world
    message = court.commitment(court.stranger, b"proof")
    answer = world.run(message)
    dispute = court.dispute(answer.dispute_id)
    assert (dispute.job_id, dispute.round, dispute.dispute_id) == (1, 1, 1)
    assert (dispute.challenger, dispute.attempt) == (court.stranger, 1)
    assert dispute.commitment == message.commitment
    assert dispute.phase is DisputePhase.COMMITTED
    assert answer.deadline_clock_ms == dispute.deadline_clock_ms == world.block.clock_ms + 120_000
    assert dispute.deadline_height == world.block.height + 1
    assert world.balance(court.stranger) == RICH - DEPOSIT
    assert world.balance("disputes") == DEPOSIT
    assert court.play.round().dispute_count == 1
    said = ChallengeCommitted(U64(1), U32(1), U64(1), court.stranger, U64(DEPOSIT))
    assert world.said(ChallengeCommitted) == [said]


def test_only_an_attested_aggregate_can_be_challenged() -> None:
    court = a_court().to_aggregate()
    world, message = court.play.world, court.commitment(court.stranger, b"proof")
    court.post()
    world.refused(message, WrongRoundPhase, "AGGREGATE", "SCORE or CHALLENGE")
    court.attest()
    world.run(message)


def test_the_window_is_the_challenge_phase() -> None:
    court = a_challenged_court()
    world, round = court.play.world, court.play.round()
    left_s = (round.deadline_clock_ms - world.block.clock_ms) // 1_000
    message = court.commitment(court.stranger, b"proof")
    world.block = replace(world.block, clock_ms=round.deadline_clock_ms - 1)
    world.run(message)
    second = replace(message, challenger=world.account("another"))
    world.block = replace(world.block, clock_ms=round.deadline_clock_ms)
    world.refused(second, DeadlinePassed, round.deadline_clock_ms, "CHALLENGE")
    assert left_s > 0


def test_a_settled_round_is_not_challenged() -> None:
    court = a_court({"schedule.round_count": U32(1)}).to_challenge()
    message = court.commitment(court.stranger, b"proof")
    court.play.end_phase()
    assert court.play.round().phase is RoundPhase.SETTLED
    court.play.world.refused(message, WrongRoundPhase, "SETTLED")


def test_a_round_that_does_not_exist_is_not_challenged() -> None:
    court = a_challenged_court()
    message = replace(court.commitment(court.stranger, b"proof"), round=U32(9))
    court.play.world.refused(message, NoSuchRound, 9)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_commitment_is_a_hash(length: int) -> None:
    court = a_challenged_court()
    message = replace(court.commitment(court.stranger, b"proof"), commitment=bytes(length))
    court.play.world.refused(message, WrongLength, "commitment", length, 32)


def test_an_account_has_one_open_challenge_of_a_round() -> None:
    court = a_challenged_court()
    world = court.play.world
    court.commit(court.stranger, b"proof")
    again = court.commitment(court.stranger, b"another proof")
    world.refused(again, AlreadyChallenged, "round 1 of job 1", "open it")
    world.wait(121)
    assert court.phase(1) is DisputePhase.EXPIRED


def test_an_account_challenges_again_when_its_challenge_has_ended() -> None:
    court = a_challenged_court()
    first = court.challenge(court.stranger, b"no proof")
    assert first.phase is DisputePhase.REFUTED
    court.commit(court.stranger, court.proof())
    assert court.play.round().dispute_count == 1


def test_strangers_are_limited_and_who_has_a_seat_is_never_shut_out() -> None:
    court = a_challenged_court(open_max=2)
    world = court.play.world
    for name in ("ada", "ben"):
        court.commit(world.account(name), b"proof")
    message = court.commitment(court.stranger, b"proof")
    world.refused(message, TooManyChallenges, "has 2 open", "the limit is 2", "has a seat")
    court.commit(court.play.seats()[0].worker, b"proof")
    court.commit(court.play.readers()[-1].participant, b"proof")
    assert court.play.round().dispute_count == 4
    assert disputes.PARAMS.get(world.state).open_max == 2


def test_who_lacks_the_deposit_can_not_challenge() -> None:
    court = a_challenged_court()
    poor = court.play.world.account("poor", DEPOSIT - 1)
    court.play.world.refused(court.commitment(poor, b"proof"), InsufficientFunds, DEPOSIT)
