"""AGGREGATE: one aggregator after the other may post the model, until a majority attests one."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import State
from app.modules import jobs, reputation, slashing
from app.modules.jobs import Blob
from app.modules.rounds.lifecycle import (
    ATTESTED,
    advance_round,
    end_at_once,
    get_readers,
    place_of,
    put_reader,
    require_length,
    require_phase,
    require_reader,
    set_deadline,
    set_due,
)
from app.modules.rounds.progress import abort_round, continue_job
from app.modules.rounds.records import (
    NO_BLOB,
    READERS,
    AggregateAttested,
    AggregatePosted,
    AggregatorReplaced,
    Round,
    RoundPhase,
)
from app.modules.rounds.reveal import ROOT_BYTES, WrongBlobSize
from app.modules.rounds.score import begin_score

MODEL_VALUE_BYTES = 8


@frozen
class PostAggregate:
    """Post the model that the included updates give."""

    aggregator: Address
    job_id: U64
    round: U32
    model_root: bytes
    model: Blob


@frozen
class AttestAggregate:
    """Say that one holds the posted model's bytes and recomputed its root."""

    evaluator: Address
    job_id: U64
    round: U32
    attempt: U32
    model_root: bytes


class NotItsTurn(Rejected):
    """An aggregator that is not to post now."""

    code = 717
    text = (
        "aggregator {aggregator}: it is not its turn in round {round}, the limit is "
        "{limit} in attempt {attempt}; wait for the turn"
    )


class AlreadyPosted(Rejected):
    """A second aggregate in one turn."""

    code = 718
    text = (
        "model_root: attempt {attempt} of round {round} has one already, the limit is one; "
        "nothing is to be done"
    )


class WrongAttempt(Rejected):
    """An attestation of a turn that is not this one."""

    code = 719
    text = "attempt {value}: the limit is the present attempt {limit} of round {round}; attest that"


class NotThePostedRoot(Rejected):
    """An attestation of another model than the one that was posted."""

    code = 720
    text = (
        "model_root {value}: the limit is the posted {limit!r}; fetch that model, recompute its "
        "root and attest it only if it is right"
    )


class AlreadyAttested(Rejected):
    """A second attestation of one attempt."""

    code = 721
    text = (
        "evaluator {evaluator}: attested attempt {attempt} of round {round} already, the limit is "
        "once; nothing is to be done"
    )


def post_aggregate(state: State, ctx: Context, msg: PostAggregate) -> None:
    """Post the round's model for the evaluators to attest."""
    round = require_phase(state, ctx, msg.job_id, msg.round, (RoundPhase.AGGREGATE,))
    require_reader(state, round, msg.aggregator, "aggregator")
    require_length("model_root", msg.model_root, ROOT_BYTES, "give the model's root")
    jobs.check_blob("model", msg.model, jobs.PARAMS.get(state))
    values = jobs.JOBS.must(state, msg.job_id).spec.work.value_count
    size, limit = msg.model.size_bytes, values * MODEL_VALUE_BYTES
    require(size == limit, WrongBlobSize, field="model.size_bytes", value=size, limit=limit)
    attempt, turn = round.aggregate_attempt, to_bech32(round.aggregator)
    names = {"aggregator": to_bech32(msg.aggregator), "round": msg.round, "attempt": attempt}
    require(msg.aggregator == round.aggregator, NotItsTurn, **names, limit=turn)
    require(not round.model_root, AlreadyPosted, **names)

    round = replace(round, model_root=msg.model_root, model=msg.model)
    set_due(state, round, round.due_clock_ms)
    ctx.emit(AggregatePosted(msg.job_id, msg.round, msg.aggregator, attempt, msg.model_root))


def attest_aggregate(state: State, ctx: Context, msg: AttestAggregate) -> None:
    """Attest the posted model; a majority of the evaluators ends the phase.

    Evaluators that come after the majority may still attest until the round settles, to be paid.
    """
    phases = (RoundPhase.AGGREGATE, *ATTESTED)
    round = require_phase(state, ctx, msg.job_id, msg.round, phases)
    reader = require_reader(state, round, msg.evaluator, "evaluator")
    attempt, posted = round.aggregate_attempt, round.model_root
    require(msg.attempt == attempt, WrongAttempt, value=msg.attempt, limit=attempt, round=msg.round)
    is_posted = bool(posted) and msg.model_root == posted
    shown = {"value": msg.model_root.hex()[: 2 * ROOT_BYTES], "limit": posted.hex()}
    require(is_posted, NotThePostedRoot, **shown)
    names = {"evaluator": to_bech32(msg.evaluator), "attempt": attempt, "round": msg.round}
    require(reader.attested_attempt != attempt, AlreadyAttested, **names)

    put_reader(state, round, replace(reader, attested_attempt=attempt))
    round = replace(round, attested_count=U32(round.attested_count + 1))
    if round.phase is RoundPhase.AGGREGATE and is_attested(state, round):
        end_at_once(state, ctx, round)
    else:
        set_due(state, round, round.due_clock_ms)
    ctx.emit(AggregateAttested(msg.job_id, msg.round, msg.evaluator, attempt))


def count_aggregators(state: State, round: Round) -> int:
    """Return how many aggregators a round has; they are its first readers."""
    return sum(reader.is_aggregator for reader in get_readers(state, round))


def is_attested(state: State, round: Round) -> bool:
    """Whether more than half of a round's evaluators attest the posted model."""
    evaluators = round.reader_count - count_aggregators(state, round)
    return 2 * round.attested_count > evaluators


def begin_aggregate(state: State, ctx: Context, round: Round) -> None:
    """Give the first aggregator its turn, and let the next round be drawn."""
    first = READERS.must(state, (round.job_id, round.round, 0)).participant
    round = replace(round, aggregate_attempt=U32(1), aggregator=first)
    advance_round(state, ctx, round, RoundPhase.AGGREGATE)
    continue_job(state, ctx, round.job_id)


def end_aggregate(state: State, ctx: Context, round: Round) -> None:
    """Take the attested model as the job's, or give the next aggregator its turn."""
    if is_attested(state, round):
        accept_aggregate(state, ctx, round)
        return
    if not round.model_root:
        reputation.move(state, ctx, round.aggregator, success=False)
        fault = slashing.Fault.NO_AGGREGATE
        slashing.slash(state, ctx, place_of(round), round.aggregator, fault)
    if round.aggregate_attempt == count_aggregators(state, round):
        abort_round(state, ctx, round, "no_aggregate")
        return
    number = round.aggregate_attempt
    following = READERS.must(state, (round.job_id, round.round, number)).participant
    attempt = U32(number + 1)
    round = replace(
        round,
        aggregate_attempt=attempt,
        aggregator=following,
        model_root=b"",
        model=NO_BLOB,
        attested_count=U32(0),
    )
    set_deadline(state, ctx, round)
    ctx.emit(AggregatorReplaced(round.job_id, round.round, following, attempt))


def accept_aggregate(state: State, ctx: Context, round: Round) -> None:
    """Make the attested model the job's last good one; the next round may train on it."""
    job = jobs.JOBS.must(state, round.job_id)
    if job.spec.pay.contribution in jobs.SCORING:
        begin_score(state, ctx, round)
    else:
        advance_round(state, ctx, round, RoundPhase.CHALLENGE)
    job = replace(
        job,
        model_root=round.model_root,
        model=round.model,
        completed_round_count=U32(job.completed_round_count + 1),
        aborted_in_row=U32(0),
    )
    jobs.store(state, job)
    continue_job(state, ctx, round.job_id)
