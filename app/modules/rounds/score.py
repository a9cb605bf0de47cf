"""SCORE: evaluators measure what each update was worth, on slices that nobody knew before.

The slices are drawn in the block after the round's model was attested. Then each step has a full
deadline of its own, and ends early when all are done:

    GRANT    the requester seals the drawn slices' keys to the evaluators
    COMMIT   they bind themselves to scores, or say that the slices don't open
    REVEAL   they show their scores

A majority that says so, or a requester that grants nothing, ends it without scores. With fewer
scores than a quorum, a majority of the evaluators and at least `scores_min`, others are drawn once
and begin with GRANT; with fewer again it ends without scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import I64, U32, U64, Address, encode
from app.kernel.store import Reader as View
from app.kernel.store import State
from app.learning.commitment import SCORE_COMMITMENT, commitment
from app.learning.contribution import UTILITY_MAX
from app.modules import jobs, slashing
from app.modules.rounds.commit import COMMITMENT_BYTES
from app.modules.rounds.lifecycle import (
    advance_round,
    end_at_once,
    get_scorers,
    place_of,
    put_scorer,
    require_length,
    require_phase,
    set_deadline,
)
from app.modules.rounds.progress import ask_draw
from app.modules.rounds.records import (
    PARAMS,
    Round,
    RoundPhase,
    RoundScored,
    ScoreOutcome,
    Scorer,
    Scores,
    ScoresCommitted,
    ScoresRevealed,
    ScoreStep,
    ScoreStepChanged,
    SlicesDrawn,
    SlicesGranted,
    SlicesRefused,
)
from app.modules.rounds.reveal import SALT_BYTES
from app.modules.rounds.shares import get_included, group_identical, note_scores

KEY_BOX_BYTES = 80
"""A sealed box of a content key: a public key of 32 bytes, a tag of 16, the key's 32."""
SCORE_ATTEMPTS = 2
"""The round's evaluators', and the others' that step in."""
OWN_SCORE_MAX = 1_000_000


@frozen
class GrantSlices:
    """Give each evaluator that scores a round the keys of the drawn slices."""

    requester: Address
    job_id: U64
    round: U32
    keys: tuple[bytes, ...]
    """Sealed boxes: for each evaluator in order, one for each drawn slice in order."""


@frozen
class RefuseSlices:
    """Say that the granted slices can't be had or don't open to what was posted."""

    evaluator: Address
    job_id: U64
    round: U32


@frozen
class CommitScores:
    """Bind oneself to scores without showing them."""

    evaluator: Address
    job_id: U64
    round: U32
    commitment: bytes


@frozen
class RevealScores:
    """Show what a score's commitment bound."""

    evaluator: Address
    job_id: U64
    round: U32
    scores: Scores


class WrongScoreStep(Rejected):
    """What another step of the scoring asks for."""

    code = 722
    text = (
        "round {round} of job {job_id}: its scoring is at {value}, the limit is {limit}; "
        "look at the round and act in its step"
    )


class WrongKeyCount(Rejected):
    """More or fewer keys than there are slices to open."""

    code = 723
    text = (
        "keys: has {value} sealed boxes, the limit is exactly {limit}, one for each of the "
        "{slice_count} drawn slices for each evaluator; seal them all in order"
    )


class AlreadyGranted(Rejected):
    """A second grant."""

    code = 724
    text = "keys: round {round} of job {job_id} has its keys, the limit is once; wait for scores"


class NotAScorer(Rejected):
    """An account that is not to score the round now."""

    code = 725
    text = (
        "evaluator {evaluator}: isn't to score round {round} in attempt {attempt}, the limit is "
        "the {limit} evaluators of that attempt; wait to be drawn"
    )


class AlreadyScored(Rejected):
    """A second answer in one step."""

    code = 726
    text = (
        "evaluator {evaluator}: has answered in round {round} already, the limit is once; "
        "keep what it bound and reveal it"
    )


class ScoresNotCommitted(Rejected):
    """An evaluator that has nothing to reveal, or has revealed it."""

    code = 727
    text = (
        "evaluator {evaluator}: has no closed commitment in round {round}, the limit is one; "
        "commit in time and reveal once"
    )


class WrongScoreCount(Rejected):
    """Scores that aren't one for each of what is scored."""

    code = 728
    text = (
        "scores.{field}: has {value} numbers, the limit is exactly {limit} for {player_count} "
        "different updates; score all, in address order"
    )


class ScoreOutOfRange(Rejected):
    """A score that no metric gives."""

    code = 729
    text = "scores.{field} {value}: the limits are {low} to {high}; cut it off there"


class WrongScoreCommitment(Rejected):
    """Scores that are not what the evaluator bound itself to."""

    code = 730
    text = (
        "scores: their commitment in attempt {attempt} is {value}, the limit is the committed "
        "{limit}; reveal exactly what was committed, with its salt"
    )


def begin_score(state: State, ctx: Context, round: Round) -> None:
    """Let the slices be drawn on which a round is scored."""
    round = replace(round, score_step=ScoreStep.DRAW, score_attempt=U32(1))
    advance_round(state, ctx, round, RoundPhase.SCORE)
    ask_draw(state, ctx, round.job_id)


def begin_grant(state: State, ctx: Context, round: Round, evaluators: Sequence[Address]) -> None:
    """Let the requester grant the drawn slices to these evaluators."""
    first = len(get_scorers(state, round))
    for number, evaluator in enumerate(evaluators, first):
        put_scorer(state, round, Scorer(U32(number), evaluator, round.score_attempt))
    begin_step(state, ctx, round, ScoreStep.GRANT)
    place = round.job_id, round.round, round.score_attempt
    ctx.emit(SlicesDrawn(*place, round.slices, U32(len(evaluators))))


def begin_step(state: State, ctx: Context, round: Round, step: ScoreStep) -> None:
    """Give a step of the scoring its full time."""
    set_deadline(state, ctx, replace(round, score_step=step))
    ctx.emit(ScoreStepChanged(round.job_id, round.round, step, round.score_attempt))


def get_asked(state: View, round: Round) -> list[Scorer]:
    """Return who is to score a round in the present attempt."""
    scorers = get_scorers(state, round)
    return [each for each in scorers if each.attempt == round.score_attempt]


def require_step(
    state: View, ctx: Context, msg: GrantSlices | RefuseSlices | CommitScores | RevealScores,
    step: ScoreStep,
) -> Round:  # fmt: skip
    """Return the round that the user named if its scoring is at a step, or refuse."""
    round = require_phase(state, ctx, msg.job_id, msg.round, (RoundPhase.SCORE,))
    names = {"round": msg.round, "job_id": msg.job_id, "value": round.score_step.name}
    require(round.score_step is step, WrongScoreStep, **names, limit=step.name)
    return round


def require_scorer(state: View, round: Round, evaluator: Address) -> Scorer:
    """Return who is to score a round now, or refuse."""
    asked = get_asked(state, round)
    found = [each for each in asked if each.evaluator == evaluator]
    names = {"evaluator": to_bech32(evaluator), "round": round.round}
    names |= {"attempt": round.score_attempt, "limit": len(asked)}
    require(bool(found), NotAScorer, **names)
    return found[0]


def grant_slices(state: State, ctx: Context, msg: GrantSlices) -> None:
    """Give the evaluators the drawn slices' keys; the step ends with it."""
    round = require_step(state, ctx, msg, ScoreStep.GRANT)
    jobs.check_requester(jobs.JOBS.must(state, msg.job_id), msg.requester)
    scorers, count = get_asked(state, round), len(round.slices)
    is_first = not scorers[0].slice_keys
    require(is_first, AlreadyGranted, round=msg.round, job_id=msg.job_id)
    value, limit = len(msg.keys), len(scorers) * count
    require(value == limit, WrongKeyCount, value=value, limit=limit, slice_count=count)
    for key in msg.keys:
        require_length("keys", key, KEY_BOX_BYTES, "seal a content key of 32 bytes")

    for at, scorer in enumerate(scorers):
        keys = msg.keys[at * count : (at + 1) * count]
        put_scorer(state, round, replace(scorer, slice_keys=keys))
    end_at_once(state, ctx, round)
    ctx.emit(SlicesGranted(msg.job_id, msg.round, msg.requester))


def refuse_slices(state: State, ctx: Context, msg: RefuseSlices) -> None:
    """Say that nothing can be scored on what the requester granted."""
    round = require_step(state, ctx, msg, ScoreStep.COMMIT)
    scorer = require_scorer(state, round, msg.evaluator)
    answer(state, ctx, round, scorer, replace(scorer, refused=True))
    ctx.emit(SlicesRefused(msg.job_id, msg.round, msg.evaluator))


def commit_scores(state: State, ctx: Context, msg: CommitScores) -> None:
    """Bind an evaluator to its scores."""
    round = require_step(state, ctx, msg, ScoreStep.COMMIT)
    scorer = require_scorer(state, round, msg.evaluator)
    step = "give the SHA-256 commitment"
    require_length("commitment", msg.commitment, COMMITMENT_BYTES, step)
    answer(state, ctx, round, scorer, replace(scorer, commitment=msg.commitment))
    ctx.emit(ScoresCommitted(msg.job_id, msg.round, msg.evaluator))


def answer(state: State, ctx: Context, round: Round, was: Scorer, scorer: Scorer) -> None:
    """Write an evaluator's one answer in COMMIT; when all have given theirs the step ends."""
    names = {"evaluator": to_bech32(was.evaluator), "round": round.round}
    require(not has_answered(was), AlreadyScored, **names)
    put_scorer(state, round, scorer)
    if all(map(has_answered, get_asked(state, round))):
        end_at_once(state, ctx, round)


def has_answered(scorer: Scorer) -> bool:
    """Whether an evaluator has committed or refused."""
    return scorer.refused or bool(scorer.commitment)


def reveal_scores(state: State, ctx: Context, msg: RevealScores) -> None:
    """Show an evaluator's scores; when all who committed have done so the scoring ends."""
    round = require_step(state, ctx, msg, ScoreStep.REVEAL)
    scorer = require_scorer(state, round, msg.evaluator)
    is_closed = bool(scorer.commitment) and not scorer.scores.salt
    names = {"evaluator": to_bech32(msg.evaluator), "round": msg.round}
    require(is_closed, ScoresNotCommitted, **names)
    check_scores(state, round, msg.scores)
    check_commitment(ctx, round, scorer, msg.scores)

    put_scorer(state, round, replace(scorer, scores=msg.scores))
    if not get_silent(get_asked(state, round)):
        end_at_once(state, ctx, round)
    ctx.emit(ScoresRevealed(msg.job_id, msg.round, msg.evaluator))


def check_scores(state: State, round: Round, scores: Scores) -> None:
    """Refuse scores that aren't one for each coalition, and no measured number."""
    spec = jobs.JOBS.must(state, round.job_id).spec
    players = len(group_identical(get_included(state, round)))
    for field, values, limit, low, high in (
        ("utilities", scores.utilities, players + 1, -UTILITY_MAX, UTILITY_MAX),
        ("own_scores", scores.own_scores, players * spec.pay.weighs_quality, 0, OWN_SCORE_MAX),
    ):
        names = {"field": field, "value": len(values), "limit": limit}
        require(len(values) == limit, WrongScoreCount, **names, player_count=players)
        for value in values:
            names = {"field": field, "value": value, "low": low, "high": high}
            require(low <= value <= high, ScoreOutOfRange, **names)
    require_length("scores.salt", scores.salt, SALT_BYTES, "give the salt of the commitment")


def check_commitment(ctx: Context, round: Round, scorer: Scorer, scores: Scores) -> None:
    """Refuse anything but what the evaluator's commitment bound."""
    found = commitment(
        SCORE_COMMITMENT,
        ctx.block.chain_id,
        round.job_id,
        round.round,
        scorer.attempt,
        account=scorer.evaluator,
        payload=encode(scores),
    )
    names = {"value": found.hex(), "limit": scorer.commitment.hex(), "attempt": scorer.attempt}
    require(found == scorer.commitment, WrongScoreCommitment, **names)


def get_silent(scorers: Sequence[Scorer]) -> list[Scorer]:
    """Return who has committed and not revealed."""
    return [each for each in scorers if each.commitment and not each.scores.salt]


def end_score(state: State, ctx: Context, round: Round) -> None:
    """End a step of the scoring: go on with the next, draw others, or end it."""
    scorers = get_asked(state, round)
    if round.score_step is ScoreStep.DRAW:
        set_deadline(state, ctx, round)  # many draws wait; this one comes in its turn
    elif round.score_step is ScoreStep.GRANT and scorers[0].slice_keys:
        begin_step(state, ctx, round, ScoreStep.COMMIT)
    elif 2 * sum(each.refused for each in scorers) > len(scorers) or not scorers[0].slice_keys:
        finish_score(state, ctx, round, ScoreOutcome.NO_SLICES)
    elif round.score_step is ScoreStep.COMMIT:
        end_commitments(state, ctx, round, scorers)
    else:
        end_scores(state, ctx, round, scorers)


def quorum_of(state: View, scorers: Sequence[Scorer]) -> int:
    """Return how many of the evaluators must reveal."""
    return max(PARAMS.get(state).scores_min, len(scorers) // 2 + 1)


def end_commitments(state: State, ctx: Context, round: Round, scorers: Sequence[Scorer]) -> None:
    """Let those who committed reveal, if they may be enough."""
    committed = sum(bool(each.commitment) for each in scorers)
    if committed >= quorum_of(state, scorers):
        begin_step(state, ctx, round, ScoreStep.REVEAL)
    else:
        draw_others(state, ctx, round)


def end_scores(state: State, ctx: Context, round: Round, scorers: Sequence[Scorer]) -> None:
    """Take the medians of those who revealed, if they are enough; who didn't is slashed."""
    for each in get_silent(scorers):
        fault = slashing.Fault.UNREVEALED_SCORES
        slashing.slash(state, ctx, place_of(round), each.evaluator, fault)
    revealed = [each for each in scorers if each.scores.salt]
    if len(revealed) < quorum_of(state, scorers):
        draw_others(state, ctx, round)
        return
    utility = note_scores(state, round, revealed)
    round = replace(round, utility_millionths=I64(utility))
    finish_score(state, ctx, round, ScoreOutcome.SCORED)


def draw_others(state: State, ctx: Context, round: Round) -> None:
    """Let other evaluators score a round, once."""
    if round.score_attempt == SCORE_ATTEMPTS:
        finish_score(state, ctx, round, ScoreOutcome.NO_QUORUM)
        return
    again = replace(round, score_attempt=U32(round.score_attempt + 1))
    begin_step(state, ctx, again, ScoreStep.DRAW)
    ask_draw(state, ctx, round.job_id)


def finish_score(state: State, ctx: Context, round: Round, outcome: ScoreOutcome) -> None:
    """Let a round be challenged once it is known how its workers are paid."""
    round = replace(round, score_step=ScoreStep.UNSPECIFIED, score_outcome=outcome)
    reason = "" if outcome is ScoreOutcome.SCORED else outcome.name.lower()
    advance_round(state, ctx, round, RoundPhase.CHALLENGE, reason)
    place = round.job_id, round.round
    ctx.emit(RoundScored(*place, outcome, round.utility_millionths))
