"""The end of a round: who is paid what, to the unit, and whose reputation moves."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.kernel.record import U32, U64
from app.modules import jobs, payouts
from app.modules.jobs import ContributionRule
from app.modules.reputation import ReputationMoved
from app.modules.rounds import RoundPhase, RoundPhaseChanged, SeatKind, SeatState
from tests.build import FLT, a_payout_address
from tests.build_rounds import FREE_TURNS, Play, a_play

POOL = 20 * FLT
WORKERS, AGGREGATOR, EVALUATORS, RESERVES = 14 * FLT, 2 * FLT, 3 * FLT, 1 * FLT
ONE: Mapping[str, Any] = {"schedule.round_count": U32(1)}
CAPPED = {**ONE, "pay.contribution": ContributionRule.EXAMPLES_CAPPED}


def earned(play: Play) -> int:
    """All that a round's seats and readers have earned."""
    seats = sum(seat.earned_uflt for seat in play.seats())
    return seats + sum(reader.earned_uflt for reader in play.readers())


def moved(play: Play) -> dict[bytes, bool]:
    """Whose reputation moved, and whether for the better; each at most once."""
    events = play.world.said(ReputationMoved)
    assert len({event.account for event in events}) == len(events)
    return {event.account: event.success for event in events}


def with_examples(play: Play, counts: list[int]) -> None:
    """Play a round in which the cohort claims these example counts, until it is settled."""
    cohort = play.asked()
    for worker, count in zip(cohort, counts, strict=True):
        play.world.run(play.commitment(worker, examples=count))
    play.world.pass_block()
    for worker, count in zip(cohort, counts, strict=True):
        play.world.run(play.revelation(worker, examples=count))
    play.world.pass_block()
    play.vote()
    play.post()
    play.attest()
    play.end_phase()


def test_the_whole_pool_is_paid_where_everyone_did_what_was_asked() -> None:
    play = a_play(ONE).to_settled()
    third = WORKERS // 3
    assert sorted(seat.earned_uflt for seat in play.seats()) == [
        RESERVES,
        third,
        third + 1,
        third + 1,
    ]
    by_reader = {reader.participant: reader.earned_uflt for reader in play.readers()}
    aggregator = play.round().aggregator
    assert by_reader.pop(aggregator) == AGGREGATOR
    assert [by_reader.pop(who) for who in play.evaluators] == [EVALUATORS // 3] * 3
    assert set(by_reader.values()) == {0}
    assert earned(play) == POOL


def test_a_share_is_released_less_the_fee_and_a_fifth_is_held_back() -> None:
    play = a_play(ONE).to_settled()
    reserve = next(seat.worker for seat in play.seats() if seat.kind is SeatKind.RESERVE)
    assert play.world.balance(a_payout_address(reserve)) == RESERVES * 8 // 10 * 99 // 100
    assert play.job().held_uflt == POOL // 5 - 1
    assert play.job().escrow_uflt == play.job().held_uflt


def test_the_units_that_a_split_leaves_go_in_address_order() -> None:
    play = a_play(ONE).to_settled()
    shares = {seat.worker: seat.earned_uflt for seat in play.seats(1, SeatState.INCLUDED)}
    assert [shares[who] for who in sorted(shares)] == [WORKERS // 3 + 1] * 2 + [WORKERS // 3]


def test_examples_weigh_up_to_the_jobs_cap() -> None:
    play = a_play(CAPPED)
    cohort = play.asked()
    with_examples(play, [5_000, 10_000, 1_000_000])
    shares = [play.seat(worker).earned_uflt for worker in cohort]
    assert shares[0] == pytest.approx(WORKERS // 5, abs=1)
    assert shares[1] == pytest.approx(WORKERS * 2 // 5, abs=1)
    assert sum(shares) == WORKERS
    assert abs(shares[2] - shares[1]) <= 1


def test_nobody_gets_more_than_twice_the_equal_share() -> None:
    play = a_play(CAPPED)
    cohort, treasury = play.asked(), play.world.balance("treasury")
    with_examples(play, [1, 1, 9_998])
    twice = WORKERS * 2 // 3
    shares = [play.seat(worker).earned_uflt for worker in cohort]
    assert shares == [WORKERS // 10_000, WORKERS // 10_000, twice]
    fees = sum(event.fee_uflt for event in play.world.said(payouts.SharePaid))
    assert play.world.balance("treasury") == treasury + fees + WORKERS - sum(shares)


def test_identical_updates_share_one_workers_pay() -> None:
    play = a_play(ONE)
    first, second, third = play.asked()
    for worker in (first, second):
        play.world.run(play.commitment(worker, root=bytes(32)))
    play.commit(workers=[third])
    for worker in (first, second):
        play.world.run(play.revelation(worker, root=bytes(32)))
    play.reveal(workers=[third])
    play.vote()
    play.post()
    play.attest()
    play.end_phase()
    assert [play.seat(worker).state for worker in (first, second, third)] == [
        SeatState.INCLUDED
    ] * 3
    shares = [play.seat(worker).earned_uflt for worker in (first, second, third)]
    assert shares == [WORKERS // 4, WORKERS // 4, WORKERS // 2]
    assert moved(play)[first]


def test_who_is_excluded_is_unpaid_and_the_others_share_the_pool() -> None:
    play = a_play(ONE).to_include()
    excluded = play.seats(1, SeatState.REVEALED)[0].worker
    play.vote(without=[excluded])
    play.post()
    play.attest()
    play.end_phase()
    assert play.seat(excluded).earned_uflt == 0
    assert [s.earned_uflt for s in play.seats(1, SeatState.INCLUDED)] == [WORKERS // 2] * 2
    assert moved(play)[excluded] is False


def test_a_reserve_that_was_called_is_paid_as_a_worker_and_no_reserve() -> None:
    play = a_play({**ONE, "schedule.reserve_count": U32(2)})
    missing = play.asked()[0]
    play.commit(workers=play.asked()[1:])
    play.end_phase()
    play.to_settled()
    called = next(seat for seat in play.seats() if seat.kind is SeatKind.CALLED)
    waited = next(seat for seat in play.seats() if seat.kind is SeatKind.RESERVE)
    assert called.earned_uflt in (WORKERS // 3, WORKERS // 3 + 1)
    assert waited.earned_uflt == RESERVES
    assert play.seat(missing).earned_uflt == 0
    assert moved(play)[missing] is False
    assert moved(play)[called.worker] is True
    assert waited.worker not in moved(play)


def test_without_reserves_their_share_returns() -> None:
    play = a_play({**ONE, "schedule.reserve_count": U32(0)}).to_settled()
    assert earned(play) == POOL - RESERVES
    job = play.job()
    assert job.escrow_uflt - job.held_uflt == RESERVES


def test_evaluators_that_did_their_duty_share_but_not_more_than_twice() -> None:
    play = a_play(ONE).to_include()
    lazy, voter, keen = play.evaluators
    play.vote(readers=[voter, keen, *play.aggregators])
    play.end_phase()
    play.post()
    play.attest(evaluators=[lazy, keen])
    play.end_phase()
    assert [play.reader(who).earned_uflt for who in (lazy, voter, keen)] == [0, 0, 2 * FLT]
    told = moved(play)
    assert (told[lazy], told[keen], voter in told) == (False, True, False)


def test_an_attestation_after_the_majority_is_paid() -> None:
    play = a_play(ONE).to_aggregate()
    play.post()
    play.attest(evaluators=play.evaluators[:2])
    play.attest(evaluators=play.evaluators[2:])
    play.end_phase()
    assert [play.reader(who).earned_uflt for who in play.evaluators] == [FLT] * 3


def test_who_posts_the_attested_model_is_paid_and_who_missed_its_turn_is_not() -> None:
    play = a_play(ONE).to_aggregate()
    first, second, third = (reader.participant for reader in play.readers(is_aggregator=True))
    play.end_phase()
    play.post()
    play.attest()
    play.end_phase()
    earnings = [play.reader(who).earned_uflt for who in (first, second, third)]
    assert earnings == [0, AGGREGATOR, 0]
    told = moved(play)
    assert (told[first], told[second], told[third]) == (False, True, True)


def test_who_did_what_was_asked_gains_a_tenth_of_what_is_missing() -> None:
    play = a_play(ONE).to_settled()
    included = [seat.worker for seat in play.seats(1, SeatState.INCLUDED)]
    assert set(moved(play)) == {*included, *play.evaluators, *play.aggregators}
    assert {play.reputation_ppm(who) for who in moved(play)} == {250_000 + 75_000}


def test_a_reader_that_does_not_vote_loses_reputation() -> None:
    play = a_play(ONE).to_include()
    silent = play.readers(is_aggregator=True)[2].participant
    play.vote(readers=[r.participant for r in play.readers() if r.participant != silent])
    play.end_phase()
    play.post()
    play.attest()
    play.end_phase()
    assert moved(play)[silent] is False


def test_who_is_late_for_a_quorum_keeps_its_reputation() -> None:
    quorum = {"schedule.quorum_ppm": U32(600_000)}
    play = a_play({**ONE, **quorum})
    late = play.asked()[0]
    play.commit(workers=play.asked()[1:])
    play.world.pass_block()
    play.reveal()
    play.vote()
    play.post()
    play.attest()
    play.end_phase()
    assert play.seat(late).state is SeatState.LATE
    assert late not in moved(play)


def test_included_updates_earn_half_a_share_where_no_model_comes() -> None:
    play = a_play(ONE, params=FREE_TURNS).to_include()
    excluded = play.seats(1, SeatState.REVEALED)[0].worker
    play.vote(without=[excluded])
    for _ in range(3):
        play.end_phase()
    assert play.round().reason == "no_aggregate"
    assert [s.earned_uflt for s in play.seats(1, SeatState.INCLUDED)] == [WORKERS // 4] * 2
    assert earned(play) == WORKERS // 2
    told = moved(play)
    assert [told[who] for who in play.aggregators] == [False] * 3
    assert [told.get(who) for who in play.evaluators] == [None] * 3


def test_revealed_updates_earn_half_a_share_where_inclusion_was_not_decided() -> None:
    play = a_play(ONE).to_include()
    play.vote(readers=play.evaluators[:1])
    play.end_phase()
    assert play.round().reason == "too_few_readers"
    shares = [seat.earned_uflt for seat in play.seats(1, SeatState.REVEALED)]
    assert (sum(shares), len(shares), max(shares) - min(shares)) == (WORKERS // 2, 3, 1)
    assert set(moved(play).values()) == {False}
    assert len(moved(play)) == 5


def test_nothing_is_paid_for_a_round_that_aborts_before() -> None:
    play = a_play(ONE).to_reveal()
    play.end_phase()
    assert play.round().reason == "too_few_reveals"
    assert earned(play) == 0
    assert set(moved(play).values()) == {False}
    assert len(moved(play)) == 3


def test_no_reputation_moves_for_who_was_in_time_in_a_round_that_aborts() -> None:
    play = a_play({**ONE, "schedule.cohort_size_min": U32(3)})
    in_time = play.asked()[0]
    play.commit(workers=[in_time])
    play.end_phase()
    assert play.round().phase is RoundPhase.ABORTED
    assert set(moved(play)) == {s.worker for s in play.seats(1, SeatState.MISSED)}
    assert in_time not in moved(play)


def test_a_round_settles_when_its_challenge_time_is_over_and_says_why_each_phase_came() -> None:
    play = a_play(ONE).to_settled()
    events = play.world.said(RoundPhaseChanged)
    assert [event.phase.name for event in events] == [
        "OPEN",
        "COMMIT",
        "REVEAL",
        "INCLUDE",
        "AGGREGATE",
        "CHALLENGE",
        "SETTLED",
    ]
    assert {event.reason for event in events} == {""}


def test_a_worker_that_left_gets_its_deposit_when_its_last_seat_is_free() -> None:
    play = a_play(ONE).to_include()
    worker = play.seats()[0].worker
    deposit = jobs.CANDIDATES.must(play.world.state, (1, worker)).deposit_uflt
    play.world.run(jobs.LeaveJob(worker, U64(1)))
    before = play.world.balance(worker)
    play.vote()
    play.post()
    play.attest()
    assert play.world.balance(worker) == before
    play.end_phase()
    assert play.world.balance(worker) == before + deposit
