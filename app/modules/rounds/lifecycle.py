"""A round's life: which phase follows which, how long each lasts, and who sits in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.amounts import PPM
from app.kernel.bech32 import to_bech32
from app.kernel.context import Block, Context
from app.kernel.errors import Rejected, broken, require
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader as View
from app.kernel.store import State
from app.modules import jobs, slashing, statistics
from app.modules.rounds.records import (
    DUE,
    PARAMS,
    READER_OF,
    READERS,
    ROUNDS,
    SCORERS,
    SEAT_OF,
    SEATS,
    UNSETTLED,
    Reader,
    Round,
    RoundPhase,
    RoundPhaseChanged,
    Scorer,
    Seat,
)


class NoSuchRound(Rejected):
    """A round that was never begun."""

    code = 701
    text = "round {round}: job {job_id} has no such round, the newest is {limit}; choose one of its"


class WrongRoundPhase(Rejected):
    """A round in whose phase this can't be done."""

    code = 702
    text = (
        "round {round} of job {job_id}: is in {phase}, the limit is {limit}; "
        "look at the round and act in its phase"
    )


class DeadlinePassed(Rejected):
    """What comes after the phase's end."""

    code = 703
    text = (
        "clock_ms {value}: the deadline of {phase} in round {round} was {limit}; "
        "be ready for the next round"
    )


class NoSeat(Rejected):
    """A worker that was not drawn for the round."""

    code = 704
    text = (
        "worker {worker}: has no seat in round {round} of job {job_id}, the limit is the "
        "{limit} drawn; wait to be drawn"
    )


class NotAReader(Rejected):
    """An account that was not drawn to read the round."""

    code = 705
    text = (
        "{field} {participant}: is not drawn as one for round {round} of job {job_id}, the limit "
        "is the {limit} readers drawn; wait to be drawn"
    )


class WrongLength(Rejected):
    """Bytes that are too many or too few."""

    code = 706
    text = "{field}: has {value} bytes, the limit is exactly {limit}; {next_step}"


NEXT_PHASES = {
    RoundPhase.OPEN: (RoundPhase.COMMIT, RoundPhase.ABORTED),
    RoundPhase.COMMIT: (RoundPhase.REVEAL, RoundPhase.ABORTED, RoundPhase.VOIDED),
    RoundPhase.REVEAL: (RoundPhase.INCLUDE, RoundPhase.ABORTED, RoundPhase.VOIDED),
    RoundPhase.INCLUDE: (RoundPhase.AGGREGATE, RoundPhase.ABORTED, RoundPhase.VOIDED),
    RoundPhase.AGGREGATE: (
        RoundPhase.SCORE,
        RoundPhase.CHALLENGE,
        RoundPhase.ABORTED,
        RoundPhase.VOIDED,
    ),
    RoundPhase.SCORE: (RoundPhase.CHALLENGE, RoundPhase.VOIDED),
    RoundPhase.CHALLENGE: (RoundPhase.SETTLED, RoundPhase.VOIDED),
    RoundPhase.SETTLED: (),
    RoundPhase.ABORTED: (),
    RoundPhase.VOIDED: (),
}
"""The whole life of a round; `advance_round` is the only way to change it.

Nothing is scored under `equal` and `examples_capped`: AGGREGATE is followed by CHALLENGE.
"""

TRAINING = (RoundPhase.COMMIT, RoundPhase.REVEAL, RoundPhase.INCLUDE, RoundPhase.AGGREGATE)
"""The phases before the round's model is known."""
ATTESTED = (RoundPhase.SCORE, RoundPhase.CHALLENGE)
"""The phases in which the round's model is known and may yet be proven false."""
ENDED = tuple(phase for phase, following in NEXT_PHASES.items() if not following)


def phase_s(schedule: jobs.Schedule, phase: RoundPhase) -> int:
    """Return how long a phase may take, in seconds."""
    return {
        RoundPhase.COMMIT: schedule.commit_s,
        RoundPhase.REVEAL: schedule.reveal_s,
        RoundPhase.INCLUDE: schedule.include_s,
        RoundPhase.AGGREGATE: schedule.aggregate_s,
        RoundPhase.SCORE: schedule.score_s,
        RoundPhase.CHALLENGE: schedule.challenge_s,
    }[phase]


def advance_round(
    state: State, ctx: Context, round: Round, phase: RoundPhase, reason: str = ""
) -> Round:
    """Put a round into its next phase, with that phase's deadline, and say so."""
    if phase not in NEXT_PHASES[round.phase]:
        broken(f"round {round.round} goes from {round.phase.name} to a phase that follows it")
    round = replace(round, phase=phase, reason=reason, phase_clock_ms=U64(ctx.block.clock_ms))
    if phase in ENDED:
        round = set_due(state, round, 0)
        UNSETTLED.remove(state, (round.job_id, round.round))
        statistics.count_ending(state, statistics.ROUND, phase.name, reason)
    else:
        round = set_deadline(state, ctx, round)
    ctx.emit(RoundPhaseChanged(round.job_id, round.round, phase, reason))
    return round


def set_deadline(state: State, ctx: Context, round: Round) -> Round:
    """Give a round its phase's full time, from now on."""
    now = ctx.block.clock_ms
    schedule = jobs.JOBS.must(state, round.job_id).spec.schedule
    deadline = U64(now + phase_s(schedule, round.phase) * 1_000)
    height = U64(ctx.block.height + PARAMS.get(state).deadline_blocks)
    round = replace(
        round,
        phase_clock_ms=U64(now),
        deadline_clock_ms=deadline,
        deadline_height=height,
        is_early=False,
    )
    return set_due(state, round, deadline)


def set_due(state: State, round: Round, due_clock_ms: int) -> Round:
    """Write a round that the chain looks at next at this time; 0: not by itself."""
    key = (round.job_id, round.round)
    DUE.remove(state, (round.due_clock_ms, *key))
    if due_clock_ms:
        DUE.add(state, (due_clock_ms, *key))
    round = replace(round, due_clock_ms=U64(due_clock_ms))
    ROUNDS.put(state, key, round)
    return round


def end_early(state: State, round: Round, deadline_clock_ms: int) -> Round:
    """Write a round whose phase ends by a quorum, unless the full deadline comes before that."""
    if deadline_clock_ms >= round.deadline_clock_ms:
        return set_due(state, round, round.deadline_clock_ms)
    early = replace(round, deadline_clock_ms=U64(deadline_clock_ms), is_early=True)
    return set_due(state, early, deadline_clock_ms)


def end_at_once(state: State, ctx: Context, round: Round) -> Round:
    """Write a round whose phase is done: no one it waits for is missing."""
    deadline = min(ctx.block.clock_ms, round.deadline_clock_ms)
    done = replace(round, deadline_clock_ms=U64(deadline), is_early=True)
    return set_due(state, done, deadline)


def note_progress(state: State, ctx: Context, round: Round, done: int, asked: int) -> Round:
    """Write a round in which one more worker is done; all or a quorum of them end its phase."""
    if done == asked:
        return end_at_once(state, ctx, round)
    schedule = jobs.JOBS.must(state, round.job_id).spec.schedule
    is_quorum = done * PPM >= asked * schedule.quorum_ppm
    if is_quorum and done >= schedule.cohort_size_min:
        return end_early(state, round, ctx.block.clock_ms + schedule.grace_ms)
    return set_due(state, round, round.due_clock_ms)


def has_passed(round: Round, block: Block) -> bool:
    """Whether a phase's deadline has passed: its time and, unless a quorum ended it, its blocks."""
    is_over = block.clock_ms >= round.deadline_clock_ms
    return is_over and (round.is_early or block.height >= round.deadline_height)


def is_late(round: Round, block: Block) -> bool:
    """Whether nothing more is taken; the block in which a quorum ends a phase still counts."""
    if round.is_early:
        return block.clock_ms > round.deadline_clock_ms
    return has_passed(round, block)


def require_round(state: View, job_id: int, number: int) -> Round:
    """Return a round that the user named, or refuse."""
    newest = jobs.require_job(state, job_id).next_round - 1
    key = (job_id, number)
    return ROUNDS.require(state, key, NoSuchRound, job_id=job_id, round=number, limit=newest)


def require_phase(
    state: View, ctx: Context, job_id: int, number: int, phases: Sequence[RoundPhase]
) -> Round:
    """Return a round that the user named if one of these phases is still open, or refuse."""
    round = require_round(state, job_id, number)
    names = {"job_id": job_id, "round": number, "phase": round.phase.name}
    needed = " or ".join(phase.name for phase in phases)
    require(round.phase in phases, WrongRoundPhase, **names, limit=needed)
    now, deadline = ctx.block.clock_ms, round.deadline_clock_ms
    require(not is_late(round, ctx.block), DeadlinePassed, **names, value=now, limit=deadline)
    return round


def require_seat(state: View, round: Round, worker: Address) -> Seat:
    """Return a worker's seat in a round, or refuse."""
    key = (round.job_id, round.round, worker)
    names = {"worker": to_bech32(worker), "job_id": round.job_id, "round": round.round}
    found = SEAT_OF.require(state, key, NoSeat, **names, limit=round.seat_count)
    return SEATS.must(state, (round.job_id, round.round, found.number))


def require_reader(state: View, round: Round, participant: Address, field: str) -> Reader:
    """Return a reader of a round, or refuse; `field` says as what it acts."""
    names = {"participant": to_bech32(participant), "job_id": round.job_id, "round": round.round}
    names |= {"field": field, "limit": round.reader_count}
    key = (round.job_id, round.round, participant)
    found = READER_OF.require(state, key, NotAReader, **names)
    reader = READERS.must(state, (round.job_id, round.round, found.number))
    is_asked = field == "reader" or reader.is_aggregator == (field == "aggregator")
    require(is_asked, NotAReader, **names)
    return reader


def require_length(field: str, value: bytes, limit: int, next_step: str) -> None:
    """Refuse bytes that are not exactly so many."""
    length = len(value)
    names = {"field": field, "value": length, "limit": limit}
    require(length == limit, WrongLength, **names, next_step=next_step)


def place_of(round: Round) -> slashing.Place:
    """Return where the slashed money of a round waits."""
    return slashing.Place(round.job_id, round.round)


def punish_missing(
    state: State, ctx: Context, round: Round, missing: Sequence[Seat], fault: slashing.Fault
) -> None:
    """Slash, or excuse, the workers that missed a full deadline of a round."""
    workers, place = [seat.worker for seat in missing], place_of(round)
    is_commit = round.phase is RoundPhase.COMMIT
    awaited = round.selected_count if is_commit else round.committed_count
    slashing.punish_missing(state, ctx, place, workers, awaited_count=awaited, fault=fault)


def get_seats(state: View, round: Round) -> list[Seat]:
    """Return a round's seats in order."""
    return [seat for _, seat in SEATS.items(state, (round.job_id, round.round))]


def get_readers(state: View, round: Round) -> list[Reader]:
    """Return a round's readers in order."""
    return [reader for _, reader in READERS.items(state, (round.job_id, round.round))]


def get_scorers(state: View, round: Round) -> list[Scorer]:
    """Return who scores a round in order, those drawn later too."""
    return [scorer for _, scorer in SCORERS.items(state, (round.job_id, round.round))]


def put_seat(state: State, round: Round, seat: Seat) -> None:
    """Write a seat of a round."""
    SEATS.put(state, (round.job_id, round.round, seat.seat), seat)


def put_reader(state: State, round: Round, reader: Reader) -> None:
    """Write a reader of a round."""
    READERS.put(state, (round.job_id, round.round, reader.reader), reader)


def put_scorer(state: State, round: Round, scorer: Scorer) -> None:
    """Write who scores a round."""
    SCORERS.put(state, (round.job_id, round.round, scorer.scorer), scorer)


def count_disputes(state: State, round: Round, change: int) -> None:
    """Count more or fewer open disputes of a round's aggregate."""
    counted = replace(round, dispute_count=U32(round.dispute_count + change))
    ROUNDS.put(state, (round.job_id, round.round), counted)


def get_unsettled(state: View, job_id: int) -> list[Round]:
    """Return a job's rounds that have not ended, in order."""
    return [ROUNDS.must(state, key) for key in UNSETTLED.keys(state, (job_id,))]
