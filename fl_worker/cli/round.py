"""`pollen round`: one round of a job, with its seats and its readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.sdk.protocol import (
    U32,
    U64,
    Round,
    RoundRequest,
    RoundSlashesRequest,
    RoundState,
    ScoreOutcome,
    Scorer,
    Seat,
    SeatState,
    Slash,
    has_bit,
)
from fl_worker.cli.output import facts, money, show, table, to_json
from fl_worker.cli.session import connected, name_of, run
from fl_worker.cli.settings import current, make_noun
from fl_worker.cli.typed import JobArgument, RoundArgument

app = make_noun()
MILLIONTHS = 1_000_000


@app.callback()
def about() -> None:
    """Rounds."""


@app.command("show")
def show_round(job: JobArgument, number: RoundArgument) -> None:
    """Show a round: phase, model, seats with their updates, readers with their votes, faults."""
    settings, place = current(), (U64(job), U32(number))

    async def ask() -> tuple[RoundState, Sequence[Slash]]:
        async with connected(settings) as client:
            state = (await client.query(RoundRequest(*place))).state
            return state, (await client.query(RoundSlashesRequest(*place))).slashes

    state, slashes = run(ask())
    value = {**to_json(state), "slashes": to_json(slashes)}
    show(settings, value, *describe_round(state), *describe_slashes(slashes))


def describe_round(state: RoundState) -> tuple[Any, ...]:
    """Return a round as tables."""
    this = state.round
    pairs = {
        "phase": this.phase.name + (f" ({this.reason})" * bool(this.reason)),
        "pool": money(this.pool_uflt),
        "base": f"of round {this.base_round}" if this.base_round else "the job's",
        "aggregator": name_of(this.aggregator) if this.aggregator else "",
        "attempt": f"{this.commit_attempt} to commit, {this.aggregate_attempt} to combine",
        "model root": this.model_root.hex(),
        "model": this.model.cid,
        "seed": this.seed.hex(),
        "drawn at": f"height {this.drawn_height}",
        **describe_scoring(this),
    }
    seats = [
        [
            *(seat.seat, name_of(seat.worker), seat.kind.name.lower(), seat.state.name.lower()),
            seat.reveal.example_count or "",
            describe_metrics(seat),
            *([describe_contribution(this, seat)] if this.slices else []),
            money(seat.earned_uflt),
        ]
        for seat in state.seats
    ]
    worth = ["contribution"] if this.slices else []
    readers = [
        [
            reader.reader,
            name_of(reader.participant),
            "aggregator" if reader.is_aggregator else "evaluator",
            vote(reader, len(state.seats)),
            reader.attested_attempt or "",
            money(reader.earned_uflt),
        ]
        for reader in state.readers
    ]
    return (
        facts(f"Job {this.job_id}, round {this.round}", pairs),
        table(
            "",
            ["seat", "worker", "kind", "state", "examples", "metrics", *worth, "earned"],
            seats,
        ),
        table("", ["reader", "account", "role", "holds", "attested", "earned"], readers),
        *describe_scorers(state),
    )


def describe_scoring(this: Round) -> dict[str, str]:
    """Return on what a round is scored and what came of it; nothing if it isn't scored."""
    if not this.score_attempt:
        return {}
    if this.score_step:
        words = f"{this.score_step.name.lower()}, attempt {this.score_attempt}"
    else:
        words = this.score_outcome.name.lower()
    if this.score_outcome == ScoreOutcome.SCORED:
        words += f", utility {show_millionths(this.utility_millionths)}"
    return {"slices": ", ".join(map(str, this.slices)), "scoring": words}


def describe_contribution(this: Round, seat: Seat) -> str:
    """Return what an update was worth, once that is known."""
    is_known = this.score_outcome == ScoreOutcome.SCORED and seat.state == SeatState.INCLUDED
    return show_millionths(seat.contribution_millionths) if is_known else ""


def describe_scorers(state: RoundState) -> list[Any]:
    """Return what each evaluator found as a table, or nothing if none scores the round.

    That is the utility of all updates together, then of all without each, in address order.
    """
    rows = [
        [
            *(each.scorer, name_of(each.evaluator), each.attempt, describe_progress(each)),
            " ".join(map(show_millionths, each.scores.utilities)),
            money(each.earned_uflt),
        ]
        for each in state.scorers
    ]
    columns = ["scorer", "account", "attempt", "", "utility of all, and without each", "earned"]
    return [table("", columns, rows)] if rows else []


def describe_progress(scorer: Scorer) -> str:
    """Return how far an evaluator is with its scores."""
    if scorer.refused:
        return "refused the slices"
    if scorer.scores.salt:
        return "revealed, too far from the median" if scorer.is_far else "revealed"
    if scorer.commitment:
        return "committed"
    return "granted" if scorer.slice_keys else "waits for keys"


def show_millionths(value: int) -> str:
    """Write millionths as a decimal number, exactly."""
    sign, (whole, part) = "-" * (value < 0), divmod(abs(value), MILLIONTHS)
    return f"{sign}{whole}.{part:06}"


def describe_slashes(slashes: Sequence[Slash]) -> list[Any]:
    """Return who lost what for which fault as a table, or nothing."""
    rows = [
        [name_of(each.participant), each.fault.name.lower(), money(each.amount_uflt)]
        for each in slashes
    ]
    return [table("", ["account", "fault", "lost"], rows)] if rows else []


def vote(reader: Any, seat_count: int) -> str:
    """Return which seats' updates a reader says it holds."""
    if not reader.voted:
        return "not voted"
    held = [str(seat) for seat in range(seat_count) if has_bit(reader.bitmap, seat)]
    return " ".join(held) or "none"


def describe_metrics(seat: Seat) -> str:
    """Return what a worker states about its training."""
    metrics = seat.reveal.metrics
    return " ".join(f"{each.name}={each.value_millionths / MILLIONTHS:.4g}" for each in metrics)
