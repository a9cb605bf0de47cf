"""What a round's end does to those who sat in it: pay, reputation, and bonds that are freed.

A share that nobody earns stays in escrow. A round pays at most its pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.amounts import mul_div_floor, share_ppm, split_exactly
from app.kernel.context import Context
from app.kernel.record import U64, Address
from app.kernel.store import State
from app.modules import bonds, jobs, payouts, reputation, statistics
from app.modules.rounds.lifecycle import get_readers, get_seats, put_reader, put_seat
from app.modules.rounds.records import (
    Reader,
    Round,
    RoundPhase,
    Seat,
    SeatKind,
    SeatState,
)

SHARES_MAX = 2
"""No one gets more than so many equal shares: a requester's sybils can't take the pool."""


def pay_settled(state: State, ctx: Context, round: Round) -> None:
    """Pay a round's pool: workers, the aggregator, evaluators and reserves."""
    spec = jobs.JOBS.must(state, round.job_id).spec
    pay, seats, readers = spec.pay, get_seats(state, round), get_readers(state, round)
    included = [seat for seat in seats if seat.state is SeatState.INCLUDED]
    reserves = [seat.worker for seat in seats if seat.kind is SeatKind.RESERVE]
    evaluators = [reader for reader in readers if not reader.is_aggregator]
    attested = [reader.participant for reader in evaluators if did_duty(round, reader)]

    shares = pay_workers(state, ctx, round, spec, included)
    of_reserves = share_equally(share_ppm(round.pool_uflt, pay.reserve_ppm), reserves)
    pay_seats(state, ctx, round, seats, {**shares, **of_reserves})
    fees = share_ppm(round.pool_uflt, pay.evaluator_ppm)
    limit = mul_div_floor(SHARES_MAX * fees, len(attested), len(evaluators))
    of_readers = share_equally(min(fees, limit), attested)
    of_readers[round.aggregator] = share_ppm(round.pool_uflt, pay.aggregator_ppm)
    pay_readers(state, ctx, round, readers, of_readers)


def pay_workers(
    state: State, ctx: Context, round: Round, spec: jobs.JobSpec, included: Sequence[Seat]
) -> dict[Address, int]:
    """Return the included workers' shares; the excess over twice an equal one is the treasury's."""
    pool = share_ppm(round.pool_uflt, spec.pay.worker_ppm)
    players = group_identical(included)
    is_capped = spec.pay.contribution is jobs.ContributionRule.EXAMPLES_CAPPED
    limit = spec.combination.example_count_max
    counts = {seat.worker: min(seat.reveal.example_count, limit) for seat in included}
    weights = [(first, counts[first] if is_capped else 1) for first in players]
    share_max = mul_div_floor(pool, SHARES_MAX, len(players))
    shares: dict[Address, int] = {}
    excess = 0
    for first, share in split_exactly(pool, weights).items():
        shares |= share_equally(min(share, share_max), players[first])
        excess += max(share - share_max, 0)
    if excess:
        payouts.pay_treasury(state, ctx, round.job_id, excess)
    return shares


def pay_delivered(state: State, ctx: Context, round: Round) -> None:
    """Pay half an equal share for each update that was delivered to a round that aborts."""
    spec = jobs.JOBS.must(state, round.job_id).spec
    seats = get_seats(state, round)
    included = [seat for seat in seats if seat.state is SeatState.INCLUDED]
    delivered = included or [seat for seat in seats if seat.state is SeatState.REVEALED]
    players = group_identical(delivered)
    half = mul_div_floor(share_ppm(round.pool_uflt, spec.pay.worker_ppm), 1, 2)
    shares: dict[Address, int] = {}
    for first, share in share_equally(half, list(players)).items():
        shares |= share_equally(share, players[first])
    pay_seats(state, ctx, round, seats, shares)


def group_identical(seats: Sequence[Seat]) -> dict[Address, list[Address]]:
    """Return the workers whose updates are identical, by the first of them in address order."""
    workers: dict[bytes, list[Address]] = {}
    for seat in sorted(seats, key=lambda seat: seat.worker):
        workers.setdefault(seat.reveal.update_root, []).append(seat.worker)
    return {identical[0]: identical for identical in workers.values()}


def share_equally(total_uflt: int, recipients: Sequence[Address]) -> dict[Address, int]:
    """Split money equally, exactly; nothing is split among nobody."""
    return split_exactly(total_uflt, [(who, 1) for who in recipients]) if recipients else {}


def pay_seats(
    state: State, ctx: Context, round: Round, seats: Sequence[Seat], shares: dict[Address, int]
) -> None:
    """Pay workers their shares and keep them with their seats."""
    paid = [(seat, shares[seat.worker]) for seat in seats if shares.get(seat.worker)]
    amounts = {seat.worker: amount for seat, amount in paid}
    payouts.pay_shares(state, ctx, round.job_id, round.round, amounts)
    count_rewards(state, round, paid)
    for seat, amount in paid:
        put_seat(state, round, replace(seat, earned_uflt=U64(amount)))


def count_rewards(state: State, round: Round, paid: Sequence[tuple[Seat, int]]) -> None:
    """Count what updates earn and their examples; a reserve's pay is for no update."""
    limit = jobs.JOBS.must(state, round.job_id).spec.combination.example_count_max
    rewards = [(seat, amount) for seat, amount in paid if seat.reveal.update_root]
    reward = sum(amount for _, amount in rewards)
    examples = sum(min(seat.reveal.example_count, limit) for seat, _ in rewards)
    if rewards:
        statistics.count(state, reward_uflt=reward, example_count=examples)


def pay_readers(
    state: State, ctx: Context, round: Round, readers: Sequence[Reader], shares: dict[Address, int]
) -> None:
    """Pay readers their shares and keep them with the readers."""
    paid = [(each, shares[each.participant]) for each in readers if shares.get(each.participant)]
    amounts = {reader.participant: amount for reader, amount in paid}
    payouts.pay_shares(state, ctx, round.job_id, round.round, amounts)
    for reader, amount in paid:
        put_reader(state, round, replace(reader, earned_uflt=U64(amount)))


def did_duty(round: Round, reader: Reader) -> bool:
    """Whether a reader did all that its seat asked in a round that has an aggregate."""
    if reader.is_aggregator:
        return reader.voted or reader.participant == round.aggregator
    return reader.voted and reader.attested_attempt == round.aggregate_attempt


def judge(state: State, ctx: Context, round: Round) -> None:
    """Move the reputation of who did, or missed by a full deadline, what a round asked."""
    for seat in get_seats(state, round):
        if seat.state in (SeatState.INCLUDED, SeatState.EXCLUDED, SeatState.MISSED):
            success = seat.state is SeatState.INCLUDED
            reputation.move(state, ctx, seat.worker, success)
    if round.phase not in (RoundPhase.INCLUDE, RoundPhase.AGGREGATE, RoundPhase.CHALLENGE):
        return
    has_aggregate = round.phase is RoundPhase.CHALLENGE
    for reader in get_readers(state, round):
        is_posting = has_aggregate and reader.participant == round.aggregator
        had_turn = reader.is_aggregator and reader.reader < round.aggregate_attempt
        if had_turn and not is_posting:
            continue  # judged when its turn ended
        if not reader.voted and not is_posting:
            reputation.move(state, ctx, reader.participant, success=False)
        elif reader.is_aggregator or (has_aggregate and did_duty(round, reader)):
            reputation.move(state, ctx, reader.participant, success=True)


def is_task(round: Round, seat: Seat) -> bool:
    """Whether a seat was asked to train: the round began, and a reserve was called."""
    return round.commit_attempt > 0 and seat.kind is not SeatKind.RESERVE


def release(state: State, ctx: Context, round: Round) -> None:
    """Free what the seats of a round lock, and count what its tasks came to."""
    seats = get_seats(state, round)
    statistics.count_tasks(state, (seat.state.name for seat in seats if is_task(round, seat)))
    for seat in seats:
        bonds.unlock(state, seat.worker, round.job_id, seat.locked_uflt)
        jobs.settle_leaver(state, ctx, round.job_id, seat.worker)
    for reader in get_readers(state, round):
        held = bonds.find_lock(state, reader.participant, round.job_id)
        freed = held.amount_uflt if held.seat_count == 1 else 0
        bonds.unlock(state, reader.participant, round.job_id, freed)
