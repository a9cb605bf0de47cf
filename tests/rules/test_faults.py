"""Section 8 of the protocol as a table: which fault, when, who loses, who is paid, to the unit.

Six workers of one round of 20 FLT, each with a bond of 1,000 FLT, as each of three aggregators and
three evaluators. The workers' pool is 14 FLT, an aggregator locks 200 FLT.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.kernel.record import U32, U64, Address
from app.modules import bank, bonds, clock, jobs, reputation, slashing
from app.modules.jobs import JobPhase
from app.modules.rounds import RoundPhase, SeatState, void_round
from app.modules.slashing import (
    PENALTIES,
    Excused,
    Fault,
    LossCompensated,
    Place,
    PotBurned,
    Slashed,
)
from tests.build import FLT, a_payout_address, an_address
from tests.build_rounds import FREE_TURNS, QUICK, Params, Play, a_play

SIX: Mapping[str, Any] = {
    "schedule.round_count": U32(1),
    "schedule.cohort_size": U32(6),
    "schedule.reserve_count": U32(0),
    "schedule.commit_s": U32(600),
    "pay.held_back_ppm": U32(0),
}
"""Time enough to commit for the next round while this one can be challenged."""
ALL_SIX = {**SIX, "schedule.cohort_size_min": U32(6)}
"""One less and the round aborts."""
WITH_RESERVE = {**SIX, "schedule.reserve_count": U32(1)}
THREE_ROUNDS = {**SIX, "schedule.round_count": U32(3)}
CHEAP_TURNS = {**QUICK, "slashing": {**QUICK["slashing"], "no_aggregate_ppm": 1_000}}
"""A missed turn costs 1 FLT: a pot is short of what was lost."""
PROVER = an_address("prover")

Groups = Mapping[str, Iterable[Address]]
Script = Callable[[Play], Groups]


@dataclass(frozen=True)
class Row:
    """One line of the table; amounts in uflt."""

    fault: str
    script: Script
    lost: Mapping[str, int]
    """By group, each of it."""
    made_good: int = 0
    """Paid of slashed money to the group `delivered`, in proportion to what each lost."""
    fees: Mapping[str, int] = field(default_factory=dict)
    """Paid of slashed money to readers, by group, each of it."""
    burned: int = 0
    prover: int = 0
    escrow: int | None = None
    """What the job paid; not said of a round that settles: its whole pool."""
    spec: Mapping[str, Any] = field(default_factory=lambda: SIX)
    params: Params = field(default_factory=lambda: QUICK)
    ends: RoundPhase = RoundPhase.SETTLED


def delivered(play: Play, number: int = 1) -> list[Address]:
    return [seat.worker for seat in play.seats(number) if seat.reveal.update_root]


def stay_away(play: Play) -> Groups:
    absent, *rest = play.asked()
    play.commit(workers=rest)
    play.end_phase()
    play.to_end()
    return {"absent": [absent]}


def stay_away_with_the_reserve(play: Play) -> Groups:
    absent, *rest = play.asked()
    play.commit(workers=rest)
    play.end_phase()
    (called,) = play.asked()
    play.end_phase()
    play.to_end()
    return {"absent": [absent, called]}


def keep_closed(play: Play) -> Groups:
    play.commit()
    closed, *rest = [seat.worker for seat in play.seats()]
    play.reveal(workers=rest)
    play.end_phase()
    play.to_end()
    return {"closed": [closed], "delivered": rest}


def keep_closed_and_get_no_votes(play: Play) -> Groups:
    play.commit()
    closed, *rest = [seat.worker for seat in play.seats()]
    play.reveal(workers=rest)
    play.end_phase()
    play.end_phase()
    return {"closed": [closed], "delivered": rest}


def miss_turns(count: int) -> Script:
    def script(play: Play) -> Groups:
        play.to_aggregate()
        for _ in range(count):
            play.end_phase()
        play.to_end()
        turns = [reader.participant for reader in play.readers(is_aggregator=True)]
        return {"silent": turns[:count], "delivered": delivered(play)}

    return script


def post_what_nobody_attests(play: Play) -> Groups:
    play.to_aggregate()
    for _ in range(3):
        play.post()
        play.end_phase()
    return {"delivered": delivered(play)}


def convict(play: Play, faults: Iterable[tuple[Address, Fault]], number: int = 1) -> None:
    """Slash what a proof has shown, and pay who has brought it."""
    place = Place(play.job_id, number)
    brought = sum(play.world.do(slashing.slash, place, who, fault) for who, fault in faults)
    play.world.do(slashing.pay_prover, place, PROVER, brought)


def be_found(fault: Fault, phase: RoundPhase, role: str) -> Script:
    """What the modules above rounds find: proofs, and scores that stay closed."""

    def script(play: Play) -> Groups:
        reach = {
            RoundPhase.INCLUDE: play.to_include,
            RoundPhase.AGGREGATE: play.to_aggregate,
            RoundPhase.CHALLENGE: play.to_challenge,
        }
        reach[phase]()
        people = {"worker": play.seats()[0].worker, "evaluator": play.evaluators[0]}
        if PENALTIES[fault].is_proven:
            convict(play, [(people[role], fault)])
        else:
            play.world.do(slashing.slash, Place(1, 1), people[role], fault)
        play.to_end()
        return {"liar": [people[role]]}

    return script


def lie_and_give_up(play: Play) -> Groups:
    liar, *rest = [seat.worker for seat in play.to_include().seats()]
    convict(play, [(liar, Fault.FALSE_UPDATE)])
    play.end_phase()
    return {"liar": [liar], "delivered": rest}


def post_a_false_model(play: Play) -> Groups:
    play.to_aggregate()
    play.post()
    honest, *liars = play.evaluators
    play.attest(evaluators=liars)
    cheat = play.round().aggregator
    found = [(cheat, Fault.FALSE_AGGREGATE), *((e, Fault.FALSE_ATTESTATION) for e in liars)]
    convict(play, found)
    play.world.do(void_round, play.job_id, 1, "false_aggregate")
    return {"cheat": [cheat], "liars": liars, "delivered": delivered(play), "honest": [honest]}


TABLE = [
    Row("nothing", lambda play: play.to_end() and {}, {}),
    Row("no commit, the others go on", stay_away, {"absent": 5 * FLT}, burned=5 * FLT),
    Row(
        "no commit, and too few are left",
        stay_away,
        {"absent": 5 * FLT},
        burned=5 * FLT,
        escrow=0,
        spec=ALL_SIX,
        ends=RoundPhase.ABORTED,
    ),
    Row(
        "no commit, nor one of the reserve that was called",
        stay_away_with_the_reserve,
        {"absent": 5 * FLT},
        burned=10 * FLT,
        spec=WITH_RESERVE,
    ),
    Row("no reveal, the others go on", keep_closed, {"closed": 20 * FLT}, burned=20 * FLT),
    Row(
        "no reveal, and too few are left",
        keep_closed,
        {"closed": 20 * FLT},
        made_good=14 * FLT,
        burned=6 * FLT,
        escrow=0,
        spec=ALL_SIX,
        ends=RoundPhase.ABORTED,
    ),
    Row(
        "no reveal, and then too few readers",
        keep_closed_and_get_no_votes,
        {"closed": 20 * FLT},
        made_good=14 * FLT,
        burned=6 * FLT,
        escrow=0,
        ends=RoundPhase.ABORTED,
    ),
    Row("one turn missed", miss_turns(1), {"silent": 50 * FLT}, burned=50 * FLT),
    Row("two turns missed", miss_turns(2), {"silent": 50 * FLT}, burned=100 * FLT),
    Row(
        "all turns missed",
        miss_turns(3),
        {"silent": 50 * FLT},
        made_good=14 * FLT,
        burned=136 * FLT,
        escrow=0,
        ends=RoundPhase.ABORTED,
    ),
    Row(
        "all turns missed, and the pot is short: escrow fills up half",
        miss_turns(3),
        {"silent": 1 * FLT},
        made_good=3 * FLT,
        escrow=4 * FLT,
        params=CHEAP_TURNS,
        ends=RoundPhase.ABORTED,
    ),
    Row(
        "all turns missed, and they cost nothing: escrow pays half",
        miss_turns(3),
        {"silent": 0},
        escrow=7 * FLT,
        params=FREE_TURNS,
        ends=RoundPhase.ABORTED,
    ),
    Row(
        "a model that nobody attests is no fault without a proof",
        post_what_nobody_attests,
        {},
        escrow=7 * FLT,
        ends=RoundPhase.ABORTED,
    ),
    *(
        Row(
            f"{fault.name} found in {phase.name}",
            be_found(fault, phase, role),
            {"liar": lost},
            prover=prover,
            burned=lost - prover,
        )
        for phase in (RoundPhase.INCLUDE, RoundPhase.AGGREGATE, RoundPhase.CHALLENGE)
        for fault, role, lost, prover in (
            (Fault.FALSE_UPDATE, "worker", 100 * FLT, 25 * FLT),
            (Fault.WITHHELD_CHUNK, "evaluator", 100 * FLT, 25 * FLT),
            (Fault.UNREVEALED_SCORES, "evaluator", 20 * FLT, 0),
        )
    ),
    Row(
        "a false update in a round that aborts: the liar delivered nothing",
        lie_and_give_up,
        {"liar": 100 * FLT},
        prover=25 * FLT,
        made_good=14 * FLT,
        burned=61 * FLT,
        escrow=0,
        ends=RoundPhase.ABORTED,
    ),
    Row(
        "a false model: all that the job locks, and a tenth of who attested it",
        post_a_false_model,
        {"cheat": 200 * FLT, "liars": 100 * FLT, "honest": 0},
        prover=100 * FLT,
        made_good=14 * FLT,
        fees={"honest": 1 * FLT},
        burned=285 * FLT,
        escrow=0,
        ends=RoundPhase.VOIDED,
    ),
]


def even(total: int, people: Iterable[Address]) -> dict[Address, int]:
    """Split evenly, the remainder one by one in address order."""
    names = sorted(people)
    share, left = divmod(total, max(len(names), 1))
    return {who: share + (i < left) for i, who in enumerate(names) if share + (i < left)}


def in_proportion(total: int, losses: Mapping[Address, int]) -> dict[Address, int]:
    """Split by what each lost, all of it at most, the remainder one by one in address order."""
    whole = sum(losses.values())
    parts = {who: total * loss // whole for who, loss in losses.items()}
    for who in sorted(parts)[: total - sum(parts.values())]:
        parts[who] += 1
    return {who: part for who, part in parts.items() if part}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.fault)
def test_who_loses_and_who_is_paid(row: Row) -> None:
    play = a_play(row.spec, params=row.params)
    world, bonded, burned = play.world, play.bonds(), bank.get_burned(play.world.state)

    groups = row.script(play)

    assert play.round().phase is row.ends
    lost = {who: each for group, each in row.lost.items() for who in groups[group] if each}
    assert {who: was - play.bonds()[who] for who, was in bonded.items()} == {
        who: lost.get(who, 0) for who in bonded
    }
    losses = even(14 * FLT, groups.get("delivered", ()))
    made_good = in_proportion(row.made_good, losses)
    fees = {who: each for group, each in row.fees.items() for who in groups[group]}
    paid = {event.participant: event.amount_uflt for event in world.said(LossCompensated)}
    assert paid == {**made_good, **fees}
    assert world.balance(PROVER) == row.prover
    assert sum(event.amount_uflt for event in world.said(PotBurned)) == row.burned
    assert bank.get_burned(world.state) - burned == row.burned
    assert sum(lost.values()) == row.prover + sum(paid.values()) + row.burned
    assert world.balance("slashed") == 0

    if row.escrow is not None:
        halves = even(7 * FLT if row.escrow else 0, groups.get("delivered", ()))
        filled = {who: half - made_good.get(who, 0) for who, half in halves.items()}
        assert sum(filled.values()) == row.escrow
        for who in play.workers:
            share = filled.get(who, 0)
            net = made_good.get(who, 0) + share - share // 100
            assert world.balance(a_payout_address(who)) == net
        assert play.job().paid_uflt == row.escrow


BUILT: Mapping[RoundPhase, Callable[[Play], object]] = {
    RoundPhase.COMMIT: lambda play: None,
    RoundPhase.REVEAL: lambda play: play.to_reveal(2),
    RoundPhase.INCLUDE: lambda play: play.to_include(2),
    RoundPhase.AGGREGATE: lambda play: play.to_aggregate(2),
    RoundPhase.CHALLENGE: lambda play: play.to_challenge(2),
}


@pytest.mark.parametrize("phase", BUILT, ids=lambda phase: phase.name)
def test_a_false_model_pays_for_the_rounds_built_on_it_in_every_phase(phase: RoundPhase) -> None:
    play = a_play(THREE_ROUNDS).to_challenge()
    BUILT[phase](play)
    assert play.round(2).phase is phase
    cheat, honest = play.round().aggregator, play.round(2).aggregator
    convict(play, [(cheat, Fault.FALSE_AGGREGATE)])
    play.world.do(void_round, play.job_id, 1, "false_aggregate")

    pool = play.round(1).pool_uflt
    lost = [even(pool * 7 // 10, delivered(play, 1)), even(pool * 7 // 10, delivered(play, 2))]
    if phase in (RoundPhase.AGGREGATE, RoundPhase.CHALLENGE):
        lost.append(even(pool * 15 // 100, play.evaluators))
    if phase is RoundPhase.CHALLENGE and honest != cheat:
        lost.append({honest: pool // 10})
    shares = {who: sum(each.get(who, 0) for each in lost) for each in lost for who in each}
    paid = {event.participant: event.amount_uflt for event in play.world.said(LossCompensated)}
    assert paid == shares
    left = 10 * pool - 10 * pool // 4 - sum(shares.values())
    assert sum(event.amount_uflt for event in play.world.said(PotBurned)) == left
    assert play.job().escrow_uflt == play.job().budget_uflt


def test_who_is_convicted_in_one_of_the_voided_rounds_lost_nothing_in_any() -> None:
    play = a_play(THREE_ROUNDS).to_challenge().to_include(2)
    liar = play.seats(2)[0].worker
    convict(play, [(liar, Fault.FALSE_UPDATE)], 2)
    convict(play, [(play.round().aggregator, Fault.FALSE_AGGREGATE)], 1)
    play.world.do(void_round, play.job_id, 1, "false_aggregate")
    paid = {event.participant: event.amount_uflt for event in play.world.said(LossCompensated)}
    assert sorted(paid) == sorted(who for who in delivered(play, 1) if who != liar)


def test_a_worker_that_paid_into_the_job_gets_its_half_of_escrow_and_nothing_slashed() -> None:
    play = a_play(SIX).to_aggregate()
    funder, *others = delivered(play)
    play.world.run(jobs.FundJob(funder, U64(1), U64(FLT)))
    for _ in range(3):
        play.end_phase()
    shares = even(14 * FLT, [funder, *others])
    paid = {event.participant: event.amount_uflt for event in play.world.said(LossCompensated)}
    assert paid == {who: share for who, share in shares.items() if who != funder}
    assert play.seat(funder).earned_uflt == even(7 * FLT, [funder, *others])[funder]
    assert play.job().paid_uflt == play.seat(funder).earned_uflt


def test_a_proven_fault_moves_reputation_once() -> None:
    play = a_play(SIX).to_include()
    liar = play.seats()[0].worker
    convict(play, [(liar, Fault.FALSE_UPDATE)])
    play.to_end()
    moves = [move for move in play.world.said(reputation.ReputationMoved) if move.account == liar]
    assert [move.success for move in moves] == [False]


QUORUM = {**SIX, "schedule.quorum_ppm": U32(500_000)}


@pytest.mark.parametrize("phase", [RoundPhase.COMMIT, RoundPhase.REVEAL], ids=lambda p: p.name)
def test_who_is_late_for_a_quorum_loses_nothing(phase: RoundPhase) -> None:
    play = a_play(QUORUM)
    if phase is RoundPhase.REVEAL:
        play.commit()
        play.reveal(workers=[seat.worker for seat in play.seats()[:3]])
    else:
        play.commit(workers=play.asked()[:3])
    play.world.wait(2)
    play.to_end()
    assert len(play.seats(1, SeatState.LATE)) == 3
    assert play.world.said(Slashed) == play.world.said(Excused) == []


REACH: Mapping[RoundPhase, Callable[[Play], object]] = {
    RoundPhase.COMMIT: lambda play: None,
    RoundPhase.REVEAL: lambda play: play.to_reveal(),
    RoundPhase.INCLUDE: lambda play: play.to_include(),
    RoundPhase.AGGREGATE: lambda play: play.to_aggregate(),
    RoundPhase.CHALLENGE: lambda play: play.to_challenge(),
}
in_every_phase = pytest.mark.parametrize("phase", REACH, ids=lambda phase: phase.name)


@in_every_phase
def test_a_halt_of_the_chain_convicts_nobody(phase: RoundPhase) -> None:
    play = a_play(SIX)
    REACH[phase](play)
    world = play.world
    after = clock.advance(world.state, world.next_block(3_600))
    world.pass_block(3_600, clock_ms=after.clock_ms)
    for _ in range(3):
        world.pass_block()
    assert play.round().phase is phase
    play.to_end()
    assert play.round().phase is RoundPhase.SETTLED
    assert world.said(Slashed) == world.said(Excused) == []


def cancel(play: Play) -> None:
    play.world.run(jobs.CancelJob(play.job().requester, U64(play.job_id)))


def run_out_of_time(play: Play) -> None:
    job = jobs.lifecycle.set_due(play.world.state, play.job(), play.world.block.clock_ms)
    jobs.store(play.world.state, job)
    play.world.pass_block()
    assert play.job().reason == "job_s_max"


def close(play: Play) -> None:
    for _ in range(3):
        play.world.wait(3_600)


@in_every_phase
@pytest.mark.parametrize("stop", [cancel, run_out_of_time], ids=lambda stop: stop.__name__)
def test_a_job_that_is_stopped_touches_no_honest_bond(
    phase: RoundPhase, stop: Callable[[Play], None]
) -> None:
    play = a_play(THREE_ROUNDS)
    bonded = play.bonds()
    REACH[phase](play)
    stop(play)
    play.to_end(1)
    if phase is RoundPhase.CHALLENGE:
        play.to_end(2)
    close(play)
    assert play.job().phase is JobPhase.CANCELLED
    assert play.bonds() == bonded
    assert play.world.said(Slashed) == []
    assert list(bonds.LOCKS.items(play.world.state)) == []
    assert play.world.balance("escrow") == play.world.balance("deposits") == 0


@in_every_phase
def test_a_job_that_is_stopped_still_takes_what_a_fault_costs(phase: RoundPhase) -> None:
    play = a_play(THREE_ROUNDS)
    bonded = play.bonds()
    REACH[phase](play)
    cancel(play)
    place = Place(play.job_id, 1)
    who = play.workers[0]
    play.world.do(slashing.slash, place, who, Fault.MISSED_COMMIT)
    play.to_end(1)
    if phase is RoundPhase.CHALLENGE:
        play.to_end(2)
    close(play)
    assert play.bonds() == {**bonded, who: 995 * FLT}
    assert play.world.balance("slashed") == play.world.balance("escrow") == 0


def test_a_job_that_fails_takes_from_those_alone_who_made_it_fail() -> None:
    play = a_play({**ALL_SIX, "schedule.round_count": U32(3)})
    bonded = play.bonds()
    absent = play.workers[0]
    for number in (1, 2, 3):
        play.commit(number, workers=[who for who in play.asked(number) if who != absent])
        play.end_phase(number)
    close(play)
    assert (play.job().phase, play.job().reason) == (JobPhase.FAILED, "three_aborted_rounds")
    lost = 1_000 * FLT - 1_000 * FLT * 995**3 // 1_000**3
    assert play.bonds() == {**bonded, absent: 1_000 * FLT - lost}
    assert play.world.balance("slashed") == play.world.balance("escrow") == 0


def test_who_leaves_or_pauses_before_it_is_drawn_loses_nothing() -> None:
    play = a_play(THREE_ROUNDS)
    bonded = play.bonds()
    leaver, idle = play.workers[:2]
    play.to_end(1)  # the next round is drawn by now
    play.to_end(2)
    play.world.run(jobs.LeaveJob(leaver, U64(1)))
    payout = a_payout_address(idle)
    play.world.run(bonds.EditRegistration(idle, payout, "", b"", True))
    play.to_end(3)
    assert play.bonds() == bonded


def test_every_unit_of_a_stopped_job_is_where_it_belongs() -> None:
    play = a_play(ALL_SIX)
    world, rita = play.world, play.job().requester
    before = {who: row.amount for (who, _), row in bank.BALANCES.items(world.state)}
    cancel(play)
    delivered_by = keep_closed(play)["delivered"]
    close(play)
    after = {who: row.amount for (who, _), row in bank.BALANCES.items(world.state)}
    gains = {who: after.get(who, 0) - before.get(who, 0) for who in {*before, *after}}
    made_good = even(14 * FLT, delivered_by)
    assert {who: gain for who, gain in gains.items() if gain} == {
        **{a_payout_address(who): share for who, share in made_good.items()},
        **dict.fromkeys(play.workers, 1 * FLT),  # deposits
        rita: 20 * FLT,
        bonds.BONDS: -20 * FLT,
        jobs.ESCROW: -20 * FLT,
        jobs.DEPOSITS: -6 * FLT,
    }
    assert sum(gains.values()) == -6 * FLT  # burned: of 20 slashed all but what made losses good
