"""INCLUDE: the readers say which revealed updates they hold; a majority decides each one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import State
from app.modules import jobs
from app.modules.rounds.aggregate import begin_aggregate
from app.modules.rounds.lifecycle import (
    end_at_once,
    get_readers,
    get_seats,
    put_reader,
    put_seat,
    require_length,
    require_phase,
    require_reader,
    set_due,
)
from app.modules.rounds.progress import abort_round
from app.modules.rounds.records import (
    PARAMS,
    InclusionVoted,
    Reader,
    Round,
    RoundPhase,
    Seat,
    SeatState,
)


@frozen
class VoteInclusion:
    """Say which revealed updates a reader holds and found right."""

    reader: Address
    job_id: U64
    round: U32
    bitmap: bytes


class AlreadyVoted(Rejected):
    """A second vote."""

    code = 715
    text = (
        "reader {reader}: voted in round {round} already, the limit is once; nothing is to be done"
    )


class NotRevealed(Rejected):
    """A vote for an update that nobody revealed."""

    code = 716
    text = (
        "bitmap: bit {value} is set, the limit is the seats that have revealed in round {round}; "
        "clear the bit"
    )


def vote_inclusion(state: State, ctx: Context, msg: VoteInclusion) -> None:
    """Say which updates a reader holds; when all readers have done so the phase ends."""
    round = require_phase(state, ctx, msg.job_id, msg.round, (RoundPhase.INCLUDE,))
    reader = require_reader(state, round, msg.reader, "reader")
    limit = bitmap_bytes(round.seat_count)
    require_length("bitmap", msg.bitmap, limit, "give one bit for each seat, padded with zeros")
    require(not reader.voted, AlreadyVoted, reader=to_bech32(msg.reader), round=msg.round)
    check_bits(msg, get_seats(state, round))

    put_reader(state, round, replace(reader, voted=True, bitmap=msg.bitmap))
    round = replace(round, voted_count=U32(round.voted_count + 1))
    if round.voted_count == round.reader_count:
        end_at_once(state, ctx, round)
    else:
        set_due(state, round, round.due_clock_ms)
    ctx.emit(InclusionVoted(msg.job_id, msg.round, msg.reader))


def bitmap_bytes(seat_count: int) -> int:
    """Return how many bytes hold one bit for each seat."""
    return (seat_count + 7) >> 3


def has_bit(bitmap: bytes, seat: int) -> bool:
    """Whether a bitmap names a seat."""
    return bool(bitmap[seat >> 3] >> (seat & 7) & 1)


def check_bits(msg: VoteInclusion, seats: Sequence[Seat]) -> None:
    """Refuse a bitmap that names more than the revealed updates."""
    revealed = [seat.state is SeatState.REVEALED for seat in seats]
    revealed += [False] * (len(msg.bitmap) * 8 - len(seats))
    for bit, is_revealed in enumerate(revealed):
        is_right = is_revealed or not has_bit(msg.bitmap, bit)
        require(is_right, NotRevealed, value=bit, round=msg.round)


def end_include(state: State, ctx: Context, round: Round) -> None:
    """Include what more than half of those who answered hold, or give up."""
    if round.voted_count < PARAMS.get(state).answers_min:
        abort_round(state, ctx, round, "too_few_readers")
        return
    answers = [reader for reader in get_readers(state, round) if reader.voted]
    included = decide_inclusion(state, round, answers)
    round = replace(round, included_count=U32(len(included)))
    if is_enough(jobs.JOBS.must(state, round.job_id).spec, included):
        begin_aggregate(state, ctx, round)
    else:
        abort_round(state, ctx, round, "too_few_updates")


def decide_inclusion(state: State, round: Round, answers: Sequence[Reader]) -> list[Seat]:
    """Mark each revealed update as included or excluded; return the included."""
    included = []
    for seat in get_seats(state, round):
        if seat.state is not SeatState.REVEALED:
            continue
        held = sum(has_bit(answer.bitmap, seat.seat) for answer in answers)
        if 2 * held > len(answers):
            seat = replace(seat, state=SeatState.INCLUDED)
            included.append(seat)
        else:
            seat = replace(seat, state=SeatState.EXCLUDED)
        put_seat(state, round, seat)
    return included


def is_enough(spec: jobs.JobSpec, included: Sequence[Seat]) -> bool:
    """Whether the included updates are enough to combine; identical ones count once."""
    count = len(dict.fromkeys(seat.reveal.update_root for seat in included))
    return count >= spec.schedule.cohort_size_min and count > 2 * spec.combination.trim_count
