"""The workers' shares of a round's pool, by the job's contribution rule.

`equal` counts players, `examples_capped` their examples up to the job's cap. A rule that scores
pays by worth and quality: what a worker's updates contributed to the job's last rounds, so that
noise cancels and work adds up. Identical updates are one player, and share its contribution or its
pay. Without scores, or where they say that nobody is worth anything, it is split equally: all of it
if the requester granted no slices that open, so that it gains nothing by that, else half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.kernel.amounts import PPM, mul_div_floor, share_ppm, split_exactly
from app.kernel.record import I64, U32, Address
from app.kernel.store import State
from app.learning.contribution import (
    add_up,
    distance,
    leave_one_out,
    medians,
    quality_ppm,
    split_by_weight,
)
from app.modules import jobs
from app.modules.jobs import ContributionRule, JobSpec
from app.modules.rounds.lifecycle import get_seats, put_scorer, put_seat
from app.modules.rounds.records import (
    PARAMS,
    WORTHS,
    Round,
    RoundValue,
    ScoreOutcome,
    Scorer,
    Seat,
    SeatState,
    Worth,
)

Players = Mapping[Address, Sequence[Address]]
"""Workers with identical updates, by the first of them in address order."""


def get_included(state: State, round: Round) -> list[Seat]:
    """Return the seats whose updates are in the round's model."""
    return [seat for seat in get_seats(state, round) if seat.state is SeatState.INCLUDED]


def group_identical(seats: Sequence[Seat]) -> dict[Address, list[Address]]:
    """Return the workers whose updates are identical, by the first of them in address order."""
    workers: dict[bytes, list[Address]] = {}
    for seat in sorted(seats, key=lambda seat: seat.worker):
        workers.setdefault(seat.reveal.update_root, []).append(seat.worker)
    return {identical[0]: identical for identical in workers.values()}


def share_equally(total_uflt: int, recipients: Sequence[Address]) -> dict[Address, int]:
    """Split money equally, exactly; nothing is split among nobody."""
    return split_exactly(total_uflt, [(who, 1) for who in recipients]) if recipients else {}


def share_among(total_uflt: int, seats: Sequence[Seat]) -> dict[Address, int]:
    """Split money equally among updates, identical ones as one."""
    players = group_identical(seats)
    return share_within(players, share_equally(total_uflt, list(players)))


def share_within(players: Players, amounts: Mapping[Address, int]) -> dict[Address, int]:
    """Split what each player gets equally among those who sent its update."""
    shares: dict[Address, int] = {}
    for first, amount in amounts.items():
        shares |= share_equally(amount, players[first])
    return shares


def share_workers_pool(
    state: State, round: Round, included: Sequence[Seat]
) -> tuple[dict[Address, int], int]:
    """Return the included workers' shares, and what is over twice an equal one."""
    spec = jobs.JOBS.must(state, round.job_id).spec
    pool = share_ppm(round.pool_uflt, spec.pay.worker_ppm)
    players = group_identical(included)
    if round.score_outcome is ScoreOutcome.SCORED:
        weights = weigh_by_worth(state, round, spec, included)
        shares, excess = split_by_weight(pool, weights, len(players))
        if shares:
            return shares, excess
    if spec.pay.contribution in jobs.SCORING:
        is_whole = round.score_outcome is ScoreOutcome.NO_SLICES
        pool = pool if is_whole else mul_div_floor(pool, 1, 2)
        return share_among(pool, included), 0
    weights = weigh_players(spec, included, players)
    amounts, excess = split_by_weight(pool, weights, len(players))
    return share_within(players, amounts), excess


def weigh_players(
    spec: JobSpec, included: Sequence[Seat], players: Players
) -> list[tuple[Address, int]]:
    """Return what each player's pay is in proportion to under a rule that doesn't score."""
    if spec.pay.contribution is not ContributionRule.EXAMPLES_CAPPED:
        return [(first, 1) for first in players]
    limit = spec.combination.example_count_max
    counts = {seat.worker: min(seat.reveal.example_count, limit) for seat in included}
    return [(first, counts[first]) for first in players]


def weigh_by_worth(
    state: State, round: Round, spec: JobSpec, included: Sequence[Seat]
) -> list[tuple[Address, int]]:
    """Return each included worker's worth × quality."""
    window = PARAMS.get(state).worth_rounds
    weights = []
    for seat in included:
        worth = WORTHS.must(state, (round.job_id, seat.worker))
        values = [(value.round, value.contribution_millionths) for value in worth.values]
        quality = seat.quality_ppm if spec.pay.weighs_quality else PPM
        weights.append((seat.worker, add_up(values, round.round, window) * quality))
    return weights


def note_worths(state: State, round: Round, included: Sequence[Seat]) -> None:
    """Add what a settled round found to each worker's worth, and forget what is too old to count.

    Rounds settle in order, so what a round adds up are the job's last ones.
    """
    window = PARAMS.get(state).worth_rounds
    for seat in included:
        key = (round.job_id, seat.worker)
        known = WORTHS.get(state, key) or Worth(seat.worker, ())
        kept = [value for value in known.values if value.round + window > round.round]
        kept.append(RoundValue(round.round, seat.contribution_millionths))
        WORTHS.put(state, key, replace(known, values=tuple(kept)))


def note_scores(state: State, round: Round, scorers: Sequence[Scorer]) -> int:
    """Write what the scores of these evaluators say of each seat; return the model's utility.

    Who typically lies too far from the medians is marked, and goes unpaid; nobody is slashed.
    """
    utilities = medians([each.scores.utilities for each in scorers])
    own_scores = medians([each.scores.own_scores for each in scorers])
    limit = PARAMS.get(state).score_distance_max
    for each in scorers:
        values = (*each.scores.utilities, *each.scores.own_scores)
        if distance(values, [*utilities, *own_scores]) > limit:
            put_scorer(state, round, replace(each, is_far=True))

    included = get_included(state, round)
    players = group_identical(included)
    seat_of = {seat.worker: seat for seat in included}
    qualities = [quality_ppm([own]) for own in own_scores] or [0] * len(players)
    contributions = leave_one_out(utilities)
    for workers, value, quality in zip(players.values(), contributions, qualities, strict=True):
        for worker in workers:
            seat = replace(
                seat_of[worker],
                contribution_millionths=I64(value // len(workers)),
                quality_ppm=U32(quality),
            )
            put_seat(state, round, seat)
    return utilities[0]
