"""What always holds of rounds, between any two blocks."""

from __future__ import annotations

from collections.abc import Iterator

from app.kernel.bech32 import to_bech32
from app.kernel.errors import broken
from app.kernel.record import Address
from app.kernel.store import Reader as View
from app.modules import beacon, bonds, jobs, slashing, statistics
from app.modules.jobs import JobPhase
from app.modules.rounds.lifecycle import (
    ENDED,
    TRAINING,
    get_readers,
    get_scorers,
    get_seats,
    get_unsettled,
)
from app.modules.rounds.records import (
    DRAWS,
    DUE,
    ROUNDS,
    UNSETTLED,
    Round,
    RoundPhase,
    Seat,
    SeatKind,
    SeatState,
)
from app.modules.rounds.settle import find_drawn, is_task


def walk_unsettled(state: View) -> Iterator[Round]:
    """Walk all rounds that have not ended, by job."""
    for key in UNSETTLED.keys(state):
        yield ROUNDS.must(state, key)


def every_unsettled_round_is_due_once(state: View) -> None:
    """Every unsettled round is due exactly once, or is drawn and waits for the one that trains."""
    rounds = list(walk_unsettled(state))
    due = [(row.due_clock_ms, row.job_id, row.round) for row in rounds if row.due_clock_ms]
    if sorted(due) != list(DUE.keys(state)):
        broken("every unsettled round is due exactly once, at its own time")
    training = {row.job_id: row for row in rounds if row.phase in TRAINING}
    for row in rounds:
        is_waiting = row.phase is RoundPhase.OPEN and row.seat_count > 0
        if bool(row.due_clock_ms) == is_waiting:
            broken(f"round {row.round} of job {row.job_id} is due, or waits for its base")
        if is_waiting and row.job_id not in training:
            broken(f"round {row.round} of job {row.job_id} waits for a round that trains")


def rounds_that_have_not_ended_are_found_by_job(state: View) -> None:
    """The rounds that have not ended, and no other, are found by job and counted by it."""
    for job_id, job in jobs.JOBS.items(state):
        rounds = get_unsettled(state, job_id)
        if any(row.phase in ENDED for row in rounds):
            broken(f"no round that has ended is unsettled in job {job_id}")
        if len(rounds) != job.unsettled_round_count:
            broken(f"job {job_id} counts its {len(rounds)} unsettled rounds")
        if any(row.round >= job.next_round for row in rounds):
            broken(f"the rounds of job {job_id} lie below its next round")


def at_most_one_round_of_a_job_trains(state: View) -> None:
    """A job has at most one round that trains and one that is OPEN, which comes after it."""
    for job_id, _ in jobs.JOBS.items(state):
        rounds = get_unsettled(state, job_id)
        training = [row.round for row in rounds if row.phase in TRAINING]
        opened = [row.round for row in rounds if row.phase is RoundPhase.OPEN]
        if len(training) > 1 or len(opened) > 1 or training > (opened or training):
            broken(f"job {job_id} has at most one round that trains and one OPEN after it")


def every_running_job_goes_on(state: View) -> None:
    """Every running job has an unsettled round, or is about to have one drawn of the next seed."""
    waiting = {job_id: 0 for _, job_id in (*DRAWS.keys(state), *jobs.READY.keys(state))}
    if waiting and not beacon.BEACON.get(state).asked_height:
        broken("a seed is asked for while a round is about to be drawn")
    for job_id, job in jobs.JOBS.items(state):
        is_moving = job.unsettled_round_count or job_id in waiting
        if job.phase is JobPhase.RUNNING and not is_moving:
            broken(f"running job {job_id} has a round or is about to have one drawn")
        if job.phase is not JobPhase.RUNNING and job.unsettled_round_count:
            broken(f"job {job_id} has rounds only while it runs")


def the_pools_of_unsettled_rounds_are_in_escrow(state: View) -> None:
    """A job's escrow covers what it holds back and the pools of its unsettled rounds."""
    for job_id, job in jobs.JOBS.items(state):
        promised = sum(row.pool_uflt for row in get_unsettled(state, job_id))
        if job.held_uflt + promised > job.escrow_uflt:
            broken(f"the escrow of job {job_id} covers what is held back and {promised} promised")


def counters_equal_the_seats(state: View) -> None:
    """What an unsettled round counts is what its seats and readers say."""
    for row in walk_unsettled(state):
        seats, readers = get_seats(state, row), get_readers(state, row)
        attempt = row.aggregate_attempt
        attested = [r for r in readers if attempt and r.attested_attempt == attempt]
        for told, counted in (
            (row.seat_count, seats),
            (row.selected_count, [seat for seat in seats if is_selected(row, seat)]),
            (row.committed_count, [seat for seat in seats if seat.commitment]),
            (row.revealed_count, [seat for seat in seats if seat.reveal.update_root]),
            (row.included_count, [seat for seat in seats if seat.state is SeatState.INCLUDED]),
            (row.reader_count, readers),
            (row.voted_count, [reader for reader in readers if reader.voted]),
            (row.attested_count, attested),
        ):
            if told != len(counted):
                broken(f"round {row.round} of job {row.job_id} counts its seats and readers")


def is_selected(round: Round, seat: Seat) -> bool:
    """Whether a commitment is awaited of a seat in this attempt, or came."""
    has_missed_before = (
        seat.state is SeatState.MISSED
        and not seat.commitment
        and seat.attempt < round.commit_attempt
    )
    return seat.kind is not SeatKind.RESERVE and not has_missed_before


def unsettled_seats_lock_bonds(state: View) -> None:
    """What jobs lock of bonds, with what of it is lost, is what their unsettled seats lock."""
    counts: dict[tuple[Address, int], int] = {}
    amounts: dict[tuple[Address, int], int] = {}
    for row in walk_unsettled(state):
        for seat in get_seats(state, row):
            key = seat.worker, row.job_id
            counts[key] = counts.get(key, 0) + 1
            amounts[key] = amounts.get(key, 0) + seat.locked_uflt
        for reader in get_readers(state, row):
            key = reader.participant, row.job_id
            counts[key] = counts.get(key, 0) + 1
        for scorer in find_drawn(get_scorers(state, row)):
            key = scorer.evaluator, row.job_id
            counts[key] = counts.get(key, 0) + 1
    locks = dict(bonds.LOCKS.items(state))
    if counts != {key: lock.seat_count for key, lock in locks.items()}:
        broken("every lock of a bond has as many seats as there are in unsettled rounds")
    for (address, job_id), amount in amounts.items():
        lock = locks[address, job_id]
        if lock.amount_uflt + lock.lost_uflt != amount:
            broken(f"the seats of {to_bech32(address)} in job {job_id} lock {amount} uflt")


def statistics_count_the_rounds_and_their_tasks(state: View) -> None:
    """Statistics say of rounds, seats, tasks and rewards what all rounds and seats say."""
    ended: dict[tuple[str, str], int] = {}
    counts = dict.fromkeys(("round_count", "seat_count", "reward_uflt"), 0)
    counts |= dict.fromkeys((*statistics.TASK_COUNTS.values(), "dropped_count"), 0)
    for _, row in ROUNDS.items(state):
        seats = get_seats(state, row)
        counts["round_count"] += bool(seats)
        counts["seat_count"] += len(seats)
        counts["reward_uflt"] += sum(seat.earned_uflt for seat in seats if seat.reveal.update_root)
        if row.phase in ENDED:
            end = row.phase.name, row.reason
            ended[end] = ended.get(end, 0) + 1
            for seat in (seat for seat in seats if is_task(row, seat)):
                counts[statistics.TASK_COUNTS.get(seat.state.name, "dropped_count")] += 1
    totals = statistics.TOTALS.get(state)
    if counts != {name: getattr(totals, name) for name in counts}:
        broken(f"statistics count what rounds and seats say: {counts}")
    if statistics.get_endings(state, statistics.ROUND) != ended:
        broken(f"statistics count the rounds that have ended, by reason: {ended}")


def only_unsettled_rounds_have_pots(state: View) -> None:
    """Slashed money waits for unsettled rounds alone."""
    for key, _ in slashing.POTS.items(state):
        if not UNSETTLED.has(state, key):
            broken(f"round {key[1]} of job {key[0]} has a pot only until it ends")
