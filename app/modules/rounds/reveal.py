"""REVEAL: each committed worker shows what its commitment bound."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address, encode
from app.kernel.store import Reader as View
from app.kernel.store import State
from app.learning.commitment import UPDATE_COMMITMENT, commitment
from app.modules import jobs, slashing
from app.modules.rounds.lifecycle import (
    advance_round,
    get_seats,
    note_progress,
    punish_missing,
    put_seat,
    require_length,
    require_phase,
    require_seat,
)
from app.modules.rounds.progress import abort_round
from app.modules.rounds.records import (
    PARAMS,
    Reveal,
    Round,
    RoundPhase,
    Seat,
    SeatState,
    UpdateRevealed,
)

ROOT_BYTES = 32
SALT_BYTES = 32
SUM_SQUARES_END = 1 << 100
UPDATE_VALUE_BYTES = 4


@frozen
class RevealUpdate:
    """Show what a commitment bound."""

    worker: Address
    job_id: U64
    round: U32
    reveal: Reveal


class NotCommitted(Rejected):
    """A worker that has nothing to reveal, or has revealed it."""

    code = 709
    text = (
        "worker {worker}: its seat in round {round} is {state}, the limit is COMMITTED; "
        "commit in time and reveal once"
    )


class SumOfSquaresTooLarge(Rejected):
    """A norm that no update has."""

    code = 710
    text = "reveal.sum_squares {value}: the limit is below {limit}; compute it from the update"


class WrongBlobSize(Rejected):
    """Bytes that are not as many as the job's values ask."""

    code = 711
    text = "{field} {value}: the limit is exactly {limit} bytes; store all values of the layout"


class NoExamples(Rejected):
    """An update that was trained on nothing."""

    code = 712
    text = "reveal.example_count {value}: the limit is at least {limit}; train on some examples"


class InvalidMetrics(Rejected):
    """More metrics, or longer names, than a reveal takes."""

    code = 713
    text = "{field} {value}: the limits are {low} to {high}; leave some out or rename them"


class WrongCommitment(Rejected):
    """A reveal that is not what the worker bound itself to."""

    code = 714
    text = (
        "reveal: its commitment in attempt {attempt} is {value}, the limit is the committed "
        "{limit}; reveal exactly what was committed, with its salt"
    )


def reveal_update(state: State, ctx: Context, msg: RevealUpdate) -> None:
    """Show an update's root, norm and name; when all or a quorum have done so the phase ends."""
    round = require_phase(state, ctx, msg.job_id, msg.round, (RoundPhase.REVEAL,))
    seat = require_seat(state, round, msg.worker)
    is_committed = seat.state is SeatState.COMMITTED
    names = {"worker": to_bech32(msg.worker), "round": msg.round, "state": seat.state.name}
    require(is_committed, NotCommitted, **names)
    check_reveal(state, msg.job_id, msg.reveal)
    check_commitment(ctx, round, seat, msg.reveal)

    put_seat(state, round, replace(seat, state=SeatState.REVEALED, reveal=msg.reveal))
    count = U32(round.revealed_count + 1)
    round = replace(round, revealed_count=count)
    note_progress(state, ctx, round, count, round.committed_count)
    ctx.emit(UpdateRevealed(msg.job_id, msg.round, msg.worker))


def check_reveal(state: View, job_id: int, reveal: Reveal) -> None:
    """Refuse a reveal of which no update of the job can be the source."""
    params, work = PARAMS.get(state), jobs.JOBS.must(state, job_id).spec.work
    require_length("reveal.update_root", reveal.update_root, ROOT_BYTES, "give the update's root")
    require_length("reveal.sealed_root", reveal.sealed_root, 0, "a public job seals nothing")
    require_length("reveal.salt", reveal.salt, SALT_BYTES, "give the salt of the commitment")
    jobs.check_blob("reveal.blob", reveal.blob, jobs.PARAMS.get(state))
    squares, examples = reveal.sum_squares, reveal.example_count
    require(squares < SUM_SQUARES_END, SumOfSquaresTooLarge, value=squares, limit=SUM_SQUARES_END)
    size, limit = reveal.blob.size_bytes, work.value_count * UPDATE_VALUE_BYTES
    require(size == limit, WrongBlobSize, field="reveal.blob.size_bytes", value=size, limit=limit)
    require(examples > 0, NoExamples, value=examples, limit=1)
    sizes = [("metrics", len(reveal.metrics), 0, params.metrics_max)]
    longest = params.metric_name_length_max
    sizes += [("metric name", len(m.name.encode()), 1, longest) for m in reveal.metrics]
    for name, length, low, high in sizes:
        names = {"field": f"reveal: length of {name}", "value": length, "low": low, "high": high}
        require(low <= length <= high, InvalidMetrics, **names)


def check_commitment(ctx: Context, round: Round, seat: Seat, reveal: Reveal) -> None:
    """Refuse anything but what the seat's commitment bound."""
    found = commitment(
        UPDATE_COMMITMENT,
        ctx.block.chain_id,
        round.job_id,
        round.round,
        seat.attempt,
        account=seat.worker,
        payload=encode(reveal),
    )
    names = {"value": found.hex(), "limit": seat.commitment.hex(), "attempt": seat.attempt}
    require(found == seat.commitment, WrongCommitment, **names)


def end_reveal(state: State, ctx: Context, round: Round) -> None:
    """Go on with who has revealed, or give up; to keep a commitment closed is a fault."""
    state_of_missing = SeatState.LATE if round.is_early else SeatState.MISSED
    missing = [seat for seat in get_seats(state, round) if seat.state is SeatState.COMMITTED]
    for seat in missing:
        put_seat(state, round, replace(seat, state=state_of_missing))
    if not round.is_early:
        punish_missing(state, ctx, round, missing, slashing.Fault.UNREVEALED_UPDATE)
    least = jobs.JOBS.must(state, round.job_id).spec.schedule.cohort_size_min
    if round.revealed_count >= least:
        advance_round(state, ctx, round, RoundPhase.INCLUDE)
    else:
        abort_round(state, ctx, round, "too_few_reveals")
