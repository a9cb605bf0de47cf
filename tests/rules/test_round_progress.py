"""From round to round: pipelining, what a job waits for, and how it ends."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.chain import export_genesis, init_genesis
from app.kernel.record import U32, U64
from app.kernel.store import MemoryStore
from app.modules import jobs, reputation
from app.modules.jobs import JobPhase
from app.modules.payouts import AcceptJob
from app.modules.rounds import RoundDrawn, RoundPhase, RoundPhaseChanged
from tests.build import FLT, World, a_job, a_payout_address
from tests.build_rounds import ALL, FREE_TURNS, QUICK, Play, a_model, a_play, join_all

MANY: Mapping[str, Any] = {"schedule.round_count": U32(12), "schedule.challenge_s": U32(3_600)}


def phases(play: Play) -> list[RoundPhase]:
    return [play.round(number).phase for number in range(1, play.job().next_round)]


def test_the_next_round_is_drawn_while_this_one_is_combined() -> None:
    play = a_play().to_aggregate()
    opened = play.round(2)
    assert (opened.phase, opened.base_root) == (RoundPhase.OPEN, b"")
    assert (opened.due_clock_ms, opened.deadline_clock_ms) == (0, 0)
    assert opened.drawn_height == play.world.block.height


def test_the_next_round_trains_on_the_model_as_soon_as_it_is_attested() -> None:
    play = a_play().to_challenge()
    round = play.round(2)
    assert round.phase is RoundPhase.COMMIT
    assert (round.base_root, round.base) == a_model(1)
    assert round.base_round == 1
    assert round.deadline_clock_ms == round.phase_clock_ms + 30_000


def test_the_next_round_trains_on_the_last_good_model_when_this_one_aborts() -> None:
    play = a_play({"schedule.round_count": U32(3)}).to_challenge().to_aggregate(2)
    for _ in range(3):
        play.end_phase(2)
    assert play.round(2).phase is RoundPhase.ABORTED
    assert play.round(3).phase is RoundPhase.COMMIT
    assert (play.round(3).base_root, play.round(3).base_round) == (a_model(1)[0], 1)
    record = reputation.find_requester(play.world.state, play.job().requester)
    assert record.aborted_round_count == 1


def test_an_aborted_round_does_not_count_and_its_number_is_not_used_again() -> None:
    play = a_play()
    play.end_phase()
    assert phases(play) == [RoundPhase.ABORTED, RoundPhase.COMMIT]
    play.to_challenge(2)
    assert play.job().aborted_in_row == 0
    play.to_challenge(3)
    assert play.job().completed_round_count == 2
    assert play.job().next_round == 4


def test_the_last_round_draws_no_other() -> None:
    play = a_play().to_challenge().to_challenge(2)
    play.end_phase(2)
    assert play.job().next_round == 3
    assert play.job().phase is JobPhase.REVIEW


def test_three_aborted_rounds_in_a_row_fail_the_job() -> None:
    play = a_play()
    for number in (1, 2, 3):
        assert play.job().phase is JobPhase.RUNNING
        play.end_phase(number)
    assert (play.job().phase, play.job().reason) == (JobPhase.FAILED, "three_aborted_rounds")
    play.world.pass_block()
    assert play.world.balance("escrow") == 0


def test_a_failed_job_drops_the_drawn_round_and_waits_for_unsettled_ones() -> None:
    play = a_play(MANY).to_challenge()
    for number in (2, 3):
        play.end_phase(number)
    play.to_aggregate(4)
    for _ in range(3):
        play.end_phase(4)
    assert (play.round(5).phase, play.round(5).reason) == (
        RoundPhase.ABORTED,
        "three_aborted_rounds",
    )
    assert play.job().phase is JobPhase.RUNNING
    play.end_phase(1)
    assert play.round(1).phase is RoundPhase.SETTLED
    assert play.job().phase is JobPhase.FAILED


def test_a_cancelled_job_finishes_its_open_rounds() -> None:
    play = a_play({"schedule.round_count": U32(5)}).to_aggregate()
    play.world.run(jobs.CancelJob(play.job().requester, U64(1)))
    play.post()
    play.attest()
    play.to_challenge(2)
    assert play.job().next_round == 3
    play.end_phase(2)
    assert phases(play) == [RoundPhase.SETTLED] * 2
    assert (play.job().phase, play.job().reason) == (JobPhase.CANCELLED, "requester")


def test_a_job_that_was_cancelled_before_a_draw_draws_no_more() -> None:
    play = a_play({"schedule.round_count": U32(5)}).to_include()
    play.world.run(jobs.CancelJob(play.job().requester, U64(1)))
    play.vote()
    assert play.job().next_round == 2


def test_a_job_that_has_all_its_models_is_reviewed_even_if_it_was_cancelled() -> None:
    play = a_play({"schedule.round_count": U32(1)}).to_challenge()
    play.world.run(jobs.CancelJob(play.job().requester, U64(1)))
    play.end_phase()
    assert play.job().phase is JobPhase.REVIEW


def test_a_job_that_ran_for_its_longest_time_begins_no_other_round() -> None:
    play = a_play({"schedule.round_count": U32(50), "schedule.job_s_max": U32(600)})
    number = 1
    while play.job().phase is JobPhase.RUNNING:
        if play.round(number).phase is RoundPhase.COMMIT:
            play.to_challenge(number)
            number += play.job().next_round > number + 1
        play.world.pass_block(20)
    assert play.job().reason == "job_s_max"
    assert play.job().completed_round_count == play.job().next_round - 1 > 5


def test_the_next_round_waits_where_unsettled_aggregates_are_not_covered() -> None:
    play = a_play(MANY)
    for number in range(1, 9):
        play.to_challenge(number)
    assert phases(play) == [RoundPhase.CHALLENGE] * 8
    play.world.wait(5)
    assert play.job().next_round == 9
    play.end_phase(1)
    assert phases(play)[0] is RoundPhase.SETTLED
    assert play.round(9).phase in (RoundPhase.OPEN, RoundPhase.COMMIT)
    play.world.pass_block()
    assert play.round(9).base_root == a_model(8)[0]


def test_money_that_comes_later_raises_the_pools_to_come() -> None:
    play = a_play().to_reveal()
    play.world.run(jobs.FundJob(play.world.account("donor"), U64(1), U64(10 * FLT)))
    play.reveal()
    play.vote()
    assert (play.round(1).pool_uflt, play.round(2).pool_uflt) == (10 * FLT, 15 * FLT)


def test_the_last_pools_are_what_aborted_rounds_have_left() -> None:
    play = a_play(params=FREE_TURNS).to_aggregate()
    for _ in range(3):
        play.end_phase(1)
    spent = sum(seat.earned_uflt for seat in play.seats(1))
    assert spent == 7 * FLT // 2
    play.to_challenge(2)
    play.to_challenge(3)
    assert play.round(2).pool_uflt == 10 * FLT
    assert play.round(3).pool_uflt == 20 * FLT - spent - 10 * FLT
    play.end_phase(3)
    assert play.job().completed_round_count == 2


def test_jobs_do_not_wait_for_each_other() -> None:
    world = World(QUICK, ALL)
    first = join_all(world, a_job(world.account("rita")), None, 10_000 * FLT)
    other = world.run(a_job(world.account("paul"))).job_id
    for worker in first.workers:
        world.run(jobs.JoinJob(worker, other))
    world.pass_block()
    second = Play(world, other, first.workers, first.evaluators, first.aggregators)
    second.to_challenge()
    assert first.round().phase is RoundPhase.COMMIT
    first.to_challenge()
    second.to_challenge(2)
    assert first.round(2).phase is RoundPhase.COMMIT


def a_whole_job() -> Play:
    """Four rounds of five of eight workers, with two reserves each, played to the end."""
    changes = {
        "schedule.round_count": U32(4),
        "schedule.cohort_size": U32(5),
        "schedule.cohort_size_min": U32(3),
        "schedule.reserve_count": U32(2),
        "schedule.challenge_s": U32(120),
    }
    play = a_play(changes, budget_uflt=99_999_999, worker_count=8, bond_uflt=5_000 * FLT)
    for number in range(1, 5):
        assert play.round(number).phase is RoundPhase.COMMIT
        play.to_challenge(number)
    play.end_phase(4)
    return play


def test_a_whole_job_gives_every_unit_away_exactly_once() -> None:
    play = a_whole_job()
    world, budget = play.world, 99_999_999
    assert phases(play) == [RoundPhase.SETTLED] * 4
    assert play.job().phase is JobPhase.REVIEW
    pool = budget // 4
    assert {play.round(number).pool_uflt for number in range(1, 5)} == {pool}
    earned = {
        number: sum(row.earned_uflt for row in (*play.seats(number), *play.readers(number)))
        for number in range(1, 5)
    }
    rounded_down = [pool * ppm // 1_000_000 for ppm in (700_000, 100_000, 150_000, 50_000)]
    assert set(earned.values()) == {sum(rounded_down)}

    requester, before = play.job().requester, world.balance(play.job().requester)
    world.run(AcceptJob(requester, U64(play.job_id)))
    for _ in range(3):
        world.pass_block()
    assert play.job().phase is JobPhase.SETTLED
    assert world.balance("escrow") == world.balance("deposits") == 0
    people = [*play.workers, *play.evaluators, *play.aggregators]
    paid = sum(world.balance(a_payout_address(who)) for who in people)
    refund = world.balance(requester) - before
    assert refund == budget - sum(earned.values())
    assert paid + world.balance("treasury") == sum(earned.values())
    assert {world.registration(who).locked_uflt for who in people} == {0}


def test_rounds_overlap_so_that_training_never_waits_for_challenges() -> None:
    play = a_whole_job()
    settled, started = {}, {}
    for order, event in enumerate(play.world.said(RoundPhaseChanged)):
        if event.phase is RoundPhase.COMMIT:
            started[event.round] = order
        if event.phase is RoundPhase.SETTLED:
            settled[event.round] = order
    assert all(started[number + 1] < settled[number] for number in range(1, 4))
    assert [event.round for event in play.world.said(RoundDrawn)] == [1, 2, 3, 4]


@pytest.mark.parametrize("budget", [1_000, 20 * FLT + 1, 77_777_777])
def test_odd_budgets_leave_nothing_behind(budget: int) -> None:
    play = a_play({"schedule.round_count": U32(3)}, budget_uflt=budget).to_challenge()
    play.to_challenge(2).to_challenge(3)
    play.end_phase(3)
    play.world.wait(3_600)
    play.world.pass_block()
    assert play.job().phase is JobPhase.SETTLED
    assert play.world.balance("escrow") == 0


def test_a_chain_that_is_exported_between_rounds_goes_on() -> None:
    play = a_play().to_aggregate()
    state = MemoryStore()
    init_genesis(state, export_genesis(play.world.state))
    play.world.state = state
    play.post()
    play.attest()
    play.to_challenge(2)
    play.end_phase(2)
    assert phases(play) == [RoundPhase.SETTLED] * 2
