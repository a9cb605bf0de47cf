"""COMMIT: the cohort binds itself to updates; reserves step in for the missing, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import State
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
    set_deadline,
)
from app.modules.rounds.progress import abort_round
from app.modules.rounds.records import (
    ReserveCalled,
    Round,
    RoundPhase,
    Seat,
    SeatKind,
    SeatState,
    UpdateCommitted,
)

COMMITMENT_BYTES = 32
COMMIT_ATTEMPTS_MAX = 2
"""The cohort's, and the reserves' that step in."""


@frozen
class CommitUpdate:
    """Bind oneself to an update without showing it."""

    worker: Address
    job_id: U64
    round: U32
    commitment: bytes


class SeatNotAsked(Rejected):
    """A reserve that was not called, or a worker whose chance has gone by."""

    code = 707
    text = (
        "worker {worker}: its seat in round {round} is {state} ({kind}), the limit is a DRAWN seat "
        "of the cohort or a called reserve; wait to be called or to be drawn again"
    )


class AlreadyCommitted(Rejected):
    """A second commitment."""

    code = 708
    text = (
        "worker {worker}: committed to round {round} already, the limit is once; "
        "keep what it bound and reveal it"
    )


def commit_update(state: State, ctx: Context, msg: CommitUpdate) -> None:
    """Bind a worker to an update; when all or a quorum have done so the phase ends."""
    round = require_phase(state, ctx, msg.job_id, msg.round, (RoundPhase.COMMIT,))
    seat = require_seat(state, round, msg.worker)
    step = "give the SHA-256 commitment"
    require_length("commitment", msg.commitment, COMMITMENT_BYTES, step)
    names = {"worker": to_bech32(msg.worker), "round": msg.round}
    is_asked = seat.kind is not SeatKind.RESERVE and seat.state is not SeatState.MISSED
    shown = {"state": seat.state.name, "kind": seat.kind.name}
    require(is_asked, SeatNotAsked, **names, **shown)
    require(seat.state is SeatState.DRAWN, AlreadyCommitted, **names)

    committed = replace(seat, state=SeatState.COMMITTED, commitment=msg.commitment)
    put_seat(state, round, committed)
    count = U32(round.committed_count + 1)
    round = replace(round, committed_count=count)
    note_progress(state, ctx, round, count, round.selected_count)
    ctx.emit(UpdateCommitted(msg.job_id, msg.round, msg.worker))


def end_commit(state: State, ctx: Context, round: Round) -> None:
    """Call reserves for the missing, go on with who has committed, or give up."""
    seats = get_seats(state, round)
    asked = [seat for seat in seats if seat.kind is not SeatKind.RESERVE]
    missing = [seat for seat in asked if seat.state is SeatState.DRAWN]
    for seat in asked:
        if seat.attempt == round.commit_attempt and seat.state is SeatState.COMMITTED:
            jobs.note_attendance(state, ctx, round.job_id, seat.worker, missed=False)
    for seat in missing:
        miss_deadline(state, ctx, round, seat)
    if not round.is_early:
        punish_missing(state, ctx, round, missing, slashing.Fault.MISSED_COMMIT)

    least = jobs.JOBS.must(state, round.job_id).spec.schedule.cohort_size_min
    reserves = [seat for seat in seats if seat.kind is SeatKind.RESERVE][: len(missing)]
    may_call = not round.is_early and round.commit_attempt < COMMIT_ATTEMPTS_MAX
    if reserves and may_call and round.committed_count + len(reserves) >= least:
        call_reserves(state, ctx, round, reserves)
    elif round.committed_count >= least:
        advance_round(state, ctx, round, RoundPhase.REVEAL)
    else:
        abort_round(state, ctx, round, "too_few_commits")


def miss_deadline(state: State, ctx: Context, round: Round, seat: Seat) -> None:
    """Mark a seat that has not committed: a fault only after a full deadline."""
    if round.is_early:
        put_seat(state, round, replace(seat, state=SeatState.LATE))
        return
    put_seat(state, round, replace(seat, state=SeatState.MISSED))
    jobs.note_attendance(state, ctx, round.job_id, seat.worker, missed=True)


def call_reserves(state: State, ctx: Context, round: Round, reserves: Sequence[Seat]) -> None:
    """Ask reserves to step in, with a full deadline."""
    attempt = U32(round.commit_attempt + 1)
    for seat in reserves:
        put_seat(state, round, replace(seat, kind=SeatKind.CALLED, attempt=attempt))
        ctx.emit(ReserveCalled(round.job_id, round.round, seat.worker))
    selected = U32(round.committed_count + len(reserves))
    again = replace(round, commit_attempt=attempt, selected_count=selected)
    set_deadline(state, ctx, again)
