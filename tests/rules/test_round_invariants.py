"""Each invariant of rounds breaks where its sentence doesn't hold."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.record import U32, U64
from app.kernel.store import Overlay, State
from app.modules import bonds, jobs, rounds, slashing, statistics
from app.modules.jobs import JobPhase
from app.modules.rounds import RoundPhase, SeatState
from tests.build_rounds import Play, a_play

Change = Callable[[State, Play], None]


def put_round(number: int, **changes: Any) -> Change:
    return lambda draft, play: rounds.ROUNDS.put(
        draft, (1, number), replace(play.round(number), **changes)
    )


def put_job(**changes: Any) -> Change:
    return lambda draft, play: jobs.JOBS.put(draft, 1, replace(play.job(), **changes))


def put_seat(**changes: Any) -> Change:
    return lambda draft, play: rounds.SEATS.put(
        draft, (1, 1, 0), replace(play.seats()[0], **changes)
    )


def be_due_twice(draft: State, play: Play) -> None:
    rounds.DUE.add(draft, (5, 1, 1))


def be_due_never(draft: State, play: Play) -> None:
    rounds.DUE.remove(draft, (play.round().due_clock_ms, 1, 1))
    put_round(1, due_clock_ms=U64(0))(draft, play)


def leave_a_pot(draft: State, play: Play) -> None:
    slashing.change_pot(draft, slashing.Place(1, 7), 1)


def forget_a_seat(draft: State, play: Play) -> None:
    bonds.LOCKS.put(draft, (play.workers[0], 9), bonds.Lock(U64(1), U64(0)))


def count_an_ending(draft: State, play: Play) -> None:
    statistics.count_ending(draft, statistics.ROUND, "ABORTED", "no_aggregate")


def want_a_round_unasked(draft: State, play: Play) -> None:
    rounds.DRAWS.add(draft, (U64(1), U64(1)))


BREAKS: list[tuple[str, str, Change]] = [
    ("every_unsettled_round_is_due_once", "due exactly once", be_due_twice),
    ("every_unsettled_round_is_due_once", "is due, or waits", be_due_never),
    (
        "every_unsettled_round_is_due_once",
        "waits for a round that trains",
        put_round(1, phase=RoundPhase.CHALLENGE),
    ),
    (
        "rounds_that_have_not_ended_are_found_by_job",
        "no round that has ended",
        put_round(1, phase=RoundPhase.SETTLED),
    ),
    (
        "rounds_that_have_not_ended_are_found_by_job",
        "counts its 2 unsettled",
        put_job(unsettled_round_count=U32(3)),
    ),
    (
        "rounds_that_have_not_ended_are_found_by_job",
        "below its next round",
        put_job(next_round=U32(2)),
    ),
    ("at_most_one_round_of_a_job_trains", "one round", put_round(2, phase=RoundPhase.COMMIT)),
    ("at_most_one_round_of_a_job_trains", "one OPEN", put_round(1, phase=RoundPhase.OPEN)),
    ("every_running_job_goes_on", "running job 1", put_job(unsettled_round_count=U32(0))),
    ("every_running_job_goes_on", "a seed is asked for", want_a_round_unasked),
    ("every_running_job_goes_on", "only while it runs", put_job(phase=JobPhase.REVIEW)),
    (
        "the_pools_of_unsettled_rounds_are_in_escrow",
        "covers what is held back",
        put_job(held_uflt=U64(1)),
    ),
    ("counters_equal_the_seats", "counts", put_round(1, committed_count=U32(1))),
    ("counters_equal_the_seats", "counts", put_round(1, attested_count=U32(1))),
    ("counters_equal_the_seats", "counts", put_seat(state=SeatState.DRAWN)),
    ("unsettled_seats_lock_bonds", "as many seats", forget_a_seat),
    ("unsettled_seats_lock_bonds", "lock 23333334", put_seat(locked_uflt=U64(1))),
    (
        "statistics_count_the_rounds_and_their_tasks",
        "what rounds and seats say",
        put_seat(earned_uflt=U64(1)),
    ),
    (
        "statistics_count_the_rounds_and_their_tasks",
        "by reason",
        count_an_ending,
    ),
    ("only_unsettled_rounds_have_pots", "round 7 of job 1", leave_a_pot),
]


@pytest.fixture(scope="module")
def play() -> Play:
    return a_play().to_aggregate()


@pytest.mark.parametrize(("name", "sentence", "change"), BREAKS)
def test_an_invariant_breaks(play: Play, name: str, sentence: str, change: Change) -> None:
    draft = Overlay(play.world.state)
    change(draft, play)
    invariant = next(each for each in rounds.MODULE.invariants if each.__name__ == name)
    with pytest.raises(InvariantBroken, match=sentence):
        invariant(draft)


def test_every_invariant_is_seen_to_break() -> None:
    names = {name for name, _, _ in BREAKS}
    assert names == {invariant.__name__ for invariant in rounds.MODULE.invariants}
