"""What the chain counts, beside the invariants that hold it against the tables."""

from collections.abc import Mapping
from typing import Any

from app.kernel.record import U32, U64
from app.modules import bank, bonds, jobs, payouts, statistics
from app.modules.rounds import RoundPhase, void_round
from app.modules.statistics import (
    Ending,
    Epoch,
    Params,
    ParamsRequest,
    Participants,
    StatisticsRequest,
    StatisticsResponse,
    Totals,
)
from tests.build import FLT, World, a_job, an_address
from tests.build_rounds import QUICK, Play, a_play

ONE: Mapping[str, Any] = {"schedule.round_count": U32(1)}
DAY_S = 24 * 3_600
DAILY = {**QUICK, "statistics": {"epoch_s": DAY_S}}
WORKERS = 14 * FLT
"""What the workers of one round share."""


def ask(world: World) -> StatisticsResponse:
    return statistics.statistics(world.state, StatisticsRequest())


def endings(world: World) -> dict[tuple[str, str, str], int]:
    return {(row.subject, row.phase, row.reason): row.count for row in ask(world).endings}


def tasks(play: Play) -> tuple[int, ...]:
    """Included, excluded, missed, late, dropped."""
    totals = ask(play.world).totals
    return (
        totals.included_count,
        totals.excluded_count,
        totals.missed_count,
        totals.late_count,
        totals.dropped_count,
    )


def people(world: World) -> tuple[int, int, int, int, int]:
    """Registered and active; at this epoch's start, joined and left in it."""
    found = ask(world).participants
    epoch = found.epoch
    return (
        found.registered_count,
        found.active_count,
        epoch.start_count,
        epoch.joined_count,
        epoch.left_count,
    )


def test_a_chain_on_which_nothing_has_happened_counts_nothing() -> None:
    world = World()
    answer = ask(world)
    assert (answer.totals, answer.endings, answer.participants) == (Totals(), (), Participants())
    rates = answer.task_completion_ppm, answer.reward_per_example_millionths
    assert (*rates, answer.epoch_churn_ppm, answer.last_epoch_churn_ppm) == (0, 0, 0, 0)
    assert statistics.params(world.state, ParamsRequest()).params == Params()


def test_money_is_read_where_it_lies() -> None:
    play = a_play(ONE)
    world, before = play.world, ask(play.world).holdings
    assert (before.escrow_uflt, before.bonded_uflt) == (20 * FLT, 10_000 * FLT)
    assert (before.deposit_uflt, before.treasury_uflt, before.burned_uflt) == (4 * FLT, 0, 10 * FLT)
    play.to_settled()
    after = ask(world).holdings
    assert (after.escrow_uflt, after.treasury_uflt) == (play.job().held_uflt, 159_999)
    assert after.supply_uflt == before.supply_uflt
    world.run(a_job(world.account("ruth", 100 * FLT)))
    last = ask(world).holdings
    assert last.burned_uflt == 20 * FLT
    assert last.supply_uflt == after.supply_uflt + 90 * FLT


def test_a_settled_round_counts_its_tasks_and_what_their_examples_earned() -> None:
    play = a_play(ONE).to_settled()
    answer = ask(play.world)
    assert (answer.totals.round_count, answer.totals.seat_count) == (1, 4)
    assert tasks(play) == (3, 0, 0, 0, 0)
    assert answer.task_completion_ppm == 1_000_000
    assert (answer.totals.reward_uflt, answer.totals.example_count) == (WORKERS, 300)
    assert answer.reward_per_example_millionths == WORKERS * 1_000_000 // 300
    assert answer.totals.paid_uflt == play.job().paid_uflt
    assert endings(play.world) == {("round", "SETTLED", ""): 1}


def test_what_a_job_paid_is_all_that_left_its_escrow() -> None:
    play = a_play(ONE).to_settled()
    play.world.run(payouts.AcceptJob(play.job().requester, play.job().job_id))
    play.world.pass_block()
    assert ask(play.world).totals.paid_uflt == 20 * FLT
    assert ask(play.world).holdings.escrow_uflt == 0
    assert endings(play.world)["job", "SETTLED", "requester"] == 1


def test_claimed_examples_count_up_to_the_cap_of_the_job() -> None:
    play = a_play({**ONE, "combination.example_count_max": U64(50)})
    workers = play.asked()
    play.commit(1, workers, examples=2**64 - 1)
    play.reveal(1, workers, examples=2**64 - 1)
    play.vote()
    play.post()
    play.attest()
    play.end_phase()
    assert play.round().phase is RoundPhase.SETTLED
    assert ask(play.world).totals.example_count == 150


def test_a_missed_deadline_a_reserve_and_an_excluded_update_are_told_apart() -> None:
    play = a_play(ONE)
    first, second, third = play.asked()
    play.commit(1, [first, second])
    play.end_phase()
    (called,) = play.asked()
    play.commit()
    play.reveal()
    play.vote(without=[first])
    assert play.round().phase is RoundPhase.AGGREGATE
    assert tasks(play) == (0, 0, 0, 0, 0)
    play.post()
    play.attest()
    play.end_phase()
    assert called not in (first, second, third)
    assert tasks(play) == (2, 1, 1, 0, 0)
    assert ask(play.world).task_completion_ppm == 500_000


def test_who_is_late_for_a_quorum_is_counted_so_and_not_as_missing() -> None:
    play = a_play({**ONE, "schedule.quorum_ppm": U32(600_000), "schedule.grace_ms": U32(1_000)})
    play.commit(1, play.asked()[:2])
    play.world.wait(2)
    assert play.round().phase is RoundPhase.REVEAL
    play.reveal()
    play.vote()
    play.post()
    play.attest()
    play.end_phase()
    assert tasks(play) == (2, 0, 0, 1, 0)


def test_an_aborted_round_drops_what_was_not_decided_and_its_reward_counts() -> None:
    play = a_play(ONE).to_include()
    play.end_phase()
    assert play.round().reason == "too_few_readers"
    assert tasks(play) == (0, 0, 0, 0, 3)
    totals = ask(play.world).totals
    assert (totals.reward_uflt, totals.example_count) == (WORKERS // 2, 300)
    assert endings(play.world) == {("round", "ABORTED", "too_few_readers"): 1}


def test_a_voided_round_keeps_the_tasks_that_were_done_and_pays_no_example() -> None:
    play = a_play().to_challenge()
    play.world.do(void_round, play.job_id, 1, "false_aggregate")
    assert tasks(play) == (3, 0, 0, 0, 3)
    assert ask(play.world).totals.example_count == 0
    assert endings(play.world) == {("round", "VOIDED", "false_aggregate"): 2}


def test_a_round_that_never_began_asked_nobody_for_anything() -> None:
    once = {"rounds": {**QUICK["rounds"], "aborts_in_row_max": 1}}
    play = a_play(params=once).to_aggregate()
    assert play.round(2).phase is RoundPhase.OPEN
    assert ask(play.world).totals.seat_count == 8
    for _ in play.aggregators:
        play.end_phase()
    assert endings(play.world) == {
        ("job", "FAILED", "three_aborted_rounds"): 1,
        ("round", "ABORTED", "no_aggregate"): 1,
        ("round", "ABORTED", "three_aborted_rounds"): 1,
    }
    assert tasks(play) == (3, 0, 0, 0, 0)


def test_jobs_are_counted_by_how_and_why_they_ended() -> None:
    world = World()
    rita = world.account("rita")
    for _ in range(3):
        world.run(a_job(rita))
    world.run(jobs.CancelJob(rita, U64(2)))
    world.wait(61)
    assert ask(world).totals.job_count == 3
    assert ask(world).endings == (
        Ending("job", "CANCELLED", "requester", U64(1)),
        Ending("job", "FAILED", "too_few_workers", U64(2)),
    )


def test_a_participant_joins_with_its_first_bond_and_leaves_with_its_last() -> None:
    world = World()
    wanda, erik = world.participant("wanda"), world.participant("erik", bonds.Role.EVALUATOR)
    assert people(world) == (2, 2, 0, 2, 0)
    world.run(bonds.Bond(wanda, U64(FLT)))
    world.run(bonds.Unbond(wanda, U64(FLT)))
    assert people(world) == (2, 2, 0, 2, 0)
    world.run(bonds.Unbond(erik, U64(100 * FLT)))
    assert people(world) == (2, 1, 0, 2, 1)
    assert ask(world).epoch_churn_ppm == 500_000
    world.run(bonds.Bond(erik, U64(10 * FLT)))
    assert people(world) == (2, 2, 0, 3, 1)


def test_an_epoch_ends_at_a_multiple_of_its_length_and_the_last_whole_one_is_kept() -> None:
    world = World(DAILY)
    names = [world.participant(f"worker {i}") for i in range(4)]
    world.pass_block()
    end_ms = ask(world).participants.epoch_end_clock_ms
    assert end_ms == DAY_S * 1_000
    assert people(world) == (4, 4, 0, 4, 0)
    world.pass_block((end_ms - world.block.clock_ms) // 1_000)
    assert world.block.clock_ms == end_ms
    assert people(world) == (4, 4, 4, 0, 0)
    assert ask(world).participants.last_epoch == Epoch(U64(0), U64(4), U64(0))
    world.run(bonds.Unbond(names[0], U64(100 * FLT)))
    assert (ask(world).epoch_churn_ppm, ask(world).last_epoch_churn_ppm) == (250_000, 0)
    world.pass_block(DAY_S)
    assert people(world) == (4, 3, 3, 0, 0)
    assert (ask(world).epoch_churn_ppm, ask(world).last_epoch_churn_ppm) == (0, 250_000)


def test_an_epoch_without_a_block_was_one_in_which_nobody_came_or_went() -> None:
    world = World(DAILY)
    world.participant("wanda")
    world.pass_block()
    world.pass_block(3 * DAY_S)
    found = ask(world).participants
    assert (found.epoch, found.last_epoch) == (Epoch(U64(1)), Epoch(U64(1)))
    assert found.epoch_end_clock_ms == 4 * DAY_S * 1_000


def test_blocks_in_which_nothing_happens_write_nothing() -> None:
    world = World()
    world.wait(30 * DAY_S)
    assert ask(world).participants == Participants()
    world.participant("wanda")
    world.pass_block()
    written = dict(world.state.items(b""))
    world.pass_block(DAY_S)
    world.pass_block(DAY_S)
    assert dict(world.state.items(b"")) == written


def test_a_payment_between_people_is_not_counted() -> None:
    world = World()
    keys = [statistics.TOTALS.row_key, statistics.PARTICIPANTS.row_key]
    before = [world.state.get(key) for key in keys]
    world.do(bank.move, an_address("genesis"), an_address("ada"), FLT)
    assert [world.state.get(key) for key in keys] == before
