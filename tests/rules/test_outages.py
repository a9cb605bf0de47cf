"""Outages: many miss one deadline together; who does so again and again pays."""

from collections.abc import Mapping
from typing import Any

from app.kernel.record import U32
from app.modules.rounds import RoundPhase
from app.modules.slashing import Excused, Slashed
from tests.build import FLT
from tests.build_rounds import QUICK, a_play

EXCUSES = {"rounds": QUICK["rounds"]}
"""Whoever is excused sits out three draws, as by default."""
SYBILS: Mapping[str, Any] = {
    "schedule.commit_s": U32(600),
    "schedule.reserve_count": U32(0),
    "schedule.round_count": U32(12),
    "schedule.cohort_size": U32(8),
}


def test_three_sybils_of_eight_that_skip_again_and_again_lose_from_the_second_time_on() -> None:
    play = a_play(SYBILS, budget_uflt=240 * FLT, params=EXCUSES)
    bonded, sybils = play.bonds(), play.workers[:3]
    drawn = []
    for number in range(1, 9):
        seats = [seat.worker for seat in play.seats(number)]
        drawn.append([who for who in seats if who in sybils])
        play.commit(number, workers=[who for who in play.asked(number) if who not in sybils])
        if drawn[-1]:
            play.end_phase(number)
        play.to_end(number)

    assert [len(each) for each in drawn] == [3, 0, 0, 0, 3, 3, 0, 0]  # then they are put out
    excused = {(event.round, event.participant) for event in play.world.said(Excused)}
    assert excused == {(1, who) for who in sybils}
    slashed = {(event.round, event.participant) for event in play.world.said(Slashed)}
    assert slashed == {(number, who) for number in (5, 6) for who in sybils}
    left = 1_000 * FLT * 995 * 995 // 1_000_000
    assert play.bonds() == {**bonded, **dict.fromkeys(sybils, left)}


def test_sybils_that_skip_reveals_are_excused_once_too() -> None:
    play = a_play(SYBILS, budget_uflt=240 * FLT, params=QUICK)
    bonded, sybils = play.bonds(), play.workers[:3]
    for number in (1, 2):
        play.commit(number)
        play.reveal(number, [who for who in play.workers if who not in sybils])
        play.end_phase(number)
        play.to_end(number)
    assert {event.round for event in play.world.said(Excused)} == {1}
    assert play.bonds() == {**bonded, **dict.fromkeys(sybils, 980 * FLT)}


def test_an_outage_of_everybody_costs_no_bond_and_the_job_goes_on() -> None:
    six = {"schedule.cohort_size": U32(6), "schedule.round_count": U32(2)}
    play = a_play({**SYBILS, **six}, params=EXCUSES)
    bonded = play.bonds()
    play.end_phase()
    assert play.round().phase is RoundPhase.ABORTED
    for _ in range(10):
        play.world.pass_block()
    assert play.round(2).phase is RoundPhase.COMMIT
    play.to_end(2)
    play.to_end(3)
    assert play.job().completed_round_count == 2
    assert play.bonds() == bonded
