"""What a round's end does to those who sat in it: pay, reputation, and bonds that are freed.

A share that nobody earns stays in escrow. A round pays at most its pool. Who delivered to a round
that aborts has lost an equal share of its workers' pool, and gets that of what was slashed in the
round as far as it goes; from INCLUDE on escrow fills up half of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.amounts import mul_div_floor, share_ppm
from app.kernel.context import Context
from app.kernel.record import U64, Address
from app.kernel.store import Reader as View
from app.kernel.store import State
from app.learning.contribution import SHARES_MAX
from app.modules import bonds, jobs, payouts, reputation, slashing, statistics
from app.modules.rounds.lifecycle import (
    get_readers,
    get_scorers,
    get_seats,
    place_of,
    put_reader,
    put_scorer,
    put_seat,
)
from app.modules.rounds.records import (
    Reader,
    Round,
    RoundPhase,
    ScoreOutcome,
    Scorer,
    Seat,
    SeatKind,
    SeatState,
)
from app.modules.rounds.shares import (
    note_worths,
    share_among,
    share_equally,
    share_workers_pool,
)


def pay_settled(state: State, ctx: Context, round: Round) -> None:
    """Pay a round's pool: workers, the aggregator, evaluators and reserves."""
    spec = jobs.JOBS.must(state, round.job_id).spec
    pay, seats, readers = spec.pay, get_seats(state, round), get_readers(state, round)
    included = [seat for seat in seats if seat.state is SeatState.INCLUDED]
    reserves = [seat.worker for seat in seats if seat.kind is SeatKind.RESERVE]
    evaluators = [reader for reader in readers if not reader.is_aggregator]
    scorers = get_scorers(state, round)
    earners = find_earners(round, evaluators, scorers)

    if round.score_outcome is ScoreOutcome.SCORED:
        note_worths(state, round, included)
    shares, excess = share_workers_pool(state, round, included)
    if excess:
        payouts.pay_treasury(state, ctx, round.job_id, excess)
    of_reserves = share_equally(share_ppm(round.pool_uflt, pay.reserve_ppm), reserves)
    pay_seats(state, ctx, round, seats, {**shares, **of_reserves})
    fees = share_ppm(round.pool_uflt, pay.evaluator_ppm)
    limit = mul_div_floor(SHARES_MAX * fees, len(earners), len(evaluators))
    of_readers = share_equally(min(fees, limit), earners)
    of_readers[round.aggregator] = share_ppm(round.pool_uflt, pay.aggregator_ppm)
    pay_readers(state, ctx, round, readers, of_readers)
    pay_scorers(state, ctx, round, find_drawn(scorers), of_readers)


def find_earners(
    round: Round, evaluators: Sequence[Reader], scorers: Sequence[Scorer]
) -> list[Address]:
    """Return the evaluators who are paid: they did all that was asked, and scored near the rest."""
    attested = [reader.participant for reader in evaluators if did_duty(round, reader)]
    if round.score_outcome in (ScoreOutcome.UNSPECIFIED, ScoreOutcome.NO_SLICES):
        return attested
    near = [each for each in scorers if each.scores.salt and not each.is_far]
    drawn = find_drawn(scorers)
    return [each.evaluator for each in near if each in drawn or each.evaluator in attested]


def find_drawn(scorers: Sequence[Scorer]) -> list[Scorer]:
    """Return those who were drawn only to score."""
    return [each for each in scorers if each.attempt > 1]


def pay_delivered(state: State, ctx: Context, round: Round) -> None:
    """Pay who delivered to a round that aborts: what was slashed, and from escrow up to half."""
    delivered = find_delivered(state, round)
    total = workers_pool_uflt(state, round)
    compensated = compensate(state, ctx, round)
    is_owed = round.phase in (RoundPhase.INCLUDE, RoundPhase.AGGREGATE)
    halves = share_among(mul_div_floor(total, 1, 2), delivered) if is_owed else {}
    shares = {who: max(half - compensated.get(who, 0), 0) for who, half in halves.items()}
    paid = {who: share for who, share in shares.items() if share}
    payouts.pay_shares(state, ctx, round.job_id, round.round, paid)
    totals = [(s, paid.get(s.worker, 0) + compensated.get(s.worker, 0)) for s in delivered]
    earned = [(seat, amount) for seat, amount in totals if amount]
    count_rewards(state, round, earned)
    for seat, amount in earned:
        put_seat(state, round, replace(seat, earned_uflt=U64(amount)))


def compensate(state: State, ctx: Context, round: Round) -> dict[Address, int]:
    """Pay who delivered to a round that aborts of what was slashed in it; return how much."""
    losses = share_among(workers_pool_uflt(state, round), find_delivered(state, round))
    return slashing.compensate(state, ctx, [place_of(round)], losses)


def workers_pool_uflt(state: View, round: Round) -> int:
    """Return the workers' part of a round's pool."""
    pay = jobs.JOBS.must(state, round.job_id).spec.pay
    return share_ppm(round.pool_uflt, pay.worker_ppm)


def find_delivered(state: View, round: Round) -> list[Seat]:
    """Return the seats whose updates are included, or revealed where that was not decided."""
    seats, convicted = get_seats(state, round), slashing.get_convicted(state, place_of(round))
    included = [seat for seat in seats if seat.state is SeatState.INCLUDED]
    delivered = included or [seat for seat in seats if seat.state is SeatState.REVEALED]
    return [seat for seat in delivered if seat.worker not in convicted]


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


def pay_scorers(
    state: State, ctx: Context, round: Round, drawn: Sequence[Scorer], shares: dict[Address, int]
) -> None:
    """Pay who was drawn only to score, and keep the shares with them."""
    paid = [(each, shares[each.evaluator]) for each in drawn if shares.get(each.evaluator)]
    amounts = {scorer.evaluator: amount for scorer, amount in paid}
    payouts.pay_shares(state, ctx, round.job_id, round.round, amounts)
    for scorer, amount in paid:
        put_scorer(state, round, replace(scorer, earned_uflt=U64(amount)))


def did_duty(round: Round, reader: Reader) -> bool:
    """Whether a reader did all that its seat asked in a round that has an aggregate."""
    if reader.is_aggregator:
        return reader.voted or reader.participant == round.aggregator
    return reader.voted and reader.attested_attempt == round.aggregate_attempt


def judge(state: State, ctx: Context, round: Round) -> None:
    """Move the reputation of who did, or missed by a full deadline, what a round asked.

    Who is convicted of a fault in the round was judged by its proof.
    """
    convicted = slashing.get_convicted(state, place_of(round))
    for seat in get_seats(state, round):
        is_judged = seat.state in (SeatState.INCLUDED, SeatState.EXCLUDED, SeatState.MISSED)
        if is_judged and seat.worker not in convicted:
            success = seat.state is SeatState.INCLUDED
            reputation.move(state, ctx, seat.worker, success)
    if round.phase not in (RoundPhase.INCLUDE, RoundPhase.AGGREGATE, RoundPhase.CHALLENGE):
        return
    has_aggregate = round.phase is RoundPhase.CHALLENGE
    scorers = get_scorers(state, round)
    failed = find_failed(round, scorers)
    for each in find_drawn(scorers):
        is_judged = bool(each.scores.salt) or each.evaluator in failed
        if is_judged and each.evaluator not in convicted:
            reputation.move(state, ctx, each.evaluator, success=each.evaluator not in failed)
    for reader in get_readers(state, round):
        is_posting = has_aggregate and reader.participant == round.aggregator
        had_turn = reader.is_aggregator and reader.reader < round.aggregate_attempt
        if reader.participant in convicted or (had_turn and not is_posting):
            continue  # judged by the proof, or when its turn ended
        is_missing = not reader.voted and not is_posting
        if is_missing or reader.participant in failed:
            reputation.move(state, ctx, reader.participant, success=False)
        elif reader.is_aggregator or (has_aggregate and did_duty(round, reader)):
            reputation.move(state, ctx, reader.participant, success=True)


def is_task(round: Round, seat: Seat) -> bool:
    """Whether a seat was asked to train: the round began, and a reserve was called."""
    return round.commit_attempt > 0 and seat.kind is not SeatKind.RESERVE


def note_pay(state: State, round: Round) -> None:
    """Keep with the requester what the seats earned that revealed an update."""
    requester = jobs.JOBS.must(state, round.job_id).requester
    revealed = [seat for seat in get_seats(state, round) if seat.reveal.update_root]
    reputation.note_seat_pay(state, requester, [seat.earned_uflt for seat in revealed])


def find_failed(round: Round, scorers: Sequence[Scorer]) -> list[Address]:
    """Return who scored nothing in a round that could be scored, and didn't say that it couldn't.

    Who was replaced is judged by its own attempt.
    """
    if round.score_outcome in (ScoreOutcome.UNSPECIFIED, ScoreOutcome.NO_SLICES):
        return []
    return [each.evaluator for each in scorers if not each.scores.salt and not each.refused]


def release(state: State, ctx: Context, round: Round) -> None:
    """Free what the seats of a round lock, and count what its tasks came to."""
    seats = get_seats(state, round)
    statistics.count_tasks(state, (seat.state.name for seat in seats if is_task(round, seat)))
    for seat in seats:
        bonds.unlock(state, seat.worker, round.job_id, seat.locked_uflt)
        jobs.settle_leaver(state, ctx, round.job_id, seat.worker)
    readers = [reader.participant for reader in get_readers(state, round)]
    drawn = [each.evaluator for each in find_drawn(get_scorers(state, round))]
    for participant in (*readers, *drawn):
        held = bonds.find_lock(state, participant, round.job_id)
        freed = held.amount_uflt + held.lost_uflt if held.seat_count == 1 else 0
        bonds.unlock(state, participant, round.job_id, freed)
